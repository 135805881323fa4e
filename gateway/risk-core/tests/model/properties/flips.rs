//! A flip takes effect whole: no decision after it is one of the limits before it.
//!
//! Owned by a test. What the core prepared from the old limits is prepared anew, and each verdict
//! names the limits that made it.

use super::facts::calm;
use super::{LimitSpec, Scene, flip, refusal};
use crate::op::{Op, OrderOp};
use crate::saved::{reloaded, words_of};
use portcullis_domain::{
    Command, InstrumentId, NewOrder, Price, Qty, Record, SessionId, TimeInForce, UserRef,
};
use portcullis_risk_core::checks::early;
use portcullis_risk_core::limits::account::AccountField;
use portcullis_risk_core::limits::instrument::{InstrumentField, Tier, Tiers};
use portcullis_risk_core::{Effect, EffectSink, LineSink, RiskCore, Word};

const SCENES: u64 = 400;

/// The scene's limits with one cell of the first instrument changed.
fn with(scene: &Scene, field: InstrumentField, value: i64) -> LimitSpec {
    let mut spec = scene.spec.clone();
    let cells = &mut spec.instruments[0].cells;
    assert!(cells.set_by_number(field as usize, value), "a field");
    spec
}

#[test]
fn a_flip_to_the_same_limits_changes_no_decision() {
    for seed in 0..SCENES {
        let scene = Scene::random(seed, 120);
        let unmoved = scene.judged(scene.order, None);
        let flipped = scene.judged(scene.order, Some(&scene.spec));
        assert_eq!(flipped, unmoved, "seed {seed}");
    }
}

#[test]
fn a_collar_is_that_of_the_limits_in_force_without_a_new_reference() {
    let scene = calm();
    let order = OrderOp {
        price: Some(1_100),
        ..scene.order
    };
    let wide = with(&scene, InstrumentField::CollarPpm, 100_000);
    let tight = with(&scene, InstrumentField::CollarPpm, 99_999);
    assert!(!scene.judged(order, Some(&wide)).contains(&"COLLAR".into()));
    assert_eq!(scene.judged(order, Some(&tight)), ["COLLAR"]);
    let mut machine = scene.play();
    for (spec, collar) in [(&tight, (901, 1_099)), (&wide, (900, 1_100))] {
        flip(&mut machine, spec);
        let view = machine.core.instrument(InstrumentId::new(0));
        assert_eq!(view.and_then(|view| view.collar), Some(collar));
    }
}

/// Ten lots were open when the last reference came; forty are now, and do not count before the next.
#[test]
fn a_margin_scale_is_that_of_the_limits_in_force_at_the_last_reference() {
    let mut scene = calm();
    let time_ns = scene.time_ns;
    let again = Op::Reference {
        instrument: 0,
        price: 1_000,
    };
    scene.commands.push((time_ns, again));
    let more = OrderOp {
        id: 3,
        qty: 30,
        ..scene.order
    };
    let fill = Op::Fill {
        id: 3,
        qty: 30,
        price: 1_000,
    };
    scene.commands.push((time_ns, Op::Order(more)));
    scene.commands.push((time_ns, fill));
    let mut spec = with(&scene, InstrumentField::OiLower, 0);
    let cells = &mut spec.instruments[0].cells;
    assert!(cells.set_by_number(InstrumentField::OiUpper as usize, 40));
    let mut machine = scene.play();
    let scale = |machine: &crate::driver::CoreMachine| {
        let view = machine.core.instrument(InstrumentId::new(0));
        view.map(|view| (view.open_interest, view.scale_ppm))
    };
    assert_eq!(scale(&machine), Some((40, 0)));
    flip(&mut machine, &spec);
    assert_eq!(scale(&machine), Some((40, 250_000)));
    flip(&mut machine, &scene.spec);
    assert_eq!(scale(&machine), Some((40, 0)));
}

/// What an order proved of its account's worth is proved no longer under limits that ask for more.
#[test]
fn a_bound_ends_with_the_margin_and_the_worth_it_was_worked_out_under() {
    let mut scene = calm();
    let warm = OrderOp {
        id: 90,
        qty: 1,
        ..scene.order
    };
    scene.commands.push((scene.time_ns, Op::Order(warm)));
    // Enough for the lots held and a few more, all of it as margin.
    let few = Op::Deposit {
        account: 0,
        amount: 15_000,
    };
    scene.commands[0].1 = few;
    let full = Tier {
        from_notional: 0,
        ratio_ppm: 1_000_000,
    };
    let mut dear = scene.spec.clone();
    dear.instruments[0].initial = Tiers::new(&[full]).expect("one tier");
    let mut strict = scene.spec.clone();
    for row in &mut strict.rows {
        assert!(row.cells.set_by_number(AccountField::LossMax as usize, 0));
    }
    let lost = Op::Reference {
        instrument: 0,
        price: 999,
    };
    for (spec, check, price_moves) in [(&dear, "MARGIN", false), (&strict, "LOSS_MAX", true)] {
        let mut scene = scene.clone();
        if price_moves {
            scene.commands.push((scene.time_ns, lost));
        }
        // More than what is left of the money at full margin, less than what a bound would still let by.
        let order = OrderOp {
            id: 91,
            qty: 8,
            ..scene.order
        };
        assert!(scene.judged(order, None).is_empty(), "{check}");
        assert_eq!(scene.judged(order, Some(spec)), [check]);
    }
}

fn new_order(order: &OrderOp) -> Command {
    let (account, instrument) = super::ids(order);
    Command::NewOrder(NewOrder {
        session: SessionId::new(0),
        user_ref: UserRef::new(order.id),
        account,
        instrument,
        side: order.side,
        qty: Qty::new(order.qty),
        price: order.price.map(Price::new),
        time_in_force: TimeInForce::Day,
    })
}

/// The epoch of the approval among the effects of an order.
fn approved(effects: &[Effect]) -> Option<u32> {
    effects.iter().find_map(|effect| match effect {
        Effect::Approved(approved) => Some(approved.epoch()),
        Effect::Refused(_)
        | Effect::Answered(_)
        | Effect::Reported(_)
        | Effect::SessionChanged(_)
        | Effect::Controlled(_)
        | Effect::StateChanged { .. }
        | Effect::Alarmed(_) => None,
    })
}

#[test]
fn approvals_and_refusals_name_the_epoch_that_made_them() {
    let scene = calm();
    let narrow = with(&scene, InstrumentField::PriceMax, 1_000);
    let mut machine = scene.play();
    for (epoch, spec) in (2..).zip([&narrow, &scene.spec, &narrow]) {
        flip(&mut machine, spec);
        assert_eq!(machine.core.epoch(), epoch);
        for price in [1_000, 1_001] {
            let order = OrderOp {
                id: epoch * 10 + (price - 1_000) as u32,
                qty: 1,
                price: Some(price),
                ..scene.order
            };
            let effects = machine.send(new_order(&order));
            let refused = refusal(effects).map(|refusal| refusal.epoch);
            let passes = price == 1_000 || epoch == 3;
            let verdict = if passes {
                (Some(epoch), None)
            } else {
                (None, Some(epoch))
            };
            let told = format!("epoch {epoch}, price {price}");
            assert_eq!((approved(effects), refused), verdict, "{told}");
        }
    }
}

#[derive(Default)]
pub(super) struct Said(pub(super) Vec<Effect>);

impl EffectSink for Said {
    fn on_effect(&mut self, effect: Effect) {
        self.0.push(effect);
    }
}

pub(super) struct Unfetched;

impl LineSink for Unfetched {
    fn line<W: Word>(&mut self, _word: &W) {}
}

/// Orders of any account, known or not, some of them sent twice, some of a session that is not there; one in so many,
/// or none, found by ingress to be wrong.
fn orders(scene: &Scene, core: &RiskCore, one_wrong_in: i64) -> Vec<Record> {
    let mut prng = scene.prng.clone();
    let accounts = scene.config.accounts.len() as i64;
    let count = prng.between(2, 48);
    let records = (1..=count).map(|place| {
        let order = OrderOp {
            account: prng.between(0, accounts) as u32,
            id: (100_000 + place - prng.between(0, 2)) as u32,
            qty: prng.between(1, scene.order.qty.max(2)),
            ..scene.order
        };
        let mut record = Record::bare(new_order(&order).encode());
        if one_wrong_in > 0 && prng.between(1, one_wrong_in) == 1 {
            record.head.refuse_early(early::LOT_INVALID);
        }
        if prng.between(1, 16) == 1 {
            record.head.session = u32::MAX - 1;
        }
        record.head.seq = core.seq().raw() + place as u64;
        record.head.timestamp_ns = core.now().ns();
        record
    });
    records.collect()
}

/// What a core says of records, and is behind them.
fn told(
    core: &mut RiskCore,
    records: &[Record],
    batch: usize,
) -> (Vec<Effect>, Vec<u64>, u64, u64) {
    let mut said = Said::default();
    for records in records.chunks(batch) {
        match records {
            [record] => core.apply(record, &mut said),
            batch => core.apply_batch(batch, &mut Unfetched, &mut said),
        }
    }
    (said.0, words_of(core), core.state_hash(), core.digest())
}

/// By a flip or a start of the day. Whoever was loaded from saved words, as after a restart, expects no such account.
#[test]
fn orders_of_accounts_left_behind_leave_the_same_in_batches_one_by_one_and_after_a_restart() {
    let mut accepted = 0;
    for seed in 0..SCENES {
        let scene = Scene::random(seed, 120);
        let behind = || {
            let mut machine = scene.play();
            match seed % 2 {
                0 => flip(&mut machine, &scene.spec),
                _ => drop(machine.send(Command::DayStart).len()),
            }
            machine.core
        };
        let mut core = behind();
        let mut restarted = reloaded(&core, &scene.spec);
        let records = orders(&scene, &core, (seed % 4) as i64);
        let batched = told(&mut core, &records, 16);
        assert!(
            batched == told(&mut behind(), &records, 1),
            "seed {seed}, one by one"
        );
        assert!(
            batched == told(&mut restarted, &records, 1),
            "seed {seed}, after a restart"
        );
        let passed = |effect: &&Effect| approved(core::slice::from_ref(*effect)).is_some();
        accepted += batched.0.iter().filter(passed).count();
    }
    assert!(accepted > 150, "{accepted} orders passed");
}

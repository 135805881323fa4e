//! A missing fact refuses what is not reducing; a cancel is never refused.
//!
//! Owned by a test. Iterates the tables of fields: what is required does not load unset; what is
//! not, once unset, fails the check that reads it.

use super::{Answer, LimitSpec, LimitTable, Machine, Op, OrderOp, Scene};
use crate::op::{AccountConfig, Config, InstrumentConfig, Word};
use portcullis_domain::{AccountId, FirmId, InstrumentId, Side};
use portcullis_domain::{Command, Scope, SessionId, StateChange, TradingState};
use portcullis_risk_core::checks::REGISTRY;
use portcullis_risk_core::limits::Cell;
use portcullis_risk_core::limits::account::ACCOUNT_FIELDS;
use portcullis_risk_core::limits::firm::FIRM_FIELDS;
use portcullis_risk_core::limits::instrument::INSTRUMENT_FIELDS;
use portcullis_risk_core::limits::session::SESSION_FIELDS;

const UNSET: i64 = i64::MIN;
const SECOND: u64 = 1_000_000_000;

fn instrument() -> InstrumentConfig {
    InstrumentConfig {
        tick_lot_value: 1,
        price_max: 10_000,
        collar_ppm: 100_000,
        tiers: vec![(0, 100_000)],
        oi_lower: 1_000,
        oi_upper: 1_000,
        oi_cap: 1_000,
        oi_share_max: 1_000,
        ref_max_age_ns: 1 << 40,
        bucket_ns: 1_000,
        ewma_shift: 5,
        spike_floor: 1_000,
        spike_ppm: 1_000_000,
        cooldown_ns: 0,
    }
}

fn account() -> AccountConfig {
    AccountConfig {
        permitted: vec![0, 1],
        firm: 0,
        rate_interval_ns: 1,
        rate_count: 1,
        rate_burst: 10,
        qty_max: 100,
        repeat_window_ns: Some(0),
        repeat_max: Some(10),
        notional_max: Some(1_000_000),
        open_orders_max: Some(10),
        position_max: Some(100),
        open_notional_max: Some(1_000_000),
        loss_max: Some(1_000_000),
        pnl_weight_ppm: Some(500_000),
        pnl_cap: Some(1_000_000),
        account_volume_max: Some(500),
    }
}

/// A scene of one account, long 10 lots, in which an order passes every check.
pub(super) fn calm() -> Scene {
    let config = Config {
        instruments: vec![instrument(), instrument()],
        accounts: vec![account()],
        firms: 1,
        sessions: 1,
    };
    let order = OrderOp {
        account: 0,
        instrument: 0,
        id: 1,
        side: Side::Buy,
        qty: 10,
        price: Some(1_000),
    };
    let commands = vec![
        (
            SECOND,
            Op::Deposit {
                account: 0,
                amount: 1_000_000,
            },
        ),
        (
            SECOND,
            Op::Reference {
                instrument: 0,
                price: 1_000,
            },
        ),
        (SECOND, Op::Order(order)),
        (
            SECOND,
            Op::Fill {
                id: 1,
                qty: 10,
                price: 1_000,
            },
        ),
    ];
    let spec = super::limit_spec(&config).expect("well formed");
    Scene {
        seed: 0,
        config,
        spec,
        commands,
        time_ns: 2 * SECOND,
        order: OrderOp { id: 2, ..order },
        prng: super::Prng::new(0),
    }
}

#[test]
fn a_required_limit_unset_does_not_load() {
    let scene = calm();
    assert_eq!(Cell::new(UNSET), Cell::UNSET);
    let unset = |set: &dyn Fn(&mut LimitSpec) -> bool| {
        let mut spec = scene.spec.clone();
        assert!(set(&mut spec), "a field of the table");
        LimitTable::build(&spec).is_ok()
    };
    for (number, field) in ACCOUNT_FIELDS.iter().enumerate() {
        let loads = unset(&|spec| spec.rows[0].cells.set_by_number(number, UNSET));
        assert_eq!(loads, !field.required, "account {}", field.name);
    }
    for (number, field) in INSTRUMENT_FIELDS.iter().enumerate() {
        let loads = unset(&|spec| spec.instruments[0].cells.set_by_number(number, UNSET));
        assert_eq!(loads, !field.required, "instrument {}", field.name);
    }
    for (number, field) in FIRM_FIELDS.iter().enumerate() {
        let loads = unset(&|spec| spec.firms[0].cells.set_by_number(number, UNSET));
        assert_eq!(loads, !field.required, "firm {}", field.name);
    }
    for (number, field) in SESSION_FIELDS.iter().enumerate() {
        let loads = unset(&|spec| spec.sessions[0].cells.set_by_number(number, UNSET));
        assert_eq!(loads, !field.required, "session {}", field.name);
    }
}

#[test]
fn any_other_limit_unset_fails_its_check_unless_the_order_reduces() {
    let scene = calm();
    let reducing = OrderOp {
        side: Side::Sell,
        ..scene.order
    };
    assert_eq!(scene.judged(scene.order, None), Vec::<String>::new());
    let account = ACCOUNT_FIELDS
        .iter()
        .enumerate()
        .map(|(n, field)| ("account", n, field));
    let firm = FIRM_FIELDS
        .iter()
        .enumerate()
        .map(|(n, field)| ("firm", n, field));
    for (scope, number, field) in account.chain(firm).filter(|(.., field)| !field.required) {
        let mut spec = scene.spec.clone();
        let set = match scope {
            "account" => spec.rows[0].cells.set_by_number(number, UNSET),
            _ => spec.firms[0].cells.set_by_number(number, UNSET),
        };
        assert!(set, "a field of the table");
        let readers = REGISTRY
            .iter()
            .filter(|c| c.fields.contains(&(scope, field.name)));
        let readers: Vec<&str> = readers.map(|check| check.name).collect();
        assert!(!readers.is_empty(), "no check reads {scope} {}", field.name);
        let fails = scene.judged(scene.order, Some(&spec));
        // What makes profit count stands, unset, at its strict end: none of it counts.
        let counts_profit = field.name.starts_with("pnl_");
        let readers = if counts_profit { Vec::new() } else { readers };
        assert_eq!(fails, readers, "{scope} {} unset", field.name);
        let fails = scene.judged(reducing, Some(&spec));
        assert!(
            fails.is_empty(),
            "{scope} {} unset refused a reducing order",
            field.name
        );
    }
}

#[test]
fn an_unknown_account_instrument_or_price_refuses() {
    let scene = calm();
    let names = |order| scene.judged(order, None);
    let order = scene.order;
    assert_eq!(
        names(OrderOp {
            account: 1,
            ..order
        }),
        ["ACCOUNT_UNKNOWN"]
    );
    assert_eq!(
        names(OrderOp {
            account: u32::MAX,
            ..order
        }),
        ["ACCOUNT_UNKNOWN"]
    );
    assert_eq!(
        names(OrderOp {
            instrument: 2,
            ..order
        }),
        ["INSTRUMENT_UNKNOWN"]
    );
    assert_eq!(
        names(OrderOp {
            instrument: u32::MAX,
            ..order
        }),
        ["INSTRUMENT_UNKNOWN"]
    );
    assert_eq!(
        names(OrderOp {
            instrument: 1,
            ..order
        }),
        ["REFERENCE_MISSING"]
    );
    assert_eq!(
        names(OrderOp {
            instrument: 1,
            price: None,
            ..order
        }),
        ["REFERENCE_MISSING"]
    );
    let later = Scene {
        time_ns: scene.time_ns + (1 << 41),
        ..calm()
    };
    assert_eq!(later.judged(order, None), ["REFERENCE_STALE"]);
    let reducing = OrderOp {
        side: Side::Sell,
        ..order
    };
    assert_eq!(later.judged(reducing, None), Vec::<String>::new());
}

#[test]
fn a_cancel_is_forwarded_in_every_state_of_every_scope() {
    let scene = calm();
    let scopes = [
        Scope::Venue,
        Scope::Firm(FirmId::new(0)),
        Scope::Account(AccountId::new(0)),
        Scope::Instrument(InstrumentId::new(0)),
        Scope::Session(SessionId::new(0)),
    ];
    for scope in scopes {
        for state in TradingState::ALL {
            let mut machine = scene.play();
            let entered = machine.apply(scene.time_ns, &Op::Order(scene.order));
            assert_eq!(entered, Answer::Judged(Vec::new()));
            let _ = machine.send(Command::SetState(StateChange {
                scope,
                state,
                cancel: false,
            }));
            for _ in 0..100 {
                // At one instant, and again while unanswered: no rate binds a cancel.
                let answer = machine.apply(scene.time_ns, &Op::Cancel { id: 2 });
                assert_eq!(answer, Answer::Word(Word::Forwarded), "{scope:?} {state:?}");
            }
        }
    }
}

//! At the limit passes, one more fails: the largest passing quantity of each refusal, tried.
//!
//! Owned by a test. A refusal says the largest quantity that would have passed its first check, all
//! else equal. From the same state that quantity passes the check, and one lot more fails it.

use super::{Scene, refusal};
use crate::op::{Machine, Op, OrderOp};
use portcullis_domain::{Command, NewOrder, Price, Qty, SessionId, TimeInForce, UserRef};
use portcullis_risk_core::checks;
use std::collections::BTreeMap;

const SCENES: u64 = 2_500;

/// The checks in which the quantity decides.
const BY_QUANTITY: [&str; 8] = [
    "QTY_MAX",
    "NOTIONAL_MAX",
    "POSITION_MAX",
    "OPEN_NOTIONAL_MAX",
    "OI_CAP",
    "OI_SHARE",
    "MARGIN",
    "ACCOUNT_VOLUME",
];

#[test]
fn the_largest_passing_quantity_passes_and_one_lot_more_fails() {
    let mut tried: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..SCENES {
        let scene = Scene::random(seed, 100);
        let Some((name, passing)) = explained(&scene) else {
            continue;
        };
        if !BY_QUANTITY.contains(&name) {
            continue;
        }
        let with = |qty: i64| scene.judged(OrderOp { qty, ..scene.order }, None);
        let told = format!("seed {seed}: {:?}, {name}, {passing} lots", scene.order);
        assert!(
            passing < scene.order.qty,
            "{told}: no less than was refused"
        );
        if passing >= 1 {
            assert!(
                !with(passing).iter().any(|fails| fails == name),
                "{told}: fails"
            );
        }
        assert!(
            with(passing + 1).iter().any(|fails| fails == name),
            "{told}: so does one more"
        );
        *tried.entry(name).or_default() += 1;
    }
    for name in BY_QUANTITY {
        assert!(
            tried.contains_key(name),
            "no scene was refused by {name} first: {tried:?}"
        );
    }
}

/// The first check that refuses the scene's order, and its largest passing quantity.
fn explained(scene: &Scene) -> Option<(&'static str, i64)> {
    let mut machine = scene.play();
    // The time of the order, without a command that changes anything.
    let _ = machine.apply(scene.time_ns, &Op::Cancel { id: u32::MAX - 1 });
    let (account, instrument) = super::ids(&scene.order);
    let effects = machine.send(Command::NewOrder(NewOrder {
        session: SessionId::new(scene.config.session_of(scene.order.id)),
        user_ref: UserRef::new(scene.order.id),
        account,
        instrument,
        side: scene.order.side,
        qty: Qty::new(scene.order.qty),
        price: scene.order.price.map(Price::new),
        time_in_force: TimeInForce::Day,
    }));
    let refusal = refusal(effects)?;
    Some((
        checks::name(refusal.primary),
        refusal.explanation.qty_passing,
    ))
}

#[test]
fn the_breaker_trips_beyond_its_floor_and_not_at_it() {
    let mut scene = super::facts::calm();
    scene.config.instruments[0].spike_floor = 100;
    scene.config.accounts[0].account_volume_max = Some(50);
    scene.config.accounts = vec![scene.config.accounts[0].clone(); 3];
    for account in 0..3 {
        let deposit = Op::Deposit {
            account,
            amount: 1_000_000,
        };
        scene.commands.push((scene.time_ns, deposit));
    }
    for (account, qty) in [(0, 45), (1, 45)] {
        let id = 10 + account;
        let order = OrderOp {
            account,
            id,
            qty,
            ..scene.order
        };
        scene.commands.push((scene.time_ns, Op::Order(order)));
    }
    scene.order = OrderOp {
        account: 2,
        id: 20,
        qty: 20,
        ..scene.order
    };
    assert_eq!(explained(&scene), Some(("VOLUME_SPIKE", 10)));
    let with = |qty: i64| scene.judged(OrderOp { qty, ..scene.order }, None);
    assert_eq!(with(10), Vec::<String>::new());
    assert_eq!(with(11), ["VOLUME_SPIKE"]);
}

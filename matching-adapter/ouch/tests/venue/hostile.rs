//! Random clients, a real book behind real sockets, and a wire that breaks in the middle.
//!
//! One thread a test, and the engine's. Whatever breaks: no alarm, no hold left, no quantum lost,
//! and both sides count the same lots.

use std::sync::atomic::Ordering;

use portcullis_domain::{
    Duration, InstrumentId, Price, Qty, SessionId, Side, TimeInForce, UserRef,
};
use portcullis_ladder::{Command, NewOrder};
use portcullis_venue_ouch::{OuchVenueConfig, ReplayEnd};

use crate::engine::Engine;
use crate::patient::{Patient, config, rig, until_up};
use crate::rig::{REFERENCE_TICKS, Rig, SESSIONS};

/// Trades while the engine does what `hostility` made it do, then comes to rest in peace.
fn run(
    engine: &Engine,
    config: OuchVenueConfig,
    seed: u64,
    hostility: impl FnOnce(&Engine),
) -> Rig<Patient> {
    let mut rig = rig(config, seed);
    until_up(&mut rig);
    hostility(engine);
    for _ in 0..60 {
        rig.trade(40);
        rig.pump_all();
        rig.holds();
    }
    engine.control.break_one_in.store(0, Ordering::SeqCst);
    engine.control.bytes_a_turn.store(0, Ordering::SeqCst);
    until_up(&mut rig);
    rig.wind_down();
    assert_eq!(rig.effects.alarms, [], "seed {seed}");
    assert_eq!(rig.holds(), (0, 0, 0), "seed {seed}");
    assert_eq!(rig.conservation_error(), 0, "seed {seed}");
    let counters = engine.counters();
    assert_eq!(
        u128::from(rig.core.counters().executed_qty),
        2 * counters.executed_qty,
        "seed {seed}"
    );
    assert!(counters.trades > 150, "seed {seed}: {counters:?}");
    assert_eq!(rig.venue.venue.counters().not_convertible, 0);
    rig
}

#[test]
fn over_a_good_wire_nothing_is_lost() {
    let engine = Engine::start(1);
    let rig = run(&engine, config(&engine), 1, |_| {});
    let counters = rig.venue.venue.counters();
    assert_eq!((counters.links_lost, counters.messages_resent), (0, 0));
    assert_eq!(counters.logins, u64::from(SESSIONS));
    assert!(
        rig.reports
            .iter()
            .all(|(_, raw)| raw.len() > 12 || raw.is_empty())
    );
}

#[test]
fn over_a_wire_that_breaks_nothing_is_lost() {
    let mut resent = 0;
    for seed in 0..4 {
        let engine = Engine::start(seed);
        let mut config = config(&engine);
        if seed % 2 == 1 {
            config.replay_end = ReplayEnd::Quiet(Duration::from_ns(5_000_000));
        }
        let rig = run(&engine, config, seed, |engine| {
            engine.control.break_one_in.store(300, Ordering::SeqCst);
            engine.control.bytes_a_turn.store(13, Ordering::SeqCst);
        });
        let counters = rig.venue.venue.counters();
        assert!(counters.links_lost > 10, "seed {seed}: {counters:?}");
        assert_eq!(counters.messages_repeated, 0, "asked for what was missed");
        resent += counters.messages_resent;
        assert!(rig.links_up as u64 > 10);
    }
    assert!(resent > 10, "some messages were on their way: {resent}");
}

#[test]
fn fills_of_a_link_that_is_down_come_by_replay() {
    let engine = Engine::start(9);
    let mut rig = rig(config(&engine), 9);
    until_up(&mut rig);
    rig.trade(300);
    rig.pump_all();
    let before = rig.core.counters().executed_qty;
    // While nobody is connected, somebody sells through every bid and buys through every offer.
    engine.control.break_all.store(true, Ordering::SeqCst);
    for (number, side, price) in [(1, Side::Sell, 1), (2, Side::Buy, 5_000)] {
        for instrument in 0..2 {
            engine.command(Command::New(NewOrder {
                session: SessionId::new(SESSIONS),
                user_ref: UserRef::new(number * 2 + instrument),
                tag: 0,
                instrument: InstrumentId::new(instrument),
                side,
                qty: Qty::new(50_000),
                price: Some(Price::new(price)),
                time_in_force: TimeInForce::ImmediateOrCancel,
                qty_min: Qty::ZERO,
                instruction: None,
            }));
        }
    }
    crate::patient::until(&mut rig, "links lost", |rig| {
        rig.venue.venue.counters().links_lost >= u64::from(SESSIONS)
    });
    until_up(&mut rig);
    rig.pump_all();
    assert_eq!(rig.effects.alarms, []);
    assert_eq!(
        rig.holds(),
        (0, 0, 0),
        "every order at {REFERENCE_TICKS} was filled"
    );
    assert!(rig.core.counters().executed_qty > before);
    assert!(engine.logins() >= 2 * u64::from(SESSIONS));
}

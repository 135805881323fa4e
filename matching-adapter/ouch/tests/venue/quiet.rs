//! Links that are quiet: not read, and not forgotten.
//!
//! One thread a test, and the engine's.

use std::sync::atomic::Ordering;

use portcullis_venue::MatchingVenue;
use portcullis_wire::ouch50::{EventCode, SystemEvent};

use crate::engine::Engine;
use crate::patient::{Patient, config, rig, until, until_up};
use crate::rig::{Rig, SESSIONS};

/// Cycles until one has read no link.
fn until_quiet(rig: &mut Rig<Patient>) {
    let mut last = u64::MAX;
    until(rig, "a poll that reads no link", |rig| {
        let reads = rig.venue.venue.counters().reads;
        std::mem::replace(&mut last, reads) == reads
    });
}

#[test]
fn a_quiet_link_is_not_read_until_its_engine_speaks() {
    let engine = Engine::start(41);
    let mut rig = rig(config(&engine), 1);
    until_up(&mut rig);
    until_quiet(&mut rig);
    let event = SystemEvent {
        timestamp: 1,
        event_code: EventCode::StartOfDay,
    };
    let mut message = [0; 16];
    let len = event.encode(None, &mut message).expect("room for it");
    for session in 0..SESSIONS as usize {
        engine.say(session, &message[..len]);
    }
    until(&mut rig, "the event on every link", |rig| {
        rig.venue.venue.counters().unattributed == SESSIONS.into()
    });
    until_quiet(&mut rig);
}

#[test]
fn what_was_submitted_is_sent_without_a_poll() {
    let engine = Engine::start(43);
    let mut rig = rig(config(&engine), 3);
    until_up(&mut rig);
    let before = rig.venue.venue.counters().reads;
    rig.venue.only_sends = true;
    rig.trade(20);
    rig.pump();
    let sent = rig.venue.venue.counters().messages_sent;
    assert!(sent > 0, "the load has orders that pass");
    let received = || (0..SESSIONS as usize).map(|session| engine.received(session).len());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while (received().sum::<usize>() as u64) < sent {
        assert!(std::time::Instant::now() < deadline, "they never came");
        std::thread::yield_now();
    }
    assert_eq!(rig.venue.venue.counters().reads, before);
}

#[test]
fn the_end_of_a_quiet_link_is_seen_and_an_order_wakes_it() {
    let engine = Engine::start(42);
    let mut rig = rig(config(&engine), 2);
    until_up(&mut rig);
    until_quiet(&mut rig);
    engine.control.break_all.store(true, Ordering::SeqCst);
    until(&mut rig, "every link lost", |rig| {
        rig.venue.venue.counters().links_lost == SESSIONS.into()
    });
    until_up(&mut rig);
    until_quiet(&mut rig);
    rig.trade(20);
    rig.pump_all();
    assert!(rig.effects.approved > 0, "the load has orders that pass");
    assert!(rig.venue.is_idle(), "each was answered");
}

//! Links that are quiet: not read, and not forgotten.
//!
//! One thread a test, and the engine's where it has one.

use std::sync::atomic::Ordering;

use portcullis_domain::Duration;
use portcullis_venue::MatchingVenue;
use portcullis_venue_ouch::LinkState;
use portcullis_wire::ouch50::{EventCode, SystemEvent};
use portcullis_wire::soupbin::encode;

use crate::engine::Engine;
use crate::patient::{POLL_NS, Patient, config, rig, until, until_up};
use crate::rig::{Rig, SESSIONS};
use crate::scene::Scene;

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

/// A link that is up and was quiet for long, of an adapter that is then held for longer than any silence may be.
fn held(said: impl FnOnce(&Scene)) -> Scene {
    const SILENCE_NS: u64 = 10_000 * POLL_NS;
    let mut scene = Scene::up_with(|config| config.silence_max = Duration::from_ns(SILENCE_NS));
    let reads = |scene: &Scene| scene.rig.venue.venue.counters().reads;
    let mut last = u64::MAX;
    scene.pump_until(|scene| std::mem::replace(&mut last, reads(scene)) == reads(scene));
    said(&scene);
    scene.rig.venue.held_for(Duration::from_ns(2 * SILENCE_NS));
    for _ in 0..8 {
        scene.rig.pump();
    }
    scene
}

#[test]
fn an_adapter_that_was_held_reads_what_was_said_before_it_judges_silence() {
    let scene = held(|scene| {
        scene.write(|out| encode::server_heartbeat(out).expect("room for it"));
    });
    assert_eq!(scene.link(), LinkState::Up);
    assert_eq!(scene.rig.venue.venue.counters().links_lost, 0);
}

#[test]
fn who_said_nothing_while_an_adapter_was_held_is_lost() {
    let scene = held(|_| {});
    assert_eq!(scene.rig.venue.venue.counters().links_lost, 1);
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

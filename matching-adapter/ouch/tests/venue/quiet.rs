//! Links that are quiet: not read, and not forgotten.
//!
//! One thread a test, and the engine's where it has one.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;
use std::time::{Duration as OsDuration, Instant};

use portcullis_domain::{Duration, SessionId};
use portcullis_venue::MatchingVenue;
use portcullis_venue_ouch::{Dial, Dialed, LinkState, TcpDial};
use portcullis_wire::ouch50::{EventCode, SystemEvent};
use portcullis_wire::soupbin::encode;

use crate::engine::Engine;
use crate::patient::{POLL_NS, Patient, config, config_for, rig, until, until_up};
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
    scene.pump_until_quiet();
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
fn a_link_is_watched_while_it_is_not_polled_and_not_where_it_is_for_long() {
    let mut scene = Scene::up();
    for _ in 0..3 {
        scene.pump_until(|scene| !scene.is_watched());
        let before = scene.reads();
        scene.rig.pump();
        assert!(scene.reads() > before, "it is polled meanwhile");
        scene.pump_until_quiet();
        assert!(scene.is_watched());
        let before = scene.reads();
        scene.write(|out| encode::server_heartbeat(out).expect("room for it"));
        scene.pump_until(|scene| scene.reads() > before);
    }
    assert_eq!(scene.link(), LinkState::Up);
}

#[test]
fn what_came_while_a_stream_was_not_watched_is_told_when_it_is_again() {
    const FIRST: SessionId = SessionId::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback can be listened on");
    let config = config_for(listener.local_addr().expect("it is bound"));
    let mut dial = TcpDial::start(&config, OsDuration::from_secs(60)).expect("it starts");
    let mut stream = eventually(|| match dial.dial(FIRST) {
        Dialed::Pending => None,
        Dialed::Ready(stream) => Some(stream),
        Dialed::Failed(error) => panic!("{error}"),
    });
    let names = |dial: &mut TcpDial| {
        let mut named = Vec::new();
        assert!(dial.woken(&mut |session| named.push(session)));
        named
    };
    let (mut engine, _) = listener.accept().expect("it connects");
    assert_eq!(names(&mut dial), []);
    dial.unwatch(&mut stream);
    engine.write_all(b"said").expect("it is sent");
    let same = stream
        .as_fd()
        .try_clone_to_owned()
        .expect("a descriptor more");
    eventually(|| {
        TcpStream::from(same.try_clone().ok()?)
            .peek(&mut [0; 4])
            .ok()
    });
    assert_eq!(names(&mut dial), []);
    assert!(dial.watch(FIRST, &mut stream));
    assert_eq!(names(&mut dial), [FIRST]);
    assert_eq!(names(&mut dial), [], "once");
}

fn eventually<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + OsDuration::from_secs(60);
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < deadline, "it never happened");
        std::thread::yield_now();
    }
}

#[test]
fn a_link_that_cannot_be_watched_is_polled_on() {
    let mut scene = Scene::up();
    scene.blind(true);
    let before = scene.reads();
    for _ in 0..5_000 {
        scene.rig.pump();
    }
    assert!(scene.reads() >= before + 5_000, "at each of them");
    assert!(!scene.is_watched());
    scene.blind(false);
    scene.pump_until_quiet();
    assert!(scene.is_watched());
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
    let deadline = Instant::now() + OsDuration::from_secs(30);
    while (received().sum::<usize>() as u64) < sent {
        assert!(Instant::now() < deadline, "they never came");
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

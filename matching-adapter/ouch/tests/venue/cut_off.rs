//! An engine that takes a part of what is sent, and then no more: whatever may have reached it is known as
//! unanswered, and sent again over the next link.
//!
//! One thread.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use portcullis_domain::{OrderKey, UserRef};
use portcullis_venue_ouch::{LinkState, StopReason};

use crate::scene::{SESSION, Scene};

/// Packets of an Enter and of a Cancel as the adapter makes them, without elements.
const ENTER_BYTES: usize = 3 + 47;
const CANCEL_BYTES: usize = 3 + 9;

fn open(numbers: &[u32]) -> BTreeMap<OrderKey, u32> {
    let key = |number: &u32| (OrderKey::new(SESSION, UserRef::new(*number)), 2);
    numbers.iter().map(key).collect()
}

#[test]
fn however_much_of_an_order_was_sent_it_is_in_flight_and_sent_again() {
    for sent in 0..=ENTER_BYTES {
        let mut scene = Scene::up();
        scene.takes(sent, ErrorKind::BrokenPipe);
        scene.enter(1);
        scene.send();
        assert_eq!(scene.known(), (1, open(&[1])), "{sent} bytes of it");
        scene.pump_until(|scene| scene.link() != LinkState::Up);
        assert_eq!(scene.known(), (1, open(&[1])), "{sent} bytes of it");
        scene.log_in(2);
        assert_eq!(scene.received(), [(b'O', 1)], "{sent} bytes of it");
        assert_eq!(scene.known(), (1, open(&[1])), "it is not answered");
        assert_eq!(scene.rig.holds(), (2, 0, 1));
        assert_eq!(scene.rig.reports.len(), 0, "nobody knows what became of it");
    }
}

#[test]
fn all_that_was_handed_over_in_one_turn_is_in_flight_in_its_order() {
    for sent in 0..=2 * ENTER_BYTES + CANCEL_BYTES {
        let mut scene = Scene::up();
        scene.takes(sent, ErrorKind::BrokenPipe);
        scene.enter(1);
        scene.cancel(1);
        scene.enter(2);
        scene.send();
        assert_eq!(scene.known(), (3, open(&[1, 2])), "{sent} bytes of it");
        scene.pump_until(|scene| scene.link() != LinkState::Up);
        scene.log_in(2);
        let all = [(b'O', 1), (b'X', 1), (b'O', 2)];
        assert_eq!(scene.received(), all, "{sent} bytes of it");
    }
}

#[test]
fn what_the_engine_does_not_take_yet_is_sent_once() {
    for sent in 0..=ENTER_BYTES {
        let mut scene = Scene::up();
        scene.takes(sent, ErrorKind::WouldBlock);
        scene.enter(1);
        scene.send();
        assert_eq!(scene.known(), (1, open(&[1])), "{sent} bytes of it");
        scene.takes_all();
        scene.enter(2);
        scene.send();
        assert_eq!(
            scene.received(),
            [(b'O', 1), (b'O', 2)],
            "{sent} bytes of it"
        );
        assert_eq!(scene.known(), (2, open(&[1, 2])));
    }
}

#[test]
fn what_was_handed_over_before_a_logout_is_in_flight() {
    let mut scene = Scene::up();
    scene.takes(ENTER_BYTES, ErrorKind::BrokenPipe);
    scene.enter(1);
    scene.rig.venue.only_takes = true;
    scene.rig.pump();
    scene.rig.venue.only_takes = false;
    assert_eq!(scene.known().0, 1, "before it is sent, too");
    scene.rig.venue.venue.log_out();
    assert_eq!(scene.link(), LinkState::Stopped(StopReason::LoggedOut));
    assert_eq!(scene.known(), (1, open(&[1])));
    scene.rig.venue.venue.restart(SESSION);
    scene.log_in(2);
    assert_eq!(scene.received(), [(b'O', 1)]);
}

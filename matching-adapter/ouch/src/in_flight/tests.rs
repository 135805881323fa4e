//! What is in flight, beside lists that are gone through whole.

mod beside_model;
mod model;
mod steps;

use super::*;

fn reference(number: u32) -> UserRef {
    UserRef::new(number)
}

fn enter(number: u32) -> Asked {
    let number = reference(number);
    Asked::Enter { number }
}

fn replace(original: u32, number: u32) -> Asked {
    Asked::Replace {
        number: reference(number),
        original: reference(original),
    }
}

fn cancel(target: u32, remain_wire: u32) -> Asked {
    Asked::Cancel {
        target: reference(target),
        remain_wire,
    }
}

fn keep(flight: &mut InFlight, asked: Asked, mark: u8) {
    flight.keep(asked, &[mark], true, true);
}

/// The marks of what would be sent again, in order.
fn resent(flight: &mut InFlight) -> Vec<u8> {
    flight.link_lost();
    let mut marks = Vec::new();
    while let Some(unsent) = flight.next_unsent() {
        marks.push(unsent.message[0]);
        flight.note_sent();
    }
    marks
}

#[test]
fn what_is_answered_is_not_sent_again() {
    let mut flight = InFlight::new(8, HashSeed::FIXED);
    for number in 1..=3 {
        keep(&mut flight, enter(number), number as u8);
    }
    flight.answered(reference(2));
    assert_eq!(resent(&mut flight), [1, 3]);
    assert!(flight.is_owed());
}

#[test]
fn a_version_that_never_came_takes_its_successors_along() {
    let mut flight = InFlight::new(8, HashSeed::FIXED);
    keep(&mut flight, replace(1, 2), 2);
    keep(&mut flight, replace(2, 3), 3);
    keep(&mut flight, cancel(3, 0), 4);
    keep(&mut flight, enter(9), 9);
    flight.gone(reference(2));
    assert_eq!(resent(&mut flight), [9]);
}

#[test]
fn what_names_an_order_that_is_gone_is_sent_once() {
    let mut flight = InFlight::new(8, HashSeed::FIXED);
    flight.keep(cancel(1, 0), &[7], true, false);
    assert_eq!(flight.len(), 0, "sent already");
    flight.keep(replace(1, 2), &[7], false, false);
    assert_eq!(resent(&mut flight), [7]);
    assert_eq!(flight.len(), 0);
    keep(&mut flight, enter(3), 3);
    flight.keep(cancel(3, 0), &[7], true, false);
    assert_eq!(
        resent(&mut flight),
        [3, 7],
        "asked for, so it may come to live"
    );
    assert_eq!(flight.len(), 2);
}

#[test]
fn an_order_has_one_cancel_here_the_one_that_leaves_least() {
    let mut flight = InFlight::new(1, HashSeed::FIXED);
    keep(&mut flight, cancel(1, 5), 5);
    assert!(!flight.is_owed(), "a cancel in part may never be answered");
    assert!(flight.has_room_for(cancel(1, 0)) && !flight.has_room_for(cancel(2, 0)));
    keep(&mut flight, cancel(1, 0), 6);
    keep(&mut flight, cancel(1, 3), 7);
    assert_eq!(resent(&mut flight), [6]);
    flight.cancel_answered(reference(1));
    assert_eq!((flight.len(), flight.next_unsent().is_none()), (0, true));
    assert!(flight.index.is_empty() && flight.queue.is_whole());
    assert_eq!((flight.replaces, flight.cancels, flight.partial), (0, 0, 0));
}

/// Orders that rest and are cancelled one by one, while the engine answers none: a stop takes them all off. Then
/// the link breaks, and all is sent again; then the engine answers in turn.
#[test]
fn no_cancel_is_looked_for_among_all_others() {
    const CANCELS: u32 = 4_000;
    let mut flight = InFlight::new(CANCELS as usize, HashSeed::FIXED);
    for target in 1..=CANCELS {
        keep(&mut flight, cancel(target, 0), 1);
    }
    assert_eq!(resent(&mut flight).len(), CANCELS as usize);
    for target in 1..=CANCELS {
        // A fill of another order asks, too.
        flight.cancel_answered(reference(target + CANCELS));
        flight.cancel_answered(reference(target));
    }
    assert_eq!(flight.len(), 0);
    let (each, looked_at) = (CANCELS as usize, flight.queue.looked_at.get());
    assert!(looked_at < each * each / 8, "{looked_at} entries");
}

/// Beside a list that is gone through from its front each time.
#[test]
fn the_oldest_unsent_is_found_whatever_came_and_went() {
    let mut flight = InFlight::new(24, HashSeed::FIXED);
    let mut random = 7_u64;
    for _ in 0..100_000 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let number = (random >> 40) as u32 % 32;
        let asked = match random >> 33 & 3 {
            0 => enter(number),
            1 => replace(number, number + 40),
            _ => cancel(number, (random >> 50) as u32 % 4),
        };
        match random >> 60 {
            0..=7 if flight.has_room_for(asked) => {
                let (sent, alive) = (random >> 36 & 1 == 1, random >> 37 & 3 > 0);
                flight.keep(asked, &[number as u8], sent, alive);
            }
            8 => flight.answered(reference(number)),
            9 => flight.cancel_answered(reference(number)),
            10 => flight.gone(reference(number)),
            11 if number == 0 => flight.link_lost(),
            _ => flight.note_sent(),
        }
        let first = flight.queue.all().find(|at| !flight.queue.entry(*at).sent);
        assert_eq!(flight.unsent.first(), first);
        assert_eq!(flight.next_unsent().is_some(), first.is_some());
        for target in (0..32).map(reference) {
            let key = Key::cancel_of(target);
            let is_one = |at: &At| Key::named(flight.queue.entry(*at).asked) == Some(key);
            assert_eq!(
                flight.cancel_of(Asked::Cancel {
                    target,
                    remain_wire: 0
                }),
                flight.queue.all().find(is_one)
            );
        }
    }
}

//! How many entries are looked at, with thousands that an engine leaves unanswered.

use super::*;

const UNANSWERED: u32 = 6_554;
/// What may be looked at in one turn of up to eight messages, in the mean, whatever is unanswered.
const EACH: usize = 32;
/// And at the most.
const MOST: usize = 4 * RECENT_MAX as usize;
/// The first number of the turns.
const FIRST: u32 = 1_000_000;

/// What an engine leaves unanswered: new orders, and replaces of orders that rest.
fn unanswered(kind: fn(u32) -> Asked) -> InFlight {
    let mut flight = InFlight::new(65_536, HashSeed::FIXED);
    for number in 1..=UNANSWERED {
        keep(&mut flight, kind(number), 1);
    }
    flight
}

/// Entries looked at, in the mean and at the most, by each of these turns.
fn looked_at(flight: &mut InFlight, turns: u32, mut turn: impl FnMut(&mut InFlight, u32)) {
    let (first, mut most) = (flight.queue.looked_at.get(), 0);
    for number in 0..turns {
        let before = flight.queue.looked_at.get();
        turn(flight, FIRST + number);
        most = most.max(flight.queue.looked_at.get() - before);
    }
    let all = flight.queue.looked_at.get() - first;
    let all_may = EACH * turns as usize + MOST;
    assert!(all <= all_may, "{all} in {turns} turns");
    assert!(most <= MOST, "{most} in one turn");
}

const KINDS: [fn(u32) -> Asked; 3] = [
    enter,
    |number| replace(2_000_000 + number, number),
    |number| cancel(number, number % 2),
];

#[test]
fn for_answers_behind_what_is_never_answered() {
    for kind in KINDS {
        let mut flight = unanswered(kind);
        looked_at(&mut flight, 3_000, |flight, number| {
            keep(flight, enter(number), 2);
            flight.answered(reference(number));
        });
        looked_at(&mut flight, 3_000, |flight, number| {
            keep(flight, enter(number), 2);
            // Some under way, and fills of orders that rest.
            flight.gone(reference(number.saturating_sub(50)));
            flight.answered(reference(number / 2));
        });
        assert!(flight.len() < UNANSWERED as usize + 60);
    }
}

#[test]
fn for_replaces_and_orders_that_end_behind_it() {
    for kind in KINDS {
        let mut flight = unanswered(kind);
        looked_at(&mut flight, 3_000, |flight, number| {
            keep(flight, enter(number), 2);
            keep(flight, replace(number, number + 10_000), 3);
            flight.answered(reference(number));
            flight.answered(reference(number + 10_000));
            flight.gone(reference(number));
        });
        looked_at(&mut flight, 3_000, |flight, number| {
            keep(flight, replace(number, number + 10_000), 3);
            keep(flight, replace(number, number + 20_000), 3);
            keep(flight, cancel(number, 0), 3);
            flight.gone(reference(number));
        });
        assert_eq!(flight.len(), UNANSWERED as usize);
    }
}

#[test]
fn for_cancels_behind_it() {
    for kind in KINDS {
        let mut flight = unanswered(kind);
        looked_at(&mut flight, 3_000, |flight, number| {
            flight.keep(cancel(number, 0), &[3], true, false);
            keep(flight, cancel(number, 2), 3);
            keep(flight, cancel(number, 1), 3);
            assert!(flight.has_room_for(cancel(number, 0)) && flight.is_owed());
            flight.cancel_answered(reference(number));
            flight.cancel_answered(reference(number));
        });
        assert_eq!(flight.len(), UNANSWERED as usize);
    }
}

/// A link that does not take all of them: cancels of those that were sent again take the place of theirs.
#[test]
fn for_what_is_sent_again() {
    let mut flight = InFlight::new(65_536, HashSeed::FIXED);
    for target in 1..=UNANSWERED {
        keep(&mut flight, cancel(target, 9), 1);
    }
    flight.link_lost();
    let mut lowest = 9;
    for _ in 0..UNANSWERED / 2 {
        flight.note_sent();
    }
    looked_at(&mut flight, 3 * UNANSWERED / 2, |flight, turn| {
        let turn = turn - FIRST;
        let target = UNANSWERED / 2 - turn % (UNANSWERED / 2);
        if turn.is_multiple_of(UNANSWERED / 2) {
            lowest -= 1;
        }
        flight.keep(cancel(target, lowest), &[2], false, true);
        let next = flight.next_unsent().expect("it is unsent");
        assert_eq!(next.asked, cancel(target, lowest));
        flight.note_sent();
        assert!(flight.next_unsent().is_some());
    });
    // And where none of them is sent, from the last to the first.
    looked_at(&mut flight, UNANSWERED / 2, |flight, turn| {
        let target = UNANSWERED / 2 - (turn - FIRST);
        flight.keep(cancel(target, 0), &[2], false, true);
        let next = flight.next_unsent().expect("it is unsent");
        assert_eq!(next.asked, cancel(target, 0));
    });
    let mut sent = 0;
    while flight.next_unsent().is_some() {
        flight.note_sent();
        sent += 1;
    }
    assert_eq!(sent, UNANSWERED);
}

/// One replace behind the other: all go with the first, on a stack of any size.
#[test]
fn for_a_long_line_of_successors() {
    const ALL: u32 = 65_536;
    let mut flight = InFlight::new(ALL as usize, HashSeed::FIXED);
    for number in 1..=ALL {
        keep(&mut flight, replace(number - 1, number), 1);
    }
    let before = flight.queue.looked_at.get();
    flight.gone(reference(0));
    let looked_at = flight.queue.looked_at.get() - before;
    assert!(looked_at < EACH * ALL as usize, "{looked_at}");
    assert_eq!(flight.len(), 0);
    assert!(flight.index.is_empty() && flight.queue.is_whole());
}

/// Many with one key stand in one chain, and are put in, found and taken out at its ends or beside their neighbours.
#[test]
fn for_many_replaces_of_one_version() {
    let mut flight = InFlight::new(65_536, HashSeed::FIXED);
    looked_at(&mut flight, UNANSWERED, |flight, number| {
        keep(flight, replace(7, number), 1);
    });
    looked_at(&mut flight, UNANSWERED / 2, |flight, turn| {
        let newest = 2 * FIRST + UNANSWERED - 1 - turn;
        flight.answered(reference(newest));
        keep(flight, cancel(turn, 0), 1);
        flight.cancel_answered(reference(turn));
    });
    flight.gone(reference(7));
    assert_eq!(flight.len(), 0);
}

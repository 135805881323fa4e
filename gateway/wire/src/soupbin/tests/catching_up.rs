//! Clients that log in before the store: what it dropped comes from the caller, then from the store.

use super::{at, login_of, name, packets};
use crate::soupbin::{
    LoginAnswer, LoginRejectReason, NoRoom, ResendStore, ServerOutbound, StoreSlot,
};
use std::vec::Vec;

type Outbound = ServerOutbound<Vec<u8>, Vec<StoreSlot>>;

/// Bytes of a packet with one of the messages.
const PACKET: usize = 5;

fn message(number: u64) -> Vec<u8> {
    std::format!("{number:02}").into_bytes()
}

/// A session of nine messages whose store holds the last three.
fn outbound() -> Outbound {
    let store = ResendStore::new(std::vec![0; 8_192], std::vec![StoreSlot::default(); 3], 1);
    let mut outbound = ServerOutbound::new(name(b"S1"), store);
    for number in 1..=9 {
        outbound.publish(&message(number)).expect("short");
    }
    assert_eq!(outbound.oldest_sequence(), 7);
    outbound
}

fn log_in(outbound: &mut Outbound, sequence: u64) -> Result<u64, LoginRejectReason> {
    let answer = outbound.login(&login_of(None, sequence), at(0), &mut [0; 64]);
    match answer.expect("room") {
        LoginAnswer::Accepted { first, .. } => Ok(first),
        LoginAnswer::Rejected { reason, .. } => Err(reason),
    }
}

/// What the client is written from now on: what the caller gives, then what is pumped.
fn all_that_follows(outbound: &mut Outbound, mut number: u64, room: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut out = std::vec![0; room];
    while outbound.is_catching_up() && number < outbound.oldest_sequence() {
        assert_eq!(outbound.pump(at(0), &mut out), Ok(0), "it is not its turn");
        let written = outbound.resend(number, &message(number), at(0), &mut out);
        all.extend_from_slice(&out[..written.expect("room")]);
        number += 1;
    }
    loop {
        let written = outbound.pump(at(0), &mut out).expect("it is stored");
        assert!(!outbound.is_catching_up(), "the store has what follows");
        if written == 0 {
            let sequenced = packets(&all).into_iter();
            return sequenced.map(|(_, message)| message).collect();
        }
        all.extend_from_slice(&out[..written]);
    }
}

#[test]
fn a_login_before_the_store_is_taken_as_far_as_the_caller_reaches_back() {
    let unavailable = Err(LoginRejectReason::SessionNotAvailable);
    for (reaches, sequence, expected) in [
        (None, 6, unavailable),
        (None, 7, Ok((7, false))),
        (Some(1), 1, Ok((1, true))),
        (Some(4), 3, unavailable),
        (Some(4), 4, Ok((4, true))),
        (Some(4), 6, Ok((6, true))),
        (Some(4), 7, Ok((7, false))),
        (Some(4), 10, Ok((10, false))),
        (Some(4), 11, unavailable),
        (Some(4), 0, Ok((10, false))),
        // What the store has is not wanted from elsewhere.
        (Some(9), 8, Ok((8, false))),
        (Some(9), 6, unavailable),
    ] {
        let mut outbound = outbound();
        if let Some(number) = reaches {
            outbound.reach_back_to(number);
        }
        let first = log_in(&mut outbound, sequence);
        let got = first.map(|first| (first, outbound.is_catching_up()));
        assert_eq!(got, expected, "{reaches:?} {sequence}");
    }
}

#[test]
fn every_message_comes_once_and_in_order_whatever_the_room() {
    for first in 1..=10 {
        for room in [PACKET, 2 * PACKET + 1, 64] {
            let mut outbound = outbound();
            outbound.reach_back_to(1);
            assert_eq!(log_in(&mut outbound, first), Ok(first));
            let got = all_that_follows(&mut outbound, first, room);
            let expected: Vec<_> = (first..=9).map(message).collect();
            assert_eq!(got, expected, "from {first} in {room}");
            assert_eq!(outbound.pending(), 0);
        }
    }
}

#[test]
fn what_is_published_meanwhile_makes_the_way_longer() {
    let mut outbound = outbound();
    outbound.reach_back_to(1);
    assert_eq!(log_in(&mut outbound, 6), Ok(6));
    // The store moves on while the client catches up: 7 and 8 go.
    for number in [10, 11] {
        outbound.publish(&message(number)).expect("short");
    }
    let got = all_that_follows(&mut outbound, 6, 64);
    assert_eq!(got, (6..=11).map(message).collect::<Vec<_>>());
    outbound.publish(&message(12)).expect("short");
    assert_eq!(outbound.pump(at(0), &mut [0; 64]), Ok(PACKET));
}

#[test]
fn what_does_not_fit_is_given_again() {
    let mut outbound = outbound();
    outbound.reach_back_to(1);
    assert_eq!(log_in(&mut outbound, 6), Ok(6));
    let mut out = [0; PACKET];
    let no_room = Err(NoRoom {
        needed: PACKET,
        room: 4,
    });
    assert_eq!(
        outbound.resend(6, &message(6), at(0), &mut out[..4]),
        no_room
    );
    assert!(outbound.is_catching_up());
    assert_eq!(outbound.resend(6, &message(6), at(0), &mut out), Ok(PACKET));
    // Nothing of the store fits either: it may still drop what follows.
    assert_eq!(outbound.pump(at(0), &mut out[..4]), Ok(0));
    assert!(outbound.is_catching_up());
    assert_eq!(outbound.pump(at(0), &mut out), Ok(PACKET));
    assert!(!outbound.is_catching_up());
}

/// The store drops the message that the client is due next between the last one that was resent and the
/// pump behind it.
#[test]
fn what_the_store_drops_before_it_is_pumped_comes_from_the_caller_too() {
    let mut outbound = outbound();
    outbound.reach_back_to(1);
    assert_eq!(log_in(&mut outbound, 6), Ok(6));
    let mut out = [0; 64];
    for number in [6, 7] {
        let written = outbound.resend(number, &message(number), at(0), &mut out);
        assert_eq!(written, Ok(PACKET));
        outbound.publish(&message(number + 4)).expect("short");
        assert_eq!(outbound.oldest_sequence(), number + 2);
        assert_eq!(outbound.pump(at(0), &mut out), Ok(0), "it is no lagging");
        assert!(outbound.is_catching_up());
    }
    let got = all_that_follows(&mut outbound, 8, 64);
    assert_eq!(got, (8..=11).map(message).collect::<Vec<_>>());
}

#[test]
fn a_client_that_waits_for_what_it_missed_has_heartbeats_and_no_end() {
    let mut outbound = outbound();
    outbound.reach_back_to(1);
    assert_eq!(log_in(&mut outbound, 6), Ok(6));
    outbound.end_session();
    let mut out = [0; 64];
    assert_eq!(outbound.pump(at(0), &mut out), Ok(0));
    assert_eq!(outbound.on_time(at(1), &mut out), Ok(3));
    assert_eq!(out[..3], *b"\x00\x01H");
    assert_eq!(outbound.resend(6, &message(6), at(2), &mut out), Ok(PACKET));
    assert_eq!(outbound.deadline(), Some(at(3)));
    assert_eq!(outbound.pump(at(2), &mut out), Ok(3 * PACKET + 3));
    assert!(outbound.is_end_sent());
    outbound.unlink();
    assert!(!outbound.is_catching_up());
}

#[test]
#[should_panic(expected = "the next message is the one it is due")]
fn a_gap_is_never_written() {
    let mut outbound = outbound();
    outbound.reach_back_to(1);
    assert_eq!(log_in(&mut outbound, 3), Ok(3));
    let _ = outbound.resend(4, &message(4), at(0), &mut [0; 64]);
}

#[test]
#[should_panic(expected = "it is catching up")]
fn what_the_store_has_is_never_written_from_elsewhere() {
    let mut outbound = outbound();
    outbound.reach_back_to(1);
    assert_eq!(log_in(&mut outbound, 7), Ok(7));
    let _ = outbound.resend(7, &message(7), at(0), &mut [0; 64]);
}

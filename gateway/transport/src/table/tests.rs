//! The tables without any transport: slots, generations, and readiness that is told once.

use super::{InboundTable, OutboundTable, tables};
use portcullis_pipeline::transport::ConnectionId;

type Pair = (
    InboundTable<&'static str, &'static str>,
    OutboundTable<&'static str>,
);

fn pair(connections_max: usize) -> Pair {
    tables(connections_max, 8)
}

fn open(pair: &mut Pair) -> ConnectionId {
    let connection = pair.0.next_free().expect("a slot is free");
    pair.0.open(connection, "read", "write");
    connection
}

fn outbound_forgets(pair: &mut Pair, connection: ConnectionId) {
    assert_eq!(pair.1.forget(connection), Some("write"));
    pair.1.tell(connection);
}

#[test]
fn a_slot_is_free_only_when_both_forgot_it() {
    let mut pair = pair(1);
    let first = open(&mut pair);
    assert_eq!(pair.0.forget(first), Some("read"));
    assert_eq!(pair.0.next_free(), None);
    outbound_forgets(&mut pair, first);
    assert_eq!(pair.0.take_forgotten(), Some(None));
    assert_eq!(pair.0.take_forgotten(), None);

    let second = open(&mut pair);
    assert_eq!(second.slot(), first.slot());
    assert_ne!(second.generation(), first.generation());
    outbound_forgets(&mut pair, second);
    assert_eq!(pair.0.take_forgotten(), Some(Some("read")));
    assert_eq!(pair.0.next_free(), None);
    assert_eq!(pair.0.forget(second), None);
    assert!(pair.0.next_free().is_some());
}

#[test]
fn a_stale_id_finds_nothing_and_frees_nothing() {
    let mut pair = pair(1);
    let stale = open(&mut pair);
    pair.0.forget(stale);
    outbound_forgets(&mut pair, stale);
    pair.0.take_forgotten();
    let current = open(&mut pair);
    for wrong in [
        stale,
        ConnectionId::new(0, 0),
        ConnectionId::new(1, 1),
        ConnectionId::new(u16::MAX, 1),
    ] {
        assert_eq!(pair.0.stream(wrong), None);
        assert_eq!(pair.0.end(wrong), None);
        assert_eq!(pair.0.forget(wrong), None);
        assert_eq!(pair.1.stream(wrong), None);
        assert_eq!(pair.1.forget(wrong), None);
    }
    assert_eq!(pair.0.stream(current), Some(&mut "read"));
    assert_eq!(pair.1.stream(current), Some(&mut "write"));
}

#[test]
fn forgetting_twice_frees_a_slot_once() {
    let mut pair = pair(2);
    let first = open(&mut pair);
    pair.0.forget(first);
    pair.0.forget(first);
    outbound_forgets(&mut pair, first);
    assert_eq!(pair.1.forget(first), None);
    pair.0.take_forgotten();
    pair.0.forget(first);
    open(&mut pair);
    open(&mut pair);
    assert_eq!(pair.0.next_free(), None);
}

#[test]
fn generations_come_round_without_the_zeroed_word() {
    let mut pair = pair(1);
    for use_number in 0..70_000_u32 {
        let connection = open(&mut pair);
        let expected = use_number % u32::from(u16::MAX) + 1;
        assert_eq!(u32::from(connection.generation()), expected);
        pair.0.forget(connection);
        outbound_forgets(&mut pair, connection);
        pair.0.take_forgotten();
    }
}

#[test]
fn silent_connections_cool_and_a_crowd_shares_its_patience() {
    let reads_until_cool = |connections: usize| {
        let mut pair = pair(connections);
        for _ in 0..connections {
            open(&mut pair);
        }
        let mut reads = 0;
        while pair.0.hot_len() > 0 {
            let connection = pair.0.next_hot().expect("all are open");
            pair.0.found_nothing(connection);
            pair.0.settle(connection, true, false);
            reads += 1;
        }
        reads
    };
    assert_eq!(reads_until_cool(1), 8);
    // Each alone would take 8 reads.
    assert!(reads_until_cool(64) < 3 * 64);
}

#[test]
fn in_a_crowd_one_read_that_finds_nothing_is_enough() {
    let mut pair = pair(1);
    let connection = open(&mut pair);
    for _ in 0..3 {
        assert_eq!(pair.0.next_hot(), Some(connection));
        pair.0.found_bytes(connection);
        pair.0.settle(connection, true, true);
    }
    assert_eq!(pair.0.next_hot(), Some(connection));
    pair.0.found_nothing(connection);
    pair.0.settle(connection, true, true);
    assert_eq!(pair.0.hot_len(), 0);
}

#[test]
fn a_sign_of_bytes_renews_the_patience_until_somebody_reads() {
    let mut pair = pair(1);
    let connection = open(&mut pair);
    while let Some(hot) = pair.0.next_hot() {
        pair.0.found_nothing(hot);
        pair.0.settle(hot, true, false);
    }
    pair.0.wake(connection.slot());
    for _ in 0..100 {
        assert_eq!(pair.0.next_hot(), Some(connection));
        pair.0.settle(connection, true, false);
    }
}

/// Bytes that a system holds for a connection, and whether it has a change to tell.
#[derive(Clone, Copy, Default)]
struct EdgeTriggered {
    bytes: usize,
    changed: bool,
}

/// A reader that takes part of the bytes, sometimes none, and says the truth about it, misses no
/// byte although each change is told once and at any time.
#[test]
fn readiness_told_once_is_never_lost() {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    for _ in 0..2_000 {
        let mut pair = tables::<&str, &str>(4, 1 + next(9) as u32);
        let mut system = [EdgeTriggered::default(); 4];
        (0..4).for_each(|_| {
            let connection = pair.0.next_free().expect("free");
            pair.0.open(connection, "read", "write");
        });
        let mut quiet_rounds = 0;
        for round in 0.. {
            let arriving = round < 40;
            if arriving && next(2) == 0 {
                let sender = &mut system[next(4) as usize];
                *sender = EdgeTriggered {
                    bytes: sender.bytes + 1 + next(5) as usize,
                    changed: true,
                };
            }
            if pair.0.hot_len() == 0 || next(4) == 0 {
                for (slot, state) in system.iter_mut().enumerate() {
                    if std::mem::take(&mut state.changed) {
                        pair.0.wake(slot);
                    }
                }
            }
            let mut named = [false; 4];
            for _ in 0..pair.0.hot_len() {
                let connection = pair.0.next_hot().expect("all are open");
                let slot = connection.slot();
                assert!(!std::mem::replace(&mut named[slot], true), "named twice");
                let taken = read_some(&mut pair.0, connection, &mut system[slot], &mut next);
                pair.0.settle(connection, taken, next(2) == 0);
            }
            pair.0.rotate_hot();
            quiet_rounds = if arriving || pair.0.hot_len() > 0 {
                0
            } else {
                quiet_rounds + 1
            };
            if quiet_rounds == 3 {
                break;
            }
        }
        assert!(system.iter().all(|state| state.bytes == 0));
    }
}

fn read_some(
    table: &mut InboundTable<&str, &str>,
    connection: ConnectionId,
    state: &mut EdgeTriggered,
    next: &mut impl FnMut(u64) -> u64,
) -> bool {
    for _ in 0..next(3) {
        if state.bytes == 0 {
            table.found_nothing(connection);
            return true;
        }
        state.bytes -= state.bytes.min(1 + next(4) as usize);
        table.found_bytes(connection);
    }
    state.bytes == 0
}

//! The store against a plain queue that forgets by the same rule.

use super::*;
use crate::soupbin::encode;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::vec::Vec;

fn store(bytes: usize, slots: usize, first: u64) -> ResendStore<Vec<u8>, Vec<StoreSlot>> {
    ResendStore::new(
        std::vec![0; bytes],
        std::vec![StoreSlot::default(); slots],
        first,
    )
}

#[test]
fn numbers_run_from_the_first_and_messages_come_back() {
    let mut store = store(8_192, 4, 1);
    assert_eq!(store.get(0), Err(ResendError::Gone { oldest: 1 }));
    assert_eq!(store.get(1), Err(ResendError::NotYet { next: 1 }));
    for (number, message) in [(1, &b"one"[..]), (2, b""), (3, b"three")] {
        assert_eq!(store.append(message), Ok(number));
    }
    assert_eq!(store.get(1), Ok(&b"one"[..]));
    assert_eq!(store.get(2), Ok(&b""[..]));
    assert_eq!(store.get(3), Ok(&b"three"[..]));
    assert_eq!(store.get(4), Err(ResendError::NotYet { next: 4 }));
}

#[test]
fn slots_run_out_before_bytes() {
    let mut store = store(8_192, 2, 10);
    for message in [b"a", b"b", b"c"] {
        store.append(message).expect("short");
    }
    assert_eq!((store.oldest(), store.next_sequence()), (11, 13));
    assert_eq!(store.get(10), Err(ResendError::Gone { oldest: 11 }));
    assert_eq!(store.get(11), Ok(&b"b"[..]));
}

#[test]
fn a_message_longer_than_a_packet_uses_no_number() {
    let mut store = store(PACKET_BYTES_MAX, 2, 1);
    store.append(b"kept").expect("short");
    let long = std::vec![1; PAYLOAD_BYTES_MAX + 1];
    assert_eq!(
        store.append(&long),
        Err(MessageTooLong {
            len: 4_094,
            capacity: 4_093
        })
    );
    assert_eq!(store.next_sequence(), 2);
    assert_eq!(store.get(1), Ok(&b"kept"[..]));
    assert_eq!(store.append(&long[1..]), Ok(2));
    assert_eq!(store.get(1), Err(ResendError::Gone { oldest: 2 }));
}

/// Takes all packets from a number on, as many at a time as `room` holds, and returns them with how often it took
/// some. What is taken at a time is all that the room holds, or ends where the ring of bytes does.
fn drained(store: &ResendStore<Vec<u8>, Vec<StoreSlot>>, from: u64, room: usize) -> (Vec<u8>, u32) {
    let (mut next, mut all, mut takes) = (from, Vec::new(), 0);
    loop {
        let (count, packets) = store.packets(next, room);
        assert!(packets.len() <= room);
        if count == 0 {
            assert!(packets.is_empty());
            return (all, takes);
        }
        all.extend_from_slice(packets);
        next += count;
        takes += 1;
    }
}

proptest! {
    #[test]
    fn packets_come_in_order_and_whole(
        slots in 1_usize..12,
        room in 0_usize..9_000,
        lens in proptest::collection::vec(prop_oneof![0_usize..40, 0_usize..1_500, 3_000_usize..4_094], 1..100),
    ) {
        let mut store = store(9_000, slots, 1);
        let mut packets: Vec<Vec<u8>> = Vec::new();
        for (at, len) in lens.into_iter().enumerate() {
            let message = std::vec![at as u8; len];
            store.append(&message).expect("shorter than the store");
            let mut packet = std::vec![0; len + 3];
            encode::sequenced(&message, &mut packet).expect("it fits");
            packets.push(packet);
            let next = store.next_sequence();
            prop_assert_eq!(store.packets(next, room), (0, &[][..]));
            prop_assert_eq!(store.packets(store.oldest() - 1, room), (0, &[][..]));
            for number in store.oldest()..next {
                // As far as each fits the room by itself.
                let fit = packets[number as usize - 1..].iter().take_while(|packet| packet.len() <= room);
                let wanted: Vec<u8> = fit.flatten().copied().collect();
                prop_assert_eq!(&drained(&store, number, room).0, &wanted);
                let all: Vec<u8> = packets[number as usize - 1..].iter().flatten().copied().collect();
                let (drained, takes) = drained(&store, number, 9_000);
                prop_assert_eq!(&drained, &all);
                prop_assert!((1..=2).contains(&takes), "two stretches at the most, not {}", takes);
            }
        }
    }

    #[test]
    fn what_is_left_is_what_was_put_in(
        slots in 1_usize..12,
        lens in proptest::collection::vec(prop_oneof![0_usize..40, 0_usize..1_500, 3_000_usize..4_094], 1..200),
    ) {
        let mut store = store(5_000, slots, 1);
        let mut model: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
        for (at, len) in lens.into_iter().enumerate() {
            let message = std::vec![at as u8; len];
            let number = store.append(&message).expect("shorter than the store");
            prop_assert_eq!(number, at as u64 + 1);
            model.push_back((number, message));
            while model.front().is_some_and(|(number, _)| *number < store.oldest()) {
                model.pop_front();
            }
            // Not one too many is kept, and never none of what was just stored.
            prop_assert!(!model.is_empty() && model.len() <= slots);
            prop_assert_eq!(store.next_sequence() - store.oldest(), model.len() as u64);
            for (number, message) in &model {
                prop_assert_eq!(store.get(*number), Ok(&message[..]));
            }
        }
    }

    #[test]
    fn nothing_is_dropped_while_half_the_bytes_are_free(
        lens in proptest::collection::vec(0_usize..400, 1..300),
    ) {
        // A message that does not fit at the end goes to the front, which wastes less than the
        // longest message; beyond that the store keeps as much as it can.
        let mut store = store(5_000, 1_000, 1);
        let mut all: Vec<usize> = Vec::new();
        for len in lens {
            store.append(&std::vec![7; len]).expect("short");
            all.push(packet_len(len));
            let kept: usize = all[store.oldest() as usize - 1..].iter().sum();
            let total: usize = all.iter().sum();
            prop_assert!(kept == total || kept > 5_000 - 3 * packet_len(400));
        }
    }
}

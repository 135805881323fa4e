//! The ring of messages on one thread, and between two that yield: lengths, room, publication, and that
//! an emptied ring stays at its beginning. Belongs to the tests.

use super::*;

/// A lead of more than one unit, so that a message has two at the least.
#[derive(Debug, PartialEq, Eq)]
struct Wide {
    number: u64,
    len: usize,
    filling: [u64; 8],
}

impl Lead for Wide {
    fn bytes_behind(&self) -> usize {
        self.len
    }
}

fn wide(number: u64) -> (Wide, Vec<u8>) {
    let len = (number as usize * 37) % (RAW_BYTES_MAX + 1);
    let lead = Wide {
        number,
        len,
        filling: [number; 8],
    };
    (lead, vec![number as u8; len])
}

fn send(ring: &mut MessageProducer<Wide>, number: u64) -> bool {
    let (lead, bytes) = wide(number);
    ring.send(lead, &bytes)
}

fn came(message: Option<(Wide, &[u8])>, number: u64) -> bool {
    let (lead, bytes) = wide(number);
    message == Some((lead, &bytes[..]))
}

/// A head that leads so many bytes.
fn head(number: u32, len: usize) -> Head {
    Head {
        number,
        raw_len: len as u16,
        ..Head::blank(1)
    }
}

#[test]
fn messages_move_from_ring_to_ring_in_whole_units() {
    for units in [5, 7, 64, 150] {
        let (mut first, mut between) = message_ring_of_units::<Head>(units);
        let (mut second, mut end) = message_ring_of_units::<Head>(units);
        let bytes_of = |number: u32| {
            let len = (number as usize * 37) % (RAW_BYTES_MAX + 1);
            (0..len)
                .map(|at| (at as u32 + number) as u8)
                .collect::<Vec<u8>>()
        };
        for number in 0..2_000 {
            let bytes = bytes_of(number);
            assert!(first.send(head(number, bytes.len()), &bytes));
            let left = between.take_units_where(|_, _| false);
            assert!(!left, "what is not wanted stays");
            let moved = between.take_units_where(|head, behind| second.write_units(*head, behind));
            assert!(moved && !between.take_units_where(|_, _| true));
            second.publish();
            let came = end.take();
            assert_eq!(
                came,
                Some((head(number, bytes.len()), &bytes[..])),
                "{units}"
            );
            end.release();
        }
    }
}

#[test]
fn a_stamped_head_has_another_number_and_time_and_is_the_same_in_all_else() {
    let (mut first, mut between) = message_ring_of_units::<Head>(8);
    let (mut second, mut end) = message_ring_of_units::<Head>(8);
    for len in [0, 20, 64, 150] {
        let bytes = vec![len as u8; len];
        let head = Head {
            seq: u64::MAX,
            timestamp_ns: u64::MAX,
            price: -7,
            word: u64::MAX,
            ..head(5, len)
        };
        let (seq, timestamp_ns) = (1 << 63 | 3, u64::MAX - 1);
        assert!(first.send(head, &bytes));
        let stamp = (seq, timestamp_ns);
        assert!(between.take_units_where(|head, raw| second.write_stamped(head, stamp, raw)));
        between.release();
        second.publish();
        let stamped = Head {
            seq,
            timestamp_ns,
            ..head
        };
        assert_eq!(end.take(), Some((stamped, &bytes[..])));
        end.release();
    }
    while second.write_stamped(&head(1, 0), (1, 1), &[]) {}
    assert_eq!(second.room(), 0, "a full ring says so");
}

#[test]
#[should_panic(expected = "a lead says its length")]
fn a_head_that_says_other_units_is_not_stamped() {
    let (mut producer, _consumer) = message_ring_of_units::<Head>(8);
    let _ = producer.write_stamped(&head(1, 64), (1, 1), &[Unit::ZERO; 2]);
}

#[test]
#[should_panic(expected = "a lead says its length")]
fn a_lead_that_says_other_units_is_not_written() {
    let (mut producer, _consumer) = message_ring_of_units::<Head>(8);
    let _ = producer.write_units(head(1, 64), &[Unit::ZERO; 2]);
}

#[test]
fn messages_of_all_lengths_come_out_as_they_went_in() {
    for units in [5, 7, 64, 150, 1_000] {
        let (mut producer, mut consumer) = message_ring_of_units::<Wide>(units);
        let (mut next, mut sent) = (0, 0);
        while sent < 20_000 {
            if send(&mut producer, sent) {
                sent += 1;
            } else {
                assert!(came(consumer.take(), next), "{next} of a ring of {units}");
                next += 1;
                consumer.release();
            }
        }
        while next < sent {
            assert!(came(consumer.take(), next), "{next} of a ring of {units}");
            next += 1;
        }
        assert!(consumer.take().is_none() && consumer.is_empty());
        assert_eq!(producer.taken(), producer.pushed());
    }
}

#[test]
fn a_ring_that_is_emptied_stays_at_its_beginning() {
    let (mut producer, mut consumer) = message_ring_of_units::<Wide>(10_000);
    let mut places = std::collections::BTreeSet::new();
    for number in 0..10_000 {
        assert!(send(&mut producer, number));
        let (lead, _) = consumer.front().expect("one was sent");
        places.insert(std::ptr::from_ref(lead).addr());
        assert!(came(consumer.take(), number));
        assert!(consumer.take().is_none());
    }
    let (first, last) = (places.first(), places.last());
    let span = first.zip(last).map(|(first, last)| last - first);
    let most = (RESTART_UNITS + units_max::<Wide>()) * UNIT_BYTES;
    assert!(span.is_some_and(|span| span < most), "{span:?}");
}

#[test]
fn what_is_written_is_seen_from_its_publication_on() {
    let (mut producer, mut consumer) = message_ring::<Wide>(4);
    let (lead, bytes) = wide(1);
    assert!(producer.write(lead, &bytes));
    assert!(consumer.is_empty() && consumer.front().is_none());
    let (lead, bytes) = wide(2);
    assert!(producer.write(lead, &bytes));
    producer.publish();
    assert!(!consumer.is_empty());
    assert!(came(consumer.take(), 1) && came(consumer.take(), 2));
}

#[test]
fn room_comes_back_with_a_release_and_not_before() {
    let (mut producer, mut consumer) = message_ring::<Wide>(2);
    assert_eq!((producer.room(), producer.capacity()), (2, 10));
    let full = || {
        let (lead, bytes) = (
            Wide {
                number: 0,
                len: RAW_BYTES_MAX,
                filling: [0; 8],
            },
            [9; RAW_BYTES_MAX],
        );
        (lead, bytes)
    };
    for _ in 0..2 {
        let (lead, bytes) = full();
        assert!(producer.send(lead, &bytes));
    }
    assert!(producer.is_half_full() && !producer.has_room_for(1));
    assert_eq!(
        consumer.take().map(|(_, bytes)| bytes.len()),
        Some(RAW_BYTES_MAX)
    );
    assert!(!producer.has_room_for(1), "not released");
    consumer.release();
    assert!(producer.has_room_for(1) && !producer.is_half_full());
    consumer.advance();
    assert!(consumer.front().is_none(), "nothing more: all is released");
    assert_eq!(producer.room(), 2);
}

#[test]
#[should_panic(expected = "a lead says its length")]
fn a_lead_that_says_another_length_is_refused() {
    let (mut producer, _consumer) = message_ring::<Wide>(1);
    let (lead, _) = wide(1);
    let _ = producer.send(lead, &[]);
}

#[test]
fn two_threads_pass_every_message() {
    const MESSAGES: u64 = 50_000;
    for units in [10, 64, 300] {
        let (mut producer, mut consumer) = message_ring_of_units::<Wide>(units);
        let sender = std::thread::spawn(move || {
            for number in 0..MESSAGES {
                let (lead, bytes) = wide(number);
                while !producer.has_room_for(1) {
                    producer.publish();
                    std::thread::yield_now();
                }
                assert!(producer.write(lead, &bytes), "there is room");
                if number % 3 == 0 {
                    producer.publish();
                }
            }
            producer.publish();
        });
        for number in 0..MESSAGES {
            while consumer.front().is_none() {
                std::thread::yield_now();
            }
            assert!(came(consumer.take(), number), "{number}");
            if number % 5 == 0 {
                consumer.release();
            }
        }
        sender.join().expect("the sender ends");
    }
}

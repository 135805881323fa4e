//! Bounded rings between agents: of records, and of values of one type.
//!
//! Each end belongs to one thread; nothing here blocks. A record is its head and the raw message
//! behind it, in the ring of messages; a ring of values is `rtrb`'s.

use crate::message_ring::{Lead, MessageConsumer, MessageProducer, message_ring_of_units};
use portcullis_domain::{Head, Record};

/// The end that puts records in.
pub type RecordProducer = MessageProducer<Head>;

/// The end that takes records out.
pub type RecordConsumer = MessageConsumer<Head>;

/// A ring of records with room for `units` 64-byte units.
///
/// # Panics
/// If that is less than the longest record.
#[must_use]
pub fn record_ring(units: usize) -> (RecordProducer, RecordConsumer) {
    message_ring_of_units(units)
}

impl RecordProducer {
    /// Puts a record in and publishes it; `false`, and nothing put, where it has no room.
    #[inline(always)]
    #[must_use]
    pub fn push(&mut self, record: &Record) -> bool {
        self.send(record.head, record.raw())
    }
}

impl RecordConsumer {
    /// Takes the next record out, and gives its room back.
    #[must_use]
    pub fn pop(&mut self) -> Option<Record> {
        let (head, raw) = self.front()?;
        let record = Record::new(*head, raw).expect("a record is no longer than it may be");
        self.advance_past(record.head.bytes_behind());
        self.release();
        Some(record)
    }

    /// The head of the next record.
    #[inline]
    #[must_use]
    pub fn peek(&mut self) -> Option<Head> {
        let (head, _) = self.front()?;
        Some(*head)
    }

    /// Takes the next record out, into a record there is already; `false` where there is none. Its
    /// room is given back with the next release, or where no more is in sight.
    #[inline]
    #[must_use]
    pub fn pop_into(&mut self, record: &mut Record) -> bool {
        self.pop_into_if(record, |_| true)
    }

    /// The same, if the next record's head `fits`.
    #[inline]
    #[must_use]
    pub fn pop_into_if(&mut self, record: &mut Record, fits: impl FnOnce(&Head) -> bool) -> bool {
        self.take_units_where(|head, raw| {
            let fits = fits(head);
            if fits {
                record.become_units(head, raw);
            }
            fits
        })
    }
}

/// The end that puts values in.
pub type RingProducer<T> = rtrb::Producer<T>;

/// The end that takes values out.
pub type RingConsumer<T> = rtrb::Consumer<T>;

/// A ring of `capacity` values of one type.
#[must_use]
pub fn ring<T>(capacity: usize) -> (RingProducer<T>, RingConsumer<T>) {
    rtrb::RingBuffer::new(capacity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u32, raw_len: usize) -> Record {
        let mut head = Head::blank(1);
        head.number = number;
        Record::new(head, &vec![number as u8; raw_len]).expect("fits")
    }

    #[test]
    fn records_of_all_lengths_come_out_as_they_went_in() {
        let (mut producer, mut consumer) = record_ring(7);
        let mut next = 0;
        for number in 0..10_000_u32 {
            let sent = record(number, (number as usize * 37) % 193);
            while !producer.push(&sent) {
                assert_eq!(
                    consumer.pop(),
                    Some(record(next, (next as usize * 37) % 193))
                );
                next += 1;
            }
        }
        let mut taken = record(0, 192);
        while let Some(head) = consumer.peek() {
            assert!(consumer.pop_into(&mut taken), "its head was there");
            assert_eq!(taken.head, head);
            let sent = record(next, (next as usize * 37) % 193);
            assert_eq!((taken.head, taken.raw()), (sent.head, sent.raw()));
            next += 1;
        }
        while let Some(taken) = consumer.pop() {
            assert_eq!(taken, record(next, (next as usize * 37) % 193));
            next += 1;
        }
        assert_eq!(next, 10_000);
        assert_eq!(
            producer.pushed(),
            producer.taken(),
            "an empty ring has released all"
        );
    }

    #[test]
    fn a_full_ring_says_so_and_loses_nothing() {
        let (mut producer, mut consumer) = record_ring(4);
        assert!(producer.push(&record(1, 64)));
        assert!(!producer.push(&record(2, 192)));
        assert!(producer.push(&record(3, 0)));
        assert_eq!(consumer.pop(), Some(record(1, 64)));
        assert_eq!(consumer.pop(), Some(record(3, 0)));
        assert_eq!(consumer.pop(), None);
    }

    #[test]
    fn two_threads_pass_every_record() {
        let (mut producer, mut consumer) = record_ring(64);
        let sender = std::thread::spawn(move || {
            for number in 0..20_000 {
                while !producer.push(&record(number, number as usize % 100)) {
                    std::thread::yield_now();
                }
            }
        });
        for number in 0..20_000 {
            let taken = loop {
                if let Some(taken) = consumer.pop() {
                    break taken;
                }
                std::thread::yield_now();
            };
            assert_eq!(taken, record(number, number as usize % 100));
        }
        sender.join().expect("the sender ends");
    }
}

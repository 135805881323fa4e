//! Bounded rings between agents: one producer, one consumer, never blocking.
//!
//! Each end belongs to one thread. A record takes as many 64-byte units as it has and is published
//! whole, by one store, or not at all. Invariants: nothing is lost once it was taken; a full ring is
//! an answer, not a wait. The ring itself is `rtrb`'s; this is the record on top of it.

use portcullis_domain::{Head, Record, Unit};

/// Units of the longest record.
const RECORD_UNITS_MAX: usize = portcullis_domain::RECORD_BYTES_MAX / portcullis_domain::UNIT_BYTES;

/// The end that puts records in.
#[derive(Debug)]
pub struct RecordProducer {
    ring: rtrb::Producer<Unit>,
    capacity: usize,
    pushed: u64,
}

/// The end that takes records out.
#[derive(Debug)]
pub struct RecordConsumer(rtrb::Consumer<Unit>);

/// A ring of records with room for `units` 64-byte units.
///
/// # Panics
/// If that is less than the longest record.
#[must_use]
pub fn record_ring(units: usize) -> (RecordProducer, RecordConsumer) {
    assert!(
        units >= RECORD_UNITS_MAX,
        "a ring must hold the longest record"
    );
    let (producer, consumer) = rtrb::RingBuffer::new(units);
    let producer = RecordProducer {
        ring: producer,
        capacity: units,
        pushed: 0,
    };
    (producer, RecordConsumer(consumer))
}

impl RecordProducer {
    /// Whether `records` of the longest kind have room.
    #[must_use]
    pub fn has_room_for(&self, records: usize) -> bool {
        self.ring.slots() >= records * RECORD_UNITS_MAX
    }

    /// Units it holds when it is full.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Records of the longest kind that have room.
    #[must_use]
    pub fn room(&self) -> usize {
        self.ring.slots() / RECORD_UNITS_MAX
    }

    /// Puts a record in; `false`, and nothing put, where it has no room.
    #[must_use]
    pub fn push(&mut self, record: &Record) -> bool {
        let units = record.head.units();
        let Ok(chunk) = self.ring.write_chunk_uninit(units) else {
            return false;
        };
        let mut index = 0;
        let written = chunk.fill_from_iter(core::iter::from_fn(|| {
            let unit = record.unit(index);
            index += 1;
            Some(unit)
        }));
        assert_eq!(written, units, "a record is published whole");
        self.pushed += units as u64;
        true
    }

    /// Units put in so far.
    #[must_use]
    pub const fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Units that the consumer has taken out so far, at least.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.pushed - (self.capacity - self.ring.slots()) as u64
    }
}

impl RecordConsumer {
    /// Takes the next record out.
    ///
    /// # Panics
    /// If the ring holds a torn record, which the producer's single publication makes impossible.
    #[must_use]
    pub fn pop(&mut self) -> Option<Record> {
        let head = Head::from_unit(*self.ring().peek().ok()?);
        let units = head.units();
        let chunk = self
            .0
            .read_chunk(units)
            .expect("a record is published whole");
        let (first, second) = chunk.as_slices();
        let mut all = [Unit::ZERO; RECORD_UNITS_MAX];
        let together = first.iter().chain(second);
        all.iter_mut()
            .zip(together)
            .for_each(|(slot, unit)| *slot = *unit);
        let record = Record::read_units(&all[..units]).expect("what was pushed reads back");
        chunk.commit_all();
        Some(record)
    }

    /// The head of the next record.
    #[must_use]
    pub fn peek(&self) -> Option<Head> {
        Some(Head::from_unit(*self.ring().peek().ok()?))
    }

    /// Takes the next record out, into a record there is already. `false` where there is none.
    ///
    /// # Panics
    /// As [`RecordConsumer::pop`].
    #[must_use]
    pub fn pop_into(&mut self, record: &mut Record) -> bool {
        let Some(head) = self.peek() else {
            return false;
        };
        let chunk = self
            .0
            .read_chunk(head.units())
            .expect("a record is published whole");
        let (first, second) = chunk.as_slices();
        record.become_units(first.iter().chain(second));
        chunk.commit_all();
        true
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    const fn ring(&self) -> &rtrb::Consumer<Unit> {
        &self.0
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
        assert_eq!(producer.pushed(), producer.taken());
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

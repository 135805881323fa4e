//! The two hops of an order without anybody between them: there as a record, back as an item for the venue.
//!
//! Used from a bench's measuring thread, time and again. Invariants: when a measurement is over the rings are empty;
//! ends of different threads share no line, or what they write to themselves crosses over with each word.

use crate::hop::{Effort, Items, ItemsOut, Records, RecordsOut, round_trip_ns};
use crate::wait::Wait;
use portcullis_runtime::{message_ring, record_ring};
use std::time::Duration;

/// Rings as long as those of a pipeline.
#[derive(Debug)]
pub struct TwoHops {
    there: (Apart<Records>, Apart<RecordsOut>),
    back: (Apart<Items>, Apart<ItemsOut>),
}

/// On lines of its own, and on those that are fetched with them.
#[derive(Debug)]
#[repr(align(128))]
struct Apart<T>(T);

impl TwoHops {
    /// Rings of its own.
    #[must_use]
    pub fn new() -> Self {
        let (producer, consumer) = record_ring(8_192);
        let there = (
            Apart(Records::new(producer, 56)),
            Apart(RecordsOut::new(consumer)),
        );
        let (producer, consumer) = message_ring(12_288);
        let back = (
            Apart(Items::new(producer, 56)),
            Apart(ItemsOut::new(consumer)),
        );
        Self { there, back }
    }

    /// Nanoseconds of both hops: the median of batches.
    ///
    /// # Errors
    /// As [`round_trip_ns`].
    pub fn ns(&mut self, batches: usize, wait: Wait) -> Result<u64, String> {
        let effort = Effort {
            trips: 200,
            batches,
            within: Duration::from_millis(200),
            wait,
        };
        let there = (&mut self.there.0.0, &mut self.there.1.0);
        let back = (&mut self.back.0.0, &mut self.back.1.0);
        round_trip_ns(effort, there, back)
    }
}

impl Default for TwoHops {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_empty_for_the_next_time() {
        let mut hops = TwoHops::new();
        for _ in 0..3 {
            assert!(hops.ns(2, Wait::Yield).is_ok_and(|ns| ns > 0));
        }
    }
}

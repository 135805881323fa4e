//! The measured calls, each a function of its own, so that instructions can be counted in it alone.
//!
//! One thread. Invariant: nothing here but the call and what hides its argument from the compiler.

use crate::floor::Fetch;
use crate::market::Market;
use portcullis_domain::Record;
use portcullis_runtime::{RecordConsumer, RecordProducer};
use std::hint::black_box;

/// Orders that are applied together.
pub const BATCH: usize = 64;

/// Applies records as the pipeline does, their lines fetched ahead.
#[inline(never)]
pub fn apply_all(market: &mut Market, records: &[Record]) {
    let Market { core, tally, .. } = market;
    core.apply_batch(black_box(records), &mut Fetch, tally);
}

/// Takes what a ring has, as far as `batch` has room for it, as the risk agent does; returns how many.
#[inline(never)]
pub fn pop_all(ring: &mut RecordConsumer, batch: &mut [Record]) -> usize {
    let mut taken = 0;
    for slot in batch {
        if !ring.pop_into(slot) {
            break;
        }
        taken += 1;
    }
    ring.release();
    taken
}

/// Puts records into a ring.
///
/// # Panics
/// If it has no room for them.
#[inline(never)]
pub fn push_all(ring: &mut RecordProducer, batch: &[Record]) {
    for record in black_box(batch) {
        assert!(ring.push(record), "the ring was made for a batch");
    }
}

/// Puts one record into a ring and takes it out again.
///
/// # Panics
/// If it does not come out.
#[inline(never)]
pub fn hop(producer: &mut RecordProducer, consumer: &mut RecordConsumer, record: &Record) -> u32 {
    assert!(
        producer.push(black_box(record)),
        "the ring was made for one"
    );
    let taken = consumer.pop().expect("what was pushed comes out");
    black_box(&taken).head.number
}

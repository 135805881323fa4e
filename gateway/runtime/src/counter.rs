//! A number that one thread writes and any other may read.
//!
//! The writer belongs to the thread that counts. Invariant: one writer each, so that it stores what
//! it counted and reads nothing back; who reads a number finds what its writer recorded before.

use crossbeam_utils::CachePadded;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The end that writes.
#[derive(Debug, Default)]
pub struct CounterWriter(Arc<CachePadded<AtomicU64>>);

/// An end that reads.
#[derive(Clone, Debug)]
pub struct CounterReader(Arc<CachePadded<AtomicU64>>);

impl CounterWriter {
    /// Says the number.
    pub fn set(&mut self, number: u64) {
        self.0.store(number, Ordering::Release);
    }

    /// An end that reads, for another thread.
    #[must_use]
    pub fn reader(&self) -> CounterReader {
        CounterReader(Arc::clone(&self.0))
    }
}

impl CounterReader {
    /// The number last said.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

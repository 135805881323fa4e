//! The floor: the same orders, the same lines fetched the same way, and nothing decided.
//!
//! One thread, over the core that the orders are then applied to. What the core names as an order's
//! lines is fetched at the same distances and then read, one word a line. Invariants: the core is
//! not changed; each order's lines are read in full, and their sum is kept, so that no reading can be
//! left out.

use bytemuck::Pod;
use portcullis_domain::Record;
use portcullis_risk_core::{LineSink, RiskCore, STAGES};
use portcullis_runtime::prefetch;

/// Fetches lines ahead.
pub struct Fetch;

impl LineSink for Fetch {
    #[inline(always)]
    fn line<W: Pod>(&mut self, word: &W) {
        prefetch(word);
    }
}

/// Reads lines.
#[derive(Default)]
struct Read {
    lines: u64,
    sum: u64,
}

impl LineSink for Read {
    #[inline(always)]
    fn line<W: Pod>(&mut self, word: &W) {
        self.sum = self
            .sum
            .wrapping_add(u64::from(bytemuck::bytes_of(word)[0]));
        self.lines += 1;
    }

    #[inline(always)]
    fn warm<W: Pod>(&mut self, word: &W) {
        self.line(word);
    }
}

/// Walks a batch as the core would, and decides nothing. Returns the lines read.
#[inline(never)]
pub fn walk(core: &RiskCore, records: &[Record]) -> u64 {
    let mut read = Read::default();
    for (stage, distance) in STAGES {
        for (ahead, record) in records.iter().take(distance).enumerate() {
            core.approach(&record.head, stage, ahead, &mut Fetch);
        }
    }
    for (at, record) in records.iter().enumerate() {
        for (stage, distance) in STAGES {
            if let Some(next) = records.get(at + distance) {
                core.approach(&next.head, stage, at + distance, &mut Fetch);
            }
        }
        for (stage, _) in STAGES {
            core.approach(&record.head, stage, at, &mut read);
        }
    }
    std::hint::black_box(read.sum);
    read.lines
}

//! Cells of one kind of market: kernel and floor side by side, in batches and alone.
//!
//! One thread. Invariants: between two readings of the clock stand the measured calls and nothing
//! else; kernel and floor take turns, batch by batch, each over a batch that the other has not seen;
//! a cell whose final state is not what was sent has no figures.

use crate::load::Load;
use portcullis_bench_harness::{Latency, Lines, Rounds};
use portcullis_bench_kernel::floor;
use portcullis_bench_kernel::measured::{BATCH, apply_all, pop_all, push_all};
use portcullis_domain::{Command, Record};
use portcullis_runtime::record_ring;
use std::hint::black_box;
use std::time::Instant;

/// Units of the ring that a batch waits in.
const RING_UNITS: usize = 1_024;

/// Calls of one order each, by what became of the order.
#[derive(Default)]
pub(crate) struct Singles {
    pub(crate) accepted: Latency,
    pub(crate) refused: Latency,
}

impl Singles {
    /// Both together.
    pub(crate) fn all(&self) -> Latency {
        let mut all = self.accepted.clone();
        all.add(&self.refused);
        all
    }

    fn record(&mut self, refused: bool, ns: u64) {
        if refused {
            self.refused.record(ns);
        } else {
            self.accepted.record(ns);
        }
    }
}

/// A cell: its name, and what was measured.
pub(crate) struct Cell {
    /// Its name in figures.
    pub(crate) name: String,
    /// Mean of an order in batches, picoseconds, a round each: of the kernel and of the floor.
    pub(crate) kernel_ps: Rounds,
    pub(crate) floor_ps: Rounds,
    /// Single calls, a round each, and the floor's.
    pub(crate) single: Vec<Singles>,
    pub(crate) floor_single: Vec<Singles>,
    /// Decisions a second out of a ring.
    pub(crate) per_second: Rounds,
    /// Lines that the floor read, and the orders they were read for.
    pub(crate) lines: u64,
    walked: u64,
    /// Picoseconds of a line that the floor read, and of one that the canary read over as many bytes.
    pub(crate) line_ps: Rounds,
    pub(crate) independent_ps: Rounds,
    pub(crate) dependent_ps: Rounds,
    /// Bytes that the canary read over.
    pub(crate) canary_bytes: u64,
    /// Orders measured, and those of them for which the account was valued exactly, or proved.
    pub(crate) orders: u64,
    pub(crate) valued_exactly: u64,
    pub(crate) proved_by_bound: u64,
}

impl Cell {
    /// Nothing measured yet.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kernel_ps: Rounds::default(),
            floor_ps: Rounds::default(),
            single: Vec::new(),
            floor_single: Vec::new(),
            per_second: Rounds::default(),
            lines: 0,
            walked: 0,
            line_ps: Rounds::default(),
            independent_ps: Rounds::default(),
            dependent_ps: Rounds::default(),
            canary_bytes: 0,
            orders: 0,
            valued_exactly: 0,
            proved_by_bound: 0,
        }
    }

    /// Orders before the first that counts.
    pub(crate) fn warm_up(load: &mut dyn Load, orders: u64) {
        let mut records = blank();
        for _ in 0..orders / BATCH as u64 {
            load.prepare(&mut records);
            apply_all(load.market(), &records);
            load.settle(&records);
        }
    }

    /// One round: `orders` in batches and as many alone, of the kernel and of the floor each, and the
    /// canary beside them.
    pub(crate) fn round(&mut self, load: &mut dyn Load, canary: &mut Lines, orders: u64) {
        let before = load.market().core.counters().clone();
        let batches = orders.div_ceil(BATCH as u64);
        self.in_batches(load, batches);
        self.independent_ps.push(canary.independent_ps());
        self.dependent_ps.push(canary.dependent_ps());
        self.canary_bytes = canary.bytes();
        self.alone(load, batches);
        let after = load.market().core.counters();
        let decided = |of: &portcullis_risk_core::Counters| of.accepted + of.refused;
        self.orders += decided(after) - decided(&before);
        self.valued_exactly += after.valued_exactly - before.valued_exactly;
        self.proved_by_bound += after.proved_by_bound - before.proved_by_bound;
    }

    fn in_batches(&mut self, load: &mut dyn Load, batches: u64) {
        let (mut kernel_ns, mut floor_ns, mut lines) = (0, 0, 0);
        let mut records = blank();
        for _ in 0..batches {
            load.prepare(&mut records);
            let core = &load.market().core;
            let begun = Instant::now();
            lines += floor::walk(core, black_box(&records));
            floor_ns += ns(begun);
            apply_all(load.market(), &records);
            load.settle(&records);

            load.prepare(&mut records);
            let market = load.market();
            let begun = Instant::now();
            apply_all(market, &records);
            kernel_ns += ns(begun);
            load.settle(&records);
        }
        let orders = batches * BATCH as u64;
        self.kernel_ps.push(kernel_ns * 1_000 / orders);
        self.floor_ps.push(floor_ns * 1_000 / orders);
        self.line_ps.push(floor_ns * 1_000 / lines.max(1));
        self.lines += lines;
        self.walked += orders;
    }

    fn alone(&mut self, load: &mut dyn Load, batches: u64) {
        let (mut kernel, mut floor) = (Singles::default(), Singles::default());
        let mut records = blank();
        for _ in 0..batches {
            load.prepare(&mut records);
            let market = load.market();
            for record in records.chunks(1) {
                let begun = Instant::now();
                floor::walk(&market.core, black_box(record));
                let taken_ns = ns(begun);
                let refusals = market.tally.refused;
                apply_all(market, record);
                floor.record(market.tally.refused > refusals, taken_ns);
            }
            load.settle(&records);

            load.prepare(&mut records);
            let market = load.market();
            for record in records.chunks(1) {
                let refusals = market.tally.refused;
                let begun = Instant::now();
                apply_all(market, record);
                let taken_ns = ns(begun);
                kernel.record(market.tally.refused > refusals, taken_ns);
            }
            load.settle(&records);
        }
        self.single.push(kernel);
        self.floor_single.push(floor);
    }

    /// Decisions a second of a consumer that takes batches out of a ring; filling it is not timed.
    pub(crate) fn out_of_ring(&mut self, load: &mut dyn Load, orders: u64) {
        let (mut producer, mut consumer) = record_ring(RING_UNITS);
        let (mut records, mut taken) = (blank(), blank());
        let (mut spent_ns, mut decided) = (0, 0);
        for _ in 0..orders.div_ceil(BATCH as u64) {
            load.prepare(&mut records);
            push_all(&mut producer, &records);
            let market = load.market();
            let begun = Instant::now();
            let count = pop_all(&mut consumer, &mut taken);
            apply_all(market, &taken[..count]);
            spent_ns += ns(begun);
            decided += count as u64;
            load.settle(&records);
        }
        self.per_second
            .push(decided * 1_000_000_000 / spent_ns.max(1));
    }

    /// Kernel less floor, picoseconds, a round each; `None` where a round's kernel took less than its floor,
    /// which the machine did, not the kernel.
    pub(crate) fn above_floor_ps(&self) -> Option<Rounds> {
        let pairs = self.kernel_ps.values().iter().zip(self.floor_ps.values());
        pairs
            .map(|(kernel, floor)| kernel.checked_sub(*floor))
            .collect()
    }

    /// Orders valued exactly, in hundredths of a percent.
    pub(crate) fn exactly_permyriad(&self) -> u64 {
        self.valued_exactly * 10_000 / self.orders.max(1)
    }

    /// Lines that the floor read an order, in tenths.
    pub(crate) fn line_tenths(&self) -> u64 {
        self.lines * 10 / self.walked.max(1)
    }
}

pub(crate) fn blank() -> [Record; BATCH] {
    [Record::bare(Command::Tick.encode()); BATCH]
}

pub(crate) fn ns(begun: Instant) -> u64 {
    begun.elapsed().as_nanos() as u64
}

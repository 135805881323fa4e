//! Many seeds, on several threads.
//!
//! A run is one thread's; threads share nothing but the next seed and the sums. Invariant: the sums,
//! and the lowest seed that fails, do not depend on how many threads there are.

use crate::plan::Plan;
use crate::run::{Figures, run};
use crate::violation::{Rule, Violation};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds that a thread takes at a time.
const CHUNK: u64 = 16;

/// Which seeds.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first.
    pub first: u64,
    /// How many, one after the other.
    pub seeds: u64,
    /// Threads.
    pub threads: usize,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Seeds run.
    pub seeds: u64,
    /// Sums over all of them; of the digests too, so that two campaigns can be told apart.
    pub figures: Figures,
    /// Seeds that failed.
    pub violations: u64,
    /// By rule: how many seeds broke it, the lowest of them, and how it did.
    pub by_rule: BTreeMap<Rule, Broken>,
}

/// The seeds that broke a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// How many.
    pub seeds: u64,
    /// The lowest.
    pub first: u64,
    /// How that one did.
    pub violation: Violation,
}

impl Campaign {
    /// Runs it. `progress` is told now and then how many seeds are done, on whatever thread.
    #[must_use]
    pub fn run(&self, progress: &(impl Fn(u64, u64) + Sync)) -> Findings {
        let next = AtomicU64::new(0);
        let findings = Mutex::new(Findings::default());
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| self.work(&next, &findings, progress));
            }
        });
        findings.into_inner().expect("runs catch their own panics")
    }

    fn work(&self, next: &AtomicU64, findings: &Mutex<Findings>, progress: &impl Fn(u64, u64)) {
        loop {
            let from = next.fetch_add(CHUNK, Ordering::Relaxed);
            if from >= self.seeds {
                return;
            }
            let mut own = Findings::default();
            for offset in from..(from + CHUNK).min(self.seeds) {
                own.take(self.first + offset);
            }
            let mut all = findings.lock().expect("runs catch their own panics");
            all.add(own);
            progress(all.seeds, all.violations);
        }
    }
}

impl Findings {
    fn take(&mut self, seed: u64) {
        let run = run(&Plan::of(seed));
        self.seeds += 1;
        self.figures.add(&run.figures);
        if let Some(violation) = run.violation {
            self.violations += 1;
            self.note(Broken {
                seeds: 1,
                first: seed,
                violation,
            });
        }
    }

    fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.figures.add(&other.figures);
        self.violations += other.violations;
        for broken in other.by_rule.into_values() {
            self.note(broken);
        }
    }

    fn note(&mut self, broken: Broken) {
        let rule = broken.violation.rule;
        let Some(known) = self.by_rule.get_mut(&rule) else {
            self.by_rule.insert(rule, broken);
            return;
        };
        known.seeds += broken.seeds;
        if broken.first < known.first {
            (known.first, known.violation) = (broken.first, broken.violation);
        }
    }

    /// The lowest seed that broke anything.
    #[must_use]
    pub fn first(&self) -> Option<&Broken> {
        self.by_rule.values().min_by_key(|broken| broken.first)
    }
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.records += other.records;
        self.orders += other.orders;
        self.accepted += other.accepted;
        self.told += other.told;
        self.lines_lost += other.lines_lost;
        self.misdeeds += other.misdeeds;
        self.crashes += other.crashes;
        self.cuts += other.cuts;
        self.snapshots += other.snapshots;
        self.from_snapshot += other.from_snapshot;
        self.resent += other.resent;
        self.digest = self.digest.wrapping_add(other.digest);
    }
}

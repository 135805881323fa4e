//! The line in which a running gateway sums up what it did since the last one.
//!
//! Control thread only. It reads what the agents tell of themselves, takes no lock and asks no agent,
//! so that a line comes also when one of them stands still. Invariant: each line is about its own
//! interval; counts are differences of two readings of the same counter.

use crate::gateway::Readers;
use portcullis_runtime::{Counts, DutyReader, HistogramReader};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// The stages of an order's way, in its order.
const STAGES: [&str; 7] = [
    "decode", "queue", "check", "journal", "gate", "engine", "send",
];

/// What was read for the last line.
pub(crate) struct Summary {
    every: Duration,
    last: Instant,
    stages: [Counts; STAGES.len()],
    messages: u64,
    accepted: u64,
    refused: u64,
    busy_ns: Vec<u64>,
}

impl Summary {
    /// A summary whose first interval begins now.
    pub(crate) fn new(every: Duration) -> Self {
        Self {
            every,
            last: Instant::now(),
            stages: Default::default(),
            messages: 0,
            accepted: 0,
            refused: 0,
            busy_ns: Vec::new(),
        }
    }

    /// The line, if it is time for one.
    pub(crate) fn when_due(&mut self, readers: &mut Readers) -> Option<String> {
        let passed = self.last.elapsed();
        if passed < self.every {
            return None;
        }
        self.last += passed;
        Some(self.line(readers, passed))
    }

    fn line(&mut self, readers: &mut Readers, passed: Duration) -> String {
        let messages = step(&mut self.messages, readers.ingress.messages.get());
        let accepted = step(&mut self.accepted, readers.risk.accepted.get());
        let refused = step(&mut self.refused, readers.risk.refused.get());
        let passed_ns = u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX).max(1);
        let per_second = u128::from(messages) * 1_000_000_000 / u128::from(passed_ns);
        let mut line = format!(
            "summary: in {per_second}/s ({messages}), accepted {accepted}, refused {refused}, \
             sessions {}; us p50/p99/p99.9/max:",
            readers.ingress.sessions.get()
        );
        for (at, histogram) in histograms(readers).into_iter().enumerate() {
            let now = histogram.counts();
            let interval = now.since(&self.stages[at]);
            self.stages[at] = now;
            // A text takes whatever is written to it.
            let _ = write!(line, " {} {},", STAGES[at], percentiles(&interval));
        }
        line.pop();
        line.push_str(&self.threads(&mut readers.duties, passed_ns));
        line
    }

    /// The longest stall of any thread, and how much of its time each had work.
    fn threads(&mut self, duties: &mut [DutyReader], passed_ns: u64) -> String {
        self.busy_ns.resize(duties.len(), 0);
        let longest = duties.iter_mut().filter_map(DutyReader::take_longest);
        let stall = longest.max_by_key(|stall| stall.span_ns);
        let stall = stall.map_or("none".to_owned(), |stall| {
            let span = microseconds(stall.span_ns);
            format!("{span} us in {} ({} items)", stall.agent, stall.items)
        });
        let idle = duties.iter_mut().map(DutyReader::take_longest_idle_ns);
        let idle = microseconds(idle.max().unwrap_or(0));
        let busy = duties.iter().zip(&mut self.busy_ns).map(|(duty, before)| {
            let busy_ns = step(before, duty.busy_ns());
            format!("{}%", u128::from(busy_ns) * 100 / u128::from(passed_ns))
        });
        let busy = busy.collect::<Vec<_>>().join(" ");
        format!("; longest stall {stall}, longest idle gap {idle} us, busy {busy}")
    }
}

fn histograms(readers: &Readers) -> [&HistogramReader; STAGES.len()] {
    [
        &readers.ingress.decode,
        &readers.risk.queue,
        &readers.risk.check,
        &readers.kept,
        &readers.venue.gate,
        &readers.venue.engine,
        &readers.send,
    ]
}

/// How far a count went on.
fn step(before: &mut u64, now: u64) -> u64 {
    now - std::mem::replace(before, now)
}

fn percentiles(counts: &Counts) -> String {
    if counts.is_empty() {
        return "-".to_owned();
    }
    let told = [(1, 2), (99, 100), (999, 1_000), (1, 1)];
    let told = told.map(|(part, whole)| microseconds(counts.quantile_ns(part, whole)));
    told.join("/")
}

fn microseconds(ns: u64) -> String {
    let tenths = ns.div_ceil(100);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_runtime::HistogramWriter;

    #[test]
    fn times_are_rounded_up_to_tenths_of_a_microsecond() {
        assert_eq!(microseconds(0), "0.0");
        assert_eq!(microseconds(1), "0.1");
        assert_eq!(microseconds(1_000), "1.0");
        assert_eq!(microseconds(12_340_001), "12340.1");
    }

    #[test]
    fn a_stage_without_orders_says_so_and_one_with_them_its_percentiles() {
        let mut writer = HistogramWriter::default();
        assert_eq!(percentiles(&writer.reader().counts()), "-");
        writer.record(60, 998);
        writer.record(1_000, 1);
        writer.record(100_000, 1);
        let said = percentiles(&writer.reader().counts());
        assert!(said.starts_with("0.1/0.1/1."), "{said}");
        let max = said.rsplit('/').next().expect("the longest is last");
        assert!((1_000..=1_032).contains(&tenths(max)), "{said}");
    }

    fn tenths(microseconds: &str) -> u64 {
        microseconds.replace('.', "").parse().expect("a number")
    }

    #[test]
    fn a_count_goes_on_by_what_came_since() {
        let mut before = 0;
        assert_eq!(
            [
                step(&mut before, 5),
                step(&mut before, 5),
                step(&mut before, 9)
            ],
            [5, 0, 4]
        );
    }
}

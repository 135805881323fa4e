//! Progress of long work, and its rate when it is done, on standard error.
//!
//! Invariant: standard output is the tool's answer alone. Must never ask the clock for each record.

use std::fmt;
use std::time::{Duration, Instant};

/// Between two words of progress.
const EVERY: Duration = Duration::from_secs(2);
/// Records between two looks at the clock.
const LOOK_EVERY: u64 = 1 << 16;

/// Work under way.
pub(crate) struct Progress {
    what: &'static str,
    began: Instant,
    said: Instant,
    look_at: u64,
}

impl Progress {
    /// Work that begins now.
    pub(crate) fn begin(what: &'static str) -> Self {
        let now = Instant::now();
        Self {
            what,
            began: now,
            said: now,
            look_at: LOOK_EVERY,
        }
    }

    /// So far this has come.
    pub(crate) fn at(&mut self, records: u64, bytes: u64) {
        if records < self.look_at {
            return;
        }
        self.look_at = records + LOOK_EVERY;
        if self.said.elapsed() >= EVERY {
            self.said = Instant::now();
            eprintln!("{}: {}", self.what, self.rate(records, bytes));
        }
    }

    /// It is done.
    pub(crate) fn done(&self, records: u64, bytes: u64) {
        eprintln!("{}: {}", self.what, self.rate(records, bytes));
    }

    /// How far it has come, and how fast.
    pub(crate) fn rate(&self, records: u64, bytes: u64) -> Rate {
        Rate {
            records,
            bytes,
            span: self.began.elapsed(),
        }
    }
}

/// How much was done in how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) span: Duration,
}

impl Rate {
    pub(crate) fn records_per_second(&self) -> u64 {
        per_second(self.records, self.span)
    }

    pub(crate) fn bytes_per_second(&self) -> u64 {
        per_second(self.bytes, self.span)
    }
}

fn per_second(count: u64, span: Duration) -> u64 {
    let per_second = u128::from(count) * 1_000_000_000 / span.as_nanos().max(1);
    u64::try_from(per_second).unwrap_or(u64::MAX)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.bytes_per_second() / 1_000_000;
        write!(
            f,
            "{} records, {} MB in {} ms: {} records/s, {}.{:03} GB/s",
            self.records,
            self.bytes / 1_000_000,
            self.span.as_millis(),
            self.records_per_second(),
            megabytes / 1_000,
            megabytes % 1_000,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_in_whole_numbers() {
        let rate = Rate {
            records: 3_000,
            bytes: 4_500_000,
            span: Duration::from_millis(1_500),
        };
        let said = "3000 records, 4 MB in 1500 ms: 2000 records/s, 0.003 GB/s";
        assert_eq!(rate.to_string(), said);
        let none = Rate {
            records: 1,
            bytes: 0,
            span: Duration::ZERO,
        };
        assert_eq!(none.records_per_second(), 1_000_000_000);
    }
}

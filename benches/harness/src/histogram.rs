//! Latencies of one kind, their percentiles, and the file the usual plotters read.
//!
//! Owned by the measuring thread. Invariants: recording does not allocate; what is beyond the
//! histogram's range counts as its highest value and is never dropped.

use crate::rounds::Rounds;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// The highest latency that is told apart, nanoseconds: ten seconds.
const HIGHEST_NS: u64 = 10_000_000_000;

/// Latencies in nanoseconds, to three significant digits.
#[derive(Clone, Debug)]
pub struct Latency {
    histogram: Histogram<u64>,
    begun: Instant,
}

impl Latency {
    /// An empty one.
    ///
    /// # Panics
    /// Never: the bounds are constants that fit.
    #[must_use]
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, HIGHEST_NS, 3).expect("bounds that fit");
        Self {
            histogram,
            begun: Instant::now(),
        }
    }

    /// Records one.
    pub fn record(&mut self, ns: u64) {
        self.histogram.saturating_record(ns);
    }

    /// Forgets all, and keeps its memory.
    pub fn clear(&mut self) {
        self.histogram.reset();
        self.begun = Instant::now();
    }

    /// Adds those of another one.
    ///
    /// # Panics
    /// Never: the bounds of both are the same.
    pub fn add(&mut self, other: &Self) {
        let added = self.histogram.add(&other.histogram);
        added.expect("the bounds of both are the same");
    }

    /// How many were recorded.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.histogram.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// Half took at most this.
    #[must_use]
    pub fn p50(&self) -> u64 {
        self.histogram.value_at_quantile(0.5)
    }

    /// 99 in a hundred took at most this.
    #[must_use]
    pub fn p99(&self) -> u64 {
        self.histogram.value_at_quantile(0.99)
    }

    /// 999 in a thousand took at most this.
    #[must_use]
    pub fn p999(&self) -> u64 {
        self.histogram.value_at_quantile(0.999)
    }

    /// 9,999 in ten thousand took at most this.
    #[must_use]
    pub fn p9999(&self) -> u64 {
        self.histogram.value_at_quantile(0.9999)
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.histogram.max()
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self::new()
    }
}

/// The histograms of a run by name, a round each, kept for the file.
#[derive(Debug)]
pub struct Histograms {
    bench: &'static str,
    started: SystemTime,
    began: Instant,
    by_name: BTreeMap<String, Vec<(Latency, Duration)>>,
}

impl Histograms {
    /// None yet.
    #[must_use]
    pub fn new(bench: &'static str) -> Self {
        Self {
            bench,
            started: SystemTime::now(),
            began: Instant::now(),
            by_name: BTreeMap::new(),
        }
    }

    /// Keeps a round's.
    pub fn keep(&mut self, name: &str, latency: Latency) {
        let took = latency.begun.elapsed();
        self.by_name
            .entry(name.to_owned())
            .or_default()
            .push((latency, took));
    }

    /// A percentile over the rounds of a name, a value a round.
    #[must_use]
    pub fn rounds(&self, name: &str, of: impl Fn(&Latency) -> u64) -> Rounds {
        let kept = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        kept.iter()
            .filter(|(latency, _)| !latency.is_empty())
            .map(|(latency, _)| of(latency))
            .collect()
    }

    /// Writes a file a name, `BENCH-NAME.hlog`, in the HdrHistogram interval-log format. Those of
    /// earlier runs go, so that a folder holds one run of a bench.
    ///
    /// # Errors
    /// The folder or a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        fs::create_dir_all(folder)?;
        self.remove_earlier(folder)?;
        let mut written = Vec::new();
        for (name, rounds) in &self.by_name {
            let file: String = name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
                .collect();
            let path = folder.join(format!("{}-{file}.hlog", self.bench));
            let mut out = BufWriter::new(File::create(&path)?);
            self.write_log(&mut out, name, rounds)?;
            out.flush()?;
            written.push(path);
        }
        Ok(written)
    }

    fn remove_earlier(&self, folder: &Path) -> io::Result<()> {
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let beginning = format!("{}-", self.bench);
            let mine = |name: &str| name.starts_with(&beginning) && name.ends_with(".hlog");
            if name.is_some_and(mine) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn write_log(
        &self,
        out: &mut impl Write,
        name: &str,
        rounds: &[(Latency, Duration)],
    ) -> io::Result<()> {
        let mut serializer = V2DeflateSerializer::new();
        // The log's values are nanoseconds; its column of maxima is in milliseconds by custom.
        let mut log = IntervalLogWriterBuilder::new()
            .add_comment(&format!(
                "{} {name}, nanoseconds, an interval a round",
                self.bench
            ))
            .with_start_time(self.started)
            .with_base_time(self.started)
            .with_max_value_divisor(1_000_000.0)
            .begin_log_with(out, &mut serializer)?;
        let tag: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        for (latency, took) in rounds {
            let at = latency.begun.duration_since(self.began);
            log.write_histogram(&latency.histogram, at, *took, Tag::new(&tag))
                .map_err(|error| io::Error::other(format!("{error:?}")))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    #[test]
    fn percentiles_and_the_file_say_what_was_recorded() {
        let mut latency = Latency::new();
        for ns in 1..=1_000 {
            latency.record(ns);
        }
        latency.record(u64::MAX);
        assert_eq!(latency.p50(), 501);
        assert_eq!(latency.p99(), 991);
        assert!(
            latency.max() >= HIGHEST_NS,
            "beyond the range is the highest, not lost"
        );
        let mut twice = latency.clone();
        twice.add(&latency);
        assert_eq!(
            (twice.len(), twice.p50()),
            (2 * latency.len(), latency.p50())
        );
        twice.clear();
        assert!(twice.is_empty(), "all is forgotten");
        twice.record(7);
        assert_eq!((twice.len(), twice.max()), (1, 7));
        let mut histograms = Histograms::new("test");
        histograms.keep("one/two", latency.clone());
        histograms.keep("one/two", latency);
        assert_eq!(
            histograms
                .rounds("one/two", Latency::p50)
                .spread()
                .map(|s| s.median),
            Some(501)
        );
        assert!(histograms.rounds("none", Latency::p50).spread().is_none());
        let folder = std::env::temp_dir().join(format!("portcullis-hlog-{}", std::process::id()));
        let files = histograms.write(&folder).expect("a folder of its own");
        assert_eq!(files, [folder.join("test-one-two.hlog")]);
        let bytes = fs::read(&files[0]).expect("just written");
        let intervals = IntervalLogIterator::new(&bytes)
            .filter(|entry| matches!(entry, Ok(LogEntry::Interval(_))))
            .count();
        assert_eq!(intervals, 2);
        fs::remove_dir_all(&folder).expect("made above");
    }
}

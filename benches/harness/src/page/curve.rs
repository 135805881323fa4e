//! A measured distribution, read from its log: how long the slowest of a share of all took.
//!
//! Owned by whoever draws it. Invariant: all rounds of a log are one distribution.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use std::path::Path;

/// The curve.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) name: String,
    /// Which colour it is drawn in.
    pub(super) colour: usize,
    /// How many were measured.
    pub(super) count: u64,
    /// Nanoseconds, and how many took longer.
    pub(super) points: Vec<(u64, u64)>,
}

/// The curves of a bench, by name.
pub(super) fn read_all(folder: &Path, bench: &str) -> Result<Vec<Curve>, String> {
    let files = std::fs::read_dir(folder).map_err(|error| told(folder, error))?;
    let mut curves = Vec::new();
    for file in files {
        let path = file.map_err(|error| told(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let mine = |name: &str| name.starts_with(&format!("{bench}-")) && name.ends_with(".hlog");
        if name.is_some_and(mine) {
            curves.push(read(&path, bench).map_err(|error| told(&path, error))?);
        }
    }
    curves.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(curves)
}

fn told(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

fn read(path: &Path, bench: &str) -> Result<Curve, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&bytes).map_err(|error| error.to_string())?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("#{bench}")))
        // What one bench measured in parts stands in the logs of its parts: `journal-split`.
        .and_then(|title| title.strip_prefix([' ', '-']))
        .and_then(|title| title.split_once(", nanoseconds"))
        .ok_or("its first line does not say what it is of")?
        .0;
    let mut all: Option<Histogram<u64>> = None;
    let mut deserializer = Deserializer::new();
    for entry in IntervalLogIterator::new(&bytes) {
        let LogEntry::Interval(interval) = entry.map_err(|error| format!("{error:?}"))? else {
            continue;
        };
        let round = BASE64_STANDARD
            .decode(interval.encoded_histogram())
            .map_err(|error| error.to_string())?;
        let round: Histogram<u64> = deserializer
            .deserialize(&mut round.as_slice())
            .map_err(|error| error.to_string())?;
        match &mut all {
            Some(all) => all.add(&round).map_err(|error| error.to_string())?,
            None => all = Some(round),
        }
    }
    let all = all.ok_or("it has no interval")?;
    let mut slower = all.len();
    let points = all.iter_recorded().map(|step| {
        slower -= step.count_since_last_iteration();
        (step.value_iterated_to(), slower)
    });
    let points = points.collect();
    let (name, count) = (name.to_owned(), all.len());
    Ok(Curve {
        name,
        colour: 0,
        count,
        points,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Histograms, Latency};

    #[test]
    fn a_log_is_read_as_it_was_written_all_rounds_together() {
        let folder = std::env::temp_dir().join(format!("portcullis-curve-{}", std::process::id()));
        let mut histograms = Histograms::new("test");
        for values in [[1, 2], [2, 900]] {
            let mut latency = Latency::new();
            values.iter().for_each(|&ns| latency.record(ns));
            histograms.keep("a, b/c", latency);
        }
        histograms.write(&folder).expect("a folder of its own");
        std::fs::write(folder.join("other-x.hlog"), "nonsense").expect("the same folder");
        let curves = read_all(&folder, "test").expect("what was just written");
        let read = &curves[0];
        assert_eq!(
            (curves.len(), read.name.as_str(), read.count),
            (1, "a, b/c", 4)
        );
        assert_eq!(read.points, [(1, 3), (2, 1), (900, 0)]);
        let mut part = Histograms::new("test-part");
        let mut latency = Latency::new();
        latency.record(3);
        part.keep("a way", latency);
        part.write(&folder).expect("the same folder");
        let curves = read_all(&folder, "test").expect("both");
        let names: Vec<&str> = curves.iter().map(|curve| curve.name.as_str()).collect();
        assert_eq!(names, ["a, b/c", "part a way"]);
        std::fs::write(folder.join("test-x.hlog"), "nonsense").expect("the same folder");
        assert!(
            read_all(&folder, "test")
                .expect_err("no log")
                .contains("test-x.hlog")
        );
        std::fs::remove_dir_all(&folder).expect("made above");
    }
}

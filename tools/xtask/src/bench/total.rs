//! The last line of `bench all`: what the last lines of all benches come to, and the line of one that has none.
//!
//! Asked after the last bench has ended. Invariant: each bench that was asked for is in it once, by its own last line
//! or by the bars that it would have had.

use crate::verb::Fault;
use serde_json::{Value, json};
use std::path::Path;

/// The row of a bench without figures.
pub(crate) fn absent(bench: &str, why: &str) -> Value {
    json!({
        "bench": bench,
        "figure": "summary",
        "unit": "count",
        "value": null,
        "floor": null,
        "ratio": null,
        "bar": null,
        "holds": null,
        "note": why,
        "commit": null,
    })
}

/// What all came to.
#[derive(Debug, Default)]
pub(crate) struct Total {
    /// Last lines, in the order of the benches.
    lines: Vec<Value>,
    /// Those without figures, and the bars they would have had.
    absent: Vec<(&'static str, u64)>,
}

impl Total {
    /// A bench has ended and left its rows here.
    ///
    /// # Errors
    /// There are none, or the last line does not sum up.
    pub(crate) fn add(&mut self, path: &Path) -> Result<(), Fault> {
        let text =
            std::fs::read_to_string(path).map_err(|error| Fault::of(path.display(), error))?;
        let last = text.lines().next_back().unwrap_or_default();
        let line: Value =
            serde_json::from_str(last).map_err(|error| Fault::of(path.display(), error))?;
        if line["figure"] != "summary" {
            return Err(Fault::of(path.display(), "its last line does not sum up"));
        }
        self.lines.push(line);
        Ok(())
    }

    /// A bench with so many bars has no figures in this run.
    pub(crate) fn add_absent(&mut self, bench: &'static str, bars: u64) {
        self.absent.push((bench, bars));
    }

    /// The line as a script reads it.
    pub(crate) fn json(&self) -> Value {
        let names = self.lines.iter().map(|line| line["bench"].clone());
        let absent = self.absent.iter().map(|(bench, _)| *bench);
        json!({
            "bench": "all",
            "figure": "summary",
            "unit": "count",
            "value": self.sum("value"),
            "floor": null,
            "ratio": null,
            "bar": null,
            "holds": self.sum("bars_missed") == 0,
            "note": null,
            "commit": self.commit(),
            "bars_held": self.sum("bars_held"),
            "bars_missed": self.sum("bars_missed"),
            "bars_absent": self.bars_absent(),
            "rows_absent": self.sum("rows_absent"),
            "benches": names.collect::<Vec<Value>>(),
            "benches_absent": absent.collect::<Vec<&str>>(),
            "machine": self.lines.first().map(|line| line["machine"].clone()),
        })
    }

    /// The line as a person reads it.
    pub(crate) fn text(&self) -> String {
        format!(
            "all: {} bars held, {} missed, {} absent",
            self.sum("bars_held"),
            self.sum("bars_missed"),
            self.bars_absent()
        )
    }

    fn sum(&self, key: &str) -> u64 {
        self.lines
            .iter()
            .filter_map(|line| line[key].as_u64())
            .sum()
    }

    fn bars_absent(&self) -> u64 {
        let would_have: u64 = self.absent.iter().map(|(_, bars)| bars).sum();
        self.sum("bars_absent") + would_have
    }

    /// The commit of all; every one of them where the tree changed meanwhile.
    fn commit(&self) -> Option<String> {
        let mut commits: Vec<&str> = (self.lines.iter())
            .filter_map(|line| line["commit"].as_str())
            .collect();
        commits.dedup();
        (!commits.is_empty()).then(|| commits.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::left::{forget, rows_of};

    fn line(bench: &str, commit: &str, [held, missed, absent]: [u64; 3]) -> Value {
        json!({
            "bench": bench,
            "figure": "summary",
            "value": 10,
            "holds": missed == 0,
            "commit": commit,
            "bars_held": held,
            "bars_missed": missed,
            "bars_absent": absent,
            "rows_absent": absent,
            "machine": { "cores": 2, "load_average": bench },
        })
    }

    #[test]
    fn bars_are_summed_and_those_of_an_absent_bench_are_absent() {
        let mut total = Total::default();
        total.lines.push(line("kernel", "abc", [7, 0, 1]));
        assert_eq!(total.json()["holds"], true);
        total.lines.push(line("wire", "abc", [3, 2, 0]));
        total.add_absent("peers", 5);
        let all = total.json();
        for (key, must) in [
            ("value", 20),
            ("bars_held", 10),
            ("bars_missed", 2),
            ("bars_absent", 6),
            ("rows_absent", 1),
        ] {
            assert_eq!(all[key], must, "{key}");
        }
        assert_eq!(
            (&all["bench"], &all["commit"]),
            (&"all".into(), &"abc".into())
        );
        assert_eq!(all["holds"], false);
        assert_eq!(all["benches"], json!(["kernel", "wire"]));
        assert_eq!(all["benches_absent"], json!(["peers"]));
        assert_eq!(all["machine"]["load_average"], "kernel");
        assert_eq!(total.text(), "all: 10 bars held, 2 missed, 6 absent");
        total.lines.push(line("scale", "abc-dirty", [0, 0, 0]));
        assert_eq!(total.json()["commit"], "abc, abc-dirty");
    }

    #[test]
    fn the_last_line_of_this_run_is_read_and_none_of_an_earlier_one() {
        let folder = std::env::temp_dir().join(format!("xtask-total-{}", std::process::id()));
        let path = rows_of(&folder, "ring");
        std::fs::create_dir_all(folder.join("bench")).expect("a folder of its own");
        let text = format!(
            "{{\"figure\":\"a hop\"}}\n{}\n",
            line("ring", "abc", [2, 1, 0])
        );
        std::fs::write(&path, text).expect("just made");
        let mut total = Total::default();
        total.add(&path).expect("its last line sums up");
        assert_eq!(total.json()["bars_held"], 2);
        std::fs::write(&path, "{\"figure\":\"a hop\"}\n").expect("it is there");
        assert!(total.add(&path).is_err(), "a row is no sum");
        forget(&path).expect("it is there");
        forget(&path).expect("gone is gone");
        assert!(total.add(&path).is_err());
        std::fs::remove_dir_all(&folder).expect("made above");
    }
}

//! Rows as a person or a script reads them, and the last line that sums up.
//!
//! Owned by a bench's main thread. Invariant: the summary counts the rows that were printed.

use crate::folder::folder;
use crate::machine::Machine;
use crate::row::Row;
use serde_json::{Value, json};

/// The rows of one run of one bench.
#[derive(Debug)]
pub struct Report {
    bench: &'static str,
    machine: Machine,
    rows: Vec<Row>,
    /// Further facts of the run, for the summary.
    facts: Vec<(&'static str, Value)>,
}

impl Report {
    /// An empty report; reads the facts of the machine, so make it before the load begins.
    #[must_use]
    pub fn new(bench: &'static str) -> Self {
        Self {
            bench,
            machine: Machine::read(),
            rows: Vec::new(),
            facts: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds a fact to the summary.
    pub fn fact(&mut self, name: &'static str, value: impl Into<Value>) {
        self.facts.push((name, value.into()));
    }

    /// Whether a row misses its bar.
    #[must_use]
    pub fn misses_any(&self) -> bool {
        self.rows.iter().any(|row| row.holds() == Some(false))
    }

    /// Prints the rows and the summary: with `json` one object a line, else a table.
    ///
    /// The same objects go to the bench's file in the folder of benches, for the page of the run.
    pub fn print(&self, json: bool) {
        if let Err(error) = self.keep() {
            eprintln!(
                "{}: its rows are not kept for the page: {error}",
                self.bench
            );
        }
        if json {
            print!("{}", self.lines());
            return;
        }
        println!("{}", crate::row::header());
        for row in &self.rows {
            println!("{}", row.text());
        }
        println!("{}", self.machine);
        for (name, value) in &self.facts {
            println!("{name}: {value}");
        }
    }

    fn keep(&self) -> Result<(), String> {
        let path = folder()?.join(format!("{}.jsonl", self.bench));
        std::fs::write(&path, self.lines()).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// An object a line.
    fn lines(&self) -> String {
        let rows = self.rows.iter().map(|row| row.json(&self.machine.commit));
        let lines = rows.chain([self.summary()]);
        lines.map(|line| format!("{line}\n")).collect()
    }

    fn summary(&self) -> Value {
        let count = |wanted| self.rows.iter().filter(|row| row.holds() == wanted).count();
        let mut summary = json!({
            "bench": self.bench,
            "figure": "summary",
            "unit": "count",
            "value": self.rows.len(),
            "floor": null,
            "ratio": null,
            "bar": null,
            "holds": !self.misses_any(),
            "commit": self.machine.commit,
            "bars_held": count(Some(true)),
            "bars_missed": count(Some(false)),
            "bars_absent": self.rows.iter().filter(|row| row.is_unjudged()).count(),
            "rows_absent": self.rows.iter().filter(|row| row.value.is_none()).count(),
            "machine": self.machine.json(),
        });
        for (name, value) in &self.facts {
            summary[*name] = value.clone();
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Bar, Unit};

    #[test]
    fn the_summary_counts_bars_and_names_the_machine() {
        let mut report = Report::new("test");
        for (value, bar) in [
            (Some(1), Bar::AtMost(1)),
            (Some(2), Bar::AtMost(1)),
            (None, Bar::None),
            (None, Bar::AtMost(1)),
        ] {
            report.push(Row {
                bench: "test",
                figure: "f".to_owned(),
                unit: Unit::Ns,
                value,
                spread: None,
                floor: None,
                bar,
                note: None,
            });
        }
        report.fact("hop_ns", 65);
        let summary = report.summary();
        assert_eq!(summary["bars_held"], 1);
        assert_eq!(summary["bars_missed"], 1);
        assert_eq!(summary["bars_absent"], 1);
        assert_eq!(summary["rows_absent"], 2);
        assert_eq!(summary["holds"], false);
        assert_eq!(summary["hop_ns"], 65);
        assert!(summary["machine"]["cores"].as_u64() >= Some(1));
    }
}

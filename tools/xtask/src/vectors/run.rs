//! Running a vector file through a machine and comparing.
//!
//! One thread. Invariant: each line counts once, as agreeing or as a mismatch.

use super::op::{Answer, Machine};
use super::reader::{Line, Step, VectorFile};

/// What came of one or more files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// Lines read, the first of each file included.
    pub(crate) lines: usize,
    /// Lines that did not come as expected.
    pub(crate) mismatches: usize,
    /// The first of them: file, line, what was expected, what came.
    pub(crate) first_mismatch: Option<String>,
}

impl Comparison {
    /// Adds another file's comparison.
    pub(crate) fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.mismatches += other.mismatches;
        self.first_mismatch = self.first_mismatch.take().or(other.first_mismatch);
    }

    /// The comparison as one JSON object.
    pub(crate) fn to_json(&self) -> String {
        let first = self
            .first_mismatch
            .clone()
            .map_or(serde_json::Value::Null, Into::into);
        format!(
            "{{\"lines\":{},\"mismatches\":{},\"first_mismatch\":{first}}}",
            self.lines, self.mismatches
        )
    }

    fn mismatch(&mut self, file: &str, number: usize, what: &str) {
        self.mismatches += 1;
        let _ = self
            .first_mismatch
            .get_or_insert_with(|| format!("{file}:{number}: {what}"));
    }
}

/// Runs a file through `machine`, whose checks are `names`, in order of precedence.
pub(crate) fn run(file: &VectorFile, machine: &mut dyn Machine, names: &[&str]) -> Comparison {
    let mut comparison = Comparison {
        lines: 1,
        ..Comparison::default()
    };
    if let Some(name) = first_out_of_order(&file.checks, names) {
        let what =
            format!("check {name} is not in the registry, or not at this place of the order");
        comparison.mismatch(&file.name, 1, &what);
    }
    for line in &file.lines {
        comparison.lines += 1;
        if let Some(what) = difference(line, machine) {
            comparison.mismatch(&file.name, line.number, &what);
        }
    }
    comparison
}

/// The first of `checks` that `names` does not have after the ones before it.
fn first_out_of_order<'a>(checks: &'a [String], names: &[&str]) -> Option<&'a str> {
    let mut rest = names.iter();
    checks
        .iter()
        .map(String::as_str)
        .find(|check| !rest.any(|name| name == check))
}

fn difference(line: &Line, machine: &mut dyn Machine) -> Option<String> {
    match &line.step {
        Step::Command(op, expected) => {
            let came = machine.apply(line.time_ns, op);
            let expected: &Answer = expected.as_ref()?;
            (*expected != came).then(|| format!("{op:?}: expected {expected}, came {came}"))
        }
        Step::Probe(account, expected) => match machine.figures(*account) {
            Some(came) => expected
                .difference(&came)
                .map(|difference| format!("probe of account {account}: {difference}")),
            None => Some(format!(
                "probe of account {account}: there is no such account"
            )),
        },
    }
}

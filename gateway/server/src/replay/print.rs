//! What of a replay is printed: nothing, each effect, or each verdict.
//!
//! Invariant: a closed pipe ends the printing, not the replay.

use super::verdict;
use portcullis_domain::Record;
use portcullis_risk_core::{Effect, EffectSink, checks};
use std::io::Write;

/// What of a replay is printed, beside what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Printed {
    /// Nothing.
    Nothing,
    /// Each effect.
    Effects,
    /// Each verdict on an order or replace.
    Verdicts,
}

/// Counts effects and prints what is asked for.
pub(super) struct Printer<'a, W> {
    out: &'a mut W,
    printed: Printed,
    pub(super) effects: u64,
    pub(super) verdicts: u64,
    seq: u64,
}

impl<'a, W: Write> Printer<'a, W> {
    pub(super) const fn new(out: &'a mut W, printed: Printed) -> Self {
        Self {
            out,
            printed,
            effects: 0,
            verdicts: 0,
            seq: 0,
        }
    }

    /// Prints an effect, if it is of those asked for.
    #[cold]
    #[inline(never)]
    fn print(&mut self, effect: &Effect) {
        let line = match self.printed {
            Printed::Effects => Some(effect_line(effect)),
            Printed::Verdicts => verdict::of(effect).map(|verdict| verdict.to_string()),
            Printed::Nothing => None,
        };
        let Some(line) = line else { return };
        if writeln!(self.out, "{} {line}", self.seq).is_err() {
            self.printed = Printed::Nothing;
        }
    }
}

impl<W: Write> EffectSink for Printer<'_, W> {
    fn on_record(&mut self, record: &Record) {
        self.seq = record.head.seq;
    }

    fn on_effect(&mut self, effect: Effect) {
        self.effects += 1;
        self.verdicts += u64::from(verdict::is_verdict(&effect));
        if self.printed != Printed::Nothing {
            self.print(&effect);
        }
    }
}

fn effect_line(effect: &Effect) -> String {
    if let Effect::Refused(refusal) = effect {
        let failing: Vec<_> = refusal.failing.codes().map(checks::name).collect();
        format!("refused {} {refusal:?}", failing.join(","))
    } else {
        format!("{effect:?}")
    }
}

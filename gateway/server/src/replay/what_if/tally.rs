//! The verdicts that would be others: each by itself, and by account and check.

use super::Heard;
use super::twin::Figures;
use crate::journal::naming::Naming;
use crate::replay::verdict::Verdict;
use portcullis_domain::{AccountId, CheckMask, RejectCode};
use portcullis_risk_core::checks;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;

/// In which way a verdict is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Refused,
    Accepted,
}

impl Turn {
    const fn word(self) -> &'static str {
        match self {
            Self::Refused => "accepted->refused",
            Self::Accepted => "refused->accepted",
        }
    }
}

/// A verdict that would be another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flip {
    verdict: Verdict,
    turn: Turn,
    /// The checks that fail, or failed.
    failing: CheckMask,
}

/// Flips so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    orders: u64,
    refused_both: u64,
    refused_otherwise: u64,
    control_otherwise: u64,
    alarms_recorded: u64,
    alarms_otherwise: u64,
    by_account_and_check: BTreeMap<(AccountId, u8, Turn), u64>,
}

impl Tally {
    /// Compares what both cores said of a record.
    pub(super) fn note(&mut self, recorded: &Heard, otherwise: &Heard) -> Option<Flip> {
        self.alarms_recorded += recorded.alarms;
        self.alarms_otherwise += otherwise.alarms;
        if let (Some(recorded), Some(otherwise)) = (recorded.control, otherwise.control) {
            self.control_otherwise += u64::from(recorded != otherwise);
        }
        let (recorded, otherwise) = (recorded.verdict?, otherwise.verdict?);
        self.orders += 1;
        let (turn, failing) = match (recorded.failing.is_empty(), otherwise.failing.is_empty()) {
            (true, true) => return None,
            (false, false) => {
                self.refused_both += 1;
                self.refused_otherwise += u64::from(recorded.failing != otherwise.failing);
                return None;
            }
            (true, false) => (Turn::Refused, otherwise.failing),
            (false, true) => (Turn::Accepted, recorded.failing),
        };
        let primary = failing.primary().map_or(u8::MAX, RejectCode::raw);
        let place = (recorded.account, primary, turn);
        *self.by_account_and_check.entry(place).or_default() += 1;
        Some(Flip {
            verdict: recorded,
            turn,
            failing,
        })
    }

    fn count(&self, turn: Turn) -> u64 {
        let flips = self.by_account_and_check.iter();
        flips
            .filter(|((.., t), _)| *t == turn)
            .map(|(_, n)| n)
            .sum()
    }

    /// Prints what they come to.
    pub(super) fn print(
        &self,
        out: &mut impl Write,
        naming: &Naming,
        figures: &Figures,
        as_json: bool,
    ) -> Result<(), String> {
        let text = if as_json {
            format!("{}\n", self.to_json(naming, figures))
        } else {
            self.text(naming, figures)
        };
        out.write_all(text.as_bytes())
            .map_err(|error| error.to_string())
    }

    fn text(&self, naming: &Naming, figures: &Figures) -> String {
        let mut text = String::from("by account and first failing check:\n");
        for ((account, check, turn), count) in &self.by_account_and_check {
            text.push_str(&format!(
                "  {} {} {} {count}\n",
                naming.account(*account),
                checks::name(RejectCode::new(*check)),
                turn.word(),
            ));
        }
        text.push_str(&format!(
            "verdicts compared {}: accepted->refused {}, refused->accepted {}; refused both times {}, of which for \
             other checks {}\n",
            self.orders,
            self.count(Turn::Refused),
            self.count(Turn::Accepted),
            self.refused_both,
            self.refused_otherwise,
        ));
        text.push_str(&format!(
            "not given: limit changes {}, reports {} (executions {}), replaces of orders it does not have {}\n\
             ended: at once {}, with the recorded order {}; control commands that end otherwise {}; alarms {} then, \
             {} now\n",
            figures.limit_changes_skipped,
            figures.reports_skipped,
            figures.fills_skipped,
            figures.replaces_without_order,
            figures.ended_at_once,
            figures.ended_with_recorded,
            self.control_otherwise,
            self.alarms_recorded,
            self.alarms_otherwise,
        ));
        text
    }

    fn to_json(&self, naming: &Naming, figures: &Figures) -> Value {
        let rows = self.by_account_and_check.iter();
        let rows = rows.map(|((account, check, turn), count)| {
            json!({
                "account": naming.account(*account),
                "check": checks::name(RejectCode::new(*check)),
                "flip": turn.word(),
                "count": count,
            })
        });
        json!({
            "verdicts": self.orders,
            "accepted_to_refused": self.count(Turn::Refused),
            "refused_to_accepted": self.count(Turn::Accepted),
            "refused_both": self.refused_both,
            "refused_otherwise": self.refused_otherwise,
            "limit_changes_skipped": figures.limit_changes_skipped,
            "reports_skipped": figures.reports_skipped,
            "fills_skipped": figures.fills_skipped,
            "replaces_without_order": figures.replaces_without_order,
            "ended_at_once": figures.ended_at_once,
            "ended_with_recorded": figures.ended_with_recorded,
            "control_otherwise": self.control_otherwise,
            "alarms_recorded": self.alarms_recorded,
            "alarms_otherwise": self.alarms_otherwise,
            "by_account_and_check": rows.collect::<Vec<_>>(),
        })
    }
}

impl Flip {
    /// In one line.
    pub(super) fn line(&self, seq: u64, naming: &Naming) -> String {
        let Verdict {
            session, user_ref, ..
        } = self.verdict;
        format!(
            "{seq} {} {} {} {}",
            naming.account(self.verdict.account),
            naming.order(session, user_ref),
            self.turn.word(),
            self.checks().join(","),
        )
    }

    /// As an object.
    pub(super) fn as_json(&self, seq: u64, naming: &Naming) -> Value {
        let Verdict {
            session, user_ref, ..
        } = self.verdict;
        json!({
            "record": seq,
            "account": naming.account(self.verdict.account),
            "instrument": naming.instrument(self.verdict.instrument),
            "order": naming.order(session, user_ref),
            "flip": self.turn.word(),
            "checks": self.checks(),
        })
    }

    fn checks(&self) -> Vec<&'static str> {
        self.failing.codes().map(checks::name).collect()
    }
}

//! A record's effects, and what is expected of them.
//!
//! Owned by the auditor. Invariant: what was predicted is all that came, or it is a violation that names both.

use crate::model::op::Word;
use crate::model::words;
use crate::violation::{Rule, Violation};
use portcullis_domain::{CheckMask, Record};
use portcullis_risk_core::{
    Answer, AnswerKind, Approved, Effect, EffectSink, OutboundOrder, checks,
};

/// The effects of one record.
#[derive(Default)]
pub(super) struct Effects(pub(super) Vec<Effect>);

impl EffectSink for Effects {
    fn on_record(&mut self, _record: &Record) {}

    fn on_effect(&mut self, effect: Effect) {
        self.0.push(effect);
    }
}

impl Effects {
    /// What went to the engine.
    pub(super) fn approved(&self) -> impl Iterator<Item = &OutboundOrder> {
        self.0.iter().filter_map(|effect| match effect {
            Effect::Approved(approved) => Some(Approved::get(approved)),
            Effect::Refused(_)
            | Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::Controlled(_)
            | Effect::StateChanged { .. }
            | Effect::Alarmed(_) => None,
        })
    }

    /// The checks that an order or replace failed; `None` where it was not refused.
    pub(super) fn failing(&self) -> Option<CheckMask> {
        self.0.iter().find_map(|effect| match effect {
            Effect::Refused(refusal) => Some(refusal.failing),
            Effect::Approved(_)
            | Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::Controlled(_)
            | Effect::StateChanged { .. }
            | Effect::Alarmed(_) => None,
        })
    }

    /// The answer to a client, if that is all there is.
    pub(super) fn answered(&self) -> Option<AnswerKind> {
        match self.0[..] {
            [Effect::Answered(Answer { kind, .. })] => Some(kind),
            _ => None,
        }
    }

    /// An order or replace fails exactly these checks, and nothing goes to the engine.
    pub(super) fn expect_refusal(&self, predicted: &[String]) -> Result<(), Violation> {
        let came = self.failing().map(names);
        if came.as_deref() == Some(predicted) && self.approved().next().is_none() {
            return Ok(());
        }
        self.unlike(format!("a refusal by {predicted:?}"))
    }

    /// One order goes to the engine, and is what was asked.
    pub(super) fn expect_approval(
        &self,
        is_what_was_asked: impl Fn(&OutboundOrder) -> bool,
    ) -> Result<(), Violation> {
        let mut sent = self.approved();
        match (sent.next(), sent.next()) {
            (Some(order), None) if is_what_was_asked(order) => Ok(()),
            _ => self.unlike("that it passes as asked".to_owned()),
        }
    }

    /// A client is answered, and that is all.
    pub(super) fn expect_answer(&self, predicted: AnswerKind) -> Result<(), Violation> {
        if self.answered() == Some(predicted) {
            return Ok(());
        }
        self.unlike(format!("the answer {predicted:?}"))
    }

    /// A control command has this outcome.
    pub(super) fn expect_outcome(&self, predicted: Word) -> Result<(), Violation> {
        if words::answered(&self.0) == predicted {
            return Ok(());
        }
        self.unlike(format!("{predicted:?}"))
    }

    /// This came of an engine's report.
    pub(super) fn expect_reported(&self, predicted: Word) -> Result<(), Violation> {
        if words::reported(&self.0) == predicted {
            return Ok(());
        }
        self.unlike(format!("{predicted:?}"))
    }

    pub(super) fn expect_silence(&self) -> Result<(), Violation> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.unlike("that nothing follows".to_owned())
    }

    fn unlike(&self, predicted: String) -> Result<(), Violation> {
        Err(verdict(format!("predicted {predicted}; came {:?}", self.0)))
    }
}

/// A verdict that is not the model's.
pub(super) fn verdict(why: String) -> Violation {
    Violation::new(Rule::Verdict, why)
}

/// The names of checks, in order of precedence.
fn names(failing: CheckMask) -> Vec<String> {
    failing
        .codes()
        .map(|code| checks::name(code).to_string())
        .collect()
}

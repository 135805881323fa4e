//! What a record's effects say, in the words of the model.
//!
//! Owned by the auditor. Invariant: an effect that has no word is in nobody's way: nothing is guessed.

use crate::model::op::Word;
use portcullis_domain::{CheckMask, Record};
use portcullis_risk_core::{
    AlarmKind, Answer, AnswerKind, Approved, Effect, EffectSink, OutboundOrder, checks,
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

    /// The outcome of a control command.
    pub(super) fn controlled(&self) -> Option<Word> {
        self.0.iter().find_map(|effect| match effect {
            Effect::Controlled(outcome) if outcome.result.is_ok() => Some(Word::Ok),
            Effect::Controlled(_) => Some(Word::Refused),
            Effect::Approved(_)
            | Effect::Refused(_)
            | Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::StateChanged { .. }
            | Effect::Alarmed(_) => None,
        })
    }

    /// What came of an engine's report.
    pub(super) fn reported(&self) -> Word {
        let mut word = Word::Ignored;
        for effect in &self.0 {
            match effect {
                Effect::Alarmed(alarm) => return alarmed(alarm.kind),
                Effect::Reported(_) => word = Word::Ok,
                Effect::Approved(_)
                | Effect::Refused(_)
                | Effect::Answered(_)
                | Effect::SessionChanged(_)
                | Effect::Controlled(_)
                | Effect::StateChanged { .. } => {}
            }
        }
        word
    }
}

const fn alarmed(kind: AlarmKind) -> Word {
    match kind {
        AlarmKind::FillBeyondLeaves
        | AlarmKind::FillBeyondLimit
        | AlarmKind::FillOnClosedOrder
        | AlarmKind::FillOutOfRange
        | AlarmKind::DisputeTableFull
        | AlarmKind::BrokenTradeUnknown => Word::Halt,
        AlarmKind::OrderNeverAdmitted
        | AlarmKind::VersionNeverAsked
        | AlarmKind::MaintenanceBreached
        | AlarmKind::RecordInvalid
        | AlarmKind::SweepQueueFull => Word::Alarm,
    }
}

/// The names of checks, in order of precedence.
pub(super) fn names(failing: CheckMask) -> Vec<String> {
    failing
        .codes()
        .map(|code| checks::name(code).to_string())
        .collect()
}

//! What the risk core says and how it stands, in the words of the model.
//!
//! Included by whatever holds the core against the model: the vectors, its random tests, the simulator's auditor.
//! Invariant: an effect that has no word is in nobody's way: nothing is guessed.

use super::op::{Figures, OpenInterestFigures, PositionFigures, ValuedFigures, Word};
use portcullis_domain::{AccountId, InstrumentId};
use portcullis_risk_core::{AlarmKind, AnswerKind, Effect, RiskCore};

/// What the effects of a control command or a cancel say.
pub(crate) fn answered(effects: &[Effect]) -> Word {
    let word = effects.iter().find_map(|effect| match effect {
        Effect::Controlled(outcome) if outcome.result.is_ok() => Some(Word::Ok),
        Effect::Controlled(_) => Some(Word::Refused),
        Effect::Answered(answer) if answer.kind == AnswerKind::OrderUnknown => Some(Word::Unknown),
        Effect::Approved(_)
        | Effect::Refused(_)
        | Effect::Answered(_)
        | Effect::Reported(_)
        | Effect::SessionChanged(_)
        | Effect::StateChanged { .. }
        | Effect::Alarmed(_) => None,
    });
    word.unwrap_or(Word::Ignored)
}

/// What the effects of an engine's report say.
pub(crate) fn reported(effects: &[Effect]) -> Word {
    let mut word = Word::Ignored;
    for effect in effects {
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

/// Every figure of an account; `None` where there is none of this number.
pub(crate) fn figures(core: &RiskCore, account: u32, instruments: u32) -> Option<Figures> {
    let id = AccountId::new(account);
    let view = core.account(id)?;
    let instruments = || (0..instruments).map(InstrumentId::new);
    let positions = instruments().map(|instrument| {
        let position = core.position(id, instrument);
        PositionFigures {
            net: position.net.into(),
            cost: position.cost,
            open_buy: position.open_buy.into(),
            open_sell: position.open_sell.into(),
            adverse: position.adverse,
        }
    });
    let open_interest = instruments().map(|instrument| {
        let view = core
            .instrument(instrument)
            .expect("an instrument of the table");
        OpenInterestFigures {
            open_interest: view.open_interest.into(),
            long_would_be: view.long_would_be.into(),
            short_would_be: view.short_would_be.into(),
        }
    });
    let valued = view.worth.map(|worth| ValuedFigures {
        equity: worth.equity,
        admissible: worth.admissible,
        requirement: worth.requirement,
        free: worth.free,
    });
    Some(Figures {
        cash: view.cash,
        state: view.state,
        open_orders: view.open_orders.into(),
        open_notional: view.open_notional,
        positions: positions.collect(),
        open_interest: open_interest.collect(),
        valued,
    })
}

//! Sessions: lines of clients, their own switch, and states.

use super::{Auditor, verdict};
use crate::model::op::{Answer, Machine, Op, Word};
use crate::violation::Violation;
use portcullis_domain::{
    Scope, SessionEvent, SessionEventKind, SessionId, StateChange, TradingState,
};
use portcullis_risk_core::{AnswerKind, Effect};

impl Auditor<'_> {
    pub(super) fn order_entry(
        &mut self,
        now: u64,
        session: SessionId,
        enabled: bool,
    ) -> Result<(), Violation> {
        self.sessions[session.index()].entry_enabled = enabled;
        self.tell_state(now, session);
        self.effects.expect_answer(if enabled {
            AnswerKind::EntryEnabled
        } else {
            AnswerKind::EntryDisabled
        })
    }

    /// The model knows one state of a session: the stricter of the desk's and the client's own.
    fn tell_state(&mut self, now: u64, session: SessionId) {
        let facts = self.sessions[session.index()];
        let own = if facts.entry_enabled {
            TradingState::Active
        } else {
            TradingState::CancelOnly
        };
        let op = Op::State {
            scope: Scope::Session(session),
            state: facts.state.stricter(own),
        };
        let told = self.model.apply(now, &op);
        assert_eq!(told, Answer::Word(Word::Ok), "the session is there");
    }

    pub(super) fn set_state(&mut self, now: u64, change: &StateChange) -> Result<(), Violation> {
        let StateChange {
            scope,
            state,
            cancel,
        } = *change;
        if cancel {
            self.sweep_scope(now, scope);
        }
        if let Scope::Session(session) = scope {
            self.sessions[session.index()].state = state;
            self.tell_state(now, session);
            return self.effects.expect_outcome(Word::Ok);
        }
        self.control(now, &Op::State { scope, state })
    }

    pub(super) fn session(&mut self, now: u64, event: &SessionEvent) -> Result<(), Violation> {
        let facts = &mut self.sessions[event.session.index()];
        let ends = event.kind != SessionEventKind::Up;
        if ends && facts.connection != Some(event.connection) {
            return self.effects.expect_silence();
        }
        facts.connection = (!ends).then_some(event.connection);
        let lost = matches!(event.kind, SessionEventKind::Lost | SessionEventKind::Ended);
        let canceling = lost && self.market.cancel_on_disconnect[event.session.index()];
        if canceling {
            self.sweep_scope(now, Scope::Session(event.session));
        }
        match self.effects.0[..] {
            [Effect::SessionChanged(change)]
                if change.kind == event.kind
                    && change.connection == event.connection
                    && change.canceling == canceling =>
            {
                Ok(())
            }
            _ => Err(verdict(format!("came {:?}", self.effects.0))),
        }
    }
}

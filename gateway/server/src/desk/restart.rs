//! How a restarted gateway opens again: a step at a time.
//!
//! The control thread owns it. Cancel-only until the engine has spoken for each open order and each position
//! has a fresh price; then reduce-only for a while; then open. Invariants: each step is a sequenced command;
//! a step is never taken back by time; a person may take one early ([`Restart::note_told`]). It must never open
//! a gateway whose engine or prices are not there: that takes a person.

use portcullis_domain::TradingState;
use portcullis_risk_core::Readiness;
use std::time::{Duration, Instant};

/// How often the core is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How often what is waited for is said again.
const SAY_EVERY: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Cancel-only.
    Reconciling,
    /// Reduce-only since then.
    ReduceOnly(Instant),
    Open,
}

/// The ladder.
#[derive(Debug)]
pub(super) struct Restart {
    step: Step,
    reduce_only: Duration,
    asked: Option<Instant>,
    said: Option<(Readiness, Instant)>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Ask the core how far it is.
    Ask,
    /// Have this state sequenced.
    Tell(TradingState),
}

impl Restart {
    /// That of a gateway which goes on from a journal.
    pub(super) const fn after_recovery(reduce_only: Duration) -> Self {
        Self {
            step: Step::Reconciling,
            reduce_only,
            asked: None,
            said: None,
        }
    }

    /// That of a gateway which begins anew: there is nothing to be careful about.
    pub(super) const fn none() -> Self {
        Self {
            step: Step::Open,
            reduce_only: Duration::ZERO,
            asked: None,
            said: None,
        }
    }

    /// What is due now.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        match self.step {
            Step::Open => Due::Nothing,
            Step::ReduceOnly(since) if now - since >= self.reduce_only => {
                Due::Tell(TradingState::Active)
            }
            Step::ReduceOnly(_) => Due::Nothing,
            Step::Reconciling => {
                if self.asked.is_some_and(|asked| now - asked < ASK_EVERY) {
                    return Due::Nothing;
                }
                self.asked = Some(now);
                Due::Ask
            }
        }
    }

    /// The core's answer; words for people where there is something new to say, and the state that follows.
    pub(super) fn answered(
        &mut self,
        readiness: Readiness,
        now: Instant,
    ) -> (Option<String>, Option<TradingState>) {
        if self.step != Step::Reconciling {
            return (None, None);
        }
        if readiness.is_reconciled() && readiness.has_prices() {
            return (None, Some(TradingState::ReduceOnly));
        }
        let known = self
            .said
            .is_some_and(|(said, at)| said == readiness && now - at < SAY_EVERY);
        if known {
            return (None, None);
        }
        self.said = Some((readiness, now));
        let words = format!(
            "restart: cancel-only; {} open orders wait for the engine, {} instruments with positions wait for \
             a fresh reference price",
            readiness.orders_unreconciled, readiness.references_stale
        );
        (Some(words), None)
    }

    /// A state was told, by this ladder or a person.
    pub(super) fn note_told(&mut self, state: TradingState, now: Instant) {
        self.step = match state {
            TradingState::Active => Step::Open,
            TradingState::ReduceOnly => Step::ReduceOnly(now),
            TradingState::CancelOnly | TradingState::Halted => Step::Reconciling,
        };
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNRECONCILED: Readiness = Readiness {
        orders_unreconciled: 2,
        references_stale: 0,
    };

    #[test]
    fn it_opens_by_steps() {
        let begin = Instant::now();
        let mut restart = Restart::after_recovery(Duration::from_secs(5));
        assert_eq!(restart.due(begin), Due::Ask);
        assert_eq!(restart.due(begin), Due::Nothing, "it has asked");
        let (words, state) = restart.answered(UNRECONCILED, begin);
        assert!(words.is_some_and(|words| words.contains("2 open orders")) && state.is_none());
        assert_eq!(restart.answered(UNRECONCILED, begin), (None, None), "said");
        let later = begin + ASK_EVERY;
        assert_eq!(restart.due(later), Due::Ask);
        let (_, state) = restart.answered(Readiness::default(), later);
        assert_eq!(state, Some(TradingState::ReduceOnly));
        restart.note_told(TradingState::ReduceOnly, later);
        assert_eq!(restart.due(later + Duration::from_secs(4)), Due::Nothing);
        let open = later + Duration::from_secs(5);
        assert_eq!(restart.due(open), Due::Tell(TradingState::Active));
        restart.note_told(TradingState::Active, open);
        assert_eq!(restart.due(open + SAY_EVERY), Due::Nothing);
    }

    #[test]
    fn a_gateway_that_begins_anew_is_open() {
        assert_eq!(Restart::none().due(Instant::now()), Due::Nothing);
    }
}

//! How a restarted gateway opens again: a step at a time.
//!
//! The control thread owns it. Cancel-only until the engine has spoken for each open order and each position
//! has a fresh price; then reduce-only for a while; then open, if both still hold. Invariants: each step is a
//! sequenced command; a step is never taken back by time; a person may take one early, and what a person shut
//! ([`Restart::note_told`]) is opened by nobody else. It must never open a gateway whose engine or prices are
//! not there: that takes a person. What the core says before it has heard how the former gateway ended says
//! nothing: its links are up there, and its prices as old as its last record.

use portcullis_domain::{Seq, TradingState};
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
    /// A person shut it.
    Held,
}

/// The ladder.
#[derive(Debug)]
pub(super) struct Restart {
    step: Step,
    reduce_only: Duration,
    /// The record before which no answer counts.
    begins_behind: Seq,
    asked: Option<Instant>,
    said: Option<(Readiness, Instant)>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Ask the core how far it is.
    Ask,
}

impl Restart {
    /// That of a gateway which goes on from a journal, and has said by this record how the former one ended.
    pub(super) const fn after_recovery(reduce_only: Duration, begins_behind: Seq) -> Self {
        Self {
            step: Step::Reconciling,
            reduce_only,
            begins_behind,
            asked: None,
            said: None,
        }
    }

    /// That of a gateway which begins anew: there is nothing to be careful about.
    pub(super) const fn none() -> Self {
        Self {
            step: Step::Open,
            reduce_only: Duration::ZERO,
            begins_behind: Seq::ZERO,
            asked: None,
            said: None,
        }
    }

    /// What is due now.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        if self.next(now).is_none() || self.asked.is_some_and(|asked| now - asked < ASK_EVERY) {
            return Due::Nothing;
        }
        self.asked = Some(now);
        Due::Ask
    }

    /// The state that it is time for, if the core is ready for it.
    fn next(&self, now: Instant) -> Option<TradingState> {
        match self.step {
            Step::Reconciling => Some(TradingState::ReduceOnly),
            Step::ReduceOnly(since) => {
                (now - since >= self.reduce_only).then_some(TradingState::Active)
            }
            Step::Open | Step::Held => None,
        }
    }

    /// The core's answer behind a record; words for people where there is something new to say, and the state that
    /// follows.
    pub(super) fn answered(
        &mut self,
        readiness: Readiness,
        seq: Seq,
        now: Instant,
    ) -> (Option<String>, Option<TradingState>) {
        let Some(next) = self.next(now).filter(|_| seq >= self.begins_behind) else {
            return (None, None);
        };
        if readiness.is_reconciled() && readiness.has_prices() {
            return (None, Some(next));
        }
        let known = self
            .said
            .is_some_and(|(said, at)| said == readiness && now - at < SAY_EVERY);
        if known {
            return (None, None);
        }
        self.said = Some((readiness, now));
        let step = match self.step {
            Step::ReduceOnly(_) => "reduce-only",
            Step::Reconciling | Step::Open | Step::Held => "cancel-only",
        };
        let words = format!(
            "restart: {step}; {} open orders wait for the engine, {} instruments with positions wait for \
             a fresh reference price",
            readiness.orders_unreconciled, readiness.references_stale
        );
        (Some(words), None)
    }

    /// A state was told, by this ladder or a person.
    pub(super) fn note_told(&mut self, state: TradingState, now: Instant) {
        self.step = match state {
            TradingState::Active => Step::Open,
            TradingState::ReduceOnly if self.step == Step::Reconciling => Step::ReduceOnly(now),
            // The ladder itself comes to it from below alone: this is a person, who shuts.
            TradingState::ReduceOnly => Step::Held,
            TradingState::CancelOnly | TradingState::Halted => Step::Held,
        };
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGINS_BEHIND: Seq = Seq::new(12);
    const READY: Readiness = Readiness {
        orders_unreconciled: 0,
        references_stale: 0,
    };
    const UNRECONCILED: Readiness = Readiness {
        orders_unreconciled: 2,
        ..READY
    };
    const NO_PRICE: Readiness = Readiness {
        references_stale: 1,
        ..READY
    };

    fn after_recovery() -> Restart {
        Restart::after_recovery(Duration::from_secs(5), BEGINS_BEHIND)
    }

    #[test]
    fn it_opens_by_steps() {
        let begin = Instant::now();
        let mut restart = after_recovery();
        assert_eq!(restart.due(begin), Due::Ask);
        assert_eq!(restart.due(begin), Due::Nothing, "it has asked");
        let (words, state) = restart.answered(UNRECONCILED, BEGINS_BEHIND, begin);
        assert!(words.is_some_and(|words| words.contains("2 open orders")) && state.is_none());
        let again = restart.answered(UNRECONCILED, BEGINS_BEHIND, begin);
        assert_eq!(again, (None, None), "said");
        let later = begin + ASK_EVERY;
        assert_eq!(restart.due(later), Due::Ask);
        let (_, state) = restart.answered(READY, BEGINS_BEHIND, later);
        assert_eq!(state, Some(TradingState::ReduceOnly));
        restart.note_told(TradingState::ReduceOnly, later);
        assert_eq!(restart.due(later + Duration::from_secs(4)), Due::Nothing);
        let open = later + Duration::from_secs(5);
        assert_eq!(restart.due(open), Due::Ask);
        let (words, state) = restart.answered(NO_PRICE, BEGINS_BEHIND, open);
        assert!(words.is_some_and(|words| words.contains("reduce-only")) && state.is_none());
        let (_, state) = restart.answered(READY, BEGINS_BEHIND, open);
        assert_eq!(state, Some(TradingState::Active));
        restart.note_told(TradingState::Active, open);
        assert_eq!(restart.due(open + SAY_EVERY), Due::Nothing);
    }

    /// The core is asked at once, and may answer before it takes its first record.
    #[test]
    fn what_the_core_says_before_the_first_commands_opens_nothing() {
        let now = Instant::now();
        let mut restart = after_recovery();
        let before = Seq::new(BEGINS_BEHIND.raw() - 1);
        assert_eq!(restart.answered(READY, before, now), (None, None));
        let (_, state) = restart.answered(READY, BEGINS_BEHIND, now);
        assert_eq!(state, Some(TradingState::ReduceOnly));
    }

    #[test]
    fn what_a_person_shut_stays_shut() {
        let now = Instant::now();
        let hour = Duration::from_secs(3_600);
        for state in [TradingState::CancelOnly, TradingState::Halted] {
            for mut restart in [after_recovery(), Restart::none()] {
                restart.note_told(state, now);
                assert_eq!(restart.due(now + hour), Due::Nothing, "{state:?}");
                let answered = restart.answered(READY, BEGINS_BEHIND, now + hour);
                assert_eq!(answered, (None, None), "asked before");
            }
        }
        let reduced = |mut restart: Restart| {
            restart.note_told(TradingState::ReduceOnly, now);
            restart.due(now + hour)
        };
        let stepped = |state| {
            let mut restart = after_recovery();
            restart.note_told(state, now);
            restart
        };
        assert_eq!(reduced(after_recovery()), Due::Ask, "a step, taken early");
        for shut in [
            Restart::none(),
            stepped(TradingState::Halted),
            stepped(TradingState::ReduceOnly),
        ] {
            assert_eq!(reduced(shut), Due::Nothing);
        }
    }

    #[test]
    fn a_gateway_that_begins_anew_is_open() {
        assert_eq!(Restart::none().due(Instant::now()), Due::Nothing);
    }
}

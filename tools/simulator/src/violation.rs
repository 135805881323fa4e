//! What a run may find: something that must never be so, with where and what.
//!
//! Owned by no thread. Invariant: the kind is what a smaller run must show again to be the same
//! finding; the words are for people.

use core::fmt;

/// What was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// An agent stopped in an assertion of its own.
    Panic,
    /// A client's stream has a gap, or a login was answered with another number than asked for.
    StreamNumber,
    /// A message that came again was not the same.
    StreamChanged,
    /// A message that is none, or is about nothing the client ever sent.
    StreamForeign,
    /// An order or replace was answered twice, or something was said of it that cannot be.
    AnswerTwice,
    /// An order or replace was never answered.
    AnswerMissing,
    /// More was executed than was asked for.
    Overfilled,
    /// A login that should be served was refused.
    LoginRefused,
    /// Records do not follow each other by one.
    SeqGap,
    /// The decision is not the one predicted.
    Verdict,
    /// The core's figures are not those of the model.
    Figures,
    /// A replay of the log does not come out as the core did.
    Digest,
    /// Holds are not the engine's open orders.
    OpenOrders,
    /// Positions are not the sum of the engine's fills.
    Positions,
    /// Something went to the engine twice, or without approval.
    SentTwice,
    /// An order or replace went to the engine before its record was kept.
    SentEarly,
    /// A client was told other fills than the engine made.
    Fills,
    /// A message could not be encoded.
    Unencodable,
    /// A journal that a crash left behind is refused.
    RecoveryRefused,
    /// What was durable is not there after a crash, or is not what it was.
    RecoveryLost,
    /// The engine's book cannot be made again from the journal.
    RecoveryEngine,
    /// A snapshot cannot be made of a journal that reads.
    Snapshot,
    /// With all faults off it does not come to rest.
    NotDrained,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What was broken.
    pub rule: Rule,
    /// Where, and what was seen.
    pub what: String,
}

impl Violation {
    /// A finding, in words.
    pub(crate) fn new(rule: Rule, what: impl Into<String>) -> Self {
        Self {
            rule,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

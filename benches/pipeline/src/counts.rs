//! What was sent into a pipeline and what came back, counted apart from what the core counts.
//!
//! On the measuring thread. Invariant: an item is counted once, as one thing.

/// What was sent, and what came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Orders sent, those that rest included.
    pub sent: u64,
    /// Orders that reached the venue.
    pub approved: u64,
    /// Orders refused.
    pub refused: u64,
    /// Engine's reports sent.
    pub reports: u64,
    /// Reports passed on to clients.
    pub reported: u64,
    /// Control commands sent.
    pub commands: u64,
    /// Control commands carried out.
    pub controlled: u64,
    /// Of them valuations of all accounts.
    pub valuations: u64,
    /// Mass cancels sent.
    pub mass_cancels: u64,
    /// Mass cancels taken.
    pub mass_cancels_taken: u64,
    /// Cancels that the gateway sent to the venue.
    pub cancels: u64,
    /// Trading states that changed.
    pub states: u64,
    /// All that should not be.
    pub unexpected: u64,
}

impl Counts {
    /// Whether something is still to come.
    #[must_use]
    pub const fn owe(&self) -> bool {
        self.sent > self.approved + self.refused
            || self.reports > self.reported
            || self.commands > self.controlled
            || self.mass_cancels > self.mass_cancels_taken
    }

    /// Holds the counts against each other, once nothing is owed.
    ///
    /// # Errors
    /// The first that does not agree, in words.
    pub fn check(&self) -> Result<(), String> {
        let same = [
            (
                "orders approved or refused",
                self.approved + self.refused,
                self.sent,
            ),
            ("reports passed on", self.reported, self.reports),
            ("reports", self.reports, self.approved),
            ("commands", self.controlled, self.commands),
            ("mass cancels", self.mass_cancels_taken, self.mass_cancels),
            ("unexpected items", self.unexpected, 0),
        ];
        match same.into_iter().find(|(_, is, must)| is != must) {
            Some((what, is, must)) => Err(format!("{what}: {is}, must be {must}")),
            None => Ok(()),
        }
    }
}

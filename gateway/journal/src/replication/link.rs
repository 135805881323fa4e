//! Signs of life: when one is due, and when the other side counts as gone.
//!
//! **Thread.** Its machine's.
//! **Invariants.** Every byte that is sent or comes is a sign of life; a heartbeat is written only where nothing waits
//! to be sent, so that a link that takes nothing does not fill with them.
//! **Never.** Read a clock.

use portcullis_domain::{Duration, Timestamp};

/// What a deadline that passed means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Nothing was due.
    NotDue,
    /// A heartbeat was written.
    Heartbeat,
    /// The other side was silent: close the connection.
    Silent,
}

/// Heartbeats are not sent more often, whatever the other side says it waits.
const HEARTBEAT_EVERY_MIN: Duration = Duration::from_ns(1_000_000);

/// A link that is up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    heartbeat_every: Duration,
    silence_max: Duration,
    sent: Timestamp,
    heard: Timestamp,
}

impl Link {
    pub(super) const fn new(
        heartbeat_every: Duration,
        silence_max: Duration,
        now: Timestamp,
    ) -> Self {
        Self {
            heartbeat_every,
            silence_max,
            sent: now,
            heard: now,
        }
    }

    /// The other side waits so long: three signs of life in that time.
    pub(super) fn peer_waits(&mut self, silence_max: Duration) {
        let third = Duration::from_ns(silence_max.ns() / 3).max(HEARTBEAT_EVERY_MIN);
        self.heartbeat_every = self.heartbeat_every.min(third);
    }

    pub(super) fn heard(&mut self, now: Timestamp) {
        self.heard = self.heard.later(now);
    }

    pub(super) fn sent(&mut self, now: Timestamp) {
        self.sent = self.sent.later(now);
    }

    fn silent_at(&self) -> Timestamp {
        self.heard.saturating_add(self.silence_max)
    }

    fn heartbeat_at(&self) -> Timestamp {
        self.sent.saturating_add(self.heartbeat_every)
    }

    pub(super) fn deadline(&self, may_beat: bool) -> Timestamp {
        if may_beat {
            self.silent_at().min(self.heartbeat_at())
        } else {
            self.silent_at()
        }
    }

    pub(super) fn due(&self, may_beat: bool, now: Timestamp) -> Timer {
        if now >= self.silent_at() {
            return Timer::Silent;
        }
        if may_beat && now >= self.heartbeat_at() {
            return Timer::Heartbeat;
        }
        Timer::NotDue
    }
}

//! When a link is polled, and when the poller watches its stream instead.
//!
//! Part of the link. Invariants: a link that is not polled is watched, so that its engine's next word is heard;
//! one that has been polled for long is not, which costs whoever sends to it; one that the system cannot watch
//! stays polled.

use super::{Dial, Link, LinkState, Read, Shared, Work, Write};
use portcullis_domain::Timestamp;
use portcullis_wire::soupbin::ClientSession;

impl<S: Read + Write> Link<S> {
    /// Whether nothing is to be done for it until its stream has news, an order comes, or a timer
    /// is due: as many of its reads as of all `polled` links have found nothing, `reads_max` in all.
    #[inline]
    pub(crate) fn is_cold(&self, polled: usize, reads_max: u64) -> bool {
        let settled = match self.state {
            LinkState::Stopped(_) => true,
            LinkState::Up => u64::from(self.fruitless) * polled as u64 >= reads_max,
            LinkState::Waiting { .. }
            | LinkState::Dialing
            | LinkState::LoggingIn
            | LinkState::Replaying { .. }
            | LinkState::Resending => false,
        };
        settled
            && self.told_up == (self.state == LinkState::Up)
            && self.owed.is_empty()
            && self.untold.is_none()
            && self.to_write.is_empty()
    }

    /// It stays among those polled, as it may have something, or leaves them for the poller to name. One that has
    /// been there for long is not watched by the poller, which costs whoever sends to it: it is before it leaves.
    #[inline]
    pub(crate) fn settle<D: Dial<Stream = S>>(&mut self, dial: &mut D, stays: bool, few: bool) {
        self.listed = stays;
        if !stays {
            self.leave_to_poller(dial);
            return;
        }
        let lasting = self.lasting.goes_on() && self.fruitless > 0;
        if lasting
            && few
            && self.watched
            && let Some(stream) = &mut self.stream
        {
            dial.unwatch(stream);
            self.watched = false;
        }
    }

    fn leave_to_poller<D: Dial<Stream = S>>(&mut self, dial: &mut D) {
        self.lasting.ends();
        let Some(stream) = &mut self.stream else {
            return;
        };
        if !self.watched && !dial.watch(self.session, stream) {
            self.listed = true;
            self.fruitless = 0;
            return;
        }
        self.watched = true;
    }

    /// There is a sign of bytes, or of the end.
    pub(crate) const fn wake(&mut self) {
        self.fruitless = 0;
    }

    /// A cold link's timers: a heartbeat that is due, an engine that is silent for too long.
    pub(crate) fn look_after(&mut self, shared: &mut Shared<'_>) {
        self.note(shared);
        if self.state == LinkState::Up {
            self.watch(false, shared);
            self.flush(shared, &mut Work::default());
        }
    }

    /// Whether its engine has been silent for too long, as far as was read.
    pub(crate) fn is_overdue(&self, now: Timestamp) -> bool {
        let overdue = |machine: &ClientSession| machine.is_overdue(now);
        self.machine.as_ref().is_some_and(overdue)
    }
}

//! Where orders that are not answered yet stand: found by session and number.
//!
//! On the measuring thread. Invariants: an order has a place of its own until it is answered; whom it keeps busy
//! is known until another order has the place.

use crate::limits::SESSIONS;
use crate::market::order_index;
use portcullis_domain::{SessionId, UserRef};
use std::time::Instant;

/// Orders of the load that can be unanswered: more than all rings hold.
pub(crate) const UNANSWERED_MAX: u64 = 1 << 16;
/// The same of each session behind those of the load.
const OF_SESSION: u64 = 64;

/// No account is kept busy by an order.
pub(crate) const NOBODY: u16 = u16::MAX;

/// The places.
#[derive(Debug)]
pub(crate) struct Places(Box<[Place]>);

#[derive(Clone, Copy, Debug)]
struct Place {
    /// Which order it is, and when it was planned.
    planned: Option<(Named, Instant)>,
    /// Whom it keeps busy.
    busy: u16,
}

type Named = (SessionId, UserRef);

impl Places {
    /// For so many sessions.
    #[must_use]
    pub(crate) fn new(sessions: u32) -> Self {
        let others = u64::from(sessions - SESSIONS);
        let free = Place {
            planned: None,
            busy: NOBODY,
        };
        Self(vec![free; (UNANSWERED_MAX + others * OF_SESSION) as usize].into_boxed_slice())
    }

    /// An order was sent.
    ///
    /// # Panics
    /// If another that is not answered has its place.
    pub(crate) fn take(
        &mut self,
        session: SessionId,
        user_ref: UserRef,
        planned: Instant,
        busy: u16,
    ) {
        let place = &mut self.0[index(session, user_ref)];
        assert!(
            place.planned.is_none(),
            "an order's place is free before it is sent"
        );
        *place = Place {
            planned: Some(((session, user_ref), planned)),
            busy,
        };
    }

    /// An order was answered; when it was planned, if it was waiting for that.
    pub(crate) fn leave(&mut self, session: SessionId, user_ref: UserRef) -> Option<Instant> {
        let planned = self.0[index(session, user_ref)].planned.take();
        planned
            .filter(|(named, _)| *named == (session, user_ref))
            .map(|(_, planned)| planned)
    }

    /// Whom an order that was answered had kept busy.
    #[must_use]
    pub(crate) fn busy(&self, session: SessionId, user_ref: UserRef) -> u16 {
        self.0[index(session, user_ref)].busy
    }
}

fn index(session: SessionId, user_ref: UserRef) -> usize {
    let index = match session.raw().checked_sub(SESSIONS) {
        None => order_index(session, user_ref) % UNANSWERED_MAX,
        Some(other) => {
            UNANSWERED_MAX + u64::from(other) * OF_SESSION + u64::from(user_ref.number) % OF_SESSION
        }
    };
    index as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_answered_once_and_by_its_own_name() {
        let mut places = Places::new(SESSIONS + 2);
        let now = Instant::now();
        for session in [0, SESSIONS - 2, SESSIONS + 1] {
            let (session, user_ref) = (SessionId::new(session), UserRef::new(70));
            places.take(session, user_ref, now, 5);
            let other = UserRef::new(71);
            assert_eq!(places.leave(session, other), None);
            assert_eq!(places.leave(session, user_ref), Some(now));
            assert_eq!(places.leave(session, user_ref), None);
            assert_eq!(places.busy(session, user_ref), 5);
        }
    }
}

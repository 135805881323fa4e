//! Which connection each session is logged on with.
//!
//! Owned by ingress. Invariant: how many there are is what other threads read of it.

use crate::transport::ConnectionId;
use portcullis_domain::SessionId;
use portcullis_runtime::{CounterReader, CounterWriter};

/// The connections by session.
#[derive(Debug)]
pub(super) struct LoggedOn {
    by_session: Box<[Option<ConnectionId>]>,
    count: u64,
    told: CounterWriter,
}

impl LoggedOn {
    pub(super) fn new(sessions: usize) -> Self {
        Self {
            by_session: vec![None; sessions].into_boxed_slice(),
            count: 0,
            told: CounterWriter::default(),
        }
    }

    /// How many there are, for another thread.
    pub(super) fn reader(&self) -> CounterReader {
        self.told.reader()
    }

    /// A session is logged on with this connection; the one it had before, if it had one.
    pub(super) fn enter(&mut self, session: SessionId, id: ConnectionId) -> Option<ConnectionId> {
        let former = self.by_session[session.index()].replace(id);
        self.count += u64::from(former.is_none());
        self.told.set(self.count);
        former
    }

    /// The connection is over; another of the same session stays.
    pub(super) fn leave(&mut self, session: SessionId, id: ConnectionId) {
        let connection = &mut self.by_session[session.index()];
        if *connection == Some(id) {
            *connection = None;
            self.count -= 1;
            self.told.set(self.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_counts_once_and_is_left_by_its_own_connection_alone() {
        let mut logged_on = LoggedOn::new(2);
        let count = logged_on.reader();
        let (first, second) = (SessionId::new(0), SessionId::new(1));
        let id = ConnectionId::from_raw;
        assert_eq!(logged_on.enter(first, id(1)), None);
        assert_eq!(logged_on.enter(second, id(2)), None);
        assert_eq!(count.get(), 2);
        assert_eq!(logged_on.enter(first, id(3)), Some(id(1)));
        logged_on.leave(first, id(1));
        assert_eq!(count.get(), 2, "its connection is another by now");
        logged_on.leave(first, id(3));
        logged_on.leave(first, id(3));
        assert_eq!(count.get(), 1);
    }
}

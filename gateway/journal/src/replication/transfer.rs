//! Objects under way on one connection: which, how long, and how far.
//!
//! **Thread.** Its machine's.
//! **Invariants.** At most [`TRANSFERS_MAX`]; an offset never passes the end.
//! **Never.** Hold a byte of an object.

use super::TRANSFERS_MAX;
use super::message::Object;

/// One object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transfer {
    pub(super) object: Object,
    pub(super) total: u64,
    /// Where the next block begins, once it has been asked for.
    pub(super) next: Option<u64>,
}

impl Transfer {
    /// Bytes that are asked for and were not sent.
    fn rest(&self) -> u64 {
        self.next.map_or(0, |next| self.total - next)
    }
}

/// All of a connection.
#[derive(Debug, Default)]
pub(super) struct Transfers(Vec<Transfer>);

impl Transfers {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn find(&mut self, object: Object) -> Option<&mut Transfer> {
        self.0.iter_mut().find(|it| it.object == object)
    }

    /// Adds one; false where there is no room.
    pub(super) fn add(&mut self, object: Object, total: u64) -> bool {
        if self.0.len() == TRANSFERS_MAX {
            return false;
        }
        let next = None;
        self.0.push(Transfer {
            object,
            total,
            next,
        });
        true
    }

    pub(super) fn remove(&mut self, object: Object) {
        self.0.retain(|it| it.object != object);
    }

    /// The oldest of which something is to be sent.
    pub(super) fn pending(&self) -> Option<Transfer> {
        self.0.iter().find(|it| it.rest() > 0).copied()
    }
}

//! A session: who may have it, what it said, which numbers it used.
//!
//! Owned by the floor's thread; it outlives its connections. Invariant: numbers of a row only grow.

use crate::config::EngineUser;
use crate::stream::SequencedStream;
use portcullis_domain::UserRef;
use portcullis_wire::soupbin::LoginRequest;
use std::collections::BTreeMap;

/// What a session's clients did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SessionCounts {
    pub(crate) logins: u64,
    /// Logins that ended another connection.
    pub(crate) takeovers: u64,
    pub(crate) orders_entered: u64,
    pub(crate) replaces_entered: u64,
    pub(crate) cancels: u64,
    /// Enter and Replace messages whose number was used before: ignored.
    pub(crate) enters_repeated: u64,
    pub(crate) replaces_repeated: u64,
    /// Replaces of what is not open: ignored.
    pub(crate) replaces_ignored: u64,
    pub(crate) queries: u64,
    /// Messages that cannot be read, or that this engine does not do.
    pub(crate) not_understood: u64,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) owner: EngineUser,
    pub(crate) stream: SequencedStream,
    pub(crate) counts: SessionCounts,
    /// Its connection of the moment.
    pub(crate) connection: Option<usize>,
    /// The last number of each row.
    last: BTreeMap<u8, u32>,
}

impl Session {
    pub(crate) fn new(owner: EngineUser) -> Self {
        Self {
            owner,
            stream: SequencedStream::default(),
            counts: SessionCounts::default(),
            connection: None,
            last: BTreeMap::new(),
        }
    }

    /// Whether a login is for it; its password is another question.
    pub(crate) fn is_of(&self, login: &LoginRequest) -> bool {
        self.owner.user.to_ascii_uppercase() == login.user.to_ascii_uppercase()
    }

    pub(crate) fn last_number(&self, row: u8) -> u32 {
        self.last.get(&row).copied().unwrap_or(0)
    }

    /// Uses a number; `false` if it, or a later one, was used before.
    pub(crate) fn use_number(&mut self, number: UserRef) -> bool {
        let last = self.last.entry(number.row).or_insert(0);
        let is_new = number.number > *last;
        *last = number.number.max(*last);
        is_new
    }
}

//! From where in a journal a session's messages can be made again.
//!
//! Whoever resends, off the path of orders. Invariants: what is said to be there was read in the folder; the
//! newest place is taken, since all behind it is replayed.

use crate::egress::ClientStreams;
use crate::recovery::{Follower, Ground, RecoveryError, saved_streams};
use portcullis_domain::SessionId;
use portcullis_journal::{
    JournalError, Listed, Mode, Storage, is_snapshot, list_segments, newest_snapshot,
};
use portcullis_venue::RecallVenue;

/// How a folder looked: while it looks so, it reaches back as far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Looks {
    first: Option<u64>,
    snapshots: Vec<Listed>,
}

impl Looks {
    /// Whether all was kept from the first record on.
    pub(super) fn begins_with_the_first(&self) -> bool {
        self.first == Some(1)
    }
}

/// How a folder looks. Where its first segment begins with the first record, snapshots do not matter.
pub(super) fn looks<S: Storage>(storage: &S) -> Result<Looks, RecoveryError> {
    let segments = list_segments(storage)?;
    let first = segments.first().map(|name| name.seq_first());
    let snapshots = match first {
        Some(1) => Vec::new(),
        Some(_) | None => {
            let listed = storage.list().map_err(RecoveryError::Snapshot)?;
            let is_one = |file: &Listed| is_snapshot(&file.name);
            listed.into_iter().filter(is_one).collect()
        }
    };
    Ok(Looks { first, snapshots })
}

/// By session, from which message on a folder that looks so can make all.
pub(super) fn reach_back<S: Storage>(
    storage: &S,
    looks: &Looks,
    sessions: usize,
) -> Result<Vec<u64>, RecoveryError> {
    let first = match looks.first {
        Some(1) => return Ok(vec![1; sessions]),
        Some(first) => first,
        None => return Ok(vec![u64::MAX; sessions]),
    };
    let found = newest_snapshot(storage)?;
    // The oldest of those whose records are there.
    let mut usable = found.whole.iter().rev();
    let Some((slot, _)) = usable.find(|(_, header)| header.seq + 1 >= first) else {
        return Ok(vec![u64::MAX; sessions]);
    };
    let mut oldest = oldest_saved(storage, slot)?;
    // A session that was not there then had been told nothing.
    oldest.resize(sessions.max(oldest.len()), 1);
    Ok(oldest)
}

fn oldest_saved<S: Storage>(storage: &S, slot: &str) -> Result<Vec<u64>, RecoveryError> {
    let saved = saved_streams(storage, slot)?;
    ClientStreams::oldest_saved(&saved).map_err(RecoveryError::Streams)
}

/// A follower whose replica has, or will have, a session's messages from a number on.
pub(super) fn begin<S: Storage, V: RecallVenue>(
    ground: &Ground<'_, S>,
    (session, from): (SessionId, u64),
    venue: &mut dyn FnMut() -> Result<V, String>,
) -> Result<Follower<S, V>, String> {
    let storage = ground.storage;
    let found = newest_snapshot(storage).map_err(in_words)?;
    for (slot, _) in &found.whole {
        let saved = oldest_saved(storage, slot).map_err(|error| error.to_string())?;
        // A session that was not there then had been told nothing.
        let oldest = saved.get(session.index()).copied().unwrap_or(1);
        if oldest > from {
            continue;
        }
        let follower = Follower::behind(ground, venue()?, Mode::Follow, Some(slot));
        let mut follower = follower.map_err(|error| error.to_string())?;
        // A store that is smaller than the one that was saved keeps the newest.
        if follower.replica().streams().oldest(session) <= from {
            return Ok(follower);
        }
    }
    let follower = Follower::behind(ground, venue()?, Mode::Follow, None);
    follower.map_err(|error| error.to_string())
}

fn in_words(error: JournalError) -> String {
    error.to_string()
}

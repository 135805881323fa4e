//! Verification of logons on a thread of its own, between two bounded queues.
//!
//! Owned by the credential thread; the data plane holds the other ends of the queues. Invariants:
//! one request, one answer, in order; an unknown user costs a hash of the dearest kind in the table;
//! an address over its limit costs none. A full request queue is the data plane's to answer.

use super::address_limit::AddressLimit;
use super::hash::{HashCost, HashError, hash_password, matches, parse};
use crate::config::SessionConfig;
use argon2::password_hash::phc::PasswordHash;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use portcullis_domain::{SessionId, Timestamp};
use rtrb::{Consumer, Producer, RingBuffer};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long the thread sleeps when there is nothing to do, and when the answers find no room.
const PAUSE: Duration = Duration::from_millis(1);

/// A logon to be verified.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LogonRequest {
    /// The connection that asks; it comes back with the answer.
    pub connection: u32,
    /// The user as it stood in the logon, padded with blanks.
    pub user: [u8; 6],
    /// The password as it stood in the logon, padded with blanks.
    pub password: [u8; 10],
    /// Where the connection comes from.
    pub address: IpAddr,
}

impl fmt::Debug for LogonRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogonRequest")
            .field("connection", &self.connection)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// What came of a logon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogonVerdict {
    /// User and password belong together; the session is theirs.
    Accepted(SessionId),
    /// They do not.
    Refused,
    /// The address has failed too often; the password was not looked at.
    AddressLimited,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogonAnswer {
    /// The connection that asked.
    pub connection: u32,
    /// What came of it.
    pub verdict: LogonVerdict,
}

/// The hashes of all users.
pub struct CredentialTable {
    entries: Vec<([u8; 6], SessionId, PasswordHash)>,
    decoy: PasswordHash,
}

impl CredentialTable {
    /// The table of the config's sessions.
    ///
    /// # Errors
    /// A hash that cannot be used, by its user; or the system gave no random salt.
    pub fn new(sessions: &[SessionConfig]) -> Result<Self, HashError> {
        let mut dearest: Option<HashCost> = None;
        let mut entries = Vec::with_capacity(sessions.len());
        for session in sessions {
            let (hash, cost) = parse(&session.password_hash)?;
            let work = |cost: HashCost| u64::from(cost.memory_kib) * u64::from(cost.passes);
            if dearest.is_none_or(|dearest| work(cost) > work(dearest)) {
                dearest = Some(cost);
            }
            entries.push((
                padded_capitals(session.user.as_bytes()),
                session.session,
                hash,
            ));
        }
        entries.sort_unstable_by_key(|(user, _, _)| *user);
        let decoy = hash_password("decoy", dearest.unwrap_or_default())?;
        Ok(Self {
            entries,
            decoy: parse(&decoy)?.0,
        })
    }

    fn find(&self, user: [u8; 6]) -> Option<(SessionId, &PasswordHash)> {
        let user = padded_capitals(user.trim_ascii());
        let at = self
            .entries
            .binary_search_by_key(&user, |(user, _, _)| *user)
            .ok()?;
        let (_, session, hash) = &self.entries[at];
        Some((*session, hash))
    }
}

fn padded_capitals(user: &[u8]) -> [u8; 6] {
    let mut padded = [b' '; 6];
    for (to, from) in padded.iter_mut().zip(user) {
        *to = from.to_ascii_uppercase();
    }
    padded
}

/// Verifies logons; the table in it can be exchanged while it runs.
pub struct Verifier {
    table: Arc<Mutex<Arc<CredentialTable>>>,
    limit: AddressLimit,
}

impl Verifier {
    /// A verifier of this table.
    #[must_use]
    pub fn new(table: CredentialTable, limit: AddressLimit) -> Self {
        Self {
            table: Arc::new(Mutex::new(Arc::new(table))),
            limit,
        }
    }

    /// The handle by which a reload exchanges the table. A logon under way keeps the one it began
    /// with.
    #[must_use]
    pub fn table(&self) -> Arc<Mutex<Arc<CredentialTable>>> {
        Arc::clone(&self.table)
    }

    /// What comes of a request at a time.
    pub fn verify(&mut self, request: &LogonRequest, now: Timestamp) -> LogonVerdict {
        if !self.limit.allows(request.address, now) {
            return LogonVerdict::AddressLimited;
        }
        let table = Arc::clone(&self.table.lock().unwrap_or_else(PoisonError::into_inner));
        let known = table.find(request.user);
        let hash = known.map_or(&table.decoy, |(_, hash)| hash);
        let right = matches(&request.password, hash);
        match known {
            Some((session, _)) if right => LogonVerdict::Accepted(session),
            _ => {
                self.limit.failed(request.address, now);
                LogonVerdict::Refused
            }
        }
    }
}

/// The queues between the data plane and the credential thread.
pub struct CredentialQueues {
    /// The data plane's end: requests in. Full: refuse the logon.
    pub requests: Producer<LogonRequest>,
    /// The data plane's end: answers out.
    pub answers: Consumer<LogonAnswer>,
    /// The thread's end of the requests.
    pub requests_out: Consumer<LogonRequest>,
    /// The thread's end of the answers.
    pub answers_in: Producer<LogonAnswer>,
}

impl CredentialQueues {
    /// Queues with room for this many logons each.
    #[must_use]
    pub fn new(logons_pending_max: usize) -> Self {
        let (requests, requests_out) = RingBuffer::new(logons_pending_max);
        let (answers_in, answers) = RingBuffer::new(logons_pending_max);
        Self {
            requests,
            answers,
            requests_out,
            answers_in,
        }
    }
}

/// The credential thread: verifies until `stop` is set.
pub fn run(
    verifier: &mut Verifier,
    requests: &mut Consumer<LogonRequest>,
    answers: &mut Producer<LogonAnswer>,
    stop: &AtomicBool,
) {
    let start = Instant::now();
    while !stop.load(Ordering::Acquire) {
        let Ok(request) = requests.pop() else {
            thread::sleep(PAUSE);
            continue;
        };
        let since_start = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let verdict = verifier.verify(&request, Timestamp::from_ns(since_start));
        let answer = LogonAnswer {
            connection: request.connection,
            verdict,
        };
        while answers.push(answer).is_err() {
            if stop.load(Ordering::Acquire) {
                return;
            }
            thread::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests;

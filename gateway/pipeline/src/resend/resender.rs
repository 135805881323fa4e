//! Resends from the journal, one session at a time.
//!
//! Owned by a thread of its own, which reads files and never meets the agents but over its end of the ring.
//! Invariants: sessions that ask come in turn, and one whose client is slow gives way to those that wait; what
//! cannot be made again is told in words, ends the connection that asked, and is not promised again; nothing
//! here is ever written.

use super::grounds::{Looks, begin, looks, reach_back};
use super::replay::{Replay, STORE_MESSAGES_MIN, Turn};
use super::{Asked, ResendSource, ResentItem};
use crate::egress::EgressConfig;
use crate::recovery::{Ground, Prelude};
use portcullis_domain::{Duration, HashSeed, RAW_BYTES_MAX, SessionId, Timestamp};
use portcullis_journal::Storage;
use portcullis_venue::RecallVenue;
use portcullis_wire::soupbin::encode::packet_len;

/// How often is looked how far the journal reaches back.
const LOOK_EVERY: Duration = Duration::from_ns(5_000_000_000);

/// How long in all a client may be waited for while another session asks.
const CLIENT_PATIENCE: Duration = Duration::from_ns(10_000_000_000);

/// How long records may be waited for that egress has spoken of: the log may be behind, or in trouble.
const JOURNAL_PATIENCE: Duration = Duration::from_ns(10_000_000_000);

/// After how long what could not be read is promised again: a disk may have come back.
const RETRY_AFTER: Duration = Duration::from_ns(60_000_000_000);

/// Makes a venue that was told nothing, for a replica.
pub type MakeVenue<V> = Box<dyn FnMut() -> Result<V, String> + Send>;

/// What a resender is made with.
pub struct ResenderConfig<S, V> {
    /// The journal's folder.
    pub storage: S,
    /// What the journal's core was made from.
    pub prelude: Prelude,
    /// Where keys lie in the tables of replicas' cores: this process's own.
    pub hash_seed: HashSeed,
    /// How clients are told.
    pub egress: EgressConfig,
    /// Makes replicas' venues.
    pub venue: MakeVenue<V>,
    /// Whoever is to be told of what was resent, and what could not be, in words.
    pub tell: Box<dyn FnMut(&str) + Send>,
}

/// What the resender is at.
enum Doing<S: Storage, V> {
    Nothing,
    Replaying {
        replay: Box<Replay<S, V>>,
        since: Timestamp,
        waited: Waited,
    },
    /// Egress is to be told that nothing more comes, and then to withdraw.
    GivingUp {
        asked: Asked,
        told: bool,
    },
}

/// How long was waited for others.
#[derive(Clone, Copy, Debug, Default)]
struct Waited {
    /// For the client, in all.
    client: Duration,
    /// For the journal, since it last gave anything.
    journal: Duration,
}

/// What of a session could not be made again.
#[derive(Clone, Copy, Debug)]
struct Unreadable {
    session: SessionId,
    /// All messages before this number.
    before: u64,
    /// When that was found.
    since: Timestamp,
}

/// The resender.
pub struct Resender<S: Storage, V> {
    config: ResenderConfig<S, V>,
    source: ResendSource,
    doing: Doing<S, V>,
    /// The session whose turn it is.
    turn: usize,
    /// What could not be made again and is not to be promised, of each session at most once.
    unreadable: Vec<Unreadable>,
    looked: Option<(Timestamp, Looks)>,
    /// When it worked last.
    worked: Timestamp,
}

impl<S: Storage, V: RecallVenue> Resender<S, V> {
    /// The resender. Says at once that the journal reaches back to its first record, where it does; to find
    /// out how far else takes the first [`Self::work`], which reads snapshots.
    #[must_use]
    pub fn new(mut config: ResenderConfig<S, V>, source: ResendSource, now: Timestamp) -> Self {
        let store = &mut config.egress;
        store.store_messages = store.store_messages.max(STORE_MESSAGES_MIN);
        // One more, for what the end of a store's ring leaves free.
        let bytes_min = (STORE_MESSAGES_MIN + 1) * packet_len(RAW_BYTES_MAX);
        store.store_bytes = store.store_bytes.max(bytes_min);
        let sessions = source.reach.len();
        let mut resender = Self {
            config,
            source,
            doing: Doing::Nothing,
            turn: 0,
            unreadable: Vec::with_capacity(sessions),
            looked: None,
            worked: now,
        };
        if looks(&resender.config.storage).is_ok_and(|looks| looks.begins_with_the_first()) {
            resender.look(now);
        }
        resender
    }

    /// Works for a while; what was done, and nothing where there was nothing to do or only to wait.
    pub fn work(&mut self, now: Timestamp) -> usize {
        self.look_if_due(now);
        // A clock that was set back makes no wait longer or shorter.
        let passed = now.since(self.worked);
        self.worked = now;
        match std::mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Nothing => self.begin(now),
            Doing::GivingUp { asked, told } => self.go_on_giving_up(asked, told),
            Doing::Replaying {
                replay,
                since,
                waited,
            } => self.go_on(replay, since, waited, passed),
        }
    }

    /// Whether nobody asks for anything.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        matches!(self.doing, Doing::Nothing)
    }

    fn begin(&mut self, now: Timestamp) -> usize {
        let Some(asked) = self.source.next_asked(self.turn) else {
            return 0;
        };
        self.turn = asked.session.index() + 1;
        let ResenderConfig {
            storage,
            prelude,
            hash_seed,
            egress,
            venue,
            ..
        } = &mut self.config;
        let ground = Ground {
            storage,
            prelude,
            hash_seed: *hash_seed,
            egress,
            from_snapshot: true,
        };
        match begin(&ground, (asked.session, asked.from), venue) {
            Ok(follower) => {
                let replay = Box::new(Replay::new(asked, follower));
                self.doing = Doing::Replaying {
                    replay,
                    since: now,
                    waited: Waited::default(),
                };
            }
            Err(error) => self.cannot_read(asked, asked.from, &error),
        }
        1
    }

    fn go_on(
        &mut self,
        mut replay: Box<Replay<S, V>>,
        since: Timestamp,
        mut waited: Waited,
        passed: Duration,
    ) -> usize {
        if !self.source.wants(replay.asked()) {
            self.tell_end(&replay, since);
            return 1;
        }
        let worked = match replay.turn(&mut self.source) {
            Ok(Turn::Worked(count)) => {
                waited.journal = Duration::default();
                count
            }
            Ok(Turn::ClientWaitedFor) => {
                waited.client = both(waited.client, passed);
                0
            }
            Ok(Turn::JournalWaitedFor) => {
                waited.journal = both(waited.journal, passed);
                0
            }
            Err(error) => {
                let asked = *replay.asked();
                self.cannot_read(asked, replay.next(), &error.to_string());
                return 1;
            }
        };
        let asked = *replay.asked();
        if waited.client > CLIENT_PATIENCE && self.another_asks(&asked) {
            let words =
                "its client takes too little and another session waits; it may log in again";
            self.give_up(asked, replay.next(), words);
        } else if waited.journal > JOURNAL_PATIENCE {
            let words = "the journal does not have the records yet; it may log in again";
            self.give_up(asked, replay.next(), words);
        } else {
            self.doing = Doing::Replaying {
                replay,
                since,
                waited,
            };
        }
        worked
    }

    fn another_asks(&self, asked: &Asked) -> bool {
        let next = self.source.next_asked(asked.session.index() + 1);
        next.is_some_and(|next| next.session != asked.session)
    }

    fn go_on_giving_up(&mut self, asked: Asked, mut told: bool) -> usize {
        if !self.source.wants(&asked) {
            return 1;
        }
        // Where the ring is full, egress looks for itself.
        told = told || self.source.items.send(ResentItem::given_up(&asked), &[]);
        self.doing = Doing::GivingUp { asked, told };
        0
    }

    fn give_up(&mut self, asked: Asked, at: u64, why: &str) {
        let Asked { session, from, .. } = asked;
        (self.config.tell)(&format!(
            "session {}: asked from message {from} on, ended at {at}: {why}",
            session.raw()
        ));
        self.source.give_up(&asked);
        self.doing = Doing::GivingUp { asked, told: false };
    }

    /// The journal does not give a message: what is up to it is not promised to its session for a while.
    fn cannot_read(&mut self, asked: Asked, at: u64, why: &str) {
        let session = asked.session;
        let known = self.unreadable.iter().find(|of| of.session == session);
        let before = known.map_or(0, |of| of.before).max(at + 1);
        self.unreadable.retain(|of| of.session != session);
        self.unreadable.push(Unreadable {
            session,
            before,
            since: self.worked,
        });
        self.looked = None;
        self.look(self.worked);
        self.give_up(asked, at, why);
    }

    fn tell_end(&mut self, replay: &Replay<S, V>, since: Timestamp) {
        let asked = replay.asked();
        let origin = match replay.began() {
            0 => "the first record".to_owned(),
            record => format!("the snapshot of record {record}"),
        };
        (self.config.tell)(&format!(
            "session {}: messages {} to {} from the journal in {} ms, from {origin}",
            asked.session.raw(),
            asked.from,
            replay.next() - 1,
            self.worked.since(since).ns() / 1_000_000,
        ));
    }

    fn look_if_due(&mut self, now: Timestamp) {
        // A clock that was set back puts nothing off.
        let is_over = |at: Timestamp, span| now.since(at) >= span || now < at;
        let known = self.unreadable.len();
        self.unreadable.retain(|of| !is_over(of.since, RETRY_AFTER));
        if self.unreadable.len() < known {
            self.looked = None;
        }
        let looked = self.looked.as_ref();
        if looked.is_none_or(|(at, _)| is_over(*at, LOOK_EVERY)) {
            self.look(now);
        }
    }

    /// Looks how far the journal reaches back, and says so.
    fn look(&mut self, now: Timestamp) {
        let storage = &self.config.storage;
        let former = self.looked.take().map(|(_, looks)| looks);
        let found = looks(storage).and_then(|looks| {
            let changed = former.as_ref() != Some(&looks);
            let sessions = self.source.reach.len();
            let reach = changed.then(|| reach_back(storage, &looks, sessions));
            Ok((looks, reach.transpose()?))
        });
        match found {
            Ok((looks, reach)) => {
                self.looked = Some((now, looks));
                if let Some(reach) = reach {
                    self.say(&reach);
                }
            }
            Err(error) => {
                (self.config.tell)(&format!("how far the journal reaches back: {error}"));
                let nothing = vec![u64::MAX; self.source.reach.len()];
                self.looked = Some((now, Looks::default()));
                self.say(&nothing);
            }
        }
    }

    fn say(&mut self, reach: &[u64]) {
        for (session, number) in (0..).map(SessionId::new).zip(reach) {
            let unreadable = self.unreadable.iter().find(|of| of.session == session);
            let number = unreadable.map_or(*number, |of| of.before.max(*number));
            self.source.reach.say_journaled(session, number);
        }
    }
}

const fn both(one: Duration, other: Duration) -> Duration {
    Duration::from_ns(one.ns().saturating_add(other.ns()))
}

//! The follower's side: one machine for all the connections that a standby makes.
//!
//! **Thread.** Owned by the thread that owns the connection.
//! **Invariants.** A frame is yielded only if it is whole, follows from the last one, and is of no lower term; so what
//! was yielded is a prefix of one chain, and a hello names its end. Whoever calls writes a frame before the next step.
//! A machine that stopped or was promoted takes no frame again.
//! **Never.** Follow a leader of a lower term than one it has heard of: that leader is told.

mod event;
mod hearing;
mod objects;
mod promotion;

pub use event::{FollowerEvent, FollowerStep};
pub use promotion::{Promotion, PromotionRefused};

use super::VERSION;
use super::decode::{Parsed, parse};
use super::link::{Link, Timer};
use super::message::{Ack, DigestMismatch, Heartbeat, Hello, Message};
use super::outbox::Outbox;
use super::process_number::ProcessNumber;
use super::transfer::Transfers;
use crate::frame::{Chain, FrameHeader, Term};
use portcullis_domain::{Duration, Timestamp, Unit};

/// How a follower follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerConfig {
    /// The process that it is.
    pub process: ProcessNumber,
    /// Longest time without a sign of life from here.
    pub heartbeat_every: Duration,
    /// Silence after which the leader counts as gone, and the time it has to answer a hello.
    pub silence_max: Duration,
    /// Payload bytes of frames and blocks that may be under way to it.
    pub window_bytes: u64,
    /// The longest object that it takes.
    pub object_bytes_max: u64,
    /// Whether it begins behind a snapshot, where it has no log.
    pub takes_snapshot: bool,
}

/// What a follower has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerPosition {
    /// Number of its journal; 0 while it has heard of none.
    pub journal: u64,
    /// The highest term of that journal it has ever heard of.
    pub term: Term,
    /// Its last record; 0 for none.
    pub last_seq: u64,
    /// The chain there.
    pub chain: Chain,
    /// The term of its last frame.
    pub log_term: Term,
    /// The snapshot of which it has a part; 0 for none.
    pub staged_snapshot: u64,
}

/// Where a follower stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowerState {
    /// Not connected.
    Idle,
    /// The hello was written.
    AwaitingWelcome,
    /// A snapshot comes first.
    Staging,
    /// Frames come.
    Following,
    /// It found another digest than the leader's, or led and was succeeded: it takes nothing more.
    Stopped,
    /// It leads.
    Promoted,
}

/// The machine.
#[derive(Debug)]
pub struct Follower {
    config: FollowerConfig,
    state: FollowerState,
    at: FollowerPosition,
    /// The leader's term on this connection.
    leader_term: Term,
    /// The least that it must have reached to be worth a promotion: the end of the log that it was welcomed to.
    leader_last: Option<u64>,
    /// The record and chain that a snapshot which is being taken ends with.
    snapshot: Option<(u64, Chain)>,
    link: Option<Link>,
    out: Outbox,
    transfers: Transfers,
    acked: Ack,
    taken_bytes: u64,
    /// The frame that was yielded last, where its units lie as records do.
    units: Vec<Unit>,
}

impl Follower {
    /// Not connected yet.
    ///
    /// # Panics
    /// If a term was heard of, and it is of no journal.
    #[must_use]
    pub fn new(config: FollowerConfig, at: FollowerPosition) -> Self {
        assert!(
            at.journal != 0 || at.term == Term::new(0),
            "a term is one of a journal"
        );
        Self {
            config,
            state: FollowerState::Idle,
            at,
            leader_term: Term::new(0),
            leader_last: None,
            snapshot: None,
            link: None,
            out: Outbox::default(),
            transfers: Transfers::default(),
            acked: Ack::default(),
            taken_bytes: 0,
            units: Vec::new(),
        }
    }

    /// That of a node which leads the term of this place since a promotion, maybe in a former life: it only tells it.
    ///
    /// # Panics
    /// If that is a term of no journal.
    #[must_use]
    pub fn promoted(config: FollowerConfig, at: FollowerPosition) -> Self {
        assert!(at.journal != 0, "who was promoted has a journal");
        Self {
            state: FollowerState::Promoted,
            ..Self::new(config, at)
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> FollowerState {
        self.state
    }

    /// What it has.
    #[must_use]
    pub const fn position(&self) -> FollowerPosition {
        self.at
    }

    /// A snapshot never takes the place of a log: what is gone from the leader cannot be held against it.
    const fn takes_snapshot(&self) -> bool {
        self.config.takes_snapshot && self.at.last_seq == 0
    }

    /// The record of the snapshot that comes before any frame, while one does.
    #[must_use]
    pub fn wants_snapshot(&self) -> Option<u64> {
        self.snapshot.map(|(seq, _)| seq)
    }

    /// Bytes to send.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.out.pending()
    }

    /// So many of them were sent.
    ///
    /// # Panics
    /// If there were not so many.
    pub fn sent(&mut self, count: usize, now: Timestamp) {
        self.out.sent(count);
        if let Some(link) = self.link.as_mut().filter(|_| count > 0) {
            link.sent(now);
        }
    }

    /// The socket is connected: writes the hello. Whoever was promoted tells its term so; false, and nothing is
    /// written, for a follower that stopped.
    pub fn connect(&mut self, now: Timestamp) -> bool {
        if self.state == FollowerState::Stopped {
            return false;
        }
        self.disconnected();
        let promoted = self.state == FollowerState::Promoted;
        self.link = Some(Link::new(
            self.config.heartbeat_every,
            self.config.silence_max,
            now,
        ));
        self.out.push(&Message::Hello(Hello {
            version: VERSION,
            process: self.config.process,
            promoted,
            takes_snapshot: self.takes_snapshot(),
            journal: self.at.journal,
            term: self.at.term.raw(),
            last_seq: self.at.last_seq,
            chain: self.at.chain.raw(),
            staged_snapshot: self.at.staged_snapshot,
            window_bytes: self.config.window_bytes,
            silence_max: self.config.silence_max,
        }));
        if !promoted {
            self.state = FollowerState::AwaitingWelcome;
        }
        true
    }

    /// The socket is gone. What was not sent is dropped; the next hello says where to go on.
    pub fn disconnected(&mut self) {
        self.out.clear();
        self.transfers.clear();
        self.link = None;
        self.snapshot = None;
        self.acked = Ack::default();
        self.taken_bytes = 0;
        self.idle();
    }

    /// Takes the message at the front of `input`, which came at `now`.
    pub fn step<'a>(&'a mut self, input: &'a [u8], now: Timestamp) -> FollowerStep<'a> {
        let Some(link) = self
            .link
            .as_mut()
            .filter(|_| self.state != FollowerState::Stopped)
        else {
            return FollowerStep::Closed;
        };
        match parse(input) {
            Ok(Parsed::NeedMore { bytes }) => FollowerStep::NeedMore { bytes },
            Ok(Parsed::Message { message, consumed }) => {
                link.heard(now);
                let event = self.on_message(message);
                FollowerStep::Event { event, consumed }
            }
            Err(fault) => {
                let event = self.fault(fault.into());
                FollowerStep::Event { event, consumed: 0 }
            }
        }
    }

    /// All that was yielded is written; so much of it is synced and applied. Tells the leader if that is news. While a
    /// snapshot is taken, only the bytes that came count: what is here may not be the leader's.
    ///
    /// # Panics
    /// If more is synced or applied than was yielded.
    pub fn acknowledge(&mut self, synced: u64, applied: u64) {
        let ack = match self.state {
            FollowerState::Staging => Ack {
                taken_bytes: self.taken_bytes,
                ..Ack::default()
            },
            FollowerState::Following => self.ack(synced, applied),
            FollowerState::Idle
            | FollowerState::AwaitingWelcome
            | FollowerState::Stopped
            | FollowerState::Promoted => return,
        };
        if ack != self.acked {
            self.acked = ack;
            self.out.push(&Message::Ack(ack));
        }
    }

    fn ack(&self, synced: u64, applied: u64) -> Ack {
        let written = self.at.last_seq;
        assert!(
            synced <= written && applied <= written,
            "nothing comes before it is written"
        );
        Ack {
            written,
            chain: self.at.chain.raw(),
            synced: synced.max(self.acked.synced),
            applied: applied.max(self.acked.applied),
            taken_bytes: self.taken_bytes,
        }
    }

    /// Another digest was found than the log says: tells the leader, and takes nothing more, ever.
    pub fn stop(&mut self, mismatch: DigestMismatch) {
        if self.link.is_some() {
            self.out.push(&Message::DigestMismatch(mismatch));
        }
        self.state = FollowerState::Stopped;
    }

    /// Takes a frame of the leader's that did not come over the link, but from its disk: it was verified and written.
    /// False if it is not the next one, or this machine takes none any more.
    pub fn adopt(&mut self, header: &FrameHeader) -> bool {
        let takes = match self.state {
            FollowerState::Idle | FollowerState::AwaitingWelcome | FollowerState::Following => true,
            FollowerState::Staging | FollowerState::Stopped | FollowerState::Promoted => false,
        };
        let at = &mut self.at;
        let next = header.seq_first == at.last_seq + 1 && header.previous == at.chain;
        if !takes || !next || header.term < at.log_term {
            return false;
        }
        at.last_seq = header.seq_last();
        at.chain = header.chain;
        at.log_term = header.term;
        at.term = at.term.max(header.term);
        true
    }

    /// When [`Self::on_time`] has something to do; `None` without a connection.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.link.map(|link| link.deadline(self.may_beat()))
    }

    /// Writes a heartbeat, or gives a silent leader up; then the machine is idle.
    pub fn on_time(&mut self, now: Timestamp) -> Timer {
        let may_beat = self.may_beat();
        let Some(link) = self.link.as_mut() else {
            return Timer::NotDue;
        };
        let timer = link.due(may_beat, now);
        match timer {
            Timer::NotDue => {}
            Timer::Silent => self.disconnected(),
            Timer::Heartbeat => {
                link.sent(now);
                self.out.push(&Message::Heartbeat(Heartbeat {
                    term: self.at.term.raw(),
                    last_seq: self.at.last_seq,
                    sent_ns: now.ns(),
                }));
            }
        }
        timer
    }

    fn may_beat(&self) -> bool {
        let welcomed = matches!(
            self.state,
            FollowerState::Staging | FollowerState::Following
        );
        welcomed && self.out.pending().is_empty()
    }

    fn idle(&mut self) {
        match self.state {
            FollowerState::Stopped | FollowerState::Promoted => {}
            FollowerState::Idle
            | FollowerState::AwaitingWelcome
            | FollowerState::Staging
            | FollowerState::Following => self.state = FollowerState::Idle,
        }
    }
}

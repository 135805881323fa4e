//! The leader's side of one connection.
//!
//! **Thread.** Owned by the thread that owns the connection; one machine a connection.
//! **Invariants.** Frames go out in the order of the log, each behind the one before it; what an acknowledgement says
//! was sent here and is not less than before. A machine that heard of a higher term is closed, and says so once.
//! **Never.** Read the log or an object itself: it says what it needs, and is given it. Send beyond the window.

mod answer;
mod event;
mod hearing;
mod sending;

pub use answer::{Answer, LogPosition, SnapshotAt};
pub use event::{LeaderEvent, LeaderStep};

use super::VERSION;
use super::decode::{Parsed, parse};
use super::link::{Link, Timer};
use super::message::{Ack, Heartbeat, Hello, Message, Object, Welcome};
use super::outbox::Outbox;
use super::process_number::ProcessNumber;
use super::refusal::Refusal;
use super::transfer::Transfers;
use super::window::Window;
use crate::frame::{Chain, Term};
use portcullis_domain::{Duration, Timestamp};

/// What a leader is, for each of its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaderConfig {
    /// The process that it is.
    pub process: ProcessNumber,
    /// Number of its journal.
    pub journal: u64,
    /// The term that it leads.
    pub term: Term,
    /// Longest time without a sign of life from here.
    pub heartbeat_every: Duration,
    /// Silence after which a follower counts as gone, and the time it has for its hello.
    pub silence_max: Duration,
    /// Payload bytes of frames and blocks that may be under way.
    pub window_bytes: u64,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderState {
    /// Nothing has come yet.
    AwaitingHello,
    /// The hello waits for [`Leader::answer`].
    Answering,
    /// The follower takes a snapshot first.
    Staging,
    /// Frames go out.
    Following,
    /// Send what is left of the output, then close.
    Closed,
}

/// Why something was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// The follower is not there yet, or not any more.
    NotFollowing,
    /// Too much is under way: come back after an acknowledgement.
    WindowFull,
    /// The frame is not the one that comes next.
    OutOfChain {
        /// Number of the record that does.
        expected: u64,
    },
    /// Too many objects are under way, or this one was not asked for.
    Transfer,
}

/// A piece of an object that the follower waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of which object.
    pub object: Object,
    /// Where the piece begins.
    pub offset: u64,
    /// Its length, at the most.
    pub bytes_max: usize,
}

/// The machine.
#[derive(Debug)]
pub struct Leader {
    config: LeaderConfig,
    state: LeaderState,
    hello: Option<Hello>,
    link: Link,
    out: Outbox,
    window: Window,
    transfers: Transfers,
    /// Where the next frame goes on, once the hello was answered.
    next_seq: u64,
    chain: Chain,
    staging: Option<SnapshotAt>,
    log_last: u64,
}

impl Leader {
    /// A connection that was just taken.
    ///
    /// # Panics
    /// If the journal has no number.
    #[must_use]
    pub fn new(config: LeaderConfig, now: Timestamp) -> Self {
        assert!(config.journal != 0, "a journal has a number");
        Self {
            config,
            state: LeaderState::AwaitingHello,
            hello: None,
            link: Link::new(config.heartbeat_every, config.silence_max, now),
            out: Outbox::default(),
            window: Window::new(config.window_bytes, 0, Chain::new(0)),
            transfers: Transfers::default(),
            next_seq: 0,
            chain: Chain::new(0),
            staging: None,
            log_last: 0,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> LeaderState {
        self.state
    }

    /// What the follower last said of itself; before it said anything, where the frames begin.
    #[must_use]
    pub const fn acked(&self) -> Ack {
        self.window.acked()
    }

    /// What the follower said first.
    #[must_use]
    pub const fn hello(&self) -> Option<Hello> {
        self.hello
    }

    /// Number of the record that goes out next.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.next_seq
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
        if count > 0 {
            self.link.sent(now);
        }
    }

    /// Takes the message at the front of `input`, which came at `now`.
    pub fn step(&mut self, input: &[u8], now: Timestamp) -> LeaderStep {
        match self.state {
            LeaderState::Closed => return LeaderStep::Closed,
            LeaderState::Answering => return LeaderStep::Answer,
            LeaderState::AwaitingHello | LeaderState::Staging | LeaderState::Following => {}
        }
        match parse(input) {
            Ok(Parsed::NeedMore { bytes }) => LeaderStep::NeedMore { bytes },
            Ok(Parsed::Message { message, consumed }) => {
                self.link.heard(now);
                let event = self.on_message(&message);
                LeaderStep::Event { event, consumed }
            }
            Err(fault) => {
                let event = self.fault(fault.into());
                LeaderStep::Event { event, consumed: 0 }
            }
        }
    }

    /// Answers the hello.
    ///
    /// # Panics
    /// If there is none to answer.
    pub fn answer(&mut self, log: &LogPosition) -> Answer {
        assert!(
            self.state == LeaderState::Answering,
            "a hello is answered once"
        );
        let Some(hello) = self.hello else {
            unreachable!("what is answered is kept");
        };
        let answer = answer::judge(&hello, &self.config, log);
        self.log_last = log.last_seq;
        match answer {
            Answer::Follows { seq, chain } => {
                self.begin(&hello, seq, chain, 0);
                self.window = Window::new(self.window_bytes(&hello), seq, chain);
                self.state = LeaderState::Following;
            }
            Answer::Stages(snapshot) => {
                self.begin(&hello, snapshot.seq, snapshot.chain, snapshot.bytes);
                // What it has was held against nothing, and counts for nothing.
                self.window = Window::new(self.window_bytes(&hello), 0, Chain::new(0));
                self.transfers
                    .add(Object::snapshot(snapshot.seq), snapshot.bytes);
                self.staging = Some(snapshot);
                self.state = LeaderState::Staging;
            }
            Answer::Refused(refusal) => self.refuse(refusal),
        }
        answer
    }

    /// Tells the follower why it is sent away; the machine is closed.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.out.push(&Message::Refused(refusal));
        self.state = LeaderState::Closed;
    }

    /// When [`Self::on_time`] has something to do; `None` once closed.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let open = self.state != LeaderState::Closed;
        open.then(|| self.link.deadline(self.may_beat()))
    }

    /// Writes a heartbeat, or gives a silent follower up.
    pub fn on_time(&mut self, now: Timestamp) -> Timer {
        if self.state == LeaderState::Closed {
            return Timer::NotDue;
        }
        let timer = self.link.due(self.may_beat(), now);
        match timer {
            Timer::NotDue => {}
            Timer::Silent => self.state = LeaderState::Closed,
            Timer::Heartbeat => {
                let heartbeat = Heartbeat {
                    term: self.config.term.raw(),
                    last_seq: self.log_last,
                    sent_ns: now.ns(),
                };
                self.out.push(&Message::Heartbeat(heartbeat));
                self.link.sent(now);
            }
        }
        timer
    }

    fn may_beat(&self) -> bool {
        let welcomed = matches!(self.state, LeaderState::Staging | LeaderState::Following);
        welcomed && self.out.pending().is_empty()
    }

    fn window_bytes(&self, hello: &Hello) -> u64 {
        self.config.window_bytes.min(hello.window_bytes)
    }

    fn begin(&mut self, hello: &Hello, seq: u64, chain: Chain, snapshot_bytes: u64) {
        self.link.peer_waits(hello.silence_max);
        self.next_seq = seq + 1;
        self.chain = chain;
        self.out.push(&Message::Welcome(Welcome {
            version: VERSION,
            journal: self.config.journal,
            term: self.config.term.raw(),
            start_seq: seq,
            start_chain: chain.raw(),
            snapshot_bytes,
            last_seq: self.log_last,
            window_bytes: self.window_bytes(hello),
            silence_max: self.config.silence_max,
        }));
    }
}

//! The leader's side of one connection.
//!
//! **Thread.** Owned by the thread that owns the connection; one machine a connection.
//! **Invariants.** Frames go out in the order of the log, each behind the one before it; what an acknowledgement says
//! was sent here and is not less than before. A machine that heard of a higher term is closed, and says so once.
//! **Never.** Read the log or an object itself: it says what it needs, and is given it. Send beyond the window.

mod answer;
mod event;

pub use answer::{Answer, LogPosition, SnapshotAt};
pub use event::{LeaderEvent, LeaderStep};

use super::decode::{Parsed, parse};
use super::fault::LinkFault;
use super::link::{Link, Timer};
use super::message::{
    Ack, Block, Fence, Heartbeat, Hello, Message, MessageKind, Object, ObjectKind, Offer,
    SegmentNotice, Want, Welcome,
};
use super::outbox::Outbox;
use super::refusal::Refusal;
use super::transfer::Transfers;
use super::window::Window;
use super::{BLOCK_BYTES_MAX, VERSION};
use crate::frame::{Chain, FRAME_BYTES_MAX, Frame, Term};
use portcullis_domain::{Duration, Timestamp};

/// What a leader is, for each of its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaderConfig {
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
                    .add(snapshot_object(snapshot.seq), snapshot.bytes);
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

    /// Says that the frames behind it stand in this segment: at first, in which the next one stands, later, which
    /// begins with it.
    ///
    /// # Errors
    /// The follower is not there, or the segment begins elsewhere.
    pub fn segment(&mut self, notice: &SegmentNotice<'_>) -> Result<(), NotSent> {
        self.is_following()?;
        let expected = self.next_seq;
        let begins = notice.first_seq == expected;
        if notice.first_seq > expected || (begins && notice.previous != self.chain.raw()) {
            return Err(NotSent::OutOfChain { expected });
        }
        self.out.push(&Message::Segment(*notice));
        Ok(())
    }

    /// Sends the next frame.
    ///
    /// # Errors
    /// The follower is not there, the window is full, or the frame is another.
    ///
    /// # Panics
    /// If the frame's term is above the leader's: it is not this leader's log.
    pub fn frame(&mut self, frame: &Frame<'_>) -> Result<(), NotSent> {
        self.is_following()?;
        let header = &frame.header;
        let expected = self.next_seq;
        if header.seq_first != expected || header.previous != self.chain {
            return Err(NotSent::OutOfChain { expected });
        }
        assert!(
            header.term <= self.config.term,
            "no frame is above its leader's term"
        );
        let bytes = frame.bytes();
        if !self.window.has_room(bytes.len()) {
            return Err(NotSent::WindowFull);
        }
        self.out.push(&Message::Frame(bytes));
        self.window
            .sent_frame(bytes.len(), header.seq_last(), header.chain);
        self.next_seq = header.seq_last() + 1;
        self.chain = header.chain;
        self.log_last = self.log_last.max(header.seq_last());
        Ok(())
    }

    /// Whether the longest frame there is would go out now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.state == LeaderState::Following && self.window.has_room(FRAME_BYTES_MAX)
    }

    /// The log has grown to here; heartbeats say so.
    pub fn log_reached(&mut self, last_seq: u64) {
        self.log_last = self.log_last.max(last_seq);
    }

    /// Tells the follower that there is an object, so that it can ask for it.
    ///
    /// # Errors
    /// The follower is not there, or too many are under way.
    pub fn offer(&mut self, object: Object, bytes: u64) -> Result<(), NotSent> {
        match self.state {
            LeaderState::Staging | LeaderState::Following => {}
            LeaderState::AwaitingHello | LeaderState::Answering | LeaderState::Closed => {
                return Err(NotSent::NotFollowing);
            }
        }
        if self.transfers.find(object).is_some() || !self.transfers.add(object, bytes) {
            return Err(NotSent::Transfer);
        }
        self.out.push(&Message::Offer(Offer { object, bytes }));
        Ok(())
    }

    /// The piece that goes out next, where one is waited for and the window has room for it.
    #[must_use]
    pub fn wanted(&self) -> Option<Wanted> {
        let transfer = self.transfers.pending()?;
        let offset = transfer.next?;
        let bytes_max = usize::try_from(transfer.total - offset)
            .unwrap_or(BLOCK_BYTES_MAX)
            .min(BLOCK_BYTES_MAX);
        let object = transfer.object;
        let open = self.state != LeaderState::Closed && self.window.has_room(bytes_max);
        open.then_some(Wanted {
            object,
            offset,
            bytes_max,
        })
    }

    /// Sends a piece of the object that [`Self::wanted`] names.
    ///
    /// # Errors
    /// It is not the piece that is wanted.
    ///
    /// # Panics
    /// If it is empty.
    pub fn block(&mut self, object: Object, offset: u64, bytes: &[u8]) -> Result<(), NotSent> {
        let wanted = self.wanted().ok_or(NotSent::WindowFull)?;
        if (wanted.object, wanted.offset) != (object, offset) || bytes.len() > wanted.bytes_max {
            return Err(NotSent::Transfer);
        }
        let Some(transfer) = self.transfers.find(object) else {
            unreachable!("what is wanted is under way");
        };
        let total = transfer.total;
        transfer.next = Some(offset + bytes.len() as u64);
        let block = Block {
            object,
            total,
            offset,
            bytes,
        };
        self.out.push(&Message::Block(block));
        self.window.sent_block(bytes.len());
        Ok(())
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

    const fn is_following(&self) -> Result<(), NotSent> {
        match self.state {
            LeaderState::Following => Ok(()),
            LeaderState::AwaitingHello
            | LeaderState::Answering
            | LeaderState::Staging
            | LeaderState::Closed => Err(NotSent::NotFollowing),
        }
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

    fn on_message(&mut self, message: &Message<'_>) -> LeaderEvent {
        let welcomed = self.state != LeaderState::AwaitingHello;
        match message {
            Message::Hello(hello) if !welcomed => self.on_hello(hello),
            Message::Fence(fence) => self.on_fence(fence),
            Message::Ack(ack) if welcomed => self.on_ack(ack),
            Message::Heartbeat(heartbeat) if welcomed => self.on_heartbeat(heartbeat),
            Message::Want(want) if welcomed => self.on_want(want),
            Message::DigestMismatch(mismatch) if welcomed => {
                self.state = LeaderState::Closed;
                LeaderEvent::Mismatch(*mismatch)
            }
            Message::Hello(_)
            | Message::Ack(_)
            | Message::Heartbeat(_)
            | Message::Want(_)
            | Message::DigestMismatch(_)
            | Message::Welcome(_)
            | Message::Refused(_)
            | Message::Segment(_)
            | Message::Frame(_)
            | Message::Offer(_)
            | Message::Block(_) => self.fault(LinkFault::Unexpected(message.kind())),
        }
    }

    fn on_hello(&mut self, hello: &Hello) -> LeaderEvent {
        if hello.version != VERSION {
            self.refuse(Refusal::Version { leader: VERSION });
            return LeaderEvent::Fault(LinkFault::Version {
                theirs: hello.version,
            });
        }
        let term = Term::new(hello.term);
        let own = self.config.term;
        // Whoever leads another log may have a higher term and be no concern of this one.
        if hello.journal != 0 && hello.journal != self.config.journal {
            self.hello = Some(*hello);
            self.state = LeaderState::Answering;
            return LeaderEvent::Hello(*hello);
        }
        if term > own || (hello.promoted && term == own) {
            return self.fenced(term);
        }
        if hello.promoted {
            self.out.push(&Message::Fence(Fence {
                term: own.raw(),
                last_seq: self.log_last,
            }));
            self.state = LeaderState::Closed;
            return LeaderEvent::Superseded { term };
        }
        self.hello = Some(*hello);
        self.state = LeaderState::Answering;
        LeaderEvent::Hello(*hello)
    }

    fn on_fence(&mut self, fence: &Fence) -> LeaderEvent {
        let term = Term::new(fence.term);
        // Only a follower that was welcomed is known to speak of this log.
        if self.state == LeaderState::AwaitingHello || term <= self.config.term {
            return self.fault(LinkFault::Unexpected(MessageKind::Fence));
        }
        self.fenced(term)
    }

    fn on_heartbeat(&mut self, heartbeat: &Heartbeat) -> LeaderEvent {
        let term = Term::new(heartbeat.term);
        if term > self.config.term {
            return self.fenced(term);
        }
        LeaderEvent::Alive
    }

    fn on_ack(&mut self, ack: &Ack) -> LeaderEvent {
        if self.window.acknowledge(ack) {
            LeaderEvent::Acked(*ack)
        } else {
            self.fault(LinkFault::Ack {
                written: ack.written,
            })
        }
    }

    fn on_want(&mut self, want: &Want) -> LeaderEvent {
        let object = want.object;
        let Some(transfer) = self.transfers.find(object) else {
            return self.fault(LinkFault::Transfer { id: object.id });
        };
        if want.offset > transfer.total {
            return self.fault(LinkFault::Transfer { id: object.id });
        }
        if want.offset < transfer.total {
            transfer.next = Some(want.offset);
            return LeaderEvent::Wants(object);
        }
        self.transfers.remove(object);
        if let Some(snapshot) = self.staging.take_if(|it| snapshot_object(it.seq) == object) {
            self.window.installed(snapshot.seq, snapshot.chain);
            self.state = LeaderState::Following;
        }
        LeaderEvent::Has(object)
    }

    fn fenced(&mut self, term: Term) -> LeaderEvent {
        let leader_term = self.config.term.raw();
        self.refuse(Refusal::TermLower { leader_term });
        LeaderEvent::Fenced { term }
    }

    fn fault(&mut self, fault: LinkFault) -> LeaderEvent {
        self.state = LeaderState::Closed;
        LeaderEvent::Fault(fault)
    }
}

/// How a snapshot is called.
const fn snapshot_object(seq: u64) -> Object {
    Object {
        kind: ObjectKind::Snapshot,
        id: seq,
    }
}

//! The follower's side: one machine for all the connections that a standby makes.
//!
//! **Thread.** Owned by the thread that owns the connection.
//! **Invariants.** A frame is yielded only if it is whole, follows from the last one, and is of no lower term; so what
//! was yielded is a prefix of one chain, and a hello names its end. Whoever calls writes a frame before the next step.
//! A machine that stopped or was promoted takes no frame again.
//! **Never.** Follow a leader of a lower term than one it has heard of: that leader is told.

use super::VERSION;
mod event;
mod promotion;

pub use event::{FollowerEvent, FollowerStep};
pub use promotion::{Promotion, PromotionRefused};

use super::decode::{Parsed, parse};
use super::fault::LinkFault;
use super::link::{Link, Timer};
use super::message::{
    Ack, Block, DigestMismatch, Fence, Heartbeat, Hello, Message, MessageKind, Object, ObjectKind,
    Offer, SegmentNotice, Want, Welcome,
};
use super::outbox::Outbox;
use super::transfer::Transfers;
use crate::frame::{self, Chain, Frame, FrameHeader, Term};
use portcullis_domain::{Duration, Timestamp, UNIT_BYTES, Unit};

/// How a follower follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerConfig {
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
    /// Number of its journal; 0 while it has none.
    pub journal: u64,
    /// The highest term it has ever heard of.
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
    #[must_use]
    pub fn new(config: FollowerConfig, at: FollowerPosition) -> Self {
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

    /// Asks for an object that was offered, or for the snapshot, from an offset on; from 0 again where what came was
    /// not what it is named by. False if it is not under way, or the offset is not before its end.
    pub fn want(&mut self, object: Object, offset: u64) -> bool {
        let Some(transfer) = self.transfers.find(object).filter(|it| offset < it.total) else {
            return false;
        };
        transfer.next = Some(offset);
        self.out.push(&Message::Want(Want { object, offset }));
        true
    }

    /// The object is here whole, and is what it is named by. False if it is not under way, or is the snapshot, which
    /// is [`Self::snapshot_installed`].
    pub fn has(&mut self, object: Object) -> bool {
        object.kind != ObjectKind::Snapshot && self.tell_has(object)
    }

    /// The snapshot took the place of what was here; the record that it ends with is of this term. False if none is
    /// under way.
    pub fn snapshot_installed(&mut self, log_term: Term) -> bool {
        let Some((seq, chain)) = self.snapshot else {
            return false;
        };
        if !self.tell_has(snapshot_object(seq)) {
            return false;
        }
        self.snapshot = None;
        self.at.last_seq = seq;
        self.at.chain = chain;
        self.at.log_term = log_term;
        self.at.staged_snapshot = 0;
        self.acked.written = seq;
        self.acked.chain = chain.raw();
        self.state = FollowerState::Following;
        true
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

    /// All that the leader wrote is here: its disk was read to the end, and nobody writes to it.
    pub const fn has_leaders_end(&mut self) {
        self.leader_last = Some(self.at.last_seq);
    }

    /// Whether it has all that its leader had when it was welcomed: what a promotion needs.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.caught_up().is_ok()
    }

    /// Leads from here on, in a term above any that was heard of. Write the term down before anything is let out. The
    /// leader is told, now or with the next hello. From here on the machine only tells its term; what it says of its
    /// place is that of the promotion.
    ///
    /// # Errors
    /// What it lacks. `force` overrules where it is only behind, or may be.
    pub fn promote(&mut self, force: bool) -> Result<Promotion, PromotionRefused> {
        if !force {
            self.caught_up()?;
        }
        match self.state {
            FollowerState::Stopped => return Err(PromotionRefused::Stopped),
            FollowerState::Staging => return Err(PromotionRefused::Staging),
            FollowerState::Idle
            | FollowerState::AwaitingWelcome
            | FollowerState::Following
            | FollowerState::Promoted => {}
        }
        let number = self.at.term.raw().checked_add(1);
        let term = Term::new(number.ok_or(PromotionRefused::NoTerm)?);
        let was_following = self.state == FollowerState::Following;
        self.at.term = term;
        self.state = FollowerState::Promoted;
        let last_seq = self.at.last_seq;
        if was_following {
            let term = term.raw();
            self.out.push(&Message::Fence(Fence { term, last_seq }));
        }
        Ok(Promotion {
            term,
            last_seq,
            chain: self.at.chain,
        })
    }

    /// Whether it has all that its leader may have let out before it was welcomed.
    fn caught_up(&self) -> Result<(), PromotionRefused> {
        let last_seq = self.at.last_seq;
        match self.leader_last {
            None => Err(PromotionRefused::NeverWelcomed),
            Some(leader_last) if last_seq < leader_last => Err(PromotionRefused::Behind {
                last_seq,
                leader_last,
            }),
            Some(_) => Ok(()),
        }
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

    fn tell_has(&mut self, object: Object) -> bool {
        let Some(total) = self.transfers.find(object).map(|it| it.total) else {
            return false;
        };
        self.transfers.remove(object);
        let offset = total;
        self.out.push(&Message::Want(Want { object, offset }));
        true
    }

    fn on_message<'a>(&'a mut self, message: Message<'a>) -> FollowerEvent<'a> {
        if let Message::Fence(fence) = message {
            return self.on_fence(&fence);
        }
        match self.state {
            FollowerState::Promoted => self.while_promoted(&message),
            FollowerState::AwaitingWelcome => self.before_welcome(&message),
            FollowerState::Staging | FollowerState::Following => self.while_following(message),
            FollowerState::Idle | FollowerState::Stopped => {
                self.fault(LinkFault::Unexpected(message.kind()))
            }
        }
    }

    fn while_promoted<'a>(&mut self, message: &Message<'_>) -> FollowerEvent<'a> {
        if let Message::Refused(refusal) = message {
            return FollowerEvent::Refused(*refusal);
        }
        let told = match message {
            Message::Welcome(welcome) => Term::new(welcome.term),
            Message::Heartbeat(heartbeat) => Term::new(heartbeat.term),
            Message::Frame(_)
            | Message::Segment(_)
            | Message::Offer(_)
            | Message::Block(_)
            | Message::Hello(_)
            | Message::Refused(_)
            | Message::Ack(_)
            | Message::Want(_)
            | Message::Fence(_)
            | Message::DigestMismatch(_) => self.leader_term,
        };
        if told > self.at.term {
            return self.heard_of(told);
        }
        FollowerEvent::Superseded { term: told }
    }

    fn before_welcome<'a>(&mut self, message: &Message<'_>) -> FollowerEvent<'a> {
        match message {
            Message::Welcome(welcome) => self.on_welcome(welcome),
            Message::Refused(refusal) => {
                self.idle();
                self.link = None;
                FollowerEvent::Refused(*refusal)
            }
            Message::Hello(_)
            | Message::Segment(_)
            | Message::Frame(_)
            | Message::Ack(_)
            | Message::Heartbeat(_)
            | Message::Offer(_)
            | Message::Want(_)
            | Message::Block(_)
            | Message::Fence(_)
            | Message::DigestMismatch(_) => self.fault(LinkFault::Unexpected(message.kind())),
        }
    }

    fn while_following<'a>(&'a mut self, message: Message<'a>) -> FollowerEvent<'a> {
        let staging = self.state == FollowerState::Staging;
        match message {
            Message::Frame(bytes) if !staging => self.on_frame(bytes),
            Message::Segment(notice) if !staging => self.on_segment(notice),
            Message::Offer(offer) => self.on_offer(offer),
            Message::Block(block) => self.on_block(block),
            Message::Heartbeat(heartbeat) => self.on_heartbeat(heartbeat),
            Message::Refused(refusal) => {
                self.idle();
                self.link = None;
                FollowerEvent::Refused(refusal)
            }
            Message::Frame(_)
            | Message::Segment(_)
            | Message::Hello(_)
            | Message::Welcome(_)
            | Message::Ack(_)
            | Message::Want(_)
            | Message::Fence(_)
            | Message::DigestMismatch(_) => self.fault(LinkFault::Unexpected(message.kind())),
        }
    }

    fn on_welcome<'a>(&mut self, welcome: &Welcome) -> FollowerEvent<'a> {
        if welcome.version != VERSION {
            let theirs = welcome.version;
            return self.fault(LinkFault::Version { theirs });
        }
        let term = Term::new(welcome.term);
        if term < self.at.term {
            return self.superseded(term);
        }
        if !self.fits(welcome) {
            let start_seq = welcome.start_seq;
            return self.fault(LinkFault::Welcome { start_seq });
        }
        let is_term_raised = term > self.at.term;
        // Once it has caught up it stays so: all that is let out later was acknowledged here first.
        if self.caught_up().is_err() {
            self.leader_last = Some(welcome.last_seq);
        }
        self.at.term = term;
        self.leader_term = term;
        self.at.journal = welcome.journal;
        let chain = Chain::new(welcome.start_chain);
        if welcome.snapshot_bytes > 0 {
            let object = snapshot_object(welcome.start_seq);
            let has_room = self.transfers.add(object, welcome.snapshot_bytes);
            assert!(has_room, "nothing else is under way before the welcome");
            self.snapshot = Some((welcome.start_seq, chain));
            self.state = FollowerState::Staging;
        } else {
            self.at.chain = chain;
            self.acked.written = self.at.last_seq;
            self.acked.chain = chain.raw();
            self.state = FollowerState::Following;
        }
        if let Some(link) = self.link.as_mut() {
            link.peer_waits(welcome.silence_max);
        }
        FollowerEvent::Welcomed {
            welcome: *welcome,
            is_term_raised,
        }
    }

    /// Whether a welcome goes on where this follower is.
    const fn fits(&self, welcome: &Welcome) -> bool {
        let at = &self.at;
        let same_log = welcome.journal != 0 && (at.journal == 0 || at.journal == welcome.journal);
        let goes_on = if welcome.snapshot_bytes > 0 {
            self.takes_snapshot()
                && welcome.start_seq > at.last_seq
                && welcome.snapshot_bytes <= self.config.object_bytes_max
        } else {
            welcome.start_seq == at.last_seq
                && (at.last_seq == 0 || welcome.start_chain == at.chain.raw())
        };
        same_log && goes_on && welcome.start_seq < u64::MAX
    }

    fn on_segment<'a>(&mut self, notice: SegmentNotice<'a>) -> FollowerEvent<'a> {
        let at = &self.at;
        let begins = notice.first_seq == at.last_seq + 1;
        let what = if notice.first_seq > at.last_seq + 1 {
            "the segment begins with a later record"
        } else if begins && notice.previous != at.chain.raw() {
            "the segment goes on from another chain"
        } else if begins && Term::new(notice.term) < at.log_term {
            "the segment is of a lower term"
        } else if Term::new(notice.term) > self.leader_term {
            "the segment is of a higher term than its leader"
        } else {
            return FollowerEvent::Segment(notice);
        };
        let expected = at.last_seq + 1;
        self.fault(LinkFault::OutOfChain { expected, what })
    }

    fn on_frame<'a>(&'a mut self, bytes: &[u8]) -> FollowerEvent<'a> {
        match self.verify(bytes) {
            Ok(header) => {
                self.at.last_seq = header.seq_last();
                self.at.chain = header.chain;
                self.at.log_term = header.term;
                self.taken_bytes += bytes.len() as u64;
                let units = &self.units[..];
                FollowerEvent::Frame(Frame { header, units })
            }
            Err(fault) => self.fault(fault),
        }
    }

    /// Copies a frame to where its units are aligned, and holds it against the chain.
    fn verify(&mut self, bytes: &[u8]) -> Result<FrameHeader, LinkFault> {
        let expected = self.at.last_seq + 1;
        let wrong = |what| LinkFault::OutOfChain { expected, what };
        let (chunks, rest) = bytes.as_chunks::<UNIT_BYTES>();
        assert!(rest.is_empty(), "a frame is units");
        // A message bounds it: it grows to the longest frame that came.
        self.units.clear();
        self.units.extend(chunks.iter().map(|chunk| Unit(*chunk)));
        let units = &self.units[..];
        let header = FrameHeader::from_unit(&units[0]).map_err(|_| wrong("it is no frame"))?;
        if header.bytes() != bytes.len() {
            return Err(wrong("the frame has another length than it says"));
        }
        let position = frame::Position {
            next_seq: expected,
            chain: self.at.chain,
            term: self.at.log_term,
        };
        frame::check(&header, units, self.at.journal, &position)
            .map_err(|fault| LinkFault::Frame { expected, fault })?;
        if header.term > self.leader_term {
            return Err(wrong("the frame is of a higher term than its leader"));
        }
        Ok(header)
    }

    fn on_offer<'a>(&mut self, offer: Offer) -> FollowerEvent<'a> {
        let (object, bytes) = (offer.object, offer.bytes);
        if object.kind == ObjectKind::Snapshot || self.transfers.find(object).is_some() {
            return self.fault(LinkFault::Transfer { id: object.id });
        }
        if bytes > self.config.object_bytes_max || !self.transfers.add(object, bytes) {
            return self.fault(LinkFault::TooMuch { id: object.id });
        }
        FollowerEvent::Offered(offer)
    }

    fn on_block<'a>(&mut self, block: Block<'a>) -> FollowerEvent<'a> {
        let end = block.offset + block.bytes.len() as u64;
        let id = block.object.id;
        match self.transfers.find(block.object) {
            Some(it) if it.total == block.total && it.next == Some(block.offset) => {
                it.next = Some(end);
            }
            Some(_) | None => return self.fault(LinkFault::Transfer { id }),
        }
        self.taken_bytes += block.bytes.len() as u64;
        if block.object.kind == ObjectKind::Snapshot {
            self.at.staged_snapshot = id;
        }
        FollowerEvent::Block(block)
    }

    fn on_heartbeat<'a>(&mut self, heartbeat: Heartbeat) -> FollowerEvent<'a> {
        let term = Term::new(heartbeat.term);
        if term < self.at.term {
            return self.superseded(term);
        }
        if term > self.leader_term {
            return self.fault(LinkFault::Unexpected(MessageKind::Heartbeat));
        }
        FollowerEvent::Alive(heartbeat)
    }

    fn on_fence<'a>(&mut self, fence: &Fence) -> FollowerEvent<'a> {
        let term = Term::new(fence.term);
        if term <= self.at.term {
            return self.fault(LinkFault::Unexpected(MessageKind::Fence));
        }
        self.heard_of(term)
    }

    /// A term above the one known here.
    fn heard_of<'a>(&mut self, term: Term) -> FollowerEvent<'a> {
        self.at.term = term;
        self.state = match self.state {
            // Its log went on without this machine: a new one begins from what the folder says.
            FollowerState::Promoted | FollowerState::Stopped => FollowerState::Stopped,
            FollowerState::Idle
            | FollowerState::AwaitingWelcome
            | FollowerState::Staging
            | FollowerState::Following => FollowerState::Idle,
        };
        self.link = None;
        FollowerEvent::Fenced { term }
    }

    /// Tells a leader that its term is over.
    fn superseded<'a>(&mut self, term: Term) -> FollowerEvent<'a> {
        self.out.push(&Message::Fence(Fence {
            term: self.at.term.raw(),
            last_seq: self.at.last_seq,
        }));
        self.idle();
        self.link = None;
        FollowerEvent::Superseded { term }
    }

    fn fault<'a>(&mut self, fault: LinkFault) -> FollowerEvent<'a> {
        self.idle();
        self.link = None;
        FollowerEvent::Fault(fault)
    }
}

/// How a snapshot is called.
const fn snapshot_object(seq: u64) -> Object {
    Object {
        kind: ObjectKind::Snapshot,
        id: seq,
    }
}

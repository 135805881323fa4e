//! What a follower makes of each message: whether it comes in its turn, fits and is of no lower term.
//!
//! **Thread.** The follower machine's.
//! **Invariants.** A message is taken whole or not at all: one that is out of its turn or out of the chain leaves the
//! machine without a link. A frame moves the place only after all of it was verified.
//! **Never.** Take a frame before the welcome, while a snapshot is taken, or after a promotion.

use super::{Follower, FollowerEvent, FollowerState};
use crate::frame::{self, Chain, Frame, FrameHeader, Term};
use crate::replication::VERSION;
use crate::replication::fault::LinkFault;
use crate::replication::message::{
    Fence, Heartbeat, Message, MessageKind, Object, SegmentNotice, Welcome,
};
use portcullis_domain::{UNIT_BYTES, Unit};

impl Follower {
    pub(super) fn on_message<'a>(&'a mut self, message: Message<'a>) -> FollowerEvent<'a> {
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
            Message::Welcome(welcome) if welcome.journal != self.at.journal => {
                let start_seq = welcome.start_seq;
                return self.fault(LinkFault::Welcome { start_seq });
            }
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
        // What does not go on from here says nothing of this log's terms either.
        if !self.fits(welcome) {
            let start_seq = welcome.start_seq;
            return self.fault(LinkFault::Welcome { start_seq });
        }
        let term = Term::new(welcome.term);
        if term < self.at.term {
            return self.superseded(term);
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
            let object = Object::snapshot(welcome.start_seq);
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
        // Before the welcome nobody is known to speak of this log; who was promoted is fenced by its leaders alone.
        let speaks_of_it = match self.state {
            FollowerState::Staging | FollowerState::Following | FollowerState::Promoted => true,
            FollowerState::Idle | FollowerState::AwaitingWelcome | FollowerState::Stopped => false,
        };
        if !speaks_of_it || term <= self.at.term {
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

    pub(super) fn fault<'a>(&mut self, fault: LinkFault) -> FollowerEvent<'a> {
        self.idle();
        self.link = None;
        FollowerEvent::Fault(fault)
    }
}

//! What a leader makes of each message: whether it comes in its turn, can be true, and who leads by it.
//!
//! **Thread.** The leader machine's.
//! **Invariants.** An acknowledgement is taken only if it names what was sent; a term counts only from one who speaks
//! of this journal.
//! **Never.** Trust a number: whatever a message says, the machine answers or closes.

use super::{Leader, LeaderEvent, LeaderState};
use crate::frame::Term;
use crate::replication::VERSION;
use crate::replication::fault::LinkFault;
use crate::replication::message::{
    Ack, Fence, Heartbeat, Hello, Message, MessageKind, Object, Want,
};
use crate::replication::refusal::Refusal;

impl Leader {
    pub(super) fn on_message(&mut self, message: &Message<'_>) -> LeaderEvent {
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
        // Its own term from its own mouth is no news.
        if hello.process == self.config.process {
            self.refuse(Refusal::Itself);
            return LeaderEvent::Itself;
        }
        let term = Term::new(hello.term);
        let own = self.config.term;
        // Whoever speaks of another log, or of none yet, may name a higher term and be no concern of this one.
        if hello.journal != self.config.journal {
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
        if let Some(snapshot) = self
            .staging
            .take_if(|it| Object::snapshot(it.seq) == object)
        {
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

    pub(super) fn fault(&mut self, fault: LinkFault) -> LeaderEvent {
        self.state = LeaderState::Closed;
        LeaderEvent::Fault(fault)
    }
}

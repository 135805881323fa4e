//! What a node does while it follows: it writes what it is given, takes a snapshot, and is told no.

use super::{Role, World};
use crate::replication::tests::*;

/// What a follower was given, owned.
enum Given {
    Frame(Kept),
    Other(Told),
}

impl World {
    pub(super) fn step_follower(&mut self, index: usize) {
        loop {
            let now = self.now;
            let it = &mut self.connections[index];
            let at = 1 - it.leader_node;
            if self.nodes[at].life != it.lives[at] || it.is_left {
                return;
            }
            let machine = match &mut self.nodes[at].role {
                Role::Follows(machine) => machine,
                Role::Leads(_, Some(teller)) => teller,
                Role::Leads(_, None) | Role::Fenced => return,
            };
            let (given, consumed) = match machine.step(&it.down_inbox, now) {
                FollowerStep::NeedMore { .. } | FollowerStep::Closed => return,
                FollowerStep::Event { event, consumed } => (owned(&event), consumed),
            };
            it.down_inbox.drain(..consumed);
            self.on_given(at, given);
        }
    }

    fn on_given(&mut self, node: usize, given: Given) {
        match given {
            Given::Frame(kept) => {
                self.counts.frames_taken += 1;
                let it = &mut self.nodes[node];
                it.words.extend(kept.words());
                it.frames.push(kept);
                self.acknowledge(node);
            }
            Given::Other(told) => self.on_told(node, told),
        }
    }

    fn acknowledge(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        if let Role::Follows(machine) = &mut it.role {
            machine.acknowledge(0, 0);
        }
    }

    fn on_told(&mut self, node: usize, told: Told) {
        match told {
            Told::Welcomed {
                start,
                snapshot_bytes,
                ..
            } => self.on_welcomed(node, start, snapshot_bytes),
            Told::Block { object, bytes, .. } => self.on_block(node, object, &bytes),
            Told::Refused(refusal) => self.on_refused(node, refusal),
            Told::Fenced(term) => {
                self.counts.fences += 1;
                self.hear(node, term);
            }
            Told::Fault(fault) => panic!("a follower met {fault}"),
            Told::Segment(_) | Told::Offered(..) => panic!("nobody sent {told:?}"),
            Told::Alive(_) | Told::Superseded(_) | Told::Frame { .. } => {}
        }
    }

    fn on_welcomed(&mut self, node: usize, start: u64, snapshot_bytes: u64) {
        let it = &mut self.nodes[node];
        let Role::Follows(machine) = &mut it.role else {
            panic!("only a follower is welcomed");
        };
        it.heard = machine.position().term;
        if snapshot_bytes == 0 {
            return;
        }
        if it.staged.as_ref().is_none_or(|staged| staged.0 != start) {
            it.staged = Some((start, Vec::new()));
        }
        let offset = it.staged.as_ref().map_or(0, |staged| staged.1.len() as u64);
        let object = Object {
            kind: ObjectKind::Snapshot,
            id: start,
        };
        if !machine.want(object, offset) {
            self.install(node);
        }
    }

    fn on_block(&mut self, node: usize, object: Object, bytes: &[u8]) {
        let it = &mut self.nodes[node];
        let Some((seq, staged)) = it.staged.as_mut().filter(|staged| staged.0 == object.id) else {
            panic!("a block of nothing");
        };
        staged.extend_from_slice(bytes);
        let whole = staged.len() as u64 == *seq * 8 + 8;
        self.acknowledge(node);
        if whole {
            self.install(node);
        }
    }

    fn install(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        let (seq, bytes) = it.staged.take().expect("it is whole");
        let (words, _) = bytes.as_chunks::<8>();
        it.words = words.iter().copied().map(u64::from_le_bytes).collect();
        it.base_term = Term::new(it.words.pop().expect("the term"));
        it.frames.clear();
        let Role::Follows(machine) = &mut it.role else {
            panic!("only a follower installs");
        };
        assert!(machine.snapshot_installed(it.base_term));
        it.base = (seq, machine.position().chain);
        machine.acknowledge(seq, seq);
        self.tell(node, "installed");
    }

    /// What a person does about a refusal.
    fn on_refused(&mut self, node: usize, refusal: Refusal) {
        self.tell(node, &format!("was refused, {refusal:?}"));
        match refusal {
            Refusal::Occupied | Refusal::TermLower { .. } => {}
            Refusal::Diverged { .. } | Refusal::Ahead { .. } => {
                let Role::Follows(_) = self.nodes[node].role else {
                    return;
                };
                let leader = self.nodes[1 - node].leads();
                // A leader of the very term lost what it had let out; one of a later term never had it.
                if leader.is_some_and(|term| term == self.nodes[node].log_term()) {
                    self.promote(node, true);
                } else if leader.is_some() {
                    self.tell(node, "is emptied");
                    self.nodes[node].empty_the_folder();
                }
            }
            Refusal::Version { .. }
            | Refusal::OtherJournal { .. }
            | Refusal::TooOld { .. }
            | Refusal::Itself => panic!("{refusal}"),
        }
    }
}

fn owned(event: &FollowerEvent<'_>) -> Given {
    match event {
        FollowerEvent::Frame(frame) => Given::Frame(Kept {
            header: frame.header,
            units: frame.units.to_vec(),
        }),
        FollowerEvent::Welcomed { .. }
        | FollowerEvent::Refused(_)
        | FollowerEvent::Segment(_)
        | FollowerEvent::Offered(_)
        | FollowerEvent::Block(_)
        | FollowerEvent::Alive(_)
        | FollowerEvent::Superseded { .. }
        | FollowerEvent::Fenced { .. }
        | FollowerEvent::Fault(_) => Given::Other(told(event)),
    }
}

//! What a node does while it leads: it answers, holds each acknowledgement against both logs, and lets out what its
//! follower has.

use super::World;
use crate::replication::tests::*;

impl World {
    pub(super) fn step_leader(&mut self, index: usize) {
        loop {
            let now = self.now;
            let it = &mut self.connections[index];
            let step = it.leader.step(&it.up_inbox, now);
            match step {
                LeaderStep::NeedMore { .. } | LeaderStep::Closed => return,
                LeaderStep::Answer => self.answer(index),
                LeaderStep::Event { event, consumed } => {
                    it.up_inbox.drain(..consumed);
                    self.on_leader_event(index, &event);
                }
            }
        }
    }

    fn on_leader_event(&mut self, index: usize, event: &LeaderEvent) {
        let node = self.connections[index].leader_node;
        match event {
            LeaderEvent::Hello(_) => self.answer(index),
            LeaderEvent::Acked(ack) => {
                self.check_ack(index, ack);
                let it = &mut self.nodes[node];
                it.follower_at = it.follower_at.max(ack.written);
                self.let_out(node, ack.written);
            }
            LeaderEvent::Fenced { term } => {
                self.counts.fences += 1;
                self.hear(node, *term);
            }
            LeaderEvent::Itself => panic!("a node reached itself"),
            LeaderEvent::Mismatch(mismatch) => panic!("{mismatch:?}"),
            LeaderEvent::Fault(fault) => panic!("a leader met {fault}"),
            LeaderEvent::Wants(_)
            | LeaderEvent::Has(_)
            | LeaderEvent::Alive
            | LeaderEvent::Superseded { .. } => {}
        }
    }

    /// The follower has what it says it has, and it is what the leader has.
    fn check_ack(&self, index: usize, ack: &Ack) {
        let it = &self.connections[index];
        let (leader, follower) = (&self.nodes[it.leader_node], &self.nodes[1 - it.leader_node]);
        if follower.life != it.lives[1 - it.leader_node] {
            return;
        }
        let count = ack.written as usize;
        assert_eq!(
            leader.words.get(..count),
            follower.words.get(..count),
            "an acknowledged record is another"
        );
    }

    fn answer(&mut self, index: usize) {
        let it = &mut self.connections[index];
        let node = &self.nodes[it.leader_node];
        let hello_seq = match it.leader.hello() {
            Some(hello) => hello.last_seq,
            None => return,
        };
        let snapshot = (node.base.0 > 0).then_some(SnapshotAt {
            seq: node.base.0,
            chain: node.base.1,
            bytes: node.base.0 * 8 + 8,
        });
        let answer = it.leader.answer(&LogPosition {
            first_seq: node.base.0 + 1,
            last_seq: node.last(),
            chain_at: node.chain_at(hello_seq),
            snapshot,
        });
        let leader_node = it.leader_node;
        match answer {
            Answer::Follows { seq, .. } => {
                self.tell(leader_node, &format!("is followed from {seq}"));
                self.counts.resumed += u64::from(seq > 0);
                self.nodes[leader_node].follower_at = seq;
                self.occupied_by(index);
                self.let_out(leader_node, seq);
            }
            Answer::Stages(snapshot) => {
                self.counts.snapshots += 1;
                self.nodes[leader_node].follower_at = snapshot.seq;
                self.occupied_by(index);
            }
            Answer::Refused(_) => self.counts.refusals += 1,
        }
    }

    /// A leader has one follower: the newest.
    fn occupied_by(&mut self, index: usize) {
        let leader_node = self.connections[index].leader_node;
        for (at, it) in self.connections.iter_mut().enumerate() {
            if at != index
                && it.leader_node == leader_node
                && it.leader.state() != LeaderState::Closed
            {
                it.leader.refuse(Refusal::Occupied);
            }
        }
    }

    /// The gate: what the follower has goes out, while nobody leads a higher term as far as is known here.
    fn let_out(&mut self, node: usize, has: u64) {
        let Some(term) = self.nodes[node].leads() else {
            return;
        };
        let it = &mut self.nodes[node];
        it.cursor = it.cursor.max(has);
        let upto = it.cursor.min(it.last());
        while it.let_out < upto {
            let word = it.words[it.let_out as usize];
            match self.let_out.get(it.let_out as usize) {
                Some(before) => {
                    assert_eq!(*before, word, "two records with one number were let out")
                }
                None => self.let_out.push(word),
            }
            it.let_out += 1;
            let who = *self.by_term.entry(term).or_insert(node);
            assert_eq!(who, node, "two let something out in one term");
        }
    }
}

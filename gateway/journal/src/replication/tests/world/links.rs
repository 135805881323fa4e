//! The links: who connects, what is under way on each connection, and where it is cut.
//!
//! What was meant for another life of a node, or for a connection that its follower left, is lost.

use super::{Role, World};
use crate::replication::tests::*;
use std::collections::VecDeque;

/// One connection, and the bytes under way on it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) leader_node: usize,
    pub(super) lives: [u64; 2],
    pub(super) leader: Leader,
    up: VecDeque<u8>,
    down: VecDeque<u8>,
    pub(super) up_inbox: Vec<u8>,
    pub(super) down_inbox: Vec<u8>,
    is_cut: bool,
    /// The follower made another one since.
    pub(super) is_left: bool,
}

impl World {
    /// A follower, or a promoted node that tells its term, connects to whoever leads.
    pub(in crate::replication::tests) fn connect(&mut self, node: usize) {
        let peer = 1 - node;
        let Some(term) = self.nodes[peer].leads() else {
            return;
        };
        let machine = match &mut self.nodes[node].role {
            Role::Follows(machine) => machine,
            Role::Leads(_, Some(teller)) => teller,
            Role::Leads(_, None) | Role::Fenced => return,
        };
        if !machine.connect(self.now) {
            return;
        }
        self.connections
            .iter_mut()
            .filter(|it| it.leader_node == peer)
            .for_each(|it| it.is_left = true);
        let mut lives = [0; 2];
        lives[peer] = self.nodes[peer].life;
        lives[node] = self.nodes[node].life;
        self.connections.push(Connection {
            leader_node: peer,
            lives,
            leader: Leader::new(leader_config(term.raw()), self.now),
            up: VecDeque::new(),
            down: VecDeque::new(),
            up_inbox: Vec::new(),
            down_inbox: Vec::new(),
            is_cut: false,
            is_left: false,
        });
    }

    pub(in crate::replication::tests) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// The link breaks at a random byte each way.
    pub(in crate::replication::tests) fn cut(&mut self, index: usize) {
        let (up, down) = {
            let it = &self.connections[index];
            (it.up.len() as u64, it.down.len() as u64)
        };
        let (up, down) = (self.random.below(up + 1), self.random.below(down + 1));
        let it = &mut self.connections[index];
        it.up.truncate(up as usize);
        it.down.truncate(down as usize);
        it.is_cut = true;
    }

    /// Bytes go into a link.
    pub(in crate::replication::tests) fn send(&mut self, index: usize, count: usize) {
        self.feed(index);
        let now = self.now;
        let it = &mut self.connections[index];
        let follower_node = 1 - it.leader_node;
        let follower_lives =
            self.nodes[follower_node].life == it.lives[follower_node] && !it.is_left;
        let leader_lives = self.nodes[it.leader_node].life == it.lives[it.leader_node];
        let count_down = count.min(it.leader.output().len());
        if !it.is_cut && leader_lives {
            it.down.extend(&it.leader.output()[..count_down]);
        }
        it.leader.sent(count_down, now);
        let machine = match &mut self.nodes[follower_node].role {
            Role::Follows(machine) => machine,
            Role::Leads(_, Some(teller)) => teller,
            Role::Leads(_, None) | Role::Fenced => return,
        };
        if follower_lives {
            let count_up = count.min(machine.output().len());
            if !it.is_cut {
                it.up.extend(&machine.output()[..count_up]);
            }
            machine.sent(count_up, now);
        }
    }

    /// The leader's machine is given what it can send.
    fn feed(&mut self, index: usize) {
        let it = &mut self.connections[index];
        let node = &self.nodes[it.leader_node];
        if node.leads().is_none() || node.life != it.lives[it.leader_node] {
            return;
        }
        while it.leader.state() == LeaderState::Following {
            let next = it.leader.next_seq();
            assert!(next > node.base.0, "what a follower lacks is kept");
            let Some(frame) = node.frame_from(next) else {
                break;
            };
            if it.leader.frame(&frame.frame()).is_err() {
                break;
            }
        }
        while let Some(wanted) = it.leader.wanted() {
            let bytes = node.snapshot(wanted.object.id);
            let piece = &bytes[wanted.offset as usize..][..wanted.bytes_max.min(24)];
            it.leader
                .block(wanted.object, wanted.offset, piece)
                .expect("it is wanted");
        }
        it.leader.log_reached(node.last());
    }

    /// Bytes come out of a link.
    pub(in crate::replication::tests) fn deliver(&mut self, index: usize, count: usize) {
        let it = &mut self.connections[index];
        let up = count.min(it.up.len());
        it.up_inbox.extend(it.up.drain(..up));
        let down = count.min(it.down.len());
        it.down_inbox.extend(it.down.drain(..down));
        let leader = it.leader_node;
        if self.nodes[leader].life == it.lives[leader] {
            self.step_leader(index);
        }
        self.step_follower(index);
    }

    /// Connections of which nothing can come any more are gone; a follower that sees it is idle.
    pub(super) fn sweep(&mut self) {
        for index in (0..self.connections.len()).rev() {
            let it = &self.connections[index];
            let (leader, follower) = (it.leader_node, 1 - it.leader_node);
            let leader_gone = self.nodes[leader].life != it.lives[leader]
                || (it.leader.state() == LeaderState::Closed && it.leader.output().is_empty());
            let drained = it.up.is_empty() && it.down.is_empty();
            if !(drained && (leader_gone || it.is_cut)) {
                continue;
            }
            let follower_sees = self.nodes[follower].life == it.lives[follower] && !it.is_left;
            if let (true, Role::Follows(machine) | Role::Leads(_, Some(machine))) =
                (follower_sees, &mut self.nodes[follower].role)
            {
                machine.disconnected();
            }
            self.connections.remove(index);
        }
    }
}

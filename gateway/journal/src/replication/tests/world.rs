//! Two nodes and the connections between them: logs, terms on disk, a gate that lets out what the follower has, and
//! links that cut, delay and double.
//!
//! What must hold is asserted where it happens: see [`World::let_out`] and [`World::on_leader_event`].

mod following;
mod leading;
mod links;
mod node;

pub(super) use node::Role;

use super::*;
use links::Connection;
use node::{Node, Random};
use std::collections::BTreeMap;

/// Everything, and what was let out so far.
#[derive(Debug)]
pub(super) struct World {
    pub(super) nodes: [Node; 2],
    connections: Vec<Connection>,
    pub(super) now: Timestamp,
    pub(super) random: Random,
    next_word: u64,
    /// What was let out, by number.
    pub(super) let_out: Vec<u64>,
    /// Who let anything out in a term.
    by_term: BTreeMap<Term, usize>,
    pub(super) counts: Counts,
    /// What happened, printed when a claim breaks.
    pub(super) story: Vec<String>,
}

/// What happened, so that a run that tried nothing is seen.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) frames_taken: u64,
    pub(super) snapshots: u64,
    pub(super) promotions: u64,
    pub(super) fences: u64,
    pub(super) refusals: u64,
    pub(super) two_led: u64,
    pub(super) resumed: u64,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut nodes = [Node::new(), Node::new()];
        nodes[0].heard = Term::new(1);
        nodes[0].led = Term::new(1);
        nodes[0].role = Role::Leads(Term::new(1), None);
        nodes[1].role = Role::Follows(nodes[1].machine());
        Self {
            nodes,
            connections: Vec::new(),
            now: at(1),
            random: Random(seed),
            next_word: 1,
            let_out: Vec::new(),
            by_term: BTreeMap::new(),
            counts: Counts::default(),
            story: Vec::new(),
        }
    }

    fn tell(&mut self, node: usize, what: &str) {
        let it = &self.nodes[node];
        let role = match &it.role {
            Role::Leads(term, _) => format!("leads {term:?}"),
            Role::Follows(machine) => format!("{:?} {:?}", machine.state(), machine.position()),
            Role::Fenced => "fenced".to_owned(),
        };
        let (base, last, synced) = (it.base.0, it.last(), it.synced);
        let term = it.log_term();
        self.story.push(format!(
            "node {node} {what}: base {base}, last {last}, synced {synced}, {term:?}, {role}"
        ));
    }

    pub(super) fn append(&mut self, node: usize) {
        let Some(term) = self.nodes[node].leads() else {
            return;
        };
        let count = 1 + self.random.below(3);
        let words: Vec<u64> = (self.next_word..self.next_word + count).collect();
        self.next_word += count;
        let node = &mut self.nodes[node];
        let (last, chain) = node.end();
        node.frames.push(frame_of(last + 1, chain, term, &words));
        node.words.extend(words);
    }

    /// Old frames go, up to a random one: a snapshot has them, and the follower.
    pub(super) fn forget(&mut self, node: usize) {
        let node = &mut self.nodes[node];
        let follower_at = node.follower_at;
        let free = node
            .frames
            .partition_point(|it| it.header.seq_last() <= follower_at);
        let upto = self.random.below(free as u64 + 1) as usize;
        if let Some(last) = node.frames.drain(..upto).next_back() {
            node.base = (last.header.seq_last(), last.header.chain);
            node.base_term = last.header.term;
        }
    }

    fn hear(&mut self, node: usize, term: Term) {
        let it = &mut self.nodes[node];
        it.heard = Term::new(it.heard.raw().max(term.raw()));
        // Of a higher term or of another that claims its own: neither may go on.
        if matches!(it.role, Role::Leads(..)) {
            it.role = Role::Fenced;
        }
    }

    pub(super) fn promote(&mut self, node: usize, force: bool) {
        let it = &mut self.nodes[node];
        let Role::Follows(machine) = &mut it.role else {
            return;
        };
        let Ok(promotion) = machine.promote(force) else {
            return;
        };
        self.counts.promotions += 1;
        assert_eq!(
            it.heard.raw() + 1,
            promotion.term.raw(),
            "machine and disk agree"
        );
        it.heard = promotion.term;
        it.led = promotion.term;
        it.synced = it.last();
        it.cursor = 0;
        it.let_out = 0;
        it.follower_at = 0;
        let Role::Follows(teller) = std::mem::replace(&mut it.role, Role::Fenced) else {
            unreachable!("it follows");
        };
        it.role = Role::Leads(promotion.term, Some(teller));
        assert!(
            it.words.starts_with(&self.let_out),
            "a promoted node lacks what was let out"
        );
        self.tell(node, "was promoted");
        self.counts.two_led += u64::from(self.nodes[1 - node].leads().is_some());
    }

    /// The process ends and comes back; after a loss of power, without the end of what it wrote as a leader.
    pub(super) fn restart(&mut self, node: usize, power_fails: bool) {
        let it = &mut self.nodes[node];
        it.life += 1;
        if it.leads().is_some() && power_fails {
            let lost = self.random.below(it.last() - it.synced + 1);
            let upto = it.last() - lost;
            it.lose_behind(upto.max(it.base.0));
        }
        it.cursor = 0;
        it.let_out = 0;
        it.follower_at = 0;
        let leads = matches!(it.role, Role::Leads(..));
        it.role = if leads && it.heard <= it.led {
            Role::Leads(it.led, None)
        } else {
            Role::Follows(it.machine())
        };
        self.tell(
            node,
            if power_fails {
                "lost power"
            } else {
                "restarted"
            },
        );
    }

    pub(super) fn start_as_follower(&mut self, node: usize) {
        self.tell(node, "is made a follower");
        self.nodes[node].role = Role::Fenced;
        self.restart(node, false);
    }

    /// Time passes for everybody.
    pub(super) fn wait(&mut self, millis: u64) {
        self.now = self.now.saturating_add(super::millis(millis));
        let now = self.now;
        for it in &mut self.connections {
            it.leader.on_time(now);
        }
        for node in &mut self.nodes {
            match &mut node.role {
                Role::Follows(machine) | Role::Leads(_, Some(machine)) => {
                    machine.on_time(now);
                }
                Role::Leads(_, None) | Role::Fenced => {}
            }
        }
        self.sweep();
    }
}

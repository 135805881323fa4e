//! Two nodes and the connections between them: logs, terms on disk, a gate that lets out what the follower has, and
//! links that cut, delay and double.
//!
//! What must hold is asserted where it happens: see [`World::let_out`] and [`World::on_leader_event`].

mod node;

pub(super) use node::Role;
use node::{Node, Random};

use super::*;
use std::collections::{BTreeMap, VecDeque};

/// One connection, and the bytes under way on it.
#[derive(Debug)]
struct Connection {
    leader_node: usize,
    lives: [u64; 2],
    leader: Leader,
    up: VecDeque<u8>,
    down: VecDeque<u8>,
    up_inbox: Vec<u8>,
    down_inbox: Vec<u8>,
    is_cut: bool,
    /// The follower made another one since.
    is_left: bool,
}

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

/// What a follower was given, owned.
enum Given {
    Frame(Kept),
    Other(Told),
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut nodes = [Node::new(), Node::new()];
        nodes[0].heard = Term::new(1);
        nodes[0].led = Term::new(1);
        nodes[0].role = Role::Leads(
            Standing::leading(Term::new(1), Term::new(1)).expect("the first"),
            None,
        );
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
            Role::Leads(standing, _) => format!("{standing:?}"),
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

    /// A follower, or a promoted node that tells its term, connects to whoever leads.
    pub(super) fn connect(&mut self, node: usize) {
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

    pub(super) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// The link breaks at a random byte each way.
    pub(super) fn cut(&mut self, index: usize) {
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
    pub(super) fn send(&mut self, index: usize, count: usize) {
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
    pub(super) fn deliver(&mut self, index: usize, count: usize) {
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

    fn step_leader(&mut self, index: usize) {
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

    fn hear(&mut self, node: usize, term: Term) {
        let it = &mut self.nodes[node];
        it.heard = Term::new(it.heard.raw().max(term.raw()));
        if let Role::Leads(standing, _) = &mut it.role {
            if !standing.hear(term) {
                standing.contested();
            }
            assert_eq!(standing.leads(), None);
            it.role = Role::Fenced;
        }
    }

    fn step_follower(&mut self, index: usize) {
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
            Refusal::Version { .. } | Refusal::OtherJournal { .. } | Refusal::TooOld { .. } => {
                panic!("{refusal}")
            }
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
        let mut standing = Standing::following(it.heard);
        assert_eq!(
            standing.promote(),
            Some(promotion.term),
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
        it.role = Role::Leads(standing, Some(teller));
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
        it.role = match Standing::leading(it.led, it.heard).filter(|_| leads) {
            Some(standing) => Role::Leads(standing, None),
            None => Role::Follows(it.machine()),
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

    /// Connections of which nothing can come any more are gone; a follower that sees it is idle.
    fn sweep(&mut self) {
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

//! A node: what it keeps over a restart, and what it is now.

use crate::replication::tests::*;

/// What a node keeps over a restart, and what it is now.
#[derive(Debug)]
pub(in crate::replication::tests) struct Node {
    /// What tells each record of its log, from the first one on.
    pub(in crate::replication::tests) words: Vec<u64>,
    /// The frames that are left of it, the place they begin behind, and the term there.
    pub(in crate::replication::tests) frames: Vec<Kept>,
    pub(in crate::replication::tests) base: (u64, Chain),
    pub(in crate::replication::tests) base_term: Term,
    /// Records that no loss of power takes.
    pub(in crate::replication::tests) synced: u64,
    /// The highest term heard of, as it stands on disk.
    pub(in crate::replication::tests) heard: Term,
    /// The term of its log.
    pub(in crate::replication::tests) led: Term,
    pub(in crate::replication::tests) staged: Option<(u64, Vec<u8>)>,
    /// Counts restarts: what was meant for another life is lost.
    pub(in crate::replication::tests) life: u64,
    pub(in crate::replication::tests) role: Role,
    pub(in crate::replication::tests) let_out: u64,
    pub(in crate::replication::tests) cursor: u64,
    /// Where its newest follower is, as far as it told in this life: what lies behind is kept.
    pub(in crate::replication::tests) follower_at: u64,
}

#[derive(Debug)]
pub(in crate::replication::tests) enum Role {
    /// It leads a term, and after a promotion tells its term with this machine.
    Leads(Term, Option<Box<Follower>>),
    Follows(Box<Follower>),
    /// It has heard of a higher term, and waits for somebody to start it as a follower.
    Fenced,
}

impl Node {
    pub(in crate::replication::tests) fn new() -> Self {
        Self {
            words: Vec::new(),
            frames: Vec::new(),
            base: (0, START),
            base_term: Term::new(0),
            synced: 0,
            heard: Term::new(0),
            led: Term::new(0),
            staged: None,
            life: 0,
            role: Role::Fenced,
            let_out: 0,
            cursor: 0,
            follower_at: 0,
        }
    }

    pub(in crate::replication::tests) fn last(&self) -> u64 {
        self.words.len() as u64
    }

    pub(in crate::replication::tests) fn leads(&self) -> Option<Term> {
        match &self.role {
            Role::Leads(term, _) => Some(*term),
            Role::Follows(_) | Role::Fenced => None,
        }
    }

    pub(in crate::replication::tests) fn end(&self) -> (u64, Chain) {
        self.frames
            .last()
            .map_or(self.base, |it| (it.header.seq_last(), it.header.chain))
    }

    pub(in crate::replication::tests) fn chain_at(&self, seq: u64) -> Option<Chain> {
        if seq == self.base.0 {
            return Some(self.base.1);
        }
        let found = self.frames.iter().find(|it| it.header.seq_last() == seq);
        found.map(|it| it.header.chain)
    }

    /// Its log up to a record, and the term there.
    pub(in crate::replication::tests) fn snapshot(&self, seq: u64) -> Vec<u8> {
        let frame = self.frames.iter().find(|it| it.header.seq_last() == seq);
        let term = frame.map_or(self.base_term, |it| it.header.term).raw();
        let words = self.words[..seq as usize].iter();
        words
            .chain([&term])
            .flat_map(|word| word.to_le_bytes())
            .collect()
    }

    pub(in crate::replication::tests) fn frame_from(&self, seq: u64) -> Option<&Kept> {
        self.frames.iter().find(|it| it.header.seq_first == seq)
    }

    pub(in crate::replication::tests) fn log_term(&self) -> Term {
        self.frames
            .last()
            .map_or(self.base_term, |it| it.header.term)
    }

    pub(in crate::replication::tests) fn machine(&self) -> Box<Follower> {
        let (last_seq, chain) = self.end();
        let nothing = last_seq == 0;
        Box::new(Follower::new(
            // What it has cannot be held against a log whose frames are gone: only a person gives it up.
            FollowerConfig {
                takes_snapshot: nothing,
                ..follower_config()
            },
            FollowerPosition {
                journal: if nothing && self.heard == Term::new(0) {
                    0
                } else {
                    JOURNAL
                },
                term: self.heard,
                last_seq,
                chain: if nothing { Chain::new(0) } else { chain },
                log_term: self.log_term(),
                staged_snapshot: self.staged.as_ref().map_or(0, |it| it.0),
            },
        ))
    }

    pub(in crate::replication::tests) fn empty_the_folder(&mut self) {
        let life = self.life + 1;
        *self = Self {
            life,
            ..Self::new()
        };
        self.role = Role::Follows(self.machine());
    }

    /// The frames behind this record are gone.
    pub(in crate::replication::tests) fn lose_behind(&mut self, seq: u64) {
        self.frames.retain(|it| it.header.seq_last() <= seq);
        let last = self.end().0;
        self.words.truncate(last as usize);
    }
}

/// Numbers from a seed (splitmix64).
#[derive(Debug)]
pub(in crate::replication::tests) struct Random(pub(in crate::replication::tests) u64);

impl Random {
    pub(in crate::replication::tests) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)) % bound
    }
}

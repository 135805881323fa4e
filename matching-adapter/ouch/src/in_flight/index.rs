//! Where entries are, by the number that they bring and by the version that they name.
//!
//! Part of what is in flight. Clients choose the numbers, so a secret has its say in where each is looked for. Invariants:
//! of those with the same key the one that was put in first is found; each is put in and taken out at its end of a chain or
//! between its neighbours, however long that is; nothing grows.

use portcullis_domain::{HashSeed, UserRef};

use super::Asked;
use super::queue::{At, Queue};
use crate::chains::Chains;

/// What one is looked for by: in one word, as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(u64);

const NUMBER: u64 = 0;
const REPLACE_OF: u64 = 1 << 40;
const CANCEL_OF: u64 = 2 << 40;

impl Key {
    /// An order or replace that brings this number.
    pub(super) const fn number(number: UserRef) -> Self {
        Self::new(NUMBER, number)
    }

    /// A replace of this version.
    pub(super) const fn replace_of(version: UserRef) -> Self {
        Self::new(REPLACE_OF, version)
    }

    /// A cancel of this version.
    pub(super) const fn cancel_of(version: UserRef) -> Self {
        Self::new(CANCEL_OF, version)
    }

    const fn new(kind: u64, UserRef { row, number }: UserRef) -> Self {
        Self(kind | (row as u64) << 32 | number as u64)
    }

    /// Of the number that a message brings.
    pub(super) const fn own(asked: Asked) -> Option<Self> {
        match asked {
            Asked::Enter { number } | Asked::Replace { number, .. } => Some(Self::number(number)),
            Asked::Cancel { .. } => None,
        }
    }

    /// Of the version that a message names.
    pub(super) const fn named(asked: Asked) -> Option<Self> {
        match asked {
            Asked::Enter { .. } => None,
            Asked::Replace { original, .. } => Some(Self::replace_of(original)),
            Asked::Cancel { target, .. } => Some(Self::cancel_of(target)),
        }
    }

    const fn is_number(self) -> bool {
        self.0 < REPLACE_OF
    }
}

/// The neighbours of an entry in a chain, of which it may be in two: of its number, and of what it names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    /// The one put in after it; none of the last.
    next: Node,
    /// The one put in before it; of the first the last.
    before: Node,
}

impl Links {
    pub(super) const NONE: Self = Self {
        next: Node::NONE,
        before: Node::NONE,
    };
}

/// An entry as one of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node(u32);

impl Node {
    /// That of no entry.
    const NONE: Self = Self(0);

    const fn new(at: At, key: Key) -> Self {
        Self(at.0 << 1 | key.is_number() as u32)
    }

    /// By which of its keys it is in this chain.
    const fn is_number(self) -> bool {
        self.0 & 1 == 1
    }

    fn key(self, queue: &Queue) -> Option<Key> {
        let asked = queue.entry(self.at()).asked;
        if self.is_number() {
            Key::own(asked)
        } else {
            Key::named(asked)
        }
    }

    const fn at(self) -> At {
        At(self.0 >> 1)
    }

    fn links(self, queue: &mut Queue) -> &mut Links {
        &mut queue.links_mut(self.at())[usize::from(self.is_number())]
    }

    fn next(self, queue: &Queue) -> Self {
        queue.links(self.at())[usize::from(self.is_number())].next
    }
}

#[derive(Debug)]
pub(super) struct Index {
    /// The first of each chain, as a plain word: memory that is 0 from the start is touched only where it is used.
    firsts: Box<[u32]>,
    chains: Chains,
}

impl Index {
    pub(super) fn new(max: usize, seed: HashSeed) -> Self {
        let (chains, count) = Chains::new(max, seed);
        Self {
            firsts: vec![Node::NONE.0; count].into_boxed_slice(),
            chains,
        }
    }

    /// The first with this key.
    pub(super) fn find(&self, queue: &Queue, key: Key) -> Option<At> {
        let mut node = Node(self.firsts[self.chains.of(key.0)]);
        while node != Node::NONE {
            if node.key(queue) == Some(key) {
                return Some(node.at());
            }
            node = node.next(queue);
        }
        None
    }

    /// Puts one behind the others of its chain.
    #[inline]
    pub(super) fn put(&mut self, queue: &mut Queue, at: At, key: Key) {
        let node = Node::new(at, key);
        let first = &mut self.firsts[self.chains.of(key.0)];
        let next = Node::NONE;
        if *first == Node::NONE.0 {
            *first = node.0;
            let before = node;
            *node.links(queue) = Links { next, before };
            return;
        }
        let last = std::mem::replace(&mut Node(*first).links(queue).before, node);
        last.links(queue).next = node;
        let before = last;
        *node.links(queue) = Links { next, before };
    }

    /// Takes one out that was put in with this key.
    #[inline]
    pub(super) fn take(&mut self, queue: &mut Queue, at: At, key: Key) {
        let node = Node::new(at, key);
        let first = &mut self.firsts[self.chains.of(key.0)];
        let Links { next, before } = *node.links(queue);
        if *first == node.0 {
            *first = next.0;
        } else {
            before.links(queue).next = next;
        }
        // The last is noted at the first.
        let behind = if next == Node::NONE {
            Node(*first)
        } else {
            next
        };
        if behind != Node::NONE {
            behind.links(queue).before = before;
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.firsts.iter().all(|first| *first == Node::NONE.0)
    }
}

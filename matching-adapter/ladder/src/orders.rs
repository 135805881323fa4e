//! The slab of resting orders, the lists of each session's orders, and the table of their keys.
//!
//! Owned by the ladder's thread. Invariants: an order in the slab is in exactly one session's list
//! and its key is in the table; a session's list runs from the oldest order to the newest, by
//! reference number. Where an order stands in a book is the book's affair, which keeps its links
//! here. The slab must never grow; whoever inserts has asked for room before.

use portcullis_domain::{
    HashSeed, InstrumentId, OrderKey, Price, Qty, SessionId, Side, TimeInForce, UserRef,
};

use crate::key_table::KeyTable;
use crate::levels::NONE;

/// An order, on the book or taking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) session: SessionId,
    pub(crate) user_ref: UserRef,
    pub(crate) tag: u64,
    /// Grows with time priority.
    pub(crate) order_ref: u64,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) time_in_force: TimeInForce,
    /// Limit in ticks.
    pub(crate) price: i64,
    /// Open lots.
    pub(crate) leaves: i64,
    /// Lots executed by this and earlier versions; with `leaves` it fits an i64.
    pub(crate) executed: i64,
}

impl Order {
    pub(crate) fn key(&self) -> OrderKey {
        OrderKey::new(self.session, self.user_ref)
    }

    pub(crate) const fn leaves(&self) -> Qty {
        Qty::new(self.leaves)
    }

    pub(crate) const fn price(&self) -> Price {
        Price::new(self.price)
    }

    /// Whether the limit allows a trade at this price.
    pub(crate) const fn reaches(&self, price: i64) -> bool {
        match self.side {
            Side::Buy => price <= self.price,
            Side::Sell => price >= self.price,
        }
    }

    pub(crate) const fn is_immediate(&self) -> bool {
        match self.time_in_force {
            TimeInForce::ImmediateOrCancel => true,
            TimeInForce::Day | TimeInForce::GoodTillCancel | TimeInForce::GoodTillTime => false,
        }
    }
}

/// An order and its links; those into a level are the book's.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub(crate) order: Order,
    pub(crate) level: u32,
    /// Towards the older order of the level.
    pub(crate) older: u32,
    /// Towards the newer order of the level; of a free node the next free one.
    pub(crate) newer: u32,
    session_older: u32,
    session_newer: u32,
}

#[derive(Clone, Copy)]
struct SessionList {
    oldest: u32,
    newest: u32,
}

pub(crate) struct Orders {
    nodes: Box<[Node]>,
    free: u32,
    live: u32,
    sessions: Box<[SessionList]>,
    keys: KeyTable,
}

impl Orders {
    pub(crate) fn new(orders_max: u32, sessions_max: u32, seed: HashSeed) -> Self {
        let order = Order {
            session: SessionId::NONE,
            user_ref: UserRef::new(0),
            tag: 0,
            order_ref: 0,
            instrument: InstrumentId::NONE,
            side: Side::Buy,
            time_in_force: TimeInForce::Day,
            price: 0,
            leaves: 0,
            executed: 0,
        };
        let node = |index: u32| Node {
            order,
            level: NONE,
            older: NONE,
            newer: if index + 1 < orders_max {
                index + 1
            } else {
                NONE
            },
            session_older: NONE,
            session_newer: NONE,
        };
        let empty = SessionList {
            oldest: NONE,
            newest: NONE,
        };
        Self {
            nodes: (0..orders_max).map(node).collect(),
            free: 0,
            live: 0,
            sessions: vec![empty; sessions_max as usize].into_boxed_slice(),
            keys: KeyTable::new(orders_max, seed),
        }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.free == NONE
    }

    pub(crate) const fn live(&self) -> u32 {
        self.live
    }

    pub(crate) fn sessions(&self) -> u32 {
        self.sessions.len() as u32
    }

    pub(crate) fn knows(&self, session: SessionId) -> bool {
        session.index() < self.sessions.len()
    }

    pub(crate) fn find(&self, session: SessionId, user_ref: UserRef) -> Option<u32> {
        if !self.knows(session) {
            return None;
        }
        self.keys.find(OrderKey::new(session, user_ref))
    }

    pub(crate) fn get(&self, slot: u32) -> &Order {
        &self.nodes[slot as usize].order
    }

    pub(crate) fn node(&self, slot: u32) -> &Node {
        &self.nodes[slot as usize]
    }

    pub(crate) fn node_mut(&mut self, slot: u32) -> &mut Node {
        &mut self.nodes[slot as usize]
    }

    /// The oldest order of a session.
    pub(crate) fn oldest(&self, session: u32) -> Option<u32> {
        some(self.sessions[session as usize].oldest)
    }

    /// The next newer order of the same session.
    pub(crate) fn newer_of_session(&self, slot: u32) -> Option<u32> {
        some(self.nodes[slot as usize].session_newer)
    }

    /// Puts the order at the end of its session's list. Its key must be free.
    pub(crate) fn insert(&mut self, order: Order) -> u32 {
        assert!(!self.is_full(), "room was asked for before");
        let slot = self.free;
        let list = &mut self.sessions[order.session.index()];
        let before = list.newest;
        list.newest = slot;
        if before == NONE {
            list.oldest = slot;
        } else {
            self.nodes[before as usize].session_newer = slot;
        }
        self.keys.insert(order.key(), slot);
        self.live += 1;
        let node = &mut self.nodes[slot as usize];
        self.free = node.newer;
        *node = Node {
            order,
            level: NONE,
            older: NONE,
            newer: NONE,
            session_older: before,
            session_newer: NONE,
        };
        slot
    }

    /// Takes the order out of list and table. Its book has let go of it before.
    pub(crate) fn remove(&mut self, slot: u32) -> Order {
        let node = self.nodes[slot as usize];
        assert!(node.level == NONE, "a book still holds this order");
        let list = &mut self.sessions[node.order.session.index()];
        if node.session_older == NONE {
            list.oldest = node.session_newer;
        } else {
            self.nodes[node.session_older as usize].session_newer = node.session_newer;
        }
        if node.session_newer == NONE {
            list.newest = node.session_older;
        } else {
            self.nodes[node.session_newer as usize].session_older = node.session_older;
        }
        self.keys.remove(node.order.key());
        self.nodes[slot as usize].newer = self.free;
        self.free = slot;
        self.live -= 1;
        node.order
    }

    /// Gives the order the name, tag and life of a new version, in place.
    pub(crate) fn rename(
        &mut self,
        slot: u32,
        user_ref: UserRef,
        tag: u64,
        time_in_force: TimeInForce,
    ) {
        let order = &mut self.nodes[slot as usize].order;
        self.keys.remove(order.key());
        order.user_ref = user_ref;
        order.tag = tag;
        order.time_in_force = time_in_force;
        self.keys.insert(order.key(), slot);
    }
}

const fn some(link: u32) -> Option<u32> {
    if link == NONE { None } else { Some(link) }
}

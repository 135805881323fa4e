//! The pool of price levels, shared by all books.
//!
//! Owned by the ladder's thread. A level is the queue of orders at one price of one side; this pool
//! hands levels out and takes them back, and knows nothing of orders. Invariant: a level in use has
//! at least one order. The pool must never grow; whoever takes a level has asked for room before.

/// No link.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
pub(crate) struct Level {
    /// Ticks.
    pub(crate) price: i64,
    /// Sum of the open lots of its orders.
    pub(crate) qty: i64,
    /// The oldest order; of a free level the next free one.
    pub(crate) head: u32,
    /// The newest order.
    pub(crate) tail: u32,
    /// How many orders.
    pub(crate) orders: u32,
}

pub(crate) struct Levels {
    pool: Box<[Level]>,
    free: u32,
    used: u32,
}

impl Levels {
    pub(crate) fn new(levels_max: u32) -> Self {
        let level = |index: u32| Level {
            price: 0,
            qty: 0,
            head: if index + 1 < levels_max {
                index + 1
            } else {
                NONE
            },
            tail: NONE,
            orders: 0,
        };
        Self {
            pool: (0..levels_max).map(level).collect(),
            free: 0,
            used: 0,
        }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.free == NONE
    }

    pub(crate) const fn used(&self) -> u32 {
        self.used
    }

    pub(crate) fn get(&self, level: u32) -> &Level {
        &self.pool[level as usize]
    }

    pub(crate) fn get_mut(&mut self, level: u32) -> &mut Level {
        &mut self.pool[level as usize]
    }

    pub(crate) fn take(&mut self, price: i64) -> u32 {
        assert!(!self.is_full(), "room was asked for before");
        let taken = self.free;
        let level = &mut self.pool[taken as usize];
        self.free = level.head;
        self.used += 1;
        *level = Level {
            price,
            qty: 0,
            head: NONE,
            tail: NONE,
            orders: 0,
        };
        taken
    }

    pub(crate) fn give_back(&mut self, index: u32) {
        let level = &mut self.pool[index as usize];
        assert!(
            level.orders == 0 && level.qty == 0,
            "a level with orders is in use"
        );
        level.head = self.free;
        self.free = index;
        self.used -= 1;
    }
}

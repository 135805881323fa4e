//! The books: for each instrument and side the price levels in order, for each level its queue.
//!
//! Owned by the ladder's thread. Invariants: a level exists if and only if an order rests at its
//! price; its queue runs from the oldest order to the newest; its sum is that of its orders; `best`
//! is the level nearest to the other side. Books must never decide whether a trade happens: they
//! say what rests, take orders in and let them go.
//!
//! The choice of structure: prices of an instrument near each other stand in a window, a direct
//! table of levels with a two-level bitmap ([`Bitmap`]), where a level is found, made and left in a
//! few steps. All other prices stand in a crit-bit tree ([`PriceTree`]), at most 63 steps a walk. Both
//! draw on one fixed pool of levels, so no side has a bound of its own. The window of an instrument
//! is centred on the first order that rests in its empty book and stays until the book is empty
//! again: a far-off first order costs speed (everything is in the tree), never an answer.

use portcullis_domain::{InstrumentId, Side};

use crate::bitmap::Bitmap;
use crate::config::LadderConfig;
use crate::levels::{Level, Levels, NONE};
use crate::orders::{Order, Orders};
use crate::price_tree::PriceTree;

struct BookSide {
    side: Side,
    /// The level nearest to the other side, or [`NONE`].
    best: u32,
    /// Prices outside the window.
    tree_root: u32,
    occupied: Bitmap,
    /// Level by price less the window's lowest.
    window: Box<[u32]>,
}

struct Book {
    /// Lowest price of the window, in ticks; at least 1.
    window_low: i64,
    /// Levels of both sides.
    levels: u32,
    sides: [BookSide; 2],
}

pub(crate) struct Books {
    books: Box<[Book]>,
    levels: Levels,
    tree: PriceTree,
    orders: Orders,
}

/// Where a walk over the levels of one side stands, from the best one outwards.
pub(crate) struct LevelWalk {
    instrument: InstrumentId,
    side: Side,
    in_window: Option<usize>,
    in_tree: Option<u32>,
}

impl Books {
    pub(crate) fn new(config: &LadderConfig) -> Self {
        let side = |side| BookSide {
            side,
            best: NONE,
            tree_root: NONE,
            occupied: Bitmap::new(),
            window: vec![NONE; config.window_ticks as usize].into_boxed_slice(),
        };
        let book = |_| Book {
            window_low: 1,
            levels: 0,
            sides: [side(Side::Buy), side(Side::Sell)],
        };
        Self {
            books: (0..config.instruments.len()).map(book).collect(),
            levels: Levels::new(config.levels_max),
            tree: PriceTree::new(config.levels_max),
            orders: Orders::new(config.orders_max, config.sessions_max, config.hash_seed),
        }
    }

    pub(crate) const fn orders(&self) -> &Orders {
        &self.orders
    }

    pub(crate) const fn orders_mut(&mut self) -> &mut Orders {
        &mut self.orders
    }

    pub(crate) const fn levels(&self) -> &Levels {
        &self.levels
    }

    /// The best level of a side.
    pub(crate) fn best(&self, instrument: InstrumentId, side: Side) -> Option<&Level> {
        let best = self.side(instrument, side).best;
        (best != NONE).then(|| self.levels.get(best))
    }

    /// Whether an order at this price would find a level or the room for one.
    pub(crate) fn has_room_at(&self, instrument: InstrumentId, side: Side, price: i64) -> bool {
        !self.levels.is_full() || self.find(instrument, side, price).is_some()
    }

    /// The same, once the order in this slot has gone.
    pub(crate) fn has_room_without(&self, slot: u32, price: i64) -> bool {
        let node = self.orders.node(slot);
        let frees_level = self.levels.get(node.level).orders == 1;
        frees_level || self.has_room_at(node.order.instrument, node.order.side, price)
    }

    /// Whether at least `wanted` lots rest within the order's limit on the other side.
    ///
    /// Cost: one step for each level looked at.
    pub(crate) fn can_trade(&self, order: &Order, wanted: i64) -> bool {
        let mut walk = self.walk(order.instrument, order.side.opposite());
        let mut found = 0_i64;
        while let Some(level) = self.next_level(&mut walk) {
            if found >= wanted || !order.reaches(level.price) {
                break;
            }
            found += level.qty;
        }
        found >= wanted
    }

    /// Puts the order at the end of the queue at its price. Room was asked for before.
    pub(crate) fn rest(&mut self, order: Order) -> u32 {
        let level = match self.find(order.instrument, order.side, order.price) {
            Some(level) => level,
            None => self.make_level(&order),
        };
        let slot = self.orders.insert(order);
        let at = self.levels.get_mut(level);
        let before = at.tail;
        at.tail = slot;
        at.qty += order.leaves;
        at.orders += 1;
        if before == NONE {
            at.head = slot;
        } else {
            self.orders.node_mut(before).newer = slot;
        }
        let node = self.orders.node_mut(slot);
        node.level = level;
        node.older = before;
        slot
    }

    /// Takes the order off the book, with its level if it was the last one there.
    pub(crate) fn remove(&mut self, slot: u32) -> Order {
        let node = *self.orders.node(slot);
        let level = self.levels.get_mut(node.level);
        level.qty -= node.order.leaves;
        level.orders -= 1;
        if node.older == NONE {
            level.head = node.newer;
        } else {
            self.orders.node_mut(node.older).newer = node.newer;
        }
        if node.newer == NONE {
            level.tail = node.older;
        } else {
            self.orders.node_mut(node.newer).older = node.older;
        }
        if level.orders == 0 {
            self.drop_level(&node.order, node.level);
        }
        self.orders.node_mut(slot).level = NONE;
        self.orders.remove(slot)
    }

    /// Changes the open and executed lots of an order that stays where it is.
    pub(crate) fn set_lots(&mut self, slot: u32, leaves: i64, executed: i64) {
        assert!(leaves > 0, "an order without open lots does not rest");
        let node = self.orders.node_mut(slot);
        let change = leaves - node.order.leaves;
        node.order.leaves = leaves;
        node.order.executed = executed;
        self.levels.get_mut(node.level).qty += change;
    }

    pub(crate) fn walk(&self, instrument: InstrumentId, side: Side) -> LevelWalk {
        let of = self.side(instrument, side);
        let highest = of.side == Side::Buy;
        LevelWalk {
            instrument,
            side,
            in_window: if highest {
                of.occupied.highest()
            } else {
                of.occupied.lowest()
            },
            in_tree: self.tree.extreme(of.tree_root, highest),
        }
    }

    /// The next level of a walk, best first. The book must not change between steps.
    pub(crate) fn next_level(&self, walk: &mut LevelWalk) -> Option<&Level> {
        self.next_index(walk).map(|level| self.levels.get(level))
    }

    fn next_index(&self, walk: &mut LevelWalk) -> Option<u32> {
        let of = self.side(walk.instrument, walk.side);
        let upwards = of.side == Side::Sell;
        let price = |level: u32| self.levels.get(level).price;
        let window = walk.in_window.map(|at| of.window[at]);
        let (level, in_window) = match (window, walk.in_tree) {
            (None, None) => return None,
            (Some(level), None) => (level, true),
            (None, Some(level)) => (level, false),
            (Some(near), Some(far)) if (price(near) < price(far)) == upwards => (near, true),
            (Some(_), Some(far)) => (far, false),
        };
        if in_window {
            walk.in_window = walk.in_window.and_then(|at| {
                if upwards {
                    of.occupied.above(at)
                } else {
                    of.occupied.below(at)
                }
            });
        } else {
            walk.in_tree = self.tree.neighbour(of.tree_root, price(level), upwards);
        }
        Some(level)
    }

    fn side(&self, instrument: InstrumentId, side: Side) -> &BookSide {
        &self.books[instrument.index()].sides[side as usize]
    }

    fn find(&self, instrument: InstrumentId, side: Side, price: i64) -> Option<u32> {
        let book = &self.books[instrument.index()];
        let of = &book.sides[side as usize];
        match book.window_index(price) {
            Some(at) => (of.window[at] != NONE).then_some(of.window[at]),
            None => self.tree.find(of.tree_root, price, &self.levels),
        }
    }

    fn make_level(&mut self, order: &Order) -> u32 {
        let price = order.price;
        let level = self.levels.take(price);
        let book = &mut self.books[order.instrument.index()];
        if book.levels == 0 {
            let half = book.sides[0].window.len() as i64 / 2;
            book.window_low = (price - half).max(1);
        }
        book.levels += 1;
        let index = book.window_index(price);
        let of = &mut book.sides[order.side as usize];
        match index {
            Some(at) => {
                of.window[at] = level;
                of.occupied.set(at);
            }
            None => self.tree.insert(&mut of.tree_root, level, &self.levels),
        }
        let is_best = of.best == NONE || {
            let best = self.levels.get(of.best).price;
            if of.side == Side::Buy {
                price > best
            } else {
                price < best
            }
        };
        if is_best {
            of.best = level;
        }
        level
    }

    fn drop_level(&mut self, order: &Order, level: u32) {
        let book = &mut self.books[order.instrument.index()];
        book.levels -= 1;
        let index = book.window_index(order.price);
        let of = &mut book.sides[order.side as usize];
        match index {
            Some(at) => {
                of.window[at] = NONE;
                of.occupied.clear(at);
            }
            None => self
                .tree
                .remove(&mut of.tree_root, order.price, &self.levels),
        }
        let was_best = of.best == level;
        self.levels.give_back(level);
        if was_best {
            self.find_best(order.instrument, order.side);
        }
    }

    fn find_best(&mut self, instrument: InstrumentId, side: Side) {
        let mut walk = self.walk(instrument, side);
        let best = self.next_index(&mut walk).unwrap_or(NONE);
        self.books[instrument.index()].sides[side as usize].best = best;
    }
}

impl Book {
    fn window_index(&self, price: i64) -> Option<usize> {
        // Both are at least 1, so the difference does not leave i64.
        let at = price - self.window_low;
        let ticks = self.sides[0].window.len() as i64;
        (0..ticks).contains(&at).then_some(at as usize)
    }
}

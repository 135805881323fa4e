//! The orders the engine has, or lately had: which instrument they trade, and what is open of them.
//!
//! Owned by the venue, shared by its links. The engine's executions name no instrument, so this is
//! what turns their numbers into ticks and lots. Invariants: an order that is open is never
//! forgotten; closed ones are kept for late messages until there are more than the table has room
//! for, the oldest first; an order stays where it is as long as it is known; nothing grows.

mod table;

use portcullis_domain::{HashSeed, InstrumentId, OrderKey, SessionId, UserRef};
use portcullis_venue::saved::{SavedError, SavedReader, SavedWriter};

pub(crate) use table::Place;
use table::{Slot, Table};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EngineOrder {
    pub(crate) instrument: InstrumentId,
    /// Open quantity in wire units; 0 once closed.
    pub(crate) open_wire: u32,
}

#[derive(Debug)]
pub(crate) struct EngineOrders {
    table: Table,
    closed: Closed,
    open: usize,
    orders_max: usize,
}

impl EngineOrders {
    pub(crate) fn new(orders_max: usize, seed: HashSeed) -> Self {
        Self {
            // Open ones, and as many closed ones.
            table: Table::new(2 * orders_max, seed),
            closed: Closed::new(orders_max),
            open: 0,
            orders_max,
        }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.open == self.orders_max
    }

    /// Keeps room for an order that [`Self::open_reserved`] opens; `false` if there is none.
    pub(crate) const fn reserve(&mut self) -> bool {
        let has_room = !self.is_full();
        self.open += has_room as usize;
        has_room
    }

    /// Notes an open order for which room was kept.
    pub(crate) fn open_reserved(&mut self, key: OrderKey, order: EngineOrder) {
        self.open -= 1;
        let opened = self.open(key, order);
        assert!(opened, "room was kept for it");
    }

    /// Where an order is, as long as nothing is opened or closed.
    pub(crate) fn find(&self, key: OrderKey) -> Option<Place> {
        self.table.find(key)
    }

    pub(crate) fn at(&self, place: Place) -> &EngineOrder {
        self.table.at(place)
    }

    pub(crate) fn get(&self, key: OrderKey) -> Option<&EngineOrder> {
        Some(self.at(self.find(key)?))
    }

    /// Notes an open order; `false` if there is no room for it. A number in use keeps its order. One of which
    /// nothing is open, as no engine should say, is closed at once: nothing would close it later.
    pub(crate) fn open(&mut self, key: OrderKey, order: EngineOrder) -> bool {
        let chain = self.table.chain(key);
        let known = self.table.find_in(chain, key);
        if known.is_some_and(|place| self.at(place).open_wire > 0) {
            return true;
        }
        if self.is_full() {
            return false;
        }
        match known {
            Some(place) => *self.table.at_mut(place) = order,
            None => self.table.insert(chain, key, order),
        }
        self.table.expect_after(key);
        self.open += 1;
        if order.open_wire == 0 {
            self.note_closed(key);
        }
        true
    }

    /// Takes `wire` units off an order's open quantity; `true` if that closed it.
    pub(crate) fn take(&mut self, key: OrderKey, wire: u32) -> bool {
        self.find(key)
            .is_some_and(|place| self.take_at(place, key, wire))
    }

    /// The same of the order with this key, which is here.
    pub(crate) fn take_at(&mut self, place: Place, key: OrderKey, wire: u32) -> bool {
        let order = self.table.at_mut(place);
        if order.open_wire == 0 {
            return false;
        }
        order.open_wire = order.open_wire.saturating_sub(wire);
        let closed = order.open_wire == 0;
        if closed {
            self.note_closed(key);
        }
        closed
    }

    /// Closes an order; `true` if it was open.
    pub(crate) fn close(&mut self, key: OrderKey) -> bool {
        self.take(key, u32::MAX)
    }

    /// Those that are open, in no order.
    pub(crate) fn open_ones(&self) -> impl Iterator<Item = (OrderKey, u32)> + '_ {
        let open = (self.table.held()).filter(|slot| slot.order.open_wire > 0);
        open.map(|slot| (key_of(slot.key), slot.order.open_wire))
    }

    /// Writes them down, equal ones equally whatever became of the table before.
    pub(crate) fn save(&self, to: &mut SavedWriter<'_>) {
        let mut held: Vec<&Slot> = self.table.held().collect();
        held.sort_unstable_by_key(|slot| slot.key);
        to.count(held.len());
        for slot in held {
            to.u64(slot.key);
            to.u32(slot.order.instrument.raw());
            to.u32(slot.order.open_wire);
        }
        to.count(self.closed.keys.len());
        self.closed.iter().for_each(|key| to.u64(key.raw()));
    }

    /// Orders of these sessions and instruments, in tables that are empty.
    pub(crate) fn load(
        self,
        from: &mut SavedReader<'_>,
        sessions: usize,
        instruments: usize,
    ) -> Result<Self, SavedError> {
        let orders_max = self.orders_max;
        let mut orders = self;
        let mut shut = Vec::new();
        let mut last = None;
        for _ in 0..from.count("orders", 16)? {
            let key = read_key(from, sessions)?;
            let instrument = InstrumentId::new(from.u32("instrument")?);
            from.hold("instrument", instrument.index() < instruments)?;
            let open_wire = from.u32("open_wire")?;
            from.hold("orders", orders.table.has_room())?;
            from.hold("order", last < Some(key))?;
            last = Some(key);
            let order = EngineOrder {
                instrument,
                open_wire,
            };
            orders.table.insert(orders.table.chain(key), key, order);
            if open_wire == 0 {
                shut.push(key);
            } else {
                orders.open += 1;
                from.hold("orders", orders.open <= orders_max)?;
            }
        }
        let closed = from.count("closed", 8)?;
        from.hold("closed", closed <= orders_max)?;
        for _ in 0..closed {
            let key = read_key(from, sessions)?;
            orders.closed.push(key);
        }
        // One that is closed and stands in no queue would never make room.
        let mut queued = orders.closed.keys.clone();
        queued.sort_unstable();
        let known = |key: &OrderKey| queued.binary_search(key).is_ok();
        from.hold("closed", shut.iter().all(known))?;
        Ok(orders)
    }

    fn note_closed(&mut self, key: OrderKey) {
        self.open -= 1;
        if let Some(oldest) = self.closed.push(key) {
            self.table.forget_closed(oldest);
            // Long not touched, and mostly closed in the order of their numbers.
            if let Some(soon) = self.closed.after(SOON) {
                self.table.expect(soon);
            }
            if let Some(next) = self.closed.after(SOON / 2) {
                self.table.expect_newest(next);
            }
        }
    }
}

fn read_key(from: &mut SavedReader<'_>, sessions: usize) -> Result<OrderKey, SavedError> {
    let raw = from.u64("key")?;
    from.hold("key", raw >> 40 < sessions as u64)?;
    Ok(key_of(raw))
}

/// The key with this word.
fn key_of(raw: u64) -> OrderKey {
    let user_ref = UserRef {
        row: (raw >> 32) as u8,
        number: raw as u32,
    };
    OrderKey::new(SessionId::new((raw >> 40) as u32), user_ref)
}

/// So many closings ahead the next to be forgotten is looked for: as many as a line holds chains. What stands in its
/// chain is half as many ahead, when that has come.
const SOON: usize = 16;

/// The keys of the orders that were closed last, oldest first. A number that is used again stands here in
/// vain.
#[derive(Debug)]
struct Closed {
    keys: Vec<OrderKey>,
    oldest: usize,
    max: usize,
}

impl Closed {
    fn new(max: usize) -> Self {
        Self {
            keys: Vec::with_capacity(max),
            oldest: 0,
            max,
        }
    }

    /// Puts one behind the others; returns the oldest, if it takes that one's place.
    fn push(&mut self, key: OrderKey) -> Option<OrderKey> {
        if self.keys.len() < self.max {
            self.keys.push(key);
            return None;
        }
        let displaced = std::mem::replace(&mut self.keys[self.oldest], key);
        self.oldest += 1;
        if self.oldest == self.max {
            self.oldest = 0;
        }
        Some(displaced)
    }

    /// One that takes its leave after so many others, if that is not more than a round away.
    #[inline]
    fn after(&self, others: usize) -> Option<OrderKey> {
        self.keys.get(self.oldest + others).copied()
    }

    fn iter(&self) -> impl Iterator<Item = &OrderKey> {
        let (newer, older) = self.keys.split_at(self.oldest);
        older.iter().chain(newer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{SessionId, UserRef};

    fn key(number: u32) -> OrderKey {
        OrderKey::new(SessionId::new(1), UserRef::new(number))
    }

    const ORDER: EngineOrder = EngineOrder {
        instrument: InstrumentId::new(3),
        open_wire: 10,
    };

    #[test]
    fn an_order_of_nothing_takes_no_room_for_long_and_is_loaded_again() {
        let nothing = EngineOrder {
            open_wire: 0,
            ..ORDER
        };
        let mut orders = EngineOrders::new(2, HashSeed::FIXED);
        for number in 1..10 {
            assert!(orders.open(key(number), nothing) && !orders.is_full());
            assert!(!orders.close(key(number)), "it is closed");
        }
        assert_eq!(orders.table.count(), 2, "closed ones are forgotten");
        assert!(orders.open(key(10), ORDER) && orders.open(key(11), ORDER));
        let mut bytes = Vec::new();
        orders.save(&mut SavedWriter::begin(&mut bytes, *b"TEST", 1));
        let mut from = SavedReader::begin(&bytes, *b"TEST", 1).expect("it is one");
        let loaded = EngineOrders::new(2, HashSeed::FIXED)
            .load(&mut from, 8, 8)
            .expect("it is loaded");
        assert_eq!(loaded.open, 2);
    }

    #[test]
    fn what_is_saved_and_who_is_forgotten_is_the_same_under_any_seed() {
        let after = |seed| {
            let (mut orders, mut closed) = (EngineOrders::new(8, seed), Vec::new());
            for number in 1..100 {
                assert!(orders.open(key(number * 16), ORDER));
                closed.push(orders.take(key((number * 7 % 100) * 16), 10));
                assert!(!orders.is_full() || orders.close(key(number * 16)));
            }
            assert!(closed.contains(&true) && closed.contains(&false));
            let mut bytes = Vec::new();
            orders.save(&mut SavedWriter::begin(&mut bytes, *b"TEST", 1));
            (closed, bytes)
        };
        let fixed = after(HashSeed::FIXED);
        for word in 1..20 {
            assert_eq!(after(HashSeed::from_words([word << 50, word << 60])), fixed);
        }
    }

    #[test]
    fn open_orders_stay_and_closed_ones_go_oldest_first() {
        let mut orders = EngineOrders::new(2, HashSeed::FIXED);
        assert!(orders.open(key(1), ORDER) && orders.open(key(2), ORDER));
        assert!(orders.is_full() && !orders.open(key(3), ORDER));
        assert!(orders.open(key(1), ORDER), "known already");
        assert!(!orders.take(key(1), 9) && orders.take(key(1), 1));
        assert!(!orders.take(key(1), 1), "closed once");
        for number in 3..200 {
            assert!(orders.open(key(number), ORDER));
            assert!(orders.close(key(number)));
        }
        assert_eq!(orders.get(key(1)), None);
        assert_eq!(orders.get(key(2)), Some(&ORDER));
        assert!(orders.get(key(199)).is_some());
        assert_eq!(
            orders.table.count(),
            3,
            "the open one, and the last two closed"
        );
    }

    #[test]
    fn a_number_used_again_is_not_forgotten_for_its_former_order() {
        let mut orders = EngineOrders::new(2, HashSeed::FIXED);
        assert!(orders.open(key(1), ORDER) && orders.close(key(1)));
        assert!(orders.open(key(1), ORDER));
        for number in 2..10 {
            assert!(orders.open(key(number), ORDER) && orders.close(key(number)));
        }
        assert_eq!(orders.get(key(1)), Some(&ORDER));
    }

    #[test]
    fn room_that_was_kept_is_nobody_elses() {
        let mut orders = EngineOrders::new(2, HashSeed::FIXED);
        assert!(orders.reserve() && orders.open(key(1), ORDER));
        assert!(!orders.reserve() && !orders.open(key(2), ORDER));
        orders.open_reserved(key(3), ORDER);
        assert!(orders.is_full() && orders.get(key(3)) == Some(&ORDER));
        assert!(orders.close(key(1)) && orders.reserve());
        orders.open_reserved(key(3), ORDER);
        assert!(
            !orders.is_full(),
            "a number in use keeps its order, and takes no other room"
        );
    }

    /// Against a map: orders of three sessions, opened, taken from and closed at random.
    #[test]
    fn the_table_holds_what_a_map_would() {
        let mut orders = EngineOrders::new(64, HashSeed::FIXED);
        let mut model = std::collections::BTreeMap::new();
        let mut random = 7_u64;
        for _ in 0..200_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let session = SessionId::new((random >> 33) as u32 % 3);
            let number = (random >> 40) as u32 % 96;
            let key = OrderKey::new(session, UserRef::new(number));
            let open = model.values().filter(|left| **left > 0).count();
            let left = model.get(&key).copied().unwrap_or(0);
            if random >> 62 < 2 {
                assert_eq!(orders.open(key, ORDER), left > 0 || open < 64);
                if left == 0 && open < 64 {
                    model.insert(key, ORDER.open_wire);
                }
            } else {
                let wire = (random >> 50) as u32 % 12;
                assert_eq!(orders.take(key, wire), left > 0 && left <= wire);
                model.insert(key, left.saturating_sub(wire));
            }
            assert_eq!(
                orders.open,
                model.values().filter(|left| **left > 0).count()
            );
            let found = orders.get(key).map_or(0, |order| order.open_wire);
            assert_eq!(found, model.get(&key).copied().unwrap_or(0));
        }
        assert!(orders.table.count() <= 128);
        for (key, left) in model {
            let found = orders.get(key).map_or(0, |order| order.open_wire);
            assert_eq!(found, left);
        }
    }
}

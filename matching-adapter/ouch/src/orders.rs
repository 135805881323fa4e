//! The orders the engine has, or lately had: which instrument they trade, and what is open of them.
//!
//! Owned by the venue, shared by its links. The engine's executions name no instrument, so this is
//! what turns their numbers into ticks and lots. Invariants: an order that is open is never
//! forgotten; closed ones are kept for late messages until there are more than the table has room
//! for, the oldest first; the table is never more than half full, and never grows.

use std::collections::VecDeque;

use portcullis_domain::{InstrumentId, OrderKey, SessionId, UserRef};
use portcullis_venue::saved::{SavedError, SavedReader, SavedWriter};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EngineOrder {
    pub(crate) instrument: InstrumentId,
    /// Open quantity in wire units; 0 once closed.
    pub(crate) open_wire: u32,
}

#[derive(Debug)]
pub(crate) struct EngineOrders {
    table: Table,
    /// Keys of closed orders, oldest first. A number that is used again stands here in vain.
    closed: VecDeque<OrderKey>,
    open: usize,
    orders_max: usize,
}

impl EngineOrders {
    pub(crate) fn new(orders_max: usize) -> Self {
        Self {
            table: Table::new(4 * orders_max),
            closed: VecDeque::with_capacity(orders_max),
            open: 0,
            orders_max,
        }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.open == self.orders_max
    }

    pub(crate) fn get(&self, key: OrderKey) -> Option<&EngineOrder> {
        let at = self.table.find(key)?;
        Some(&self.table.slots[at].order)
    }

    /// Notes an open order; `false` if there is no room for it. A number in use keeps its order.
    pub(crate) fn open(&mut self, key: OrderKey, order: EngineOrder) -> bool {
        let place = self.table.place(key);
        let slot = &mut self.table.slots[place];
        let known = slot.key == key.raw();
        if known && slot.order.open_wire > 0 {
            return true;
        }
        if self.open == self.orders_max {
            return false;
        }
        slot.order = order;
        slot.key = key.raw();
        self.table.len += usize::from(!known);
        self.open += 1;
        true
    }

    /// Takes `wire` units off an order's open quantity; `true` if that closed it.
    pub(crate) fn take(&mut self, key: OrderKey, wire: u32) -> bool {
        let Some(at) = self.table.find(key) else {
            return false;
        };
        let order = &mut self.table.slots[at].order;
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
        let open =
            (self.table.slots.iter()).filter(|slot| slot.key != FREE && slot.order.open_wire > 0);
        open.map(|slot| (key_of(slot.key), slot.order.open_wire))
    }

    /// Writes them down, equal ones equally whatever became of the table before.
    pub(crate) fn save(&self, to: &mut SavedWriter<'_>) {
        let held = (self.table.slots.iter()).filter(|slot| slot.key != FREE);
        let mut held: Vec<&Slot> = held.collect();
        held.sort_unstable_by_key(|slot| slot.key);
        to.count(held.len());
        for slot in held {
            to.u64(slot.key);
            to.u32(slot.order.instrument.raw());
            to.u32(slot.order.open_wire);
        }
        to.count(self.closed.len());
        self.closed.iter().for_each(|key| to.u64(key.raw()));
    }

    /// Orders of these sessions and instruments.
    pub(crate) fn load(
        from: &mut SavedReader<'_>,
        orders_max: usize,
        sessions: usize,
        instruments: usize,
    ) -> Result<Self, SavedError> {
        let mut orders = Self::new(orders_max);
        let mut shut = Vec::new();
        let mut last = None;
        for _ in 0..from.count("orders", 16)? {
            let key = read_key(from, sessions)?;
            let instrument = InstrumentId::new(from.u32("instrument")?);
            from.hold("instrument", instrument.index() < instruments)?;
            let open_wire = from.u32("open_wire")?;
            from.hold("orders", orders.table.len < 2 * orders_max)?;
            from.hold("order", last < Some(key))?;
            last = Some(key);
            let place = orders.table.place(key);
            let order = EngineOrder {
                instrument,
                open_wire,
            };
            orders.table.slots[place] = Slot {
                key: key.raw(),
                order,
            };
            orders.table.len += 1;
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
            orders.closed.push_back(key);
        }
        // One that is closed and stands in no queue would never make room.
        let mut queued: Vec<OrderKey> = orders.closed.iter().copied().collect();
        queued.sort_unstable();
        let known = |key: &OrderKey| queued.binary_search(key).is_ok();
        from.hold("closed", shut.iter().all(known))?;
        Ok(orders)
    }

    fn note_closed(&mut self, key: OrderKey) {
        self.open -= 1;
        if self.closed.len() == self.orders_max
            && let Some(oldest) = self.closed.pop_front()
            && let Some(at) = self.table.find(oldest)
            && self.table.slots[at].order.open_wire == 0
        {
            self.table.remove(at);
        }
        self.closed.push_back(key);
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

/// Orders by key, open addressing. Numbers that follow one another stand beside one another, four to
/// a line: a session's orders are mostly asked for in their turn.
#[derive(Debug)]
struct Table {
    slots: Box<[Slot]>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    order: EngineOrder,
}

/// The key of a free slot: no order's, whose session is below [`OrderKey::SESSIONS_MAX`].
const FREE: u64 = u64::MAX;

/// Numbers that stand together: the low bits of a key that are not scattered.
const TOGETHER_BITS: u32 = 2;

impl Table {
    fn new(slots: usize) -> Self {
        let order = EngineOrder {
            instrument: InstrumentId::NONE,
            open_wire: 0,
        };
        let free = Slot { key: FREE, order };
        let slots = slots.next_power_of_two().max(1 << TOGETHER_BITS);
        Self {
            slots: vec![free; slots].into_boxed_slice(),
            len: 0,
        }
    }

    /// Where the order with this key stands.
    fn find(&self, key: OrderKey) -> Option<usize> {
        let at = self.place(key);
        (self.slots[at].key == key.raw()).then_some(at)
    }

    /// Where it stands, or would. There is always a free slot, since the table is at most half full.
    fn place(&self, key: OrderKey) -> usize {
        let mut at = self.home(key.raw());
        while self.slots[at].key != key.raw() && self.slots[at].key != FREE {
            at = (at + 1) & self.mask();
        }
        at
    }

    /// Frees a slot, and moves what was behind it for want of a place nearer to its own.
    fn remove(&mut self, at: usize) {
        self.len -= 1;
        let (mut hole, mut next) = (at, (at + 1) & self.mask());
        while self.slots[next].key != FREE {
            let home = self.home(self.slots[next].key);
            let from_home = next.wrapping_sub(home) & self.mask();
            let from_hole = next.wrapping_sub(hole) & self.mask();
            if from_home >= from_hole {
                self.slots[hole] = self.slots[next];
                hole = next;
            }
            next = (next + 1) & self.mask();
        }
        self.slots[hole].key = FREE;
    }

    fn home(&self, key: u64) -> usize {
        let scattered = (key >> TOGETHER_BITS).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let together = key & ((1 << TOGETHER_BITS) - 1);
        ((scattered << TOGETHER_BITS | together) as usize) & self.mask()
    }

    const fn mask(&self) -> usize {
        self.slots.len() - 1
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
    fn open_orders_stay_and_closed_ones_go_oldest_first() {
        let mut orders = EngineOrders::new(2);
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
        assert!(orders.table.len <= 4 && orders.table.slots.len() >= 2 * orders.table.len);
    }

    #[test]
    fn a_number_used_again_is_not_forgotten_for_its_former_order() {
        let mut orders = EngineOrders::new(2);
        assert!(orders.open(key(1), ORDER) && orders.close(key(1)));
        assert!(orders.open(key(1), ORDER));
        for number in 2..10 {
            assert!(orders.open(key(number), ORDER) && orders.close(key(number)));
        }
        assert_eq!(orders.get(key(1)), Some(&ORDER));
    }

    /// Against a map: orders of three sessions, opened, taken from and closed at random.
    #[test]
    fn the_table_holds_what_a_map_would() {
        let mut orders = EngineOrders::new(64);
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
        for (key, left) in model {
            let found = orders.get(key).map_or(0, |order| order.open_wire);
            assert_eq!(found, left);
        }
    }
}

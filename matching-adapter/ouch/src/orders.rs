//! The orders the engine has, or lately had: which instrument they trade, and what is open of them.
//!
//! Owned by the venue, shared by its links. The engine's executions name no instrument, so this is
//! what turns their numbers into ticks and lots. Invariants: an order that is open is never
//! forgotten; closed ones are kept for late messages until there are more than the table has room
//! for, the oldest first; the map never holds more than half of its capacity, so it never
//! allocates.

use std::collections::{HashMap, VecDeque};

use portcullis_domain::{InstrumentId, OrderKey};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EngineOrder {
    pub(crate) instrument: InstrumentId,
    /// Open quantity in wire units; 0 once closed.
    pub(crate) open_wire: u32,
}

#[derive(Debug)]
pub(crate) struct EngineOrders {
    orders: HashMap<OrderKey, EngineOrder>,
    /// Keys of closed orders, oldest first. A number that is used again stands here in vain.
    closed: VecDeque<OrderKey>,
    open: usize,
    orders_max: usize,
}

impl EngineOrders {
    pub(crate) fn new(orders_max: usize) -> Self {
        Self {
            orders: HashMap::with_capacity(4 * orders_max),
            closed: VecDeque::with_capacity(orders_max),
            open: 0,
            orders_max,
        }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.open == self.orders_max
    }

    pub(crate) fn get(&self, key: OrderKey) -> Option<&EngineOrder> {
        self.orders.get(&key)
    }

    /// Notes an open order; `false` if there is no room for it. A number in use keeps its order.
    pub(crate) fn open(&mut self, key: OrderKey, order: EngineOrder) -> bool {
        match self.orders.get_mut(&key) {
            Some(known) if known.open_wire > 0 => true,
            Some(_) | None if self.open == self.orders_max => false,
            Some(known) => {
                *known = order;
                self.open += 1;
                true
            }
            None => {
                self.orders.insert(key, order);
                self.open += 1;
                true
            }
        }
    }

    /// Takes `wire` units off an order's open quantity; `true` if that closed it.
    pub(crate) fn take(&mut self, key: OrderKey, wire: u32) -> bool {
        let Some(order) = self.orders.get_mut(&key) else {
            return false;
        };
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

    fn note_closed(&mut self, key: OrderKey) {
        self.open -= 1;
        if self.closed.len() == self.orders_max
            && let Some(oldest) = self.closed.pop_front()
            && self
                .orders
                .get(&oldest)
                .is_some_and(|order| order.open_wire == 0)
        {
            self.orders.remove(&oldest);
        }
        self.closed.push_back(key);
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
        assert!(orders.orders.len() <= 4);
        assert!(orders.orders.capacity() >= 2 * orders.orders.len());
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
}

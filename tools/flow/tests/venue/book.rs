//! A price-time book of many symbols for the test venue, naive on purpose.
//!
//! **Thread.** The venue's.
//! **Invariants.** Better prices first, then arrival; a replace arrives anew.
//! **Never.** Used outside tests.

use portcullis_domain::Side;
use portcullis_wire::Alpha;
use std::collections::{BTreeMap, HashMap};

/// What happened in the book.
pub(crate) enum Report {
    Traded {
        maker: u64,
        taker: u64,
        price: u64,
        quantity: u32,
        match_number: u64,
    },
    Canceled {
        id: u64,
        quantity: u32,
        asked: bool,
    },
    Closed {
        id: u64,
    },
}

#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) symbol: Alpha<8>,
    pub(crate) side: Side,
    pub(crate) price: u64,
    pub(crate) open: u32,
    pub(crate) executed: u32,
    arrival: u64,
}

/// Symbol, side, price rank, arrival.
type Key = (Alpha<8>, Side, u64, u64);

#[derive(Default)]
pub(crate) struct Book {
    orders: HashMap<u64, Order>,
    queue: BTreeMap<Key, u64>,
    arrivals: u64,
    matches: u64,
}

fn key(order: &Order) -> Key {
    let rank = match order.side {
        Side::Buy => u64::MAX - order.price,
        Side::Sell => order.price,
    };
    (order.symbol, order.side, rank, order.arrival)
}

impl Book {
    pub(crate) fn order(&self, id: u64) -> Option<Order> {
        self.orders.get(&id).copied()
    }

    pub(crate) fn enter(
        &mut self,
        id: u64,
        symbol: Alpha<8>,
        side: Side,
        price: u64,
        open: u32,
        immediate: bool,
    ) -> Vec<Report> {
        let price = match (price, side) {
            (2_000_000_000, Side::Buy) => u64::MAX,
            (2_000_000_000, Side::Sell) => 0,
            (price, _) => price,
        };
        self.orders.insert(
            id,
            Order {
                symbol,
                side,
                price,
                open,
                executed: 0,
                arrival: 0,
            },
        );
        self.arrive(id, immediate)
    }

    pub(crate) fn replace(&mut self, id: u64, price: u64, open: u32) -> Vec<Report> {
        let order = self.orders.get_mut(&id).expect("live");
        self.queue.remove(&key(order));
        order.price = price;
        order.open = open;
        self.arrive(id, false)
    }

    /// Down to a total of the whole order, executed shares included.
    pub(crate) fn cancel(&mut self, id: u64, total: u32) -> Vec<Report> {
        let order = self.orders.get_mut(&id).expect("live");
        let left = total.saturating_sub(order.executed).min(order.open);
        let quantity = order.open - left;
        order.open = left;
        let mut reports = Vec::new();
        if quantity > 0 {
            reports.push(Report::Canceled {
                id,
                quantity,
                asked: true,
            });
        }
        if left == 0 {
            let order = self.orders.remove(&id).expect("live");
            self.queue.remove(&key(&order));
            reports.push(Report::Closed { id });
        }
        reports
    }

    fn arrive(&mut self, id: u64, immediate: bool) -> Vec<Report> {
        let mut reports = Vec::new();
        let mut taker = self.orders[&id];
        while taker.open > 0 {
            let first = (taker.symbol, taker.side.opposite(), 0, 0);
            let best = self.queue.range(first..).next().map(|(k, id)| (*k, *id));
            let Some((place, maker_id)) = best else { break };
            let maker = self.orders.get_mut(&maker_id).expect("queued");
            let crosses = match taker.side {
                Side::Buy => maker.price <= taker.price,
                Side::Sell => maker.price >= taker.price,
            };
            if place.0 != taker.symbol || maker.side == taker.side || !crosses {
                break;
            }
            let quantity = maker.open.min(taker.open);
            maker.open -= quantity;
            maker.executed += quantity;
            taker.open -= quantity;
            taker.executed += quantity;
            self.matches += 1;
            reports.push(Report::Traded {
                maker: maker_id,
                taker: id,
                price: maker.price,
                quantity,
                match_number: self.matches,
            });
            if maker.open == 0 {
                self.queue.remove(&place);
                self.orders.remove(&maker_id);
                reports.push(Report::Closed { id: maker_id });
            }
        }
        if taker.open > 0 && !immediate {
            self.arrivals += 1;
            taker.arrival = self.arrivals;
            self.queue.insert(key(&taker), id);
            self.orders.insert(id, taker);
            return reports;
        }
        if taker.open > 0 {
            reports.push(Report::Canceled {
                id,
                quantity: taker.open,
                asked: false,
            });
        }
        self.orders.remove(&id);
        reports.push(Report::Closed { id });
        reports
    }
}

//! The yardstick: what a gate costs that is nothing but flat arrays.
//!
//! One thread. Nine checks and a margin reservation against one order: account active, instrument
//! active, tick, lots, notional, collar, order rate, open orders, position. One margin ratio an
//! instrument, no tiers, no open interest, no volume, no valuation of the account's positions, no
//! order kept: a cancel is told what it cancels. A floor, not a product.

use super::Gate;
use crate::stream::{
    BAND, INSTRUMENTS, Order, PRICE_START, Prices, QTY_MAX, Side, TRADED, Verdict, is_poor, traded,
};

const CASH: i64 = 5_000_000;
const NOTIONAL_MAX: i64 = 1_000_000_000;
const POSITION_MAX: i64 = 1 << 40;
const OPEN_ORDERS_MAX: u32 = 1_000_000;
const POSITION_LOTS: i64 = 20;
/// Margin is notional shifted right by this: 6.25%.
const MARGIN_SHIFT: u32 = 4;
/// Between two orders of an account, and how far ahead of it an account may run.
const RATE_INTERVAL_NS: u64 = 1;
const RATE_BURST_NS: u64 = 1_000_000;

/// One line of memory.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
struct Account {
    cash: i64,
    reserved: i64,
    rate_at_ns: u64,
    qty_max: i64,
    notional_max: i64,
    position_max: i64,
    open_orders: u32,
    open_orders_max: u32,
    active: bool,
}

/// Half a line.
#[derive(Clone, Debug)]
#[repr(C, align(32))]
struct Position {
    qty: i64,
    bids: i64,
    asks: i64,
    instrument: u32,
}

#[derive(Clone, Debug)]
struct Instrument {
    reference: i64,
    tick: i64,
    active: bool,
}

/// The gate.
pub(crate) struct Yardstick {
    accounts: Vec<Account>,
    positions: Vec<Position>,
    instruments: Vec<Instrument>,
    prepared: Vec<Order>,
    accepted: Vec<bool>,
}

impl Yardstick {
    /// So many accounts, each with positions in two of its four instruments.
    pub(crate) fn new(accounts: u32) -> Self {
        let account = |account| Account {
            cash: if is_poor(account) { 0 } else { CASH },
            reserved: 0,
            rate_at_ns: 0,
            qty_max: QTY_MAX,
            notional_max: NOTIONAL_MAX,
            position_max: POSITION_MAX,
            open_orders: 0,
            open_orders_max: OPEN_ORDERS_MAX,
            active: true,
        };
        let instrument = Instrument {
            reference: PRICE_START,
            tick: 1,
            active: true,
        };
        let mut gate = Self {
            accounts: (0..accounts).map(account).collect(),
            positions: Vec::new(),
            instruments: vec![instrument; INSTRUMENTS as usize],
            prepared: Vec::new(),
            accepted: Vec::new(),
        };
        let empty = Position {
            qty: 0,
            bids: 0,
            asks: 0,
            instrument: u32::MAX,
        };
        gate.positions = vec![empty; (accounts * TRADED) as usize];
        for account in 0..accounts {
            for which in 0..TRADED {
                let instrument = traded(account, which);
                let position = &mut gate.positions[slot(account, instrument)];
                position.instrument = instrument;
                if which < 2 && !is_poor(account) {
                    let sign = if account % 2 == which % 2 { 1 } else { -1 };
                    position.qty = sign * POSITION_LOTS;
                }
            }
        }
        gate
    }

    /// Checks an order and reserves its margin.
    fn admit(&mut self, order: &Order) -> Verdict {
        let slot = slot(order.account, order.instrument);
        let account = &mut self.accounts[order.account as usize];
        let position = &mut self.positions[slot];
        let instrument = &self.instruments[order.instrument as usize];
        let (qty, price) = (order.qty, order.price);
        if !account.active || !instrument.active || position.instrument != order.instrument {
            return Verdict::Other;
        }
        if price <= 0 || price % instrument.tick != 0 {
            return Verdict::Other;
        }
        if qty > account.qty_max {
            return Verdict::TooLarge;
        }
        let Some(notional) = price.checked_mul(qty) else {
            return Verdict::Other;
        };
        if notional > account.notional_max || (price - instrument.reference).abs() > BAND {
            return Verdict::Other;
        }
        let rate_at_ns = account.rate_at_ns.max(order.at_ns) + RATE_INTERVAL_NS;
        if rate_at_ns > order.at_ns + RATE_BURST_NS {
            return Verdict::Other;
        }
        let worst = match order.side {
            Side::Buy => position.qty + position.bids + qty,
            Side::Sell => position.asks + qty - position.qty,
        };
        if account.open_orders >= account.open_orders_max || worst > account.position_max {
            return Verdict::Other;
        }
        let margin = notional >> MARGIN_SHIFT;
        if account.reserved + margin > account.cash {
            return Verdict::NoFunds;
        }
        account.reserved += margin;
        account.open_orders += 1;
        account.rate_at_ns = rate_at_ns;
        match order.side {
            Side::Buy => position.bids += qty,
            Side::Sell => position.asks += qty,
        }
        Verdict::Accepted
    }

    /// Gives back what an order held.
    fn release(&mut self, order: &Order) {
        let account = &mut self.accounts[order.account as usize];
        account.reserved -= (order.price * order.qty) >> MARGIN_SHIFT;
        account.open_orders -= 1;
        let position = &mut self.positions[slot(order.account, order.instrument)];
        match order.side {
            Side::Buy => position.bids -= order.qty,
            Side::Sell => position.asks -= order.qty,
        }
    }
}

/// Where a position lies: an account has one in each quarter of the instruments.
const fn slot(account: u32, instrument: u32) -> usize {
    (account * TRADED + instrument / (INSTRUMENTS / TRADED)) as usize
}

impl Gate for Yardstick {
    fn name(&self) -> &'static str {
        "yardstick"
    }

    fn move_prices(&mut self, prices: &Prices, _now_ns: u64) {
        for (instrument, price) in self.instruments.iter_mut().zip(prices) {
            instrument.reference = *price;
        }
    }

    fn prepare(&mut self, orders: &[Order]) {
        self.prepared.clear();
        self.prepared.extend_from_slice(orders);
        self.accepted.clear();
        self.accepted.resize(orders.len(), false);
    }

    fn decide(&mut self, at: usize) -> Verdict {
        let order = self.prepared[at];
        let verdict = self.admit(&order);
        self.accepted[at] = verdict == Verdict::Accepted;
        verdict
    }

    fn settle(&mut self, orders: &[Order]) {
        for (at, order) in orders.iter().enumerate() {
            if self.accepted[at] {
                self.release(order);
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        let open: u32 = self
            .accounts
            .iter()
            .map(|account| account.open_orders)
            .sum();
        let reserved: i64 = self.accounts.iter().map(|account| account.reserved).sum();
        let resting: i64 = (self.positions.iter())
            .map(|position| position.bids + position.asks)
            .sum();
        match (open, reserved, resting) {
            (0, 0, 0) => Ok(()),
            _ => Err(format!("{open} open, {reserved} reserved, {resting} lots")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::*;

    #[test]
    fn it_decides_as_it_must() {
        judge(&mut Yardstick::new(1_000), 1_000);
    }

    #[test]
    fn what_is_reserved_cannot_be_spent_twice() {
        let mut gate = Yardstick::new(2);
        gate.accounts[0].cash = 2 * ((PRICE_START * 10) >> MARGIN_SHIFT);
        let order = Order {
            number: 1,
            at_ns: 1,
            account: 0,
            instrument: traded(0, 0),
            side: Side::Buy,
            qty: 10,
            price: PRICE_START,
        };
        let orders = [order; 3];
        gate.prepare(&orders);
        let verdicts = [0, 1, 2].map(|at| gate.decide(at));
        let (accepted, refused) = (Verdict::Accepted, Verdict::NoFunds);
        assert_eq!(verdicts, [accepted, accepted, refused]);
        gate.settle(&orders);
        assert_eq!(gate.check(), Ok(()));
    }
}

//! The orders that every gate is given, and what must become of each.
//!
//! One thread. Invariants: the same seed gives the same orders, whatever the gate; an order's
//! verdict follows from the order alone, so that a gate which decides nothing is found out; the
//! clock is virtual.

use portcullis_bench_market::Random;

/// Instruments.
pub(crate) const INSTRUMENTS: u32 = 64;
/// Instruments that an account trades.
pub(crate) const TRADED: u32 = 4;
/// Lots that an order may have at most.
pub(crate) const QTY_MAX: i64 = 1_000;
/// Ticks that a limit may lie away from the reference, and more than any does.
pub(crate) const BAND: i64 = 500;
/// Where prices begin, and how far they move from there.
pub(crate) const PRICE_START: i64 = 10_000;
const PRICE_SPAN: i64 = 200;

/// Virtual time between two orders, and between two moves of all prices.
const ORDER_GAP_NS: u64 = 10_000;
const MOVE_GAP_NS: u64 = 10_000_000;
/// When the first order comes.
const START_NS: u64 = 2_000_000_000;
/// When the prices before its first came: references go on coming from set-up to the last order, as in a
/// gate that has run for long.
pub(crate) const OPENED_NS: u64 = START_NS - MOVE_GAP_NS;

/// One order in so many is too large.
const TOO_LARGE_EVERY: u64 = 32;
const TOO_LARGE_LOTS: i64 = 5_000;
/// One pair of neighbouring accounts in so many has no money.
const POOR_EVERY: u32 = 32;

/// What becomes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It passes.
    Accepted,
    /// More lots than one order may have.
    TooLarge,
    /// The account cannot pay for it.
    NoFunds,
    /// Refused for something else, or not answered: never right.
    Other,
}

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}

/// One order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// Its number, from 1, without gaps.
    pub(crate) number: u64,
    /// When it comes, nanoseconds of virtual time.
    pub(crate) at_ns: u64,
    /// Whose.
    pub(crate) account: u32,
    /// In what.
    pub(crate) instrument: u32,
    /// Which way.
    pub(crate) side: Side,
    /// Lots.
    pub(crate) qty: i64,
    /// Limit, ticks.
    pub(crate) price: i64,
}

impl Order {
    /// What must become of it.
    pub(crate) const fn verdict(&self) -> Verdict {
        if self.qty > QTY_MAX {
            Verdict::TooLarge
        } else if is_poor(self.account) {
            Verdict::NoFunds
        } else {
            Verdict::Accepted
        }
    }
}

/// Whether an account has no money. Its neighbour in the pair has none either.
pub(crate) const fn is_poor(account: u32) -> bool {
    (account / 2) % POOR_EVERY == POOR_EVERY - 1
}

/// The instruments of an account, one of each quarter of all. Its neighbour in the pair has the same.
pub(crate) const fn traded(account: u32, which: u32) -> u32 {
    (account / 2 * 13 + which * (INSTRUMENTS / TRADED)) % INSTRUMENTS
}

/// Reference prices, ticks, by instrument.
pub(crate) type Prices = [i64; INSTRUMENTS as usize];

/// Makes the orders.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    accounts: u32,
    random: Random,
    number: u64,
    now_ns: u64,
    moves_at_ns: u64,
    prices: Prices,
}

impl Stream {
    /// Orders of so many accounts, each as likely as any other.
    pub(crate) const fn new(accounts: u32) -> Self {
        Self {
            accounts,
            random: Random::new(20_260_101),
            number: 0,
            now_ns: START_NS,
            moves_at_ns: START_NS,
            prices: [PRICE_START; INSTRUMENTS as usize],
        }
    }

    /// The next orders. `Some` of the prices if they moved before them.
    pub(crate) fn fill(&mut self, orders: &mut Vec<Order>, count: usize) -> Option<&Prices> {
        let moved = self.now_ns >= self.moves_at_ns;
        if moved {
            self.move_prices();
        }
        orders.clear();
        for _ in 0..count {
            orders.push(self.order());
        }
        moved.then_some(&self.prices)
    }

    fn order(&mut self) -> Order {
        self.number += 1;
        self.now_ns += ORDER_GAP_NS;
        let account = self.random.below(self.accounts.into()) as u32;
        let instrument = traded(account, self.random.below(TRADED.into()) as u32);
        let side = match self.random.below(2) {
            0 => Side::Buy,
            _ => Side::Sell,
        };
        let qty = match self.random.below(TOO_LARGE_EVERY) {
            0 => TOO_LARGE_LOTS,
            _ => 1 + self.random.below(10) as i64,
        };
        let price = self.prices[instrument as usize] + self.random.below(11) as i64 - 5;
        Order {
            number: self.number,
            at_ns: self.now_ns,
            account,
            instrument,
            side,
            qty,
            price,
        }
    }

    fn move_prices(&mut self) {
        for index in 0..self.prices.len() {
            let step = self.random.below(11) as i64 - 5;
            let price = self.prices[index] + step;
            self.prices[index] = price.clamp(PRICE_START - PRICE_SPAN, PRICE_START + PRICE_SPAN);
        }
        self.moves_at_ns = self.now_ns + MOVE_GAP_NS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_the_same_each_time_and_of_every_kind() {
        let take = || {
            let (mut stream, mut orders) = (Stream::new(10_000), Vec::new());
            let moved =
                [1, 1, 20_000, 20_000].map(|count| stream.fill(&mut orders, count).is_some());
            (orders, moved)
        };
        let (orders, moved) = take();
        assert_eq!((&orders, moved), (&take().0, moved));
        assert_eq!(
            moved,
            [true, false, false, true],
            "prices move between orders"
        );
        let count = |verdict| orders.iter().filter(|o| o.verdict() == verdict).count();
        assert!((500..750).contains(&count(Verdict::TooLarge)));
        assert!((500..750).contains(&count(Verdict::NoFunds)));
        assert_eq!(count(Verdict::Other), 0);
        let within = |order: &Order| (order.price - PRICE_START).abs() <= PRICE_SPAN + 5;
        assert!(orders.iter().all(within) && PRICE_SPAN + 5 < BAND);
    }

    #[test]
    fn an_account_trades_one_instrument_of_each_quarter() {
        for account in 0..500 {
            let mut quarters: Vec<u32> = (0..TRADED)
                .map(|which| traded(account, which) / (INSTRUMENTS / TRADED))
                .collect();
            quarters.sort_unstable();
            assert_eq!(quarters, [0, 1, 2, 3]);
        }
    }
}

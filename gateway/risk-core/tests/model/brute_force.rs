//! The requirement against a brute force over all subsets of resting orders being filled.
//!
//! Owned by a test. What is claimed: take any subset of the open orders, each in any of its
//! versions, filled at its limit, by an engine that trades through the reference price. The margin
//! of the positions that leaves, and the loss of those fills against the reference (a gain counts
//! nothing), together are at most the requirement. If each instrument has only orders that add to
//! its position, and none is being replaced, the worst subset costs exactly the requirement.
//! Invariant: the brute force knows the orders from the commands alone.

use super::driver::CoreMachine;
use super::op::{
    AccountConfig, Answer, Config, InstrumentConfig, Machine, Op, OrderOp, ReplaceOp, Word,
};
use super::prng::Prng;
use portcullis_domain::Side;

const BOOKS: u64 = 600;
const SECOND: u64 = 1_000_000_000;

/// An open order: instrument, side, and lots and limit of each version.
struct Resting {
    instrument: usize,
    side: Side,
    versions: Vec<(i128, i128)>,
}

/// A book of one account, built through the core.
struct Book {
    core: CoreMachine,
    config: Config,
    prices: Vec<i128>,
    scale_ppm: Vec<i128>,
    nets: Vec<i128>,
    orders: Vec<Resting>,
    next_id: u32,
    time_ns: u64,
}

#[test]
fn no_subset_of_fills_costs_more_than_the_requirement() {
    for seed in 0..BOOKS {
        let mut prng = Prng::new(seed);
        let mut book = Book::new(&mut prng);
        book.take_positions(&mut prng);
        for _ in 0..prng.between(1, 9) {
            let instrument = prng.below(book.prices.len());
            let side = prng.pick(&[Side::Buy, Side::Sell]);
            book.rest(&mut prng, instrument, side);
            if prng.one_in(4) {
                book.replace(&mut prng);
            }
        }
        book.move_prices(&mut prng);
        let (worst, requirement) = (book.worst_subset(), book.requirement());
        assert!(
            worst <= requirement,
            "seed {seed}: a subset costs {worst}, held {requirement}"
        );
    }
}

#[test]
fn a_one_sided_book_is_held_at_exactly_its_worst_subset() {
    for seed in 0..BOOKS {
        let mut prng = Prng::new(seed);
        let mut book = Book::new(&mut prng);
        book.take_positions(&mut prng);
        for _ in 0..prng.between(1, 10) {
            let instrument = prng.below(book.prices.len());
            let side = if book.nets[instrument] < 0 {
                Side::Sell
            } else {
                Side::Buy
            };
            book.rest(&mut prng, instrument, side);
        }
        book.move_prices(&mut prng);
        let (worst, requirement) = (book.worst_subset(), book.requirement());
        assert_eq!(worst, requirement, "seed {seed}");
    }
}

impl Book {
    fn new(prng: &mut Prng) -> Self {
        let instruments = prng.between(1, 2) as usize;
        let config = wide(prng, instruments);
        let mut book = Self {
            core: CoreMachine::new(&config, 1_000).expect("the limits load"),
            prices: config.instruments.iter().map(|_| 0).collect(),
            scale_ppm: config.instruments.iter().map(|_| 0).collect(),
            nets: config.instruments.iter().map(|_| 0).collect(),
            config,
            orders: Vec::new(),
            next_id: 1,
            time_ns: SECOND,
        };
        book.done(&Op::Deposit {
            account: 0,
            amount: 1 << 58,
        });
        for instrument in 0..book.prices.len() {
            book.reference(instrument, 1_000);
        }
        book
    }

    /// Applies a command that must not be refused.
    fn done(&mut self, op: &Op) {
        self.time_ns += SECOND;
        let answer = self.core.apply(self.time_ns, op);
        let taken = [Answer::Word(Word::Ok), Answer::Judged(Vec::new())].contains(&answer);
        assert!(taken, "{op:?} was {answer}");
    }

    fn reference(&mut self, instrument: usize, price: i128) {
        let limits = &self.config.instruments[instrument];
        let (lower, upper) = (i128::from(limits.oi_lower), i128::from(limits.oi_upper));
        // The account is alone: open interest is its own long position.
        let long = self.nets[instrument].max(0);
        self.scale_ppm[instrument] = match (long <= lower, long >= upper) {
            (true, _) => 0,
            (false, true) => 1_000_000,
            (false, false) => (1_000_000 * (long - lower) + upper - lower - 1) / (upper - lower),
        };
        self.prices[instrument] = price;
        self.done(&Op::Reference {
            instrument: instrument as u32,
            price: price as i64,
        });
    }

    fn enter(&mut self, instrument: usize, side: Side, lots: i64, limit: i64) -> u32 {
        self.next_id += 1;
        let id = self.next_id;
        self.done(&Op::Order(OrderOp {
            account: 0,
            instrument: instrument as u32,
            id,
            side,
            qty: lots,
            price: Some(limit),
        }));
        id
    }

    fn take_positions(&mut self, prng: &mut Prng) {
        for instrument in 0..self.prices.len() {
            let net = prng.between(-20, 20);
            if net == 0 {
                continue;
            }
            let side = if net > 0 { Side::Buy } else { Side::Sell };
            let id = self.enter(instrument, side, net.abs(), 1_000);
            self.done(&Op::Fill {
                id,
                qty: net.abs(),
                price: 1_000,
            });
            self.nets[instrument] = net.into();
        }
    }

    fn rest(&mut self, prng: &mut Prng, instrument: usize, side: Side) {
        let (lots, limit) = (prng.between(1, 12), prng.between(850, 1_150));
        self.enter(instrument, side, lots, limit);
        let versions = vec![(lots.into(), limit.into())];
        self.orders.push(Resting {
            instrument,
            side,
            versions,
        });
    }

    /// Asks for another version of the last order, unanswered.
    fn replace(&mut self, prng: &mut Prng) {
        let (lots, limit) = (prng.between(1, 12), prng.between(850, 1_150));
        let original = self.next_id - self.orders.last().expect("one rests").versions.len() as u32;
        self.next_id += 1;
        let (id, qty, price) = (self.next_id, lots, Some(limit));
        self.done(&Op::Replace(ReplaceOp {
            original: original + 1,
            id,
            qty,
            price,
        }));
        let order = self.orders.last_mut().expect("one rests");
        order.versions.push((lots.into(), limit.into()));
    }

    fn move_prices(&mut self, prng: &mut Prng) {
        for instrument in 0..self.prices.len() {
            let price = prng.between(800, 1_200);
            self.reference(instrument, price.into());
        }
    }

    fn requirement(&self) -> i128 {
        let valued = self.core.figures(0).and_then(|figures| figures.valued);
        valued.expect("all prices are there").requirement
    }

    /// The cost of the worst choice of fills.
    fn worst_subset(&self) -> i128 {
        let mut choice = vec![0_usize; self.orders.len()];
        let mut worst = 0;
        loop {
            worst = worst.max(self.cost(&choice));
            // The next choice: an order unfilled, or filled in one of its versions.
            let Some(place) =
                (0..choice.len()).find(|place| choice[*place] < self.orders[*place].versions.len())
            else {
                return worst;
            };
            choice[place] += 1;
            choice[..place].fill(0);
        }
    }

    fn cost(&self, choice: &[usize]) -> i128 {
        let (mut nets, mut loss) = (self.nets.clone(), 0);
        for (order, chosen) in self.orders.iter().zip(choice) {
            let Some(version) = chosen.checked_sub(1) else {
                continue;
            };
            let (lots, limit) = order.versions[version];
            let instrument = order.instrument;
            let value = i128::from(self.config.instruments[instrument].tick_lot_value);
            let worse_by = match order.side {
                Side::Buy => limit - self.prices[instrument],
                Side::Sell => self.prices[instrument] - limit,
            };
            nets[instrument] += if order.side == Side::Buy { lots } else { -lots };
            loss += lots * worse_by.max(0) * value;
        }
        let margins = (0..nets.len()).map(|instrument| self.margin(instrument, nets[instrument]));
        let millionths: i128 = margins.sum();
        (millionths + 999_999) / 1_000_000 + loss
    }

    /// Margin of a position in millionths of a quantum, ppm by ppm of each tier.
    fn margin(&self, instrument: usize, net: i128) -> i128 {
        let limits = &self.config.instruments[instrument];
        let notional = net.abs() * self.prices[instrument] * i128::from(limits.tick_lot_value);
        let starts = limits.tiers.iter().map(|(from, _)| i128::from(*from));
        let ends = starts.clone().skip(1).chain([i128::MAX]);
        let parts = starts
            .zip(ends)
            .map(|(from, end)| (notional.min(end) - from).max(0));
        let ratios = limits.tiers.iter().map(|(_, ratio)| {
            let rest = (1_000_000 - i128::from(*ratio)) * self.scale_ppm[instrument];
            i128::from(*ratio) + (rest + 999_999) / 1_000_000
        });
        parts.zip(ratios).map(|(part, ratio)| part * ratio).sum()
    }
}

/// One account in so many instruments: margin as it comes, everything else as wide as it loads.
pub(crate) fn wide(prng: &mut Prng, instruments: usize) -> Config {
    Config {
        instruments: (0..instruments).map(|_| instrument(prng)).collect(),
        accounts: vec![account((0..instruments as u32).collect())],
        firms: 1,
        sessions: 1,
    }
}

fn instrument(prng: &mut Prng) -> InstrumentConfig {
    let second = prng.between(1, 20_000);
    let tiers = [
        (0, 33_333),
        (second, 120_001),
        (second + prng.between(1, 20_000), 500_000),
    ];
    let oi_lower = prng.between(0, 25);
    InstrumentConfig {
        tick_lot_value: prng.between(1, 9),
        price_max: 1_000_000,
        collar_ppm: 1_000_000,
        tiers: tiers[..prng.between(1, 3) as usize].to_vec(),
        oi_lower,
        oi_upper: oi_lower + prng.between(0, 25),
        oi_cap: 1 << 40,
        oi_share_max: 1 << 40,
        ref_max_age_ns: 1 << 60,
        bucket_ns: 1_000,
        ewma_shift: 5,
        spike_floor: 1 << 41,
        spike_ppm: 1_000_000,
        cooldown_ns: 0,
    }
}

fn account(permitted: Vec<u32>) -> AccountConfig {
    AccountConfig {
        permitted,
        firm: 0,
        rate_interval_ns: 1,
        rate_count: 1,
        rate_burst: 1_000,
        qty_max: 1 << 30,
        repeat_window_ns: Some(0),
        repeat_max: Some(1_000),
        notional_max: Some(1 << 60),
        open_orders_max: Some(1_000),
        position_max: Some(1 << 30),
        open_notional_max: Some(1 << 60),
        loss_max: Some(1 << 60),
        pnl_weight_ppm: Some(0),
        pnl_cap: Some(0),
        account_volume_max: Some(1 << 30),
    }
}

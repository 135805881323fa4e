//! Commands of a desk that trades near its limits.
//!
//! Owned by a test. Invariant: the same seed and the same answers give the same commands.

use super::super::brute_force::wide;
use super::super::op::{Answer, Config, Figures, Op, OrderOp, ReplaceOp, Word};
use super::super::prng::Prng;
use portcullis_domain::Side;

/// What an engine or a person does that the model does not know.
pub(super) enum Beyond {
    Fill {
        id: u32,
        qty: i64,
        price: i64,
        fee: i64,
        match_number: u64,
    },
    Break {
        id: u32,
        match_number: u64,
    },
    Adjust {
        account: u32,
        instrument: u32,
        lots: i64,
        price: i64,
    },
}

struct Open {
    id: u32,
    account: u32,
    instrument: u32,
    side: Side,
    lots: i64,
    limit: i64,
    /// A version asked for: number, lots, limit.
    asked: Option<(u32, i64, i64)>,
}

/// One episode's commands.
pub(super) struct Desk {
    prng: Prng,
    config: Config,
    /// By account.
    trades: Vec<Vec<u32>>,
    prices: Vec<i64>,
    quoted_ns: Vec<Option<u64>>,
    open: Vec<Open>,
    booked: Vec<(u32, u64)>,
    time_ns: u64,
    next_id: u32,
    next_match: u64,
    /// How far prices move, as a divisor.
    calm: i64,
}

/// Instruments that are traded: several of groups 0, 1, 2 and 10, one of others. The last has a price
/// seldom.
const USED: [u32; 15] = [0, 64, 1, 65, 2, 66, 3, 4, 5, 6, 7, 8, 9, 74, 10];
const INSTRUMENTS: usize = 75;
const PRICE: i64 = 10_000;

impl Desk {
    pub(super) fn random(seed: u64) -> (Config, Self) {
        let mut prng = Prng::new(seed);
        let mut config = wide(&mut prng, INSTRUMENTS);
        let max_age_ns = prng.pick(&[1_000_000_000, 5_000_000_000, 1 << 40]);
        // Flat and unscaled, an order needs little more than it must: what drift takes is what counts.
        let flat = prng.one_in(2);
        let mut tiers = vec![(0, prng.pick(&[1, 20_000, 50_000, 300_000, 1_000_000]))];
        if !flat {
            tiers.push((400_000, prng.pick(&[500_000, 1_000_000])));
        }
        for instrument in &mut config.instruments {
            instrument.tick_lot_value = 3;
            instrument.tiers = tiers.clone();
            instrument.ref_max_age_ns = max_age_ns;
            instrument.oi_lower = 20;
            instrument.oi_upper = prng.pick(&[40, 400, 100_000]);
            if flat {
                (instrument.oi_lower, instrument.oi_upper) = (100_000, 100_000);
            }
        }
        let usual = config.accounts.remove(0);
        let trades: Vec<Vec<u32>> = vec![
            vec![0],
            vec![0, 64, 65],
            vec![1, 3, 66],
            USED[..13].to_vec(),
            USED[3..10].to_vec(),
            vec![74],
            vec![10, 2],
        ];
        for _ in &trades {
            let mut account = usual.clone();
            account.open_orders_max = Some(40);
            account.loss_max = Some(prng.pick(&[10_000, 20_000, 50_000, 200_000, 2_000_000]));
            account.pnl_weight_ppm = Some(prng.pick(&[0, 333_333, 1_000_000]));
            account.pnl_cap = Some(prng.pick(&[0, 50_000, 1 << 40]));
            config.accounts.push(account);
        }
        let calm = prng.pick(&[20, 200, 1_000, 5_000]);
        let desk = Self {
            prng,
            config: config.clone(),
            trades,
            prices: vec![PRICE; INSTRUMENTS],
            quoted_ns: vec![None; INSTRUMENTS],
            open: Vec::new(),
            booked: Vec::new(),
            time_ns: 1_000,
            next_id: 0,
            next_match: 1 << 40,
            calm,
        };
        (config, desk)
    }

    /// The next command and its time.
    pub(super) fn next(&mut self, figures: impl Fn(u32) -> Option<Figures>) -> (u64, Op) {
        let step = self
            .prng
            .pick(&[0, 1_000, 5_000_000, 20_000_000, 60_000_000]);
        self.time_ns += step;
        let op = self.op(figures);
        (self.time_ns, op)
    }

    fn op(&mut self, figures: impl Fn(u32) -> Option<Figures>) -> Op {
        let unquoted = USED
            .into_iter()
            .find(|index| self.quoted_ns[*index as usize].is_none());
        if let Some(index) = unquoted {
            return self.quote(index);
        }
        match self.prng.between(1, 200) {
            1..=70 => {
                let rest = usize::from(!self.prng.one_in(30));
                let index = USED[self.prng.below(USED.len() - rest)];
                self.quote(index)
            }
            71..=130 => self.order(),
            131..=150 => self.fill(),
            151..=168 => self.cancel(),
            169..=178 => self.replace(),
            179..=186 => self.answer(),
            187..=197 => self.cash(figures),
            198 => {
                let instrument = USED[self.prng.below(USED.len())];
                let price = self.near(instrument, 10);
                Op::Settle { instrument, price }
            }
            199 => Op::DayStart,
            _ => self.order(),
        }
    }

    /// A price near the reference, by a part of it.
    fn near(&mut self, instrument: u32, part: i64) -> i64 {
        let price = self.prices[instrument as usize];
        (price + self.prng.between(-price / part, price / part)).clamp(100, 900_000)
    }

    fn quote(&mut self, instrument: u32) -> Op {
        let part = match self.prng.between(1, 150) {
            1 => 2,
            2..=4 => 8,
            _ => self.calm,
        };
        let price = self.near(instrument, part);
        self.prices[instrument as usize] = price;
        self.quoted_ns[instrument as usize] = Some(self.time_ns);
        Op::Reference { instrument, price }
    }

    fn fresh_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    fn order(&mut self) -> Op {
        let account = self.prng.below(self.trades.len());
        let traded = &self.trades[account];
        let instrument = traded[self.prng.below(traded.len())];
        let part = self.prng.pick(&[10, 100, 1_000]);
        Op::Order(OrderOp {
            account: account as u32,
            instrument,
            id: self.fresh_id(),
            side: self.prng.pick(&[Side::Buy, Side::Sell]),
            qty: self.prng.pick(&[1, 1, 2, 5, 10]),
            price: Some(self.near(instrument, part)),
        })
    }

    fn pick(&mut self) -> Option<usize> {
        (!self.open.is_empty()).then(|| self.prng.below(self.open.len()))
    }

    fn fill(&mut self) -> Op {
        let Some(place) = self.pick() else {
            return self.order();
        };
        let (id, qty, price) = self.terms_of_fill(place);
        Op::Fill { id, qty, price }
    }

    fn terms_of_fill(&mut self, place: usize) -> (u32, i64, i64) {
        let open = &self.open[place];
        let (id, lots, limit, side) = (open.id, open.lots, open.limit, open.side);
        let qty = self.prng.between(1, lots);
        let better = self.prng.pick(&[0, 0, 1, limit / 100, limit / 5]);
        let price = match side {
            Side::Buy => limit - better,
            Side::Sell => limit + better,
        };
        (id, qty, price)
    }

    fn cancel(&mut self) -> Op {
        match self.pick() {
            Some(place) => Op::Canceled {
                id: self.open[place].id,
            },
            None => self.order(),
        }
    }

    fn replace(&mut self) -> Op {
        let Some(place) = self
            .pick()
            .filter(|place| self.open[*place].asked.is_none())
        else {
            return self.order();
        };
        let instrument = self.open[place].instrument;
        let original = self.open[place].id;
        Op::Replace(ReplaceOp {
            original,
            id: self.fresh_id(),
            qty: self.prng.between(1, 12),
            price: Some(self.near(instrument, 50)),
        })
    }

    fn answer(&mut self) -> Op {
        let asked = self
            .open
            .iter()
            .find_map(|open| Some((open.id, open.asked?.0)));
        match asked {
            Some((id, new)) if self.prng.one_in(3) => Op::ReplaceRejected { id, new },
            Some((id, new)) => Op::Replaced { id, new },
            None => self.order(),
        }
    }

    /// Brings an account's admissible equity to a little above or below its requirement.
    fn cash(&mut self, figures: impl Fn(u32) -> Option<Figures>) -> Op {
        let account = self.prng.below(self.trades.len()) as u32;
        let valued = figures(account).and_then(|figures| figures.valued);
        let room = valued.as_ref().map_or(0, |v| v.admissible - v.requirement);
        let wanted = i128::from(self.prng.pick(&[0, 30_000, 300_000, 3_000_000, 30_000_000]));
        let amount = i64::try_from(wanted - room).unwrap_or(1);
        if amount > 0 {
            return Op::Deposit { account, amount };
        }
        let free = valued.map_or(0, |v| v.free);
        let most = i64::try_from(free).unwrap_or(0);
        Op::Withdraw {
            account,
            amount: (-amount).min(most).max(1),
        }
    }

    /// Now and then, something beyond the model; the desk's own book already has it.
    pub(super) fn beyond(&mut self) -> Option<Beyond> {
        let kind = self.prng.between(1, 100);
        if kind <= 6 {
            let place = self.pick()?;
            let (id, qty, price) = self.terms_of_fill(place);
            self.take(place, qty);
            self.next_match += 1;
            self.booked.push((id, self.next_match));
            return Some(Beyond::Fill {
                id,
                qty,
                price,
                fee: self.prng.pick(&[0, 1, 500, 20_000, -700]),
                match_number: self.next_match,
            });
        }
        if kind == 7 {
            let (id, match_number) = self.booked.pop()?;
            return Some(Beyond::Break { id, match_number });
        }
        if kind == 8 {
            let account = self.prng.below(self.trades.len());
            let traded = &self.trades[account];
            let instrument = traded[self.prng.below(traded.len())];
            return Some(Beyond::Adjust {
                account: account as u32,
                instrument,
                lots: self.prng.pick(&[-7, -1, 1, 7]),
                price: self.near(instrument, 100),
            });
        }
        None
    }

    fn take(&mut self, place: usize, lots: i64) {
        let open = &mut self.open[place];
        open.lots -= lots;
        if let Some((_, asked, _)) = &mut open.asked {
            *asked = (*asked - lots).max(0);
        }
        if open.lots == 0 {
            self.open.remove(place);
        }
    }

    fn place(&self, id: u32) -> Option<usize> {
        self.open.iter().position(|open| open.id == id)
    }

    /// Learns what came of a command.
    pub(super) fn learn(&mut self, op: &Op, answer: &Answer) {
        let passed = *answer == Answer::Judged(Vec::new());
        let done = *answer == Answer::Word(Word::Ok);
        match *op {
            Op::Order(order) if passed => self.open.push(Open {
                id: order.id,
                account: order.account,
                instrument: order.instrument,
                side: order.side,
                lots: order.qty,
                limit: order.price.expect("the desk sends limits"),
                asked: None,
            }),
            Op::Replace(replace) if passed => {
                let place = self.place(replace.original).expect("of an open order");
                let limit = replace.price.expect("the desk sends limits");
                self.open[place].asked = Some((replace.id, replace.qty, limit));
            }
            Op::Fill { id, qty, .. } if done => {
                let place = self.place(id).expect("of an open order");
                self.take(place, qty);
            }
            Op::Canceled { id } if done => {
                let place = self.place(id).expect("of an open order");
                self.open.remove(place);
            }
            Op::ReplaceRejected { id, .. } | Op::Replaced { id, .. } if done => {
                self.answered(id, matches!(op, Op::Replaced { .. }));
            }
            Op::Order(_)
            | Op::Replace(_)
            | Op::Fill { .. }
            | Op::Canceled { .. }
            | Op::Replaced { .. }
            | Op::ReplaceRejected { .. }
            | Op::Deposit { .. }
            | Op::Withdraw { .. }
            | Op::Reference { .. }
            | Op::Cancel { .. }
            | Op::Rejected { .. }
            | Op::State { .. }
            | Op::Settle { .. }
            | Op::DayStart
            | Op::Restart { .. }
            | Op::Journal { .. } => {}
        }
    }

    fn answered(&mut self, id: u32, confirmed: bool) {
        let place = self.place(id).expect("of an open order");
        let open = &mut self.open[place];
        let asked = open.asked.take().expect("a version was asked for");
        if confirmed {
            (_, open.lots, open.limit) = asked;
        }
        if open.lots == 0 {
            self.open.remove(place);
        }
    }

    /// The account of an order, or of the order that a replace is for.
    pub(super) fn account_of(&self, op: &Op) -> Option<u32> {
        match op {
            Op::Order(order) => Some(order.account),
            Op::Replace(replace) => Some(self.open[self.place(replace.original)?].account),
            Op::Fill { .. }
            | Op::Canceled { .. }
            | Op::Replaced { .. }
            | Op::ReplaceRejected { .. }
            | Op::Deposit { .. }
            | Op::Withdraw { .. }
            | Op::Reference { .. }
            | Op::Cancel { .. }
            | Op::Rejected { .. }
            | Op::State { .. }
            | Op::Settle { .. }
            | Op::DayStart
            | Op::Restart { .. }
            | Op::Journal { .. } => None,
        }
    }

    /// Whether an instrument's reference is missing or older than it may be.
    pub(super) fn is_stale(&self, instrument: u32) -> bool {
        let age = self.config.instruments[instrument as usize].ref_max_age_ns as u64;
        self.quoted_ns[instrument as usize].is_none_or(|at| self.time_ns - at > age)
    }
}

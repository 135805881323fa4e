//! Accounts whose orders come within a tenth of one of their limits, and pass.
//!
//! One thread. Of each sixty pairs of accounts five have limits of their own, one each. What an order may
//! have is worked out here, from RULES and the state that was sent, not asked of the core. Invariants: an
//! order that is made here uses nine tenths of its limit at least, and the whole of it at most; an account
//! of a kind orders once a batch, so that its other orders are not in the way.

use crate::limits::{POSITION_LOTS, QTY_LARGEST, Shape, account_cells};
use crate::market::{Endowment, Market, ORDER_GAP_NS};
use portcullis_bench_market::limits::SET_ALL;
use portcullis_bench_market::near::{
    MARGIN_DEPOSIT, MARGIN_LOTS, NOTIONAL_MAX, Near, PAIRS, POSITION_MAX, Quotes, Worth,
};
use portcullis_bench_market::{Ground, Random};
use portcullis_domain::{InstrumentId, Side};
use portcullis_risk_core::limits::account::AccountField;
use portcullis_risk_core::limits::{LimitSpec, RowSpec};

/// What comes near in this bench, the last without accounts of its own.
pub const KINDS: [Near; 6] = [
    Near::Notional,
    Near::OpenNotional,
    Near::Position,
    Near::Margin,
    Near::Rate,
    Near::Quantity,
];

/// Orders that a rate lets through at once.
const RATE_BURST: u64 = 11;
/// Accounts of a rate at the most, so that its interval can be as long as they need to come round.
const RATE_ACCOUNTS_MAX: u32 = 1_000;
/// Orders of an account that enters two positions in two parts each.
const RATE_SPENT: u64 = 4;
/// Where the search for an account whose rate is near stops.
const RATE_LOOKS: u32 = 16;

/// What an account has before the first order.
pub(crate) fn endowment(account: u32, shape: &Shape) -> Endowment {
    match Near::of(&Near::OF_ACCOUNTS, account) {
        Some(Near::Margin) => Endowment {
            deposit: MARGIN_DEPOSIT,
            lots: MARGIN_LOTS,
            fee: 0,
        },
        _ => Endowment::usual(shape),
    }
}

/// An order that is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft {
    pub(crate) account: u32,
    pub(crate) instrument: u32,
    pub(crate) side: Side,
    pub(crate) qty: i64,
    pub(crate) price: i64,
}

/// The accounts of the kinds.
#[derive(Debug)]
pub(crate) struct NearAccounts {
    pairs: u32,
    /// Those that have ordered in this batch.
    ordered: Vec<u32>,
    /// By account of the rate's: when it has earned all its orders again.
    rate_tat_ns: Vec<u64>,
}

impl NearAccounts {
    /// Gives the kinds' accounts their limits.
    pub(crate) fn add(spec: &mut LimitSpec, shape: &Shape) -> Self {
        let first_row = spec.rows.len() as u32;
        let this = Self {
            pairs: shape.accounts / 2,
            ordered: Vec::new(),
            rate_tat_ns: Vec::new(),
        };
        for kind in Near::OF_ACCOUNTS {
            let mut cells = account_cells(shape);
            kind.tighten(&mut cells);
            if kind == Near::Rate {
                let interval_ns = this.rate_interval_ns() as i64;
                cells.set(AccountField::RateIntervalNs, interval_ns);
                cells.set(AccountField::RateBurst, RATE_BURST as i64);
            }
            spec.rows.push(RowSpec {
                cells,
                permission_set: SET_ALL,
            });
        }
        for account in 0..shape.accounts {
            if let Some(kind) = Near::of(&Near::OF_ACCOUNTS, account) {
                spec.accounts[account as usize].row = Some(first_row + kind as u32);
            }
        }
        this
    }

    /// Spends what the accounts of the rate may spend, but for one order.
    pub(crate) fn set_up(&mut self, market: &mut Market) {
        let spent_ns = market.now_ns() + (RATE_BURST - 1) * self.rate_interval_ns();
        for which in 0..self.rate_accounts() {
            let account = Near::Rate.account(which);
            for _ in RATE_SPENT..RATE_BURST - 1 {
                let instrument = market.traded(account, 0);
                let side = market.endowed_side(account, 0);
                market.enter_and_cancel(account, instrument, side);
            }
            self.rate_tat_ns.push(spent_ns);
        }
    }

    /// A batch begins: no account has ordered yet.
    pub(crate) fn begin_batch(&mut self) {
        self.ordered.clear();
    }

    /// An order that comes near a limit of this kind; `None` where there is none at the moment.
    pub(crate) fn draft(
        &mut self,
        kind: Near,
        market: &Market,
        random: &mut Random,
    ) -> Option<Draft> {
        let account = if kind == Near::Rate {
            self.account_near_its_rate(market, random)?
        } else {
            let which = random.below(self.count(kind).into()) as u32;
            kind.account(which)
        };
        if self.ordered.contains(&account) {
            return None;
        }
        let which = random.below(market.shape.traded.into()) as u32;
        let instrument = market.traded(account, which);
        let drawn = [Side::Buy, Side::Sell][random.below(2) as usize];
        let price = market.price(instrument) + random.below(11) as i64 - 5;
        let (side, qty, used, limit) = match kind {
            Near::Notional | Near::OpenNotional => {
                let qty = NOTIONAL_MAX / price;
                (drawn, qty, qty * price, NOTIONAL_MAX)
            }
            Near::Position => {
                let qty = QTY_LARGEST - random.below(2) as i64;
                let side = market.endowed_side(account, which);
                (side, qty, POSITION_LOTS + qty, POSITION_MAX)
            }
            Near::Margin => {
                let worth = Worth::of(market, account);
                let (qty, used) = worth.largest(market, which, drawn, price, worth.equity)?;
                (drawn, qty, used, worth.equity)
            }
            Near::Rate => {
                let (used, limit) = self.spend(account, market.now_ns());
                (drawn, 1 + random.below(9) as i64, used, limit)
            }
            Near::Quantity | Near::Collar => {
                unreachable!("{kind:?}: the load's own accounts come near it")
            }
        };
        assert!(
            used <= limit && used * 10 >= limit * 9,
            "{kind:?}: {used} of {limit} is not near"
        );
        self.ordered.push(account);
        Some(Draft {
            account,
            instrument,
            side,
            qty,
            price,
        })
    }

    pub(crate) fn count(&self, kind: Near) -> u32 {
        kind.count(self.pairs)
    }

    fn rate_accounts(&self) -> u32 {
        self.count(Near::Rate).min(RATE_ACCOUNTS_MAX)
    }

    /// A fifth more than their orders need to come round, so that all stay near.
    fn rate_interval_ns(&self) -> u64 {
        u64::from(self.rate_accounts()) * u64::from(PAIRS) * ORDER_GAP_NS * 6 / 5
    }

    fn account_near_its_rate(&self, market: &Market, random: &mut Random) -> Option<u32> {
        let count = self.rate_accounts();
        let first = random.below(count.into()) as u32;
        let looks = (0..RATE_LOOKS.min(count)).map(|ahead| (first + ahead) % count);
        let interval_ns = self.rate_interval_ns();
        let near = |which: &u32| {
            let tat_ns = self.rate_tat_ns[*which as usize];
            let ahead_ns = tat_ns.saturating_sub(market.now_ns());
            ahead_ns <= (RATE_BURST - 1) * interval_ns
                && (ahead_ns + interval_ns) * 10 >= RATE_BURST * interval_ns * 9
        };
        let found = looks.into_iter().find(near)?;
        Some(Near::Rate.account(found))
    }

    /// Counts an order of an account of the rate; returns what it uses of what it may.
    fn spend(&mut self, account: u32, now_ns: u64) -> (i64, i64) {
        let which = account / 2 / PAIRS * 2 + account % 2;
        let interval_ns = self.rate_interval_ns();
        let tat_ns = &mut self.rate_tat_ns[which as usize];
        *tat_ns = (*tat_ns).max(now_ns) + interval_ns;
        let limit = RATE_BURST * interval_ns;
        ((*tat_ns - now_ns) as i64, limit as i64)
    }
}

impl Quotes for Market {
    fn traded(&self) -> u32 {
        self.shape.traded
    }

    fn price(&self, account: u32, which: u32) -> i64 {
        Self::price(self, Self::traded(self, account, which))
    }

    fn scale_ppm(&self, account: u32, which: u32) -> u32 {
        let instrument = InstrumentId::new(Self::traded(self, account, which));
        let view = self.core.instrument(instrument);
        view.expect("it is one of the load's").scale_ppm
    }

    fn side(&self, account: u32, which: u32) -> Side {
        self.endowed_side(account, which)
    }
}

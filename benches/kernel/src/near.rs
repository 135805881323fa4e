//! Accounts whose orders come within a tenth of one of their limits, and pass.
//!
//! One thread. Of each sixty pairs of accounts five have limits of their own, one each. What an order may
//! have is worked out here, from RULES and the state that was sent, not asked of the core. Invariants: an
//! order that is made here uses nine tenths of its limit at least, and the whole of it at most; an account
//! of a kind orders once a batch, so that its other orders are not in the way.

use crate::limits::{POSITION_LOTS, QTY_LARGEST, Shape, TIERS, account_cells};
use crate::market::{Endowment, Market, ORDER_GAP_NS, PRICE_START};
use portcullis_bench_market::Random;
use portcullis_bench_market::limits::SET_ALL;
use portcullis_domain::{InstrumentId, Side};
use portcullis_risk_core::limits::account::AccountField;
use portcullis_risk_core::limits::{LimitSpec, RowSpec};

/// Which limit is near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Near {
    /// Notional of an order.
    Notional,
    /// Notional of all open orders.
    OpenNotional,
    /// A position with its orders.
    Position,
    /// Margin against equity.
    Margin,
    /// Orders in time.
    Rate,
    /// Lots of an order: every account of the load may come near it.
    Quantity,
}

/// Pairs of accounts among which each kind has one.
const PAIRS: u32 = 60;
/// Quanta of an order, or of all open ones.
const NOTIONAL_MAX: i64 = 120_000;
const POSITION_MAX: i64 = 32;
/// Lots of an order where another limit is the one that is near.
const QTY_WIDE: i64 = 40;
/// What an account near its margin pays in: two lots held, and about a dozen more.
const MARGIN_DEPOSIT: i64 = 28_000;
const PPM: i128 = 1_000_000;
/// Share of a positive result that counts as equity.
const PNL_WEIGHT_PPM: i128 = 500_000;
/// Orders that a rate lets through at once.
const RATE_BURST: u64 = 11;
/// Accounts of a rate at the most, so that its interval can be as long as they need to come round.
const RATE_ACCOUNTS_MAX: u32 = 1_000;
/// Orders of an account that enters two positions in two parts each.
const RATE_SPENT: u64 = 4;
/// Where the search for an account whose rate is near stops.
const RATE_LOOKS: u32 = 16;

impl Near {
    /// All of them; the first five have accounts of their own.
    pub const ALL: [Self; 6] = [
        Self::Notional,
        Self::OpenNotional,
        Self::Position,
        Self::Margin,
        Self::Rate,
        Self::Quantity,
    ];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notional => "notional",
            Self::OpenNotional => "open notional",
            Self::Position => "position",
            Self::Margin => "margin",
            Self::Rate => "rate",
            Self::Quantity => "quantity",
        }
    }

    /// Whether accounts of its own come near it.
    pub(crate) fn has_accounts(self) -> bool {
        self != Self::Quantity
    }

    /// Whose accounts they are; `None` of those of the load.
    pub(crate) fn of(account: u32) -> Option<Self> {
        let at = (account / 2 % PAIRS) as usize;
        Self::ALL[..5].get(at).copied()
    }

    /// What an account has before the first order.
    pub(crate) fn endowment(account: u32, shape: &Shape) -> Endowment {
        match Self::of(account) {
            Some(Self::Margin) => Endowment {
                deposit: MARGIN_DEPOSIT,
                lots: 1,
            },
            _ => Endowment {
                deposit: shape.deposit(),
                lots: POSITION_LOTS,
            },
        }
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
        for kind in &Near::ALL[..5] {
            let mut cells = account_cells(shape);
            cells.set(AccountField::QtyMax, QTY_WIDE);
            match kind {
                Near::Notional => cells.set(AccountField::NotionalMax, NOTIONAL_MAX),
                Near::OpenNotional => cells.set(AccountField::OpenNotionalMax, NOTIONAL_MAX),
                Near::Position => cells.set(AccountField::PositionMax, POSITION_MAX),
                Near::Rate => {
                    let interval_ns = this.rate_interval_ns() as i64;
                    cells.set(AccountField::RateIntervalNs, interval_ns);
                    cells.set(AccountField::RateBurst, RATE_BURST as i64);
                }
                Near::Margin | Near::Quantity => {}
            }
            spec.rows.push(RowSpec {
                cells,
                permission_set: SET_ALL,
            });
        }
        for account in 0..shape.accounts {
            let at = account / 2 % PAIRS;
            if at < 5 {
                spec.accounts[account as usize].row = Some(first_row + at);
            }
        }
        this
    }

    /// Spends what the accounts of the rate may spend, but for one order.
    pub(crate) fn set_up(&mut self, market: &mut Market) {
        let spent_ns = market.now_ns() + (RATE_BURST - 1) * self.rate_interval_ns();
        for which in 0..self.rate_accounts() {
            let account = self.account(Near::Rate, which);
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
            self.account(kind, which)
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
                let (qty, used) = worth.largest(market, which, drawn, price)?;
                (drawn, qty, used, worth.equity)
            }
            Near::Rate => {
                let (used, limit) = self.spend(account, market.now_ns());
                (drawn, 1 + random.below(9) as i64, used, limit)
            }
            Near::Quantity => unreachable!("the load's own accounts come near it"),
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
        2 * (self.pairs - kind as u32).div_ceil(PAIRS)
    }

    fn account(&self, kind: Near, which: u32) -> u32 {
        2 * (kind as u32 + PAIRS * (which / 2)) + which % 2
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
        Some(self.account(Near::Rate, found))
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

/// What an account near its margin has and needs.
struct Worth {
    account: u32,
    /// Admissible equity.
    equity: i64,
}

impl Worth {
    fn of(market: &Market, account: u32) -> Self {
        let results = (0..market.shape.traded).map(|which| {
            let price = market.price(market.traded(account, which));
            let sign = Self::held(market, account, which);
            i128::from(sign * (price - PRICE_START))
        });
        let (mut losses, mut gains) = (0, 0);
        for result in results {
            losses += result.min(0);
            gains += result.max(0);
        }
        let equity = i128::from(MARGIN_DEPOSIT) + losses + gains * PNL_WEIGHT_PPM / PPM;
        Self {
            account,
            equity: equity as i64,
        }
    }

    /// One lot, long or short.
    fn held(market: &Market, account: u32, which: u32) -> i64 {
        match market.endowed_side(account, which) {
            Side::Buy => 1,
            Side::Sell => -1,
        }
    }

    /// The largest order that equity covers, and what is required with it.
    fn largest(&self, market: &Market, which: u32, side: Side, price: i64) -> Option<(i64, i64)> {
        let required = |qty: i64| self.required(market, which, side, qty, price);
        let orders = (2..=QTY_WIDE).map(|qty| (qty, required(qty)));
        orders
            .take_while(|(_, used)| *used <= self.equity)
            .last()
            .filter(|(qty, _)| *qty < QTY_WIDE)
    }

    fn required(&self, market: &Market, ordered: u32, side: Side, qty: i64, price: i64) -> i64 {
        let mut millionths = 0;
        for which in 0..market.shape.traded {
            let instrument = market.traded(self.account, which);
            let held = Self::held(market, self.account, which);
            let with_order = match side {
                _ if which != ordered => held,
                Side::Buy => held + qty,
                Side::Sell => held - qty,
            };
            let worst = held.abs().max(with_order.abs());
            let notional = i128::from(worst * market.price(instrument));
            millionths += initial_margin(market, instrument, notional);
        }
        let reference = market.price(market.traded(self.account, ordered));
        let adverse = match side {
            Side::Buy => (price - reference).max(0),
            Side::Sell => (reference - price).max(0),
        };
        let required = (millionths + PPM - 1) / PPM + i128::from(qty * adverse);
        required as i64
    }
}

/// IM of RULES, in millionths of a quantum.
fn initial_margin(market: &Market, instrument: u32, notional: i128) -> i128 {
    let view = market.core.instrument(InstrumentId::new(instrument));
    let scale = i128::from(view.expect("it is one of the load's").scale_ppm);
    let ends = TIERS[1..].iter().map(|tier| i128::from(tier.from_notional));
    let parts = TIERS.iter().zip(ends.chain([i128::MAX]));
    parts
        .map(|(tier, end)| {
            let part = (notional.min(end) - i128::from(tier.from_notional)).max(0);
            let ratio = i128::from(tier.initial_ppm);
            part * (ratio + ((PPM - ratio) * scale + PPM - 1) / PPM)
        })
        .sum()
}

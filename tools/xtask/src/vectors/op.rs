//! The words of a command vector: configuration, commands, answers and figures as plain numbers.
//!
//! Owned by no thread. Read from a file by `reader`, or made by the risk core's random tests, which
//! include this file. Invariants: numbers are as the vectors write them, not yet judged; an
//! order's session follows from its number alone ([`Config::session_of`]). Nothing here decides.

use portcullis_domain::{Scope, Side, TradingState};

/// Limits of one instrument, by the names of RULES.
#[derive(Clone, Debug)]
pub(crate) struct InstrumentConfig {
    pub(crate) tick_lot_value: i64,
    pub(crate) price_max: i64,
    pub(crate) collar_ppm: i64,
    /// Start of a tier in quanta of notional, and its ratio in parts per million.
    pub(crate) tiers: Vec<(i64, u32)>,
    pub(crate) oi_lower: i64,
    pub(crate) oi_upper: i64,
    pub(crate) oi_cap: i64,
    pub(crate) oi_share_max: i64,
    pub(crate) ref_max_age_ns: i64,
    pub(crate) bucket_ns: i64,
    pub(crate) ewma_shift: i64,
    pub(crate) spike_floor: i64,
    pub(crate) spike_ppm: i64,
    pub(crate) cooldown_ns: i64,
}

/// Limits of one account, by the names of RULES; `None` is unset.
#[derive(Clone, Debug)]
pub(crate) struct AccountConfig {
    /// Instruments it may trade.
    pub(crate) permitted: Vec<u32>,
    /// Its firm; 0 in files.
    pub(crate) firm: u32,
    pub(crate) rate_interval_ns: i64,
    pub(crate) rate_count: i64,
    pub(crate) rate_burst: i64,
    pub(crate) qty_max: i64,
    pub(crate) repeat_window_ns: Option<i64>,
    pub(crate) repeat_max: Option<i64>,
    pub(crate) notional_max: Option<i64>,
    pub(crate) open_orders_max: Option<i64>,
    pub(crate) position_max: Option<i64>,
    pub(crate) open_notional_max: Option<i64>,
    pub(crate) loss_max: Option<i64>,
    pub(crate) pnl_weight_ppm: Option<i64>,
    pub(crate) pnl_cap: Option<i64>,
    pub(crate) account_volume_max: Option<i64>,
}

/// All that the first line of a file says.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) instruments: Vec<InstrumentConfig>,
    pub(crate) accounts: Vec<AccountConfig>,
    /// Firms, with the widest limits that load; at least 1.
    pub(crate) firms: u32,
    /// Sessions, with the widest limits that load; at least 1.
    pub(crate) sessions: u32,
}

impl Config {
    /// The session through which the order with this number goes.
    pub(crate) const fn session_of(&self, id: u32) -> u32 {
        id % self.sessions
    }
}

/// A new order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderOp {
    pub(crate) account: u32,
    pub(crate) instrument: u32,
    pub(crate) id: u32,
    pub(crate) side: Side,
    pub(crate) qty: i64,
    /// Limit in ticks; `None` is a market order.
    pub(crate) price: Option<i64>,
}

/// A replace by a quantity open if it succeeds now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplaceOp {
    pub(crate) original: u32,
    pub(crate) id: u32,
    pub(crate) qty: i64,
    /// Limit in ticks; `None` is a replace to market.
    pub(crate) price: Option<i64>,
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Deposit {
        account: u32,
        amount: i64,
    },
    Withdraw {
        account: u32,
        amount: i64,
    },
    Reference {
        instrument: u32,
        price: i64,
    },
    Order(OrderOp),
    Replace(ReplaceOp),
    Cancel {
        id: u32,
    },
    Fill {
        id: u32,
        qty: i64,
        price: i64,
    },
    Replaced {
        id: u32,
        new: u32,
    },
    ReplaceRejected {
        id: u32,
        new: u32,
    },
    Canceled {
        id: u32,
    },
    Rejected {
        id: u32,
    },
    State {
        scope: Scope,
        state: TradingState,
    },
    Settle {
        instrument: u32,
        price: i64,
    },
    DayStart,
    /// The restart ladder's state.
    Restart {
        state: TradingState,
    },
    /// Whether the journal takes records.
    Journal {
        up: bool,
    },
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An order or replace: all failing checks, by name, in order of precedence; none: accepted.
    Judged(Vec<String>),
    /// Anything else.
    Word(Word),
}

impl core::fmt::Display for Answer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Judged(fails) if fails.is_empty() => f.write_str("accepted"),
            Self::Judged(fails) => write!(f, "refused by {}", fails.join(", ")),
            Self::Word(word) => f.write_str(word.name()),
        }
    }
}

/// An answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Taken.
    Ok,
    /// A control command that changed nothing.
    Refused,
    /// A cancel that went to the engine.
    Forwarded,
    /// A cancel or replace of no open order.
    Unknown,
    /// A report on something that is over.
    Ignored,
    /// A report that halted the account.
    Halt,
    /// A report on something that never was.
    Alarm,
}

impl Word {
    /// The word as files write it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Forwarded => "forwarded",
            Self::Unknown => "unknown",
            Self::Ignored => "ignored",
            Self::Halt => "halt",
            Self::Alarm => "alarm",
        }
    }
}

/// One instrument of an account: position, cost, lots and money on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PositionFigures {
    pub(crate) net: i128,
    pub(crate) cost: i128,
    pub(crate) open_buy: i128,
    pub(crate) open_sell: i128,
    pub(crate) adverse: i128,
}

/// Open interest of an instrument, as it is and as it would be with holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenInterestFigures {
    pub(crate) open_interest: i128,
    pub(crate) long_would_be: i128,
    pub(crate) short_would_be: i128,
}

/// What needs a reference price of each instrument involved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValuedFigures {
    pub(crate) equity: i128,
    pub(crate) admissible: i128,
    pub(crate) requirement: i128,
    pub(crate) free: i128,
}

/// What a probe of an account shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) cash: i128,
    pub(crate) state: TradingState,
    pub(crate) open_orders: i128,
    pub(crate) open_notional: i128,
    /// By instrument.
    pub(crate) positions: Vec<PositionFigures>,
    /// By instrument.
    pub(crate) open_interest: Vec<OpenInterestFigures>,
    /// `None` where a reference price is missing.
    pub(crate) valued: Option<ValuedFigures>,
}

impl Figures {
    /// The first figure in which `came` differs from these, in words. What these do not say
    /// (`valued` is `None`) is not compared.
    pub(crate) fn difference(&self, came: &Self) -> Option<String> {
        let differs = |name: &str, expected: &dyn core::fmt::Debug, came: &dyn core::fmt::Debug| {
            let (expected, came) = (format!("{expected:?}"), format!("{came:?}"));
            (expected != came).then(|| format!("{name}: expected {expected}, came {came}"))
        };
        differs("cash", &self.cash, &came.cash)
            .or_else(|| differs("state", &self.state, &came.state))
            .or_else(|| differs("open_orders", &self.open_orders, &came.open_orders))
            .or_else(|| differs("open_notional", &self.open_notional, &came.open_notional))
            .or_else(|| differs("pos", &self.positions, &came.positions))
            .or_else(|| differs("oi", &self.open_interest, &came.open_interest))
            .or_else(|| {
                self.valued.as_ref()?;
                differs("valued", &self.valued, &came.valued)
            })
    }
}

/// What runs command vectors: the risk core, or a model of it.
pub(crate) trait Machine {
    /// Applies one command at a time in ns since the epoch.
    fn apply(&mut self, time_ns: u64, op: &Op) -> Answer;

    /// The figures of an account; `None` if there is no such account.
    fn figures(&self, account: u32) -> Option<Figures>;
}

//! The facts that checks judge: read once, then only looked at.
//!
//! Risk thread, on its stack. Invariants: a view is of one order at one moment; checks read it and
//! nothing else; what RULES passes over for want of a fact stands here as `None`.

use crate::checks::margin::Slope;
use crate::gcra::Judged;
use crate::limits::account::AccountLimits;
use crate::limits::firm::FirmLimits;
use crate::limits::instrument::InstrumentLimits;
use crate::volume_window::Spike;
use portcullis_domain::{RejectCode, Side, TradingState};

/// What is judged before anything else is looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) account_known: bool,
    pub(crate) instrument_known: bool,
    pub(crate) qty: i64,
    /// The limit asked for; `None` for a market order.
    pub(crate) price: Option<i64>,
    pub(crate) price_max: i64,
    /// What ingress already found.
    pub(crate) early: Option<RejectCode>,
}

impl Form {
    pub(crate) fn found_early(&self, code: RejectCode) -> bool {
        self.early == Some(code)
    }
}

/// A schedule's word on this order, with its scope's limits unset or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Volume {
    /// Nanoseconds of the window that account and order together take.
    pub(crate) taken_ns: i128,
    /// Nanoseconds of the window without the order.
    pub(crate) ahead_ns: i128,
    pub(crate) window_ns: i128,
    /// Nanoseconds one lot takes; 0 where the limit is unset.
    pub(crate) lot_cost_ns: u64,
}

/// Equity and margin, where both can be had.
#[derive(Clone, Debug)]
pub(crate) enum Worth<'a> {
    /// A reference is missing: LOSS_MAX and MARGIN are passed over.
    Unknown,
    /// Both are known to pass, or the order is judged without them.
    Enough,
    /// Valued.
    Exact {
        /// equity - day_base.
        day_result: i128,
        /// Admissible equity.
        admissible: i128,
        /// Requirement without the order.
        requirement_before: i128,
        /// Requirement with the order's hold.
        requirement: i128,
        /// How it depends on the order's quantity.
        slope: Slope<'a>,
    },
}

impl Worth<'_> {
    /// Whether admissible equity is known to be below the requirement with the order.
    #[inline(always)]
    pub(crate) fn is_margin_short(&self) -> bool {
        match self {
            Self::Unknown | Self::Enough => false,
            Self::Exact {
                admissible,
                requirement,
                ..
            } => admissible < requirement,
        }
    }
}

/// Open interest of the side the order could add to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InterestView {
    /// Of the account, with all holds as they stand.
    pub(crate) was: i128,
    /// Of the account, with this order's hold as it would be.
    pub(crate) would: i128,
    /// Of the venue, as it stands.
    pub(crate) total: i128,
}

/// What the schedules of all scopes say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) session: Judged,
    pub(crate) account: Judged,
    pub(crate) firm: Judged,
    pub(crate) member: Judged,
}

/// The reference prices that the order depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct References {
    /// Some one, of the instrument or of a position, is missing.
    pub(crate) missing: bool,
    /// Some one is stale.
    pub(crate) stale: bool,
    /// Age of the instrument's.
    pub(crate) age_ns: Option<u64>,
    /// The collar; `None` where the instrument's is missing or stale.
    pub(crate) collar: Option<(i64, i64)>,
}

/// What a scope has open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    pub(crate) orders: i64,
    /// Price x quantity without the order's own hold.
    pub(crate) notional: i128,
}

/// The facts of one order.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    pub(crate) limits: &'a AccountLimits,
    pub(crate) firm_limits: &'a FirmLimits,
    pub(crate) member_limits: &'a FirmLimits,
    pub(crate) instrument: &'a InstrumentLimits,
    pub(crate) side: Side,
    pub(crate) replace: bool,
    /// Lots asked for.
    pub(crate) qty: i64,
    /// Limit, a market order's protection price included; `None` for a market order without a
    /// reference.
    pub(crate) price: Option<i64>,
    /// q x p x v; `None` where p is.
    pub(crate) notional: Option<i128>,

    pub(crate) state: TradingState,
    pub(crate) journal_up: bool,
    pub(crate) link_up: bool,
    pub(crate) permitted: bool,
    pub(crate) restricted: bool,
    pub(crate) order_slot: bool,
    pub(crate) position_slot: bool,
    pub(crate) versions_unanswered: i64,

    pub(crate) rates: Rates,
    /// Identical orders in a row, this one included.
    pub(crate) repeated: i64,

    /// Of the account, its firm and its clearing member.
    pub(crate) open: Open,
    pub(crate) firm_open: Open,
    pub(crate) member_open: Open,
    /// Notional of the hold the order would have; `None` where p is.
    pub(crate) hold_notional: Option<i128>,

    pub(crate) references: References,

    pub(crate) net: i64,
    /// Lots on hold of the order's side, without its own hold.
    pub(crate) on_hold: i64,
    /// Lots of the hold the order would have.
    pub(crate) hold: i64,
    pub(crate) interest: InterestView,
    pub(crate) worth: Worth<'a>,

    /// Lots that count into volumes: of a replace, its rise.
    pub(crate) rise: i64,
    pub(crate) volume: Volume,
    pub(crate) spike: Spike,
}

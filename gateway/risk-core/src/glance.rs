//! What is read of an order and its circumstances to see that it plainly passes.
//!
//! Risk thread, on its stack. A glance is of a new order whose form is good, whose position has a
//! slot, whose instrument has a reference and whose money fits i64; whoever fails to get one, and each
//! order that is not clear at a glance, is judged by its whole view. Invariant: a glance only ever
//! admits; it refuses nothing, and explains nothing.

use crate::accounts::{Account, Firm};
use crate::instruments::{Instrument, Reference};
use crate::limits::account::AccountLimits;
use crate::limits::instrument::InstrumentLimits;
use crate::limits::{LimitTable, Rate};
use crate::orders::Orders;
use crate::sessions::Session;
use crate::venue::Venue;
use core::hint::cold_path;
use portcullis_domain::{InstrumentId, Side, TradingState};

/// An order at a glance.
pub(crate) struct Glance<'a> {
    pub(crate) session: &'a Session,
    /// That the session has one of its own is part of what a glance is.
    pub(crate) session_rate: &'a Rate,
    pub(crate) account: &'a Account,
    /// The firm; for another look at those checks that read it, a clearing member that is another.
    pub(crate) firm: &'a Firm,
    pub(crate) limits: &'a AccountLimits,
    pub(crate) instrument: &'a Instrument,
    pub(crate) instrument_limits: &'a InstrumentLimits,
    pub(crate) table: &'a LimitTable,
    pub(crate) instrument_id: InstrumentId,
    pub(crate) orders: &'a Orders,
    pub(crate) venue: &'a Venue,
    pub(crate) now_ns: u64,

    pub(crate) side: Side,
    pub(crate) qty: i64,
    /// Limit; a market order's protection price.
    pub(crate) price: i64,
    /// Quanta of the whole order.
    pub(crate) notional: i64,
    pub(crate) reference: &'a Reference,
    /// Whether the instrument's own reference is.
    pub(crate) fresh: bool,

    /// Identical orders in a row, this one included.
    pub(crate) repeated: i64,
    /// Lots of the account as the order's side sees them, if this order and all others of the side filled.
    pub(crate) would_be: i64,
    /// Nanoseconds of the window that the account's volume takes with the order.
    pub(crate) volume_taken_ns: u64,
    /// Whether the account's worth is known to suffice, and each reference it depends on to be there
    /// and fresh; or the order reduces, and is judged without.
    pub(crate) proved: bool,
}

impl Glance<'_> {
    /// Whether every scope's state is Active, and the journal up.
    #[inline(always)]
    pub(crate) fn is_active(&self) -> bool {
        let strictest = self.venue.at_a_glance() as u8
            | self.firm.state as u8
            | self.account.state as u8
            | self.instrument.state as u8
            | self.session.state as u8;
        strictest == TradingState::Active as u8 && self.session.entry_enabled
    }

    /// Open interest of all accounts on the order's side.
    #[inline(always)]
    pub(crate) const fn interest_total(&self) -> i64 {
        match self.side {
            Side::Buy => self.instrument.long_would_be,
            Side::Sell => self.instrument.short_would_be,
        }
    }

    /// Whether the firm's accounts may only leave the instrument. Looked up apart: few firms restrict any.
    #[inline(always)]
    pub(crate) fn is_restricted(&self) -> bool {
        let limits = &self.firm.limits;
        if !limits.restricts {
            return false;
        }
        cold_path();
        (self.table).set_has_apart(limits.restricted_set, self.instrument_id)
    }

    /// Whether a set of the table holds the order's instrument.
    #[inline(always)]
    pub(crate) fn holds(&self, set: u32) -> bool {
        self.table.set_has(set, self.instrument_id)
    }
}

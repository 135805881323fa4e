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
use crate::sessions::Session;
use crate::volume_window::Spike;
use portcullis_domain::{InstrumentId, Side, TradingState};

/// An order at a glance.
pub(crate) struct Glance<'a> {
    pub(crate) session: &'a Session,
    /// That the session has one of its own is part of what a glance is.
    pub(crate) session_rate: &'a Rate,
    pub(crate) account: &'a Account,
    pub(crate) firm: &'a Firm,
    /// The clearing member; the firm itself where it clears for itself.
    pub(crate) member: &'a Firm,
    pub(crate) limits: &'a AccountLimits,
    pub(crate) instrument: &'a Instrument,
    pub(crate) instrument_limits: &'a InstrumentLimits,
    pub(crate) table: &'a LimitTable,
    pub(crate) instrument_id: InstrumentId,
    /// [`crate::venue::Venue::at_a_glance`].
    pub(crate) venue_state: TradingState,
    pub(crate) now_ns: u64,

    pub(crate) side: Side,
    pub(crate) qty: i64,
    /// Limit; a market order's protection price.
    pub(crate) price: i64,
    /// Quanta of the whole order.
    pub(crate) notional: i64,
    pub(crate) reference: Reference,
    /// Whether the instrument's own reference is.
    pub(crate) fresh: bool,

    pub(crate) order_slot: bool,
    /// Identical orders in a row, this one included.
    pub(crate) repeated: i64,
    /// Net position as the order's side sees it, and lots on hold of that side.
    pub(crate) toward: i64,
    pub(crate) stands: i64,
    /// Open interest of that side: the account's without and with the order, and the venue's.
    pub(crate) interest_was: i64,
    pub(crate) interest_would: i64,
    pub(crate) interest_total: i64,
    /// Nanoseconds of the window that the account's volume takes with the order.
    pub(crate) volume_taken_ns: u64,
    pub(crate) spike: Spike,
    /// Whether the account's worth is known to suffice, and each reference it depends on to be there
    /// and fresh.
    pub(crate) proved: bool,
}

impl Glance<'_> {
    /// Whether every scope's state is Active, and the journal up.
    #[inline(always)]
    pub(crate) fn is_active(&self) -> bool {
        let strictest = self.venue_state as u8
            | self.firm.state as u8
            | self.member.state as u8
            | self.account.state as u8
            | self.instrument.state as u8;
        strictest == TradingState::Active as u8 && self.session.is_active()
    }

    /// Whether a set of the table holds the order's instrument.
    #[inline(always)]
    pub(crate) fn holds(&self, set: u32) -> bool {
        self.table.set_has(set, self.instrument_id)
    }
}

//! Limits as configured, before they are a table.
//!
//! Owned by whoever loads them, on the control thread. Holds anything that can be written down: what a table must be is
//! asked when one is built of it.

extern crate alloc;

mod words;

pub(super) use words::cell_word;

use super::account::AccountCells;
use super::firm::FirmCells;
use super::instrument::{InstrumentCells, Tiers, WireUnits};
use super::session::SessionCells;
use alloc::vec::Vec;
use portcullis_domain::{FirmId, InstrumentId};

/// The most rows that a spec may keep free. A spec asks for them in one number: without a bound, one
/// wrong digit in a file would ask for more memory than there is.
pub const ROWS_SPARE_MAX: u32 = 1 << 18;

/// An instrument's limits as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentSpec {
    /// Its cells.
    pub cells: InstrumentCells,
    /// Initial margin.
    pub initial: Tiers,
    /// Maintenance margin; nowhere above initial.
    pub maintenance: Tiers,
    /// How the client's protocol counts it.
    pub wire: WireUnits,
}

/// One row of account limits: a class, or an account's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSpec {
    /// Its cells.
    pub cells: AccountCells,
    /// Which of the spec's instrument sets it may trade.
    pub permission_set: u32,
}

/// One account: the row that holds its limits, and its firm. An index without a row is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountSpec {
    /// Index into the rows; `None` where the account does not exist.
    pub row: Option<u32>,
    /// Its firm.
    pub firm: FirmId,
}

/// One firm or clearing member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmSpec {
    /// Its cells.
    pub cells: FirmCells,
    /// The member that clears for it; `None` where it is one itself.
    pub clearing_member: Option<FirmId>,
    /// Which of the spec's instrument sets its accounts may only leave.
    pub restricted_set: u32,
}

/// One client session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSpec {
    /// Its cells.
    pub cells: SessionCells,
}

/// All limits of the venue, as configured.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LimitSpec {
    /// By [`InstrumentId`].
    pub instruments: Vec<InstrumentSpec>,
    /// Sets of instruments, named by rows and firms.
    pub instrument_sets: Vec<Vec<InstrumentId>>,
    /// Account limits, shared or not.
    pub rows: Vec<RowSpec>,
    /// Rows kept free for accounts that get cells of their own by command; at most
    /// [`ROWS_SPARE_MAX`].
    pub rows_spare: u32,
    /// By [`AccountId`](portcullis_domain::AccountId).
    pub accounts: Vec<AccountSpec>,
    /// By [`FirmId`].
    pub firms: Vec<FirmSpec>,
    /// By [`SessionId`](portcullis_domain::SessionId).
    pub sessions: Vec<SessionSpec>,
}

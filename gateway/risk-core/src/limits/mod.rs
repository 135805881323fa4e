//! Limits: cells as configured, tables as loaded, and what the order path reads of them.
//!
//! A table is built and validated on the control thread, is immutable from then on but for single
//! cells that change by command, and is owned by the risk core's thread once a command has flipped
//! to it. Invariants: what loads cannot overflow the ledger, and lets some reducing order pass.

pub mod account;
mod field;
pub mod firm;
pub mod instrument;
pub mod session;
mod spec;
mod table;

pub use field::{Cell, CellFault, FieldDescriptor, Tight, Unit};
pub use spec::{
    AccountSpec, FirmSpec, InstrumentSpec, LimitSpec, ROWS_SPARE_MAX, RowSpec, SessionSpec,
};
pub use table::{LimitTable, LoadError, LoadFault};

/// A GCRA: one event each `emission_ns`, `tolerance_ns` ahead of schedule at the most.
///
/// Source: ITU-T I.371, the virtual scheduling form of the generic cell rate algorithm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// T of RULES: ceil(interval / count).
    pub(crate) emission_ns: u64,
    /// tau of RULES: (burst - 1) x T.
    pub(crate) tolerance_ns: u64,
}

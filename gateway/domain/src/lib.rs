//! The words of Portcullis: identifiers, quantities with units, commands, reject codes, the record.
//!
//! Owned by no thread: everything here is a plain value. Invariants: no clock, no allocation, no
//! floating point, no dependency but `bytemuck`; every conversion that can fail says so in its
//! type. This crate must never decide anything about an order: that is the risk core's affair.
#![no_std]

#[cfg(test)]
extern crate std;

mod command;
mod digest;
mod hash_seed;
mod id;
mod money;
mod order;
mod record;
mod reject;
mod time;
mod trading_state;
mod venue_report;

pub use command::{
    AccountMove, CashMove, Command, CommandKind, DecodeError, DisputeDecision, FlipLimits,
    LimitCellChange, MassCancel, NewOrder, PositionMove, ReferencePrice, ReportDetail,
    SessionEvent, SessionEventKind, Settlement, StateChange,
};
pub use digest::{Block, Digest};
pub use hash_seed::HashSeed;
pub use id::{AccountId, FirmId, InstrumentId, OrderId, OrderKey, Seq, SessionId, UserRef};
pub use money::{Money, Notional, Ppm, Price, Qty, TickLotValue, quanta};
pub use order::{CancelRequest, QtyMeaning, ReplaceRequest, Side, TimeInForce, Units};
pub use record::{Head, RAW_BYTES_MAX, RECORD_BYTES_MAX, Record, UNIT_BYTES, Unit};
pub use reject::{CheckMask, RejectCode};
pub use time::{Duration, Timestamp};
pub use trading_state::{Scope, TradingState};
pub use venue_report::{ReportKind, VenueReport};

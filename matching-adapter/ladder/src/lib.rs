//! A small in-process matching engine: several instruments, price-time priority, one thread.
//!
//! Owned by whichever thread holds the [`Ladder`]; nothing in it is shared. It exists so that the
//! whole venue runs on one machine with no set-up, and so that other engines have a plain one to be
//! compared with.
//!
//! Invariants:
//! - Deterministic: equal configurations and equal commands give equal reports. No clock, no
//!   randomness, no hash-map order, no float.
//! - No allocation after construction. Every capacity stands in [`LadderConfig`]; what happens when
//!   one is used up is stated there, has a name, and is never a panic.
//! - No book is ever crossed, a maker never trades at another price than its own, and nobody trades
//!   through his limit.
//! - Resumable: [`Ladder::poll`] emits no more reports than it is allowed and goes on where it
//!   stopped. How a run is cut into polls does not change the reports.
//!
//! What it must never do: judge risk, know accounts, or answer differently to its own snapshot.
//!
//! # Semantics
//! - **Names.** An order is named by session and [`UserRef`](portcullis_domain::UserRef). A new order
//!   or replace whose number names a live order is ignored and counted, as OUCH does with a resend.
//!   A number that names no live order any more is free again: to remember used numbers is the
//!   gateway's part.
//! - **Reference number.** Each order gets a number that grows with time priority. A replace that
//!   loses priority gets a new one, a replace that keeps it keeps it.
//! - **Market-to-limit.** A market order takes, at its arrival, the best opposite price as its limit,
//!   and is that limit order from then on: it trades at that one price (nothing better exists), and
//!   the rest stays on the book there, or is cancelled if immediate-or-cancel. With nothing on the
//!   opposite side it is rejected ([`RejectReason::NoOppositePrice`]).
//! - **Minimum quantity** belongs to immediate-or-cancel orders alone: if at least that much can trade
//!   at once it trades as any other, else all of it is cancelled. With the minimum equal to the
//!   quantity this is fill-or-kill.
//! - **Replace.** Dead original or used new number: ignored, counted. Live original and invalid new
//!   detail: the original is cancelled. No room for its price level: refused, original untouched.
//!   A total at or below what has been executed: the original is cancelled. Same price and not more
//!   open lots, staying on the book: keeps its place. All else: goes to the end of the queue, and
//!   trades first if it crosses. A total counts executed lots and not cancelled ones.
//! - **Cancel** of what is not live, or down to more than is open: ignored, counted.
//! - **Order of reports.** Commands are worked off in the order of submission, each to its end. The
//!   acceptance (or the replace) comes first, then for each trade the taker's report and the maker's,
//!   then the cancel of an immediate-or-cancel rest. A mass cancel goes session by session, within a
//!   session by age.
//! - **Self-trade**: fills on both sides like any other.
//! - **Busted trade**: both sides are told; no order comes back to life and no counter goes down.

mod audit;
mod bitmap;
mod book;
mod command;
mod config;
mod counters;
mod key_table;
mod ladder;
mod levels;
mod orders;
mod price_tree;
mod report;
mod snapshot;
mod trades;

pub use audit::AuditFault;
pub use command::{Cancel, Command, Instruction, MassCancel, NewOrder, Replace};
pub use config::{ConfigError, Fees, InstrumentConfig, LadderConfig};
pub use counters::{Counters, InstrumentCounters};
pub use ladder::{Busy, DepthLevel, Ladder, OpenOrder};
pub use report::{CancelReason, Disposition, Liquidity, RejectReason, Report, ReportKind};
pub use snapshot::RestoreError;

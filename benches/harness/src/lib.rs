//! What every bench has in common: rows, histograms, pacing, canaries, and the facts of the machine.
//!
//! Owned by no thread; a bench uses it from its measuring thread. Invariants: a figure is a whole
//! number of its unit, and no sum or ratio is formed with floats; a row says its floor, its bar and
//! whether it holds, or that it has none; nothing here allocates between two readings of a clock.
//! It must never know what is measured.

mod apart;
mod canary;
mod exit;
mod folder;
mod histogram;
mod kinds;
mod machine;
mod memory;
mod options;
mod pace;
mod page;
mod pairs;
mod place;
mod reads;
mod report;
mod rounds;
mod row;

pub use apart::PEERS_BARS;
pub use canary::{clock_step_ns, hop_ns};
pub use exit::exit_code;
pub use folder::folder;
pub use histogram::{Histograms, Latency};
pub use kinds::{REASON_PERMILLE, rarest_permille};
pub use machine::Machine;
pub use memory::{available_bytes, resident_bytes};
pub use options::Options;
pub use pace::Pace;
pub use page::page;
pub use pairs::{Pair, Pairs};
pub use place::{PlaceError, pin, with_core, with_every_core};
pub use reads::Lines;
pub use report::Report;
pub use rounds::{Rounds, Spread};
pub use row::{Bar, Row, Unit};

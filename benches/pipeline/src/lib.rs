//! What the benches `ring`, `pipeline`, `reload` and `journal` have in common: the real agents on one core,
//! generator and collector on the other, and the load between them.
//!
//! Used from a bench's measuring thread. Invariants: a run whose orders were not each answered once
//! has no figures; the pipeline that decides nothing is given the same records and yields items of
//! the same size. It must never hold a rule of its own about orders: those are the risk core's.

pub mod counts;
pub mod crowd;
pub mod hop;
pub mod limits;
pub mod market;
mod mixed;
pub mod mixture;
pub mod outcome;
pub mod pause;
pub mod pipeline;
mod places;
mod plain;
mod prices;
pub mod rig;
pub mod setting;
pub mod single;
pub mod traffic;
pub mod turns;
pub mod two_hops;
pub mod undecided;
pub mod wait;
pub mod watch;

//! What the benches of the risk core share: the market they trade in, its load, its refusals, its floor.
//!
//! One thread each. Invariants: virtual time and seeds alone, so that a run is the same commands
//! every time; what was sent is counted apart from what the core says it did. Nothing here reads a
//! clock.

pub mod floor;
pub mod kind;
pub mod limits;
pub mod lives;
pub mod load;
pub mod market;
pub mod measured;
pub mod mixed;
pub mod near;

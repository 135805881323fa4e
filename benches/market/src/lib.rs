//! What the markets of the benches have in common: limits, orders that fail each check and how often each was
//! evaluated, orders near a limit, and seeded random numbers.
//!
//! Owned by nobody. Invariants: the same arguments give the same limits and the same numbers, so that a
//! bench is given the same load every time; no floats. It must never know what is measured.

pub mod case;
mod evaluations;
mod ground;
pub mod limits;
pub mod near;
mod planned;
mod random;
pub mod shipped;

pub use evaluations::evaluations;
pub use ground::Ground;
pub use planned::Planned;
pub use random::Random;

/// Where every price begins.
pub const PRICE_START: i64 = 10_000;
/// Prices stay this near to where they began.
pub const PRICE_SPAN: i64 = 1_000;

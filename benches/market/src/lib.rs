//! What the markets of the benches have in common: their limits, and seeded random numbers.
//!
//! Owned by nobody. Invariants: the same arguments give the same limits and the same numbers, so that a
//! bench is given the same load every time; no floats. It must never know what is measured.

pub mod limits;
mod random;

pub use random::Random;

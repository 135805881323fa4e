//! Venues that misbehave, for tests: hostile ones by the seed, planted ones exactly once.
//!
//! Each wraps another venue and is owned by one thread. [`HostileVenue`] delays, splits, drops,
//! doubles, reorders, refuses, disconnects and lies; [`Planted`] makes one named defect that the
//! figures of a run must show. [`Outside`] keeps any of them alive while gateways die in front of it, and
//! [`OutsideLink`] is such a gateway's way to it.
//!
//! Invariants: the same seed, orders and polls give the same misbehaviour; each kind of it is
//! counted; buffers are bounded and what does not fit is given back; reports of one session keep
//! their order, as they do on any engine's sequenced stream. It must never stand in front of real
//! orders.

mod hostility;
mod known_orders;
mod lies;
mod link;
mod outside;
mod planted;
mod random;
mod venue;

pub use hostility::{Hostility, Lie, Misdeeds};
pub use outside::{Outside, OutsideLink};
pub use planted::{Plant, Planted};
pub use venue::HostileVenue;

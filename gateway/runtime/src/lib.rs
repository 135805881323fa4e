//! What agents run on: rings, idle strategies, a clock, pinning, a stop flag.
//!
//! Invariants: rings are bounded and never block; time comes from one [`Clock`] and is read once a
//! duty cycle; an agent is the same in every topology, only its runner differs. This crate must
//! never know what a record means.

mod affinity;
mod agent;
mod clock;
mod huge_pages;
mod idle;
mod prefetch;
mod ring;
mod stop;

pub use affinity::{PinError, pin_to_core};
pub use agent::{Agent, run, run_behind};
pub use clock::{Clock, ManualClock, SystemClock};
pub use huge_pages::HugePages;
pub use idle::IdleStrategy;
pub use prefetch::prefetch;
pub use ring::{RecordConsumer, RecordProducer, RingConsumer, RingProducer, record_ring, ring};
pub use stop::{Seat, StopFlag};

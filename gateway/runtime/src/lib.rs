//! What agents run on: rings, idle strategies, a clock, pinning, a stop flag, what is measured of them.
//!
//! Invariants: rings are bounded and never block; a thread's time comes from one [`Clock`], read once
//! a duty cycle and after each turn that did work; an agent is the same in every topology, only its runner differs. This crate must
//! never know what a record means.

mod affinity;
mod agent;
mod bus_error;
mod clock;
mod congestion_control;
mod counter;
mod crowd;
mod cycle;
mod duty;
mod histogram;
mod huge_pages;
mod idle;
mod lasting;
mod mapped_file;
mod memory_lock;
mod message_ring;
mod prefetch;
mod ring;
mod socket;
mod stop;
mod tsc_clock;

pub use affinity::{PinError, pin_to_core};
pub use agent::{Agent, run, run_behind};
pub use clock::{Clock, ManualClock, SystemClock};
pub use congestion_control::set_congestion_control;
pub use counter::{CounterReader, CounterWriter};
pub use crowd::{Crowd, FEW};
pub use duty::{DutyReader, DutyWriter, Stall};
pub use histogram::{Counts, HistogramReader, HistogramWriter};
pub use huge_pages::HugePages;
pub use idle::IdleStrategy;
pub use lasting::{LASTING_CALLS, Lasting};
pub use mapped_file::{MappedFile, PagesLost};
pub use memory_lock::{MemoryLockError, lock_memory};
pub use message_ring::{Lead, MessageConsumer, MessageProducer, message_ring};
pub use prefetch::prefetch;
pub use ring::{RecordConsumer, RecordProducer, RingConsumer, RingProducer, record_ring, ring};
pub use socket::{receive, send};
pub use stop::{Seat, StopFlag};
pub use tsc_clock::TscClock;

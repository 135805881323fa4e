//! A deterministic simulator of the whole gateway.
//!
//! It steps the product's own agents on virtual time from one seed, between clients whose lines fail,
//! an engine that is hostile, and people on duty who interfere; then turns every fault off and waits
//! until all is at rest; and holds what came of it against an auditor that predicts each verdict. One
//! thread a run. Invariant: the same plan gives the same run, to the byte.

mod audit;
mod campaign;
mod client;
mod clock;
mod desk;
mod gateway;
mod market;
mod model;
mod plan;
mod random;
mod run;
mod shrink;
mod venue;
mod violation;
mod world;

pub use campaign::{Broken, Campaign, Findings};
pub use plan::{Fault, Faults, Plan, Plant};
pub use run::{Figures, Run, quiet_panics, run, trace};
pub use shrink::{Shrunk, shrink};
pub use violation::{Rule, Violation};

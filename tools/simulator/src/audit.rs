//! The auditor: what must be so of a run, worked out without the gateway.
//!
//! After a run, on its log, its engine's notes and what its clients were told. Invariant: a prediction
//! uses the log and the naive model of RULES alone; the core's word is what it is held against.

mod books;
mod effects;
mod verdicts;

use crate::violation::Violation;
use crate::world::World;

/// What an audit looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Audited {
    /// Orders and replaces whose verdict was predicted.
    pub(crate) judged: u64,
    /// Those that passed.
    pub(crate) accepted: u64,
}

/// Audits a world that has come to rest.
pub(crate) fn audit(world: &World) -> Result<Audited, Violation> {
    let audited = verdicts::audit(world)?;
    books::audit(world)?;
    Ok(audited)
}

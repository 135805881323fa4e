//! Random numbers: one stream for each concern of a run.
//!
//! Owned by whoever draws. Invariant: a seed and a concern name a stream for ever, so that a run
//! without one kind of fault draws the same numbers for all else: what makes shrinking work.

pub(crate) use crate::model::prng::Prng;

/// What numbers are drawn for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Concern {
    /// Sizes and kinds of faults.
    Plan,
    /// Limits and first prices.
    Market,
    /// Which agent is stepped next, and how far time moves.
    Steps,
    /// Whether and when the clock jumps.
    Clock,
    /// What the people on duty do.
    Desk,
    /// What the engine's side does.
    Venue,
    /// How durable the journal is, and what its disk does.
    Disk,
    /// When the gateway dies.
    Crashes,
    /// What a client wants.
    Script(u32),
    /// How a client's line behaves.
    Line(u32),
}

/// The stream of a seed for a concern.
pub(crate) fn stream(seed: u64, concern: Concern) -> Prng {
    let word = match concern {
        Concern::Plan => 1,
        Concern::Market => 2,
        Concern::Steps => 3,
        Concern::Clock => 4,
        Concern::Desk => 5,
        Concern::Venue => 6,
        Concern::Disk => 7,
        Concern::Crashes => 8,
        Concern::Script(client) => 0x100 + u64::from(client),
        Concern::Line(client) => 0x200 + u64::from(client),
    };
    let mut mixed = Prng::new(seed ^ word.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    Prng::new(mixed.bits())
}

//! What a seed stands for: how large a world, for how long, and what may go wrong in it.
//!
//! Owned by no thread: plain values. Invariant: a plan is the whole input of a run: the same plan gives
//! the same run to the byte. Fewer steps, clients or kinds of faults make a smaller plan of the same
//! seed.

use crate::random::{Concern, stream};
use core::fmt;

/// Something that may go wrong, or at least differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// A client's connection is cut at any byte, either way.
    Cuts,
    /// A client gives a connection up without the gateway being told.
    HalfOpen,
    /// Clients that do not read for a while, over short buffers.
    SlowReaders,
    /// Reads and writes of a few bytes.
    Pieces,
    /// Clients that forget what they were told, and ask for it again.
    Forgetting,
    /// An engine that is late, refuses, splits, gives back and breaks its links.
    HostileVenue,
    /// An engine that says what cannot be true.
    Lies,
    /// A clock that jumps, forth and back.
    ClockJumps,
    /// People on duty who kill, halt, flip limits and withdraw.
    Desk,
    /// Agents stepped in any order, some seldom.
    AnyOrder,
    /// The gateway's process dies, in the middle of a write too, and is started again.
    Restarts,
    /// Its machine loses power: of what was not synced blocks and names are lost.
    PowerCuts,
    /// A disk that is full, read-only, stalled or broken for a while.
    DiskTrouble,
    /// Snapshots are made while the gateway runs, and it goes on from the newest.
    Snapshots,
    /// The engine is the gateway's own: it dies with it.
    InsideEngine,
}

impl Fault {
    /// Each of them.
    pub const ALL: [Self; 15] = [
        Self::Cuts,
        Self::HalfOpen,
        Self::SlowReaders,
        Self::Pieces,
        Self::Forgetting,
        Self::HostileVenue,
        Self::Lies,
        Self::ClockJumps,
        Self::Desk,
        Self::AnyOrder,
        Self::Restarts,
        Self::PowerCuts,
        Self::DiskTrouble,
        Self::Snapshots,
        Self::InsideEngine,
    ];

    /// As it is written on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cuts => "cuts",
            Self::HalfOpen => "half-open",
            Self::SlowReaders => "slow-readers",
            Self::Pieces => "pieces",
            Self::Forgetting => "forgetting",
            Self::HostileVenue => "hostile-venue",
            Self::Lies => "lies",
            Self::ClockJumps => "clock-jumps",
            Self::Desk => "desk",
            Self::AnyOrder => "any-order",
            Self::Restarts => "restarts",
            Self::PowerCuts => "power-cuts",
            Self::DiskTrouble => "disk-trouble",
            Self::Snapshots => "snapshots",
            Self::InsideEngine => "inside-engine",
        }
    }
}

/// A set of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Faults(u32);

impl Faults {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// Whether this kind is among them.
    #[must_use]
    pub const fn has(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u32) != 0
    }

    /// This kind too.
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | 1 << fault as u32)
    }

    /// All but this kind.
    #[must_use]
    pub const fn without(self, fault: Fault) -> Self {
        Self(self.0 & !(1 << fault as u32))
    }

    /// Those that are in.
    pub fn kinds(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.into_iter().filter(move |fault| self.has(*fault))
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.kinds().map(Fault::name).collect();
        if names.is_empty() {
            return f.write_str("none");
        }
        f.write_str(&names.join(","))
    }
}

/// A defect put in on purpose, to show that a run would find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// The engine's word of a fill reaches the core twice: its hold is released twice.
    HoldReleasedTwice,
    /// Orders go to the engine before their records are kept.
    SentEarly,
    /// A number is left out when a gateway goes on from its journal.
    SeqGap,
    /// A gateway that goes on takes the clients' streams of an older snapshot.
    StaleSnapshot,
    /// The engine's word of a cancel never reaches the core.
    MissedReport,
}

impl Plant {
    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::HoldReleasedTwice,
        Self::SentEarly,
        Self::SeqGap,
        Self::StaleSnapshot,
        Self::MissedReport,
    ];
}

/// The input of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Names every random stream of the run.
    pub seed: u64,
    /// Turns of the safety phase.
    pub turns: u32,
    /// Clients, a session each.
    pub clients: u32,
    /// What may go wrong.
    pub faults: Faults,
    /// What was put in on purpose.
    pub plant: Option<Plant>,
}

impl Plan {
    /// Most clients of a run.
    pub const CLIENTS_MAX: u32 = 4;

    /// The whole plan of a seed. Each kind of fault is in most of the runs and out of some, so that
    /// none hides another.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut prng = stream(seed, Concern::Plan);
        let turns = prng.between(60, 400) as u32;
        let clients = prng.between(1, Self::CLIENTS_MAX.into()) as u32;
        let mut faults = Faults::NONE;
        for fault in Fault::ALL {
            // An engine inside is spared all hostility.
            let is_in = match fault {
                Fault::InsideEngine => prng.one_in(4),
                Fault::Cuts
                | Fault::HalfOpen
                | Fault::SlowReaders
                | Fault::Pieces
                | Fault::Forgetting
                | Fault::HostileVenue
                | Fault::Lies
                | Fault::ClockJumps
                | Fault::Desk
                | Fault::AnyOrder
                | Fault::Restarts
                | Fault::PowerCuts
                | Fault::DiskTrouble
                | Fault::Snapshots => !prng.one_in(4),
            };
            if is_in {
                faults = faults.with(fault);
            }
        }
        Self {
            seed,
            turns,
            clients,
            faults,
            plant: None,
        }
    }

    /// The plan of a seed with a defect in it, among the faults that it takes to show: a gateway that
    /// dies, an engine that lives on.
    #[must_use]
    pub fn planted(seed: u64, plant: Plant) -> Self {
        let whole = Self::of(seed);
        let faults = whole.faults.without(Fault::InsideEngine);
        Self {
            faults: faults.with(Fault::Restarts).without(Fault::Lies),
            plant: Some(plant),
            ..whole
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}, {} turns, {} clients, faults {}",
            self.seed, self.turns, self.clients, self.faults
        )
    }
}

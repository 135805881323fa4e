//! The crates of the house and the arrows between them, as one table.
//!
//! `tidy` holds the table against `cargo metadata`; `docs` prints it. An arrow is a direct
//! dependency, normal or build, and every arrow that exists is written here: leave is not
//! inherited through a crate in between.

/// What a crate may take from outside the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    /// These crates alone.
    Only(&'static [&'static str]),
    /// What it needs, but nothing of [`OFF_THE_DATA_PLANE`], at any depth.
    DataPlane,
    /// What it needs.
    Anything,
}

/// Who may depend on a crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Whoever has the arrow; in tests, anybody.
    Library,
    /// Whoever has the arrow, and nobody else, not even in tests.
    Top,
}

/// One crate of the house.
#[derive(Clone, Copy, Debug)]
pub(crate) struct House {
    /// Package name.
    pub(crate) name: &'static str,
    /// Folder, from the root.
    pub(crate) folder: &'static str,
    /// What it is, in one line.
    pub(crate) holds: &'static str,
    /// Members it may use.
    pub(crate) may_use: &'static [&'static str],
    /// What it may take from outside.
    pub(crate) outside: Outside,
    /// Who may depend on it.
    pub(crate) reach: Reach,
}

/// Crates that no data-plane crate may link, at any depth.
pub(crate) const OFF_THE_DATA_PLANE: &[&str] = &[
    "async-std",
    "axum",
    "clap",
    "hyper",
    "serde",
    "serde_core",
    "serde_json",
    "tokio",
    "toml",
];

/// Words that say nothing about what a crate holds.
pub(crate) const NAMES_THAT_SAY_NOTHING: &[&str] = &["common", "helpers", "shared", "utils"];

const DOMAIN: &str = "portcullis-domain";
const RISK_CORE: &str = "portcullis-risk-core";
const WIRE: &str = "portcullis-wire";
const RUNTIME: &str = "portcullis-runtime";
const TRANSPORT: &str = "portcullis-transport";
const PIPELINE: &str = "portcullis-pipeline";
const JOURNAL: &str = "portcullis-journal";
const CONTROL: &str = "portcullis-control";
const VENUE: &str = "portcullis-venue";
const LADDER: &str = "portcullis-ladder";
const EMBEDDED: &str = "portcullis-venue-embedded";
const OUCH: &str = "portcullis-venue-ouch";
const SIM: &str = "portcullis-venue-sim";
const FLOW: &str = "portcullis-flow";
const BENCH_HARNESS: &str = "portcullis-bench-harness";
const BENCH_MARKET: &str = "portcullis-bench-market";

/// Every member of the workspace, lowest first.
pub(crate) const HOUSE: &[House] = &[
    House {
        name: DOMAIN,
        folder: "gateway/domain",
        holds: "ids, units, commands, effects, reject codes, the record. `no_std`, no `alloc`",
        may_use: &[],
        outside: Outside::Only(&["bytemuck"]),
        reach: Reach::Library,
    },
    House {
        name: RISK_CORE,
        folder: "gateway/risk-core",
        holds: "the state machine that decides. `no_std`, `alloc` in constructors alone",
        may_use: &[DOMAIN],
        outside: Outside::Only(&["bytemuck"]),
        reach: Reach::Library,
    },
    House {
        name: WIRE,
        folder: "gateway/wire",
        holds: "codecs and session machines without I/O. `no_std`",
        may_use: &[DOMAIN],
        outside: Outside::Only(&["bytemuck"]),
        reach: Reach::Library,
    },
    House {
        name: RUNTIME,
        folder: "gateway/runtime",
        holds: "rings, agents, idle strategies, clock, counters, pinning. May hold `unsafe`",
        may_use: &[DOMAIN],
        outside: Outside::DataPlane,
        reach: Reach::Library,
    },
    House {
        name: JOURNAL,
        folder: "gateway/journal",
        holds: "the command log on disk and its replay",
        may_use: &[DOMAIN],
        outside: Outside::DataPlane,
        reach: Reach::Library,
    },
    House {
        name: VENUE,
        folder: "matching-adapter/api",
        holds: "what a venue takes and yields",
        may_use: &[DOMAIN, RISK_CORE],
        outside: Outside::DataPlane,
        reach: Reach::Library,
    },
    House {
        name: LADDER,
        folder: "matching-adapter/ladder",
        holds: "a price-time book that knows nothing of risk, so that its figures are its own",
        may_use: &[DOMAIN],
        outside: Outside::DataPlane,
        reach: Reach::Library,
    },
    House {
        name: EMBEDDED,
        folder: "matching-adapter/embedded",
        holds: "the ladder as a venue",
        may_use: &[VENUE, LADDER, DOMAIN],
        outside: Outside::DataPlane,
        reach: Reach::Library,
    },
    House {
        name: OUCH,
        folder: "matching-adapter/ouch",
        holds: "an external engine over OUCH 5.0 and SoupBinTCP as a venue",
        may_use: &[VENUE, WIRE, RUNTIME, DOMAIN],
        outside: Outside::DataPlane,
        reach: Reach::Library,
    },
    House {
        name: SIM,
        folder: "matching-adapter/sim",
        holds: "a seeded, hostile venue for tests",
        may_use: &[VENUE, DOMAIN],
        outside: Outside::DataPlane,
        reach: Reach::Library,
    },
    House {
        name: PIPELINE,
        folder: "gateway/pipeline",
        holds: "the agents, generic over transport, clock, log and venue",
        may_use: &[RISK_CORE, WIRE, RUNTIME, JOURNAL, VENUE, DOMAIN],
        outside: Outside::DataPlane,
        reach: Reach::Library,
    },
    House {
        name: TRANSPORT,
        folder: "gateway/transport",
        holds: "sockets. May hold `unsafe`",
        may_use: &[RUNTIME, PIPELINE, DOMAIN],
        outside: Outside::DataPlane,
        reach: Reach::Library,
    },
    House {
        name: CONTROL,
        folder: "gateway/control",
        holds: "config, credentials, the words of `ctl`. Off the data plane",
        may_use: &[RISK_CORE, RUNTIME, DOMAIN],
        outside: Outside::Anything,
        reach: Reach::Library,
    },
    House {
        name: FLOW,
        folder: "tools/flow",
        holds: "order flow through real sockets, judged by the bytes that come back",
        may_use: &[WIRE, DOMAIN],
        outside: Outside::Anything,
        reach: Reach::Top,
    },
    House {
        name: "portcullis-simulator",
        folder: "tools/simulator",
        holds: "the agents on virtual time from a seed, with faults, and an auditor",
        may_use: &[
            DOMAIN, RISK_CORE, WIRE, RUNTIME, JOURNAL, PIPELINE, TRANSPORT, VENUE, LADDER,
            EMBEDDED, SIM,
        ],
        outside: Outside::Anything,
        reach: Reach::Top,
    },
    House {
        name: "portcullis-engine",
        folder: "tools/engine",
        holds: "an OUCH engine as a process of its own, which outlives the gateways of crash and failover tests",
        may_use: &[LADDER, WIRE, DOMAIN],
        outside: Outside::Anything,
        reach: Reach::Top,
    },
    House {
        name: "portcullis",
        folder: "gateway/server",
        holds: "the binary: parse, allocate, pin, wire, run",
        may_use: &[
            DOMAIN, RISK_CORE, WIRE, RUNTIME, JOURNAL, VENUE, LADDER, EMBEDDED, OUCH, SIM,
            PIPELINE, TRANSPORT, CONTROL, FLOW,
        ],
        outside: Outside::Anything,
        reach: Reach::Top,
    },
    House {
        name: "xtask",
        folder: "tools/xtask",
        holds: "the chores: tidy, docs, tests, vectors, interop, fuzzing, benches, the binary to ship, reloads under flow, hostile crowds, crashes, failovers",
        may_use: &[
            RISK_CORE,
            DOMAIN,
            WIRE,
            JOURNAL,
            CONTROL,
            PIPELINE,
            FLOW,
            BENCH_HARNESS,
        ],
        outside: Outside::Anything,
        reach: Reach::Top,
    },
    House {
        name: BENCH_HARNESS,
        folder: "benches/harness",
        holds: "rows, histograms, pacing, canaries and machine facts of every bench",
        may_use: &[],
        outside: Outside::Anything,
        reach: Reach::Library,
    },
    House {
        name: BENCH_MARKET,
        folder: "benches/market",
        holds: "limits of the benches' markets, orders that fail each check or come near a limit, random numbers",
        may_use: &[RISK_CORE, DOMAIN],
        outside: Outside::Only(&[]),
        reach: Reach::Library,
    },
    House {
        name: "portcullis-bench-wire",
        folder: "benches/wire",
        holds: "what the gateway adds to an order's way over TCP, beside a relay and proxies",
        may_use: &[BENCH_HARNESS, WIRE, RISK_CORE, CONTROL],
        outside: Outside::Anything,
        reach: Reach::Top,
    },
    House {
        name: "portcullis-bench-pipeline",
        folder: "benches/pipeline",
        holds: "a hop, an order's way through the agents, its tail while limits change, and what a journal costs",
        may_use: &[
            BENCH_HARNESS,
            BENCH_MARKET,
            RISK_CORE,
            PIPELINE,
            RUNTIME,
            JOURNAL,
            WIRE,
            VENUE,
            EMBEDDED,
            OUCH,
            DOMAIN,
        ],
        outside: Outside::Anything,
        reach: Reach::Top,
    },
    House {
        name: "portcullis-bench-kernel",
        folder: "benches/kernel",
        holds: "what the risk core costs alone: orders, refusals, price moves, memory, instructions",
        may_use: &[BENCH_HARNESS, BENCH_MARKET, RISK_CORE, RUNTIME, DOMAIN],
        outside: Outside::Anything,
        reach: Reach::Top,
    },
];

/// The row of a member, by package name.
pub(crate) fn member(name: &str) -> Option<&'static House> {
    HOUSE.iter().find(|row| row.name == name)
}

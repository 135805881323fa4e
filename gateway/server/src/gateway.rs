//! A gateway put together: rings, agents, threads.
//!
//! Start-up and shut-down alone; no decision that a test would want. Everything is allocated here,
//! before the first byte is read.

mod assemble;
mod credentials;
mod doors;
mod external;
mod latency;
mod names;
mod origin;
mod recovery;
mod resend;
mod room;
mod snapshots;
mod tables;
mod terms;
mod threads;
mod venue_kind;
mod venues;
mod wiring;

pub(crate) use assemble::{Gateway, Options, Readers, StartError};
pub(crate) use doors::Doors;
pub(crate) use names::{
    FILE as NAMES_FILE, check as check_names, keep as keep_names, kept as kept_names,
};
pub(crate) use origin::{RULES, build, hold_folder, new_number, policy};
pub(crate) use recovery::{
    FromJournal, Promoted, agree, keep_config_names, read_prelude, say, take_over,
};
pub(crate) use room::Room;
pub(crate) use snapshots::{Inherited, Progress, Snapshots, Written};
pub(crate) use tables::{DAY_NS, civil_day, egress_config, symbols};
pub(crate) use threads::{Finished, Left, idle};
pub(crate) use venue_kind::VenueKind;
pub(crate) use venues::venue;

//! From a journal to a gateway that goes on: what it was made from, the newest snapshot, the records behind it.
//!
//! Whoever follows or recovers a journal, off the path of orders. Invariants: what is rebuilt is checked
//! against every digest that the journal notes; a table that a flip names is looked for in the journal's
//! folder; nothing is sent, and nothing is written but snapshots.

mod prelude;
mod rebuild;
mod snapshot;

pub use prelude::Prelude;
pub use rebuild::{Follower, Ground, Rebuilt, RecoveryError, Step, rebuild};
pub(crate) use snapshot::saved_streams;
pub use snapshot::{SnapshotMade, load_core, make_snapshot, save_snapshot};

use portcullis_domain::{Command, TradingState};
use portcullis_risk_core::RiskCore;

/// What the end of the former gateway means, to be sequenced before all else: its clients' connections are
/// gone and so are its links to the engine; its journal can be written again; and until the engine has spoken
/// and prices are there, nothing but cancels passes.
pub(crate) fn first_commands(core: &RiskCore) -> Vec<Command> {
    let mut first = vec![Command::Restart {
        state: TradingState::CancelOnly,
    }];
    if !core.journal_up() {
        first.push(Command::JournalLink { up: true });
    }
    first.extend(core.sessions_lost().map(Command::Session));
    let links = core.links_up();
    first.extend(links.map(|session| Command::VenueLink { session, up: false }));
    first
}

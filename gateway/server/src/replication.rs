//! What stands between a gateway and its standby: the leader's thread, and what both sides share.
//!
//! Off the data plane: nothing here is waited for but by what the policy of durability makes wait.

mod fence;
mod lookup;
mod objects;
mod server;
mod serving;
mod wire;

pub(crate) use fence::FenceTeller;
pub(crate) use objects::{bytes_digest, names_file, object_file, read_whole};
pub(crate) use server::{Led, ReplicationServer};
pub(crate) use wire::{flush, receive};

use crate::gateway::new_number;
use portcullis_control::config::ReplicationProfile;
use portcullis_journal::replication::ProcessNumber;
use std::sync::OnceLock;

/// Payload bytes under way on one connection: several of the longest frames, so that one always fits.
pub(crate) const WINDOW_BYTES: u64 = 8 << 20;

/// The exit code of a gateway that was succeeded.
pub(crate) const FENCED: i32 = 1;

/// What a person is told of silence.
pub(crate) fn silence_ms(profile: &ReplicationProfile) -> u64 {
    profile.silence_max.ns() / 1_000_000
}

/// This process, to the other side and to itself.
pub(crate) fn process_number() -> ProcessNumber {
    static NUMBER: OnceLock<ProcessNumber> = OnceLock::new();
    *NUMBER.get_or_init(|| ProcessNumber::new(new_number() as u32))
}

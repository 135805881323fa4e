//! File descriptors: whether the system allows as many as a gateway will hold.
//!
//! Control thread, at start. A gateway that runs out of them turns clients away in the middle of a
//! day; it is better told before it takes the first one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;

/// Descriptors that a process has open beside its sockets: log, poller, control socket, feed.
const BESIDE_SOCKETS: u64 = 64;

/// Descriptors that so many client connections and links to an engine take.
#[must_use]
pub const fn descriptors_wanted(connections_max: usize, links: usize) -> u64 {
    // The two halves of a connection are two descriptors.
    2 * connections_max as u64 + links as u64 + BESIDE_SOCKETS
}

/// Makes sure that the process may hold `wanted` descriptors, raising its own limit as far as the
/// system lets it.
///
/// # Errors
/// It lets it not so far: how far, and what to do.
pub fn allow_descriptors(wanted: u64) -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    // No limit is none to be in the way.
    let allows = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    if allows(limit.current) {
        return Ok(());
    }
    if allows(limit.maximum) {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        };
        return Ok(setrlimit(Resource::Nofile, raised)?);
    }
    let most = limit.maximum.unwrap_or(u64::MAX);
    let what = format!(
        "{wanted} file descriptors are wanted and the system allows {most}: lower connections_max, \
         or raise the hard limit (`ulimit -Hn`, LimitNOFILE in a systemd unit)"
    );
    Err(io::Error::other(what))
}

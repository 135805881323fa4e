//! File descriptors: whether the system allows as many as a round holds open.
//!
//! At start, before any child, which has the same limit then: nginx with one process raises none of its own.

use crate::{SESSIONS_MANY, WAYS};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open beside the sockets of many sessions: those of one, logs, listeners.
const BESIDE: u64 = 256;

/// Each way's sessions have a socket at either end, and those of the relay, which is in this process, two between.
const WANTED: u64 = (2 * WAYS.len() as u64 + 2) * SESSIONS_MANY as u64 + BESIDE;

/// Raises this process's own limit as far as is needed and allowed.
pub(crate) fn allow() -> Result<(), String> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= WANTED) {
        return Ok(());
    }
    if let Some(most) = maximum.filter(|most| *most < WANTED) {
        return Err(format!(
            "{WANTED} file descriptors are wanted and the system allows {most}: raise the hard limit (`ulimit -Hn`)"
        ));
    }
    let raised = Rlimit {
        current: Some(WANTED),
        maximum,
    };
    setrlimit(Resource::Nofile, raised).map_err(|error| format!("file descriptors: {error}"))
}

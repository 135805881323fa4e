//! Faults that stop a drive.
//!
//! **Thread.** Plain values.
//! **Invariants.** The text says what is wrong, where, and what to do.
//! **Never.** A refusal of an order: that is an answer and stands in the report.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a drive cannot start or go on.
#[derive(Debug)]
pub enum FlowError {
    /// A field of the configuration cannot be used.
    Config {
        /// The field, for example `sessions[3].user`.
        field: String,
        /// What is wrong and what to write instead.
        what: String,
    },
    /// The gateway cannot be reached.
    Connect {
        /// Index of the session.
        session: usize,
        /// What the system said.
        source: io::Error,
    },
    /// A login was refused or not answered.
    Login {
        /// Index of the session.
        session: usize,
        /// The user.
        user: String,
        /// Why.
        what: String,
    },
    /// The file cannot be read as market-by-order records.
    File {
        /// The file.
        path: PathBuf,
        /// Records that were read before.
        record: u64,
        /// What is wrong.
        what: String,
    },
    /// Waiting for the sockets failed.
    Poll(io::Error),
    /// Every session is lost; the first one's reason.
    AllSessionsLost(String),
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlowError::Config { field, what } => write!(f, "{field}: {what}"),
            FlowError::Connect { session, source } => write!(
                f,
                "session {session} cannot connect: {source}; is the gateway running there?"
            ),
            FlowError::Login {
                session,
                user,
                what,
            } => write!(f, "session {session}, user {user}: {what}"),
            FlowError::File { path, record, what } => {
                write!(f, "{} after record {record}: {what}", path.display())
            }
            FlowError::Poll(source) => write!(f, "waiting for the sockets failed: {source}"),
            FlowError::AllSessionsLost(why) => write!(
                f,
                "every session is lost, the first one because {why}; see the gateway's log"
            ),
        }
    }
}

impl std::error::Error for FlowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FlowError::Connect { source, .. } | FlowError::Poll(source) => Some(source),
            FlowError::Config { .. }
            | FlowError::Login { .. }
            | FlowError::File { .. }
            | FlowError::AllSessionsLost(_) => None,
        }
    }
}

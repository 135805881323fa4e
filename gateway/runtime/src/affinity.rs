//! Pinning a thread to a core.
//!
//! Called by the thread itself, once, at its start. Never fails a run: where it cannot be done the
//! caller says so and goes on, slower.

use core::fmt;

/// Why a thread is not pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinError {
    /// The machine does not say which cores it has.
    CoresUnknown,
    /// There is no such core.
    NoSuchCore {
        /// The core asked for.
        asked: usize,
        /// How many this process may use.
        usable: usize,
    },
    /// The system refused.
    Refused {
        /// The core asked for.
        asked: usize,
    },
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CoresUnknown => f.write_str("the system does not tell its cores; not pinned"),
            Self::NoSuchCore { asked, usable } => write!(
                f,
                "core {asked} is not among the {usable} that this process may use; not pinned"
            ),
            Self::Refused { asked } => write!(f, "the system refused core {asked}; not pinned"),
        }
    }
}

impl std::error::Error for PinError {}

/// Pins the calling thread to the core with this index among those the process may use.
///
/// # Errors
/// Where there is no such core, or the system refuses; the thread then runs unpinned.
pub fn pin_to_core(index: usize) -> Result<(), PinError> {
    let cores = core_affinity::get_core_ids().ok_or(PinError::CoresUnknown)?;
    let usable = cores.len();
    let core = cores.get(index).ok_or(PinError::NoSuchCore {
        asked: index,
        usable,
    })?;
    if core_affinity::set_for_current(*core) {
        return Ok(());
    }
    Err(PinError::Refused { asked: index })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_is_not_there_is_named() {
        let error = pin_to_core(usize::MAX).expect_err("no machine has that many");
        assert!(matches!(
            error,
            PinError::NoSuchCore { .. } | PinError::CoresUnknown
        ));
    }
}

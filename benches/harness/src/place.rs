//! Which core a thread of a bench runs on.
//!
//! Called by the thread itself. Invariant: a thread that could not be pinned says so; a figure of
//! unpinned threads is not taken for one of pinned ones.

use core::fmt;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::sync::OnceLock;

/// A thread could not be pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceError {
    /// The core asked for, by index among those the process may use.
    pub core: usize,
    /// How many there are.
    pub usable: usize,
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "core {} of the {} that this process may use cannot be had; free a core for it",
            self.core, self.usable
        )
    }
}

impl std::error::Error for PlaceError {}

/// The cores that this process might use when it began to pin.
static USABLE: OnceLock<CpuSet> = OnceLock::new();

fn usable() -> CpuSet {
    *USABLE.get_or_init(|| sched_getaffinity(None).unwrap_or_default())
}

/// Pins the calling thread to the core with this index among those the process might use at first.
///
/// # Errors
/// There is no such core, or the system refuses.
pub fn pin(core: usize) -> Result<(), PlaceError> {
    let all = usable();
    let error = PlaceError {
        core,
        usable: all.count() as usize,
    };
    let number = (0..CpuSet::MAX_CPU)
        .filter(|&number| all.is_set(number))
        .nth(core);
    let mut one = CpuSet::new();
    one.set(number.ok_or(error)?);
    sched_setaffinity(None, &one).map_err(|_| error)
}

/// Does something on a thread of its own that may use every core. A process started there inherits
/// that, wherever the caller is pinned.
///
/// # Panics
/// If `work` does.
pub fn with_every_core<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let all = usable();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // Where the system refuses, the work is pinned as its caller is.
            let _ = sched_setaffinity(None, &all);
            work()
        });
        thread
            .join()
            .expect("the work on an unpinned thread ended well")
    })
}

/// Does something on a thread that is pinned to a core and ends with it. A process started there
/// stays on that core, since it inherits the place of the thread.
///
/// # Errors
/// As [`pin`].
///
/// # Panics
/// If `work` does.
pub fn with_core<T: Send>(core: usize, work: impl FnOnce() -> T + Send) -> Result<T, PlaceError> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| pin(core).map(|()| work()));
        thread
            .join()
            .expect("the work on a pinned thread ended well")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> u32 {
        sched_getaffinity(None).map_or(0, |cores| cores.count())
    }

    #[test]
    fn a_pinned_thread_sees_one_core_and_what_it_frees_sees_all() {
        assert!(pin(usize::MAX).is_err());
        let all = seen();
        assert_eq!(with_core(0, seen), Ok(1));
        assert_eq!(with_core(0, || with_every_core(seen)), Ok(all));
    }
}

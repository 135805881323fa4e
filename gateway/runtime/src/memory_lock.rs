//! Memory locked and touched: no page of the process is fetched, or taken away, on the path.
//!
//! Control thread, once all is allocated. Invariant: where the system does not allow it, the process
//! is as it was, and whoever started it is told what to raise.

use rustix::mm::{MlockAllFlags, mlockall, munlockall};
use rustix::process::{Resource, getrlimit};
use std::fmt;
use std::io;

/// Memory is not locked: why, and what to do.
#[derive(Debug)]
pub struct MemoryLockError {
    error: io::Error,
    /// The limit in bytes, where there is one.
    limit_bytes: Option<u64>,
    /// The process's size in bytes, where the system says it.
    size_bytes: Option<u64>,
}

/// Locks all memory that the process has, and so touches it: pages that were never written are made
/// now. Where there is no limit, what it will ask for later is locked too, each page once it is written: a
/// table that a reload brings is advised to stand on huge pages before its first page is made. Where there is
/// a limit, later allocations are not made to fail by it.
///
/// # Errors
/// The system does not allow it.
pub fn lock_memory() -> Result<(), MemoryLockError> {
    let limit_bytes = getrlimit(Resource::Memlock).current;
    lock(limit_bytes.is_none()).map_err(|error| MemoryLockError {
        error: error.into(),
        limit_bytes,
        size_bytes: size_bytes(),
    })
}

fn lock(and_later: bool) -> rustix::io::Result<()> {
    mlockall(MlockAllFlags::CURRENT)?;
    if !and_later {
        return Ok(());
    }
    mlockall(MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).inspect_err(|_| {
        // A system that is too old for this: what is said of the process is to be true of all of it.
        let _ = munlockall();
    })
}

fn size_bytes() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = pages.split(' ').next()?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

const MIB: u64 = 1 << 20;

impl fmt::Display for MemoryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory is not locked ({})", self.error)?;
        let (Some(limit), Some(size)) = (self.limit_bytes, self.size_bytes) else {
            return Ok(());
        };
        write!(
            f,
            ": the process has {} MiB and may lock {} MiB. Raise the limit (`ulimit -l unlimited`, \
             LimitMEMLOCK=infinity in a systemd unit, memlock in /etc/security/limits.conf), or \
             give it CAP_IPC_LOCK",
            size.div_ceil(MIB),
            limit / MIB
        )
    }
}

impl std::error::Error for MemoryLockError {}

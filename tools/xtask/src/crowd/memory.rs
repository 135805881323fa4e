//! The memory of a process, as Linux tells it in /proc.

use std::fs;
use std::path::PathBuf;

use crate::verb::Fault;

/// What a process holds at a moment, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// In memory now.
    pub(super) resident: u64,
    /// The most that was.
    pub(super) resident_max: u64,
    /// Asked of the system for data and stacks, touched or not.
    pub(super) data: u64,
}

impl Memory {
    /// Of the process with this id.
    pub(super) fn of(process: u32) -> Result<Self, Fault> {
        let path = PathBuf::from(format!("/proc/{process}/status"));
        let status = fs::read_to_string(&path);
        let status = status.map_err(|error| Fault::of(path.display(), error))?;
        Self::read(&status)
            .ok_or_else(|| Fault::of(path.display(), "it does not say what it should"))
    }

    fn read(status: &str) -> Option<Self> {
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: u64 = line.strip_suffix(" kB")?.trim().parse().ok()?;
            Some(kib << 10)
        };
        Some(Self {
            resident: bytes("VmRSS:")?,
            resident_max: bytes("VmHWM:")?,
            data: bytes("VmData:")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_found_and_a_missing_one_is_a_fault() {
        let status = "Name:\tx\nVmHWM:\t    9 kB\nVmRSS:\t    5 kB\nVmData:\t   12 kB\n";
        let memory = Memory::read(status).unwrap();
        assert_eq!((memory.resident, memory.resident_max), (5 << 10, 9 << 10));
        assert_eq!(memory.data, 12 << 10);
        assert_eq!(Memory::read("VmRSS:\t    5 kB\n"), None);
        assert!(Memory::of(std::process::id()).unwrap().resident > 0);
    }
}

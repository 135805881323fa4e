//! A folder in memory that fails as disks do: for tests and for a simulator.
//!
//! Any thread. Deterministic: the same calls, faults and random words give the same bytes. What a crash may do: of what
//! was written since a file's last sync, each block of 512 bytes has any of the states it went through; of the names
//! given since the folder's last sync, the last few are undone. Handles from before a crash are of no more use.

use crate::storage::{Listed, Storage, StorageFile};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a disk writes at once or not at all.
const BLOCK_BYTES: usize = 512;

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// No space.
    Full,
    /// The file system has become read-only.
    ReadOnly,
    /// The device says no.
    Device,
    /// The disk takes nothing now.
    Stalled,
}

impl WriteFault {
    fn error(self) -> io::Error {
        let kind = match self {
            Self::Full => io::ErrorKind::StorageFull,
            Self::ReadOnly => io::ErrorKind::ReadOnlyFilesystem,
            Self::Device => io::ErrorKind::Other,
            Self::Stalled => io::ErrorKind::WouldBlock,
        };
        io::Error::new(kind, "the disk in memory was told to fail")
    }
}

/// A fault at one operation.
#[derive(Clone, Copy, Debug)]
struct Planned {
    operation: u64,
    fault: WriteFault,
    /// Bytes of the write that are done before it fails.
    done_bytes: usize,
    /// Every later operation fails as well: the machine stops.
    stops: bool,
}

#[derive(Clone, Debug, Default)]
struct Cell {
    now: Vec<u8>,
    synced: Vec<u8>,
    /// Writes since the last sync, each within a block.
    unsynced: Vec<(usize, Vec<u8>)>,
}

impl Cell {
    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.now.len() < end {
            self.now.resize(end, 0);
        }
        self.now[offset..end].copy_from_slice(bytes);
        let mut at = offset;
        while at < end {
            let next = (at / BLOCK_BYTES + 1) * BLOCK_BYTES;
            let piece = &bytes[at - offset..next.min(end) - offset];
            self.unsynced.push((at, piece.to_vec()));
            at = next;
        }
    }

    fn sync(&mut self) {
        for (at, piece) in self.unsynced.drain(..) {
            keep(&mut self.synced, at, &piece);
        }
    }

    fn crash(&mut self, random: &mut dyn FnMut() -> u64) {
        let mut blocks: BTreeMap<usize, Vec<(usize, Vec<u8>)>> = BTreeMap::new();
        for (at, piece) in self.unsynced.drain(..) {
            blocks
                .entry(at / BLOCK_BYTES)
                .or_default()
                .push((at, piece));
        }
        for pieces in blocks.into_values() {
            let kept = random() % (pieces.len() as u64 + 1);
            for (at, piece) in pieces.into_iter().take(kept as usize) {
                keep(&mut self.synced, at, &piece);
            }
        }
        self.now = self.synced.clone();
    }
}

fn keep(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if bytes.len() < at + piece.len() {
        bytes.resize(at + piece.len(), 0);
    }
    bytes[at..at + piece.len()].copy_from_slice(piece);
}

type Names = BTreeMap<String, usize>;

#[derive(Debug, Default)]
struct State {
    cells: Vec<Cell>,
    names: Names,
    /// The names as they were after each change since the folder's last sync; the first is what that sync kept.
    history: Vec<Names>,
    quota_bytes: Option<u64>,
    fault: Option<WriteFault>,
    planned: Vec<Planned>,
    stopped: bool,
    operations: u64,
    /// Crashes so far: handles of an earlier time are dead.
    age: u64,
    locked: bool,
    now_ns: u64,
}

impl State {
    /// Counts an operation; how many bytes of it are done, and how it fails.
    fn operate(&mut self, bytes: usize) -> (usize, io::Result<()>) {
        let operation = self.operations;
        self.operations += 1;
        if self.stopped {
            return (0, Err(io::Error::other("the machine has stopped")));
        }
        if let Some(at) = self
            .planned
            .iter()
            .position(|plan| plan.operation == operation)
        {
            let plan = self.planned.swap_remove(at);
            self.stopped = plan.stops;
            return (plan.done_bytes.min(bytes), Err(plan.fault.error()));
        }
        match self.fault {
            Some(fault) => (0, Err(fault.error())),
            None => (bytes, Ok(())),
        }
    }

    fn used_bytes(&self) -> u64 {
        self.names
            .values()
            .map(|id| self.cells[*id].now.len() as u64)
            .sum()
    }

    fn rename_done(&mut self) {
        self.history.push(self.names.clone());
    }

    fn cell(&mut self, file: &MemoryFile) -> io::Result<&mut Cell> {
        if file.age != self.age {
            return Err(io::Error::other(
                "this file was open before the machine stopped",
            ));
        }
        Ok(&mut self.cells[file.id])
    }
}

/// A folder in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

impl MemoryDisk {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let disk = Self::default();
        disk.state().history.push(Names::new());
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere leaves plain data behind.
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// From now on every operation that changes something fails like this; or none does.
    pub fn fail(&self, fault: Option<WriteFault>) {
        self.state().fault = fault;
    }

    /// The files together are to have so many bytes at the most.
    pub fn set_quota(&self, bytes: Option<u64>) {
        self.state().quota_bytes = bytes;
    }

    /// The operation with this number fails, after `done_bytes` of it if it is a write.
    pub fn fail_at(&self, operation: u64, fault: WriteFault, done_bytes: usize) {
        self.state().planned.push(Planned {
            operation,
            fault,
            done_bytes,
            stops: false,
        });
    }

    /// The machine stops in the operation with this number, after `done_bytes` of it if it is a write: it and all later
    /// ones fail until [`MemoryDisk::crash`].
    pub fn stop_at(&self, operation: u64, done_bytes: usize) {
        let fault = WriteFault::Device;
        self.state().planned.push(Planned {
            operation,
            fault,
            done_bytes,
            stops: true,
        });
    }

    /// Operations that change something, so far: create, write, sync, rename, remove.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// What files written from now on say of when they were.
    pub fn set_now_ns(&self, now_ns: u64) {
        self.state().now_ns = now_ns;
    }

    /// The machine loses its power and starts again. `random` gives words: which blocks and names are lost is theirs
    /// to say.
    pub fn crash(&self, random: &mut dyn FnMut() -> u64) {
        let mut state = self.state();
        let kept = (random() % state.history.len() as u64) as usize;
        state.names = state.history[kept].clone();
        state.history = vec![state.names.clone()];
        for cell in &mut state.cells {
            cell.crash(random);
        }
        state.planned.clear();
        state.fault = None;
        state.stopped = false;
        state.locked = false;
        state.age += 1;
    }

    /// The process ends and starts again: what was written is there, synced or not.
    pub fn restart(&self) {
        let mut state = self.state();
        state.planned.clear();
        state.stopped = false;
        state.locked = false;
        state.age += 1;
    }

    /// A file's bytes; `None` if there is none.
    #[must_use]
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(name).map(|id| state.cells[*id].now.clone())
    }

    /// Gives a file these bytes, synced, its name too: what somebody else did to the folder.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let id = state.cells.len();
        state.cells.push(Cell {
            now: bytes.to_vec(),
            synced: bytes.to_vec(),
            unsynced: Vec::new(),
        });
        state.names.insert(name.to_owned(), id);
        state.history = vec![state.names.clone()];
    }

    /// A copy that goes its own way.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        {
            let (state, mut other) = (self.state(), copy.state());
            other.cells.clone_from(&state.cells);
            other.names.clone_from(&state.names);
            other.history.clone_from(&state.history);
        }
        copy
    }
}

/// Holds a folder in memory until dropped.
#[derive(Debug)]
pub struct MemoryLock {
    state: Arc<Mutex<State>>,
    age: u64,
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if state.age == self.age {
            state.locked = false;
        }
    }
}

impl Storage for MemoryDisk {
    type File = MemoryFile;
    type Lock = MemoryLock;

    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn create(&self, name: &str) -> io::Result<MemoryFile> {
        let mut state = self.state();
        state.operate(0).1?;
        let id = state.cells.len();
        state.cells.push(Cell::default());
        state.names.insert(name.to_owned(), id);
        state.rename_done();
        Ok(MemoryFile {
            state: Arc::clone(&self.state),
            id,
            age: state.age,
        })
    }

    fn open(&self, name: &str) -> io::Result<MemoryFile> {
        let state = self.state();
        let id = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(MemoryFile {
            state: Arc::clone(&self.state),
            id,
            age: state.age,
        })
    }

    fn list(&self) -> io::Result<Vec<Listed>> {
        let state = self.state();
        let modified_ns = Some(state.now_ns);
        let listed = |(name, id): (&String, &usize)| Listed {
            name: name.clone(),
            bytes: state.cells[*id].now.len() as u64,
            modified_ns,
        };
        Ok(state.names.iter().map(listed).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.operate(0).1?;
        state.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        state.rename_done();
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.operate(0).1?;
        let id = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), id);
        state.rename_done();
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.state();
        state.operate(0).1?;
        state.history = vec![state.names.clone()];
        Ok(())
    }

    fn lock(&self) -> io::Result<MemoryLock> {
        let mut state = self.state();
        if std::mem::replace(&mut state.locked, true) {
            return Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                "another writer holds this folder",
            ));
        }
        Ok(MemoryLock {
            state: Arc::clone(&self.state),
            age: state.age,
        })
    }
}

/// An open file in memory.
#[derive(Debug)]
pub struct MemoryFile {
    state: Arc<Mutex<State>>,
    id: usize,
    age: u64,
}

impl MemoryFile {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl StorageFile for MemoryFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state();
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let end = offset + bytes.len();
        let growth = end.saturating_sub(state.cell(self)?.now.len()) as u64;
        let quota = state.quota_bytes.unwrap_or(u64::MAX);
        if growth > 0 && state.used_bytes().saturating_add(growth) > quota {
            state.operations += 1;
            return Err(WriteFault::Full.error());
        }
        let (done, result) = state.operate(bytes.len());
        state.cell(self)?.write(&bytes[..done], offset);
        result
    }

    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state();
        let bytes = &state.cell(self)?.now;
        let from = usize::try_from(offset).map_or(bytes.len(), |at| at.min(bytes.len()));
        let count = room.len().min(bytes.len() - from);
        room[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.operate(0).1?;
        state.cell(self)?.sync();
        Ok(())
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.state().cell(self)?.now.len() as u64)
    }
}

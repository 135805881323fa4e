//! Pages of a mapped file that the file system cannot give: memory takes their place, and the write is told.
//!
//! A store into a mapping cannot return an error; the kernel sends SIGBUS instead (the disk is full or broken, the file
//! was cut), which ends a process that says nothing to it. Whoever stores into a range that is watched here is told by
//! [`Watch::is_lost`] instead. Process-wide: one handler, put in place with the first watch and left there; it runs on
//! the thread that stored. Invariants: only ranges that are watched are touched; what is sent for any other address goes
//! to whoever handled it before. The handler must never allocate, lock or touch the thread's errno.

use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use std::io;
use std::sync::OnceLock;

/// Ranges that are watched at a time, at the most.
const WATCHES: usize = 64;

static RANGES: [Range; WATCHES] = [const { Range::free() }; WATCHES];

/// Bytes of a page: asked for with the first watch, since a handler may ask the system for nothing that it does not
/// know yet.
static PAGE_BYTES: AtomicUsize = AtomicUsize::new(0);

/// What handled the signal before, if it could be asked.
static BEFORE: OnceLock<Option<libc::sigaction>> = OnceLock::new();

/// Addresses from `start` up to `end`; free where `end` is 0.
#[derive(Debug)]
struct Range {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    lost: AtomicBool,
}

impl Range {
    const fn free() -> Self {
        Self {
            taken: AtomicBool::new(false),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            lost: AtomicBool::new(false),
        }
    }

    fn holds(&self, address: usize) -> bool {
        address < self.end.load(Ordering::Acquire) && address >= self.start.load(Ordering::Relaxed)
    }
}

/// A range that is watched, until dropped.
#[derive(Debug)]
pub(crate) struct Watch(&'static Range);

impl Watch {
    /// Watches a mapping that was made with a file's own pages.
    ///
    /// # Errors
    /// If too many are watched, or the signal cannot be handled.
    pub(crate) fn begin(start: *mut u8, bytes: usize) -> io::Result<Self> {
        PAGE_BYTES.store(rustix::param::page_size(), Ordering::Relaxed);
        handle_signal()?;
        let free = RANGES
            .iter()
            .find(|range| !range.taken.swap(true, Ordering::AcqRel));
        let range =
            free.ok_or_else(|| io::Error::other("as many mappings as can be watched are watched"))?;
        range.lost.store(false, Ordering::Relaxed);
        range.start.store(start.addr(), Ordering::Relaxed);
        range.end.store(start.addr() + bytes, Ordering::Release);
        Ok(Self(range))
    }

    /// Whether a store into the range, by this thread, found no page of the file: its place is memory of nobody.
    pub(crate) fn is_lost(&self) -> bool {
        // The handler runs between two instructions of this thread; the compiler must keep the stores before.
        compiler_fence(Ordering::SeqCst);
        self.0.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.end.store(0, Ordering::Release);
        self.0.taken.store(false, Ordering::Release);
    }
}

#[expect(unsafe_code, reason = "the system call has no safe form")]
fn handle_signal() -> io::Result<()> {
    let before = BEFORE.get_or_init(|| {
        // SAFETY: all zeros is a value of the struct: no flags, the default action.
        let mut ours: libc::sigaction = unsafe { core::mem::zeroed() };
        let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_bus_error;
        ours.sa_sigaction = handler as *const () as usize;
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        // SAFETY: as above.
        let mut before: libc::sigaction = unsafe { core::mem::zeroed() };
        // SAFETY: both point to values that live through the call; the handler has the signature that SA_SIGINFO asks
        // for, and does nothing that a signal may not.
        let failed = unsafe { libc::sigaction(libc::SIGBUS, &raw const ours, &raw mut before) };
        (failed == 0).then_some(before)
    });
    let refused = || io::Error::other("SIGBUS cannot be handled");
    before.map(|_| ()).ok_or_else(refused)
}

#[expect(unsafe_code, reason = "what a signal says is behind a pointer")]
extern "C" fn on_bus_error(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel gives a valid siginfo to a handler with SA_SIGINFO.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    // Any other code is of memory that failed, under what was stored before perhaps, or of somebody who sent it: nobody
    // may go on as if a page had never been there.
    let of_page = code == libc::BUS_ADRERR;
    let range = RANGES.iter().find(|range| of_page && range.holds(address));
    match range {
        Some(range) if replace_page(range, address) => {}
        _ => hand_on(signal, info, context),
    }
}

#[expect(unsafe_code, reason = "the system call has no safe form")]
/// Puts memory in the place of the address's page: no more, since what locks memory makes all of it at once.
fn replace_page(range: &Range, address: usize) -> bool {
    let bytes = PAGE_BYTES.load(Ordering::Relaxed);
    let page = address & !(bytes - 1);
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    let flags = MapFlags::PRIVATE | MapFlags::FIXED;
    let at = ptr::with_exposed_provenance_mut::<c_void>(page);
    // SAFETY: the page is within a mapping whose owner is in the middle of a store into it, as the code says, and holds its
    // watch, so that it is nobody else's and stays mapped; whoever stores there reads nothing back.
    let replaced = unsafe { mmap_anonymous(at, bytes, protection, flags) }.is_ok();
    range.lost.store(replaced, Ordering::Relaxed);
    replaced
}

#[expect(unsafe_code, reason = "a handler is known by its address")]
/// Does with the signal what would have been done without this module.
fn hand_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let handled = BEFORE.get().copied().flatten().filter(|before| {
        before.sa_sigaction != libc::SIG_DFL && before.sa_sigaction != libc::SIG_IGN
    });
    let Some(before) = handled else {
        // SAFETY: all zeros is the default action, which ends the process when the instruction is tried again; `info` is the
        // kernel's.
        unsafe {
            let default: libc::sigaction = core::mem::zeroed();
            libc::sigaction(signal, &raw const default, ptr::null_mut());
            // One that somebody sent does not come again by itself.
            if (*info).si_code <= 0 {
                libc::raise(signal);
            }
        }
        return;
    };
    if before.sa_flags & libc::SA_SIGINFO == 0 {
        // SAFETY: without SA_SIGINFO what was registered is a function of the signal alone.
        let handler: extern "C" fn(c_int) = unsafe { core::mem::transmute(before.sa_sigaction) };
        return handler(signal);
    }
    // SAFETY: with SA_SIGINFO it is one of these three.
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
        unsafe { core::mem::transmute(before.sa_sigaction) };
    handler(signal, info, context);
}

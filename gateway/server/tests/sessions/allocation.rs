//! An allocator that counts what the agents ask for.
//!
//! One for the whole test binary; each test's thread counts its own, and only while [`counted`] is
//! running. It must never change what is allocated.
// An allocator can only be replaced by an unsafe trait. This one adds a count and passes each call
// on unchanged to the system's.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNTING: Cell<bool> = const { Cell::new(false) };
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that is ending has no counter any more, and is inside no agent.
    let counting = COUNTING.try_with(Cell::get).unwrap_or(false);
    if counting {
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    }
}

// SAFETY: each method hands its arguments to `System`, which keeps the contract of `GlobalAlloc`, and
// returns what that returns; counting touches constant-initialised thread-locals without a
// destructor, which does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` through this allocator, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as for `dealloc`; the caller's promise about `size` is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `work`; gives what it gave, and how often it asked for memory.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = CALLS.get();
    COUNTING.set(true);
    let given = work();
    COUNTING.set(false);
    (given, CALLS.get() - before)
}

#[test]
fn the_count_counts_inside_and_not_outside() {
    let ((), inside) = counted(|| drop(std::hint::black_box(Box::new(1))));
    assert_eq!(inside, 1);
    drop(std::hint::black_box(Box::new(2)));
    let ((), nothing) = counted(|| ());
    assert_eq!(nothing, 0);
}

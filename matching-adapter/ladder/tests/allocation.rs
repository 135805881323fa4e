//! From construction on, a busy ladder asks the allocator for nothing.
//!
//! Runs on the test's thread, which alone is counted. One test in a binary of its own, since the
//! allocator is the whole binary's.
// A global allocator cannot be written without `unsafe`; this one adds a count and passes each call
// on unchanged to the system's.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use portcullis_ladder::{Ladder, ReportKind};

#[path = "ladder/flow.rs"]
mod flow;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that is ending has no counter any more, and is not ours.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: each method hands its arguments to `System`, which keeps the contract of `GlobalAlloc`, and
// returns what that returns; counting touches a constant-initialised thread-local without a
// destructor, which does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
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

#[test]
fn nothing_is_allocated_after_construction() {
    let mut ladder = Ladder::new(flow::config()).expect("in range");
    let mut flow = flow::Flow::new(77);
    let (mut commands, mut executions, mut refusals, mut busy) = (0_u64, 0_u64, 0_u64, 0_u64);
    let built = CALLS.get();
    while commands < 200_000 {
        let command = flow.command();
        while ladder.submit(command).is_err() {
            busy += 1;
            let budget = flow.below(64) as usize;
            ladder.poll(budget, &mut |report| match report.kind {
                ReportKind::Executed { .. } => executions += 1,
                ReportKind::Rejected { .. } => refusals += 1,
                ReportKind::Accepted { .. }
                | ReportKind::Canceled { .. }
                | ReportKind::Replaced { .. }
                | ReportKind::ReplaceRejected { .. }
                | ReportKind::BrokenTrade { .. } => {}
            });
        }
        commands += 1;
        if commands % 1_000 == 0 {
            ladder.audit().expect("whole");
        }
    }
    assert_eq!(CALLS.get() - built, 0, "calls of the allocator");
    assert!(executions > 50_000 && refusals > 5_000 && busy > 1_000);
    // The count does count.
    drop(vec![executions]);
    assert_eq!(CALLS.get() - built, 2);
}

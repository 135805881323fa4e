//! An allocator that puts large blocks on huge pages.
//!
//! The process's allocator where a binary names it so. Tables of millions of entries are read at
//! random: on small pages each reading costs a walk of the page tables beside the line itself.
//! Invariants: a block is aligned as was asked, or more; what is freed is freed as it was allocated;
//! where the system has no huge pages to give, blocks are as they were. Must never be asked on the
//! path: nothing is, after start.

use core::alloc::{GlobalAlloc, Layout};
use std::alloc::System;

/// Bytes of a huge page, and of the smallest block that is put on some.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// The system's allocator, with large blocks on huge pages.
#[derive(Clone, Copy, Debug, Default)]
pub struct HugePages;

#[expect(unsafe_code, reason = "an allocator is unsafe by its trait")]
// SAFETY: every block comes from `System` with a layout that follows from the caller's alone, and is
// given back with the same one; `System` keeps the contract of the trait, and a larger alignment
// than was asked for is within it. The advice changes no contents.
unsafe impl GlobalAlloc for HugePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(huge) = huge(layout) else {
            // SAFETY: the caller's contract is `System`'s.
            return unsafe { System.alloc(layout) };
        };
        // SAFETY: the size is the caller's, and not zero: it is at least a huge page.
        let block = unsafe { System.alloc(huge) };
        advise(block, layout.size());
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if huge(layout).is_none() {
            // SAFETY: the caller's contract is `System`'s.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the caller's contract is that of `alloc`.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: the block has `layout.size()` bytes and is nobody else's. Writing them also
            // brings the pages in now and not at their first use.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block was allocated by `System` with this very layout: it follows from the
        // caller's, which is the one it was allocated with.
        unsafe { System.dealloc(block, huge(layout).unwrap_or(layout)) }
    }
}

/// The layout of a block that is put on huge pages; `None` for one that is not.
fn huge(layout: Layout) -> Option<Layout> {
    if layout.size() < HUGE_PAGE_BYTES {
        return None;
    }
    layout.align_to(HUGE_PAGE_BYTES).ok()
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system call has no safe form")]
fn advise(block: *mut u8, bytes: usize) {
    if block.is_null() {
        return;
    }
    // SAFETY: the range is a block just allocated, aligned to a page; advice about its pages changes
    // nothing that is in them. Where it is refused, nothing is lost but speed.
    let _ = unsafe { libc::madvise(block.cast(), bytes, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn advise(_block: *mut u8, _bytes: usize) {}

#[cfg(test)]
mod tests {
    #![expect(unsafe_code, reason = "an allocator is called by its trait's contract")]
    use super::*;

    #[test]
    fn large_blocks_are_aligned_zeroed_and_given_back() {
        let layout = Layout::from_size_align(3 * HUGE_PAGE_BYTES + 17, 64).expect("a layout");
        // SAFETY: the layout has bytes; the block is read within them and freed as it was made.
        unsafe {
            let block = HugePages.alloc_zeroed(layout);
            assert!(!block.is_null());
            assert_eq!(block as usize % HUGE_PAGE_BYTES, 0);
            assert_eq!((*block, *block.add(layout.size() - 1)), (0, 0));
            block.write_bytes(7, layout.size());
            let larger = HugePages.realloc(block, layout, 2 * layout.size());
            assert_eq!((*larger, *larger.add(layout.size() - 1)), (7, 7));
            let layout = Layout::from_size_align(2 * layout.size(), 64).expect("a layout");
            HugePages.dealloc(larger, layout);
        }
    }

    #[test]
    fn small_blocks_are_the_systems_own() {
        let layout = Layout::from_size_align(100, 8).expect("a layout");
        assert_eq!(huge(layout), None);
        // SAFETY: as above.
        unsafe {
            let block = HugePages.alloc_zeroed(layout);
            assert_eq!(*block.add(99), 0);
            HugePages.dealloc(block, layout);
        }
    }
}

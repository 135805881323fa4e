//! Fetching a cache line ahead of its use.
//!
//! Belongs to no thread. Invariant: nothing but time depends on it. Must never be given a reason to
//! read what it fetches.

/// Asks the processor to bring the line of `at` near. Does nothing where there is no such request.
#[inline(always)]
pub fn prefetch<T>(at: &T) {
    prefetch_at(at);
}

/// As [`prefetch`], of what may not be there: a ring's next lines, without a look at where they end.
#[inline(always)]
pub(crate) fn prefetch_at<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    #[expect(
        unsafe_code,
        reason = "the only way to ask for a line without reading it"
    )]
    // SAFETY: a prefetch reads nothing and faults on no address; the instruction is in the base set of
    // every x86-64.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(at.cast::<i8>());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

#[cfg(test)]
mod tests {
    use super::prefetch;

    #[test]
    fn what_is_fetched_stays_as_it_was() {
        let lines = vec![7_u64; 1_024];
        lines.iter().for_each(prefetch);
        prefetch(&());
        assert!(lines.iter().all(|word| *word == 7));
    }
}

//! Freeing what is large: tables and configs of a million accounts, which take milliseconds.
//!
//! A thread of its own each time. Must never be waited for.

use std::thread::Builder;

/// Frees it on a thread that nobody waits for; here, if there can be none.
pub(super) fn free_elsewhere(large: impl Send + 'static) {
    let freeing = Builder::new().name("freeing".to_owned());
    // A thread that does not start frees what it was given at once.
    drop(freeing.spawn(move || drop(large)));
}

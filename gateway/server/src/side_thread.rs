//! A thread beside the agents', which ends when whoever holds it lets go.
//!
//! Invariants: what is dropped has ended; a pause ends as soon as an end is wanted. Must never be one that an order
//! waits for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle, park_timeout};
use std::time::{Duration, Instant};

/// The thread, stopped and waited for when this is dropped.
pub(crate) struct SideThread {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

/// Whether the thread is to end.
#[derive(Clone, Debug)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl SideThread {
    /// Starts one, which looks at what it is given to see when to end.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(crate) fn start(name: &str, run: impl FnOnce(&Stop) + Send + 'static) -> io::Result<Self> {
        let stop = Stop(Arc::default());
        let seen = stop.clone();
        let thread = Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&seen))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for SideThread {
    fn drop(&mut self) {
        self.stop.0.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // What it was at is lost, and was needed by nobody.
            let _ = thread.join();
        }
    }
}

impl Stop {
    /// Whether it is to end.
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Waits, on the thread itself, unless and until it is to end.
    pub(crate) fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        while !self.is_wanted() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            park_timeout(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It would pause for longer than any test runs.
    #[test]
    fn a_pause_ends_with_the_thread() {
        let thread = SideThread::start("pauses", |stop| {
            stop.pause(Duration::from_secs(1 << 30));
            assert!(stop.is_wanted());
        });
        drop(thread.expect("a thread"));
    }
}

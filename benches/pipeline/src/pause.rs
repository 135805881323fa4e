//! A thread that sleeps until it is let on: in the first place of its cycle.
//!
//! One end with who measures, one with the thread. Invariant: who pauses is not woken before it is let
//! on. One that looks up now and then takes the core, each time, from whoever is measured there.

use portcullis_domain::Timestamp;
use portcullis_runtime::Agent;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Both ends of a pause.
#[derive(Clone, Debug)]
pub struct Pause(Arc<State>);

#[derive(Debug)]
struct State {
    paused: AtomicBool,
    asleep: Mutex<()>,
    changed: Condvar,
}

impl Pause {
    /// One that has begun.
    #[must_use]
    pub fn begun() -> Self {
        Self(Arc::new(State {
            paused: AtomicBool::new(true),
            asleep: Mutex::new(()),
            changed: Condvar::new(),
        }))
    }

    /// Begins or ends it.
    pub fn set(&self, paused: bool) {
        let asleep = self.0.asleep.lock();
        self.0.paused.store(paused, Ordering::Release);
        drop(asleep);
        self.0.changed.notify_all();
    }

    #[cold]
    fn sleep(&self) {
        // The lock holds nothing that a panic could leave half done.
        let mut asleep = (self.0.asleep.lock()).unwrap_or_else(PoisonError::into_inner);
        while self.0.paused.load(Ordering::Acquire) {
            let woken = self.0.changed.wait(asleep);
            asleep = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Agent for Pause {
    fn name(&self) -> &'static str {
        "pause"
    }

    fn do_work(&mut self, _now: Timestamp) -> usize {
        if self.0.paused.load(Ordering::Acquire) {
            self.sleep();
        }
        0
    }

    fn is_drained(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn who_pauses_goes_on_when_it_is_let_and_not_before() {
        let pause = Pause::begun();
        let mut paused = pause.clone();
        let woken = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&woken);
        let thread = std::thread::spawn(move || {
            assert_eq!(paused.do_work(Timestamp::ZERO), 0);
            told.store(true, Ordering::Release);
        });
        std::thread::sleep(Duration::from_millis(20));
        assert!(!woken.load(Ordering::Acquire), "it sleeps");
        pause.set(false);
        thread.join().expect("it goes on");
        assert!(woken.load(Ordering::Acquire));
    }
}

//! A pipeline, both sides of it: what one step of a bench does with it.
//!
//! On the measuring thread. Invariant: between two steps its threads sleep, so that pipelines can be
//! measured in turn on the same cores.

use crate::rig::{Outbound, Rig};
use crate::traffic::{Nothing, Schedule, Traffic};
use portcullis_bench_harness::Latency;
use portcullis_runtime::Agent;
use std::time::Duration;

/// Orders unanswered while the capacity is measured.
pub const WINDOW: u64 = 1_024;

/// Not measured at the beginning of each step.
const WARM: Duration = Duration::from_millis(10);

/// A pipeline, both sides of it.
#[derive(Debug)]
pub struct Pipeline<A, I> {
    /// The agents, where they have a thread of their own.
    pub rig: Option<Rig<A>>,
    /// What is sent and what comes.
    pub traffic: Traffic<I>,
}

impl<A: Agent + Send + 'static, I: Outbound> Pipeline<A, I> {
    fn pause(&self, paused: bool) {
        if let Some(rig) = &self.rig {
            rig.pause(paused);
        }
    }

    /// Something is done with it while it does not pause.
    ///
    /// # Errors
    /// What the work says.
    pub fn awake<T>(
        &mut self,
        work: impl FnOnce(&mut Traffic<I>) -> Result<T, String>,
    ) -> Result<T, String> {
        self.pause(false);
        let done = work(&mut self.traffic);
        self.pause(true);
        done
    }

    /// Answered orders a second, as many as are taken while [`WINDOW`] are unanswered.
    ///
    /// # Errors
    /// As [`Traffic::run`].
    pub fn capacity(&mut self, step: Duration) -> Result<u64, String> {
        self.awake(|traffic| {
            traffic.run(Schedule::Window(WINDOW), WARM, None, &mut Nothing)?;
            traffic.run(Schedule::Window(WINDOW), step, None, &mut Nothing)
        })
    }

    /// From planned time to answer.
    ///
    /// # Errors
    /// As [`Traffic::run`].
    pub fn latency(&mut self, schedule: Schedule, step: Duration) -> Result<Latency, String> {
        self.awake(|traffic| {
            let mut latency = Latency::new();
            traffic.run(schedule, WARM, None, &mut Nothing)?;
            traffic.run(schedule, step, Some(&mut latency), &mut Nothing)?;
            Ok(latency)
        })
    }

    /// Ends it; what its counts were, and who decided, where that was on a thread of its own.
    ///
    /// # Errors
    /// The counts do not agree, or something is left in it.
    pub fn finish(mut self) -> Result<(Traffic<I>, Option<A>), String> {
        self.pause(false);
        self.traffic.settle()?;
        self.traffic.check()?;
        let decided = self.rig.map(Rig::finish).transpose()?;
        Ok((self.traffic, decided))
    }
}

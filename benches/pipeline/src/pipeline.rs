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

/// How long a step of a bench is.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Not measured, at its beginning.
    pub warm: Duration,
    /// Measured.
    pub measured: Duration,
}

impl Span {
    /// A step that is measured for so long, with ten milliseconds before.
    #[must_use]
    pub const fn of(measured: Duration) -> Self {
        Self {
            warm: Duration::from_millis(10),
            measured,
        }
    }
}

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
        self.traffic.market.refresh();
        self.pause(false);
        let done = work(&mut self.traffic);
        self.pause(true);
        done
    }

    /// Answered orders a second, as many as are taken while [`WINDOW`] are unanswered.
    ///
    /// # Errors
    /// As [`Traffic::run`].
    pub fn capacity(&mut self, step: Span) -> Result<u64, String> {
        self.awake(|traffic| {
            traffic.run(Schedule::Window(WINDOW), step.warm, None, &mut Nothing)?;
            traffic.run(Schedule::Window(WINDOW), step.measured, None, &mut Nothing)
        })
    }

    /// From planned time to answer.
    ///
    /// # Errors
    /// As [`Traffic::run`].
    pub fn latency(&mut self, schedule: Schedule, step: Span) -> Result<Latency, String> {
        let mut latency = Latency::new();
        self.latency_into(&mut latency, schedule, step)?;
        Ok(latency)
    }

    /// The same into one that is there already, whose pages need not be had while it is measured.
    ///
    /// # Errors
    /// As [`Traffic::run`].
    pub fn latency_into(
        &mut self,
        latency: &mut Latency,
        schedule: Schedule,
        step: Span,
    ) -> Result<(), String> {
        self.awake(|traffic| {
            traffic.run(schedule, step.warm, None, &mut Nothing)?;
            traffic.run(schedule, step.measured, Some(latency), &mut Nothing)?;
            Ok(())
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

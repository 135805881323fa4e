//! How far the journal is durable, and the gate before everything that leaves.
//!
//! The log thread (and where a standby counts, the replication thread) writes, venue, egress and
//! control read, the sequencer says when the journal is in trouble. Invariants: a cursor never goes
//! back; nothing leaves before its record is as durable as the policy says, unless the journal is in
//! trouble and the core has been told, from when on it approves nothing that a crash could lose.

use crossbeam_utils::CachePadded;
use portcullis_domain::Seq;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// When a record is durable enough for what follows from it to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// At once: a crash loses what the log thread had not written.
    Memory,
    /// When the operating system has it: a crash of the process loses nothing.
    Journaled,
    /// When the disk has it: a crash of the machine loses nothing.
    Synced,
    /// When the operating system has it and a standby has it too.
    Replicated,
}

#[derive(Debug)]
struct Shared {
    policy: Durability,
    /// What holds in the place of [`Durability::Replicated`] until a standby has caught up.
    interim: Durability,
    /// A standby has caught up, once.
    in_step: AtomicBool,
    local: CachePadded<AtomicU64>,
    /// 0 until a standby was heard of in this life: what the log has, it may lack.
    standby: CachePadded<AtomicU64>,
    /// The last record that somebody waited for at a shut gate, where that decides when there is a sync.
    wanted: CachePadded<AtomicU64>,
    /// The log cannot be written now.
    failing: CachePadded<AtomicBool>,
    /// It can, but has room left for cancels alone.
    short: AtomicBool,
    /// Records do not become durable, and the core has been told, so that it approves nothing until that is over.
    degraded: AtomicBool,
}

/// The log thread's end.
#[derive(Debug)]
pub struct DurableWriter(Arc<Shared>);

/// The end of the thread that hears a standby.
#[derive(Debug)]
pub struct StandbyWriter(Arc<Shared>);

/// A standby that lacks no more records than these has caught up: they are on their way while the log goes on.
const IN_STEP_WITHIN: u64 = 4_096;

/// The gate of one thread.
#[derive(Clone, Debug)]
pub struct Gate {
    shared: Arc<Shared>,
    /// As far as was durable when last looked at.
    seen: u64,
    /// The last record that this gate has said it waits for.
    said: u64,
}

/// What a gateway goes on from, which nobody outside may hear of before it is as durable as anything new must be: its
/// log has it, and where a standby counts, that may lack it still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recalled(Option<u64>);

impl Recalled {
    /// Nothing: what begins anew has nothing to hold back.
    pub(crate) const NOTHING: Self = Self(None);

    /// All up to this record.
    pub(crate) const fn up_to(seq: Seq) -> Self {
        Self(Some(seq.raw()))
    }

    /// Whether it has still to wait. Once it may leave it never waits again.
    pub(crate) fn waits(&mut self, gate: &mut Gate) -> bool {
        let Some(seq) = self.0 else {
            return false;
        };
        match gate.passage(seq) {
            Passage::Shut => true,
            // The core approves nothing any more; what was begun before is ended.
            Passage::Open | Passage::Degraded => {
                *self = Self::NOTHING;
                false
            }
        }
    }

    /// Whether it had to wait when last looked at.
    pub(crate) const fn is_waiting(self) -> bool {
        self.0.is_some()
    }
}

/// The sequencer's view.
#[derive(Debug)]
pub struct DurabilityWatch(Arc<Shared>);

/// What may be done with what waits at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It is durable.
    Open,
    /// It is not yet.
    Shut,
    /// It is not, and may not be for long: what takes risk away goes on without.
    Degraded,
}

/// All ends, for a log whose last record so far is `seq`.
#[derive(Debug)]
pub struct DurabilityEnds {
    /// For the log agent.
    pub log: DurableWriter,
    /// For whoever hears the standby.
    pub standby: StandbyWriter,
    /// For each agent and thread that lets something out.
    pub gate: Gate,
    /// For the sequencer.
    pub watch: DurabilityWatch,
}

/// The ends of a policy.
#[must_use]
pub fn durability(policy: Durability, seq: Seq) -> DurabilityEnds {
    ends(policy, policy, seq)
}

/// The ends of a log that waits for a standby from when one has caught up with it: a gateway that was promoted
/// has none yet. Until then `interim` holds.
///
/// # Panics
/// If that is [`Durability::Memory`], whose gates never shut again.
#[must_use]
pub fn replicated_once_in_step(interim: Durability, seq: Seq) -> DurabilityEnds {
    assert_ne!(interim, Durability::Memory, "a gate that shuts again");
    ends(Durability::Replicated, interim, seq)
}

fn ends(policy: Durability, interim: Durability, seq: Seq) -> DurabilityEnds {
    let shared = Arc::new(Shared {
        policy,
        interim,
        in_step: AtomicBool::new(policy == interim),
        local: CachePadded::new(AtomicU64::new(seq.raw())),
        standby: CachePadded::new(AtomicU64::new(0)),
        wanted: CachePadded::new(AtomicU64::new(0)),
        failing: CachePadded::new(AtomicBool::new(false)),
        short: AtomicBool::new(false),
        degraded: AtomicBool::new(false),
    });
    DurabilityEnds {
        log: DurableWriter(Arc::clone(&shared)),
        standby: StandbyWriter(Arc::clone(&shared)),
        gate: Gate::of(&shared),
        watch: DurabilityWatch(shared),
    }
}

impl Shared {
    /// What must hold now.
    fn policy(&self) -> Durability {
        if self.policy == Durability::Replicated && !self.in_step.load(Ordering::Acquire) {
            return self.interim;
        }
        self.policy
    }

    fn reached(&self) -> u64 {
        let local = self.local.load(Ordering::Acquire);
        match self.policy() {
            Durability::Memory => u64::MAX,
            Durability::Journaled | Durability::Synced => local,
            Durability::Replicated => local.min(self.standby.load(Ordering::Acquire)),
        }
    }
}

impl DurableWriter {
    /// What is wanted before anything leaves, now.
    #[must_use]
    pub fn policy(&self) -> Durability {
        self.0.policy()
    }

    /// Whether somebody waits for a record behind this one, where each is waited for to be on the disk.
    #[must_use]
    pub(crate) fn is_wanted_behind(&self, seq: Seq) -> bool {
        self.0.wanted.load(Ordering::Acquire) > seq.raw()
    }

    /// All up to this record is written, and where the policy asks for it, on the disk.
    ///
    /// # Panics
    /// If that is less than before.
    pub fn reach(&mut self, seq: Seq) {
        let before = self.0.local.load(Ordering::Relaxed);
        assert!(seq.raw() >= before, "what is durable stays so");
        self.0.local.store(seq.raw(), Ordering::Release);
    }

    /// Says whether the log cannot be written.
    pub fn tell_failing(&mut self, failing: bool) {
        self.0.failing.store(failing, Ordering::Release);
    }

    /// Says whether what room it has left is kept for cancels.
    pub fn tell_short(&mut self, short: bool) {
        self.0.short.store(short, Ordering::Release);
    }
}

impl StandbyWriter {
    /// A standby has all up to this record. One that has less than another had says nothing new.
    pub fn reach(&mut self, seq: Seq) {
        let before = self.0.standby.load(Ordering::Relaxed);
        let has = seq.raw().max(before);
        self.0.standby.store(has, Ordering::Release);
        let stands = self.0.local.load(Ordering::Acquire);
        if stands.saturating_sub(has) <= IN_STEP_WITHIN {
            self.0.in_step.store(true, Ordering::Release);
        }
    }
}

impl DurabilityWatch {
    /// How far the policy is satisfied.
    #[must_use]
    pub(crate) fn reached(&self) -> u64 {
        self.0.reached()
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.0.failing.load(Ordering::Acquire)
    }

    pub(crate) fn is_short(&self) -> bool {
        self.0.short.load(Ordering::Acquire)
    }

    /// Says that what waits at the gate may wait for long, and that the core approves nothing any more.
    pub(crate) fn tell_degraded(&mut self, degraded: bool) {
        self.0.degraded.store(degraded, Ordering::Release);
    }
}

impl Gate {
    fn of(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            seen: 0,
            said: 0,
        }
    }

    /// A gate that stands open: nothing is kept, or nobody waits for it.
    #[must_use]
    pub fn open() -> Self {
        durability(Durability::Memory, Seq::ZERO).gate
    }

    /// Whether what follows from this record may leave.
    #[inline]
    pub fn passage(&mut self, seq: u64) -> Passage {
        if seq <= self.seen {
            return Passage::Open;
        }
        self.look_again(seq)
    }

    /// What must hold now before anything leaves.
    #[must_use]
    pub fn policy(&self) -> Durability {
        self.shared.policy()
    }

    /// The last record that the log has written, and where the policy asks for it synced.
    #[must_use]
    pub fn kept(&self) -> Seq {
        Seq::new(self.shared.local.load(Ordering::Acquire))
    }

    #[cold]
    #[inline(never)]
    fn look_again(&mut self, seq: u64) -> Passage {
        self.seen = self.shared.reached();
        if seq <= self.seen {
            return Passage::Open;
        }
        if self.shared.degraded.load(Ordering::Acquire) {
            return Passage::Degraded;
        }
        if seq > self.said && self.shared.policy() == Durability::Synced {
            self.said = seq;
            self.shared.wanted.fetch_max(seq, Ordering::Release);
        }
        Passage::Shut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_waits_for_what_it_names() {
        for (policy, local, standby, passes) in [
            (Durability::Memory, 0, 0, true),
            (Durability::Journaled, 4, 9, false),
            (Durability::Journaled, 5, 0, true),
            (Durability::Synced, 5, 0, true),
            (Durability::Replicated, 5, 4, false),
            (Durability::Replicated, 4, 5, false),
            (Durability::Replicated, 5, 5, true),
        ] {
            let mut ends = durability(policy, Seq::ZERO);
            ends.log.reach(Seq::new(local));
            ends.standby.reach(Seq::new(standby));
            let passage = ends.gate.passage(5);
            let expected = if passes { Passage::Open } else { Passage::Shut };
            assert_eq!(passage, expected, "{policy:?} {local} {standby}");
        }
    }

    #[test]
    fn a_standby_counts_from_when_it_has_caught_up() {
        let mut ends = replicated_once_in_step(Durability::Synced, Seq::new(3));
        assert_eq!(ends.log.policy(), Durability::Synced);
        ends.log.reach(Seq::new(5));
        assert_eq!(
            ends.gate.passage(5),
            Passage::Open,
            "there is no standby yet"
        );
        ends.log.reach(Seq::new(9_000));
        ends.standby.reach(Seq::new(4));
        ends.log.reach(Seq::new(9_500));
        assert_eq!(ends.gate.passage(9_500), Passage::Open, "it is not in step");
        ends.standby.reach(Seq::new(9_100));
        ends.log.reach(Seq::new(9_600));
        assert_eq!(ends.log.policy(), Durability::Replicated);
        assert_eq!(ends.gate.passage(9_600), Passage::Shut);
        ends.standby.reach(Seq::new(9_600));
        assert_eq!(ends.gate.passage(9_600), Passage::Open);
    }

    /// What was recalled is in this log, and nobody knows yet whether the standby has it.
    #[test]
    fn what_a_log_begins_with_is_not_replicated() {
        let mut ends = durability(Durability::Replicated, Seq::new(9));
        assert_eq!(ends.gate.passage(9), Passage::Shut);
        ends.standby.reach(Seq::new(9));
        assert_eq!(ends.gate.passage(9), Passage::Open);
        let mut local = durability(Durability::Journaled, Seq::new(9));
        assert_eq!(local.gate.passage(9), Passage::Open);
    }

    /// A log of few records since its promotion is no reason to count a standby that has nothing.
    #[test]
    fn a_standby_with_nothing_is_not_in_step() {
        let mut ends = replicated_once_in_step(Durability::Synced, Seq::new(100_000));
        ends.log.reach(Seq::new(100_010));
        ends.standby.reach(Seq::ZERO);
        assert_eq!(ends.log.policy(), Durability::Synced);
        ends.standby.reach(Seq::new(100_000));
        assert_eq!(ends.log.policy(), Durability::Replicated);
    }

    #[test]
    fn a_degraded_gate_says_so_only_of_what_is_not_durable() {
        let mut ends = durability(Durability::Synced, Seq::new(3));
        ends.watch.tell_degraded(true);
        assert_eq!(ends.gate.passage(3), Passage::Open);
        assert_eq!(ends.gate.passage(4), Passage::Degraded);
        ends.watch.tell_degraded(false);
        assert_eq!(ends.gate.passage(4), Passage::Shut);
    }
}

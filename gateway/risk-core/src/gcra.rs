//! The generic cell rate algorithm, in virtual scheduling form.
//!
//! Risk thread. Source: ITU-T I.371 and RULES (RATE). Invariant: judging changes nothing; the
//! caller stores the next theoretical arrival time if the order did not fail.

use crate::limits::Rate;

/// What a rate says of one event now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    /// How far the schedule is ahead of now, before this event.
    pub(crate) ahead_ns: u64,
    /// How far it may be.
    pub(crate) tolerance_ns: u64,
    tat_ns: u64,
    next_tat_ns: u64,
}

impl Rate {
    /// Judges one event at `now_ns` against the theoretical arrival time `tat_ns`.
    #[inline(always)]
    pub(crate) fn judge(&self, now_ns: u64, tat_ns: u64) -> Judged {
        let at = now_ns.max(tat_ns);
        Judged {
            ahead_ns: at - now_ns,
            tolerance_ns: self.tolerance_ns,
            tat_ns,
            next_tat_ns: at.saturating_add(self.emission_ns),
        }
    }

    /// Whether one event at `now_ns` plainly comes late enough. At the end of time, where the sum wraps, it
    /// is held against less than what it may be.
    #[inline(always)]
    pub(crate) const fn admits(&self, now_ns: u64, tat_ns: u64) -> bool {
        tat_ns <= now_ns.wrapping_add(self.tolerance_ns)
    }

    /// The theoretical arrival time after an event that came late enough.
    #[inline(always)]
    pub(crate) const fn tat_after(&self, now_ns: u64, tat_ns: u64) -> u64 {
        let at = if now_ns > tat_ns { now_ns } else { tat_ns };
        at.saturating_add(self.emission_ns)
    }
}

impl Judged {
    /// Whether the event comes too early.
    #[inline(always)]
    pub(crate) const fn fails(&self) -> bool {
        self.ahead_ns > self.tolerance_ns
    }

    /// The theoretical arrival time to keep: moved on only if the event did not fail.
    #[inline(always)]
    pub(crate) const fn tat_after(&self) -> u64 {
        if self.fails() {
            self.tat_ns
        } else {
            self.next_tat_ns
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Cell;

    #[test]
    fn a_burst_passes_and_one_more_fails() {
        let rate = Rate::of(Cell::new(1_000), Cell::new(3), Cell::new(4));
        let mut tat_ns = 0;
        for (now_ns, fails) in [(0, false); 4].into_iter().chain([(0, true), (333, true)]) {
            let judged = rate.judge(now_ns, tat_ns);
            assert_eq!(judged.fails(), fails, "at {now_ns}");
            tat_ns = judged.tat_after();
        }
        // T is ceil(1000 / 3): one emission later there is room for exactly one.
        assert!(!rate.judge(334, tat_ns).fails());
        tat_ns = rate.judge(334, tat_ns).tat_after();
        assert!(rate.judge(334, tat_ns).fails());
    }
}

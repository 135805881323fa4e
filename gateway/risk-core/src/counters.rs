//! What the core counts of itself.
//!
//! Risk thread writes; others read copies. Invariant: counting never decides.

use crate::saved::{Read, Words, push_wide};
use portcullis_domain::{CheckMask, RejectCode};

/// Counts since start.
#[derive(Clone, Debug)]
pub struct Counters {
    /// Commands applied.
    pub commands: u64,
    /// Orders and replaces accepted.
    pub accepted: u64,
    /// Orders and replaces refused.
    pub refused: u64,
    /// Numbers taken for a resend.
    pub resent: u64,
    /// Accepts and refusals for which the account was valued exactly.
    pub valued_exactly: u64,
    /// Those for which the bound proved that it need not be.
    pub proved_by_bound: u64,
    /// Lots executed, each side of a trade for itself.
    pub executed_qty: u64,
    /// Reports that changed nothing, being about what was gone already.
    pub reports_ignored: u64,
    /// Alarms raised.
    pub alarms: u64,
    /// Quanta of fees booked.
    pub fees: i128,
    /// Quanta deposited less those withdrawn.
    pub deposits: i128,
    /// By code: refusals in which it was among the failing checks.
    pub failing: [u64; 64],
    /// By code: refusals of which it was the primary reason.
    pub primary: [u64; 64],
}

impl Counters {
    /// All at zero.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default is asked for by nobody"
    )]
    pub const fn new() -> Self {
        Self {
            commands: 0,
            accepted: 0,
            refused: 0,
            resent: 0,
            valued_exactly: 0,
            proved_by_bound: 0,
            executed_qty: 0,
            reports_ignored: 0,
            alarms: 0,
            fees: 0,
            deposits: 0,
            failing: [0; 64],
            primary: [0; 64],
        }
    }

    pub(crate) fn save(&self, push: &mut impl FnMut(u64)) {
        let mut copy = self.clone();
        copy.numbers().into_iter().for_each(|number| push(*number));
        push_wide(self.fees, push);
        push_wide(self.deposits, push);
        self.failing
            .iter()
            .chain(&self.primary)
            .for_each(|count| push(*count));
    }

    pub(crate) fn load(&mut self, words: &mut Words<'_>) -> Read<()> {
        for number in self.numbers() {
            *number = load_count(words)?;
        }
        for money in [&mut self.fees, &mut self.deposits] {
            *money = words.wide()?;
            let in_range = money.unsigned_abs() < 1 << 126;
            words.must(in_range, "money out of range")?;
        }
        for count in self.failing.iter_mut().chain(&mut self.primary) {
            *count = load_count(words)?;
        }
        Ok(())
    }

    const fn numbers(&mut self) -> [&mut u64; 9] {
        [
            &mut self.commands,
            &mut self.accepted,
            &mut self.refused,
            &mut self.resent,
            &mut self.valued_exactly,
            &mut self.proved_by_bound,
            &mut self.executed_qty,
            &mut self.reports_ignored,
            &mut self.alarms,
        ]
    }

    pub(crate) fn count_refusal(&mut self, failing: CheckMask, primary: RejectCode) {
        self.refused += 1;
        self.primary[usize::from(primary.raw())] += 1;
        for code in failing.codes() {
            self.failing[usize::from(code.raw())] += 1;
        }
    }
}

/// Counts one more. None is counted more often than commands are numbered, which is checked there.
#[inline(always)]
pub(crate) const fn count(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}

/// A count that has room to go on.
fn load_count(words: &mut Words<'_>) -> Read<u64> {
    let count = words.word()?;
    words.must(count <= u64::MAX >> 1, "a count out of range")?;
    Ok(count)
}

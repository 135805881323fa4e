//! A batch of records, the lines of those behind the one in hand asked for meanwhile.
//!
//! Risk thread. After a flip each account's first order finds its row and firm looked up in another table, and after
//! the start of a day its day base to be taken: it is *behind*. While many are, batches ask for these orders' further
//! lines too, and accounts are brought up before their orders are judged, not after a glance at them was for nothing.
//! Invariant: what is said and left does not depend on whether it was expected.

use crate::approach::{LineSink, STAGES, Stage};
use crate::effect::EffectSink;
use crate::engine::RiskCore;
use core::hint::cold_path;
use portcullis_domain::Record;

/// Records after a flip, a start of the day or an order whose account had to be brought up to either, in which
/// another such order is expected. More than a batch of orders and one of their reports, or each batch of
/// orders would be expected anew.
const BEHIND_EXPECTED: u64 = 64;

impl RiskCore {
    /// Applies sequenced records in order, their lines fetched ahead by `lines`.
    ///
    /// # Panics
    /// As [`RiskCore::apply`].
    pub fn apply_batch(
        &mut self,
        records: &[Record],
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        let first = records.first();
        if first.is_some_and(|first| first.head.seq <= self.behind_until) {
            cold_path();
            self.apply_batch_behind(records, lines, sink);
        } else {
            self.apply_all::<false>(records, lines, sink);
        }
    }

    /// The same while orders are expected whose accounts are behind: apart, so that all others need not ask.
    #[inline(never)]
    fn apply_batch_behind(
        &mut self,
        records: &[Record],
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        self.apply_all::<true>(records, lines, sink);
    }

    #[inline(always)]
    fn apply_all<const BEHIND: bool>(
        &mut self,
        records: &[Record],
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        if let [record] = records {
            self.approach_alone::<BEHIND>(&record.head, lines);
            sink.on_record(record);
            self.apply_near(record, lines, sink);
            return;
        }
        for (stage, distance) in STAGES {
            for (ahead, record) in records.iter().take(distance).enumerate() {
                self.approach_apart::<BEHIND>(&record.head, stage, ahead, lines);
            }
        }
        let [first, second, third] = STAGES;
        let mut rest = records;
        while let Some((record, behind)) = rest.split_first() {
            self.approach_ahead::<BEHIND>(rest, first, lines);
            self.approach_ahead::<BEHIND>(rest, second, lines);
            self.approach_ahead::<BEHIND>(rest, third, lines);
            sink.on_record(record);
            self.apply_near(record, lines, sink);
            rest = behind;
        }
    }

    /// Approaches the record that stands so far behind the first of `rest`.
    #[inline(always)]
    fn approach_ahead<const BEHIND: bool>(
        &self,
        rest: &[Record],
        (stage, distance): (Stage, usize),
        lines: &mut impl LineSink,
    ) {
        if let Some(next) = rest.get(distance) {
            self.approach_at::<BEHIND>(&next.head, stage, distance, lines);
        }
    }

    /// From here on orders are expected whose accounts must be brought up to table or day before: as long as one
    /// in so many records is such an order.
    pub(crate) fn expect_behind(&mut self) {
        self.behind_until = self.seq.raw().saturating_add(BEHIND_EXPECTED);
    }
}

//! The times an order takes, as the risk agent tells them.
//!
//! The risk thread writes. The whole histogram is read after it has ended and is made at start; the
//! stages and counts are read by the control thread while it runs. Invariant: orders are told of at the cycle's end,
//! when they are on their way.

use hdrhistogram::Histogram;
use portcullis_pipeline::risk::LatencySink;
use portcullis_runtime::{CounterReader, CounterWriter, HistogramReader, HistogramWriter};

/// From an order's bytes' arrival to its verdict, nanoseconds, three digits, up to a minute; and its
/// stages.
#[derive(Debug)]
pub(crate) struct Latencies {
    whole: Histogram<u64>,
    queue: HistogramWriter,
    check: HistogramWriter,
    accepted: CounterWriter,
    refused: CounterWriter,
    /// Orders decided, of which the time is counted.
    timed: u64,
}

/// What the control thread reads of them.
#[derive(Clone, Debug)]
pub(crate) struct RiskReaders {
    /// From arrival to the beginning of the duty cycle that applies it.
    pub(crate) queue: HistogramReader,
    /// From then to that cycle's end.
    pub(crate) check: HistogramReader,
    pub(crate) accepted: CounterReader,
    pub(crate) refused: CounterReader,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        let whole = Histogram::new_with_bounds(1, 60_000_000_000, 3);
        Self {
            whole: whole.expect("the bounds are in range"),
            queue: HistogramWriter::default(),
            check: HistogramWriter::default(),
            accepted: CounterWriter::default(),
            refused: CounterWriter::default(),
            timed: 0,
        }
    }

    pub(crate) const fn histogram(&self) -> &Histogram<u64> {
        &self.whole
    }

    pub(crate) fn readers(&self) -> RiskReaders {
        RiskReaders {
            queue: self.queue.reader(),
            check: self.check.reader(),
            accepted: self.accepted.reader(),
            refused: self.refused.reader(),
        }
    }
}

impl LatencySink for Latencies {
    fn on_orders(&mut self, waited_ns: u64, taken_ns: u64, orders: u64) {
        self.queue.record(waited_ns, orders);
        self.whole.saturating_record_n(taken_ns.max(1), orders);
    }

    fn on_cycle(&mut self, took_ns: u64, accepted: u64, refused: u64) {
        let decided = accepted + refused;
        if decided > self.timed {
            self.check.record(took_ns, decided - self.timed);
            self.timed = decided;
            self.accepted.set(accepted);
            self.refused.set(refused);
        }
    }
}

//! The times an order takes, as the risk agent tells them.
//!
//! The risk thread writes. The whole histogram is read after it has ended and is made at start; the
//! stages and counts are read by the control thread while it runs. Invariant: what is told of an order is kept on
//! one line of memory and counted at the cycle's end, when the order is on its way.

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
    /// Orders whose times are not counted yet.
    noted: Vec<Noted>,
    /// How long the order waited that is told of next.
    waited_ns: u64,
}

/// The times of an order.
#[derive(Clone, Copy, Debug)]
struct Noted {
    waited_ns: u64,
    taken_ns: u64,
}

/// Orders that are noted at the most before they are counted: those of a duty cycle.
const NOTED_MAX: usize = 64;

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
    /// Counts what was noted of orders.
    fn count_noted(&mut self) {
        for order in self.noted.drain(..) {
            self.queue.record(order.waited_ns, 1);
            self.whole.saturating_record(order.taken_ns.max(1));
        }
    }

    pub(crate) fn new() -> Self {
        let whole = Histogram::new_with_bounds(1, 60_000_000_000, 3);
        Self {
            whole: whole.expect("the bounds are in range"),
            queue: HistogramWriter::default(),
            check: HistogramWriter::default(),
            accepted: CounterWriter::default(),
            refused: CounterWriter::default(),
            timed: 0,
            noted: Vec::with_capacity(NOTED_MAX),
            waited_ns: 0,
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
    fn on_order(&mut self, taken_ns: u64) {
        if self.noted.len() == NOTED_MAX {
            self.count_noted();
        }
        let waited_ns = self.waited_ns;
        self.noted.push(Noted {
            waited_ns,
            taken_ns,
        });
    }

    fn on_taken(&mut self, waited_ns: u64) {
        self.waited_ns = waited_ns;
    }

    fn on_cycle(&mut self, took_ns: u64, accepted: u64, refused: u64) {
        self.count_noted();
        let decided = accepted + refused;
        if decided > self.timed {
            self.check.record(took_ns, decided - self.timed);
            self.timed = decided;
            self.accepted.set(accepted);
            self.refused.set(refused);
        }
    }
}

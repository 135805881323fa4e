//! The time an order takes from its bytes' arrival to its verdict.
//!
//! The risk thread writes; read after it has ended. The histogram is made whole at start.

use hdrhistogram::Histogram;
use portcullis_pipeline::risk::LatencySink;

/// Latencies in nanoseconds, three digits, up to a minute.
#[derive(Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3);
        Self(histogram.expect("the bounds are in range"))
    }

    pub(crate) const fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }
}

impl LatencySink for Latencies {
    fn on_order(&mut self, taken_ns: u64) {
        self.0.saturating_record(taken_ns.max(1));
    }
}

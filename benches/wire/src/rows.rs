//! From rounds to rows: which figure has which floor and which bar.
//!
//! On the measuring thread, at the end. Invariant: value and floor of a row are medians over the
//! same rounds of the same run.

use crate::proxy::Product;
use crate::rig::{SPEAKING_MAX, Way};
use crate::{SESSIONS_MANY, WAYS, WAYS_MANY, measure};
use portcullis_bench_harness::{Bar, Histograms, Latency, Rounds, Row, Unit};
use std::time::Duration;

/// Between two orders of the paced load.
pub(crate) const PACED_INTERVAL: Duration = Duration::from_micros(100);

/// What the gateway may add to the relay's round trip at the median, nanoseconds.
const ADDED_NS: u64 = 800;
/// Its calm p99 against the relay's, its median against proxies and with many sessions against
/// few, its messages a second against the relay's: thousandths.
const P99: u64 = 1_300;
const AGAINST_PROXY: u64 = 400;
const MANY: u64 = 1_300;
const STREAM: u64 = 600;

/// A percentile: its name, and how to read it.
type Percentile = (&'static str, fn(&Latency) -> u64);

const PERCENTILES: [Percentile; 5] = [
    ("p50", Latency::p50),
    ("p99", Latency::p99),
    ("p99.9", Latency::p999),
    ("p99.99", Latency::p9999),
    ("max", Latency::max),
];

/// All that was measured.
pub(crate) struct Figures {
    pub(crate) histograms: Histograms,
    /// Messages a second, by way and sessions.
    pub(crate) streams: Vec<(Way, usize, Rounds)>,
    /// Orders sent in all.
    pub(crate) orders: u64,
}

/// Why a way was not measured; `None` where it was.
pub(crate) fn absence(way: Way) -> Option<String> {
    match way {
        Way::Proxy(product) => product.absence(),
        Way::Direct | Way::Relay | Way::Gateway => None,
    }
}

impl Figures {
    pub(crate) fn keep(&mut self, way: Way, what: &str, latency: Latency) {
        self.histograms.keep(&name(way, what), latency);
    }

    pub(crate) fn keep_stream(&mut self, way: Way, sessions: usize, per_second: u64) {
        let of = |kept: &&mut (Way, usize, Rounds)| (kept.0, kept.1) == (way, sessions);
        match self.streams.iter_mut().find(of) {
            Some((.., rounds)) => rounds.push(per_second),
            None => self
                .streams
                .push((way, sessions, [per_second].into_iter().collect())),
        }
    }

    /// The rows.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for way in WAYS {
            self.latencies(
                way,
                "round trip",
                "round trip, 1 session",
                &PERCENTILES,
                &mut rows,
            );
        }
        rows.extend([Product::HaProxy, Product::Nginx].map(|product| self.against(product)));
        for way in WAYS {
            let figure = "planned sends, 10,000 orders a second";
            self.latencies(way, "paced", figure, &PERCENTILES[..4], &mut rows);
        }
        for way in WAYS {
            let figure = "first order after 1 s of silence";
            self.latencies(way, "after silence", figure, &PERCENTILES[..1], &mut rows);
        }
        for way in WAYS_MANY {
            let figure = format!("round trip, {SESSIONS_MANY} connected, {SPEAKING_MAX} active");
            self.latencies(way, "round trip of 1000", &figure, &PERCENTILES, &mut rows);
        }
        rows.push(self.many_against_one());
        rows.extend(WAYS.map(|way| self.stream(way, 1)));
        rows.extend(WAYS_MANY.map(|way| self.stream(way, SESSIONS_MANY)));
        rows
    }

    fn latencies(
        &self,
        way: Way,
        what: &str,
        figure: &str,
        percentiles: &[Percentile],
        rows: &mut Vec<Row>,
    ) {
        for &(percentile, of) in percentiles {
            let value = self.histograms.rounds(&name(way, what), of);
            let floor = self.histograms.rounds(&name(Way::Relay, what), of);
            let bar = match (way, what, percentile) {
                (Way::Gateway, "round trip", "p50") => Bar::AtMostAbove(ADDED_NS),
                (Way::Gateway, "round trip", "p99") => Bar::AtMostPermille(P99),
                _ => Bar::None,
            };
            rows.push(row(
                format!("{figure}, {}, {percentile}", way.name()),
                Unit::Ns,
                &value,
                Some(&floor),
                bar,
                absence(way),
            ));
        }
    }

    fn against(&self, product: Product) -> Row {
        let way = Way::Proxy(product);
        let value = self
            .histograms
            .rounds(&name(Way::Gateway, "round trip"), Latency::p50);
        let floor = self
            .histograms
            .rounds(&name(way, "round trip"), Latency::p50);
        let figure = format!("round trip, 1 session, gateway against {}, p50", way.name());
        row(
            figure,
            Unit::Ns,
            &value,
            Some(&floor),
            Bar::AtMostPermille(AGAINST_PROXY),
            absence(way),
        )
    }

    fn many_against_one(&self) -> Row {
        let value = self
            .histograms
            .rounds(&name(Way::Gateway, "round trip of 1000"), Latency::p50);
        let floor = self
            .histograms
            .rounds(&name(Way::Gateway, "round trip"), Latency::p50);
        let figure = format!("round trip, gateway, {SESSIONS_MANY} connected against 1, p50");
        row(
            figure,
            Unit::Ns,
            &value,
            Some(&floor),
            Bar::AtMostPermille(MANY),
            None,
        )
    }

    fn stream(&self, way: Way, sessions: usize) -> Row {
        let of = |way| {
            let kept = self
                .streams
                .iter()
                .find(|kept| (kept.0, kept.1) == (way, sessions));
            kept.map_or_else(Rounds::default, |(.., rounds)| rounds.clone())
        };
        let bar = if way == Way::Gateway {
            Bar::AtLeastPermille(STREAM)
        } else {
            Bar::None
        };
        let connected = if sessions == 1 {
            "1 session".to_owned()
        } else {
            format!("{sessions} connected, {SPEAKING_MAX} active")
        };
        let figure = format!(
            "messages a second, window {}, {connected}, {}",
            measure::WINDOW,
            way.name()
        );
        row(
            figure,
            Unit::PerSecond,
            &of(way),
            Some(&of(Way::Relay)),
            bar,
            absence(way),
        )
    }
}

fn name(way: Way, what: &str) -> String {
    format!("{} {what}", way.name())
}

fn row(
    figure: String,
    unit: Unit,
    value: &Rounds,
    floor: Option<&Rounds>,
    bar: Bar,
    note: Option<String>,
) -> Row {
    let value = value.spread();
    Row {
        bench: "wire",
        figure,
        unit,
        value: value.map(|spread| spread.median),
        spread: value.map(|spread| (spread.low, spread.high)),
        floor: floor.and_then(Rounds::spread).map(|spread| spread.median),
        bar,
        note,
    }
}

//! From rounds to rows: which figure has which floor and which bar.
//!
//! On the measuring thread, at the end. Invariant: value and floor of a row were measured one
//! right after the other, and the row shows the turn (beyond p99 the round) in the middle of all.

use crate::mixture::Mixture;
use crate::proxy::Product;
use crate::rig::{Rig, SPEAKING_MAX, Way};
use crate::{SESSIONS_MANY, WAYS, measure};
use portcullis_bench_harness::{Bar, Histograms, Latency, Pairs, Rounds, Row, Unit};
use std::collections::BTreeMap;
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
const SHARE: u64 = 600;
/// Where it is written why bars are missed.
const REASONS_ROUND_TRIP: &str = "docs/performance/wire.md#where-a-round-trips-time-goes";
const REASONS_STREAM: &str = "docs/performance/wire-tried.md#what-the-stream-waits-for";

/// A percentile: its name, and how to read it.
type Percentile = (&'static str, fn(&Latency) -> u64);

/// Of each turn.
const OF_TURNS: [Percentile; 2] = [("p50", Latency::p50), ("p99", Latency::p99)];
/// Of each round: a turn has too few orders for them.
const OF_ROUNDS: [Percentile; 3] = [
    ("p99.9", Latency::p999),
    ("p99.99", Latency::p9999),
    ("max", Latency::max),
];

/// What is measured: with one session connected, except that round trips among many are those of
/// many and, beside them, of the gateway with one.
pub(crate) const ROUND_TRIP: &str = "round trip";
pub(crate) const PACED: &str = "paced";
pub(crate) const AFTER_SILENCE: &str = "after silence";
pub(crate) const AMONG_MANY: &str = "round trip among many";
/// Round trips to the gateway alone, of what it refuses.
pub(crate) const REFUSAL: &str = "refusal";
/// Those of the orders right behind them, which are among the round trips too.
pub(crate) const BEHIND_REFUSAL: &str = "behind a refusal";
const STREAM: &str = "stream";

/// All that was measured.
pub(crate) struct Figures {
    pub(crate) histograms: Histograms,
    /// Latencies of the round, all its turns together, by name.
    round: BTreeMap<String, Latency>,
    /// What each turn measured, by name: its percentiles, or its messages a second.
    turns: BTreeMap<String, Rounds>,
    /// Orders sent in all.
    pub(crate) orders: u64,
    /// Refusals in all.
    pub(crate) mixture: Mixture,
    /// What became of the gateway's memory, by sessions connected.
    memory: BTreeMap<usize, String>,
}

/// Why a way was not measured; `None` where it was.
pub(crate) fn absence(way: Way) -> Option<String> {
    match way {
        Way::Proxy(product) => product.absence(),
        Way::Direct | Way::Relay | Way::Gateway => None,
    }
}

/// What a proxy's rows with many sessions say of themselves.
fn unbarred(way: Way, sessions: usize) -> Option<String> {
    let many = matches!(way, Way::Proxy(_)) && sessions > 1;
    many.then(|| "for comparison: no bar is held against proxies with many connected".to_owned())
}

impl Figures {
    pub(crate) fn new() -> Self {
        Self {
            histograms: Histograms::new("wire"),
            round: BTreeMap::new(),
            turns: BTreeMap::new(),
            orders: 0,
            mixture: Mixture::default(),
            memory: BTreeMap::new(),
        }
    }

    /// Keeps what became of a rig's memory, where it says so.
    pub(crate) fn keep_memory(&mut self, rig: &Rig) {
        if let Some(words) = rig.memory() {
            self.memory.insert(rig.sessions(), words);
        }
    }

    /// What the reader must know beside a row.
    fn note(&self, way: Way, sessions: usize) -> Option<String> {
        let memory = || self.memory.get(&sessions).filter(|_| way == Way::Gateway);
        absence(way)
            .or_else(|| unbarred(way, sessions))
            .or_else(|| memory().cloned())
    }

    /// Keeps the latencies of a turn.
    pub(crate) fn keep(&mut self, rig: &Rig, what: &str, latency: &Latency) {
        let name = name(rig.way, rig.sessions(), what);
        for (percentile, of) in OF_TURNS {
            self.keep_turn(format!("{name} {percentile}"), of(latency));
        }
        self.round.entry(name).or_default().add(latency);
    }

    /// Keeps latencies of which a turn has too few for rows of turns.
    pub(crate) fn keep_of_round(&mut self, rig: &Rig, what: &str, latency: &Latency) {
        let name = name(rig.way, rig.sessions(), what);
        self.round.entry(name).or_default().add(latency);
    }

    /// Keeps the messages a second of a turn.
    pub(crate) fn keep_stream(&mut self, rig: &Rig, per_second: u64) {
        self.keep_turn(name(rig.way, rig.sessions(), STREAM), per_second);
    }

    fn keep_turn(&mut self, name: String, value: u64) {
        self.turns.entry(name).or_default().push(value);
    }

    /// A round is over: its histograms are kept.
    pub(crate) fn end_round(&mut self) {
        for (name, latency) in std::mem::take(&mut self.round) {
            self.histograms.keep(&name, latency);
        }
    }

    /// The rows.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for way in WAYS {
            let figure = "round trip, 1 session";
            rows.extend(self.of_turns(way, 1, ROUND_TRIP, figure));
            rows.extend(self.of_rounds(way, 1, ROUND_TRIP, figure));
        }
        rows.extend([Product::HaProxy, Product::Nginx].map(|product| self.against(product)));
        for way in WAYS {
            let figure = "planned sends, 10,000 orders a second";
            rows.extend(self.of_turns(way, 1, PACED, figure));
            rows.extend(self.of_rounds(way, 1, PACED, figure));
        }
        for way in WAYS {
            let figure = "first order after 1 s of silence";
            rows.extend(
                self.of_turns(way, 1, AFTER_SILENCE, figure)
                    .into_iter()
                    .take(1),
            );
        }
        for way in WAYS {
            let figure = format!("round trip, {SESSIONS_MANY} connected, {SPEAKING_MAX} active");
            rows.extend(self.of_turns(way, SESSIONS_MANY, AMONG_MANY, &figure));
            rows.extend(self.of_rounds(way, SESSIONS_MANY, AMONG_MANY, &figure));
        }
        rows.push(self.many_against_one());
        rows.extend(WAYS.map(|way| self.stream(way, 1)));
        rows.extend(WAYS.map(|way| self.stream(way, SESSIONS_MANY)));
        for sessions in [1, SESSIONS_MANY] {
            rows.extend(self.refusals(sessions));
            rows.extend(self.mixture.rows(sessions));
        }
        rows
    }

    /// Rows of what the gateway refuses, and of what comes right behind: no other way has them.
    fn refusals(&self, sessions: usize) -> Vec<Row> {
        let kinds = [
            (REFUSAL, "of a refusal"),
            (BEHIND_REFUSAL, "of the order behind a refusal"),
        ];
        let row_of = |what, words, (percentile, of): Percentile| {
            let name = name(Way::Gateway, sessions, what);
            let rounds = self.histograms.rounds(&name, of);
            let figure = format!("round trip {words}, {sessions} connected, gateway, {percentile}");
            Row::of_rounds("wire", figure, Unit::Ns, &rounds, None, Bar::None)
        };
        let rows = kinds
            .iter()
            .flat_map(|(what, words)| OF_TURNS.map(|percentile| row_of(what, words, percentile)));
        rows.collect()
    }

    /// Rows of what is held beside its floor turn by turn.
    fn of_turns(&self, way: Way, sessions: usize, what: &str, figure: &str) -> Vec<Row> {
        let row_of = |(percentile, _): Percentile| {
            let turns = |way| self.turn(&format!("{} {percentile}", name(way, sessions, what)));
            let bar = match (way, what, percentile) {
                (Way::Gateway, ROUND_TRIP, "p50") => Bar::AtMostAbove(ADDED_NS),
                (Way::Gateway, ROUND_TRIP, "p99") => Bar::AtMostPermille(P99),
                _ => Bar::None,
            };
            let figure = format!("{figure}, {}, {percentile}", way.name());
            let row = row(
                figure,
                Unit::Ns,
                &turns(way),
                &turns(Way::Relay),
                bar,
                self.note(way, sessions),
            );
            if bar == Bar::None {
                return row;
            }
            row.explained(REASONS_ROUND_TRIP)
        };
        OF_TURNS.map(row_of).into()
    }

    /// Rows of what only a round has orders enough for.
    fn of_rounds(&self, way: Way, sessions: usize, what: &str, figure: &str) -> Vec<Row> {
        let row_of = |(percentile, of): Percentile| {
            let rounds = |way| self.histograms.rounds(&name(way, sessions, what), of);
            let figure = format!("{figure}, {}, {percentile}", way.name());
            row(
                figure,
                Unit::Ns,
                &rounds(way),
                &rounds(Way::Relay),
                Bar::None,
                absence(way),
            )
        };
        OF_ROUNDS.map(row_of).into()
    }

    fn against(&self, product: Product) -> Row {
        let peer = Way::Proxy(product);
        let turns = |way| self.turn(&format!("{} p50", name(way, 1, ROUND_TRIP)));
        row(
            format!(
                "round trip, 1 session, gateway against {}, p50",
                peer.name()
            ),
            Unit::Ns,
            &turns(Way::Gateway),
            &turns(peer),
            Bar::AtMostPermille(AGAINST_PROXY),
            absence(peer),
        )
        .explained(REASONS_ROUND_TRIP)
    }

    fn many_against_one(&self) -> Row {
        let turns =
            |sessions| self.turn(&format!("{} p50", name(Way::Gateway, sessions, AMONG_MANY)));
        row(
            format!("round trip, gateway, {SESSIONS_MANY} connected against 1, p50"),
            Unit::Ns,
            &turns(SESSIONS_MANY),
            &turns(1),
            Bar::AtMostPermille(MANY),
            None,
        )
    }

    fn stream(&self, way: Way, sessions: usize) -> Row {
        let turns = |way| self.turn(&name(way, sessions, STREAM));
        let bar = match way {
            Way::Gateway => Bar::AtLeastPermille(SHARE),
            Way::Direct | Way::Relay | Way::Proxy(_) => Bar::None,
        };
        let connected = match sessions {
            1 => "1 session".to_owned(),
            many => format!("{many} connected, {SPEAKING_MAX} active"),
        };
        let figure = format!(
            "messages a second, window {}, {connected}, {}",
            measure::WINDOW,
            way.name()
        );
        let row = row(
            figure,
            Unit::PerSecond,
            &turns(way),
            &turns(Way::Relay),
            bar,
            self.note(way, sessions),
        );
        match way {
            Way::Gateway => row.explained(REASONS_STREAM),
            Way::Direct | Way::Relay | Way::Proxy(_) => row,
        }
    }

    fn turn(&self, name: &str) -> Rounds {
        self.turns.get(name).cloned().unwrap_or_default()
    }
}

fn name(way: Way, sessions: usize, what: &str) -> String {
    format!("{} {sessions} {what}", way.name())
}

/// Value and floor are of one turn: the one in the middle of all, by the difference or ratio that
/// its bar looks at.
fn row(
    figure: String,
    unit: Unit,
    values: &Rounds,
    floors: &Rounds,
    bar: Bar,
    note: Option<String>,
) -> Row {
    let absent = values.values().is_empty() || floors.values().is_empty();
    let pairs = match absent {
        true => Pairs::default(),
        false => Pairs::new(values.values(), floors.values()),
    };
    Row {
        bench: "wire",
        figure,
        unit,
        value: pairs.median(bar).map(|pair| pair.value),
        spread: pairs.spread(bar).map(|spread| (spread.low, spread.high)),
        floor: pairs.median(bar).map(|pair| pair.floor),
        bar,
        note,
    }
}

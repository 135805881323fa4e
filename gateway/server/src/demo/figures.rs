//! What the demo came to: three independent counts, held against each other.

use crate::gateway::{Finished, Left};
use crate::replay::Replayed;
use hdrhistogram::Histogram;
use portcullis_control::config::Config;
use portcullis_flow::FlowReport;
use portcullis_risk_core::checks::REGISTRY;
use serde_json::{Map, Value, json};

/// A check's row in the table.
pub(super) struct CheckRow {
    pub(super) name: &'static str,
    pub(super) ouch_reason: u16,
    pub(super) failing: u64,
    pub(super) primary: u64,
    pub(super) example: Option<String>,
}

/// Percentiles in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Percentiles {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
    pub(super) p9999: u64,
    pub(super) max: u64,
}

impl Percentiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        // The library takes its quantiles as floats; they name a share of counts, not money.
        Self {
            p50: histogram.value_at_quantile(0.5),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            p9999: histogram.value_at_quantile(0.9999),
            max: histogram.max(),
        }
    }

    fn to_json(self) -> Value {
        json!({
            "p50": self.p50, "p99": self.p99, "p999": self.p999, "p9999": self.p9999,
            "max": self.max,
        })
    }
}

/// The figures.
pub(super) struct Figures {
    pub(super) checks: Vec<CheckRow>,
    pub(super) report: FlowReport,
    pub(super) gateway: Percentiles,
    pub(super) accepted: u64,
    pub(super) resent: u64,
    pub(super) executed_engine: u128,
    /// Lots, from the executions that the clients received.
    pub(super) executed_clients: u64,
    /// Orders that still rest in the engine's book.
    pub(super) engine_orders_left: u32,
    /// Each side of a trade for itself, as the core books them.
    pub(super) executed_sides_gateway: u64,
    pub(super) holds_left: i128,
    pub(super) orders_left: usize,
    pub(super) positions_left: u64,
    pub(super) conservation_error: i128,
    pub(super) alarms: u64,
    pub(super) digest: u64,
    pub(super) replayed_digest: u64,
    pub(super) commands: u64,
    pub(super) valued_exactly: u64,
    pub(super) proved_by_bound: u64,
    pub(super) drained: bool,
    pub(super) topology: &'static str,
    pub(super) unencodable: u64,
    pub(super) lagged: u64,
    pub(super) unanswerable: u64,
}

impl Figures {
    pub(super) fn of(
        config: &Config,
        finished: &Finished,
        report: FlowReport,
        replayed: &Replayed,
        examples: Vec<(u8, String)>,
    ) -> Self {
        let core = &finished.core;
        let counters = core.counters();
        let Left {
            holds: holds_left,
            positions: positions_left,
        } = finished.left(config);
        let shares = report.executed_by_instrument.iter();
        let executed_clients = shares
            .zip(&config.limits.instruments)
            .map(|(shares, spec)| shares / u64::from(spec.wire.lot.get()))
            .sum();
        let rows = REGISTRY.iter().map(|check| CheckRow {
            name: check.name,
            ouch_reason: check.ouch_reason,
            failing: counters.failing[usize::from(check.number)],
            primary: counters.primary[usize::from(check.number)],
            example: examples
                .iter()
                .find(|(n, _)| *n == check.number)
                .map(|(_, e)| e.clone()),
        });
        Self {
            checks: rows.collect(),
            gateway: Percentiles::of(finished.latencies.histogram()),
            accepted: counters.accepted,
            resent: counters.resent,
            executed_engine: finished.engine.map_or(0, |engine| engine.executed_qty),
            executed_clients,
            engine_orders_left: finished.engine.map_or(0, |engine| engine.open_orders),
            executed_sides_gateway: counters.executed_qty,
            holds_left,
            orders_left: core.open_orders(),
            positions_left,
            conservation_error: core.conservation_error(),
            alarms: counters.alarms,
            digest: core.digest(),
            replayed_digest: replayed.core.digest(),
            commands: counters.commands,
            valued_exactly: counters.valued_exactly,
            proved_by_bound: counters.proved_by_bound,
            drained: finished.drained,
            topology: config.profile.topology.word(),
            unencodable: finished.egress.unencodable,
            lagged: finished.egress.lagged,
            unanswerable: finished.ingress.unanswerable,
            report,
        }
    }

    /// Whether every count agrees with every other, and nothing is left.
    pub(super) fn is_clean(&self) -> bool {
        let engine = u64::try_from(self.executed_engine).ok();
        self.report.is_clean()
            && engine == Some(self.executed_clients)
            && engine.and_then(|lots| lots.checked_mul(2)) == Some(self.executed_sides_gateway)
            && self.holds_left == 0
            && self.orders_left == 0
            && self.engine_orders_left == 0
            && self.positions_left == 0
            && self.conservation_error == 0
            && self.alarms == 0
            && self.digest == self.replayed_digest
            && self.drained
            && self.unencodable == 0
    }

    /// One JSON object.
    pub(super) fn to_json(&self) -> Value {
        let total = &self.report.total;
        let refused: Map<String, Value> = self
            .checks
            .iter()
            .filter(|check| check.primary > 0)
            .map(|check| (check.name.to_owned(), json!(check.primary)))
            .collect();
        let wire: Map<String, Value> = total
            .refused
            .iter()
            .map(|(code, count)| (format!("0x{code:04X}"), json!(count)))
            .collect();
        let latency = &self.report.latency_ns;
        let (tripped, untripped): (Vec<_>, Vec<_>) =
            self.checks.iter().partition(|check| check.failing > 0);
        let beside = tripped.iter().filter(|check| check.primary == 0);
        let beside: Vec<_> = beside.map(|check| check.name).collect();
        let name = |checks: Vec<&CheckRow>| checks.iter().map(|check| check.name).collect();
        let (tripped, untripped): (Vec<_>, Vec<_>) = (name(tripped), name(untripped));
        json!({
            "checks_tripped": tripped,
            "checks_not_tripped": untripped,
            "checks_never_primary": beside,
            "messages_sent": total.messages_sent(),
            "orders_sent": total.orders_sent(),
            "accepted": self.accepted,
            "refused": refused,
            "refused_on_wire": wire,
            "resent": self.resent,
            "executed_qty_engine": self.executed_engine as u64,
            "executed_qty_gateway": self.executed_sides_gateway / 2,
            "executed_qty_clients": self.executed_clients,
            "one_sided_qty": self.report.one_sided_qty,
            "unanswered": total.unanswered,
            "wrong_session": total.wrong_session,
            "protocol_errors": total.protocol_errors,
            "sessions_lost": self.report.sessions_lost(),
            "holds_left": self.holds_left as i64,
            "orders_left": self.orders_left,
            "orders_left_engine": self.engine_orders_left,
            "positions_left": self.positions_left,
            "conservation_error": self.conservation_error as i64,
            "alarms": self.alarms,
            "commands": self.commands,
            "digest": format!("{:016x}", self.digest),
            "replayed_digest": format!("{:016x}", self.replayed_digest),
            "valued_exactly": self.valued_exactly,
            "proved_by_bound": self.proved_by_bound,
            "gateway_ns": self.gateway.to_json(),
            "client_ns": {
                "p50": latency.p50, "p99": latency.p99, "p999": latency.p999,
                "p9999": latency.p9999, "max": latency.max,
            },
            "drained": self.drained,
            "topology": self.topology,
            "clean": self.is_clean(),
        })
    }
}

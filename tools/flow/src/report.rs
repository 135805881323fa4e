//! What came of a drive: counts, percentiles, and how they are shown.
//!
//! **Thread.** The driver's; a finished report is a plain value.
//! **Invariants.** For a session and for the whole: `orders_sent` = `accepted` + `replaced` +
//! refused of all codes + `silent` + `unanswered`, once everything is settled.
//! **Never.** Round: shares are shown in whole hundredths of a percent.

use crate::mapping::DbnCounts;
use crate::positions::OpenPosition;
use crate::synthesis::FaultKind;
use hdrhistogram::Histogram;
use portcullis_wire::ouch50::RejectReason;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// Counts of one session, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Orders entered, resends apart.
    pub enters_sent: u64,
    /// Replaces.
    pub replaces_sent: u64,
    /// Cancels, superfluous ones included.
    pub cancels_sent: u64,
    /// Messages sent again with a number that was used.
    pub resends_sent: u64,
    /// Sequenced messages received.
    pub messages_received: u64,
    /// Enters accepted.
    pub accepted: u64,
    /// Replaces done.
    pub replaced: u64,
    /// Enters and replaces refused, by OUCH reason code.
    pub refused: BTreeMap<u16, u64>,
    /// Replaces that OUCH does not answer: the order they name was closed, or the version they
    /// name refused, when they came.
    pub silent: u64,
    /// Enters and replaces that should have been answered and were not in time.
    pub unanswered: u64,
    /// Those that were answered after all, after they had been given up.
    pub late: u64,
    /// Answers for a number this session never used, or with another session's text.
    pub wrong_session: u64,
    /// Other messages that do not fit what was sent.
    pub protocol_errors: u64,
    /// The first of either in words.
    pub first_fault: Option<String>,
    /// Execution messages on own orders.
    pub executions: u64,
    /// Shares in them. A trade between two sessions counts on both.
    pub executed_qty: u64,
    /// Cancel messages.
    pub cancel_reports: u64,
    /// Shares in them.
    pub canceled_qty: u64,
    /// Broken trades.
    pub broken: u64,
    /// Other messages on own orders, and answers to queries.
    pub other_messages: u64,
}

impl Tally {
    /// Everything sent over the sockets but logins and heartbeats.
    #[must_use]
    pub fn messages_sent(&self) -> u64 {
        self.orders_sent() + self.cancels_sent + self.resends_sent
    }

    /// Enters and replaces.
    #[must_use]
    pub fn orders_sent(&self) -> u64 {
        self.enters_sent + self.replaces_sent
    }

    /// Refused, of all codes.
    #[must_use]
    pub fn refused_total(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Adds another session's counts.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.enters_sent, other.enters_sent),
            (&mut self.replaces_sent, other.replaces_sent),
            (&mut self.cancels_sent, other.cancels_sent),
            (&mut self.resends_sent, other.resends_sent),
            (&mut self.messages_received, other.messages_received),
            (&mut self.accepted, other.accepted),
            (&mut self.replaced, other.replaced),
            (&mut self.silent, other.silent),
            (&mut self.unanswered, other.unanswered),
            (&mut self.late, other.late),
            (&mut self.wrong_session, other.wrong_session),
            (&mut self.protocol_errors, other.protocol_errors),
            (&mut self.executions, other.executions),
            (&mut self.executed_qty, other.executed_qty),
            (&mut self.cancel_reports, other.cancel_reports),
            (&mut self.canceled_qty, other.canceled_qty),
            (&mut self.broken, other.broken),
            (&mut self.other_messages, other.other_messages),
        ] {
            *sum += more;
        }
        for (code, count) in &other.refused {
            *self.refused.entry(*code).or_default() += count;
        }
        if self.first_fault.is_none() {
            self.first_fault.clone_from(&other.first_fault);
        }
    }
}

/// One session's part.
#[derive(Clone, Debug)]
pub struct SessionReport {
    /// The user.
    pub user: String,
    /// Its counts.
    pub tally: Tally,
    /// Why the connection ended before the driver logged out.
    pub lost: Option<String>,
}

/// Percentiles of the time from the planned send to the first answer, in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatencyNs {
    /// Messages measured.
    pub count: u64,
    /// Median.
    pub p50: u64,
    /// 99%.
    pub p99: u64,
    /// 99.9%.
    pub p999: u64,
    /// 99.99%.
    pub p9999: u64,
    /// The longest.
    pub max: u64,
}

impl LatencyNs {
    /// Of a histogram of ns.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            count: histogram.len(),
            p50: histogram.value_at_quantile(0.5),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            p9999: histogram.value_at_quantile(0.9999),
            max: histogram.max(),
        }
    }
}

/// Where a drive stands.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What it does now.
    pub phase: &'static str,
    /// Since the driver connected, in ns.
    pub elapsed_ns: u64,
    /// Messages sent.
    pub messages_sent: u64,
    /// Enters and replaces sent.
    pub orders_sent: u64,
    /// Enters accepted and replaces done.
    pub accepted: u64,
    /// Refused.
    pub refused: u64,
    /// Shares traded, each trade once.
    pub executed_qty: u64,
    /// Orders not known to be closed.
    pub open_orders: u64,
}

/// The whole.
#[derive(Clone, Debug)]
pub struct FlowReport {
    /// All sessions together. `total.executed_qty` counts both sides of a trade.
    pub total: Tally,
    /// Each session.
    pub sessions: Vec<SessionReport>,
    /// Shares traded, each trade once: both sides of a match number agree. This is what an engine
    /// that counts trades calls its executed quantity.
    pub executed_qty: u64,
    /// The same by index of the instrument, up to the last one that traded.
    pub executed_by_instrument: Vec<u64>,
    /// Shares of which only one side has come: the other side is not a session of this driver, or
    /// was lost.
    pub one_sided_qty: u64,
    /// Orders that are not known to be closed.
    pub open_orders: u64,
    /// Positions that are not flat, from the executions received.
    pub positions: Vec<OpenPosition>,
    /// Intents that were not sent, because the order they name is known to be closed (or was never
    /// entered), or because their session is lost.
    pub skipped: u64,
    /// What a market-by-order file held and what became of it.
    pub recorded: Option<DbnCounts>,
    /// Deliberately bad messages that the generator made, by kind.
    pub faults_made: Vec<(FaultKind, u64)>,
    /// From the planned send to the first answer.
    pub latency_ns: LatencyNs,
    /// Since the driver connected, in ns.
    pub elapsed_ns: u64,
}

impl FlowReport {
    /// Sessions that ended before they were logged out.
    #[must_use]
    pub fn sessions_lost(&self) -> u64 {
        let lost = self.sessions.iter().filter(|s| s.lost.is_some());
        lost.count() as u64
    }

    /// Whether every message was answered as it should be, no session was lost, and at the end
    /// everything is closed and flat.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.total.unanswered == 0
            && self.total.wrong_session == 0
            && self.total.protocol_errors == 0
            && self.one_sided_qty == 0
            && self.open_orders == 0
            && self.positions.is_empty()
            && self.sessions_lost() == 0
    }

    /// Share of enters and replaces that were accepted, in parts per million, rounded down.
    #[must_use]
    pub fn accepted_ppm(&self) -> u64 {
        let accepted = u128::from(self.total.accepted + self.total.replaced);
        let sent = u128::from(self.total.orders_sent());
        // At most a million: what is accepted was sent.
        (accepted * 1_000_000).checked_div(sent).unwrap_or(0) as u64
    }

    /// One JSON object. Codes of `refused` are written as in the document, `0x0020`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let total = &self.total;
        let refused: serde_json::Map<String, Value> = total
            .refused
            .iter()
            .map(|(code, count)| (format!("0x{code:04X}"), json!(count)))
            .collect();
        let positions: Vec<Value> = self
            .positions
            .iter()
            .map(|p| json!({"account": p.account, "symbol": p.symbol, "quantity": p.quantity}))
            .collect();
        let lost: Vec<Value> = self
            .sessions
            .iter()
            .filter_map(|s| {
                let why = s.lost.as_ref()?;
                Some(json!({"user": s.user, "why": why}))
            })
            .collect();
        json!({
            "messages_sent": total.messages_sent(),
            "orders_sent": total.orders_sent(),
            "enters_sent": total.enters_sent,
            "replaces_sent": total.replaces_sent,
            "cancels_sent": total.cancels_sent,
            "resends_sent": total.resends_sent,
            "messages_received": total.messages_received,
            "accepted": total.accepted,
            "replaced": total.replaced,
            "refused": refused,
            "refused_total": total.refused_total(),
            "silent": total.silent,
            "unanswered": total.unanswered,
            "late": total.late,
            "wrong_session": total.wrong_session,
            "protocol_errors": total.protocol_errors,
            "first_fault": total.first_fault,
            "executions": total.executions,
            "executed_qty": self.executed_qty,
            "executed_qty_both_sides": total.executed_qty,
            "one_sided_qty": self.one_sided_qty,
            "canceled_qty": total.canceled_qty,
            "broken": total.broken,
            "open_orders": self.open_orders,
            "positions": positions,
            "sessions": self.sessions.len(),
            "sessions_lost": lost,
            "skipped": self.skipped,
            "faults_made": self
                .faults_made
                .iter()
                .map(|(kind, count)| (kind.name().to_owned(), json!(count)))
                .collect::<serde_json::Map<String, Value>>(),
            "latency_ns": {
                "count": self.latency_ns.count,
                "p50": self.latency_ns.p50,
                "p99": self.latency_ns.p99,
                "p999": self.latency_ns.p999,
                "p9999": self.latency_ns.p9999,
                "max": self.latency_ns.max,
            },
            "elapsed_ns": self.elapsed_ns,
        })
    }
}

impl fmt::Display for FlowReport {
    /// A table a person can read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = &self.total;
        let mut row = |name: &str, value: u64| writeln!(f, "{name:<28}{value:>14}");
        row("messages sent", total.messages_sent())?;
        row("  orders entered", total.enters_sent)?;
        row("  replaces", total.replaces_sent)?;
        row("  cancels", total.cancels_sent)?;
        row("  resends", total.resends_sent)?;
        row("messages received", total.messages_received)?;
        row("accepted", total.accepted)?;
        row("replaced", total.replaced)?;
        row("refused", total.refused_total())?;
        for (code, count) in &total.refused {
            let reason = RejectReason::from_code(*code).to_string();
            writeln!(f, "  {reason:<44}{count:>14}")?;
        }
        let mut row = |name: &str, value: u64| writeln!(f, "{name:<28}{value:>14}");
        row("silent by protocol", total.silent)?;
        row("unanswered", total.unanswered)?;
        row("wrong session", total.wrong_session)?;
        row("protocol errors", total.protocol_errors)?;
        row("traded (shares)", self.executed_qty)?;
        row("traded, one side only", self.one_sided_qty)?;
        row("open orders left", self.open_orders)?;
        row("positions left", self.positions.len() as u64)?;
        row("not sent", self.skipped)?;
        row("sessions lost", self.sessions_lost())?;
        row("latency p50 (ns)", self.latency_ns.p50)?;
        row("latency p99 (ns)", self.latency_ns.p99)?;
        row("latency p99.9 (ns)", self.latency_ns.p999)?;
        row("latency p99.99 (ns)", self.latency_ns.p9999)?;
        row("latency max (ns)", self.latency_ns.max)?;
        let share = self.accepted_ppm();
        writeln!(
            f,
            "accepted of orders sent     {:>10}.{:02} %",
            share / 10_000,
            share / 100 % 100
        )?;
        for position in &self.positions {
            writeln!(f, "not flat: {position}")?;
        }
        for session in &self.sessions {
            if let Some(why) = &session.lost {
                writeln!(f, "lost session of {}: {why}", session.user)?;
            }
        }
        if let Some(fault) = &total.first_fault {
            writeln!(f, "first fault: {fault}")?;
        }
        Ok(())
    }
}

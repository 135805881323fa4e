//! What came of a crowd: the figures, what is wrong with them, and how both are shown.
//!
//! Pure. Invariant: each thing that was promised is one line of [`Findings::violations`].

use portcullis_flow::FlowReport;
use portcullis_wire::ouch50::RejectReason;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::config;
use super::gateway::Counted;
use super::hostile::{ByKind, Fate, Figures, Kind};
use super::memory::Memory;

/// How much more memory the gateway may have asked the system for at the end than at the start:
/// explanations of refusals, and what the control thread reads and answers.
const DATA_GROWTH_MAX: u64 = 16 << 20;

/// Everything that was seen.
pub(super) struct Findings {
    pub(super) arguments: Arguments,
    /// Of those that behave.
    pub(super) behaved: FlowReport,
    pub(super) hostile: ByKind,
    pub(super) counted: Counted,
    /// When the gateway had started, when all were connected, and at the end.
    pub(super) memory: [Memory; 3],
}

impl Findings {
    /// What was promised and did not hold.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut wrong = self.wrong_of_those_that_behave();
        for (kind, figures) in &self.hostile {
            wrong.extend(wrong_of(*kind, figures));
        }
        wrong.extend(self.wrong_of_the_gateway());
        wrong
    }

    fn wrong_of_those_that_behave(&self) -> Vec<String> {
        let total = &self.behaved.total;
        let lost = self.behaved.sessions.iter().filter(|s| s.lost.is_some());
        let zeroes = [
            ("messages without an answer", total.unanswered),
            ("answers of another session", total.wrong_session),
            (
                "answers that do not fit what was sent",
                total.protocol_errors,
            ),
            ("orders refused because of others' load", self.overloaded()),
            (
                "shares traded with somebody else",
                self.behaved.one_sided_qty,
            ),
            ("connections lost", lost.count() as u64),
            ("orders left open", self.behaved.open_orders),
        ];
        let mut wrong: Vec<String> = zeroes
            .into_iter()
            .filter(|(_, count)| *count != 0)
            .map(|(what, count)| format!("those that behave: {count} {what}"))
            .collect();
        wrong.extend(total.first_fault.clone());
        wrong.extend(self.behaved.sessions.iter().find_map(|session| {
            let lost = session.lost.as_ref()?;
            Some(format!("{}: {lost}", session.user))
        }));
        if total.accepted == 0 || self.behaved.executed_qty == 0 {
            wrong.push("those that behave did not trade".into());
        }
        wrong
    }

    fn wrong_of_the_gateway(&self) -> Vec<String> {
        let [start, _, end] = self.memory;
        let bound = config::memory_bound_bytes(&self.arguments);
        let mut wrong = Vec::new();
        if end.resident_max > bound {
            wrong.push(format!(
                "the gateway's memory reached {} bytes, over the bound of {bound}",
                end.resident_max
            ));
        }
        let growth = end.data.saturating_sub(start.data);
        if growth > DATA_GROWTH_MAX {
            wrong.push(format!(
                "the gateway asked for {growth} bytes more after its start, over {DATA_GROWTH_MAX}"
            ));
        }
        // What its clients saw, by its own counters.
        let has = |wanted: Kind| self.hostile.iter().any(|(kind, _)| *kind == wanted);
        for (kind, counter) in [
            (Kind::GarbageBeforeLogon, "ended"),
            (Kind::GarbageAfterLogon, "unanswerable"),
            (Kind::NeverLogsOn, "overdue"),
            (Kind::Deaf, "lagged"),
            (Kind::Flooder, "overloaded"),
            (Kind::WrongPassword, "logins_refused"),
        ] {
            if has(kind) && self.counted.of(counter) == 0 {
                wrong.push(format!("{}: the gateway counted no {counter}", kind.name()));
            }
        }
        if self.counted.of("unencodable") != 0 {
            wrong.push("the gateway had answers that it could not encode".into());
        }
        wrong
    }

    fn overloaded(&self) -> u64 {
        let code = RejectReason::ProcessingError.code();
        let refused = &self.behaved.total.refused;
        refused.get(&code).copied().unwrap_or(0)
    }

    /// The figures for a person.
    pub(super) fn print(&self) {
        let total = &self.behaved.total;
        println!(
            "\n{} clients, {} of them hostile, {} s",
            self.arguments.sessions, self.arguments.hostile, self.arguments.seconds
        );
        println!(
            "well-behaved: {} messages, {} orders: {} accepted, {} replaced, {} refused ({} as \
             overloaded), {} unanswered, {} wrong session, {} protocol errors; {} traded",
            total.messages_sent(),
            total.orders_sent(),
            total.accepted,
            total.replaced,
            total.refused_total(),
            self.overloaded(),
            total.unanswered,
            total.wrong_session,
            total.protocol_errors,
            self.behaved.executed_qty,
        );
        let latency = &self.behaved.latency_ns;
        println!(
            "              to the first answer: p50 {} us, p99 {} us, p99.9 {} us, max {} us",
            latency.p50 / 1_000,
            latency.p99 / 1_000,
            latency.p999 / 1_000,
            latency.max / 1_000
        );
        self.print_hostile();
        self.print_gateway();
    }

    fn print_hostile(&self) {
        println!(
            "{:<22}{:>8}{:>12}{:>9}{:>10}{:>9}{:>10}{:>10}{:>11}{:>9}",
            "hostile",
            "clients",
            "connections",
            "ended",
            "logged on",
            "refused",
            "orders",
            "accepted",
            "overloaded",
            "refused"
        );
        for (kind, of) in &self.hostile {
            println!(
                "{:<22}{:>8}{:>12}{:>9}{:>10}{:>9}{:>10}{:>10}{:>11}{:>9}",
                kind.name(),
                of.clients,
                of.connections,
                of.ended,
                of.logged_on,
                of.refused_logon,
                of.orders,
                of.accepted,
                of.overloaded,
                of.refused
            );
        }
    }

    fn print_gateway(&self) {
        let counted: Vec<_> = self
            .counted
            .all()
            .iter()
            .map(|(n, c)| format!("{n} {c}"))
            .collect();
        println!("gateway: {}", counted.join(", "));
        let mib = |bytes: u64| bytes >> 20;
        let [start, connected, end] = self.memory;
        println!(
            "memory, MiB: resident {} at start, {} with all connected, {} at the end, {} at most; \
             bound {}; asked of the system {} at start, {} at the end",
            mib(start.resident),
            mib(connected.resident),
            mib(end.resident),
            mib(end.resident_max),
            mib(config::memory_bound_bytes(&self.arguments)),
            mib(start.data),
            mib(end.data),
        );
    }

    /// The figures for a program.
    pub(super) fn json(&self, violations: &[String]) -> Value {
        let total = &self.behaved.total;
        let memory = |memory: &Memory| {
            json!({
                "resident": memory.resident,
                "resident_max": memory.resident_max,
                "data": memory.data,
            })
        };
        let hostile: serde_json::Map<String, Value> = self
            .hostile
            .iter()
            .map(|(kind, figures)| (kind.name().to_owned(), json_of(figures)))
            .collect();
        let counted: serde_json::Map<String, Value> = self
            .counted
            .all()
            .iter()
            .map(|(name, count)| (name.clone(), json!(count)))
            .collect();
        let latency = &self.behaved.latency_ns;
        json!({
            "sessions": self.arguments.sessions,
            "hostile_sessions": self.arguments.hostile,
            "seconds": self.arguments.seconds,
            "messages_sent": total.messages_sent(),
            "orders_sent": total.orders_sent(),
            "accepted": total.accepted,
            "refused": total.refused_total(),
            "overloaded": self.overloaded(),
            "executed_qty": self.behaved.executed_qty,
            "unanswered": total.unanswered,
            "wrong_session": total.wrong_session,
            "protocol_errors": total.protocol_errors,
            "latency_ns": {
                "p50": latency.p50, "p99": latency.p99, "p999": latency.p999, "max": latency.max,
            },
            "hostile": hostile,
            "gateway": counted,
            "memory_bytes": {
                "bound": config::memory_bound_bytes(&self.arguments),
                "start": memory(&self.memory[0]),
                "connected": memory(&self.memory[1]),
                "end": memory(&self.memory[2]),
            },
            "violations": violations,
        })
    }
}

/// What is wrong with the fate of a kind.
fn wrong_of(kind: Kind, figures: &Figures) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut holds = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!("{}: {what} ({figures:?})", kind.name()));
        }
    };
    holds(figures.wrong == 0, "was sent what it did not ask for");
    match kind.fate() {
        Fate::Ended => holds(
            figures.ended >= figures.clients,
            "not every connection was ended",
        ),
        Fate::Served => {
            holds(figures.ended == 0, "lost its connection");
            holds(figures.unanswered() == 0, "has orders without an answer");
            holds(figures.accepted > 0, "had no order accepted");
        }
        Fate::Goes => {
            holds(figures.ended == 0, "lost its connection");
            holds(figures.logged_on > figures.clients, "could not come back");
        }
    }
    match kind {
        Kind::WrongPassword => holds(
            figures.logged_on == 0 && figures.refused_logon >= figures.ended,
            "was not told that its password is wrong",
        ),
        Kind::OneByte => holds(figures.overloaded == 0, "was refused because of others"),
        Kind::Flooder => holds(figures.overloaded > 0, "was never held back"),
        Kind::GarbageBeforeLogon
        | Kind::GarbageAfterLogon
        | Kind::NeverLogsOn
        | Kind::SilentAfterLogon
        | Kind::Deaf
        | Kind::Churner => {}
    }
    wrong
}

fn json_of(figures: &Figures) -> Value {
    json!({
        "clients": figures.clients,
        "connections": figures.connections,
        "ended": figures.ended,
        "logged_on": figures.logged_on,
        "refused_logon": figures.refused_logon,
        "orders": figures.orders,
        "accepted": figures.accepted,
        "overloaded": figures.overloaded,
        "refused": figures.refused,
        "unanswered": figures.unanswered(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        Figures {
            clients: 2,
            connections: 9,
            logged_on: 9,
            ..Figures::default()
        }
    }

    #[test]
    fn each_fate_that_does_not_come_is_told() {
        let ended = Figures {
            ended: 9,
            ..figures()
        };
        assert!(wrong_of(Kind::Deaf, &ended).is_empty());
        assert_eq!(wrong_of(Kind::Deaf, &figures()).len(), 1);
        assert_eq!(wrong_of(Kind::WrongPassword, &ended).len(), 1);
        let served = Figures {
            orders: 8,
            accepted: 5,
            overloaded: 3,
            ..figures()
        };
        assert!(wrong_of(Kind::Flooder, &served).is_empty());
        assert_eq!(wrong_of(Kind::OneByte, &served).len(), 1);
        for spoilt in [
            Figures { ended: 1, ..served },
            Figures {
                orders: 9,
                ..served
            },
            Figures { wrong: 1, ..served },
        ] {
            assert_eq!(wrong_of(Kind::Flooder, &spoilt).len(), 1);
        }
        assert!(wrong_of(Kind::Churner, &figures()).is_empty());
        assert_eq!(wrong_of(Kind::Churner, &ended).len(), 1);
    }
}

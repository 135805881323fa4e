//! What a run came to.

use super::arguments::Arguments;
use crate::survivors::{EngineFigures, Orders, Recovered, Replayed, percentile};
use serde_json::json;

/// Counts; those of what must not be are violations.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) seed: u64,
    pub(super) durability: &'static str,
    pub(super) killed_serving: u64,
    pub(super) killed_under_load: u64,
    pub(super) killed_in_recovery: u64,
    /// Lives that went on from what the one before left, and were compared with it.
    recoveries: u64,
    from_snapshot: u64,
    recovery_ms: Vec<u64>,
    pub(super) records: u64,
    pub(super) digest_mismatches: u64,
    pub(super) open_orders_left: u64,
    pub(super) lots_on_hold_left: u64,
    /// Clients that were owed something when nothing was sent any more.
    pub(super) unsettled: u64,
    /// Orders that rested at the engine when nothing was under way, and what the gateway held then.
    pub(super) resting_compared: u64,
    pub(super) holds_mismatches: u64,
    /// Without an engine of its own, nothing.
    pub(super) engine: Option<EngineFigures>,
    orders: Orders,
}

impl Figures {
    pub(super) fn of(arguments: &Arguments) -> Self {
        Self {
            seed: arguments.seed,
            durability: arguments.durability,
            ..Self::default()
        }
    }

    /// Kills so far.
    pub(super) const fn kills(&self) -> u64 {
        self.killed_serving + self.killed_in_recovery
    }

    /// Adds what an engine counted.
    pub(super) const fn take_engine(&mut self, engine: &EngineFigures) {
        match &mut self.engine {
            Some(all) => all.add(engine),
            None => self.engine = Some(*engine),
        }
    }

    /// Adds what a client found.
    pub(super) const fn take(&mut self, client: &Orders) {
        self.orders.add(client);
    }

    /// Holds what a gateway went on from against what its journal replays to.
    pub(super) fn compare(&mut self, recovered: Option<&Recovered>, before: &Replayed) {
        let Some(recovered) = recovered else {
            self.digest_mismatches += 1;
            println!("VIOLATION it began anew over a journal that replays to {before:?}");
            return;
        };
        self.recoveries += 1;
        self.from_snapshot += u64::from(recovered.from_snapshot);
        self.recovery_ms.push(recovered.took_ms);
        if recovered.digest != before.digest || recovered.state != before.state {
            self.digest_mismatches += 1;
            println!("VIOLATION recovered {recovered:?}, its journal replays to {before:?}");
        }
    }

    pub(super) fn violations(&self) -> u64 {
        let at_engine = |engine: EngineFigures| engine.enters_repeated + engine.open_orders;
        self.digest_mismatches
            + self.open_orders_left
            + self.lots_on_hold_left
            + self.unsettled
            + self.holds_mismatches
            + self.engine.map_or(0, at_engine)
            + self.orders.violations()
    }

    /// Whether nothing is wrong, and something was tried.
    pub(super) fn is_clean(&self) -> bool {
        let tried = self.killed_under_load > 0 && self.orders.answered > 0;
        // Each that was killed while it served has one behind it that serves, the last of them to the end.
        let compared = self.recoveries == self.killed_serving;
        let held = self.engine.is_none() || self.resting_compared > 0;
        tried && compared && held && self.violations() == 0
    }

    pub(super) fn print(&self) {
        println!(
            "kills      {} while serving ({} with orders under way), {} while recovering; durability {}",
            self.killed_serving, self.killed_under_load, self.killed_in_recovery, self.durability
        );
        println!(
            "recoveries {}, {} of them from a snapshot; ms p50 {}, p99 {}, max {}; other digest or state {}",
            self.recoveries,
            self.from_snapshot,
            percentile(&self.recovery_ms, 50),
            percentile(&self.recovery_ms, 99),
            percentile(&self.recovery_ms, 100),
            self.digest_mismatches
        );
        self.orders.print();
        self.print_engine();
        println!(
            "left       records {}, open orders {}, lots on hold {}, unsettled clients {}",
            self.records, self.open_orders_left, self.lots_on_hold_left, self.unsettled
        );
    }

    fn print_engine(&self) {
        let Some(engine) = &self.engine else {
            println!("engine     no engine of its own: nothing compared");
            return;
        };
        engine.print(self.resting_compared, self.holds_mismatches);
    }

    /// What an engine would have counted is null where there is none.
    pub(super) fn to_json(&self) -> String {
        let orders = &self.orders;
        let engine = self.engine.as_ref();
        json!({
            "seed": self.seed,
            "durability": self.durability,
            "kills": self.kills(),
            "killed_under_load": self.killed_under_load,
            "killed_in_recovery": self.killed_in_recovery,
            "recoveries": self.recoveries,
            "recoveries_from_snapshot": self.from_snapshot,
            "recovery_ms": {
                "p50": percentile(&self.recovery_ms, 50),
                "p99": percentile(&self.recovery_ms, 99),
                "max": percentile(&self.recovery_ms, 100),
            },
            "records": self.records,
            "orders_entered": orders.entered,
            "orders_answered": orders.answered,
            "orders_sent_again": orders.sent_again,
            "replaces": orders.replaces,
            "messages": orders.messages,
            "messages_compared": orders.compared,
            "logins": orders.logins,
            "lost": orders.lost,
            "replaces_lost": orders.replaces_lost,
            "duplicated": orders.duplicated,
            "gaps": orders.gaps,
            "changed": orders.changed,
            "foreign": orders.foreign,
            "idle": orders.idle,
            "unsettled": self.unsettled,
            "engine_orders_entered": engine.map(|engine| engine.orders_entered),
            "sent_twice": engine.map(|engine| engine.enters_repeated),
            "engine_trades": engine.map(|engine| engine.trades),
            "resting_compared": engine.map(|_| self.resting_compared),
            "holds_mismatches": engine.map(|_| self.holds_mismatches),
            "engine_open_orders_left": engine.map(|engine| engine.open_orders),
            "digest_mismatches": self.digest_mismatches,
            "open_orders_left": self.open_orders_left,
            "lots_on_hold_left": self.lots_on_hold_left,
            "clean": self.is_clean(),
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed() -> Replayed {
        Replayed {
            records: 9,
            digest: "0a".to_owned(),
            state: "0b".to_owned(),
        }
    }

    fn recovered(state: &str) -> Recovered {
        Recovered {
            digest: "0a".to_owned(),
            state: state.to_owned(),
            took_ms: 1,
            from_snapshot: true,
        }
    }

    fn clean() -> Figures {
        let orders = Orders {
            answered: 1,
            ..Orders::default()
        };
        let mut figures = Figures {
            killed_serving: 1,
            killed_under_load: 1,
            resting_compared: 1,
            engine: Some(EngineFigures::default()),
            orders,
            ..Figures::default()
        };
        figures.compare(Some(&recovered("0b")), &replayed());
        figures
    }

    #[test]
    fn it_is_clean_when_all_was_compared_and_nothing_is_wrong() {
        assert!(clean().is_clean());
        let spoilt: [fn(&mut Figures); 7] = [
            |figures| figures.unsettled = 1,
            |figures| figures.orders.idle = 1,
            |figures| figures.orders.replaces_lost = 1,
            |figures| figures.resting_compared = 0,
            |figures| figures.killed_serving = 2,
            |figures| figures.killed_under_load = 0,
            |figures| figures.compare(Some(&recovered("0c")), &replayed()),
        ];
        for spoil in spoilt {
            let mut figures = clean();
            spoil(&mut figures);
            assert!(!figures.is_clean(), "{figures:?}");
        }
    }

    #[test]
    fn one_that_begins_anew_over_a_journal_came_to_another_digest() {
        let mut figures = clean();
        figures.compare(None, &replayed());
        assert_eq!((figures.digest_mismatches, figures.recoveries), (1, 1));
    }

    #[test]
    fn without_an_engine_of_its_own_nothing_rests_there() {
        let figures = Figures {
            engine: None,
            resting_compared: 0,
            ..clean()
        };
        assert!(figures.is_clean());
        assert!(figures.to_json().contains("\"resting_compared\":null"));
    }
}

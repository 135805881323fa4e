//! What a run came to.

use super::arguments::Arguments;
use crate::survivors::{EngineFigures, Orders, percentile};
use serde_json::json;

/// Counts; those of what must not be are violations.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) seed: u64,
    pub(super) durability: &'static str,
    /// Leaders killed while orders were sent to them.
    pub(super) killed_under_load: u64,
    /// From the kill, and from the promotion's being asked for, to the first order accepted by the new leader.
    pub(super) since_kill_ms: Vec<u64>,
    pub(super) since_promotion_ms: Vec<u64>,
    pub(super) records: u64,
    pub(super) digest_mismatches: u64,
    pub(super) open_orders_left: u64,
    pub(super) lots_on_hold_left: u64,
    /// Clients that were owed something when nothing was sent any more.
    pub(super) unsettled: u64,
    /// Orders that rested at the engine when nothing was under way.
    pub(super) resting_compared: u64,
    pub(super) holds_mismatches: u64,
    pub(super) engine: EngineFigures,
    pub(super) orders: Orders,
}

impl Figures {
    pub(super) fn of(arguments: &Arguments) -> Self {
        Self {
            seed: arguments.seed,
            durability: arguments.durability,
            ..Self::default()
        }
    }

    pub(super) const fn violations(&self) -> u64 {
        self.digest_mismatches
            + self.open_orders_left
            + self.lots_on_hold_left
            + self.unsettled
            + self.holds_mismatches
            + self.engine.enters_repeated
            + self.engine.open_orders
            + self.orders.violations()
    }

    /// Whether nothing is wrong, and something was tried.
    pub(super) const fn is_clean(&self) -> bool {
        // Each of the leaders was killed while clients sent, and each was succeeded.
        let rounds = self.since_kill_ms.len() as u64;
        let tried = rounds > 0 && self.killed_under_load == rounds && self.orders.answered > 0;
        tried && self.resting_compared > 0 && self.violations() == 0
    }

    pub(super) fn print(&self) {
        let orders = &self.orders;
        println!(
            "failovers  {} ({} while clients sent), durability {}; ms to the first accepted order since the \
             kill p50 {}, max {}; since the promotion p50 {}, max {}",
            self.since_kill_ms.len(),
            self.killed_under_load,
            self.durability,
            percentile(&self.since_kill_ms, 50),
            percentile(&self.since_kill_ms, 100),
            percentile(&self.since_promotion_ms, 50),
            percentile(&self.since_promotion_ms, 100),
        );
        orders.print();
        self.engine
            .print(self.resting_compared, self.holds_mismatches);
        println!(
            "left       records {}, open orders {}, lots on hold {}, other digest {}, unsettled clients {}",
            self.records,
            self.open_orders_left,
            self.lots_on_hold_left,
            self.digest_mismatches,
            self.unsettled
        );
    }

    pub(super) fn to_json(&self) -> String {
        let orders = &self.orders;
        json!({
            "seed": self.seed,
            "durability": self.durability,
            "failovers": self.since_kill_ms.len(),
            "killed_under_load": self.killed_under_load,
            "since_kill_ms": {
                "p50": percentile(&self.since_kill_ms, 50),
                "max": percentile(&self.since_kill_ms, 100),
            },
            "since_promotion_ms": {
                "p50": percentile(&self.since_promotion_ms, 50),
                "max": percentile(&self.since_promotion_ms, 100),
            },
            "orders_entered": orders.entered,
            "orders_answered": orders.answered,
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
            "engine_orders_entered": self.engine.orders_entered,
            "sent_twice": self.engine.enters_repeated,
            "resting_compared": self.resting_compared,
            "holds_mismatches": self.holds_mismatches,
            "engine_open_orders_left": self.engine.open_orders,
            "digest_mismatches": self.digest_mismatches,
            "open_orders_left": self.open_orders_left,
            "lots_on_hold_left": self.lots_on_hold_left,
            "records": self.records,
            "clean": self.is_clean(),
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_clean_when_something_was_tried_and_nothing_is_wrong() {
        let orders = Orders {
            answered: 1,
            ..Orders::default()
        };
        let clean = Figures {
            killed_under_load: 1,
            since_kill_ms: vec![80],
            resting_compared: 1,
            orders,
            ..Figures::default()
        };
        assert!(clean.is_clean());
        let spoilt: [fn(&mut Figures); 6] = [
            |figures| figures.unsettled = 1,
            |figures| figures.orders.idle = 1,
            |figures| figures.orders.replaces_lost = 1,
            |figures| figures.resting_compared = 0,
            |figures| figures.killed_under_load = 0,
            |figures| figures.since_kill_ms.push(90),
        ];
        for spoil in spoilt {
            let mut figures = clean.clone();
            spoil(&mut figures);
            assert!(!figures.is_clean(), "{figures:?}");
        }
    }
}

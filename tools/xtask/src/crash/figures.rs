//! What a run came to.

use super::arguments::Arguments;
use crate::survivors::{EngineFigures, Orders};
use serde_json::json;

/// Counts; those of what must not be are violations.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) seed: u64,
    pub(super) durability: &'static str,
    pub(super) killed_serving: u64,
    pub(super) killed_under_load: u64,
    pub(super) killed_in_recovery: u64,
    pub(super) recoveries: u64,
    pub(super) from_snapshot: u64,
    pub(super) recovery_ms: Vec<u64>,
    pub(super) records: u64,
    pub(super) digest_mismatches: u64,
    pub(super) open_orders_left: u64,
    pub(super) lots_on_hold_left: u64,
    /// Orders that rested at the engine when nothing was under way, and what the gateway held then.
    pub(super) resting_compared: u64,
    pub(super) holds_mismatches: u64,
    /// Without an engine of its own, nothing.
    pub(super) engine: EngineFigures,
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

    /// Adds what a client found.
    pub(super) const fn take(&mut self, client: &Orders) {
        self.orders.add(client);
    }

    pub(super) const fn violations(&self) -> u64 {
        self.digest_mismatches
            + self.open_orders_left
            + self.lots_on_hold_left
            + self.holds_mismatches
            + self.engine.enters_repeated
            + self.engine.open_orders
            + self.orders.violations()
    }

    /// Whether nothing is wrong, and something was tried.
    pub(super) const fn is_clean(&self) -> bool {
        let tried = self.killed_under_load > 0 && self.orders.answered > 0 && self.recoveries > 0;
        tried && self.violations() == 0
    }

    fn recovery_ms_at(&self, percent: usize) -> u64 {
        let mut sorted = self.recovery_ms.clone();
        sorted.sort_unstable();
        let place = sorted.len().saturating_sub(1) * percent / 100;
        sorted.get(place).copied().unwrap_or(0)
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
            self.recovery_ms_at(50),
            self.recovery_ms_at(99),
            self.recovery_ms_at(100),
            self.digest_mismatches
        );
        self.orders.print();
        let engine = &self.engine;
        println!(
            "engine     entered {}, entered twice {}, trades {}; at rest {} orders, other holds {}",
            engine.orders_entered,
            engine.enters_repeated,
            engine.trades,
            self.resting_compared,
            self.holds_mismatches
        );
        println!(
            "left       records {}, open orders {}, lots on hold {}",
            self.records, self.open_orders_left, self.lots_on_hold_left
        );
    }

    pub(super) fn to_json(&self) -> String {
        let orders = &self.orders;
        json!({
            "seed": self.seed,
            "durability": self.durability,
            "kills": self.killed_serving + self.killed_in_recovery,
            "killed_under_load": self.killed_under_load,
            "killed_in_recovery": self.killed_in_recovery,
            "recoveries": self.recoveries,
            "recoveries_from_snapshot": self.from_snapshot,
            "recovery_ms": {
                "p50": self.recovery_ms_at(50),
                "p99": self.recovery_ms_at(99),
                "max": self.recovery_ms_at(100),
            },
            "records": self.records,
            "orders_entered": orders.entered,
            "orders_answered": orders.answered,
            "orders_sent_again": orders.sent_again,
            "messages": orders.messages,
            "messages_compared": orders.compared,
            "logins": orders.logins,
            "lost": orders.lost,
            "duplicated": orders.duplicated,
            "gaps": orders.gaps,
            "changed": orders.changed,
            "foreign": orders.foreign,
            "engine_orders_entered": self.engine.orders_entered,
            "sent_twice": self.engine.enters_repeated,
            "engine_trades": self.engine.trades,
            "resting_compared": self.resting_compared,
            "holds_mismatches": self.holds_mismatches,
            "engine_open_orders_left": self.engine.open_orders,
            "digest_mismatches": self.digest_mismatches,
            "open_orders_left": self.open_orders_left,
            "lots_on_hold_left": self.lots_on_hold_left,
            "clean": self.is_clean(),
        })
        .to_string()
    }
}

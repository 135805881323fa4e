//! What a run came to.

use super::arguments::Arguments;
use crate::survivors::{EngineFigures, Orders};
use serde_json::json;

/// Counts; those of what must not be are violations.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) seed: u64,
    pub(super) durability: &'static str,
    /// From the kill, and from the promotion's being asked for, to the first order accepted by the new leader.
    pub(super) since_kill_ms: Vec<u64>,
    pub(super) since_promotion_ms: Vec<u64>,
    pub(super) records: u64,
    pub(super) digest_mismatches: u64,
    pub(super) open_orders_left: u64,
    pub(super) lots_on_hold_left: u64,
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
            + self.holds_mismatches
            + self.engine.enters_repeated
            + self.engine.open_orders
            + self.orders.violations()
    }

    /// Whether nothing is wrong, and something was tried.
    pub(super) const fn is_clean(&self) -> bool {
        !self.since_kill_ms.is_empty() && self.orders.answered > 0 && self.violations() == 0
    }

    pub(super) fn print(&self) {
        let orders = &self.orders;
        println!(
            "failovers  {}, durability {}; ms to the first accepted order since the kill p50 {}, max {}; since the \
             promotion p50 {}, max {}",
            self.since_kill_ms.len(),
            self.durability,
            at(&self.since_kill_ms, 50),
            at(&self.since_kill_ms, 100),
            at(&self.since_promotion_ms, 50),
            at(&self.since_promotion_ms, 100),
        );
        orders.print();
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
            "left       records {}, open orders {}, lots on hold {}, other digest {}",
            self.records, self.open_orders_left, self.lots_on_hold_left, self.digest_mismatches
        );
    }

    pub(super) fn to_json(&self) -> String {
        let orders = &self.orders;
        json!({
            "seed": self.seed,
            "durability": self.durability,
            "failovers": self.since_kill_ms.len(),
            "since_kill_ms": { "p50": at(&self.since_kill_ms, 50), "max": at(&self.since_kill_ms, 100) },
            "since_promotion_ms": {
                "p50": at(&self.since_promotion_ms, 50),
                "max": at(&self.since_promotion_ms, 100),
            },
            "orders_entered": orders.entered,
            "orders_answered": orders.answered,
            "messages": orders.messages,
            "messages_compared": orders.compared,
            "lost": orders.lost,
            "duplicated": orders.duplicated,
            "gaps": orders.gaps,
            "changed": orders.changed,
            "foreign": orders.foreign,
            "engine_orders_entered": self.engine.orders_entered,
            "sent_twice": self.engine.enters_repeated,
            "resting_compared": self.resting_compared,
            "holds_mismatches": self.holds_mismatches,
            "digest_mismatches": self.digest_mismatches,
            "open_orders_left": self.open_orders_left,
            "lots_on_hold_left": self.lots_on_hold_left,
            "records": self.records,
            "clean": self.is_clean(),
        })
        .to_string()
    }
}

fn at(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let place = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(place).copied().unwrap_or(0)
}

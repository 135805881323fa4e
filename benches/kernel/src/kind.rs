//! A market for each check of the registry in which orders are refused for it, and nothing else happens.
//!
//! One thread. Invariant: an order of a kind is refused, and has the kind's check as its primary reason,
//! or the last check of its market fails.

use crate::limits::{Shape, limits, usual};
use crate::market::{Market, ORDERS_MAX};
use portcullis_bench_market::Ground;
use portcullis_bench_market::case::{self, ACCOUNTS, Case};
use portcullis_domain::Record;
use portcullis_risk_core::Capacities;
use portcullis_risk_core::checks::{Descriptor, REGISTRY};

/// Order slots where all must be taken: an account can pay for as many.
const SLOTS_FEW: u32 = 64;

/// One check, and the market in which orders fail it.
pub struct Kind {
    /// Where.
    pub market: Market,
    case: Case,
}

impl Kind {
    /// Every check of the registry, in its order.
    ///
    /// # Errors
    /// If a market does not load, in words.
    pub fn all() -> Result<Vec<Self>, String> {
        REGISTRY.iter().map(Self::new).collect()
    }

    /// A market in which orders fail a check.
    ///
    /// # Errors
    /// If it does not load, in words.
    pub fn new(check: &'static Descriptor) -> Result<Self, String> {
        let most = Shape::of(1_000);
        let shape = match check.name {
            // A slot without a position is given to whoever needs one.
            "POSITIONS_FULL" => Shape {
                held: most.traded,
                ..most
            },
            _ => most,
        };
        let mut spec = limits(&shape);
        let mut case = case::add(check, &mut spec, &usual(&shape));
        let mut market = Market::with(shape, &spec, capacities(check.name, &shape))?;
        case.set_up(&mut market);
        if check.name == "ORDERS_FULL" {
            for _ in 0..SLOTS_FEW {
                let order = case.order(&mut market);
                market.rest(order);
            }
        }
        Ok(Self { market, case })
    }

    /// Its check.
    #[must_use]
    pub const fn check(&self) -> &'static Descriptor {
        self.case.check
    }

    /// Makes the next orders, all of which must be refused for this check.
    pub fn prepare(&mut self, batch: &mut [Record]) {
        for slot in batch.iter_mut() {
            *slot = self.market.next_of_case(&self.case);
        }
    }

    /// Refusals of which the check was the primary reason.
    #[must_use]
    pub fn primary(&self) -> u64 {
        self.market.core.counters().primary[usize::from(self.check().number)]
    }

    /// Holds the final state against what was sent.
    ///
    /// # Errors
    /// The first figure that is not as it must be, in words.
    pub fn verify(&self) -> Result<(), String> {
        let (name, primary) = (self.check().name, self.primary());
        let refusals = self.market.refusals;
        if primary != refusals {
            return Err(format!(
                "{name}: primary reason of {primary} refusals, must be of {refusals}"
            ));
        }
        self.market.check().map_err(|why| format!("{name}: {why}"))
    }
}

/// Room for all, but where there must be none.
fn capacities(name: &str, shape: &Shape) -> Capacities {
    let all = shape.accounts * shape.traded;
    Capacities {
        orders_max: if name == "ORDERS_FULL" {
            SLOTS_FEW
        } else {
            ORDERS_MAX
        },
        orders_reserved_per_account: 0,
        positions_max: if name == "POSITIONS_FULL" {
            all
        } else {
            all + ACCOUNTS
        },
        ..Capacities::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::apply_all;
    use portcullis_domain::Command;

    #[test]
    fn each_check_of_the_registry_is_the_primary_reason_of_all_orders_of_its_kind() {
        for check in REGISTRY {
            let mut kind = Kind::new(check).expect("it loads");
            let mut batch = [Record::bare(Command::Tick.encode()); 64];
            for _ in 0..2 {
                kind.prepare(&mut batch);
                apply_all(&mut kind.market, &batch);
            }
            assert_eq!(kind.verify(), Ok(()));
            assert_eq!(kind.primary(), 128, "{}", check.name);
            let counters = kind.market.core.counters();
            assert_eq!(
                counters.failing.iter().sum::<u64>(),
                128,
                "{} fails alone",
                check.name
            );
        }
    }

    #[test]
    fn a_refusal_for_another_reason_is_noticed() {
        let margin = REGISTRY.iter().find(|check| check.name == "MARGIN");
        let mut kind = Kind::new(margin.expect("it is there")).expect("it loads");
        kind.market.deposit(kind.case.account, 5_000_000);
        let mut batch = [Record::bare(Command::Tick.encode()); 4];
        kind.prepare(&mut batch);
        apply_all(&mut kind.market, &batch);
        let why = kind.verify().expect_err("the orders were accepted");
        assert_eq!(why, "MARGIN: primary reason of 0 refusals, must be of 4");
    }
}

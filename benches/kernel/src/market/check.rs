//! What was sent against what the core says of it and what it holds now.
//!
//! On the measuring thread, when all was measured. Invariant: a core that decides nothing, values nothing or keeps no price
//! does not come out of it as one that did.

use super::Market;
use portcullis_domain::InstrumentId;

impl Market {
    /// Holds what was sent against what the core says of it and what it holds now.
    ///
    /// # Errors
    /// The first figure that is not as it must be, in words.
    pub fn check(&self) -> Result<(), String> {
        let counters = self.core.counters();
        let same = [
            ("approved", self.tally.approved, self.sent + self.cancels),
            ("orders accepted", counters.accepted, self.sent),
            ("orders refused", counters.refused, self.refusals),
            ("refusals told", self.tally.refused, self.refusals),
            ("reports passed on", self.tally.reported, self.reports),
            (
                "orders answered",
                self.reports - self.leaving_open + self.rests + self.unanswered,
                self.sent,
            ),
            ("lots executed", counters.executed_qty, self.executed_lots),
            ("controls answered", self.tally.controlled, self.controls),
            ("unexpected effects", self.tally.unexpected, 0),
            ("alarms", counters.alarms, self.poor.into()),
            ("open orders", self.core.open_orders() as u64, self.rests),
            ("commands applied", counters.commands, self.seq),
        ];
        if let Some((what, is, must)) = same.into_iter().find(|(_, is, must)| is != must) {
            return Err(format!("{what}: {is}, must be {must}"));
        }
        self.check_prices()?;
        match self.core.conservation_error() {
            _ if counters.fees != self.fees => Err(format!(
                "{} quanta of fees, must be {}",
                counters.fees, self.fees
            )),
            0 => Ok(()),
            missing => Err(format!("{missing} quanta are missing from the books")),
        }
    }

    /// Holds the references that the core values at against those that were sent last.
    fn check_prices(&self) -> Result<(), String> {
        for (instrument, must) in self.references.iter().enumerate() {
            let view = self.core.instrument(InstrumentId::new(instrument as u32));
            let is = view.and_then(|view| view.reference);
            if is != *must {
                return Err(format!(
                    "the reference price of instrument {instrument}: {is:?}, must be {must:?}"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Shape, limits};
    use crate::load::{Accounts, Choice};
    use portcullis_bench_market::{Ground, PRICE_START};
    use portcullis_domain::{Command, Record, Scope, StateChange, TradingState};
    use portcullis_risk_core::Capacities;

    #[test]
    fn orders_that_are_refused_or_stay_open_fail_the_check() {
        let accounts = Accounts::new(Choice::Uniform, 10);
        let mut batch = [Record::bare(Command::Tick.encode()); 4];
        let mut market = Market::new(Shape::of(10)).expect("it loads");
        assert_eq!(market.check(), Ok(()));
        market.prepare(&accounts, &mut batch);
        let unsent = market.check().expect_err("no order was applied");
        assert_eq!(unsent, "approved: 60, must be 64");
        for record in &batch {
            market.core.apply(record, &mut market.tally);
        }
        assert!(market.check().is_err(), "four orders are open");
        market.cancel_all(&batch);
        assert_eq!(market.check(), Ok(()));
        market.control(Command::SetState(StateChange {
            scope: Scope::Venue,
            state: TradingState::Halted,
            cancel: false,
        }));
        market.prepare(&accounts, &mut batch);
        for record in &batch {
            market.core.apply(record, &mut market.tally);
        }
        assert!(market.check().is_err(), "four orders were refused");
    }

    #[test]
    fn a_price_that_the_core_does_not_know_fails_the_check() {
        let mut market = Market::new(Shape::of(10)).expect("it loads");
        market.references[3] = Some(1);
        let unknown = market.check().expect_err("it was not sent");
        assert!(
            unknown.starts_with("the reference price of instrument 3: Some("),
            "{unknown}"
        );
    }

    #[test]
    fn a_poor_account_is_found_by_the_first_valuation() {
        let shape = Shape {
            traded: 1,
            held: 1,
            ..Shape::of(10)
        };
        let capacities = Capacities::default();
        let mut market = Market::bare(shape, &limits(&shape), capacities).expect("it loads");
        for instrument in 0..shape.instruments {
            market.publish(instrument, PRICE_START);
        }
        market.endow_poor(0);
        let unfound = market.check().expect_err("nobody valued it");
        assert_eq!(unfound, "alarms: 0, must be 1");
        market.control(Command::ValueAccounts);
        while market.core.work_pending() {
            let tick = market.record(Command::Tick);
            market.core.apply(&tick, &mut market.tally);
        }
        assert_eq!(market.core.counters().alarms, 1);
    }
}

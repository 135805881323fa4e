//! A transfer needs a slot for each of its two positions.
//!
//! One thread, a core of its own with few slots.

use super::config;
use super::prng::Prng;
use super::spec::limit_spec;
use portcullis_domain::{
    AccountId, AccountMove, Command, HashSeed, InstrumentId, PositionMove, Price, Qty, Record,
};
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{Capacities, ControlRefusal, Done, Effect, EffectSink, RiskCore};

#[derive(Default)]
struct Outcomes(Vec<Result<Done, ControlRefusal>>);

impl EffectSink for Outcomes {
    fn on_effect(&mut self, effect: Effect) {
        if let Effect::Controlled(outcome) = effect {
            self.0.push(outcome.result);
        }
    }
}

/// A transfer in a core with so many slots: its outcome, and the lots of both accounts after it.
fn transfer(slots: u32) -> (Result<Done, ControlRefusal>, [i64; 2]) {
    let (config, starts) = config::random(&mut Prng::new(3));
    let spec = limit_spec(&config).expect("random limits are well formed");
    let table = LimitTable::build(&spec).expect("and load");
    let capacities = Capacities {
        positions_max: slots,
        ..Capacities::default()
    };
    let mut core = RiskCore::new(&capacities, table, HashSeed::FIXED).expect("the capacities do");
    let [to, from] = [0, 1].map(AccountId::new);
    let instrument = InstrumentId::new(0);
    let command = Command::MovePosition(AccountMove {
        account: to,
        counterparty: from,
        instrument,
        qty: Qty::new(5),
        price: Price::new(starts[0]),
        kind: PositionMove::Transfer,
    });
    let mut record = Record::bare(command.encode());
    record.head.seq = 1;
    let mut outcomes = Outcomes::default();
    core.apply(&record, &mut outcomes);
    let lots = [to, from].map(|account| core.position(account, instrument).net);
    (outcomes.0[0], lots)
}

#[test]
fn with_one_slot_nothing_moves() {
    assert_eq!(transfer(1), (Err(ControlRefusal::TableFull), [0, 0]));
}

#[test]
fn with_two_slots_both_sides_move() {
    assert_eq!(transfer(2), (Ok(Done::Applied), [5, -5]));
}

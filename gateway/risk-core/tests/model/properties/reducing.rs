//! Law 4: whatever the rules, some order that reduces the position passes.
//!
//! Owned by a test. Rule sets are drawn from the tables of fields themselves, ends of the ranges
//! and unset cells included; those that do not load are left out. Invariant: the account holds a
//! position, nothing rests, no scope is Halted or CancelOnly, and its rates have recovered.

use super::{Answer, Config, LimitSpec, LimitTable, Machine, Op, OrderOp, Prng, flip};
use crate::brute_force;
use crate::driver::CoreMachine;
use portcullis_domain::{
    AccountId, AccountMove, Command, InstrumentId, PositionMove, Price, Qty, Scope, Side,
    StateChange, TradingState,
};
use portcullis_risk_core::limits::FieldDescriptor;
use portcullis_risk_core::limits::account::ACCOUNT_FIELDS;
use portcullis_risk_core::limits::firm::FIRM_FIELDS;
use portcullis_risk_core::limits::instrument::{INSTRUMENT_FIELDS, InstrumentField};
use portcullis_risk_core::limits::session::SESSION_FIELDS;

const RULE_SETS: u64 = 20_000;
const SECOND: u64 = 1_000_000_000;
/// Past the longest interval a rate may have, times the largest burst.
const RECOVERED: u64 = 2_000_000 * SECOND;

/// A value for a cell: an end of its range, unset, small, or anything between.
fn cell(prng: &mut Prng, field: &FieldDescriptor) -> i64 {
    let unset = if field.required { field.max } else { i64::MIN };
    let small = field
        .min
        .saturating_add(prng.between(0, 100))
        .min(field.max);
    let any = prng.between(field.min, field.max);
    prng.pick(&[
        field.min, field.min, field.max, unset, small, small, small, any,
    ])
}

/// A random rule set of one account and two instruments that loads.
fn random_rules(prng: &mut Prng, base: &LimitSpec) -> Option<LimitSpec> {
    let mut spec = base.clone();
    for (number, field) in ACCOUNT_FIELDS.iter().enumerate() {
        assert!(spec.rows[0].cells.set_by_number(number, cell(prng, field)));
    }
    for instrument in &mut spec.instruments {
        // What a lot is worth does not change under a position.
        let value = InstrumentField::TickLotValue as usize;
        for (number, field) in INSTRUMENT_FIELDS
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != value)
        {
            assert!(instrument.cells.set_by_number(number, cell(prng, field)));
        }
    }
    for (number, field) in FIRM_FIELDS.iter().enumerate() {
        assert!(spec.firms[0].cells.set_by_number(number, cell(prng, field)));
    }
    for (number, field) in SESSION_FIELDS.iter().enumerate() {
        assert!(
            spec.sessions[0]
                .cells
                .set_by_number(number, cell(prng, field))
        );
    }
    // Permitted, restricted: neither binds what reduces.
    for set in &mut spec.instrument_sets {
        let all = [InstrumentId::new(0), InstrumentId::new(1)];
        set.clear();
        set.extend(all.into_iter().filter(|_| prng.one_in(2)));
    }
    LimitTable::build(&spec).is_ok().then_some(spec)
}

#[test]
fn whatever_rules_load_one_lot_that_reduces_passes() {
    let config = brute_force::wide(&mut Prng::new(1), 2);
    let base = super::limit_spec(&config).expect("well formed");
    let mut tried = 0;
    for seed in 0..RULE_SETS {
        let mut prng = Prng::new(seed);
        let Some(spec) = random_rules(&mut prng, &base) else {
            continue;
        };
        tried += 1;
        one_lot_passes(seed, &mut prng, &config, &spec);
    }
    assert!(
        tried > 200,
        "only {tried} of {RULE_SETS} random rule sets load"
    );
}

fn one_lot_passes(seed: u64, prng: &mut Prng, config: &Config, spec: &LimitSpec) {
    let mut machine = CoreMachine::new(config, 16).expect("the wide limits load");
    let price = prng.between(1, 1_000);
    let long = prng.one_in(2);
    for instrument in 0..2 {
        let _ = machine.apply(SECOND, &Op::Reference { instrument, price });
        let lots = prng.between(1, 5);
        let _ = machine.send(Command::MovePosition(AccountMove {
            kind: PositionMove::Opening,
            account: AccountId::new(0),
            instrument: InstrumentId::new(instrument),
            qty: Qty::new(if long { lots } else { -lots }),
            price: Price::new(price),
            counterparty: AccountId::NONE,
        }));
    }
    flip(&mut machine, spec);
    let scope = prng.pick(&[
        Scope::Venue,
        Scope::Account(AccountId::new(0)),
        Scope::Instrument(InstrumentId::new(0)),
    ]);
    let state = TradingState::ReduceOnly;
    let _ = machine.send(Command::SetState(StateChange {
        scope,
        state,
        cancel: false,
    }));
    let side = if long { Side::Sell } else { Side::Buy };
    let price_max = spec.instruments[0]
        .cells
        .cell(InstrumentField::PriceMax)
        .value();
    let price = price.min(price_max.expect("a required field"));
    // The collar of the new rules, around a price they allow.
    let _ = machine.apply(
        RECOVERED,
        &Op::Reference {
            instrument: 0,
            price,
        },
    );
    let order = OrderOp {
        account: 0,
        instrument: 0,
        id: 1,
        side,
        qty: 1,
        price: Some(price),
    };
    let net = machine
        .core
        .position(AccountId::new(0), InstrumentId::new(0))
        .net;
    assert!(
        if long { net > 0 } else { net < 0 },
        "seed {seed}: the position was not taken"
    );
    let answer = machine.apply(RECOVERED, &Op::Order(order));
    assert_eq!(
        answer,
        Answer::Judged(Vec::new()),
        "seed {seed}: {order:?} under {spec:?}"
    );
}

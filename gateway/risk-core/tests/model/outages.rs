//! The journal's link and the restart ladder: what they bind, what is said, what comes back.
//!
//! Owned by a test.

use super::brute_force::wide;
use super::driver::CoreMachine;
use super::op::{Answer, Machine, Op, OrderOp, ReplaceOp, Word};
use super::prng::Prng;
use portcullis_domain::{Command, Scope, SessionId, Side, StateChange, TradingState};
use portcullis_risk_core::{AlarmKind, ControlOutcome, Done, Effect};

/// A machine with one order resting, number 2.
fn machine() -> CoreMachine {
    let config = wide(&mut Prng::new(0), 1);
    let mut machine = CoreMachine::new(&config, 100).expect("the limits load");
    let (account, instrument) = (0, 0);
    for op in [
        Op::Deposit {
            account,
            amount: 1 << 40,
        },
        Op::Reference {
            instrument,
            price: 1_000,
        },
    ] {
        assert_eq!(machine.apply(1, &op), Answer::Word(Word::Ok));
    }
    assert_eq!(machine.apply(1, &order(2)), Answer::Judged(Vec::new()));
    machine
}

fn order(id: u32) -> Op {
    Op::Order(OrderOp {
        account: 0,
        instrument: 0,
        id,
        side: Side::Buy,
        qty: 5,
        price: Some(1_000),
    })
}

fn replace(id: u32) -> Op {
    Op::Replace(ReplaceOp {
        original: 2,
        id,
        qty: 5,
        price: Some(1_000),
    })
}

fn refused(by: &str) -> Answer {
    Answer::Judged(vec![by.to_string()])
}

#[test]
fn without_a_journal_orders_and_replaces_are_refused_and_cancels_and_reports_pass() {
    let mut machine = machine();
    assert!(machine.core.journal_up());
    machine.apply(2, &Op::Journal { up: false });
    assert!(!machine.core.journal_up());
    assert_eq!(machine.apply(2, &order(3)), refused("JOURNAL_DOWN"));
    assert_eq!(machine.apply(2, &replace(4)), refused("JOURNAL_DOWN"));
    let cancel = machine.apply(2, &Op::Cancel { id: 2 });
    assert_eq!(cancel, Answer::Word(Word::Forwarded));
    let fill = Op::Fill {
        id: 2,
        qty: 3,
        price: 1_000,
    };
    assert_eq!(machine.apply(2, &fill), Answer::Word(Word::Ok));
    // A reducing order is one too.
    let reducing = Op::Order(OrderOp {
        account: 0,
        instrument: 0,
        id: 5,
        side: Side::Sell,
        qty: 1,
        price: Some(1_000),
    });
    assert_eq!(machine.apply(2, &reducing), refused("JOURNAL_DOWN"));
    machine.apply(2, &Op::Journal { up: true });
    assert_eq!(machine.apply(2, &order(6)), Answer::Judged(Vec::new()));
}

/// What a restart command says, and the venue's state that it tells of, if any.
fn restart(machine: &mut CoreMachine, state: TradingState) -> Option<TradingState> {
    told(machine.send(Command::Restart { state }))
}

fn set(machine: &mut CoreMachine, state: TradingState) -> Option<TradingState> {
    told(machine.send(Command::SetState(StateChange {
        scope: Scope::Venue,
        state,
        cancel: false,
    })))
}

fn told(effects: &[Effect]) -> Option<TradingState> {
    let applied = Effect::Controlled(ControlOutcome {
        request: 0,
        result: Ok(Done::Applied),
    });
    assert_eq!(effects.last(), Some(&applied));
    match effects {
        [Effect::StateChanged { scope, state }, _] => {
            assert_eq!(*scope, Scope::Venue);
            Some(*state)
        }
        [_] => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_stricter_of_venue_and_restart_counts_and_is_told_when_it_changes() {
    use TradingState::{Active, CancelOnly, Halted, ReduceOnly};
    let mut machine = machine();
    assert_eq!(restart(&mut machine, CancelOnly), Some(CancelOnly));
    assert_eq!(machine.core.restart_state(), CancelOnly);
    assert_eq!(machine.core.venue_state(), Active);
    assert_eq!(machine.apply(2, &order(3)), refused("STATE_HALTED"));
    let withdraw = Op::Withdraw {
        account: 0,
        amount: 1,
    };
    assert_eq!(machine.apply(2, &withdraw), Answer::Word(Word::Refused));
    assert_eq!(set(&mut machine, ReduceOnly), Some(CancelOnly));
    assert_eq!(restart(&mut machine, Active), Some(ReduceOnly));
    assert_eq!(machine.apply(2, &order(4)), refused("STATE_REDUCE_ONLY"));
    assert_eq!(restart(&mut machine, ReduceOnly), None);
    assert_eq!(set(&mut machine, Active), Some(ReduceOnly));
    assert_eq!(set(&mut machine, Halted), Some(Halted));
    assert_eq!(restart(&mut machine, Active), None);
    assert_eq!(set(&mut machine, Active), Some(Active));
    assert_eq!(machine.apply(2, &withdraw), Answer::Word(Word::Ok));
    assert_eq!(machine.apply(2, &order(5)), Answer::Judged(Vec::new()));
}

#[test]
fn both_stand_in_the_state_hash() {
    let hash = |command: Command| {
        let mut machine = machine();
        machine.send(command);
        machine.core.state_hash()
    };
    let state = TradingState::ReduceOnly;
    let commands = [
        Command::JournalLink { up: true },
        Command::JournalLink { up: false },
        Command::Restart { state },
        Command::SetState(StateChange {
            scope: Scope::Venue,
            state,
            cancel: false,
        }),
    ];
    let hashes = commands.map(hash);
    let distinct: std::collections::BTreeSet<u64> = hashes.into();
    assert_eq!(distinct.len(), commands.len());
    // What the engine's number was is no part of it.
    let (session, sequence) = (SessionId::new(0), 9);
    assert_eq!(
        hash(Command::VenueSequence { session, sequence }),
        hashes[0]
    );
}

#[test]
fn a_sequence_number_of_the_engine_has_no_effect_but_of_an_unknown_session() {
    let mut machine = machine();
    let sequence = 7;
    let session = SessionId::new(0);
    let known = Command::VenueSequence { session, sequence };
    assert!(machine.send(known).is_empty());
    let session = SessionId::new(1);
    let unknown = machine.send(Command::VenueSequence { session, sequence });
    let [Effect::Alarmed(alarm)] = unknown else {
        panic!("{unknown:?}");
    };
    assert_eq!(alarm.kind, AlarmKind::RecordInvalid);
}

/// Before a restart opens anything, each position has a fresh price: a short one too, where nobody here
/// has the long side, and an order that only rests needs none.
#[test]
fn a_position_of_either_sign_waits_for_a_fresh_price() {
    let config = wide(&mut Prng::new(0), 4);
    let mut machine = CoreMachine::new(&config, 100).expect("the limits load");
    let deposit = Op::Deposit {
        account: 0,
        amount: 1 << 40,
    };
    machine.apply(1, &deposit);
    let trades = [Some(Side::Buy), Some(Side::Sell), None, Some(Side::Sell)];
    for (instrument, filled) in (0..).zip(trades) {
        let price = 1_000;
        machine.apply(1, &Op::Reference { instrument, price });
        let (id, side) = (instrument + 2, filled.unwrap_or(Side::Sell));
        let (account, qty) = (0, 5);
        let order = Op::Order(OrderOp {
            account,
            instrument,
            id,
            side,
            qty,
            price: Some(price),
        });
        assert_eq!(machine.apply(1, &order), Answer::Judged(Vec::new()));
        if filled.is_some() {
            let fill = machine.apply(1, &Op::Fill { id, qty, price });
            assert_eq!(fill, Answer::Word(Word::Ok));
        }
    }
    assert!(machine.core.readiness().has_prices());
    let later = 1 << 61;
    machine.apply(later, &deposit);
    assert_eq!(machine.core.readiness().references_stale, 3);
    for (instrument, left) in [(2, 3), (0, 2), (1, 1), (3, 0)] {
        let price = 1_001;
        machine.apply(later, &Op::Reference { instrument, price });
        assert_eq!(machine.core.readiness().references_stale, left);
    }
    assert!(machine.core.readiness().has_prices());
}

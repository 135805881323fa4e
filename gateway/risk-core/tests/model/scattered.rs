//! Orders whose client picked their numbers to lie on each other.
//!
//! Owned by a test. Cores with seeds of their own get one log; the numbers are picked for one of them, as if
//! its seed were known. Each says, hashes and saves the same; only that one has to search.

use super::brute_force::wide;
use super::driver::CoreMachine;
use super::op::{Answer, Config, Machine, Op, OrderOp, ReplaceOp, Word};
use super::prng::Prng;
use super::spec::limit_spec;
use portcullis_domain::{
    AccountId, Command, HashSeed, Money, OrderKey, Price, Qty, ReportKind, Scope, SessionId, Side,
    StateChange, TradingState, UserRef, VenueReport,
};
use portcullis_risk_core::Capacities;

const ORDERS: usize = 900;

/// Room for as many as are picked. The table of numbers then has 2,048 lines: so that two a slot, and those past, take
/// three quarters of their entries at the most.
const CAPACITIES: Capacities = Capacities {
    accounts_max: 1,
    instruments_max: 1,
    firms_max: 1,
    sessions_max: 1,
    orders_max: 1_023,
    orders_reserved_per_account: 4,
    positions_max: 1,
    past_versions_max: 2,
    executions_max: 16,
    disputes_max: 16,
    sweeps_max: 16,
};
const LINES: u32 = 2_048;

/// The first numbers of runs of four, in order, that are put into one line by the seed that everybody knows: eight
/// runs have lines side by side.
fn picked() -> Vec<u32> {
    let line = |number: &u32| {
        let run = OrderKey::new(SessionId::new(0), UserRef::new(*number)).raw() / 4;
        HashSeed::FIXED.scatter(run / 8) >> (64 - LINES.trailing_zeros()) ^ (run % 8)
    };
    let numbers = (4..u32::MAX).step_by(4);
    let picked = numbers.filter(|number| line(number) == line(&4));
    picked.take(ORDERS).collect()
}

fn machine(config: &Config, seed: HashSeed) -> CoreMachine {
    let spec = limit_spec(config).expect("tiers ascend");
    CoreMachine::with(config, &spec, &CAPACITIES, seed).expect("the limits load")
}

/// Machines that get the same; the first has the seed that everybody knows.
struct Machines(Vec<CoreMachine>);

impl Machines {
    fn new() -> Self {
        let config = wide(&mut Prng::new(0), 1);
        let drawn = (1..8).map(|word| {
            HashSeed::from_words([word, word + 8].map(|word| HashSeed::FIXED.scatter(word)))
        });
        let seeds = core::iter::once(HashSeed::FIXED).chain(drawn);
        Self(seeds.map(|seed| machine(&config, seed)).collect())
    }

    fn apply(&mut self, time_ns: u64, op: &Op) -> Answer {
        let answers = self.0.iter_mut().map(|machine| machine.apply(time_ns, op));
        let answers: Vec<Answer> = answers.collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{op:?}");
        self.compare();
        answers[0].clone()
    }

    fn send(&mut self, command: Command) {
        self.0.iter_mut().for_each(|machine| {
            machine.send(command);
        });
        self.compare();
    }

    fn compare(&self) {
        for other in &self.0[1..] {
            assert_eq!(other.effects(), self.0[0].effects());
            assert_eq!(other.core.digest(), self.0[0].core.digest());
        }
    }

    /// What is read and written rarely.
    fn compare_whole(&self) {
        let whole = |machine: &CoreMachine| {
            let mut words = Vec::new();
            machine.core.save(&mut |word| words.push(word));
            let counters = format!("{:?}", machine.core.counters());
            (machine.core.state_hash(), counters, words)
        };
        let first = whole(&self.0[0]);
        for other in &self.0[1..] {
            assert!(whole(other) == first, "a seed shows in what is told");
        }
    }
}

fn report(number: u32, kind: ReportKind) -> Command {
    Command::Report(VenueReport {
        session: SessionId::new(0),
        user_ref: UserRef::new(number),
        kind,
        note: 0,
    })
}

#[test]
fn numbers_picked_to_lie_on_each_other_do_so_for_who_knows_the_seed_and_nobody_sees_it() {
    let numbers = picked();
    assert_eq!(numbers.len(), ORDERS);
    let mut machines = Machines::new();
    for op in [
        Op::Deposit {
            account: 0,
            amount: 1 << 58,
        },
        Op::Reference {
            instrument: 0,
            price: 1_000,
        },
    ] {
        assert_eq!(machines.apply(1, &op), Answer::Word(Word::Ok));
    }
    for (at, id) in (2..).zip(&numbers) {
        let order = Op::Order(OrderOp {
            account: 0,
            instrument: 0,
            id: *id,
            side: Side::Buy,
            qty: 5,
            price: Some(1_000),
        });
        assert_eq!(machines.apply(at, &order), Answer::Judged(Vec::new()));
    }
    machines.compare_whole();
    let passed: Vec<u32> = (machines.0.iter())
        .map(|machine| machine.core.passed_max())
        .collect();
    assert_eq!(passed[0] as usize, (ORDERS - 1) / 2, "the table is another");
    assert!(passed[1..].iter().all(|passed| *passed < 16), "{passed:?}");
    end(&mut machines, &numbers);
}

/// Replaces, executions, a stop that takes off what rests in slices, and the engine's word for each.
fn end(machines: &mut Machines, numbers: &[u32]) {
    let time_ns = 10_000;
    let highest = numbers[ORDERS - 1];
    for (id, original) in (highest + 1..).zip(numbers.iter().step_by(90)) {
        let replace = Op::Replace(ReplaceOp {
            original: *original,
            id,
            qty: 7,
            price: Some(1_001),
        });
        assert_eq!(machines.apply(time_ns, &replace), Answer::Judged(vec![]));
        let new = UserRef::new(id);
        machines.send(report(*original, ReportKind::Replaced { new }));
    }
    machines.compare_whole();
    for (match_number, number) in (1..).zip(&numbers[1..40]) {
        let fill = ReportKind::Fill {
            qty: Qty::new(2),
            price: Price::new(1_000),
            match_number,
            fee: Money::new(1),
        };
        machines.send(report(*number, fill));
    }
    machines.send(Command::SetState(StateChange {
        scope: Scope::Account(AccountId::new(0)),
        state: TradingState::CancelOnly,
        cancel: true,
    }));
    while machines.0[0].core.work_pending() {
        machines.send(Command::Tick);
    }
    machines.compare_whole();
    for number in numbers {
        machines.send(report(*number, ReportKind::Canceled));
    }
    machines.compare_whole();
}

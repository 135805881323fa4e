//! The valuation of all accounts: against the model, and slice by slice.
//!
//! Owned by a test. Claims: what is counted is what the model counts; an account is told to be below
//! its maintenance margin when it is first found there, by a valuation or an order of its own, and
//! again only after it was above; a slice is bounded; each valuation is answered, in turn.

use super::brute_force::wide;
use super::driver::CoreMachine;
use super::op::{Answer, Config, Figures, Machine, Op, OrderOp, Word};
use super::prng::Prng;
use portcullis_domain::{
    AccountId, AccountMove, Command, InstrumentId, PositionMove, Price, Qty, Side,
};
use portcullis_risk_core::{AlarmKind, ControlRefusal, Done, Effect, Valued};
use std::collections::{BTreeMap, BTreeSet};

/// What a slice does at the most: accounts valued, positions looked at, alarms raised.
const ACCOUNTS_A_SLICE: usize = 16;
const POSITIONS_A_SLICE: u32 = 16;
const ALARMS_A_SLICE: usize = 4;

/// What valuations have found, and who is known to be below.
#[derive(Default)]
pub(crate) struct Valuations {
    now_ns: u64,
    /// Price and time of each reference.
    references: BTreeMap<usize, (i64, u64)>,
    known: BTreeSet<u32>,
    pub(crate) below: u64,
    pub(crate) not_fresh: u64,
}

/// The accounts of alarms that say that equity is below maintenance margin.
fn breached(effects: &[Effect]) -> impl Iterator<Item = u32> {
    effects.iter().filter_map(|effect| match effect {
        Effect::Alarmed(alarm) if alarm.kind == AlarmKind::MaintenanceBreached => {
            Some(alarm.account.raw())
        }
        Effect::Alarmed(_)
        | Effect::Approved(_)
        | Effect::Refused(_)
        | Effect::Answered(_)
        | Effect::Reported(_)
        | Effect::SessionChanged(_)
        | Effect::Controlled(_)
        | Effect::StateChanged { .. } => None,
    })
}

fn outcomes(effects: &[Effect]) -> impl Iterator<Item = Result<Done, ControlRefusal>> {
    effects.iter().filter_map(|effect| match effect {
        Effect::Controlled(outcome) => Some(outcome.result),
        Effect::Alarmed(_)
        | Effect::Approved(_)
        | Effect::Refused(_)
        | Effect::Answered(_)
        | Effect::Reported(_)
        | Effect::SessionChanged(_)
        | Effect::StateChanged { .. } => None,
    })
}

/// What the slices of all valuations under way say: alarms, and outcomes.
fn worked_off(core: &mut CoreMachine) -> (Vec<u32>, Vec<Result<Done, ControlRefusal>>) {
    let (mut alarms, mut ends) = (Vec::new(), Vec::new());
    while core.core.work_pending() {
        let effects = core.send(Command::Tick);
        let before = alarms.len();
        alarms.extend(breached(effects));
        ends.extend(outcomes(effects));
        assert!(alarms.len() - before <= ALARMS_A_SLICE, "a slice is short");
    }
    (alarms, ends)
}

impl Valuations {
    /// A command and what came of it: an order's own valuation may tell a breach first.
    pub(crate) fn note(&mut self, time_ns: u64, op: &Op, answer: &Answer, effects: &[Effect]) {
        self.now_ns = time_ns;
        self.known.extend(breached(effects));
        if let Op::Reference { instrument, price } = op
            && *answer == Answer::Word(Word::Ok)
        {
            let reference = (*price, time_ns);
            self.references.insert(*instrument as usize, reference);
        }
    }

    /// Whether an account of these figures is below its maintenance margin; `None` where an instrument
    /// with a position or hold has no reference price.
    fn is_below(&self, config: &Config, figures: &Figures) -> Option<bool> {
        let equity = figures.valued.as_ref()?.equity;
        let mut millionths = 0_i128;
        let held = figures.positions.iter().enumerate();
        for (instrument, position) in held.filter(|(_, position)| position.net != 0) {
            let (price, _) = self.references.get(&instrument)?;
            let limits = &config.instruments[instrument];
            let per_lot = i128::from(*price) * i128::from(limits.tick_lot_value);
            let notional = per_lot * position.net.abs();
            // Of maintenance margin the tiers are those of initial margin, and never scaled.
            for (index, (from, ratio)) in limits.tiers.iter().enumerate() {
                let next = limits.tiers.get(index + 1);
                let end = next.map_or(notional, |(next, _)| notional.min((*next).into()));
                millionths += (end - i128::from(*from)).max(0) * i128::from(*ratio);
            }
        }
        // equity < ceil(millionths / 10^6)
        Some(equity < -(-millionths).div_euclid(1_000_000))
    }

    /// Whether an instrument with a position or hold has a reference price that is missing or stale.
    fn is_not_fresh(&self, config: &Config, figures: &Figures) -> bool {
        let held = figures.positions.iter().enumerate();
        let mut involved = held.filter(|(_, position)| {
            position.net != 0 || position.open_buy != 0 || position.open_sell != 0
        });
        involved.any(|(instrument, _)| {
            let age_max_ns = config.instruments[instrument].ref_max_age_ns as u64;
            let reference = self.references.get(&instrument);
            reference.is_none_or(|(_, at_ns)| self.now_ns - at_ns > age_max_ns)
        })
    }

    /// Values all, twice, and holds what is found against the model's figures of all accounts.
    pub(crate) fn check(
        &mut self,
        core: &mut CoreMachine,
        config: &Config,
        model: &[Figures],
    ) -> Result<(), String> {
        let accounts = model.len() as u32;
        let of = |account: &u32| &model[*account as usize];
        let is_below = |account: &u32| self.is_below(config, of(account));
        let below: BTreeSet<u32> = (0..accounts)
            .filter(|account| is_below(account) == Some(true))
            .collect();
        let unknown: BTreeSet<u32> = (0..accounts)
            .filter(|account| is_below(account).is_none())
            .collect();
        let not_fresh = model
            .iter()
            .filter(|figures| self.is_not_fresh(config, figures))
            .count() as u32;
        let expected = Valued {
            accounts,
            below_maintenance: below.len() as u32,
            not_fresh,
        };
        core.send(Command::ValueAccounts);
        core.send(Command::ValueAccounts);
        let (alarms, ends) = worked_off(core);
        if ends != [Ok(Done::Valued(expected)); 2] {
            return Err(format!("they found {ends:?}, the model {expected:?}"));
        }
        let told: BTreeSet<u32> = alarms.iter().copied().collect();
        let untold = below.difference(&self.known).find(|id| !told.contains(id));
        if let Some(account) = untold {
            return Err(format!("account {account} is below, and nobody was told"));
        }
        if told.len() != alarms.len() || !told.is_subset(&below) {
            return Err(format!("{alarms:?} were told to be below, {below:?} are"));
        }
        // Of one without a price nothing is known but what was.
        self.known.retain(|account| unknown.contains(account));
        self.known.extend(&below);
        self.below += u64::from(expected.below_maintenance);
        self.not_fresh += u64::from(not_fresh);
        Ok(())
    }
}

/// So many accounts that each bought a lot at 1,000 and have 200 quanta; margin a tenth of 1 quantum
/// a tick and lot. The seller is the first, and has enough.
fn bought(accounts: u32) -> CoreMachine {
    let mut core = CoreMachine::new(&config(accounts), 4 * accounts as usize).expect("it loads");
    let mut time_ns = 1;
    let mut apply = |op: Op| {
        time_ns += 1_000_000;
        core.apply(time_ns, &op);
    };
    apply(Op::Reference {
        instrument: 0,
        price: 1_000,
    });
    for account in 0..accounts {
        let (side, qty, amount) = match account {
            0 => (Side::Sell, i64::from(accounts) - 1, 1_000_000),
            _ => (Side::Buy, 1, 200),
        };
        apply(Op::Deposit { account, amount });
        let id = account + 1;
        apply(Op::Order(OrderOp {
            account,
            instrument: 0,
            id,
            side,
            qty,
            price: Some(1_000),
        }));
        apply(Op::Fill {
            id,
            qty,
            price: 1_000,
        });
    }
    core
}

fn config(accounts: u32) -> Config {
    let mut config = wide(&mut Prng::new(0), 1);
    let instrument = &mut config.instruments[0];
    instrument.tick_lot_value = 1;
    instrument.tiers = vec![(0, 100_000)];
    instrument.ref_max_age_ns = 1_000_000_000;
    config.accounts = vec![config.accounts[0].clone(); accounts as usize];
    config
}

/// One valuation at a price: alarms and what was found.
fn valued_at(core: &mut CoreMachine, time_ns: u64, price: Option<i64>) -> (usize, Valued) {
    let reference = |price| Op::Reference {
        instrument: 0,
        price,
    };
    match price {
        Some(price) => core.apply(time_ns, &reference(price)),
        // A refused command, for the time's sake.
        None => core.apply(time_ns, &reference(0)),
    };
    core.send(Command::ValueAccounts);
    let (alarms, ends) = worked_off(core);
    match ends.as_slice() {
        [Ok(Done::Valued(valued))] => (alarms.len(), *valued),
        other => panic!("one valuation has one outcome: {other:?}"),
    }
}

/// A price that falls and rises by steps: who is below, and who is told so.
#[test]
fn a_breach_is_told_when_the_price_makes_it_and_once() {
    let mut core = bought(41);
    let second = 1_000_000_000;
    // Equity is 200 + price - 1,000, maintenance margin a tenth of the price.
    let steps = [
        (Some(889), 0, 0),
        (Some(888), 40, 40),
        (Some(800), 40, 0),
        (Some(889), 0, 0),
        (Some(880), 40, 40),
        // Stale, and judged all the same.
        (None, 40, 0),
    ];
    for (step, (price, below, told)) in (1..).zip(steps) {
        let (alarms, valued) = valued_at(&mut core, 10 * step * second, price);
        let found = Valued {
            accounts: 41,
            below_maintenance: below,
            not_fresh: if price.is_none() { 41 } else { 0 },
        };
        assert_eq!((alarms, valued), (told, found), "step {step}: {price:?}");
    }
}

/// The last account is valued within the slices that its place and the alarms before it take.
#[test]
fn a_valuation_ends_within_its_slices() {
    for (price, alarms) in [(1_000, 0), (880, 99)] {
        let mut core = bought(100);
        core.apply(
            1_000_000_000,
            &Op::Reference {
                instrument: 0,
                price,
            },
        );
        core.send(Command::ValueAccounts);
        let mut slices = 0;
        while core.core.work_pending() {
            core.send(Command::Tick);
            slices += 1;
        }
        assert!(
            slices <= 100_usize.div_ceil(ACCOUNTS_A_SLICE) + alarms / ALARMS_A_SLICE,
            "{slices} slices"
        );
    }
}

/// Accounts of many positions are fewer a slice.
#[test]
fn a_slice_ends_with_its_positions_too() {
    let (accounts, instruments) = (32, 8);
    let mut config = wide(&mut Prng::new(0), instruments as usize);
    config.accounts = vec![config.accounts[0].clone(); accounts as usize];
    let mut core = CoreMachine::new(&config, 1).expect("it loads");
    for account in (0..accounts).map(AccountId::new) {
        for instrument in (0..instruments).map(InstrumentId::new) {
            let effects = core.send(Command::MovePosition(AccountMove {
                kind: PositionMove::Opening,
                account,
                instrument,
                qty: Qty::new(1),
                price: Price::new(1_000),
                counterparty: AccountId::NONE,
            }));
            assert!(outcomes(effects).all(|outcome| outcome == Ok(Done::Applied)));
        }
    }
    core.send(Command::ValueAccounts);
    let mut slices = 0;
    while core.core.work_pending() {
        core.send(Command::Tick);
        slices += 1;
    }
    assert_eq!(slices, accounts * instruments / POSITIONS_A_SLICE);
}

/// Prices move while a valuation is under way: one that was asked for afterwards sees them for every
/// account; a third is refused; state and effects are the same again.
#[test]
fn a_second_valuation_waits_and_a_third_is_refused() {
    let run = || {
        let mut core = bought(100);
        core.send(Command::ValueAccounts);
        core.send(Command::Tick);
        core.apply(
            1_000_000_000,
            &Op::Reference {
                instrument: 0,
                price: 880,
            },
        );
        core.send(Command::ValueAccounts);
        let under_way = core.core.state_hash();
        let third: Vec<_> = outcomes(core.send(Command::ValueAccounts)).collect();
        assert_eq!(third, [Err(ControlRefusal::ValuationUnderWay)]);
        let (alarms, ends) = worked_off(&mut core);
        let below: Vec<u32> = ends
            .iter()
            .map(|end| match end {
                Ok(Done::Valued(valued)) => valued.below_maintenance,
                other => panic!("a valuation's outcome is what it found: {other:?}"),
            })
            .collect();
        assert_eq!(below, [100 - ACCOUNTS_A_SLICE as u32, 99]);
        assert_eq!(alarms.len(), 99);
        (under_way, core.core.state_hash(), core.core.digest())
    };
    assert_eq!(run(), run());
}

/// A valuation that is under way is state: how far it is, and whether another waits.
#[test]
fn the_place_of_a_valuation_is_part_of_the_state() {
    let after = |commands: [Command; 3]| {
        let mut core = bought(100);
        for command in commands {
            core.send(command);
        }
        core.core.state_hash()
    };
    let (value, tick, look) = (Command::ValueAccounts, Command::Tick, Command::StateHash);
    let hashes = [
        [value, tick, tick],
        [tick, value, tick],
        [tick, tick, value],
        [value, value, look],
        [look, look, look],
    ]
    .map(after);
    let different: BTreeSet<u64> = hashes.into_iter().collect();
    assert_eq!(different.len(), hashes.len());
}

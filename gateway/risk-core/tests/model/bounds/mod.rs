//! What a bound proves is so: accounts near their limits, in many instruments, under prices that move.
//!
//! Owned by a test. The random commands of `generator` seldom let a bound live long; these are made
//! to. Two to four instruments of one group, accounts of one, of few and of many groups, references
//! that go stale, equity kept near the requirement, settlements and day starts between. Held
//! against the naive model, and, with what the model does not know (fees, broken trades, positions
//! moved by hand), against the core's own view, which values an account anew each time and knows
//! nothing of bounds.

mod desk;

use super::driver::CoreMachine;
use super::episode::{Pair, told};
use super::op::{Answer, Config, Machine, Op};
use super::saved::reloaded;
use super::spec::limit_spec;
use desk::{Beyond, Desk};
use portcullis_domain::{
    AccountId, AccountMove, Command, InstrumentId, Money, PositionMove, Price, Qty, ReportKind,
    SessionId, UserRef, VenueReport,
};
use portcullis_risk_core::{Counters, WorthView};
use std::collections::BTreeMap;

/// Commands of one episode.
const EPISODE: usize = 1_500;

/// What must have come of a run for it to have shown something.
#[derive(Default, Debug)]
struct Shown {
    proved: u64,
    exact: u64,
    failed: BTreeMap<String, u64>,
}

impl Shown {
    fn count(&mut self, core: &CoreMachine) {
        let counters = core.core.counters();
        self.proved += counters.proved_by_bound;
        self.exact += counters.valued_exactly;
    }

    fn answer(&mut self, answer: &Answer) {
        if let Answer::Judged(fails) = answer {
            for name in fails {
                *self.failed.entry(name.clone()).or_default() += 1;
            }
        }
    }

    /// Bounds were of use, and accounts came near enough to their limits to be refused.
    fn check(&self) {
        println!("{self:?}");
        // A refusal is never proved: of what passed, about half must have been.
        let refused: u64 = self.failed.values().sum();
        let passed = self.exact.saturating_sub(refused);
        assert!(self.proved > passed / 2, "bounds hardly lived");
        for name in ["MARGIN", "LOSS_MAX", "REFERENCE_STALE"] {
            let failed = self.failed.get(name).copied().unwrap_or(0);
            assert!(failed * 500 > self.proved, "{name} failed {failed} times");
        }
    }
}

/// Episodes of as many commands as asked for, or a part of them.
fn episodes(part: u64) -> std::ops::Range<u64> {
    let commands = super::number("PORTCULLIS_MODEL_COMMANDS", 100_000) / part;
    let seed = super::number("PORTCULLIS_MODEL_SEED", 1);
    seed..seed + commands.div_ceil(EPISODE as u64)
}

#[test]
fn random_bounds_prove_nothing_that_the_model_refuses() {
    let mut shown = Shown::default();
    for seed in episodes(20) {
        let (config, mut desk) = Desk::random(seed);
        let mut pair = Pair::new(&config, EPISODE);
        let mut commands = Vec::new();
        for index in 0..EPISODE {
            let (time, op) = desk.next(|account| pair.model.figures(account));
            commands.push((time, op));
            match pair.apply(time, &op, index % 256 == 0) {
                Ok(answer) => {
                    shown.answer(&answer);
                    desk.learn(&op, &answer);
                }
                Err(why) => panic!("{}", told(seed, index, &config, commands, &why)),
            }
        }
        shown.count(&pair.core);
    }
    shown.check();
}

/// Bounds live long here: what they prove, and what is valued for want of one, is the same in a core that
/// was saved and loaded on the way.
#[test]
fn bounds_that_are_saved_and_loaded_prove_what_they_proved() {
    let mut shown = Shown::default();
    for seed in episodes(10) {
        let (config, mut desk) = Desk::random(seed);
        let spec = limit_spec(&config).expect("tiers ascend");
        let machine = || CoreMachine::new(&config, 2 * EPISODE).expect("the limits load");
        let (mut whole, mut loaded) = (machine(), machine());
        for index in 0..EPISODE {
            if let Some(beyond) = desk.beyond() {
                apply_beyond(&mut whole, &beyond);
                apply_beyond(&mut loaded, &beyond);
                continue;
            }
            let (time, op) = desk.next(|account| whole.figures(account));
            let answer = whole.apply(time, &op);
            assert_eq!(loaded.apply(time, &op), answer, "seed {seed}, {op:?}");
            shown.answer(&answer);
            desk.learn(&op, &answer);
            if index % 40 == 0 {
                loaded.core = reloaded(&loaded.core, &spec);
            }
        }
        assert_eq!(whole.core.digest(), loaded.core.digest(), "seed {seed}");
        assert_eq!(whole.core.state_hash(), loaded.core.state_hash());
        let counted = |machine: &CoreMachine| format!("{:?}", machine.core.counters());
        assert_eq!(counted(&whole), counted(&loaded), "seed {seed}");
        shown.count(&loaded);
    }
    shown.check();
}

#[test]
fn random_accounts_proved_without_a_valuation_pass_one() {
    let mut shown = Shown::default();
    let mut breaches = 0;
    for seed in episodes(1) {
        let (config, mut desk) = Desk::random(seed);
        let mut core = CoreMachine::new(&config, 2 * EPISODE).expect("the limits load");
        let mut maintenance = Maintenance::default();
        for index in 0..EPISODE {
            if let Some(beyond) = desk.beyond() {
                apply_beyond(&mut core, &beyond);
                continue;
            }
            let (time, op) = desk.next(|account| core.figures(account));
            let account = desk.account_of(&op);
            let worth =
                account.and_then(|account| core.core.account(AccountId::new(account))?.worth);
            let before = core.core.counters().clone();
            let answer = core.apply(time, &op);
            shown.answer(&answer);
            let after = core.core.counters();
            let passes = if after.proved_by_bound > before.proved_by_bound
                && answer == Answer::Judged(Vec::new())
            {
                stands(&core, &config, &desk, &op)
            } else {
                Ok(())
            };
            let told = maintenance.check(account, worth, &before, after);
            if let Err(why) = passes.and(told) {
                panic!("seed {seed}, command {index}, {op:?}: {why}");
            }
            desk.learn(&op, &answer);
        }
        breaches += maintenance.breaches;
        shown.count(&core);
    }
    shown.check();
    assert!(breaches > 20, "{breaches} times below maintenance margin");
}

/// Which accounts were last found below their maintenance margin. Each order that does not reduce
/// finds out, whether it was proved or valued, and tells of the first time.
#[derive(Default)]
struct Maintenance {
    below: BTreeMap<u32, bool>,
    breaches: u64,
}

impl Maintenance {
    /// Whether an order between the two counts raised an alarm as it must have.
    fn check(
        &mut self,
        account: Option<u32>,
        worth: Option<WorthView>,
        before: &Counters,
        after: &Counters,
    ) -> Result<(), String> {
        let judged = |counters: &Counters| counters.valued_exactly + counters.proved_by_bound;
        let Some((account, worth)) = account
            .zip(worth)
            .filter(|_| judged(after) > judged(before))
        else {
            return Ok(());
        };
        let below = worth.equity < worth.maintenance;
        let was_below = self.below.insert(account, below).unwrap_or(false);
        let first = u64::from(below && !was_below);
        self.breaches += first;
        match after.alarms - before.alarms {
            alarms if alarms == first => Ok(()),
            alarms => Err(format!("{alarms} alarms, must be {first}: {worth:?}")),
        }
    }
}

/// Whether the account of an accepted order passes, valued anew with the order's hold in it.
fn stands(core: &CoreMachine, config: &Config, desk: &Desk, op: &Op) -> Result<(), String> {
    let account = desk.account_of(op).ok_or("no order's account")?;
    let view = core.core.account(AccountId::new(account));
    let view = view.ok_or("no such account")?;
    let worth = view.worth.ok_or("a reference is missing")?;
    if worth.admissible < worth.requirement {
        return Err(format!("MARGIN fails: {worth:?}"));
    }
    let loss_max = config.accounts[account as usize].loss_max;
    let result = worth.equity - view.day_base;
    if loss_max.is_some_and(|most| result < -i128::from(most)) {
        return Err(format!("LOSS_MAX fails: {result}"));
    }
    for instrument in 0..config.instruments.len() as u32 {
        let position = core
            .core
            .position(AccountId::new(account), InstrumentId::new(instrument));
        let involved = position.net != 0 || position.open_buy != 0 || position.open_sell != 0;
        if involved && desk.is_stale(instrument) {
            return Err(format!("the reference of {instrument} is stale"));
        }
    }
    Ok(())
}

fn apply_beyond(core: &mut CoreMachine, beyond: &Beyond) {
    let command = match *beyond {
        Beyond::Fill {
            id,
            qty,
            price,
            fee,
            match_number,
        } => report(
            id,
            ReportKind::Fill {
                qty: Qty::new(qty),
                price: Price::new(price),
                match_number,
                fee: Money::new(fee),
            },
        ),
        Beyond::Break { id, match_number } => report(id, ReportKind::BrokenTrade { match_number }),
        Beyond::Adjust {
            account,
            instrument,
            lots,
            price,
        } => Command::MovePosition(AccountMove {
            account: AccountId::new(account),
            counterparty: AccountId::NONE,
            instrument: InstrumentId::new(instrument),
            qty: Qty::new(lots),
            price: Price::new(price),
            kind: PositionMove::Adjust,
        }),
    };
    let _ = core.send(command);
}

fn report(id: u32, kind: ReportKind) -> Command {
    Command::Report(VenueReport {
        session: SessionId::new(0),
        user_ref: UserRef::new(id),
        kind,
        note: 0,
    })
}

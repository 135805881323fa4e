//! One run of the core beside the model, and how to make a divergence small.
//!
//! Owned by a test. Invariants: both see the same commands at the same times; after each command
//! the answers and the figures of one account are compared, after the last those of all; money and
//! open interest are summed anew from the core's own figures.

use super::config;
use super::driver::CoreMachine;
use super::generator::Generator;
use super::naive::Naive;
use super::op::{Answer, Config, Figures, Machine, Op, OpenInterestFigures, Word};
use super::prng::Prng;
use super::valuations::Valuations;
use portcullis_domain::Side;
use std::collections::BTreeMap;

/// After how many commands all accounts are compared, and money and open interest summed.
const SWEEP_EVERY: usize = 64;

/// Commands with their times.
pub(crate) type Commands = Vec<(u64, Op)>;

/// How often each check failed, and how often none did.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) failed: BTreeMap<String, u64>,
    pub(crate) accepted: u64,
    pub(crate) judged: u64,
    /// Answers in one word.
    pub(crate) words: BTreeMap<&'static str, u64>,
    pub(crate) valued_exactly: u64,
    pub(crate) proved_by_bound: u64,
    /// Accounts found below maintenance margin, and without a fresh reference, over all valuations.
    pub(crate) below: u64,
    pub(crate) not_fresh: u64,
}

impl Tally {
    fn count(&mut self, answer: &Answer) {
        match answer {
            Answer::Judged(fails) => {
                self.judged += 1;
                self.accepted += u64::from(fails.is_empty());
                for name in fails {
                    *self.failed.entry(name.clone()).or_default() += 1;
                }
            }
            Answer::Word(word) => *self.words.entry(word.name()).or_default() += 1,
        }
    }
}

/// Runs one episode of `len` commands; on a divergence, what a person needs to look into it.
pub(crate) fn run(seed: u64, len: usize, tally: &mut Tally) -> Result<(), String> {
    let mut prng = Prng::new(seed);
    let (config, starts) = config::random(&mut prng);
    let mut generator = Generator::new(prng, &config, &starts);
    let mut pair = Pair::new(&config, len);
    let mut commands = Commands::new();
    for index in 0..len {
        let (time, op) = generator.next(|account| pair.model.figures(account));
        commands.push((time, op));
        match pair.apply(time, &op, index % SWEEP_EVERY == 0 || index + 1 == len) {
            Ok(answer) => {
                tally.count(&answer);
                generator.learn(&op, &answer);
            }
            Err(why) => return Err(told(seed, index, &config, commands, &why)),
        }
    }
    let counters = pair.core.core.counters();
    tally.valued_exactly += counters.valued_exactly;
    tally.proved_by_bound += counters.proved_by_bound;
    tally.below += pair.valuations.below;
    tally.not_fresh += pair.valuations.not_fresh;
    Ok(())
}

/// The words for a divergence: where, what, and the shortest run of commands that shows one.
pub(crate) fn told(
    seed: u64,
    index: usize,
    config: &Config,
    commands: Commands,
    why: &str,
) -> String {
    let (short, short_why) = shrunk(config, commands);
    let lines: Vec<String> = short
        .iter()
        .map(|(time, op)| format!("  {time} {op:?}"))
        .collect();
    format!(
        "seed {seed}, command {index}: {why}\nshrunk to {} commands, the last of which: \
         {short_why}\n{}\nunder {config:#?}",
        short.len(),
        lines.join("\n")
    )
}

/// Holds the core against the model over these commands.
pub(crate) fn agree(config: &Config, commands: &[(u64, Op)]) -> Result<(), String> {
    replay(config, commands).map_or(Ok(()), |(index, why)| {
        Err(format!("command {index}: {why}"))
    })
}

/// The first divergence of these commands.
fn replay(config: &Config, commands: &[(u64, Op)]) -> Option<(usize, String)> {
    let mut pair = Pair::new(config, commands.len());
    commands
        .iter()
        .enumerate()
        .find_map(|(index, (time, op))| pair.apply(*time, op, true).err().map(|why| (index, why)))
}

/// Fewer commands that still diverge, by leaving out ever smaller pieces.
fn shrunk(config: &Config, mut commands: Commands) -> (Commands, String) {
    let mut why = String::from("it agrees when run again: the core is not deterministic");
    let mut piece = commands.len();
    while piece > 0 {
        let mut start = 0;
        while start < commands.len() {
            let end = (start + piece).min(commands.len());
            let without: Commands = [&commands[..start], &commands[end..]].concat();
            let shorter = if piece == commands.len() {
                commands.clone()
            } else {
                without
            };
            match replay(config, &shorter) {
                Some((last, told)) => {
                    commands = shorter;
                    commands.truncate(last + 1);
                    why = told;
                    if piece >= commands.len() {
                        break;
                    }
                }
                None => start += piece,
            }
        }
        piece /= 2;
    }
    (commands, why)
}

/// The core and the model, side by side.
pub(crate) struct Pair {
    pub(crate) core: CoreMachine,
    pub(crate) model: Naive,
    config: Config,
    /// Account, instrument and side of each order admitted.
    orders: BTreeMap<u32, (u32, u32, Side)>,
    /// Deposits less withdrawals less the money of all fills: what cash less cost must sum to.
    money: i128,
    valuations: Valuations,
}

impl Pair {
    pub(crate) fn new(config: &Config, commands: usize) -> Self {
        Self {
            core: CoreMachine::new(config, commands).expect("random limits load"),
            model: Naive::new(config),
            config: config.clone(),
            orders: BTreeMap::new(),
            money: 0,
            valuations: Valuations::default(),
        }
    }

    /// Applies one command to both; the answer, or how they differ.
    pub(crate) fn apply(&mut self, time: u64, op: &Op, sweep: bool) -> Result<Answer, String> {
        let expected = self.model.apply(time, op);
        let came = self.core.apply(time, op);
        if expected != came {
            return Err(format!(
                "{op:?}: the model says {expected}, the core {came}"
            ));
        }
        self.book(op, &came);
        self.valuations.note(time, op, &came, self.core.effects());
        let accounts = self.config.accounts.len() as u32;
        let all = if sweep {
            0..accounts
        } else {
            self.account_of(op)..self.account_of(op) + 1
        };
        for account in all.filter(|account| *account < accounts) {
            self.compare(account)
                .map_err(|why| format!("{op:?}: then account {account}, {why}"))?;
        }
        if sweep {
            self.sums().map_err(|why| format!("{op:?}: then {why}"))?;
            let figures: Vec<Figures> = (0..accounts)
                .filter_map(|account| self.model.figures(account))
                .collect();
            let (core, config) = (&mut self.core, &self.config);
            let valued = self.valuations.check(core, config, &figures);
            valued.map_err(|why| format!("{op:?}: then all are valued, {why}"))?;
        }
        Ok(came)
    }

    fn compare(&self, account: u32) -> Result<(), String> {
        let model = self.model.figures(account).expect("of the config");
        let core = self
            .core
            .figures(account)
            .ok_or("the core does not know it")?;
        match model.difference(&core) {
            Some(difference) => Err(format!("by the model and the core: {difference}")),
            None => Ok(()),
        }
    }

    fn account_of(&self, op: &Op) -> u32 {
        let of_order = |id: &u32| self.orders.get(id).map_or(0, |(account, ..)| *account);
        match op {
            Op::Deposit { account, .. } | Op::Withdraw { account, .. } => {
                (*account).min(self.config.accounts.len() as u32)
            }
            Op::Order(order) => order.account.min(self.config.accounts.len() as u32),
            Op::Replace(replace) => of_order(&replace.original),
            Op::Cancel { id }
            | Op::Fill { id, .. }
            | Op::Replaced { id, .. }
            | Op::ReplaceRejected { id, .. }
            | Op::Canceled { id }
            | Op::Rejected { id } => of_order(id),
            Op::Reference { .. }
            | Op::State { .. }
            | Op::Settle { .. }
            | Op::DayStart
            | Op::Restart { .. }
            | Op::Journal { .. } => 0,
        }
    }

    /// Keeps what the sums are held against, from the commands and answers alone.
    fn book(&mut self, op: &Op, answer: &Answer) {
        let ok = *answer == Answer::Word(Word::Ok);
        match op {
            Op::Deposit { amount, .. } if ok => self.money += i128::from(*amount),
            Op::Withdraw { amount, .. } if ok => self.money -= i128::from(*amount),
            Op::Order(order) if *answer == Answer::Judged(Vec::new()) => {
                self.orders
                    .insert(order.id, (order.account, order.instrument, order.side));
            }
            Op::Fill { id, qty, price } if ok => self.fill(*id, (*qty).into(), (*price).into()),
            Op::Deposit { .. }
            | Op::Withdraw { .. }
            | Op::Order(_)
            | Op::Fill { .. }
            | Op::Reference { .. }
            | Op::Replace(_)
            | Op::Cancel { .. }
            | Op::Replaced { .. }
            | Op::ReplaceRejected { .. }
            | Op::Canceled { .. }
            | Op::Rejected { .. }
            | Op::State { .. }
            | Op::Settle { .. }
            | Op::DayStart
            | Op::Restart { .. }
            | Op::Journal { .. } => {}
        }
    }

    fn fill(&mut self, id: u32, lots: i128, price: i128) {
        let (_, instrument, side) = self.orders[&id];
        let value = i128::from(self.config.instruments[instrument as usize].tick_lot_value);
        let paid = lots * price * value;
        self.money -= if side == Side::Buy { paid } else { -paid };
    }

    /// Money and open interest, summed anew from the figures of all accounts.
    fn sums(&self) -> Result<(), String> {
        let accounts = 0..self.config.accounts.len() as u32;
        let all: Vec<Figures> = accounts.filter_map(|id| self.core.figures(id)).collect();
        let cash: i128 = all.iter().map(|figures| figures.cash).sum();
        let cost: i128 = all.iter().flat_map(|f| &f.positions).map(|p| p.cost).sum();
        if cash - cost != self.money {
            let (came, expected) = (cash - cost, self.money);
            return Err(format!(
                "cash less cost sums to {came}, money moved to {expected}"
            ));
        }
        for instrument in 0..self.config.instruments.len() {
            let positions = || all.iter().map(|figures| figures.positions[instrument]);
            let summed = OpenInterestFigures {
                open_interest: positions().map(|p| p.net.max(0)).sum(),
                long_would_be: positions().map(|p| (p.net + p.open_buy).max(0)).sum(),
                short_would_be: positions().map(|p| (p.open_sell - p.net).max(0)).sum(),
            };
            let kept = all[0].open_interest[instrument];
            if summed != kept {
                return Err(format!(
                    "instrument {instrument}: {kept:?} is kept, {summed:?} true"
                ));
            }
        }
        Ok(())
    }
}

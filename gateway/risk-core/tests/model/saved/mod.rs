//! A core that was saved and loaded goes on exactly as one that was not, wherever keys lie in their tables.
//!
//! Owned by a test. Two machines with seeds of their own get the same commands; one of them is saved and loaded again and again,
//! at random points, in tables that run full, in the middle of sweeps and valuations, under limits that
//! flip and change. After each command the effects are compared, and the digest; often the hash of the
//! whole state; at each load the counters, and that saving again gives the same words. Of one machine each
//! command is approached, of the other none: what goes a short way then leaves what the long one does.

mod hostile;
mod tables;

use super::config;
use super::driver::CoreMachine;
use super::generator::Generator;
use super::op::{Answer, Config, Machine, Op};
use super::prng::Prng;
use super::spec::limit_spec;
use portcullis_domain::{
    AccountId, AccountMove, Command, DisputeDecision, FlipLimits, HashSeed, InstrumentId,
    LimitCellChange, MassCancel, Money, PositionMove, Price, Qty, ReportKind, Scope, SessionEvent,
    SessionEventKind, SessionId, Side, StateChange, TradingState, UserRef, VenueReport,
};
use portcullis_risk_core::limits::account::{ACCOUNT_FIELDS, AccountField};
use portcullis_risk_core::limits::instrument::InstrumentField;
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{AlarmKind, Capacities, Effect, RiskCore};
use std::collections::BTreeMap;

const EPISODE: usize = 1_500;

/// The words of a core.
pub(super) fn words_of(core: &RiskCore) -> Vec<u64> {
    let mut words = Vec::new();
    core.save(&mut |word| words.push(word));
    words
}

/// A word for a seed out of any other.
const fn elsewhere(word: u64) -> u64 {
    HashSeed::FIXED.scatter(word + 1)
}

/// What a core has counted, valuations and proofs among it: caches go on as they were, too.
fn counters(core: &RiskCore) -> String {
    format!("{:?}", core.counters())
}

/// A core saved, and loaded from what was saved where keys lie elsewhere; the same words must come of it.
pub(super) fn reloaded(core: &RiskCore, spec: &LimitSpec) -> RiskCore {
    let words = words_of(core);
    assert_eq!(RiskCore::saved_table(&words), Some(spec.digest()));
    let table = LimitTable::build(spec).expect("the limits load");
    let seed = HashSeed::from_words([core.seq().raw(), core.digest()].map(elsewhere));
    let loaded = RiskCore::load(core.capacities(), table, seed, &mut words.iter().copied());
    let loaded = loaded.unwrap_or_else(|why| panic!("{why}"));
    assert!(words_of(&loaded) == words, "other words come of it");
    assert_eq!(loaded.state_hash(), core.state_hash());
    assert_eq!(loaded.digest(), core.digest());
    assert_eq!((loaded.seq(), loaded.now()), (core.seq(), core.now()));
    assert_eq!(counters(&loaded), counters(core));
    assert_eq!(loaded.limits().digest(), core.limits().digest());
    loaded
}

/// Two machines that get the same, and the limits that both have.
struct Twins {
    whole: CoreMachine,
    reloaded: CoreMachine,
    spec: LimitSpec,
    prng: Prng,
    accounts: usize,
    instruments: usize,
    sessions: usize,
    /// Refusals by name, alarms by kind, and what loads came in the middle of.
    shown: BTreeMap<String, u64>,
}

/// Limits with rows to spare, and little room.
fn scarce(prng: &mut Prng, config: &Config) -> (LimitSpec, Capacities) {
    let mut spec = limit_spec(config).expect("tiers ascend");
    spec.rows_spare = prng.between(0, 4) as u32;
    let accounts = config.accounts.len() as u32;
    let pairs = accounts * config.instruments.len() as u32;
    let reserved = prng.between(0, 2) as u32;
    let capacities = Capacities {
        accounts_max: accounts + prng.between(0, 2) as u32,
        instruments_max: config.instruments.len() as u32 + prng.between(0, 2) as u32,
        firms_max: config.firms + prng.between(0, 1) as u32,
        sessions_max: config.sessions + prng.between(0, 1) as u32,
        orders_max: (accounts + 2) * reserved + prng.pick(&[3, 8, 20, 90]),
        orders_reserved_per_account: reserved,
        positions_max: (pairs - prng.between(0, i64::from(pairs) / 3) as u32).max(1),
        past_versions_max: prng.between(1, 40) as u32,
        executions_max: prng.between(1, 60) as u32,
        disputes_max: prng.between(1, 5) as u32,
        sweeps_max: prng.between(1, 3) as u32,
    };
    (spec, capacities)
}

impl Twins {
    fn new(prng: &mut Prng, config: &Config) -> Self {
        let (spec, capacities) = scarce(prng, config);
        let machine = |approaches, seed| {
            let machine = CoreMachine::with(config, &spec, &capacities, seed);
            let mut machine = machine.expect("the limits load");
            machine.approaches = approaches;
            machine
        };
        Self {
            whole: machine(|_| true, HashSeed::FIXED),
            reloaded: machine(|_| false, HashSeed::from_words([1, 2].map(elsewhere))),
            prng: prng.clone(),
            accounts: config.accounts.len(),
            instruments: config.instruments.len(),
            sessions: config.sessions as usize,
            spec,
            shown: BTreeMap::new(),
        }
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.shown.entry(what.into()).or_default() += 1;
    }

    fn apply(&mut self, time_ns: u64, op: &Op) -> Answer {
        let fee = Money::new((time_ns % 13) as i64 - 3);
        (self.whole.fee, self.reloaded.fee) = (fee, fee);
        let answer = self.whole.apply(time_ns, op);
        assert_eq!(self.reloaded.apply(time_ns, op), answer);
        self.compare(&format!("{op:?}"));
        answer
    }

    fn send(&mut self, command: Command) {
        self.whole.send(command);
        self.reloaded.send(command);
        self.compare(&format!("{command:?}"));
    }

    fn compare(&mut self, what: &str) {
        assert_eq!(self.whole.effects(), self.reloaded.effects(), "{what}");
        let (whole, reloaded) = (&self.whole.core, &self.reloaded.core);
        assert_eq!(whole.digest(), reloaded.digest(), "{what}");
        let seen: Vec<String> = self.whole.effects().iter().filter_map(named).collect();
        seen.into_iter().for_each(|name| self.count(name));
        if self.prng.one_in(16) {
            let (whole, reloaded) = (&self.whole.core, &self.reloaded.core);
            assert_eq!(whole.state_hash(), reloaded.state_hash(), "{what}");
            assert_eq!(counters(whole), counters(reloaded), "{what}");
            let same = words_of(whole) == words_of(reloaded);
            assert!(
                same,
                "{what}: other words, so that a later snapshot differs"
            );
        }
        if self.prng.one_in(12) {
            self.reload();
        }
    }

    fn reload(&mut self) {
        let core = &self.reloaded.core;
        let under_way = match (core.sweeps_pending(), core.work_pending()) {
            (true, _) => "sweep",
            (false, true) => "valuation",
            (false, false) => "rest",
        };
        let changed = core.limits().digest() != core.limits().built_digest();
        self.reloaded.core = reloaded(core, &self.spec);
        self.count(under_way);
        if changed {
            self.count("changed cells");
        }
    }

    /// Something that the generator does not send.
    fn beyond(&mut self) {
        if self.prng.one_in(2) {
            return self.lift();
        }
        let command = match self.prng.between(1, 20) {
            1..=4 => Command::Tick,
            5 => Command::ValueAccounts,
            6 => Command::StateHash,
            7 => self.mass_cancel(),
            8 => Command::SetState(StateChange {
                scope: self.scope(),
                state: self
                    .prng
                    .pick(&[TradingState::Active, TradingState::ReduceOnly]),
                cancel: true,
            }),
            9 if self.prng.one_in(8) => Command::DayRoll,
            10 => self.session_event(),
            11..=12 => self.cell(),
            13 => return self.flip(),
            14 => Command::Dispute {
                account: AccountId::new(self.prng.below(self.accounts) as u32),
                decision: self
                    .prng
                    .pick(&[DisputeDecision::Book, DisputeDecision::Discard]),
            },
            15..=17 => self.report(),
            18 => Command::MovePosition(AccountMove {
                kind: self
                    .prng
                    .pick(&[PositionMove::Adjust, PositionMove::Transfer]),
                account: AccountId::new(self.prng.below(self.accounts) as u32),
                instrument: InstrumentId::new(self.prng.below(self.instruments) as u32),
                qty: Qty::new(self.prng.between(-4, 4)),
                price: Price::new(self.prng.between(1, 500)),
                counterparty: AccountId::new(self.prng.below(self.accounts) as u32),
            }),
            19 => Command::OrderEntry {
                session: self.session(),
                user_ref: UserRef::new(1),
                enabled: !self.prng.one_in(4),
            },
            _ => Command::VenueLink {
                session: self.session(),
                up: !self.prng.one_in(4),
            },
        };
        self.send(command);
    }

    /// What keeps the venue alive: links, order entry and states come back.
    fn lift(&mut self) {
        let session = self.session();
        let scope = self.scope();
        let command = self.prng.pick(&[
            Command::VenueLink { session, up: true },
            Command::OrderEntry {
                session,
                user_ref: UserRef::new(1),
                enabled: true,
            },
            Command::SetState(StateChange {
                scope,
                state: TradingState::Active,
                cancel: false,
            }),
            Command::SetState(StateChange {
                scope: Scope::Venue,
                state: TradingState::Active,
                cancel: false,
            }),
        ]);
        self.send(command);
    }

    fn session(&mut self) -> SessionId {
        SessionId::new(self.prng.below(self.sessions) as u32)
    }

    fn scope(&mut self) -> Scope {
        match self.prng.between(1, 4) {
            1 => Scope::Venue,
            2 => Scope::Session(self.session()),
            3 => Scope::Instrument(InstrumentId::new(self.prng.below(self.instruments) as u32)),
            _ => Scope::Account(AccountId::new(self.prng.below(self.accounts) as u32)),
        }
    }

    fn mass_cancel(&mut self) -> Command {
        Command::MassCancel(MassCancel {
            session: self.session(),
            user_ref: UserRef::new(1),
            account: AccountId::NONE,
            instrument: InstrumentId::NONE,
            side: self.prng.pick(&[None, Some(Side::Buy), Some(Side::Sell)]),
        })
    }

    fn session_event(&mut self) -> Command {
        Command::Session(SessionEvent {
            session: self.session(),
            kind: self
                .prng
                .pick(&[SessionEventKind::Up, SessionEventKind::Lost]),
            connection: self.prng.between(1, 2) as u32,
            sequence: 1,
        })
    }

    /// A cell that changes: not so that nothing passes any more.
    fn cell(&mut self) -> Command {
        let field = self.prng.pick(&[
            AccountField::QtyMax,
            AccountField::OpenOrdersMax,
            AccountField::LossMax,
            AccountField::PnlCap,
            AccountField::RepeatMax,
        ]);
        let most = ACCOUNT_FIELDS[field as usize].max.min(5_000);
        Command::SetCell(LimitCellChange {
            scope: Scope::Account(AccountId::new(self.prng.below(self.accounts) as u32)),
            field: field as u8,
            value: self.prng.between(1, most),
        })
    }

    /// Other limits, of which much is as it was: bounds that do not depend on it stand.
    fn flip(&mut self) {
        let instrument = self.prng.below(self.instruments);
        let cells = &mut self.spec.instruments[instrument].cells;
        let (field, value) = self.prng.pick(&[
            (InstrumentField::OiShareMax, 100),
            (InstrumentField::CollarPpm, 100_000),
            (InstrumentField::CooldownNs, 7),
            (InstrumentField::BucketNs, 1_000_000),
            (InstrumentField::BucketNs, 50_000_000),
        ]);
        cells.set(field, value);
        let row = self.prng.below(self.spec.rows.len());
        let loss_max = self.prng.between(1_000, 1_000_000);
        self.spec.rows[row]
            .cells
            .set(AccountField::LossMax, loss_max);
        for machine in [&mut self.whole, &mut self.reloaded] {
            let table = LimitTable::build(&self.spec).expect("the limits load");
            machine.core.stage(Box::new(table));
        }
        let digest = self.spec.digest();
        self.send(Command::FlipLimits(FlipLimits { digest }));
        // One of them lets go of the table that was in force, the other has it until the next flip.
        assert!(self.whole.core.take_retired().is_some());
    }

    /// Fills with fees, partial cancels, refused cancels and broken trades, of orders that may not be.
    fn report(&mut self) -> Command {
        let newest = self.whole.core.counters().accepted.max(2) as i64;
        let number = self.prng.between(1, 2 * newest);
        let match_number = self.prng.between(1, 300) as u64;
        let kind = match self.prng.between(1, 6) {
            1..=3 => ReportKind::Fill {
                qty: Qty::new(1),
                price: Price::new(self.prng.between(1, 1_000)),
                match_number,
                fee: Money::new(self.prng.between(-3, 9)),
            },
            4 => ReportKind::BrokenTrade { match_number },
            5 => ReportKind::Reduced { qty: Qty::new(1) },
            _ => ReportKind::CancelRejected,
        };
        Command::Report(VenueReport {
            session: SessionId::new((number % self.sessions as i64) as u32),
            user_ref: UserRef::new(number as u32),
            kind,
            note: 0,
        })
    }
}

/// What an effect shows of a run.
fn named(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Refused(refusal) => {
            let name = portcullis_risk_core::checks::name(refusal.primary);
            Some(name.to_string())
        }
        Effect::Alarmed(alarm) => Some(format!("{:?}", alarm.kind)),
        Effect::Approved(_) => Some("approved".to_string()),
        Effect::Answered(_)
        | Effect::Reported(_)
        | Effect::SessionChanged(_)
        | Effect::Controlled(_)
        | Effect::StateChanged { .. } => None,
    }
}

/// One episode; `look` sees the twins after each command.
fn episode(seed: u64, mut look: impl FnMut(&Twins)) -> Twins {
    let mut prng = Prng::new(seed);
    let (config, starts) = config::random(&mut prng);
    let mut twins = Twins::new(&mut prng, &config);
    let mut generator = Generator::new(prng, &config, &starts);
    for _ in 0..EPISODE {
        let whole = &twins.whole;
        let (time, op) = generator.next(|account| whole.figures(account));
        let answer = twins.apply(time, &op);
        generator.learn(&op, &answer);
        if twins.prng.one_in(6) {
            twins.beyond();
        }
        look(&twins);
    }
    twins
}

#[test]
fn a_core_that_is_loaded_goes_on_as_the_one_that_was_saved() {
    let commands = super::number("PORTCULLIS_MODEL_COMMANDS", 100_000);
    let seed = super::number("PORTCULLIS_MODEL_SEED", 1);
    let mut shown = BTreeMap::new();
    for episode_seed in seed..seed + commands.div_ceil(2 * EPISODE as u64) {
        for (name, count) in episode(episode_seed, |_| {}).shown {
            *shown.entry(name).or_default() += count;
        }
    }
    println!("{shown:?}");
    let halting = [AlarmKind::DisputeTableFull, AlarmKind::FillBeyondLeaves];
    let halting = halting.map(|kind| format!("{kind:?}"));
    let must = [
        "sweep",
        "valuation",
        "rest",
        "changed cells",
        "POSITIONS_FULL",
        "ORDERS_FULL",
    ];
    for name in must.into_iter().chain(halting.iter().map(String::as_str)) {
        let count: u64 = shown.get(name).copied().unwrap_or(0);
        assert!(count > 0, "{name} never came: the run shows too little");
    }
}

//! The risk core as a [`Machine`]: commands become records, effects become answers.
//!
//! One thread. Included by the risk core's random tests too. Invariants: a command reaches the
//! core as the server's own does, as an encoded head with the next sequence number and its time;
//! an answer is read from the effects of that command alone.

use super::op::{Answer, Config, Figures, Machine, Op, Word};
use super::spec::limit_spec;
use super::words::{answered, figures, reported};
use portcullis_domain::{
    AccountId, CancelRequest, CashMove, CheckMask, Command, DisputeDecision, HashSeed,
    InstrumentId, Money, NewOrder, Price, Qty, QtyMeaning, Record, ReferencePrice, RejectCode,
    ReplaceRequest, ReportKind, Scope, SessionId, Settlement, StateChange, TimeInForce,
    TradingState, Units, UserRef, VenueReport,
};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, Effect, EffectSink, LineSink, RiskCore, checks};

/// The core, and the number of the last record it was given.
pub(crate) struct CoreMachine {
    pub(crate) core: RiskCore,
    config: Config,
    seq: u64,
    time_ns: u64,
    effects: Effects,
    /// Which commands are approached before, as the gateway does: what the core finds then it need not look up.
    pub(crate) approaches: fn(seq: u64) -> bool,
    /// What the engine charges for a fill: nothing, by the model.
    pub(crate) fee: Money,
}

/// The effects of one command.
#[derive(Default)]
struct Effects(Vec<Effect>);

impl EffectSink for Effects {
    fn on_effect(&mut self, effect: Effect) {
        self.0.push(effect);
    }
}

/// Fetches nothing.
struct Unfetched;

impl LineSink for Unfetched {
    fn line<W: portcullis_risk_core::Word>(&mut self, _word: &W) {}
}

impl CoreMachine {
    /// A core under these limits, with room for `commands` orders that stay known, all links up.
    ///
    /// # Errors
    /// What in the configuration does not load, in words.
    pub(crate) fn new(config: &Config, commands: usize) -> Result<Self, String> {
        let spec = limit_spec(config)?;
        let accounts = config.accounts.len().max(1) as u32;
        let instruments = config.instruments.len().max(1) as u32;
        let room = u32::try_from(commands).map_err(|_| "too many lines".to_string())? + 1;
        let defaults = Capacities::default();
        let capacities = Capacities {
            accounts_max: accounts,
            instruments_max: instruments,
            firms_max: config.firms,
            sessions_max: config.sessions,
            orders_max: room + accounts * (defaults.orders_reserved_per_account + 1),
            positions_max: accounts * instruments,
            past_versions_max: room,
            executions_max: room,
            disputes_max: room,
            ..defaults
        };
        Self::with(config, &spec, &capacities, HashSeed::FIXED)
    }

    /// The same with room for so much, under limits that say at least as much as the configuration.
    ///
    /// # Errors
    /// As [`CoreMachine::new`].
    pub(crate) fn with(
        config: &Config,
        spec: &LimitSpec,
        capacities: &Capacities,
        seed: HashSeed,
    ) -> Result<Self, String> {
        let table = LimitTable::build(spec)
            .map_err(|why| format!("the limits do not load: {:?}", why.faults))?;
        let core = RiskCore::new(capacities, table, seed).map_err(|why| why.to_string())?;
        let mut machine = Self {
            core,
            config: config.clone(),
            seq: 0,
            time_ns: 0,
            effects: Effects::default(),
            approaches: |seq| seq.is_multiple_of(2),
            fee: Money::ZERO,
        };
        for session in (0..config.sessions).map(SessionId::new) {
            machine.send(Command::VenueLink { session, up: true });
        }
        Ok(machine)
    }

    /// Applies a command at the time of the last one and returns its effects.
    pub(crate) fn send(&mut self, command: Command) -> &[Effect] {
        self.seq += 1;
        let mut record = Record::bare(command.encode());
        record.head.seq = self.seq;
        record.head.timestamp_ns = self.time_ns;
        self.effects.0.clear();
        if (self.approaches)(self.seq) {
            let records = core::slice::from_ref(&record);
            self.core
                .apply_batch(records, &mut Unfetched, &mut self.effects);
        } else {
            self.core.apply(&record, &mut self.effects);
        }
        &self.effects.0
    }

    /// The effects of the last command.
    pub(crate) fn effects(&self) -> &[Effect] {
        &self.effects.0
    }

    fn command(&self, op: &Op) -> Command {
        let session = |id| SessionId::new(self.config.session_of(id));
        match *op {
            Op::Deposit { account, amount } => Command::Deposit(cash(account, amount)),
            Op::Withdraw { account, amount } => Command::Withdraw(cash(account, amount)),
            Op::Reference { instrument, price } => Command::Reference(ReferencePrice {
                instrument: InstrumentId::new(instrument),
                price: Price::new(price),
            }),
            Op::Order(order) => Command::NewOrder(NewOrder {
                session: session(order.id),
                user_ref: UserRef::new(order.id),
                account: AccountId::new(order.account),
                instrument: InstrumentId::new(order.instrument),
                side: order.side,
                qty: Qty::new(order.qty),
                price: order.price.map(Price::new),
                time_in_force: TimeInForce::Day,
            }),
            Op::Replace(replace) => Command::Replace(ReplaceRequest {
                session: session(replace.original),
                original: UserRef::new(replace.original),
                user_ref: UserRef::new(replace.id),
                units: Units::TicksAndLots,
                qty: Qty::new(replace.qty),
                qty_meaning: QtyMeaning::Open,
                price: replace.price.map(Price::new),
                time_in_force: TimeInForce::Day,
            }),
            Op::Cancel { id } => Command::Cancel(CancelRequest {
                session: session(id),
                user_ref: UserRef::new(id),
                units: Units::TicksAndLots,
                qty_total: Qty::ZERO,
            }),
            Op::Fill { id, .. }
            | Op::Replaced { id, .. }
            | Op::ReplaceRejected { id, .. }
            | Op::Canceled { id }
            | Op::Rejected { id } => Command::Report(VenueReport {
                session: session(id),
                user_ref: UserRef::new(id),
                kind: self.report(op),
                note: 0,
            }),
            Op::State { scope, state } => Command::SetState(StateChange {
                scope,
                state,
                cancel: false,
            }),
            Op::Settle { instrument, price } => Command::Settle(Settlement {
                instrument: InstrumentId::new(instrument),
                price: Price::new(price),
            }),
            Op::DayStart => Command::DayStart,
            Op::Restart { state } => Command::Restart { state },
            Op::Journal { up } => Command::JournalLink { up },
        }
    }

    /// What the engine says in a command that is a report, and something without effect otherwise.
    fn report(&self, op: &Op) -> ReportKind {
        let number = UserRef::new;
        match *op {
            Op::Fill { qty, price, .. } => ReportKind::Fill {
                qty: Qty::new(qty),
                price: Price::new(price),
                match_number: self.seq + 1,
                fee: self.fee,
            },
            Op::Replaced { new, .. } => ReportKind::Replaced { new: number(new) },
            Op::ReplaceRejected { new, .. } => ReportKind::ReplaceRejected { new: number(new) },
            Op::Canceled { .. } => ReportKind::Canceled,
            Op::Rejected { .. } => ReportKind::Rejected,
            Op::Deposit { .. }
            | Op::Withdraw { .. }
            | Op::Reference { .. }
            | Op::Order(_)
            | Op::Replace(_)
            | Op::Cancel { .. }
            | Op::State { .. }
            | Op::Settle { .. }
            | Op::DayStart
            | Op::Restart { .. }
            | Op::Journal { .. } => ReportKind::Information,
        }
    }

    /// A person discards what is in dispute before an account may be set free again.
    fn discard_disputes(&mut self, account: AccountId) {
        let discard = Command::Dispute {
            account,
            decision: DisputeDecision::Discard,
        };
        while answered(self.send(discard)) == Word::Ok {}
    }
}

impl Machine for CoreMachine {
    fn apply(&mut self, time_ns: u64, op: &Op) -> Answer {
        self.time_ns = time_ns;
        if let Op::State {
            scope: Scope::Account(account),
            state,
        } = op
            && *state != TradingState::Halted
        {
            self.discard_disputes(*account);
        }
        let command = self.command(op);
        self.send(command);
        let effects = self.effects();
        match op {
            Op::Order(_) | Op::Replace(_) => judged(effects),
            Op::Cancel { .. } => Answer::Word(match effects {
                [Effect::Approved(_)] => Word::Forwarded,
                _ => answered(effects),
            }),
            Op::Deposit { .. }
            | Op::Withdraw { .. }
            | Op::Reference { .. }
            | Op::State { .. }
            | Op::Settle { .. }
            | Op::DayStart
            | Op::Restart { .. } => Answer::Word(answered(effects)),
            // The sequencer's own word: nobody asked, so nobody is answered.
            Op::Journal { .. } => Answer::Word(match effects {
                [] => Word::Ok,
                _ => answered(effects),
            }),
            Op::Fill { .. }
            | Op::Replaced { .. }
            | Op::ReplaceRejected { .. }
            | Op::Canceled { .. }
            | Op::Rejected { .. } => Answer::Word(reported(effects)),
        }
    }

    fn figures(&self, account: u32) -> Option<Figures> {
        figures(&self.core, account, self.config.instruments.len() as u32)
    }
}

fn cash(account: u32, amount: i64) -> CashMove {
    CashMove {
        account: AccountId::new(account),
        amount: Money::new(amount),
    }
}

/// What the effects of an order or replace say.
fn judged(effects: &[Effect]) -> Answer {
    for effect in effects {
        match effect {
            Effect::Approved(_) => return Answer::Judged(Vec::new()),
            Effect::Refused(refusal) => return Answer::Judged(named(refusal.failing)),
            Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::Controlled(_)
            | Effect::StateChanged { .. }
            | Effect::Alarmed(_) => {}
        }
    }
    Answer::Word(answered(effects))
}

/// The names of failing checks. Firms and sessions have the widest limits that load, which only an
/// amount beyond every account limit can pass: beside others, their checks say nothing.
fn named(failing: CheckMask) -> Vec<String> {
    let beside = |code: &RejectCode| {
        let fields = checks::descriptor(*code).map_or(&[][..], |check| check.fields);
        let wide = |scope| scope == "firm" || scope == "session";
        !fields.is_empty() && fields.iter().all(|(scope, _)| wide(*scope))
    };
    let own: Vec<RejectCode> = failing.codes().filter(|code| !beside(code)).collect();
    let codes = if own.is_empty() {
        failing.codes().collect()
    } else {
        own
    };
    codes
        .into_iter()
        .map(|code| checks::name(code).to_string())
        .collect()
}

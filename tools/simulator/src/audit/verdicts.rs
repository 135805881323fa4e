//! Every verdict, predicted: the log is given to the naive model, and to a core of its own whose
//! effects are held against it.
//!
//! Owned by the auditor, a room for each part of the log. What the model does not know (numbers, links, sessions, form) is a few facts
//! a session, kept here. Invariants: the follower sees the same records as the gateway's core did and
//! must end with its digest; each order's failing checks are predicted in full.

mod orders;
mod reports;
mod sessions;
mod sweeps;

use super::Audited;
use super::effects::{Effects, verdict};
use crate::desk::Books;
use crate::gateway;
use crate::market::Market;
use crate::model::naive::Naive;
use crate::model::op::{Answer, Machine, Op, Word};
use crate::model::words;
use crate::violation::{Rule, Violation};
use crate::world::World;
use portcullis_domain::{
    Command, FlipLimits, Record, RejectCode, SessionId, Side, TradingState, UserRef,
};
use portcullis_risk_core::{AnswerKind, OutboundAction, OutboundOrder, RiskCore};
use std::collections::BTreeMap;
use sweeps::Owed;

/// After how many records all figures are compared.
const COMPARE_EVERY: u64 = 100;

/// What is known of a session.
#[derive(Clone, Copy)]
struct Facts {
    /// The highest number taken.
    taken: u32,
    connection: Option<u32>,
    /// Its own state, and whether its client has order entry on.
    state: TradingState,
    entry_enabled: bool,
}

/// An order as far as the model does not know it.
#[derive(Clone, Copy, Debug)]
struct Known {
    executed: i64,
    session: u32,
    account: u32,
    instrument: u32,
    side: Side,
}

struct Auditor<'a> {
    market: &'a Market,
    books: &'a Books,
    model: Naive,
    follower: Box<RiskCore>,
    effects: Effects,
    sessions: Vec<Facts>,
    /// By the model's id of any version ever admitted: that of its order's first.
    firsts: BTreeMap<u32, u32>,
    orders: BTreeMap<u32, Known>,
    /// Disputed executions of each account.
    disputes: BTreeMap<u32, u32>,
    owed: Owed,
    audited: Audited,
}

/// Predicts a whole log.
pub(super) fn audit(world: &World) -> Result<Audited, Violation> {
    let mut auditor = Auditor::new(&world.market, &world.desk.books);
    let mut now = 0;
    for (index, record) in world.log()?.iter().enumerate() {
        let seq = record.head.seq;
        if seq != index as u64 + 1 {
            let why = format!("record {seq} stands where {} should", index + 1);
            return Err(Violation::new(Rule::SeqGap, why));
        }
        now = record.head.timestamp_ns;
        auditor.take(record).map_err(|violation| {
            let what = format!("seq {seq}, {:?}: {}", record.head, violation.what);
            Violation { what, ..violation }
        })?;
    }
    auditor.compare_all()?;
    auditor.none_is_owed(now)?;
    let core = world.core()?;
    let ends = |core: &RiskCore| (core.seq().raw(), core.digest(), core.state_hash());
    let (replayed, came) = (ends(&auditor.follower), ends(core));
    if replayed != came {
        let why = format!("the log replays to {replayed:x?}, the core stands at {came:x?}");
        return Err(Violation::new(Rule::Digest, why));
    }
    Ok(auditor.audited)
}

impl<'a> Auditor<'a> {
    fn new(market: &'a Market, books: &'a Books) -> Self {
        let facts = Facts {
            taken: 0,
            connection: None,
            state: TradingState::Active,
            entry_enabled: true,
        };
        let mut model = Naive::new(&market.config);
        for session in 0..market.config.sessions {
            model.link(session, false);
        }
        Self {
            model,
            follower: gateway::core(market),
            effects: Effects::default(),
            sessions: vec![facts; market.config.sessions as usize],
            firsts: BTreeMap::new(),
            orders: BTreeMap::new(),
            disputes: BTreeMap::new(),
            owed: Owed::default(),
            audited: Audited::default(),
            market,
            books,
        }
    }

    /// Predicts one record and holds the core's effects against it.
    fn take(&mut self, record: &Record) -> Result<(), Violation> {
        let command = Command::decode(&record.head);
        let command = command.map_err(|why| verdict(format!("no command: {why}")))?;
        if let Command::FlipLimits(FlipLimits { digest }) = command
            && let Some(config) = self.books.get(&digest)
        {
            let unused = self.follower.stage(Box::new(self.market.table(config)));
            assert!(unused.is_none(), "a table is staged for its flip alone");
            let _ = self.follower.take_retired();
        }
        self.effects.0.clear();
        self.follower.apply(record, &mut self.effects);
        let early = record.head.early_refusal();
        self.predict(record.head.timestamp_ns, &command, early)?;
        if record.head.seq.is_multiple_of(COMPARE_EVERY) {
            self.compare_all()?;
        }
        Ok(())
    }

    fn predict(
        &mut self,
        now: u64,
        command: &Command,
        early: Option<RejectCode>,
    ) -> Result<(), Violation> {
        match command {
            Command::NewOrder(order) => self.new_order(now, order, early),
            Command::Replace(request) => self.replace(now, request, early),
            Command::Cancel(request) => {
                let id = self.id(request.session, request.user_ref);
                self.cancel(now, id)
            }
            Command::MassCancel(asked) => {
                self.sweep_client(now, asked);
                self.effects.expect_answer(AnswerKind::MassCancelTaken)
            }
            Command::OrderEntry {
                session, enabled, ..
            } => self.order_entry(now, *session, *enabled),
            Command::AccountQuery { session, .. } => {
                let next = self.sessions[session.index()].taken + 1;
                self.effects.expect_answer(AnswerKind::NextNumber(next))
            }
            Command::Report(report) => self.report(now, report),
            Command::VenueLink { session, up } => {
                self.model.link(session.raw(), *up);
                self.effects.expect_silence()
            }
            Command::VenueSequence { .. } => self.effects.expect_silence(),
            Command::JournalLink { up } => {
                let _ = self.model.apply(now, &Op::Journal { up: *up });
                self.effects.expect_silence()
            }
            Command::Restart { state } => self.control(now, &Op::Restart { state: *state }),
            Command::Session(event) => self.session(now, event),
            Command::Tick => self.tick(now),
            Command::SetState(change) => self.set_state(now, change),
            Command::FlipLimits(flip) => self.flip(flip),
            Command::Dispute { account, .. } => self.dispute(*account),
            Command::StateHash | Command::DayRoll | Command::ValueAccounts => Ok(()),
            Command::Deposit(cash) => {
                let (account, amount) = (cash.account.raw(), cash.amount.quanta());
                self.control(now, &Op::Deposit { account, amount })
            }
            Command::Withdraw(cash) => {
                let (account, amount) = (cash.account.raw(), cash.amount.quanta());
                self.control(now, &Op::Withdraw { account, amount })
            }
            Command::Settle(settlement) => {
                let instrument = settlement.instrument.raw();
                let price = settlement.price.ticks();
                self.control(now, &Op::Settle { instrument, price })
            }
            Command::Reference(reference) => {
                let instrument = reference.instrument.raw();
                let price = reference.price.ticks();
                self.control(now, &Op::Reference { instrument, price })
            }
            Command::DayStart => self.control(now, &Op::DayStart),
            Command::SetCell(_) | Command::MovePosition(_) => {
                Err(verdict("nobody asks for that here".to_owned()))
            }
        }
    }

    /// The model's id of a number. A number that nobody uses is that of no order.
    fn id(&self, session: SessionId, user_ref: UserRef) -> u32 {
        let sessions = self.market.config.sessions;
        let id = user_ref.number.checked_mul(sessions);
        id.map_or(u32::MAX, |id| id + session.raw())
    }

    fn flip(&mut self, flip: &FlipLimits) -> Result<(), Violation> {
        let Some(config) = self.books.get(&flip.digest) else {
            return self.effects.expect_outcome(Word::Refused);
        };
        self.model.relimit(config);
        self.effects.expect_outcome(Word::Ok)
    }

    fn control(&mut self, now: u64, op: &Op) -> Result<(), Violation> {
        let Answer::Word(predicted) = self.model.apply(now, op) else {
            unreachable!("a control command is answered in a word");
        };
        self.effects.expect_outcome(predicted)
    }

    /// Every figure of every account, by the model and by the core.
    fn compare_all(&self) -> Result<(), Violation> {
        let instruments = self.market.starts.len() as u32;
        for account in 0..self.market.config.accounts.len() as u32 {
            let model = self.model.figures(account).expect("of the config");
            let core = words::figures(&self.follower, account, instruments).expect("of the config");
            if let Some(difference) = model.difference(&core) {
                let why = format!("account {account}, by the model and the core: {difference}");
                return Err(Violation::new(Rule::Figures, why));
            }
        }
        Ok(())
    }
}

const fn is_cancel(order: &OutboundOrder) -> bool {
    matches!(order.action, OutboundAction::Cancel { .. })
}

//! Every verdict, predicted: the log is given to the naive model, and to a core of its own whose
//! effects are held against it.
//!
//! Owned by the auditor. What the model does not know (numbers, links, sessions, form) is a few facts
//! a session, kept here. Invariants: the follower sees the same records as the gateway's core did and
//! must end with its digest; each order's failing checks are predicted in full.

use super::Audited;
use super::effects::{Effects, names};
use crate::desk::Books;
use crate::gateway;
use crate::market::Market;
use crate::model::naive::Naive;
use crate::model::op::{
    Answer, Figures, Machine, Op, OpenInterestFigures, OrderOp, PositionFigures, ReplaceOp,
    ValuedFigures, Word,
};
use crate::violation::{Rule, Violation};
use crate::world::World;
use portcullis_domain::{
    AccountId, Command, FlipLimits, InstrumentId, NewOrder, Price, Record, RejectCode,
    ReplaceRequest, ReportKind, Scope, SessionEvent, SessionEventKind, SessionId, StateChange,
    TradingState, UserRef, VenueReport,
};
use portcullis_risk_core::{AnswerKind, Effect, OutboundAction, OutboundOrder, RiskCore, checks};
use std::collections::BTreeMap;

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
#[derive(Clone, Copy)]
struct Known {
    executed: i64,
    instrument: u32,
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
    audited: Audited,
}

/// Predicts a whole log.
pub(super) fn audit(world: &World) -> Result<Audited, Violation> {
    let mut auditor = Auditor::new(&world.market, &world.desk.books);
    for (index, record) in world.log()?.iter().enumerate() {
        let seq = record.head.seq;
        if seq != index as u64 + 1 {
            let why = format!("record {seq} stands where {} should", index + 1);
            return Err(Violation::new(Rule::SeqGap, why));
        }
        auditor.take(record).map_err(|violation| {
            let what = format!("seq {seq}, {:?}: {}", record.head, violation.what);
            Violation { what, ..violation }
        })?;
    }
    auditor.compare_all()?;
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
            Command::MassCancel(_) => self.expect_answer(AnswerKind::MassCancelTaken),
            Command::OrderEntry {
                session, enabled, ..
            } => self.order_entry(now, *session, *enabled),
            Command::AccountQuery { session, .. } => {
                let next = self.sessions[session.index()].taken + 1;
                self.expect_answer(AnswerKind::NextNumber(next))
            }
            Command::Report(report) => self.report(now, report),
            Command::VenueLink { session, up } => {
                self.model.link(session.raw(), *up);
                self.expect_silence()
            }
            Command::VenueSequence { .. } => self.expect_silence(),
            Command::JournalLink { up } => {
                let _ = self.model.apply(now, &Op::Journal { up: *up });
                self.expect_silence()
            }
            Command::Restart { state } => self.control(now, &Op::Restart { state: *state }),
            Command::Session(event) => self.session(event),
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

    fn new_order(
        &mut self,
        now: u64,
        order: &NewOrder,
        early: Option<RejectCode>,
    ) -> Result<(), Violation> {
        if self.is_resent(order.session, order.user_ref) {
            return self.expect_answer(AnswerKind::Resent);
        }
        let op = OrderOp {
            account: order.account.raw(),
            instrument: order.instrument.raw(),
            id: self.id(order.session, order.user_ref),
            side: order.side,
            qty: order.qty.lots(),
            price: order.price.map(Price::ticks),
        };
        let predicted = match early {
            Some(code) => self.form(op.account, op.instrument, op.qty, op.price, code),
            None => self.judged(now, &Op::Order(op)),
        };
        if predicted.is_empty() {
            self.firsts.insert(op.id, op.id);
            let known = Known {
                executed: 0,
                instrument: op.instrument,
            };
            self.orders.insert(op.id, known);
        }
        self.expect_verdict(&predicted, |sent| {
            let action = matches!(
                sent.action,
                OutboundAction::Enter { qty, price, .. }
                    if qty == order.qty && order.price.is_none_or(|asked| asked == price)
            );
            action && sent.account == order.account && sent.user_ref == order.user_ref
        })
    }

    fn replace(
        &mut self,
        now: u64,
        request: &ReplaceRequest,
        early: Option<RejectCode>,
    ) -> Result<(), Violation> {
        let original = self.id(request.session, request.original);
        if !self.is_open(now, original) {
            return self.expect_answer(AnswerKind::OrderUnknown);
        }
        if self.is_resent(request.session, request.user_ref) {
            return self.expect_answer(AnswerKind::Resent);
        }
        let first = self.firsts[&original];
        let total = request.qty.lots();
        let op = ReplaceOp {
            original,
            id: self.id(request.session, request.user_ref),
            qty: total - self.orders[&first].executed,
            price: request.price.map(Price::ticks),
        };
        if let Some(code) = early {
            // An order that is open has an account that is known.
            let instrument = self.orders[&first].instrument;
            let predicted = self.form(0, instrument, op.qty, op.price, code);
            return self.expect_verdict_among(&predicted);
        }
        let predicted = self.judged(now, &Op::Replace(op));
        if predicted.is_empty() {
            self.firsts.insert(op.id, first);
        }
        self.expect_verdict(&predicted, |sent| {
            let action = matches!(
                sent.action,
                OutboundAction::Replace { qty_total, price, .. }
                    if qty_total.lots() == total
                        && request.price.is_none_or(|asked| asked == price)
            );
            action && sent.user_ref == request.user_ref
        })
    }

    /// Takes a number; whether it was taken before.
    fn is_resent(&mut self, session: SessionId, user_ref: UserRef) -> bool {
        let facts = &mut self.sessions[session.index()];
        let resent = user_ref.number <= facts.taken;
        facts.taken = facts.taken.max(user_ref.number);
        resent
    }

    /// Whether the model has an open order under this id.
    fn is_open(&mut self, now: u64, id: u32) -> bool {
        self.model.apply(now, &Op::Cancel { id }) == Answer::Word(Word::Forwarded)
    }

    fn judged(&mut self, now: u64, op: &Op) -> Vec<String> {
        match self.model.apply(now, op) {
            Answer::Judged(failing) => failing,
            Answer::Word(word) => unreachable!("an order is judged, not {}", word.name()),
        }
    }

    /// The failing checks of an order that ingress found wrong: form alone, and what it found.
    fn form(
        &self,
        account: u32,
        instrument: u32,
        qty: i64,
        price: Option<i64>,
        early: RejectCode,
    ) -> Vec<String> {
        let config = &self.market.config;
        let limits = config.instruments.get(instrument as usize);
        let price_max = limits.map_or(i64::MAX, |limits| limits.price_max);
        let outside = price.is_some_and(|price| price < 1 || price > price_max);
        let failing = [
            ("ACCOUNT_UNKNOWN", account as usize >= config.accounts.len()),
            ("INSTRUMENT_UNKNOWN", limits.is_none()),
            ("QUANTITY_INVALID", qty < 1),
            ("PRICE_INVALID", outside),
        ];
        let failing = failing.into_iter().filter(|(_, fails)| *fails);
        let names = failing.map(|(name, _)| name.to_owned());
        names.chain([checks::name(early).to_string()]).collect()
    }

    fn cancel(&mut self, now: u64, id: u32) -> Result<(), Violation> {
        if !self.is_open(now, id) {
            return self.expect_answer(AnswerKind::OrderUnknown);
        }
        let mut sent = self.effects.approved();
        let passes = sent.next().is_some_and(is_cancel) && sent.next().is_none();
        if passes {
            return Ok(());
        }
        Err(verdict(format!(
            "a cancel of an open order goes to the engine; came {:?}",
            self.effects.0
        )))
    }

    fn order_entry(
        &mut self,
        now: u64,
        session: SessionId,
        enabled: bool,
    ) -> Result<(), Violation> {
        self.sessions[session.index()].entry_enabled = enabled;
        self.tell_state(now, session);
        self.expect_answer(if enabled {
            AnswerKind::EntryEnabled
        } else {
            AnswerKind::EntryDisabled
        })
    }

    /// The model knows one state of a session: the stricter of the desk's and the client's own.
    fn tell_state(&mut self, now: u64, session: SessionId) {
        let facts = self.sessions[session.index()];
        let own = if facts.entry_enabled {
            TradingState::Active
        } else {
            TradingState::CancelOnly
        };
        let op = Op::State {
            scope: Scope::Session(session),
            state: facts.state.stricter(own),
        };
        let told = self.model.apply(now, &op);
        assert_eq!(told, Answer::Word(Word::Ok), "the session is there");
    }

    fn set_state(&mut self, now: u64, change: &StateChange) -> Result<(), Violation> {
        let StateChange { scope, state, .. } = *change;
        if let Scope::Session(session) = scope {
            self.sessions[session.index()].state = state;
            self.tell_state(now, session);
            return self.expect_outcome(Word::Ok);
        }
        self.control(now, &Op::State { scope, state })
    }

    fn report(&mut self, now: u64, report: &VenueReport) -> Result<(), Violation> {
        let id = self.id(report.session, report.user_ref);
        let op = match report.kind {
            ReportKind::Fill { qty, price, .. } => Op::Fill {
                id,
                qty: qty.lots(),
                price: price.ticks(),
            },
            ReportKind::Canceled => Op::Canceled { id },
            // OUCH says it of an order and of a version alike: the number tells which.
            ReportKind::Rejected if self.firsts.get(&id).is_some_and(|first| *first != id) => {
                Op::ReplaceRejected { id, new: id }
            }
            ReportKind::Rejected => Op::Rejected { id },
            ReportKind::Replaced { new } => Op::Replaced {
                id,
                new: self.id(report.session, new),
            },
            ReportKind::ReplaceRejected { new } => Op::ReplaceRejected {
                id,
                new: self.id(report.session, new),
            },
            ReportKind::Accepted
            | ReportKind::CancelPending
            | ReportKind::CancelRejected
            | ReportKind::Information => {
                let known = self.firsts.contains_key(&id);
                let predicted = if known { Word::Ok } else { Word::Alarm };
                return self.expect_reported(predicted);
            }
            ReportKind::Reduced { .. } | ReportKind::BrokenTrade { .. } => {
                return Err(verdict("no engine here says that".to_owned()));
            }
        };
        let Answer::Word(predicted) = self.model.apply(now, &op) else {
            unreachable!("a report is answered in a word");
        };
        if let (ReportKind::Fill { qty, .. }, Some(first)) = (report.kind, self.firsts.get(&id)) {
            match predicted {
                Word::Ok => self.known(*first).executed += qty.lots(),
                Word::Halt => self.dispute_begun(),
                Word::Refused | Word::Forwarded | Word::Unknown | Word::Ignored | Word::Alarm => {}
            }
        }
        self.expect_reported(predicted)
    }

    fn known(&mut self, first: u32) -> &mut Known {
        self.orders.get_mut(&first).expect("admitted")
    }

    /// The account is named by the core's own alarm: that it is the right one shows in the figures.
    fn dispute_begun(&mut self) {
        let account = self.effects.0.iter().find_map(|effect| match effect {
            Effect::StateChanged {
                scope: Scope::Account(account),
                ..
            } => Some(account.raw()),
            Effect::Approved(_)
            | Effect::Refused(_)
            | Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::Controlled(_)
            | Effect::StateChanged { .. }
            | Effect::Alarmed(_) => None,
        });
        if let Some(account) = account {
            *self.disputes.entry(account).or_default() += 1;
        }
    }

    fn dispute(&mut self, account: AccountId) -> Result<(), Violation> {
        let disputes = self.disputes.entry(account.raw()).or_default();
        let predicted = if *disputes > 0 {
            Word::Ok
        } else {
            Word::Refused
        };
        *disputes = disputes.saturating_sub(1);
        self.expect_outcome(predicted)
    }

    fn session(&mut self, event: &SessionEvent) -> Result<(), Violation> {
        let facts = &mut self.sessions[event.session.index()];
        let ends = event.kind != SessionEventKind::Up;
        if ends && facts.connection != Some(event.connection) {
            return self.expect_silence();
        }
        facts.connection = (!ends).then_some(event.connection);
        let lost = matches!(event.kind, SessionEventKind::Lost | SessionEventKind::Ended);
        let canceling = lost && self.market.cancel_on_disconnect[event.session.index()];
        match self.effects.0[..] {
            [Effect::SessionChanged(change)]
                if change.kind == event.kind
                    && change.connection == event.connection
                    && change.canceling == canceling =>
            {
                Ok(())
            }
            _ => Err(verdict(format!("came {:?}", self.effects.0))),
        }
    }

    /// What a slice of a mass cancel sends are cancels of open orders.
    fn tick(&mut self, now: u64) -> Result<(), Violation> {
        let sent: Vec<OutboundOrder> = self.effects.approved().copied().collect();
        for order in &sent {
            let id = self.id(order.session, order.user_ref);
            if !is_cancel(order) || !self.is_open(now, id) {
                return Err(verdict(format!("a tick sent {order:?}")));
            }
        }
        if sent.len() == self.effects.0.len() {
            return Ok(());
        }
        Err(verdict(format!("a tick said {:?}", self.effects.0)))
    }

    fn flip(&mut self, flip: &FlipLimits) -> Result<(), Violation> {
        let Some(config) = self.books.get(&flip.digest) else {
            return self.expect_outcome(Word::Refused);
        };
        self.model.relimit(config);
        self.expect_outcome(Word::Ok)
    }

    fn control(&mut self, now: u64, op: &Op) -> Result<(), Violation> {
        let Answer::Word(predicted) = self.model.apply(now, op) else {
            unreachable!("a control command is answered in a word");
        };
        self.expect_outcome(predicted)
    }

    fn expect_verdict(
        &mut self,
        predicted: &[String],
        is_what_was_asked: impl Fn(&OutboundOrder) -> bool,
    ) -> Result<(), Violation> {
        self.audited.judged += 1;
        if !predicted.is_empty() {
            return self.expect_verdict_among(predicted);
        }
        self.audited.accepted += 1;
        let mut sent = self.effects.approved();
        match (sent.next(), sent.next()) {
            (Some(order), None) if is_what_was_asked(order) => Ok(()),
            _ => Err(verdict(format!(
                "predicted that it passes as asked; came {:?}",
                self.effects.0
            ))),
        }
    }

    fn expect_verdict_among(&self, predicted: &[String]) -> Result<(), Violation> {
        let came = self.effects.failing().map(names);
        if came.as_deref() == Some(predicted) && self.effects.approved().next().is_none() {
            return Ok(());
        }
        Err(verdict(format!(
            "predicted a refusal by {predicted:?}; came {:?}",
            self.effects.0
        )))
    }

    fn expect_answer(&self, predicted: AnswerKind) -> Result<(), Violation> {
        if self.effects.answered() == Some(predicted) {
            return Ok(());
        }
        Err(verdict(format!(
            "predicted the answer {predicted:?}; came {:?}",
            self.effects.0
        )))
    }

    fn expect_outcome(&self, predicted: Word) -> Result<(), Violation> {
        if self.effects.controlled() == Some(predicted) {
            return Ok(());
        }
        Err(verdict(format!(
            "predicted {predicted:?}; came {:?}",
            self.effects.0
        )))
    }

    fn expect_reported(&self, predicted: Word) -> Result<(), Violation> {
        let came = self.effects.reported();
        if came == predicted {
            return Ok(());
        }
        Err(verdict(format!(
            "predicted {predicted:?}, came {came:?}: {:?}",
            self.effects.0
        )))
    }

    fn expect_silence(&self) -> Result<(), Violation> {
        if self.effects.0.is_empty() {
            return Ok(());
        }
        Err(verdict(format!(
            "predicted that nothing follows; came {:?}",
            self.effects.0
        )))
    }

    /// Every figure of every account, by the model and by the core.
    fn compare_all(&self) -> Result<(), Violation> {
        for account in 0..self.market.config.accounts.len() as u32 {
            let model = self.model.figures(account).expect("of the config");
            let core = figures(&self.follower, account, self.market);
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

fn verdict(why: String) -> Violation {
    Violation::new(Rule::Verdict, why)
}

/// The core's figures of an account, in the model's words.
fn figures(core: &RiskCore, account: u32, market: &Market) -> Figures {
    let id = AccountId::new(account);
    let view = core.account(id).expect("an account of the table");
    let instruments = || (0..market.starts.len() as u32).map(InstrumentId::new);
    let positions = instruments().map(|instrument| {
        let position = core.position(id, instrument);
        PositionFigures {
            net: position.net.into(),
            cost: position.cost,
            open_buy: position.open_buy.into(),
            open_sell: position.open_sell.into(),
            adverse: position.adverse,
        }
    });
    let open_interest = instruments().map(|instrument| {
        let view = core.instrument(instrument).expect("of the table");
        OpenInterestFigures {
            open_interest: view.open_interest.into(),
            long_would_be: view.long_would_be.into(),
            short_would_be: view.short_would_be.into(),
        }
    });
    Figures {
        cash: view.cash,
        state: view.state,
        open_orders: view.open_orders.into(),
        open_notional: view.open_notional,
        positions: positions.collect(),
        open_interest: open_interest.collect(),
        valued: view.worth.map(|worth| ValuedFigures {
            equity: worth.equity,
            admissible: worth.admissible,
            requirement: worth.requirement,
            free: worth.free,
        }),
    }
}

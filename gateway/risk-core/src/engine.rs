//! The risk core: state, dispatch, digest.
//!
//! One thread owns it. (state, sequenced command) -> (state', effects): no clock, no I/O, no
//! randomness; what it knows of time stands on the record. Invariants: commands come in the order
//! of their sequence numbers, without gaps, with times that never go back; at most
//! [`EFFECTS_MAX`] effects a command.

mod saved;

extern crate alloc;

use crate::approach::{Hints, LineSink, Unfetched};
use crate::capacities::{Capacities, CapacityError};
use crate::counters::{Counters, count};
use crate::effect::{Alarm, AlarmKind, Answer, AnswerKind, EFFECTS_MAX, Effect, EffectSink};
use crate::executions::{Disputes, Executions};
use crate::ledger::Ledger;
use crate::limits::LimitTable;
use crate::sessions::Sessions;
use crate::sweeps::Sweeps;
use crate::valuations::Valuations;
use crate::venue::Venue;
use alloc::boxed::Box;
use core::hint::cold_path;
use portcullis_domain::{
    AccountId, Block, Command, CommandKind, Digest, HashSeed, Head, InstrumentId, NewOrder, Price,
    Qty, Record, ReportDetail, Seq, SessionId, Timestamp, UserRef,
};

/// The risk core.
#[derive(Debug)]
pub struct RiskCore {
    pub(crate) table: Box<LimitTable>,
    pub(crate) staged: Option<Box<LimitTable>>,
    pub(crate) retired: Option<Box<LimitTable>>,
    pub(crate) epoch: u32,
    pub(crate) ledger: Ledger,
    pub(crate) sessions: Sessions,
    pub(crate) sweeps: Sweeps,
    pub(crate) valuations: Valuations,
    pub(crate) executions: Executions,
    pub(crate) disputes: Disputes,
    pub(crate) venue: Venue,
    pub(crate) reserved_per_account: u32,
    pub(crate) capacities: Capacities,
    pub(crate) counters: Counters,
    pub(crate) hints: Hints,
    /// Up to which record orders are expected whose accounts must be brought up to the table or the day before.
    pub(crate) behind_until: u64,
    /// Whether the order in hand was found to be covered by its account's exact worth.
    pub(crate) covered: bool,
    pub(crate) seq: Seq,
    pub(crate) now: Timestamp,
    digest: Digest,
    effects: usize,
}

impl RiskCore {
    /// A core with nothing in its ledger, under a table of limits. Allocates all it will ever use. `seed` is
    /// where keys lie in its tables: nothing that it says or saves depends on that.
    ///
    /// # Errors
    /// If the capacities cannot hold the table, or cannot be had at all.
    pub fn new(
        capacities: &Capacities,
        table: LimitTable,
        seed: HashSeed,
    ) -> Result<Self, CapacityError> {
        capacities.check()?;
        if let Some(what) = too_large(capacities, &table) {
            return Err(CapacityError::TableTooLarge(what));
        }
        let mut core = Self {
            table: Box::new(table),
            staged: None,
            retired: None,
            epoch: 1,
            ledger: Ledger::new(capacities, seed),
            sessions: Sessions::new(capacities.sessions_max as usize),
            sweeps: Sweeps::new(capacities.sweeps_max as usize),
            valuations: Valuations::new(),
            executions: Executions::new(capacities.executions_max as usize, seed),
            disputes: Disputes::new(capacities.disputes_max as usize),
            venue: Venue::new(),
            reserved_per_account: capacities.orders_reserved_per_account,
            capacities: *capacities,
            counters: Counters::new(),
            hints: Hints::new(),
            behind_until: 0,
            covered: false,
            seq: Seq::ZERO,
            now: Timestamp::ZERO,
            digest: Digest::new(),
            effects: 0,
        };
        core.relimit();
        Ok(core)
    }

    /// Applies one sequenced record.
    ///
    /// # Panics
    /// If its sequence number is not the next one, or its time is before the last one's: the
    /// sequencer is broken, and going on would make a log that does not replay.
    pub fn apply(&mut self, record: &Record, sink: &mut impl EffectSink) {
        self.apply_near(record, &mut Unfetched, sink);
    }

    /// As [`RiskCore::apply`]; `lines` fetches what the next slice of sliced work will read.
    #[inline(always)]
    pub(crate) fn apply_near(
        &mut self,
        record: &Record,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        let head = &record.head;
        let seq = self.seq.next();
        assert!(head.seq == seq.raw(), "records come without gaps");
        assert!(head.timestamp_ns >= self.now.ns(), "time never goes back");
        self.seq = seq;
        self.now = Timestamp::from_ns(head.timestamp_ns);
        self.effects = 0;
        count(&mut self.counters.commands);
        if head.kind == CommandKind::NewOrder as u8 {
            if head.seq <= self.behind_until {
                cold_path();
                return self.apply_new_behind(head, lines, sink);
            }
            self.apply_new(head, lines, sink);
        } else {
            self.apply_rest(head, lines, sink);
        }
    }

    /// A new order. Apart from the loop over a batch: together they have more in hand than there are registers.
    #[inline(never)]
    pub(crate) fn apply_new(
        &mut self,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        if let Ok(order) = NewOrder::decode(head)
            && self.sessions.contains(order.session)
        {
            self.new_order(&order, head, lines, sink);
            return;
        }
        self.apply_other(head, lines, sink);
    }

    /// What is no new order: what most orders have next by ways of their own.
    #[inline(never)]
    fn apply_rest(&mut self, head: &Head, lines: &mut impl LineSink, sink: &mut impl EffectSink) {
        if head.kind == CommandKind::Cancel as u8 {
            self.apply_cancel(head, lines, sink);
            return;
        }
        let detail = ReportDetail::from_raw(head.detail);
        match detail.filter(|_| head.kind == CommandKind::Report as u8) {
            Some(ReportDetail::Accepted) => self.apply_accepted(head, lines, sink),
            Some(ReportDetail::Fill) => self.apply_fill(head, lines, sink),
            Some(ReportDetail::Canceled) => self.apply_canceled(head, lines, sink),
            Some(ReportDetail::Rejected) => self.apply_rejected(head, lines, sink),
            Some(_) | None => self.apply_other(head, lines, sink),
        }
    }

    /// All that has no way of its own, and what is no command at all: apart from the code of what has, which is
    /// the most of what comes.
    #[inline(never)]
    pub(crate) fn apply_other(
        &mut self,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        let Ok(command) = Command::decode(head) else {
            self.alarm(AlarmKind::RecordInvalid, None, sink);
            return;
        };
        if self.names_unknown_session(&command) {
            self.alarm(AlarmKind::RecordInvalid, None, sink);
            return;
        }
        let early = head.early_refusal();
        match command {
            Command::NewOrder(_) => unreachable!("a new order of a known session went its own way"),
            Command::Replace(request) => self.replace(&request, early, sink),
            Command::Cancel(request) => self.cancel(&request, sink),
            Command::MassCancel(request) => self.mass_cancel(&request, early, sink),
            Command::OrderEntry {
                session,
                user_ref,
                enabled,
            } => {
                self.order_entry(session, user_ref, enabled, sink);
            }
            Command::AccountQuery { session, row } => {
                let next = AnswerKind::NextNumber(self.sessions.next(session, row));
                self.answer(session, UserRef { row, number: 0 }, next, sink);
            }
            Command::Report(report) => self.report(&report, sink),
            Command::VenueLink { session, up } => self.sessions.get_mut(session).link_up = up,
            // What it was is the venue agent's affair; that it came is in the log.
            Command::VenueSequence { .. } => {}
            Command::JournalLink { up } => self.venue.set_journal(up),
            Command::Session(event) => self.session_event(&event, sink),
            Command::Tick => self.tick(lines, sink),
            Command::Deposit(_)
            | Command::Withdraw(_)
            | Command::Settle(_)
            | Command::Reference(_)
            | Command::SetState(_)
            | Command::Restart { .. }
            | Command::DayStart
            | Command::DayRoll
            | Command::FlipLimits(_)
            | Command::SetCell(_)
            | Command::MovePosition(_)
            | Command::Dispute { .. }
            | Command::StateHash
            | Command::ValueAccounts => self.control(&command, head.number, sink),
        }
    }

    fn names_unknown_session(&self, command: &Command) -> bool {
        let session = match command {
            Command::NewOrder(order) => order.session,
            Command::Replace(request) => request.session,
            Command::Cancel(request) => request.session,
            Command::MassCancel(request) => request.session,
            Command::OrderEntry { session, .. }
            | Command::AccountQuery { session, .. }
            | Command::VenueLink { session, .. }
            | Command::VenueSequence { session, .. } => *session,
            Command::Report(report) => report.session,
            Command::Session(event) => event.session,
            Command::JournalLink { .. }
            | Command::Deposit(_)
            | Command::Withdraw(_)
            | Command::Settle(_)
            | Command::Reference(_)
            | Command::SetState(_)
            | Command::Restart { .. }
            | Command::DayStart
            | Command::DayRoll
            | Command::FlipLimits(_)
            | Command::SetCell(_)
            | Command::MovePosition(_)
            | Command::Dispute { .. }
            | Command::StateHash
            | Command::ValueAccounts
            | Command::Tick => return false,
        };
        !self.sessions.contains(session)
    }

    /// Whether orders are being taken off.
    #[must_use]
    pub const fn sweeps_pending(&self) -> bool {
        self.sweeps.is_pending()
    }

    /// Whether sliced work waits for a tick: orders being taken off, or accounts being valued.
    #[must_use]
    pub const fn work_pending(&self) -> bool {
        self.sweeps.is_pending() || self.valuations.is_pending()
    }

    /// The chain over all effects so far.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest.value()
    }

    /// What the core has counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The last command applied.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// The time of the last command; none may come with an earlier one.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Lines of a table of keys that the key which ever had to go furthest passed by: a few, unless keys were
    /// picked by somebody who knows the seed. Of this process alone: another one's keys lie elsewhere.
    #[must_use]
    pub fn passed_max(&self) -> u32 {
        let Ledger {
            positions, orders, ..
        } = &self.ledger;
        let tables = [orders.passed_max(), positions.passed_max()];
        tables
            .into_iter()
            .fold(self.executions.passed_max(), u32::max)
    }

    /// What the core has room for.
    #[must_use]
    pub const fn capacities(&self) -> &Capacities {
        &self.capacities
    }

    /// The table in force, to be looked at.
    #[must_use]
    pub const fn limits(&self) -> &LimitTable {
        &self.table
    }

    /// The version of the limits in force.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Puts a table where the next flip that names its digest finds it. What stood there comes back,
    /// to be freed on another thread.
    pub fn stage(&mut self, table: Box<LimitTable>) -> Option<Box<LimitTable>> {
        self.staged.replace(table)
    }

    /// Takes the table that the last flip put out of force, to be freed on another thread.
    pub fn take_retired(&mut self) -> Option<Box<LimitTable>> {
        self.retired.take()
    }

    /// The hash of the whole state. Equal logs give equal hashes. Reads every table: not for the
    /// path.
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        let mut digest = Digest::new();
        let mut push = |word| digest.push(word);
        push(self.seq.raw());
        push(self.now.ns());
        push(u64::from(self.epoch) << 8 | self.venue.word());
        push(self.table.digest());
        self.ledger.accounts.visit_words(&mut push);
        self.ledger.positions.visit_words(&mut push);
        self.ledger.orders.visit_words(&mut push);
        self.ledger
            .instruments
            .iter()
            .for_each(|instrument| instrument.visit_words(&mut push));
        self.sessions.visit_words(&mut push);
        self.sweeps.visit_words(&mut push);
        self.valuations.visit_words(&mut push);
        self.executions.visit_words(&mut push);
        self.disputes.visit_words(&mut push);
        digest.value()
    }

    /// Says one thing.
    #[inline(always)]
    pub(crate) fn emit(&mut self, sink: &mut impl EffectSink, effect: Effect) {
        self.count_effect();
        self.digest.push(effect.block().value());
        sink.on_effect(effect);
    }

    /// The same of an effect whose words are put together already.
    #[inline(always)]
    pub(crate) fn emit_as(&mut self, effect: Effect, words: Block, sink: &mut impl EffectSink) {
        debug_assert_eq!(words, effect.block(), "the words are its own");
        self.count_effect();
        self.digest.push(words.value());
        sink.on_effect(effect);
    }

    #[inline(always)]
    fn count_effect(&mut self) {
        assert!(
            self.effects < EFFECTS_MAX,
            "a command has more effects than its slice allows"
        );
        self.effects += 1;
    }

    /// How many more effects the command in hand may have.
    pub(crate) const fn effects_left(&self) -> usize {
        EFFECTS_MAX - self.effects
    }

    pub(crate) fn answer(
        &mut self,
        session: SessionId,
        user_ref: UserRef,
        kind: AnswerKind,
        sink: &mut impl EffectSink,
    ) {
        if kind == AnswerKind::Resent {
            self.counters.resent += 1;
        }
        self.emit(
            sink,
            Effect::Answered(Answer {
                session,
                user_ref,
                kind,
            }),
        );
    }

    pub(crate) fn alarm(
        &mut self,
        kind: AlarmKind,
        about: Option<About>,
        sink: &mut impl EffectSink,
    ) {
        let about = about.unwrap_or(About::NOTHING);
        let alarm = Alarm {
            kind,
            session: about.session,
            user_ref: about.user_ref,
            account: about.account,
            instrument: about.instrument,
            qty: about.qty,
            price: about.price,
        };
        self.counters.alarms += 1;
        self.emit(sink, Effect::Alarmed(alarm));
    }

    /// What stands beside the table follows the one in force; the retired one is that before it.
    pub(crate) fn relimit(&mut self) {
        for id in (0..self.table.instruments_len() as u32).map(InstrumentId::new) {
            let before = self.retired.as_ref().and_then(|table| table.instrument(id));
            let limits = self.table.instrument(id);
            // What was prepared from equal limits is what would be prepared again.
            if let Some(limits) = limits.filter(|limits| before != Some(*limits)) {
                self.ledger.instruments.relimit(id.raw(), limits);
            }
        }
        self.ledger.accounts.relimit_firms(&self.table);
        self.sessions.relimit(&self.table);
        self.ledger.begin_table();
    }
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(crate) session: SessionId,
    pub(crate) user_ref: UserRef,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) qty: Qty,
    pub(crate) price: Price,
}

impl About {
    pub(crate) const NOTHING: Self = Self {
        session: SessionId::NONE,
        user_ref: UserRef::new(0),
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        qty: Qty::ZERO,
        price: Price::new(0),
    };
}

/// Which part of a table has no room.
pub(crate) fn too_large(capacities: &Capacities, table: &LimitTable) -> Option<&'static str> {
    let parts = [
        ("accounts", table.accounts_len(), capacities.accounts_max),
        (
            "instruments",
            table.instruments_len(),
            capacities.instruments_max,
        ),
        ("firms", table.firms_len(), capacities.firms_max),
        ("sessions", table.sessions_len(), capacities.sessions_max),
    ];
    parts
        .into_iter()
        .find(|(_, len, max)| *len > *max as usize)
        .map(|(what, ..)| what)
}

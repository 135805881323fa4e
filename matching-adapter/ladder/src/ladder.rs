//! The engine itself: inbox, the work in hand, and what can be asked of it.
//!
//! Owned by whichever thread holds it. A command is worked off in steps, each of which does a
//! bounded piece (one trade, one order cancelled, one command begun) and leaves at most two reports
//! in the outbox. Between steps the state is whole, so work can stop and resume anywhere.
//!
//! Invariants: a step starts only when the outbox is empty; while one command is in hand no other
//! is begun; the order in hand is not on the book. It must never allocate after construction.

mod enter;
mod sweep;
mod take;

use core::fmt;
use std::collections::VecDeque;

use portcullis_domain::{InstrumentId, Price, Qty, SessionId, Side, TimeInForce, UserRef};

use crate::book::Books;
use crate::command::Command;
use crate::config::{ConfigError, LadderConfig};
use crate::counters::{Counters, InstrumentCounters};
use crate::orders::Order;
use crate::report::{CancelReason, Report, ReportKind};
use crate::trades::Trades;

/// Steps a poll may take for each report it may emit: bounds work that yields no report, such as a
/// mass cancel that passes over orders of other instruments.
const STEPS_PER_REPORT: usize = 16;

/// A price-time matching engine; see the crate's page for what it does with each command.
pub struct Ladder {
    pub(crate) config: LadderConfig,
    pub(crate) books: Books,
    pub(crate) inbox: VecDeque<Command>,
    pub(crate) task: Task,
    pub(crate) outbox: Outbox,
    pub(crate) trades: Trades,
    pub(crate) counters: Counters,
    pub(crate) by_instrument: Box<[InstrumentCounters]>,
    /// Number of the next order that goes to the end of a queue.
    pub(crate) order_ref_next: u64,
}

/// The command in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Idle,
    /// An order that crosses, off the book until it no longer does.
    Take(Order),
    Sweep(Sweep),
}

/// A cancel of many orders, between two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sweep {
    /// Session whose list is walked, as an index.
    pub(crate) session: u32,
    /// Sessions from this index on are not walked.
    pub(crate) session_end: u32,
    /// Slot of the next order of that list; `None` at its end.
    pub(crate) next: Option<u32>,
    pub(crate) instrument: Option<InstrumentId>,
    pub(crate) side: Option<Side>,
    pub(crate) reason: SweepReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SweepReason {
    MassCancel,
    /// Day orders alone.
    DayEnd,
}

/// Reports made and not yet emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Outbox {
    pub(crate) reports: [Option<Report>; 2],
}

/// The inbox is full; nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// How many commands the inbox holds.
    pub inbox_max: u32,
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.inbox_max;
        write!(
            f,
            "the ladder's inbox holds {held} commands and is full; poll, then submit again"
        )
    }
}

impl core::error::Error for Busy {}

/// An order on the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// Whose.
    pub session: SessionId,
    /// Number of the version that rests.
    pub user_ref: UserRef,
    /// The caller's word for it.
    pub tag: u64,
    /// The ladder's number for it.
    pub order_ref: u64,
    /// What it trades.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Its limit in ticks.
    pub price: Price,
    /// Open lots.
    pub leaves: Qty,
    /// Lots executed by this version and those before it.
    pub executed: Qty,
    /// How long it stays.
    pub time_in_force: TimeInForce,
}

/// One price of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthLevel {
    /// Ticks.
    pub price: Price,
    /// Open lots of all orders there.
    pub qty: Qty,
    /// How many orders.
    pub orders: u32,
}

impl Ladder {
    /// An empty ladder; all memory it will ever use is taken here.
    ///
    /// # Errors
    /// If the configuration is out of its ranges.
    pub fn new(config: LadderConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            books: Books::new(&config),
            inbox: VecDeque::with_capacity(config.inbox_max as usize),
            task: Task::Idle,
            outbox: Outbox::default(),
            trades: Trades::new(config.trades_max),
            counters: Counters::default(),
            by_instrument: vec![InstrumentCounters::default(); config.instruments.len()]
                .into_boxed_slice(),
            order_ref_next: 1,
            config,
        })
    }

    /// Queues a command. Nothing happens before [`Ladder::poll`].
    ///
    /// # Errors
    /// [`Busy`] if the inbox is full; the command was not taken.
    pub fn submit(&mut self, command: Command) -> Result<(), Busy> {
        if self.inbox_room() == 0 {
            return Err(Busy {
                inbox_max: self.config.inbox_max,
            });
        }
        self.inbox.push_back(command);
        Ok(())
    }

    /// Does queued work and emits at most `budget` reports; returns how many.
    ///
    /// Takes at most 16 steps for each report allowed, so a poll can emit fewer than its budget, even
    /// none, with work left: [`Ladder::is_idle`] tells. A budget of 0 does nothing.
    pub fn poll(&mut self, budget: usize, emit: &mut impl FnMut(Report)) -> usize {
        let mut emitted = 0;
        let mut steps_left = budget.saturating_mul(STEPS_PER_REPORT);
        loop {
            while emitted < budget
                && let Some(report) = self.outbox.pop()
            {
                emit(report);
                emitted += 1;
            }
            if emitted == budget || steps_left == 0 || !self.step() {
                return emitted;
            }
            steps_left -= 1;
        }
    }

    /// Whether nothing is queued, in hand or waiting to be emitted.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.inbox.is_empty() && self.task == Task::Idle && self.outbox.is_empty()
    }

    /// How many commands `submit` would take now.
    #[must_use]
    pub fn inbox_room(&self) -> usize {
        self.config.inbox_max as usize - self.inbox.len()
    }

    /// The configuration it was made with.
    #[must_use]
    pub const fn config(&self) -> &LadderConfig {
        &self.config
    }

    /// Figures over all instruments.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Figures of one instrument; `None` if there is no such.
    #[must_use]
    pub fn instrument_counters(&self, instrument: InstrumentId) -> Option<&InstrumentCounters> {
        self.by_instrument.get(instrument.index())
    }

    /// How many orders rest. One that is taking at this moment does not.
    #[must_use]
    pub const fn open_orders(&self) -> u32 {
        self.books.orders().live()
    }

    /// The resting order that this version names, if there is one.
    #[must_use]
    pub fn order(&self, session: SessionId, user_ref: UserRef) -> Option<OpenOrder> {
        let slot = self.books.orders().find(session, user_ref)?;
        Some(self.books.orders().get(slot).describe())
    }

    /// A session's resting orders, oldest first; none for a session that is not known.
    pub fn session_orders(&self, session: SessionId) -> impl Iterator<Item = OpenOrder> + '_ {
        let orders = self.books.orders();
        let known = orders.knows(session);
        let first = if known {
            orders.oldest(session.raw())
        } else {
            None
        };
        core::iter::successors(first, |slot| orders.newer_of_session(*slot))
            .map(|slot| orders.get(slot).describe())
    }

    /// The best price of a side and the lots there; `None` if nothing rests or there is no such
    /// instrument.
    #[must_use]
    pub fn best(&self, instrument: InstrumentId, side: Side) -> Option<(Price, Qty)> {
        self.by_instrument.get(instrument.index())?;
        let level = self.books.best(instrument, side)?;
        Some((Price::new(level.price), Qty::new(level.qty)))
    }

    /// Price levels of a side, best first; empty if there is no such instrument.
    pub fn depth(
        &self,
        instrument: InstrumentId,
        side: Side,
    ) -> impl Iterator<Item = DepthLevel> + '_ {
        let known = instrument.index() < self.by_instrument.len();
        let mut walk = known.then(|| self.books.walk(instrument, side));
        core::iter::from_fn(move || {
            let level = self.books.next_level(walk.as_mut()?)?;
            Some(DepthLevel {
                price: Price::new(level.price),
                qty: Qty::new(level.qty),
                orders: level.orders,
            })
        })
    }

    /// One piece of work; `false` if there is none.
    fn step(&mut self) -> bool {
        assert!(
            self.outbox.is_empty(),
            "reports leave before new ones are made"
        );
        match self.task {
            Task::Take(order) => self.take(order),
            Task::Sweep(sweep) => self.sweep(sweep),
            Task::Idle => match self.inbox.pop_front() {
                Some(command) => self.begin(command),
                None => return false,
            },
        }
        true
    }

    fn begin(&mut self, command: Command) {
        match command {
            Command::New(new) => self.begin_new(&new),
            Command::Replace(replace) => self.begin_replace(&replace),
            Command::Cancel(cancel) => self.cancel(&cancel),
            Command::MassCancel(filter) => self.begin_mass_cancel(&filter),
            Command::DayEnd => self.begin_day_end(),
            Command::Bust { match_number } => self.bust(match_number),
        }
    }

    fn report(&mut self, order: &Order, kind: ReportKind) {
        self.outbox.push(Report {
            session: order.session,
            user_ref: order.user_ref,
            tag: order.tag,
            instrument: order.instrument,
            kind,
        });
    }

    /// Says, and counts, that `qty` lots of the order are cancelled and `leaves` stay.
    fn report_cancel(&mut self, order: &Order, qty: i64, leaves: i64, reason: CancelReason) {
        let lots = u128::from(qty.unsigned_abs());
        self.counters.canceled_qty += lots;
        self.by_instrument[order.instrument.index()].canceled_qty += lots;
        self.report(
            order,
            ReportKind::Canceled {
                qty: Qty::new(qty),
                leaves: Qty::new(leaves),
                reason,
            },
        );
    }
}

impl Order {
    const fn describe(&self) -> OpenOrder {
        OpenOrder {
            session: self.session,
            user_ref: self.user_ref,
            tag: self.tag,
            order_ref: self.order_ref,
            instrument: self.instrument,
            side: self.side,
            price: self.price(),
            leaves: self.leaves(),
            executed: Qty::new(self.executed),
            time_in_force: self.time_in_force,
        }
    }
}

impl Outbox {
    fn push(&mut self, report: Report) {
        let free = self.reports.iter_mut().find(|place| place.is_none());
        *free.expect("a step makes at most two reports") = Some(report);
    }

    const fn pop(&mut self) -> Option<Report> {
        let first = self.reports[0];
        self.reports = [self.reports[1], None];
        first
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.reports[0].is_none()
    }
}

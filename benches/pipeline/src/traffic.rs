//! Generator and collector: orders from planned times, and what becomes of each.
//!
//! On the measuring thread, in one loop. Invariants: an order is planned whatever is late, and its
//! latency counts from the plan; what an order leads to is taken once and in full, or the run is
//! an error; each approved order is cancelled by the engine, so that none rests but those meant to.

mod collect;

use crate::counts::Counts;
use crate::market::{Due, Market, RESTING};
use crate::places::{Places, UNANSWERED_MAX};
use crate::rig::{Agents, Deciding, Ends, Outbound, agree};
use crate::wait::Wait;
use crate::watch::Watch;
use portcullis_bench_harness::{Latency, Pace};
use portcullis_domain::{Command, Head, ReportKind, SessionId, UserRef, VenueReport};
use portcullis_pipeline::durability::Gate;
use portcullis_risk_core::RiskCore;
use portcullis_runtime::{Clock, RecordProducer, SystemClock};
use std::time::{Duration, Instant};

/// Bytes of an order's and a report's raw message, about those of OUCH 5.0.
const ORDER_RAW: [u8; 56] = [b'O'; 56];
const REPORT_RAW: [u8; 20] = [b'C'; 20];

/// Each of 64 instruments a hundred times a second.
const PRICE_EVERY: Duration = Duration::from_nanos(156_250);

/// Orders sent, and items of each ring taken, before the others have their turn.
const SENT_AT_ONCE: usize = 16;
const TAKEN_AT_ONCE: usize = 32;

/// A pipeline that answers nothing for so long is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// When orders are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// So many at once, so far apart.
    Every {
        /// Orders planned for the same time.
        orders: u64,
        /// From one time to the next.
        interval: Duration,
    },
    /// Whenever fewer than this are unanswered.
    Window(u64),
}

/// What goes on beside the orders.
pub trait Beside<I> {
    /// Does what is due.
    fn step(&mut self, now: Instant, traffic: &mut Traffic<I>);
}

/// Nothing does.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl<I> Beside<I> for Nothing {
    fn step(&mut self, _now: Instant, _traffic: &mut Traffic<I>) {}
}

/// Both ends of a pipeline's load.
#[derive(Debug)]
pub struct Traffic<I> {
    /// The rings.
    pub ends: Ends<I>,
    /// The market.
    pub market: Market,
    /// The counts.
    pub counts: Counts,
    /// Orders that rest.
    pub resting: u64,
    wait: Wait,
    watch: Watch,
    /// The agents, where they run on this thread.
    agents: Option<Agents>,
    /// What everything waits at before it counts as come.
    gate: Gate,
    /// Orders sent of those that do not rest, and answered.
    next_order: u64,
    answered: u64,
    /// Orders that are not answered.
    places: Places,
    /// What the engine is to say of the replace that takes the last room for versions.
    owed: Option<VenueReport>,
    /// Whether the next one was refused already: it came by another ring.
    found_full: bool,
    /// Orders of the last planned time that are not sent yet.
    due: Instant,
    due_left: u64,
    resting_number: u32,
    price_due: Instant,
    wall: (Instant, u64),
}

impl<I: Outbound> Traffic<I> {
    /// No order sent yet.
    #[must_use]
    pub fn new(ends: Ends<I>, market: Market, wait: Wait) -> Self {
        let now = Instant::now();
        Self {
            ends,
            places: Places::new(market.crowd().capacities().sessions_max),
            owed: None,
            found_full: false,
            market,
            counts: Counts::default(),
            resting: 0,
            wait,
            watch: Watch::new(),
            agents: None,
            gate: Gate::open(),
            next_order: 0,
            answered: 0,
            due: now,
            due_left: 0,
            resting_number: 0,
            price_due: now,
            wall: (now, SystemClock.now().ns()),
        }
    }

    /// As much, with a gate before all that comes back.
    #[must_use]
    pub fn behind(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// As much, running the agents itself.
    #[must_use]
    pub fn running(mut self, agents: Agents) -> Self {
        self.agents = Some(agents);
        self
    }

    /// Ends the agents that it runs, if it does.
    ///
    /// # Errors
    /// Something is left in them.
    pub fn finish_agents(&mut self) -> Result<Option<Deciding>, String> {
        self.agents.take().map(Agents::finish).transpose()
    }

    /// A turn of the agents, or a moment in which others go on.
    fn moment(&mut self) {
        match &mut self.agents {
            Some(agents) => agents.cycle(),
            None => self.wait.moment(),
        }
    }

    /// Says what must be said before the first order.
    ///
    /// # Errors
    /// It is not taken.
    pub fn open(&mut self) -> Result<(), String> {
        for command in self.market.opening() {
            while !self.room_for_commands() {
                self.collect(None);
                self.moment();
            }
            if matches!(command, Command::VenueLink { .. }) {
                self.report(&command, &[]);
            } else {
                self.command(&command);
            }
        }
        self.settle()
    }

    /// Sends by a schedule for a span, and takes all that follows; answered orders a second.
    ///
    /// # Errors
    /// Something is not answered, or answered as it must not be.
    pub fn run(
        &mut self,
        schedule: Schedule,
        span: Duration,
        mut latency: Option<&mut Latency>,
        beside: &mut impl Beside<I>,
    ) -> Result<u64, String> {
        let begun = Instant::now();
        let last = begun + span;
        let interval = match schedule {
            Schedule::Every { interval, .. } => interval,
            Schedule::Window(_) => span,
        };
        let mut pace = Pace::new(begun, interval);
        let answered = self.answered;
        self.price_due = begun;
        loop {
            let now = self.watch.now();
            let all_sent = self.send_due(schedule, &mut pace, now, last);
            self.move_price(now);
            beside.step(now, self);
            self.collect(latency.as_deref_mut());
            if now >= last && all_sent {
                break;
            }
            if now > last + PATIENCE {
                return Err("the pipeline takes no orders any more".to_owned());
            }
            if self.wait != Wait::Spin || self.agents.is_some() {
                self.moment();
            }
        }
        let answered = self.answered - answered;
        let took_ns = begun.elapsed().as_nanos().max(1);
        self.drain(latency)?;
        Ok((u128::from(answered) * 1_000_000_000 / took_ns) as u64)
    }

    /// Sends what is planned until `now`; whether all that is planned before `last` is sent.
    fn send_due(
        &mut self,
        schedule: Schedule,
        pace: &mut Pace,
        now: Instant,
        last: Instant,
    ) -> bool {
        let until = now.min(last);
        match schedule {
            Schedule::Window(most) => {
                for _ in 0..SENT_AT_ONCE {
                    if self.next_order - self.answered >= most || now >= last {
                        return true;
                    }
                    if !self.send_next(now, now) {
                        return true;
                    }
                }
                true
            }
            Schedule::Every { orders, .. } => self.send_planned(orders, pace, now, until),
        }
    }

    /// As `send_due`, of orders planned together: some of them, so that what comes back is taken.
    fn send_planned(&mut self, orders: u64, pace: &mut Pace, now: Instant, until: Instant) -> bool {
        for _ in 0..SENT_AT_ONCE {
            let unanswered = self.next_order - self.answered;
            if unanswered >= UNANSWERED_MAX || !self.ends.orders.has_room_for(1) {
                return false;
            }
            if self.due_left == 0 {
                let Some(planned) = pace.due(until) else {
                    return true;
                };
                self.due = planned;
                self.due_left = orders;
            }
            if !self.send_next(self.due, now) {
                return false;
            }
            self.due_left -= 1;
        }
        false
    }

    /// Sends the next order; `false` where it has no room, or whoever it is of waits for the engine's word.
    fn send_next(&mut self, planned: Instant, now: Instant) -> bool {
        if !self.ends.orders.has_room_for(1) {
            return false;
        }
        let Some(Due { head, busy }) = self.market.next(self.stamp(now)) else {
            return false;
        };
        let sent = self.send_order(head, now);
        assert!(sent, "room was looked for");
        let (session, user_ref) = (SessionId::new(head.session), UserRef::new(head.number));
        self.places.take(session, user_ref, planned, busy);
        self.next_order += 1;
        true
    }

    /// What the clock of the records says.
    fn stamp(&self, now: Instant) -> u64 {
        self.wall.1 + now.duration_since(self.wall.0).as_nanos() as u64
    }

    fn send_order(&mut self, mut head: Head, now: Instant) -> bool {
        head.timestamp_ns = self.stamp(now);
        head.raw_len = ORDER_RAW.len() as u16;
        let sent = self.ends.orders.send(head, &ORDER_RAW);
        self.counts.sent += u64::from(sent);
        sent
    }

    /// Sends an order that rests; `false` where there is no room.
    pub fn send_resting(&mut self, now: Instant) -> bool {
        let head = self.market.resting_order(self.resting_number + 1);
        let sent = self.send_order(head, now);
        self.resting_number += u32::from(sent);
        sent
    }

    /// The client of the resting orders cancels them all.
    pub fn mass_cancel(&mut self) {
        self.resting_number += 1;
        let head = Command::MassCancel(portcullis_domain::MassCancel {
            session: RESTING,
            user_ref: UserRef::new(self.resting_number),
            account: portcullis_domain::AccountId::NONE,
            instrument: portcullis_domain::InstrumentId::NONE,
            side: None,
        })
        .encode();
        push(&mut self.ends.priority, head, &ORDER_RAW[..8]);
        self.counts.mass_cancels += 1;
    }

    /// Whether a few more control commands have room.
    #[must_use]
    pub fn room_for_commands(&self) -> bool {
        self.ends.commands.has_room_for(4) && self.ends.reports.has_room_for(4)
    }

    /// Sends a control command.
    ///
    /// # Panics
    /// If it has no room.
    pub fn command(&mut self, command: &Command) {
        push(&mut self.ends.commands, command.encode(), &[]);
        self.counts.commands += 1;
    }

    fn report(&mut self, command: &Command, raw: &[u8]) {
        push(&mut self.ends.reports, command.encode(), raw);
    }

    fn cancel_by_engine(&mut self, session: SessionId, user_ref: UserRef) {
        let report = VenueReport {
            session,
            user_ref,
            kind: ReportKind::Canceled,
            note: 0,
        };
        self.report(&Command::Report(report), &REPORT_RAW);
        self.counts.reports += 1;
    }

    /// The engine's word on the replace that took the last room for versions.
    fn answer_replace(&mut self) {
        if let Some(report) = self.owed.take() {
            self.found_full = false;
            self.report(&Command::Report(report), &REPORT_RAW);
            self.counts.reports += 1;
        }
    }

    fn move_price(&mut self, now: Instant) {
        if now < self.price_due || !self.room_for_commands() {
            return;
        }
        self.price_due += PRICE_EVERY;
        let command = self.market.next_reference();
        self.command(&command);
    }

    /// Waits until every order is answered.
    fn drain(&mut self, mut latency: Option<&mut Latency>) -> Result<(), String> {
        let begun = Instant::now();
        while self.answered < self.next_order {
            self.collect(latency.as_deref_mut());
            self.moment();
            if begun.elapsed() > PATIENCE {
                let unanswered = self.next_order - self.answered;
                return Err(format!("{unanswered} orders are not answered"));
            }
        }
        Ok(())
    }

    /// Waits until nothing is owed on either side.
    ///
    /// # Errors
    /// Something does not come, or came that should not have.
    pub fn settle(&mut self) -> Result<(), String> {
        self.drain(None)?;
        // Nothing came behind it that could have found no room.
        self.market.forgo_full();
        self.answer_replace();
        let begun = Instant::now();
        while self.counts.owe() {
            self.collect(None);
            self.moment();
            if begun.elapsed() > PATIENCE {
                return Err(format!("something does not come: {:?}", self.counts));
            }
        }
        if self.counts.unexpected > 0 {
            return Err(format!("something came that must not: {:?}", self.counts));
        }
        Ok(())
    }

    /// Waits until no order rests: something has taken them off.
    ///
    /// # Errors
    /// As [`Traffic::settle`].
    pub fn settle_resting(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        while self.resting > 0 {
            self.collect(None);
            self.moment();
            if begun.elapsed() > PATIENCE {
                return Err(format!("{} orders are not cancelled", self.resting));
            }
        }
        self.settle()
    }

    /// Holds the counts against each other, once all is settled.
    ///
    /// # Errors
    /// They do not agree.
    pub fn check(&self) -> Result<(), String> {
        let same = [
            ("orders answered", self.answered, self.next_order),
            ("orders resting", self.resting, 0),
        ];
        match same.into_iter().find(|(_, is, must)| is != must) {
            Some((what, is, must)) => Err(format!("{what}: {is}, must be {must}")),
            None => self.counts.check(),
        }
    }

    /// Holds the core's own count against this side's.
    ///
    /// # Errors
    /// As [`agree`].
    pub fn agree(&self, core: &RiskCore) -> Result<(), String> {
        agree(
            core,
            &self.market,
            self.counts.approved,
            self.counts.refused,
        )
    }
}

/// Stamps a record with 0, so that the sequencer gives it the time of the last one, and sends it.
fn push(ring: &mut RecordProducer, mut head: Head, raw: &[u8]) {
    head.timestamp_ns = 0;
    head.raw_len = raw.len() as u16;
    assert!(ring.send(head, raw), "room was looked for");
}

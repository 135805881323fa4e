//! The driver: all sessions, one thread, intents in, verdicts on the answers out.
//!
//! **Thread.** The caller's; it sleeps in the poll when there is nothing to send.
//! **Invariants.** Intents go out in their order. A session never has more unanswered messages than
//! the window (an order that cannot rest counts twice, for its answer and for its end). Latency runs
//! from the planned time, so a stall shows in every message it delays.
//! **Never.** Spin, or wait without an end: what is not answered within `answer_timeout` of the last
//! sign of life is given up and counted.

mod connect;
mod flatten;
mod phases;
mod send;

use crate::answer::Answer;
use crate::checker::Checker;
use crate::config::FlowConfig;
use crate::error::FlowError;
use crate::feed::Feed;
use crate::intent::{Act, Intent};
use crate::link::Link;
use crate::pace::Schedule;
use crate::positions::{OpenPosition, Positions};
use crate::report::{FlowReport, LatencyNs, Progress, SessionReport, Tally};
use crate::tamper::{Delivery, Tamper};
use crate::trades::Trades;
use crate::venue::Venue;
use hdrhistogram::Histogram;
use mio::{Events, Poll};
use portcullis_domain::Timestamp;
use send::Sent;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

/// Messages sent between two looks at the sockets.
const BATCH: u32 = 32;
/// How long one poll sleeps at most.
const POLL_MAX: Duration = Duration::from_millis(50);
/// What a poll may oversleep.
const POLL_GRAIN: Duration = Duration::from_millis(1);
/// How often heartbeats are looked after.
const TIMERS_EVERY_NS: u64 = 100_000_000;
/// The longest latency told apart from longer ones.
const LATENCY_MAX_NS: u64 = 600_000_000_000;

/// How far [`Driver::drive`] goes. Whatever comes first ends it; the source's end always does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Until {
    /// So many messages more.
    pub messages: Option<u64>,
    /// So much time more.
    pub elapsed: Option<Duration>,
}

impl Until {
    /// To the end of the source.
    pub const SOURCE_END: Self = Self {
        messages: None,
        elapsed: None,
    };

    /// For this long.
    #[must_use]
    pub const fn elapsed(elapsed: Duration) -> Self {
        Self {
            messages: None,
            elapsed: Some(elapsed),
        }
    }

    /// For so many messages.
    #[must_use]
    pub const fn messages(messages: u64) -> Self {
        Self {
            messages: Some(messages),
            elapsed: None,
        }
    }
}

/// Why [`Driver::drive`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drove {
    /// There are no more intents.
    SourceEnded,
    /// The limit of the call was reached.
    Limit,
}

/// Drives flow through a gateway; see the module's head.
pub struct Driver {
    config: FlowConfig,
    venue: Venue,
    poll: Poll,
    events: Events,
    clock: Instant,
    links: Vec<Link>,
    checkers: Vec<Checker>,
    sent: Vec<Sent>,
    feed: Feed,
    /// The next intent, looked at and not yet sent.
    held: Option<Intent>,
    schedule: Schedule,
    /// What follows waits until everything before is answered.
    barrier: bool,
    /// Session and order of each handle that is not closed.
    handles: HashMap<u64, (usize, u32)>,
    /// Cancels that waited for a replace and can go now.
    deferred: VecDeque<(usize, u32)>,
    tamper: Tamper,
    trades: Trades,
    positions: Positions,
    latency: Histogram<u64>,
    skipped: u64,
    answers: Vec<Answer>,
    phase: &'static str,
    /// When a message last came or went.
    life_ns: u64,
    timers_ns: u64,
}

impl Driver {
    /// Sends intents of the source until its end or a limit.
    ///
    /// # Errors
    /// The source cannot be read, the poll failed, or every session is lost.
    pub fn drive(&mut self, until: Until) -> Result<Drove, FlowError> {
        self.phase = "drive";
        let end_ns = until
            .elapsed
            .map(|elapsed| self.now_ns().saturating_add(nanos(elapsed)));
        let mut left = until.messages.unwrap_or(u64::MAX);
        let mut batch = 0;
        loop {
            if left == 0 || end_ns.is_some_and(|end| self.now_ns() >= end) {
                self.turn(Duration::ZERO)?;
                return Ok(Drove::Limit);
            }
            if self.held.is_none() {
                self.held = self.feed.next(&self.venue)?;
            }
            let Some(intent) = self.held else {
                self.turn(Duration::ZERO)?;
                return Ok(Drove::SourceEnded);
            };
            let now = self.now_ns();
            let planned = self.schedule.planned_ns(intent.due_ns, now);
            if planned > now {
                let wake = planned.min(end_ns.unwrap_or(u64::MAX));
                self.turn(Duration::from_nanos(wake.saturating_sub(now)))?;
                continue;
            }
            if !self.may_send(&intent) {
                self.wait_for_answers()?;
                batch = 0;
                continue;
            }
            self.held = None;
            self.perform(&intent, planned);
            left -= 1;
            batch += 1;
            if batch == BATCH {
                batch = 0;
                self.turn(Duration::ZERO)?;
            }
        }
    }

    /// Sends one intent of the caller's own as soon as the window allows.
    ///
    /// # Errors
    /// The poll failed, or every session is lost.
    pub fn send(&mut self, act: Act) -> Result<(), FlowError> {
        let intent = Intent {
            due_ns: 0,
            meets: false,
            act,
        };
        while !self.may_send(&intent) {
            self.wait_for_answers()?;
        }
        let now = self.now_ns();
        self.perform(&intent, now);
        Ok(())
    }

    /// Where the drive stands.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let total = self.total();
        Progress {
            phase: self.phase,
            elapsed_ns: self.now_ns(),
            messages_sent: total.messages_sent(),
            orders_sent: total.orders_sent(),
            accepted: total.accepted + total.replaced,
            refused: total.refused_total(),
            executed_qty: self.trades.matched_qty(),
            open_orders: self.open_orders(),
        }
    }

    /// The answers kept since the last call, as they came.
    pub fn take_answers(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.answers)
    }

    /// Orders that are not known to be closed.
    #[must_use]
    pub fn open_orders(&self) -> u64 {
        let open = self.checkers.iter().map(|checker| checker.open().count());
        open.sum::<usize>() as u64
    }

    /// Positions that are not flat, from the executions received.
    #[must_use]
    pub fn open_positions(&self) -> Vec<OpenPosition> {
        self.positions.open(&self.venue)
    }

    /// Price of the last execution in the instrument of this index, in wire units.
    #[must_use]
    pub fn last_price(&self, instrument: usize) -> Option<u64> {
        self.positions.last_price(instrument)
    }

    /// What came of it so far. Messages that are still waiting for an answer count as unanswered.
    #[must_use]
    pub fn report(&self) -> FlowReport {
        let sessions = self
            .checkers
            .iter()
            .zip(&self.links)
            .zip(&self.config.sessions)
            .map(|((checker, link), spec)| SessionReport {
                user: spec.user.clone(),
                tally: Tally {
                    unanswered: checker.unanswered(),
                    ..checker.tally.clone()
                },
                lost: link.lost.clone().filter(|_| !link.logged_out),
            })
            .collect();
        FlowReport {
            total: self.total(),
            sessions,
            executed_qty: self.trades.matched_qty(),
            executed_by_instrument: self.trades.matched_by_instrument().to_vec(),
            one_sided_qty: self.trades.one_sided_qty(),
            open_orders: self.open_orders(),
            positions: self.open_positions(),
            skipped: self.skipped,
            recorded: self.feed.recorded(),
            faults_made: self.feed.faults_made(),
            latency_ns: LatencyNs::of(&self.latency),
            elapsed_ns: self.now_ns(),
        }
    }

    fn total(&self) -> Tally {
        let mut total = Tally::default();
        for checker in &self.checkers {
            total.add(&checker.tally);
        }
        total.unanswered = self.checkers.iter().map(Checker::unanswered).sum();
        total
    }

    fn now_ns(&self) -> u64 {
        nanos(self.clock.elapsed())
    }

    fn awaited(&self) -> u64 {
        let awaited = self.checkers.iter().map(|c| u64::from(c.awaited()));
        awaited.sum::<u64>() + self.deferred.len() as u64
    }

    /// Waits for something to come; gives up what is outstanding if nothing does for too long.
    fn wait_for_answers(&mut self) -> Result<(), FlowError> {
        self.turn(POLL_MAX)?;
        let silent = self.now_ns().saturating_sub(self.life_ns);
        if silent >= nanos(self.config.answer_timeout) {
            self.deferred.clear();
            for checker in &mut self.checkers {
                checker.give_up();
            }
        }
        Ok(())
    }

    /// Writes what waits, sleeps until a socket has something or the time is over, reads it.
    fn turn(&mut self, wait: Duration) -> Result<(), FlowError> {
        for link in &mut self.links {
            link.flush();
        }
        // The poll counts in milliseconds and rounds up: what is nearer is yielded for.
        let sleep = wait.min(POLL_MAX).saturating_sub(POLL_GRAIN);
        match self.poll.poll(&mut self.events, Some(sleep)) {
            Ok(()) if self.events.is_empty() && sleep.is_zero() && !wait.is_zero() => {
                std::thread::yield_now();
            }
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FlowError::Poll(error)),
        }
        let now = self.now_ns();
        let ready: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        for session in ready {
            self.receive(session, now);
        }
        self.send_deferred();
        self.give_up_lost();
        if now.saturating_sub(self.timers_ns) >= TIMERS_EVERY_NS {
            self.timers_ns = now;
            for link in &mut self.links {
                link.on_time(Timestamp::from_ns(now));
            }
        }
        if self.links.iter().all(|link| link.lost.is_some()) {
            let why = self.links.iter().find_map(|link| link.lost.clone());
            return Err(FlowError::AllSessionsLost(why.unwrap_or_default()));
        }
        Ok(())
    }

    /// Nothing more will come for the sessions that are lost.
    fn give_up_lost(&mut self) {
        for (link, checker) in self.links.iter().zip(&mut self.checkers) {
            if link.lost.is_some() && checker.awaited() > 0 {
                checker.give_up();
            }
        }
    }

    fn receive(&mut self, session: usize, now: u64) {
        let Some(link) = self.links.get_mut(session) else {
            return;
        };
        let sessions = self.checkers.len();
        let (checkers, tamper) = (&mut self.checkers, &mut self.tamper);
        let life = &mut self.life_ns;
        let mut kept = self.config.keep_answers.then_some(&mut self.answers);
        let mut strayed = None;
        link.receive(Timestamp::from_ns(now), |message| {
            *life = now;
            let to = match tamper.route(session, sessions, message) {
                Delivery::Own => session,
                Delivery::Other(other) => {
                    strayed = Some(other);
                    other
                }
                Delivery::Dropped => return,
            };
            if let Some(kept) = &mut kept {
                kept.extend(Answer::of(to, message, now));
            }
            if let Some(checker) = checkers.get_mut(to) {
                checker.on_message(message);
            }
        });
        link.flush();
        self.absorb(session, now);
        if let Some(other) = strayed {
            self.absorb(other, now);
        }
    }

    /// Takes over what a checker has learnt.
    fn absorb(&mut self, session: usize, now: u64) {
        let Some(checker) = self.checkers.get_mut(session) else {
            return;
        };
        for planned in checker.news.answered_planned_ns.drain(..) {
            self.latency
                .saturating_record(now.saturating_sub(planned).max(1));
        }
        for fill in checker.news.fills.drain(..) {
            self.trades.book(&fill);
            self.positions.book(&fill);
        }
        for handle in checker.news.closed.drain(..) {
            self.handles.remove(&handle);
            self.feed.closed(handle);
        }
        for first in checker.news.cancellable.drain(..) {
            self.deferred.push_back((session, first));
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

//! The hostile venue.
//!
//! Owned by the venue agent's thread. Between the engine and the sink stands a queue a session;
//! misdeeds happen where a report enters it. Invariants: the engine is polled only for as much as
//! the queues have room for; time is counted in polls, so that a run needs no clock.

use portcullis_domain::{Qty, ReportKind, SessionId, Timestamp, VenueReport};
use portcullis_venue::{Approved, MatchingVenue, OutboundAction, OutboundOrder, VenueSink};

use crate::hostility::{Hostility, Lie, Misdeeds};
use crate::known_orders::KnownOrders;
use crate::lies;
use crate::link::{Link, Word};
use crate::random::Random;

/// Reports held in all before the engine is no longer polled.
const WORDS_MAX: usize = 4_096;
/// Orders that wait for a session's link.
const PARKED_MAX: usize = 64;
/// A report may become this many: split, and each part doubled.
const WORDS_PER_REPORT: usize = 4;
/// Match numbers of the second half of a split fill: those of engines and lies stay apart.
const MATCH_SPLIT: u64 = 1 << 62;

/// An engine with a hostile wire in between.
///
/// Panics where it is sent an order of a session that it does not have.
#[derive(Debug)]
pub struct HostileVenue<V> {
    engine: V,
    desk: Desk,
}

/// All but the engine itself.
#[derive(Debug)]
struct Desk {
    hostility: Hostility,
    random: Random,
    misdeeds: Misdeeds,
    orders: KnownOrders,
    links: Box<[Link]>,
    polls: u64,
}

impl<V: MatchingVenue> HostileVenue<V> {
    /// Stands between `engine` and its sessions 0 to `sessions` - 1.
    ///
    /// # Panics
    /// If there are no sessions.
    #[must_use]
    pub fn new(engine: V, sessions: u32, hostility: Hostility) -> Self {
        assert!(sessions > 0, "a venue has sessions");
        let desk = Desk {
            hostility,
            random: Random::new(hostility.seed),
            misdeeds: Misdeeds::default(),
            orders: KnownOrders::new(),
            links: (0..sessions).map(|_| Link::default()).collect(),
            polls: 0,
        };
        Self { engine, desk }
    }

    /// What it did so far.
    #[must_use]
    pub const fn misdeeds(&self) -> &Misdeeds {
        &self.desk.misdeeds
    }

    /// The engine behind it.
    #[must_use]
    pub const fn engine(&self) -> &V {
        &self.engine
    }

    /// How hostile it is from now on; the random numbers go on.
    pub const fn set_hostility(&mut self, hostility: Hostility) {
        self.desk.hostility = hostility;
    }

    /// Sends what waited for links that are up again.
    fn send_parked(&mut self) {
        for link in &mut self.desk.links {
            while let Some((order, raw)) = link.next_parked() {
                if let Err(order) = self.engine.submit(order, &raw) {
                    link.unpark_failed(order, raw);
                    break;
                }
            }
        }
    }
}

impl<V: MatchingVenue> MatchingVenue for HostileVenue<V> {
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        let desk = &mut self.desk;
        let session = order.get().session.index();
        if desk.random.one_in(desk.hostility.give_back_one_in) {
            desk.misdeeds.given_back += 1;
            return Err(order);
        }
        let sent = *order.get();
        let link = &mut desk.links[session];
        if link.must_park() {
            if link.parked() == PARKED_MAX {
                return Err(order);
            }
            link.park(order, raw);
        } else if desk.random.one_in(desk.hostility.refuse_one_in) {
            desk.refuse(&sent);
        } else {
            self.engine.submit(order, raw)?;
        }
        self.desk.orders.sent(&sent);
        Ok(())
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        self.desk.polls += 1;
        self.send_parked();
        let waiting = self.desk.waiting();
        let room = WORDS_MAX.saturating_sub(waiting) / WORDS_PER_REPORT;
        let mut done = self.engine.poll(now, room.min(budget), &mut self.desk);
        self.desk.lie();
        done += self.desk.tell(budget, sink);
        // What is late comes by polling alone: that is work, or a caller would stop.
        done + usize::from(self.desk.waiting() > 0 || self.desk.any_down())
    }

    fn is_idle(&self) -> bool {
        self.engine.is_idle() && self.desk.links.iter().all(Link::is_idle)
    }
}

impl VenueSink for Desk {
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        if self.random.one_in(self.hostility.drop_one_in) {
            self.misdeeds.dropped += 1;
            return;
        }
        if let Some([first, second]) = self.split(&report) {
            self.misdeeds.fills_split += 1;
            self.queue(first, &[]);
            self.queue(second, &[]);
        } else {
            self.queue(report, raw);
        }
    }

    fn on_link(&mut self, session: SessionId, up: bool) {
        let poll = self.polls;
        self.links[session.index()].say(Word::Link(up), poll);
    }
}

impl Desk {
    /// The engine's own refusal of something it never sees.
    fn refuse(&mut self, sent: &OutboundOrder) {
        self.misdeeds.refused += 1;
        let (user_ref, kind) = match sent.action {
            OutboundAction::Enter { .. } => (sent.user_ref, ReportKind::Rejected),
            OutboundAction::Replace { original, .. } => {
                let new = sent.user_ref;
                (original, ReportKind::ReplaceRejected { new })
            }
            OutboundAction::Cancel { .. } => (sent.user_ref, ReportKind::CancelRejected),
        };
        let report = VenueReport {
            session: sent.session,
            user_ref,
            kind,
            note: 0,
        };
        self.queue(report, &[]);
    }

    /// The two halves of a fill, if it is to be told as two.
    fn split(&mut self, report: &VenueReport) -> Option<[VenueReport; 2]> {
        let ReportKind::Fill {
            qty,
            price,
            match_number,
            fee,
        } = report.kind
        else {
            return None;
        };
        if qty < Qty::new(2) || !self.random.one_in(self.hostility.split_fill_one_in) {
            return None;
        }
        let half = |lots: i64, fee, match_number| VenueReport {
            kind: ReportKind::Fill {
                qty: Qty::new(lots),
                price,
                match_number,
                fee,
            },
            ..*report
        };
        let first = 1 + self.random.below(qty.lots().unsigned_abs() - 1) as i64;
        let free = portcullis_domain::Money::ZERO;
        Some([
            half(first, fee, match_number),
            half(qty.lots() - first, free, match_number | MATCH_SPLIT),
        ])
    }

    fn queue(&mut self, report: VenueReport, raw: &[u8]) {
        let hostility = &self.hostility;
        let late = self
            .random
            .below(u64::from(hostility.latency_polls_max) + 1);
        let mut poll = self.polls + late;
        if self.random.one_in(hostility.hold_back_one_in) {
            self.misdeeds.held_back += 1;
            poll += u64::from(hostility.hold_back_polls);
        }
        let link = &mut self.links[report.session.index()];
        link.say(Word::Report(report, raw.to_vec()), poll);
        if self.random.one_in(hostility.duplicate_one_in) {
            self.misdeeds.duplicated += 1;
            link.say(Word::Report(report, raw.to_vec()), poll);
        }
    }

    fn lie(&mut self) {
        for lie in Lie::ALL {
            let kind = lie as usize;
            if !self.random.one_in(self.hostility.lie_one_in[kind]) {
                continue;
            }
            let told = self.misdeeds.lies.iter().sum();
            let lie = lies::invent(lie, &self.orders, &mut self.random, told);
            if let Some(report) = lie {
                self.misdeeds.lies[kind] += 1;
                let poll = self.polls;
                self.links[report.session.index()].say(Word::Report(report, Vec::new()), poll);
            }
        }
    }

    /// Tells what is due, a session after the other, each poll beginning with another one.
    fn tell(&mut self, budget: usize, sink: &mut impl VenueSink) -> usize {
        let sessions = self.links.len();
        let mut told = 0;
        for turn in 0..sessions {
            let session = (self.polls as usize + turn) % sessions;
            let id = SessionId::new(session as u32);
            if told < budget && self.breaks(session) {
                sink.on_link(id, false);
                told += 1;
            }
            let link = &mut self.links[session];
            link.mend(self.polls);
            while told < budget
                && let Some(word) = link.next(self.polls)
            {
                told += 1;
                match word {
                    Word::Link(up) => sink.on_link(id, up),
                    Word::Report(report, raw) => {
                        if matches!(report.kind, ReportKind::Canceled | ReportKind::Rejected) {
                            self.orders.ended(&report);
                        }
                        sink.on_report(report, &raw);
                    }
                }
            }
        }
        told
    }

    fn breaks(&mut self, session: usize) -> bool {
        let link = &mut self.links[session];
        let breaks = !link.is_down() && self.random.one_in(self.hostility.disconnect_one_in);
        if breaks {
            self.misdeeds.disconnects += 1;
            link.break_until(self.polls + u64::from(self.hostility.disconnect_polls));
        }
        breaks
    }

    fn waiting(&self) -> usize {
        self.links.iter().map(Link::words).sum()
    }

    fn any_down(&self) -> bool {
        self.links.iter().any(Link::is_down)
    }
}

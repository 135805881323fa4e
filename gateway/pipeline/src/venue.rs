//! The venue agent: approved orders to the engine, its reports back to the sequencer.
//!
//! One thread owns it, with the engine's adapter. Invariants: an order the engine had no room for is
//! offered again before any other; reports are asked for only as far as there is room for them, so
//! that a book that makes thousands resumes instead of deadlocking.

use crate::item::VenueItem;
use portcullis_domain::{Command, RAW_BYTES_MAX, Record, SessionId, Timestamp, VenueReport};
use portcullis_runtime::{Agent, RecordProducer, RingConsumer};
use portcullis_venue::{MatchingVenue, VenueSink};

/// Orders handed over in one duty cycle.
const ORDER_BUDGET: usize = 64;

/// Reports taken in one duty cycle at the most.
const REPORT_BUDGET: usize = 64;

/// The agent.
#[derive(Debug)]
pub struct Venue<V> {
    venue: V,
    orders: RingConsumer<VenueItem>,
    reports: RecordProducer,
    /// What the engine had no room for.
    held: Option<VenueItem>,
}

impl<V: MatchingVenue> Venue<V> {
    /// The agent.
    #[must_use]
    pub const fn new(venue: V, orders: RingConsumer<VenueItem>, reports: RecordProducer) -> Self {
        Self {
            venue,
            orders,
            reports,
            held: None,
        }
    }

    /// The engine's adapter.
    #[must_use]
    pub const fn venue(&self) -> &V {
        &self.venue
    }

    fn hand_over(&mut self) -> usize {
        for handed in 0..ORDER_BUDGET {
            let next = self.held.take().or_else(|| self.orders.pop().ok());
            let Some(VenueItem { order, raw }) = next else {
                return handed;
            };
            if let Err(order) = self.venue.submit(order, raw.bytes()) {
                self.held = Some(VenueItem { order, raw });
                return handed;
            }
        }
        ORDER_BUDGET
    }

    /// How many reports there is room for, up to the budget. Nearly always all of them, which is one
    /// question.
    fn room_for_reports(&self) -> usize {
        if self.reports.has_room_for(REPORT_BUDGET) {
            return REPORT_BUDGET;
        }
        let has_room = |budget: &usize| self.reports.has_room_for(*budget);
        (1..REPORT_BUDGET).take_while(has_room).count()
    }

    fn take_reports(&mut self, now: Timestamp) -> usize {
        let budget = self.room_for_reports();
        let mut desk = Desk {
            reports: &mut self.reports,
            now,
        };
        self.venue.poll(now, budget, &mut desk)
    }
}

struct Desk<'a> {
    reports: &'a mut RecordProducer,
    now: Timestamp,
}

impl Desk<'_> {
    fn push(&mut self, command: Command, raw: &[u8]) {
        let mut head = command.encode();
        head.timestamp_ns = self.now.ns();
        // What is too long to forward is encoded by the gateway itself.
        let raw = if raw.len() > RAW_BYTES_MAX { &[] } else { raw };
        let record = Record::new(head, raw).expect("the length was looked at");
        assert!(
            self.reports.push(&record),
            "a venue reports within its budget"
        );
    }
}

impl VenueSink for Desk<'_> {
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        self.push(Command::Report(report), raw);
    }

    fn on_link(&mut self, session: SessionId, up: bool) {
        self.push(Command::VenueLink { session, up }, &[]);
    }
}

impl<V: MatchingVenue> Agent for Venue<V> {
    fn name(&self) -> &'static str {
        "venue"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        self.hand_over() + self.take_reports(now)
    }

    fn is_drained(&self) -> bool {
        self.held.is_none() && self.orders.is_empty() && self.venue.is_idle()
    }
}

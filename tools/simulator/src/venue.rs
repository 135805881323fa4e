//! The engine's side: a hostile wire, and behind it a ladder whose every word is noted.
//!
//! The venue agent holds one end, the world another: it outlives a gateway. Invariant: what is noted
//! is what the engine itself was sent and said, before any hostility.

use portcullis_domain::{
    AccountId, InstrumentId, ReportKind, SessionId, Side, Timestamp, UserRef, VenueReport,
};
use portcullis_venue::{Approved, MatchingVenue, OutboundAction, OutboundOrder, VenueSink};
use portcullis_venue_embedded::EmbeddedVenue;
use portcullis_venue_sim::{HostileVenue, Hostility};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// An order or version that went to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
}

/// What the engine was sent and what it made of it.
#[derive(Default)]
pub(crate) struct Notes {
    /// Entries and replaces, by session and number.
    pub(crate) sent: BTreeMap<(u32, u32), Sent>,
    /// What was sent a second time.
    pub(crate) twice: Option<OutboundOrder>,
    /// Lots executed, a buy positive, by account and instrument.
    pub(crate) positions: BTreeMap<(u32, u32), i64>,
    /// Lots executed by session, both sides alike.
    pub(crate) executed: BTreeMap<u32, i64>,
    /// Reports made.
    pub(crate) reports: u64,
}

/// The ladder, with notes.
pub(crate) struct Watched {
    engine: EmbeddedVenue,
    notes: Notes,
}

impl Watched {
    /// The book.
    pub(crate) const fn engine(&self) -> &EmbeddedVenue {
        &self.engine
    }

    /// What was noted.
    pub(crate) const fn notes(&self) -> &Notes {
        &self.notes
    }
}

impl MatchingVenue for Watched {
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        let outbound = *order.get();
        self.engine.submit(order, raw)?;
        if matches!(outbound.action, OutboundAction::Cancel { .. }) {
            return Ok(());
        }
        let key = (outbound.session.raw(), outbound.user_ref.number);
        let sent = Sent {
            account: outbound.account,
            instrument: outbound.instrument,
            side: outbound.side,
        };
        if self.notes.sent.insert(key, sent).is_some() {
            self.notes.twice = Some(outbound);
        }
        Ok(())
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        let Self { engine, notes } = self;
        engine.poll(now, budget, &mut Noting { notes, sink })
    }

    fn is_idle(&self) -> bool {
        self.engine.is_idle()
    }
}

struct Noting<'a, S> {
    notes: &'a mut Notes,
    sink: &'a mut S,
}

impl<S: VenueSink> VenueSink for Noting<'_, S> {
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        self.notes.note(&report);
        self.sink.on_report(report, raw);
    }

    fn on_link(&mut self, session: SessionId, up: bool) {
        self.sink.on_link(session, up);
    }
}

impl Notes {
    fn note(&mut self, report: &VenueReport) {
        self.reports += 1;
        let ReportKind::Fill { qty, .. } = report.kind else {
            return;
        };
        let UserRef { number, .. } = report.user_ref;
        let sent = self.sent.get(&(report.session.raw(), number));
        let sent = sent.expect("an engine fills what it was sent");
        let place = (sent.account.raw(), sent.instrument.raw());
        *self.positions.entry(place).or_default() += sent.side.signed(qty).lots();
        *self.executed.entry(report.session.raw()).or_default() += qty.lots();
    }
}

/// One end of the engine's side.
#[derive(Clone)]
pub(crate) struct Floor(Rc<RefCell<HostileVenue<Watched>>>);

impl Floor {
    /// A new engine.
    pub(crate) fn new(engine: EmbeddedVenue, sessions: u32, hostility: Hostility) -> Self {
        let watched = Watched {
            engine,
            notes: Notes::default(),
        };
        let venue = HostileVenue::new(watched, sessions, hostility);
        Self(Rc::new(RefCell::new(venue)))
    }

    /// An honest engine from now on.
    pub(crate) fn calm(&self) {
        self.0.borrow_mut().set_hostility(Hostility::NONE);
    }

    /// Looks at the engine itself.
    pub(crate) fn look<R>(&self, at: impl FnOnce(&Watched) -> R) -> R {
        at(self.0.borrow().engine())
    }

    /// Lies and broken links so far.
    pub(crate) fn misdeeds(&self) -> u64 {
        let venue = self.0.borrow();
        let misdeeds = venue.misdeeds();
        misdeeds.lies.iter().sum::<u64>()
            + misdeeds.disconnects
            + misdeeds.refused
            + misdeeds.fills_split
            + misdeeds.given_back
    }
}

impl MatchingVenue for Floor {
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        self.0.borrow_mut().submit(order, raw)
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        self.0.borrow_mut().poll(now, budget, sink)
    }

    fn is_idle(&self) -> bool {
        self.0.borrow().is_idle()
    }
}

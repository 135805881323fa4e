//! The engine's side: a hostile wire, and behind it a ladder whose every word is noted.
//!
//! The venue agent holds one end, the world another. An engine inside is the gateway's own and dies with
//! it; one outside outlives every gateway. Invariant: what is noted
//! is what the engine itself was sent and said, before any hostility.

use crate::market::Market;
use crate::plan::Plant;
use portcullis_domain::{
    AccountId, InstrumentId, ReportKind, SessionId, Side, Timestamp, UserRef, VenueReport,
};
use portcullis_pipeline::resend::MakeVenue;
use portcullis_venue::saved::SavedError;
use portcullis_venue::{
    Approved, MatchingVenue, OutboundAction, OutboundOrder, RecallEnd, RecallFault, RecallVenue,
    VenueSink,
};
use portcullis_venue_embedded::EmbeddedVenue;
use portcullis_venue_sim::{HostileVenue, Hostility, Outside, OutsideLink};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// The highest place in the log of an entry or replace that was sent.
    pub(crate) sent_seq: u64,
}

/// The ladder, with notes.
pub(crate) struct Watched {
    engine: EmbeddedVenue,
    notes: Notes,
    planted: Planted,
}

/// A defect on the way from the engine, done once.
#[derive(Clone, Copy)]
struct Planted {
    plant: Option<Plant>,
    /// Words it could touch that pass first.
    spared: u32,
}

/// What becomes of a report.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Told,
    ToldTwice,
    Missed,
}

impl Planted {
    fn fate(&mut self, report: &VenueReport) -> Fate {
        let fate = match (self.plant, report.kind) {
            (Some(Plant::HoldReleasedTwice), ReportKind::Fill { .. }) => Fate::ToldTwice,
            (Some(Plant::MissedReport), ReportKind::Canceled) => Fate::Missed,
            _ => return Fate::Told,
        };
        if self.spared > 0 {
            self.spared -= 1;
            return Fate::Told;
        }
        self.plant = None;
        fate
    }
}

impl Watched {
    fn new(engine: EmbeddedVenue, plant: Option<Plant>) -> Self {
        Self {
            engine,
            notes: Notes::default(),
            planted: Planted { plant, spared: 1 },
        }
    }

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
        let (outbound, seq) = (*order.get(), order.seq().raw());
        self.engine.submit(order, raw)?;
        if takes_risk(&outbound) {
            self.notes.sent_seq = self.notes.sent_seq.max(seq);
        }
        if self.notes.note_sent(&outbound) {
            self.notes.twice = Some(outbound);
        }
        Ok(())
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        let Self {
            engine,
            notes,
            planted,
        } = self;
        // A report may be told twice.
        let budget = budget.div_ceil(2);
        let mut noting = Noting {
            notes,
            sink,
            planted,
        };
        engine.poll(now, budget, &mut noting)
    }

    fn is_idle(&self) -> bool {
        self.engine.is_idle()
    }
}

struct Noting<'a, S> {
    notes: &'a mut Notes,
    sink: &'a mut S,
    planted: &'a mut Planted,
}

impl<S: VenueSink> VenueSink for Noting<'_, S> {
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        self.notes.note(&report);
        let fate = self.planted.fate(&report);
        if fate != Fate::Missed {
            self.sink.on_report(report, raw);
        }
        if fate == Fate::ToldTwice {
            self.sink.on_report(report, raw);
        }
    }

    fn on_link(&mut self, session: SessionId, up: bool) {
        self.sink.on_link(session, up);
    }
}

const fn takes_risk(order: &OutboundOrder) -> bool {
    match order.action {
        OutboundAction::Enter { .. } | OutboundAction::Replace { .. } => true,
        OutboundAction::Cancel { .. } => false,
    }
}

impl Notes {
    /// Notes an entry or replace; whether it was there already.
    fn note_sent(&mut self, order: &OutboundOrder) -> bool {
        if !takes_risk(order) {
            return false;
        }
        let key = (order.session.raw(), order.user_ref.number);
        let sent = Sent {
            account: order.account,
            instrument: order.instrument,
            side: order.side,
        };
        self.sent.insert(key, sent).is_some()
    }

    /// Of an engine inside they are part of what a snapshot remembers of it.
    fn save(&self, out: &mut Vec<u8>) {
        let mut words = vec![self.sent.len() as u64];
        for ((session, number), sent) in &self.sent {
            let of = [*session, *number, sent.account.raw(), sent.instrument.raw()];
            words.extend(of.map(u64::from));
            words.push(sent.side as u64);
        }
        words.push(self.positions.len() as u64);
        for ((account, instrument), lots) in &self.positions {
            words.extend([u64::from(*account), u64::from(*instrument), *lots as u64]);
        }
        words.push(self.executed.len() as u64);
        for (session, lots) in &self.executed {
            words.extend([u64::from(*session), *lots as u64]);
        }
        out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }

    /// Takes what [`Notes::save`] wrote; what stands behind it. These bytes are our own.
    fn load<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (words, _) = bytes.as_chunks();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        let mut taken = 0;
        let mut next = || {
            taken += 8;
            words.next().expect("a snapshot of ours holds its notes")
        };
        for _ in 0..next() {
            let key = (next() as u32, next() as u32);
            let (account, instrument) = (next() as u32, next() as u32);
            let side = if next() == Side::Buy as u64 {
                Side::Buy
            } else {
                Side::Sell
            };
            let sent = Sent {
                account: AccountId::new(account),
                instrument: InstrumentId::new(instrument),
                side,
            };
            self.sent.insert(key, sent);
        }
        for _ in 0..next() {
            let place = (next() as u32, next() as u32);
            self.positions.insert(place, next() as i64);
        }
        for _ in 0..next() {
            self.executed.insert(next() as u32, next() as i64);
        }
        &bytes[taken..]
    }

    fn note(&mut self, report: &VenueReport) {
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

/// The outside loses no report and doubles no order itself.
type Outer = Outside<HostileVenue<Watched>>;

/// The world's end of the engine's side.
#[derive(Clone)]
pub(crate) enum Engine {
    /// In the gateway's process: it dies with it, and is made again from the journal.
    Inside(Rc<RefCell<Watched>>),
    /// Outside, behind a hostile wire: it lives on.
    Outside(Arc<Mutex<Outer>>),
}

/// The venue agent's end.
pub(crate) enum Floor {
    Inside(Rc<RefCell<Watched>>),
    Outside(OutsideLink<HostileVenue<Watched>>),
}

impl Engine {
    /// A new engine of a gateway's own process.
    pub(crate) fn inside(engine: EmbeddedVenue) -> Self {
        Self::Inside(Rc::new(RefCell::new(Watched::new(engine, None))))
    }

    /// A new engine outside.
    pub(crate) fn outside(
        engine: EmbeddedVenue,
        sessions: u32,
        hostility: Hostility,
        plant: Option<Plant>,
    ) -> Self {
        let venue = HostileVenue::new(Watched::new(engine, plant), sessions, hostility);
        Self::Outside(Outside::new(venue, sessions, hostility.seed))
    }

    /// What a gateway's venue agent holds of it. `anew` is an engine that was told nothing yet: one
    /// inside is another in each process.
    pub(crate) fn floor(&mut self, anew: impl FnOnce() -> EmbeddedVenue) -> Floor {
        match self {
            Self::Inside(watched) => {
                *watched = Rc::new(RefCell::new(Watched::new(anew(), None)));
                Floor::Inside(Rc::clone(watched))
            }
            Self::Outside(outside) => Floor::Outside(OutsideLink::new(outside)),
        }
    }

    /// An end that is told the past alone, for whoever follows the journal.
    pub(crate) fn aside(&self, market: &Market) -> Floor {
        match self {
            Self::Inside(_) => Floor::aside(market),
            Self::Outside(outside) => Floor::Outside(OutsideLink::new(outside)),
        }
    }

    /// Makes such ends, for whoever resends from the journal.
    pub(crate) fn make_aside(&self, market: &Market) -> MakeVenue<Floor> {
        match self {
            Self::Inside(_) => {
                let market = market.clone();
                Box::new(move || Ok(Floor::aside(&market)))
            }
            Self::Outside(outside) => {
                let outside = Arc::clone(outside);
                Box::new(move || Ok(Floor::Outside(OutsideLink::new(&outside))))
            }
        }
    }

    /// An honest engine from now on.
    pub(crate) fn calm(&self) {
        if let Self::Outside(outside) = self {
            lock(outside).engine_mut().set_hostility(Hostility::NONE);
        }
    }

    /// Looks at the engine itself.
    pub(crate) fn look<R>(&self, at: impl FnOnce(&Watched) -> R) -> R {
        match self {
            Self::Inside(watched) => at(&watched.borrow()),
            Self::Outside(outside) => at(lock(outside).engine().engine()),
        }
    }

    /// Lies, refusals and broken links so far.
    pub(crate) fn misdeeds(&self) -> u64 {
        let Self::Outside(outside) = self else {
            return 0;
        };
        let outside = lock(outside);
        let misdeeds = outside.engine().misdeeds();
        misdeeds.lies.iter().sum::<u64>()
            + misdeeds.disconnects
            + misdeeds.refused
            + misdeeds.fills_split
            + misdeeds.given_back
    }
}

impl Floor {
    /// One that stands beside the world and is told the past alone.
    pub(crate) fn aside(market: &Market) -> Self {
        let watched = Watched::new(market.engine(), None);
        Self::Inside(Rc::new(RefCell::new(watched)))
    }
}

/// One thread a run: nobody else ever holds it.
fn lock(outside: &Mutex<Outer>) -> MutexGuard<'_, Outer> {
    outside.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MatchingVenue for Floor {
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        match self {
            Self::Inside(watched) => watched.borrow_mut().submit(order, raw),
            Self::Outside(link) => link.submit(order, raw),
        }
    }

    fn takes_orders(&self) -> bool {
        match self {
            Self::Inside(watched) => watched.borrow().engine.takes_orders(),
            Self::Outside(link) => link.takes_orders(),
        }
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        match self {
            Self::Inside(watched) => watched.borrow_mut().poll(now, budget, sink),
            Self::Outside(link) => link.poll(now, budget, sink),
        }
    }

    fn is_idle(&self) -> bool {
        match self {
            Self::Inside(watched) => watched.borrow().is_idle(),
            Self::Outside(link) => link.is_idle(),
        }
    }
}

impl RecallVenue for Floor {
    fn recall_order(&mut self, order: Approved<OutboundOrder>, raw: &[u8]) {
        match self {
            Self::Inside(watched) => {
                let watched = &mut *watched.borrow_mut();
                watched.notes.note_sent(order.get());
                watched.engine.recall_order(order, raw);
            }
            Self::Outside(link) => link.recall_order(order, raw),
        }
    }

    fn recall_report(&mut self, report: &VenueReport, raw: &[u8]) {
        match self {
            Self::Inside(watched) => {
                let watched = &mut *watched.borrow_mut();
                watched.notes.note(report);
                watched.engine.recall_report(report, raw);
            }
            Self::Outside(link) => link.recall_report(report, raw),
        }
    }

    fn recall_sequence(&mut self, session: SessionId, sequence: u64) {
        match self {
            Self::Inside(watched) => watched
                .borrow_mut()
                .engine
                .recall_sequence(session, sequence),
            Self::Outside(link) => link.recall_sequence(session, sequence),
        }
    }

    fn recall_fault(&self) -> Option<RecallFault> {
        match self {
            Self::Inside(watched) => watched.borrow().engine.recall_fault(),
            Self::Outside(link) => link.recall_fault(),
        }
    }

    fn recalled(&mut self) -> RecallEnd {
        match self {
            Self::Inside(watched) => watched.borrow_mut().engine.recalled(),
            Self::Outside(link) => link.recalled(),
        }
    }

    fn save(&self, out: &mut Vec<u8>) {
        match self {
            Self::Inside(watched) => {
                let watched = watched.borrow();
                watched.notes.save(out);
                watched.engine.save(out);
            }
            Self::Outside(link) => link.save(out),
        }
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedError> {
        match self {
            Self::Inside(watched) => {
                let watched = &mut *watched.borrow_mut();
                let rest = watched.notes.load(bytes);
                watched.engine.load(rest)
            }
            Self::Outside(link) => link.load(bytes),
        }
    }
}

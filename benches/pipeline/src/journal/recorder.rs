//! Records a journal as a gateway would have: orders, the engine's reports, cancels, prices; at full speed.
//!
//! One thread. Invariants: the core decides each record before it is written, and its digest is noted as the
//! risk agent notes it; the engine's reports are those of the venue that the journal is of. Time is virtual.

use crate::ground::{Land, embedded, symbols};
use crate::log_thread::begin_as;
use crate::spares::SEGMENT_BYTES;
use portcullis_bench_pipeline::crowd::Crowd;
use portcullis_bench_pipeline::market::Market;
use portcullis_domain::{
    CancelRequest, Command, Head, Qty, Record, ReportKind, Seq, SessionId, Side, Timestamp, Units,
    UserRef, VenueReport,
};
use portcullis_journal::{Append, Disk, InlineSource, JournalWriter};
use portcullis_pipeline::tables::Symbol;
use portcullis_risk_core::{Effect, EffectSink, OutboundAction, OutboundOrder, RiskCore};
use portcullis_venue::{Approved, MatchingVenue, VenueSink};
use portcullis_venue_embedded::EmbeddedVenue;
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AppendageBuilder, CancelOrder, CancelReason, Capacity, CrossType, Display, EnterOrder,
    OrderAccepted, OrderCanceled, OrderSide, OrderState, TimeInForce, UserRefNum, YesNo,
};
use std::collections::{HashMap, VecDeque};

/// Virtual time between two records.
const GAP_NS: u64 = 500;
/// Orders between two moves of a price.
const MOVE_EVERY: u64 = 150;
/// Orders that are open at a time: the oldest is cancelled for each that comes.
const OPEN: usize = 4_000;
/// Records of a frame, as under load.
const FRAME_RECORDS: u64 = 64;
/// Records between two notes of the digest, as the risk agent makes them.
const NOTE_EVERY: u64 = 4_096;
/// The longest message of either side.
const MESSAGE_BYTES: usize = 96;

/// Which engine the journal is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// The book in the process.
    Embedded,
    /// One behind the OUCH adapter, which accepts each order and cancels it when it is told to.
    Ouch,
}

/// What was recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded {
    /// Records.
    pub(crate) records: u64,
    /// The core's digest behind the last.
    pub(crate) digest: u64,
}

/// Records the opening of a market and behind it so many commands.
pub(crate) fn record(
    land: &Land,
    crowd: Crowd,
    engine: Engine,
    commands: u64,
) -> Result<Recorded, String> {
    let source = Box::new(InlineSource::new(land.disk.clone(), SEGMENT_BYTES));
    let writer = begin_as(&land.disk, source, land.prelude_digest, land.prelude.limits)?;
    let mut recorder = Recorder {
        core: crowd.core()?,
        writer,
        now: Timestamp::from_ns(1),
        said: Said::default(),
        noted: 0,
    };
    let mut market = Market::new(crowd);
    for command in market.opening() {
        recorder.take(command.encode(), &[])?;
    }
    recorder.said.approved.clear();
    let end = recorder.core.seq().raw() + commands;
    let mut book: Box<dyn Book> = match engine {
        Engine::Embedded => Box::new(embedded(crowd)),
        Engine::Ouch => Box::new(Far::new()),
    };
    let mut open = VecDeque::with_capacity(OPEN + 1);
    let symbols = symbols();
    let mut order = 0;
    while recorder.core.seq().raw() < end {
        if order % MOVE_EVERY == 0 {
            recorder.take(market.next_reference().encode(), &[])?;
        }
        enter(&mut recorder, market.order(order), &symbols, &mut open)?;
        recorder.let_answer(&mut *book)?;
        if open.len() > OPEN {
            cancel(&mut recorder, open.pop_front().expect("more than none"))?;
            recorder.let_answer(&mut *book)?;
        }
        order += 1;
    }
    recorder.finish()
}

struct Recorder {
    core: RiskCore,
    writer: JournalWriter<Disk>,
    now: Timestamp,
    said: Said,
    noted: u64,
}

impl Recorder {
    fn take(&mut self, mut head: Head, raw: &[u8]) -> Result<(), String> {
        self.now = self
            .now
            .saturating_add(portcullis_domain::Duration::from_ns(GAP_NS));
        head.seq = self.core.seq().raw() + 1;
        head.timestamp_ns = self.now.ns();
        let record = Record::new(head, raw).expect("a length that a record carries");
        self.core.apply(&record, &mut self.said);
        let taken = self.writer.append(record.head, record.raw());
        assert_eq!(
            taken,
            Append::Taken,
            "frames are written long before they are full"
        );
        let due = head.seq - self.noted >= NOTE_EVERY;
        if due {
            self.writer
                .note_digest(Seq::new(head.seq), self.core.digest());
            self.noted = head.seq;
        }
        if due || self.writer.gathered() as u64 >= FRAME_RECORDS {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), String> {
        let written = self.writer.write(self.now);
        written
            .map(drop)
            .map_err(|error| format!("the journal: {error}"))
    }

    /// What was approved goes to the engine, whose reports are taken.
    fn let_answer(&mut self, book: &mut dyn Book) -> Result<(), String> {
        for (order, raw) in std::mem::take(&mut self.said.approved) {
            book.take(order, &raw);
        }
        self.said.raw.clear();
        while let Some((report, raw)) = book.next(self.now) {
            self.take(Command::Report(report).encode(), &raw)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Recorded, String> {
        self.take(Command::Tick.encode(), &[])?;
        if self.writer.gathered() > 0 {
            self.writer.note_digest(self.core.seq(), self.core.digest());
            self.write()?;
        }
        self.writer
            .sync()
            .map_err(|error| format!("the journal: {error}"))?;
        let counters = self.core.counters();
        if counters.alarms > 0 || counters.reports_ignored > 0 || counters.accepted == 0 {
            return Err(format!(
                "what was recorded is not as it must be: {counters:?}"
            ));
        }
        Ok(Recorded {
            records: self.core.seq().raw(),
            digest: self.core.digest(),
        })
    }
}

/// What the core said of a record.
#[derive(Default)]
struct Said {
    raw: Vec<u8>,
    approved: Vec<(Approved<OutboundOrder>, Vec<u8>)>,
    /// Whether the last order was.
    entered: bool,
}

impl EffectSink for Said {
    fn on_effect(&mut self, effect: Effect) {
        if let Effect::Approved(order) = effect {
            self.entered |= matches!(order.get().action, OutboundAction::Enter { .. });
            self.approved.push((order, self.raw.clone()));
        }
    }
}

fn enter(
    recorder: &mut Recorder,
    head: Head,
    symbols: &[Symbol],
    open: &mut VecDeque<(SessionId, UserRef)>,
) -> Result<(), String> {
    let symbol = symbols.get(head.instrument as usize).unwrap_or(&symbols[0]);
    let price = portcullis_domain::Price::new(head.price.max(1));
    let order = EnterOrder {
        user_ref_num: number(head.number),
        side: if head.flags & 1 == 0 {
            OrderSide::Buy
        } else {
            OrderSide::Sell
        },
        quantity: head.qty.max(1) as u32,
        symbol: symbol.name,
        price: symbol.scale.price_to_wire(price).unwrap_or(1),
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Agency,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::BLANK,
    };
    let mut raw = [0; MESSAGE_BYTES];
    let len = order.encode(Some(AppendageBuilder::new().finish()), &mut raw);
    let len = len.map_err(|error| error.to_string())?;
    recorder.said.raw = raw[..len].to_vec();
    recorder.said.entered = false;
    recorder.take(head, &raw[..len])?;
    if recorder.said.entered {
        open.push_back((SessionId::new(head.session), UserRef::new(head.number)));
    }
    Ok(())
}

fn cancel(
    recorder: &mut Recorder,
    (session, user_ref): (SessionId, UserRef),
) -> Result<(), String> {
    let request = CancelRequest {
        session,
        user_ref,
        units: Units::TicksAndLots,
        qty_total: Qty::ZERO,
    };
    let message = CancelOrder {
        user_ref_num: number(user_ref.number),
        quantity: 0,
    };
    let mut raw = [0; MESSAGE_BYTES];
    let len = message
        .encode(None, &mut raw)
        .map_err(|error| error.to_string())?;
    recorder.said.raw = raw[..len].to_vec();
    recorder.take(Command::Cancel(request).encode(), &raw[..len])
}

fn number(number: u32) -> UserRefNum {
    UserRefNum::new(number).expect("numbers begin with 1")
}

/// An engine.
trait Book {
    fn take(&mut self, order: Approved<OutboundOrder>, raw: &[u8]);
    fn next(&mut self, now: Timestamp) -> Option<(VenueReport, Vec<u8>)>;
}

/// The next report of a venue.
struct Next(Option<(VenueReport, Vec<u8>)>);

impl VenueSink for Next {
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        self.0 = Some((report, raw.to_vec()));
    }

    fn on_link(&mut self, _session: SessionId, _up: bool) {}
}

impl Book for EmbeddedVenue {
    fn take(&mut self, order: Approved<OutboundOrder>, raw: &[u8]) {
        assert!(self.submit(order, raw).is_ok(), "an idle ladder has room");
    }

    fn next(&mut self, now: Timestamp) -> Option<(VenueReport, Vec<u8>)> {
        let mut next = Next(None);
        while next.0.is_none() && self.poll(now, 1, &mut next) > 0 {}
        next.0
    }
}

/// An engine at the far end of OUCH: its messages, without a line.
struct Far {
    symbols: Vec<Symbol>,
    /// Lots of the orders that rest.
    open: HashMap<(SessionId, UserRef), u32>,
    answers: VecDeque<(VenueReport, Vec<u8>)>,
    accepted: u64,
}

impl Far {
    fn new() -> Self {
        Self {
            symbols: symbols(),
            open: HashMap::new(),
            answers: VecDeque::new(),
            accepted: 0,
        }
    }

    fn answer(&mut self, order: &OutboundOrder, kind: ReportKind, note: u8, raw: &[u8]) {
        let report = VenueReport {
            session: order.session,
            user_ref: order.user_ref,
            kind,
            note,
        };
        self.answers.push_back((report, raw.to_vec()));
    }

    fn accept(&mut self, order: &OutboundOrder, lots: u32, ticks: portcullis_domain::Price) {
        let symbol = &self.symbols[order.instrument.index()];
        self.accepted += 1;
        let accepted = OrderAccepted {
            timestamp: 0,
            user_ref_num: number(order.user_ref.number),
            side: if order.side == Side::Buy {
                OrderSide::Buy
            } else {
                OrderSide::Sell
            },
            quantity: lots,
            symbol: symbol.name,
            price: symbol.scale.price_to_wire(ticks).expect("it was approved"),
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            order_ref_num: self.accepted,
            capacity: Capacity::Agency,
            iso_eligible: YesNo::No,
            cross_type: CrossType::None,
            order_state: OrderState::Live,
            cl_ord_id: Alpha::BLANK,
        };
        let mut raw = [0; MESSAGE_BYTES];
        let len = accepted.encode(Some(AppendageBuilder::new().finish()), &mut raw);
        let len = len.expect("a valid message");
        self.open.insert((order.session, order.user_ref), lots);
        self.answer(order, ReportKind::Accepted, 0, &raw[..len]);
    }

    fn cancel(&mut self, order: &OutboundOrder) {
        let Some(lots) = self.open.remove(&(order.session, order.user_ref)) else {
            return;
        };
        let reason = CancelReason::from_code(b'U');
        let canceled = OrderCanceled {
            timestamp: 0,
            user_ref_num: number(order.user_ref.number),
            quantity: lots,
            reason,
        };
        let mut raw = [0; MESSAGE_BYTES];
        let len = canceled.encode(None, &mut raw).expect("a valid message");
        let kind = ReportKind::Reduced {
            qty: Qty::new(lots.into()),
        };
        self.answer(order, kind, reason.code(), &raw[..len]);
    }
}

impl Book for Far {
    fn take(&mut self, order: Approved<OutboundOrder>, _raw: &[u8]) {
        let order = order.into_inner();
        match order.action {
            OutboundAction::Enter { qty, price, .. } => {
                self.accept(&order, qty.lots() as u32, price);
            }
            OutboundAction::Cancel { .. } => self.cancel(&order),
            OutboundAction::Replace { .. } => {}
        }
    }

    fn next(&mut self, _now: Timestamp) -> Option<(VenueReport, Vec<u8>)> {
        self.answers.pop_front()
    }
}

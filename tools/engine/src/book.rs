//! OUCH on top of the ladder.
//!
//! Owned by the floor's thread. It keeps what the ladder does not: what a client said of its order
//! that is told back. Invariants: each message is matched to its end before the next is looked at; an
//! order that dies on arrival is told in one message. It must never look at sockets or sessions'
//! streams.

use crate::config::{EngineConfig, SetupError, TradedInstrument};
use crate::say;
use portcullis_domain::{
    HashSeed, InstrumentId, OrderKey, Price, Qty, QtyMeaning, SessionId, TimeInForce, UserRef,
};
use portcullis_ladder::{
    Cancel, CancelReason, Command, Counters, Disposition, Fees, InstrumentConfig, Ladder,
    LadderConfig, Liquidity, NewOrder, OpenOrder, RejectReason, Replace, Report, ReportKind,
};
use portcullis_wire::ouch50::{
    CancelReason as WireCancelReason, EnterOrder, InstrumentScale, OUCH50, OrderCanceled,
    OrderExecuted, OrderModified, OrderState, OuchPrice, RejectReason as WireRejectReason,
    Rejected, ReplaceOrder, TimeInForce as WireTimeInForce,
};
use std::collections::{BTreeMap, BTreeSet};

/// Trades that can be taken back.
const TRADES_MAX: u32 = 1_024;

/// A message, and the session that is to have it.
pub(crate) type Said = (usize, Vec<u8>);

#[derive(Debug, Clone, Copy)]
struct Version {
    said: EnterOrder,
    instrument: InstrumentId,
}

pub(crate) struct Book {
    ladder: Ladder,
    instruments: Vec<TradedInstrument>,
    /// What the client said of each version that lives.
    versions: BTreeMap<OrderKey, Version>,
    /// Orders that died on arrival: their cancel is not told.
    dead: BTreeSet<OrderKey>,
    /// A modify in hand: its decrement is told as one.
    modifies: Option<OrderKey>,
    said: Vec<Said>,
    /// Nanoseconds since midnight.
    timestamp: u64,
}

impl Book {
    pub(crate) fn new(config: &EngineConfig) -> Result<Self, SetupError> {
        let instruments = config.instruments.iter().map(|instrument| {
            let (price_max, qty_max) = instrument.most();
            InstrumentConfig {
                qty_max,
                price_max,
                fees: Fees::default(),
            }
        });
        let ladder = Ladder::new(LadderConfig {
            instruments: instruments.collect(),
            sessions_max: config.users.len() as u32,
            orders_max: config.orders_max,
            levels_max: config.orders_max,
            inbox_max: 1,
            trades_max: TRADES_MAX,
            window_ticks: 4_096,
            hash_seed: HashSeed::FIXED,
        });
        Ok(Self {
            ladder: ladder.map_err(|error| SetupError(error.to_string()))?,
            instruments: config.instruments.clone(),
            versions: BTreeMap::new(),
            dead: BTreeSet::new(),
            modifies: None,
            said: Vec::new(),
            timestamp: 0,
        })
    }

    pub(crate) const fn counters(&self) -> &Counters {
        self.ladder.counters()
    }

    pub(crate) const fn open_orders(&self) -> u32 {
        self.ladder.open_orders()
    }

    /// A session's open orders, with their symbols and what is left in wire units.
    pub(crate) fn open_of(&self, session: usize) -> impl Iterator<Item = (OpenOrder, u32)> + '_ {
        let orders = self.ladder.session_orders(SessionId::new(session as u32));
        orders.map(|order| {
            let scale = &self.instruments[order.instrument.index()].scale;
            (order, say::wire(scale, order.leaves))
        })
    }

    pub(crate) fn symbol(&self, instrument: InstrumentId) -> String {
        let symbol = self.instruments[instrument.index()].symbol;
        String::from_utf8_lossy(symbol.trimmed()).into_owned()
    }

    /// What the last messages came to.
    pub(crate) fn said(&mut self) -> Vec<Said> {
        core::mem::take(&mut self.said)
    }

    pub(crate) const fn set_time(&mut self, timestamp: u64) {
        self.timestamp = timestamp;
    }

    /// Whether this version rests.
    pub(crate) fn is_open(&self, session: usize, number: UserRef) -> bool {
        let session = SessionId::new(session as u32);
        self.ladder.order(session, number).is_some()
    }

    pub(crate) fn enter(&mut self, session: usize, number: UserRef, said: EnterOrder) {
        let symbol = said.symbol;
        let instrument = self.instruments.iter().position(|one| one.symbol == symbol);
        let Some(index) = instrument else {
            self.refuse(session, number, &said, WireRejectReason::InvalidSymbol);
            return;
        };
        let instrument = InstrumentId::new(index as u32);
        let scale = &self.instruments[index].scale;
        let Ok(qty) = scale.qty_from_wire(said.quantity) else {
            self.refuse(session, number, &said, WireRejectReason::InvalidQuantity);
            return;
        };
        let price = match OUCH50.price(said.price) {
            OuchPrice::Market => Ok(None),
            OuchPrice::Limit(wire) => scale.price_from_wire(wire).map(Some).map_err(drop),
            OuchPrice::AboveMax(_) => Err(()),
        };
        let Ok(price) = price else {
            self.refuse(session, number, &said, WireRejectReason::InvalidPrice);
            return;
        };
        let session = SessionId::new(session as u32);
        let version = Version { said, instrument };
        self.versions
            .insert(OrderKey::new(session, number), version);
        self.work(Command::New(NewOrder {
            session,
            user_ref: number,
            tag: 0,
            instrument,
            side: said.side.side(),
            qty,
            price,
            time_in_force: time_in_force(said.time_in_force),
            qty_min: Qty::ZERO,
            instruction: None,
        }));
    }

    /// A new version of an order that rests.
    pub(crate) fn replace(
        &mut self,
        session: usize,
        original: UserRef,
        number: UserRef,
        said: &ReplaceOrder,
    ) {
        let id = SessionId::new(session as u32);
        let Some(before) = self.versions.get(&OrderKey::new(id, original)).copied() else {
            return;
        };
        let version = EnterOrder {
            user_ref_num: said.user_ref_num,
            quantity: said.quantity,
            price: said.price,
            time_in_force: said.time_in_force,
            display: said.display,
            iso_eligible: said.iso_eligible,
            cl_ord_id: said.cl_ord_id,
            ..before.said
        };
        let scale = &self.instruments[before.instrument.index()].scale;
        let price = match OUCH50.price(said.price) {
            OuchPrice::Market => Some(None),
            OuchPrice::Limit(wire) => scale.price_from_wire(wire).ok().map(Some),
            OuchPrice::AboveMax(_) => None,
        };
        let (Some(price), Ok(qty)) = (price, scale.qty_from_wire(said.quantity)) else {
            self.refuse(session, number, &version, WireRejectReason::InvalidPrice);
            return;
        };
        let instrument = before.instrument;
        let said_now = Version {
            said: version,
            instrument,
        };
        self.versions.insert(OrderKey::new(id, number), said_now);
        self.work(Command::Replace(Replace {
            session: id,
            original,
            user_ref: number,
            tag: 0,
            qty,
            qty_meaning: QtyMeaning::Total,
            price,
            time_in_force: time_in_force(said.time_in_force),
            instruction: None,
        }));
        // One that never came to live has nothing more to be told of.
        if !self.is_open(session, number) {
            self.versions.remove(&OrderKey::new(id, number));
        }
    }

    /// Down to this many, executed ones included. A modify is told as what is left.
    pub(crate) fn cancel(&mut self, session: usize, number: UserRef, to_wire: u32, modify: bool) {
        let session = SessionId::new(session as u32);
        let key = OrderKey::new(session, number);
        let Some(version) = self.versions.get(&key) else {
            return;
        };
        let lot = self.instruments[version.instrument.index()]
            .scale
            .lot_wire();
        // What is left of a lot stays.
        let qty = Qty::new(to_wire.div_ceil(lot.get()).into());
        self.modifies = modify.then_some(key);
        self.work(Command::Cancel(Cancel {
            session,
            user_ref: number,
            qty,
            qty_meaning: QtyMeaning::Total,
        }));
        self.modifies = None;
    }

    fn work(&mut self, command: Command) {
        let taken = self.ladder.submit(command);
        taken.expect("each command is worked off before the next");
        let mut reports = Vec::new();
        while !self.ladder.is_idle() {
            self.ladder.poll(64, &mut |report| reports.push(report));
        }
        for report in reports {
            self.tell(&report);
        }
    }

    fn tell(&mut self, report: &Report) {
        let key = OrderKey::new(report.session, report.user_ref);
        let Some(version) = self.versions.get(&key).copied() else {
            return;
        };
        let scale = self.instruments[version.instrument.index()].scale;
        let (session, row) = (report.session.index(), report.user_ref.row);
        let timestamp = self.timestamp;
        match report.kind {
            ReportKind::Accepted {
                order_ref,
                disposition,
                ..
            } => {
                let state = self.state(key, disposition);
                let accepted = say::accepted(&version.said, timestamp, order_ref, state);
                self.say(session, say::message(row, |a, out| accepted.encode(a, out)));
            }
            ReportKind::Replaced {
                original,
                order_ref,
                open,
                disposition,
                ..
            } => {
                let state = self.state(key, disposition);
                let accepted = say::accepted(&version.said, timestamp, order_ref, state);
                let open = say::wire(&scale, open);
                let replaced = say::replaced(&accepted, say::number(original), open);
                self.versions
                    .remove(&OrderKey::new(report.session, original));
                self.say(session, say::message(row, |a, out| replaced.encode(a, out)));
            }
            ReportKind::Executed {
                qty,
                price,
                match_number,
                liquidity,
                leaves,
                fee: _,
            } => {
                let added = liquidity == Liquidity::Added;
                self.executed(report, &scale, (qty, price), match_number, added);
                self.forget_if_over(key, leaves);
            }
            ReportKind::Canceled {
                qty,
                leaves,
                reason,
            } => {
                self.canceled(report, &version, (qty, leaves), reason);
                self.forget_if_over(key, leaves);
            }
            ReportKind::Rejected { reason } | ReportKind::ReplaceRejected { reason, .. } => {
                self.refuse(session, report.user_ref, &version.said, wire_reason(reason));
                self.versions.remove(&key);
            }
            // Nobody takes a trade back here.
            ReportKind::BrokenTrade { .. } => {}
        }
    }

    fn executed(
        &mut self,
        report: &Report,
        scale: &InstrumentScale,
        (qty, price): (Qty, Price),
        match_number: u64,
        added: bool,
    ) {
        let price = scale.price_to_wire(price);
        let executed = OrderExecuted {
            timestamp: self.timestamp,
            user_ref_num: say::number(report.user_ref),
            quantity: say::wire(scale, qty),
            price: price.expect("a maker's, which came over the wire"),
            liquidity_flag: say::letter(if added { b'A' } else { b'R' }),
            match_number,
        };
        let row = report.user_ref.row;
        let message = say::message(row, |a, out| executed.encode(a, out));
        self.say(report.session.index(), message);
    }

    fn canceled(
        &mut self,
        report: &Report,
        version: &Version,
        (qty, leaves): (Qty, Qty),
        reason: CancelReason,
    ) {
        let key = OrderKey::new(report.session, report.user_ref);
        if self.dead.remove(&key) {
            return;
        }
        let (session, row) = (report.session.index(), report.user_ref.row);
        let scale = self.instruments[version.instrument.index()].scale;
        let user_ref_num = say::number(report.user_ref);
        let timestamp = self.timestamp;
        if self.modifies == Some(key) && leaves > Qty::ZERO {
            let modified = OrderModified {
                timestamp,
                user_ref_num,
                side: version.said.side,
                quantity: say::wire(&scale, leaves),
            };
            self.say(session, say::message(row, |a, out| modified.encode(a, out)));
            return;
        }
        let code = match reason {
            CancelReason::User => b'U',
            CancelReason::ImmediateOrCancel | CancelReason::MinQty => b'I',
            CancelReason::DayEnd => b'E',
            CancelReason::MassCancel => b'S',
            CancelReason::ReplaceInvalid(_) | CancelReason::ReplaceNothingLeft => b'Z',
        };
        let canceled = OrderCanceled {
            timestamp,
            user_ref_num,
            quantity: say::wire(&scale, qty),
            reason: WireCancelReason::from_code(code),
        };
        self.say(session, say::message(row, |a, out| canceled.encode(a, out)));
    }

    fn forget_if_over(&mut self, key: OrderKey, leaves: Qty) {
        if leaves == Qty::ZERO {
            self.versions.remove(&key);
        }
    }

    fn refuse(
        &mut self,
        session: usize,
        number: UserRef,
        said: &EnterOrder,
        reason: WireRejectReason,
    ) {
        let rejected = Rejected {
            timestamp: self.timestamp,
            user_ref_num: number.number,
            reason,
            cl_ord_id: said.cl_ord_id,
        };
        let message = say::message(number.row, |a, out| rejected.encode(a, out));
        self.say(session, message);
    }

    fn state(&mut self, key: OrderKey, disposition: Disposition) -> OrderState {
        if disposition == Disposition::Dead {
            self.dead.insert(key);
            return OrderState::Dead;
        }
        OrderState::Live
    }

    fn say(&mut self, session: usize, message: Vec<u8>) {
        self.said.push((session, message));
    }
}

const fn wire_reason(reason: RejectReason) -> WireRejectReason {
    match reason {
        RejectReason::NoOppositePrice => WireRejectReason::QuoteUnavailable,
        RejectReason::InstrumentUnknown => WireRejectReason::InvalidSymbol,
        RejectReason::QtyInvalid => WireRejectReason::InvalidQuantity,
        RejectReason::PriceInvalid => WireRejectReason::InvalidPrice,
        RejectReason::MinQtyInvalid | RejectReason::MinQtyNotImmediate => {
            WireRejectReason::InvalidMinQuantity
        }
        RejectReason::SessionUnknown
        | RejectReason::Unsupported(_)
        | RejectReason::TimeInForceUnsupported
        | RejectReason::OrdersFull
        | RejectReason::LevelsFull => WireRejectReason::ProcessingError,
    }
}

const fn time_in_force(wire: WireTimeInForce) -> TimeInForce {
    match wire {
        WireTimeInForce::Ioc => TimeInForce::ImmediateOrCancel,
        // This engine's day has no hours.
        WireTimeInForce::Day
        | WireTimeInForce::Gtx
        | WireTimeInForce::Gtt
        | WireTimeInForce::AfterHours => TimeInForce::Day,
    }
}

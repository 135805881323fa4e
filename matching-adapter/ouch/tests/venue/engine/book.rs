//! OUCH on top of the ladder.
//!
//! Owned by the engine's thread. Keeps what the ladder does not: the numbers used, and what a client
//! said of its order that must be told back.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::{
    HashSeed, InstrumentId, Money, OrderKey, Price, Qty, QtyMeaning, SessionId, UserRef,
};
use portcullis_ladder::{
    Cancel, CancelReason, Command, Counters, Disposition, Fees, InstrumentConfig, Ladder,
    LadderConfig, Liquidity, NewOrder, Replace, Report, ReportKind,
};
use portcullis_wire::field::Letter;
use portcullis_wire::ouch50::{
    AccountQueryResponse, Appendage, AppendageBuilder, CancelReason as WireCancelReason, Element,
    EncodeError, EnterOrder, Inbound, OrderAccepted, OrderCanceled, OrderExecuted, OrderReplaced,
    OrderState, RejectReason, Rejected, TimeInForce, UserRefNum,
};

use super::{SYMBOLS, TICK_WIRE};
use crate::rig::SESSIONS;

type Key = (usize, UserRef);

pub(crate) struct Book {
    ladder: Ladder,
    /// What the client said of each version.
    versions: BTreeMap<Key, EnterOrder>,
    /// By session and row.
    last_number: BTreeMap<(usize, u8), u32>,
    /// Orders that died on arrival: their cancel is not told.
    dead: BTreeSet<Key>,
    said: Vec<(usize, Vec<u8>)>,
    repeated: u64,
}

impl Book {
    pub(super) fn new() -> Self {
        let instrument = InstrumentConfig {
            qty_max: Qty::new(100_000),
            price_max: Price::new(100_000),
            fees: Fees {
                maker_per_lot: Money::ZERO,
                taker_per_lot: Money::ZERO,
            },
        };
        let ladder = Ladder::new(LadderConfig {
            instruments: vec![instrument; SYMBOLS.len()],
            // One more, whose orders no session is told of.
            sessions_max: SESSIONS + 1,
            orders_max: 8_192,
            levels_max: 30,
            inbox_max: 1_024,
            trades_max: 1_024,
            window_ticks: 64,
            hash_seed: HashSeed::FIXED,
        });
        Self {
            ladder: ladder.expect("in range"),
            versions: BTreeMap::new(),
            last_number: BTreeMap::new(),
            dead: BTreeSet::new(),
            said: Vec::new(),
            repeated: 0,
        }
    }

    pub(super) fn counters(&self) -> &Counters {
        self.ladder.counters()
    }

    /// Wire units of each order that rests.
    pub(super) fn open(&self) -> BTreeMap<OrderKey, u32> {
        let sessions = (0..SESSIONS).map(SessionId::new);
        let orders = sessions.flat_map(|session| self.ladder.session_orders(session));
        let key = |session, user_ref| OrderKey::new(session, user_ref);
        orders
            .map(|order| (key(order.session, order.user_ref), wire(order.leaves)))
            .collect()
    }

    pub(super) const fn repeated(&self) -> u64 {
        self.repeated
    }

    pub(super) fn submit(&mut self, command: Command) {
        while self.ladder.submit(command).is_err() {
            self.match_all();
        }
    }

    /// Matches, and returns what is to be said, in order.
    pub(super) fn work(&mut self) -> Vec<(usize, Vec<u8>)> {
        self.match_all();
        core::mem::take(&mut self.said)
    }

    pub(super) fn take(&mut self, session: usize, message: &[u8]) {
        match Inbound::parse(message).expect("the adapter sends what OUCH knows") {
            Inbound::EnterOrder(view) => {
                let number = numbered(view.user_ref_num(), view.user_ref_idx());
                self.enter(session, number, view.value());
            }
            Inbound::ReplaceOrder(view) => {
                let replace = view.value();
                let row = view.user_ref_idx();
                let original = numbered(replace.orig_user_ref_num, row);
                let number = numbered(replace.user_ref_num, row);
                self.match_all();
                let id = SessionId::new(session as u32);
                let live = self.ladder.order(id, original).is_some();
                // A number is used by a replace that is taken alone.
                if number.number <= self.last_number(session, row) {
                    self.repeated += 1;
                    return;
                }
                if !live || !self.use_number(session, number) {
                    return;
                }
                let enter = self.versions[&(session, original)];
                let enter = EnterOrder {
                    user_ref_num: replace.user_ref_num,
                    quantity: replace.quantity,
                    price: replace.price,
                    time_in_force: replace.time_in_force,
                    cl_ord_id: replace.cl_ord_id,
                    ..enter
                };
                self.versions.insert((session, number), enter);
                self.submit(Command::Replace(Replace {
                    session: id,
                    original,
                    user_ref: number,
                    tag: 0,
                    qty: Qty::new(replace.quantity.into()),
                    qty_meaning: QtyMeaning::Total,
                    price: Some(ticks(replace.price)),
                    time_in_force: time_in_force(replace.time_in_force),
                    instruction: None,
                }));
            }
            Inbound::CancelOrder(view) => self.submit(Command::Cancel(Cancel {
                session: SessionId::new(session as u32),
                user_ref: numbered(view.user_ref_num(), view.user_ref_idx()),
                qty: Qty::new(view.quantity().into()),
                qty_meaning: QtyMeaning::Total,
            })),
            Inbound::AccountQuery(view) => {
                let row = view.user_ref_idx();
                // What was asked before it is answered before it.
                self.match_all();
                let next_user_ref_num = number(self.last_number(session, row) + 1);
                let answer = AccountQueryResponse {
                    timestamp: 0,
                    next_user_ref_num,
                };
                self.say(session, row, |group, out| answer.encode(group, out));
            }
            Inbound::ModifyOrder(_)
            | Inbound::MassCancel(_)
            | Inbound::DisableOrderEntry(_)
            | Inbound::EnableOrderEntry(_) => panic!("the adapter makes none of these"),
        }
    }

    fn last_number(&self, session: usize, row: u8) -> u32 {
        let last = self.last_number.get(&(session, row));
        last.copied().unwrap_or(0)
    }

    /// Uses a number; `false` if it, or a later one, was used before.
    fn use_number(&mut self, session: usize, number: UserRef) -> bool {
        let is_new = number.number > self.last_number(session, number.row);
        if is_new {
            let row = (session, number.row);
            self.last_number.insert(row, number.number);
        }
        is_new
    }

    fn enter(&mut self, session: usize, number: UserRef, enter: EnterOrder) {
        if !self.use_number(session, number) {
            self.repeated += 1;
            return;
        }
        self.versions.insert((session, number), enter);
        let symbol = enter.symbol.trimmed();
        let instrument = SYMBOLS.iter().position(|known| *known == symbol);
        self.submit(Command::New(NewOrder {
            session: SessionId::new(session as u32),
            user_ref: number,
            tag: 0,
            instrument: InstrumentId::new(instrument.expect("a known symbol") as u32),
            side: enter.side.side(),
            qty: Qty::new(enter.quantity.into()),
            price: Some(ticks(enter.price)),
            time_in_force: time_in_force(enter.time_in_force),
            qty_min: Qty::ZERO,
            instruction: None,
        }));
    }

    fn match_all(&mut self) {
        let mut reports = Vec::new();
        while !self.ladder.is_idle() {
            self.ladder.poll(64, &mut |report| reports.push(report));
        }
        for report in reports {
            if report.session.raw() < SESSIONS {
                self.tell(&report);
            }
        }
    }

    fn tell(&mut self, report: &Report) {
        let session = report.session.index();
        let row = report.user_ref.row;
        let key = (session, report.user_ref);
        let user_ref_num = number(report.user_ref.number);
        let version = self.versions[&key];
        match report.kind {
            ReportKind::Accepted {
                order_ref,
                disposition,
                ..
            } => {
                let order_state = self.state(key, disposition);
                let accepted = accepted(&version, order_ref, order_state);
                self.say(session, row, |group, out| accepted.encode(group, out));
            }
            ReportKind::Replaced {
                original,
                order_ref,
                open,
                disposition,
                ..
            } => {
                let order_state = self.state(key, disposition);
                let accepted = accepted(&version, order_ref, order_state);
                let replaced = replaced(&accepted, original, open);
                self.say(session, row, |group, out| replaced.encode(group, out));
            }
            ReportKind::Executed {
                qty,
                price,
                match_number,
                liquidity,
                ..
            } => {
                let flag = match liquidity {
                    Liquidity::Added => b'A',
                    Liquidity::Removed => b'R',
                };
                let executed = OrderExecuted {
                    timestamp: 0,
                    user_ref_num,
                    quantity: wire(qty),
                    price: price.ticks().unsigned_abs() * TICK_WIRE,
                    liquidity_flag: Letter::new(flag).expect("a letter"),
                    match_number,
                };
                self.say(session, row, |group, out| executed.encode(group, out));
            }
            ReportKind::Canceled { qty, reason, .. } => self.canceled(key, qty, reason),
            ReportKind::Rejected { .. } | ReportKind::ReplaceRejected { .. } => {
                let rejected = Rejected {
                    timestamp: 0,
                    user_ref_num: report.user_ref.number,
                    reason: RejectReason::ProcessingError,
                    cl_ord_id: version.cl_ord_id,
                };
                self.say(session, row, |group, out| rejected.encode(group, out));
            }
            // No test takes a trade back here.
            ReportKind::BrokenTrade { .. } => {}
        }
    }

    fn canceled(&mut self, key: Key, qty: Qty, reason: CancelReason) {
        if self.dead.remove(&key) {
            return;
        }
        let reason = match reason {
            CancelReason::User => b'U',
            CancelReason::ImmediateOrCancel => b'I',
            CancelReason::MinQty
            | CancelReason::MassCancel
            | CancelReason::DayEnd
            | CancelReason::ReplaceInvalid(_)
            | CancelReason::ReplaceNothingLeft => b'Z',
        };
        let (session, order) = key;
        let canceled = OrderCanceled {
            timestamp: 0,
            user_ref_num: number(order.number),
            quantity: wire(qty),
            reason: WireCancelReason::from_code(reason),
        };
        self.say(session, order.row, |group, out| canceled.encode(group, out));
    }

    fn state(&mut self, key: Key, disposition: Disposition) -> OrderState {
        if disposition == Disposition::Dead {
            self.dead.insert(key);
            return OrderState::Dead;
        }
        OrderState::Live
    }

    fn say(
        &mut self,
        session: usize,
        row: u8,
        write: impl FnOnce(Option<Appendage<'_>>, &mut [u8]) -> Result<usize, EncodeError>,
    ) {
        let mut message = vec![0; 256];
        let len = of_row(row, |group| write(group, &mut message)).expect("it can be said");
        message.truncate(len);
        self.said.push((session, message));
    }
}

fn accepted(version: &EnterOrder, order_ref_num: u64, order_state: OrderState) -> OrderAccepted {
    OrderAccepted {
        timestamp: 0,
        user_ref_num: version.user_ref_num,
        side: version.side,
        quantity: version.quantity,
        symbol: version.symbol,
        price: version.price,
        time_in_force: version.time_in_force,
        display: version.display,
        order_ref_num,
        capacity: version.capacity,
        iso_eligible: version.iso_eligible,
        cross_type: version.cross_type,
        order_state,
        cl_ord_id: version.cl_ord_id,
    }
}

fn replaced(accepted: &OrderAccepted, original: UserRef, open: Qty) -> OrderReplaced {
    OrderReplaced {
        timestamp: accepted.timestamp,
        orig_user_ref_num: number(original.number),
        user_ref_num: accepted.user_ref_num,
        side: accepted.side,
        quantity: wire(open),
        symbol: accepted.symbol,
        price: accepted.price,
        time_in_force: accepted.time_in_force,
        display: accepted.display,
        order_ref_num: accepted.order_ref_num,
        capacity: accepted.capacity,
        iso_eligible: accepted.iso_eligible,
        cross_type: accepted.cross_type,
        order_state: accepted.order_state,
        cl_ord_id: accepted.cl_ord_id,
    }
}

/// What a message about a row has behind its fixed part: row 0 needs no naming.
pub(crate) fn of_row<T>(row: u8, write: impl FnOnce(Option<Appendage<'_>>) -> T) -> T {
    let mut builder = AppendageBuilder::new();
    if row != 0 {
        let first = builder.push(Element::UserRefIdx(row));
        first.expect("the first element");
    }
    write((row != 0).then(|| builder.finish()))
}

const fn numbered(number: UserRefNum, row: u8) -> UserRef {
    UserRef {
        row,
        number: number.get(),
    }
}

fn number(value: u32) -> UserRefNum {
    UserRefNum::new(value).expect("numbers start at 1")
}

fn ticks(price_wire: u64) -> Price {
    assert!(price_wire.is_multiple_of(TICK_WIRE), "between two ticks");
    Price::new((price_wire / TICK_WIRE) as i64)
}

fn wire(qty: Qty) -> u32 {
    u32::try_from(qty.lots()).expect("small")
}

fn time_in_force(wire: TimeInForce) -> portcullis_domain::TimeInForce {
    match wire {
        TimeInForce::Ioc => portcullis_domain::TimeInForce::ImmediateOrCancel,
        TimeInForce::Day | TimeInForce::Gtx | TimeInForce::Gtt | TimeInForce::AfterHours => {
            portcullis_domain::TimeInForce::Day
        }
    }
}

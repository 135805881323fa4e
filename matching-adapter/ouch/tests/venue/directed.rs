//! What the adapter does in each case of its own.
//!
//! One thread a test, and the engine's.

use std::sync::atomic::Ordering;

use portcullis_domain::{
    AccountId, CancelRequest, Command, Duration, InstrumentId, NewOrder, Price, Qty, QtyMeaning,
    ReplaceRequest, ReportKind, Scope, SessionId, StateChange, TimeInForce, Timestamp,
    TradingState, Units, UserRef, VenueReport,
};
use portcullis_venue::{MatchingVenue, VenueSink};
use portcullis_venue_ouch::{LinkState, Route, StopReader, StopReason};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AppendageBuilder, CancelOrder, CancelPending, CancelReject, Capacity, CrossType, Display,
    Element, EncodeError, EnterOrder, EventCode, OUCH50, OrderModified, OrderSide, OuchPrice,
    Outbound, PriorityUpdate, RejectReason, Rejected, ReplaceOrder, SystemEvent,
    TimeInForce as WireTimeInForce, UserRefNum, YesNo,
};

use crate::engine::{Engine, SYMBOLS, TICK_WIRE};
use crate::patient::{Patient, config, rig, until, until_up};
use crate::rig::Rig;

const SESSION: SessionId = SessionId::new(1);

fn up(engine: &Engine) -> Rig<Patient> {
    let mut rig = rig(config(engine), 1);
    until_up(&mut rig);
    rig
}

fn number(value: u32) -> UserRefNum {
    UserRefNum::new(value).expect("not 0")
}

fn encoded(write: impl FnOnce(&mut [u8]) -> Result<usize, EncodeError>) -> Vec<u8> {
    let mut message = vec![0; 256];
    let len = write(&mut message).expect("it can be said");
    message.truncate(len);
    message
}

/// A client's own message, with a text that no gateway would make up.
fn enter(user_ref_num: u32, side: OrderSide, price: Option<u64>) -> EnterOrder {
    EnterOrder {
        user_ref_num: number(user_ref_num),
        side,
        quantity: 10,
        symbol: Alpha::new(SYMBOLS[0]).expect("fits"),
        price: price.map_or(OUCH50.price_market_wire[0], |ticks| ticks * TICK_WIRE),
        time_in_force: WireTimeInForce::Day,
        display: Display::Attributable,
        capacity: Capacity::Agency,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::new(b"its own text").expect("fits"),
    }
}

/// The client's order through the core; its bytes beside it.
fn order(rig: &mut Rig<Patient>, message: EnterOrder, time_in_force: TimeInForce) -> Vec<u8> {
    let mut group = AppendageBuilder::new();
    group.push(Element::GroupId(7)).expect("the first");
    let bytes = encoded(|out| message.encode(Some(group.finish()), out));
    let price = match OUCH50.price(message.price) {
        OuchPrice::Limit(wire) => Some(Price::new((wire / TICK_WIRE) as i64)),
        OuchPrice::Market => None,
        OuchPrice::AboveMax(wire) => panic!("{wire} is no price"),
    };
    rig.effects.raw = bytes.clone();
    rig.apply(Command::NewOrder(NewOrder {
        session: SESSION,
        user_ref: UserRef::new(message.user_ref_num.get()),
        account: AccountId::new(1),
        instrument: InstrumentId::new(0),
        side: message.side.side(),
        qty: Qty::new(message.quantity.into()),
        price,
        time_in_force,
    }));
    bytes
}

fn resting(rig: &mut Rig<Patient>, user_ref_num: u32) -> Vec<u8> {
    let bytes = order(
        rig,
        enter(user_ref_num, OrderSide::Buy, Some(1_000)),
        TimeInForce::Day,
    );
    rig.pump_all();
    bytes
}

fn cancel(rig: &mut Rig<Patient>, user_ref_num: u32, qty_total: i64) {
    rig.apply(Command::Cancel(CancelRequest {
        session: SESSION,
        user_ref: UserRef::new(user_ref_num),
        units: Units::TicksAndLots,
        qty_total: Qty::new(qty_total),
    }));
}

/// Cycles until the engine's next report, and returns the kinds of all since the last call.
fn kinds(rig: &mut Rig<Patient>, wanted: usize) -> Vec<(u32, ReportKind)> {
    until(rig, "reports", |rig| rig.reports.len() >= wanted);
    rig.pump_all();
    let reports = core::mem::take(&mut rig.reports);
    reports
        .iter()
        .map(|(report, _)| (report.user_ref.number, report.kind))
        .collect()
}

#[test]
fn a_clients_bytes_go_on_as_they_came_but_for_what_the_order_forces() {
    let engine = Engine::start(1);
    let mut rig = up(&engine);
    let plain = resting(&mut rig, 1);
    // A version that the engine has replaced: the client may still name the first.
    for (version, named) in [(2, 1), (3, 1)] {
        let replace = ReplaceOrder {
            orig_user_ref_num: number(named),
            user_ref_num: number(version),
            quantity: 8,
            price: 1_001 * TICK_WIRE,
            time_in_force: WireTimeInForce::Day,
            display: Display::Attributable,
            iso_eligible: YesNo::No,
            cl_ord_id: Alpha::new(b"another").expect("fits"),
        };
        rig.effects.raw = encoded(|out| replace.encode(None, out));
        rig.apply(Command::Replace(ReplaceRequest {
            session: SESSION,
            original: UserRef::new(named),
            user_ref: UserRef::new(version),
            units: Units::TicksAndLots,
            qty: Qty::new(8),
            qty_meaning: QtyMeaning::Total,
            price: Some(Price::new(1_001)),
            time_in_force: TimeInForce::Day,
        }));
        rig.pump_all();
    }
    let by_first = CancelOrder {
        user_ref_num: number(1),
        quantity: 3,
    };
    rig.effects.raw = encoded(|out| by_first.encode(None, out));
    cancel(&mut rig, 1, 3);
    rig.pump_all();
    let market = order(&mut rig, enter(4, OrderSide::Sell, None), TimeInForce::Day);
    rig.pump_all();
    let received = engine.received(1);
    let collar_low = rig
        .core
        .instrument(InstrumentId::new(0))
        .expect("there")
        .collar;
    let (low, _) = collar_low.expect("a reference");
    let mut protected = market;
    protected[18..26].copy_from_slice(&(low as u64 * TICK_WIRE).to_be_bytes());
    protected[26] = b'3';
    assert_eq!(received[0], [b'Q'], "the end of the replay is asked for");
    assert_eq!(received[1], plain);
    assert_eq!(received[2][1..9], [0, 0, 0, 1, 0, 0, 0, 2]);
    assert_eq!(
        received[3][1..9],
        [0, 0, 0, 2, 0, 0, 0, 3],
        "the engine knows 2"
    );
    assert_eq!(received[3][24..31], *b"another");
    assert_eq!(received[4], [b'X', 0, 0, 0, 3, 0, 0, 0, 3]);
    assert_eq!(received[5], protected);
    assert_eq!(rig.effects.alarms, []);
    assert_eq!(
        rig.holds(),
        (0, 0, 0),
        "3 of 3 traded, and the rest of the market order died"
    );
}

#[test]
fn an_order_that_dies_on_arrival_is_one_message_and_one_report() {
    let engine = Engine::start(2);
    let mut rig = up(&engine);
    let mut ioc = enter(1, OrderSide::Buy, Some(1_000));
    ioc.time_in_force = WireTimeInForce::Ioc;
    order(&mut rig, ioc, TimeInForce::ImmediateOrCancel);
    rig.pump_all();
    let [(report, raw)] = &rig.reports[..] else {
        panic!("{:?}", rig.reports);
    };
    assert_eq!(report.kind, ReportKind::Canceled);
    let Ok(Outbound::OrderAccepted(view)) = Outbound::parse(raw) else {
        panic!("the engine's own words: {raw:?}");
    };
    assert_eq!(view.order_state().byte(), b'D');
    assert_eq!(view.cl_ord_id().trimmed(), b"its own text");
    assert_eq!(rig.holds(), (0, 0, 0));
}

#[test]
fn the_gateways_own_cancels_use_no_number() {
    let engine = Engine::start(3);
    let mut rig = up(&engine);
    resting(&mut rig, 1);
    rig.apply(Command::SetState(StateChange {
        scope: Scope::Session(SESSION),
        state: TradingState::CancelOnly,
        cancel: true,
    }));
    rig.apply(Command::Tick);
    rig.pump_all();
    let received = engine.received(1);
    assert_eq!(received[2], [b'X', 0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(rig.holds(), (0, 0, 0));
    assert!(rig.venue.is_idle());
}

/// Messages about order 1, other than those of a plain life.
fn say_unusual_things(engine: &Engine) {
    let (user_ref_num, timestamp) = (number(1), 1);
    let start = SystemEvent {
        timestamp,
        event_code: EventCode::StartOfDay,
    };
    let pending = CancelPending {
        timestamp,
        user_ref_num,
    };
    let refused = CancelReject {
        timestamp,
        user_ref_num,
    };
    let update = PriorityUpdate {
        timestamp,
        user_ref_num,
        price: 1,
        display: Display::Visible,
        order_ref_num: 9,
    };
    let modified = OrderModified {
        timestamp,
        user_ref_num,
        side: OrderSide::Buy,
        quantity: 7,
    };
    engine.say(1, &encoded(|out| start.encode(None, out)));
    engine.say(1, &encoded(|out| pending.encode(None, out)));
    engine.say(1, &encoded(|out| refused.encode(None, out)));
    engine.say(1, &encoded(|out| update.encode(None, out)));
    engine.say(1, &encoded(|out| modified.encode(None, out)));
    // A type that OUCH 5.0 does not have: of this order, and of none.
    engine.say(1, b"\x7a12345678\0\0\0\x01more");
    engine.say(1, b"\x7a12345678\0\0\x09\x09more");
    // A tag that OUCH 5.0 does not have.
    let mut strange = encoded(|out| pending.encode(None, out));
    strange.extend([0, 3, 2, 99, 1]);
    engine.say(1, &strange);
}

#[test]
fn every_other_message_is_told_for_what_it_is() {
    let engine = Engine::start(4);
    let mut rig = up(&engine);
    resting(&mut rig, 1);
    rig.reports.clear();
    say_unusual_things(&engine);
    assert_eq!(
        kinds(&mut rig, 6),
        [
            (1, ReportKind::CancelPending),
            (1, ReportKind::CancelRejected),
            (1, ReportKind::Information),
            (1, ReportKind::Reduced { qty: Qty::new(3) }),
            (1, ReportKind::Information),
            (1, ReportKind::CancelPending),
        ]
    );
    let counters = rig.venue.venue.counters();
    assert_eq!(
        (counters.unknown_type, counters.appendage_unreadable),
        (2, 1)
    );
    assert_eq!(
        counters.unattributed, 2,
        "the day's start, and the unknown one"
    );
    assert_eq!(rig.holds(), (7, 0, 1));
    let rejected = Rejected {
        timestamp: 1,
        user_ref_num: 1,
        reason: RejectReason::Halted,
        cl_ord_id: Alpha::BLANK,
    };
    engine.say(1, &encoded(|out| rejected.encode(None, out)));
    assert_eq!(kinds(&mut rig, 1), [(1, ReportKind::Rejected)]);
    assert_eq!((rig.holds(), rig.effects.alarms.len()), ((0, 0, 0), 0));
}

#[test]
fn what_does_not_convert_is_disputed_and_what_cannot_be_read_stops_the_link() {
    let engine = Engine::start(5);
    let mut rig = up(&engine);
    resting(&mut rig, 1);
    // An execution between two ticks, well formed otherwise.
    let mut executed = vec![b'E', 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2];
    executed.extend((1_000 * TICK_WIRE + 1).to_be_bytes());
    executed.extend(*b"A\0\0\0\0\0\0\0\x05\0\0");
    engine.say(1, &executed);
    until(&mut rig, "an alarm", |rig| !rig.effects.alarms.is_empty());
    let state = rig.core.account(AccountId::new(1)).expect("there").state;
    assert_eq!(state, TradingState::Halted);
    assert_eq!(rig.venue.venue.counters().not_convertible, 1);
    engine.say(1, b"E and then nothing");
    let stopped = |rig: &Rig<Patient>| {
        let state = rig.venue.venue.link(SESSION);
        matches!(
            state,
            Some(LinkState::Stopped(StopReason::Unreadable { .. }))
        )
    };
    until(&mut rig, "a stop", stopped);
    let before = rig.links_up;
    rig.pump_all();
    rig.venue.venue.restart(SESSION);
    until_up(&mut rig);
    rig.pump_all();
    assert_eq!(rig.links_up, before + 1, "after a person has looked");
}

#[test]
fn an_engine_that_never_answers_gets_no_more_than_there_is_room_for() {
    let engine = Engine::start(6);
    let mut narrow = config(&engine);
    narrow.in_flight_max = 4;
    narrow.silence_max = Duration::from_ns(3_000_000_000);
    let mut rig = rig(narrow, 6);
    until_up(&mut rig);
    engine.mute();
    for index in 1..=6 {
        order(
            &mut rig,
            enter(index, OrderSide::Buy, Some(1_000)),
            TimeInForce::Day,
        );
    }
    until(&mut rig, "no room", |rig| {
        rig.venue.venue.counters().given_back > 10
    });
    assert_eq!(rig.venue.venue.in_flight(SESSION), Some(4));
    assert!(!rig.venue.is_idle());
    until(&mut rig, "silence", |rig| {
        rig.venue.venue.counters().links_lost >= 3
    });
    until(&mut rig, "refusals", |rig| rig.reports.len() >= 2);
    assert_eq!(
        rig.reports.len(),
        2,
        "two that were never sent are refused at once"
    );
    assert_eq!(
        rig.holds(),
        (40, 0, 4),
        "and four are held until the engine speaks"
    );
    engine.control.mute.store(false, Ordering::SeqCst);
    until_up(&mut rig);
    rig.pump_all();
    assert_eq!(engine.counters().accepted, 4, "each once");
    assert_eq!(rig.venue.venue.in_flight(SESSION), Some(0));
    assert_eq!(rig.holds(), (40, 0, 4));
    assert_eq!(rig.effects.alarms, []);
}

#[test]
fn a_cancel_waits_for_the_link() {
    let engine = Engine::start(7);
    let mut rig = up(&engine);
    resting(&mut rig, 1);
    engine.mute();
    cancel(&mut rig, 1, 4);
    rig.pump();
    // The first try is on its way to nobody; the link breaks before the engine reads it.
    engine.control.break_all.store(true, Ordering::SeqCst);
    engine.control.mute.store(false, Ordering::SeqCst);
    until(&mut rig, "a lost link", |rig| {
        rig.venue.venue.counters().links_lost > 0
    });
    cancel(&mut rig, 1, 0);
    until_up(&mut rig);
    rig.pump_all();
    assert_eq!(rig.holds(), (0, 0, 0));
    assert_eq!(engine.counters().canceled_qty, 10);
    assert_eq!(rig.effects.alarms, []);
}

/// Takes what the core is to be told later, or never.
struct Deaf;

impl VenueSink for Deaf {
    fn on_report(&mut self, report: VenueReport, _raw: &[u8]) {
        panic!("nothing to report: {report:?}");
    }

    fn on_link(&mut self, _session: SessionId, _up: bool) {}
}

#[test]
fn an_order_that_meets_a_broken_link_is_refused_since_it_was_never_sent() {
    let engine = Engine::start(8);
    let mut rig = up(&engine);
    order(
        &mut rig,
        enter(1, OrderSide::Buy, Some(1_000)),
        TimeInForce::Day,
    );
    // Approved, not yet handed over; the link breaks, and the core does not know.
    engine.control.break_all.store(true, Ordering::SeqCst);
    while rig.venue.venue.link(SESSION) == Some(LinkState::Up) {
        rig.venue.poll(Timestamp::ZERO, 1, &mut Deaf);
    }
    until(&mut rig, "a refusal", |rig| !rig.reports.is_empty());
    let refused = &rig.reports[0];
    assert_eq!((refused.0.kind, refused.0.note), (ReportKind::Rejected, 2));
    assert!(refused.1.is_empty(), "the gateway says it");
    assert_eq!(rig.holds(), (0, 0, 0));
}

#[test]
fn a_session_that_is_not_to_be_had_is_tried_again_and_no_route_is_no_link() {
    let engine = Engine::start(9);
    let mut lame = config(&engine);
    lame.sessions[2] = Route::None;
    if let Route::Own(login) = &mut lame.sessions[1] {
        login.engine_session = Some(Alpha::new(b"YESTERDAY").expect("fits"));
    }
    let mut rig = rig(lame, 9);
    let tried = |rig: &Rig<Patient>| rig.venue.venue.counters().links_lost > 2;
    until(&mut rig, "logins refused for want of the session", tried);
    let link = |rig: &Rig<Patient>, index| rig.venue.venue.link(SessionId::new(index));
    assert_eq!(link(&rig, 2), Some(LinkState::Stopped(StopReason::NoRoute)));
    assert_eq!((link(&rig, 3), rig.links_up), (None, 1));
    let stops = rig.venue.venue.stop_readers();
    let told = || stops.iter().map(StopReader::get).collect::<Vec<_>>();
    assert_eq!(told(), [None, None, Some(StopReason::NoRoute)]);
    rig.venue.venue.log_out();
    assert_eq!(
        link(&rig, 0),
        Some(LinkState::Stopped(StopReason::LoggedOut))
    );
    assert_eq!(told()[0], Some(StopReason::LoggedOut));
    rig.venue.venue.restart(SessionId::new(0));
    assert_eq!(told()[0], None, "it tries again");
}

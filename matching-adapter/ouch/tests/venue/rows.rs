//! A restart with orders in doubt in several rows of numbers, and an engine that answers for the rows
//! as the test says: in any order, twice, not at all, or against its own words.
//!
//! One thread. The wire is memory, the engine is the test, and a poll is a millisecond.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;

use portcullis_domain::{
    AccountId, Command, Duration, InstrumentId, NewOrder, Price, Qty, ReportKind, SessionId, Side,
    TimeInForce, Timestamp, UserRef,
};
use portcullis_venue::NOTE_NOT_SENT;
use portcullis_venue_ouch::{Counters, Dial, Dialed, LinkState, ReplayEnd, Route, StopReason};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AccountQueryResponse, Capacity, CrossType, Display, EncodeError, EventCode, Inbound,
    OrderAccepted, OrderSide, OrderState, SystemEvent, TimeInForce as WireTimeInForce, UserRefNum,
    YesNo,
};
use portcullis_wire::soupbin::{
    LoginAccepted, ServerEvent, ServerInbound, ServerLimits, ServerStep, SessionName, encode,
};

use crate::engine::{SYMBOLS, TICK_WIRE, of_row};
use crate::patient::{POLL_NS, Patient, config_for, dialing};
use crate::rig::{REFERENCE_TICKS, Rig};

const SESSION: SessionId = SessionId::new(1);
const SILENCE_POLLS: u64 = 50;

/// What is on its way between the adapter and the test.
struct Ends {
    to_adapter: VecDeque<u8>,
    from_adapter: Vec<u8>,
    machine: ServerInbound,
    dials: u32,
}

impl Ends {
    fn new(dials: u32) -> Self {
        Self {
            to_adapter: VecDeque::new(),
            from_adapter: Vec::new(),
            machine: ServerInbound::new(ServerLimits::default(), Timestamp::ZERO),
            dials,
        }
    }
}

/// The adapter's end of it; the connection of the moment.
#[derive(Clone)]
struct Wire(Rc<RefCell<Ends>>);

impl Read for Wire {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let waiting = &mut self.0.borrow_mut().to_adapter;
        if waiting.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        waiting.read(room)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().from_adapter.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Dial for Wire {
    type Stream = Self;

    fn dial(&mut self, _session: SessionId) -> Dialed<Self> {
        let mut ends = self.0.borrow_mut();
        let dials = ends.dials + 1;
        *ends = Ends::new(dials);
        Dialed::Ready(self.clone())
    }
}

fn scripted(wire: &Wire) -> Patient<Wire> {
    ending(wire, ReplayEnd::Answered)
}

fn ending(wire: &Wire, replay_end: ReplayEnd) -> Patient<Wire> {
    let mut config = config_for(([127, 0, 0, 1], 1).into());
    let own = config.sessions[SESSION.index()];
    config.sessions.fill(Route::None);
    config.sessions[SESSION.index()] = own;
    config.replay_end = replay_end;
    config.silence_max = Duration::from_ns(SILENCE_POLLS * POLL_NS);
    dialing(config, wire.clone())
}

/// The gateway and, in the test's hands, the engine.
struct Scene {
    rig: Rig<Patient<Wire>>,
    wire: Wire,
}

/// Before the restart the engine said an answer, and that it has the first order of row 3.
const SAID: u64 = 2;

impl Scene {
    /// Orders 1 and 2 of row 0 and 1 to 4 of row 3 were sent, and the first of row 3 is in. Then the
    /// gateway is made again, from its log or from what it saved in the end.
    fn restarted(saved: bool) -> Self {
        let wire = Wire(Rc::new(RefCell::new(Ends::new(0))));
        let rig = Rig::new(scripted(&wire), 1, |_| Vec::new());
        let mut scene = Self { rig, wire };
        scene.cycle();
        scene.grant(1);
        assert_eq!(scene.received(), ([0].into(), [].into()));
        scene.answer(0, 1);
        assert_eq!(scene.link(), LinkState::Up);
        for (row, number) in [(0, 1), (3, 1), (3, 2), (0, 2), (3, 3), (3, 4)] {
            scene.enter(UserRef { row, number });
        }
        scene.cycle();
        assert_eq!(scene.received().1.len(), 6);
        scene.accept(3, 1);
        let Self { rig, wire } = scene;
        let kept = rig.log.len();
        let spare = saved.then(|| (kept - 1, scripted(&wire)));
        let (rig, end) = rig.again(kept, scripted(&wire), spare);
        assert_eq!((end.fault, end.orders_in_doubt), (None, 5));
        Self { rig, wire }
    }

    /// The restarted gateway has asked how far the engine is, and then of its rows; meanwhile the engine
    /// went on, so that the first answer counts.
    fn asked(saved: bool) -> Self {
        let mut scene = Self::restarted(saved);
        scene.cycle();
        scene.grant(SAID + 1);
        scene.log_in();
        scene
    }

    /// The login that asks for the last message of the log, and of the rows in doubt.
    fn log_in(&mut self) {
        self.cycle();
        self.grant(SAID);
        assert_eq!(self.received(), ([0, 3, 0].into(), [].into()));
        self.accept(3, 1);
        let event = SystemEvent {
            timestamp: 1,
            event_code: EventCode::StartOfDay,
        };
        self.say(|out| event.encode(None, out));
    }

    /// A few turns; nothing of it depends on how many.
    fn cycle(&mut self) {
        (0..6).for_each(|_| {
            self.rig.pump();
        });
    }

    fn enter(&mut self, user_ref: UserRef) {
        self.rig.apply(Command::NewOrder(NewOrder {
            session: SESSION,
            user_ref,
            account: AccountId::new(1),
            instrument: InstrumentId::new(0),
            side: Side::Buy,
            qty: Qty::new(1),
            price: Some(Price::new(REFERENCE_TICKS)),
            time_in_force: TimeInForce::Day,
        }));
    }

    fn write(&self, packet: impl FnOnce(&mut [u8]) -> usize) {
        let mut bytes = [0; 512];
        let len = packet(&mut bytes);
        self.wire.0.borrow_mut().to_adapter.extend(&bytes[..len]);
    }

    fn grant(&mut self, sequence: u64) {
        let accepted = LoginAccepted {
            session: SessionName::new(b"DAY").expect("fits"),
            sequence,
        };
        self.write(|out| encode::login_accepted(&accepted, out).expect("room for it"));
        self.cycle();
    }

    fn say(&mut self, message: impl FnOnce(&mut [u8]) -> Result<usize, EncodeError>) {
        let mut bytes = [0; 256];
        let len = message(&mut bytes).expect("it can be said");
        self.write(|out| encode::sequenced(&bytes[..len], out).expect("room for it"));
        self.cycle();
    }

    fn answer(&mut self, row: u8, next: u32) {
        let answer = AccountQueryResponse {
            timestamp: 1,
            next_user_ref_num: number(next),
        };
        self.say(|out| of_row(row, |group| answer.encode(group, out)));
    }

    fn accept(&mut self, row: u8, order: u32) {
        let accepted = OrderAccepted {
            timestamp: 1,
            user_ref_num: number(order),
            side: OrderSide::Buy,
            quantity: 1,
            symbol: Alpha::new(SYMBOLS[0]).expect("fits"),
            price: REFERENCE_TICKS as u64 * TICK_WIRE,
            time_in_force: WireTimeInForce::Day,
            display: Display::Visible,
            order_ref_num: order.into(),
            capacity: Capacity::Principal,
            iso_eligible: YesNo::No,
            cross_type: CrossType::None,
            order_state: OrderState::Live,
            cl_ord_id: Alpha::BLANK,
        };
        self.say(|out| of_row(row, |group| accepted.encode(group, out)));
    }

    /// What the adapter sent since the last call, its login aside: the rows it asked about, and orders.
    fn received(&mut self) -> (Vec<u8>, Vec<(u8, u32)>) {
        let mut ends = self.wire.0.borrow_mut();
        let bytes = core::mem::take(&mut ends.from_adapter);
        let machine = &mut ends.machine;
        let (mut rows, mut orders) = (Vec::new(), Vec::new());
        let mut rest = &bytes[..];
        while let ServerStep::Event { event, consumed } = machine.step(rest, Timestamp::ZERO) {
            rest = &rest[consumed..];
            match event {
                ServerEvent::Login(_) => assert!(machine.accept(Timestamp::ZERO)),
                ServerEvent::Unsequenced(message) => match Inbound::parse(message) {
                    Ok(Inbound::AccountQuery(view)) => rows.push(view.user_ref_idx()),
                    Ok(Inbound::EnterOrder(view)) => {
                        orders.push((view.user_ref_idx(), view.user_ref_num().get()));
                    }
                    other => panic!("{other:?}"),
                },
                ServerEvent::Ignored => {}
                ServerEvent::LogoutRequested | ServerEvent::Fault(_) => panic!("{event:?}"),
            }
        }
        assert!(rest.is_empty(), "whole packets");
        (rows, orders)
    }

    /// What was refused in the engine's name.
    fn refused(&self) -> Vec<(u8, u32)> {
        let refused = self.rig.reports.iter().filter(|(report, raw)| {
            raw.is_empty() && report.kind == ReportKind::Rejected && report.note == NOTE_NOT_SENT
        });
        let named = refused.map(|(report, _)| (report.user_ref.row, report.user_ref.number));
        named.collect()
    }

    fn link(&self) -> LinkState {
        let link = self.rig.venue.venue.link(SESSION);
        link.expect("a session of the configuration")
    }

    fn counters(&self) -> &Counters {
        self.rig.venue.venue.counters()
    }

    /// Nothing was done about what is in doubt.
    fn assert_waits(&mut self) {
        assert!(matches!(self.link(), LinkState::Replaying { .. }));
        assert_eq!((self.received().1, self.refused()), ([].into(), [].into()));
    }

    /// The engine has order 1 of row 0 and orders 1 and 2 of row 3, and has said so.
    fn assert_settled(&mut self) {
        assert_eq!(self.link(), LinkState::Up);
        assert_eq!(self.received().1, [(0, 1), (3, 2)], "known there, ignored");
        assert_eq!(self.refused(), [(0, 2), (3, 3), (3, 4)]);
        self.cycle();
        assert_eq!(self.received().1, [], "once");
        assert_eq!(self.refused().len(), 3, "once");
        assert_eq!(self.rig.effects.alarms, []);
    }
}

fn number(value: u32) -> UserRefNum {
    UserRefNum::new(value).expect("not 0")
}

#[test]
fn nothing_is_sent_before_each_row_in_doubt_has_its_answer() {
    let orders = [[(0, 2), (3, 3), (0, 2)], [(3, 3), (0, 2), (0, 2)]];
    for saved in [false, true] {
        for answers in orders {
            let mut scene = Scene::asked(saved);
            scene.assert_waits();
            let (row, next) = answers[0];
            scene.answer(row, next);
            scene.assert_waits();
            answers[1..].iter().for_each(|(row, next)| {
                scene.answer(*row, *next);
            });
            scene.assert_settled();
        }
    }
}

#[test]
fn an_answer_that_comes_again_or_unasked_changes_nothing() {
    let mut scene = Scene::asked(false);
    scene.answer(0, 2);
    scene.answer(0, 2);
    scene.answer(9, 77);
    scene.assert_waits();
    scene.answer(3, 3);
    scene.answer(3, 3);
    scene.assert_settled();
    // The event, and the row that nobody asked about.
    assert_eq!(scene.counters().unattributed, 2);
}

#[test]
fn a_row_whose_orders_the_engine_has_answered_needs_no_other_answer() {
    let mut scene = Scene::asked(false);
    scene.answer(0, 1);
    (2..4).for_each(|order| scene.accept(3, order));
    scene.assert_waits();
    scene.accept(3, 4);
    assert_eq!(scene.link(), LinkState::Up);
    assert_eq!(scene.refused(), [(0, 1), (0, 2)]);
    assert_eq!(scene.received().1, []);
}

#[test]
fn an_engine_that_says_nothing_of_a_row_loses_the_link_and_is_asked_again() {
    let mut scene = Scene::asked(false);
    scene.answer(0, 2);
    for turn in 0..2 * SILENCE_POLLS {
        scene.assert_waits();
        // It is not silent: it goes on with other things.
        scene.write(|out| encode::server_heartbeat(out).expect("room for it"));
        scene.rig.pump();
        if scene.counters().links_lost > 0 {
            assert!(turn > SILENCE_POLLS / 4, "not before its time");
            break;
        }
    }
    assert_eq!(
        (
            scene.counters().answers_missing,
            scene.counters().links_lost
        ),
        (1, 1)
    );
    scene.cycle();
    // The log has taken the event, and the answer of row 0.
    scene.grant(SAID + 3);
    assert_eq!(scene.received(), ([0, 3, 0].into(), [].into()));
    scene.answer(0, 2);
    scene.assert_waits();
    scene.answer(3, 3);
    scene.assert_settled();
    assert_eq!(scene.counters().answers_missing, 1);
}

#[test]
fn an_engine_that_takes_back_what_it_acknowledged_stops_the_link() {
    for saved in [false, true] {
        let mut scene = Scene::asked(saved);
        scene.answer(3, 1);
        let (row, used, next) = (3, 1, 1);
        let reason = StopReason::NumbersContradict { row, used, next };
        assert_eq!(scene.link(), LinkState::Stopped(reason));
        assert_eq!(
            (scene.received().1, scene.refused()),
            ([].into(), [].into())
        );
    }
    // Or what it answered.
    let mut scene = Scene::asked(false);
    scene.answer(3, 4);
    scene.answer(3, 3);
    let (row, used, next) = (3, 3, 3);
    let reason = StopReason::NumbersContradict { row, used, next };
    assert_eq!(scene.link(), LinkState::Stopped(reason));
}

/// Where silence ends a replay, one that is never silent ends it too, in time.
#[test]
fn an_engine_that_is_never_quiet_does_not_keep_its_link_down() {
    let wire = Wire(Rc::new(RefCell::new(Ends::new(0))));
    let quiet = ReplayEnd::Quiet(Duration::from_ns(20 * POLL_NS));
    let rig = Rig::new(ending(&wire, quiet), 1, |_| Vec::new());
    let mut scene = Scene { rig, wire };
    scene.cycle();
    scene.received();
    scene.grant(1);
    let event = SystemEvent {
        timestamp: 1,
        event_code: EventCode::StartOfDay,
    };
    for _ in 0..4 {
        scene.say(|out| event.encode(None, out));
        assert!(matches!(scene.link(), LinkState::Replaying { .. }));
    }
    for _ in 0..6 {
        scene.say(|out| event.encode(None, out));
    }
    assert_eq!(scene.link(), LinkState::Up);
    assert_eq!(scene.counters().links_lost, 0);
}

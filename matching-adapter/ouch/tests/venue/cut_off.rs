//! An engine that takes a part of what is sent, and then no more: whatever may have reached it is known as
//! unanswered, and sent again over the next link.
//!
//! One thread. The wire is memory, the engine is the test, and a poll is a millisecond.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use portcullis_domain::{
    AccountId, CancelRequest, Command, InstrumentId, NewOrder, OrderKey, Price, Qty, SessionId,
    Side, TimeInForce, Timestamp, Units, UserRef,
};
use portcullis_venue_ouch::{Dial, Dialed, LinkState, Route, StopReason};
use portcullis_wire::ouch50::{AccountQueryResponse, Inbound, UserRefNum};
use portcullis_wire::soupbin::{
    LoginAccepted, ServerEvent, ServerInbound, ServerLimits, ServerStep, SessionName, encode,
};

use crate::patient::{Patient, config_for, dialing};
use crate::rig::{REFERENCE_TICKS, Rig};

const SESSION: SessionId = SessionId::new(1);

/// Packets of an Enter and of a Cancel as the adapter makes them, without elements.
const ENTER_BYTES: usize = 3 + 47;
const CANCEL_BYTES: usize = 3 + 9;

/// What is on its way between the adapter and the test.
struct Ends {
    to_adapter: VecDeque<u8>,
    from_adapter: Vec<u8>,
    /// Bytes that are taken before the next write finds this.
    takes: usize,
    then: ErrorKind,
}

/// The adapter's end of it; the connection of the moment.
#[derive(Clone)]
struct Wire(Rc<RefCell<Ends>>);

impl Read for Wire {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let waiting = &mut self.0.borrow_mut().to_adapter;
        if waiting.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        waiting.read(room)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut ends = self.0.borrow_mut();
        let count = bytes.len().min(ends.takes);
        if count == 0 {
            return Err(ends.then.into());
        }
        ends.takes -= count;
        ends.from_adapter.extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Dial for Wire {
    type Stream = Self;

    fn dial(&mut self, _session: SessionId) -> Dialed<Self> {
        *self.0.borrow_mut() = Ends::open();
        Dialed::Ready(self.clone())
    }
}

impl Ends {
    const fn open() -> Self {
        Self {
            to_adapter: VecDeque::new(),
            from_adapter: Vec::new(),
            takes: usize::MAX,
            then: ErrorKind::WouldBlock,
        }
    }
}

/// The gateway and, in the test's hands, the engine.
struct Scene {
    rig: Rig<Patient<Wire>>,
    wire: Wire,
}

impl Scene {
    fn up() -> Self {
        let wire = Wire(Rc::new(RefCell::new(Ends::open())));
        let mut config = config_for(([127, 0, 0, 1], 1).into());
        let own = config.sessions[SESSION.index()];
        config.sessions.fill(Route::None);
        config.sessions[SESSION.index()] = own;
        let adapter = dialing(config, wire.clone());
        let rig = Rig::new(adapter, 1, |_| Vec::new());
        let mut scene = Self { rig, wire };
        scene.log_in(1);
        scene
    }

    /// The login is taken, and the query that ends the replay answered.
    fn log_in(&mut self, sequence: u64) {
        self.pump_until(|scene| matches!(scene.link(), LinkState::LoggingIn));
        let session = SessionName::new(b"DAY").expect("fits");
        let accepted = LoginAccepted { session, sequence };
        self.write(|out| encode::login_accepted(&accepted, out).expect("room for it"));
        let answer = AccountQueryResponse {
            timestamp: 1,
            next_user_ref_num: UserRefNum::new(1).expect("not 0"),
        };
        let mut message = [0; 16];
        let len = answer.encode(None, &mut message).expect("room for it");
        self.write(|out| encode::sequenced(&message[..len], out).expect("room for it"));
        self.pump_until(|scene| scene.link() == LinkState::Up);
    }

    fn write(&self, packet: impl FnOnce(&mut [u8]) -> usize) {
        let mut bytes = [0; 64];
        let len = packet(&mut bytes);
        self.wire.0.borrow_mut().to_adapter.extend(&bytes[..len]);
    }

    fn pump_until(&mut self, mut so: impl FnMut(&Self) -> bool) {
        let mut pumps = 0;
        while !so(self) {
            self.rig.pump();
            pumps += 1;
            assert!(pumps < 2_000, "it never came");
        }
    }

    fn link(&self) -> LinkState {
        let link = self.rig.venue.venue.link(SESSION);
        link.expect("a session of the configuration")
    }

    /// The engine takes so many bytes from now on, and then finds this.
    fn takes(&self, takes: usize, then: ErrorKind) {
        let mut ends = self.wire.0.borrow_mut();
        (ends.takes, ends.then) = (takes, then);
        ends.from_adapter.clear();
    }

    fn enter(&mut self, number: u32) {
        self.rig.apply(Command::NewOrder(NewOrder {
            session: SESSION,
            user_ref: UserRef::new(number),
            account: AccountId::new(1),
            instrument: InstrumentId::new(0),
            side: Side::Buy,
            qty: Qty::new(2),
            price: Some(Price::new(REFERENCE_TICKS)),
            time_in_force: TimeInForce::Day,
        }));
    }

    fn cancel(&mut self, number: u32) {
        self.rig.apply(Command::Cancel(CancelRequest {
            session: SESSION,
            user_ref: UserRef::new(number),
            units: Units::TicksAndLots,
            qty_total: Qty::ZERO,
        }));
    }

    /// Hands over and sends what was approved, and does nothing else.
    fn send(&mut self) {
        self.rig.venue.only_sends = true;
        self.rig.pump();
        self.rig.venue.only_sends = false;
    }

    /// The messages of this link that came whole: type and number.
    fn received(&self) -> Vec<(u8, u32)> {
        let ends = self.wire.0.borrow();
        let mut machine = ServerInbound::new(ServerLimits::default(), Timestamp::ZERO);
        let (mut rest, mut received) = (&ends.from_adapter[..], Vec::new());
        if rest.get(2) != Some(&b'L') {
            // Of a link whose login was read before.
            let packet = |bytes: &[u8]| bytes.get(3).map(|kind| (*kind, bytes[4..8].to_vec()));
            while let Some((kind, number)) = packet(rest) {
                let number = number.try_into().expect("four bytes");
                received.push((kind, u32::from_be_bytes(number)));
                rest = &rest[2 + usize::from(rest[1])..];
            }
            return received;
        }
        while let ServerStep::Event { event, consumed } = machine.step(rest, Timestamp::ZERO) {
            rest = &rest[consumed..];
            match event {
                ServerEvent::Login(_) => assert!(machine.accept(Timestamp::ZERO)),
                ServerEvent::Unsequenced(message) => match Inbound::parse(message) {
                    Ok(Inbound::AccountQuery(_)) => {}
                    Ok(Inbound::EnterOrder(view)) => {
                        received.push((b'O', view.user_ref_num().get()));
                    }
                    Ok(Inbound::CancelOrder(view)) => {
                        received.push((b'X', view.user_ref_num().get()));
                    }
                    other => panic!("{other:?}"),
                },
                ServerEvent::Ignored | ServerEvent::LogoutRequested | ServerEvent::Fault(_) => {
                    panic!("{event:?}")
                }
            }
        }
        assert!(rest.is_empty(), "whole packets");
        received
    }

    /// How many messages are unanswered, and what is open, as the adapter has it.
    fn known(&self) -> (usize, BTreeMap<OrderKey, u32>) {
        let venue = &self.rig.venue.venue;
        let in_flight = venue.in_flight(SESSION).expect("a session of it");
        (in_flight, venue.open_orders().collect())
    }
}

fn open(numbers: &[u32]) -> BTreeMap<OrderKey, u32> {
    let key = |number: &u32| (OrderKey::new(SESSION, UserRef::new(*number)), 2);
    numbers.iter().map(key).collect()
}

#[test]
fn however_much_of_an_order_was_sent_it_is_in_flight_and_sent_again() {
    for sent in 0..=ENTER_BYTES {
        let mut scene = Scene::up();
        scene.takes(sent, ErrorKind::BrokenPipe);
        scene.enter(1);
        scene.send();
        assert_eq!(scene.known(), (1, open(&[1])), "{sent} bytes of it");
        scene.pump_until(|scene| scene.link() != LinkState::Up);
        assert_eq!(scene.known(), (1, open(&[1])), "{sent} bytes of it");
        scene.log_in(2);
        assert_eq!(scene.received(), [(b'O', 1)], "{sent} bytes of it");
        assert_eq!(scene.known(), (1, open(&[1])), "it is not answered");
        assert_eq!(scene.rig.holds(), (2, 0, 1));
        assert_eq!(scene.rig.reports.len(), 0, "nobody knows what became of it");
    }
}

#[test]
fn all_that_was_handed_over_in_one_turn_is_in_flight_in_its_order() {
    for sent in 0..=2 * ENTER_BYTES + CANCEL_BYTES {
        let mut scene = Scene::up();
        scene.takes(sent, ErrorKind::BrokenPipe);
        scene.enter(1);
        scene.cancel(1);
        scene.enter(2);
        scene.send();
        assert_eq!(scene.known(), (3, open(&[1, 2])), "{sent} bytes of it");
        scene.pump_until(|scene| scene.link() != LinkState::Up);
        scene.log_in(2);
        let all = [(b'O', 1), (b'X', 1), (b'O', 2)];
        assert_eq!(scene.received(), all, "{sent} bytes of it");
    }
}

#[test]
fn what_the_engine_does_not_take_yet_is_sent_once() {
    for sent in 0..=ENTER_BYTES {
        let mut scene = Scene::up();
        scene.takes(sent, ErrorKind::WouldBlock);
        scene.enter(1);
        scene.send();
        assert_eq!(scene.known(), (1, open(&[1])), "{sent} bytes of it");
        scene.wire.0.borrow_mut().takes = usize::MAX;
        scene.enter(2);
        scene.send();
        assert_eq!(
            scene.received(),
            [(b'O', 1), (b'O', 2)],
            "{sent} bytes of it"
        );
        assert_eq!(scene.known(), (2, open(&[1, 2])));
    }
}

#[test]
fn what_was_handed_over_before_a_logout_is_in_flight() {
    let mut scene = Scene::up();
    scene.takes(ENTER_BYTES, ErrorKind::BrokenPipe);
    scene.enter(1);
    scene.rig.venue.only_takes = true;
    scene.rig.pump();
    scene.rig.venue.only_takes = false;
    assert_eq!(scene.known().0, 1, "before it is sent, too");
    scene.rig.venue.venue.log_out();
    assert_eq!(scene.link(), LinkState::Stopped(StopReason::LoggedOut));
    assert_eq!(scene.known(), (1, open(&[1])));
    scene.rig.venue.venue.restart(SESSION);
    scene.log_in(2);
    assert_eq!(scene.received(), [(b'O', 1)]);
}

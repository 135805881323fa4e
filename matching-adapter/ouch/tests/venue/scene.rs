//! An adapter with one link whose engine is the test itself.
//!
//! One thread. The wire is memory, and a poll is a millisecond. A link without bytes is quiet, as one
//! over a socket is.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use portcullis_domain::{
    AccountId, CancelRequest, Command, InstrumentId, NewOrder, OrderKey, Price, Qty, SessionId,
    Side, TimeInForce, Timestamp, Units, UserRef,
};
use portcullis_venue_ouch::{Dial, Dialed, LinkState, OuchVenueConfig, Route};
use portcullis_wire::ouch50::{AccountQueryResponse, Inbound, UserRefNum};
use portcullis_wire::soupbin::{
    LoginAccepted, ServerEvent, ServerInbound, ServerLimits, ServerStep, SessionName, encode,
};

use crate::patient::{Patient, config_for, dialing};
use crate::rig::{REFERENCE_TICKS, Rig};

pub(crate) const SESSION: SessionId = SessionId::new(1);

/// What is on its way between the adapter and the test.
struct Ends {
    to_adapter: VecDeque<u8>,
    from_adapter: Vec<u8>,
    /// Bytes that are taken before the next write finds this.
    takes: usize,
    then: ErrorKind,
    /// The adapter is told of bytes.
    watched: bool,
    /// It cannot be told again now.
    blind: bool,
}

/// The adapter's end of it; the connection of the moment.
#[derive(Clone)]
pub(crate) struct Wire(Rc<RefCell<Ends>>);

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

    fn woken(&mut self, name: &mut impl FnMut(SessionId)) -> bool {
        let ends = self.0.borrow();
        if ends.watched && !ends.to_adapter.is_empty() {
            name(SESSION);
        }
        true
    }

    fn unwatch(&mut self, stream: &mut Self) {
        let watched = &mut stream.0.borrow_mut().watched;
        assert!(std::mem::replace(watched, false), "it was watched");
    }

    fn watch(&mut self, _session: SessionId, stream: &mut Self) -> bool {
        let mut ends = stream.0.borrow_mut();
        assert!(!ends.watched, "it was not watched");
        ends.watched = !ends.blind;
        ends.watched
    }
}

impl Ends {
    const fn open() -> Self {
        Self {
            to_adapter: VecDeque::new(),
            from_adapter: Vec::new(),
            takes: usize::MAX,
            then: ErrorKind::WouldBlock,
            watched: true,
            blind: false,
        }
    }
}

/// The gateway and, in the test's hands, the engine.
pub(crate) struct Scene {
    pub(crate) rig: Rig<Patient<Wire>>,
    wire: Wire,
}

impl Scene {
    pub(crate) fn up() -> Self {
        Self::up_with(|_| {})
    }

    /// The same with a configuration that is changed first.
    pub(crate) fn up_with(change: impl FnOnce(&mut OuchVenueConfig)) -> Self {
        let wire = Wire(Rc::new(RefCell::new(Ends::open())));
        let mut config = config_for(([127, 0, 0, 1], 1).into());
        let own = config.sessions[SESSION.index()];
        config.sessions.fill(Route::None);
        config.sessions[SESSION.index()] = own;
        change(&mut config);
        let adapter = dialing(config, wire.clone());
        let rig = Rig::new(adapter, 1, |_| Vec::new());
        let mut scene = Self { rig, wire };
        scene.log_in(1);
        scene
    }

    /// The login is taken, and the query that ends the replay answered.
    pub(crate) fn log_in(&mut self, sequence: u64) {
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

    pub(crate) fn write(&self, packet: impl FnOnce(&mut [u8]) -> usize) {
        let mut bytes = [0; 64];
        let len = packet(&mut bytes);
        self.wire.0.borrow_mut().to_adapter.extend(&bytes[..len]);
    }

    pub(crate) fn pump_until(&mut self, mut so: impl FnMut(&Self) -> bool) {
        let mut pumps = 0;
        while !so(self) {
            self.rig.pump();
            pumps += 1;
            assert!(pumps < 2_000, "it never came");
        }
    }

    /// Whether the adapter is told of bytes.
    pub(crate) fn is_watched(&self) -> bool {
        self.wire.0.borrow().watched
    }

    /// From now on, or no longer, it cannot be told again once it was not to be.
    pub(crate) fn blind(&self, blind: bool) {
        self.wire.0.borrow_mut().blind = blind;
    }

    /// Reads of the adapter so far.
    pub(crate) fn reads(&self) -> u64 {
        self.rig.venue.venue.counters().reads
    }

    /// Goes on until a cycle has read nothing.
    pub(crate) fn pump_until_quiet(&mut self) {
        let mut last = u64::MAX;
        self.pump_until(|scene| std::mem::replace(&mut last, scene.reads()) == scene.reads());
    }

    pub(crate) fn link(&self) -> LinkState {
        let link = self.rig.venue.venue.link(SESSION);
        link.expect("a session of the configuration")
    }

    /// The engine takes so many bytes from now on, and then finds this.
    pub(crate) fn takes(&self, takes: usize, then: ErrorKind) {
        let mut ends = self.wire.0.borrow_mut();
        (ends.takes, ends.then) = (takes, then);
        ends.from_adapter.clear();
    }

    /// The engine takes everything from now on.
    pub(crate) fn takes_all(&self) {
        self.wire.0.borrow_mut().takes = usize::MAX;
    }

    pub(crate) fn enter(&mut self, number: u32) {
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

    pub(crate) fn cancel(&mut self, number: u32) {
        self.rig.apply(Command::Cancel(CancelRequest {
            session: SESSION,
            user_ref: UserRef::new(number),
            units: Units::TicksAndLots,
            qty_total: Qty::ZERO,
        }));
    }

    /// Hands over and sends what was approved, and does nothing else.
    pub(crate) fn send(&mut self) {
        self.rig.venue.only_sends = true;
        self.rig.pump();
        self.rig.venue.only_sends = false;
    }

    /// The messages of this link that came whole: type and number.
    pub(crate) fn received(&self) -> Vec<(u8, u32)> {
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
    pub(crate) fn known(&self) -> (usize, BTreeMap<OrderKey, u32>) {
        let venue = &self.rig.venue.venue;
        let in_flight = venue.in_flight(SESSION).expect("a session of it");
        (in_flight, venue.open_orders().collect())
    }
}

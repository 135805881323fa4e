//! A small OUCH client that blocks.
//!
//! The test's thread owns it.

use portcullis_domain::{Timestamp, UserRef};
use portcullis_engine::{Ask, Asker, Engine, EngineConfig, EngineUser, TradedInstrument};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AccountQuery, Appendage, AppendageBuilder, CancelOrder, Capacity, CrossType, Display, Element,
    EncodeError, EnterOrder, ModifyOrder, OrderSide, Outbound, ReplaceOrder, TimeInForce,
    UserRefNum, YesNo,
};
use portcullis_wire::soupbin::{
    ClientConfig, ClientEvent, ClientSession, ClientStep, LoginRejectReason, Password,
};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;

pub(crate) const SECRET: &str = "secret";
const TICK_WIRE: u64 = 100;
const NOW: Timestamp = Timestamp::ZERO;

/// An engine on a thread.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    asker: Asker,
    thread: Option<JoinHandle<()>>,
}

pub(crate) fn start() -> Running {
    let user = |name: &str| EngineUser {
        user: Alpha::new(name.as_bytes()).expect("fits"),
        password: Password(Alpha::new(SECRET.as_bytes()).expect("fits")),
    };
    let engine = Engine::listen(&EngineConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        users: vec![user("A"), user("B")],
        instruments: vec![TradedInstrument::new("ALPHA", TICK_WIRE, 1).expect("fits")],
        orders_max: 4_096,
    });
    let engine = engine.expect("a free port");
    let (address, asker) = (engine.address(), engine.asker());
    let thread = std::thread::spawn(move || engine.run().expect("the poller works"));
    Running {
        address,
        asker,
        thread: Some(thread),
    }
}

impl Running {
    pub(crate) fn figures(&self) -> Value {
        let figures = self.asker.figures().expect("it lives");
        serde_json::from_str(&figures).expect("one object")
    }

    /// When this returns, every connection is broken.
    pub(crate) fn break_all(&self) {
        assert!(self.asker.ask(Ask::BreakAll), "it lives");
        // Questions are answered in their order.
        self.figures();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let asked = self.asker.ask(Ask::Stop);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(asked && ended.is_ok() || std::thread::panicking());
        }
    }
}

/// An order, to be changed before it is entered.
pub(crate) fn order(number: u32, side: OrderSide, price_ticks: u64, quantity: u32) -> EnterOrder {
    EnterOrder {
        user_ref_num: UserRefNum::new(number).expect("not 0"),
        side,
        quantity,
        symbol: Alpha::new(b"ALPHA").expect("fits"),
        price: price_ticks * TICK_WIRE,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Agency,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::BLANK,
    }
}

/// What makes an order another one.
pub(crate) trait Otherwise {
    fn immediate(self) -> Self;
    fn of(self, symbol: &str) -> Self;
}

impl Otherwise for EnterOrder {
    fn immediate(self) -> Self {
        Self {
            time_in_force: TimeInForce::Ioc,
            ..self
        }
    }

    fn of(self, symbol: &str) -> Self {
        Self {
            symbol: Alpha::new(symbol.as_bytes()).expect("fits"),
            ..self
        }
    }
}

pub(crate) struct Client {
    socket: TcpStream,
    machine: ClientSession,
    received: Vec<u8>,
}

/// What came, with nothing borrowed.
enum Came {
    Message(Vec<u8>),
    LoggedIn,
    Refused(LoginRejectReason),
    Closed,
}

impl Client {
    pub(crate) fn connect(engine: &Running) -> Self {
        let user = Alpha::new(b"A").expect("fits");
        let password = Password(Alpha::BLANK);
        Self::with(engine, ClientConfig::new(user, password))
    }

    fn with(engine: &Running, config: ClientConfig) -> Self {
        let socket = TcpStream::connect(engine.address).expect("it listens");
        Self {
            socket,
            machine: ClientSession::new(config),
            received: Vec::new(),
        }
    }

    fn ask_in(engine: &Running, user: &str, secret: &str, next_sequence: u64) -> (Self, Came) {
        let user = Alpha::new(user.as_bytes()).expect("fits");
        let password = Password(Alpha::new(secret.as_bytes()).expect("fits"));
        let config = ClientConfig {
            next_sequence,
            ..ClientConfig::new(user, password)
        };
        let mut client = Self::with(engine, config);
        let mut out = [0; 64];
        let len = client.machine.connect(NOW, &mut out).expect("room");
        client.socket.write_all(&out[..len]).expect("it reads");
        let came = client.came();
        (client, came)
    }

    pub(crate) fn log_in(engine: &Running, user: &str, next_sequence: u64) -> Self {
        let (client, came) = Self::ask_in(engine, user, SECRET, next_sequence);
        assert!(matches!(came, Came::LoggedIn));
        client
    }

    pub(crate) fn refused(engine: &Running, login: (&str, &str, u64)) -> LoginRejectReason {
        let (user, secret, next_sequence) = login;
        match Self::ask_in(engine, user, secret, next_sequence).1 {
            Came::Refused(reason) => reason,
            Came::LoggedIn | Came::Message(_) | Came::Closed => panic!("not refused"),
        }
    }

    /// The next thing the engine did; heartbeats are none.
    fn came(&mut self) -> Came {
        loop {
            let step = self.machine.step(&self.received, NOW);
            let (came, consumed) = match step {
                ClientStep::Closed => return Came::Closed,
                ClientStep::NeedMore { .. } => {
                    let mut chunk = [0; 4_096];
                    match self.socket.read(&mut chunk) {
                        Ok(0) => return Came::Closed,
                        Ok(count) => self.received.extend_from_slice(&chunk[..count]),
                        Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                            return Came::Closed;
                        }
                        Err(error) => panic!("{error}"),
                    }
                    continue;
                }
                ClientStep::Event { event, consumed } => {
                    let came = match event {
                        ClientEvent::LoggedIn { .. } => Some(Came::LoggedIn),
                        ClientEvent::LoginRejected(reason) => Some(Came::Refused(reason)),
                        ClientEvent::Sequenced { message, .. } => {
                            Some(Came::Message(message.to_vec()))
                        }
                        ClientEvent::Ignored => None,
                        ClientEvent::Unsequenced(_)
                        | ClientEvent::EndOfSession
                        | ClientEvent::Fault(_) => panic!("{event:?}"),
                    };
                    (came, consumed)
                }
            };
            self.received.drain(..consumed);
            if let Some(came) = came {
                return came;
            }
        }
    }

    /// The next message.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        match self.came() {
            Came::Message(message) => message,
            Came::LoggedIn | Came::Refused(_) | Came::Closed => panic!("no message came"),
        }
    }

    /// The next message is the answer to a query.
    pub(crate) fn next_number(&mut self) -> UserRef {
        let message = self.next();
        let Ok(Outbound::AccountQueryResponse(view)) = Outbound::parse(&message) else {
            panic!("{message:?}");
        };
        UserRef {
            row: view.user_ref_idx(),
            number: view.next_user_ref_num().get(),
        }
    }

    pub(crate) fn assert_closed(&mut self) {
        assert!(matches!(self.came(), Came::Closed));
    }

    /// Sends one message; a connection that is gone takes nothing.
    pub(crate) fn send(&mut self, message: &[u8]) {
        let mut out = [0; 256];
        let len = self.machine.send(message, NOW, &mut out).expect("room");
        let _gone = self.socket.write_all(&out[..len]);
    }

    pub(crate) fn send_garbage(&mut self) {
        self.socket.write_all(&[0xFF; 64]).expect("it reads");
        let mut nothing = Vec::new();
        let ended = self.socket.read_to_end(&mut nothing);
        assert!(
            ended.is_err() || nothing.is_empty(),
            "closed without a word"
        );
    }

    fn say(
        &mut self,
        row: u8,
        write: impl FnOnce(Option<Appendage<'_>>, &mut [u8]) -> Result<usize, EncodeError>,
    ) {
        let mut builder = AppendageBuilder::new();
        if row != 0 {
            builder.push(Element::UserRefIdx(row)).expect("the first");
        }
        let appendage = (row != 0).then(|| builder.finish());
        let mut message = [0; 192];
        let len = write(appendage, &mut message).expect("it can be said");
        self.send(&message[..len]);
    }

    pub(crate) fn enter(&mut self, order: &EnterOrder) {
        self.enter_row(order, 0);
    }

    pub(crate) fn enter_row(&mut self, order: &EnterOrder, row: u8) {
        let mut builder = AppendageBuilder::new();
        if row != 0 {
            builder.push(Element::UserRefIdx(row)).expect("the first");
        }
        let mut message = [0; 192];
        let len = order.encode(Some(builder.finish()), &mut message);
        self.send(&message[..len.expect("it can be said")]);
    }

    pub(crate) fn replace(&mut self, original: u32, number: u32, price_ticks: u64, quantity: u32) {
        let replace = ReplaceOrder {
            orig_user_ref_num: UserRefNum::new(original).expect("not 0"),
            user_ref_num: UserRefNum::new(number).expect("not 0"),
            quantity,
            price: price_ticks * TICK_WIRE,
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            iso_eligible: YesNo::No,
            cl_ord_id: Alpha::BLANK,
        };
        let none = AppendageBuilder::new();
        let mut message = [0; 192];
        let len = replace.encode(Some(none.finish()), &mut message);
        self.send(&message[..len.expect("it can be said")]);
    }

    pub(crate) fn cancel(&mut self, number: u32, quantity: u32) {
        let user_ref_num = UserRefNum::new(number).expect("not 0");
        let cancel = CancelOrder {
            user_ref_num,
            quantity,
        };
        self.say(0, |appendage, out| cancel.encode(appendage, out));
    }

    pub(crate) fn modify(&mut self, number: u32, quantity: u32) {
        let modify = ModifyOrder {
            user_ref_num: UserRefNum::new(number).expect("not 0"),
            side: OrderSide::SellShort,
            quantity,
        };
        self.say(0, |appendage, out| modify.encode(appendage, out));
    }

    pub(crate) fn query(&mut self, row: u8) {
        self.say(row, |appendage, out| AccountQuery {}.encode(appendage, out));
    }
}

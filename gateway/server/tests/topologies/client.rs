//! A client over TCP that enters orders until one is taken.

use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    Capacity, CrossType, Display, EnterOrder, OrderSide, Outbound, TimeInForce, UserRefNum, YesNo,
};
use portcullis_wire::soupbin::{LoginRequest, Packet, Parsed, Password, encode, parse};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a session said about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    LoggedOn,
    Accepted,
    Refused,
}

/// A client that is logged on.
pub(crate) struct Client {
    stream: TcpStream,
    received: Vec<u8>,
    number: u32,
    /// All sequenced messages, byte for byte.
    heard: Vec<Vec<u8>>,
}

impl Client {
    /// Leaves, and comes back for all it was ever told.
    pub(crate) fn come_back(self, address: SocketAddr) -> Self {
        let number = self.number;
        drop(self);
        Self {
            number,
            ..Self::log_on(address)
        }
    }

    pub(crate) fn log_on(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the gateway listens");
        stream.set_nodelay(true).expect("a socket takes it");
        let look = Some(LOOK_EVERY);
        stream.set_read_timeout(look).expect("a socket takes it");
        let mut client = Self {
            stream,
            received: Vec::new(),
            number: 0,
            heard: Vec::new(),
        };
        let request = LoginRequest {
            user: Alpha::new(b"TRADE1").expect("short"),
            password: Password(Alpha::new(b"right").expect("short")),
            session: None,
            sequence: 1,
            silence_max: None,
        };
        let mut out = [0; 64];
        let len = encode::login_request(&request, &mut out).expect("it fits");
        client.send(&out[..len]);
        while client.next() != Some(Said::LoggedOn) {}
        client
    }

    /// Buys until the gateway says that the order is accepted: while the links to the engine are
    /// not up yet, it refuses.
    pub(crate) fn buy_until_accepted(&mut self, quantity: u32) {
        self.buy(quantity);
        loop {
            match self.next() {
                Some(Said::Accepted) => return,
                Some(Said::Refused) => self.buy(quantity),
                Some(Said::LoggedOn) | None => {}
            }
        }
    }

    /// Buys until somebody else has seen an order come.
    pub(crate) fn buy_until(&mut self, quantity: u32, seen: &mut impl FnMut() -> bool) {
        self.buy(quantity);
        while !seen() {
            if self.next() == Some(Said::Refused) {
                self.buy(quantity);
            }
        }
    }

    /// All messages it was sent, once there are so many.
    pub(crate) fn hear(&mut self, count: usize) -> &[Vec<u8>] {
        while self.heard.len() < count {
            let _ = self.next();
        }
        &self.heard
    }

    /// Waits until the gateway has closed the connection.
    pub(crate) fn expect_end(&mut self) {
        let mut rest = [0; 4_096];
        loop {
            match self.stream.read(&mut rest) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if is_nothing(&error) => {}
                Err(_) => return,
            }
        }
    }

    fn buy(&mut self, quantity: u32) {
        self.number += 1;
        let order = EnterOrder {
            user_ref_num: UserRefNum::new(self.number).expect("numbers start at 1"),
            side: OrderSide::Buy,
            quantity,
            symbol: Alpha::new(b"ACME").expect("short"),
            price: 1_000_000,
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            capacity: Capacity::Agency,
            iso_eligible: YesNo::No,
            cross_type: CrossType::None,
            cl_ord_id: Alpha::BLANK,
        };
        let (mut message, mut packet) = ([0; 128], [0; 136]);
        let len = order.encode(None, &mut message).expect("it fits");
        let len = encode::unsequenced(&message[..len], &mut packet).expect("it fits");
        self.send(&packet[..len]);
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the gateway reads");
    }

    /// The next thing that was said, if it came before the next look.
    fn next(&mut self) -> Option<Said> {
        loop {
            if let Ok(Parsed::Packet { packet, consumed }) = parse(&self.received) {
                let said = said(packet);
                if let Packet::Sequenced(message) = packet {
                    self.heard.push(message.to_vec());
                }
                self.received.drain(..consumed);
                if said.is_some() {
                    return said;
                }
                continue;
            }
            let mut bytes = [0; 4_096];
            match self.stream.read(&mut bytes) {
                Ok(0) => panic!("the gateway ended the session"),
                Ok(count) => self.received.extend(&bytes[..count]),
                Err(error) if is_nothing(&error) => return None,
                Err(error) => panic!("the gateway's socket: {error}"),
            }
        }
    }
}

fn said(packet: Packet<'_>) -> Option<Said> {
    if let Packet::LoginRejected(reason) = packet {
        panic!("no login: {reason:?}");
    }
    if matches!(packet, Packet::LoginAccepted(_)) {
        return Some(Said::LoggedOn);
    }
    let Packet::Sequenced(message) = packet else {
        return None;
    };
    let message = Outbound::parse(message).expect("it parses");
    if matches!(message, Outbound::OrderAccepted(_)) {
        return Some(Said::Accepted);
    }
    matches!(message, Outbound::Rejected(_)).then_some(Said::Refused)
}

fn is_nothing(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

//! A client: bytes in, and what it was told as short words.

use crate::rig::{PASSWORD, Rig};
use portcullis_pipeline::transport::{ReadOutcome, WriteOutcome};
use portcullis_transport::MemoryClient;
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    Appendage, AppendageBuilder, CancelOrder, Capacity, CrossType, Display, Element, EnterOrder,
    OrderSide, Outbound, ReplaceOrder, TimeInForce, UserRefNum, YesNo,
};
use portcullis_wire::soupbin::{LoginRequest, Packet, Parsed, Password, encode, parse};
use std::net::{IpAddr, Ipv4Addr};

/// Steps in which anything small that was asked is answered.
const ANSWER_STEPS: u32 = 8;

/// A client on its connection.
pub(crate) struct Client {
    line: MemoryClient,
    received: Vec<u8>,
    ended: bool,
}

impl Client {
    /// Connected and silent.
    pub(crate) fn connect(rig: &Rig) -> Self {
        Self {
            line: rig.network.connect(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            received: Vec::new(),
            ended: false,
        }
    }

    /// Connected, with its login sent.
    pub(crate) fn asking(rig: &Rig, session: u32, sequence: u64, password: &[u8]) -> Self {
        let client = Self::connect(rig);
        client.send(&login(session, sequence, password));
        client
    }

    /// Logged on to a session that has had no message yet.
    pub(crate) fn logged_on(rig: &mut Rig, session: u32, sequence: u64) -> Self {
        let mut client = Self::asking(rig, session, sequence, PASSWORD);
        rig.steps(ANSWER_STEPS);
        let told = client.told();
        assert_eq!(told, ["login 1"], "a new session begins at 1");
        client
    }

    /// Sends bytes that the connection must have room for.
    pub(crate) fn send(&self, bytes: &[u8]) {
        assert_eq!(self.line.send(bytes), WriteOutcome::Wrote(bytes.len()));
    }

    /// Sends as much as there is room for.
    pub(crate) fn press(&self, bytes: &[u8]) {
        let _ = self.line.send(bytes);
    }

    /// Sends messages in one go, lets them be answered, and gives what it was told.
    pub(crate) fn ask(&mut self, rig: &mut Rig, messages: &[Vec<u8>]) -> Vec<String> {
        self.send(&messages.concat());
        rig.steps(ANSWER_STEPS);
        self.told()
    }

    /// Whether the gateway has closed the connection; all it said before is kept for [`Self::told`].
    pub(crate) fn is_closed(&mut self) -> bool {
        self.receive();
        self.ended
    }

    /// What came since the last call, each packet as a word.
    pub(crate) fn told(&mut self) -> Vec<String> {
        self.receive();
        let mut words = Vec::new();
        let mut at = 0;
        while let Ok(Parsed::Packet { packet, consumed }) = parse(&self.received[at..]) {
            words.push(word(packet));
            at += consumed;
        }
        self.received.drain(..at);
        words
    }

    /// The sequenced messages that came since the last call, byte for byte.
    pub(crate) fn messages(&mut self) -> Vec<Vec<u8>> {
        self.receive();
        let (mut messages, mut at) = (Vec::new(), 0);
        while let Ok(Parsed::Packet { packet, consumed }) = parse(&self.received[at..]) {
            if let Packet::Sequenced(message) = packet {
                messages.push(message.to_vec());
            }
            at += consumed;
        }
        self.received.drain(..at);
        messages
    }

    fn receive(&mut self) {
        while !self.ended {
            match self.line.receive(&mut self.received) {
                ReadOutcome::Bytes(_) => {}
                ReadOutcome::Nothing => return,
                ReadOutcome::Closed => self.ended = true,
            }
        }
    }
}

fn word(packet: Packet<'_>) -> String {
    match packet {
        Packet::LoginAccepted(accepted) => format!("login {}", accepted.sequence),
        Packet::LoginRejected(reason) => format!("no login {}", char::from(reason.byte())),
        Packet::ServerHeartbeat => "heartbeat".to_owned(),
        Packet::EndOfSession => "end".to_owned(),
        Packet::Sequenced(message) => said(message),
        Packet::Debug(_)
        | Packet::LoginRequest(_)
        | Packet::Unsequenced(_)
        | Packet::ClientHeartbeat
        | Packet::LogoutRequest => panic!("a server does not send {packet:?}"),
    }
}

fn said(message: &[u8]) -> String {
    let message = Outbound::parse(message).expect("a gateway's messages parse");
    match message {
        Outbound::OrderAccepted(view) => format!("A{}", view.user_ref_num().get()),
        Outbound::OrderCanceled(view) => {
            let (number, reason) = (view.user_ref_num().get(), char::from(view.reason().code()));
            format!("C{number} {} {reason}", view.quantity())
        }
        Outbound::OrderExecuted(view) => {
            let number = view.user_ref_num().get();
            format!("E{number} {}@{}", view.quantity(), view.price())
        }
        Outbound::OrderReplaced(view) => {
            let original = view.orig_user_ref_num().get();
            format!("U{original}>{}", view.user_ref_num().get())
        }
        Outbound::Rejected(view) => {
            format!("J{} {:04x}", view.user_ref_num(), view.reason().code())
        }
        Outbound::MassCancelResponse(view) => format!("X{}", view.user_ref_num().get()),
        Outbound::DisableOrderEntryResponse(view) => format!("G{}", view.user_ref_num().get()),
        Outbound::EnableOrderEntryResponse(view) => format!("K{}", view.user_ref_num().get()),
        Outbound::AccountQueryResponse(view) => format!("Q{}", view.next_user_ref_num().get()),
        Outbound::SystemEvent(_)
        | Outbound::AiqCanceled(_)
        | Outbound::BrokenTrade(_)
        | Outbound::CancelPending(_)
        | Outbound::CancelReject(_)
        | Outbound::PriorityUpdate(_)
        | Outbound::OrderModified(_)
        | Outbound::OrderRestated(_) => format!("{message:?}"),
    }
}

/// A login request.
pub(crate) fn login(session: u32, sequence: u64, password: &[u8]) -> Vec<u8> {
    let user = format!("u{session}");
    let request = LoginRequest {
        user: Alpha::new(user.as_bytes()).expect("short"),
        password: Password(Alpha::new(password).expect("short")),
        session: None,
        sequence,
        silence_max: None,
    };
    let mut out = [0; 64];
    let len = encode::login_request(&request, &mut out).expect("it fits");
    out[..len].to_vec()
}

/// A message in its packet.
pub(crate) fn packed(message: &[u8]) -> Vec<u8> {
    let mut out = vec![0; message.len() + 8];
    let len = encode::unsequenced(message, &mut out).expect("it fits");
    out.truncate(len);
    out
}

/// An order's fixed fields.
pub(crate) fn order(number: u32, side: OrderSide, quantity: u32, price: u64) -> EnterOrder {
    EnterOrder {
        user_ref_num: UserRefNum::new(number).expect("numbers start at 1"),
        side,
        quantity,
        symbol: Alpha::new(b"AAA").expect("short"),
        price,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Agency,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::new(b"mine").expect("short"),
    }
}

/// The message of an order, without its packet.
pub(crate) fn message(order: &EnterOrder, options: Option<Appendage<'_>>) -> Vec<u8> {
    let mut out = [0; 256];
    let len = order.encode(options, &mut out).expect("it fits");
    out[..len].to_vec()
}

/// A packed buy.
pub(crate) fn buy(number: u32, quantity: u32, price: u64) -> Vec<u8> {
    packed(&message(
        &order(number, OrderSide::Buy, quantity, price),
        None,
    ))
}

/// A packed sell.
pub(crate) fn sell(number: u32, quantity: u32, price: u64) -> Vec<u8> {
    packed(&message(
        &order(number, OrderSide::Sell, quantity, price),
        None,
    ))
}

/// A packed buy in another row of numbers.
pub(crate) fn buy_in_row(row: u8, number: u32, quantity: u32, price: u64) -> Vec<u8> {
    let mut options = AppendageBuilder::new();
    options.push(Element::UserRefIdx(row)).expect("once");
    let order = order(number, OrderSide::Buy, quantity, price);
    packed(&message(&order, Some(options.finish())))
}

/// A packed cancel of all that is open.
pub(crate) fn cancel(number: u32) -> Vec<u8> {
    packed(&cancel_message(number, None))
}

/// A packed replace of one version by another, of so many shares in all at a price.
pub(crate) fn replace(original: u32, number: u32, quantity: u32, price: u64) -> Vec<u8> {
    let number_of = |number| UserRefNum::new(number).expect("numbers start at 1");
    let request = ReplaceOrder {
        orig_user_ref_num: number_of(original),
        user_ref_num: number_of(number),
        quantity,
        price,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        iso_eligible: YesNo::No,
        cl_ord_id: Alpha::BLANK,
    };
    let mut out = [0; 64];
    let none = Some(Appendage::EMPTY);
    let len = request.encode(none, &mut out).expect("it fits");
    packed(&out[..len])
}

/// A packed cancel in another row of numbers.
pub(crate) fn cancel_in_row(row: u8, number: u32) -> Vec<u8> {
    let mut options = AppendageBuilder::new();
    options.push(Element::UserRefIdx(row)).expect("once");
    packed(&cancel_message(number, Some(options.finish())))
}

fn cancel_message(number: u32, options: Option<Appendage<'_>>) -> Vec<u8> {
    let request = CancelOrder {
        user_ref_num: UserRefNum::new(number).expect("numbers start at 1"),
        quantity: 0,
    };
    let mut out = [0; 32];
    let len = request.encode(options, &mut out).expect("it fits");
    out[..len].to_vec()
}

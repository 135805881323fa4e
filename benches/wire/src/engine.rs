//! The engine at the far end: OUCH 5.0 over SoupBinTCP, and nothing of an engine but its answers.
//!
//! Owned by the measuring thread, which polls it. It answers each Enter with one Accepted whose
//! order is dead, and each replace with one Replaced likewise, so that nothing rests anywhere but what says of itself
//! that it does, or that it waits. Invariants: orders of a session have ascending numbers; each is counted and answered
//! once; anything but an order ends the run.

use crate::market;
use crate::socket::{Socket, is_for_now};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AppendageBuilder, CancelReason, Capacity, CrossType, EnterOrderView, Inbound, OrderAccepted,
    OrderCanceled, OrderReplaced, OrderSide, OrderState, ReplaceOrderView, UserRefNum,
};
use portcullis_wire::soupbin::{
    LoginAccepted, LoginRejectReason, Packet, Parsed, UserName, encode, parse,
};
use std::io;
use std::net::{SocketAddr, TcpListener};

/// The engine.
pub(crate) struct Engine {
    listener: TcpListener,
    address: SocketAddr,
    lines: Vec<Line>,
}

/// One session.
pub(crate) struct Line {
    socket: Socket,
    user: Option<UserName>,
    seen: Seen,
    /// Its peer went away without having logged in, as who only looks whether somebody listens.
    gone: bool,
}

/// What a session has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) orders: u64,
    pub(crate) sum_of_numbers: u64,
    pub(crate) last: u32,
}

impl Engine {
    pub(crate) fn listen() -> Result<Self, String> {
        let fault = |error: io::Error| format!("the engine cannot listen on loopback: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(fault)?;
        listener.set_nonblocking(true).map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        Ok(Self {
            listener,
            address,
            lines: Vec::new(),
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes in who has connected.
    pub(crate) fn accept(&mut self) -> Result<(), String> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.lines.push(Line {
                    socket: Socket::new(stream).map_err(|error| error.to_string())?,
                    user: None,
                    seen: Seen::default(),
                    gone: false,
                }),
                Err(error) if is_for_now(&error) => return Ok(()),
                Err(error) => return Err(format!("the engine cannot accept: {error}")),
            }
        }
    }

    /// Sessions that have logged in.
    pub(crate) fn logged_in(&self) -> usize {
        self.lines.iter().filter(|line| line.user.is_some()).count()
    }

    /// The place of a user's session.
    pub(crate) fn line_of(&self, user: UserName) -> Option<usize> {
        self.lines.iter().position(|line| line.user == Some(user))
    }

    /// Orders of a session that were answered.
    pub(crate) fn seen(&self, line: usize) -> Seen {
        self.lines[line].seen
    }

    /// Reads a session once and answers what came; returns how many orders that were.
    pub(crate) fn poll(&mut self, line: usize) -> Result<u64, String> {
        self.lines[line].poll()
    }

    /// As [`poll`](Self::poll), every session, those that connect now included.
    pub(crate) fn poll_all(&mut self) -> Result<(), String> {
        self.accept()?;
        self.lines
            .iter_mut()
            .try_for_each(|line| line.poll().map(drop))
    }

    /// An order that rests is cancelled, and whatever was asked about it is void.
    pub(crate) fn cancel(&mut self, line: usize, number: u32) -> Result<(), String> {
        let canceled = OrderCanceled {
            timestamp: 0,
            user_ref_num: UserRefNum::new(number).ok_or("numbers begin with 1")?,
            quantity: 1,
            reason: CancelReason::User,
        };
        let mut message = [0; 64];
        let len = canceled
            .encode(None, &mut message)
            .map_err(|error| error.to_string())?;
        let mut packet = [0; 128];
        let len = encode::sequenced(&message[..len], &mut packet);
        let socket = &mut self.lines[line].socket;
        socket.queue(&packet[..len.map_err(|error| error.to_string())?]);
        socket.flush().map_err(|error| lost(&error))
    }

    /// Every session hears that the engine lives.
    pub(crate) fn heartbeat(&mut self) -> Result<(), String> {
        for line in self.lines.iter_mut().filter(|line| !line.gone) {
            let mut packet = [0; 3];
            let len = encode::server_heartbeat(&mut packet).expect("three bytes");
            line.socket.queue(&packet[..len]);
            line.poll()?;
            line.socket.flush().map_err(|error| lost(&error))?;
        }
        Ok(())
    }
}

impl Line {
    fn poll(&mut self) -> Result<u64, String> {
        if self.gone {
            return Ok(0);
        }
        if self.socket.is_waiting() {
            self.socket.flush().map_err(|error| lost(&error))?;
        }
        match self.socket.receive() {
            Ok(true) => {}
            Ok(false) => return Ok(0),
            Err(_) if self.user.is_none() => {
                self.gone = true;
                return Ok(0);
            }
            Err(error) => return Err(lost(&error)),
        }
        let before = self.seen.orders;
        loop {
            let parsed = parse(self.socket.received()).map_err(|error| error.to_string())?;
            let Parsed::Packet { packet, consumed } = parsed else {
                break;
            };
            let mut answer = [0; 128];
            let len = answer_to(packet, &mut self.user, &mut self.seen, &mut answer)?;
            self.socket.take(consumed);
            self.socket.queue(&answer[..len]);
        }
        self.socket.flush().map_err(|error| lost(&error))?;
        Ok(self.seen.orders - before)
    }
}

fn lost(error: &io::Error) -> String {
    format!("the engine lost a session: {error}")
}

/// Writes the answer to a packet; returns its length, 0 where there is none to give.
fn answer_to(
    packet: Packet<'_>,
    user: &mut Option<UserName>,
    seen: &mut Seen,
    out: &mut [u8],
) -> Result<usize, String> {
    match packet {
        Packet::LoginRequest(login) if is_cut_off(login.user) => {
            encode::login_rejected(LoginRejectReason::NotAuthorised, out)
                .map_err(|error| error.to_string())
        }
        Packet::LoginRequest(login) => {
            *user = Some(login.user);
            let accepted = LoginAccepted {
                session: Alpha::new(b"BENCH").expect("five characters"),
                sequence: 1,
            };
            encode::login_accepted(&accepted, out).map_err(|error| error.to_string())
        }
        Packet::Unsequenced(message) => match Inbound::parse(message) {
            Ok(order) => answer_to_order(&order, seen, out),
            Err(error) => Err(format!("the engine got what is no message: {error}")),
        },
        Packet::ClientHeartbeat | Packet::Debug(_) | Packet::LogoutRequest => Ok(0),
        Packet::Sequenced(_)
        | Packet::LoginAccepted(_)
        | Packet::LoginRejected(_)
        | Packet::ServerHeartbeat
        | Packet::EndOfSession => Err("the engine got a packet of its own side".to_owned()),
    }
}

fn is_cut_off(user: UserName) -> bool {
    Alpha::new(market::USER_CUT_OFF.as_bytes()) == Some(user)
}

fn answer_to_order(order: &Inbound<'_>, seen: &mut Seen, out: &mut [u8]) -> Result<usize, String> {
    match order {
        Inbound::EnterOrder(order) => {
            seen.count(order.user_ref_num().get())?;
            accept(order, seen.orders, out)
        }
        Inbound::ReplaceOrder(replace) if replace.cl_ord_id() == market::waits() => Ok(0),
        Inbound::ReplaceOrder(replace) => {
            seen.count(replace.user_ref_num().get())?;
            accept_replace(replace, seen.orders, out)
        }
        Inbound::CancelOrder(_)
        | Inbound::ModifyOrder(_)
        | Inbound::MassCancel(_)
        | Inbound::DisableOrderEntry(_)
        | Inbound::EnableOrderEntry(_)
        | Inbound::AccountQuery(_) => Err(format!("the engine got what is no order: {order:?}")),
    }
}

impl Seen {
    pub(crate) fn count(&mut self, number: u32) -> Result<(), String> {
        if number <= self.last {
            return Err(format!("order {number} came after order {}", self.last));
        }
        self.last = number;
        self.orders += 1;
        self.sum_of_numbers += u64::from(number);
        Ok(())
    }
}

fn accept(order: &EnterOrderView<'_>, order_ref_num: u64, out: &mut [u8]) -> Result<usize, String> {
    let accepted = OrderAccepted {
        timestamp: 0,
        user_ref_num: order.user_ref_num(),
        side: order.side(),
        quantity: order.quantity(),
        symbol: order.symbol(),
        price: order.price(),
        time_in_force: order.time_in_force(),
        display: order.display(),
        order_ref_num,
        capacity: order.capacity(),
        iso_eligible: order.iso_eligible(),
        cross_type: order.cross_type(),
        order_state: if order.cl_ord_id() == market::rests() {
            OrderState::Live
        } else {
            OrderState::Dead
        },
        cl_ord_id: order.cl_ord_id(),
    };
    let mut message = [0; 96];
    let len = accepted
        .encode(order.appendage(), &mut message)
        .map_err(|error| error.to_string())?;
    encode::sequenced(&message[..len], out).map_err(|error| error.to_string())
}

/// The answer to a replace whose order the engine need not know.
fn accept_replace(
    replace: &ReplaceOrderView<'_>,
    order_ref_num: u64,
    out: &mut [u8],
) -> Result<usize, String> {
    let replaced = OrderReplaced {
        timestamp: 0,
        orig_user_ref_num: replace.orig_user_ref_num(),
        user_ref_num: replace.user_ref_num(),
        side: OrderSide::Buy,
        quantity: replace.quantity(),
        symbol: Alpha::BLANK,
        price: replace.price(),
        time_in_force: replace.time_in_force(),
        display: replace.display(),
        order_ref_num,
        capacity: Capacity::Agency,
        iso_eligible: replace.iso_eligible(),
        cross_type: CrossType::None,
        order_state: OrderState::Dead,
        cl_ord_id: replace.cl_ord_id(),
    };
    let mut message = [0; 96];
    let len = replaced
        .encode(Some(AppendageBuilder::new().finish()), &mut message)
        .map_err(|error| error.to_string())?;
    encode::sequenced(&message[..len], out).map_err(|error| error.to_string())
}

//! One client session: sends orders, and takes each answer in its turn.
//!
//! Owned by the measuring thread. Invariants: each order is answered once and as it was planned; those that pass are
//! answered in their order, and so are those that are refused, which do not wait for what passed before them; an answer
//! that is not the awaited one ends the run.

use crate::case::{self, Case};
use crate::market;
use crate::socket::Socket;
use portcullis_wire::ouch50::Outbound;
use portcullis_wire::soupbin::{LoginRequest, Packet, Parsed, encode, parse};
use std::collections::{BTreeMap, VecDeque};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// A client session.
pub(crate) struct Client {
    socket: Socket,
    logged_in: bool,
    /// Number of the last order sent.
    sent: u32,
    /// Orders that will pass and are not answered, by number.
    passing: VecDeque<u32>,
    /// Those that will be refused, each with its reason.
    refused: VecDeque<(u32, u16)>,
    /// Orders that were accepted, with the sum of their numbers.
    pub(crate) accepted: u64,
    pub(crate) sum_of_numbers: u64,
    /// Refusals that were planned, by the reason that was answered.
    pub(crate) refusals: BTreeMap<u16, u64>,
    /// Orders that were refused while the way to the engine was being opened.
    pub(crate) refused_first: u64,
    /// Whether a refusal is an answer to any order.
    pub(crate) probing: bool,
    /// The order that rests, if one does, and how many versions of it nobody answers.
    resting: Option<u32>,
    pub(crate) unanswered: u32,
}

/// What was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    /// Orders that went the whole way.
    pub(crate) passed: u32,
    /// Those that were refused.
    pub(crate) refused: u32,
}

impl Client {
    /// Connects, and asks to be logged in.
    pub(crate) fn connect(to: SocketAddr, session: usize) -> Result<Self, String> {
        let fault =
            |error: std::io::Error| format!("session {session} cannot connect to {to}: {error}");
        let stream = TcpStream::connect_timeout(&to, CONNECT_WITHIN).map_err(fault)?;
        let mut socket = Socket::new(stream).map_err(fault)?;
        let login = LoginRequest {
            user: market::user_name(session),
            password: market::password(),
            session: None,
            sequence: 1,
            silence_max: None,
        };
        let mut packet = [0; 64];
        let len = encode::login_request(&login, &mut packet).map_err(|error| error.to_string())?;
        socket.queue(&packet[..len]);
        socket.flush().map_err(fault)?;
        Ok(Self {
            socket,
            logged_in: false,
            sent: 0,
            passing: VecDeque::new(),
            refused: VecDeque::new(),
            accepted: 0,
            sum_of_numbers: 0,
            refusals: BTreeMap::new(),
            refused_first: 0,
            probing: false,
            resting: None,
            unanswered: 0,
        })
    }

    pub(crate) const fn is_logged_in(&self) -> bool {
        self.logged_in
    }

    /// Orders that wait for their answer.
    pub(crate) fn outstanding(&self) -> u32 {
        (self.passing.len() + self.refused.len()) as u32
    }

    /// Whether an order that passes is answered.
    pub(crate) fn is_answered(&self, number: u32) -> bool {
        self.passing.front().is_none_or(|first| *first > number)
    }

    pub(crate) const fn sent(&self) -> u32 {
        self.sent
    }

    /// Puts the next order behind what is to be written: one of the load, or of a case.
    pub(crate) fn enter(&mut self, case: Option<&Case>) {
        let number = self.next();
        let mut packet = [0; 72];
        let len = match case {
            None => market::enter(number, &mut packet),
            Some(case) => case.packet(number, self.replaced(number), &mut packet),
        };
        self.passing.push_back(number);
        self.socket.queue(&packet[..len]);
    }

    /// The same with an order of a case that will be refused.
    pub(crate) fn enter_refused(&mut self, case: &Case) {
        let number = self.next();
        let mut packet = [0; 72];
        let len = case.packet(number, self.replaced(number), &mut packet);
        self.refused.push_back((number, case.wire_reason()));
        self.socket.queue(&packet[..len]);
    }

    /// The same with an order that has to have passed before those of a case, of one of its accounts.
    pub(crate) fn enter_before(&mut self, case: &Case, which: usize) {
        let number = self.next();
        let mut packet = [0; 72];
        let len = case.packet_before(number, which, &mut packet);
        self.passing.push_back(number);
        self.socket.queue(&packet[..len]);
    }

    /// The order sent last rests.
    pub(crate) const fn leave_resting(&mut self) {
        self.resting = Some(self.sent);
    }

    /// As many versions of the order that rests are asked for as may be unanswered, and nobody answers them.
    pub(crate) fn leave_unanswered(&mut self) {
        for _ in 0..case::VERSIONS {
            let number = self.next();
            let mut packet = [0; 72];
            let len = case::version(self.replaced(number), number, &mut packet);
            self.socket.queue(&packet[..len]);
            self.unanswered += 1;
        }
    }

    /// The order that rests, if one does.
    pub(crate) const fn resting(&self) -> Option<u32> {
        self.resting
    }

    /// The order that a replace names: where none rests, as none does where nobody decides, that is nobody's concern.
    fn replaced(&self, number: u32) -> u32 {
        self.resting.unwrap_or(number)
    }

    fn next(&mut self) -> u32 {
        self.sent += 1;
        self.sent
    }

    pub(crate) fn flush(&mut self) -> Result<(), String> {
        self.socket
            .flush()
            .map_err(|error| format!("a client cannot write: {error}"))
    }

    /// Reads once and takes what answers came; returns how many.
    pub(crate) fn poll(&mut self) -> Result<Answered, String> {
        let came = self.socket.receive();
        if !came.map_err(|error| format!("a client lost its connection: {error}"))? {
            return Ok(Answered::default());
        }
        let before = (self.passing.len(), self.refused.len());
        loop {
            let parsed = parse(self.socket.received()).map_err(|error| error.to_string())?;
            let Parsed::Packet { packet, consumed } = parsed else {
                break;
            };
            match packet {
                Packet::LoginAccepted(_) => self.logged_in = true,
                Packet::LoginRejected(reason) => {
                    return Err(format!("a login was refused: {reason:?}"));
                }
                Packet::Sequenced(message) => {
                    let answer = Answer::read(message)?;
                    self.take_answer(answer)?;
                }
                Packet::Debug(_) | Packet::ServerHeartbeat => {}
                Packet::LoginRequest(_)
                | Packet::Unsequenced(_)
                | Packet::ClientHeartbeat
                | Packet::EndOfSession
                | Packet::LogoutRequest => {
                    return Err("a client's session was ended".to_owned());
                }
            }
            self.socket.take(consumed);
        }
        Ok(Answered {
            passed: (before.0 - self.passing.len()) as u32,
            refused: (before.1 - self.refused.len()) as u32,
        })
    }

    fn take_answer(&mut self, answer: Answer) -> Result<(), String> {
        match answer {
            Answer::Accepted(number) => {
                self.passed(number)?;
                self.accepted += 1;
                self.sum_of_numbers += u64::from(number);
                Ok(())
            }
            Answer::Refused(number, _) if self.probing => {
                self.refused_first += 1;
                self.passed(number)
            }
            Answer::Refused(number, reason) => {
                let awaited = self.refused.pop_front();
                if awaited != Some((number, reason)) {
                    return Err(format!(
                        "order {number} was refused, reason {reason:#06x}; awaited of refusals was {awaited:x?}"
                    ));
                }
                *self.refusals.entry(reason).or_default() += 1;
                Ok(())
            }
            Answer::Canceled(number) => match self.resting.take_if(|resting| *resting == number) {
                Some(_) => Ok(()),
                None => Err(format!("order {number} was cancelled, and does not rest")),
            },
        }
    }

    /// An order that was to pass is answered.
    fn passed(&mut self, number: u32) -> Result<(), String> {
        match self.passing.pop_front() {
            Some(awaited) if awaited == number => Ok(()),
            awaited => Err(format!(
                "order {number} was answered; awaited of those that pass was {awaited:?}"
            )),
        }
    }
}

#[derive(Clone, Copy)]
enum Answer {
    Accepted(u32),
    Refused(u32, u16),
    Canceled(u32),
}

impl Answer {
    fn read(message: &[u8]) -> Result<Self, String> {
        match Outbound::parse(message) {
            Ok(Outbound::OrderAccepted(view)) => Ok(Self::Accepted(view.user_ref_num().get())),
            Ok(Outbound::OrderReplaced(view)) => Ok(Self::Accepted(view.user_ref_num().get())),
            Ok(Outbound::Rejected(view)) => {
                Ok(Self::Refused(view.user_ref_num(), view.reason().code()))
            }
            Ok(Outbound::OrderCanceled(view)) => Ok(Self::Canceled(view.user_ref_num().get())),
            Ok(_) => Err(format!("an answer that nobody asked for: {message:02x?}")),
            Err(error) => Err(format!("an answer that cannot be read: {error}")),
        }
    }
}

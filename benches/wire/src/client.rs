//! One client session: sends orders, and takes each answer in its turn.
//!
//! Owned by the measuring thread. Invariants: the answers of a session come in the order of its
//! orders, one each; an answer that is not the awaited one ends the run.

use crate::market;
use crate::socket::Socket;
use portcullis_wire::ouch50::Outbound;
use portcullis_wire::soupbin::{LoginRequest, Packet, Parsed, encode, parse};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// A client session.
pub(crate) struct Client {
    socket: Socket,
    logged_in: bool,
    /// Number of the last order sent.
    sent: u32,
    /// Number of the last order answered.
    answered: u32,
    /// Orders that were accepted, with the sum of their numbers.
    pub(crate) accepted: u64,
    pub(crate) sum_of_numbers: u64,
    /// Orders that were refused; only while the way to the engine is being opened.
    pub(crate) refused: u64,
    /// Whether a refusal is an answer.
    pub(crate) probing: bool,
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
            answered: 0,
            accepted: 0,
            sum_of_numbers: 0,
            refused: 0,
            probing: false,
        })
    }

    pub(crate) const fn is_logged_in(&self) -> bool {
        self.logged_in
    }

    /// Orders that wait for their answer.
    pub(crate) const fn outstanding(&self) -> u32 {
        self.sent - self.answered
    }

    pub(crate) const fn sent(&self) -> u32 {
        self.sent
    }

    /// Puts the next order behind what is to be written.
    pub(crate) fn enter(&mut self) {
        self.sent += 1;
        let mut packet = [0; 72];
        let len = market::enter(self.sent, &mut packet);
        self.socket.queue(&packet[..len]);
    }

    pub(crate) fn flush(&mut self) -> Result<(), String> {
        self.socket
            .flush()
            .map_err(|error| format!("a client cannot write: {error}"))
    }

    /// Reads once and takes what answers came; returns how many.
    pub(crate) fn poll(&mut self) -> Result<u32, String> {
        let came = self.socket.receive();
        if !came.map_err(|error| format!("a client lost its connection: {error}"))? {
            return Ok(0);
        }
        let before = self.answered;
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
        Ok(self.answered - before)
    }

    fn take_answer(&mut self, answer: Answer) -> Result<(), String> {
        let awaited = self.answered + 1;
        let (Answer::Accepted(number) | Answer::Refused(number, _)) = answer;
        if number != awaited || number > self.sent {
            return Err(format!(
                "order {number} was answered, order {awaited} was next"
            ));
        }
        self.answered = number;
        match answer {
            Answer::Accepted(_) => {
                self.accepted += 1;
                self.sum_of_numbers += u64::from(number);
            }
            Answer::Refused(..) if self.probing => self.refused += 1,
            Answer::Refused(_, reason) => {
                return Err(format!("order {number} was refused, reason {reason:#06x}"));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Answer {
    Accepted(u32),
    Refused(u32, u16),
}

impl Answer {
    fn read(message: &[u8]) -> Result<Self, String> {
        match Outbound::parse(message) {
            Ok(Outbound::OrderAccepted(view)) => Ok(Self::Accepted(view.user_ref_num().get())),
            Ok(Outbound::Rejected(view)) => {
                Ok(Self::Refused(view.user_ref_num(), view.reason().code()))
            }
            Ok(_) => Err(format!("an answer that nobody asked for: {message:02x?}")),
            Err(error) => Err(format!("an answer that cannot be read: {error}")),
        }
    }
}

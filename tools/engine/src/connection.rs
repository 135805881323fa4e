//! A connection: a socket, bytes on both sides, and the server's machine.
//!
//! Owned by the floor's thread. Invariants: it never blocks; what is read is bounded a turn, what is
//! to be written by who fills it. It must never know what a message says.

use mio::net::TcpStream;
use portcullis_domain::Timestamp;
use portcullis_wire::soupbin::{
    LoginRequest, ServerEvent, ServerInbound, ServerLimits, ServerStep,
};
use std::io::{ErrorKind, Read, Write};

/// Bytes read in one turn.
const READ_BYTES_A_TURN: usize = 256 * 1024;

/// What a client did.
#[derive(Debug)]
pub(crate) enum Came {
    /// It wants to log in: answer by [`Connection::accept`], or close.
    Login(LoginRequest),
    /// It sent this.
    Message(Vec<u8>),
}

#[derive(Debug)]
pub(crate) struct Connection {
    socket: TcpStream,
    machine: ServerInbound,
    received: Vec<u8>,
    to_write: Vec<u8>,
    /// Its session, once it is logged in.
    pub(crate) session: Option<usize>,
    /// To be closed once what is to be written is.
    closing: bool,
    closed: bool,
    /// The socket may have more than was read.
    pub(crate) is_hot: bool,
}

impl Connection {
    pub(crate) fn new(socket: TcpStream, now: Timestamp) -> Self {
        Self {
            socket,
            machine: ServerInbound::new(ServerLimits::default(), now),
            received: Vec::new(),
            to_write: Vec::new(),
            session: None,
            closing: false,
            closed: false,
            is_hot: true,
        }
    }

    pub(crate) const fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Whether it is over, and to be dropped.
    pub(crate) const fn is_over(&self) -> bool {
        self.closed || self.closing && self.to_write.is_empty()
    }

    /// Reads what there is, up to a turn's share.
    pub(crate) fn read(&mut self) {
        self.is_hot = false;
        let mut chunk = [0; 16 * 1024];
        let mut total = 0;
        while total < READ_BYTES_A_TURN {
            match self.socket.read(&mut chunk) {
                Ok(0) => {
                    self.closed = true;
                    return;
                }
                Ok(count) => {
                    self.received.extend_from_slice(&chunk[..count]);
                    total += count;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.closed = error.kind() != ErrorKind::WouldBlock;
                    return;
                }
            }
        }
        self.is_hot = true;
    }

    /// The whole packets that were read, up to a login, which is answered first.
    pub(crate) fn take(&mut self, now: Timestamp) -> Vec<Came> {
        let mut came = Vec::new();
        let mut at = 0;
        while !self.closing {
            let ServerStep::Event { event, consumed } =
                self.machine.step(&self.received[at..], now)
            else {
                break;
            };
            at += consumed;
            match event {
                ServerEvent::Login(login) => {
                    came.push(Came::Login(login));
                    break;
                }
                ServerEvent::Unsequenced(message) => came.push(Came::Message(message.to_vec())),
                ServerEvent::Ignored => {}
                ServerEvent::LogoutRequested | ServerEvent::Fault(_) => self.closing = true,
            }
        }
        self.received.drain(..at);
        came
    }

    /// The login is taken, for this session.
    pub(crate) fn accept(&mut self, session: usize, now: Timestamp) {
        self.session = Some(session);
        // One that ended meanwhile is seen to be closed at the next turn.
        let _active = self.machine.accept(now);
    }

    /// Says this and closes.
    pub(crate) fn refuse(&mut self, answer: &[u8]) {
        self.to_write.extend_from_slice(answer);
        self.closing = true;
    }

    /// Is over at once, with all that was not read and not written.
    pub(crate) const fn cut(&mut self) {
        self.closed = true;
    }

    /// Gives up on a client that is silent for too long.
    pub(crate) fn watch(&mut self, now: Timestamp) {
        if self.machine.on_time(now).is_some() {
            self.closed = true;
        }
    }

    /// Where what is to be written goes.
    pub(crate) const fn out(&mut self) -> &mut Vec<u8> {
        &mut self.to_write
    }

    /// Writes while the socket takes it.
    pub(crate) fn write(&mut self) {
        let mut written = 0;
        while written < self.to_write.len() && !self.closed {
            match self.socket.write(&self.to_write[written..]) {
                Ok(0) => self.closed = true,
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.closed = true,
            }
        }
        self.to_write.drain(..written);
    }
}

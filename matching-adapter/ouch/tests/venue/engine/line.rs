//! One session of the engine: its connection of the moment, and the stream that outlives it.
//!
//! Owned by the engine's thread. Time stands still for its machines: nothing here times out.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use portcullis_domain::Timestamp;
use portcullis_wire::soupbin::{
    LoginAnswer, LoginRequest, ResendStore, ServerEvent, ServerInbound, ServerLimits,
    ServerOutbound, ServerStep, SessionName, StoreSlot,
};

const NOW: Timestamp = Timestamp::ZERO;

/// A connection.
pub(crate) struct Stream {
    socket: TcpStream,
    inbound: ServerInbound,
    bytes: Vec<u8>,
    to_write: Vec<u8>,
    closed: bool,
}

impl Stream {
    pub(super) fn new(socket: TcpStream) -> Self {
        socket.set_nonblocking(true).expect("a socket option");
        socket.set_nodelay(true).expect("a socket option");
        Self {
            socket,
            inbound: ServerInbound::new(ServerLimits::default(), NOW),
            bytes: Vec::new(),
            to_write: Vec::new(),
            closed: false,
        }
    }

    pub(super) const fn closed(&self) -> bool {
        self.closed
    }

    /// The login, once it is there.
    pub(super) fn login(&mut self) -> Option<LoginRequest> {
        self.receive();
        match self.inbound.step(&self.bytes, NOW) {
            ServerStep::Event {
                event: ServerEvent::Login(login),
                consumed,
            } => {
                self.bytes.drain(..consumed);
                assert!(self.inbound.accept(NOW));
                Some(login)
            }
            ServerStep::NeedMore { .. } => None,
            ServerStep::Event { .. } | ServerStep::Closed => panic!("not a login"),
        }
    }

    /// Reads whatever there is.
    fn receive(&mut self) {
        let mut chunk = [0; 4_096];
        loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => self.closed = true,
                Ok(count) => {
                    self.bytes.extend(&chunk[..count]);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.closed = true,
            }
            return;
        }
    }
}

/// A session.
pub(crate) struct Line {
    outbound: ServerOutbound<Vec<u8>, Vec<StoreSlot>>,
    stream: Option<Stream>,
}

impl Line {
    pub(super) fn new(session: usize) -> Self {
        let name = SessionName::new(format!("DAY{session}").as_bytes()).expect("fits");
        let slots = vec![StoreSlot::default(); 100_000];
        let store = ResendStore::new(vec![0; 8_000_000], slots, 1);
        Self {
            outbound: ServerOutbound::new(name, store),
            stream: None,
        }
    }

    pub(super) fn connect(&mut self, mut stream: Stream, login: &LoginRequest) {
        let mut answer = [0; 64];
        match self.outbound.login(login, NOW, &mut answer) {
            Ok(LoginAnswer::Accepted { len, .. }) => {
                stream.to_write.extend(&answer[..len]);
                self.stream = Some(stream);
            }
            Ok(LoginAnswer::Rejected { len, .. }) => {
                let sent = stream.socket.write(&answer[..len]);
                assert_eq!(sent.ok(), Some(len), "a new connection has room");
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Whatever messages came, whole.
    pub(super) fn read(&mut self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let Some(stream) = &mut self.stream else {
            return messages;
        };
        stream.receive();
        loop {
            match stream.inbound.step(&stream.bytes, NOW) {
                ServerStep::NeedMore { .. } | ServerStep::Closed => break,
                ServerStep::Event { event, consumed } => {
                    match event {
                        ServerEvent::Unsequenced(message) => messages.push(message.to_vec()),
                        ServerEvent::Ignored => {}
                        ServerEvent::LogoutRequested => stream.closed = true,
                        ServerEvent::Login(_) | ServerEvent::Fault(_) => panic!("{event:?}"),
                    }
                    stream.bytes.drain(..consumed);
                }
            }
        }
        if stream.closed {
            self.break_off();
        }
        messages
    }

    pub(super) fn publish(&mut self, message: &[u8]) {
        self.outbound.publish(message).expect("short");
    }

    /// Writes, at most `bytes` if that is not 0.
    pub(super) fn write(&mut self, bytes: usize) -> usize {
        let Some(stream) = &mut self.stream else {
            return 0;
        };
        if stream.to_write.len() < 4_096 {
            let mut packets = vec![0; 8_192];
            let len = self.outbound.pump(NOW, &mut packets).expect("stored");
            stream.to_write.extend(&packets[..len]);
        }
        let most = stream.to_write.len();
        let len = if bytes == 0 { most } else { most.min(bytes) };
        if len == 0 {
            return 0;
        }
        match stream.socket.write(&stream.to_write[..len]) {
            Ok(count) => {
                stream.to_write.drain(..count);
                count
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => {
                self.break_off();
                0
            }
        }
    }

    /// The connection is gone, with all that was not written and not read.
    pub(super) fn break_off(&mut self) {
        self.stream = None;
        self.outbound.unlink();
    }
}

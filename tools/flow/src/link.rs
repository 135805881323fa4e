//! One session's socket with its SoupBinTCP machine and its buffers.
//!
//! **Thread.** The driver's.
//! **Invariants.** Both buffers are of a fixed size. Bytes are read and written in order; a message
//! enters the send buffer whole or not at all.
//! **Never.** Block, or look into a message.

use mio::net::TcpStream;
use portcullis_domain::Timestamp;
use portcullis_wire::soupbin::{
    ClientConfig, ClientEvent, ClientSession, ClientState, ClientStep, ClientTimer,
    PACKET_BYTES_MAX,
};
use std::io::{ErrorKind, Read, Write};

/// Bytes read at once at most.
const INBOX_BYTES: usize = 1 << 16;
/// Bytes that wait for the socket at most.
const OUTBOX_BYTES: usize = 1 << 17;

/// A connection.
pub(crate) struct Link {
    pub(crate) stream: TcpStream,
    soup: ClientSession,
    inbox: Box<[u8]>,
    filled: usize,
    outbox: Vec<u8>,
    written: usize,
    /// Why the connection is over.
    pub(crate) lost: Option<String>,
    pub(crate) logged_out: bool,
}

impl Link {
    pub(crate) fn new(stream: TcpStream, config: ClientConfig) -> Self {
        Self {
            stream,
            soup: ClientSession::new(config),
            inbox: vec![0; INBOX_BYTES].into_boxed_slice(),
            filled: 0,
            outbox: Vec::with_capacity(OUTBOX_BYTES),
            written: 0,
            lost: None,
            logged_out: false,
        }
    }

    /// Queues the login.
    pub(crate) fn login(&mut self, now: Timestamp) {
        let mut packet = [0; PACKET_BYTES_MAX];
        match self.soup.connect(now, &mut packet) {
            Ok(len) => self.outbox.extend_from_slice(&packet[..len]),
            Err(error) => self.lose(error.to_string()),
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.lost.is_none() && self.soup.state() == ClientState::Active
    }

    /// Whether a message of the usual size fits the send buffer.
    pub(crate) fn has_room(&self) -> bool {
        self.outbox.len() + PACKET_BYTES_MAX <= OUTBOX_BYTES
    }

    /// Queues one message; false if the link is over or full.
    pub(crate) fn send(&mut self, message: &[u8], now: Timestamp) -> bool {
        if !self.is_active() || !self.has_room() {
            return false;
        }
        let mut packet = [0; PACKET_BYTES_MAX];
        match self.soup.send(message, now, &mut packet) {
            Ok(len) => {
                self.outbox.extend_from_slice(&packet[..len]);
                true
            }
            Err(error) => {
                self.lose(error.to_string());
                false
            }
        }
    }

    pub(crate) fn logout(&mut self) {
        let mut packet = [0; PACKET_BYTES_MAX];
        if let Ok(len) = self.soup.logout(&mut packet) {
            self.outbox.extend_from_slice(&packet[..len]);
        }
        self.logged_out = true;
    }

    /// Reads what is there and hands each sequenced message on, until the socket has no more.
    /// Returns whether anything came.
    pub(crate) fn receive(&mut self, now: Timestamp, mut on_message: impl FnMut(&[u8])) -> bool {
        let mut came = false;
        while self.lost.is_none() {
            let Some(room) = self.inbox.get_mut(self.filled..) else {
                break;
            };
            match self.stream.read(room) {
                Ok(0) => self.lose("the gateway closed the connection".to_owned()),
                Ok(len) => {
                    came = true;
                    self.filled += len;
                    self.take_packets(now, &mut on_message);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.lose(format!("reading failed: {error}")),
            }
        }
        came
    }

    fn take_packets(&mut self, now: Timestamp, on_message: &mut impl FnMut(&[u8])) {
        let mut at = 0;
        let mut over = None;
        loop {
            let input = self.inbox.get(at..self.filled).unwrap_or_default();
            match self.soup.step(input, now) {
                ClientStep::NeedMore { .. } => break,
                ClientStep::Closed => break,
                ClientStep::Event { event, consumed } => {
                    match event {
                        ClientEvent::Sequenced { message, .. } => on_message(message),
                        ClientEvent::LoggedIn { .. }
                        | ClientEvent::Unsequenced(_)
                        | ClientEvent::Ignored => {}
                        ClientEvent::LoginRejected(reason) => {
                            over = Some(format!("the login was refused: {reason:?}"));
                        }
                        ClientEvent::EndOfSession => {
                            over = Some("the gateway ended the session".to_owned());
                        }
                        ClientEvent::Fault(fault) => over = Some(fault.to_string()),
                    }
                    at += consumed;
                    if over.is_some() {
                        break;
                    }
                }
            }
        }
        self.inbox.copy_within(at..self.filled, 0);
        self.filled -= at;
        if let Some(why) = over {
            self.lose(why);
        }
    }

    /// Writes what the socket takes.
    pub(crate) fn flush(&mut self) {
        while self.lost.is_none() && self.written < self.outbox.len() {
            let rest = self.outbox.get(self.written..).unwrap_or_default();
            match self.stream.write(rest) {
                Ok(0) => self.lose("the socket takes nothing any more".to_owned()),
                Ok(len) => self.written += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::NotConnected => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.lose(format!("writing failed: {error}")),
            }
        }
        if self.written == self.outbox.len() {
            self.outbox.clear();
            self.written = 0;
        } else if self.written > OUTBOX_BYTES / 2 {
            self.outbox.drain(..self.written);
            self.written = 0;
        }
    }

    /// Heartbeats, and the silence of the other side.
    pub(crate) fn on_time(&mut self, now: Timestamp) {
        let mut packet = [0; PACKET_BYTES_MAX];
        match self.soup.on_time(now, &mut packet) {
            Ok(ClientTimer::Heartbeat { len }) => {
                self.outbox.extend_from_slice(&packet[..len]);
            }
            Ok(ClientTimer::ServerSilent) => self.lose("the gateway fell silent".to_owned()),
            Ok(ClientTimer::NotDue) | Err(_) => {}
        }
    }

    fn lose(&mut self, why: String) {
        self.soup.disconnected();
        if !self.logged_out {
            self.lost.get_or_insert(why);
        } else {
            self.lost.get_or_insert_with(String::new);
        }
    }
}

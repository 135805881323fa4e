//! One hostile client on its socket.
//!
//! Owned by the hostile ones' thread. Invariants: nothing blocks; what it queues is bounded; an order
//! counts as sent when its last byte was.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use portcullis_wire::ouch50::{Outbound, RejectReason};
use portcullis_wire::soupbin::{Packet, Parsed, parse};

use super::bytes;
use super::figures::Figures;
use super::kind::{Fate, Kind};
use crate::verb::Fault;

/// Until it comes back.
const PAUSE: Duration = Duration::from_millis(50);
const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);
/// Orders queued at once by one that floods.
const BURST: u64 = 100;
/// Orders without an answer of one that floods and reads: their answers fit its session's store, so
/// that it is not let go for a pause of this thread.
const UNANSWERED_MAX: u64 = 500;
const READ_BYTES: usize = 64 << 10;

/// The client.
pub(super) struct Client {
    kind: Kind,
    user: String,
    line: Option<Line>,
    back_at: Instant,
    next_number: u32,
    pub(super) figures: Figures,
}

/// A connection of it.
struct Line {
    stream: TcpStream,
    out: Vec<u8>,
    written: usize,
    inbox: Vec<u8>,
    /// The login was taken.
    active: bool,
    /// What it came for was said.
    said: bool,
    heartbeat_at: Instant,
    /// Ends of the orders in `out`.
    order_ends: Vec<usize>,
}

impl Client {
    pub(super) fn new(kind: Kind, user: String, now: Instant) -> Self {
        Self {
            kind,
            user,
            line: None,
            back_at: now,
            next_number: 1,
            figures: Figures {
                clients: 1,
                ..Figures::default()
            },
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it waits for nothing any more.
    pub(super) fn is_settled(&self) -> bool {
        let out = self.line.as_ref().is_some_and(|line| line.is_writing());
        self.kind.fate() != Fate::Served || (self.figures.unanswered() == 0 && !out)
    }

    /// Whether what must become of it has.
    pub(super) fn has_met_its_fate(&self) -> bool {
        match self.kind.fate() {
            Fate::Ended => self.figures.ended > 0,
            Fate::Served => self.figures.accepted > 0,
            Fate::Goes => self.figures.logged_on > 1,
        }
    }

    /// Does what it can without waiting. `ending`: it begins nothing new.
    pub(super) fn step(
        &mut self,
        gateway: SocketAddr,
        now: Instant,
        ending: bool,
    ) -> Result<(), Fault> {
        if self.line.is_none() {
            if ending || now < self.back_at {
                return Ok(());
            }
            self.connect(gateway, now)?;
        }
        if !ending {
            self.say();
        }
        self.keep_alive(now);
        let lives = self.write() && self.read();
        let gone = self.kind == Kind::Churner && lives && self.is_done();
        if gone {
            self.line = None;
        } else if !lives {
            self.figures.ended += 1;
            self.line = None;
        }
        if self.line.is_none() {
            self.back_at = now + PAUSE;
        }
        Ok(())
    }

    fn connect(&mut self, gateway: SocketAddr, now: Instant) -> Result<(), Fault> {
        let wrong = |error| Fault::of("a hostile client's connection", error);
        let stream = TcpStream::connect(gateway).map_err(wrong)?;
        stream.set_nonblocking(true).map_err(wrong)?;
        stream.set_nodelay(true).map_err(wrong)?;
        self.figures.connections += 1;
        let out = if self.kind.logs_on() {
            bytes::login(&self.user, self.kind != Kind::WrongPassword)
        } else {
            Vec::new()
        };
        self.line = Some(Line {
            stream,
            out,
            written: 0,
            inbox: Vec::new(),
            active: false,
            said: false,
            heartbeat_at: now,
            order_ends: Vec::new(),
        });
        Ok(())
    }

    /// Queues what its kind says next.
    fn say(&mut self) {
        let round = self.figures.connections as u32;
        let Some(line) = &mut self.line else { return };
        if line.is_writing() {
            return;
        }
        if self.kind == Kind::GarbageBeforeLogon && !line.said {
            line.queue(&bytes::no_packet(round));
        }
        if !line.active {
            return;
        }
        match self.kind {
            Kind::GarbageAfterLogon if !line.said && round.is_multiple_of(2) => {
                line.queue(&bytes::no_packet(round));
            }
            Kind::GarbageAfterLogon if !line.said => line.queue(&bytes::no_messages()),
            Kind::Churner if !line.said => line.order(&mut self.next_number, true),
            Kind::OneByte => line.order(&mut self.next_number, false),
            Kind::Flooder if self.figures.unanswered() + BURST > UNANSWERED_MAX => {}
            Kind::Flooder | Kind::Deaf => {
                for _ in 0..BURST {
                    line.order(&mut self.next_number, false);
                }
            }
            Kind::GarbageBeforeLogon
            | Kind::GarbageAfterLogon
            | Kind::NeverLogsOn
            | Kind::SilentAfterLogon
            | Kind::WrongPassword
            | Kind::Churner => {}
        }
    }

    /// Silence of those that are served would be a fault of ours.
    fn keep_alive(&mut self, now: Instant) {
        let Some(line) = &mut self.line else { return };
        if self.kind.keeps_alive() && line.active && now >= line.heartbeat_at {
            line.heartbeat_at = now + HEARTBEAT_EVERY;
            line.queue(&bytes::heartbeat());
        }
    }

    /// `false` where the connection is over.
    fn write(&mut self) -> bool {
        let Some(line) = &mut self.line else {
            return false;
        };
        let at_once = if self.kind == Kind::OneByte {
            1
        } else {
            usize::MAX
        };
        let end = line.out.len().min(line.written.saturating_add(at_once));
        match line.stream.write(&line.out[line.written..end]) {
            Ok(count) => line.written += count,
            Err(error) => return would_block(&error),
        }
        let whole = line.order_ends.iter().filter(|end| **end <= line.written);
        let whole = whole.count();
        line.order_ends.drain(..whole);
        self.figures.orders += whole as u64;
        if !line.is_writing() {
            line.out.clear();
            line.written = 0;
        }
        true
    }

    /// `false` where the connection is over.
    fn read(&mut self) -> bool {
        let Some(line) = &mut self.line else {
            return false;
        };
        if self.kind == Kind::Deaf && line.active {
            return true;
        }
        let mut buffer = vec![0; READ_BYTES];
        let lives = match line.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(count) => {
                line.inbox.extend_from_slice(&buffer[..count]);
                true
            }
            Err(error) => would_block(&error),
        };
        let mut at = 0;
        loop {
            match parse(&line.inbox[at..]) {
                Ok(Parsed::Packet { packet, consumed }) => {
                    line.active |= matches!(packet, Packet::LoginAccepted(_));
                    self.figures.take(packet, self.next_number);
                    at += consumed;
                }
                Ok(Parsed::NeedMore { .. }) => break,
                Err(_) => {
                    self.figures.wrong += 1;
                    return false;
                }
            }
        }
        line.inbox.drain(..at);
        lives
    }

    fn is_done(&self) -> bool {
        let said = |line: &Line| line.said && !line.is_writing();
        self.line.as_ref().is_some_and(said)
    }
}

impl Line {
    fn is_writing(&self) -> bool {
        self.written < self.out.len()
    }

    fn queue(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.said = true;
    }

    fn order(&mut self, number: &mut u32, rests: bool) {
        self.queue(&bytes::order(*number, rests));
        self.order_ends.push(self.out.len());
        *number += 1;
    }
}

impl Figures {
    /// Takes what the gateway said to a client whose next order would have this number.
    fn take(&mut self, packet: Packet<'_>, next_number: u32) {
        match packet {
            Packet::LoginAccepted(_) => self.logged_on += 1,
            Packet::LoginRejected(_) => self.refused_logon += 1,
            Packet::Sequenced(message) => self.answer(message, next_number),
            Packet::ServerHeartbeat | Packet::EndOfSession => {}
            Packet::Debug(_)
            | Packet::LoginRequest(_)
            | Packet::Unsequenced(_)
            | Packet::ClientHeartbeat
            | Packet::LogoutRequest => self.wrong += 1,
        }
    }

    fn answer(&mut self, message: &[u8], next_number: u32) {
        let number = match Outbound::parse(message) {
            Ok(Outbound::OrderAccepted(view)) => {
                self.accepted += 1;
                view.user_ref_num().get()
            }
            Ok(Outbound::Rejected(view)) => {
                if view.reason() == RejectReason::ProcessingError {
                    self.overloaded += 1;
                } else {
                    self.refused += 1;
                }
                view.user_ref_num()
            }
            Ok(Outbound::OrderCanceled(view)) => view.user_ref_num().get(),
            Ok(_) | Err(_) => u32::MAX,
        };
        self.wrong += u64::from(number >= next_number);
    }
}

fn would_block(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

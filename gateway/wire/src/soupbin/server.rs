//! The inbound half of a server's session: what a client sends, and whether it still does.
//!
//! **Thread.** Owned by the agent that reads the socket.
//! **Invariants.** The first packet but debug is the login; nothing but debug and heartbeats passes
//! before the caller has answered it; after a fault, a logout or a deadline the machine is closed
//! and takes nothing more. Silence is counted between whole packets, so that a peer which trickles
//! bytes counts as silent.
//! **Never.** Read a clock, verify a password, or write to the client.

use super::SILENCE_MAX;
use super::encode::packet_len;
use super::frame::{FrameError, Packet, Parsed, parse, whole_message};
use super::login::LoginRequest;
use crate::field::Shown;
use core::fmt;
use portcullis_domain::{Duration, Timestamp};

/// How long a client may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// From the connection to the login.
    pub login_within: Duration,
    /// From the login to the caller's answer.
    pub verify_within: Duration,
    /// Without a packet of an active client, unless its 4.1 login states a time of its own.
    pub silence_max: Duration,
}

impl Default for ServerLimits {
    /// 30 s to log in, 30 s to be verified, 15 s of silence.
    fn default() -> Self {
        Self {
            login_within: Duration::from_ns(30_000_000_000),
            verify_within: Duration::from_ns(30_000_000_000),
            silence_max: SILENCE_MAX,
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// Connected; no login yet.
    AwaitingLogin,
    /// The login is with the caller.
    Verifying,
    /// Logged in.
    Active,
    /// Over: close the socket.
    Closed,
}

/// What a client did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerEvent<'a> {
    /// It asks to be logged in: verify, then [`ServerInbound::accept`] or [`ServerInbound::close`].
    Login(LoginRequest),
    /// One message.
    Unsequenced(&'a [u8]),
    /// It leaves; the machine is closed.
    LogoutRequested,
    /// A heartbeat or a debug text: nothing to do.
    Ignored,
    /// It broke the protocol; the machine is closed.
    Fault(SessionFault),
}

/// How a peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionFault {
    /// The bytes are no packet.
    Frame(FrameError),
    /// A packet of this type before the login was sent or answered.
    BeforeLogin(u8),
    /// A second login, or a second answer to one.
    SecondLogin,
    /// A packet of this type comes from the other side only.
    WrongSide(u8),
}

impl fmt::Display for SessionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionFault::Frame(error) => error.fmt(f),
            SessionFault::BeforeLogin(byte) => write!(
                f,
                "a {} packet came before the login was answered; log in and wait for the answer",
                Shown(*byte)
            ),
            SessionFault::SecondLogin => {
                f.write_str("a login on a session that has one; disconnect first")
            }
            SessionFault::WrongSide(byte) => {
                write!(f, "a {} packet is not for this side to send", Shown(*byte))
            }
        }
    }
}

impl core::error::Error for SessionFault {}

/// What came of looking at the front of the received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerStep<'a> {
    /// The packet is not whole: come back with at least this many bytes.
    NeedMore {
        /// Bytes from the front.
        bytes: usize,
    },
    /// A packet was taken; drop `consumed` bytes from the front.
    Event {
        /// What it means.
        event: ServerEvent<'a>,
        /// Bytes to drop; 0 with a fault.
        consumed: usize,
    },
    /// The session is over; nothing is read any more.
    Closed,
}

/// What a deadline that passed means; the machine is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerTimer {
    /// No login in time.
    LoginOverdue,
    /// The caller did not answer the login in time.
    VerificationOverdue,
    /// An active client was silent too long.
    ClientSilent,
}

/// The machine.
#[derive(Clone, Copy, Debug)]
pub struct ServerInbound {
    state: ServerState,
    limits: ServerLimits,
    /// The silence that a 4.1 login stated.
    silence_stated: Option<Duration>,
    /// When the state was entered or the last packet came.
    heard: Timestamp,
}

impl ServerInbound {
    /// A session whose client connected at `now`.
    #[must_use]
    pub const fn new(limits: ServerLimits, now: Timestamp) -> Self {
        Self {
            state: ServerState::AwaitingLogin,
            limits,
            silence_stated: None,
            heard: now,
        }
    }

    /// Where the session stands.
    #[must_use]
    pub const fn state(&self) -> ServerState {
        self.state
    }

    /// Takes the packet at the front of `input`, which came at `now`. Call again with the rest of
    /// the bytes until it wants more.
    #[inline]
    pub fn step<'a>(&mut self, input: &'a [u8], now: Timestamp) -> ServerStep<'a> {
        match self.message(input, now) {
            Some((message, consumed)) => {
                let event = ServerEvent::Unsequenced(message);
                ServerStep::Event { event, consumed }
            }
            None => self.step_by_packet(input, now),
        }
    }

    /// As [`Self::step`] where that is a message of an active client, as nearly all are: the message, and the
    /// bytes to drop. `None`, with nothing taken, where it is anything else, which [`Self::step`] then says.
    #[inline(always)]
    pub fn message<'a>(&mut self, input: &'a [u8], now: Timestamp) -> Option<(&'a [u8], usize)> {
        if self.state != ServerState::Active {
            return None;
        }
        let (b'U', message) = whole_message(input)? else {
            return None;
        };
        self.heard = self.heard.later(now);
        Some((message, packet_len(message.len())))
    }

    #[inline(never)]
    fn step_by_packet<'a>(&mut self, input: &'a [u8], now: Timestamp) -> ServerStep<'a> {
        if self.state == ServerState::Closed {
            return ServerStep::Closed;
        }
        match parse(input) {
            Ok(Parsed::NeedMore { bytes }) => ServerStep::NeedMore { bytes },
            Ok(Parsed::Packet { packet, consumed }) => ServerStep::Event {
                event: self.on_packet(packet, now),
                consumed,
            },
            Err(error) => {
                let event = self.fault(SessionFault::Frame(error));
                ServerStep::Event { event, consumed: 0 }
            }
        }
    }

    /// Takes a packet that was parsed elsewhere. On a closed session everything is ignored.
    pub fn on_packet<'a>(&mut self, packet: Packet<'a>, now: Timestamp) -> ServerEvent<'a> {
        let state = self.state;
        if state == ServerState::Closed {
            return ServerEvent::Ignored;
        }
        let event = match packet {
            Packet::Debug(_) => ServerEvent::Ignored,
            Packet::LoginRequest(login) => match state {
                ServerState::AwaitingLogin => self.login(login),
                ServerState::Verifying | ServerState::Active | ServerState::Closed => {
                    self.fault(SessionFault::SecondLogin)
                }
            },
            Packet::ClientHeartbeat if state == ServerState::AwaitingLogin => {
                self.fault(SessionFault::BeforeLogin(packet.type_byte()))
            }
            Packet::ClientHeartbeat => ServerEvent::Ignored,
            Packet::Unsequenced(message) if state == ServerState::Active => {
                ServerEvent::Unsequenced(message)
            }
            Packet::Unsequenced(_) => self.fault(SessionFault::BeforeLogin(packet.type_byte())),
            Packet::LogoutRequest => {
                self.state = ServerState::Closed;
                ServerEvent::LogoutRequested
            }
            Packet::LoginAccepted(_)
            | Packet::LoginRejected(_)
            | Packet::Sequenced(_)
            | Packet::ServerHeartbeat
            | Packet::EndOfSession => self.fault(SessionFault::WrongSide(packet.type_byte())),
        };
        self.note_heard(state, now);
        event
    }

    /// How long the client may be silent from now on, unless its login stated a time of its own: the
    /// caller knows whose session it is by then.
    pub fn limit_silence(&mut self, silence_max: Duration) {
        self.limits.silence_max = silence_max;
    }

    /// The caller took the login. Without effect unless the session waits for that: it may have
    /// ended while the password was verified.
    #[must_use = "a session that ended meanwhile must not be answered"]
    pub fn accept(&mut self, now: Timestamp) -> bool {
        if self.state != ServerState::Verifying {
            return false;
        }
        self.state = ServerState::Active;
        self.heard = self.heard.later(now);
        true
    }

    /// The session is over by the caller's decision or because the socket is.
    pub fn close(&mut self) {
        self.state = ServerState::Closed;
    }

    /// When [`Self::on_time`] has something to say if no packet comes; `None` once closed.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let span = match self.state {
            ServerState::AwaitingLogin => self.limits.login_within,
            ServerState::Verifying => self.limits.verify_within,
            ServerState::Active => self.silence_stated.unwrap_or(self.limits.silence_max),
            ServerState::Closed => return None,
        };
        Some(self.heard.saturating_add(span))
    }

    /// Closes the session if its deadline has come.
    pub fn on_time(&mut self, now: Timestamp) -> Option<ServerTimer> {
        if now < self.deadline()? {
            return None;
        }
        let timer = match self.state {
            ServerState::AwaitingLogin => ServerTimer::LoginOverdue,
            ServerState::Verifying => ServerTimer::VerificationOverdue,
            ServerState::Active => ServerTimer::ClientSilent,
            ServerState::Closed => return None,
        };
        self.state = ServerState::Closed;
        Some(timer)
    }

    fn login<'a>(&mut self, login: LoginRequest) -> ServerEvent<'a> {
        self.state = ServerState::Verifying;
        // A stated silence of 0 would close every session at once; it is taken as not stated.
        self.silence_stated = login.silence_max.filter(|asked| asked.ns() > 0);
        ServerEvent::Login(login)
    }

    fn fault<'a>(&mut self, fault: SessionFault) -> ServerEvent<'a> {
        self.state = ServerState::Closed;
        ServerEvent::Fault(fault)
    }

    /// Only a step forward or an active client's packet moves the deadline: debug texts before the
    /// login, or heartbeats during verification, do not.
    fn note_heard(&mut self, before: ServerState, now: Timestamp) {
        if before != self.state || self.state == ServerState::Active {
            self.heard = self.heard.later(now);
        }
    }
}

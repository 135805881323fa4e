//! The client's side of a session, for a link to an engine and for tools that send orders.
//!
//! **Thread.** Owned by the agent that owns the socket.
//! **Invariants.** Sequenced messages are counted from the number the server named at login; after
//! a broken link the next login asks for exactly the number after the last one that was yielded.
//! **Never.** Read a clock, send before the login was taken, or reconnect to a session that ended.

use super::encode::{self, NoRoom};
use super::frame::{Packet, Parsed, parse, whole_message};
use super::login::{
    LoginAccepted, LoginRejectReason, LoginRequest, Password, SessionName, UserName,
};
use super::server::SessionFault;
use super::{HEARTBEAT_EVERY, SILENCE_MAX};
use core::fmt;
use portcullis_domain::{Duration, Timestamp};

/// How a client logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// User.
    pub user: UserName,
    /// Password.
    pub password: Password,
    /// Session to ask for; `None` = the current one.
    pub session: Option<SessionName>,
    /// First sequenced message to ask for: 1 = all, 0 = only new, n = the one after the last that
    /// was applied.
    pub next_sequence: u64,
    /// States a silence to the server, which makes it a 4.1 login.
    pub silence_asked: Option<Duration>,
    /// Silence of the server after which the link counts as dead, and the time it has to answer the
    /// login.
    pub silence_max: Duration,
}

impl ClientConfig {
    /// The current session from its first message, older login form, 15 s of silence.
    #[must_use]
    pub const fn new(user: UserName, password: Password) -> Self {
        Self {
            user,
            password,
            session: None,
            next_sequence: 1,
            silence_asked: None,
            silence_max: SILENCE_MAX,
        }
    }
}

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// Not connected.
    Idle,
    /// The login was sent.
    AwaitingAnswer,
    /// Logged in.
    Active,
    /// The server ended the session; there is no way back into it.
    Ended,
}

/// What the server did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEvent<'a> {
    /// The login was taken.
    LoggedIn {
        /// Session and number of the next message.
        accepted: LoginAccepted,
        /// The number that was asked for. If it is not 0 and less than the accepted one, the
        /// messages between are lost on this link.
        asked: u64,
    },
    /// The login was refused; the machine is idle.
    LoginRejected(LoginRejectReason),
    /// One message with its number.
    Sequenced {
        /// Its number.
        number: u64,
        /// Its bytes.
        message: &'a [u8],
    },
    /// One message that does not count.
    Unsequenced(&'a [u8]),
    /// The session is over.
    EndOfSession,
    /// A heartbeat or a debug text: nothing to do.
    Ignored,
    /// The server broke the protocol; the machine is idle, close the socket.
    Fault(SessionFault),
}

/// What came of looking at the front of the received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientStep<'a> {
    /// The packet is not whole: come back with at least this many bytes.
    NeedMore {
        /// Bytes from the front.
        bytes: usize,
    },
    /// A packet was taken; drop `consumed` bytes from the front.
    Event {
        /// What it means.
        event: ClientEvent<'a>,
        /// Bytes to drop; 0 with a fault.
        consumed: usize,
    },
    /// There is no link; nothing is read.
    Closed,
}

/// What a deadline that passed means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientTimer {
    /// Nothing was due.
    NotDue,
    /// A heartbeat of this many bytes was written.
    Heartbeat {
        /// Bytes written.
        len: usize,
    },
    /// The server was silent, or did not answer the login; the machine is idle, close the socket.
    ServerSilent,
}

/// Why a client cannot send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The buffer is too small.
    NoRoom(NoRoom),
    /// Not in this state: log in first, or after an end of session make a new machine.
    State(ClientState),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::NoRoom(no_room) => no_room.fmt(f),
            ClientError::State(ClientState::Ended) => {
                f.write_str("the server ended the session; start a new one")
            }
            ClientError::State(state) => write!(f, "not possible while {state:?}; log in first"),
        }
    }
}

impl core::error::Error for ClientError {}

impl From<NoRoom> for ClientError {
    fn from(no_room: NoRoom) -> Self {
        ClientError::NoRoom(no_room)
    }
}

/// The machine.
#[derive(Clone, Copy, Debug)]
pub struct ClientSession {
    config: ClientConfig,
    state: ClientState,
    /// The session to ask for: the configured one, later the one that was granted.
    session: Option<SessionName>,
    next: u64,
    sent: Timestamp,
    heard: Timestamp,
}

impl ClientSession {
    /// Not connected yet.
    #[must_use]
    pub const fn new(config: ClientConfig) -> Self {
        Self {
            config,
            state: ClientState::Idle,
            session: config.session,
            next: config.next_sequence,
            sent: Timestamp::ZERO,
            heard: Timestamp::ZERO,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> ClientState {
        self.state
    }

    /// Number of the next sequenced message: what a login would ask for. Before the first login
    /// that is what the configuration says.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        self.next
    }

    /// The session that was granted, or is asked for.
    #[must_use]
    pub const fn session(&self) -> Option<SessionName> {
        self.session
    }

    /// The socket is connected: writes the login.
    ///
    /// # Errors
    /// No room; or there is a link already, or the session has ended.
    pub fn connect(&mut self, now: Timestamp, out: &mut [u8]) -> Result<usize, ClientError> {
        if self.state != ClientState::Idle {
            return Err(ClientError::State(self.state));
        }
        let login = LoginRequest {
            user: self.config.user,
            password: self.config.password,
            session: self.session,
            sequence: self.next,
            silence_max: self.config.silence_asked,
        };
        let len = encode::login_request(&login, out)?;
        self.state = ClientState::AwaitingAnswer;
        self.sent = now;
        self.heard = now;
        Ok(len)
    }

    /// The socket is gone. The next [`Self::connect`] asks for what was missed.
    pub fn disconnected(&mut self) {
        if self.state != ClientState::Ended {
            self.state = ClientState::Idle;
        }
    }

    /// Takes the packet at the front of `input`, which came at `now`. Call again with the rest of
    /// the bytes until it wants more.
    #[inline]
    pub fn step<'a>(&mut self, input: &'a [u8], now: Timestamp) -> ClientStep<'a> {
        // Nearly all that an engine sends.
        if let Some((number, message)) = self.sequenced(input, now) {
            let consumed = encode::packet_len(message.len());
            let event = ClientEvent::Sequenced { number, message };
            return ClientStep::Event { event, consumed };
        }
        self.step_any(input, now)
    }

    /// The message at the front of `input`, and its number, where that is a whole packet with the next message of
    /// a session that is logged in: [`Self::step`] of nearly all that comes, for who has a way of its own for
    /// it. The packet is taken then; where there is none, nothing is, and [`Self::step`] says what there is.
    #[inline(always)]
    pub fn sequenced<'a>(&mut self, input: &'a [u8], now: Timestamp) -> Option<(u64, &'a [u8])> {
        if self.state != ClientState::Active {
            return None;
        }
        let Some((b'S', message)) = whole_message(input) else {
            return None;
        };
        self.heard = self.heard.later(now);
        Some((self.next_number(), message))
    }

    fn step_any<'a>(&mut self, input: &'a [u8], now: Timestamp) -> ClientStep<'a> {
        match self.state {
            ClientState::Idle | ClientState::Ended => return ClientStep::Closed,
            ClientState::AwaitingAnswer | ClientState::Active => {}
        }
        match parse(input) {
            Ok(Parsed::NeedMore { bytes }) => ClientStep::NeedMore { bytes },
            Ok(Parsed::Packet { packet, consumed }) => {
                self.heard = self.heard.later(now);
                ClientStep::Event {
                    event: self.on_packet(packet),
                    consumed,
                }
            }
            Err(error) => {
                let event = self.fault(SessionFault::Frame(error));
                ClientStep::Event { event, consumed: 0 }
            }
        }
    }

    /// Writes one message.
    ///
    /// # Errors
    /// No room, or not logged in.
    pub fn send(
        &mut self,
        message: &[u8],
        now: Timestamp,
        out: &mut [u8],
    ) -> Result<usize, ClientError> {
        if self.state != ClientState::Active {
            return Err(ClientError::State(self.state));
        }
        let len = encode::unsequenced(message, out)?;
        self.sent = self.sent.later(now);
        Ok(len)
    }

    /// The head of the packet of a message of so many bytes, which the caller has written and sends right
    /// behind it.
    ///
    /// # Errors
    /// It is longer than a packet, or not logged in.
    #[inline]
    pub fn send_behind(
        &mut self,
        message_len: usize,
        now: Timestamp,
    ) -> Result<[u8; 3], ClientError> {
        if self.state != ClientState::Active {
            return Err(ClientError::State(self.state));
        }
        let head = encode::unsequenced_head(message_len)?;
        self.sent = self.sent.later(now);
        Ok(head)
    }

    /// Writes the logout; the server closes. The machine is idle.
    ///
    /// # Errors
    /// No room, or not logged in.
    pub fn logout(&mut self, out: &mut [u8]) -> Result<usize, ClientError> {
        if self.state != ClientState::Active {
            return Err(ClientError::State(self.state));
        }
        let len = encode::logout_request(out)?;
        self.state = ClientState::Idle;
        Ok(len)
    }

    /// When [`Self::on_time`] has something to do; `None` without a link.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let dead = self.heard.saturating_add(self.config.silence_max);
        match self.state {
            ClientState::Idle | ClientState::Ended => None,
            ClientState::AwaitingAnswer => Some(dead),
            ClientState::Active => Some(dead.min(self.sent.saturating_add(HEARTBEAT_EVERY))),
        }
    }

    /// Whether the server has been silent for too long, as far as was read.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let linked = match self.state {
            ClientState::Idle | ClientState::Ended => false,
            ClientState::AwaitingAnswer | ClientState::Active => true,
        };
        linked && now >= self.heard.saturating_add(self.config.silence_max)
    }

    /// Gives up on a silent server, or writes a heartbeat if one is due.
    ///
    /// # Errors
    /// The heartbeat does not fit; try again.
    pub fn on_time(&mut self, now: Timestamp, out: &mut [u8]) -> Result<ClientTimer, NoRoom> {
        match self.deadline() {
            Some(due) if now >= due => {}
            Some(_) | None => return Ok(ClientTimer::NotDue),
        }
        if self.is_overdue(now) {
            self.state = ClientState::Idle;
            return Ok(ClientTimer::ServerSilent);
        }
        let len = encode::client_heartbeat(out)?;
        self.sent = self.sent.later(now);
        Ok(ClientTimer::Heartbeat { len })
    }

    fn on_packet<'a>(&mut self, packet: Packet<'a>) -> ClientEvent<'a> {
        let active = self.state == ClientState::Active;
        match packet {
            Packet::Debug(_) => ClientEvent::Ignored,
            Packet::LoginAccepted(_) | Packet::LoginRejected(_) if active => {
                self.fault(SessionFault::SecondLogin)
            }
            Packet::LoginAccepted(accepted) => {
                let asked = self.next;
                self.state = ClientState::Active;
                self.session = Some(accepted.session);
                // Numbers start at 1; asking for 0 after a broken link would skip what was missed.
                self.next = accepted.sequence.max(1);
                ClientEvent::LoggedIn { accepted, asked }
            }
            Packet::LoginRejected(reason) => {
                self.state = ClientState::Idle;
                ClientEvent::LoginRejected(reason)
            }
            Packet::EndOfSession => {
                self.state = ClientState::Ended;
                ClientEvent::EndOfSession
            }
            Packet::Sequenced(message) if active => {
                let number = self.next_number();
                ClientEvent::Sequenced { number, message }
            }
            Packet::Unsequenced(message) if active => ClientEvent::Unsequenced(message),
            Packet::ServerHeartbeat if active => ClientEvent::Ignored,
            Packet::Sequenced(_) | Packet::Unsequenced(_) | Packet::ServerHeartbeat => {
                self.fault(SessionFault::BeforeLogin(packet.type_byte()))
            }
            Packet::LoginRequest(_) | Packet::ClientHeartbeat | Packet::LogoutRequest => {
                self.fault(SessionFault::WrongSide(packet.type_byte()))
            }
        }
    }

    /// The number of the next sequenced message, which came.
    #[inline]
    const fn next_number(&mut self) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        number
    }

    fn fault<'a>(&mut self, fault: SessionFault) -> ClientEvent<'a> {
        self.state = ClientState::Idle;
        ClientEvent::Fault(fault)
    }
}

//! One SoupBinTCP packet off the front of a byte slice.
//!
//! **Thread.** Pure function over borrowed bytes.
//! **Invariants.** What [`parse`] accepts is a whole packet of a known type with the length of its
//! type; how the bytes were split into reads makes no difference. Offsets in errors count from the
//! packet's length field.
//! **Never.** Look beyond the announced length, copy a payload, or wait for more than
//! [`PACKET_BYTES_MAX`] bytes.

use super::PACKET_BYTES_MAX;
use super::login::{LoginAccepted, LoginRejectReason, LoginRequest, Password};
use super::number::{self, NotANumber};
use crate::field::Shown;
use core::fmt;
use portcullis_domain::Duration;

/// A packet of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `+`, either side: text that must be ignored.
    Debug(&'a [u8]),
    /// `L`, client.
    LoginRequest(LoginRequest),
    /// `A`, server.
    LoginAccepted(LoginAccepted),
    /// `J`, server.
    LoginRejected(LoginRejectReason),
    /// `S`, server: one message, which counts.
    Sequenced(&'a [u8]),
    /// `U`, client, from 4.0 on also server: one message, which does not count.
    Unsequenced(&'a [u8]),
    /// `H`, server.
    ServerHeartbeat,
    /// `R`, client.
    ClientHeartbeat,
    /// `Z`, server.
    EndOfSession,
    /// `O`, client.
    LogoutRequest,
}

impl Packet<'_> {
    /// The type byte.
    #[must_use]
    pub const fn type_byte(&self) -> u8 {
        match self {
            Packet::Debug(_) => b'+',
            Packet::LoginRequest(_) => b'L',
            Packet::LoginAccepted(_) => b'A',
            Packet::LoginRejected(_) => b'J',
            Packet::Sequenced(_) => b'S',
            Packet::Unsequenced(_) => b'U',
            Packet::ServerHeartbeat => b'H',
            Packet::ClientHeartbeat => b'R',
            Packet::EndOfSession => b'Z',
            Packet::LogoutRequest => b'O',
        }
    }
}

/// What stands at the front of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A whole packet, which takes `consumed` bytes.
    Packet {
        /// The packet.
        packet: Packet<'a>,
        /// Bytes to drop from the front.
        consumed: usize,
    },
    /// The packet is not complete: parse again when there are at least `bytes` bytes.
    NeedMore {
        /// Bytes, from the front, without which nothing more can be said.
        bytes: usize,
    },
}

/// A packet that cannot be taken; the session cannot be resumed at the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// Name of the field.
    pub field: &'static str,
    /// Byte of the packet, counted from its length field.
    pub offset: usize,
    /// What is wrong there.
    pub what: FrameFault,
}

/// What is wrong with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameFault {
    /// The announced length has no room for a type.
    NoType,
    /// The announced length is beyond [`PACKET_BYTES_MAX`].
    TooLong {
        /// Bytes of the packet with its length field.
        found: usize,
    },
    /// No packet has this type.
    UnknownType(u8),
    /// The length is not that of the type.
    Length {
        /// The type.
        packet: u8,
        /// What the length field says.
        found: usize,
    },
    /// A character of a name is not printable ASCII.
    NotPrintable(u8),
    /// A number has a character that is no digit.
    NotADigit(u8),
    /// A number is blank.
    BlankNumber,
    /// A number does not fit 64 bits.
    NumberTooLarge,
    /// A letter outside the closed set of its field.
    UnknownReason(u8),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: ", self.field, self.offset)?;
        match self.what {
            FrameFault::NoType => f.write_str("is 0; a packet has at least a type"),
            FrameFault::TooLong { found } => {
                write!(
                    f,
                    "the packet has {found} bytes; send at most {PACKET_BYTES_MAX}"
                )
            }
            FrameFault::UnknownType(byte) => write!(f, "no packet has type {}", Shown(byte)),
            FrameFault::Length { packet, found } => {
                write!(
                    f,
                    "is {found}, which is not the length of a {} packet",
                    Shown(packet)
                )
            }
            FrameFault::NotPrintable(byte) => {
                write!(f, "0x{byte:02x} is not printable; pad with spaces")
            }
            FrameFault::NotADigit(byte) => {
                write!(
                    f,
                    "{} is no digit; send digits padded with spaces",
                    Shown(byte)
                )
            }
            FrameFault::BlankNumber => f.write_str("the number is blank; send at least 0"),
            FrameFault::NumberTooLarge => f.write_str("the number does not fit 64 bits"),
            FrameFault::UnknownReason(byte) => {
                write!(f, "{} is no reason; send A or S", Shown(byte))
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// Takes the packet at the front of `bytes` apart.
///
/// # Errors
/// The packet can never become valid, however many bytes follow. It is reported as soon as the
/// length or the type shows it, before the rest has come.
#[inline]
pub fn parse(bytes: &[u8]) -> Result<Parsed<'_>, FrameError> {
    // Nearly all that comes is a client's message, or an engine's.
    let Some((packet_type, payload)) = whole_message(bytes) else {
        return parse_any(bytes);
    };
    let packet = if packet_type == b'S' {
        Packet::Sequenced(payload)
    } else {
        Packet::Unsequenced(payload)
    };
    let consumed = payload.len() + 3;
    Ok(Parsed::Packet { packet, consumed })
}

/// Type and payload of the packet at the front, if it is whole and carries a message.
#[inline(always)]
pub(super) fn whole_message(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, packet_type @ (b'S' | b'U'), rest @ ..] = bytes else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let payload = rest.get(..length.checked_sub(1)?)?;
    (length + 2 <= PACKET_BYTES_MAX).then_some((*packet_type, payload))
}

fn parse_any(bytes: &[u8]) -> Result<Parsed<'_>, FrameError> {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else {
        return Ok(Parsed::NeedMore { bytes: 2 });
    };
    let length = usize::from(u16::from_be_bytes(*length));
    let consumed = length + 2;
    if length == 0 {
        return Err(fail("packet_length", 0, FrameFault::NoType));
    }
    if consumed > PACKET_BYTES_MAX {
        return Err(fail(
            "packet_length",
            0,
            FrameFault::TooLong { found: consumed },
        ));
    }
    let Some(packet_type) = rest.first() else {
        return Ok(Parsed::NeedMore { bytes: 3 });
    };
    check_length(*packet_type, length)?;
    let Some([_, payload @ ..]) = rest.get(..length) else {
        let bytes = consumed - usize::from(cfg!(feature = "planted-bug"));
        return Ok(Parsed::NeedMore { bytes });
    };
    let packet = packet(*packet_type, payload)?;
    Ok(Parsed::Packet { packet, consumed })
}

fn fail(field: &'static str, offset: usize, what: FrameFault) -> FrameError {
    FrameError {
        field,
        offset,
        what,
    }
}

/// Whether a packet of this type may announce this length, known before its payload has come.
fn check_length(packet_type: u8, length: usize) -> Result<(), FrameError> {
    let fits = match packet_type {
        b'+' | b'S' | b'U' => true,
        b'L' => length == 47 || length == 52,
        b'A' => length == 31,
        b'J' => length == 2,
        b'H' | b'R' | b'Z' | b'O' => length == 1,
        unknown => return Err(fail("packet_type", 2, FrameFault::UnknownType(unknown))),
    };
    if fits {
        return Ok(());
    }
    let what = FrameFault::Length {
        packet: packet_type,
        found: length,
    };
    Err(fail("packet_length", 0, what))
}

fn packet(packet_type: u8, payload: &[u8]) -> Result<Packet<'_>, FrameError> {
    Ok(match packet_type {
        b'+' => Packet::Debug(payload),
        b'S' => Packet::Sequenced(payload),
        b'U' => Packet::Unsequenced(payload),
        b'L' => Packet::LoginRequest(login_request(payload)?),
        b'A' => Packet::LoginAccepted(login_accepted(payload)?),
        b'J' => Packet::LoginRejected(login_rejected(payload)?),
        b'H' => Packet::ServerHeartbeat,
        b'R' => Packet::ClientHeartbeat,
        b'Z' => Packet::EndOfSession,
        b'O' => Packet::LogoutRequest,
        unknown => return Err(fail("packet_type", 2, FrameFault::UnknownType(unknown))),
    })
}

/// Reads fields one after the other, and knows where each stands.
struct Fields<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Fields<'a> {
    /// The fields of a payload, which starts at byte 3 of its packet.
    fn of(payload: &'a [u8]) -> Self {
        Self {
            rest: payload,
            offset: 3,
        }
    }

    /// The next `N` bytes and where they stand. The length was checked against the type.
    fn take<const N: usize>(&mut self, name: &'static str) -> Result<([u8; N], usize), FrameError> {
        let offset = self.offset;
        let Some((field, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(fail(name, offset, FrameFault::BlankNumber));
        };
        self.rest = rest;
        self.offset += N;
        Ok((*field, offset))
    }

    fn name<const N: usize>(&mut self, name: &'static str) -> Result<crate::Alpha<N>, FrameError> {
        let (field, offset) = self.take::<N>(name)?;
        number::read_name(&field)
            .map_err(|(at, found)| fail(name, offset + at, FrameFault::NotPrintable(found)))
    }

    fn number<const N: usize>(&mut self, name: &'static str) -> Result<u64, FrameError> {
        let (field, offset) = self.take::<N>(name)?;
        number::read(&field).map_err(|why| match why {
            NotANumber::Blank => fail(name, offset, FrameFault::BlankNumber),
            NotANumber::Character { at, found } => {
                fail(name, offset + at, FrameFault::NotADigit(found))
            }
            NotANumber::TooLarge => fail(name, offset, FrameFault::NumberTooLarge),
        })
    }
}

fn login_request(payload: &[u8]) -> Result<LoginRequest, FrameError> {
    let mut fields = Fields::of(payload);
    let user = fields.name("username")?;
    let password = Password(fields.name("password")?);
    let session: super::SessionName = fields.name("requested_session")?;
    let sequence = fields.number::<20>("requested_sequence")?;
    let silence_max = if fields.rest.is_empty() {
        None
    } else {
        let millis = fields.number::<5>("heartbeat_timeout_ms")?;
        // Five digits of milliseconds are far below 2^64 nanoseconds.
        Some(Duration::from_ns(millis.saturating_mul(1_000_000)))
    };
    let session = (!session.is_blank()).then_some(session);
    Ok(LoginRequest {
        user,
        password,
        session,
        sequence,
        silence_max,
    })
}

fn login_accepted(payload: &[u8]) -> Result<LoginAccepted, FrameError> {
    let mut fields = Fields::of(payload);
    let session = fields.name("session")?;
    let sequence = fields.number::<20>("sequence")?;
    Ok(LoginAccepted { session, sequence })
}

fn login_rejected(payload: &[u8]) -> Result<LoginRejectReason, FrameError> {
    let ([byte], offset) = Fields::of(payload).take::<1>("reason")?;
    LoginRejectReason::from_byte(byte)
        .ok_or_else(|| fail("reason", offset, FrameFault::UnknownReason(byte)))
}

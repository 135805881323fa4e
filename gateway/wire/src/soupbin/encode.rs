//! SoupBinTCP packets into a buffer of the caller.
//!
//! **Thread.** Pure functions over the caller's buffer.
//! **Invariants.** A packet is written whole or not at all; what is written parses to what was
//! given.
//! **Never.** Write beyond the packet's length.

use super::login::{LoginAccepted, LoginRejectReason, LoginRequest};
use super::{PACKET_BYTES_MAX, number};
use core::fmt;

/// The packet does not fit; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom {
    /// Bytes the packet takes.
    pub needed: usize,
    /// Bytes there were, or [`PACKET_BYTES_MAX`] where the packet is too long for any buffer.
    pub room: usize,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the packet takes {} bytes, there is room for {}",
            self.needed, self.room
        )
    }
}

impl core::error::Error for NoRoom {}

/// Bytes of a packet with a payload of this length.
#[must_use]
pub const fn packet_len(payload: usize) -> usize {
    payload + 3
}

/// `+`: text that the other side ignores.
///
/// # Errors
/// There is no room.
pub fn debug(text: &[u8], out: &mut [u8]) -> Result<usize, NoRoom> {
    packet(b'+', [text], out)
}

/// `L`: the older form of 47 bytes, or that of 4.1 if a silence is stated.
///
/// A stated silence is cut to whole milliseconds and to five digits.
///
/// # Errors
/// There is no room.
pub fn login_request(login: &LoginRequest, out: &mut [u8]) -> Result<usize, NoRoom> {
    let session = login
        .session
        .as_ref()
        .map_or([b' '; 10], number::right_justified);
    // Twenty digits hold every u64.
    let sequence = number::write::<20>(login.sequence).unwrap_or([b'9'; 20]);
    let millis = login
        .silence_max
        .map(|silence| number::write::<5>(silence.ns() / 1_000_000).unwrap_or([b'9'; 5]));
    let timeout: &[u8] = millis.as_ref().map_or(&[], |digits| digits);
    packet(
        b'L',
        [
            login.user.bytes(),
            login.password.0.bytes(),
            &session,
            &sequence,
            timeout,
        ],
        out,
    )
}

/// `A`: the login is taken.
///
/// # Errors
/// There is no room.
pub fn login_accepted(accepted: &LoginAccepted, out: &mut [u8]) -> Result<usize, NoRoom> {
    let session = number::right_justified(&accepted.session);
    let sequence = number::write::<20>(accepted.sequence).unwrap_or([b'9'; 20]);
    packet(b'A', [session.as_slice(), &sequence], out)
}

/// `J`: the login is not taken; close after it.
///
/// # Errors
/// There is no room.
pub fn login_rejected(reason: LoginRejectReason, out: &mut [u8]) -> Result<usize, NoRoom> {
    packet(b'J', [&[reason.byte()]], out)
}

/// `S`: one message that counts.
///
/// # Errors
/// There is no room, or the message is longer than a packet.
pub fn sequenced(message: &[u8], out: &mut [u8]) -> Result<usize, NoRoom> {
    packet(b'S', [message], out)
}

/// `U`: one message that does not count.
///
/// # Errors
/// There is no room, or the message is longer than a packet.
pub fn unsequenced(message: &[u8], out: &mut [u8]) -> Result<usize, NoRoom> {
    packet(b'U', [message], out)
}

/// The head of that packet, before a message of so many bytes.
///
/// # Errors
/// The message is longer than a packet.
#[inline]
pub const fn unsequenced_head(message_len: usize) -> Result<[u8; 3], NoRoom> {
    message_head(b'U', message_len)
}

/// The head of the packet of one message that counts, before a message of so many bytes.
///
/// # Errors
/// The message is longer than a packet.
#[inline]
pub const fn sequenced_head(message_len: usize) -> Result<[u8; 3], NoRoom> {
    message_head(b'S', message_len)
}

#[inline]
const fn message_head(packet_type: u8, message_len: usize) -> Result<[u8; 3], NoRoom> {
    let needed = packet_len(message_len);
    if needed > PACKET_BYTES_MAX {
        let room = PACKET_BYTES_MAX;
        return Err(NoRoom { needed, room });
    }
    Ok(head(packet_type, message_len))
}

/// Length and type. The packet is no longer than [`PACKET_BYTES_MAX`], which fits 16 bits.
const fn head(packet_type: u8, payload: usize) -> [u8; 3] {
    let [high, low] = ((payload + 1) as u16).to_be_bytes();
    [high, low, packet_type]
}

/// `H`.
///
/// # Errors
/// There is no room.
pub fn server_heartbeat(out: &mut [u8]) -> Result<usize, NoRoom> {
    packet(b'H', [], out)
}

/// `R`.
///
/// # Errors
/// There is no room.
pub fn client_heartbeat(out: &mut [u8]) -> Result<usize, NoRoom> {
    packet(b'R', [], out)
}

/// `Z`: the session is over.
///
/// # Errors
/// There is no room.
pub fn end_of_session(out: &mut [u8]) -> Result<usize, NoRoom> {
    packet(b'Z', [], out)
}

/// `O`: the client leaves.
///
/// # Errors
/// There is no room.
pub fn logout_request(out: &mut [u8]) -> Result<usize, NoRoom> {
    packet(b'O', [], out)
}

/// Length, type and the parts of the payload, one behind the other.
fn packet<const PARTS: usize>(
    packet_type: u8,
    parts: [&[u8]; PARTS],
    out: &mut [u8],
) -> Result<usize, NoRoom> {
    let payload: usize = parts.iter().map(|part| part.len()).sum();
    let needed = packet_len(payload);
    let room = out.len().min(PACKET_BYTES_MAX);
    let no_room = NoRoom { needed, room };
    if needed > room {
        return Err(no_room);
    }
    let (first, mut rest) = out.split_first_chunk_mut::<3>().ok_or(no_room)?;
    *first = head(packet_type, payload);
    for part in parts {
        let (target, after) = rest.split_at_mut_checked(part.len()).ok_or(no_room)?;
        target.copy_from_slice(part);
        rest = after;
    }
    Ok(needed)
}

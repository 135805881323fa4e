//! What a login asks and how it is answered.
//!
//! **Thread.** Plain values, small enough to be handed to the thread that verifies passwords.
//! **Invariants.** Names are trimmed and left-justified whatever the padding on the wire was.
//! **Never.** Show a password.

use crate::alpha::Alpha;
use core::fmt;
use portcullis_domain::Duration;

/// Name of a user; case does not matter in the protocol.
pub type UserName = Alpha<6>;

/// Name of a session.
pub type SessionName = Alpha<10>;

/// A password. It does not appear in debug output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password(pub Alpha<10>);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// A login request of 3.x, 4.0 or 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginRequest {
    /// User.
    pub user: UserName,
    /// Password.
    pub password: Password,
    /// Session that is asked for; `None` = the current one.
    pub session: Option<SessionName>,
    /// Number of the first sequenced message that is wanted: 1 = all, 0 = only what is new.
    pub sequence: u64,
    /// 4.1: after this much silence of the client the server may close. `None` in the older form.
    /// Whole milliseconds, at most 99,999.
    pub silence_max: Option<Duration>,
}

/// The answer to a login that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginAccepted {
    /// The session.
    pub session: SessionName,
    /// Number of the next sequenced message.
    pub sequence: u64,
}

/// Why a login was not taken; the server closes after saying so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRejectReason {
    /// User or password are not known together.
    NotAuthorised,
    /// The session, or the sequence number in it, is not to be had.
    SessionNotAvailable,
}

impl LoginRejectReason {
    /// The letter on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            LoginRejectReason::NotAuthorised => b'A',
            LoginRejectReason::SessionNotAvailable => b'S',
        }
    }

    /// The reason of a letter.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'A' => Some(LoginRejectReason::NotAuthorised),
            b'S' => Some(LoginRejectReason::SessionNotAvailable),
            _ => None,
        }
    }
}

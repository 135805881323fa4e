//! What ingress asks of whoever verifies logins, and what it is told.
//!
//! Values in bounded rings, from ingress and back. Invariant: a verdict names the connection that asked, which may be gone
//! by then.

use crate::transport::ConnectionId;
use portcullis_domain::SessionId;
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::Password;
use std::net::IpAddr;

/// A login to be verified.
#[derive(Clone, Copy, Debug)]
pub struct LoginQuery {
    /// The connection that asks.
    pub connection: ConnectionId,
    /// From where.
    pub address: IpAddr,
    /// Who it says it is.
    pub user: Alpha<6>,
    /// Its password.
    pub password: Password,
}

/// What came of a login.
#[derive(Clone, Copy, Debug)]
pub struct LoginVerdict {
    /// The connection that asked.
    pub connection: ConnectionId,
    /// The session it is, or `None` where it is not let in.
    pub session: Option<SessionId>,
}

//! Which congestion control a socket has.
//!
//! Whoever opens sockets, before they carry anything. Invariant: a socket is left as it is where the name is not
//! known. It must never be asked for on the path of an order.

use std::io;
use std::os::fd::AsFd;

/// Has a TCP socket use the congestion control of this name; what a listener accepts from then on has it too.
///
/// # Errors
/// The system does not know the name, does not let this process use it, or knows no names.
#[cfg(target_os = "linux")]
pub fn set_congestion_control(socket: impl AsFd, name: &str) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_tcp_congestion(socket, name)?)
}

/// As on Linux, where alone there are names.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn set_congestion_control(_socket: impl AsFd, _name: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

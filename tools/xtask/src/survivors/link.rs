//! A client's connection: bytes out, bytes in.

use portcullis_domain::Timestamp;
use portcullis_wire::soupbin::ClientSession;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

/// A connection that is logged in.
pub(super) struct Link {
    pub(super) stream: TcpStream,
    pub(super) machine: ClientSession,
    pub(super) received: Vec<u8>,
}

/// The connection is gone.
pub(super) struct Gone;

impl Link {
    pub(super) fn send(&mut self, message: &[u8]) -> Result<(), Gone> {
        let mut packet = [0; 320];
        let len = self
            .machine
            .send(message, now(), &mut packet)
            .map_err(|_| Gone)?;
        self.stream.write_all(&packet[..len]).map_err(|_| Gone)
    }

    pub(super) fn fill(&mut self) -> Result<(), Gone> {
        let mut bytes = [0; 16_384];
        match self.stream.read(&mut bytes) {
            Ok(0) => Err(Gone),
            Ok(count) => {
                self.received.extend_from_slice(&bytes[..count]);
                Ok(())
            }
            Err(error) if is_nothing(&error) => Ok(()),
            Err(_) => Err(Gone),
        }
    }
}

fn is_nothing(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

pub(super) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_ns(since.map_or(0, |since| since.as_nanos() as u64))
}

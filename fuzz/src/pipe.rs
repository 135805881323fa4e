//! A stream in memory that gives its bytes in pieces of one size and then has nothing more to say.
//!
//! **Thread.** The target's own.
//! **Invariants.** It never blocks and never ends: it answers `WouldBlock`, as a socket does.
//! **Never.** Be dialed twice: a second connection fails.

use portcullis_domain::SessionId;
use portcullis_venue_ouch::{Dial, Dialed};
use std::io::{self, Read, Write};

/// One side's bytes; what is written to it is taken and forgotten.
#[derive(Debug)]
pub struct Pipe {
    bytes: Vec<u8>,
    at: usize,
    piece: usize,
}

impl Pipe {
    /// A pipe with these bytes in it.
    #[must_use]
    pub fn new(bytes: &[u8], piece: usize) -> Self {
        Self {
            bytes: bytes.to_vec(),
            at: 0,
            piece,
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let count = rest.len().min(self.piece).min(room.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        room[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hands out its pipe once.
#[derive(Debug)]
pub struct PipeDial(Option<Pipe>);

impl PipeDial {
    /// A dial for this pipe.
    #[must_use]
    pub const fn new(pipe: Pipe) -> Self {
        Self(Some(pipe))
    }
}

impl Dial for PipeDial {
    type Stream = Pipe;

    fn dial(&mut self, _session: SessionId) -> Dialed<Pipe> {
        match self.0.take() {
            Some(pipe) => Dialed::Ready(pipe),
            None => Dialed::Failed(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

//! A socket of a spinning end: never waits, reads into a fixed buffer, writes what is whole.
//!
//! Owned by the measuring thread. Invariant: bytes are read and written in order, each once.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

const IN_BYTES: usize = 1 << 16;
const OUT_BYTES: usize = 1 << 16;

/// The socket and its buffers.
pub(crate) struct Socket {
    stream: TcpStream,
    inbox: Box<[u8]>,
    start: usize,
    end: usize,
    outbox: Vec<u8>,
}

impl Socket {
    /// Takes a connected stream over.
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            inbox: vec![0; IN_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            outbox: Vec::with_capacity(OUT_BYTES),
        })
    }

    /// Reads once; whether anything came.
    pub(crate) fn receive(&mut self) -> io::Result<bool> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.inbox.len() {
            self.inbox.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        match self.stream.read(&mut self.inbox[self.end..]) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.end += count;
                Ok(true)
            }
            Err(error) if is_for_now(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What was received and is not taken.
    pub(crate) fn received(&self) -> &[u8] {
        &self.inbox[self.start..self.end]
    }

    /// So many bytes are done with.
    pub(crate) fn take(&mut self, count: usize) {
        self.start += count;
        assert!(self.start <= self.end, "taken beyond what was received");
    }

    /// Puts bytes behind what is to be written.
    pub(crate) fn queue(&mut self, bytes: &[u8]) {
        self.outbox.extend_from_slice(bytes);
    }

    /// Writes what waits, as far as the system takes it now.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let mut written = 0;
        while written < self.outbox.len() {
            match self.stream.write(&self.outbox[written..]) {
                Ok(count) => written += count,
                Err(error) if is_for_now(&error) => break,
                Err(error) => return Err(error),
            }
        }
        if written > 0 {
            self.outbox.drain(..written);
        }
        Ok(())
    }

    /// Whether bytes wait to be written.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.outbox.is_empty()
    }
}

/// Whether a socket only has nothing, or no room, for now.
pub(crate) fn is_for_now(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

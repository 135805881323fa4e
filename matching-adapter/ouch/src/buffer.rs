//! A fixed stretch of bytes, filled at one end and taken at the other.
//!
//! Owned by a link. Invariants: `start` <= `end` <= capacity; what is moved to the front is moved
//! only when there is no room behind it. It never grows.

use std::io::{self, ErrorKind, Read, Write};

#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

/// What a socket did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// This many bytes, perhaps none.
    Bytes(usize),
    /// The other side is gone.
    Closed,
}

impl Buffer {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            bytes: vec![0; capacity].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether there is no room behind what is filled.
    pub(crate) const fn is_full_to_the_end(&self) -> bool {
        self.end == self.bytes.len()
    }

    /// Room behind what is filled, at least `wanted` bytes if there are so many at all.
    pub(crate) fn room(&mut self, wanted: usize) -> &mut [u8] {
        if self.bytes.len() - self.end < wanted {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.bytes[self.end..]
    }

    /// `N` bytes of room behind what is filled, if there are so many at all.
    pub(crate) fn room_of<const N: usize>(&mut self) -> Option<&mut [u8; N]> {
        if self.free() < N {
            return None;
        }
        self.room(N).first_chunk_mut()
    }

    /// Where the next byte is filled, as long as no room is asked for.
    pub(crate) const fn end(&self) -> usize {
        self.end
    }

    /// Bytes that were filled from here on: until room is asked for, also where they are done with.
    pub(crate) fn was_filled(&self, from: usize, count: usize) -> &[u8] {
        &self.bytes[from..from + count]
    }

    /// How much room there is if what is filled moves to the front.
    pub(crate) const fn free(&self) -> usize {
        self.bytes.len() - (self.end - self.start)
    }

    /// The first `count` bytes of the room are filled now.
    pub(crate) const fn fill(&mut self, count: usize) {
        self.end += count;
        assert!(self.end <= self.bytes.len(), "filled beyond the room");
    }

    /// The first `count` filled bytes are done with.
    pub(crate) const fn take(&mut self, count: usize) {
        self.start += count;
        assert!(self.start <= self.end, "taken beyond what is filled");
        if self.start == self.end {
            self.clear();
        }
    }

    pub(crate) const fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Reads once.
    pub(crate) fn read_from(&mut self, stream: &mut impl Read) -> Moved {
        let room = self.room(1);
        if room.is_empty() {
            return Moved::Bytes(0);
        }
        match stream.read(room) {
            Ok(0) => Moved::Closed,
            Ok(count) => {
                self.fill(count);
                Moved::Bytes(count)
            }
            Err(error) => of_error(&error),
        }
    }

    /// Writes until all is written or the other side takes no more.
    pub(crate) fn write_to(&mut self, stream: &mut impl Write) -> Moved {
        let mut written = 0;
        while !self.is_empty() {
            match stream.write(self.filled()) {
                Ok(0) => return Moved::Closed,
                Ok(count) => {
                    self.take(count);
                    written += count;
                }
                Err(error) => match of_error(&error) {
                    Moved::Bytes(_) => break,
                    Moved::Closed => return Moved::Closed,
                },
            }
        }
        Moved::Bytes(written)
    }
}

fn of_error(error: &io::Error) -> Moved {
    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) {
        Moved::Bytes(0)
    } else {
        Moved::Closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_moves_only_for_want_of_room() {
        let mut buffer = Buffer::new(8);
        buffer.room(6)[..6].copy_from_slice(b"abcdef");
        buffer.fill(6);
        buffer.take(2);
        assert_eq!(buffer.room(2).len(), 2, "no need to move");
        assert_eq!(buffer.free(), 4);
        assert_eq!(buffer.room(3).len(), 4, "moved to the front");
        assert_eq!(buffer.filled(), b"cdef");
        assert!(buffer.room_of::<5>().is_none());
        assert!(buffer.room_of::<4>().is_some());
        buffer.take(4);
        assert_eq!(buffer.was_filled(2, 2), b"ef", "done with, and still there");
        assert_eq!(buffer.room(8).len(), 8);
    }

    #[test]
    fn a_writer_that_takes_little_is_written_again() {
        struct Narrow(Vec<u8>, usize);
        impl Write for Narrow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if self.1 == 0 {
                    return Err(ErrorKind::WouldBlock.into());
                }
                self.1 -= 1;
                self.0.push(bytes[0]);
                Ok(1)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut buffer = Buffer::new(4);
        buffer.room(4).copy_from_slice(b"wxyz");
        buffer.fill(4);
        let mut narrow = Narrow(Vec::new(), 3);
        assert_eq!(buffer.write_to(&mut narrow), Moved::Bytes(3));
        narrow.1 = 1;
        assert_eq!(buffer.write_to(&mut narrow), Moved::Bytes(1));
        assert_eq!(narrow.0, b"wxyz");
    }
}

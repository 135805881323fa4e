//! A bounded store of sequenced messages, for resending from a requested number.
//!
//! **Thread.** Owned by the outbound half of one session.
//! **Invariants.** Numbers are consecutive from 1; the store holds an unbroken run of the newest
//! ones. Its memory is what the caller gave it at construction: when bytes or slots run out, the
//! oldest message goes.
//! **Never.** Allocate, renumber, or hand out a message under another's number.
//!
//! Messages lie in one ring of bytes as the packets that they go out in, none of them split over its end, so
//! that each is one slice, and those that follow one another up to the end are one as well.

use super::encode::{packet_len, sequenced_head};
use super::{PACKET_BYTES_MAX, PAYLOAD_BYTES_MAX};
use core::fmt;

/// Bytes of a packet before its message.
const HEAD_BYTES: usize = packet_len(0);

/// Where a stored message's packet lies. The caller provides an array of these and never looks inside.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoreSlot {
    start: u32,
    /// Of the message.
    len: u32,
}

/// The newest sequenced messages of a session.
///
/// `B` is the memory for bytes, `S` that for slots: boxed slices, arrays or `&mut` slices.
#[derive(Debug)]
pub struct ResendStore<B, S> {
    bytes: B,
    slots: S,
    /// Number of the next message.
    next: u64,
    /// The slot of the next message.
    next_slot: usize,
    /// How many are stored; the oldest is `next - count`.
    count: usize,
    /// Where the next packet goes if it fits there; 0 where none is stored.
    write: usize,
    /// Whether the newest message lies before the oldest; not where none is stored.
    wrapped: bool,
}

/// The number asked for cannot be resent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResendError {
    /// It made room for newer ones.
    Gone {
        /// The oldest number that is still there, or the next one if nothing is.
        oldest: u64,
    },
    /// It has not been used yet.
    NotYet {
        /// The number of the next message.
        next: u64,
    },
}

impl fmt::Display for ResendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResendError::Gone { oldest } => {
                write!(
                    f,
                    "the message is no longer stored; the oldest is number {oldest}"
                )
            }
            ResendError::NotYet { next } => {
                write!(f, "no message has that number yet; the next is {next}")
            }
        }
    }
}

impl core::error::Error for ResendError {}

/// The message is longer than a packet takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageTooLong {
    /// Bytes of the message.
    pub len: usize,
    /// The most that a message may have.
    pub capacity: usize,
}

impl fmt::Display for MessageTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a message of {} bytes does not fit a packet, which takes {}",
            self.len, self.capacity
        )
    }
}

impl core::error::Error for MessageTooLong {}

impl<B, S> ResendStore<B, S>
where
    B: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[StoreSlot]> + AsMut<[StoreSlot]>,
{
    /// An empty store whose first message will have number `first`: 1 for a new session, more for
    /// one that goes on after a restart.
    ///
    /// # Panics
    /// If there is no slot, if the bytes cannot hold one packet of the greatest length or are more
    /// than u32 counts, or if `first` is 0: faults of the configuration, before any input.
    #[must_use]
    pub fn new(bytes: B, slots: S, first: u64) -> Self {
        let capacity = bytes.as_ref().len();
        assert!(
            !slots.as_ref().is_empty(),
            "a resend store has at least one slot"
        );
        assert!(
            capacity >= PACKET_BYTES_MAX && u32::try_from(capacity).is_ok(),
            "a resend store holds at least one packet, and less than 4 GiB"
        );
        assert!(first > 0, "sequence numbers start at 1");
        Self {
            bytes,
            slots,
            next: first,
            next_slot: 0,
            count: 0,
            write: 0,
            wrapped: false,
        }
    }

    /// The number the next message will have.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        self.next
    }

    /// The oldest number that can be resent; the next one if the store is empty.
    #[must_use]
    pub const fn oldest(&self) -> u64 {
        self.next - self.count as u64
    }

    /// Stores a message and returns its number. Drops the oldest ones where room is wanted.
    ///
    /// # Errors
    /// It does not fit a packet; nothing is stored and no number is used.
    #[inline]
    pub fn append(&mut self, message: &[u8]) -> Result<u64, MessageTooLong> {
        let len = message.len();
        let Ok(packet_head) = sequenced_head(len) else {
            let capacity = PAYLOAD_BYTES_MAX;
            return Err(MessageTooLong { len, capacity });
        };
        let (packet, capacity) = (packet_len(len), self.bytes.as_ref().len());
        let slots = self.slots.as_ref().len();
        if self.count == slots {
            self.drop_oldest();
        }
        let start = if self.wrapped || capacity - self.write < packet {
            self.make_place(packet)
        } else {
            self.write
        };
        let target = self.bytes.as_mut().get_mut(start..start + packet);
        let place = target.and_then(|target| target.split_first_chunk_mut::<HEAD_BYTES>());
        let (head, tail) = place.expect("a place lies inside the ring");
        *head = packet_head;
        tail.copy_from_slice(message);
        let slot = self.slots.as_mut().get_mut(self.next_slot);
        // Both are at most the capacity, which was checked to fit 32 bits.
        *slot.expect("an index is below the length") = StoreSlot {
            start: start as u32,
            len: len as u32,
        };
        self.write = start + packet;
        self.count += 1;
        self.next_slot += 1;
        if self.next_slot == slots {
            self.next_slot = 0;
        }
        let number = self.next;
        self.next += 1;
        Ok(number)
    }

    /// The message with this number.
    ///
    /// # Errors
    /// It is gone, or there is none yet.
    #[inline]
    pub fn get(&self, number: u64) -> Result<&[u8], ResendError> {
        if number >= self.next {
            return Err(ResendError::NotYet { next: self.next });
        }
        let gone = ResendError::Gone {
            oldest: self.oldest(),
        };
        if number < self.oldest() {
            return Err(gone);
        }
        // No more than are stored, as was seen.
        let before = (self.next - number) as usize;
        let slot = (self.slots.as_ref())
            .get(self.slot_index(before))
            .ok_or(gone)?;
        let start = slot.start as usize + HEAD_BYTES;
        self.bytes
            .as_ref()
            .get(start..start + slot.len as usize)
            .ok_or(gone)
    }

    /// The packets of the message with this number and of those behind it that lie in one piece with it, as many
    /// as `room` takes whole, and how many they are: none where it is not stored, or does not fit.
    #[must_use]
    #[inline]
    pub fn packets(&self, number: u64, room: usize) -> (u64, &[u8]) {
        if number >= self.next || number < self.oldest() {
            return (0, &[]);
        }
        // No more than are stored, as was seen.
        let before = (self.next - number) as usize;
        let slot = self.slots.as_ref().get(self.slot_index(before));
        let start = slot.map_or(0, |slot| slot.start as usize);
        // Behind the last that was stored, and not in the stretch before it.
        let newest = start < self.write && self.write - start <= room;
        let (count, end) = if newest {
            (self.next - number, self.write)
        } else {
            self.walk(number, start, room)
        };
        let packets = self.bytes.as_ref().get(start..end);
        (count, packets.unwrap_or_default())
    }

    /// Those packets where not all that are stored lie in one piece or fit: how many, and where they end.
    fn walk(&self, number: u64, start: usize, room: usize) -> (u64, usize) {
        let (mut count, mut end) = (0, start);
        while number + count < self.next {
            let before = (self.next - number - count) as usize;
            let Some(slot) = self.slots.as_ref().get(self.slot_index(before)) else {
                break;
            };
            let packet = packet_len(slot.len as usize);
            if slot.start as usize != end || end + packet - start > room {
                break;
            }
            end += packet;
            count += 1;
        }
        (count, end)
    }

    /// Where a packet of `len` bytes fits, once enough of the oldest messages have gone. It does not fit behind the newest,
    /// or an older one lies there.
    fn make_place(&mut self, len: usize) -> usize {
        let capacity = self.bytes.as_ref().len();
        loop {
            let oldest = self.oldest_start();
            if self.wrapped {
                if oldest - self.write >= len {
                    return self.write;
                }
            } else if capacity - self.write >= len {
                return self.write;
            } else if oldest >= len {
                self.wrapped = true;
                return 0;
            }
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let was = self.oldest_start();
        self.count -= 1;
        if self.count == 0 {
            self.write = 0;
            self.wrapped = false;
        } else if self.oldest_start() < was {
            self.wrapped = false;
        }
    }

    fn oldest_start(&self) -> usize {
        let slot = self.slots.as_ref().get(self.slot_index(self.count));
        slot.map_or(0, |slot| slot.start as usize)
    }

    /// The slot of the message so many before the next: at most as many as there are slots.
    #[inline]
    fn slot_index(&self, before: usize) -> usize {
        let turned = if before > self.next_slot {
            self.slots.as_ref().len()
        } else {
            0
        };
        self.next_slot + turned - before
    }
}

#[cfg(test)]
mod tests;

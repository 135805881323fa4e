//! Bounded rings of messages that differ in length: one producer, one consumer, never blocking.
//!
//! A message is a *lead*, a value that says how many bytes stand behind it, and those bytes; it takes
//! as many 64-byte units as it needs and lies in them in one piece, so that it is read where it lies.
//! Each end belongs to one thread. Invariants: nothing is lost once it was taken; a full ring is an
//! answer, not a wait; what is written is seen by the other end whole, and only once it is
//! published; what is read stays as it is until it is released.
//!
//! A producer that has filled [`RESTART_UNITS`] and finds that all was taken begins at the first unit
//! again. So a ring that is never far behind touches a page of its memory instead of all of it.

mod cursors;
mod slots;
#[cfg(all(test, not(feature = "loom")))]
mod tests;
#[cfg(all(test, feature = "loom"))]
mod under_loom;

use cursors::{ConsumerCursor, ProducerCursor, cursors};
use portcullis_domain::{Head, RAW_BYTES_MAX, UNIT_BYTES, Unit};
use slots::Slots;

/// Units that may stand behind a lead.
const BYTES_UNITS_MAX: usize = RAW_BYTES_MAX / UNIT_BYTES;

/// A producer this far into the ring looks whether it may begin anew.
const RESTART_UNITS: usize = if cfg!(feature = "loom") { 3 } else { 64 };

/// What leads a message.
pub trait Lead: Send {
    /// How many bytes stand behind it: at most [`RAW_BYTES_MAX`].
    fn bytes_behind(&self) -> usize;
}

impl Lead for Head {
    #[inline]
    fn bytes_behind(&self) -> usize {
        usize::from(self.raw_len)
    }
}

/// The end that puts messages in.
#[derive(Debug)]
pub struct MessageProducer<T> {
    slots: Slots<T>,
    cursor: ProducerCursor,
}

/// The end that takes messages out.
#[derive(Debug)]
pub struct MessageConsumer<T> {
    slots: Slots<T>,
    cursor: ConsumerCursor,
}

/// A ring with room for `messages` of the longest kind.
///
/// # Panics
/// If that is none.
#[must_use]
pub fn message_ring<T: Lead>(messages: usize) -> (MessageProducer<T>, MessageConsumer<T>) {
    message_ring_of_units(messages * units_max::<T>())
}

/// A ring with room for so many units.
///
/// # Panics
/// If that is less than the longest message.
pub(crate) fn message_ring_of_units<T: Lead>(
    units: usize,
) -> (MessageProducer<T>, MessageConsumer<T>) {
    assert!(
        units >= units_max::<T>(),
        "a ring must hold the longest message"
    );
    let slots = Slots::new(units, units_max::<T>());
    let (producer, consumer) = cursors(units);
    let producer = MessageProducer {
        slots: slots.clone(),
        cursor: producer,
    };
    let consumer = MessageConsumer {
        slots,
        cursor: consumer,
    };
    (producer, consumer)
}

/// Units of the longest message.
const fn units_max<T>() -> usize {
    size_of::<T>().div_ceil(UNIT_BYTES) + BYTES_UNITS_MAX
}

const fn units_of<T>(bytes: usize) -> usize {
    size_of::<T>().div_ceil(UNIT_BYTES) + bytes.div_ceil(UNIT_BYTES)
}

impl<T: Lead> MessageProducer<T> {
    /// Puts a message in and publishes it; `false`, and nothing put, where it has no room.
    ///
    /// # Panics
    /// As [`Self::write`].
    #[inline(always)]
    #[must_use]
    pub fn send(&mut self, lead: T, bytes: &[u8]) -> bool {
        let Some(units) = self.put(lead, bytes) else {
            self.publish();
            return false;
        };
        self.cursor.written_and_published(units);
        true
    }

    /// Puts a message in, to be seen by the consumer from the next [`Self::publish`] on; `false`, and
    /// nothing put, where it has no room.
    ///
    /// # Panics
    /// If the lead says another length than `bytes` has.
    #[inline(always)]
    #[must_use]
    pub fn write(&mut self, lead: T, bytes: &[u8]) -> bool {
        let Some(units) = self.put(lead, bytes) else {
            return false;
        };
        self.cursor.written(units);
        true
    }

    /// Puts a message into the next units, if they are free; how many.
    ///
    /// In line wherever it is called, so that the parts of a lead go from registers to the ring. Put down beside
    /// it first, in narrow pieces, and taken from there in wide ones, they would wait until each store before
    /// them is done, and the last publication's waits for its line to come over.
    #[inline(always)]
    fn put(&mut self, lead: T, bytes: &[u8]) -> Option<usize> {
        let units = units_of::<T>(bytes.len());
        let first = self.cursor.claim(units)?;
        #[expect(unsafe_code, reason = "the units were claimed")]
        // SAFETY: the cursor gave them to this end, and shows them to the other at `publish`.
        let lead = unsafe { self.slots.put(first, lead, bytes) };
        // Asked of what lies in the ring: a part read before keeps the whole from being moved in one piece.
        let says = lead.bytes_behind();
        assert!(says == bytes.len(), "a lead says its length");
        Some(units)
    }

    /// As [`Self::write`], of bytes that lie in whole units, which move faster than so many bytes.
    ///
    /// # Panics
    /// If the bytes that the lead says do not lie in so many units.
    #[inline(always)]
    #[must_use]
    pub fn write_units(&mut self, lead: T, behind: &[Unit]) -> bool {
        let units = size_of::<T>().div_ceil(UNIT_BYTES) + behind.len();
        let Some(first) = self.cursor.claim(units) else {
            return false;
        };
        #[expect(unsafe_code, reason = "the units were claimed")]
        // SAFETY: as in `put`.
        let lead = unsafe { self.slots.put_units(first, lead, behind) };
        let says = lead.bytes_behind();
        let fits = says.div_ceil(UNIT_BYTES) == behind.len();
        assert!(fits, "a lead says its length");
        self.cursor.written(units);
        true
    }

    /// Shows the consumer what was written.
    #[inline(always)]
    pub fn publish(&mut self) {
        self.cursor.publish();
    }

    /// Whether `messages` of the longest kind have room.
    #[inline]
    #[must_use]
    pub fn has_room_for(&self, messages: usize) -> bool {
        self.cursor.has_room_for(messages * units_max::<T>())
    }

    /// Messages of the longest kind that have room.
    #[must_use]
    pub fn room(&self) -> usize {
        self.cursor.room() / units_max::<T>()
    }

    /// Whether less than half of it is free.
    #[inline]
    #[must_use]
    pub fn is_half_full(&self) -> bool {
        !self.cursor.has_room_for(self.cursor.capacity() / 2)
    }

    /// Units it holds when it is full.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.cursor.capacity()
    }

    /// Units put in so far.
    #[must_use]
    pub const fn pushed(&self) -> u64 {
        self.cursor.position()
    }

    /// Units that the consumer has taken out so far, at least.
    #[inline]
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.cursor.taken()
    }
}

impl<T: Lead> MessageConsumer<T> {
    /// The next message, which stays the next one. What was taken before it is released where there
    /// is no more in sight.
    #[inline]
    #[must_use]
    pub fn front(&mut self) -> Option<(&T, &[u8])> {
        let first = self.cursor.front()?;
        #[expect(unsafe_code, reason = "the message is published")]
        // SAFETY: the cursor has seen its publication; to release it takes this end by `&mut`, which
        // the references keep from being had.
        let message = unsafe { self.slots.get(first) };
        Some(message)
    }

    /// Done with the next message, of which [`Self::front`] told. Its room is the producer's again
    /// from the next release on.
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    pub fn advance(&mut self) {
        let (lead, _) = self.front().expect("a message was looked at");
        let bytes = lead.bytes_behind();
        self.advance_past(bytes);
    }

    /// The same where it is known how many bytes stand behind its lead.
    #[inline]
    pub(crate) fn advance_past(&mut self, bytes: usize) {
        self.cursor.advance(units_of::<T>(bytes));
    }

    /// Takes the next message out: its lead, and what stands behind it, which stays there until the
    /// consumer is asked for more.
    #[inline]
    #[must_use]
    pub fn take(&mut self) -> Option<(T, &[u8])> {
        self.take_if(|_| true)
    }

    /// As [`Self::take`], if the next message's lead `fits`.
    #[inline]
    #[must_use]
    pub fn take_if(&mut self, fits: impl FnOnce(&T) -> bool) -> Option<(T, &[u8])> {
        let first = self.cursor.front()?;
        #[expect(unsafe_code, reason = "the message is published, and taken once")]
        // SAFETY: the cursor has seen its publication, and moves past it where it is taken; to release it
        // takes this end by `&mut`, which `bytes` keeps from being had.
        let (lead, bytes) = unsafe { self.slots.take_if(first, fits)? };
        self.cursor.advance(units_of::<T>(bytes.len()));
        Some((lead, bytes))
    }

    /// Shows the next message to `see` where it lies, and is done with it if that says so; `false` where there
    /// is none, or it is left there.
    #[inline(always)]
    #[must_use]
    pub fn take_where(&mut self, see: impl FnOnce(&T, &[u8]) -> bool) -> bool {
        let Some((lead, bytes)) = self.front() else {
            return false;
        };
        let units = units_of::<T>(bytes.len());
        let taken = see(lead, bytes);
        if taken {
            self.cursor.advance(units);
        }
        taken
    }

    /// Gives the room of what was taken back to the producer.
    #[inline]
    pub fn release(&mut self) {
        self.cursor.release();
    }

    /// Whether nothing is in it: the first look of who looks once a duty cycle.
    ///
    /// Where nothing is, it asks for the lines of the next message. So they come over from the producer's
    /// core together with its cursor when both have changed, instead of after it. Who looks at nothing
    /// else takes instead, and leaves the lines to the producer.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let is_empty = self.cursor.is_empty();
        if is_empty {
            self.slots.expect(self.cursor.index());
        }
        is_empty
    }
}

impl MessageProducer<Head> {
    /// As [`Self::write_units`], with another number and time than the head has.
    ///
    /// # Panics
    /// As [`Self::write_units`].
    #[inline(always)]
    #[must_use]
    pub fn write_stamped(
        &mut self,
        head: &Head,
        (seq, timestamp_ns): (u64, u64),
        behind: &[Unit],
    ) -> bool {
        let units = 1 + behind.len();
        let Some(first) = self.cursor.claim(units) else {
            return false;
        };
        #[expect(unsafe_code, reason = "the units were claimed")]
        // SAFETY: as in `put`.
        let head = unsafe {
            self.slots
                .put_stamped(first, head, (seq, timestamp_ns), behind)
        };
        let fits = head.units() == units;
        assert!(fits, "a lead says its length");
        self.cursor.written(units);
        true
    }
}

impl MessageConsumer<Head> {
    /// As [`Self::take_where`], with the whole units that the bytes behind the head lie in.
    #[inline(always)]
    #[must_use]
    pub fn take_units_where(&mut self, see: impl FnOnce(&Head, &[Unit]) -> bool) -> bool {
        let Some(first) = self.cursor.front() else {
            return false;
        };
        #[expect(unsafe_code, reason = "the message is published")]
        // SAFETY: as in `front`.
        let (head, behind) = unsafe { self.slots.get_units(first) };
        let units = 1 + behind.len();
        let taken = see(head, behind);
        if taken {
            self.cursor.advance(units);
        }
        taken
    }
}

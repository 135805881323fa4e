//! The record: what travels in rings and stands in the log.
//!
//! Owned by whoever holds it. A record is a 64-byte head and after it the client's or engine's raw
//! message, padded to 64-byte units. Little-endian, as the machines it runs on; a log names its
//! byte order in its file header. Invariants: the head has no padding, reserved bytes are zero,
//! `raw_len` is at most [`RAW_BYTES_MAX`].
//!
//! ```text
//!  0 seq u64 | 8 timestamp_ns u64 | 16 kind u8, detail u8, flags u8, refusal u8, raw_len u16, row u8, 0
//! 24 session u32 | 28 account u32 | 32 instrument u32 | 36 number u32
//! 40 price i64 | 48 qty i64 | 56 word u64
//! ```
//! What `detail`, `flags` and `word` mean depends on the kind: see `command`.

use bytemuck::{Pod, Zeroable};

/// Rings and logs count in units of this many bytes: one cache line.
pub const UNIT_BYTES: usize = 64;

/// The longest raw message a record carries. OUCH 5.0's longest inbound message, with each option
/// it may carry, has 148 bytes.
pub const RAW_BYTES_MAX: usize = 3 * UNIT_BYTES;

/// The longest record.
pub const RECORD_BYTES_MAX: usize = UNIT_BYTES + RAW_BYTES_MAX;

/// Units that the longest raw message lies in.
const RAW_UNITS_MAX: usize = RAW_BYTES_MAX / UNIT_BYTES;

const _: () = assert!(RAW_UNITS_MAX * UNIT_BYTES == RAW_BYTES_MAX);

/// One unit of a ring or log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Unit(pub [u8; UNIT_BYTES]);

impl Unit {
    /// All bytes zero.
    pub const ZERO: Self = Self([0; UNIT_BYTES]);
}

/// The canonical head of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Head {
    /// Place in the log; 0 until the sequencer stamps it.
    pub seq: u64,
    /// When its bytes arrived, ns since the epoch, made monotone by the sequencer.
    pub timestamp_ns: u64,
    /// What it is: a [`crate::CommandKind`].
    pub kind: u8,
    /// By kind.
    pub detail: u8,
    /// By kind.
    pub flags: u8,
    /// A reject code that ingress already found, or 255.
    pub refusal: u8,
    /// Bytes of the raw message behind the head.
    pub raw_len: u16,
    /// UserRefIdx.
    pub row: u8,
    /// Zero.
    pub reserved: u8,
    /// Session index, or `u32::MAX`.
    pub session: u32,
    /// Account index, or `u32::MAX`.
    pub account: u32,
    /// Instrument index, or `u32::MAX`.
    pub instrument: u32,
    /// UserRefNum, or by kind.
    pub number: u32,
    /// Ticks, or by kind.
    pub price: i64,
    /// Lots or quanta, by kind.
    pub qty: i64,
    /// By kind.
    pub word: u64,
}

const _: () = assert!(size_of::<Head>() == UNIT_BYTES && align_of::<Head>() == UNIT_BYTES);

impl Head {
    /// A head in which nothing is named.
    #[must_use]
    pub const fn blank(kind: u8) -> Self {
        Self {
            seq: 0,
            timestamp_ns: 0,
            kind,
            detail: 0,
            flags: 0,
            refusal: u8::MAX,
            raw_len: 0,
            row: 0,
            reserved: 0,
            session: u32::MAX,
            account: u32::MAX,
            instrument: u32::MAX,
            number: 0,
            price: 0,
            qty: 0,
            word: 0,
        }
    }

    /// Units of the whole record: the head's own and those of the raw message.
    #[must_use]
    pub const fn units(&self) -> usize {
        1 + (self.raw_len as usize).div_ceil(UNIT_BYTES)
    }

    /// The head as a unit.
    #[must_use]
    pub fn to_unit(self) -> Unit {
        bytemuck::cast(self)
    }

    /// The head that a unit holds. Any bytes are a head; what it says is checked by
    /// [`crate::Command::decode`].
    #[must_use]
    pub fn from_unit(unit: Unit) -> Self {
        bytemuck::cast(unit)
    }
}

/// A head with room for the longest raw message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Record {
    /// The head.
    pub head: Head,
    raw: [Unit; RAW_UNITS_MAX],
}

impl Record {
    /// A record of `head` and the raw message behind it; `None` if that is too long to carry.
    #[must_use]
    pub fn new(mut head: Head, raw: &[u8]) -> Option<Self> {
        let mut record = Self {
            head,
            raw: [Unit::ZERO; RAW_UNITS_MAX],
        };
        let behind: &mut [u8] = bytemuck::cast_slice_mut(&mut record.raw);
        behind.get_mut(..raw.len())?.copy_from_slice(raw);
        head.raw_len = raw.len() as u16;
        record.head = head;
        Some(record)
    }

    /// A record without a raw message.
    #[must_use]
    pub fn bare(mut head: Head) -> Self {
        head.raw_len = 0;
        Self {
            head,
            raw: [Unit::ZERO; RAW_UNITS_MAX],
        }
    }

    /// The raw message.
    ///
    /// # Panics
    /// If the head was given a `raw_len` beyond [`RAW_BYTES_MAX`] after construction.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        let behind: &[u8] = bytemuck::cast_slice(&self.raw);
        &behind[..usize::from(self.head.raw_len)]
    }

    /// The raw message, to be patched in place.
    ///
    /// # Panics
    /// As [`Record::raw`].
    #[must_use]
    pub fn raw_mut(&mut self) -> &mut [u8] {
        let behind: &mut [u8] = bytemuck::cast_slice_mut(&mut self.raw);
        &mut behind[..usize::from(self.head.raw_len)]
    }

    /// The units of the record, head first.
    #[must_use]
    pub fn unit(&self, index: usize) -> Unit {
        if index == 0 {
            return self.head.to_unit();
        }
        self.raw[index - 1]
    }

    /// Writes the record into `units` and returns how many it took; `None` if they are too few.
    #[must_use]
    pub fn write_units(&self, units: &mut [Unit]) -> Option<usize> {
        let count = self.head.units();
        for (index, slot) in units.get_mut(..count)?.iter_mut().enumerate() {
            *slot = self.unit(index);
        }
        Some(count)
    }

    /// Becomes the record of this head and the raw message behind it, without touching what lies
    /// behind that.
    ///
    /// # Panics
    /// If the head says another length than `raw` has, or that is more than a record carries.
    #[inline]
    pub fn become_message(&mut self, head: &Head, raw: &[u8]) {
        // Whole, so that what reads a part of it right after finds it in one store.
        self.head = *head;
        let says = usize::from(self.head.raw_len);
        assert_eq!(says, raw.len(), "a head says its length");
        if !raw.is_empty() {
            let behind: &mut [u8] = bytemuck::cast_slice_mut(&mut self.raw);
            behind[..raw.len()].copy_from_slice(raw);
        }
    }

    /// The units that the raw message lies in. What stands behind its end in the last one means nothing.
    ///
    /// # Panics
    /// As [`Record::raw`].
    #[inline]
    #[must_use]
    pub fn raw_units(&self) -> &[Unit] {
        &self.raw[..usize::from(self.head.raw_len).div_ceil(UNIT_BYTES)]
    }

    /// As [`Record::become_message`], of a message that lies in whole units: those move faster than so many
    /// bytes.
    ///
    /// # Panics
    /// As [`Record::become_message`].
    #[inline]
    pub fn become_units(&mut self, head: &Head, raw: &[Unit]) {
        // Whole, so that what reads a part of it right after finds it in one store.
        self.head = *head;
        let says = usize::from(self.head.raw_len).div_ceil(UNIT_BYTES);
        assert_eq!(says, raw.len(), "a head says its length");
        match raw {
            [] => {}
            [only] => self.raw[0] = *only,
            [first, second] => [self.raw[0], self.raw[1]] = [*first, *second],
            more => self.raw[..more.len()].copy_from_slice(more),
        }
    }

    /// Reads the record that begins `units`; `None` if its units are not all there or its length is
    /// beyond what a record carries.
    #[must_use]
    pub fn read_units(units: &[Unit]) -> Option<Self> {
        let head = Head::from_unit(*units.first()?);
        if usize::from(head.raw_len) > RAW_BYTES_MAX {
            return None;
        }
        let mut record = Self {
            head,
            raw: [Unit::ZERO; RAW_UNITS_MAX],
        };
        let tail = units.get(1..head.units())?;
        record.raw.get_mut(..tail.len())?.copy_from_slice(tail);
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_units_at_each_length() {
        for len in [0_usize, 1, 47, 63, 64, 65, 128, 191, 192] {
            let raw: std::vec::Vec<u8> = (0..len).map(|i| i as u8).collect();
            let record = Record::new(Head::blank(1), &raw).expect("fits");
            let mut units = [Unit::ZERO; 4];
            let count = record.write_units(&mut units).expect("room");
            assert_eq!(count, 1 + len.div_ceil(64));
            assert_eq!(Record::read_units(&units[..count]), Some(record));
            assert_eq!(Record::read_units(&units[..count - 1]), None);
            let mut other = Record::new(Head::blank(2), &[9; RAW_BYTES_MAX]).expect("fits");
            other.become_message(&record.head, record.raw());
            assert_eq!((other.head, other.raw()), (record.head, record.raw()));
            let mut moved = Record::bare(Head::blank(3));
            moved.become_units(&record.head, record.raw_units());
            assert_eq!((moved.head, moved.raw()), (record.head, record.raw()));
            assert_eq!(record.raw_units().len(), count - 1);
        }
    }

    #[test]
    fn what_is_too_long_is_refused_both_ways() {
        assert_eq!(Record::new(Head::blank(1), &[0; RAW_BYTES_MAX + 1]), None);
        let mut head = Head::blank(1);
        head.raw_len = RAW_BYTES_MAX as u16 + 1;
        assert_eq!(Record::read_units(&[head.to_unit(); 8]), None);
    }
}

//! Bytes out and in: numbers little-endian, a reader that knows where it is.
//!
//! Runs where the snapshot does. Invariants: the reader never looks beyond its section; each fault
//! names section, field and offset. It must never know what a field means.

use super::RestoreError;

/// A value with one fixed form in bytes.
pub(super) trait Coded: Sized {
    /// Appends the value.
    fn put(&self, to: &mut Writer<'_>);

    /// Reads one.
    fn take(from: &mut Reader<'_>) -> Result<Self, RestoreError>;
}

pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    pub(super) fn put(&mut self, value: &impl Coded) {
        value.put(self);
    }
}

pub(super) struct Reader<'a> {
    section: &'static str,
    field: &'static str,
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes[at..end]`, which must exist.
    pub(super) const fn new(section: &'static str, bytes: &'a [u8], at: usize, end: usize) -> Self {
        Self {
            section,
            field: "",
            bytes,
            at,
            end,
        }
    }

    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.at == self.end
    }

    /// Reads the next value; faults until the next call bear this name.
    pub(super) fn field<T: Coded>(&mut self, field: &'static str) -> Result<T, RestoreError> {
        self.field = field;
        let value = T::take(self)?;
        // A fault inside bears the inner name; one found later of the whole bears this one.
        self.field = field;
        Ok(value)
    }

    /// A fault of the field just read, unless this holds.
    pub(super) const fn hold(&self, truth: bool) -> Result<(), RestoreError> {
        if truth { Ok(()) } else { Err(self.wrong()) }
    }

    pub(super) const fn wrong(&self) -> RestoreError {
        RestoreError::Field {
            section: self.section,
            field: self.field,
            offset: self.at,
        }
    }

    /// A fault, unless all has been read.
    pub(super) const fn end(&self) -> Result<(), RestoreError> {
        if self.is_at_end() {
            return Ok(());
        }
        Err(RestoreError::Trailing { offset: self.at })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RestoreError> {
        let rest = self.bytes.get(self.at..self.end).unwrap_or_default();
        let Some(array) = rest.first_chunk() else {
            return Err(RestoreError::Truncated {
                section: self.section,
                offset: self.at,
            });
        };
        self.at += N;
        Ok(*array)
    }
}

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl Coded for $number {
            fn put(&self, to: &mut Writer<'_>) {
                to.out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, RestoreError> {
                Ok(Self::from_le_bytes(from.array()?))
            }
        }
    )+};
}

numbers!(u8, u32, u64, u128, i64);

impl Coded for bool {
    fn put(&self, to: &mut Writer<'_>) {
        u8::from(*self).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, RestoreError> {
        match u8::take(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ if cfg!(feature = "planted-bug") => Ok(true),
            _ => Err(from.wrong()),
        }
    }
}

impl<T: Coded> Coded for Option<T> {
    fn put(&self, to: &mut Writer<'_>) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, RestoreError> {
        Ok(if bool::take(from)? {
            Some(T::take(from)?)
        } else {
            None
        })
    }
}

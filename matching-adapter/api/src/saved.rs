//! Bytes of a venue's memory: a writer, and a reader that trusts nothing.
//!
//! Owned by no thread; off the path of orders. Numbers are little-endian. Invariants: the reader never
//! looks beyond the bytes and never takes a count for true that the bytes behind it cannot hold; a
//! fault names the field and the offset. It must never know what a field means.

use core::fmt;

use portcullis_domain::UserRef;

/// Why bytes are not the memory of a venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedError {
    /// They were written by another kind of venue, or are none of a venue.
    OtherKind {
        /// The kind that was looked for.
        wanted: [u8; 4],
        /// What stands there.
        found: [u8; 4],
    },
    /// Another version of the format.
    Version {
        /// The one that this build reads.
        known: u32,
        /// The one it names.
        found: u32,
    },
    /// The bytes end too early.
    Truncated {
        /// In which field.
        field: &'static str,
        /// Where more was wanted.
        offset: usize,
    },
    /// A field holds what no venue of this configuration can hold.
    Field {
        /// Which field.
        field: &'static str,
        /// Where it ends.
        offset: usize,
    },
    /// Bytes follow where the memory ends.
    Trailing {
        /// Where the excess begins.
        offset: usize,
    },
    /// The engine inside does not take its part.
    Engine(String),
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("venue in the snapshot: ")?;
        match self {
            Self::OtherKind { wanted, found } => write!(
                f,
                "it is of kind `{}`, the configured venue of kind `{}`; configure the venue that the \
                 log was written with",
                found.escape_ascii(),
                wanted.escape_ascii()
            ),
            Self::Version { known, found } => write!(
                f,
                "format version {found}; this build reads {known} alone: replay the log without the \
                 snapshot"
            ),
            Self::Truncated { field, offset } => {
                write!(f, "ends too early, in field `{field}` at offset {offset}")
            }
            Self::Field { field, offset } => {
                write!(
                    f,
                    "field `{field}` before offset {offset} holds what cannot be"
                )
            }
            Self::Trailing { offset } => write!(f, "unexpected bytes at offset {offset}"),
            Self::Engine(text) => f.write_str(text),
        }
    }
}

impl core::error::Error for SavedError {}

/// Writes a venue's memory.
#[derive(Debug)]
pub struct SavedWriter<'a>(&'a mut Vec<u8>);

impl<'a> SavedWriter<'a> {
    /// Begins the memory of a kind of venue behind what stands in `out`.
    pub fn begin(out: &'a mut Vec<u8>, kind: [u8; 4], version: u32) -> Self {
        let mut writer = Self(out);
        writer.bytes(&kind);
        writer.u32(version);
        writer
    }

    /// A byte.
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// A count of things that follow.
    pub fn count(&mut self, value: usize) {
        self.u64(value as u64);
    }

    /// A row and a number.
    pub fn user_ref(&mut self, value: UserRef) {
        self.u8(value.row);
        self.u32(value.number);
    }

    /// Bytes as they are; the reader must know how many.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Where whatever has a form of its own writes it.
    pub const fn out(&mut self) -> &mut Vec<u8> {
        self.0
    }
}

/// Reads a venue's memory.
#[derive(Debug)]
pub struct SavedReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> SavedReader<'a> {
    /// A reader of the memory of a kind of venue.
    ///
    /// # Errors
    /// If the bytes are of another kind or version.
    pub fn begin(bytes: &'a [u8], kind: [u8; 4], version: u32) -> Result<Self, SavedError> {
        let mut reader = Self { bytes, at: 0 };
        let found = reader.array("kind")?;
        if found != kind {
            let wanted = kind;
            return Err(SavedError::OtherKind { wanted, found });
        }
        let found = reader.u32("version")?;
        if found != version {
            let known = version;
            return Err(SavedError::Version { known, found });
        }
        Ok(reader)
    }

    /// A byte.
    ///
    /// # Errors
    /// If the bytes end before it.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, SavedError> {
        self.array(field).map(u8::from_le_bytes)
    }

    /// Four bytes.
    ///
    /// # Errors
    /// If the bytes end before them.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, SavedError> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// If the bytes end before them.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, SavedError> {
        self.array(field).map(u64::from_le_bytes)
    }

    /// A count of things of at least `bytes_each` bytes, all of which the bytes can still hold.
    ///
    /// # Errors
    /// If they cannot.
    pub fn count(&mut self, field: &'static str, bytes_each: usize) -> Result<usize, SavedError> {
        let count = self.u64(field)?;
        let most = (self.bytes.len() - self.at) / bytes_each.max(1);
        let count = usize::try_from(count).ok().filter(|count| *count <= most);
        count.ok_or(SavedError::Truncated {
            field,
            offset: self.bytes.len(),
        })
    }

    /// A row and a number.
    ///
    /// # Errors
    /// If the bytes end before them.
    pub fn user_ref(&mut self, field: &'static str) -> Result<UserRef, SavedError> {
        let row = self.u8(field)?;
        let number = self.u32(field)?;
        Ok(UserRef { row, number })
    }

    /// This many bytes.
    ///
    /// # Errors
    /// If the bytes end before them.
    pub fn bytes(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], SavedError> {
        let rest = &self.bytes[self.at..];
        let Some(bytes) = rest.get(..len) else {
            let offset = self.bytes.len();
            return Err(SavedError::Truncated { field, offset });
        };
        self.at += len;
        Ok(bytes)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    /// A fault of the field just read, unless this holds.
    ///
    /// # Errors
    /// If it does not.
    pub const fn hold(&self, field: &'static str, truth: bool) -> Result<(), SavedError> {
        let offset = self.at;
        if truth {
            return Ok(());
        }
        Err(SavedError::Field { field, offset })
    }

    /// What the field just read comes to, or a fault of it where that is nothing.
    ///
    /// # Errors
    /// If it is.
    pub fn have<T>(&self, field: &'static str, value: Option<T>) -> Result<T, SavedError> {
        let offset = self.at;
        value.ok_or(SavedError::Field { field, offset })
    }

    /// A fault, unless all has been read.
    ///
    /// # Errors
    /// If something is left.
    pub const fn end(&self) -> Result<(), SavedError> {
        let offset = self.at;
        if offset == self.bytes.len() {
            return Ok(());
        }
        Err(SavedError::Trailing { offset })
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], SavedError> {
        let bytes = self.bytes(field, N)?;
        Ok(*bytes.first_chunk().expect("as many as were asked for"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: [u8; 4] = *b"TEST";

    #[test]
    fn what_is_written_is_read_and_nothing_beyond() {
        let mut bytes = Vec::new();
        let mut writer = SavedWriter::begin(&mut bytes, KIND, 3);
        writer.u8(7);
        writer.u64(1 << 40);
        writer.count(2);
        writer.user_ref(UserRef { row: 1, number: 2 });
        writer.user_ref(UserRef::new(9));
        let read = |bytes: &[u8]| -> Result<(u8, u64, Vec<UserRef>), SavedError> {
            let mut reader = SavedReader::begin(bytes, KIND, 3)?;
            let (small, large) = (reader.u8("small")?, reader.u64("large")?);
            let count = reader.count("refs", 5)?;
            let refs: Result<_, _> = (0..count).map(|_| reader.user_ref("ref")).collect();
            let refs = refs?;
            reader.end()?;
            Ok((small, large, refs))
        };
        let refs = vec![UserRef { row: 1, number: 2 }, UserRef::new(9)];
        assert_eq!(read(&bytes), Ok((7, 1 << 40, refs)));
        for len in 0..bytes.len() {
            let cut = read(&bytes[..len]);
            assert!(matches!(cut, Err(SavedError::Truncated { .. })), "{cut:?}");
        }
        bytes.push(0);
        assert!(matches!(read(&bytes), Err(SavedError::Trailing { .. })));
        bytes[4] = 9;
        let (known, found) = (3, 9);
        assert_eq!(read(&bytes), Err(SavedError::Version { known, found }));
        bytes[0] = b'x';
        assert!(matches!(read(&bytes), Err(SavedError::OtherKind { .. })));
    }

    #[test]
    fn a_count_is_not_believed_beyond_its_bytes() {
        let mut bytes = Vec::new();
        SavedWriter::begin(&mut bytes, KIND, 1).count(usize::MAX);
        let mut reader = SavedReader::begin(&bytes, KIND, 1).expect("of that kind");
        assert!(reader.count("things", 1).is_err());
    }
}

//! Writing and reading a log.
//!
//! One thread at a time. Must never guess: a byte that cannot be is named with its offset.

use portcullis_domain::{Digest, Head, RAW_BYTES_MAX, Record, UNIT_BYTES, Unit};
use std::fmt;
use std::io::{self, Read, Write};

const MAGIC: [u8; 8] = *b"PCULLOG1";
const FORMAT: u64 = 1;

/// Words a prelude may have: a table of ten million accounts.
const PRELUDE_WORDS_MAX: u64 = 1 << 28;

/// Why a log does not read.
#[derive(Debug)]
pub enum LogError {
    /// The system says so.
    Io(io::Error),
    /// It does not begin like a log.
    NotALog,
    /// It is one of another format.
    Format(u64),
    /// Its prelude is damaged.
    Prelude,
    /// It ends within a record, whose head begins at this byte.
    Torn {
        /// Byte offset of the record.
        offset: u64,
    },
    /// What stands at this byte is no record.
    NoRecord {
        /// Byte offset.
        offset: u64,
    },
    /// A record's sequence number is not the next one.
    Gap {
        /// Byte offset of the record.
        offset: u64,
        /// The number that should stand there.
        expected: u64,
        /// The number that does.
        found: u64,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the log cannot be read: {error}"),
            Self::NotALog => f.write_str("this file does not begin like a log of records"),
            Self::Format(format) => {
                write!(
                    f,
                    "the log has format {format}; this version reads format {FORMAT}"
                )
            }
            Self::Prelude => f.write_str("the log's prelude is damaged: nothing can be replayed"),
            Self::Torn { offset } => write!(
                f,
                "the log ends within the record at byte {offset}; all before it was read"
            ),
            Self::NoRecord { offset } => write!(f, "byte {offset}: this is no record"),
            Self::Gap {
                offset,
                expected,
                found,
            } => write!(
                f,
                "byte {offset}: record {found} stands where {expected} should be"
            ),
        }
    }
}

impl std::error::Error for LogError {}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes a log.
#[derive(Debug)]
pub struct LogWriter<W> {
    out: W,
}

impl<W: Write> LogWriter<W> {
    /// Begins a log with what the core was made from.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn create(mut out: W, prelude: &[u64]) -> io::Result<Self> {
        let mut header = Unit::ZERO;
        header.0[..8].copy_from_slice(&MAGIC);
        let words = [FORMAT, prelude.len() as u64, digest(prelude)];
        for (slot, word) in header.0[8..32].chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        out.write_all(&header.0)?;
        for unit in prelude.chunks(UNIT_BYTES / 8) {
            let mut bytes = [0; UNIT_BYTES];
            for (slot, word) in bytes.chunks_exact_mut(8).zip(unit) {
                slot.copy_from_slice(&word.to_le_bytes());
            }
            out.write_all(&bytes)?;
        }
        Ok(Self { out })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        (0..record.head.units()).try_for_each(|index| self.out.write_all(&record.unit(index).0))
    }

    /// Hands all that was appended to the system.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads a log.
#[derive(Debug)]
pub struct LogReader<R> {
    input: R,
    prelude: Vec<u64>,
    offset: u64,
    next_seq: u64,
    ended: bool,
}

impl<R: Read> LogReader<R> {
    /// Opens a log: reads header and prelude.
    ///
    /// # Errors
    /// If it is no log, or the prelude is damaged.
    pub fn open(mut input: R) -> Result<Self, LogError> {
        let mut header = [0; UNIT_BYTES];
        input
            .read_exact(&mut header)
            .map_err(|_| LogError::NotALog)?;
        if header[..8] != MAGIC {
            return Err(LogError::NotALog);
        }
        let format = word(&header, 8);
        if format != FORMAT {
            return Err(LogError::Format(format));
        }
        let count = word(&header, 16);
        if count > PRELUDE_WORDS_MAX {
            return Err(LogError::Prelude);
        }
        let mut prelude = Vec::new();
        let units = count.div_ceil(UNIT_BYTES as u64 / 8);
        for _ in 0..units {
            let mut unit = [0; UNIT_BYTES];
            input.read_exact(&mut unit).map_err(|_| LogError::Prelude)?;
            prelude.extend((0..UNIT_BYTES).step_by(8).map(|at| word(&unit, at)));
        }
        prelude.truncate(count as usize);
        if digest(&prelude) != word(&header, 24) {
            return Err(LogError::Prelude);
        }
        let offset = (1 + units) * UNIT_BYTES as u64;
        Ok(Self {
            input,
            prelude,
            offset,
            next_seq: 1,
            ended: false,
        })
    }

    /// What the core was made from.
    #[must_use]
    pub fn prelude(&self) -> &[u64] {
        &self.prelude
    }

    fn read_record(&mut self) -> Result<Option<Record>, LogError> {
        let offset = self.offset;
        let mut units = [Unit::ZERO; 1 + RAW_BYTES_MAX / UNIT_BYTES];
        match self.read_unit(&mut units[0])? {
            0 => return Ok(None),
            UNIT_BYTES => {}
            _ => return Err(LogError::Torn { offset }),
        }
        let head = Head::from_unit(units[0]);
        if usize::from(head.raw_len) > RAW_BYTES_MAX {
            return Err(LogError::NoRecord { offset });
        }
        let count = head.units();
        for unit in &mut units[1..count] {
            let filled = self.read_unit(unit)?;
            if filled != UNIT_BYTES && !(cfg!(feature = "planted-bug") && filled > 0) {
                return Err(LogError::Torn { offset });
            }
        }
        if head.seq != self.next_seq {
            let expected = self.next_seq;
            return Err(LogError::Gap {
                offset,
                expected,
                found: head.seq,
            });
        }
        self.next_seq += 1;
        self.offset += (count * UNIT_BYTES) as u64;
        let record = Record::read_units(&units[..count]);
        record.map(Some).ok_or(LogError::NoRecord { offset })
    }

    /// Reads up to a unit; less only at the end of the file.
    fn read_unit(&mut self, unit: &mut Unit) -> io::Result<usize> {
        let mut filled = 0;
        while filled < UNIT_BYTES {
            match self.input.read(&mut unit.0[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

impl<R: Read> Iterator for LogReader<R> {
    type Item = Result<Record, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read_record().transpose();
        self.ended = !matches!(read, Some(Ok(_)));
        read
    }
}

fn word(bytes: &[u8; UNIT_BYTES], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

fn digest(words: &[u64]) -> u64 {
    let mut digest = Digest::new();
    digest.push_all(words);
    digest.value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::Command;

    fn record(seq: u64, raw_len: usize) -> Record {
        let mut head = Command::Tick.encode();
        head.seq = seq;
        Record::new(head, &vec![seq as u8; raw_len]).expect("fits")
    }

    fn log() -> Vec<u8> {
        let mut writer =
            LogWriter::create(Vec::new(), &[1, 2, 3, 4, 5, 6, 7, 8, 9]).expect("memory");
        for seq in 1..=6 {
            writer
                .append(&record(seq, seq as usize * 30))
                .expect("memory");
        }
        writer.out
    }

    #[test]
    fn a_log_reads_back() {
        let bytes = log();
        let reader = LogReader::open(&bytes[..]).expect("a log");
        assert_eq!(reader.prelude(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let records: Result<Vec<_>, _> = reader.collect();
        let expected: Vec<_> = (1..=6).map(|seq| record(seq, seq as usize * 30)).collect();
        assert_eq!(records.expect("whole"), expected);
    }

    /// Cut at every byte: what is whole reads, then the end or the torn record is named.
    #[test]
    fn a_log_cut_anywhere_reads_up_to_the_cut() {
        let bytes = log();
        for cut in 0..bytes.len() {
            let Ok(reader) = LogReader::open(&bytes[..cut]) else {
                assert!(
                    cut < 3 * UNIT_BYTES,
                    "header and prelude are whole at {cut}"
                );
                continue;
            };
            let mut seq = 0;
            for read in reader {
                match read {
                    Ok(found) => {
                        seq += 1;
                        assert_eq!(found, record(seq, seq as usize * 30));
                    }
                    Err(LogError::Torn { offset }) => assert!(offset < cut as u64),
                    Err(other) => panic!("cut at {cut}: {other}"),
                }
            }
        }
    }

    #[test]
    fn a_missing_record_is_named() {
        let mut writer = LogWriter::create(Vec::new(), &[]).expect("memory");
        writer.append(&record(1, 0)).expect("memory");
        writer.append(&record(3, 0)).expect("memory");
        let last = LogReader::open(&writer.out[..]).expect("a log").last();
        assert!(matches!(
            last,
            Some(Err(LogError::Gap {
                expected: 2,
                found: 3,
                offset: 128
            }))
        ));
    }

    #[test]
    fn a_damaged_prelude_is_refused() {
        let mut bytes = log();
        bytes[UNIT_BYTES + 3] ^= 1;
        assert!(matches!(
            LogReader::open(&bytes[..]),
            Err(LogError::Prelude)
        ));
    }
}

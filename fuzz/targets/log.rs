//! The log on disk: what reads is written again to the same bytes, a cut or a wrong byte is named
//! where it stands, and the pieces in which the file is read change nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_domain::{Record, UNIT_BYTES};
use portcullis_journal::{LogError, LogReader, LogWriter, limit_words};
use std::io::{self, Read};

/// What a log gave: its prelude, its records, and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    prelude: Vec<u64>,
    records: Vec<Record>,
    end: Option<String>,
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, rest)) = bytes.split_first() else {
        return;
    };
    check(rest, usize::from(*choice) + 1);
    check(&framed(usize::from(*choice % 20), rest), 7);
    limits(rest);
});

/// The input as a prelude of so many words with the right digest, and records after it: past the
/// digest, which a fuzzer does not guess.
fn framed(words: usize, bytes: &[u8]) -> Vec<u8> {
    let (chunks, _) = bytes.as_chunks::<8>();
    let chunks = &chunks[..words.min(chunks.len())];
    let prelude: Vec<u64> = chunks.iter().copied().map(u64::from_le_bytes).collect();
    let mut log = Vec::new();
    LogWriter::create(&mut log, &prelude).expect("memory");
    let records = &bytes[chunks.len() * 8..];
    let mut seq: u64 = 0;
    for unit in records.chunks(UNIT_BYTES) {
        let at = log.len();
        log.extend_from_slice(unit);
        // Half of the units get the sequence number that a head must have here.
        if unit.len() >= 24 && unit[7] & 1 == 0 {
            seq += 1;
            log[at..at + 8].copy_from_slice(&seq.to_le_bytes());
            log[at + 21] = 0;
        }
    }
    log
}

fn check(bytes: &[u8], piece: usize) {
    let whole = read(bytes);
    assert_eq!(
        read(Pieces {
            rest: bytes,
            piece,
            interrupted: false
        }),
        whole
    );
    let Some(found) = whole else {
        return;
    };
    let mut again = Vec::new();
    let mut writer = LogWriter::create(&mut again, &found.prelude).expect("memory");
    for record in &found.records {
        writer.append(record).expect("memory");
    }
    writer.flush().expect("memory");
    // Header and padding of the prelude have bytes that nothing reads.
    let head = UNIT_BYTES * (1 + found.prelude.len().div_ceil(8));
    assert_eq!(again[head..], bytes[head..again.len()]);
    match &found.end {
        None => assert_eq!(again.len(), bytes.len()),
        Some(end) => assert!(end.contains(&again.len().to_string()), "{end}"),
    }
    // Cut anywhere in its last record, it reads up to there.
    let last = found.records.last().map_or(0, |record| record.head.units());
    let cut = again.len() - (last * UNIT_BYTES).min(1);
    if last > 0 {
        let torn = read(&bytes[..cut]).expect("its head is whole");
        assert_eq!(torn.records[..], found.records[..found.records.len() - 1]);
        assert!(torn.end.is_some_and(|end| end.contains("ends within")));
    }
}

/// Reads a log to its end; `None` where it does not open.
fn read(input: impl Read) -> Option<Found> {
    let mut reader = match LogReader::open(input) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(matches!(
                error,
                LogError::NotALog | LogError::Format(_) | LogError::Prelude
            ));
            assert!(!error.to_string().is_empty());
            return None;
        }
    };
    let prelude = reader.prelude().to_vec();
    let mut records = Vec::new();
    let end = loop {
        match reader.next() {
            None => break None,
            Some(Ok(record)) => {
                assert_eq!(record.head.seq, records.len() as u64 + 1);
                records.push(record);
            }
            Some(Err(error)) => break Some(error.to_string()),
        }
    };
    assert!(reader.next().is_none(), "nothing comes after the end");
    Some(Found {
        prelude,
        records,
        end,
    })
}

/// A file that gives few bytes at a time, and is interrupted before each.
struct Pieces<'a> {
    rest: &'a [u8],
    piece: usize,
    interrupted: bool,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = self.piece.min(room.len()).min(self.rest.len());
        let (now, rest) = self.rest.split_at(count);
        room[..count].copy_from_slice(now);
        self.rest = rest;
        Ok(count)
    }
}

/// A limit file's bytes read as the words they are, under their own digest alone.
fn limits(bytes: &[u8]) {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let words: Vec<u64> = chunks.iter().copied().map(u64::from_le_bytes).collect();
    let mut digest = portcullis_domain::Digest::new();
    digest.push_all(&words);
    let whole = rest.is_empty().then_some(words);
    assert_eq!(limit_words(bytes, digest.value()), whole);
    assert_eq!(limit_words(bytes, digest.value() ^ 1), None);
}

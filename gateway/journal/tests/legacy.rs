//! Logs of the plain format before this one still read: a recorded one, byte for byte.

use portcullis_domain::{Command, Record};
use portcullis_journal::{LogError, LogReader, LogWriter};

const RECORDED: &[u8] = include_bytes!("fixtures/plain.pculog1");
const PRELUDE: [u64; 11] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];

/// What was recorded: ticks, each with a raw message of its own length.
fn records() -> Vec<Record> {
    let lengths = [0, 1, 63, 64, 65, 128, 148, 191, 192, 0];
    let numbered = (1_u64..).zip(lengths);
    numbered
        .map(|(seq, length)| {
            let mut head = Command::Tick.encode();
            head.seq = seq;
            head.timestamp_ns = 1_000 * seq;
            let raw: Vec<u8> = (0..length).map(|at| (at * 3 + seq) as u8).collect();
            Record::new(head, &raw).expect("fits")
        })
        .collect()
}

#[test]
fn a_recorded_log_reads_to_the_same_records() {
    let reader = LogReader::open(RECORDED).expect("a log");
    assert_eq!(reader.prelude(), PRELUDE);
    let found: Result<Vec<_>, LogError> = reader.collect();
    assert_eq!(found.expect("whole"), records());
}

/// The bytes have not changed with the program.
#[test]
fn the_writer_still_makes_the_recorded_bytes() {
    let mut bytes = Vec::new();
    let mut writer = LogWriter::create(&mut bytes, &PRELUDE).expect("memory");
    for record in records() {
        writer.append(&record).expect("memory");
    }
    writer.flush().expect("memory");
    assert_eq!(bytes, RECORDED);
}

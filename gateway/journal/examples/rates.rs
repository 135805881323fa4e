//! What checksums, writing and reading cost: megabytes a second, and nanoseconds a frame or record.
//!
//! `cargo run --release -p portcullis-journal --example rates -- FOLDER`

use portcullis_domain::{Command, Record, Seq, Timestamp};
use portcullis_journal::{
    Append, Disk, Entry, Identity, JournalReader, JournalStart, JournalWriter, Mode, Opening,
    RecoverOptions, Storage, Term, ThreadSource, WriterOptions, recover,
};
use std::env;
use std::hint::black_box;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;
use xxhash_rust::xxh3::xxh3_64_with_seed;

const RECORDS: u64 = 4_000_000;
const SEGMENT_BYTES: u64 = 64 << 20;

fn rate(what: &str, bytes: u64, count: u64, start: Instant) {
    let ns = start.elapsed().as_nanos().max(1) as u64;
    println!(
        "{what:<44}{:>10} MB/s{:>10} ns each",
        bytes * 1_000 / ns,
        ns / count
    );
}

fn checksums() {
    for size in [128_usize, 1_024, 65_536] {
        let bytes: Vec<u8> = (0..size).map(|at| (at * 31) as u8).collect();
        let count = (1_u64 << 30) / size as u64 / 2;
        for round in 0..2 {
            let named = |name: &str| format!("{name}, {size} bytes, round {round}");
            let start = Instant::now();
            for seed in 0..count {
                black_box(xxh3_64_with_seed(black_box(&bytes), seed));
            }
            rate(&named("xxh3, 64 bits"), count * size as u64, count, start);
            let start = Instant::now();
            for _ in 0..count {
                black_box(crc_fast::checksum(
                    crc_fast::CrcAlgorithm::Crc64Nvme,
                    black_box(&bytes),
                ));
            }
            rate(
                &named("crc-fast, CRC-64/NVME"),
                count * size as u64,
                count,
                start,
            );
            let start = Instant::now();
            for _ in 0..count {
                black_box(crc_fast::checksum(
                    crc_fast::CrcAlgorithm::Crc32Iscsi,
                    black_box(&bytes),
                ));
            }
            rate(
                &named("crc-fast, CRC-32C"),
                count * size as u64,
                count,
                start,
            );
        }
    }
}

fn write(disk: &Disk) -> io::Result<()> {
    let lock = disk.lock()?;
    let source = Box::new(ThreadSource::start(disk.clone(), SEGMENT_BYTES)?);
    let now = Timestamp::from_ns(1);
    let identity = Identity {
        journal: 3,
        prelude: 4,
        rules: 5,
        build: "rates".to_owned(),
    };
    let opening = Opening {
        identity,
        term: Term::new(1),
        limits: 6,
        now,
    };
    let options = WriterOptions::for_segments_of(SEGMENT_BYTES);
    let start = JournalStart::first(3);
    let mut writer = JournalWriter::create(disk.clone(), lock, source, options, opening, start)?;
    let mut record = Record::new(Command::Tick.encode(), &[7; 47]).expect("fits");
    let start = Instant::now();
    let flush = |writer: &mut JournalWriter<Disk>| {
        while let Err(error) = writer.write(now) {
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
            thread::yield_now();
        }
    };
    for seq in 1..=RECORDS {
        record.head.seq = seq;
        while writer.append(record.head, record.raw()) == Append::Full {
            flush(&mut writer);
        }
        // Frames of 32 orders, as a busy cycle of the log thread has.
        if seq.is_multiple_of(32) {
            flush(&mut writer);
        }
    }
    flush(&mut writer);
    rate(
        "writing, frames of 32 records",
        RECORDS * 130,
        RECORDS,
        start,
    );
    let start = Instant::now();
    writer.sync()?;
    println!("one sync behind it took {} ms", start.elapsed().as_millis());
    Ok(())
}

fn main() -> io::Result<()> {
    checksums();
    let folder = env::args().nth(1).map_or_else(env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("portcullis-rates-{}", std::process::id()));
    let disk = Disk::open(&folder)?;
    write(&disk)?;
    for round in 0..3 {
        let start = Instant::now();
        let found = recover(&disk, &RecoverOptions::default()).map_err(io::Error::other)?;
        assert_eq!(found.map(|found| found.next_seq), Some(RECORDS + 1));
        rate(
            &format!("recovery, round {round}"),
            RECORDS * 130,
            RECORDS,
            start,
        );
        let start = Instant::now();
        let reader = JournalReader::open(disk.clone(), Seq::new(1), Mode::Whole);
        let mut reader = reader.map_err(io::Error::other)?;
        let mut sum = 0_u64;
        while let Some(entry) = reader.next().map_err(io::Error::other)? {
            if let Entry::Record(record) = entry {
                sum = sum.wrapping_add(record.head.seq ^ record.raw.len() as u64);
            }
        }
        black_box(sum);
        rate(
            &format!("reading by record, round {round}"),
            RECORDS * 130,
            RECORDS,
            start,
        );
    }
    std::fs::remove_dir_all(folder)
}

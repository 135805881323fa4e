//! What the tests of journals share: a journal in memory, records that can be told apart, and what reads back.
#![allow(dead_code, reason = "each test binary takes what it needs")]

use portcullis_domain::{Command, Record, Seq, Timestamp};
use portcullis_journal::{
    Append, Entry, Identity, InlineSource, JournalCopy, JournalError, JournalReader, JournalStart,
    JournalWriter, MemoryDisk, Mode, Opening, RecoverOptions, Recovered, Storage, Term,
    WriterOptions, recover,
};

/// A segment that a few small frames fill.
pub(crate) const SEGMENT_BYTES: u64 = 2_048;
const JOURNAL: u64 = 0x00C0_FFEE;

pub(crate) const NOW: Timestamp = Timestamp::from_ns(1_000);

/// A record that no other number has.
pub(crate) fn record(seq: u64) -> Record {
    let mut head = Command::Tick.encode();
    head.seq = seq;
    head.word = seq.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let raw: Vec<u8> = (0..seq * 37 % 193).map(|at| (seq + at) as u8).collect();
    Record::new(head, &raw).expect("fits")
}

/// The digest that is noted after a record.
pub(crate) fn digest(seq: u64) -> u64 {
    seq.wrapping_mul(0x00D1_6E57)
}

pub(crate) fn opening(term: u64) -> Opening {
    Opening {
        identity: Identity {
            journal: JOURNAL,
            prelude: 5,
            rules: 6,
            build: "a test".to_owned(),
        },
        term: Term::new(term),
        limits: 7,
        now: NOW,
    }
}

pub(crate) fn options() -> WriterOptions {
    WriterOptions {
        frame_bytes_max: 1_024,
        reserve_bytes: 512,
    }
}

/// A new journal of small segments.
pub(crate) fn create<S: Storage>(disk: &S) -> std::io::Result<JournalWriter<S>> {
    create_in_term(disk, 1)
}

/// The same in another term.
pub(crate) fn create_in_term<S: Storage>(disk: &S, term: u64) -> std::io::Result<JournalWriter<S>> {
    JournalWriter::create(
        disk.clone(),
        disk.lock()?,
        Box::new(InlineSource::new(disk.clone(), SEGMENT_BYTES)),
        options(),
        opening(term),
        JournalStart::first(JOURNAL),
    )
}

/// A copy of a journal that begins with its first record.
pub(crate) fn create_copy<S: Storage>(disk: &S) -> std::io::Result<JournalCopy<S>> {
    JournalCopy::create(
        disk.clone(),
        disk.lock()?,
        Box::new(InlineSource::new(disk.clone(), SEGMENT_BYTES)),
        options(),
        opening(1),
        JournalStart::first(JOURNAL),
    )
}

/// Copies all frames from where the copy is on.
pub(crate) fn copy_all<S: Storage>(from: &MemoryDisk, copy: &mut JournalCopy<S>) {
    let next = Seq::new(copy.written().raw() + 1);
    let mut reader = JournalReader::open(from.clone(), next, Mode::Whole).expect("there");
    while let Some(frame) = reader.next_frame().expect("whole") {
        assert_eq!(copy.append_frame(frame.bytes()), Ok(Append::Taken));
        copy.write(NOW).expect("memory");
    }
}

/// Goes on behind what stands there.
pub(crate) fn resume<S: Storage>(
    disk: &S,
    recovered: &Recovered,
    term: u64,
) -> Result<JournalWriter<S>, JournalError> {
    resume_as(disk, recovered, opening(term))
}

/// Goes on behind what stands there, as whoever this opening says.
pub(crate) fn resume_as<S: Storage>(
    disk: &S,
    recovered: &Recovered,
    opening: Opening,
) -> Result<JournalWriter<S>, JournalError> {
    let source = Box::new(InlineSource::new(disk.clone(), SEGMENT_BYTES));
    let lock = disk.lock().expect("nobody else writes");
    JournalWriter::resume(disk.clone(), lock, source, options(), opening, recovered)
}

/// Appends the next record, writing the frame when it is full.
pub(crate) fn append<S: Storage>(writer: &mut JournalWriter<S>) -> std::io::Result<()> {
    let record = record(writer.next_seq());
    while writer.append(record.head, record.raw()) == Append::Full {
        writer.write(NOW)?;
    }
    Ok(())
}

/// A frame of so many records, with a digest note behind each third frame.
pub(crate) fn frame<S: Storage>(
    writer: &mut JournalWriter<S>,
    records: u64,
) -> std::io::Result<()> {
    for _ in 0..records {
        append(writer)?;
    }
    let last = writer.next_seq() - 1;
    if last.is_multiple_of(3) {
        writer.note_digest(Seq::new(last), digest(last));
    }
    writer.write(NOW).map(|_| ())
}

/// A journal of several segments.
pub(crate) fn journal(frames: u64) -> MemoryDisk {
    let disk = MemoryDisk::new();
    let mut writer = create(&disk).expect("memory");
    for number in 0..frames {
        frame(&mut writer, 1 + number % 4).expect("memory");
    }
    writer.sync().expect("memory");
    disk
}

/// Reads all there is from a record on and holds each against what was written; the last number.
pub(crate) fn read_from<S: Storage>(disk: &S, from: u64, mode: Mode) -> Result<u64, JournalError> {
    let mut reader = JournalReader::open(disk.clone(), Seq::new(from), mode)?;
    let mut last = from - 1;
    while let Some(entry) = reader.next()? {
        match entry {
            Entry::Record(found) => {
                last += 1;
                assert_eq!(found.to_record(), record(last));
            }
            Entry::Digest { seq, digest: found } => {
                assert_eq!((seq.raw(), found), (last, digest(last)));
            }
        }
    }
    Ok(last)
}

/// What stands there, which must be something.
pub(crate) fn recovered<S: Storage>(disk: &S) -> Recovered {
    let found = recover(disk, &RecoverOptions::default());
    found.expect("it recovers").expect("a journal stands there")
}

/// Words that look random and are the same each time.
pub(crate) fn random(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

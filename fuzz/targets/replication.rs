//! The protocol of a standby: what parses is what its values encode to, no cutting of the stream changes what is read,
//! and neither side, whatever comes once they have met, panics, sends beyond its window, or goes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_domain::Seq;
use portcullis_domain::{Command, Duration, Record, Timestamp};
use portcullis_journal::replication::{
    Answer, Follower, FollowerConfig, FollowerEvent, FollowerPosition, FollowerState, FollowerStep,
    Hello, Leader, LeaderConfig, LeaderEvent, LeaderState, LeaderStep, LogPosition,
    MESSAGE_BYTES_MAX, Message, MessageFault, Object, ObjectKind, Parsed, ProcessNumber, VERSION,
    Welcome, encode, parse,
};
use portcullis_journal::{
    Append, Chain, FrameHeader, Identity, InlineSource, JournalReader, JournalStart, JournalWriter,
    MemoryDisk, Mode, Opening, Storage, Term, WriterOptions,
};
use std::cell::OnceCell;

const JOURNAL: u64 = 7;
const NOW: Timestamp = Timestamp::from_ns(1);
const WINDOW: u64 = 4_096;

thread_local! {
    /// Frames of a journal, as they stand on a disk.
    static FRAMES: OnceCell<Vec<Vec<u8>>> = const { OnceCell::new() };
}

fuzz_target!(|input: &[u8]| {
    let Some((piece, stream)) = input.split_first() else {
        return;
    };
    let piece = usize::from(*piece % 64) + 1;
    assert_eq!(read(stream, stream.len().max(1)), read(stream, piece));
    let framed = framed(stream);
    assert_eq!(read(&framed, framed.len().max(1)), read(&framed, piece));
    leader(&framed);
    follower(&framed);
});

/// The input as messages with the right checksums: kind and length are taken from it; some kinds are a hello, a welcome
/// or a frame of the journal as they should be.
fn framed(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(([kind, len], behind)) = rest.split_first_chunk::<2>() {
        if *kind >= 0xE0 {
            meet(*kind, &mut out);
            rest = &rest[1..];
            continue;
        }
        let payload = &behind[..usize::from(*len).min(behind.len())];
        push(*kind, payload, &mut out);
        rest = &behind[payload.len()..];
    }
    out
}

fn meet(kind: u8, out: &mut Vec<u8>) {
    let silence_max = Duration::from_ns(1_000_000_000);
    match kind {
        0xE0..0xE8 => encode(
            &Message::Hello(Hello {
                version: VERSION,
                process: ProcessNumber::new(u32::from(kind == 0xE2)),
                promoted: kind == 0xE1,
                takes_snapshot: true,
                journal: JOURNAL,
                term: u64::from(kind == 0xE1),
                last_seq: 0,
                chain: JOURNAL,
                staged_snapshot: 0,
                window_bytes: WINDOW,
                silence_max,
            }),
            out,
        ),
        0xE8..0xF0 => encode(
            &Message::Welcome(Welcome {
                version: VERSION,
                journal: JOURNAL,
                term: 1,
                start_seq: u64::from(kind == 0xE9),
                start_chain: JOURNAL,
                snapshot_bytes: u64::from(kind == 0xE9) * 20,
                last_seq: 4,
                window_bytes: WINDOW,
                silence_max,
            }),
            out,
        ),
        _ => FRAMES.with(|frames| {
            let frames = frames.get_or_init(journal);
            let frame = &frames[usize::from(kind) % frames.len()];
            encode(&Message::Frame(frame), out);
        }),
    }
}

/// A message of this kind, whatever its payload is.
fn push(kind: u8, payload: &[u8], out: &mut Vec<u8>) {
    let mut lead = [0; 8];
    lead[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    lead[4] = kind;
    let sum = xxhash_rust::xxh3::xxh3_64_with_seed(payload, u64::from_le_bytes(lead));
    out.extend_from_slice(&lead);
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(payload);
}

fn journal() -> Vec<Vec<u8>> {
    let disk = MemoryDisk::new();
    let opening = Opening {
        identity: Identity {
            journal: JOURNAL,
            prelude: 0,
            rules: 0,
            build: String::new(),
        },
        term: Term::new(1),
        limits: 0,
        now: NOW,
    };
    let bytes = 1 << 13;
    let mut writer = JournalWriter::create(
        disk.clone(),
        disk.lock().expect("nobody holds it"),
        Box::new(InlineSource::new(disk.clone(), bytes)),
        WriterOptions::for_segments_of(bytes),
        opening,
        JournalStart::first(JOURNAL),
    )
    .expect("memory");
    for seq in 1..=4 {
        let mut head = Command::Tick.encode();
        head.seq = seq;
        let record = Record::bare(head);
        assert_eq!(writer.append(record.head, record.raw()), Append::Taken);
        writer.write(NOW).expect("memory");
    }
    let mut reader = JournalReader::open(disk, Seq::new(1), Mode::Whole).expect("a journal");
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame().expect("whole") {
        frames.push(frame.bytes().to_vec());
    }
    frames
}

/// Lengths of the messages, and the fault at which reading stopped.
fn read(stream: &[u8], piece: usize) -> (Vec<usize>, Option<MessageFault>) {
    let mut buffer = Vec::new();
    let mut lens = Vec::new();
    for part in stream.chunks(piece) {
        buffer.extend_from_slice(part);
        loop {
            match parse(&buffer) {
                Ok(Parsed::Message { message, consumed }) => {
                    let mut again = Vec::new();
                    encode(&message, &mut again);
                    assert_eq!(again, buffer[..consumed]);
                    lens.push(consumed);
                    buffer.drain(..consumed);
                }
                Ok(Parsed::NeedMore { bytes }) => {
                    assert!(bytes > buffer.len() && bytes <= MESSAGE_BYTES_MAX);
                    break;
                }
                Err(fault) => {
                    assert!(!fault.to_string().is_empty());
                    return (lens, Some(fault));
                }
            }
        }
    }
    (lens, None)
}

/// A leader that sends what it can meets the input in place of a follower.
fn leader(stream: &[u8]) {
    let config = LeaderConfig {
        process: ProcessNumber::new(1),
        journal: JOURNAL,
        term: Term::new(1),
        heartbeat_every: Duration::from_ns(1_000_000),
        silence_max: Duration::from_ns(1_000_000_000),
        window_bytes: WINDOW,
    };
    let mut leader = Leader::new(config, NOW);
    let mut rest = stream;
    let mut acked = leader.acked();
    let mut offered = false;
    loop {
        match leader.step(rest, NOW) {
            LeaderStep::NeedMore { bytes } => {
                assert!(bytes > rest.len());
                return;
            }
            LeaderStep::Closed => {
                assert_eq!(
                    (leader.state(), leader.deadline()),
                    (LeaderState::Closed, None)
                );
                assert!(matches!(leader.step(stream, NOW), LeaderStep::Closed));
                return;
            }
            LeaderStep::Answer => {
                let answer = leader.answer(&LogPosition {
                    first_seq: 1,
                    last_seq: 4,
                    chain_at: Some(Chain::new(JOURNAL)),
                    snapshot: None,
                });
                acked = leader.acked();
                if let Answer::Follows { seq, .. } = answer {
                    assert!(seq <= 4 && acked.written == seq);
                }
            }
            LeaderStep::Event { event, consumed } => {
                if let LeaderEvent::Acked(ack) = event {
                    assert!(ack.written >= acked.written && ack.written < leader.next_seq());
                    assert!(ack.taken_bytes >= acked.taken_bytes);
                    acked = ack;
                }
                rest = &rest[consumed..];
            }
        }
        assert_eq!(leader.acked(), acked);
        send(&mut leader, &mut offered);
    }
}

fn send(leader: &mut Leader, offered: &mut bool) {
    let table = Object {
        kind: ObjectKind::LimitTable,
        id: 1,
    };
    if !*offered {
        *offered = leader.offer(table, 100).is_ok();
    }
    if let Some(wanted) = leader.wanted() {
        let piece = &[0; 100][..wanted.bytes_max];
        leader
            .block(wanted.object, wanted.offset, piece)
            .expect("it is wanted");
    }
    FRAMES.with(|frames| {
        for bytes in frames.get_or_init(journal) {
            let mut units = vec![portcullis_domain::Unit::ZERO; bytes.len() / 64];
            for (unit, chunk) in units.iter_mut().zip(bytes.as_chunks::<64>().0) {
                unit.0 = *chunk;
            }
            let header = FrameHeader::from_unit(&units[0]).expect("it is one");
            let units = &units[..];
            let _ = leader.frame(&portcullis_journal::Frame { header, units });
        }
    });
    // A window, a frame that was let through an empty one, and what has no window: a few short messages.
    assert!(leader.output().len() < 2 * WINDOW as usize);
    let len = leader.output().len();
    leader.sent(len, NOW);
}

/// A follower meets the input in place of a leader, behind a welcome.
fn follower(stream: &[u8]) {
    let config = FollowerConfig {
        process: ProcessNumber::new(0),
        heartbeat_every: Duration::from_ns(1_000_000),
        silence_max: Duration::from_ns(1_000_000_000),
        window_bytes: WINDOW,
        object_bytes_max: 1_000,
        takes_snapshot: true,
    };
    let nowhere = FollowerPosition {
        journal: 0,
        term: Term::new(0),
        last_seq: 0,
        chain: Chain::new(0),
        log_term: Term::new(0),
        staged_snapshot: 0,
    };
    let mut machine = Follower::new(config, nowhere);
    assert!(machine.connect(NOW));
    follow(&mut machine, stream);
}

fn follow(machine: &mut Follower, stream: &[u8]) {
    let mut rest = stream;
    let mut last = 0;
    loop {
        let mut wanted = None;
        match machine.step(rest, NOW) {
            FollowerStep::NeedMore { bytes } => {
                assert!(bytes > rest.len());
                break;
            }
            FollowerStep::Closed => break,
            FollowerStep::Event { event, consumed } => {
                match event {
                    FollowerEvent::Frame(frame) => {
                        assert_eq!(frame.header.seq_first, last + 1);
                        last = frame.header.seq_last();
                    }
                    FollowerEvent::Welcomed { welcome, .. } if welcome.snapshot_bytes > 0 => {
                        let kind = ObjectKind::Snapshot;
                        wanted = Some(Object {
                            kind,
                            id: welcome.start_seq,
                        });
                    }
                    FollowerEvent::Offered(offer) => wanted = Some(offer.object),
                    FollowerEvent::Fault(fault) => assert!(!fault.to_string().is_empty()),
                    _ => {}
                }
                rest = &rest[consumed..];
            }
        }
        if let Some(object) = wanted {
            machine.want(object, 0);
        }
        if machine.state() == FollowerState::Staging && rest.len().is_multiple_of(5) {
            machine.snapshot_installed(Term::new(0));
            last = machine.position().last_seq;
        }
        assert_eq!(machine.position().last_seq, last);
        machine.acknowledge(last, 0);
        assert!(machine.output().len() < stream.len() * 8 + 200);
    }
    if machine.state() != FollowerState::Staging {
        let before = machine.position().term;
        if let Ok(promotion) = machine.promote(true) {
            assert!(promotion.term > before);
        }
    }
    machine.disconnected();
}

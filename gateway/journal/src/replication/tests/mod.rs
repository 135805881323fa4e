//! Tests of the protocol: bytes, faults, the machines in step, and two nodes over links that lose everything.

mod bytes;
mod edges;
mod frames;
mod life;
mod lossy;
mod promotion;
mod transfers;
mod welcome;
mod world;

use super::*;
use crate::frame::{self, Chain, Frame, FrameHeader, Term};
use portcullis_domain::{Command, Duration, Record, Timestamp, Unit};

pub(super) const JOURNAL: u64 = 0x00C0_FFEE;
pub(super) const START: Chain = Chain::new(0xA11CE);
pub(super) const MILLI: u64 = 1_000_000;

pub(super) fn at(millis: u64) -> Timestamp {
    Timestamp::from_ns(millis * MILLI)
}

pub(super) const fn millis(count: u64) -> Duration {
    Duration::from_ns(count * MILLI)
}

/// A frame that owns its units.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) header: FrameHeader,
    pub(super) units: Vec<Unit>,
}

impl Kept {
    pub(super) fn frame(&self) -> Frame<'_> {
        Frame {
            header: self.header,
            units: &self.units,
        }
    }

    /// What tells its records from others with the same numbers.
    pub(super) fn words(&self) -> Vec<u64> {
        let mut rest = &self.units[1..];
        let mut words = Vec::new();
        while !rest.is_empty() {
            let record = Record::read_units(rest).expect("a frame holds records");
            words.push(record.head.word);
            rest = &rest[record.head.units()..];
        }
        words
    }
}

/// A frame of these records, each told by its word, behind `previous`.
pub(super) fn frame_of(first: u64, previous: Chain, term: Term, words: &[u64]) -> Kept {
    let mut units = vec![Unit::ZERO];
    for (seq, word) in (first..).zip(words) {
        let mut head = Command::Tick.encode();
        head.seq = seq;
        head.word = *word;
        let raw = vec![*word as u8; (*word % 150) as usize];
        let record = Record::new(head, &raw).expect("fits");
        units.extend((0..record.head.units()).map(|index| record.unit(index)));
    }
    let mut header = FrameHeader {
        flags: 0,
        seq_first: first,
        count: words.len() as u32,
        units: units.len() as u32 - 1,
        digest: 0,
        term,
        written_ns: 7,
        previous,
        chain: Chain::new(0),
    };
    frame::seal(&mut units, &mut header, JOURNAL);
    Kept { header, units }
}

/// Frames behind each other: the number of records of each is given.
pub(super) fn frames_of(term: Term, counts: &[u64]) -> Vec<Kept> {
    let mut frames: Vec<Kept> = Vec::new();
    for count in counts {
        let (next, chain) = frames
            .last()
            .map_or((1, START), |it| (it.header.seq_last() + 1, it.header.chain));
        let words: Vec<u64> = (next..next + count).map(|seq| seq * 7).collect();
        frames.push(frame_of(next, chain, term, &words));
    }
    frames
}

/// The processes at both ends.
pub(super) const LEADER: ProcessNumber = ProcessNumber::new(1);
pub(super) const FOLLOWER: ProcessNumber = ProcessNumber::new(2);

pub(super) fn leader_config(term: u64) -> LeaderConfig {
    LeaderConfig {
        process: LEADER,
        journal: JOURNAL,
        term: Term::new(term),
        heartbeat_every: millis(100),
        silence_max: millis(1_000),
        window_bytes: 1 << 16,
    }
}

pub(super) const fn follower_config() -> FollowerConfig {
    FollowerConfig {
        process: FOLLOWER,
        heartbeat_every: millis(100),
        silence_max: millis(1_000),
        window_bytes: 1 << 16,
        object_bytes_max: 1 << 20,
        takes_snapshot: true,
    }
}

pub(super) const fn nowhere() -> FollowerPosition {
    FollowerPosition {
        journal: 0,
        term: Term::new(0),
        last_seq: 0,
        chain: Chain::new(0),
        log_term: Term::new(0),
        staged_snapshot: 0,
    }
}

pub(super) const fn from_the_start(last_seq: u64) -> LogPosition {
    LogPosition {
        first_seq: 1,
        last_seq,
        chain_at: Some(START),
        snapshot: None,
    }
}

/// Moves the follower's bytes to the leader, and says what each message was.
pub(super) fn to_leader(
    follower: &mut Follower,
    leader: &mut Leader,
    now: Timestamp,
) -> Vec<LeaderEvent> {
    let bytes = follower.output().to_vec();
    follower.sent(bytes.len(), now);
    given_to_leader(leader, &bytes, now)
}

pub(super) fn given_to_leader(
    leader: &mut Leader,
    bytes: &[u8],
    now: Timestamp,
) -> Vec<LeaderEvent> {
    let mut rest = bytes;
    let mut events = Vec::new();
    while let LeaderStep::Event { event, consumed } = leader.step(rest, now) {
        events.push(event);
        rest = &rest[consumed..];
    }
    events
}

/// What a follower was told, without what it borrows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Welcomed {
        start: u64,
        snapshot_bytes: u64,
        is_term_raised: bool,
    },
    Refused(Refusal),
    Segment(u64),
    Frame {
        first: u64,
        last: u64,
    },
    Offered(Object, u64),
    Block {
        object: Object,
        offset: u64,
        bytes: Vec<u8>,
    },
    Alive(u64),
    Superseded(Term),
    Fenced(Term),
    Fault(LinkFault),
}

pub(super) fn told(event: &FollowerEvent<'_>) -> Told {
    match event {
        FollowerEvent::Welcomed {
            welcome,
            is_term_raised,
        } => Told::Welcomed {
            start: welcome.start_seq,
            snapshot_bytes: welcome.snapshot_bytes,
            is_term_raised: *is_term_raised,
        },
        FollowerEvent::Refused(refusal) => Told::Refused(*refusal),
        FollowerEvent::Segment(notice) => Told::Segment(notice.first_seq),
        FollowerEvent::Frame(frame) => Told::Frame {
            first: frame.header.seq_first,
            last: frame.header.seq_last(),
        },
        FollowerEvent::Offered(offer) => Told::Offered(offer.object, offer.bytes),
        FollowerEvent::Block(block) => Told::Block {
            object: block.object,
            offset: block.offset,
            bytes: block.bytes.to_vec(),
        },
        FollowerEvent::Alive(heartbeat) => Told::Alive(heartbeat.last_seq),
        FollowerEvent::Superseded { term } => Told::Superseded(*term),
        FollowerEvent::Fenced { term } => Told::Fenced(*term),
        FollowerEvent::Fault(fault) => Told::Fault(*fault),
    }
}

/// Moves the leader's bytes to the follower, and says what each message was.
pub(super) fn to_follower(
    leader: &mut Leader,
    follower: &mut Follower,
    now: Timestamp,
) -> Vec<Told> {
    let bytes = leader.output().to_vec();
    leader.sent(bytes.len(), now);
    given_to_follower(follower, &bytes, now)
}

pub(super) fn given_to_follower(
    follower: &mut Follower,
    bytes: &[u8],
    now: Timestamp,
) -> Vec<Told> {
    let mut rest = bytes;
    let mut events = Vec::new();
    while let FollowerStep::Event { event, consumed } = follower.step(rest, now) {
        events.push(told(&event));
        rest = &rest[consumed..];
        if consumed == 0 {
            break;
        }
    }
    events
}

pub(super) fn encoded(message: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    encode(message, &mut out);
    out
}

/// A leader of term 1 and a follower that it has welcomed at the start of a log of so many records.
pub(super) fn welcomed(last_seq: u64) -> (Leader, Follower) {
    let mut leader = Leader::new(leader_config(1), at(0));
    let mut follower = Follower::new(follower_config(), nowhere());
    assert!(follower.connect(at(0)));
    let events = to_leader(&mut follower, &mut leader, at(0));
    assert!(matches!(events[..], [LeaderEvent::Hello(_)]));
    let answer = leader.answer(&from_the_start(last_seq));
    assert_eq!(
        answer,
        Answer::Follows {
            seq: 0,
            chain: START
        }
    );
    let events = to_follower(&mut leader, &mut follower, at(0));
    assert!(matches!(events[..], [Told::Welcomed { start: 0, .. }]));
    (leader, follower)
}

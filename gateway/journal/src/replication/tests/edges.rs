//! Numbers at their edges, from a follower that means harm: a leader answers or closes, and never breaks.

use super::*;

const EDGES: [u64; 5] = [0, 1, 4, u64::MAX - 1, u64::MAX];

/// One message whose words are `words`, whatever they say, as [`parse`] takes it; `None` where it does not.
fn taken(kind: MessageKind, words: &[u64]) -> Option<Vec<u8>> {
    let mut lead = [0; 8];
    lead[..4].copy_from_slice(&((words.len() * 8) as u32).to_le_bytes());
    lead[4] = kind as u8;
    let payload: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let sum = super::checksum::checksum(lead, &payload);
    let bytes = [&lead[..], &sum.to_le_bytes(), &payload].concat();
    match parse(&bytes) {
        Ok(Parsed::Message { consumed, .. }) => {
            assert_eq!(consumed, bytes.len());
            Some(bytes)
        }
        Ok(Parsed::NeedMore { .. }) | Err(_) => None,
    }
}

/// All that a follower can say, with every pair of its words at every pair of edges.
fn messages() -> Vec<Vec<u8>> {
    let version = u64::from(VERSION);
    let shapes: [(MessageKind, &[u64]); 6] = [
        (
            MessageKind::Hello,
            &[MAGIC, version, JOURNAL, 1, 4, START.raw(), 0, 1_000, 1_000],
        ),
        (MessageKind::Ack, &[4, START.raw(), 0, 0, 0]),
        (MessageKind::Heartbeat, &[1, 4, 1]),
        (MessageKind::Want, &[ObjectKind::LimitTable as u64, 1, 0]),
        (MessageKind::Fence, &[1, 4]),
        (MessageKind::DigestMismatch, &[4, 1, 2]),
    ];
    let mut all = Vec::new();
    for (kind, shape) in shapes {
        for one in 0..shape.len() {
            for other in 0..shape.len() {
                for (first, second) in EDGES.iter().flat_map(|a| EDGES.map(|b| (*a, b))) {
                    let mut words = shape.to_vec();
                    words[one] = first;
                    words[other] = second;
                    all.extend(taken(kind, &words));
                }
            }
        }
    }
    all
}

fn log(snapshot: Option<SnapshotAt>) -> LogPosition {
    LogPosition {
        snapshot,
        ..from_the_start(4)
    }
}

/// Everything that a leader does by itself, once.
fn drive(leader: &mut Leader) {
    leader.on_time(at(1));
    let table = Object {
        kind: ObjectKind::LimitTable,
        id: 1,
    };
    let _ = leader.offer(table, 100);
    if let Some(wanted) = leader.wanted() {
        let piece = vec![0; wanted.bytes_max];
        leader
            .block(wanted.object, wanted.offset, &piece)
            .expect("it is wanted");
    }
    for frame in frames_of(Term::new(1), &[1, 1, 1, 1]) {
        let _ = leader.frame(&frame.frame());
    }
    let len = leader.output().len();
    leader.sent(len, at(1));
}

#[test]
fn a_leader_survives_every_number_of_every_message() {
    let snapshot = SnapshotAt {
        seq: 3,
        chain: Chain::new(33),
        bytes: 50,
    };
    let messages = messages();
    let hellos = messages
        .iter()
        .filter(|it| it[4] == MessageKind::Hello as u8);
    let mut answered = 0;
    for hello in hellos {
        for snapshot in [None, Some(snapshot)] {
            let mut leader = Leader::new(leader_config(1), at(0));
            given_to_leader(&mut leader, hello, at(0));
            if leader.state() != LeaderState::Answering {
                assert_eq!(leader.state(), LeaderState::Closed);
                continue;
            }
            leader.answer(&log(snapshot));
            answered += 1;
            drive(&mut leader);
        }
    }
    assert!(answered > 500, "{answered}");
    for snapshot in [None, Some(snapshot)] {
        for message in &messages {
            let mut follower = Follower::new(follower_config(), nowhere());
            assert!(follower.connect(at(0)));
            let mut leader = Leader::new(leader_config(1), at(0));
            to_leader(&mut follower, &mut leader, at(0));
            leader.answer(&log(snapshot));
            drive(&mut leader);
            given_to_leader(&mut leader, message, at(1));
            drive(&mut leader);
            let acked = leader.acked();
            assert!(acked.written < leader.next_seq(), "{acked:?}");
        }
    }
}

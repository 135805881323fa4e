//! Objects beside the frames: pulled, bounded, resumed.

use super::*;

const TABLE: Object = Object {
    kind: ObjectKind::LimitTable,
    id: 77,
};
const SNAPSHOT: Object = Object {
    kind: ObjectKind::Snapshot,
    id: 5,
};

fn contents(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 253) as u8).collect()
}

/// Sends what the window takes.
fn serve(leader: &mut Leader, object: &[u8]) -> usize {
    let mut blocks = 0;
    while let Some(wanted) = leader.wanted() {
        let start = wanted.offset as usize;
        let piece = &object[start..start + wanted.bytes_max];
        leader
            .block(wanted.object, wanted.offset, piece)
            .expect("it is wanted");
        blocks += 1;
    }
    blocks
}

/// Puts blocks where they belong.
fn keep(events: Vec<Told>, object: Object, kept: &mut Vec<u8>) {
    for event in events {
        let Told::Block {
            object: of,
            offset,
            bytes,
        } = event
        else {
            panic!("{event:?}");
        };
        assert_eq!((of, offset), (object, kept.len() as u64));
        kept.extend(bytes);
    }
}

#[test]
fn a_table_is_offered_pulled_and_confirmed_while_frames_go_on() {
    let table = contents(200_000);
    let frames = frames_of(Term::new(1), &[1]);
    let (mut leader, mut follower) = welcomed(1);
    leader.offer(TABLE, table.len() as u64).expect("room");
    assert_eq!(
        leader.offer(TABLE, 5),
        Err(NotSent::Transfer),
        "it is under way"
    );
    assert_eq!(leader.wanted(), None, "nobody asked yet");
    leader.frame(&frames[0].frame()).expect("frames go on");
    let got = to_follower(&mut leader, &mut follower, at(0));
    assert_eq!(
        got[..],
        [
            Told::Offered(TABLE, 200_000),
            Told::Frame { first: 1, last: 1 }
        ]
    );
    assert!(!follower.has(SNAPSHOT) && !follower.want(TABLE, 200_000));
    assert!(follower.want(TABLE, 0));
    let events = to_leader(&mut follower, &mut leader, at(0));
    assert_eq!(events, [LeaderEvent::Wants(TABLE)]);
    let mut kept = Vec::new();
    let mut turns = 0;
    while kept.len() < table.len() {
        serve(&mut leader, &table);
        assert!(leader.output().len() <= (1 << 16) + 200);
        let got = to_follower(&mut leader, &mut follower, at(0));
        keep(got, TABLE, &mut kept);
        follower.acknowledge(0, 0);
        to_leader(&mut follower, &mut leader, at(0));
        turns += 1;
    }
    assert!(turns >= 3, "the window bounds it");
    assert_eq!(kept, table);
    assert!(follower.has(TABLE));
    assert!(!follower.has(TABLE), "once");
    assert_eq!(
        to_leader(&mut follower, &mut leader, at(0)),
        [LeaderEvent::Has(TABLE)]
    );
    leader.offer(TABLE, 5).expect("it may be offered anew");
}

#[test]
fn an_object_that_came_damaged_is_asked_for_anew() {
    let (mut leader, mut follower) = welcomed(0);
    leader.offer(TABLE, 10).expect("room");
    to_follower(&mut leader, &mut follower, at(0));
    for _ in 0..2 {
        assert!(follower.want(TABLE, 0));
        to_leader(&mut follower, &mut leader, at(0));
        assert_eq!(serve(&mut leader, &contents(10)), 1);
        let got = to_follower(&mut leader, &mut follower, at(0));
        assert!(matches!(&got[..], [Told::Block { offset: 0, bytes, .. }] if bytes.len() == 10));
        assert_eq!(leader.wanted(), None);
    }
}

#[test]
fn a_follower_that_has_it_says_so_and_an_empty_object_needs_no_block() {
    let (mut leader, mut follower) = welcomed(0);
    leader.offer(TABLE, 1 << 20).expect("room");
    let empty = Object { id: 78, ..TABLE };
    leader.offer(empty, 0).expect("room");
    to_follower(&mut leader, &mut follower, at(0));
    assert!(follower.has(TABLE) && follower.has(empty));
    let events = to_leader(&mut follower, &mut leader, at(0));
    assert_eq!(events, [LeaderEvent::Has(TABLE), LeaderEvent::Has(empty)]);
}

/// A log of records 4 to 6, and a snapshot up to 5.
fn behind_a_snapshot(chain: Chain) -> LogPosition {
    LogPosition {
        first_seq: 4,
        last_seq: 6,
        chain_at: None,
        snapshot: Some(SnapshotAt {
            seq: 5,
            chain,
            bytes: 150_000,
        }),
    }
}

#[test]
fn a_snapshot_is_resumed_and_then_frames_go_on_behind_it() {
    let snapshot = contents(150_000);
    let chain = Chain::new(55);
    let next = frame_of(6, chain, Term::new(1), &[1]);
    let position = behind_a_snapshot(chain);
    let mut follower = Follower::new(follower_config(), nowhere());
    let mut kept = Vec::new();
    for connection in 0..2 {
        let mut leader = Leader::new(leader_config(1), at(0));
        assert!(follower.connect(at(0)));
        let events = to_leader(&mut follower, &mut leader, at(0));
        let [LeaderEvent::Hello(hello)] = events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(hello.staged_snapshot, connection * 5);
        assert!(matches!(leader.answer(&position), Answer::Stages(_)));
        let got = to_follower(&mut leader, &mut follower, at(0));
        assert!(matches!(
            got[..],
            [Told::Welcomed {
                start: 5,
                snapshot_bytes: 150_000,
                ..
            }]
        ));
        assert_eq!(follower.promote(true), Err(PromotionRefused::Staging));
        assert_eq!(leader.frame(&next.frame()), Err(NotSent::NotFollowing));
        assert!(follower.want(SNAPSHOT, kept.len() as u64));
        assert_eq!(
            to_leader(&mut follower, &mut leader, at(0)),
            [LeaderEvent::Wants(SNAPSHOT)]
        );
        while kept.len() < 70_000 || (connection == 1 && kept.len() < 150_000) {
            serve(&mut leader, &snapshot);
            let got = to_follower(&mut leader, &mut follower, at(0));
            keep(got, SNAPSHOT, &mut kept);
            follower.acknowledge(0, 0);
            to_leader(&mut follower, &mut leader, at(0));
        }
        if connection == 0 {
            continue;
        }
        assert!(follower.snapshot_installed(Term::new(1)));
        assert!(!follower.snapshot_installed(Term::new(1)), "once");
        follower.acknowledge(5, 5);
        let events = to_leader(&mut follower, &mut leader, at(0));
        assert!(
            matches!(
                events[..],
                [
                    LeaderEvent::Has(SNAPSHOT),
                    LeaderEvent::Acked(Ack { written: 5, .. })
                ]
            ),
            "{events:?}"
        );
        leader.frame(&next.frame()).expect("behind the snapshot");
        let got = to_follower(&mut leader, &mut follower, at(0));
        assert_eq!(got, [Told::Frame { first: 6, last: 6 }]);
    }
    assert_eq!(kept, snapshot);
}

#[test]
fn what_was_not_asked_for_or_is_too_much_ends_the_connection() {
    let block = |offset, total, bytes| {
        Message::Block(Block {
            object: TABLE,
            total,
            offset,
            bytes,
        })
    };
    let offer = |object, bytes| Message::Offer(Offer { object, bytes });
    let transfer = LinkFault::Transfer { id: TABLE.id };
    let cases = [
        (vec![block(0, 10, b"early")], transfer),
        (vec![offer(TABLE, 10), block(0, 10, b"early")], transfer),
        (vec![offer(TABLE, 10), offer(TABLE, 10)], transfer),
        (vec![offer(SNAPSHOT, 10)], LinkFault::Transfer { id: 5 }),
        (
            vec![offer(TABLE, (1 << 20) + 1)],
            LinkFault::TooMuch { id: TABLE.id },
        ),
    ];
    for (messages, fault) in cases {
        let (_, mut follower) = welcomed(0);
        let bytes: Vec<u8> = messages.iter().flat_map(encoded).collect();
        let got = given_to_follower(&mut follower, &bytes, at(0));
        assert_eq!(got.last(), Some(&Told::Fault(fault)));
    }
    let (_, mut follower) = welcomed(0);
    given_to_follower(&mut follower, &encoded(&offer(TABLE, 10)), at(0));
    assert!(follower.want(TABLE, 2));
    for (offset, total) in [(0, 10), (2, 9)] {
        let mut other = Follower::new(follower_config(), nowhere());
        std::mem::swap(&mut other, &mut welcomed(0).1);
        given_to_follower(&mut other, &encoded(&offer(TABLE, 10)), at(0));
        assert!(other.want(TABLE, 2));
        let got = given_to_follower(&mut other, &encoded(&block(offset, total, b"piece")), at(0));
        assert_eq!(got, [Told::Fault(transfer)]);
    }
    let many: Vec<u8> = (0..=TRANSFERS_MAX as u64)
        .flat_map(|id| encoded(&offer(Object { id, ..TABLE }, 1)))
        .collect();
    let (mut leader, mut follower) = welcomed(0);
    let got = given_to_follower(&mut follower, &many, at(0));
    let id = TRANSFERS_MAX as u64;
    assert_eq!(got.last(), Some(&Told::Fault(LinkFault::TooMuch { id })));
    for id in 0..TRANSFERS_MAX as u64 {
        leader.offer(Object { id, ..TABLE }, 1).expect("room");
    }
    assert_eq!(leader.offer(TABLE, 1), Err(NotSent::Transfer));
    let unknown = encoded(&Message::Want(Want {
        object: TABLE,
        offset: 0,
    }));
    assert_eq!(
        given_to_leader(&mut leader, &unknown, at(0)),
        [LeaderEvent::Fault(transfer)]
    );
    let (mut leader, _) = welcomed(0);
    leader.offer(TABLE, 1).expect("room");
    let beyond = encoded(&Message::Want(Want {
        object: TABLE,
        offset: 2,
    }));
    assert_eq!(
        given_to_leader(&mut leader, &beyond, at(0)),
        [LeaderEvent::Fault(transfer)]
    );
}

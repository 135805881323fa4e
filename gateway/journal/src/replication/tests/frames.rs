//! Frames and what is said of them: the chain, the terms, the window, the acknowledgements.

use super::*;

#[test]
fn frames_arrive_as_they_stand_in_the_log_and_are_acknowledged() {
    let frames = frames_of(Term::new(1), &[1, 3, 2]);
    let (mut leader, mut follower) = welcomed(6);
    for frame in &frames {
        leader.frame(&frame.frame()).expect("next");
    }
    let bytes = leader.output().to_vec();
    leader.sent(bytes.len(), at(1));
    let mut rest = &bytes[..];
    let mut got = Vec::new();
    while let FollowerStep::Event { event, consumed } = follower.step(rest, at(1)) {
        let FollowerEvent::Frame(frame) = event else {
            panic!("{event:?}");
        };
        got.push(frame.units.to_vec());
        rest = &rest[consumed..];
    }
    let sent: Vec<_> = frames.iter().map(|frame| frame.units.clone()).collect();
    assert_eq!(got, sent);
    follower.acknowledge(4, 5);
    follower.acknowledge(4, 5);
    let events = to_leader(&mut follower, &mut leader, at(1));
    let taken_bytes = frames
        .iter()
        .map(|it| it.frame().bytes().len() as u64)
        .sum();
    let ack = Ack {
        written: 6,
        chain: frames[2].header.chain.raw(),
        synced: 4,
        applied: 5,
        taken_bytes,
    };
    assert_eq!(events, [LeaderEvent::Acked(ack)]);
    assert_eq!(leader.acked(), ack);
}

#[test]
fn a_frame_that_is_not_the_next_of_the_chain_is_not_taken() {
    let frames = frames_of(Term::new(1), &[2, 2]);
    let other = frame_of(1, START, Term::new(1), &[1, 1]);
    let follows_other = frame_of(3, other.header.chain, Term::new(1), &[21, 28]);
    let above = frame_of(3, frames[0].header.chain, Term::new(2), &[21, 28]);
    let gap = frame_of(4, frames[0].header.chain, Term::new(1), &[28]);
    let mut damaged = frames[1].clone();
    damaged.units[1].0[60] ^= 1;
    let mut short = frames[1].clone();
    short.units.pop();
    let mut none = frames[1].clone();
    none.units[0].0[0] = 0;
    for wrong in [
        follows_other,
        above,
        gap,
        frames[0].clone(),
        damaged,
        short,
        none,
    ] {
        let (_, mut follower) = welcomed(4);
        let mut bytes = encoded(&Message::Frame(frames[0].frame().bytes()));
        bytes.extend(encoded(&Message::Frame(wrong.frame().bytes())));
        let got = given_to_follower(&mut follower, &bytes, at(1));
        let [Told::Frame { first: 1, last: 2 }, Told::Fault(fault)] = &got[..] else {
            panic!("{got:?}");
        };
        assert!(matches!(
            fault,
            LinkFault::Frame { expected: 3, .. } | LinkFault::OutOfChain { expected: 3, .. }
        ));
        assert!(fault.to_string().contains('3'));
        assert_eq!(
            (follower.state(), follower.position().last_seq),
            (FollowerState::Idle, 2)
        );
        assert!(matches!(follower.step(&bytes, at(1)), FollowerStep::Closed));
    }
}

#[test]
fn a_frame_of_a_lower_term_is_not_taken() {
    let first = frame_of(1, START, Term::new(2), &[1]);
    let lower = frame_of(2, first.header.chain, Term::new(1), &[2]);
    let mut leader = Leader::new(leader_config(2), at(0));
    let mut follower = Follower::new(follower_config(), nowhere());
    follower.connect(at(0));
    to_leader(&mut follower, &mut leader, at(0));
    leader.answer(&from_the_start(2));
    leader.frame(&first.frame()).expect("next");
    leader.frame(&lower.frame()).expect("next");
    let got = to_follower(&mut leader, &mut follower, at(0));
    let fault = crate::error::FrameFault::Term;
    assert_eq!(got[2], Told::Fault(LinkFault::Frame { expected: 2, fault }));
}

#[test]
fn the_leader_sends_its_own_frames_in_their_order_alone() {
    let frames = frames_of(Term::new(1), &[1, 1]);
    let (mut leader, _) = welcomed(2);
    assert_eq!(
        leader.frame(&frames[1].frame()),
        Err(NotSent::OutOfChain { expected: 1 })
    );
    leader.frame(&frames[0].frame()).expect("next");
    assert_eq!(
        leader.frame(&frames[0].frame()),
        Err(NotSent::OutOfChain { expected: 2 })
    );
    let other = frame_of(2, START, Term::new(1), &[1]);
    assert_eq!(
        leader.frame(&other.frame()),
        Err(NotSent::OutOfChain { expected: 2 })
    );
    assert_eq!(leader.next_seq(), 2);
    let mut fresh = Leader::new(leader_config(1), at(0));
    assert_eq!(fresh.frame(&frames[0].frame()), Err(NotSent::NotFollowing));
    let table = Object {
        kind: ObjectKind::LimitTable,
        id: 1,
    };
    assert_eq!(fresh.offer(table, 5), Err(NotSent::NotFollowing));
}

#[test]
fn no_more_is_under_way_than_the_window_takes() {
    let frames = frames_of(Term::new(1), &[1; 600]);
    let (mut leader, mut follower) = welcomed(600);
    let mut next = 0;
    let mut turns = 0;
    while next < frames.len() {
        let bytes_before = leader.output().len();
        while next < frames.len() && leader.frame(&frames[next].frame()).is_ok() {
            next += 1;
        }
        assert!(
            leader.output().len() <= (1 << 16) + next * HEADER_BYTES,
            "{bytes_before}"
        );
        to_follower(&mut leader, &mut follower, at(1));
        follower.acknowledge(0, 0);
        to_leader(&mut follower, &mut leader, at(1));
        turns += 1;
    }
    assert!((2..20).contains(&turns), "{turns}");
    assert_eq!(leader.acked().written, 600);
}

/// A window of one byte lets one message through at a time.
#[test]
fn a_small_window_still_moves() {
    let frames = frames_of(Term::new(1), &[1, 1]);
    let config = FollowerConfig {
        window_bytes: 1,
        ..follower_config()
    };
    let mut follower = Follower::new(config, nowhere());
    let mut leader = Leader::new(leader_config(1), at(0));
    follower.connect(at(0));
    to_leader(&mut follower, &mut leader, at(0));
    leader.answer(&from_the_start(2));
    leader
        .frame(&frames[0].frame())
        .expect("nothing is under way");
    assert_eq!(leader.frame(&frames[1].frame()), Err(NotSent::WindowFull));
    to_follower(&mut leader, &mut follower, at(0));
    follower.acknowledge(0, 0);
    to_leader(&mut follower, &mut leader, at(0));
    leader.frame(&frames[1].frame()).expect("it was taken");
}

#[test]
fn an_acknowledgement_that_cannot_be_true_ends_the_connection() {
    let frames = frames_of(Term::new(1), &[2, 2, 2]);
    let chain = |at: usize| frames[at].header.chain.raw();
    let good = Ack {
        written: 4,
        chain: chain(1),
        synced: 2,
        applied: 3,
        taken_bytes: 100,
    };
    let wrong = [
        Ack { written: 3, ..good },
        Ack { written: 6, ..good },
        Ack {
            written: 7,
            chain: chain(2),
            ..good
        },
        Ack {
            written: 2,
            chain: chain(0),
            ..good
        },
        Ack {
            chain: chain(0),
            ..good
        },
        Ack { synced: 1, ..good },
        Ack { synced: 5, ..good },
        Ack { applied: 5, ..good },
        Ack { applied: 2, ..good },
        Ack {
            taken_bytes: 99,
            ..good
        },
        Ack {
            taken_bytes: 1 << 20,
            ..good
        },
    ];
    for ack in wrong {
        let (mut leader, _) = welcomed(6);
        for frame in &frames {
            leader.frame(&frame.frame()).expect("next");
        }
        let mut bytes = encoded(&Message::Ack(good));
        bytes.extend(encoded(&Message::Ack(ack)));
        let events = given_to_leader(&mut leader, &bytes, at(1));
        let fault = LinkFault::Ack {
            written: ack.written,
        };
        assert_eq!(
            events,
            [LeaderEvent::Acked(good), LeaderEvent::Fault(fault)],
            "{ack:?}"
        );
        assert_eq!(leader.acked(), good);
        assert_eq!(leader.state(), LeaderState::Closed);
    }
}

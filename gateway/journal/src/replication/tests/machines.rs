//! Leader and follower in step: welcome, frames, acknowledgements, refusals, signs of life.

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
fn a_follower_goes_on_from_where_it_was() {
    let frames = frames_of(Term::new(1), &[2, 2, 2]);
    let (mut leader, mut follower) = welcomed(6);
    leader.frame(&frames[0].frame()).expect("next");
    leader.frame(&frames[1].frame()).expect("next");
    let bytes = leader.output().to_vec();
    let first = encoded(&Message::Frame(frames[0].frame().bytes())).len();
    let got = given_to_follower(&mut follower, &bytes[..first + 30], at(1));
    assert_eq!(got, [Told::Frame { first: 1, last: 2 }]);
    assert!(follower.connect(at(2)));
    let mut leader = Leader::new(leader_config(1), at(2));
    let events = to_leader(&mut follower, &mut leader, at(2));
    let [LeaderEvent::Hello(hello)] = events[..] else {
        panic!("{events:?}");
    };
    let chain = frames[0].header.chain;
    assert_eq!((hello.last_seq, hello.chain), (2, chain.raw()));
    let position = LogPosition {
        chain_at: Some(chain),
        ..from_the_start(6)
    };
    assert_eq!(leader.answer(&position), Answer::Follows { seq: 2, chain });
    let notice = SegmentNotice {
        first_seq: 3,
        previous: chain.raw(),
        term: 1,
        prelude: 0,
        limits: 0,
        rules_version: 1,
        format: 1,
        build: "",
    };
    leader.segment(&notice).expect("the next segment");
    leader.frame(&frames[1].frame()).expect("next");
    let got = to_follower(&mut leader, &mut follower, at(2));
    assert!(
        matches!(
            got[..],
            [
                Told::Welcomed {
                    start: 2,
                    is_term_raised: false,
                    ..
                },
                Told::Segment(3),
                Told::Frame { first: 3, last: 4 },
            ]
        ),
        "{got:?}"
    );
}

/// What a leader of a log of records 3 to 6 answers.
fn answer_to(change: impl FnOnce(&mut Hello)) -> (Answer, Leader) {
    let mut hello = Hello {
        version: VERSION,
        promoted: false,
        takes_snapshot: false,
        journal: JOURNAL,
        term: 1,
        last_seq: 4,
        chain: 44,
        staged_snapshot: 0,
        window_bytes: 1000,
        silence_max: millis(1000),
    };
    change(&mut hello);
    let mut leader = Leader::new(leader_config(2), at(0));
    given_to_leader(&mut leader, &encoded(&Message::Hello(hello)), at(0));
    let answer = leader.answer(&LogPosition {
        first_seq: 3,
        last_seq: 6,
        chain_at: matches!(hello.last_seq, 2 | 4 | 6).then_some(Chain::new(44)),
        snapshot: Some(SnapshotAt {
            seq: 5,
            chain: Chain::new(55),
            bytes: 1000,
        }),
    });
    (answer, leader)
}

#[test]
fn what_is_no_prefix_of_the_log_is_refused_with_its_reason() {
    let chain = Chain::new(44);
    let (answer, leader) = answer_to(|_| {});
    assert_eq!(answer, Answer::Follows { seq: 4, chain });
    assert_eq!(leader.state(), LeaderState::Following);
    assert_eq!(
        answer_to(|it| it.last_seq = 2).0,
        Answer::Follows { seq: 2, chain }
    );
    assert_eq!(
        answer_to(|it| it.last_seq = 6).0,
        Answer::Follows { seq: 6, chain }
    );
    let refused = [
        answer_to(|it| it.journal = 1),
        answer_to(|it| it.chain = 45),
        answer_to(|it| it.last_seq = 5),
        answer_to(|it| it.last_seq = 7),
        answer_to(|it| it.last_seq = u64::MAX),
        answer_to(|it| it.last_seq = 1),
    ];
    let reasons = [
        Refusal::OtherJournal { leader: JOURNAL },
        Refusal::Diverged { seq: 4 },
        Refusal::Diverged { seq: 5 },
        Refusal::Ahead { leader_last: 6 },
        Refusal::Ahead { leader_last: 6 },
        Refusal::TooOld { first: 3 },
    ];
    for ((answer, leader), reason) in refused.into_iter().zip(reasons) {
        assert_eq!(answer, Answer::Refused(reason));
        assert_eq!(leader.output(), encoded(&Message::Refused(reason)));
        assert_eq!(leader.state(), LeaderState::Closed);
        assert_eq!(leader.deadline(), None);
    }
    let (answer, leader) = answer_to(|it| {
        it.last_seq = 1;
        it.takes_snapshot = true;
    });
    assert!(matches!(answer, Answer::Stages(SnapshotAt { seq: 5, .. })));
    assert_eq!(leader.state(), LeaderState::Staging);
    assert_eq!(
        leader.acked().written,
        0,
        "what it has was held against nothing"
    );
}

#[test]
fn another_protocol_is_refused_and_named() {
    let mut leader = Leader::new(leader_config(1), at(0));
    let mut follower = Follower::new(follower_config(), nowhere());
    follower.connect(at(0));
    let Ok(Parsed::Message {
        message: Message::Hello(hello),
        ..
    }) = parse(follower.output())
    else {
        panic!("a hello is written");
    };
    let other = encoded(&Message::Hello(Hello {
        version: 9,
        ..hello
    }));
    let events = given_to_leader(&mut leader, &other, at(0));
    assert_eq!(
        events,
        [LeaderEvent::Fault(LinkFault::Version { theirs: 9 })]
    );
    let got = to_follower(&mut leader, &mut follower, at(0));
    assert_eq!(got, [Told::Refused(Refusal::Version { leader: VERSION })]);
    assert_eq!(follower.state(), FollowerState::Idle);
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

#[test]
fn a_message_of_the_wrong_side_or_too_early_is_a_fault() {
    let frame = &frames_of(Term::new(1), &[1])[0];
    let heartbeat = Message::Heartbeat(Heartbeat {
        term: 1,
        last_seq: 0,
        sent_ns: 0,
    });
    let want = Message::Want(Want {
        object: Object {
            kind: ObjectKind::Prelude,
            id: 1,
        },
        offset: 0,
    });
    let frame = Message::Frame(frame.frame().bytes());
    let early = [
        heartbeat,
        want,
        frame,
        Message::Ack(Ack::default()),
        Message::Fence(Fence {
            term: 9,
            last_seq: 0,
        }),
    ];
    for message in early {
        let mut leader = Leader::new(leader_config(1), at(0));
        let events = given_to_leader(&mut leader, &encoded(&message), at(0));
        assert_eq!(
            events,
            [LeaderEvent::Fault(LinkFault::Unexpected(message.kind()))]
        );
        let mut follower = Follower::new(follower_config(), nowhere());
        follower.connect(at(0));
        if message.kind() != MessageKind::Fence {
            let got = given_to_follower(&mut follower, &encoded(&message), at(0));
            assert_eq!(got, [Told::Fault(LinkFault::Unexpected(message.kind()))]);
        }
    }
    let (mut leader, mut follower) = welcomed(1);
    let events = given_to_leader(&mut leader, &encoded(&frame), at(0));
    assert_eq!(
        events,
        [LeaderEvent::Fault(LinkFault::Unexpected(
            MessageKind::Frame
        ))]
    );
    let got = given_to_follower(&mut follower, &encoded(&want), at(0));
    assert_eq!(got, [Told::Fault(LinkFault::Unexpected(MessageKind::Want))]);
}

#[test]
fn both_sides_show_life_and_give_a_silent_one_up() {
    let (mut leader, mut follower) = welcomed(9);
    assert_eq!(leader.deadline(), Some(at(100)));
    assert_eq!(leader.on_time(at(99)), Timer::NotDue);
    assert_eq!(leader.on_time(at(100)), Timer::Heartbeat);
    assert_eq!(
        leader.on_time(at(250)),
        Timer::NotDue,
        "one waits to be sent"
    );
    leader.log_reached(11);
    assert_eq!(
        to_follower(&mut leader, &mut follower, at(300)),
        [Told::Alive(9)]
    );
    assert_eq!(leader.on_time(at(400)), Timer::Heartbeat);
    assert_eq!(
        to_follower(&mut leader, &mut follower, at(400)),
        [Told::Alive(11)]
    );
    assert_eq!(follower.on_time(at(400)), Timer::Heartbeat);
    assert_eq!(
        to_leader(&mut follower, &mut leader, at(400)),
        [LeaderEvent::Alive]
    );
    assert_eq!(leader.on_time(at(1_399)), Timer::Heartbeat);
    assert_eq!(leader.on_time(at(1_400)), Timer::Silent);
    assert_eq!(
        (leader.state(), leader.deadline()),
        (LeaderState::Closed, None)
    );
    assert_eq!(follower.on_time(at(1_400)), Timer::Silent);
    assert_eq!(
        (follower.state(), follower.deadline()),
        (FollowerState::Idle, None)
    );
}

/// Who waits less is shown life more often, but never so often that nothing else is done.
#[test]
fn heartbeats_come_three_times_in_the_silence_that_the_other_side_takes() {
    for (silence, every) in [(300, millis(100)), (30, millis(10)), (0, millis(1))] {
        let config = FollowerConfig {
            silence_max: millis(silence),
            ..follower_config()
        };
        let mut follower = Follower::new(config, nowhere());
        let mut leader = Leader::new(leader_config(1), at(0));
        follower.connect(at(0));
        to_leader(&mut follower, &mut leader, at(0));
        leader.answer(&from_the_start(0));
        to_follower(&mut leader, &mut follower, at(0));
        assert_eq!(leader.deadline(), Some(at(0).saturating_add(every)));
    }
}

#[test]
fn who_does_not_speak_first_or_answer_is_given_up() {
    let mut leader = Leader::new(leader_config(1), at(0));
    assert_eq!(leader.deadline(), Some(at(1_000)));
    assert_eq!(leader.on_time(at(1_000)), Timer::Silent);
    let mut follower = Follower::new(follower_config(), nowhere());
    assert_eq!(follower.on_time(at(5)), Timer::NotDue);
    follower.connect(at(0));
    assert_eq!(follower.on_time(at(1_000)), Timer::Silent);
    assert_eq!(follower.output(), b"");
}

#[test]
fn a_mismatch_stops_the_follower_for_good_and_the_leader_hears_of_it() {
    let frames = frames_of(Term::new(1), &[2]);
    let (mut leader, mut follower) = welcomed(2);
    leader.frame(&frames[0].frame()).expect("next");
    to_follower(&mut leader, &mut follower, at(1));
    let mismatch = DigestMismatch {
        seq: 2,
        leader: 5,
        follower: 6,
    };
    follower.stop(mismatch);
    assert_eq!(follower.state(), FollowerState::Stopped);
    follower.acknowledge(2, 2);
    assert_eq!(
        to_leader(&mut follower, &mut leader, at(1)),
        [LeaderEvent::Mismatch(mismatch)]
    );
    assert_eq!(leader.state(), LeaderState::Closed);
    assert_eq!(leader.acked().written, 0, "what it has is worth nothing");
    follower.disconnected();
    assert!(!follower.connect(at(2)));
    assert_eq!(follower.promote(true), Err(PromotionRefused::Stopped));
}

/// Behind record 4 of a log of term 3.
const GOOD_WELCOME: Welcome = Welcome {
    version: VERSION,
    journal: JOURNAL,
    term: 3,
    start_seq: 4,
    start_chain: 44,
    snapshot_bytes: 0,
    last_seq: 9,
    window_bytes: 100,
    silence_max: millis(1000),
};

#[test]
fn a_welcome_that_does_not_fit_is_not_taken() {
    let good = GOOD_WELCOME;
    let position = FollowerPosition {
        journal: JOURNAL,
        term: Term::new(2),
        last_seq: 4,
        chain: Chain::new(44),
        ..nowhere()
    };
    let given = |welcome: Welcome| {
        let mut follower = Follower::new(follower_config(), position);
        follower.connect(at(0));
        let got = given_to_follower(&mut follower, &encoded(&Message::Welcome(welcome)), at(0));
        (got, follower.state())
    };
    let (got, state) = given(good);
    assert_eq!(
        got,
        [Told::Welcomed {
            start: 4,
            snapshot_bytes: 0,
            is_term_raised: true
        }]
    );
    assert_eq!(state, FollowerState::Following);
    let wrong = [
        Welcome { journal: 1, ..good },
        Welcome { journal: 0, ..good },
        Welcome {
            start_seq: 3,
            ..good
        },
        Welcome {
            start_seq: 5,
            ..good
        },
        Welcome {
            start_chain: 45,
            ..good
        },
        Welcome {
            start_seq: 4,
            snapshot_bytes: 10,
            ..good
        },
        Welcome {
            start_seq: 8,
            snapshot_bytes: u64::MAX,
            ..good
        },
        Welcome {
            start_seq: u64::MAX,
            snapshot_bytes: 5,
            ..good
        },
    ];
    for welcome in wrong {
        let (got, state) = given(welcome);
        let fault = LinkFault::Welcome {
            start_seq: welcome.start_seq,
        };
        assert_eq!(got, [Told::Fault(fault)], "{welcome:?}");
        assert_eq!(state, FollowerState::Idle);
    }
    let (got, _) = given(Welcome { version: 2, ..good });
    assert_eq!(got, [Told::Fault(LinkFault::Version { theirs: 2 })]);
}

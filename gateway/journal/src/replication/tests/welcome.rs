//! Leader and follower meet: where a follower goes on, who is refused and why, what is no welcome, and what comes too
//! early.

use super::*;

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
        process: FOLLOWER,
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

/// Welcomes to another journal, or to another place than that of a follower with record 4 and term 2.
fn welcomes_from_elsewhere() -> [Welcome; 10] {
    let good = GOOD_WELCOME;
    [
        Welcome { journal: 1, ..good },
        Welcome { journal: 0, ..good },
        // Nor is who leads another log told of a term of this one.
        Welcome {
            journal: 1,
            term: 1,
            ..good
        },
        Welcome {
            start_seq: 3,
            term: 1,
            ..good
        },
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
    ]
}

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
        (got, follower.state(), follower.position().term)
    };
    let (got, state, _) = given(good);
    assert_eq!(
        got,
        [Told::Welcomed {
            start: 4,
            snapshot_bytes: 0,
            is_term_raised: true
        }]
    );
    assert_eq!(state, FollowerState::Following);
    for welcome in welcomes_from_elsewhere() {
        let (got, state, term) = given(welcome);
        let fault = LinkFault::Welcome {
            start_seq: welcome.start_seq,
        };
        assert_eq!(got, [Told::Fault(fault)], "{welcome:?}");
        assert_eq!((state, term), (FollowerState::Idle, Term::new(2)));
    }
    let (got, _, _) = given(Welcome { version: 1, ..good });
    assert_eq!(got, [Told::Fault(LinkFault::Version { theirs: 1 })]);
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
        let got = given_to_follower(&mut follower, &encoded(&message), at(0));
        assert_eq!(got, [Told::Fault(LinkFault::Unexpected(message.kind()))]);
        assert_eq!(follower.position().term, Term::new(0));
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

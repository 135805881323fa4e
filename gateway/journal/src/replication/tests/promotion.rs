//! Terms: who raises one, who is told, what is refused.

use super::*;

#[test]
fn a_promoted_follower_fences_its_leader_and_takes_nothing_of_it() {
    let frames = frames_of(Term::new(1), &[2, 2]);
    let (mut leader, mut follower) = welcomed(2);
    leader.frame(&frames[0].frame()).expect("next");
    to_follower(&mut leader, &mut follower, at(1));
    leader.frame(&frames[1].frame()).expect("next");
    let promotion = follower
        .promote(false)
        .expect("it has all that its leader had");
    let chain = frames[0].header.chain;
    let term = Term::new(2);
    assert_eq!(
        promotion,
        Promotion {
            term,
            last_seq: 2,
            chain
        }
    );
    let late = to_follower(&mut leader, &mut follower, at(1));
    assert_eq!(late, [Told::Superseded(Term::new(1))]);
    assert_eq!(follower.position().last_seq, 2);
    follower.acknowledge(2, 2);
    assert_eq!(
        to_leader(&mut follower, &mut leader, at(1)),
        [LeaderEvent::Fenced { term }]
    );
    assert_eq!(leader.state(), LeaderState::Closed);
    assert_eq!(leader.frame(&frames[1].frame()), Err(NotSent::NotFollowing));
    assert!(matches!(
        leader.step(b"anything", at(1)),
        LeaderStep::Closed
    ));
}

#[test]
fn a_leader_that_could_not_be_told_is_told_with_the_next_hello() {
    let (_, mut follower) = welcomed(0);
    follower.disconnected();
    let term = follower.promote(false).expect("it was welcomed").term;
    // The machine that was promoted, and that of the same node's next life.
    let next = Follower::promoted(follower_config(), follower.position());
    for mut follower in [follower, next] {
        assert!(follower.connect(at(1)));
        assert_eq!(follower.state(), FollowerState::Promoted);
        let mut leader = Leader::new(leader_config(1), at(1));
        assert_eq!(
            to_leader(&mut follower, &mut leader, at(1)),
            [LeaderEvent::Fenced { term }]
        );
        let got = to_follower(&mut leader, &mut follower, at(1));
        assert_eq!(got, [Told::Refused(Refusal::TermLower { leader_term: 1 })]);
        assert!(follower.connect(at(2)), "it may be told again");
    }
}

/// Two that were promoted to one term: whoever hears of the other stops.
#[test]
fn a_leader_that_hears_another_claim_its_term_stops() {
    let (_, mut follower) = welcomed(0);
    let term = follower.promote(false).expect("it was welcomed").term;
    follower.connect(at(1));
    let mut leader = Leader::new(leader_config(term.raw()), at(1));
    assert_eq!(
        to_leader(&mut follower, &mut leader, at(1)),
        [LeaderEvent::Fenced { term }]
    );
}

#[test]
fn a_promoted_node_that_was_succeeded_is_told_and_stops() {
    let (_, mut old) = welcomed(0);
    let term = old.promote(false).expect("it was welcomed").term;
    old.connect(at(1));
    let mut leader = Leader::new(leader_config(3), at(1));
    assert_eq!(
        to_leader(&mut old, &mut leader, at(1)),
        [LeaderEvent::Superseded { term }]
    );
    assert_eq!(
        to_follower(&mut leader, &mut old, at(1)),
        [Told::Fenced(Term::new(3))]
    );
    assert_eq!(
        (old.state(), old.position().term),
        (FollowerState::Stopped, Term::new(3))
    );
    assert!(!old.connect(at(2)));
}

#[test]
fn a_follower_that_knows_a_higher_term_does_not_follow_and_says_why() {
    let known = FollowerPosition {
        journal: JOURNAL,
        term: Term::new(5),
        ..nowhere()
    };
    // The leader sees it in the hello.
    let mut follower = Follower::new(follower_config(), known);
    follower.connect(at(0));
    let mut leader = Leader::new(leader_config(4), at(0));
    assert_eq!(
        to_leader(&mut follower, &mut leader, at(0)),
        [LeaderEvent::Fenced { term: Term::new(5) }]
    );
    // One that welcomes all the same is told.
    let mut follower = Follower::new(follower_config(), known);
    follower.connect(at(0));
    let welcome = Welcome {
        version: VERSION,
        journal: JOURNAL,
        term: 4,
        start_seq: 0,
        start_chain: START.raw(),
        snapshot_bytes: 0,
        last_seq: 0,
        window_bytes: 1,
        silence_max: millis(1),
    };
    follower.sent(follower.output().len(), at(0));
    let got = given_to_follower(&mut follower, &encoded(&Message::Welcome(welcome)), at(0));
    assert_eq!(got, [Told::Superseded(Term::new(4))]);
    assert_eq!(
        follower.output(),
        encoded(&Message::Fence(Fence {
            term: 5,
            last_seq: 0
        }))
    );
    assert_eq!(
        (follower.state(), follower.position().term),
        (FollowerState::Idle, Term::new(5))
    );
}

#[test]
fn a_heartbeat_with_a_higher_term_fences_and_one_with_a_lower_is_fenced() {
    let beat = |term| {
        encoded(&Message::Heartbeat(Heartbeat {
            term,
            last_seq: 0,
            sent_ns: 0,
        }))
    };
    let (mut leader, mut follower) = welcomed(0);
    assert_eq!(
        given_to_leader(&mut leader, &beat(2), at(1)),
        [LeaderEvent::Fenced { term: Term::new(2) }]
    );
    assert_eq!(
        given_to_follower(&mut follower, &beat(0), at(1)),
        [Told::Superseded(Term::new(0))]
    );
    assert_eq!(
        follower.output(),
        encoded(&Message::Fence(Fence {
            term: 1,
            last_seq: 0
        }))
    );
    let (_, mut follower) = welcomed(0);
    let fault = LinkFault::Unexpected(MessageKind::Heartbeat);
    assert_eq!(
        given_to_follower(&mut follower, &beat(2), at(1)),
        [Told::Fault(fault)]
    );
}

#[test]
fn a_fence_that_is_not_above_is_no_fence() {
    let fence = |term| encoded(&Message::Fence(Fence { term, last_seq: 0 }));
    let fault = LinkFault::Unexpected(MessageKind::Fence);
    let (mut leader, mut follower) = welcomed(0);
    assert_eq!(
        given_to_leader(&mut leader, &fence(1), at(1)),
        [LeaderEvent::Fault(fault)]
    );
    assert_eq!(
        given_to_follower(&mut follower, &fence(1), at(1)),
        [Told::Fault(fault)]
    );
    let (_, mut follower) = welcomed(0);
    assert_eq!(
        given_to_follower(&mut follower, &fence(2), at(1)),
        [Told::Fenced(Term::new(2))]
    );
    assert_eq!(
        (follower.state(), follower.position().term),
        (FollowerState::Idle, Term::new(2))
    );
}

#[test]
fn a_follower_that_may_lack_something_is_not_promoted_unless_forced() {
    let mut follower = Follower::new(follower_config(), nowhere());
    assert_eq!(
        follower.promote(false),
        Err(PromotionRefused::NeverWelcomed)
    );
    let (_, mut follower) = welcomed(3);
    let behind = PromotionRefused::Behind {
        last_seq: 0,
        leader_last: 3,
    };
    assert_eq!(follower.promote(false), Err(behind));
    assert!(behind.to_string().contains("record 0"));
    assert_eq!(follower.promote(true).map(|it| it.term), Ok(Term::new(2)));
    let top = FollowerPosition {
        journal: JOURNAL,
        term: Term::new(u64::MAX),
        ..nowhere()
    };
    assert_eq!(
        Follower::new(follower_config(), top).promote(true),
        Err(PromotionRefused::NoTerm)
    );
}

/// Once it has reached its leader, what is let out later was acknowledged by it.
#[test]
fn a_follower_that_caught_up_once_stays_fit_for_promotion() {
    let frames = frames_of(Term::new(1), &[2, 2]);
    let (mut leader, mut follower) = welcomed(2);
    leader.frame(&frames[0].frame()).expect("next");
    to_follower(&mut leader, &mut follower, at(1));
    follower.connect(at(2));
    let mut leader = Leader::new(leader_config(1), at(2));
    to_leader(&mut follower, &mut leader, at(2));
    let chain_at = Some(frames[0].header.chain);
    leader.answer(&LogPosition {
        chain_at,
        ..from_the_start(4)
    });
    to_follower(&mut leader, &mut follower, at(2));
    assert!(follower.promote(false).is_ok());
}

/// A promotion that fails on its way to the disk has changed nothing.
#[test]
fn what_a_promotion_would_give_is_said_before_it_is_made() {
    let (_, mut follower) = welcomed(0);
    let planned = follower.promotion(false).expect("it was welcomed");
    assert_eq!(
        (follower.state(), follower.position().term),
        (FollowerState::Following, Term::new(1))
    );
    assert_eq!(follower.output(), b"");
    assert_eq!(follower.promote(false), Ok(planned));
}

/// A journal of its own is what makes a term count: a folder that is new has none.
#[test]
fn a_hello_of_no_journal_or_another_fences_nobody() {
    for (journal, promoted) in [(0, false), (0, true), (1, false), (1, true)] {
        let hello = Hello {
            version: VERSION,
            process: FOLLOWER,
            promoted,
            takes_snapshot: true,
            journal,
            term: 9,
            last_seq: 0,
            chain: 0,
            staged_snapshot: 0,
            window_bytes: 1_000,
            silence_max: millis(1_000),
        };
        let mut leader = Leader::new(leader_config(1), at(0));
        let events = given_to_leader(&mut leader, &encoded(&Message::Hello(hello)), at(0));
        assert_eq!(events, [LeaderEvent::Hello(hello)]);
        let other = Answer::Refused(Refusal::OtherJournal { leader: JOURNAL });
        let answer = leader.answer(&from_the_start(0));
        let is_new = journal == 0 && !promoted;
        assert_eq!(answer != other, is_new, "{journal} {promoted}");
    }
}

#[test]
fn a_promoted_node_hears_no_term_of_another_journal() {
    let (_, mut follower) = welcomed(0);
    follower.promote(false).expect("it was welcomed");
    follower.connect(at(1));
    let welcome = Welcome {
        version: VERSION,
        journal: 1,
        term: 9,
        start_seq: 0,
        start_chain: 0,
        snapshot_bytes: 0,
        last_seq: 0,
        window_bytes: 1,
        silence_max: millis(1),
    };
    let got = given_to_follower(&mut follower, &encoded(&Message::Welcome(welcome)), at(1));
    assert_eq!(got, [Told::Fault(LinkFault::Welcome { start_seq: 0 })]);
    assert_eq!(
        (follower.state(), follower.position().term),
        (FollowerState::Promoted, Term::new(2))
    );
}

/// Its own term is no other's, wherever the address that it tells it to leads.
#[test]
fn a_promoted_node_that_reaches_itself_says_so_and_goes_on_leading() {
    for (process, own) in [(LEADER, true), (FOLLOWER, false)] {
        let config = FollowerConfig {
            process,
            ..follower_config()
        };
        let place = FollowerPosition {
            journal: JOURNAL,
            term: Term::new(2),
            ..nowhere()
        };
        let mut teller = Follower::promoted(config, place);
        teller.connect(at(0));
        let mut leader = Leader::new(leader_config(2), at(0));
        let term = Term::new(2);
        let heard = to_leader(&mut teller, &mut leader, at(0));
        let told = to_follower(&mut leader, &mut teller, at(0));
        let expected = if own {
            (LeaderEvent::Itself, Refusal::Itself)
        } else {
            (
                LeaderEvent::Fenced { term },
                Refusal::TermLower { leader_term: 2 },
            )
        };
        assert_eq!(heard, [expected.0]);
        assert_eq!(told, [Told::Refused(expected.1)]);
        assert_eq!(leader.state(), LeaderState::Closed);
        assert_eq!(teller.state(), FollowerState::Promoted);
    }
}

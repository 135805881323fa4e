//! Signs of life, silence, and the end that another digest makes.

use super::*;

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

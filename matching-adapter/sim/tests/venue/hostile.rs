//! Misbehaviour of each kind, and all at once.
//!
//! One thread a test.

use portcullis_domain::{AccountId, TradingState};
use portcullis_risk_core::AlarmKind;
use portcullis_venue_embedded::EmbeddedVenue;
use portcullis_venue_sim::{HostileVenue, Hostility, Lie, Misdeeds};

use crate::rig::{ACCOUNTS, Rig, SESSIONS};

/// All that a truthful engine behind a bad wire may do.
pub(crate) const ROUGH: Hostility = Hostility {
    latency_polls_max: 6,
    give_back_one_in: 9,
    refuse_one_in: 25,
    split_fill_one_in: 3,
    hold_back_one_in: 20,
    hold_back_polls: 15,
    disconnect_one_in: 150,
    disconnect_polls: 12,
    ..Hostility::NONE
};

fn rig(seed: u64, hostility: Hostility) -> Rig<HostileVenue<EmbeddedVenue>> {
    let hostility = Hostility { seed, ..hostility };
    let venue = HostileVenue::new(crate::ladder(), SESSIONS, hostility);
    Rig::new(venue, seed, |_| Vec::new())
}

/// Trades, looking at the holds all the time, then lets the venue come to rest in peace.
fn run(rig: &mut Rig<HostileVenue<EmbeddedVenue>>, commands: usize) {
    for _ in 0..commands / 20 {
        rig.trade(20);
        rig.holds();
    }
    rig.venue.set_hostility(Hostility::NONE);
    rig.wind_down();
}

#[test]
fn without_hostility_nothing_is_touched() {
    let mut rig = rig(1, Hostility::NONE);
    rig.pump_all();
    assert_eq!(rig.links_up, SESSIONS);
    run(&mut rig, 3_000);
    assert_eq!(*rig.venue.misdeeds(), Misdeeds::default());
    assert_eq!((rig.holds(), rig.conservation_error()), ((0, 0, 0), 0));
    assert_eq!(rig.effects.alarms, []);
    assert!(rig.venue.engine().counters().trades > 300);
}

#[test]
fn a_rough_wire_loses_nothing() {
    let mut misdeeds = Misdeeds::default();
    for seed in 0..8 {
        let mut rig = rig(seed, ROUGH);
        run(&mut rig, 4_000);
        assert_eq!(rig.effects.alarms, [], "seed {seed}");
        assert_eq!(rig.holds(), (0, 0, 0), "seed {seed}");
        assert_eq!(rig.conservation_error(), 0, "seed {seed}");
        let executed = rig.venue.engine().counters().executed_qty;
        assert_eq!(u128::from(rig.core.counters().executed_qty), 2 * executed);
        misdeeds = *rig.venue.misdeeds();
        assert_eq!(
            u64::from(rig.links_up),
            u64::from(SESSIONS) + misdeeds.disconnects,
            "seed {seed}: each link that broke came back"
        );
    }
    assert!(misdeeds.given_back > 100 && misdeeds.refused > 20 && misdeeds.fills_split > 100);
    assert!(misdeeds.held_back > 50 && misdeeds.disconnects > 5);
}

#[test]
fn what_the_engine_never_says_is_never_released() {
    let hostility = Hostility {
        drop_one_in: 12,
        ..Hostility::NONE
    };
    let mut rig = rig(3, hostility);
    run(&mut rig, 3_000);
    assert!(rig.venue.misdeeds().dropped > 50);
    let (buys, sells, orders) = rig.holds();
    assert!(
        buys + sells > 0 && orders > 0,
        "a hold ends by a report alone"
    );
}

#[test]
fn what_is_said_twice_never_makes_a_hold_negative() {
    let hostility = Hostility {
        duplicate_one_in: 20,
        ..Hostility::NONE
    };
    let (mut duplicated, mut alarms) = (0, 0);
    // Short runs: a fill told twice soon halts its account.
    for seed in 0..20 {
        let mut rig = rig(seed, hostility);
        run(&mut rig, 400);
        duplicated += rig.venue.misdeeds().duplicated;
        alarms += rig.effects.alarms.len();
        for alarm in &rig.effects.alarms {
            let kind = alarm.kind;
            let beyond = kind == AlarmKind::FillBeyondLeaves;
            assert!(beyond || kind == AlarmKind::FillOnClosedOrder, "{kind:?}");
        }
        // What a dispute leaves open stays so: the lots it is about wait for a person.
        let (buys, sells, orders) = rig.holds();
        assert!(orders as usize <= rig.effects.alarms.len(), "seed {seed}");
        assert_eq!(buys + sells > 0, orders > 0, "seed {seed}");
    }
    assert!(duplicated > 100 && alarms > 20);
}

#[test]
fn each_lie_is_an_alarm_and_changes_no_balance() {
    for lie in Lie::ALL {
        let mut hostility = Hostility::NONE;
        hostility.lie_one_in[lie as usize] = 50;
        let mut rig = rig(10 + lie as u64, hostility);
        run(&mut rig, 2_000);
        let told = rig.venue.misdeeds().lies[lie as usize];
        assert!(told > 0, "{lie:?}");
        assert_eq!(rig.effects.alarms.len() as u64, told, "{lie:?}");
        for alarm in &rig.effects.alarms {
            assert!(fits(lie, alarm.kind), "{lie:?}: {:?}", alarm.kind);
        }
        let halted = (0..ACCOUNTS)
            .map(AccountId::new)
            .any(|account| rig.core.account(account).expect("known").state == TradingState::Halted);
        let about_a_fill = !matches!(lie, Lie::OrderNeverSent | Lie::VersionNeverAsked);
        assert_eq!(halted, about_a_fill, "{lie:?}");
        assert_eq!(rig.holds(), (0, 0, 0), "{lie:?}");
        assert_eq!(rig.conservation_error(), 0, "{lie:?}");
    }
}

/// What the core may call a lie: an order may have ended between the thought and the word.
fn fits(lie: Lie, alarm: AlarmKind) -> bool {
    match lie {
        Lie::FillBeyondLeaves => {
            matches!(
                alarm,
                AlarmKind::FillBeyondLeaves | AlarmKind::FillOnClosedOrder
            )
        }
        Lie::FillBeyondLimit => {
            matches!(
                alarm,
                AlarmKind::FillBeyondLimit | AlarmKind::FillOnClosedOrder
            )
        }
        Lie::FillOnClosedOrder => alarm == AlarmKind::FillOnClosedOrder,
        Lie::OrderNeverSent => alarm == AlarmKind::OrderNeverAdmitted,
        Lie::VersionNeverAsked => alarm == AlarmKind::VersionNeverAsked,
    }
}

#[test]
fn all_at_once_is_survived_and_repeats_by_seed() {
    let all = Hostility {
        drop_one_in: 40,
        duplicate_one_in: 40,
        lie_one_in: [400; Lie::ALL.len()],
        ..ROUGH
    };
    let outcome = |seed| {
        let mut rig = rig(seed, all);
        run(&mut rig, 2_500);
        let effects = &rig.effects;
        let counts = (effects.approved, effects.refused, rig.reports.len());
        (rig.core.digest(), counts, *rig.venue.misdeeds())
    };
    let mut digests: Vec<u64> = (20..26).map(|seed| outcome(seed).0).collect();
    assert_eq!(outcome(20), outcome(20));
    digests.dedup();
    assert_eq!(digests.len(), 6);
}

//! Generated flow: equal seeds, all kinds, prices where they belong.

use super::*;
use crate::config::{AccountConfig, FlowConfig, InstrumentConfig, SessionConfig, Source};
use std::collections::HashSet;

fn venue() -> Venue {
    let mut heavy = InstrumentConfig::new("HEAVY", 2_500, 19_200);
    heavy.qty_heavy_wire = Some(777);
    let mut listed = InstrumentConfig::new("LISTED", 100, 1_000);
    listed.restricted = true;
    let sessions = vec![SessionConfig {
        user: "u".to_owned(),
        password: "p".to_owned(),
        accounts: vec![
            AccountConfig::default_of_session("a"),
            AccountConfig {
                barred: vec![2],
                ..AccountConfig::default_of_session("b")
            },
        ],
    }];
    let instruments = vec![heavy, listed, InstrumentConfig::new("FINE", 1, 100)];
    let address = "127.0.0.1:1".parse().expect("an address");
    let config = FlowConfig::new(address, sessions, instruments, Source::Manual);
    Venue::new(&config).expect("well formed")
}

fn flow(config: &GeneratorConfig, seed: u64) -> Vec<Intent> {
    let venue = venue();
    let mut feed = GeneratedFeed::new(config, seed, &venue);
    std::iter::from_fn(|| feed.next(&venue)).collect()
}

fn enters(intents: &[Intent]) -> impl Iterator<Item = Enter> {
    intents.iter().filter_map(|intent| match intent.act {
        Act::Enter(enter) => Some(enter),
        Act::Replace { .. } | Act::Cancel { .. } => None,
        Act::ReplaceDead(_) | Act::CancelDead(_) | Act::Resend(_) => None,
    })
}

fn events(events_max: u64) -> GeneratorConfig {
    GeneratorConfig {
        events_max: Some(events_max),
        ..GeneratorConfig::default()
    }
}

#[test]
fn equal_seeds_make_equal_flow() {
    let config = events(2_000);
    assert_eq!(flow(&config, 4), flow(&config, 4));
    assert_ne!(flow(&config, 4), flow(&config, 5));
}

#[test]
fn regular_flow_is_well_formed_and_keeps_out_of_what_is_barred() {
    let config = GeneratorConfig {
        fault_ppm: 0,
        ..events(20_000)
    };
    let intents = flow(&config, 1);
    let mut seen = HashSet::new();
    for enter in enters(&intents) {
        let Listing::Known(instrument) = enter.listing else {
            panic!("a regular order names an instrument");
        };
        assert_ne!(instrument, 1, "restricted");
        assert!(enter.lane != Lane(1) || instrument != 2, "barred");
        assert_eq!(enter.flaw, Flaw::None);
        assert!((1..=5).contains(&enter.quantity));
        let market = enter.price == 2_000_000_000;
        let tick = [2_500, 100, 1][instrument];
        assert!(market || enter.price.is_multiple_of(tick));
        // The band is 3,000 ppm, prices lie 12 ticks around the mid.
        let (low, high) = [(19_130, 19_270), (0, 0), (88, 112)][instrument];
        assert!(
            market || (low * tick..=high * tick).contains(&enter.price),
            "{enter:?}"
        );
        seen.insert((instrument, enter.side, enter.time_in_force, market));
    }
    // Two instruments, both sides, resting, taking, taking without a limit.
    assert_eq!(seen.len(), 12);
}

#[test]
fn every_kind_of_fault_is_made_as_it_is_meant() {
    let intents = flow(&events(40_000), 2);
    let found = |wanted: fn(&Enter) -> bool| enters(&intents).any(|enter| wanted(&enter));
    assert!(found(|e| e.listing == Listing::Unknown));
    assert!(found(|e| e.listing == Listing::Known(1)), "restricted");
    assert!(found(
        |e| e.lane == Lane(1) && e.listing == Listing::Known(2)
    ));
    assert!(found(
        |e| e.quantity == 777 && e.listing == Listing::Known(0)
    ));
    assert!(found(|e| e.quantity == 999_999));
    assert!(found(
        |e| e.listing == Listing::Known(0) && e.price % 2_500 == 1
    ));
    assert!(
        found(|e| e.price > 60_000_000 && e.price < 2_000_000_000),
        "far through"
    );
    assert!(found(|e| e.flaw == Flaw::UnknownFirm));
    assert!(found(|e| e.flaw == Flaw::Pegged));
    assert!(found(|e| e.flaw == Flaw::Hidden));
    assert!(found(|e| e.flaw == Flaw::Malformed));
    assert!(found(|e| e.time_in_force == TimeInForce::AfterHours));
    for wanted in [
        Act::ReplaceDead(Lane(0)),
        Act::CancelDead(Lane(0)),
        Act::Resend(Lane(0)),
    ] {
        assert!(
            intents.iter().any(|intent| intent.act == wanted),
            "{wanted:?}"
        );
    }
    let mut row = 0;
    let mut longest = 0;
    for pair in intents.windows(2) {
        row = if pair[0] == pair[1] { row + 1 } else { 0 };
        longest = longest.max(row);
    }
    assert!(longest >= 7, "eight equal orders in a row");
    let mut at_once = 0;
    let mut burst = 0;
    for pair in intents.windows(2) {
        at_once = if pair[0].due_ns == pair[1].due_ns {
            at_once + 1
        } else {
            0
        };
        burst = burst.max(at_once);
    }
    assert!(burst >= 49, "fifty orders at one instant");
}

#[test]
fn orders_that_are_kept_track_of_are_bounded_and_forgotten() {
    let venue = venue();
    let config = GeneratorConfig {
        resting_max: 10,
        fault_ppm: 0,
        ..events(5_000)
    };
    let mut feed = GeneratedFeed::new(&config, 3, &venue);
    while feed.next(&venue).is_some() {
        assert!(feed.books.iter().all(|book| book.resting.len() <= 10));
    }
    let known = feed.books[0].resting.first().copied();
    let handle = known.expect("something rests").handle;
    feed.closed(handle);
    assert!(
        feed.books[0]
            .resting
            .iter()
            .all(|made| made.handle != handle)
    );
}

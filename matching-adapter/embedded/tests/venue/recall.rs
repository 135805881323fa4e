//! The venue made again from the log, cut at random places.
//!
//! One thread. Whatever was lost with the process: no order twice in the book, each report once in
//! what the log ends up holding, and the core's holds are the book's orders.

use std::collections::BTreeSet;

use portcullis_domain::{ReportKind, SessionId, Timestamp};
use portcullis_venue::saved::SavedError;
use portcullis_venue::{MatchingVenue, RecallFault, RecallVenue, VenueSink};
use portcullis_venue_embedded::EmbeddedVenue;

use crate::end_to_end::{config, rig, terms};
use crate::rig::{Logged, Rig, SESSIONS};

fn fresh() -> EmbeddedVenue {
    EmbeddedVenue::new(config(), Some(Box::new(terms))).expect("in range")
}

/// Trades with deaths in between, and comes to rest. Each death keeps the log up to a random place
/// behind what left, and half of them go by a saved memory.
fn live_and_die(seed: u64, deaths: u32) -> (Rig<EmbeddedVenue>, u64) {
    let mut rig = rig(seed);
    let mut in_doubt = 0;
    for _ in 0..deaths {
        let commands = 50 + rig.random.below(400) as usize;
        rig.trade(commands);
        if rig.random.one_in(4) {
            rig.refuse_unsent();
        }
        // The book dies with the process: all of it can be made again from any part of the log.
        rig.gated = 0;
        let kept = rig.log.len() - rig.random.below(60) as usize;
        let saved_at = rig.random.below(2 * kept as u64) as usize;
        let (again, end) = rig.again(kept, fresh(), Some((saved_at, fresh())));
        assert_eq!(end.fault, None, "seed {seed}");
        in_doubt += end.orders_in_doubt + end.cancels_in_doubt;
        rig = again;
    }
    rig.pump_all();
    assert_eq!(rig.links_up, SESSIONS, "each link is told anew");
    rig.trade(200);
    (rig, in_doubt)
}

/// The lots open in the book, and how many orders.
fn book(venue: &EmbeddedVenue) -> (i64, u32) {
    let sessions = (0..SESSIONS).map(SessionId::new);
    let orders = sessions.flat_map(|session| venue.ladder().session_orders(session));
    orders.fold((0, 0), |(lots, count), order| {
        (lots + order.leaves.lots(), count + 1)
    })
}

#[test]
fn a_book_made_again_from_any_part_of_its_log_goes_on_as_if_it_had_lived() {
    let mut in_doubt = 0;
    for seed in 0..12 {
        let (mut rig, doubts) = live_and_die(seed, 6);
        in_doubt += doubts;
        while rig.pump() > 0 || !rig.venue.is_idle() {}
        let (buys, sells, orders) = rig.holds();
        assert_eq!(book(&rig.venue), (buys + sells, orders), "seed {seed}");
        let mut fills = BTreeSet::new();
        for (report, _) in &rig.reports {
            if let ReportKind::Fill { match_number, .. } = report.kind {
                let key = (match_number, report.session, report.user_ref, report.note);
                assert!(fills.insert(key), "seed {seed}: {report:?} twice");
            }
        }
        rig.wind_down();
        assert_eq!(rig.effects.alarms, [], "seed {seed}");
        assert_eq!(rig.holds(), (0, 0, 0), "seed {seed}");
        assert_eq!(rig.conservation_error(), 0, "seed {seed}");
        let executed = rig.venue.counters().executed_qty;
        let by_core = u128::from(rig.core.counters().executed_qty);
        assert_eq!(by_core, 2 * executed, "seed {seed}");
        assert_eq!(
            2 * rig.venue.counters().trades,
            fills_of(&rig),
            "seed {seed}"
        );
    }
    assert!(in_doubt > 100, "some orders had no answer: {in_doubt}");
}

fn fills_of(rig: &Rig<EmbeddedVenue>) -> u64 {
    let fill = |kind| matches!(kind, ReportKind::Fill { .. });
    rig.reports.iter().filter(|(r, _)| fill(r.kind)).count() as u64
}

/// The venue's whole memory, and what it would say next.
fn memory(venue: &EmbeddedVenue) -> Vec<u8> {
    let mut bytes = Vec::new();
    venue.save(&mut bytes);
    bytes
}

#[test]
fn a_saved_memory_stands_for_the_log_before_it() {
    for seed in 0..4 {
        let mut rig = rig(seed);
        rig.trade(600);
        rig.gated = 0;
        let kept = rig.log.len();
        let log = rig.log.clone();
        let (whole, _) = rig.again(kept, fresh(), None);
        for part in 1..8 {
            let mut other = crate::end_to_end::rig(seed);
            other.log.clone_from(&log);
            let (by_memory, _) = other.again(kept, fresh(), Some((kept * part / 8, fresh())));
            assert_eq!(memory(&by_memory.venue), memory(&whole.venue));
        }
    }
}

#[test]
fn a_log_that_is_not_the_ladders_is_refused_by_its_first_word() {
    let mut rig = rig(3);
    rig.trade(500);
    rig.gated = 0;
    let of_ladder = |logged: &Logged| matches!(logged, Logged::Report(..));
    let place = rig.log.iter().rposition(of_ladder).expect("some");
    let Logged::Report(report, _) = &mut rig.log[place] else {
        panic!("that kind was looked for");
    };
    report.note ^= 1;
    let logged = *report;
    let kept = rig.log.len();
    let (rig, end) = rig.again(kept, fresh(), None);
    let Some(RecallFault::ReportDiffers {
        number,
        logged: said,
        made,
    }) = end.fault
    else {
        panic!("{end:?}");
    };
    assert_eq!((number, said), (rig.reports.len() as u64, logged));
    assert_eq!(made.map(|made| made.note), Some(logged.note ^ 1));
    let text = end.fault.expect("it is there").to_string();
    assert!(text.contains("another build"), "{text}");
    let damaged = fresh().load(&memory(&rig.venue));
    assert!(matches!(
        damaged,
        Err(SavedError::Field { field: "fault", .. })
    ));
}

#[test]
fn damaged_memory_is_refused_and_never_believed() {
    let mut rig = rig(5);
    rig.trade(120);
    rig.gated = 0;
    let kept = rig.log.len();
    let (rig, _) = rig.again(kept, fresh(), None);
    let bytes = memory(&rig.venue);
    for len in 0..bytes.len() {
        assert!(fresh().load(&bytes[..len]).is_err(), "cut to {len}");
    }
    for at in (0..bytes.len()).step_by(3) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x41;
        // Figures outside the ladder's checksums may be believed; nothing panics or differs in kind.
        let mut venue = fresh();
        if venue.load(&flipped).is_ok() {
            assert_eq!(book(&venue), book(&rig.venue), "byte {at}");
        }
    }
}

/// Counts what is told.
#[derive(Default)]
struct Told(usize);

impl VenueSink for Told {
    fn on_report(&mut self, _report: portcullis_domain::VenueReport, _raw: &[u8]) {
        self.0 += 1;
    }

    fn on_link(&mut self, _session: SessionId, _up: bool) {}
}

#[test]
fn a_full_inbox_takes_nobodys_orders() {
    let mut rig = rig(9);
    rig.trade(40);
    // Enough waits from the log that the inbox cannot hold it.
    rig.gated = 0;
    let reports = |logged: &Logged| matches!(logged, Logged::Report(..));
    rig.log.retain(|logged| !reports(logged));
    let kept = rig.log.len();
    let (mut rig, end) = rig.again(kept, fresh(), None);
    assert!(end.orders_in_doubt > 4, "{end:?}");
    assert!(!rig.venue.takes_orders());
    let mut told = Told::default();
    while !rig.venue.is_idle() {
        rig.venue.poll(Timestamp::ZERO, 3, &mut told);
    }
    assert!(rig.venue.takes_orders());
    assert!(told.0 as u64 >= end.orders_in_doubt);
}

//! Gateways that die in front of an engine that lives on, under a seed.
//!
//! One thread a test. What of their messages arrives is the seed's to say. Whatever is lost: no order
//! twice at the engine, each report once in the log, and the core's holds are the engine's book.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_domain::{SessionId, VenueReport};
use portcullis_risk_core::AlarmKind;
use portcullis_venue::{NOTE_NOT_SENT, RecallEnd, RecallVenue, is_gateways_own};
use portcullis_venue_embedded::EmbeddedVenue;
use portcullis_venue_sim::{HostileVenue, Hostility, Lie, Outside, OutsideLink};

use crate::hostile::ROUGH;
use crate::rig::{Logged, Rig, SESSIONS};

type Engine = HostileVenue<EmbeddedVenue>;
type World = Arc<Mutex<Outside<Engine>>>;

fn world(seed: u64, hostility: Hostility) -> World {
    let engine = HostileVenue::new(crate::ladder(), SESSIONS, Hostility { seed, ..hostility });
    Outside::new(engine, SESSIONS, seed)
}

fn rig(world: &World, seed: u64) -> Rig<OutsideLink<Engine>> {
    Rig::new(OutsideLink::new(world), seed, |_| Vec::new())
}

fn die(mut rig: Rig<OutsideLink<Engine>>, world: &World) -> (Rig<OutsideLink<Engine>>, RecallEnd) {
    let commands = 40 + rig.random.below(200) as usize;
    rig.trade(commands);
    if rig.random.one_in(4) {
        rig.refuse_unsent();
    }
    let kept = rig.gated + rig.random.below((rig.log.len() - rig.gated) as u64 + 1) as usize;
    let saved_at = rig.random.below(2 * kept as u64) as usize;
    let spare = OutsideLink::new(world);
    rig.again(kept, OutsideLink::new(world), Some((saved_at, spare)))
}

/// Each report of the outside stands in the log once.
fn assert_once_each(rig: &Rig<OutsideLink<Engine>>, world: &World) {
    let outside = world.lock().unwrap_or_else(PoisonError::into_inner);
    for session in (0..SESSIONS).map(SessionId::new) {
        let of_engine = |logged: &&Logged| match logged {
            Logged::Report(report, raw) => {
                report.session == session && !is_gateways_own(report, raw)
            }
            Logged::Command(..) | Logged::Sequence(..) => false,
        };
        let logged = rig.log.iter().filter(of_engine).count() as u64;
        assert_eq!(logged, outside.reports(session));
    }
}

fn is_refusal((report, _): &&(VenueReport, Vec<u8>)) -> bool {
    report.note == NOTE_NOT_SENT
}

#[test]
fn a_gateway_made_again_goes_on_with_the_engine_that_lived() {
    let (mut in_doubt, mut refused) = (0, 0);
    for seed in 0..12 {
        let world = world(seed, ROUGH);
        let mut rig = rig(&world, seed);
        for _ in 0..8 {
            let end;
            (rig, end) = die(rig, &world);
            assert_eq!(end.fault, None);
            in_doubt += end.orders_in_doubt + end.cancels_in_doubt;
            let before = rig.reports.len();
            rig.pump_all();
            refused += rig.reports[before..].iter().filter(is_refusal).count();
            assert_eq!(rig.effects.alarms, [], "seed {seed}");
        }
        let mut outside = world.lock().unwrap_or_else(PoisonError::into_inner);
        outside.engine_mut().set_hostility(Hostility::NONE);
        drop(outside);
        rig.pump_all();
        let open = (world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .engine())
        .engine()
        .ladder()
        .open_orders();
        assert_eq!(
            rig.holds().2,
            open,
            "seed {seed}: what is on hold is in the book"
        );
        rig.wind_down();
        assert_eq!(rig.effects.alarms, [], "seed {seed}");
        assert_eq!(rig.holds(), (0, 0, 0), "seed {seed}");
        assert_eq!(rig.conservation_error(), 0, "seed {seed}");
        let outside = world.lock().unwrap_or_else(PoisonError::into_inner);
        let executed = outside.engine().engine().counters().executed_qty;
        assert_eq!(u128::from(rig.core.counters().executed_qty), 2 * executed);
        drop(outside);
        assert_once_each(&rig, &world);
    }
    assert!(in_doubt > 100 && refused > 30, "{in_doubt} {refused}");
}

#[test]
fn the_gateway_before_is_cut_off() {
    let world = world(3, Hostility::NONE);
    let mut old = rig(&world, 3);
    old.trade(100);
    old.pump_all();
    let before = old.effects.approved;
    let mut new = rig(&world, 4);
    new.pump_all();
    assert_eq!(new.links_up, SESSIONS);
    old.trade(50);
    old.pump_all();
    let late: Vec<_> = old.reports.iter().filter(is_refusal).collect();
    assert!(
        !late.is_empty(),
        "{} approved",
        old.effects.approved - before
    );
    let links_up = old.links_up;
    old.pump_all();
    assert_eq!(old.links_up, links_up, "it never comes back");
}

#[test]
fn lies_reach_a_gateway_that_was_made_again() {
    let mut hostility = Hostility::NONE;
    hostility.lie_one_in[Lie::OrderNeverSent as usize] = 30;
    let world = world(9, hostility);
    let mut rig = rig(&world, 9);
    for _ in 0..4 {
        (rig, _) = die(rig, &world);
        rig.pump_all();
    }
    rig.trade(300);
    rig.pump_all();
    assert!(!rig.effects.alarms.is_empty());
    let kinds = rig.effects.alarms.iter().map(|alarm| alarm.kind);
    assert!(
        kinds
            .into_iter()
            .all(|kind| kind == AlarmKind::OrderNeverAdmitted)
    );
}

#[test]
fn the_same_seed_is_the_same_life() {
    let life = |seed| {
        let world = world(seed, ROUGH);
        let mut rig = rig(&world, seed);
        for _ in 0..4 {
            (rig, _) = die(rig, &world);
        }
        rig.pump_all();
        let misdeeds = *world.lock().expect("whole").engine().misdeeds();
        (rig.core.digest(), rig.log.len(), misdeeds)
    };
    assert_eq!(life(5), life(5));
    assert_ne!(life(5), life(6));
}

#[test]
fn damaged_memory_is_refused() {
    let world = world(7, Hostility::NONE);
    let mut rig = rig(&world, 7);
    rig.trade(90);
    let kept = rig.log.len();
    let (rig, _) = rig.again(kept, OutsideLink::new(&world), None);
    let mut bytes = Vec::new();
    rig.venue.save(&mut bytes);
    for len in 0..bytes.len() {
        let cut = OutsideLink::new(&world).load(&bytes[..len]);
        assert!(cut.is_err(), "cut to {len}");
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x81;
        let mut link = OutsideLink::new(&world);
        if link.load(&flipped).is_ok() {
            let mut copy = Vec::new();
            link.save(&mut copy);
            assert!(copy == flipped, "byte {at}");
        }
    }
}

//! The adapter made again from the log while its engine lives on, cut at random places.
//!
//! One thread a test, and the engine's. The process dies with bytes on their way in both directions,
//! of which the engine has read all, some or none. Whatever is lost: no order twice at the engine, each
//! of its messages once in the log, no alarm, and the core's holds are the engine's book.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::atomic::Ordering;

use portcullis_domain::{Duration, Price, Qty, ReportKind, SessionId};
use portcullis_venue::{NOTE_NOT_SENT, RecallEnd, RecallFault, RecallVenue};
use portcullis_venue_ouch::{
    Dial, Dialed, LinkState, OuchVenue, OuchVenueConfig, ReplayEnd, StopReason,
};
use portcullis_wire::ouch50::OUCH50;

use crate::engine::{Engine, TICK_WIRE};
use crate::patient::{Patient, config, fresh, rig, until, until_up};
use crate::rig::{Logged, Rig, SESSIONS};

/// What a life of deaths came to.
#[derive(Default)]
struct Deaths {
    in_doubt: u64,
    refused: u64,
    resent: u64,
    repeated: u64,
}

/// The links break over orders that nobody read, and come up again: the answer that ended this replay,
/// and the orders that were sent again, are in the engine's stream and perhaps not in the log.
fn break_and_mend(rig: &mut Rig<Patient>, engine: &Engine) {
    engine.mute();
    rig.trade(10);
    rig.pump();
    engine.control.break_all.store(true, Ordering::SeqCst);
    engine.control.mute.store(false, Ordering::SeqCst);
    let lost = rig.venue.venue.counters().links_lost + u64::from(SESSIONS);
    until(rig, "links lost", |rig| {
        rig.venue.venue.counters().links_lost >= lost
    });
    until_up(rig);
}

/// Trades a while and dies, with what is on its way read or not.
fn die(
    mut rig: Rig<Patient>,
    engine: &Engine,
    config: &OuchVenueConfig,
) -> (Rig<Patient>, RecallEnd) {
    let commands = 40 + rig.random.below(200) as usize;
    rig.trade(commands);
    if rig.random.one_in(4) {
        rig.refuse_unsent();
    }
    if rig.random.one_in(2) {
        break_and_mend(&mut rig, engine);
    }
    let mute = rig.random.one_in(2);
    if mute {
        engine.mute();
        rig.trade(30);
    }
    let lose = rig.random.one_in(2);
    // Often all that need not be on the disk is lost.
    let most = rig.log.len() - rig.gated;
    let more = rig.random.below(2 * most as u64 + 1) as usize;
    let kept = rig.gated + more.saturating_sub(most);
    let saved_at = rig.random.below(2 * kept as u64) as usize;
    let spare = fresh(config.clone());
    let (rig, end) = rig.again(kept, fresh(config.clone()), Some((saved_at, spare)));
    assert_eq!(end.fault, None);
    if mute && lose {
        engine.control.break_all.store(true, Ordering::SeqCst);
    }
    engine.control.mute.store(false, Ordering::SeqCst);
    (rig, end)
}

/// Each of the engine's messages stands in the log once, and in its order.
fn assert_once_each(rig: &Rig<Patient>, engine: &Engine) {
    for session in 0..SESSIONS as usize {
        let said = engine.said(session);
        let logged = rig.log.iter().filter_map(|logged| match logged {
            Logged::Report(report, raw) if report.session.index() == session => {
                (!raw.is_empty()).then_some(raw)
            }
            Logged::Report(..) | Logged::Command(..) | Logged::Sequence(..) => None,
        });
        let told = said.iter().filter(|message| message[0] != b'Q');
        assert!(logged.eq(told), "session {session}: the log is the stream");
    }
}

fn live_and_die(seed: u64, replay_end: ReplayEnd) -> Deaths {
    let engine = Engine::start(seed);
    let mut config = config(&engine);
    config.replay_end = replay_end;
    let mut rig = rig(config.clone(), seed);
    until_up(&mut rig);
    let mut deaths = Deaths::default();
    for _ in 0..8 {
        let end;
        (rig, end) = die(rig, &engine, &config);
        deaths.in_doubt += end.orders_in_doubt + end.cancels_in_doubt;
        let before = rig.reports.len();
        until_up(&mut rig);
        let refused = |(report, raw): &&(portcullis_domain::VenueReport, Vec<u8>)| {
            let refuses = matches!(
                report.kind,
                ReportKind::Rejected | ReportKind::ReplaceRejected { .. }
            );
            refuses && report.note == NOTE_NOT_SENT && raw.is_empty()
        };
        let counters = *rig.venue.venue.counters();
        let told = rig.reports[before..].iter().filter(refused).count() as u64;
        assert_eq!(counters.refused_after_restart, told, "seed {seed}");
        deaths.refused += told;
        deaths.resent += counters.messages_resent;
        rig.pump_all();
        // A cancel in part is owed no answer, so that nothing but the book shows that it came.
        until(&mut rig, "the engine's book", |rig| {
            rig.venue.venue.open_orders().collect::<BTreeMap<_, _>>() == engine.open()
        });
        let open = engine.open();
        let (buys, sells, orders) = rig.holds();
        let lots = open.values().map(|wire| i64::from(*wire)).sum::<i64>();
        assert_eq!(
            (buys + sells, orders),
            (lots, open.len() as u32),
            "seed {seed}"
        );
        assert_eq!(rig.effects.alarms, [], "seed {seed}");
    }
    rig.wind_down();
    assert_eq!(rig.holds(), (0, 0, 0), "seed {seed}");
    assert_eq!(rig.conservation_error(), 0, "seed {seed}");
    let counters = engine.counters();
    let by_core = u128::from(rig.core.counters().executed_qty);
    assert_eq!(by_core, 2 * counters.executed_qty, "seed {seed}");
    assert!(counters.trades > 50, "seed {seed}: {counters:?}");
    assert_once_each(&rig, &engine);
    deaths.repeated = engine.repeated();
    deaths
}

#[test]
fn an_engine_that_answers_queries_is_sent_nothing_from_before_the_restart() {
    let (mut refused, mut in_doubt) = (0, 0);
    for seed in 0..10 {
        let deaths = live_and_die(seed, ReplayEnd::Answered);
        refused += deaths.refused;
        in_doubt += deaths.in_doubt;
        assert_eq!(deaths.repeated, 0, "seed {seed}: none came twice");
    }
    assert!(refused > 20 && in_doubt > 100, "{refused} {in_doubt}");
}

#[test]
fn an_engine_that_does_not_gets_what_is_in_doubt_again_and_ignores_it() {
    let mut resent = 0;
    for seed in 20..26 {
        let quiet = ReplayEnd::Quiet(Duration::from_ns(30_000_000));
        let deaths = live_and_die(seed, quiet);
        assert_eq!(deaths.refused, 0, "seed {seed}: nobody can tell");
        resent += deaths.resent;
    }
    assert!(resent > 20, "{resent}");
}

#[test]
fn an_engine_of_another_day_is_known_by_its_last_message() {
    let engine = Engine::start(31);
    let mut rig = rig(config(&engine), 31);
    until_up(&mut rig);
    rig.trade(200);
    rig.pump_all();
    // Another engine, which has said as much under the same name.
    let other = Engine::start(32);
    let mut other_rig = crate::patient::rig(config(&other), 32);
    until_up(&mut other_rig);
    other_rig.trade(400);
    other_rig.pump_all();
    drop(other_rig);
    let kept = rig.log.len();
    let (mut rig, end) = rig.again(kept, fresh(config(&other)), None);
    assert_eq!(end.fault, None);
    let link = |rig: &Rig<Patient>| rig.venue.venue.link(SessionId::new(1));
    let changed = Some(LinkState::Stopped(StopReason::SessionChanged));
    until(&mut rig, "a stop", |rig| link(rig) == changed);
    rig.pump_all();
    assert_eq!(rig.effects.alarms, [], "not a word of it was believed");
}

#[test]
fn a_log_read_with_other_instruments_is_refused() {
    let engine = Engine::start(33);
    let mut rig = rig(config(&engine), 33);
    until_up(&mut rig);
    rig.trade(200);
    rig.pump_all();
    let mut other = config(&engine);
    let scale = OUCH50.fits(
        NonZeroU64::new(2 * TICK_WIRE).expect("not 0"),
        NonZeroU32::MIN,
        Price::new(1),
        Price::new(100_000),
        Qty::new(100_000),
    );
    other.instruments[0].scale = scale.expect("fits the dialect");
    let kept = rig.log.len();
    let (_, end) = rig.again(kept, fresh(other), None);
    let fault = end
        .fault
        .expect("prices of executions are not those of the log");
    let RecallFault::ReportDiffers { logged, made, .. } = fault else {
        panic!("{fault:?}");
    };
    assert!(matches!(logged.kind, ReportKind::Fill { .. }));
    assert_ne!(made, Some(logged));
}

/// No engine at all.
struct Nowhere;

impl Dial for Nowhere {
    type Stream = Cursor<Vec<u8>>;

    fn dial(&mut self, _session: SessionId) -> Dialed<Self::Stream> {
        Dialed::Pending
    }
}

#[test]
fn damaged_memory_is_refused_and_never_believed() {
    let engine = Engine::start(34);
    let mut rig = rig(config(&engine), 34);
    until_up(&mut rig);
    rig.trade(150);
    // What is sent now has no answer, however fast the engine is.
    engine.mute();
    rig.trade(30);
    let kept = rig.log.len();
    let mut small = config(&engine);
    small.orders_max = 512;
    small.write_buffer_bytes = 4_096;
    let (rig, end) = rig.again(kept, fresh(small.clone()), None);
    assert!(end.orders_in_doubt > 0);
    let mut bytes = Vec::new();
    rig.venue.save(&mut bytes);
    let blank = || OuchVenue::new(small.clone(), Nowhere).expect("in range");
    let mut venue = blank();
    venue.load(&bytes).expect("whole");
    let mut copy = Vec::new();
    venue.save(&mut copy);
    assert!(copy == bytes, "written as read");
    for len in (0..bytes.len()).step_by(7) {
        assert!(blank().load(&bytes[..len]).is_err(), "cut to {len}");
    }
    for at in (0..bytes.len()).step_by(5) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x81;
        let mut venue = blank();
        if venue.load(&flipped).is_ok() {
            // Another number may be believed; what is written again is what was read.
            let mut copy = Vec::new();
            venue.save(&mut copy);
            assert!(copy == flipped, "byte {at}");
        }
    }
}

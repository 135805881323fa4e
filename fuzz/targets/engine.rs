//! What an engine sends over its link: whatever it says and however the stream is cut, a message is
//! one report at the most, in order, and no quantity or price is made larger than what was said.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_domain::{
    Duration, HashSeed, Price, Qty, ReportKind, SessionId, Timestamp, VenueReport,
};
use portcullis_fuzz::pipe::{Pipe, PipeDial};
use portcullis_venue::{MatchingVenue, VenueSink};
use portcullis_venue_ouch::{
    EngineInstrument, EngineLogin, OuchVenue, OuchVenueConfig, ReplayEnd, Route,
};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{OUCH50, Outbound};
use portcullis_wire::soupbin::Password;
use std::num::{NonZeroU32, NonZeroU64};

const TICK_WIRE: u64 = 100;
const LOT_WIRE: u32 = 10;
const SESSION: SessionId = SessionId::new(0);

fn config(replay_end: ReplayEnd) -> OuchVenueConfig {
    let login = EngineLogin {
        address: ([127, 0, 0, 1], 1).into(),
        user: Alpha::new(b"user").expect("fits"),
        password: Password(Alpha::BLANK),
        engine_session: None,
        next_sequence: 1,
    };
    let scale = OUCH50.fits(
        NonZeroU64::new(TICK_WIRE).expect("not 0"),
        NonZeroU32::new(LOT_WIRE).expect("not 0"),
        Price::new(1),
        Price::new(100_000),
        Qty::new(10_000),
    );
    let scale = scale.expect("fits the dialect");
    let symbols: [&[u8]; 2] = [b"ALPHA", b"BETA"];
    OuchVenueConfig {
        sessions: vec![Route::Own(login)],
        instruments: (symbols.iter())
            .map(|symbol| EngineInstrument {
                symbol: Alpha::new(symbol).expect("fits"),
                scale,
            })
            .collect(),
        orders_max: 16,
        in_flight_max: 4,
        hash_seed: HashSeed::FIXED,
        write_buffer_bytes: 8_192,
        reconnect_min: Duration::from_ns(1),
        reconnect_max: Duration::from_ns(1),
        silence_max: Duration::from_ns(u64::MAX / 2),
        replay_end,
    }
}

#[derive(Default)]
struct Heard {
    reports: Vec<(VenueReport, Vec<u8>)>,
    up: bool,
}

impl VenueSink for Heard {
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        assert_eq!(report.session, SESSION);
        check(&report, raw);
        self.reports.push((report, raw.to_vec()));
    }

    fn on_link(&mut self, session: SessionId, up: bool) {
        assert_eq!(session, SESSION);
        assert_ne!(up, self.up, "a link is told when it changes");
        self.up = up;
    }
}

/// A report against the engine's own words, read anew.
fn check(report: &VenueReport, raw: &[u8]) {
    let Ok(message) = Outbound::parse(raw) else {
        // Read without its appendage, or of a type that is not known: nothing to hold it against.
        return;
    };
    match (message, report.kind) {
        (Outbound::OrderExecuted(view), ReportKind::Fill { qty, price, .. }) => {
            let said = qty.lots() * i64::from(LOT_WIRE);
            assert!(qty == Qty::ZERO || said == i64::from(view.quantity()));
            let price_wire = u128::from(price.ticks().unsigned_abs()) * u128::from(TICK_WIRE);
            assert!(qty == Qty::ZERO || price_wire == u128::from(view.price()));
        }
        (Outbound::OrderCanceled(view), ReportKind::Reduced { qty }) => {
            lots(qty, view.quantity());
        }
        (Outbound::AiqCanceled(view), ReportKind::Reduced { qty }) => lots(qty, view.decrement()),
        (Outbound::BrokenTrade(view), ReportKind::BrokenTrade { match_number }) => {
            assert_eq!(match_number, view.match_number());
        }
        (Outbound::Rejected(view), kind) => {
            assert_eq!(kind, ReportKind::Rejected);
            assert_eq!(report.user_ref.number, view.user_ref_num());
        }
        (_, kind) => assert!(!matches!(kind, ReportKind::Fill { .. })),
    }
}

/// Whole lots of a known order, rounded down, or the wire's own number where the order is unknown.
fn lots(qty: Qty, wire: u32) {
    let [lots, wire, lot] = [qty.lots(), i64::from(wire), i64::from(LOT_WIRE)];
    assert!(lots == wire || lots == wire / lot, "{lots} lots of {wire}");
}

/// The engine's stream in pieces of this size: what was reported, and how far it was taken.
fn run(stream: &[u8], piece: usize, replay_end: ReplayEnd) -> (Heard, u64) {
    let pipe = Pipe::new(stream, piece);
    let mut venue = OuchVenue::new(config(replay_end), PipeDial::new(pipe)).expect("in range");
    let mut heard = Heard::default();
    let mut now = Timestamp::ZERO;
    let polls = stream.len() / piece + 64;
    for _ in 0..polls {
        now = now.saturating_add(Duration::from_ns(1));
        venue.poll(now, 8, &mut heard);
    }
    while venue.poll(now, 64, &mut heard) > 0 {}
    let taken = venue.taken(SESSION).expect("one session");
    assert!(heard.reports.len() as u64 <= taken);
    assert!(venue.counters().messages_taken >= heard.reports.len() as u64);
    assert!(venue.link(SESSION).is_some() && venue.in_flight(SESSION) == Some(0));
    (heard, taken)
}

fuzz_target!(|input: &[u8]| {
    let Some(([choice, sequence], stream)) = input.split_first_chunk::<2>() else {
        return;
    };
    let replay_end = match choice & 1 {
        0 => ReplayEnd::Answered,
        _ => ReplayEnd::Quiet(Duration::from_ns(4)),
    };
    let mut login = *b"\x00\x1FAENGINE    00000000000000000001";
    if *sequence == 0 {
        login[32] = b'9';
    }
    let stream = [&login[..], stream].concat();
    let (whole, taken) = run(&stream, stream.len(), replay_end);
    let (cut, taken_cut) = run(&stream, usize::from(choice >> 1) % 64 + 1, replay_end);
    assert_eq!(whole.reports, cut.reports);
    assert_eq!(taken, taken_cut);
});

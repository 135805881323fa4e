//! The driver against a small venue over loopback: every figure, the faults of either side, the end
//! phases.
//!
//! **Thread.** The test's, and one of the venue.
//! **Invariants.** Where nothing is planted and the venue is honest, nothing may be unanswered,
//! crossed or left; each lie and each plant shows in its own figure.
//! **Never.** Depend on how fast the machine is: where all is to be answered the time-out is long.

mod venue;

use portcullis_domain::Side;
use portcullis_flow::{
    AccountConfig, Act, Driver, Drove, Enter, FaultKind, Flaw, FlowConfig, FlowError, FlowReport,
    GeneratorConfig, InstrumentConfig, Lane, Listing, Pace, Plant, SessionConfig, Source, Until,
    run,
};
use portcullis_wire::ouch50::TimeInForce;
use std::path::{Path, PathBuf};
use std::time::Duration;
use venue::{Lie, Manners, Seen, Venue};

const SYMBOLS: [(&str, u64); 3] = [("ESH4", 2_500), ("PERP", 100), ("CASH", 1)];

fn manners(lie: Option<(u64, Lie)>) -> Manners {
    Manners {
        symbols: SYMBOLS.to_vec(),
        firms: vec!["ABCD"],
        lie,
    }
}

fn session(user: &str, password: &str) -> SessionConfig {
    SessionConfig {
        user: user.to_owned(),
        password: password.to_owned(),
        accounts: vec![
            AccountConfig::default_of_session(format!("{user}-own")),
            AccountConfig {
                firm: Some("ABCD".to_owned()),
                label: format!("{user}-firm"),
                barred: Vec::new(),
                manual: false,
            },
        ],
    }
}

fn config(venue: &Venue, sessions: usize, source: Source) -> FlowConfig {
    let sessions = (0..sessions).map(|n| session(&format!("user{n}"), "secret"));
    let instruments = SYMBOLS
        .iter()
        .map(|(symbol, tick)| InstrumentConfig::new(*symbol, *tick, 19_200));
    let mut config = FlowConfig::new(
        venue.address,
        sessions.collect(),
        instruments.collect(),
        source,
    );
    config.answer_timeout = Duration::from_secs(60);
    config
}

fn generated(events: u64) -> Source {
    Source::Generated(GeneratorConfig {
        events_max: Some(events),
        ..GeneratorConfig::default()
    })
}

fn balanced(report: &FlowReport) {
    let total = &report.total;
    assert_eq!(
        total.orders_sent(),
        total.accepted + total.replaced + total.refused_total() + total.silent + total.unanswered,
        "{report}"
    );
    assert_eq!(
        report.latency_ns.count,
        total.accepted + total.replaced + total.refused_total(),
        "each answer is timed once\n{report}"
    );
}

fn agrees(report: &FlowReport, seen: &Seen) {
    assert_eq!(report.total.accepted, seen.accepted);
    assert_eq!(report.total.replaced, seen.replaced);
    assert_eq!(report.total.refused_total(), seen.refused);
    assert_eq!(report.executed_qty, seen.executed_qty);
    assert_eq!(report.total.executed_qty, 2 * seen.executed_qty);
    assert_eq!(seen.resting, 0, "orders left in the book");
}

#[test]
fn kept_answers_are_all_there_and_each_once() {
    let venue = Venue::start(manners(None));
    let mut config = config(&venue, 2, generated(2_000));
    config.keep_answers = true;
    let mut driver = Driver::connect(config).expect("connects");
    driver.drive(Until::SOURCE_END).expect("drives");
    let before = driver.take_answers().len();
    driver.settle().expect("settles");
    let total = driver.report().total;
    let after = driver.take_answers();
    let answered = total.accepted + total.replaced + total.refused_total();
    assert_eq!((before + after.len()) as u64, answered);
    assert!(before > 0 && driver.take_answers().is_empty());
    driver.logout().expect("logs out");
    venue.stop();
}

#[test]
fn a_whole_generated_run_is_clean_and_agrees_with_the_venue() {
    let venue = Venue::start(manners(None));
    let config = config(&venue, 3, generated(6_000));
    let mut told = 0;
    let report = run(&config, &mut |_| told += 1).expect("runs");
    let seen = venue.stop();
    assert!(report.is_clean(), "{report}");
    assert!(told > 0);
    balanced(&report);
    agrees(&report, &seen);
    assert_eq!(seen.logouts, 3);
    let total = &report.total;
    assert!(total.executions > 100 && total.replaced > 100, "{report}");
    assert!(total.resends_sent > 0 && total.silent > 0, "{report}");
    for code in [0x0017, 0x000C, 0x0011, 0x001D, 0x002E, 0x0031, 0x000F] {
        assert!(
            total.refused.contains_key(&code),
            "no {code:#06x}\n{report}"
        );
    }
    assert!(
        (400_000..=900_000).contains(&report.accepted_ppm()),
        "{report}"
    );
}

#[test]
fn open_loop_latency_counts_from_the_planned_time() {
    let venue = Venue::start(manners(None));
    let mut config = config(&venue, 2, generated(300));
    config.pace = Pace::OpenLoop {
        speed_ppm: 1_000_000,
    };
    // One message at a time: what waits for the window is late from its planned time on.
    config.window = 1;
    let report = run(&config, &mut |_| {}).expect("runs");
    venue.stop();
    assert!(report.is_clean(), "{report}");
    balanced(&report);
    let latency = report.latency_ns;
    assert!(latency.p50 <= latency.p99 && latency.p99 <= latency.p999);
    assert!(latency.p999 <= latency.p9999 && latency.p9999 <= latency.max + latency.max / 500);
    assert!(latency.p50 > 0);
}

#[test]
fn a_lost_answer_is_unanswered() {
    let venue = Venue::start(manners(None));
    let mut config = config(&venue, 2, generated(500));
    config.plant = Some(Plant::LostAnswer);
    config.answer_timeout = Duration::from_millis(500);
    let report = run(&config, &mut |_| {}).expect("runs");
    let seen = venue.stop();
    assert_eq!(report.total.unanswered, 1, "{report}");
    assert_eq!(report.total.wrong_session, 0, "{report}");
    assert!(!report.is_clean());
    balanced(&report);
    assert_eq!(seen.resting, 0, "the end phases still close everything");
}

#[test]
fn an_answer_given_to_another_session_is_told() {
    let venue = Venue::start(manners(None));
    let mut config = config(&venue, 2, generated(500));
    config.plant = Some(Plant::WrongSession);
    config.answer_timeout = Duration::from_millis(500);
    let report = run(&config, &mut |_| {}).expect("runs");
    venue.stop();
    assert_eq!(report.total.wrong_session, 1, "{report}");
    assert!(report.total.first_fault.is_some());
}

fn lied_to(lie: Lie) -> FlowReport {
    let venue = Venue::start(manners(Some((30, lie))));
    let mut config = config(&venue, 2, generated(400));
    config.answer_timeout = Duration::from_millis(500);
    let report = run(&config, &mut |_| {}).expect("one session at least lives on");
    venue.stop();
    assert!(!report.is_clean(), "{lie:?}\n{report}");
    report
}

#[test]
fn lies_of_the_venue_are_told_apart() {
    let report = lied_to(Lie::TwoAnswers);
    assert_eq!(
        (report.total.protocol_errors, report.total.wrong_session),
        (1, 0),
        "{report}"
    );
    let report = lied_to(Lie::Overfill);
    assert!(report.total.protocol_errors >= 1, "{report}");
    assert!(report.one_sided_qty >= 1, "{report}");
    let report = lied_to(Lie::StrangeNumber);
    assert_eq!(report.total.wrong_session, 1, "{report}");
    let report = lied_to(Lie::Close);
    assert_eq!(report.sessions_lost(), 1, "{report}");
}

#[test]
fn a_replace_that_is_done_and_not_answered_is_unanswered_and_still_cancelled() {
    let venue = Venue::start(manners(Some((30, Lie::SilentReplace))));
    let mut config = config(&venue, 2, generated(400));
    config.answer_timeout = Duration::from_millis(500);
    let report = run(&config, &mut |_| {}).expect("runs");
    let seen = venue.stop();
    assert_eq!(report.total.unanswered, 1, "{report}");
    assert_eq!(seen.resting, 0, "no number of the order was left out");
    assert_eq!(report.open_orders, 0, "{report}");
    assert_eq!(report.total.replaced + 1, seen.replaced, "{report}");
    balanced(&report);
}

fn recorded_day() -> PathBuf {
    let shared = std::env::var_os("PORTCULLIS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = shared.join("data/esh4-20231225.mbo.dbn.zst");
    assert!(
        path.exists(),
        "the recorded day is missing: put esh4-20231225.mbo.dbn.zst at {}, or point \
         PORTCULLIS_SHARED at the folder that holds data/",
        path.display()
    );
    path
}

#[test]
fn the_recorded_day_drives_whole_and_meets_what_rests() {
    let venue = Venue::start(manners(None));
    let config = config(&venue, 4, Source::Dbn(recorded_day()));
    let report = run(&config, &mut |_| {}).expect("runs");
    let seen = venue.stop();
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    balanced(&report);
    agrees(&report, &seen);
    let counts = report.recorded.expect("a recording");
    assert_eq!(counts.records, 68_792);
    let made = counts.enters + counts.immediates + counts.replaces + counts.cancels_made;
    let end = report.total.messages_sent();
    assert!(end + report.skipped >= made, "{report}");
}

fn order(lane: usize, side: Side, quantity: u32, handle: u64) -> Act {
    Act::Enter(Enter {
        handle: Some(handle),
        lane: Lane(lane),
        listing: Listing::Known(0),
        side,
        quantity,
        price: 48_000_000,
        time_in_force: TimeInForce::Day,
        flaw: Flaw::None,
    })
}

#[test]
fn orders_by_hand_cancel_partly_and_flatten() {
    let venue = Venue::start(manners(None));
    let mut driver = Driver::connect(config(&venue, 2, Source::Manual)).expect("connects");
    assert_eq!(
        driver.drive(Until::SOURCE_END).expect("no source"),
        Drove::SourceEnded
    );
    let send = |driver: &mut Driver, act| driver.send(act).expect("sent");
    send(&mut driver, order(0, Side::Sell, 250, 1));
    driver.settle().expect("answered");
    send(&mut driver, order(3, Side::Buy, 230, 2));
    driver.settle().expect("answered");
    // 20 are left of handle 1: down to 5, then away.
    send(&mut driver, Act::Cancel { handle: 1, open: 5 });
    send(&mut driver, order(1, Side::Sell, 7, 3));
    send(
        &mut driver,
        Act::Replace {
            handle: 3,
            open: 9,
            price: 48_002_500,
        },
    );
    // The cancel waits for the replace.
    send(&mut driver, Act::Cancel { handle: 3, open: 0 });
    driver.settle().expect("answered");
    let report = driver.report();
    assert_eq!(report.executed_qty, 230);
    assert_eq!(report.total.canceled_qty, 15 + 9, "{report}");
    assert_eq!(report.open_orders, 1, "{report}");
    let mut positions: Vec<_> = report
        .positions
        .iter()
        .map(|p| (p.account.as_str(), p.quantity))
        .collect();
    positions.sort_unstable();
    assert_eq!(positions, [("user0-own", -230), ("user1-firm", 230)]);
    // What names a closed order is passed over.
    send(&mut driver, Act::Cancel { handle: 2, open: 0 });
    assert_eq!(driver.report().skipped, 1);
    assert_eq!(driver.cancel_all().expect("cancelled"), 0);
    assert_eq!(driver.flatten(&[Some(48_010_000)]).expect("flat"), []);
    driver.logout().expect("out");
    let report = driver.report();
    let seen = venue.stop();
    assert!(report.is_clean(), "{report}");
    balanced(&report);
    agrees(&report, &seen);
    // Orders of at most 100 shares: three trades.
    assert_eq!(report.total.executions, 2 + 6, "{report}");
}

#[test]
fn what_cannot_start_says_why() {
    let venue = Venue::start(manners(None));
    let mut wrong = config(&venue, 1, Source::Manual);
    wrong.sessions[0].password = "wrong".to_owned();
    let error = Driver::connect(wrong).map(|_| ()).expect_err("refused");
    assert!(
        matches!(error, FlowError::Login { session: 0, .. }),
        "{error}"
    );
    let mut long = config(&venue, 1, Source::Manual);
    long.sessions[0].user = "seven77".to_owned();
    let error = Driver::connect(long).map(|_| ()).expect_err("too long");
    assert!(error.to_string().starts_with("sessions[0].user"), "{error}");
    let missing = config(&venue, 1, Source::Dbn("no/such/file.dbn".into()));
    let error = Driver::connect(missing).map(|_| ()).expect_err("missing");
    assert!(error.to_string().contains("no/such/file.dbn"), "{error}");
    venue.stop();
}

#[test]
fn each_fault_alone_is_made_and_answered() {
    for kind in FaultKind::ALL {
        let venue = Venue::start(manners(None));
        let source = Source::Generated(GeneratorConfig {
            events_max: Some(200),
            fault_ppm: 500_000,
            faults: vec![(kind, 1)],
            burst_len: 10,
            ..GeneratorConfig::default()
        });
        let mut config = config(&venue, 2, source);
        config.instruments[1].qty_heavy_wire = Some(9_000);
        config.instruments[2].restricted = true;
        config.sessions[1].accounts[0].barred = vec![1];
        let report = run(&config, &mut |_| {}).expect("runs");
        let seen = venue.stop();
        assert!(report.is_clean(), "{kind:?}\n{report}");
        agrees(&report, &seen);
        let made: u64 = report.faults_made.iter().map(|(_, made)| made).sum();
        assert!(made > 50, "{kind:?}: {made}");
    }
}

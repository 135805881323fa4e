//! The binary in each topology, through real sockets, until it is told to stop.
//!
//! Each test has processes of its own and waits for what they say, never for time. Busy threads run
//! in the fused topology alone: there each has a core.

mod client;
mod engine;
mod gateway;

use client::Client;
use engine::MuteEngine;
use gateway::{Gateway, Setup};

const TOPOLOGIES: [&str; 3] = ["fused", "split", "dedicated"];

fn setup(topology: &'static str) -> Setup {
    Setup {
        topology,
        idle: "yield",
        cores: "",
        further: "",
        engine: None,
    }
}

/// Runs a gateway, leaves an order of 10 lots resting, stops it; what it said in the end.
fn stop_with_a_resting_order(setup: Setup) -> String {
    let gateway = Gateway::start(setup);
    let mut client = Client::log_on(gateway.address());
    client.buy_until_accepted(10);
    let log = gateway.log();
    let (code, said) = gateway.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("open orders 1, lots on hold 10"), "{said}");
    assert!(!said.contains("outstanding"), "{said}");
    client.expect_end();
    let digest = said.rsplit_once("digest ").expect("it names its digest").1;
    let digest = digest.split_whitespace().next().expect("and gives it");
    let replayed = gateway::run(&["replay", &log.path()]);
    assert!(replayed.contains(digest), "{digest} is not in {replayed}");
    said
}

#[test]
fn a_stop_leaves_resting_orders_on_hold_and_says_so() {
    for topology in TOPOLOGIES {
        for idle in ["yield", "park"] {
            stop_with_a_resting_order(Setup {
                idle,
                ..setup(topology)
            });
        }
    }
}

#[test]
fn one_thread_may_be_busy() {
    stop_with_a_resting_order(Setup {
        idle: "busy",
        ..setup("fused")
    });
}

#[test]
fn threads_are_pinned_as_far_as_there_are_cores_and_the_rest_is_named() {
    let said = stop_with_a_resting_order(Setup {
        cores: "cores = [0, 4_095]",
        ..setup("dedicated")
    });
    let missing = "thread sequencer: core 4095 is not among the";
    assert!(said.contains(missing), "{said}");
    let rest = "cores names 2 for 5 threads; not pinned: risk, venue, egress";
    assert!(said.contains(rest), "{said}");
    assert!(!said.contains("thread ingress:"), "core 0 is there: {said}");
}

/// The engine has the order and says nothing: its hold stays, and the exit code says so.
#[test]
fn a_stop_with_an_answer_outstanding_is_given_up_and_says_so() {
    for topology in TOPOLOGIES {
        let engine = MuteEngine::listen();
        let gateway = Gateway::start(Setup {
            engine: Some(engine.address()),
            ..setup(topology)
        });
        let mut client = Client::log_on(gateway.address());
        client.buy_until(10, &mut || engine.has_an_order());
        let (code, said) = gateway.stop();
        assert_eq!(code, Some(1), "{topology}: {said}");
        assert!(said.contains("open orders 1, lots on hold 10"), "{said}");
        assert!(said.contains("some answers are outstanding"), "{said}");
    }
}

/// It stays down, and the operator reads why and what to do.
#[test]
fn an_engine_link_that_stopped_is_told_in_the_log_and_in_the_state() {
    let engine = MuteEngine::refusing();
    let mut gateway = Gateway::start(Setup {
        engine: Some(engine.address()),
        ..setup("split")
    });
    let alarm = "ALARM: the engine link of session TRADE1 stopped: ";
    let said = gateway.wait_for_line(alarm, |_| true);
    assert!(said.contains("mend them in the config"), "{said}");
    let state = gateway.ctl(&["state"]);
    let line = "engine link of session TRADE1 stopped: the engine refused its user or password";
    assert!(state.contains(line), "{state}");
}

const STAGES: [&str; 7] = [
    "decode", "queue", "check", "journal", "gate", "engine", "send",
];

/// Whether a line has p50, p99, p99.9 and the longest of a stage.
fn names_four_times(line: &str, stage: &str) -> bool {
    let times = line
        .split_once(&format!(" {stage} "))
        .expect("it is named")
        .1;
    let times = times.split_once([',', ';']).expect("it ends").0;
    times.split('/').count() == 4
}

/// In each topology the line comes by itself, and its counts and stages are those of the one order.
#[test]
fn a_running_gateway_sums_up_what_it_does() {
    for topology in TOPOLOGIES {
        let mut gateway = Gateway::start(Setup {
            further: "[observe]\nsummary_every_ms = 20",
            ..setup(topology)
        });
        let quiet = gateway.wait_for_line("summary: ", |_| true);
        assert!(
            quiet.contains("accepted 0, refused 0, sessions 0;"),
            "{quiet}"
        );
        // Ticks and the desk's commands are kept too.
        let (before, after) = quiet.split_once(" journal ").expect("it is named");
        assert!(before.ends_with(" decode -, queue -, check -,"), "{quiet}");
        assert!(after.contains(", gate -, engine -, send -;"), "{quiet}");
        let mut client = Client::log_on(gateway.address());
        client.buy_until_accepted(10);
        // Its stages may end in different intervals, each of which has its line.
        let (mut accepted, mut stages) = (false, STAGES.to_vec());
        let line = gateway.wait_for_line("summary: ", |line| {
            accepted |= line.contains("accepted 1,") && line.contains("sessions 1;");
            stages.retain(|stage| !names_four_times(line, stage));
            accepted && stages.is_empty()
        });
        assert!(line.contains("; longest stall "), "{line}");
        assert!(line.contains(", longest idle gap "), "{line}");
        assert!(line.contains(" us, busy "), "{line}");
        let (code, said) = gateway.stop();
        assert_eq!(code, Some(0), "{said}");
    }
}

/// A price makes the breach, no order does: it is told by itself, and counted when somebody asks.
#[test]
fn an_account_that_falls_below_its_maintenance_margin_is_told_without_an_order() {
    for topology in TOPOLOGIES {
        let mut gateway = Gateway::start(Setup {
            further: "[observe]\nvalue_accounts_every_ms = 5",
            ..setup(topology)
        });
        gateway.ctl(&["open-position", "trader1", "ACME", "-5_000", "100.00"]);
        let sound = gateway.ctl(&["value"]);
        let expected =
            "accounts 1, below maintenance margin 0, with a reference missing or stale 0";
        assert!(sound.contains(expected), "{topology}: {sound}");
        // Short 5,000 at 100 with a million: equity 700,000, maintenance margin 800,000.
        gateway.ctl(&["reference", "ACME", "160.00"]);
        let told = gateway.wait_for_line("ALARM ", |_| true);
        assert!(
            told.contains("equity is below maintenance margin"),
            "{told}"
        );
        assert!(told.contains("account trader1"), "{told}");
        let breached = gateway.ctl(&["value"]);
        let expected =
            "accounts 1, below maintenance margin 1, with a reference missing or stale 0";
        assert!(breached.contains(expected), "{topology}: {breached}");
        let log = gateway.log();
        let (code, said) = gateway.stop();
        assert_eq!(code, Some(0), "{said}");
        let alarms = said.matches("ALARM ").count();
        assert_eq!(alarms, 1, "told once: {said}");
        let digest = said.rsplit_once("digest ").expect("it names its digest").1;
        let digest = digest.split_whitespace().next().expect("and gives it");
        let replayed = gateway::run(&["replay", &log.path()]);
        assert!(replayed.contains(digest), "{digest} is not in {replayed}");
    }
}

/// The store holds 64 messages; the rest of the 200 comes out of the journal, the same bytes.
#[test]
fn what_a_client_missed_comes_from_the_journal() {
    for topology in TOPOLOGIES {
        let gateway = Gateway::start(Setup {
            further: "[capacities]\nsession_store_bytes = 4_096",
            ..setup(topology)
        });
        let mut client = Client::log_on(gateway.address());
        for _ in 0..200 {
            client.buy_until_accepted(1);
        }
        let told = client.hear(200).to_vec();
        let mut again = client.come_back(gateway.address());
        assert!(again.hear(told.len()) == told, "{topology}");
        again.buy_until_accepted(1);
        assert!(again.hear(told.len() + 1)[..told.len()] == told);
        let (code, said) = gateway.stop();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("resend: session 0: messages 1 to "), "{said}");
    }
}

/// Locked, or told why not: whoever runs the tests may have the right or not.
#[test]
fn memory_is_locked_where_the_config_asks_for_it_or_the_limit_is_named() {
    let gateway = Gateway::start(Setup {
        further: "lock_memory = true\n[observe]\nsummary_every_ms = 0",
        ..setup("fused")
    });
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id()));
    let status = status.expect("it runs");
    let locked = !status.contains("VmLck:\t       0 kB");
    let (code, said) = gateway.stop();
    assert_eq!(code, Some(0), "{said}");
    let told = said.contains("[threads] lock_memory: memory is not locked (");
    assert_ne!(locked, told, "{status}\n{said}");
    assert!(!said.contains("summary: "), "0 is never: {said}");
}

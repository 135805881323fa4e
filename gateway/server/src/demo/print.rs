//! The demo's figures, for people.

use super::figures::{Figures, Percentiles};
use portcullis_flow::Progress;
use std::io::{IsTerminal, Write};

/// One line, written over and over on a terminal; nothing elsewhere.
pub(super) fn progress(progress: &Progress) {
    let mut err = std::io::stderr();
    if !err.is_terminal() {
        return;
    }
    let seconds = progress.elapsed_ns / 1_000_000_000;
    let tenths = progress.elapsed_ns / 100_000_000 % 10;
    // A terminal that takes no more is no reason to stop.
    let _ = write!(
        err,
        "\r{:<9} {seconds:>3}.{tenths} s  orders {:>8}  accepted {:>8}  refused {:>7}  traded {:>9}  open {:>6} ",
        progress.phase,
        progress.orders_sent,
        progress.accepted,
        progress.refused,
        progress.executed_qty,
        progress.open_orders,
    );
    let _ = err.flush();
}

pub(super) fn end_of_progress() {
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
}

/// The table.
pub(super) fn table(figures: &Figures) {
    println!(
        "{:<26} {:>6} {:>9} {:>9}  example",
        "check", "wire", "seen", "refused"
    );
    for check in &figures.checks {
        println!(
            "{:<26} 0x{:04X} {:>9} {:>9}  {}",
            check.name,
            check.ouch_reason,
            check.failing,
            check.primary,
            check.example.as_deref().unwrap_or("-"),
        );
    }
    println!();
    counts(figures);
    let latency = &figures.report.latency_ns;
    let client = Percentiles {
        p50: latency.p50,
        p99: latency.p99,
        p999: latency.p999,
        p9999: latency.p9999,
        max: latency.max,
    };
    percentiles("gateway", figures.gateway);
    percentiles("clients", client);
    if let Some(fault) = &figures.report.total.first_fault {
        println!("first fault: {fault}");
    }
    println!(
        "{}",
        if figures.is_clean() {
            "all counts agree"
        } else {
            "COUNTS DISAGREE"
        }
    );
}

fn counts(figures: &Figures) {
    let total = &figures.report.total;
    println!(
        "clients   {} messages, {} orders; accepted {}, replaced {}, refused {}, resends {}",
        total.messages_sent(),
        total.orders_sent(),
        total.accepted,
        total.replaced,
        total.refused_total(),
        figures.resent,
    );
    println!(
        "traded    engine {}, gateway {}, clients {} lots",
        figures.executed_engine,
        figures.executed_sides_gateway / 2,
        figures.executed_clients,
    );
    println!(
        "left      unanswered {}, to the wrong session {}, holds {}, orders {}, positions {}, \
         money {}",
        total.unanswered,
        total.wrong_session,
        figures.holds_left,
        figures.orders_left,
        figures.positions_left,
        figures.conservation_error,
    );
    println!(
        "margin    {} accepts proved by the bound, {} accounts valued exactly",
        figures.proved_by_bound, figures.valued_exactly,
    );
    println!(
        "log       {} commands, digest {:016x}, replayed {:016x}",
        figures.commands, figures.digest, figures.replayed_digest,
    );
    if figures.lagged + figures.unanswerable > 0 {
        let (lagged, unanswerable) = (figures.lagged, figures.unanswerable);
        println!("          {lagged} slow clients, {unanswerable} messages without an answer");
    }
}

fn percentiles(who: &str, at: Percentiles) {
    println!(
        "{who}   ns from bytes in to verdict or answer: p50 {}, p99 {}, p99.9 {}, p99.99 {}, max {}",
        at.p50, at.p99, at.p999, at.p9999, at.max,
    );
}

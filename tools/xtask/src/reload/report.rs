//! What a run came to, for people and as JSON.
//!
//! Times are told here and judged nowhere.

use super::arguments::Arguments;
use super::flips::{BadReload, Reload};
use super::judge::Judgement;
use super::probes::PROBES;
use crate::verb::Fault;
use portcullis_flow::FlowReport;
use serde_json::{Value, json};

/// What the run itself tells.
pub(super) struct Run {
    pub(super) report: FlowReport,
    pub(super) reloads: Vec<Reload>,
    pub(super) bad_reload: BadReload,
    pub(super) password_changed: bool,
    pub(super) stopped: Stopped,
    /// The gateway's memory before the flow, and at the most.
    pub(super) resident_kib: [u64; 2],
}

/// The gateway's last words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stopped {
    pub(super) accepted: u64,
    pub(super) refused: u64,
    pub(super) digest: String,
}

impl Stopped {
    /// `accepted N, refused N, open orders N, digest X`.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let field = |name: &str| {
            let parts = text.split(", ");
            let mut found = parts.filter_map(|part| part.strip_prefix(name));
            found.next().map(str::trim)
        };
        let number = |name| field(name).and_then(|text| text.parse().ok());
        let all = (number("accepted"), number("refused"), field("digest"));
        let (Some(accepted), Some(refused), Some(digest)) = all else {
            return Err(Fault(format!("the gateway stopped with `{text}`")));
        };
        let digest = digest.to_owned();
        Ok(Self {
            accepted,
            refused,
            digest,
        })
    }
}

/// Median and greatest of one time over all reloads.
fn spread(run: &Run, time: impl Fn(&Reload) -> u64) -> (u64, u64) {
    let mut times: Vec<u64> = run.reloads.iter().map(time).collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or(0);
    (median, times.last().copied().unwrap_or(0))
}

/// Prints a table that a person can read.
pub(super) fn print(run: &Run, judgement: &Judgement) {
    println!("reload                  median       max");
    let times: [(&str, &str, (u64, u64)); 4] = [
        ("read and compared", "ms", spread(run, |r| r.read_ms)),
        ("built and kept", "ms", spread(run, |r| r.built_ms)),
        ("flipped", "us", spread(run, |r| r.flipped_us)),
        ("asked to answered", "ms", spread(run, |r| r.whole_ms)),
    ];
    for (name, unit, (median, max)) in times {
        println!("{name:<18} {median:>8} {unit} {max:>8} {unit}");
    }
    println!("\nprobe                     under A   under B");
    for (probe, [a, b]) in PROBES.iter().zip(judgement.probes) {
        println!("{:<20} {a:>12} {b:>9}", probe.account);
    }
    let Judgement {
        accepted,
        refused,
        mixed,
        lost,
        surplus,
        ..
    } = judgement;
    let unanswered = run.report.total.unanswered;
    let epochs = judgement.verdicts_by_epoch.len();
    println!(
        "\n{} verdicts in {epochs} epochs: {accepted} accepted, {refused} refused",
        accepted + refused
    );
    println!("mixed {mixed}, lost {lost}, surplus {surplus}, unanswered {unanswered}");
    println!(
        "longest time between two answers to probes: {} us, across a flip {} us",
        judgement.gap_max_us, judgement.flip_gap_max_us
    );
    let [before, peak] = run.resident_kib.map(|kib| kib / 1_024);
    let after = run.reloads.iter().map(|reload| reload.resident_kib / 1_024);
    let after: Vec<String> = after.map(|mib| mib.to_string()).collect();
    println!("gateway's memory in MiB: {before} before the flow, {peak} at the most");
    println!("after each reload: {}", after.join(" "));
    for wrong in &judgement.wrong {
        println!("reload: {wrong}");
    }
}

/// The object of the last line.
pub(super) fn json(arguments: &Arguments, run: &Run, judgement: &Judgement) -> Value {
    let total = &run.report.total;
    let reloads = run.reloads.iter().map(|reload| {
        json!({
            "epoch": reload.epoch, "seq": reload.seq, "changes": reload.changes,
            "read_ms": reload.read_ms, "built_ms": reload.built_ms,
            "flipped_us": reload.flipped_us, "whole_ms": reload.whole_ms,
            "resident_kib": reload.resident_kib,
        })
    });
    let [before, peak] = run.resident_kib;
    let probes = PROBES.iter().zip(judgement.probes).map(|(probe, [a, b])| {
        json!({
            "probe": probe.account, "under_a": a, "under_b": b,
            "fails_a": probe.fails[0], "fails_b": probe.fails[1],
        })
    });
    json!({
        "accounts": arguments.accounts,
        "flips": run.reloads.len(),
        "bad_reload_changed_nothing": run.bad_reload.refused && run.bad_reload.unchanged,
        "bad_reload_told_why": run.bad_reload.told,
        "password_changed": run.password_changed,
        "plant": arguments.plant.map(|plant| plant.name()),
        "messages_sent": total.messages_sent(),
        "orders_sent": total.orders_sent(),
        "verdicts": judgement.accepted + judgement.refused,
        "verdicts_by_epoch": judgement.verdicts_by_epoch,
        "accepted": judgement.accepted,
        "refused": judgement.refused,
        "mixed": judgement.mixed,
        "lost": judgement.lost,
        "surplus": judgement.surplus,
        "unanswered": total.unanswered,
        "wrong_session": total.wrong_session,
        "protocol_errors": total.protocol_errors,
        "silent": judgement.silent,
        "unjudged": judgement.unjudged,
        "probes": probes.collect::<Vec<_>>(),
        "digest": run.stopped.digest,
        "reloads": reloads.collect::<Vec<_>>(),
        "probe_gap_max_us": judgement.gap_max_us,
        "probe_gap_across_flip_max_us": judgement.flip_gap_max_us,
        "resident_kib": { "before": before, "peak": peak },
        "wrong": judgement.wrong,
        "clean": judgement.is_clean(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_read() {
        let stopped = Stopped::parse("accepted 12, refused 7, open orders 0, digest 00ff").unwrap();
        assert_eq!((stopped.accepted, stopped.refused), (12, 7));
        assert_eq!(stopped.digest, "00ff");
        assert!(Stopped::parse("accepted 12").is_err());
    }
}

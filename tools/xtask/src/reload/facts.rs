//! What must hold of a run as a whole, beside each of its verdicts.
//!
//! Invariant: a fact that does not hold is told before any difference.

use super::evidence::{Evidence, Replayed};
use super::judge::Judgement;
use super::report::Run;

type Fact = (bool, &'static str);

/// Tells the judgement which facts do not hold.
pub(super) fn whole(
    evidence: &Evidence,
    replayed: &Replayed,
    run: &Run,
    judgement: &mut Judgement,
) {
    let facts = of_flow(run, judgement)
        .into_iter()
        .chain(of_reloads(evidence, run))
        .chain(of_replay(replayed, run, judgement));
    let broken: Vec<String> = facts
        .filter(|(holds, _)| !holds)
        .map(|(_, what)| what.to_owned())
        .collect();
    judgement.wrong.splice(0..0, broken);
    judgement.wrong.extend(run.report.total.first_fault.clone());
}

fn of_replay(replayed: &Replayed, run: &Run, judgement: &Judgement) -> [Fact; 4] {
    let stopped = &run.stopped;
    [
        (replayed.whole, "the replay found the log damaged"),
        (
            replayed.digest == stopped.digest,
            "the replay has another digest than the run",
        ),
        (
            judgement.accepted == stopped.accepted,
            "the run accepted another number",
        ),
        (
            judgement.refused == stopped.refused,
            "the run refused another number",
        ),
    ]
}

fn of_reloads(evidence: &Evidence, run: &Run) -> [Fact; 8] {
    let flips = &evidence.log.flips;
    let reloads = &run.reloads;
    let back = flips.get(1).map(|(_, table)| *table);
    let bad = &run.bad_reload;
    [
        (
            flips
                .iter()
                .map(|(seq, _)| *seq)
                .eq(reloads.iter().map(|reload| reload.seq)),
            "the log's flips are not those that ctl told",
        ),
        (
            (2..)
                .zip(reloads)
                .all(|(epoch, reload)| reload.epoch == epoch),
            "an epoch was passed over",
        ),
        (
            back == Some(evidence.log.first_table),
            "the way back did not lead to the first table",
        ),
        (
            reloads.iter().all(|reload| reload.changes > 0),
            "a reload found nothing to change",
        ),
        (
            run.password_changed,
            "a new password was not taken, or the old one still was",
        ),
        (bad.refused, "the bad file was not refused"),
        (
            bad.told,
            "the refusal of the bad file does not name the line",
        ),
        (bad.unchanged, "the bad file changed the epoch"),
    ]
}

fn of_flow(run: &Run, judgement: &Judgement) -> [Fact; 8] {
    let total = &run.report.total;
    let lost = run
        .report
        .sessions
        .iter()
        .any(|session| session.lost.is_some());
    let probed = judgement.probes.iter().flatten().all(|count| *count > 0);
    // Replaces of closed orders have no verdict; those that passed before the close have one.
    let unjudged = total.resends_sent + total.silent.saturating_sub(judgement.silent);
    [
        (total.unanswered == 0, "flow's own checker misses answers"),
        (
            total.wrong_session == 0,
            "flow's own checker found answers of another session",
        ),
        (
            total.protocol_errors == 0,
            "flow's own checker found protocol errors",
        ),
        (!lost, "a session was lost"),
        (
            probed,
            "a kind of probe was never judged under one of the tables",
        ),
        (
            judgement.silent <= total.silent,
            "replaces without an answer are more than flow knows of",
        ),
        (
            judgement.unjudged == unjudged,
            "orders without a verdict are not the resends and replaces of closed orders",
        ),
        (
            judgement.accepted > 0,
            "nothing was accepted: there was no ordinary flow",
        ),
    ]
}

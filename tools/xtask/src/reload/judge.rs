//! The judgement: three accounts of a run held against each other, verdict by verdict.
//!
//! The clients' bytes, the replay's verdicts, the log with its tables. Invariants: each verdict and
//! each answer is looked at; a judgement that had too little to look at is not clean.

use super::arguments::Plant;
use super::config::Which;
use super::evidence::{Asked, Evidence, Replayed, Verdict};
use super::facts;
use super::naive;
use super::probes::PROBES;
use super::report::Run;
use portcullis_flow::{Answer, AnswerKind};
use portcullis_risk_core::checks::REGISTRY;
use std::collections::{BTreeMap, HashMap};

/// Differences that are kept in words.
const TOLD_MAX: usize = 5;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Judgement {
    pub(super) verdicts_by_epoch: BTreeMap<u32, u64>,
    pub(super) accepted: u64,
    pub(super) refused: u64,
    /// Probes judged, by kind, under A and B.
    pub(super) probes: [[u64; 2]; PROBES.len()],
    /// Verdicts that are not those of their epoch: stamped with another than the log's, other than
    /// the replay's in the client's bytes, or other than a probe's by hand.
    pub(super) mixed: u64,
    /// Verdicts that no client read.
    pub(super) lost: u64,
    /// Answers beyond the first to a number, and answers to what was never judged.
    pub(super) surplus: u64,
    /// Replaces that passed and that the engine, as OUCH has it, left without an answer.
    pub(super) silent: u64,
    /// Orders and replaces in the log without a verdict: resends, and replaces of closed orders.
    pub(super) unjudged: u64,
    /// The longest time between two answers to probes, over all and from an epoch to the next.
    pub(super) gap_max_us: u64,
    pub(super) flip_gap_max_us: u64,
    /// What is wrong, in words: everything but differences, and the first few of those.
    pub(super) wrong: Vec<String>,
}

impl Judgement {
    pub(super) fn is_clean(&self) -> bool {
        self.mixed == 0 && self.lost == 0 && self.surplus == 0 && self.wrong.is_empty()
    }

    /// What it saw, in one line.
    pub(super) fn complaint(&self) -> String {
        let counts = format!(
            "mixed {}, lost {}, surplus {}",
            self.mixed, self.lost, self.surplus
        );
        match self.wrong.first() {
            Some(first) => format!("{counts}; {first}"),
            None => counts,
        }
    }

    fn tell(&mut self, what: String) {
        if self.wrong.len() < TOLD_MAX {
            self.wrong.push(what);
        }
    }

    fn mixes(&mut self, verdict: &Verdict, what: &str) {
        self.mixed += 1;
        self.tell(format!("{verdict:?}: {what}"));
    }
}

/// Judges the evidence with the replay that belongs to it.
pub(super) fn judge(evidence: &Evidence, run: &Run, plant: Option<Plant>) -> Judgement {
    judge_replay(evidence, &evidence.replayed, run, plant)
}

/// Judges the evidence with another replay.
pub(super) fn judge_replay(
    evidence: &Evidence,
    replayed: &Replayed,
    run: &Run,
    plant: Option<Plant>,
) -> Judgement {
    let mut judging = Judging {
        evidence,
        plant,
        read: read(&evidence.answers, plant),
        judgement: Judgement::default(),
    };
    let mut probed: Vec<(u64, u32)> = Vec::new();
    for verdict in &replayed.verdicts {
        if let Some(probe) = judging.verdict(verdict) {
            probed.push(probe);
        }
    }
    let Judging {
        read,
        mut judgement,
        ..
    } = judging;
    judgement.surplus += read
        .values()
        .map(|answers| answers.len() as u64)
        .sum::<u64>();
    gaps(probed, &mut judgement);
    let judged = judgement.accepted + judgement.refused;
    judgement.unjudged = (evidence.log.asked.len() as u64).saturating_sub(judged);
    facts::whole(evidence, replayed, run, &mut judgement);
    judgement
}

/// A client's number.
type Number = (u32, u32);

/// The answers by session and number.
fn read(answers: &[Answer], plant: Option<Plant>) -> HashMap<Number, Vec<&Answer>> {
    let mut read: HashMap<Number, Vec<&Answer>> = HashMap::new();
    let forgotten = usize::from(plant == Some(Plant::Lost));
    for answer in answers.iter().skip(forgotten) {
        let number = (answer.session as u32, answer.number);
        read.entry(number).or_default().push(answer);
    }
    read
}

struct Judging<'a> {
    evidence: &'a Evidence,
    plant: Option<Plant>,
    /// What no verdict was found for yet.
    read: HashMap<Number, Vec<&'a Answer>>,
    judgement: Judgement,
}

impl Judging<'_> {
    /// Judges one verdict. Of an answered probe, when the answer was read, and its epoch.
    fn verdict(&mut self, verdict: &Verdict) -> Option<(u64, u32)> {
        let log = &self.evidence.log;
        let judgement = &mut self.judgement;
        *judgement
            .verdicts_by_epoch
            .entry(verdict.epoch)
            .or_default() += 1;
        match verdict.failing.is_empty() {
            true => judgement.accepted += 1,
            false => judgement.refused += 1,
        }
        let Some(asked) = log.asked.get(&verdict.seq) else {
            judgement.mixes(verdict, "no order stands there in the log");
            return None;
        };
        if (asked.session, asked.number) != (verdict.session, verdict.number) {
            judgement.mixes(verdict, "the log has another order there");
        }
        if log.epoch_at(verdict.seq) != verdict.epoch {
            judgement.mixes(verdict, "by the log's flips another epoch was in force");
        }
        let probed = asked.probe.is_some();
        self.probe(verdict, asked);
        let received_ns = self.answer(verdict, asked)?;
        probed.then_some((received_ns, verdict.epoch))
    }

    /// Holds a probe's verdict against the limits of its epoch.
    fn probe(&mut self, verdict: &Verdict, asked: &Asked) {
        let Some(order) = &asked.probe else { return };
        let log = &self.evidence.log;
        // The planted fault takes firms and instruments from the epoch after.
        let other = verdict.epoch % 2 + 1;
        let rest = match self.plant {
            Some(Plant::Mixed) => log.limits_of(other),
            Some(Plant::Lost | Plant::Swapped) | None => log.limits_of(verdict.epoch),
        };
        let accounts = log.limits_of(verdict.epoch);
        let by_hand = accounts
            .zip(rest)
            .and_then(|(accounts, rest)| naive::fails(order, accounts, rest));
        let kind = naive::kind_of(order.account).expect("it was found to be a probe");
        let which = Which::in_epoch(verdict.epoch);
        self.judgement.probes[kind][which.index()] += 1;
        if by_hand.as_deref() != Some(verdict.failing.as_str()) {
            let what = format!("by hand it fails {by_hand:?}");
            self.judgement.mixes(verdict, &what);
        }
        if verdict.failing != PROBES[kind].fails_under(which) {
            let what = "it is not the check that its config was made to fail";
            self.judgement.mixes(verdict, what);
        }
    }

    /// Holds a verdict against what the client read; when that was.
    fn answer(&mut self, verdict: &Verdict, asked: &Asked) -> Option<u64> {
        let number = (verdict.session, verdict.number);
        let answers = self.read.remove(&number).unwrap_or_default();
        let Some(first) = answers.first() else {
            if asked.replace && verdict.failing.is_empty() {
                self.judgement.silent += 1;
            } else {
                self.judgement.lost += 1;
                self.judgement
                    .tell(format!("{verdict:?}: no client read it"));
            }
            return None;
        };
        self.judgement.surplus += answers.len() as u64 - 1;
        if !agrees(verdict, asked, first.kind) {
            let what = format!("the client read {:?}", first.kind);
            self.judgement.mixes(verdict, &what);
        }
        Some(first.received_ns)
    }
}

/// Whether an answer says what a verdict does: accepted, or refused with the reason of the first
/// failing check; where the client's bytes are no message, with the codec's.
fn agrees(verdict: &Verdict, asked: &Asked, answer: AnswerKind) -> bool {
    let AnswerKind::Rejected(reason) = answer else {
        return verdict.failing.is_empty();
    };
    let primary = verdict.failing.split(',').next();
    let check = REGISTRY.iter().find(|check| Some(check.name) == primary);
    let expected = check.map(|check| asked.malformed.unwrap_or(check.ouch_reason));
    expected == Some(reason)
}

/// The longest times without an answer to a probe.
fn gaps(mut probed: Vec<(u64, u32)>, judgement: &mut Judgement) {
    probed.sort_unstable();
    for pair in probed.windows(2) {
        let [(before_ns, before), (after_ns, after)] = pair else {
            continue;
        };
        let gap_us = (after_ns - before_ns) / 1_000;
        judgement.gap_max_us = judgement.gap_max_us.max(gap_us);
        if before != after {
            judgement.flip_gap_max_us = judgement.flip_gap_max_us.max(gap_us);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(failing: &str) -> Verdict {
        Verdict {
            seq: 1,
            epoch: 1,
            session: 0,
            number: 1,
            failing: failing.to_owned(),
        }
    }

    #[test]
    fn an_answer_says_what_its_verdict_does_or_does_not() {
        let mut asked = Asked {
            session: 0,
            number: 1,
            replace: false,
            probe: None,
            malformed: None,
        };
        let reason = |name: &str| {
            let check = REGISTRY.iter().find(|check| check.name == name);
            AnswerKind::Rejected(check.expect("a check").ouch_reason)
        };
        let both = verdict("QTY_MAX,NOTIONAL_MAX");
        assert!(agrees(&both, &asked, reason("QTY_MAX")));
        assert!(!agrees(&both, &asked, reason("NOTIONAL_MAX")));
        assert!(!agrees(&both, &asked, AnswerKind::Accepted));
        assert!(agrees(&verdict(""), &asked, AnswerKind::Replaced));
        assert!(!agrees(&verdict(""), &asked, reason("QTY_MAX")));
        asked.malformed = Some(7);
        assert!(agrees(&both, &asked, AnswerKind::Rejected(7)));
    }

    #[test]
    fn the_longest_silence_is_found_and_that_of_a_flip() {
        let mut judgement = Judgement::default();
        let probed = vec![(9_000, 1), (1_000, 1), (12_000, 2), (13_000, 2)];
        gaps(probed, &mut judgement);
        assert_eq!((judgement.gap_max_us, judgement.flip_gap_max_us), (8, 3));
    }
}

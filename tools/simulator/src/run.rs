//! One run: a safety phase, a liveness phase, the audit, and the digest of all of it.
//!
//! Invariant: the same plan gives the same [`Run`], to the digest of every byte that was logged and
//! told. An assertion that fails in an agent is a finding like any other.

use crate::audit::{self, Audited};
use crate::plan::Plan;
use crate::violation::{Rule, Violation};
use crate::world::World;
use portcullis_domain::{Command, Digest, RejectCode};
use portcullis_risk_core::{RiskCore, checks};
use portcullis_wire::ouch50::Outbound;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its figures, as far as it came.
    pub figures: Figures,
    /// What it found.
    pub violation: Option<Violation>,
}

/// The figures of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Agents and others stepped.
    pub steps: u64,
    /// Records sequenced.
    pub records: u64,
    /// Orders and replaces whose verdict was predicted.
    pub orders: u64,
    /// Those that passed.
    pub accepted: u64,
    /// Messages told to clients.
    pub told: u64,
    /// Lines lost.
    pub lines_lost: u64,
    /// Refusals, splits, lies and broken links of the engine.
    pub misdeeds: u64,
    /// Times the gateway died.
    pub crashes: u64,
    /// Times a torn end of its journal was cut.
    pub cuts: u64,
    /// Snapshots made.
    pub snapshots: u64,
    /// Starts that began from one.
    pub from_snapshot: u64,
    /// Messages sent again out of the journal.
    pub resent: u64,
    /// Digest of the log, of all that clients were told, and of the core's state.
    pub digest: u64,
}

/// The log of a plan's run, a line a record, and what each client was told: for a person who looks into
/// a finding.
#[must_use]
pub fn trace(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let came = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(plan)?;
        let mut shown = 0;
        let lived = world.live(plan.turns);
        show_log(&world, &mut shown, &mut lines);
        lines.push("faults are off from here".to_owned());
        let settled = lived.and_then(|()| world.settle());
        show_log(&world, &mut shown, &mut lines);
        show_checks(&world, &mut lines);
        for client in &world.clients {
            lines.push(client.standing());
            for (number, message) in (1..).zip(client.story.told()) {
                lines.push(format!("  {number} {:?}", Outbound::parse(message)));
            }
        }
        settled.and_then(|()| audit::audit(&world).map(|_| ()))
    }));
    lines.push(match came {
        Ok(result) => format!("{result:?}"),
        Err(panic) => words_of(&*panic),
    });
    lines
}

/// How often each check failed since the last start.
fn show_checks(world: &World, lines: &mut Vec<String>) {
    let Ok(core) = world.core() else {
        return;
    };
    for (code, times) in (0..).zip(core.counters().failing) {
        if times > 0
            && let Some(code) = RejectCode::from_raw(code)
        {
            lines.push(format!("{} failed {times} times", checks::name(code)));
        }
    }
}

fn show_log(world: &World, shown: &mut usize, lines: &mut Vec<String>) {
    let log = world.log().unwrap_or_default();
    for record in log.iter().skip(*shown) {
        let head = &record.head;
        let command = Command::decode(head);
        let early = head.early_refusal();
        lines.push(format!(
            "{} {} {command:?} {early:?}",
            head.seq, head.timestamp_ns
        ));
    }
    *shown = log.len();
}

/// Runs a plan.
#[must_use]
pub fn run(plan: &Plan) -> Run {
    let mut figures = Figures::default();
    let came = catch_unwind(AssertUnwindSafe(|| attempt(plan, &mut figures)));
    let violation = match came {
        Ok(result) => result.err(),
        Err(panic) => Some(Violation::new(Rule::Panic, words_of(&*panic))),
    };
    Run { figures, violation }
}

fn attempt(plan: &Plan, figures: &mut Figures) -> Result<(), Violation> {
    let mut world = World::new(plan)?;
    let lived = world.live(plan.turns).and_then(|()| world.settle());
    *figures = counted(&world, Audited::default());
    lived?;
    let audited = audit::audit(&world)?;
    *figures = counted(&world, audited);
    Ok(())
}

fn counted(world: &World, audited: Audited) -> Figures {
    let stories = || world.clients.iter().map(|client| &client.story);
    Figures {
        steps: world.stepped,
        records: world.core().map_or(0, |core| core.seq().raw()),
        orders: audited.judged,
        accepted: audited.accepted,
        told: stories().map(|story| story.told().len() as u64).sum(),
        lines_lost: world.clients.iter().map(|client| client.lost).sum(),
        misdeeds: world.engine.misdeeds(),
        crashes: world.crashes,
        cuts: world.cuts,
        snapshots: world.snapshots,
        from_snapshot: world.from_snapshot,
        resent: world.resent(),
        digest: digest(world),
    }
}

/// Over every byte that was logged and told.
fn digest(world: &World) -> u64 {
    let mut digest = Digest::new();
    for record in &world.log().unwrap_or_default() {
        for unit in 0..record.head.units() {
            push_bytes(&mut digest, &record.unit(unit).0);
        }
    }
    for client in &world.clients {
        for message in client.story.told() {
            digest.push(message.len() as u64);
            push_bytes(&mut digest, message);
        }
        digest.push(client.lost);
    }
    digest.push(world.desk.items);
    digest.push(world.core().map_or(0, RiskCore::state_hash));
    digest.value()
}

fn push_bytes(digest: &mut Digest, bytes: &[u8]) {
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        digest.push(u64::from_le_bytes(word));
    }
}

thread_local! {
    /// Where the last panic of this thread was.
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From now on a panic is kept for the finding it becomes, and prints nothing of its own.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        PANICKED_AT.set(at.unwrap_or_default());
    }));
}

/// What a panic said, and where, as far as that was kept.
fn words_of(panic: &(dyn core::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    let text = text.unwrap_or_else(|| "without words".to_owned());
    match PANICKED_AT.take() {
        at if at.is_empty() => text,
        at => format!("{text} ({at})"),
    }
}

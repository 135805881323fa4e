//! All targets, some at a time, from seeds and from what earlier runs learned.
//!
//! Invariants: at most [`AT_ONCE`] run together; a planted run begins with the seeds alone and has
//! a minute; rows come in the order of the table.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::build::{self, Way};
use super::options::Options;
use super::run::{self, Plan, Ran};
use super::target::Target;
use crate::verb::Fault;
use crate::workspace::Workspace;

/// Targets that run together, if there are cores.
const AT_ONCE: usize = 2;

/// A planted fault must be found in this time.
const PLANTED_SECONDS: u32 = 60;

/// The targets as they are, each for its time.
pub(super) fn plain(workspace: &Workspace, options: &Options) -> Result<Vec<Ran>, Fault> {
    let binaries = build::targets(workspace, Way::Plain)?;
    let folder = build::folder(workspace);
    let plan = |target| Plan {
        corpus: folder.join("corpus").join(target_name(target)),
        artifacts: folder.join("artifacts").join(target_name(target)),
        ..planned(workspace.root(), &binaries, target, options.seconds)
    };
    all(&options.targets(), &plan, false)
}

/// The targets with a fault in each decoder, which each must find.
pub(super) fn planted(workspace: &Workspace, options: &Options) -> Result<Vec<Ran>, Fault> {
    let binaries = build::targets(workspace, Way::Planted)?;
    let folder = build::folder(workspace).join("planted");
    // A corpus that is left over may hold the very input.
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| Fault::of(folder.display(), error))?;
    }
    let plan = |target| Plan {
        corpus: folder.join("corpus").join(target_name(target)),
        artifacts: folder.join("artifacts").join(target_name(target)),
        ..planned(workspace.root(), &binaries, target, PLANTED_SECONDS)
    };
    all(&options.targets(), &plan, true)
}

const fn target_name(target: &Target) -> &'static str {
    target.name
}

fn planned<'a>(root: &'a Path, binaries: &Path, target: &'static Target, seconds: u32) -> Plan<'a> {
    Plan {
        target,
        binary: binaries.join(target.name),
        seconds,
        corpus: Default::default(),
        artifacts: Default::default(),
        root,
    }
}

fn all<'a>(
    targets: &[&'static Target],
    plan: &(impl Fn(&'static Target) -> Plan<'a> + Sync),
    expects_finding: bool,
) -> Result<Vec<Ran>, Fault> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(cores) {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let ran = run::run(&plan(target));
                    if let Ok(ran) = &ran {
                        println!("{}", ran.show(expects_finding));
                    }
                    if let Ok(mut rows) = rows.lock() {
                        rows.push(ran);
                    }
                }
            });
        }
    });
    let rows = rows.into_inner().unwrap_or_default();
    let mut rows: Vec<Ran> = rows.into_iter().collect::<Result<_, _>>()?;
    let place = |name: &str| targets.iter().position(|target| target.name == name);
    rows.sort_by_key(|row| place(row.name));
    if rows.len() != targets.len() {
        return Err(Fault("a fuzz target gave no row".into()));
    }
    Ok(rows)
}

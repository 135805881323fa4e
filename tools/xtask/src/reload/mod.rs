//! `cargo xtask reload`: limits of many accounts change under flow, and every verdict is asked for
//! its epoch.
//!
//! A gateway as it ships, sessions over sockets, and `ctl reload` there and back between two configs
//! that differ in every account, as often as asked, with a file of mistakes in between. Then each
//! answer that a client read is held against the verdict that `replay` makes again from the log, and
//! each probe against a naive derivation from the limits of the epoch that its verdict carries.
//! Probes fail one check under one config and another under the other, so that limits mixed of both
//! would show. Invariants: times are told and never judged; what is written stands in a folder of
//! its own, removed at the end; no program outlives the verb.

mod arguments;
mod config;
mod drive;
mod evidence;
mod facts;
mod flips;
mod judge;
mod naive;
mod probes;
mod report;

use crate::children::{Running, command};
use crate::gateway;
use crate::verb::{Fault, Outcome, Verb};
use crate::workspace::Workspace;
use arguments::{Arguments, Plant};
use config::{Setup, Which};
use evidence::{Evidence, Replayed};
use portcullis_journal::WordFile;
use report::Run;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "reload",
    arguments: arguments::USAGE,
    summary: "limits of many accounts flip under flow: no verdict mixes epochs, none is lost",
    run,
};

/// A bound of failure, not of speed: for the gateway to start or to end.
const TURN: Duration = Duration::from_secs(300);

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    let arguments = Arguments::parse(arguments)?;
    let portcullis = gateway::built(workspace)?;
    let folder = std::env::temp_dir().join(format!("portcullis-reload-{}", std::process::id()));
    fs::create_dir(&folder).map_err(|error| Fault::of(folder.display(), error))?;
    let outcome = Bench::new(portcullis, &folder, &arguments).and_then(|bench| bench.judged());
    let removed = fs::remove_dir_all(&folder);
    removed.map_err(|error| Fault::of(folder.display(), error))?;
    outcome
}

/// What a run needs.
struct Bench<'a> {
    portcullis: PathBuf,
    folder: &'a Path,
    arguments: &'a Arguments,
    setup: Setup,
}

impl<'a> Bench<'a> {
    fn new(portcullis: PathBuf, folder: &'a Path, arguments: &'a Arguments) -> Result<Self, Fault> {
        let setup = Setup {
            accounts: arguments.accounts,
            socket: folder.join("ctl.sock"),
            password_hashes: [
                gateway::password_hash(&portcullis, config::PASSWORD)?,
                gateway::password_hash(&portcullis, config::OTHER_PASSWORD)?,
            ],
        };
        eprintln!("writing two configs of {} accounts", arguments.accounts);
        setup.write(folder)?;
        Ok(Self {
            portcullis,
            folder,
            arguments,
            setup,
        })
    }

    fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Runs once and judges what came of it, as honest as it is and with each plant that is wanted.
    fn judged(&self) -> Result<Outcome, Fault> {
        let (run, answers) = self.flow_under_reloads()?;
        eprintln!("replaying the journal");
        let journal = self.journal();
        let evidence = Evidence {
            log: evidence::read_log(&journal)?,
            answers,
            replayed: Replayed::of(&self.portcullis, &journal)?,
        };
        let judgement = judge::judge(&evidence, &run, self.arguments.plant);
        let judgement = match self.arguments.plant {
            Some(Plant::Swapped) => self.swapped(&evidence, &run)?,
            Some(Plant::Mixed | Plant::Lost) | None => judgement,
        };
        let mut clean = judgement.is_clean();
        report::print(&run, &judgement);
        if self.arguments.prove {
            for plant in Plant::ALL {
                let planted = match plant {
                    Plant::Swapped => self.swapped(&evidence, &run)?,
                    Plant::Mixed | Plant::Lost => judge::judge(&evidence, &run, Some(plant)),
                };
                println!("planted {}: {}", plant.name(), planted.complaint());
                clean &= !planted.is_clean();
            }
        }
        if self.arguments.json {
            println!("{}", report::json(self.arguments, &run, &judgement));
        }
        Ok(Outcome::of(clean))
    }

    /// The gateway's run, and what the clients read meanwhile.
    fn flow_under_reloads(&self) -> Result<(Run, Vec<portcullis_flow::Answer>), Fault> {
        let mut run = command(&self.portcullis);
        let first = self.folder.join(Which::A.config_name());
        run.arg("run")
            .arg(first)
            .arg("--journal")
            .arg(self.journal());
        let mut gateway = Running::start("gateway", self.folder, &mut run)?;
        let done = self.flow(&mut gateway);
        done.inspect_err(|_| gateway.show_log())
    }

    fn flow(&self, gateway: &mut Running) -> Result<(Run, Vec<portcullis_flow::Answer>), Fault> {
        eprintln!("starting the gateway");
        let port = gateway.line_with("listening on 127.0.0.1:", TURN)?;
        let port = port.parse().map_err(|why| Fault::of("the port", why))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        for request in self.setup.preparations() {
            let words: Vec<&str> = request.split_whitespace().collect();
            gateway::control(&self.portcullis, &self.setup.socket, &words)?;
        }
        let resident_before = flips::memory_kib(gateway.id(), "VmRSS:")?;
        let flips = flips::Flips {
            portcullis: &self.portcullis,
            socket: &self.setup.socket,
            folder: self.folder,
            accounts: self.arguments.accounts,
            wanted: self.arguments.flips,
            process: gateway.id(),
            address,
        };
        let (flown, flipped) = drive::under(address, &flips)?;
        let resident_peak = flips::memory_kib(gateway.id(), "VmHWM:")?;
        gateway.terminate()?;
        let status = gateway.wait(TURN)?;
        if !status.success() {
            return Err(Fault::of("the gateway, stopping", status));
        }
        let stopped = gateway.line_with("stopped: ", TURN)?;
        let run = Run {
            report: flown.report,
            reloads: flipped.reloads,
            bad_reload: flipped.bad_reload,
            password_changed: flipped.password_changed,
            stopped: report::Stopped::parse(&stopped)?,
            resident_kib: [resident_before, resident_peak],
        };
        Ok((run, flown.answers))
    }

    /// The same evidence with a replay to which the two tables were given under each other's name.
    fn swapped(&self, evidence: &Evidence, run: &Run) -> Result<judge::Judgement, Fault> {
        let folder = self.folder.join("swapped");
        fs::create_dir(&folder).map_err(|error| Fault::of(folder.display(), error))?;
        let journal = self.journal();
        let of_journal = |error| Fault::of(journal.display(), error);
        let mut names = Vec::new();
        for file in fs::read_dir(&journal).map_err(of_journal)? {
            let name = file.map_err(of_journal)?.file_name();
            names.push((name.clone(), name));
        }
        if let [(_, one), (_, other), ..] = evidence.log.flips[..] {
            let [one, other] = [one, other].map(|digest| WordFile::Limits.name(digest).into());
            for (_, to) in &mut names {
                if *to == one {
                    to.clone_from(&other);
                } else if *to == other {
                    to.clone_from(&one);
                }
            }
        }
        for (from, to) in names {
            let from = journal.join(from);
            let linked = fs::hard_link(&from, folder.join(to));
            linked.map_err(|error| Fault::of(from.display(), error))?;
        }
        // A table under another's name is refused by its digest: that nothing is replayed is what must be seen.
        let replayed = Replayed::of(&self.portcullis, &folder);
        let replayed = replayed.unwrap_or_else(|Fault(why)| {
            println!("the replay refuses the swapped tables: {}", why.trim());
            Replayed::nothing()
        });
        Ok(judge::judge_replay(evidence, &replayed, run, None))
    }
}

//! `portcullis standby`: a gateway in waiting.
//!
//! The main thread answers people and sums up; one thread follows the leader, one applies. After a promotion the same
//! process is the gateway, from the replica's own parts. Invariant: nothing is let out before the promotion is on disk.

mod apply;
mod backend;
mod beginning;
mod follow;
mod leading;
mod own_journal;
mod promotion;
mod receiving;
mod report;
mod shared;

use crate::check::load_config;
use crate::gateway::{FromJournal, Inherited, Progress, Snapshots, Written, hold_folder, idle};
use crate::replication::{WINDOW_BYTES, process_number, silence_ms};
use crate::{REFUSED, cannot};
use apply::Applying;
use backend::StandbyDesk;
use beginning::Beginning;
use follow::{Ended, Following};
use leading::lead;
use own_journal::OwnJournal;
use portcullis_control::config::Config;
use portcullis_control::ctl::server::CtlServer;
use portcullis_domain::Seq;
use portcullis_journal::Disk;
use portcullis_journal::replication::{Follower, FollowerConfig, read_heard};
use portcullis_pipeline::recovery::Prelude;
use promotion::Promote;
use receiving::Objects;
use report::{Report, at_the_end};
use shared::Shared;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

const PAUSE: Duration = Duration::from_micros(500);

/// The longest object that a leader may send.
const OBJECT_BYTES_MAX: u64 = 1 << 40;

/// The threads of a standby, and what the main thread holds of them.
struct Standby {
    config: Arc<Config>,
    leader: SocketAddr,
    disk: Disk,
    shared: Arc<Shared>,
    following: JoinHandle<Result<Ended, String>>,
    begun: Receiver<Prelude>,
    applying: Option<Applying>,
    /// Who makes snapshots of its journal, now and once it leads.
    snapshots: Option<Inherited>,
}

/// Follows a config's leader until it is stopped, or leads.
pub(crate) fn standby(path: &Path, journal: Option<&Path>, accept_unsynced_loss: bool) -> ExitCode {
    let config = match load_config(path) {
        Ok(config) => config,
        Err(errors) => {
            eprintln!("{errors}");
            return ExitCode::from(REFUSED);
        }
    };
    let (stop, promote) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    for (signal, flag) in [(SIGINT, &stop), (SIGTERM, &stop), (SIGUSR1, &promote)] {
        if let Err(error) = signal_hook::flag::register(signal, Arc::clone(flag)) {
            return cannot(error);
        }
    }
    let socket = config.profile.ctl_socket.clone();
    let ctl = socket.map(|socket| CtlServer::bind(&socket, config.profile.ctl_mode));
    let ctl = match ctl.transpose() {
        Ok(ctl) => ctl,
        Err(error) => return cannot(format!("the control socket: {error}")),
    };
    let config = Arc::new(config);
    let (promotions, orders) = channel();
    let standby = match Standby::start(&config, journal, accept_unsynced_loss, orders) {
        Ok(standby) => standby,
        Err(why) => return cannot(why),
    };
    wait(standby, promotions, ctl, &stop, &promote)
}

/// Answers people until something ends, or the standby leads.
fn wait(
    mut standby: Standby,
    promotions: Sender<Promote>,
    mut ctl: Option<CtlServer>,
    stop: &Arc<AtomicBool>,
    promote: &AtomicBool,
) -> ExitCode {
    let mut desk = StandbyDesk::new(
        Arc::clone(&standby.config),
        standby.leader,
        Arc::clone(&standby.shared),
        promotions,
    );
    let mut report = standby.config.profile.summary_every.map(Report::new);
    while !standby.is_ended() {
        if stop.load(Ordering::Acquire) {
            standby.shared.stop.store(true, Ordering::Release);
        }
        if promote.swap(false, Ordering::AcqRel) {
            match desk.promote(false) {
                Ok(words) => eprintln!("standby: {words}"),
                Err(why) => eprintln!("standby: not promoted: {why}"),
            }
        }
        let mut worked = match standby.apply_when_begun() {
            Ok(worked) => worked,
            Err(why) => return cannot(why),
        };
        if let Some(ctl) = &mut ctl {
            worked |= ctl.poll(&mut desk);
        }
        if let Some(line) = report.as_mut().and_then(|it| it.when_due(&standby.shared)) {
            eprintln!("{line}");
        }
        if !worked {
            std::thread::sleep(PAUSE);
        }
    }
    drop(desk);
    standby.end(ctl, stop)
}

impl Standby {
    fn start(
        config: &Arc<Config>,
        journal: Option<&Path>,
        accept_unsynced_loss: bool,
        promotions: Receiver<Promote>,
    ) -> Result<Self, String> {
        let leader = config.profile.replication.leader;
        let leader = leader.ok_or("the config names no leader: write `leader` in [replication]")?;
        let folder = journal.or(config.profile.journal.folder.as_deref());
        let folder = folder.ok_or("the config names no folder: write `folder` in [journal]")?;
        let held = hold_folder(folder, &config.profile.journal);
        let (disk, lock) = held.map_err(|error| error.to_string())?;
        let found = Beginning::find(&disk, accept_unsynced_loss);
        let found = found.map_err(|error| error.to_string())?;
        let heard = read_heard(&disk).map_err(|error| error.to_string())?;
        let shared = Arc::new(Shared::default());
        let machine = Follower::new(follower_config(config), found.place(heard));
        let (begun, begun_in) = channel();
        let mut own = OwnJournal {
            config: Arc::clone(config),
            disk: disk.clone(),
            lock: Some(lock),
            writer: None,
            shared: Arc::clone(&shared),
            begun,
        };
        found.go_on(&mut own)?;
        let following = Following {
            leader,
            own,
            objects: Objects::new(disk.clone()),
            snapshot: None,
            machine,
            shared: Arc::clone(&shared),
            promotions,
            leader_folder: config.profile.replication.leader_folder.clone(),
        };
        let idle = idle(config.profile.idle);
        let following = Builder::new()
            .name("follow".to_owned())
            .spawn(move || following.run(idle))
            .map_err(|error| error.to_string())?;
        eprintln!(
            "standby of {leader}, in {}; silence counts after {} ms",
            folder.display(),
            silence_ms(&config.profile.replication)
        );
        Ok(Self {
            config: Arc::clone(config),
            leader,
            disk,
            shared,
            following,
            begun: begun_in,
            applying: None,
            snapshots: None,
        })
    }

    fn is_ended(&self) -> bool {
        self.following.is_finished()
    }

    /// Starts the replica, once there is a journal.
    fn apply_when_begun(&mut self) -> Result<bool, String> {
        let Ok(prelude) = self.begun.try_recv() else {
            // It ends by itself where it cannot go on; the following thread may not know why.
            let broken = self.applying.as_ref().is_some_and(Applying::is_finished)
                && self.shared.end_at.get() == 0
                && self.shared.diverged().is_none();
            if broken {
                self.shared.stop.store(true, Ordering::Release);
            }
            return Ok(false);
        };
        let applying = Applying::start(
            Arc::clone(&self.config),
            self.disk.clone(),
            prelude,
            Arc::clone(&self.shared),
            idle(self.config.profile.idle),
        );
        self.applying = Some(applying.map_err(|error| error.to_string())?);
        // Whoever promotes it waits for this.
        self.shared.prelude.get_or_init(|| prelude);
        self.snapshots = Some(self.make_snapshots(prelude)?);
        Ok(true)
    }

    fn make_snapshots(&self, prelude: Prelude) -> Result<Inherited, String> {
        let leads: Arc<OnceLock<Progress>> = Arc::default();
        let (led, shared) = (Arc::clone(&leads), Arc::clone(&self.shared));
        let progress = move || match led.get() {
            Some(progress) => progress(),
            None => Written {
                seq: Seq::new(shared.written.get()),
                standby_at: None,
            },
        };
        let started = Snapshots::start(&self.config, &self.disk, prelude, Box::new(progress));
        let snapshots = started.map_err(|error| error.to_string())?;
        Ok(Inherited { snapshots, leads })
    }

    /// What comes of the threads' end.
    fn end(mut self, ctl: Option<CtlServer>, stop: &Arc<AtomicBool>) -> ExitCode {
        // A journal that was begun at the very end is applied like any other.
        if let Err(why) = self.apply_when_begun() {
            return cannot(why);
        }
        let ended = self
            .following
            .join()
            .expect("the following thread's invariant was broken");
        if !matches!(ended, Ok(Ended::Promoted(_))) {
            self.shared.stop.store(true, Ordering::Release);
            self.shared.is_whole.store(true, Ordering::Release);
        }
        let prelude = self.applying.as_ref().map(|it| it.prelude);
        let applied = self.applying.map(Applying::join).transpose();
        match (ended, applied) {
            (Ok(Ended::Promoted(handover)), applied) => {
                let rebuilt = applied.map(Option::flatten);
                let from = rebuilt.map(|it| Some(FromJournal::new(prelude?, it?)));
                lead(
                    &self.config,
                    self.disk,
                    *handover,
                    self.snapshots,
                    from,
                    ctl,
                    stop,
                )
            }
            (Err(why), applied) => {
                eprintln!("standby: {why}");
                if let Err(also) = applied {
                    eprintln!("standby: {also}");
                }
                ExitCode::from(REFUSED)
            }
            (Ok(Ended::Stopped), Err(why)) => {
                eprintln!("standby: {why}");
                ExitCode::from(REFUSED)
            }
            (Ok(Ended::Stopped), Ok(_)) => {
                eprintln!("stopped: {}", at_the_end(&self.shared));
                ExitCode::SUCCESS
            }
        }
    }
}

fn follower_config(config: &Config) -> FollowerConfig {
    FollowerConfig {
        process: process_number(),
        heartbeat_every: config.profile.replication.heartbeat,
        silence_max: config.profile.replication.silence_max,
        window_bytes: WINDOW_BYTES,
        object_bytes_max: OBJECT_BYTES_MAX,
        takes_snapshot: true,
    }
}

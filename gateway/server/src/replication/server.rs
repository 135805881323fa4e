//! The leader's thread: listens for a standby, serves it, and tells the gate how far it is.
//!
//! One thread of its own, beside the log's. Invariants: one standby counts, the newest that was welcomed; a term that is
//! not below this gateway's ends the process before anything else is let out. Must never be waited for by an order but
//! through the gate.

use super::serving::Serving;
use super::{FENCED, WINDOW_BYTES, process_number};
use crate::side_thread::{SideThread, Stop};
use portcullis_control::config::ReplicationProfile;
use portcullis_domain::Seq;
use portcullis_journal::replication::{FollowerPosition, LeaderConfig, write_heard};
use portcullis_journal::{Chain, Disk, Term};
use portcullis_pipeline::durability::{Gate, StandbyWriter};
use portcullis_runtime::{Clock, IdleStrategy, SystemClock};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Connections at a time: the standby's, one it left behind, and who should not be here.
const CONNECTIONS_MAX: usize = 4;

/// Rounds between two looks for a new connection while there is one.
const ACCEPT_EVERY: u32 = 64;

/// What a leader is.
pub(crate) struct Led {
    pub(crate) journal: u64,
    pub(crate) term: Term,
    /// The last record of its log as it begins to lead, and the chain there.
    pub(crate) last: (Seq, Chain),
    pub(crate) disk: Disk,
    pub(crate) gate: Gate,
    pub(crate) standby: StandbyWriter,
    /// The last record that the standby has, as it said since this start, for whoever removes segments.
    pub(crate) standby_at: Arc<AtomicU64>,
}

impl Led {
    /// What is told of it to who led before.
    pub(crate) fn place(&self) -> FollowerPosition {
        let (last_seq, chain) = self.last;
        FollowerPosition {
            journal: self.journal,
            term: self.term,
            last_seq: last_seq.raw(),
            chain,
            log_term: self.term,
            staged_snapshot: 0,
        }
    }
}

/// The thread, stopped when this is dropped.
pub(crate) struct ReplicationServer {
    /// Where a standby connects.
    pub(crate) address: SocketAddr,
    _thread: SideThread,
}

impl ReplicationServer {
    /// Starts the thread, for whoever connects there.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn start(
        listener: TcpListener,
        profile: &ReplicationProfile,
        led: Led,
        idle: IdleStrategy,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let mut server = Server {
            listener,
            config: LeaderConfig {
                process: process_number(),
                journal: led.journal,
                term: led.term,
                heartbeat_every: profile.heartbeat,
                silence_max: profile.silence_max,
                window_bytes: WINDOW_BYTES,
            },
            led,
            connections: Vec::new(),
        };
        let thread = SideThread::start("replication", move |stop| server.run(idle, stop))?;
        Ok(Self {
            address,
            _thread: thread,
        })
    }
}

struct Server {
    listener: TcpListener,
    config: LeaderConfig,
    led: Led,
    connections: Vec<Serving>,
}

impl Server {
    fn run(&mut self, mut idle: IdleStrategy, stop: &Stop) {
        let mut rounds: u32 = 0;
        while !stop.is_wanted() {
            rounds = rounds.wrapping_add(1);
            let mut worked = false;
            if self.connections.is_empty() || rounds.is_multiple_of(ACCEPT_EVERY) {
                worked |= self.accept();
            }
            worked |= self.serve();
            idle.idle(usize::from(worked));
        }
    }

    fn accept(&mut self) -> bool {
        let Ok((stream, peer)) = self.listener.accept() else {
            return false;
        };
        if self.connections.len() == CONNECTIONS_MAX {
            // The one that has said nothing yet, or else the oldest: a standby that returns gets in.
            let silent = self.connections.iter().position(|it| !it.is_welcomed());
            self.connections.remove(silent.unwrap_or(0));
        }
        let now = SystemClock.now();
        match Serving::new(stream, peer, self.config, self.led.disk.clone(), now) {
            Ok(serving) => self.connections.push(serving),
            Err(error) => eprintln!("replication: {peer}: {error}"),
        }
        true
    }

    fn serve(&mut self) -> bool {
        let now = SystemClock.now();
        let kept = self.led.gate.kept();
        let mut worked = false;
        for index in (0..self.connections.len()).rev() {
            let Some(serving) = self.connections.get_mut(index) else {
                continue;
            };
            let peer = serving.peer;
            let round = serving.round(kept, now);
            worked |= round.worked;
            if let Some(term) = round.fenced {
                self.end(term, peer);
            }
            if let Some(ack) = round.acked {
                self.led.standby.reach(Seq::new(ack.written));
                self.led.standby_at.store(ack.written, Ordering::Release);
            }
            if let Some(mismatch) = round.mismatch {
                eprintln!(
                    "replication: ALARM: {peer} came to the digest {:016x} behind record {}, the log says {:016x}: it \
                     stopped, and there is no standby",
                    mismatch.follower, mismatch.seq, mismatch.leader
                );
            }
            if let Some(why) = round.ended {
                // What this process says to itself is told where it is said.
                if !round.itself {
                    eprintln!("replication: {peer}: {why}");
                }
                self.connections.remove(index);
                worked = true;
                continue;
            }
            if round.welcomed {
                self.displace_others(peer);
                break;
            }
        }
        worked
    }

    /// One standby counts: the newest.
    fn displace_others(&mut self, newest: SocketAddr) {
        let now = SystemClock.now();
        self.connections.retain_mut(|serving| {
            let other = serving.peer != newest && serving.is_welcomed();
            if other {
                eprintln!("replication: {} makes room for {newest}", serving.peer);
                serving.displace(now);
            }
            !other
        });
    }

    /// Another leads a term that is not below this one. What was heard is written down, and the process ends as it
    /// stands: whatever a drain would let out may not leave.
    fn end(&self, term: Term, peer: SocketAddr) -> ! {
        let own = self.config.term;
        if let Err(error) = write_heard(&self.led.disk, self.config.journal, term) {
            eprintln!("replication: the term could not be written down: {error}");
        }
        eprintln!(
            "replication: {peer} says that term {} is led elsewhere; this gateway led term {} and ends here. Start it as \
             the standby of the other: portcullis standby CONFIG",
            term.raw(),
            own.raw()
        );
        std::process::exit(FENCED)
    }
}

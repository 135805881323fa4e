//! A promoted gateway tells the one that led before it.
//!
//! A thread of its own, until the other has said that it stopped. Invariant: it tells nothing but its term; if the other
//! knows of a higher one, this process ends. Must never give up.

use super::FENCED;
use super::serving::is_not_now;
use portcullis_journal::replication::{
    Follower, FollowerEvent, FollowerStep, Inbox, Refusal, Timer, write_heard,
};
use portcullis_journal::{Disk, Term};
use portcullis_runtime::{Clock, SystemClock};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle, sleep};
use std::time::Duration;

/// Between two tries to reach the other.
const TRY_EVERY: Duration = Duration::from_millis(500);
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(1);

/// Tells the leader at `leader` that its term is over, until it says that it stopped.
///
/// # Errors
/// If there can be no thread.
pub(crate) fn tell_old_leader(
    machine: Follower,
    leader: SocketAddr,
    disk: Disk,
    stop: Arc<AtomicBool>,
) -> io::Result<JoinHandle<()>> {
    let mut teller = Teller {
        machine,
        leader,
        disk,
    };
    Builder::new()
        .name("fence".to_owned())
        .spawn(move || teller.run(&stop))
}

struct Teller {
    machine: Follower,
    leader: SocketAddr,
    disk: Disk,
}

impl Teller {
    fn run(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            if self.tell(stop).unwrap_or(false) {
                eprintln!("fence: {} has stopped", self.leader);
                return;
            }
            self.machine.disconnected();
            sleep(TRY_EVERY);
        }
    }

    /// Whether the other said that it stopped.
    fn tell(&mut self, stop: &AtomicBool) -> io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&self.leader, CONNECT_WITHIN)?;
        stream.set_nonblocking(true)?;
        if !self.machine.connect(SystemClock.now()) {
            return Ok(true);
        }
        let mut inbox = Inbox::new();
        while !stop.load(Ordering::Acquire) {
            let now = SystemClock.now();
            self.flush(&mut stream)?;
            match stream.read(inbox.room()) {
                Ok(0) => return Ok(false),
                Ok(count) => inbox.filled(count),
                Err(error) if is_not_now(&error) => sleep(PAUSE),
                Err(error) => return Err(error),
            }
            if self.machine.on_time(now) == Timer::Silent {
                return Ok(false);
            }
            if let FollowerStep::Event { event, consumed } = self.machine.step(inbox.bytes(), now) {
                match event {
                    FollowerEvent::Refused(Refusal::TermLower { .. }) => return Ok(true),
                    FollowerEvent::Refused(other) => {
                        eprintln!("fence: {} answered: {other}", self.leader);
                        return Ok(true);
                    }
                    FollowerEvent::Fenced { term } => self.end(term),
                    FollowerEvent::Fault(_) => return Ok(false),
                    FollowerEvent::Welcomed { .. }
                    | FollowerEvent::Segment(_)
                    | FollowerEvent::Frame(_)
                    | FollowerEvent::Offered(_)
                    | FollowerEvent::Block(_)
                    | FollowerEvent::Alive(_)
                    | FollowerEvent::Superseded { .. } => {}
                }
                inbox.consume(consumed);
            }
        }
        Ok(false)
    }

    fn flush(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        while !self.machine.output().is_empty() {
            match stream.write(self.machine.output()) {
                Ok(count) => self.machine.sent(count, SystemClock.now()),
                Err(error) if is_not_now(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn end(&self, term: Term) -> ! {
        let journal = self.machine.position().journal;
        if let Err(error) = write_heard(&self.disk, journal, term) {
            eprintln!("fence: the term could not be written down: {error}");
        }
        eprintln!(
            "fence: {} leads term {}, above this gateway's; it ends here",
            self.leader,
            term.raw()
        );
        std::process::exit(FENCED)
    }
}

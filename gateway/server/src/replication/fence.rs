//! A gateway that was promoted tells the one that led before it, for as long as it leads.
//!
//! A thread of its own. Invariants: it tells nothing but its term; if the other knows of a higher one, this process
//! ends. Must never give up: a machine that is off today may come back with its old gateway tomorrow.

use super::wire::{flush, receive};
use super::{FENCED, WINDOW_BYTES, process_number};
use crate::side_thread::{SideThread, Stop};
use portcullis_control::config::ReplicationProfile;
use portcullis_journal::replication::{
    Follower, FollowerConfig, FollowerEvent, FollowerPosition, FollowerStep, Inbox, Refusal, Timer,
    write_heard,
};
use portcullis_journal::{Disk, Term};
use portcullis_runtime::{Clock, SystemClock};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Between two tries to reach the other: twice as long each time, up to the longest.
const TRY_FIRST: Duration = Duration::from_millis(100);
const TRY_LAST: Duration = Duration::from_secs(5);
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(1);

/// The thread, stopped when this is dropped.
pub(crate) struct FenceTeller {
    _thread: SideThread,
}

impl FenceTeller {
    /// Tells whoever listens at `leader` that the place `at` leads its term, again and again.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(crate) fn start(
        leader: SocketAddr,
        profile: &ReplicationProfile,
        at: FollowerPosition,
        disk: Disk,
    ) -> io::Result<Self> {
        let config = FollowerConfig {
            process: process_number(),
            heartbeat_every: profile.heartbeat,
            silence_max: profile.silence_max,
            window_bytes: WINDOW_BYTES,
            object_bytes_max: 0,
            takes_snapshot: false,
        };
        let mut teller = Teller {
            machine: Follower::promoted(config, at),
            leader,
            disk,
            said: String::new(),
        };
        let thread = SideThread::start("fence", move |stop| teller.run(stop))?;
        Ok(Self { _thread: thread })
    }
}

struct Teller {
    machine: Follower,
    leader: SocketAddr,
    disk: Disk,
    /// What was printed last: each word of the other's is printed once.
    said: String,
}

impl Teller {
    fn run(&mut self, stop: &Stop) {
        let mut wait = TRY_FIRST;
        while !stop.is_wanted() {
            // One that is not there, or too slow to answer, is no news.
            if let Ok(Some(answer)) = self.tell(stop) {
                self.say(&answer);
            }
            self.machine.disconnected();
            stop.pause(wait);
            wait = (2 * wait).min(TRY_LAST);
        }
    }

    fn say(&mut self, answer: &str) {
        if self.said != answer {
            eprintln!("fence: {}: {answer}", self.leader);
            answer.clone_into(&mut self.said);
        }
    }

    /// What the other answered, in words; `None` where it did not.
    fn tell(&mut self, stop: &Stop) -> io::Result<Option<String>> {
        let mut stream = TcpStream::connect_timeout(&self.leader, CONNECT_WITHIN)?;
        stream.set_nonblocking(true)?;
        self.machine.connect(SystemClock.now());
        let mut inbox = Inbox::new();
        while !stop.is_wanted() {
            let now = SystemClock.now();
            flush(&mut stream, &mut self.machine, now)?;
            if !receive(&mut stream, &mut inbox)? {
                stop.pause(PAUSE);
            }
            if self.machine.on_time(now) == Timer::Silent {
                return Ok(None);
            }
            while let FollowerStep::Event { event, consumed } =
                self.machine.step(inbox.bytes(), now)
            {
                match event {
                    FollowerEvent::Refused(Refusal::TermLower { .. }) => {
                        return Ok(Some("it has stopped".to_owned()));
                    }
                    FollowerEvent::Refused(Refusal::Itself) => {
                        return Ok(Some(format!("nobody is told: {}", Refusal::Itself)));
                    }
                    FollowerEvent::Refused(other) => {
                        return Ok(Some(format!("it answers: {other}")));
                    }
                    FollowerEvent::Fault(fault) => return Ok(Some(fault.to_string())),
                    FollowerEvent::Fenced { term } => self.end(term),
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
        Ok(None)
    }

    fn end(&self, term: Term) -> ! {
        let journal = self.machine.position().journal;
        if let Err(error) = write_heard(&self.disk, journal, term) {
            eprintln!("fence: the term could not be written down: {error}");
        }
        eprintln!(
            "fence: {} leads term {}, above this gateway's; it ends here. Start it as the standby of the other: \
             portcullis standby CONFIG",
            self.leader,
            term.raw()
        );
        std::process::exit(FENCED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_control::config::DurabilityPolicy;
    use portcullis_journal::Chain;
    use portcullis_journal::replication::{
        Leader, LeaderConfig, LeaderEvent, LeaderState, LeaderStep, LogPosition, ProcessNumber,
    };
    use std::net::TcpListener;

    const JOURNAL: u64 = 7;

    /// Another process.
    fn other() -> ProcessNumber {
        ProcessNumber::new(process_number().raw() ^ 1)
    }

    /// What this process, as a leader of this journal in term 1, hears on the next connection, and answers.
    fn heard(listener: &TcpListener, process: ProcessNumber, journal: u64) -> LeaderEvent {
        let (mut stream, _) = listener.accept().expect("it is told");
        let config = LeaderConfig {
            process,
            journal,
            term: Term::new(1),
            heartbeat_every: portcullis_domain::Duration::from_ns(1 << 40),
            silence_max: portcullis_domain::Duration::from_ns(1 << 40),
            window_bytes: 1,
        };
        let now = SystemClock.now();
        let mut leader = Leader::new(config, now);
        let mut inbox = Inbox::new();
        loop {
            receive(&mut stream, &mut inbox).expect("it says a hello");
            let LeaderStep::Event { event, .. } = leader.step(inbox.bytes(), now) else {
                continue;
            };
            if leader.state() == LeaderState::Answering {
                leader.answer(&LogPosition {
                    first_seq: 1,
                    last_seq: 0,
                    chain_at: None,
                    snapshot: None,
                });
            }
            flush(&mut stream, &mut leader, now).expect("it listens");
            return event;
        }
    }

    /// The other may be slow, gone, another gateway or this one for a while, or told and then started again.
    #[test]
    fn the_other_is_told_until_this_one_ends_whatever_it_answered_before() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let leader = listener.local_addr().expect("an address");
        let folder = std::env::temp_dir().join(format!("portcullis-fence-{}", std::process::id()));
        let at = FollowerPosition {
            journal: JOURNAL,
            term: Term::new(2),
            last_seq: 5,
            chain: Chain::new(1),
            log_term: Term::new(2),
            staged_snapshot: 0,
        };
        let wide = portcullis_domain::Duration::from_ns(1 << 40);
        let profile = ReplicationProfile {
            listen: None,
            leader: Some(leader),
            leader_folder: None,
            heartbeat: wide,
            silence_max: wide,
            promoted_durability: DurabilityPolicy::Synced,
        };
        let disk = Disk::open(&folder).expect("a folder");
        let teller = FenceTeller::start(leader, &profile, at, disk).expect("a thread");
        drop(listener.accept().expect("it is told"));
        let hello = heard(&listener, other(), JOURNAL + 1);
        assert!(matches!(hello, LeaderEvent::Hello(_)), "{hello:?}");
        let own = heard(&listener, process_number(), JOURNAL);
        assert_eq!(own, LeaderEvent::Itself);
        for _ in 0..2 {
            let term = Term::new(2);
            let told = heard(&listener, other(), JOURNAL);
            assert_eq!(told, LeaderEvent::Fenced { term });
        }
        drop(teller);
        std::fs::remove_dir_all(folder).expect("removes");
    }
}

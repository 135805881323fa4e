//! The standby's connection: what comes is written to its own journal, and then acknowledged.
//!
//! A thread of its own. Invariants: nothing is acknowledged that is not written, and where the config says `synced`, on
//! the disk; a connection that breaks is made again; a leader that refuses is asked again now and then, and a person
//! told once. Must never apply anything.

use super::own_journal::OwnJournal;
use super::promotion::{Handover, Promote};
use super::receiving::{Objects, Received};
use super::shared::Shared;
use crate::replication::{flush, receive};
use portcullis_domain::Timestamp;
use portcullis_journal::replication::{
    DigestMismatch, Follower, FollowerEvent, FollowerState, FollowerStep, Inbox, Object,
    ObjectKind, Refusal, Timer, write_heard,
};
use portcullis_journal::{SnapshotHeader, Term};
use portcullis_runtime::{Clock, IdleStrategy, SystemClock};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::thread::sleep;
use std::time::{Duration, Instant};

const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// After how long a connection that broke is made again, and one that was refused.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
const AGAIN_AFTER_REFUSAL: Duration = Duration::from_secs(5);
/// How long a last word may take to leave.
const LAST_WORD_WITHIN: Duration = Duration::from_millis(200);
/// Messages taken before they are acknowledged.
const MESSAGE_BUDGET: usize = 256;

/// What is left of the thread.
pub(super) enum Ended {
    /// It was stopped.
    Stopped,
    /// It leads: the journal, and the machine that tells the old leader.
    Promoted(Box<Handover>),
}

/// The thread's own.
pub(super) struct Following {
    pub(super) leader: SocketAddr,
    pub(super) own: OwnJournal,
    pub(super) objects: Objects,
    /// A snapshot that came whole, and waits for what it is loaded with.
    pub(super) snapshot: Option<SnapshotHeader>,
    pub(super) machine: Follower,
    pub(super) shared: Arc<Shared>,
    pub(super) promotions: Receiver<Promote>,
    /// The leader's journal, where its disk can be reached.
    pub(super) leader_folder: Option<PathBuf>,
}

/// Why a round ended.
enum Broken {
    /// The connection is over, and whether it is tried again soon.
    Link(String, Duration),
    /// The standby is.
    Standby(String),
}

pub(super) struct Connection {
    stream: Option<TcpStream>,
    inbox: Inbox,
    again_at: Instant,
}

/// What has to be done about an event once it is let go of.
enum Then {
    Nothing,
    /// The leader's term is new.
    KeepTerm,
    /// There is a higher term than the leader's.
    Fenced(Term),
    /// There is an object.
    Pull(Object),
    /// It is here whole.
    Whole(Object),
    Break(Broken),
}

impl Following {
    pub(super) fn run(mut self, mut idle: IdleStrategy) -> Result<Ended, String> {
        let mut connection = Connection {
            stream: None,
            inbox: Inbox::new(),
            again_at: Instant::now(),
        };
        while !self.shared.is_stopped() {
            if let Ok(order) = self.promotions.try_recv() {
                let promoted = self.promote_in_time(&order, &mut connection);
                let said = promoted.as_ref().map(|it| it.promotion);
                // Whoever asked may be gone; the promotion stands.
                let _ = order.reply.send(said.map_err(Clone::clone));
                if let Ok(promoted) = promoted {
                    return self.hand_over(promoted);
                }
            }
            if let Some(found) = self.shared.diverged() {
                self.machine.stop(DigestMismatch {
                    seq: found.seq.raw(),
                    leader: found.noted,
                    follower: found.found,
                });
                self.last_word(&mut connection);
                return Err(format!(
                    "{found}; this standby stops and must not be promoted"
                ));
            }
            match self.round(&mut connection) {
                Ok(worked) => idle.idle(usize::from(worked)),
                Err(Broken::Standby(why)) => return Err(why),
                Err(Broken::Link(why, again)) => self.disconnect(&mut connection, &why, again),
            }
        }
        Ok(Ended::Stopped)
    }

    fn disconnect(&mut self, connection: &mut Connection, why: &str, again: Duration) {
        self.last_word(connection);
        self.machine.disconnected();
        self.shared.is_following.store(false, Ordering::Release);
        connection.stream = None;
        connection.inbox.clear();
        connection.again_at = Instant::now() + again;
        if self.shared.say_link(why) {
            eprintln!("standby: {}: {why}", self.leader);
        }
    }

    fn round(&mut self, connection: &mut Connection) -> Result<bool, Broken> {
        if connection.stream.is_none() {
            return self.connect(connection);
        }
        let now = SystemClock.now();
        let mut worked = self.receive(connection).map_err(link)?;
        worked |= self.take_messages(connection, now)?;
        self.acknowledge()?;
        if self.machine.on_time(now) == Timer::Silent {
            let why = "it was silent for too long".to_owned();
            return Err(Broken::Link(why, AGAIN_AFTER));
        }
        worked |= self.flush(connection).map_err(link)?;
        Ok(worked)
    }

    fn connect(&mut self, connection: &mut Connection) -> Result<bool, Broken> {
        if Instant::now() < connection.again_at {
            return Ok(false);
        }
        let stream = TcpStream::connect_timeout(&self.leader, CONNECT_WITHIN).map_err(link)?;
        stream.set_nonblocking(true).map_err(link)?;
        stream.set_nodelay(true).map_err(link)?;
        self.machine.connect(SystemClock.now());
        connection.stream = Some(stream);
        self.flush(connection).map_err(link)
    }

    fn receive(&self, connection: &mut Connection) -> io::Result<bool> {
        match &mut connection.stream {
            Some(stream) => receive(stream, &mut connection.inbox),
            None => Ok(false),
        }
    }

    fn flush(&mut self, connection: &mut Connection) -> io::Result<bool> {
        match &mut connection.stream {
            Some(stream) => flush(stream, &mut self.machine, SystemClock.now()),
            None => Ok(false),
        }
    }

    /// Gives what is left to be said a moment to leave.
    pub(super) fn last_word(&mut self, connection: &mut Connection) {
        let until = Instant::now() + LAST_WORD_WITHIN;
        while !self.machine.output().is_empty() && Instant::now() < until {
            match self.flush(connection) {
                Ok(true) => {}
                Ok(false) => sleep(Duration::from_millis(1)),
                Err(_) => return,
            }
            if connection.stream.is_none() {
                return;
            }
        }
    }

    fn take_messages(
        &mut self,
        connection: &mut Connection,
        now: Timestamp,
    ) -> Result<bool, Broken> {
        for taken in 0..MESSAGE_BUDGET {
            let at = self.machine.position();
            let (then, consumed) = match self.machine.step(connection.inbox.bytes(), now) {
                FollowerStep::NeedMore { .. } | FollowerStep::Closed => return Ok(taken > 0),
                FollowerStep::Event { event, consumed } => {
                    let then = match &event {
                        FollowerEvent::Frame(frame) => written(self.own.append(frame)),
                        FollowerEvent::Segment(notice) => written(self.own.on_segment(notice, &at)),
                        FollowerEvent::Block(block) => match self.objects.keep(block) {
                            Ok(true) => Then::Whole(block.object),
                            Ok(false) => Then::Nothing,
                            Err(error) => Then::Break(Broken::Standby(error.to_string())),
                        },
                        FollowerEvent::Welcomed { .. }
                        | FollowerEvent::Refused(_)
                        | FollowerEvent::Offered(_)
                        | FollowerEvent::Alive(_)
                        | FollowerEvent::Superseded { .. }
                        | FollowerEvent::Fenced { .. }
                        | FollowerEvent::Fault(_) => on_word(&event, &self.shared),
                    };
                    (then, consumed)
                }
            };
            connection.inbox.consume(consumed);
            self.then(then)?;
        }
        Ok(true)
    }

    fn then(&mut self, then: Then) -> Result<(), Broken> {
        match then {
            Then::Nothing => Ok(()),
            Then::Break(broken) => Err(broken),
            Then::KeepTerm => self.welcomed(),
            Then::Fenced(term) => {
                self.keep_term(term)?;
                let why = format!("it says that term {} is led elsewhere", term.raw());
                Err(Broken::Link(why, AGAIN_AFTER_REFUSAL))
            }
            Then::Pull(object) => self.pull(object),
            Then::Whole(object) => self.whole(object),
        }
    }

    fn welcomed(&mut self) -> Result<(), Broken> {
        let at = self.machine.position();
        self.keep_term(at.term)?;
        self.shared.term.raise(at.term.raw());
        self.shared.is_following.store(true, Ordering::Release);
        let words = format!("follows behind record {}", at.last_seq);
        if self.shared.say_link(&words) {
            eprintln!("standby: {}: {words}, term {}", self.leader, at.term.raw());
        }
        self.snapshot = None;
        if let Some(seq) = self.machine.wants_snapshot() {
            return self.pull(Object::snapshot(seq));
        }
        Ok(())
    }

    fn keep_term(&self, term: Term) -> Result<(), Broken> {
        let journal = self.machine.position().journal;
        write_heard(&self.own.disk, journal, term)
            .map_err(|error| Broken::Standby(error.to_string()))
    }

    fn pull(&mut self, object: Object) -> Result<(), Broken> {
        if self.objects.is_here(object) {
            self.machine.has(object);
            return self.install();
        }
        let offset = self.objects.offset(object);
        let offset = offset.map_err(|error| Broken::Standby(error.to_string()))?;
        if self.machine.want(object, offset) {
            return Ok(());
        }
        // Nothing more of it is to come.
        self.whole(object)
    }

    fn whole(&mut self, object: Object) -> Result<(), Broken> {
        if object.kind == ObjectKind::Snapshot {
            return self.check_snapshot(object);
        }
        let received = self.objects.finish(object, &self.own.config);
        match received.map_err(Broken::Standby)? {
            Received::Good => {
                self.machine.has(object);
                self.install()
            }
            Received::Damaged => self.ask_anew(object),
        }
    }

    fn ask_anew(&mut self, object: Object) -> Result<(), Broken> {
        eprintln!(
            "standby: object {:016x} came damaged; it is asked for anew",
            object.id
        );
        let begun = self.objects.offset(object);
        begun.map_err(|error| Broken::Standby(error.to_string()))?;
        if self.machine.want(object, 0) {
            return Ok(());
        }
        let why = format!("object {:016x} is empty and should not be", object.id);
        Err(Broken::Link(why, AGAIN_AFTER_REFUSAL))
    }

    fn check_snapshot(&mut self, object: Object) -> Result<(), Broken> {
        match self.objects.check_snapshot(object) {
            Some(header) if self.machine.is_awaited(&header) => {
                self.snapshot = Some(header);
                self.install()
            }
            Some(header) => {
                let why = format!(
                    "the snapshot of record {} is of another journal, chain or term than its leader said",
                    header.seq
                );
                Err(Broken::Link(why, AGAIN_AFTER_REFUSAL))
            }
            None => self.ask_anew(object),
        }
    }

    /// Begins behind the snapshot that came, once all that it is loaded with is here.
    fn install(&mut self) -> Result<(), Broken> {
        let ready = self
            .snapshot
            .take_if(|header| self.objects.has_ground_of(header));
        let Some(header) = ready else {
            return Ok(());
        };
        let placed = self.objects.place_snapshot();
        placed.map_err(|error| Broken::Standby(error.to_string()))?;
        eprintln!(
            "standby: begins behind the snapshot of record {}",
            header.seq
        );
        self.own.begin_behind(&header).map_err(Broken::Standby)?;
        self.machine.snapshot_installed(header.term);
        Ok(())
    }

    fn acknowledge(&mut self) -> Result<(), Broken> {
        let caught_up = self.machine.is_caught_up();
        self.shared.is_caught_up.store(caught_up, Ordering::Release);
        if self.machine.state() == FollowerState::Idle {
            return Ok(());
        }
        let synced = self.own.synced().map_err(Broken::Standby)?.raw();
        let written = self.machine.position().last_seq;
        let applied = self.shared.applied.get().min(written);
        self.machine.acknowledge(synced.min(written), applied);
        Ok(())
    }
}

/// What was written goes on; what cannot be is the standby's end.
fn written(done: Result<(), String>) -> Then {
    match done {
        Ok(()) => Then::Nothing,
        Err(why) => Then::Break(Broken::Standby(why)),
    }
}

/// What the leader said that is neither frame nor object.
fn on_word(event: &FollowerEvent<'_>, shared: &Shared) -> Then {
    let refused = |why: String| Then::Break(Broken::Link(why, AGAIN_AFTER_REFUSAL));
    match event {
        FollowerEvent::Welcomed { welcome, .. } => {
            shared.leader_last.raise(welcome.last_seq);
            Then::KeepTerm
        }
        FollowerEvent::Offered(offer) => Then::Pull(offer.object),
        FollowerEvent::Alive(heartbeat) => {
            shared.leader_last.raise(heartbeat.last_seq);
            Then::Nothing
        }
        FollowerEvent::Refused(Refusal::Occupied) => {
            Then::Break(Broken::Link(Refusal::Occupied.to_string(), AGAIN_AFTER))
        }
        FollowerEvent::Refused(refusal) => refused(refusal.to_string()),
        FollowerEvent::Superseded { term } => refused(format!(
            "it leads term {}, and a higher one is known here; it was told",
            term.raw()
        )),
        FollowerEvent::Fenced { term } => Then::Fenced(*term),
        FollowerEvent::Fault(fault) => Then::Break(Broken::Link(fault.to_string(), AGAIN_AFTER)),
        FollowerEvent::Frame(_) | FollowerEvent::Segment(_) | FollowerEvent::Block(_) => {
            Then::Nothing
        }
    }
}

fn link(error: io::Error) -> Broken {
    Broken::Link(error.to_string(), AGAIN_AFTER)
}

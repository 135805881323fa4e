//! From a standby to a leader: first all that may fail, then the term, from when on there is no way back.
//!
//! The following thread, which takes nothing from the leader meanwhile. Invariants: a promotion that is refused leaves a
//! standby that follows on, and whoever asked reads why and what to do; one that is not refused has its term on the disk
//! before anybody hears of it. Must never take longer than [`WITHIN`], but for a disk that does not return.

use super::follow::{Connection, Ended, Following};
use super::own_journal::OwnJournal;
use super::shared::Shared;
use crate::desk::Feed;
use crate::gateway::{Doors, agree, keep_config_names};
use crate::run::feed;
use portcullis_domain::Seq;
use portcullis_journal::replication::{Follower, Promotion, write_heard};
use portcullis_journal::{Disk, FolderLock, JournalReader, JournalWriter, Mode, Storage};
use std::path::Path;
use std::sync::mpsc::Sender;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long it may take: the leader gives a standby up that says nothing for long, and a person waits.
pub(super) const WITHIN: Duration = Duration::from_secs(10);

/// Between two looks at how far the replica is.
const PAUSE: Duration = Duration::from_millis(1);

/// A person wants the standby to lead.
pub(super) struct Promote {
    pub(super) force: bool,
    /// Whoever asked waits no longer: what was not begun by then is not begun.
    pub(super) begin_by: Instant,
    pub(super) reply: Sender<Result<Promotion, String>>,
}

/// What a promotion came to: nothing of it can fail any more but the system.
pub(super) struct Promoted {
    pub(super) promotion: Promotion,
    /// The old leader's folder, so that it does not start again there.
    leader_lock: Option<FolderLock>,
    doors: Doors,
    feed: Option<Feed>,
}

/// What a promoted gateway goes on with.
pub(super) struct Handover {
    pub(super) writer: JournalWriter<Disk>,
    /// The number of its journal.
    pub(super) journal: u64,
    pub(super) promotion: Promotion,
    pub(super) leader_lock: Option<FolderLock>,
    pub(super) doors: Doors,
    pub(super) feed: Option<Feed>,
}

impl Following {
    /// Leads from here on, if whoever asked still waits: the order may have been left lying while a disk was waited for.
    ///
    /// # Errors
    /// As [`Self::promote`].
    pub(super) fn promote_in_time(
        &mut self,
        order: &Promote,
        connection: &mut Connection,
    ) -> Result<Promoted, String> {
        if Instant::now() >= order.begin_by {
            return Err(LEFT_LYING.to_owned());
        }
        self.promote(order.force, connection)
    }

    /// Leads from here on.
    ///
    /// # Errors
    /// In words, why not, and what to do: it follows on then.
    fn promote(&mut self, force: bool, connection: &mut Connection) -> Result<Promoted, String> {
        let until = Instant::now() + WITHIN;
        let leader_lock = self.take_leaders_end(force, until)?;
        let plan = self.machine.promotion(force);
        let plan = plan.map_err(|why| why.to_string())?;
        let Some(writer) = &mut self.own.writer else {
            return Err(NO_JOURNAL.to_owned());
        };
        if writer.waits() {
            return Err(
                "a frame waits to be written to its journal: see to its disk and ask again"
                    .to_owned(),
            );
        }
        let synced = writer.sync();
        synced.map_err(|error| format!("its journal cannot be synced, it follows on: {error}"))?;
        wait_for_replica(&self.shared, plan.last_seq, until)?;
        let (doors, feed) = self.open_doors()?;
        in_time(until, "its disk")?;
        self.write_term(&plan)?;
        // From here on it leads: the term is on the disk, and a restart finds it there.
        let promotion = self.machine.promote(force).map_err(|why| why.to_string());
        assert_eq!(promotion, Ok(plan), "nothing has come since it was planned");
        self.last_word(connection);
        self.shared.end_at.raise(plan.last_seq + 1);
        Ok(Promoted {
            promotion: plan,
            leader_lock,
            doors,
            feed,
        })
    }

    /// Gives the main thread what it goes on with.
    ///
    /// # Errors
    /// If there is no journal, which [`Self::promote`] has seen to.
    pub(super) fn hand_over(self, promoted: Promoted) -> Result<Ended, String> {
        let copy = self.own.writer.ok_or(NO_JOURNAL)?;
        Ok(Ended::Promoted(Box::new(Handover {
            writer: copy.lead(promoted.promotion.term),
            journal: self.machine.position().journal,
            promotion: promoted.promotion,
            leader_lock: promoted.leader_lock,
            doors: promoted.doors,
            feed: promoted.feed,
        })))
    }

    /// Takes what the leader wrote and did not send, where its disk can be reached.
    fn take_leaders_end(
        &mut self,
        force: bool,
        until: Instant,
    ) -> Result<Option<FolderLock>, String> {
        // What cannot be overruled is not worth touching anybody's folder for.
        let hopeless = self.machine.promotion(true).err();
        if let Some(why) = hopeless {
            return Err(why.to_string());
        }
        if self.own.writer.is_none() {
            return Err(NO_JOURNAL.to_owned());
        }
        let Some(folder) = &self.leader_folder else {
            return Ok(None);
        };
        match take_the_rest(folder, &mut self.own, &mut self.machine, until) {
            Ok(lock) => Ok(Some(lock)),
            Err(why) if force => {
                eprintln!("standby: forced: {why}");
                Ok(None)
            }
            Err(why) => Err(format!(
                "{why}. It follows on; `promote --force` leads without what is there"
            )),
        }
    }

    /// Holds the config against the journal, and opens what a gateway listens on.
    fn open_doors(&self) -> Result<(Doors, Option<Feed>), String> {
        let prelude = self.shared.prelude.get().ok_or(NO_REPLICA)?;
        let config = &self.own.config;
        // The names are the gateway's own from here on; where it does not come to that, the leader's come again.
        let opened = agree(config, &self.own.disk, prelude)
            .and_then(|()| keep_config_names(&self.own.disk, config))
            .and_then(|()| Ok((Doors::open(config)?, feed(config)?)));
        opened.map_err(|why| {
            format!("as a gateway it could not start, so it follows on: {why}. Mend it and promote again")
        })
    }

    fn write_term(&self, plan: &Promotion) -> Result<(), String> {
        let journal = self.machine.position().journal;
        write_heard(&self.own.disk, journal, plan.term).map_err(|error| {
            format!(
                "its term cannot be written down: {error}. It follows on; mend the disk and promote again, before it is \
                 restarted: the term may stand there all the same, and a restart would then end its leader"
            )
        })
    }
}

const LEFT_LYING: &str =
    "it was busy for too long, with its disk perhaps, and follows on: see to that and ask again";
const NO_JOURNAL: &str = "it has no journal yet: it has never followed";
const NO_REPLICA: &str = "its replica has not begun yet: ask again";

/// Waits until the replica has taken and compared all that is written, and the engine's book with it.
fn wait_for_replica(shared: &Shared, seq: u64, until: Instant) -> Result<(), String> {
    if shared.prelude.get().is_none() {
        return Err(NO_REPLICA.to_owned());
    }
    loop {
        if let Some(why) = shared.failed.get() {
            return Err(format!(
                "its replica has ended and there is nothing to lead with: {why}"
            ));
        }
        if let Some(why) = shared.book_fault.get() {
            return Err(format!(
                "the engine's book cannot be gone on from: {why}; promote another standby, or start anew with an \
                 engine and a journal folder that are empty"
            ));
        }
        if shared.settled.get() >= seq {
            return Ok(());
        }
        if shared.is_stopped() {
            return Err("it is ending".to_owned());
        }
        if Instant::now() >= until {
            return Err(format!(
                "its replica has taken record {} of {seq} and a promotion waits no longer than {} s; it goes on: ask \
                 again, and where the record stands still, restart this standby",
                shared.applied.get(),
                WITHIN.as_secs()
            ));
        }
        sleep(PAUSE);
    }
}

fn in_time(until: Instant, what: &str) -> Result<(), String> {
    if Instant::now() < until {
        return Ok(());
    }
    Err(format!(
        "{what} took longer than the {} s that a promotion has; it follows on: ask again",
        WITHIN.as_secs()
    ))
}

/// What the leader wrote and did not send, from its own disk, which nobody may hold: it is held from here on. What was
/// taken stays taken, whatever comes of it.
fn take_the_rest(
    folder: &Path,
    own: &mut OwnJournal,
    machine: &mut Follower,
    until: Instant,
) -> Result<FolderLock, String> {
    let place = folder.display();
    let disk = Disk::existing(folder).map_err(|error| format!("the leader's {place}: {error}"))?;
    let lock = disk.lock().map_err(|error| {
        format!("the leader still holds its journal {place}, stop it first: {error}")
    })?;
    let at = machine.position();
    let next = Seq::new(at.last_seq + 1);
    let reader = JournalReader::open(disk, next, Mode::Whole);
    let mut reader = reader.map_err(|error| error.to_string())?;
    if reader.segment().identity.journal != at.journal {
        return Err(format!("{place} is another journal than this standby's"));
    }
    while let Some(frame) = reader.next_frame().map_err(|error| error.to_string())? {
        own.append(&frame)?;
        if !machine.adopt(&frame.header) {
            return Err(format!(
                "{place}: record {} does not follow",
                frame.header.seq_first
            ));
        }
        in_time(until, &format!("what {place} holds"))?;
    }
    machine.has_leaders_end();
    eprintln!(
        "standby: records {} to {} taken from {place}",
        next.raw(),
        machine.position().last_seq
    );
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_control::config::parse_str;
    use portcullis_pipeline::recovery::Prelude;
    use portcullis_wire::soupbin::SessionName;
    use std::sync::atomic::Ordering;

    const DEMO: &str = include_str!("../../../../configs/demo.toml");

    fn begun() -> Shared {
        let config = parse_str("demo.toml", DEMO).expect("a config");
        let prelude = Prelude {
            capacities: crate::prelude::capacities(&config),
            limits: 0,
            session_name: SessionName::new(b"1").expect("a name"),
        };
        let shared = Shared::default();
        shared.prelude.get_or_init(|| prelude);
        shared
    }

    /// Each end of the wait but the good one says why, and what to do.
    #[test]
    fn a_promotion_waits_for_the_replica_and_never_for_ever() {
        let later = Instant::now() + Duration::from_secs(1 << 20);
        let now = Instant::now();
        let why = wait_for_replica(&Shared::default(), 5, later).expect_err("no replica");
        assert!(why.contains("ask again"), "{why}");
        let shared = begun();
        shared.applied.raise(5);
        shared.settled.raise(4);
        let why = wait_for_replica(&shared, 5, now).expect_err("a digest is left to compare");
        assert!(
            why.contains("record 5 of 5") && why.contains("ask again"),
            "{why}"
        );
        shared.settled.raise(5);
        assert_eq!(wait_for_replica(&shared, 5, now), Ok(()));
        shared
            .book_fault
            .get_or_init(|| "a trade too many".to_owned());
        let why = wait_for_replica(&shared, 5, later).expect_err("another book");
        assert!(why.contains("a trade too many"), "{why}");
        let shared = begun();
        shared.failed.get_or_init(|| "another digest".to_owned());
        let why = wait_for_replica(&shared, 5, later).expect_err("no replica any more");
        assert!(why.contains("another digest"), "{why}");
        let shared = begun();
        shared.stop.store(true, Ordering::Release);
        assert!(wait_for_replica(&shared, 5, later).is_err());
    }
}

//! `portcullis journal verify`: whether a journal is what it says.
//!
//! Two readings. The first checks each frame's checksum, the chain, numbers and terms, the snapshots' blocks and the
//! files of words by their digests, and holds each snapshot's journal, record and chain against the segments, as a
//! start does. The second replays all records through the core and holds its digest against each that the journal
//! notes, and at a snapshot's record the snapshot against the core. Invariants: all that is wrong is named with its
//! place; a fault of the first reading neither hides those of the files beside it nor is laid at their door.

mod snapshot;

use super::folder::{Folder, Held};
use super::inspect::{SLOTS, Segment, word_files};
use super::progress::{Progress, Rate};
use crate::replay::follower::{CoreFollower, Deaf, End, cut_of};
use crate::{REFUSED, cannot};
use clap::Args;
use portcullis_domain::Seq;
use portcullis_journal::{Storage, WordFile, list_segments, read_words};
use serde_json::json;
use snapshot::{Segments, Snapshot};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is to be checked.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The journal's folder.
    folder: PathBuf,
    /// Check checksums, chain, snapshots' blocks and files by their digests alone: no replay.
    #[arg(long)]
    fast: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was checked, and what is wrong.
#[derive(Debug, Default)]
struct Verified {
    segments: usize,
    frames: u64,
    checksums: Option<Rate>,
    replay: Option<Rate>,
    last_seq: u64,
    digests: u64,
    tables: usize,
    snapshots: Vec<Snapshot>,
    /// How a journal ends that was cut, which is no fault.
    cut: Option<String>,
    remarks: Vec<String>,
    faults: Vec<String>,
}

/// Checks it.
pub(crate) fn verify(arguments: &Arguments) -> ExitCode {
    match try_verify(arguments) {
        Ok(verified) => {
            if arguments.json {
                println!("{}", verified.to_json());
            } else {
                verified.print();
            }
            if verified.faults.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(REFUSED)
            }
        }
        Err(why) => cannot(why),
    }
}

fn try_verify(arguments: &Arguments) -> Result<Verified, String> {
    let folder = Folder::open(&arguments.folder)?;
    let mut verified = Verified::default();
    verified.open_snapshots(&folder)?;
    verified.read_words(&folder)?;
    let segments = verified.read_frames(&folder)?;
    verified.hold_snapshots(segments);
    if !arguments.fast && verified.faults.is_empty() {
        verified.replay(&folder)?;
    }
    Ok(verified)
}

impl Verified {
    /// Checks each block of both snapshots.
    fn open_snapshots(&mut self, folder: &Folder) -> Result<(), String> {
        let listed = folder.disk.list().map_err(|error| error.to_string())?;
        for slot in SLOTS {
            if listed.iter().all(|file| file.name != slot) {
                continue;
            }
            match Snapshot::open(folder, slot) {
                Ok(snapshot) => self.snapshots.push(snapshot),
                Err(error) => self.faults.push(error),
            }
        }
        Ok(())
    }

    /// Checks each file of words against the digest that it is named by, and each table for whether it loads.
    fn read_words(&mut self, folder: &Folder) -> Result<(), String> {
        let said = |error: std::io::Error| error.to_string();
        for (name, digest) in word_files(folder, WordFile::Limits).map_err(said)? {
            match folder.limit_table(digest) {
                Ok(_) => self.tables += 1,
                Err(error) => self.faults.push(format!("{name}: {error}")),
            }
        }
        for (_, digest) in word_files(folder, WordFile::Prelude).map_err(said)? {
            if let Err(error) = read_words(&folder.disk, WordFile::Prelude, digest) {
                self.faults.push(error.to_string());
            }
        }
        if let Some(fault) = &folder.naming.fault {
            self.faults.push(format!("{}/{fault}", folder.disk.place()));
        }
        Ok(())
    }

    /// Checks each frame; what the segments come to, if the first could be opened.
    fn read_frames(&mut self, folder: &Folder) -> Result<Option<Segments>, String> {
        let names = list_segments(&folder.disk).map_err(|error| error.to_string())?;
        self.segments = names.len();
        let first_seq = folder.first_seq()?;
        let mut reader = match folder.reader(Seq::new(first_seq)) {
            Ok(reader) => reader,
            Err(error) => {
                self.faults.push(error);
                return Ok(None);
            }
        };
        let journal = reader.segment().identity.journal;
        self.snapshots
            .iter_mut()
            .for_each(|snapshot| snapshot.note_chain(&reader));
        let mut progress = Progress::begin("checksums");
        let (mut records, mut bytes) = (0, 0);
        let to_the_end = loop {
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    self.frames += 1;
                    records += u64::from(frame.header.count);
                    bytes += frame.header.bytes() as u64;
                    self.snapshots
                        .iter_mut()
                        .for_each(|snapshot| snapshot.note_chain(&reader));
                    progress.at(records, bytes);
                }
                Ok(None) => break true,
                Err(error) => {
                    self.faults.push(error.to_string());
                    break false;
                }
            }
        };
        self.last_seq = reader.next_seq() - 1;
        self.checksums = Some(progress.rate(records, bytes));
        self.cut = cut_of(&reader);
        self.look_behind(folder, reader.segment().seq_first)?;
        Ok(Some(Segments {
            journal,
            first_seq,
            last_seq: self.last_seq,
            to_the_end,
        }))
    }

    /// Of a journal that is being written, a bad frame at the end may be one to come; not so with whole ones behind.
    fn look_behind(&mut self, folder: &Folder, segment: u64) -> Result<(), String> {
        if folder.held != Held::ByWriter || !self.faults.is_empty() {
            return Ok(());
        }
        let name = portcullis_journal::SegmentName::new(segment);
        let surveyed = Segment::survey(&folder.disk, name, false, &mut std::io::sink());
        let surveyed = surveyed.map_err(|error| error.to_string())?;
        if surveyed.frames_behind > 0
            && let Some(place) = surveyed.damage.first()
        {
            self.faults.push(format!(
                "{}/{name}, byte {}: {}, and {} whole frames stand behind it; look closer with `portcullis journal \
                 inspect {}`",
                folder.disk.place(),
                place.offset,
                place.fault,
                surveyed.frames_behind,
                folder.disk.place(),
            ));
        }
        Ok(())
    }

    /// Holds each snapshot against the segments, as a start does.
    fn hold_snapshots(&mut self, segments: Option<Segments>) {
        let Some(segments) = segments else {
            return;
        };
        let ahead = self.snapshots.iter().filter(|it| it.is_ahead(&segments));
        self.remarks.extend(ahead.map(|snapshot| {
            format!(
                "{}: it is at record {}, ahead of the journal, which ends with {}: the next start sets it aside",
                snapshot.slot, snapshot.header.seq, segments.last_seq
            )
        }));
        let wrong = self.snapshots.iter().filter_map(|snapshot| {
            let why = snapshot.wrong_with(&segments)?;
            Some(format!("{}: {why}", snapshot.slot))
        });
        let wrong: Vec<_> = wrong.collect();
        let begins_late = segments.to_the_end && segments.first_seq > 1;
        let reached = || self.snapshots.iter().any(|found| found.reaches(&segments));
        if wrong.is_empty() && begins_late && !reached() {
            self.faults.push(format!(
                "the journal begins with record {}, and no good snapshot reaches up to it: restore the segments before \
                 it from a copy",
                segments.first_seq
            ));
        }
        self.faults.extend(wrong);
    }

    /// Replays all records, and compares what is noted on the way.
    fn replay(&mut self, folder: &Folder) -> Result<(), String> {
        let mut follower = match CoreFollower::open(folder) {
            Ok(follower) => follower,
            Err(error) => {
                self.faults.push(error);
                return Ok(());
            }
        };
        let mut progress = Progress::begin("replay");
        let mut wanted: Vec<u64> = self.snapshots.iter().map(|s| s.header.seq).collect();
        wanted.sort_unstable();
        let mut next = wanted.iter().copied().peekable();
        loop {
            let until = next.peek().copied().unwrap_or(u64::MAX).min(self.last_seq);
            let end = follower.run(&mut |head| head.seq > until, &mut Deaf, &mut |so_far| {
                progress.at(so_far.records, so_far.bytes);
            });
            let reached = follower.core().seq().raw();
            while next.next_if(|seq| *seq <= reached).is_some() {
                for snapshot in &mut self.snapshots {
                    self.faults.extend(snapshot.compare(folder, &follower));
                }
            }
            match end {
                End::Held if reached < self.last_seq => follower.take_held(&mut Deaf),
                End::Held | End::Journal => break,
                End::Damage(error) => {
                    self.faults.push(error.to_string());
                    break;
                }
                End::Diverged(error) => {
                    self.faults.push(error.to_string());
                    break;
                }
            }
        }
        self.digests = follower.compared;
        self.replay = Some(progress.rate(follower.records, follower.bytes));
        self.remarks.append(&mut follower.take_remarks());
        Ok(())
    }

    fn print(&self) {
        println!(
            "segments {}, frames {}, last record {}",
            self.segments, self.frames, self.last_seq
        );
        if let Some(rate) = &self.checksums {
            println!("checksums, chain, numbers, terms: {rate}");
        }
        match &self.replay {
            Some(rate) => println!("replay: {rate}; digests compared {}", self.digests),
            None => println!("replay: none"),
        }
        for snapshot in &self.snapshots {
            println!(
                "{}: record {}, blocks whole; compared with the replay: {}",
                snapshot.slot, snapshot.header.seq, snapshot.compared
            );
        }
        println!("limit tables that load: {}", self.tables);
        for remark in self.cut.iter().chain(&self.remarks) {
            println!("{remark}");
        }
        for fault in &self.faults {
            println!("WRONG: {fault}");
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let rate = |rate: &Option<Rate>| {
            rate.map(|rate| {
                json!({
                    "records": rate.records,
                    "bytes": rate.bytes,
                    "ns": u64::try_from(rate.span.as_nanos()).unwrap_or(u64::MAX),
                    "records_per_second": rate.records_per_second(),
                    "bytes_per_second": rate.bytes_per_second(),
                })
            })
        };
        let snapshots = self.snapshots.iter().map(|snapshot| {
            json!({
                "slot": snapshot.slot,
                "record": snapshot.header.seq,
                "compared": snapshot.compared,
            })
        });
        json!({
            "segments": self.segments,
            "frames": self.frames,
            "last_record": self.last_seq,
            "checksums": rate(&self.checksums),
            "replay": rate(&self.replay),
            "digests_compared": self.digests,
            "limit_tables": self.tables,
            "snapshots": snapshots.collect::<Vec<_>>(),
            "cut": self.cut,
            "remarks": self.remarks,
            "faults": self.faults,
        })
    }
}

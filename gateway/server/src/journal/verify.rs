//! `portcullis journal verify`: whether a journal is what it says.
//!
//! Two readings. The first checks each frame's checksum, the chain, numbers and terms, the snapshots' blocks and the
//! files of words by their digests. The second replays all records through the core and holds its digest against
//! each that the journal notes, and at a snapshot's record the snapshot against the core. Invariant: all that is
//! wrong is named with its place; a fault of the first reading does not hide those of the files beside it.

use super::folder::{Folder, Held};
use super::inspect::{SLOTS, Segment, word_files};
use super::progress::{Progress, Rate};
use crate::replay::follower::{CoreFollower, Deaf, End};
use crate::{REFUSED, cannot};
use clap::Args;
use portcullis_domain::Seq;
use portcullis_journal::{
    Chain, JournalReader, SnapshotHeader, SnapshotReader, Storage, WordFile, list_segments,
    read_words,
};
use serde_json::json;
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

/// A snapshot, and how far it is known to be one of this journal.
#[derive(Debug)]
struct Snapshot {
    slot: &'static str,
    header: SnapshotHeader,
    /// The journal's chain behind its record.
    chain: Option<Chain>,
    /// What was compared with the replay.
    compared: &'static str,
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
    verified.read_frames(&folder)?;
    verified.hold_snapshots();
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
            match SnapshotReader::open(&folder.disk, slot) {
                Ok(reader) => self.snapshots.push(Snapshot {
                    slot,
                    header: *reader.header(),
                    chain: None,
                    compared: "not reached",
                }),
                Err(error) => self.faults.push(error.to_string()),
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

    /// Checks each frame.
    fn read_frames(&mut self, folder: &Folder) -> Result<(), String> {
        let names = list_segments(&folder.disk).map_err(|error| error.to_string())?;
        self.segments = names.len();
        let first = names[0].seq_first();
        let mut reader =
            match JournalReader::open(folder.disk.clone(), Seq::new(first), folder.mode()) {
                Ok(reader) => reader,
                Err(error) => {
                    self.faults.push(error.to_string());
                    return Ok(());
                }
            };
        let mut progress = Progress::begin("checksums");
        let (mut records, mut bytes) = (0, 0);
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    let header = frame.header;
                    self.frames += 1;
                    records += u64::from(header.count);
                    bytes += header.bytes() as u64;
                    self.note_chain(header.seq_last(), header.chain);
                    progress.at(records, bytes);
                }
                Ok(None) => break,
                Err(error) => {
                    self.faults.push(error.to_string());
                    break;
                }
            }
        }
        self.last_seq = reader.next_seq() - 1;
        self.checksums = Some(progress.rate(records, bytes));
        self.cut = reader.cut().map(|cut| {
            format!(
                "{}, byte {}: cut behind the last good frame: {}; the next start goes on with record {}",
                cut.segment,
                cut.offset,
                cut.fault,
                self.last_seq + 1
            )
        });
        self.look_behind(folder, reader.segment().seq_first)
    }

    fn note_chain(&mut self, seq: u64, chain: Chain) {
        for snapshot in &mut self.snapshots {
            if snapshot.header.seq == seq {
                snapshot.chain = Some(chain);
            }
        }
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

    /// Holds each snapshot against the journal's end and chain.
    fn hold_snapshots(&mut self) {
        let last_seq = self.last_seq;
        let mut faults = Vec::new();
        for snapshot in &self.snapshots {
            let (slot, header) = (snapshot.slot, &snapshot.header);
            if header.seq > last_seq {
                faults.push(format!(
                    "{slot}: it is at record {}, and the journal ends with {last_seq}",
                    header.seq
                ));
            } else if snapshot.chain.is_some_and(|chain| chain != header.chain) {
                faults.push(format!(
                    "{slot}: its chain at record {} is not the journal's: it was made from another journal",
                    header.seq
                ));
            }
        }
        self.faults.extend(faults);
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
                self.compare_snapshots(folder, &follower);
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

    /// Holds the snapshots of the record that the replay has come to against its core.
    fn compare_snapshots(&mut self, folder: &Folder, follower: &CoreFollower) {
        let core = follower.core();
        for snapshot in &mut self.snapshots {
            let (slot, header) = (snapshot.slot, &snapshot.header);
            if header.seq != core.seq().raw() {
                continue;
            }
            if follower.began == Some(header.seq) {
                snapshot.compared = "the replay began from it";
                continue;
            }
            let saved = match folder.snapshot_core(slot, header.prelude) {
                Ok(saved) => saved,
                Err(error) => {
                    self.faults.push(format!("{slot}: {error}"));
                    continue;
                }
            };
            snapshot.compared = "digest, limits and the hash of the whole state";
            for (what, noted, found) in [
                ("digest", header.core_digest, core.digest()),
                ("limits", header.limits, core.limits_built_digest()),
                ("state", saved.state_hash(), core.state_hash()),
            ] {
                if noted != found {
                    self.faults.push(format!(
                        "{slot}: at record {} it has {what} {noted:016x}, and the replay {found:016x}: it was made \
                         by another build, or is of another journal",
                        header.seq
                    ));
                }
            }
        }
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

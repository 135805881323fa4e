//! The folder as a whole: who holds it, segments and how they fit, snapshots, limit tables.

use super::Found;
use super::segment::{Segment, dump};
use crate::journal::clock::{ago, utc};
use crate::journal::folder::{Folder, Held, segment_line};
use crate::journal::progress::Progress;
use portcullis_journal::{
    JournalError, SegmentName, SnapshotReader, Storage, Survey, WordFile, read_words,
};
use portcullis_runtime::{Clock, SystemClock};
use std::io::{self, Write};

/// The two slots of snapshots.
pub(crate) const SLOTS: [&str; 2] = ["snapshot.0", "snapshot.1"];

/// Shows the folder, or some of its segments.
pub(super) fn show(
    out: &mut impl Write,
    folder: &Folder,
    names: &[SegmentName],
    frames: bool,
    whole: bool,
) -> Result<Found, String> {
    let said = |error: io::Error| error.to_string();
    if whole {
        head(out, folder).map_err(said)?;
    }
    let mut found = segments(out, folder, names, frames)?;
    if whole {
        for damaged in [
            snapshots(out, folder).map_err(said)?,
            limit_tables(out, folder).map_err(said)?,
        ] {
            if damaged == Found::Damaged {
                found = damaged;
            }
        }
    }
    Ok(found)
}

fn head(out: &mut impl Write, folder: &Folder) -> io::Result<()> {
    writeln!(out, "journal {}", folder.disk.folder().display())?;
    let held = match folder.held {
        Held::ByWriter => "a gateway holds it: what is shown is what is written so far",
        Held::ByNobody => "nobody holds it",
        Held::Unknown => "whether a gateway holds it cannot be told",
    };
    writeln!(out, "lock: {held}")?;
    match &folder.naming.fault {
        Some(fault) => writeln!(out, "names: none ({fault}); numbers are shown instead"),
        None => {
            let names = folder.naming.names();
            writeln!(
                out,
                "names: accounts {}, instruments {}, firms {}, sessions {}: {}",
                names.accounts.len(),
                names.instruments.len(),
                names.firms.len(),
                names.sessions.len(),
                names.sessions.iter().take(16).collect::<Vec<_>>().join(" "),
            )
        }
    }
}

/// Each segment, and whether the next one goes on where it ends.
fn segments(
    out: &mut impl Write,
    folder: &Folder,
    names: &[SegmentName],
    frames: bool,
) -> Result<Found, String> {
    let mut found = Found::Whole;
    let mut progress = Progress::begin("inspect");
    let (mut records, mut bytes) = (0, 0);
    let surveyed: Vec<_> = names
        .iter()
        .map(|name| {
            if frames {
                let _ = writeln!(out, "frames of {name}:");
            }
            let segment = Segment::survey(&folder.disk, *name, frames, out);
            if let Ok(segment) = &segment {
                records += segment.records;
                bytes += segment.used;
                progress.at(records, bytes);
            }
            segment
        })
        .collect();
    let mut seen = None;
    for (index, name) in names.iter().enumerate() {
        let next = surveyed.get(index + 1).and_then(|next| next.as_ref().ok());
        let shown = match &surveyed[index] {
            Ok(segment) => {
                if seen != Some(segment.header.identity.journal) {
                    seen = Some(segment.header.identity.journal);
                    let _ = writeln!(out, "number: {:016x}", segment.header.identity.journal);
                }
                show_segment(out, folder, *name, segment, next, index + 1 == names.len())
            }
            Err(error) => show_unread(out, *name, error, index + 1 == names.len()),
        };
        if shown.map_err(|error| error.to_string())? == Found::Damaged {
            found = Found::Damaged;
        }
    }
    Ok(found)
}

fn show_unread(
    out: &mut impl Write,
    name: SegmentName,
    error: &JournalError,
    last: bool,
) -> io::Result<Found> {
    writeln!(out, "segment {name}\n  DOES NOT READ: {error}")?;
    if last {
        writeln!(
            out,
            "  if no frame stands behind it, the next start sets it aside"
        )?;
    }
    Ok(Found::Damaged)
}

fn show_segment(
    out: &mut impl Write,
    folder: &Folder,
    name: SegmentName,
    segment: &Segment,
    next: Option<&Segment>,
    last: bool,
) -> io::Result<Found> {
    writeln!(out, "segment {name}")?;
    writeln!(out, "  {}", segment_line(&segment.header))?;
    writeln!(out, "  {}", segment.line())?;
    let mut found = Found::Whole;
    for (offset, fault) in &segment.breaks {
        writeln!(out, "  BREAK at byte {offset}: {fault}")?;
        found = Found::Damaged;
    }
    let follows = next.is_some_and(|next| {
        next.header.seq_first == segment.next_seq && next.header.previous == segment.chain
    });
    if let Some(next) = next.filter(|_| !follows) {
        writeln!(
            out,
            "  THE NEXT SEGMENT DOES NOT FOLLOW: this one ends before record {} with chain {:016x}, that one \
             begins with record {} and chain {:016x}",
            segment.next_seq,
            segment.chain.raw(),
            next.header.seq_first,
            next.header.previous.raw(),
        )?;
        found = Found::Damaged;
    }
    if segment.damage.is_empty() {
        return Ok(found);
    }
    let torn = segment.is_torn_only() && (follows || last);
    for place in &segment.damage {
        let what = if torn { "torn tail" } else { "DAMAGE" };
        writeln!(
            out,
            "  {what} at byte {}, {} bytes: {}",
            place.offset, place.bytes, place.fault
        )?;
        if let Ok(survey) = Survey::open(&folder.disk, name) {
            let dump = dump(&survey, place).unwrap_or_else(|error| format!("      {error}\n"));
            write!(out, "{dump}")?;
        }
    }
    writeln!(out, "  {}", verdict(segment, torn, follows, folder.held))?;
    Ok(if torn { found } else { Found::Damaged })
}

/// What is to be done about a place without a good frame.
fn verdict(segment: &Segment, torn: bool, follows: bool, held: Held) -> String {
    if torn && follows {
        return format!(
            "behind it nothing whole: it was cut when record {} was written to the next segment",
            segment.next_seq
        );
    }
    if torn && held == Held::ByWriter {
        return "behind it nothing whole: a frame that is being written, or a torn one".to_owned();
    }
    if torn {
        return format!(
            "behind it nothing whole: the next start cuts here and goes on with record {}",
            segment.next_seq
        );
    }
    format!(
        "good up to record {}; whole frames behind the damage: {}. A start is refused: restore this file from a copy \
         or from the standby",
        segment.next_seq - 1,
        segment.frames_behind
    )
}

/// Both slots.
fn snapshots(out: &mut impl Write, folder: &Folder) -> io::Result<Found> {
    let mut found = Found::Whole;
    let now_ns = SystemClock.now().ns();
    for slot in SLOTS {
        let there = folder.disk.list()?.iter().any(|file| file.name == slot);
        if !there {
            writeln!(out, "{slot}: none")?;
            continue;
        }
        match SnapshotReader::open(&folder.disk, slot) {
            Ok(reader) => {
                let header = reader.header();
                let sections = reader.sections().map(|id| {
                    let bytes = reader
                        .section(id)
                        .map_or(0, |section| section.bytes_total());
                    format!("{id} of {bytes} bytes")
                });
                writeln!(
                    out,
                    "{slot}: record {}, made {} ({}), term {}, digest {:016x}, chain {:016x}, limits {:016x}, rules \
                     {}, sections {}",
                    header.seq,
                    utc(header.made_ns),
                    ago(now_ns, header.made_ns),
                    header.term.raw(),
                    header.core_digest,
                    header.chain.raw(),
                    header.limits,
                    header.rules,
                    sections.collect::<Vec<_>>().join(", "),
                )?;
            }
            Err(error) => {
                writeln!(out, "{slot}: DOES NOT READ: {error}")?;
                found = Found::Damaged;
            }
        }
    }
    Ok(found)
}

/// Each table of limits that is kept.
fn limit_tables(out: &mut impl Write, folder: &Folder) -> io::Result<Found> {
    let mut found = Found::Whole;
    for (name, digest) in word_files(folder, WordFile::Limits)? {
        match read_words(&folder.disk, WordFile::Limits, digest) {
            Ok(words) => writeln!(out, "{name}: {} words, as it is named by", words.len())?,
            Err(error) => {
                writeln!(out, "{name}: DOES NOT READ: {error}")?;
                found = Found::Damaged;
            }
        }
    }
    Ok(found)
}

/// The files of words of a kind, by name, and the digests that they are named by.
pub(crate) fn word_files(folder: &Folder, kind: WordFile) -> io::Result<Vec<(String, u64)>> {
    let listed = folder.disk.list()?;
    let found = listed.into_iter().filter_map(|file| {
        let digest = file.name.split('.').find_map(|part| {
            u64::from_str_radix(part, 16)
                .ok()
                .filter(|_| part.len() == 16)
        })?;
        (kind.name(digest) == file.name).then_some((file.name, digest))
    });
    Ok(found.collect())
}

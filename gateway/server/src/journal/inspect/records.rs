//! Records in words, past damage.

use super::Found;
use super::segment::{Place, dump, frame_line};
use crate::journal::folder::Folder;
use crate::journal::words::Words;
use portcullis_journal::{Piece, SegmentName, Survey};
use std::io::Write;

/// Shows `count` records from `seq` on.
pub(super) fn show(
    out: &mut impl Write,
    folder: &Folder,
    words: &Words<'_>,
    names: &[SegmentName],
    seq: u64,
    count: u64,
) -> Result<Found, String> {
    let first = names.iter().rposition(|name| name.seq_first() <= seq);
    let Some(first) = first else {
        return Err(format!(
            "record {seq} is not in this journal, which begins with {}",
            names[0].seq_first()
        ));
    };
    let end = seq.saturating_add(count);
    let mut shown = Shown {
        range: seq..end,
        count: 0,
        damaged: Found::Whole,
    };
    for name in &names[first..] {
        if name.seq_first() >= end {
            break;
        }
        shown.segment(out, folder, words, *name)?;
    }
    if shown.count == 0 && shown.damaged == Found::Whole {
        return Err(format!(
            "record {seq} is not in this journal{}",
            match names.last() {
                Some(last) => format!(": look at its end with --segment {last}"),
                None => String::new(),
            }
        ));
    }
    Ok(shown.damaged)
}

/// What has been shown.
struct Shown {
    range: std::ops::Range<u64>,
    count: u64,
    damaged: Found,
}

impl Shown {
    fn segment(
        &mut self,
        out: &mut impl Write,
        folder: &Folder,
        words: &Words<'_>,
        name: SegmentName,
    ) -> Result<(), String> {
        let said = |error: std::io::Error| format!("{name}: {error}");
        let mut survey = Survey::open(&folder.disk, name).map_err(|error| error.to_string())?;
        let mut places = Vec::new();
        while let Some(piece) = survey.next_piece().map_err(said)? {
            match piece {
                Piece::Zeros { .. } => {}
                Piece::Damage {
                    offset,
                    bytes,
                    fault,
                } => places.push(Place {
                    offset,
                    bytes,
                    fault,
                }),
                Piece::Frame(frame) => {
                    if frame.header.seq_first >= self.range.end {
                        break;
                    }
                    if frame.header.seq_last() < self.range.start {
                        // What is damaged before it is not what was asked for.
                        places.clear();
                        continue;
                    }
                    if frame.header.seq_first <= self.range.start {
                        places.clear();
                    }
                    self.places(out, folder, name, &mut places)?;
                    writeln!(out, "{name}, {}", frame_line(&frame)).map_err(said)?;
                    for (offset, record) in frame.records() {
                        if self.range.contains(&record.head.seq) {
                            let text = words.record(&record);
                            writeln!(out, "  byte {offset}: {text}").map_err(said)?;
                            self.count += 1;
                        }
                    }
                }
            }
        }
        self.places(out, folder, name, &mut places)
    }

    /// Shows places without a good frame, which the records asked for may have stood in.
    fn places(
        &mut self,
        out: &mut impl Write,
        folder: &Folder,
        name: SegmentName,
        places: &mut Vec<Place>,
    ) -> Result<(), String> {
        let asked = self.range.end - self.range.start;
        if places.is_empty() || self.count == asked {
            return Ok(());
        }
        let survey = Survey::open(&folder.disk, name).map_err(|error| error.to_string())?;
        for place in places.drain(..) {
            let (offset, bytes, fault) = (place.offset, place.bytes, place.fault);
            let dump = dump(&survey, &place)?;
            write!(
                out,
                "{name}, byte {offset}: no good frame in {bytes} bytes: {fault}\n{dump}"
            )
            .map_err(|error| error.to_string())?;
            self.damaged = Found::Damaged;
        }
        Ok(())
    }
}

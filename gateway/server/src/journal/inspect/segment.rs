//! What one segment comes to.

use crate::journal::clock::utc;
use crate::journal::words::hex;
use portcullis_domain::UNIT_BYTES;
use portcullis_journal::{
    Chain, Disk, DiskFile, FrameFault, JournalError, Piece, SegmentHeader, SegmentName, Survey,
    SurveyedFrame,
};
use std::io::Write;

/// Bytes of damage that are shown.
const SHOWN_BYTES: usize = 256;

/// A place where no good frame stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::journal) struct Place {
    pub(in crate::journal) offset: u64,
    pub(in crate::journal) bytes: u64,
    pub(in crate::journal) fault: FrameFault,
}

/// A segment's figures.
#[derive(Debug)]
pub(in crate::journal) struct Segment {
    pub(in crate::journal) header: SegmentHeader,
    pub(in crate::journal) length: u64,
    pub(in crate::journal) frames: u64,
    pub(in crate::journal) records: u64,
    /// Number and time of the last record seen.
    pub(in crate::journal) last: Option<(u64, u64)>,
    pub(in crate::journal) first_ns: Option<u64>,
    /// Bytes up to the end of the last frame.
    pub(in crate::journal) used: u64,
    /// Where damage begins, and whole frames that stand behind it.
    pub(in crate::journal) damage: Vec<Place>,
    pub(in crate::journal) frames_behind: u64,
    /// Frames that are whole and do not go on from the one before.
    pub(in crate::journal) breaks: Vec<(u64, FrameFault)>,
    /// Behind the last frame before damage.
    pub(in crate::journal) next_seq: u64,
    pub(in crate::journal) chain: Chain,
    pub(in crate::journal) digests: u64,
}

impl Segment {
    /// Surveys it; each frame is printed where that is asked for.
    pub(in crate::journal) fn survey(
        disk: &Disk,
        name: SegmentName,
        frames: bool,
        out: &mut impl Write,
    ) -> Result<Self, JournalError> {
        let mut survey = Survey::open(disk, name)?;
        let header = survey.header().clone();
        let mut segment = Self {
            length: survey.length(),
            next_seq: header.seq_first,
            chain: header.previous,
            used: (2 * UNIT_BYTES) as u64,
            header,
            frames: 0,
            records: 0,
            last: None,
            first_ns: None,
            damage: Vec::new(),
            frames_behind: 0,
            breaks: Vec::new(),
            digests: 0,
        };
        loop {
            match survey.next_piece() {
                Ok(Some(Piece::Frame(frame))) => {
                    if frames {
                        // What cannot be printed is not waited for.
                        let _ = writeln!(out, "    {}", frame_line(&frame));
                    }
                    segment.note(&frame);
                }
                Ok(Some(Piece::Zeros { .. })) => {}
                Ok(Some(Piece::Damage {
                    offset,
                    bytes,
                    fault,
                })) => segment.damage.push(Place {
                    offset,
                    bytes,
                    fault,
                }),
                Ok(None) => return Ok(segment),
                Err(error) => {
                    return Err(JournalError {
                        folder: disk.folder().display().to_string(),
                        at: Some((name.to_string(), segment.used)),
                        fault: portcullis_journal::Fault::Io(error),
                    });
                }
            }
        }
    }

    fn note(&mut self, frame: &SurveyedFrame<'_>) {
        self.frames += 1;
        self.records += u64::from(frame.header.count);
        self.digests += u64::from(frame.header.digest().is_some());
        self.used = frame.offset + frame.header.bytes() as u64;
        let first = frame.records().next();
        self.first_ns = self
            .first_ns
            .or(first.map(|(_, record)| record.head.timestamp_ns));
        if let Some((_, record)) = frame.records().last() {
            self.last = Some((record.head.seq, record.head.timestamp_ns));
        }
        if !self.damage.is_empty() {
            self.frames_behind += 1;
            return;
        }
        if let Some(fault) = frame.breaks {
            self.breaks.push((frame.offset, fault));
        }
        self.next_seq = frame.header.seq_last() + 1;
        self.chain = frame.header.chain;
    }

    /// Whether all that is wrong stands behind the last good frame.
    pub(in crate::journal) fn is_torn_only(&self) -> bool {
        self.frames_behind == 0 && self.breaks.is_empty()
    }

    /// Its records and how much of it they take.
    pub(in crate::journal) fn line(&self) -> String {
        let records = match self.last {
            Some((last, _)) => format!(
                "records {} to {last} ({}) in {} frames",
                self.header.seq_first, self.records, self.frames
            ),
            None => "no record".to_owned(),
        };
        let times = match (self.first_ns, self.last) {
            (Some(first), Some((_, last))) => format!("; {} to {}", utc(first), utc(last)),
            (_, _) => String::new(),
        };
        let copied = if self.header.is_copied {
            "; copied from a leader"
        } else {
            ""
        };
        format!(
            "{records}, {} of {} bytes used, {} digests noted{times}{copied}",
            self.used, self.length, self.digests
        )
    }
}

/// A frame in one line.
pub(in crate::journal) fn frame_line(frame: &SurveyedFrame<'_>) -> String {
    let header = &frame.header;
    let digest = header
        .digest()
        .map_or_else(String::new, |digest| format!(", digest {digest:016x}"));
    let synced = if header.is_synced_before() {
        ", all before it synced"
    } else {
        ""
    };
    let breaks = frame
        .breaks
        .map_or_else(String::new, |fault| format!("; BREAK: {fault}"));
    format!(
        "byte {}: records {} to {}, {} bytes, term {}, written {}, chain {:016x}{digest}{synced}{breaks}",
        frame.offset,
        header.seq_first,
        header.seq_last(),
        header.bytes(),
        header.term.raw(),
        utc(header.written_ns),
        header.chain.raw(),
    )
}

/// The first bytes of a place, 32 a line.
pub(in crate::journal) fn dump(survey: &Survey<DiskFile>, place: &Place) -> Result<String, String> {
    let count = usize::try_from(place.bytes).unwrap_or(SHOWN_BYTES);
    let bytes = survey
        .bytes_at(place.offset, count.min(SHOWN_BYTES))
        .map_err(|error| error.to_string())?;
    let lines = bytes.chunks(32).enumerate().map(|(index, line)| {
        let at = place.offset + 32 * index as u64;
        format!("      {at:>10} {}\n", hex(line))
    });
    let mut text: String = lines.collect();
    if place.bytes > bytes.len() as u64 {
        text.push_str("             and so on\n");
    }
    Ok(text)
}

//! `portcullis journal inspect`: what stands in a journal's folder, whatever it is.
//!
//! Invariants: damage ends nothing but its own frame: what stands behind it is shown too; a torn tail, which the next
//! start cuts, is told from damage, which it refuses.

mod overview;
mod records;
mod segment;

pub(super) use overview::{SLOTS, word_files};
pub(super) use segment::Segment;

use super::folder::Folder;
use super::naming::Scales;
use super::words::Words;
use crate::check::load_config;
use crate::{REFUSED, cannot};
use clap::Args;
use portcullis_journal::{SegmentName, list_segments};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is to be shown.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The journal's folder.
    folder: PathBuf,
    /// Look at this segment alone: its file name, or its first record.
    #[arg(long, value_name = "NAME")]
    segment: Option<String>,
    /// Show the records from this one on, in words.
    #[arg(long, value_name = "SEQ")]
    seq: Option<u64>,
    /// How many records to show.
    #[arg(long, value_name = "K", default_value_t = 1, requires = "seq")]
    count: u64,
    /// Show each frame, a line each.
    #[arg(long, conflicts_with = "seq")]
    frames: bool,
    /// Take the scales of prices and money from this config.
    #[arg(long, value_name = "CONFIG")]
    config: Option<PathBuf>,
}

/// Whether what was looked at is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Whole,
    Damaged,
}

/// Shows it.
pub(crate) fn inspect(arguments: &Arguments) -> ExitCode {
    match try_inspect(arguments) {
        Ok(Found::Whole) => ExitCode::SUCCESS,
        Ok(Found::Damaged) => ExitCode::from(REFUSED),
        Err(why) => cannot(why),
    }
}

fn try_inspect(arguments: &Arguments) -> Result<Found, String> {
    let folder = Folder::open(&arguments.folder)?;
    let config = arguments.config.as_deref().map(load_config).transpose();
    let config = config.map_err(|errors| errors.to_string())?;
    let words = Words {
        naming: &folder.naming,
        scales: Scales(config.as_ref()),
    };
    let names = names(&folder, arguments.segment.as_deref())?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let found = match arguments.seq {
        Some(seq) => records::show(&mut out, &folder, &words, &names, seq, arguments.count)?,
        None => {
            let whole = arguments.segment.is_none();
            overview::show(&mut out, &folder, &names, arguments.frames, whole)?
        }
    };
    out.flush().map_err(|error| error.to_string())?;
    Ok(found)
}

/// The segments that are looked at.
fn names(folder: &Folder, segment: Option<&str>) -> Result<Vec<SegmentName>, String> {
    let all = list_segments(&folder.disk).map_err(|error| error.to_string())?;
    let Some(text) = segment else {
        return Ok(all);
    };
    let name = SegmentName::parse(text).or_else(|| text.parse().ok().map(SegmentName::new));
    match name.filter(|name| all.contains(name)) {
        Some(name) => Ok(vec![name]),
        None => Err(format!(
            "{}: there is no segment {text}; the first is {}, the last {}",
            folder.disk.folder().display(),
            all[0],
            all[all.len() - 1]
        )),
    }
}

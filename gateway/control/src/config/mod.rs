//! The config: TOML in, a whole validated [`Config`] or all its mistakes out.
//!
//! Control thread only. Invariants: unknown keys are refused; money and prices never pass through a
//! float; names of limits come from the risk core's descriptor tables; a config that does not load
//! changes nothing. Must never touch the data plane.

mod accounts_csv;
mod assemble;
mod capacities;
mod cells;
mod dialect;
mod diff;
mod draft;
mod faults;
mod instruments;
mod journal;
mod mistake;
mod model;
mod participants;
mod profile;
mod profile_read;
mod reload;
mod replication;
mod section;
mod sessions;

pub use capacities::{CAPACITY_FIELDS, Capacities, CapacityField};
pub use dialect::{DialectBounds, Misfit, WireUnits};
pub use diff::{Change, ChangeEffect, Difference, diff};
pub use journal::{DurabilityPolicy, JournalProfile};
pub use mistake::{Errors, LISTED_MAX, Mistake};
pub use model::{
    ClassDefinition, Config, InstrumentDefinition, ReferenceSource, SessionConfig,
    SessionPermissions,
};
pub use profile::{
    CongestionControl, EngineLink, EngineReplayEnd, Idle, LogonProfile, Matching, Profile,
    Topology, TradingDay,
};
pub use replication::ReplicationProfile;

use draft::Draft;
use mistake::Mistakes;
use section::Section;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// The largest config file; accounts by the hundred thousand belong in a CSV.
const CONFIG_BYTES_MAX: u64 = 64 << 20;

/// What a load is held against.
#[derive(Clone, Copy, Default)]
pub struct LoadOptions<'a> {
    /// The wire dialect that every instrument must fit, if there is one.
    pub dialect: Option<DialectBounds>,
    /// The config in force, for a reload: names keep their indices, and what cannot change while
    /// the venue runs is refused.
    pub previous: Option<&'a Config>,
}

/// Files that a config names.
pub trait Files {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// That of the file system, or that there are no files here.
    fn open(&self, name: &str) -> io::Result<Box<dyn BufRead>>;
}

/// Loads a config file, and the files it names, which stand beside it.
///
/// # Errors
/// Every mistake in it.
pub fn load(path: &Path, options: LoadOptions<'_>) -> Result<Config, Errors> {
    let name = path.display().to_string();
    let mut text = String::new();
    let read =
        open_file(path).and_then(|file| file.take(CONFIG_BYTES_MAX + 1).read_to_string(&mut text));
    let unread = match read {
        Ok(_) if text.len() as u64 <= CONFIG_BYTES_MAX => None,
        Ok(_) => Some(format!(
            "the config is larger than {CONFIG_BYTES_MAX} bytes"
        )),
        Err(error) => Some(format!("the config cannot be read: {error}")),
    };
    if let Some(what) = unread {
        let mut mistakes = Mistakes::new(&name, "");
        mistakes.add_unplaced(
            what,
            "name a readable TOML file; many accounts go into accounts_csv",
        );
        return Err(mistakes.into_errors());
    }
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    parse(&name, &text, &Beside(folder), options)
}

/// Parses a config that names no files.
///
/// # Errors
/// Every mistake in it.
pub fn parse_str(name: &str, text: &str) -> Result<Config, Errors> {
    parse(name, text, &NoFiles, LoadOptions::default())
}

/// Parses a config; `files` opens what it names.
///
/// # Errors
/// Every mistake in it.
pub fn parse(
    name: &str,
    text: &str,
    files: &dyn Files,
    options: LoadOptions<'_>,
) -> Result<Config, Errors> {
    let mut mistakes = Mistakes::new(name, text);
    let (table, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        let place = error.span().unwrap_or(0..0).into();
        let what = format!("this is not TOML: {}", error.message().replace('\n', "; "));
        mistakes.add(
            place,
            what,
            "see https://toml.io; texts stand in quotes, one `key = value` a line",
        );
    }
    if !mistakes.is_empty() {
        // What a broken file seems to say is no ground for further mistakes.
        return Err(mistakes.into_errors());
    }
    let table = table.into_inner();
    let config = read(&table, files, options, &mut mistakes);
    match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        _ => Err(mistakes.into_errors()),
    }
}

fn read(
    table: &DeTable<'_>,
    files: &dyn Files,
    options: LoadOptions<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Config> {
    let mut root = Section::new("the config", Default::default(), table);
    let profile = profile_read::read(&mut root, mistakes);
    let mut draft = Draft::new(profile, options.dialect, options.previous);
    instruments::read(&mut root, &mut draft, mistakes);
    participants::read_classes(&mut root, &mut draft, mistakes);
    participants::read_firms(&mut root, &mut draft, mistakes);
    participants::read_accounts(&mut root, &mut draft, mistakes);
    let csv = root
        .take("accounts_csv")
        .and_then(|item| Some((item, item.text("a file name in quotes", mistakes)?)));
    if let Some((item, file)) = csv {
        match files.open(file) {
            Ok(mut source) => accounts_csv::read(file, &mut *source, &mut draft, mistakes),
            Err(error) => {
                let what = format!("`accounts_csv` cannot be read: {error}");
                item.wrong(
                    mistakes,
                    what,
                    "name a readable file; its path starts at the config's folder",
                );
            }
        }
    }
    sessions::read(&mut root, &mut draft, mistakes);
    root.finish(mistakes);
    if let Some(previous) = options.previous {
        reload::check(previous, &mut draft, table, mistakes);
    }
    assemble::assemble(draft, csv.map(|(_, file)| file), mistakes)
}

/// Opens a plain file: a pipe or device could keep whoever reads it waiting for ever.
fn open_file(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no plain file",
        ));
    }
    File::open(path)
}

/// Files in the config's folder.
struct Beside(PathBuf);

impl Files for Beside {
    fn open(&self, name: &str) -> io::Result<Box<dyn BufRead>> {
        let file = open_file(&self.0.join(name))?;
        Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
    }
}

/// No files at all.
struct NoFiles;

impl Files for NoFiles {
    fn open(&self, _name: &str) -> io::Result<Box<dyn BufRead>> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a config from memory has no files",
        ))
    }
}

#[cfg(test)]
pub(crate) mod tests;

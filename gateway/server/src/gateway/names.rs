//! The names behind the numbers of a journal: accounts, instruments, firms and sessions, in their order.
//!
//! Control thread, at a start and before a reload. A record names an account by its number, which the config
//! gives it by its place. Invariant: a journal is never gone on from with a config in which a number that it
//! may have used belongs to another name.

use portcullis_control::names::{NameTable, Names};
use portcullis_journal::{Storage, StorageFile};
use std::io;

/// The file of names in a journal's folder.
pub(crate) const FILE: &str = "names";

/// The kinds in their order in the file, each with its word.
const KINDS: [&str; 4] = ["account", "instrument", "firm", "session"];

/// Keeps the names of a config.
///
/// # Errors
/// Those of the file system.
pub(crate) fn keep<S: Storage>(storage: &S, names: &Names) -> io::Result<()> {
    let mut text = String::new();
    for (kind, table) in KINDS.into_iter().zip(tables(names)) {
        for name in table.iter() {
            text.push_str(kind);
            text.push(' ');
            text.push_str(name);
            text.push('\n');
        }
    }
    let unfinished = format!("{FILE}.unfinished");
    let file = storage.create(&unfinished)?;
    file.write_at(text.as_bytes(), 0)?;
    file.sync()?;
    storage.rename(&unfinished, FILE)?;
    storage.sync_folder()
}

/// Holds the names of a config against those kept.
///
/// # Errors
/// The first number that belongs to another name.
pub(crate) fn check<S: Storage>(storage: &S, names: &Names) -> Result<(), String> {
    let text = read(storage).map_err(|error| format!("{FILE}: {error}"))?;
    let tables = tables(names);
    let mut counts = [0; KINDS.len()];
    for line in text.lines() {
        let (word, name) = line.split_once(' ').unwrap_or((line, ""));
        let Some(kind) = KINDS.iter().position(|kind| *kind == word) else {
            return Err(format!("{FILE}: \"{line}\" is no name of a journal"));
        };
        let index = counts[kind];
        counts[kind] += 1;
        match tables[kind].name(index) {
            Some(now) if now == name => {}
            Some(now) => {
                return Err(format!(
                    "{word} {index} is {now} now, and was {name} in the journal"
                ));
            }
            None => return Err(format!("{word} {name} of the journal is not in the config")),
        }
    }
    Ok(())
}

/// The names that a journal keeps.
///
/// # Errors
/// In words, why they do not read.
pub(crate) fn kept<S: Storage>(storage: &S) -> Result<Names, String> {
    let text = read(storage).map_err(|error| format!("{FILE}: {error}"))?;
    let mut names = Names::default();
    for line in text.lines() {
        let (word, name) = line.split_once(' ').unwrap_or((line, ""));
        let table = match word {
            "account" => &mut names.accounts,
            "instrument" => &mut names.instruments,
            "firm" => &mut names.firms,
            "session" => &mut names.sessions,
            _ => return Err(format!("{FILE}: \"{line}\" is no name of a journal")),
        };
        table.intern(name);
    }
    Ok(names)
}

fn read<S: Storage>(storage: &S) -> io::Result<String> {
    let file = storage.open(FILE)?;
    let length = usize::try_from(file.bytes()?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length.min(BYTES_MAX)];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], filled as u64)? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Ten million names.
const BYTES_MAX: usize = 512 << 20;

const fn tables(names: &Names) -> [&NameTable; KINDS.len()] {
    [
        &names.accounts,
        &names.instruments,
        &names.firms,
        &names.sessions,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_journal::MemoryDisk;

    fn names(accounts: &[&str], sessions: &[&str]) -> Names {
        let mut names = Names::default();
        for name in accounts {
            names.accounts.intern(name);
        }
        for name in sessions {
            names.sessions.intern(name);
        }
        names
    }

    #[test]
    fn names_may_be_added_and_none_may_move() {
        let disk = MemoryDisk::new();
        keep(&disk, &names(&["a", "b"], &["S1"])).expect("writes");
        assert_eq!(check(&disk, &names(&["a", "b"], &["S1"])), Ok(()));
        assert_eq!(
            check(&disk, &names(&["a", "b", "c"], &["S1", "S2"])),
            Ok(())
        );
        let moved = check(&disk, &names(&["b", "a"], &["S1"])).expect_err("moved");
        assert_eq!(moved, "account 0 is b now, and was a in the journal");
        let gone = check(&disk, &names(&["a", "b"], &[])).expect_err("gone");
        assert_eq!(gone, "session S1 of the journal is not in the config");
    }

    #[test]
    fn names_read_back_in_their_places() {
        let disk = MemoryDisk::new();
        let written = names(&["b", "a"], &["S2", "S1"]);
        keep(&disk, &written).expect("writes");
        let read = kept(&disk).expect("reads");
        for (written, read) in tables(&written).into_iter().zip(tables(&read)) {
            assert!(written.iter().eq(read.iter()));
        }
        let file = disk.create(FILE).expect("room");
        file.write_at(b"planet mars\n", 0).expect("room");
        assert!(kept(&disk).is_err());
    }

    #[test]
    fn without_names_nothing_is_gone_on_from() {
        assert!(check(&MemoryDisk::new(), &names(&[], &[])).is_err());
    }
}

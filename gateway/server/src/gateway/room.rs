//! What a start says where a journal's folder has no room for it.
//!
//! Whoever begins to write a journal, once. Invariant: what was free is looked up before anything is written, since a
//! start that fails gives back what it took. Must never refuse by itself: only writing tells whether there is room.

use portcullis_journal::{Disk, Fault, JournalError};
use rustix::fs::statvfs;
use std::io;

/// Segments that a start makes: the one it writes to, and the next.
const SEGMENTS: u64 = 2;

/// What a start needs, and what there was.
pub(crate) struct Room {
    folder: String,
    segment_bytes: u64,
    /// On the file system, where it says so.
    free_bytes: Option<u64>,
    /// Of the folder's own bound, where it has one.
    quota_left_bytes: Option<u64>,
}

impl Room {
    /// Looks, before a start writes.
    pub(crate) fn look(disk: &Disk, segment_bytes: u64) -> Self {
        let found = statvfs(disk.folder()).ok();
        Self {
            folder: disk.folder().display().to_string(),
            segment_bytes,
            free_bytes: found.map(|found| found.f_bavail.saturating_mul(found.f_frsize)),
            quota_left_bytes: disk.quota_left_bytes(),
        }
    }

    /// Why a journal cannot be begun: where there was no room, how much there was and what to change.
    pub(crate) fn explain(&self, error: &io::Error) -> String {
        if is_full(error) {
            format!("{}: {error}", self.words())
        } else {
            error.to_string()
        }
    }

    /// The same of a journal that is gone on from.
    pub(crate) fn explain_journal(&self, error: &JournalError) -> String {
        if let Fault::Io(system) = &error.fault
            && is_full(system)
        {
            return self.explain(system);
        }
        error.to_string()
    }

    fn words(&self) -> String {
        let needed = SEGMENTS.saturating_mul(self.segment_bytes);
        let mut words = format!(
            "there is no room in {}: a start needs {needed} bytes, for {SEGMENTS} segments of {}, and ",
            self.folder, self.segment_bytes
        );
        let bound = self.quota_left_bytes.filter(|left| {
            // The narrower one is the one to widen.
            self.free_bytes.is_none_or(|free| *left <= free)
        });
        words.push_str(&match (bound, self.free_bytes) {
            (Some(left), _) => format!(
                "`folder_mib_max` of [journal] leaves {left}; raise it, remove what is not needed there, or make \
                 `segment_mib` smaller"
            ),
            (None, Some(free)) => format!(
                "{free} were free; free some on that file system, name a `folder` on another in [journal], or make \
                 `segment_mib` smaller"
            ),
            (None, None) => "the file system does not say how many are free; free some there, name a `folder` on \
                             another in [journal], or make `segment_mib` smaller"
                .to_owned(),
        });
        words
    }
}

fn is_full(error: &io::Error) -> bool {
    let kind = error.kind();
    matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

#[cfg(test)]
mod tests {
    use super::super::assemble::Options;
    use super::super::origin::origin;
    use super::*;
    use portcullis_control::config::{Config, parse_str};
    use std::path::{Path, PathBuf};

    const DEMO: &str = include_str!("../../../../configs/demo.toml");

    fn folder(name: &str) -> PathBuf {
        let name = format!("portcullis-room-{name}-{}", std::process::id());
        std::env::temp_dir().join(name)
    }

    fn bounded(folder: &Path, folder_mib_max: u32) -> Config {
        let journal = format!(
            "[journal]\nfolder = {folder:?}\nsegment_mib = 1\nfolder_mib_max = {folder_mib_max}\n[matching]\n"
        );
        let text = DEMO.replacen("[matching]\n", &journal, 1);
        parse_str("demo.toml", &text).expect("a config")
    }

    /// A start in a folder where others have left things, and one that goes on there.
    #[test]
    fn a_start_without_room_says_what_to_change() {
        let folder = folder("start");
        std::fs::create_dir_all(&folder).expect("makes");
        std::fs::write(folder.join("another's"), vec![0; 2 << 20]).expect("writes");
        let options = Options::default();
        for begun in [false, true] {
            if begun {
                let origin = origin(&bounded(&folder, 0), &options);
                assert!(origin.is_ok(), "it has room");
            }
            let refused = origin(&bounded(&folder, 3), &options).err();
            let refused = refused.expect("another's files and a segment").to_string();
            let needed =
                "a start needs 2097152 bytes, for 2 segments of 1048576, and `folder_mib_max`";
            assert!(refused.contains(needed), "{refused}");
            assert!(refused.contains(&folder.display().to_string()), "{refused}");
        }
        std::fs::remove_dir_all(folder).expect("removes");
    }

    fn room(free_bytes: Option<u64>, quota_left_bytes: Option<u64>) -> Room {
        Room {
            folder: "/journal".to_owned(),
            segment_bytes: 1 << 20,
            free_bytes,
            quota_left_bytes,
        }
    }

    #[test]
    fn a_full_folder_says_what_is_needed_what_was_free_and_what_to_change() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let needed = "there is no room in /journal: a start needs 2097152 bytes, for 2 segments of 1048576, and ";
        for (free, left, then) in [
            (Some(7), None, "7 were free; free some on that file system"),
            (
                Some(7),
                Some(8),
                "7 were free; free some on that file system",
            ),
            (
                Some(9),
                Some(8),
                "`folder_mib_max` of [journal] leaves 8; raise it",
            ),
            (
                None,
                Some(8),
                "`folder_mib_max` of [journal] leaves 8; raise it",
            ),
            (None, None, "the file system does not say how many are free"),
        ] {
            let said = room(free, left).explain(&full);
            assert!(said.starts_with(&format!("{needed}{then}")), "{said}");
            assert!(said.ends_with(&full.to_string()), "{said}");
        }
        let other = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(room(Some(7), None).explain(&other), other.to_string());
    }

    /// The file system is asked about the folder itself.
    #[test]
    fn what_is_free_is_looked_up() {
        let folder = folder("look");
        let disk = Disk::with_quota(&folder, 1_000).expect("a folder");
        let room = Room::look(&disk, 1);
        assert!(room.free_bytes.is_some());
        assert_eq!(room.quota_left_bytes, Some(1_000));
        std::fs::remove_dir_all(folder).expect("removes");
    }
}

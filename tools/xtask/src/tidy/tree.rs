//! The text files of the repository and what cargo says of its packages, read once.
//!
//! Invariant: a Rust source or manifest that cannot be read as UTF-8 is a fault. Other files that
//! are not text are passed over, since no rule is about them.

use std::path::Path;

use crate::metadata::Metadata;
use crate::verb::Fault;
use crate::workspace::Workspace;

/// Folders and files that are made, not written.
const NOT_OURS: &[&str] = &[
    ".git",
    "artifacts",
    "corpus",
    "coverage",
    "target",
    "__pycache__",
];

/// A text file.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// Path from the root, with `/`.
    pub(super) path: String,
    /// Content.
    pub(super) text: String,
}

impl File {
    /// Whether it is Rust source.
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether all of it is compiled for tests alone, by where it lies.
    pub(super) fn is_test(&self) -> bool {
        self.path
            .split('/')
            .any(|part| matches!(part, "tests" | "tests.rs" | "benches"))
    }

    /// Whether it is written by a program, which its first line then says.
    pub(super) fn is_generated(&self) -> bool {
        self.text
            .lines()
            .next()
            .is_some_and(|line| line.contains("@generated"))
    }
}

/// Everything the rules look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    /// Text files, by path.
    pub(super) files: Vec<File>,
    /// The packages.
    pub(super) metadata: Metadata,
}

impl Tree {
    /// Reads the repository.
    pub(super) fn read(workspace: &Workspace) -> Result<Self, Fault> {
        let mut files = Vec::new();
        read_folder(workspace.root(), "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            files,
            metadata: Metadata::read(workspace)?,
        })
    }

    /// The Rust sources that people write.
    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files
            .iter()
            .filter(|file| file.is_rust() && !file.is_generated())
    }

    /// The file at `path`.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// A tree of the files given and no packages.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| File {
            path: path.into(),
            text: text.into(),
        };
        Self {
            files: files.iter().map(file).collect(),
            metadata: Metadata::default(),
        }
    }
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<(), Fault> {
    let fault = |error| Fault::of(folder.display(), error);
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| {
            Fault::of(
                entry.path().display(),
                "the name is not UTF-8; rename the file",
            )
        })?;
        if NOT_OURS.contains(&name) || name.starts_with("target-") || name.ends_with(".log") {
            continue;
        }
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(fault)?;
        if kind.is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            files.extend(read_file(&entry.path(), path)?);
        }
    }
    Ok(())
}

fn read_file(place: &Path, path: String) -> Result<Option<File>, Fault> {
    let bytes = std::fs::read(place).map_err(|error| Fault::of(place.display(), error))?;
    let must_be_text = path.ends_with(".rs") || path.ends_with(".toml");
    match String::from_utf8(bytes) {
        Ok(text) if must_be_text || !text.contains('\0') => Ok(Some(File { path, text })),
        Err(error) if must_be_text => Err(Fault::of(place.display(), error)),
        Ok(_) | Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_read_without_what_builds_leave_behind() {
        let tree = Tree::read(&Workspace::find().unwrap()).unwrap();
        assert!(tree.file("tools/xtask/src/tidy/tree.rs").is_some());
        assert!(tree.file("Cargo.toml").is_some());
        assert!(
            !tree
                .files
                .iter()
                .any(|file| file.path.starts_with("target"))
        );
    }

    #[test]
    fn a_source_that_is_not_utf8_is_a_fault_and_a_picture_is_not() {
        let folder = std::env::temp_dir().join(format!("xtask-tree-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let place = folder.join("a");
        std::fs::write(&place, [0xff, 0xfe]).unwrap();
        let source = read_file(&place, "a.rs".into());
        let picture = read_file(&place, "a.png".into());
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(source.is_err());
        assert!(picture.unwrap().is_none());
    }

    #[test]
    fn tests_and_generated_files_are_known_by_place_and_first_line() {
        let tree = Tree::of(&[
            ("a/src/x/tests.rs", "//! T."),
            ("a/tests/y.rs", "//! T."),
            ("a/src/contests.rs", "//! C."),
            ("a/src/z.rs", "// @generated by cargo xtask docs\n"),
        ]);
        let tests: Vec<bool> = tree.files.iter().map(File::is_test).collect();
        assert_eq!(tests, [true, true, false, false]);
        assert_eq!(tree.rust().count(), 3);
    }
}

//! What was asked of the bench, and the folder it works in.
//!
//! Main thread. Invariant: what was made in the folder is removed again, whatever was measured.

use portcullis_bench_harness::Options;
use std::path::{Path, PathBuf};

/// Commands of the journal that is replayed, where nothing is said.
const COMMANDS: u64 = 8_000_000;
const COMMANDS_QUICK: u64 = 1_000_000;

/// Parts of the bench.
const CELLS: [&str; 3] = ["pipeline", "replay", "recovery"];

/// A command line.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) options: Options,
    /// Under which the bench makes a folder of its own.
    pub(crate) folder: PathBuf,
    /// Of the journal that is replayed.
    pub(crate) commands: u64,
}

impl Asked {
    /// Reads a command line, without the program's name.
    pub(crate) fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut rest = Vec::new();
        let mut folder = std::env::temp_dir();
        let mut commands = None;
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--folder" => folder = arguments.next().ok_or("--folder takes a path")?.into(),
                "--commands" => {
                    let number = arguments.next().and_then(|text| text.parse().ok());
                    let number = number.filter(|number| *number >= 100_000);
                    commands = Some(number.ok_or("--commands takes a number from 100000")?);
                }
                _ => rest.push(argument),
            }
        }
        let options = Options::of_cells("journal", rest)
            .map_err(|why| format!("{why}; and [--folder PATH] [--commands N]"))?;
        options.must_be_among(&CELLS)?;
        let default = if options.quick {
            COMMANDS_QUICK
        } else {
            COMMANDS
        };
        Ok(Self {
            commands: commands.unwrap_or(default),
            options,
            folder,
        })
    }

    /// A new folder in the one that was named.
    pub(crate) fn scratch(&self) -> Result<Scratch, String> {
        Scratch::under(&self.folder, "bench")
    }
}

/// A folder that is this process's own.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn under(folder: &Path, of: &str) -> Result<Self, String> {
        let name = format!("portcullis-journal-{of}-{}", std::process::id());
        let path = folder.join(name);
        std::fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn remove(self) -> Result<(), String> {
        std::fs::remove_dir_all(&self.0).map_err(|error| format!("{}: {error}", self.0.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_words_are_read_and_the_rest_is_every_benchs() {
        let read = |words: &[&str]| Asked::read(words.iter().map(|&word| word.to_owned()));
        let asked = read(&["--quick", "--folder", "/data", "--commands", "300000"]);
        let asked = asked.expect("known words");
        assert!(asked.options.quick && asked.commands == 300_000);
        assert_eq!(asked.folder, Path::new("/data"));
        assert_eq!(read(&[]).map(|asked| asked.commands), Ok(COMMANDS));
        for wrong in [
            &["--commands", "9"][..],
            &["--folder"],
            &["--cells", "x"],
            &["--x"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}

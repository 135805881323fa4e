//! Limit tables on disk, each named by its digest, beside the log whose flips name them.
//!
//! Control thread and replay. Invariant: a file is written whole under another name first, and its
//! words have the digest it is named by, or it does not read.

use portcullis_domain::Digest;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the table with this digest stands, for a log.
#[must_use]
pub fn limit_file_path(log: &Path, digest: u64) -> PathBuf {
    let mut name = log.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{digest:016x}.limits"));
    log.with_file_name(name)
}

/// Writes a table's canonical words.
///
/// # Errors
/// Those of the file system.
pub fn write_limit_file(log: &Path, words: &[u64]) -> io::Result<PathBuf> {
    let path = limit_file_path(log, digest(words));
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, bytes)?;
    fs::rename(&unfinished, &path)?;
    Ok(path)
}

/// Reads the words of the table with this digest.
///
/// # Errors
/// Those of the file system; `InvalidData` where the words have another digest.
pub fn read_limit_file(log: &Path, wanted: u64) -> io::Result<Vec<u64>> {
    let path = limit_file_path(log, wanted);
    limit_words(&fs::read(&path)?, wanted).ok_or_else(|| {
        let what = format!(
            "{}: its contents are not the table it is named by",
            path.display()
        );
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}

/// The words that a limit file's bytes hold; `None` unless they have this digest.
#[must_use]
pub fn limit_words(bytes: &[u8], wanted: u64) -> Option<Vec<u64>> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let words: Vec<u64> = chunks
        .iter()
        .map(|chunk| u64::from_le_bytes(*chunk))
        .collect();
    (rest.is_empty() && digest(&words) == wanted).then_some(words)
}

fn digest(words: &[u64]) -> u64 {
    let mut digest = Digest::new();
    digest.push_all(words);
    digest.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_back_and_a_damaged_one_does_not() {
        let folder = std::env::temp_dir().join(format!("portcullis-limits-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let log = folder.join("day.log");
        let words = [7, 8, 9];
        let path = write_limit_file(&log, &words).expect("writes");
        assert_eq!(read_limit_file(&log, digest(&words)).expect("reads"), words);
        fs::write(&path, [0; 24]).expect("writes");
        assert!(read_limit_file(&log, digest(&words)).is_err());
        fs::remove_dir_all(&folder).expect("removes");
    }
}

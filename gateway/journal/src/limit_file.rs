//! Limit tables beside a plain log of earlier versions, each named by its digest: read, no longer written.
//!
//! The thread that loads configs, and replay. Invariant: a file is written whole under another name first, and its
//! words have the digest it is named by, or it does not read.

use portcullis_domain::Digest;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const WORD_BYTES: usize = size_of::<u64>();

/// Where the table with this digest stands, for a log.
fn limit_file_path(log: &Path, digest: u64) -> PathBuf {
    let mut name = log.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{digest:016x}.limits"));
    log.with_file_name(name)
}

/// Words moved at a time.
const CHUNK_WORDS: usize = 1 << 13;

/// Reads the words of the table with this digest.
///
/// # Errors
/// Those of the file system; `InvalidData` where the words have another digest.
pub fn read_limit_file(log: &Path, wanted: u64) -> io::Result<Vec<u64>> {
    let path = limit_file_path(log, wanted);
    let file = File::open(&path)?;
    let length = file.metadata()?.len() / WORD_BYTES as u64;
    read_words(file, usize::try_from(length).unwrap_or(0), wanted)?.ok_or_else(|| {
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
    read_words(bytes, bytes.len() / WORD_BYTES, wanted)
        .ok()
        .flatten()
}

/// The words of a source that should hold `length` of them, a piece at a time.
fn read_words(mut source: impl Read, length: usize, wanted: u64) -> io::Result<Option<Vec<u64>>> {
    let mut words = Vec::with_capacity(length);
    let mut bytes = vec![0; CHUNK_WORDS * WORD_BYTES];
    let mut rest = 0;
    loop {
        let read = source.read(&mut bytes[rest..])?;
        if read == 0 {
            break;
        }
        let (chunks, left) = bytes[..rest + read].as_chunks::<WORD_BYTES>();
        words.extend(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)));
        let (whole, left) = (chunks.len() * WORD_BYTES, left.len());
        bytes.copy_within(whole..whole + left, 0);
        rest = left;
    }
    Ok((rest == 0 && digest(&words) == wanted).then_some(words))
}

fn digest(words: &[u64]) -> u64 {
    let mut digest = Digest::new();
    digest.push_all(words);
    digest.value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_table_reads_and_a_damaged_one_does_not() {
        let folder = std::env::temp_dir().join(format!("portcullis-limits-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let log = folder.join("day.log");
        let words: Vec<u64> = (0..3 * CHUNK_WORDS as u64 + 5).collect();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let path = limit_file_path(&log, digest(&words));
        fs::write(&path, &bytes).expect("writes");
        assert_eq!(read_limit_file(&log, digest(&words)).expect("reads"), words);
        for damage in [&[0_u8; 24][..], &[0; 23], &[], &bytes[1..]] {
            fs::write(&path, damage).expect("writes");
            assert!(read_limit_file(&log, digest(&words)).is_err());
        }
        fs::remove_dir_all(&folder).expect("removes");
    }
}

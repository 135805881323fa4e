//! Limit tables on disk, each named by its digest, beside the log whose flips name them.
//!
//! The thread that loads configs, and replay. Invariant: a file is written whole under another name first, and its
//! words have the digest it is named by, or it does not read.

use portcullis_domain::Digest;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const WORD_BYTES: usize = size_of::<u64>();

/// Where the table with this digest stands, for a log.
#[must_use]
pub fn limit_file_path(log: &Path, digest: u64) -> PathBuf {
    let mut name = log.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{digest:016x}.limits"));
    log.with_file_name(name)
}

/// Words moved at a time.
const CHUNK_WORDS: usize = 1 << 13;

/// Writes a table's canonical words. One that is there whole is left as it is: a table that comes
/// back into force, and a hundred megabytes of it, need not go to the disk again.
///
/// # Errors
/// Those of the file system.
pub fn write_limit_file(log: &Path, words: &[u64]) -> io::Result<PathBuf> {
    let digest = digest(words);
    let path = limit_file_path(log, digest);
    if read_limit_file(log, digest).is_ok() {
        return Ok(path);
    }
    let unfinished = path.with_extension("unfinished");
    let mut file = File::create(&unfinished)?;
    let mut bytes = Vec::with_capacity(CHUNK_WORDS * WORD_BYTES);
    for chunk in words.chunks(CHUNK_WORDS) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|word| word.to_le_bytes()));
        file.write_all(&bytes)?;
    }
    drop(file);
    fs::rename(&unfinished, &path)?;
    Ok(path)
}

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

    #[test]
    fn a_table_reads_back_and_a_damaged_one_does_not() {
        let folder = std::env::temp_dir().join(format!("portcullis-limits-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let log = folder.join("day.log");
        let words = [7, 8, 9];
        let path = write_limit_file(&log, &words).expect("writes");
        assert_eq!(read_limit_file(&log, digest(&words)).expect("reads"), words);
        for damage in [&[0_u8; 24][..], &[0; 23], &[]] {
            fs::write(&path, damage).expect("writes");
            assert!(read_limit_file(&log, digest(&words)).is_err());
        }
        write_limit_file(&log, &words).expect("writes what is not whole anew");
        assert_eq!(read_limit_file(&log, digest(&words)).expect("reads"), words);
        fs::remove_dir_all(&folder).expect("removes");
    }

    #[test]
    fn a_table_of_many_chunks_is_written_once() {
        let folder = std::env::temp_dir().join(format!("portcullis-chunks-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let log = folder.join("day.log");
        let words: Vec<u64> = (0..3 * CHUNK_WORDS as u64 + 5).collect();
        let path = write_limit_file(&log, &words).expect("writes");
        let written = || fs::metadata(&path).and_then(|file| file.modified());
        let first = written().expect("it is there");
        assert_eq!(read_limit_file(&log, digest(&words)).expect("reads"), words);
        write_limit_file(&log, &words).expect("it is there whole");
        assert_eq!(written().expect("it is there"), first);
        fs::remove_dir_all(&folder).expect("removes");
    }
}

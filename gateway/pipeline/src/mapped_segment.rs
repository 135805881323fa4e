//! A journal's segment, written by storing into its pages.
//!
//! The thread that makes segments maps them, the log thread stores. A frame then costs the log thread no call of the
//! system. Must never be used for a journal that is synced frame by frame (docs/adr/0018).

use portcullis_journal::Mapping;
use portcullis_runtime::MappedFile;
use std::fs::File;
use std::io;

#[derive(Debug)]
struct MappedSegment(MappedFile);

/// Maps a segment's first bytes.
///
/// # Errors
/// Those of [`MappedFile::map`].
pub fn map_segment(file: &File, bytes: u64) -> io::Result<Box<dyn Mapping>> {
    Ok(Box::new(MappedSegment(MappedFile::map(file, bytes)?)))
}

impl Mapping for MappedSegment {
    fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    fn write(&self, bytes: &[u8], offset: u64) -> bool {
        self.0.write(bytes, offset).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_journal::{Disk, InlineSource, SegmentSource, Storage, StorageFile};
    use std::fs::OpenOptions;
    use std::path::PathBuf;

    const SEGMENT_BYTES: u64 = 1 << 16;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_segment_reads_back_by_calls_and_syncs() {
        let folder = Folder::new("mapped-segment");
        let disk = Disk::open(&folder.0)
            .expect("it can be made")
            .mapping_segments(map_segment);
        let mut source = InlineSource::new(disk.clone(), SEGMENT_BYTES);
        let spare = source.take().expect("the disk takes it");
        spare.file.write_at(&[7; 128], 192).expect("it has room");
        spare.file.sync().expect("it syncs");
        let mut read = [0; 320];
        let other = disk.open(&spare.name).expect("it is there");
        assert_eq!(other.read_at(&mut read, 64).expect("it reads"), 320);
        assert_eq!((read[127], read[128], read[255], read[256]), (0, 7, 7, 0));
    }

    /// A segment whose pages are gone is written by calls, and what they say is what the writer hears.
    #[test]
    fn a_segment_that_was_cut_is_written_by_calls() {
        let folder = Folder::new("mapped-segment-cut");
        let disk = Disk::open(&folder.0)
            .expect("it can be made")
            .mapping_segments(map_segment);
        let mut source = InlineSource::new(disk, SEGMENT_BYTES);
        let spare = source.take().expect("the disk takes it");
        let path = folder.0.join(&spare.name);
        let cut = OpenOptions::new().write(true).open(&path).expect("there");
        cut.set_len(0).expect("it can be cut");
        spare.file.write_at(&[9; 64], 32_768).expect("by a call");
        spare.file.write_at(&[8; 64], 0).expect("by a call");
        let read = std::fs::read(&path).expect("it is there");
        assert_eq!(read.len(), 32_768 + 64);
        assert_eq!((read[0], read[64], read[32_768]), (8, 0, 9));
    }
}

//! A file that is written by storing into its pages, without a call of the system.
//!
//! Whoever holds one; not the deciding thread. What is stored is in the system's page cache as after a `write`: it
//! outlives the process, not the machine. Invariants: nothing is stored outside of the bytes that were mapped; a store
//! that finds no page of the file is told, and changes nothing that anybody else sees. Must never be read through.

use crate::bus_error::Watch;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::fs::File;
use std::io;

/// A file's first bytes, mapped for writing.
#[derive(Debug)]
pub struct MappedFile {
    // Before the pages, so that it ends before their addresses can be somebody else's.
    watch: Watch,
    pages: Pages,
}

#[derive(Debug)]
struct Pages {
    start: NonNull<u8>,
    bytes: usize,
}

#[expect(unsafe_code, reason = "a mapping is known by its address")]
// SAFETY: the mapping belongs to the value and no thread; nothing in it refers to the thread that made it.
unsafe impl Send for Pages {}

#[expect(unsafe_code, reason = "a mapping is known by its address")]
// SAFETY: what is shared is stored into by atomic operations alone: two writers at once may mix their bytes in the file, as
// two calls of the system may, and nothing else.
unsafe impl Sync for Pages {}

/// The file's pages could not be had: nothing says what of the bytes is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagesLost;

impl MappedFile {
    /// Maps the first `bytes` of a file that is open for reading and writing and has them.
    ///
    /// # Errors
    /// Those of the system; if there is nothing to map, or too much is mapped already.
    pub fn map(file: &File, bytes: u64) -> io::Result<Self> {
        let refused = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
        if bytes == 0 || file.metadata()?.len() < bytes {
            return Err(refused("the file is shorter than what is to be mapped"));
        }
        let bytes = usize::try_from(bytes).map_err(|_| refused("more than there are addresses"))?;
        let pages = Pages::map(file, bytes)?;
        let watch = Watch::begin(pages.start.as_ptr(), bytes)?;
        Ok(Self { watch, pages })
    }

    /// Bytes that are mapped.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.pages.bytes as u64
    }

    /// Stores `bytes` at `offset`.
    ///
    /// # Errors
    /// If the file's pages could not be had, now or by an earlier call.
    ///
    /// # Panics
    /// If they do not lie within what is mapped.
    pub fn write(&self, bytes: &[u8], offset: u64) -> Result<(), PagesLost> {
        let within = offset
            .checked_add(bytes.len() as u64)
            .is_some_and(|end| end <= self.bytes());
        assert!(
            within,
            "{} bytes at {offset} of {}",
            bytes.len(),
            self.bytes()
        );
        if self.watch.is_lost() {
            return Err(PagesLost);
        }
        self.pages.store(bytes, offset as usize);
        if self.watch.is_lost() {
            return Err(PagesLost);
        }
        Ok(())
    }
}

impl Pages {
    #[expect(unsafe_code, reason = "the system call has no safe form")]
    fn map(file: &File, bytes: usize) -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        let anywhere = core::ptr::null_mut();
        // SAFETY: a new mapping, where the system finds room: it takes no address that anybody has.
        let start = unsafe { mmap(anywhere, bytes, protection, MapFlags::SHARED, file, 0)? };
        let start = NonNull::new(start.cast()).expect("no mapping begins at address 0");
        Ok(Self { start, bytes })
    }

    #[expect(unsafe_code, reason = "a mapping is written by its address")]
    fn store(&self, bytes: &[u8], offset: usize) {
        let (words, rest) = if offset.is_multiple_of(align_of::<AtomicU64>()) {
            bytes.as_chunks::<8>()
        } else {
            (&[][..], bytes)
        };
        let mut at = offset;
        for word in words {
            // SAFETY: within the mapping, as `write` has asserted, and aligned: a mapping begins on a page, `at` is a multiple
            // of 8. Nothing but atomic stores touches the mapping while it lives.
            let place = unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(at).cast()) };
            place.store(u64::from_ne_bytes(*word), Ordering::Relaxed);
            at += 8;
        }
        for byte in rest {
            // SAFETY: as above; a byte is always aligned.
            let place = unsafe { AtomicU8::from_ptr(self.start.as_ptr().add(at)) };
            place.store(*byte, Ordering::Relaxed);
            at += 1;
        }
    }
}

impl Drop for Pages {
    #[expect(unsafe_code, reason = "the system call has no safe form")]
    fn drop(&mut self) {
        // SAFETY: it is the whole of a mapping that `map` made; its only owner goes now.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.bytes) };
        debug_assert!(unmapped.is_ok(), "a mapping is given back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, OpenOptions};
    use std::path::PathBuf;

    struct Scratch(PathBuf, File);

    impl Scratch {
        fn new(name: &str, bytes: u64) -> Self {
            let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(true);
            let file = options.open(&path).expect("it can be made");
            file.set_len(bytes).expect("it takes a length");
            Self(path, file)
        }

        fn read(&self) -> Vec<u8> {
            fs::read(&self.0).expect("it is there")
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[test]
    fn what_is_stored_is_what_the_file_reads() {
        let scratch = Scratch::new("mapped-stored", 10_000);
        let mapped = MappedFile::map(&scratch.1, 9_000).expect("it maps");
        let mut expected = vec![0; 10_000];
        let writes = [
            (0, 64),
            (64, 63),
            (127, 9),
            (4_090, 20),
            (8_999, 1),
            (8_000, 0),
        ];
        for (turn, (offset, length)) in writes.into_iter().enumerate() {
            let bytes: Vec<u8> = (0..length).map(|at| (at + turn * 31 + 1) as u8).collect();
            mapped.write(&bytes, offset as u64).expect("it has pages");
            expected[offset..offset + length].copy_from_slice(&bytes);
            assert_eq!(scratch.read(), expected);
        }
        drop(mapped);
        assert_eq!(scratch.read(), expected);
    }

    #[test]
    fn more_than_the_file_has_is_not_mapped() {
        let scratch = Scratch::new("mapped-short", 100);
        assert!(MappedFile::map(&scratch.1, 101).is_err());
        assert!(MappedFile::map(&scratch.1, 0).is_err());
        assert!(MappedFile::map(&File::open(&scratch.0).expect("there"), 100).is_err());
    }

    #[test]
    #[should_panic(expected = "2 bytes at 99 of 100")]
    fn nothing_is_stored_behind_what_is_mapped() {
        let scratch = Scratch::new("mapped-behind", 200);
        let mapped = MappedFile::map(&scratch.1, 100).expect("it maps");
        let _ = mapped.write(&[1, 2], 99);
    }

    /// A file that is cut gives no pages behind its end, as one on a full disk gives none where it has holes.
    #[test]
    fn pages_that_are_not_there_are_said_and_end_nobody() {
        let page = rustix::param::page_size() as u64;
        let scratch = Scratch::new("mapped-lost", 4 * page);
        let other = Scratch::new("mapped-whole", page);
        let mapped = MappedFile::map(&scratch.1, 4 * page).expect("it maps");
        let beside = MappedFile::map(&other.1, page).expect("it maps");
        mapped.write(&[1; 64], 0).expect("it has pages");
        scratch.1.set_len(2 * page).expect("it can be cut");
        mapped.write(&[2; 64], page).expect("it has this one");
        assert_eq!(mapped.write(&[3; 128], 2 * page - 64), Err(PagesLost));
        assert_eq!(mapped.write(&[4; 64], 0), Err(PagesLost), "from then on");
        let read = scratch.read();
        assert_eq!(read.len() as u64, 2 * page);
        assert_eq!((read[0], read[page as usize]), (1, 2));
        beside.write(&[5; 64], 0).expect("its own are there");
        assert_eq!(other.read()[..64], [5; 64]);
    }

    #[test]
    fn a_range_is_watched_anew_after_it_was_given_back() {
        let page = rustix::param::page_size() as u64;
        for _ in 0..200 {
            let scratch = Scratch::new("mapped-anew", page);
            let mapped = MappedFile::map(&scratch.1, page).expect("it maps");
            scratch.1.set_len(0).expect("it can be cut");
            assert_eq!(mapped.write(&[1], 0), Err(PagesLost));
        }
    }
}

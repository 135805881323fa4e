//! What an append to a file costs: `pwrite`, `writev`, a mapping, `io_uring`; left to the system, and synced each time.
//!
//! `cargo run --release -p portcullis-runtime --example disk_appends -- FOLDER`. It is an example of this crate because
//! a mapping and a ring of the kernel's take `unsafe`. The file is written with zeros and synced first, as a segment
//! is, 64 KiB at a time unless the row says otherwise; "grown" is a file that is not. Rows are nanoseconds an append;
//! ways take turns, so that none has the quiet time.

#![allow(unsafe_code)]

use io_uring::{IoUring, opcode, types};
use rustix::mm::{MapFlags, MsyncFlags, ProtFlags, mmap, msync, munmap};
use std::env;
use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::time::Instant;

const FILE_BYTES: usize = 64 << 20;
const SIZES: [usize; 3] = [128, 4_096, 65_536];
const ROUNDS: usize = 4;

/// One way to append.
trait Way {
    fn append(&mut self, bytes: &[u8], offset: usize) -> io::Result<()>;
    fn sync(&mut self, offset: usize, length: usize) -> io::Result<()>;
}

struct Pwrite(File);

impl Way for Pwrite {
    fn append(&mut self, bytes: &[u8], offset: usize) -> io::Result<()> {
        self.0.write_all_at(bytes, offset as u64)
    }

    fn sync(&mut self, _: usize, _: usize) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// Header and records from two places.
struct Writev(File);

impl Way for Writev {
    fn append(&mut self, bytes: &[u8], offset: usize) -> io::Result<()> {
        if self.0.stream_position()? != offset as u64 {
            self.0.seek(SeekFrom::Start(offset as u64))?;
        }
        let (header, records) = bytes.split_at(64);
        let written = self
            .0
            .write_vectored(&[IoSlice::new(header), IoSlice::new(records)])?;
        assert_eq!(written, bytes.len(), "a file takes all of it");
        Ok(())
    }

    fn sync(&mut self, _: usize, _: usize) -> io::Result<()> {
        self.0.sync_data()
    }
}

struct Mapped {
    start: *mut u8,
}

impl Mapped {
    fn new(file: &File) -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping of the whole file, which keeps its length and which nobody else has.
        let start = unsafe {
            mmap(
                ptr::null_mut(),
                FILE_BYTES,
                protection,
                MapFlags::SHARED,
                file,
                0,
            )?
        };
        Ok(Self {
            start: start.cast(),
        })
    }
}

impl Way for Mapped {
    fn append(&mut self, bytes: &[u8], offset: usize) -> io::Result<()> {
        assert!(offset + bytes.len() <= FILE_BYTES, "within the mapping");
        // SAFETY: the range is within the mapping, and `bytes` is no part of it.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(offset), bytes.len()) };
        Ok(())
    }

    fn sync(&mut self, offset: usize, length: usize) -> io::Result<()> {
        let page = offset & !4_095;
        // SAFETY: the range is within the mapping and begins on a page.
        unsafe {
            msync(
                self.start.add(page).cast(),
                offset + length - page,
                MsyncFlags::SYNC,
            )?
        };
        Ok(())
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: it is the whole mapping, and nothing refers to it any more.
        let _ = unsafe { munmap(self.start.cast(), FILE_BYTES) };
    }
}

struct Ring {
    file: File,
    ring: IoUring,
}

impl Ring {
    fn submit(&mut self, entry: &io_uring::squeue::Entry) -> io::Result<i32> {
        // SAFETY: file and buffer outlive the call, which waits for the completion.
        unsafe { self.ring.submission().push(entry) }.map_err(io::Error::other)?;
        self.ring.submit_and_wait(1)?;
        let done = self.ring.completion().next().expect("it has waited for it");
        if done.result() < 0 {
            return Err(io::Error::from_raw_os_error(-done.result()));
        }
        Ok(done.result())
    }
}

impl Way for Ring {
    fn append(&mut self, bytes: &[u8], offset: usize) -> io::Result<()> {
        let file = types::Fd(self.file.as_raw_fd());
        let write =
            opcode::Write::new(file, bytes.as_ptr(), bytes.len() as u32).offset(offset as u64);
        let written = self.submit(&write.build())?;
        assert_eq!(written as usize, bytes.len(), "a file takes all of it");
        Ok(())
    }

    fn sync(&mut self, _: usize, _: usize) -> io::Result<()> {
        let file = types::Fd(self.file.as_raw_fd());
        let sync = opcode::Fsync::new(file).flags(types::FsyncFlags::DATASYNC);
        self.submit(&sync.build()).map(|_| ())
    }
}

fn file(folder: &Path, name: &str, filled: usize) -> io::Result<(File, PathBuf)> {
    let path = folder.join(format!("appends-{name}-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)?;
    if filled > 0 {
        let zeros = vec![0; filled];
        for _ in 0..FILE_BYTES / filled {
            file.write_all(&zeros)?;
        }
        file.sync_all()?;
        file.seek(SeekFrom::Start(0))?;
    }
    Ok((file, path))
}

/// Ways, and the bytes of zeros that their file is made of at a time; none for a file that grows.
const WAYS: [(&str, usize); 7] = [
    ("pwrite", 1 << 16),
    ("pwrite/1 MiB", 1 << 20),
    ("pwrite/4 KiB", 1 << 12),
    ("pwrite/grown", 0),
    ("writev", 1 << 16),
    ("mapping", 1 << 16),
    ("io_uring", 1 << 16),
];

fn way(name: &str, file: File) -> io::Result<Box<dyn Way>> {
    Ok(match name {
        "writev" => Box::new(Writev(file)),
        "mapping" => Box::new(Mapped::new(&file)?),
        "io_uring" => Box::new(Ring {
            file,
            ring: IoUring::new(8)?,
        }),
        _ => Box::new(Pwrite(file)),
    })
}

/// Appends, and what each took.
fn measure(
    folder: &Path,
    name: &str,
    filled: usize,
    size: usize,
    synced: bool,
    took: &mut Vec<u64>,
) -> io::Result<()> {
    let (file, path) = file(folder, &name.replace(['/', ' '], ""), filled)?;
    let mut way = way(name, file)?;
    let bytes: Vec<u8> = (0..size).map(|at| at as u8 | 1).collect();
    let count = if synced {
        150
    } else {
        (FILE_BYTES / size).min(20_000)
    };
    for number in 0..count {
        let offset = number * size;
        let start = Instant::now();
        way.append(&bytes, offset)?;
        if synced {
            way.sync(offset, size)?;
        }
        took.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    remove_file(path)
}

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).map_or_else(env::temp_dir, PathBuf::from);
    println!(
        "{:<16}{:>8}{:>8}{:>12}{:>12}{:>12}{:>12}",
        "way", "bytes", "synced", "p50", "p99", "p99.9", "max"
    );
    for synced in [false, true] {
        for size in SIZES {
            let mut took = WAYS.map(|_| Vec::new());
            for _ in 0..ROUNDS {
                for ((name, filled), took) in WAYS.iter().zip(&mut took) {
                    if let Err(error) = measure(&folder, name, *filled, size, synced, took) {
                        eprintln!("{name}: {error}");
                    }
                }
            }
            for ((name, _), took) in WAYS.iter().zip(&mut took) {
                took.sort_unstable();
                if took.is_empty() {
                    continue;
                }
                let at = |parts: usize| took[((took.len() - 1) * parts) / 1_000];
                let row = [at(500), at(990), at(999), at(1_000)];
                let row: String = row.iter().map(|ns| format!("{ns:>12}")).collect();
                println!(
                    "{name:<16}{size:>8}{:>8}{row}",
                    if synced { "yes" } else { "no" }
                );
            }
        }
    }
    Ok(())
}

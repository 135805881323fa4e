//! What the folder's disk takes alone: one write of a frame, one sync of it.
//!
//! On the measuring thread, while nothing else runs. Invariant: it is the calls that the journal makes, into a
//! file made as the journal makes its own.

use crate::spares::SEGMENT_BYTES;
use portcullis_bench_harness::Latency;
use portcullis_journal::{Disk, InlineSource, SegmentSource, Storage, StorageFile};
use std::time::Instant;

/// What one call takes, nanoseconds, half of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskCost {
    /// A write of a frame.
    pub(crate) write_ns: u64,
    /// A sync after one.
    pub(crate) sync_ns: u64,
    /// A segment of zeros, made and on the disk.
    pub(crate) segment_ns: u64,
}

/// Measures the folder with frames of so many bytes.
pub(crate) fn disk_cost(
    disk: &Disk,
    frame_bytes: usize,
    writes: u64,
    syncs: u64,
) -> Result<DiskCost, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", disk.place());
    let begun = Instant::now();
    let spare = InlineSource::new(disk.clone(), SEGMENT_BYTES)
        .take()
        .map_err(fault)?;
    let segment_ns = begun.elapsed().as_nanos() as u64;
    let frame = vec![7; frame_bytes];
    let frames = SEGMENT_BYTES / frame_bytes as u64;
    let (mut written, mut synced) = (Latency::new(), Latency::new());
    for turn in 0..writes + syncs {
        let begun = Instant::now();
        let wrote = spare
            .file
            .write_at(&frame, turn % frames * frame_bytes as u64);
        written.record(begun.elapsed().as_nanos() as u64);
        wrote.map_err(fault)?;
        if turn >= writes {
            let begun = Instant::now();
            spare.file.sync().map_err(fault)?;
            synced.record(begun.elapsed().as_nanos() as u64);
        }
    }
    disk.remove(&spare.name).map_err(fault)?;
    Ok(DiskCost {
        write_ns: written.p50(),
        sync_ns: synced.p50(),
        segment_ns,
    })
}

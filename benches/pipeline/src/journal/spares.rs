//! Segments made before they are needed, and before the clock runs.
//!
//! Between the measuring thread, which makes them while nothing is measured, and the log thread, which takes
//! them. Invariant: a spare is as the product makes it, all its bytes on the disk. In the product another
//! thread makes them meanwhile, for which two cores that are both measured have no room.

use portcullis_journal::{Disk, InlineSource, SegmentSource, Spare, Storage};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a segment, as in the product where nothing is said.
pub(crate) const SEGMENT_BYTES: u64 = 64 << 20;

type Made = Spare<<Disk as Storage>::File>;

/// Segments that wait, and files of full ones that are to be closed.
#[derive(Debug, Default)]
struct Files {
    made: Vec<Made>,
    full: Vec<<Disk as Storage>::File>,
}

/// The files of both sides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spares(Arc<Mutex<Files>>);

impl Spares {
    /// Sees to it that so many wait.
    pub(crate) fn fill(&self, disk: &Disk, wanted: usize, made: &mut u64) -> io::Result<()> {
        self.with(|files| files.full.clear());
        while self.waiting() < wanted {
            let mut spare = InlineSource::new(disk.clone(), SEGMENT_BYTES).take()?;
            let name = format!("ready-{made}.spare");
            disk.rename(&spare.name, &name)?;
            spare.name = name;
            *made += 1;
            self.with(|files| files.made.insert(0, spare));
        }
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.with(|files| files.made.len())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Files) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SegmentSource<Disk> for Spares {
    fn segment_bytes(&self) -> u64 {
        SEGMENT_BYTES
    }

    fn poll(&mut self) -> bool {
        self.waiting() > 0
    }

    fn is_refused(&self) -> bool {
        // Nobody makes more: what had been made was too little.
        self.waiting() == 0
    }

    fn take(&mut self) -> io::Result<Made> {
        let spare = self.with(|files| files.made.pop());
        spare.ok_or_else(|| io::Error::other("more was written than segments had been made for"))
    }

    fn close(&mut self, file: <Disk as Storage>::File) {
        self.with(|files| files.full.push(file));
    }
}

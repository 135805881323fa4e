//! A folder of a run's own.

use crate::verb::Fault;
use std::fs;
use std::path::PathBuf;

/// A folder of the run's own, gone with it.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(verb: &str) -> Result<Self, Fault> {
        let folder = std::env::temp_dir().join(format!("portcullis-{verb}-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| Fault::of(folder.display(), error))?;
        Ok(Self(folder))
    }

    /// Leaves it where it is.
    pub(crate) fn keep(self) -> PathBuf {
        let folder = self.0.clone();
        std::mem::forget(self);
        folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in the system's own folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

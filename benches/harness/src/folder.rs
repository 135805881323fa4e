//! Where benches leave their files: `bench` in the target folder.
//!
//! Asked once, at a bench's end.

use std::io;
use std::path::{Path, PathBuf};

/// The folder, made where it is not there: beside that of the running program.
pub(crate) fn folder() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(Path::parent);
    let folder = target.unwrap_or(Path::new("target")).join("bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

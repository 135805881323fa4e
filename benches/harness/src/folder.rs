//! Where benches leave their files: `bench` in the target folder.
//!
//! Asked on a bench's main thread, before or after what is measured.

use std::path::{Path, PathBuf};

/// The folder, made where it is not there: beside that of the running program.
///
/// # Errors
/// This program does not know where it lies, or the folder cannot be made.
pub fn folder() -> Result<PathBuf, String> {
    let own =
        std::env::current_exe().map_err(|error| format!("where this program lies: {error}"))?;
    let target = own.parent().and_then(Path::parent);
    let folder = target.unwrap_or(Path::new("target")).join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

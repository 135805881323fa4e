//! Where things lie: the repository, the shared folder beside it, and the files under git.

use std::path::{Path, PathBuf};

use crate::verb::Fault;

/// Names another place for the shared folder (vectors, recorded data).
const SHARED_VARIABLE: &str = "PORTCULLIS_SHARED";

/// The repository this tool was built from.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace above this crate.
    pub(crate) fn find() -> Result<Self, Fault> {
        let crate_folder = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = crate_folder.join("../..").canonicalize().map_err(|error| {
            Fault::of(
                crate_folder.display(),
                format!("{error}; run it as `cargo xtask`"),
            )
        })?;
        Ok(Self { root })
    }

    /// The repository's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where it is built.
    pub(crate) fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from)
    }

    /// A path of the shared folder: `$PORTCULLIS_SHARED`, else `../shared` beside the repository.
    ///
    /// # Errors
    /// A missing file or folder is a fault, never a reason to skip what needs it.
    pub(crate) fn shared(&self, path: &str) -> Result<PathBuf, Fault> {
        let folder = std::env::var_os(SHARED_VARIABLE)
            .map_or_else(|| self.root.join("../shared"), PathBuf::from);
        let wanted = folder.join(path);
        wanted.canonicalize().map_err(|error| {
            Fault::of(
                wanted.display(),
                format!("{error}; set {SHARED_VARIABLE} to the folder that holds `{path}`"),
            )
        })
    }
}

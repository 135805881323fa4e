//! One of the two machines: its folder, config and addresses.

use super::arguments::Arguments;
use crate::survivors::{Gateway, Setup, config};
use crate::verb::Fault;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The node.
pub(super) struct Node {
    folder: PathBuf,
    config: PathBuf,
    /// Where its clients connect.
    pub(super) address: SocketAddr,
}

impl Node {
    /// Two nodes that replicate to each other, whichever leads.
    pub(super) fn pair(
        folder: &Path,
        arguments: &Arguments,
        engine: SocketAddr,
    ) -> Result<[Self; 2], Fault> {
        let folders = [folder.join("a"), folder.join("b")];
        for folder in &folders {
            let made = fs::create_dir_all(folder.join("replication"));
            made.map_err(|error| Fault::of(folder.display(), error))?;
        }
        let [a, b] = &folders;
        let hears = [a, b].map(|folder| config::address(&folder.join("replication")));
        let [hears_a, hears_b] = hears;
        let (hears_a, hears_b) = (hears_a?, hears_b?);
        Ok([
            Self::new(a, b, hears_a, hears_b, arguments, engine)?,
            Self::new(b, a, hears_b, hears_a, arguments, engine)?,
        ])
    }

    fn new(
        folder: &Path,
        other: &Path,
        listen: SocketAddr,
        leader: SocketAddr,
        arguments: &Arguments,
        engine: SocketAddr,
    ) -> Result<Self, Fault> {
        // What a dead leader wrote and had not sent is on its disk, which a `journaled` pair must share.
        let leader_folder = match arguments.durability {
            "replicated" => String::new(),
            _ => format!("leader_folder = {:?}\n", other.join("journal")),
        };
        let text = config::text(&Setup {
            folder,
            durability: arguments.durability,
            clients: arguments.clients,
            engine: Some(engine),
            replication: &format!(
                "[replication]\nlisten = \"{listen}\"\nleader = \"{leader}\"\nheartbeat_ms = 50\n{leader_folder}"
            ),
        })?;
        let config = folder.join("node.toml");
        fs::write(&config, text).map_err(|error| Fault::of(config.display(), error))?;
        Ok(Self {
            folder: folder.to_owned(),
            config,
            address: config::address(folder)?,
        })
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Its disk is lost.
    pub(super) fn forget(&self) -> Result<(), Fault> {
        let journal = self.journal();
        if !journal.exists() {
            return Ok(());
        }
        fs::remove_dir_all(&journal).map_err(|error| Fault::of(journal.display(), error))
    }

    pub(super) fn lead(&self, portcullis: &Path) -> Result<Gateway, Fault> {
        Gateway::start(portcullis, &self.folder, &self.config)
    }

    pub(super) fn stand_by(&self, portcullis: &Path) -> Result<Gateway, Fault> {
        Gateway::stand_by(portcullis, &self.folder, &self.config)
    }
}

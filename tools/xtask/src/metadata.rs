//! What `cargo metadata` says of the workspace: packages, what they declare, what was resolved.
//!
//! Invariant: a field this tool needs and cargo does not give is a fault, never an empty answer.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::verb::Fault;
use crate::workspace::Workspace;

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Linked into the crate.
    Normal,
    /// Linked into its tests.
    Dev,
    /// Linked into its build script.
    Build,
}

/// One dependency as a manifest declares it.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    /// Package name.
    pub(crate) name: String,
    /// What for.
    pub(crate) kind: Kind,
}

/// One package, of the workspace or from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    /// Cargo's id of it.
    pub(crate) id: String,
    /// Name.
    pub(crate) name: String,
    /// Version.
    pub(crate) version: String,
    /// SPDX expression, where it states one.
    pub(crate) license: Option<String>,
    /// Whether it is a member of the workspace.
    pub(crate) member: bool,
    /// Manifest, from the root; for packages from outside, wherever it lies.
    pub(crate) manifest: String,
    /// What its manifest declares.
    pub(crate) declared: Vec<Declared>,
    /// Ids of the packages it links or runs at build time, by what for.
    pub(crate) resolved: Vec<(String, Kind)>,
}

/// The answer of `cargo metadata`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    /// Every package of the resolved graph.
    pub(crate) packages: Vec<Package>,
}

impl Metadata {
    /// Asks cargo.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self, Fault> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let answer = Command::new(cargo)
            .args(["metadata", "--format-version", "1"])
            .current_dir(workspace.root())
            .output()
            .map_err(|error| Fault::of("cargo metadata", error))?;
        if !answer.status.success() {
            let complaint = String::from_utf8_lossy(&answer.stderr);
            return Err(Fault::of("cargo metadata", complaint.trim()));
        }
        let value: Value = serde_json::from_slice(&answer.stdout)
            .map_err(|error| Fault::of("cargo metadata", error))?;
        Self::parse(&value, workspace.root())
            .ok_or_else(|| Fault("cargo metadata: a field this tool needs is not there".into()))
    }

    /// The members of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.member)
    }

    /// The package of this id.
    pub(crate) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }

    fn parse(value: &Value, root: &Path) -> Option<Self> {
        let member_ids: Vec<&str> = value["workspace_members"]
            .as_array()?
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let nodes = value["resolve"]["nodes"].as_array()?;
        let packages = value["packages"].as_array()?;
        let packages = packages
            .iter()
            .map(|package| {
                let id = package["id"].as_str()?;
                let node = nodes.iter().find(|node| node["id"].as_str() == Some(id))?;
                let manifest = Path::new(package["manifest_path"].as_str()?);
                let manifest = manifest.strip_prefix(root).unwrap_or(manifest);
                Some(Package {
                    id: id.to_owned(),
                    name: package["name"].as_str()?.to_owned(),
                    version: package["version"].as_str()?.to_owned(),
                    license: package["license"].as_str().map(str::to_owned),
                    member: member_ids.contains(&id),
                    manifest: manifest.to_str()?.to_owned(),
                    declared: package["dependencies"]
                        .as_array()?
                        .iter()
                        .map(declared)
                        .collect::<Option<_>>()?,
                    resolved: resolved(node)?,
                })
            })
            .collect::<Option<_>>()?;
        Some(Self { packages })
    }
}

fn declared(value: &Value) -> Option<Declared> {
    Some(Declared {
        name: value["name"].as_str()?.to_owned(),
        kind: kind(&value["kind"])?,
    })
}

fn resolved(node: &Value) -> Option<Vec<(String, Kind)>> {
    let mut all = Vec::new();
    for dependency in node["deps"].as_array()? {
        let id = dependency["pkg"].as_str()?;
        for uses in dependency["dep_kinds"].as_array()? {
            all.push((id.to_owned(), kind(&uses["kind"])?));
        }
    }
    Some(all)
}

fn kind(value: &Value) -> Option<Kind> {
    match value.as_str() {
        None => Some(Kind::Normal),
        Some("dev") => Some(Kind::Dev),
        Some("build") => Some(Kind::Build),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_read_with_its_members_and_what_they_resolve_to() {
        let metadata = Metadata::read(&Workspace::find().unwrap()).unwrap();
        let own = metadata
            .members()
            .find(|package| package.name == "xtask")
            .unwrap();
        assert_eq!(own.manifest, "tools/xtask/Cargo.toml");
        assert!(
            own.declared
                .iter()
                .any(|d| d.name == "serde_json" && d.kind == Kind::Normal)
        );
        let json = own
            .resolved
            .iter()
            .filter_map(|(id, _)| metadata.package(id));
        assert!(
            json.into_iter()
                .any(|package| package.name == "serde_json" && !package.member)
        );
    }

    #[test]
    fn an_answer_without_packages_is_not_an_empty_workspace() {
        let value = serde_json::json!({ "workspace_members": [], "resolve": { "nodes": [] } });
        assert!(Metadata::parse(&value, Path::new("/")).is_none());
    }
}

//! The arrows of the house, held against what cargo resolved.
//!
//! Dependencies of tests are free, but that nothing at all may lean on the top of the house (the
//! server, the tools). The ban on crates from outside holds through every crate in between.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::Tree;
use crate::house::{HOUSE, NAMES_THAT_SAY_NOTHING, OFF_THE_DATA_PLANE, Outside, Reach, member};
use crate::metadata::{Kind, Metadata, Package};

/// Where the table stands.
const TABLE: &str = "tools/xtask/src/house.rs";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in tree.metadata.members() {
        findings.extend(name_says_nothing(package));
        let Some(row) = member(&package.name) else {
            let what = format!("`{}` is not in the table of the house", package.name);
            let remedy = "give it a row in tools/xtask/src/house.rs";
            findings.push(Finding::breach(&package.manifest, 1, what, remedy));
            continue;
        };
        if package.manifest != format!("{}/Cargo.toml", row.folder) {
            let what = format!("`{}` should lie in {}", package.name, row.folder);
            let remedy = "move it, or mend its row in tools/xtask/src/house.rs";
            findings.push(Finding::breach(&package.manifest, 1, what, remedy));
        }
        findings.extend(own_arrows(tree, package, row.may_use));
        findings.extend(outside(tree, package, row.outside));
    }
    findings.extend(rows_without_a_crate(&tree.metadata));
    findings
}

fn name_says_nothing(package: &Package) -> Option<Finding> {
    let hollow = package
        .name
        .split(['-', '_'])
        .any(|part| NAMES_THAT_SAY_NOTHING.contains(&part));
    hollow.then(|| {
        let what = format!(
            "the name `{}` does not say what the crate holds",
            package.name
        );
        Finding::breach(&package.manifest, 1, what, "name it after its one concept")
    })
}

fn rows_without_a_crate(metadata: &Metadata) -> Vec<Finding> {
    HOUSE
        .iter()
        .filter(|row| !metadata.members().any(|package| package.name == row.name))
        .map(|row| {
            let what = format!("`{}` is in the table and not in the workspace", row.name);
            Finding::breach(
                TABLE,
                1,
                what,
                "add the member to Cargo.toml or take the row out",
            )
        })
        .collect()
}

fn own_arrows(tree: &Tree, package: &Package, may_use: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for dependency in &package.declared {
        let Some(row) = member(&dependency.name) else {
            continue;
        };
        let allowed = match dependency.kind {
            Kind::Normal | Kind::Build => may_use.contains(&row.name),
            Kind::Dev => row.reach == Reach::Library || may_use.contains(&row.name),
        };
        if !allowed {
            let what = format!("`{}` may not use `{}`", package.name, row.name);
            let line = line_of(tree, package, &dependency.name);
            let remedy = "turn the dependency round, or move what both need to a lower crate";
            findings.push(Finding::breach(&package.manifest, line, what, remedy));
        }
    }
    findings
}

fn outside(tree: &Tree, package: &Package, outside: Outside) -> Vec<Finding> {
    match outside {
        Outside::Anything => Vec::new(),
        Outside::Only(allowed) => {
            let mut findings = banned(tree, package);
            for dependency in &package.declared {
                let own = member(&dependency.name).is_some();
                let allowed = own || allowed.contains(&dependency.name.as_str());
                if dependency.kind != Kind::Dev && !allowed {
                    let what = format!("`{}` may not take `{}`", package.name, dependency.name);
                    let line = line_of(tree, package, &dependency.name);
                    let remedy = "do without: this crate stays closed to the outside";
                    findings.push(Finding::breach(&package.manifest, line, what, remedy));
                }
            }
            findings
        }
        Outside::DataPlane => banned(tree, package),
    }
}

/// Findings for each banned crate that `package` links, with the first way that leads to it.
fn banned(tree: &Tree, package: &Package) -> Vec<Finding> {
    let metadata = &tree.metadata;
    let mut seen = BTreeSet::from([package.id.as_str()]);
    let mut ways = vec![vec![package]];
    let mut findings = Vec::new();
    while let Some(way) = ways.pop() {
        let Some(last) = way.last() else { continue };
        for (id, kind) in &last.resolved {
            let Some(next) = metadata.package(id) else {
                continue;
            };
            if *kind != Kind::Normal || !seen.insert(&next.id) {
                continue;
            }
            let mut longer = way.clone();
            longer.push(next);
            if OFF_THE_DATA_PLANE.contains(&next.name.as_str()) {
                let names: Vec<&str> = longer.iter().map(|package| package.name.as_str()).collect();
                let what = format!(
                    "a data-plane crate links `{}`: {}",
                    next.name,
                    names.join(" -> ")
                );
                let line = line_of(tree, package, &longer[1].name);
                let remedy = "do without, or move the work to gateway/control";
                findings.push(Finding::breach(&package.manifest, line, what, remedy));
            } else {
                ways.push(longer);
            }
        }
    }
    findings
}

/// The line of the package's manifest that names `dependency`; 1 where none does.
fn line_of(tree: &Tree, package: &Package, dependency: &str) -> usize {
    let names_it = |line: &str| {
        line.strip_prefix(dependency)
            .is_some_and(|rest| rest.starts_with([' ', '.', '=']))
    };
    tree.file(&package.manifest)
        .and_then(|file| file.text.lines().position(names_it))
        .map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Declared;

    /// A workspace with every row of the table, each crate with no dependency.
    fn bare() -> Tree {
        let packages = HOUSE
            .iter()
            .map(|row| Package {
                id: row.name.into(),
                name: row.name.into(),
                member: true,
                manifest: format!("{}/Cargo.toml", row.folder),
                ..Package::default()
            })
            .collect();
        Tree {
            files: Vec::new(),
            metadata: Metadata { packages },
        }
    }

    fn with(mut tree: Tree, from: &str, to: &str, kind: Kind) -> Tree {
        if tree.metadata.package(to).is_none() {
            let outside = Package {
                id: to.into(),
                name: to.into(),
                ..Package::default()
            };
            tree.metadata.packages.push(outside);
        }
        let package = tree
            .metadata
            .packages
            .iter_mut()
            .find(|package| package.name == from);
        let package = package.unwrap();
        package.declared.push(Declared {
            name: to.into(),
            kind,
        });
        package.resolved.push((to.into(), kind));
        tree
    }

    fn found(tree: &Tree) -> Vec<String> {
        check(tree)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn the_table_itself_passes_with_every_arrow_drawn() {
        let mut tree = bare();
        for row in HOUSE {
            for target in row.may_use {
                tree = with(tree, row.name, target, Kind::Normal);
            }
        }
        assert_eq!(found(&tree), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_that_is_not_in_the_table_is_found_for_code_and_build_scripts() {
        for kind in [Kind::Normal, Kind::Build] {
            let tree = with(bare(), "portcullis-flow", "portcullis-risk-core", kind);
            assert_eq!(
                found(&tree),
                ["`portcullis-flow` may not use `portcullis-risk-core`"]
            );
        }
        let tree = with(bare(), "portcullis-flow", "portcullis-risk-core", Kind::Dev);
        assert!(found(&tree).is_empty());
    }

    #[test]
    fn nothing_leans_on_the_server_or_the_tools_not_even_in_tests() {
        for top in ["portcullis", "xtask", "portcullis-flow"] {
            let tree = with(bare(), "portcullis-pipeline", top, Kind::Dev);
            assert_eq!(
                found(&tree),
                [format!("`portcullis-pipeline` may not use `{top}`")]
            );
        }
        assert!(found(&with(bare(), "portcullis", "portcullis-flow", Kind::Normal)).is_empty());
    }

    #[test]
    fn a_banned_crate_is_found_through_others_but_not_in_tests_or_control() {
        let tree = with(bare(), "portcullis-journal", "middle", Kind::Normal);
        let tree = with(tree, "middle", "serde", Kind::Normal);
        assert_eq!(
            found(&tree),
            ["a data-plane crate links `serde`: portcullis-journal -> middle -> serde"]
        );
        assert!(found(&with(bare(), "portcullis-journal", "serde", Kind::Dev)).is_empty());
        assert!(found(&with(bare(), "portcullis-control", "toml", Kind::Normal)).is_empty());
    }

    #[test]
    fn a_closed_crate_takes_only_what_its_row_names() {
        let tree = with(bare(), "portcullis-domain", "bytemuck", Kind::Normal);
        assert!(found(&tree).is_empty());
        let mut tree = with(bare(), "portcullis-domain", "libc", Kind::Normal);
        let manifest = (
            "gateway/domain/Cargo.toml",
            "[dependencies]\nlibc = \"0.2\"\n",
        );
        tree.files = Tree::of(&[manifest]).files;
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].what, "`portcullis-domain` may not take `libc`");
        assert_eq!(
            (findings[0].file.as_str(), findings[0].line),
            (manifest.0, 2)
        );
    }

    #[test]
    fn members_and_rows_must_match_in_name_and_place() {
        let mut tree = bare();
        tree.metadata.packages[0].name = "portcullis-utils".into();
        let found = found(&tree);
        assert_eq!(found.len(), 3, "{found:?}");
        let mut tree = bare();
        tree.metadata.packages[0].manifest = "elsewhere/Cargo.toml".into();
        assert_eq!(check(&tree).len(), 1);
    }

    #[test]
    fn a_table_has_no_row_twice_and_names_only_its_own_rows() {
        let names: BTreeSet<&str> = HOUSE.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), HOUSE.len());
        assert!(
            HOUSE
                .iter()
                .flat_map(|row| row.may_use)
                .all(|name| names.contains(name))
        );
    }
}

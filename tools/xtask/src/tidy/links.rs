//! Each link between pages leads to what exists: the file or folder, and the heading if it names one. So does each section
//! of a page that the program names to whoever reads what it prints.
//!
//! Links to other places on the net are not followed.

use super::Finding;
use super::tree::{File, Tree};

/// Where a path begins that does not follow from a page.
const ROOT: &str = "";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let pages = tree.files.iter().filter(|file| is_page(&file.path));
    let broken = pages.flat_map(|page| broken(tree, page));
    broken
        .chain(tree.rust().flat_map(|file| unheaded(tree, file)))
        .collect()
}

/// Sections that a source file names, by a page's path from the root, and that do not exist.
fn unheaded(tree: &Tree, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for target in sections(line) {
            if let Some(what) = wrong(tree, ROOT, target) {
                let remedy = "name a section that there is";
                findings.push(Finding::breach(&file.path, at + 1, what, remedy));
            }
        }
    }
    findings
}

/// Sections of pages under `docs/` in a line of a source file.
fn sections(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("docs/").filter_map(|(at, _)| {
        let rest = &line[at..];
        let of_target = |letter: char| letter.is_alphanumeric() || "/._-#".contains(letter);
        let target = rest.split(|letter| !of_target(letter)).next()?;
        target.contains(".md#").then_some(target)
    })
}

fn is_page(path: &str) -> bool {
    path.ends_with(".md")
}

fn broken(tree: &Tree, page: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in prose(&page.text) {
        for target in targets(line).filter(|target| !target.contains("://")) {
            if let Some(what) = wrong(tree, &page.path, target) {
                let remedy = "mend the link or take it out";
                findings.push(Finding::breach(&page.path, at + 1, what, remedy));
            }
        }
    }
    findings
}

/// What is wrong with a link of the page with this path, if anything is.
fn wrong(tree: &Tree, page: &str, target: &str) -> Option<String> {
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = match path {
        "" => page.to_owned(),
        path => match resolved(page, path) {
            Some(path) => path,
            None => return Some(format!("`{target}` leads out of the repository")),
        },
    };
    let Some(file) = tree.file(&path) else {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let is_folder = tree.files.iter().any(|file| file.path.starts_with(&folder));
        return (!is_folder).then(|| format!("`{target}` does not exist"));
    };
    let is_there = heading.is_empty()
        || !is_page(&path)
        || headings(&file.text).any(|anchor| anchor == heading);
    (!is_there).then(|| format!("`{target}`: `{path}` has no such heading"))
}

/// A path as a page names it, from the root.
fn resolved(page: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Lines with their places, without what stands between fences or is indented as code.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence && !line.starts_with("    ")
    })
}

/// Where the links of a line lead.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?;
        (!target.is_empty() && !target.contains(' ')).then_some(target)
    })
}

/// The anchors of a page, as its readers make them of headings.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let titles = prose(text).filter_map(|(_, line)| line.strip_prefix('#'));
    titles.map(|title| anchor(title.trim_start_matches('#')))
}

fn anchor(title: &str) -> String {
    // Of a link in a title only its words count.
    let mut words = String::new();
    for (at, part) in title.split("](").enumerate() {
        let rest = match at {
            0 => part,
            _ => part.split_once(')').map_or("", |(_, rest)| rest),
        };
        words.push_str(rest);
    }
    let kept = words.trim().chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ if letter.is_alphanumeric() => Some(letter),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("docs/a.md", page),
            ("docs/deep/b.md", "# B\n\n## Where an order's `time` goes\n"),
            ("README.md", "# Readme\n"),
        ]);
        check(&tree)
            .into_iter()
            .map(|finding| format!("{}:{} {}", finding.file, finding.line, finding.what))
            .collect()
    }

    #[test]
    fn what_exists_passes() {
        let page = "# A\n[b](deep/b.md), [in b](deep/b.md#where-an-orders-time-goes)\n\
                    [up](../README.md) [folder](deep) [here](#a) [net](https://x.example/none)\n\
                    \n    [code](none.md)\n```\n[code](none.md)\n```\n";
        assert_eq!(found(page), [""; 0]);
    }

    #[test]
    fn what_does_not_exist_is_found_with_its_place() {
        assert_eq!(
            found("# A\n\n[b](b.md)"),
            ["docs/a.md:3 `b.md` does not exist"]
        );
        assert_eq!(
            found("[b](deep/b.md#when)"),
            ["docs/a.md:1 `deep/b.md#when`: `docs/deep/b.md` has no such heading"]
        );
        assert_eq!(found("[here](#b)").len(), 1);
        assert_eq!(
            found("[out](../../b.md)"),
            ["docs/a.md:1 `../../b.md` leads out of the repository"]
        );
    }

    #[test]
    fn a_section_that_the_program_names_must_be_there() {
        let named = |heading| format!("const WHY: &str = \"docs/a.md{heading}\";\n");
        let tree = Tree::of(&[
            ("docs/a.md", "# A\n\n## Why so\n"),
            ("benches/right.rs", &named("#why-so")),
            ("benches/wrong.rs", &named("#why-not")),
        ]);
        let found: Vec<String> = check(&tree)
            .into_iter()
            .map(|finding| finding.file)
            .collect();
        assert_eq!(found, ["benches/wrong.rs"]);
    }

    #[test]
    fn an_anchor_is_small_letters_without_signs() {
        assert_eq!(anchor(" 1. `a_b`, C-d "), "1-a_b-c-d");
        assert_eq!(anchor(" [0028](adr/0028.md): runs"), "0028-runs");
    }
}

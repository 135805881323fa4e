//! Each crate from outside carries the reason why it is taken, on its line in the manifest.
//!
//! The manifests are read line by line, since the comment is what matters and a TOML parser would
//! drop it. Entries of the workspace itself (`path`, `workspace = true`) need no reason.

use super::Finding;
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let is_manifest = |file: &&File| file.path.split('/').next_back() == Some("Cargo.toml");
    tree.files
        .iter()
        .filter(is_manifest)
        .flat_map(in_manifest)
        .collect()
}

/// What a section of a manifest lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// A dependency a line.
    Dependencies,
    /// One dependency, a key a line: the reason stands on the section's own line.
    OneDependency,
    /// Something else.
    Other,
}

fn in_manifest(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut section = Section::Other;
    let mut lines = file.text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let (code, comment) = split_comment(line);
        let code = code.trim();
        if let Some(name) = code.strip_prefix('[') {
            section = section_of(name.trim_end_matches(']'));
            if section == Section::OneDependency && !has_reason(comment) {
                findings.push(without_reason(
                    &file.path,
                    at + 1,
                    name.trim_end_matches(']'),
                ));
            }
            continue;
        }
        let Some((name, value)) = code.split_once('=') else {
            continue;
        };
        if section != Section::Dependencies {
            continue;
        }
        let mut reason = has_reason(comment);
        let mut whole = value.to_owned();
        while depth(&whole) > 0 {
            let Some((_, line)) = lines.next() else { break };
            let (code, comment) = split_comment(line);
            whole.push_str(code);
            reason |= has_reason(comment);
        }
        if !reason && !is_own(name.trim(), &whole) {
            findings.push(without_reason(&file.path, at + 1, name.trim()));
        }
    }
    findings
}

fn section_of(name: &str) -> Section {
    let is_list = |part: &str| {
        matches!(
            part,
            "dependencies" | "dev-dependencies" | "build-dependencies"
        )
    };
    let mut parts = name.rsplit('.');
    let (last, before) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    if is_list(last) {
        Section::Dependencies
    } else if is_list(before) {
        Section::OneDependency
    } else {
        Section::Other
    }
}

/// Whether the entry points into this repository or at the workspace's own list.
fn is_own(name: &str, value: &str) -> bool {
    let value: String = value.split_whitespace().collect();
    name.ends_with(".workspace")
        || name.ends_with(".path")
        || value.contains("workspace=true")
        || value.contains("path=\"")
}

fn has_reason(comment: &str) -> bool {
    comment
        .trim_start_matches('#')
        .trim()
        .chars()
        .any(char::is_alphabetic)
}

/// A line's code and its comment, `#` within strings left alone.
fn split_comment(line: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, letter) in line.char_indices() {
        match (quote, letter) {
            (None, '#') => return line.split_at(at),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), close) if open == close => quote = None,
            (None | Some(_), _) => {}
        }
    }
    (line, "")
}

/// Brackets that `text` leaves open.
fn depth(text: &str) -> usize {
    let count = |signs: [char; 2]| text.chars().filter(|letter| signs.contains(letter)).count();
    count(['[', '{']).saturating_sub(count([']', '}']))
}

fn without_reason(path: &str, line: usize, name: &str) -> Finding {
    let what = format!("`{name}` is taken without a reason");
    Finding::breach(
        path,
        line,
        what,
        "end the line with `# what it is needed for`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let tree = Tree::of(&[("gateway/a/Cargo.toml", text)]);
        check(&tree).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn each_form_of_a_dependency_without_a_reason_is_found() {
        assert_eq!(lines("[dependencies]\nserde = \"1\"\n"), [2]);
        assert_eq!(
            lines("[dev-dependencies]\nserde = { version = \"1\" } #\n"),
            [2]
        );
        assert_eq!(
            lines("[target.'cfg(unix)'.dependencies]\nserde = \"1\"\n"),
            [2]
        );
        assert_eq!(lines("[dependencies.serde]\nversion = \"1\"\n"), [1]);
        assert_eq!(
            lines("[workspace.dependencies]\nserde = { version = \"1\", features = [\n] }\n"),
            [2]
        );
        assert_eq!(lines("[dependencies]\nserde = \"1#2\"\n"), [2]);
    }

    #[test]
    fn reasons_own_crates_and_other_sections_pass() {
        let text = "[package]\nname = \"a\"\n[dependencies]\nserde = \"1\" # reads config\n\
                    long = { version = \"1\", features = [\n  \"b\",\n] } # why not\n\
                    portcullis-domain.workspace = true\nown = { path = \"../own\" }\n\
                    [features]\nx = []\n[dependencies.toml] # syntax of configs\nversion = \"1\"\n";
        assert!(lines(text).is_empty());
        assert!(check(&Tree::of(&[("a/b.toml", "[dependencies]\nx = \"1\"")])).is_empty());
    }
}

//! Each decision record is in the index of docs/adr, and the index names only what exists.

use super::Finding;
use super::tree::{File, Tree};

const FOLDER: &str = "docs/adr/";
const INDEX: &str = "docs/adr/README.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let is_record = |file: &&File| {
        file.path.starts_with(FOLDER) && file.path != INDEX && file.path.ends_with(".md")
    };
    let records: Vec<&str> = tree
        .files
        .iter()
        .filter(is_record)
        .map(|file| &file.path[FOLDER.len()..])
        .collect();
    let index = tree.file(INDEX).map_or("", |file| file.text.as_str());
    let mut findings: Vec<Finding> = records
        .iter()
        .filter(|record| !index.contains(&format!("({record})")))
        .map(|record| {
            let what = format!("`{record}` is not in the index {INDEX}");
            Finding::breach(
                &format!("{FOLDER}{record}"),
                1,
                what,
                "add a line that links to it",
            )
        })
        .collect();
    for (at, line) in index.lines().enumerate() {
        for name in linked_records(line).filter(|name| !records.contains(name)) {
            let what = format!("`{name}` does not exist");
            findings.push(Finding::breach(
                INDEX,
                at + 1,
                what,
                "mend the link or take it out",
            ));
        }
    }
    findings
}

/// Markdown links of a line that lead to a file of the same folder.
fn linked_records(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?;
        (target.ends_with(".md") && !target.contains('/')).then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: (&str, &str) = ("docs/adr/0001-mask.md", "# Mask");

    #[test]
    fn a_record_outside_the_index_is_found_also_where_there_is_no_index() {
        assert_eq!(check(&Tree::of(&[RECORD])).len(), 1);
        let findings = check(&Tree::of(&[RECORD, (INDEX, "# Decisions\n")]));
        assert_eq!(findings[0].file, RECORD.0);
    }

    #[test]
    fn a_link_to_nothing_is_found() {
        let index = "- [Mask](0001-mask.md)\n- [Ring](0002-ring.md)\n";
        let findings = check(&Tree::of(&[RECORD, (INDEX, index)]));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].file.as_str(), findings[0].line), (INDEX, 2));
    }

    #[test]
    fn a_whole_index_passes() {
        let index = "- [Mask](0001-mask.md), see [the rules](../rules.md)\n";
        assert!(check(&Tree::of(&[RECORD, (INDEX, index)])).is_empty());
        assert!(check(&Tree::of(&[])).is_empty());
    }
}

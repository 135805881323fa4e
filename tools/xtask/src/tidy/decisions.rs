//! Each decision record is in the index of docs/adr. That what the index names exists is a matter of links.

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
    records
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
        .collect()
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
    fn a_whole_index_passes() {
        let index = "- [Mask](0001-mask.md), see [the rules](../rules.md)\n";
        assert!(check(&Tree::of(&[RECORD, (INDEX, index)])).is_empty());
        assert!(check(&Tree::of(&[])).is_empty());
    }
}

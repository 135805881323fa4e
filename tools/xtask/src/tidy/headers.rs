//! Each module begins by saying what it is for.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|file| !has_header(&file.text))
        .map(|file| finding(&file.path))
        .collect()
}

fn has_header(text: &str) -> bool {
    let first = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("//!"));
    first.is_some_and(|rest| !rest.trim().is_empty())
}

fn finding(path: &str) -> Finding {
    Finding::breach(
        path,
        1,
        "the module has no header",
        "begin it with `//!`: what it does, which thread owns it, what it must never do",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_without_a_header_is_found_and_one_with_it_passes() {
        let tree = Tree::of(&[
            ("a.rs", "//! What it is for.\n"),
            ("b.rs", "use a;\n//! Too late.\n"),
            ("c.rs", "//!\n"),
            ("d.rs", ""),
            ("e.md", "no Rust"),
        ]);
        let files: Vec<String> = check(&tree)
            .into_iter()
            .map(|finding| finding.file)
            .collect();
        assert_eq!(files, ["b.rs", "c.rs", "d.rs"]);
    }
}

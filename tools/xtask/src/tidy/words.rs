//! Words that have no place in the product: how it is made, where it was made, and notes to self.
//!
//! The list is short on purpose. A word belongs here if it is never right, so that nobody learns
//! to pass over this rule.

use super::Finding;
use super::tree::{File, Tree};

/// This file, which has to name them.
const THE_LIST: &str = "tools/xtask/src/tidy/words.rs";

/// Where names of registries are cargo's own.
const LOCK_FILE: &str = "Cargo.lock";

/// How a word is looked for.
#[derive(Clone, Copy)]
enum Match {
    /// As a whole word, in this spelling.
    Word(&'static str),
    /// As a whole word, capitals or not.
    AnyCase(&'static str),
    /// As the beginning of a path or address: no letter, digit or path sign before it.
    Start(&'static str),
}

const NOTES_TO_SELF: &str = "do it, or file an issue";
const MAKING: &str = "say what the product does, not how it came about";
const PLACE: &str = "write a path from the repository's root, or take it from the environment";
const REGISTRY: &str = "name the package; its manager knows where to find it";

const WORDS: &[(Match, &str)] = &[
    (Match::Word("TODO"), NOTES_TO_SELF),
    (Match::Word("FIXME"), NOTES_TO_SELF),
    (Match::Word("XXX"), NOTES_TO_SELF),
    (Match::AnyCase("anthropic"), MAKING),
    (Match::AnyCase("chatgpt"), MAKING),
    (Match::AnyCase("claude"), MAKING),
    (Match::AnyCase("copilot"), MAKING),
    (Match::AnyCase("language model"), MAKING),
    (Match::AnyCase("openai"), MAKING),
    (Match::Word("AI"), MAKING),
    (Match::Word("LLM"), MAKING),
    (Match::Start("/work/"), PLACE),
    (Match::Start("/root/"), PLACE),
    (Match::AnyCase("crates.io"), REGISTRY),
    (Match::AnyCase("pypi.org"), REGISTRY),
    (Match::AnyCase("pythonhosted.org"), REGISTRY),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let ours = |file: &&File| file.path != THE_LIST && !file.path.ends_with(LOCK_FILE);
    tree.files.iter().filter(ours).flat_map(in_file).collect()
}

fn in_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let folded = line.to_ascii_lowercase();
        for &(wanted, remedy) in WORDS {
            let (word, found) = match wanted {
                Match::Word(word) => (word, has(line, word, is_word, is_word)),
                Match::AnyCase(word) => (word, has(&folded, word, is_word, is_word)),
                Match::Start(word) => (word, has(line, word, is_path, |_| false)),
            };
            if found {
                findings.push(Finding::breach(
                    &file.path,
                    at + 1,
                    format!("`{word}`"),
                    remedy,
                ));
            }
        }
    }
    findings
}

/// Whether `word` stands in `line` with no letter before it that `before` takes, none after it
/// that `after` takes.
fn has(line: &str, word: &str, before: fn(char) -> bool, after: fn(char) -> bool) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(before) && !line[at + word.len()..].starts_with(after))
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_path(letter: char) -> bool {
    is_word(letter) || matches!(letter, '.' | '-' | '/' | '}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn each_word_is_found_with_its_line() {
        for (wanted, _) in WORDS {
            let (Match::Word(word) | Match::AnyCase(word) | Match::Start(word)) = *wanted;
            let tree = Tree::of(&[("docs/a.md", &format!("fine\nsee {word} here\n"))]);
            let findings = check(&tree);
            assert_eq!(findings.len(), 1, "{word}");
            assert_eq!(findings[0].line, 2);
        }
        assert_eq!(found("a.md", "ask ClAuDe"), 1);
    }

    #[test]
    fn parts_of_other_words_and_the_list_itself_are_left_alone() {
        let text = "AIM MAIN xxx PXXX mastodon network/work/x ${HOME}/work/x docs/root/ todo_count";
        assert_eq!(found("a.md", text), 0);
        assert_eq!(found(THE_LIST, "TODO"), 0);
        assert_eq!(found("fuzz/Cargo.lock", "https://index.crates.io"), 0);
    }
}

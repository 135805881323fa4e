//! Rust source as tokens with line numbers: which words are code, and how long functions are.
//!
//! The lexer is the compiler's grammar (`proc-macro2`), so strings, characters, lifetimes and
//! comments are never taken for code or for braces. It does not expand macros: a function written
//! inside `macro_rules!` is measured where it stands.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// One word, punctuation mark or literal of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// As written.
    pub(super) text: String,
    /// Line, from 1.
    pub(super) line: usize,
}

/// One function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    /// Name.
    pub(super) name: String,
    /// Line of `fn`, from 1.
    pub(super) line: usize,
    /// Lines from `fn` to the closing brace, both counted.
    pub(super) lines: usize,
}

/// Lexes a source file.
///
/// # Errors
/// The line at which the lexer gave up.
pub(super) fn lex(text: &str) -> Result<TokenStream, usize> {
    text.parse()
        .map_err(|error: proc_macro2::LexError| error.span().start().line)
}

/// Every function with a body, outermost first.
pub(super) fn functions(stream: TokenStream) -> Vec<Function> {
    let mut found = Vec::new();
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Ident(word) if word == "fn" => {
                // `fn(u8) -> u8` is a type: no name follows.
                let Some(TokenTree::Ident(name)) = trees.get(at + 1) else {
                    continue;
                };
                let Some(body) = body(&trees[at + 2..]) else {
                    continue;
                };
                let line = word.span().start().line;
                let lines = body.span_close().end().line - line + 1;
                found.push(Function {
                    name: name.to_string(),
                    line,
                    lines,
                });
            }
            TokenTree::Group(group) => found.extend(functions(group.stream())),
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

/// The braces that follow a signature, unless `;` ends it first.
fn body(trees: &[TokenTree]) -> Option<&Group> {
    for tree in trees {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return Some(group),
            TokenTree::Punct(mark) if mark.as_char() == ';' => return None,
            TokenTree::Group(_)
            | TokenTree::Punct(_)
            | TokenTree::Ident(_)
            | TokenTree::Literal(_) => {}
        }
    }
    None
}

/// The tokens in order, groups opened; with `product_only`, without what `#[cfg(test)]` marks.
pub(super) fn flatten(stream: TokenStream, product_only: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    append(stream, product_only, &mut tokens);
    tokens
}

fn append(stream: TokenStream, product_only: bool, tokens: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        match (product_only)
            .then(|| test_attribute(&trees[at..]))
            .flatten()
        {
            Some(TestAttribute::OfTheWhole) => return,
            Some(TestAttribute::OfTheNextItem) => {
                at += item_length(&trees[at..]);
                continue;
            }
            None => {}
        }
        match tree {
            TokenTree::Group(group) => append(group.stream(), product_only, tokens),
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
                tokens.push(Token {
                    text: tree.to_string(),
                    line: tree.span().start().line,
                });
            }
        }
        at += 1;
    }
}

enum TestAttribute {
    OfTheWhole,
    OfTheNextItem,
}

/// Whether an attribute that leaves code to tests alone begins here.
fn test_attribute(trees: &[TokenTree]) -> Option<TestAttribute> {
    let is_mark = |tree: Option<&TokenTree>, wanted| matches!(tree, Some(TokenTree::Punct(mark)) if mark.as_char() == wanted);
    if !is_mark(trees.first(), '#') {
        return None;
    }
    let inner = is_mark(trees.get(1), '!');
    let TokenTree::Group(group) = trees.get(if inner { 2 } else { 1 })? else {
        return None;
    };
    let compact: String = group.stream().to_string().split_whitespace().collect();
    let tests_only = compact == "cfg(test)" || compact.starts_with("cfg(all(test,");
    match (tests_only, inner) {
        (false, _) => None,
        (true, true) => Some(TestAttribute::OfTheWhole),
        (true, false) => Some(TestAttribute::OfTheNextItem),
    }
}

/// Trees up to and with the `;` or braces that end an item.
fn item_length(trees: &[TokenTree]) -> usize {
    let ends = |tree: &TokenTree| match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(mark) => mark.as_char() == ';',
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    };
    trees.iter().position(ends).map_or(trees.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, product_only: bool) -> Vec<String> {
        let tokens = flatten(lex(text).unwrap(), product_only);
        tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn braces_in_strings_characters_and_comments_end_no_function() {
        let text = "fn a() {\n let b = '}'; // }\n let c = \"}\"; /* } */ let d = r#\"}\"#;\n}\n";
        let expected = Function {
            name: "a".into(),
            line: 1,
            lines: 4,
        };
        assert_eq!(functions(lex(text).unwrap()), [expected]);
    }

    #[test]
    fn types_and_declarations_without_a_body_are_no_functions() {
        let text = "trait T { fn a(f: fn(u8) -> u8);\n fn b() where Self: Sized {\n }\n}";
        let found = functions(lex(text).unwrap());
        assert_eq!(
            found,
            [Function {
                name: "b".into(),
                line: 2,
                lines: 2
            }]
        );
    }

    #[test]
    fn inner_functions_and_those_of_macros_are_found_too() {
        let text = "fn a() { fn b() {} }\nmacro_rules! m { () => { fn c() {} } }";
        let names: Vec<String> = functions(lex(text).unwrap())
            .into_iter()
            .map(|function| function.name)
            .collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn what_is_marked_for_tests_is_left_out_and_nothing_else() {
        let text = "use a;\n#[cfg(test)]\n#[allow(x)]\nmod t { use b; }\n#[cfg(test)] extern crate c;\n\
                    #[cfg(not(test))] use d;";
        let product = words(text, true);
        assert!(product.contains(&"a".into()) && product.contains(&"d".into()));
        assert!(!product.contains(&"b".into()) && !product.contains(&"c".into()));
        let all = words(text, false);
        assert!(all.contains(&"b".into()) && all.contains(&"c".into()));
        assert!(words("#![cfg(test)] use a;", true).is_empty());
    }

    #[test]
    fn a_file_that_does_not_lex_says_where() {
        assert_eq!(lex("fn a() {\n\n").unwrap_err(), 1);
    }
}

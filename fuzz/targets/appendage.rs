//! Appendages: the decoder against a naive walk that shares no code with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::elements_anew;
use portcullis_wire::ouch50::{Appendage, Fault, Tag, TagSet};

/// Number and width of every tag, as the document has them.
const WIDTHS: [(u8, usize); 24] = [
    (1, 8),
    (2, 4),
    (3, 4),
    (4, 1),
    (5, 4),
    (6, 1),
    (7, 4),
    (9, 8),
    (10, 1),
    (11, 4),
    (12, 1),
    (13, 4),
    (14, 4),
    (15, 4),
    (16, 1),
    (17, 1),
    (18, 1),
    (22, 4),
    (23, 8),
    (24, 2),
    (25, 1),
    (26, 4),
    (27, 1),
    (28, 1),
];

/// Whether the elements are well formed, whatever their values; and their numbers in order.
fn walk(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut numbers = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let len = usize::from(bytes[at]);
        if len == 0 || at + len >= bytes.len() {
            return None;
        }
        let number = bytes[at + 1];
        let width = WIDTHS.iter().find(|(known, _)| *known == number)?.1;
        if len != width + 1 || numbers.contains(&number) {
            return None;
        }
        numbers.push(number);
        at += len + 1;
    }
    Some(numbers)
}

fuzz_target!(|bytes: &[u8]| {
    let every = TagSet::of(Tag::ALL);
    let walked = walk(bytes);
    match Appendage::parse(bytes, every) {
        Ok(appendage) => {
            let numbers: Vec<u8> = appendage
                .iter()
                .map(|element| element.tag() as u8)
                .collect();
            assert_eq!(Some(numbers), walked);
            assert_eq!(elements_anew(appendage).finish().bytes(), bytes);
            assert_eq!(elements_anew(appendage).finish(), appendage);
            // With one of its tags forbidden it must not pass any more.
            if let Some(tag) = appendage.tags().first() {
                let rest = every.difference(TagSet::of(&[tag]));
                let fault = Appendage::parse(bytes, rest)
                    .expect_err("the tag is forbidden")
                    .fault;
                assert_eq!(fault, Fault::TagNotAllowed(tag));
            }
        }
        Err(refused) => {
            assert!(refused.offset <= bytes.len());
            assert!(!refused.fault.to_string().is_empty());
            // A well-formed one is refused for a value alone.
            if walked.is_some() {
                assert!(matches!(refused.fault, Fault::Element(_, _)), "{refused:?}");
            }
        }
    }
});

//! What several targets share: rebuilding a message from what was read out of it.
//!
//! **Thread.** Each target is one process with one thread.
//! **Invariants.** A target checks more than the absence of a panic: what a decoder accepts must be
//! exactly what the encoders make of the values it yields.
//! **Never.** Take bytes from the input in place of values that were decoded.

pub mod commands;
pub mod pipe;

use portcullis_control::config::{Errors, Files};
use portcullis_wire::field::{CodeSet, Rule};
use portcullis_wire::ouch50::{
    Appendage, AppendageBuilder, AppendageForm, Element, EncodeError, ExpireSeconds,
    MESSAGE_BYTES_MAX, MessageLayout,
};
use std::io::{self, BufRead};

/// The appendage built again, element by element.
///
/// # Panics
/// If the decoder let a tag through twice.
pub fn elements_anew(appendage: Appendage<'_>) -> AppendageBuilder {
    let mut builder = AppendageBuilder::new();
    for element in appendage {
        let tag = element.tag();
        assert_eq!(appendage.find(tag), Some(element));
        assert_eq!(appendage.raw(tag).map(<[u8]>::len), Some(tag.width()));
        if let Element::UserRefIdx(index) = element {
            assert_eq!(appendage.user_ref_idx(), index);
        }
        if let Element::ExpireTime(seconds) = element {
            assert_eq!(ExpireSeconds::new(seconds.get()), Some(seconds));
        }
        builder
            .push(element)
            .expect("a tag stands once in a decoded appendage");
        let twice = builder.push(element).expect_err("it is there now");
        assert!(twice.to_string().contains(&tag.to_string()));
    }
    assert_eq!(appendage.tags().is_empty(), appendage.bytes().is_empty());
    builder
}

/// That the shape of an accepted message is what its table says.
///
/// # Panics
/// If it is not.
pub fn check_shape(layout: &MessageLayout, bytes: &[u8], appendage: Option<Appendage<'_>>) {
    assert_eq!(bytes.first(), Some(&layout.type_byte));
    let tail = appendage.map_or(0, |elements| elements.bytes().len() + 2);
    assert_eq!(bytes.len(), layout.head_len + tail);
    match layout.appendage {
        AppendageForm::Required => assert!(appendage.is_some()),
        AppendageForm::Never => assert!(appendage.is_none()),
        AppendageForm::Optional => {}
    }
    for row in layout.fields {
        let field = &bytes[row.offset..row.offset + row.width];
        if let Rule::OneOf(allowed) = row.rule {
            let letters: Vec<u8> = allowed.letters().collect();
            assert_eq!(CodeSet::of(&letters), allowed);
        }
        assert_eq!(
            row.rule.check(field),
            Ok(()),
            "{}.{}",
            layout.name,
            row.name
        );
    }
}

/// That an encoder says how much room it needs, and writes nothing into less.
///
/// # Panics
/// If it does not.
pub fn short_of_room(len: usize, encode: impl Fn(&mut [u8]) -> Result<usize, EncodeError>) {
    let mut out = [0xAA; MESSAGE_BYTES_MAX];
    for room in [0, len / 2, len - 1] {
        let error = encode(&mut out[..room]).expect_err("it does not fit");
        assert_eq!(error, EncodeError::NoRoom { needed: len, room });
        assert!(error.to_string().contains(&len.to_string()));
        assert!(out.iter().all(|byte| *byte == 0xAA));
    }
}

/// A config without files beside it.
pub struct NoFiles;

impl Files for NoFiles {
    fn open(&self, _name: &str) -> io::Result<Box<dyn BufRead>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// That a refusal names at least one mistake, each in the text it is about, and can be shown.
///
/// # Panics
/// If it does not.
pub fn check_errors(errors: &Errors, text: &str) {
    assert!(!errors.mistakes.is_empty());
    let lines = text.split('\n').count();
    for mistake in &errors.mistakes {
        assert!(mistake.line <= lines, "{mistake}");
        assert!(!mistake.hint.is_empty());
    }
    let shown = errors.to_string();
    assert!(!shown.contains(|c: char| c != '\n' && c.is_control()));
}

//! What several targets share: rebuilding a message from what was read out of it.
//!
//! **Thread.** Each target is one process with one thread.
//! **Invariants.** A target checks more than the absence of a panic: what a decoder accepts must be
//! exactly what the encoders make of the values it yields.
//! **Never.** Take bytes from the input in place of values that were decoded.

use portcullis_wire::ouch50::{Appendage, AppendageBuilder, AppendageForm, Element, MessageLayout};

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
        builder
            .push(element)
            .expect("a tag stands once in a decoded appendage");
    }
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
        assert_eq!(
            row.rule.check(field),
            Ok(()),
            "{}.{}",
            layout.name,
            row.name
        );
    }
}

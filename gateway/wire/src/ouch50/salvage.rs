//! What can still be answered of an order whose bytes cannot be taken.
//!
//! **Thread.** Pure function over borrowed bytes.
//! **Invariants.** The echoed fields are those of the refused message, read at the offsets of its
//! table.
//! **Never.** Be used to act on a message: it serves the reject alone.

use super::inbound::{EnterOrder, ReplaceOrder};
use super::layout::MessageLayout;
use crate::alpha::{Alpha, is_printable};

/// The fields that a reject echoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salvage {
    /// Number of the order or of its new version, as it was sent; may be 0.
    pub user_ref_num: u32,
    /// The client's text; characters that are not printable ASCII are shown as `?`.
    pub cl_ord_id: Alpha<14>,
}

/// The fields to echo in the reject of a malformed Enter or Replace; `None` if it is neither, or if
/// its fixed part is not complete, and so there is no answer in the protocol.
#[must_use]
pub fn salvage(bytes: &[u8]) -> Option<Salvage> {
    let layout = match bytes.first() {
        Some(byte) if *byte == EnterOrder::LAYOUT.type_byte => EnterOrder::LAYOUT,
        Some(byte) if *byte == ReplaceOrder::LAYOUT.type_byte => ReplaceOrder::LAYOUT,
        Some(_) | None => return None,
    };
    let number = field::<4>(layout, "user_ref_num", bytes)?;
    let text = field::<14>(layout, "cl_ord_id", bytes)?;
    let text = text.map(|byte| if is_printable(byte) { byte } else { b'?' });
    Some(Salvage {
        user_ref_num: u32::from_be_bytes(number),
        cl_ord_id: Alpha::from_checked(text),
    })
}

/// The bytes of the named row.
fn field<const W: usize>(layout: &MessageLayout, name: &str, bytes: &[u8]) -> Option<[u8; W]> {
    let row = layout.fields.iter().find(|row| row.name == name)?;
    bytes.get(row.offset..)?.first_chunk::<W>().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_what_a_malformed_order_said() {
        let mut bytes = [b' '; 47];
        bytes[..5].copy_from_slice(&[b'O', 0, 0, 1, 2]);
        bytes[31..34].copy_from_slice(b"a\x01c");
        let found = salvage(&bytes).expect("the fixed part is there");
        assert_eq!(found.user_ref_num, 258);
        assert_eq!(found.cl_ord_id.as_str(), "a?c");
        assert_eq!(salvage(&bytes[..44]), None);
        assert_eq!(salvage(&bytes[..45]), Some(found));
    }

    #[test]
    fn a_replace_is_answered_under_its_new_number() {
        let mut bytes = [0; 40];
        bytes[0] = b'U';
        bytes[4] = 7;
        bytes[8] = 8;
        assert_eq!(salvage(&bytes).map(|found| found.user_ref_num), Some(8));
    }

    #[test]
    fn nothing_else_can_be_answered() {
        assert_eq!(salvage(b""), None);
        assert_eq!(salvage(&[b'X'; 47]), None);
    }
}

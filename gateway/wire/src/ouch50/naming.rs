//! For whom an order is, and in which row it is numbered.
//!
//! **Thread.** Pure functions over checked views.
//! **Invariants.** Says what [`EnterOrderView::find`] says of both tags.
//! **Never.** Walk over the elements: the parse has noted both.

use super::inbound::EnterOrderView;
use crate::alpha::Alpha;

/// Whose order it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Naming {
    /// The firm that the order names.
    pub firm: Option<Alpha<4>>,
    /// Its number row, 0 where it is not stated.
    pub user_ref_idx: u8,
}

impl EnterOrderView<'_> {
    /// The firm and the number row that stand in the appendage.
    #[must_use]
    #[inline]
    pub fn naming(&self) -> Naming {
        let elements = self.appendage();
        Naming {
            firm: elements.and_then(|elements| elements.firm()),
            user_ref_idx: elements.map_or(0, |elements| elements.user_ref_idx()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Alpha;
    use crate::ouch50::tests::{encoded, enter};
    use crate::ouch50::{AppendageBuilder, Element, EnterOrderView, Inbound, Tag};

    #[test]
    fn it_says_what_looking_for_each_says() {
        let firm = Element::Firm(Alpha::new(b"ABCD").expect("short"));
        let others = [Element::MinQty(0x0200_0205), Element::GroupId(0x021C)];
        let all = [firm, others[0], Element::UserRefIdx(7), others[1]];
        for kept in 0..16_u32 {
            let mut builder = AppendageBuilder::new();
            for (at, element) in all.iter().enumerate() {
                if kept >> at & 1 == 1 {
                    builder.push(*element).expect("each once");
                }
            }
            let bytes = encoded(|out| enter().encode(Some(builder.finish()), out));
            let view = EnterOrderView::of(&bytes).expect("it is right");
            assert_eq!(Inbound::parse(&bytes), Ok(Inbound::EnterOrder(view)));
            let naming = view.naming();
            assert_eq!(naming.firm.map(Element::Firm), view.find(Tag::Firm));
            assert_eq!(naming.user_ref_idx, view.user_ref_idx());
        }
    }

    #[test]
    fn a_message_that_is_wrong_or_another_is_none() {
        let mut bytes = encoded(|out| enter().encode(None, out));
        bytes[5] = b'X';
        assert_eq!(EnterOrderView::of(&bytes), None);
        let cancel = encoded(|out| crate::ouch50::tests::cancel().encode(None, out));
        assert_eq!(EnterOrderView::of(&cancel), None);
        assert_eq!(EnterOrderView::of(b""), None);
    }
}

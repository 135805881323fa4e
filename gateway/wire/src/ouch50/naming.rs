//! For whom an order is, and in which row it is numbered.
//!
//! **Thread.** Pure functions over checked views.
//! **Invariants.** Says what [`EnterOrderView::find`] says of both tags, by one walk over the elements.
//! **Never.** Stop at an element that it does not want.

use super::inbound::EnterOrderView;
use super::tag::{Tag, TagSet};
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
        const FIRM: u8 = Tag::Firm as u8;
        const USER_REF_IDX: u8 = Tag::UserRefIdx as u8;
        const EITHER: TagSet = TagSet::of(&[Tag::Firm, Tag::UserRefIdx]);
        let mut naming = Naming {
            firm: None,
            user_ref_idx: 0,
        };
        let elements = self.appendage();
        let Some(elements) = elements.filter(|some| !some.tags().intersection(EITHER).is_empty())
        else {
            return naming;
        };
        let mut rest = elements.bytes();
        while let [length, after @ ..] = rest {
            let Some((element, behind)) = after.split_at_checked(usize::from(*length)) else {
                break;
            };
            match element {
                [FIRM, a, b, c, d] => naming.firm = Some(Alpha::from_checked([*a, *b, *c, *d])),
                [USER_REF_IDX, index] => naming.user_ref_idx = *index,
                _ => {}
            }
            rest = behind;
        }
        naming
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

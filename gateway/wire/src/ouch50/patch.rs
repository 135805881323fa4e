//! Changes to a checked order in its own buffer: what the session or a rule forces, and no more.
//!
//! **Thread.** Whoever owns the buffer.
//! **Invariants.** The length never changes and only the named field's bytes do, at the offsets of
//! the message's table; a patched message parses if it did before.
//! **Never.** Patch a message other than Enter and Replace.

use super::appendage::user_ref_idx_of;
use super::codes::{OrderSide, TimeInForce, UserRefNum};
use super::decode::DecodeError;
use super::inbound::{EnterOrder, Inbound, ReplaceOrder, ReplaceOrderView};
use super::layout::MessageLayout;
use crate::field::WireField;

/// An Enter or a Replace whose fields can be overwritten where they stand.
#[derive(Debug)]
pub struct OrderPatch<'a> {
    head: &'a mut [u8],
    rows: &'static Rows,
}

/// Offsets of the patchable fields of one message, looked up in its table when compiled.
#[derive(Debug)]
struct Rows {
    orig_user_ref_num: Option<usize>,
    user_ref_num: usize,
    quantity: usize,
    price: usize,
    time_in_force: usize,
}

impl Rows {
    const fn of(layout: &MessageLayout, orig_user_ref_num: Option<usize>) -> Self {
        Self {
            orig_user_ref_num,
            user_ref_num: offset(layout, b"user_ref_num"),
            quantity: offset(layout, b"quantity"),
            price: offset(layout, b"price"),
            time_in_force: offset(layout, b"time_in_force"),
        }
    }
}

/// The offset of the named row. A name that is not in the table does not compile.
const fn offset(layout: &MessageLayout, name: &[u8]) -> usize {
    let mut at = 0;
    while at < layout.fields.len() {
        if same(layout.fields[at].name.as_bytes(), name) {
            return layout.fields[at].offset;
        }
        at += 1;
    }
    panic!("no such row")
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

const ENTER: &Rows = &Rows::of(EnterOrder::LAYOUT, None);
const REPLACE: &Rows = &Rows::of(
    ReplaceOrder::LAYOUT,
    Some(offset(ReplaceOrder::LAYOUT, b"orig_user_ref_num")),
);

/// An Enter that was checked whole before, by whoever took it from the client: its fields are read at the
/// offsets of its table and not checked again. Of bytes that were not, they mean nothing.
#[derive(Clone, Copy, Debug)]
pub struct KnownEnter<'a> {
    bytes: &'a [u8],
    fixed: &'a [u8; ENTER_FIXED_BYTES],
}

/// Bytes of an Enter's fixed part, the appendage's length with them.
const ENTER_FIXED_BYTES: usize = EnterOrder::LAYOUT.head_len + 2;

impl<'a> KnownEnter<'a> {
    /// The Enter of these bytes; `None` where they are another message.
    #[must_use]
    #[inline]
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let fixed = bytes.first_chunk()?;
        (bytes.first() == Some(&EnterOrder::LAYOUT.type_byte)).then_some(Self { bytes, fixed })
    }

    /// Its row of numbers, 0 where none is stated.
    #[must_use]
    #[inline]
    pub fn user_ref_idx(&self) -> u8 {
        user_ref_idx_of(self.bytes.get(ENTER_FIXED_BYTES..).unwrap_or_default())
    }

    /// Its side.
    #[must_use]
    #[inline]
    pub fn side(&self) -> Option<OrderSide> {
        const AT: usize = offset(EnterOrder::LAYOUT, b"side");
        OrderSide::from_byte(u8::read::<ENTER_FIXED_BYTES, AT>(self.fixed))
    }

    /// Its quantity.
    #[must_use]
    #[inline]
    pub fn quantity(&self) -> u32 {
        u32::read::<ENTER_FIXED_BYTES, { ENTER.quantity }>(self.fixed)
    }

    /// Its price, in 1e-4.
    #[must_use]
    #[inline]
    pub fn price(&self) -> u64 {
        u64::read::<ENTER_FIXED_BYTES, { ENTER.price }>(self.fixed)
    }
}

impl<'a> OrderPatch<'a> {
    /// Checks the message whole and takes it for patching; `None` if it is valid but neither an
    /// Enter nor a Replace.
    ///
    /// # Errors
    /// As [`Inbound::parse`].
    pub fn over(bytes: &'a mut [u8]) -> Result<Option<Self>, DecodeError> {
        let rows = match Inbound::parse(bytes)? {
            Inbound::EnterOrder(_) => ENTER,
            Inbound::ReplaceOrder(_) => REPLACE,
            Inbound::CancelOrder(_)
            | Inbound::ModifyOrder(_)
            | Inbound::MassCancel(_)
            | Inbound::DisableOrderEntry(_)
            | Inbound::EnableOrderEntry(_)
            | Inbound::AccountQuery(_) => return Ok(None),
        };
        Ok(Some(Self { head: bytes, rows }))
    }

    /// Copies an Enter that was checked before to the front of `out`, to be patched there; `None` if it does
    /// not fit.
    #[must_use]
    #[inline]
    pub fn copy_of_enter(enter: &KnownEnter<'_>, out: &'a mut [u8]) -> Option<Self> {
        Self::copy_of(enter.bytes, ENTER, out)
    }

    /// The same of a Replace.
    #[must_use]
    #[inline]
    pub fn copy_of_replace(view: &ReplaceOrderView<'_>, out: &'a mut [u8]) -> Option<Self> {
        Self::copy_of(view.bytes(), REPLACE, out)
    }

    #[inline]
    fn copy_of(bytes: &[u8], rows: &'static Rows, out: &'a mut [u8]) -> Option<Self> {
        let head = out.get_mut(..bytes.len())?;
        head.copy_from_slice(bytes);
        Some(Self { head, rows })
    }

    /// Overwrites the number of the order that is replaced; without effect on an Enter, which names
    /// none.
    #[inline]
    pub fn set_orig_user_ref_num(&mut self, number: UserRefNum) {
        if let Some(at) = self.rows.orig_user_ref_num {
            self.put(at, number.get().to_be_bytes());
        }
    }

    /// Overwrites the price, in 1e-4: a market order's protection price.
    #[inline]
    pub fn set_price(&mut self, price_wire: u64) {
        self.put(self.rows.price, price_wire.to_be_bytes());
    }

    /// Overwrites the quantity, in wire units.
    pub fn set_quantity(&mut self, quantity_wire: u32) {
        self.put(self.rows.quantity, quantity_wire.to_be_bytes());
    }

    /// Makes it immediate or cancel. A tag `ExpireTime` beside it then means nothing and stays.
    #[inline]
    pub fn set_ioc(&mut self) {
        self.put(self.rows.time_in_force, [TimeInForce::Ioc.byte()]);
    }

    /// Overwrites the order's number (of a replace, the new version's).
    #[inline]
    pub fn set_user_ref_num(&mut self, number: UserRefNum) {
        self.put(self.rows.user_ref_num, number.get().to_be_bytes());
    }

    /// The row lies inside the fixed part, which was checked to be there.
    #[inline]
    fn put<const W: usize>(&mut self, at: usize, value: [u8; W]) {
        let room = self
            .head
            .get_mut(at..)
            .and_then(|rest| rest.first_chunk_mut::<W>());
        *room.expect("the fixed part was checked to be there") = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alpha::Alpha;
    use crate::ouch50::tests::{cancel, enter, replace};
    use crate::ouch50::{AppendageBuilder, Element};

    #[test]
    fn a_patch_changes_its_field_and_no_other_byte() {
        let mut bytes = [0; 64];
        let len = enter().encode(None, &mut bytes).expect("room");
        let mut patch = OrderPatch::over(&mut bytes[..len])
            .expect("valid")
            .expect("an enter");
        patch.set_price(1_234_500);
        patch.set_quantity(7);
        patch.set_ioc();
        patch.set_user_ref_num(UserRefNum::new(9).expect("not 0"));
        let expected = EnterOrder {
            price: 1_234_500,
            quantity: 7,
            time_in_force: TimeInForce::Ioc,
            user_ref_num: UserRefNum::new(9).expect("not 0"),
            ..enter()
        };
        let mut other = [0; 64];
        let other_len = expected.encode(None, &mut other).expect("room");
        assert_eq!(bytes[..len], other[..other_len]);
    }

    #[test]
    fn a_replace_has_its_own_offsets() {
        let mut bytes = [0; 64];
        let len = replace().encode(None, &mut bytes).expect("room");
        let mut patch = OrderPatch::over(&mut bytes[..len])
            .expect("valid")
            .expect("a replace");
        patch.set_price(5);
        patch.set_quantity(6);
        patch.set_user_ref_num(UserRefNum::new(77).expect("not 0"));
        assert_eq!(bytes[13..21], 5_u64.to_be_bytes());
        assert_eq!(bytes[9..13], 6_u32.to_be_bytes());
        assert_eq!(bytes[5..9], 77_u32.to_be_bytes());
        let Ok(Inbound::ReplaceOrder(view)) = Inbound::parse(&bytes[..len]) else {
            panic!("a patched replace is a replace");
        };
        assert_eq!(view.orig_user_ref_num(), replace().orig_user_ref_num);
    }

    #[test]
    fn a_copy_is_patched_and_its_original_is_not() {
        let (mut bytes, mut out) = ([0; 64], [0xFF; 64]);
        let len = replace().encode(None, &mut bytes).expect("room");
        let Ok(Inbound::ReplaceOrder(view)) = Inbound::parse(&bytes[..len]) else {
            panic!("a replace parses");
        };
        assert!(OrderPatch::copy_of_replace(&view, &mut out[..len - 1]).is_none());
        let number = UserRefNum::new(88).expect("not 0");
        let mut patch = OrderPatch::copy_of_replace(&view, &mut out).expect("room");
        patch.set_orig_user_ref_num(number);
        let expected = ReplaceOrder {
            orig_user_ref_num: number,
            ..replace()
        };
        let mut other = [0; 64];
        let other_len = expected.encode(None, &mut other).expect("room");
        assert_eq!(out[..len], other[..other_len]);
        let len = enter().encode(None, &mut bytes).expect("room");
        let known = KnownEnter::of(&bytes[..len]).expect("an enter");
        let mut patch = OrderPatch::copy_of_enter(&known, &mut out).expect("room");
        patch.set_orig_user_ref_num(number);
        assert_eq!(out[..len], bytes[..len], "an enter names no other order");
    }

    #[test]
    fn a_known_enter_says_what_its_checked_view_says() {
        for row in [0, 1, 7, u8::MAX] {
            for sell in [false, true] {
                let mut appendage = AppendageBuilder::new();
                let firm = Element::Firm(Alpha::new(b"FIRM").expect("four"));
                appendage.push(firm).expect("the first");
                if row > 0 {
                    let row = Element::UserRefIdx(row);
                    appendage.push(row).expect("the second");
                }
                let group = Element::GroupId(9);
                appendage.push(group).expect("the last");
                let order = EnterOrder {
                    side: if sell {
                        OrderSide::SellShort
                    } else {
                        OrderSide::Buy
                    },
                    ..enter()
                };
                let mut bytes = [0; 96];
                let encoded = order.encode(Some(appendage.finish()), &mut bytes);
                let bytes = &bytes[..encoded.expect("room")];
                let Ok(Inbound::EnterOrder(view)) = Inbound::parse(bytes) else {
                    panic!("an enter parses");
                };
                let known = KnownEnter::of(bytes).expect("an enter");
                assert_eq!((known.user_ref_idx(), view.user_ref_idx()), (row, row));
                assert_eq!(known.side(), Some(view.side()));
                assert_eq!(known.quantity(), view.quantity());
                assert_eq!(known.price(), view.price());
                let mut out = [0; 96];
                assert!(OrderPatch::copy_of_enter(&known, &mut out).is_some());
                assert_eq!(&out[..bytes.len()], bytes);
                assert!(KnownEnter::of(&bytes[..46]).is_none(), "it is not whole");
            }
        }
        let mut bytes = [0; 64];
        let len = replace().encode(None, &mut bytes).expect("room");
        assert!(KnownEnter::of(&bytes[..len]).is_none());
    }

    #[test]
    fn nothing_else_is_patched() {
        let mut bytes = [0; 64];
        let len = cancel().encode(None, &mut bytes).expect("room");
        assert!(
            OrderPatch::over(&mut bytes[..len])
                .expect("valid")
                .is_none()
        );
        assert!(OrderPatch::over(&mut bytes[..len - 1]).is_err());
    }
}

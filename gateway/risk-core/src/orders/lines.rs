//! The lines of the slab that a command will touch, so that they can be asked for before.
//!
//! Risk thread. Invariants: nothing is changed, and nothing that is far away is waited for but where a method says so.

use super::Orders;
use crate::approach::LineSink;
use crate::order::Order;
use portcullis_domain::OrderKey;

impl Orders {
    /// The slot that the new order after `ahead` others will get, and the number it will be given; and the
    /// number of the order that stood last on that slot, which will be forgotten.
    #[inline(always)]
    pub(crate) fn visit_next(&self, ahead: usize, key: OrderKey, lines: &mut impl LineSink) {
        lines.line(self.numbers.at(self.numbers.home(key)));
        if let Some(next) = self.free.get(ahead) {
            self.visit_order(next.slot, lines);
            lines.line(self.numbers.at(next.forgotten));
        }
    }

    /// Where the slot of a number stands written.
    #[inline(always)]
    pub(crate) fn visit_number(&self, key: OrderKey, lines: &mut impl LineSink) {
        lines.line(self.numbers.at(self.numbers.home(key)));
    }

    /// The order that a number names, or did: which, is not waited for.
    #[inline(always)]
    pub(crate) fn visit_named(&self, key: OrderKey, lines: &mut impl LineSink) -> Option<u32> {
        let (slot, _) = self.slot_of(key)?;
        self.visit_order(slot, lines);
        Some(slot)
    }

    /// An order, if there is one.
    #[inline(always)]
    pub(crate) fn visit_order(&self, slot: u32, lines: &mut impl LineSink) {
        if let Some(order) = self.at(slot) {
            lines.line(&order.executed);
        }
    }

    /// An order's unanswered versions.
    #[inline(always)]
    pub(crate) fn visit_versions(&self, slot: u32, lines: &mut impl LineSink) {
        if let Some([first, ..]) = self.pending.get(slot as usize) {
            lines.line(&first.price);
        }
    }

    /// The orders before and behind one in its position's list.
    #[inline(always)]
    pub(crate) fn visit_neighbours(&self, order: &Order, lines: &mut impl LineSink) {
        self.visit_order(order.next, lines);
        self.visit_order(order.previous, lines);
    }
}

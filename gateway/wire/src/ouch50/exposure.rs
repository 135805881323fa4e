//! Which optional fields make an order's exposure unknown.
//!
//! **Thread.** Pure functions over checked views.
//! **Invariants.** An order without a named tag trades at its `price` or better, on the side that
//! its number was entered with.
//! **Never.** Decide what happens to such an order: it names the tag, the caller refuses.

use super::appendage::Appendage;
use super::codes::PriceType;
use super::inbound::{EnterOrderView, ReplaceOrderView};
use super::tag::{Tag, TagSet};

/// Tags with which the price of an execution is not bounded by the field `price`.
const PRICE_MOVES: TagSet = TagSet::of(&[
    Tag::PegOffset,
    Tag::DiscretionPrice,
    Tag::DiscretionPriceType,
    Tag::DiscretionPegOffset,
]);

/// Those, and the one whose value says so.
const MAY_MOVE: TagSet = PRICE_MOVES.with(Tag::PriceType);

#[inline]
fn unbounded_price(appendage: Appendage<'_>) -> Option<Tag> {
    if appendage.tags().intersection(MAY_MOVE).is_empty() {
        return None;
    }
    unbounded_price_by_value(appendage)
}

#[inline(never)]
fn unbounded_price_by_value(appendage: Appendage<'_>) -> Option<Tag> {
    let pegged = match appendage.raw(Tag::PriceType) {
        Some([letter]) => *letter != PriceType::Limit.byte(),
        Some(_) | None => false,
    };
    if pegged {
        return Some(Tag::PriceType);
    }
    appendage.tags().intersection(PRICE_MOVES).first()
}

impl EnterOrderView<'_> {
    /// The tag because of which this order cannot be priced: pegged or discretionary.
    #[must_use]
    #[inline]
    pub fn unpriceable_tag(&self) -> Option<Tag> {
        unbounded_price(self.appendage()?)
    }
}

impl ReplaceOrderView<'_> {
    /// The tag because of which this version cannot be priced: pegged, discretionary, or turning
    /// the side.
    #[must_use]
    pub fn unpriceable_tag(&self) -> Option<Tag> {
        let appendage = self.appendage()?;
        let turned = appendage.tags().contains(Tag::Side).then_some(Tag::Side);
        unbounded_price(appendage).or(turned)
    }
}

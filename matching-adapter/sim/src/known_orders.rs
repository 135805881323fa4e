//! The orders a venue was sent lately: what a lie can be about.
//!
//! Owned by the venue. Invariants: bounded, the oldest makes room; an order is closed here only
//! after its end was told under its first number.

use std::collections::VecDeque;

use portcullis_domain::{Price, SessionId, Side, UserRef, VenueReport};
use portcullis_venue::{OutboundAction, OutboundOrder};

use crate::random::Random;

/// Orders remembered.
const KNOWN_MAX: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Its end has not been told.
    Open,
    /// Its end was told.
    Closed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownOrder {
    pub(crate) session: SessionId,
    pub(crate) user_ref: UserRef,
    pub(crate) side: Side,
    pub(crate) price: Price,
    pub(crate) life: Life,
}

impl KnownOrder {
    const fn is(&self, session: SessionId, user_ref: UserRef) -> bool {
        self.session.raw() == session.raw()
            && self.user_ref.row == user_ref.row
            && self.user_ref.number == user_ref.number
    }
}

#[derive(Debug)]
pub(crate) struct KnownOrders(VecDeque<KnownOrder>);

impl KnownOrders {
    pub(crate) fn new() -> Self {
        Self(VecDeque::with_capacity(KNOWN_MAX))
    }

    /// Notes an order on its way to the engine.
    pub(crate) fn sent(&mut self, order: &OutboundOrder) {
        match order.action {
            OutboundAction::Enter { price, .. } => {
                if self.0.len() == KNOWN_MAX {
                    self.0.pop_front();
                }
                self.0.push_back(KnownOrder {
                    session: order.session,
                    user_ref: order.user_ref,
                    side: order.side,
                    price,
                    life: Life::Open,
                });
            }
            OutboundAction::Replace { .. } | OutboundAction::Cancel { .. } => {}
        }
    }

    /// Notes that an order's end was told.
    pub(crate) fn ended(&mut self, report: &VenueReport) {
        let mut known = self.0.iter_mut();
        if let Some(order) = known.find(|order| order.is(report.session, report.user_ref)) {
            order.life = Life::Closed;
        }
    }

    /// Some order that fits, if one does.
    pub(crate) fn pick(
        &self,
        random: &mut Random,
        fits: impl Fn(&KnownOrder) -> bool,
    ) -> Option<KnownOrder> {
        let len = self.0.len();
        let start = random.below(len as u64) as usize;
        let order = (0..len).map(|step| &self.0[(start + step) % len]);
        order.copied().find(|order| fits(order))
    }
}

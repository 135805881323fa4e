//! What the gateway itself says of an order, replace or cancel that no engine will answer.
//!
//! Any thread; pure functions. Invariant: a refusal ends what was asked and nothing else: that of a
//! cancel leaves its order open, that of a replace leaves the version before. It must never be said of
//! anything that an engine may have.

use portcullis_domain::{ReportKind, SessionId, UserRef, VenueReport};

use crate::{OutboundAction, OutboundOrder};

/// What a message asks of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// A new order.
    Entry,
    /// Less of an order.
    Cancel,
    /// A new version of an order.
    Replace,
}

impl Asks {
    /// What an order asks.
    #[must_use]
    pub const fn of(order: &OutboundOrder) -> Self {
        match order.action {
            OutboundAction::Enter { .. } => Self::Entry,
            OutboundAction::Cancel { .. } => Self::Cancel,
            OutboundAction::Replace { .. } => Self::Replace,
        }
    }

    /// How an engine says no to it; `user_ref` is its own number, and of a cancel the one it names.
    #[must_use]
    pub const fn refused(self, session: SessionId, user_ref: UserRef, note: u8) -> VenueReport {
        let kind = match self {
            Self::Entry => ReportKind::Rejected,
            Self::Cancel => ReportKind::CancelRejected,
            // Of several that are refused the first takes those behind it along: a rejection of one of them
            // would be taken for that of the whole order.
            Self::Replace => ReportKind::ReplaceRejected { new: user_ref },
        };
        VenueReport {
            session,
            user_ref,
            kind,
            note,
        }
    }
}

/// The refusal of an order in the engine's name, which never had it.
#[must_use]
pub const fn refusal(order: &OutboundOrder, note: u8) -> VenueReport {
    Asks::of(order).refused(order.session, order.user_ref, note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{AccountId, InstrumentId, OrderId, Price, Qty, Side, TimeInForce};

    #[test]
    fn each_is_refused_as_what_it_is() {
        let (session, user_ref) = (SessionId::new(2), UserRef { row: 3, number: 7 });
        let (qty, price, time_in_force) = (Qty::new(5), Price::new(9), TimeInForce::Day);
        let enter = OutboundAction::Enter {
            qty,
            price,
            time_in_force,
            was_market: false,
        };
        let replace = OutboundAction::Replace {
            original: UserRef { row: 3, number: 6 },
            qty_total: qty,
            price,
            time_in_force,
            was_market: false,
        };
        let cancel = OutboundAction::Cancel {
            qty_total: Qty::ZERO,
            by_gateway: true,
        };
        for (action, kind) in [
            (enter, ReportKind::Rejected),
            (replace, ReportKind::ReplaceRejected { new: user_ref }),
            (cancel, ReportKind::CancelRejected),
        ] {
            let order = OutboundOrder {
                order: OrderId::new(1, 0),
                session,
                user_ref,
                account: AccountId::new(1),
                instrument: InstrumentId::new(0),
                side: Side::Buy,
                action,
            };
            let refused = VenueReport {
                session,
                user_ref,
                kind,
                note: 4,
            };
            assert_eq!(refusal(&order, 4), refused);
        }
    }
}

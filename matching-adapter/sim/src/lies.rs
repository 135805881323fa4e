//! Reports that cannot be true.
//!
//! Owned by no thread. Invariant: whatever became of the order meanwhile, what is said here of it is
//! false, so whoever believes it has a defect.

use portcullis_domain::{Money, Price, Qty, ReportKind, SessionId, Side, UserRef, VenueReport};

use crate::hostility::Lie;
use crate::known_orders::{KnownOrder, KnownOrders, Life};
use crate::random::Random;

/// A number that no client of a test uses.
const NUMBER_NEVER_SENT: u32 = u32::MAX;
/// Lots that no order has, whatever it was replaced by.
const QTY_BEYOND: Qty = Qty::new(1 << 50);
/// Match numbers of invented trades start here.
const MATCH_INVENTED: u64 = 1 << 63;

/// The words of a lie, if there is an order to tell it about.
pub(crate) fn invent(
    lie: Lie,
    orders: &KnownOrders,
    random: &mut Random,
    told: u64,
) -> Option<VenueReport> {
    let fits = |order: &KnownOrder| match lie {
        Lie::FillBeyondLimit | Lie::FillBeyondLeaves => order.life == Life::Open,
        Lie::FillOnClosedOrder => order.life == Life::Closed,
        Lie::OrderNeverSent | Lie::VersionNeverAsked => true,
    };
    let order = orders.pick(random, fits)?;
    let never = UserRef::new(NUMBER_NEVER_SENT);
    let match_number = MATCH_INVENTED + told;
    let kind = match lie {
        Lie::FillBeyondLeaves => fill(QTY_BEYOND, order.price, match_number),
        Lie::FillBeyondLimit => fill(Qty::new(1), worse(order.side), match_number),
        Lie::FillOnClosedOrder => fill(Qty::new(1), order.price, match_number),
        Lie::OrderNeverSent => return Some(report(order.session, never, ReportKind::Accepted)),
        Lie::VersionNeverAsked => ReportKind::Replaced { new: never },
    };
    Some(report(order.session, order.user_ref, kind))
}

const fn report(session: SessionId, user_ref: UserRef, kind: ReportKind) -> VenueReport {
    VenueReport {
        session,
        user_ref,
        kind,
        note: 0,
    }
}

const fn fill(qty: Qty, price: Price, match_number: u64) -> ReportKind {
    ReportKind::Fill {
        qty,
        price,
        match_number,
        fee: Money::ZERO,
    }
}

/// No price that a buyer allows, or none that a seller does, whatever the order was replaced by.
const fn worse(side: Side) -> Price {
    match side {
        Side::Buy => Price::new(i64::MAX),
        Side::Sell => Price::new(0),
    }
}

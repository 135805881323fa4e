//! The facts of an order: what stands on the books and in the table when it is judged.
//!
//! Risk thread, on its stack. Invariant: reading them changes nothing, so that they can be read
//! again to explain a refusal.

use super::{Holds, Terms};
use crate::accounts::Account;
use crate::instruments::{Instrument, Reference};
use crate::ledger::Ledger;
use crate::limits::LimitTable;
use crate::limits::account::AccountLimits;
use crate::limits::firm::FirmLimits;
use crate::limits::instrument::InstrumentLimits;
use crate::order::{Hold, Version, WholeOrder};
use crate::positions::Position;
use crate::valuation::Valuation;
use crate::view::{InterestView, References, Volume};
use portcullis_domain::{FirmId, Side};

/// The rows of the table that an order is held against.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) limits: &'a AccountLimits,
    pub(super) firm: &'a FirmLimits,
    pub(super) member: &'a FirmLimits,
    pub(super) instrument: &'a InstrumentLimits,
}

impl<'a> Rows<'a> {
    /// The rows of an order whose form is good: its account and instrument are there.
    #[inline(always)]
    pub(super) fn of(table: &'a LimitTable, terms: &Terms, account: &Account) -> Option<Self> {
        Some(Self {
            limits: table.row(account.row)?,
            firm: table.firm(FirmId::new(account.firm))?,
            member: table.firm(FirmId::new(account.clearing_member))?,
            instrument: table.instrument(terms.instrument)?,
        })
    }
}

/// What is known of an order before its worth is.
pub(super) struct Facts {
    pub(super) position: Option<u32>,
    pub(super) price: Option<i64>,
    pub(super) reference: Option<Reference>,
    pub(super) fresh: bool,
    pub(super) net: i64,
    /// Lots on hold of the order's side, with and without the order's own hold.
    pub(super) stands: i64,
    pub(super) on_hold: i64,
    pub(super) holds: Holds,
    pub(super) reducing: bool,
    pub(super) versions_unanswered: i64,
    pub(super) rise: i64,
}

/// The account's worth, as far as an order needs it.
#[derive(Clone, Copy)]
pub(super) enum Known<'a> {
    /// It is known to suffice, or the order reduces and is judged without it.
    Enough,
    /// It was valued.
    Exact(&'a Valuation),
}

impl Facts {
    /// The facts of `terms`, whose account has the position in `position`.
    #[inline(always)]
    pub(super) fn of(
        ledger: &Ledger,
        terms: &Terms,
        position: Option<u32>,
        instrument: &InstrumentLimits,
        now_ns: u64,
    ) -> Self {
        let reference = ledger.instruments.get(terms.instrument.raw()).reference;
        let protection = reference.map(|reference| match terms.side {
            Side::Buy => reference.hi,
            Side::Sell => reference.lo,
        });
        let price = terms.price.or(protection);
        let at = reference.map(|reference| reference.price);
        let order = terms.replaces.map(|slot| ledger.orders.whole(slot));
        let own = order.map_or(Hold::default(), |order| order.hold(at));
        let asked = Version {
            price: price.unwrap_or(0),
            leaves: terms.qty,
            number: terms.user_ref.number,
            time_in_force: terms.time_in_force,
        };
        let planned = own.max(asked.hold(terms.side, at.filter(|_| price.is_some())));
        let last_leaves = order.map_or(0, |order| order.last_version().leaves);
        let (net, stands) = position.map_or((0, 0), |slot| {
            let position = ledger.positions.get(slot);
            (position.net, position.on_hold(terms.side))
        });
        let calmer = order
            .zip(price)
            .is_some_and(|(order, price)| is_calmer(order, terms.qty, price));
        let on_hold = stands - own.lots;
        Self {
            position,
            price,
            reference,
            fresh: reference
                .is_some_and(|reference| now_ns - reference.at_ns <= instrument.ref_max_age_ns),
            net,
            stands,
            on_hold,
            reducing: price.is_some()
                && (reduces(terms.side, net, on_hold, planned.lots) || calmer),
            holds: Holds { own, planned },
            versions_unanswered: order.map_or(0, |order| order.pending.len() as i64),
            rise: (terms.qty - last_leaves).max(0),
        }
    }

    /// The reference prices that the order depends on.
    #[inline(always)]
    pub(super) fn references(&self, known: Known<'_>, now_ns: u64) -> References {
        let (missing, stale) = match known {
            Known::Exact(valuation) => (valuation.missing, valuation.stale),
            Known::Enough => (false, false),
        };
        let own = self.reference;
        References {
            missing: own.is_none() || missing,
            stale: own.is_some() && !self.fresh || stale,
            age_ns: own.map(|reference| now_ns - reference.at_ns),
            collar: own
                .filter(|_| self.fresh)
                .map(|reference| (reference.lo, reference.hi)),
        }
    }

    /// Open interest of the order's side.
    #[inline(always)]
    pub(super) fn interest(&self, instrument: &Instrument, side: Side) -> InterestView {
        let toward = i128::from(toward(side, self.net));
        let total = match side {
            Side::Buy => instrument.long_would_be,
            Side::Sell => instrument.short_would_be,
        };
        let hold = i128::from(self.holds.planned.lots);
        InterestView {
            was: (toward + i128::from(self.stands)).max(0),
            would: (toward + i128::from(self.on_hold) + hold).max(0),
            total: total.into(),
        }
    }

    /// The account's volume in the instrument.
    #[inline(always)]
    pub(super) fn volume(
        &self,
        position: Option<&Position>,
        rows: Rows<'_>,
        now_ns: u64,
    ) -> Volume {
        let tat_ns = position.map_or(0, |position| position.volume_tat_ns);
        let volume_max = rows.limits.volume_max;
        let lot_cost_ns = if volume_max == 0 {
            0
        } else {
            rows.limits.lot_cost_ns(rows.instrument.window_ns())
        };
        let ahead_ns = i128::from(tat_ns.saturating_sub(now_ns));
        Volume {
            taken_ns: ahead_ns + i128::from(self.rise) * i128::from(lot_cost_ns as i64),
            ahead_ns,
            window_ns: rows.instrument.window_ns().into(),
            lot_cost_ns,
        }
    }
}

/// The net position as the side sees it: what it adds to counts positive.
///
/// No net position is `i64::MIN`: the ledger keeps open interest far within range.
#[inline(always)]
const fn toward(side: Side, net: i64) -> i64 {
    match side {
        Side::Buy => net,
        Side::Sell => -net,
    }
}

/// A buy reduces iff n < 0 and B + q <= -n, a sell iff n > 0 and S + q <= n; `on_hold` is without
/// the order's own hold, `lots` the hold it would have.
#[inline(always)]
fn reduces(side: Side, net: i64, on_hold: i64, lots: i64) -> bool {
    let against = -toward(side, net);
    against > 0 && i128::from(on_hold) + i128::from(lots) <= i128::from(against)
}

/// Against every version neither more lots nor a more aggressive price.
fn is_calmer(order: WholeOrder<'_>, qty: i64, price: i64) -> bool {
    order.versions().all(|version| {
        let price_calmer = match order.side {
            Side::Buy => price <= version.price,
            Side::Sell => price >= version.price,
        };
        qty <= version.leaves && price_calmer
    })
}

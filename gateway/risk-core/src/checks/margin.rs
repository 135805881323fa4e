//! Admissible equity covers the requirement with the order's hold in it.
//!
//! Risk thread. Requirement: RULES, over every subset of resting and in-flight orders. Unit: quanta.
//! Where a position has no reference: passed over. Boundary: exactly covered passes.

use super::{Band, Check, Descriptor, reducible};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::instruments::Schedule;
use crate::positions::Position;
use crate::valuation::ceil_millionths;
use crate::view::{View, Worth};
use portcullis_domain::Side;

pub(crate) struct Margin;

impl Check for Margin {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 44,
        name: "MARGIN",
        band: Band::Margin,
        judges_reducing: false,
        fields: &[
            ("instrument", "initial_margin"),
            ("account", "pnl_weight_ppm"),
            ("account", "pnl_cap"),
        ],
        ouch_reason: 0x0020,
        fix_reason: 3,
        summary: "admissible equity is below the margin requirement with this order",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.worth.is_margin_short()
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.proved
    }

    fn explain(view: &View<'_>) -> Explanation {
        let Worth::Exact {
            admissible,
            requirement_before,
            requirement,
            slope,
            ..
        } = &view.worth
        else {
            return Explanation::default();
        };
        let passing = slope.qty_passing(*admissible, view.qty);
        let asked = requirement.saturating_sub(*requirement_before);
        let passing = i128::from(passing).max(reducible(view));
        Explanation::of(*admissible, *requirement_before, asked, passing)
    }
}

/// How the requirement depends on the quantity of the order alone.
#[derive(Clone, Debug)]
pub(crate) struct Slope<'a> {
    pub(crate) schedule: &'a Schedule,
    pub(crate) side: Side,
    pub(crate) net: i64,
    /// Lots on hold without the order's own hold.
    pub(crate) open_buy: i64,
    pub(crate) open_sell: i64,
    /// Lots the order holds whatever its new quantity: those of its other versions.
    pub(crate) hold_least: i64,
    /// Quanta of a lot's notional at the reference price.
    pub(crate) lot_notional: i128,
    /// Adverse quanta of a lot, and those held whatever the new quantity.
    pub(crate) lot_adverse: i128,
    pub(crate) adverse_least: i128,
    /// IM of all other instruments in millionths, and all other adverse money.
    pub(crate) rest_millionths: i128,
    pub(crate) rest_adverse: i128,
}

impl Slope<'_> {
    /// The largest quantity below `qty` that would be covered; the requirement never falls as the
    /// quantity grows.
    fn qty_passing(&self, admissible: i128, qty: i64) -> i64 {
        let (mut passing, mut failing) = (0, qty);
        while failing - passing > 1 {
            let middle = passing + (failing - passing) / 2;
            if self.requirement(middle) <= admissible {
                passing = middle;
            } else {
                failing = middle;
            }
        }
        passing
    }

    pub(crate) fn requirement(&self, qty: i64) -> i128 {
        let hold = qty.max(self.hold_least);
        let (buy, sell) = match self.side {
            Side::Buy => (self.open_buy.saturating_add(hold), self.open_sell),
            Side::Sell => (self.open_buy, self.open_sell.saturating_add(hold)),
        };
        let worst = Position::worst(self.net, buy, sell);
        let margin = self
            .schedule
            .margin_millionths(worst.saturating_mul(self.lot_notional));
        let adverse = self
            .lot_adverse
            .saturating_mul(qty.into())
            .max(self.adverse_least);
        let millionths = self.rest_millionths.saturating_add(margin);
        ceil_millionths(millionths)
            .saturating_add(self.rest_adverse)
            .saturating_add(adverse)
    }
}

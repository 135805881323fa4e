//! Orders, and what the engine says of them, in words.
//!
//! Pure. Invariant: a quantity or price in units of the wire says that it is.

use super::Words;
use portcullis_domain::{
    CancelRequest, MassCancel, NewOrder, Price, Qty, ReplaceRequest, ReportKind, Side, TimeInForce,
    Units, VenueReport,
};

impl Words<'_> {
    pub(super) fn new_order(&self, order: &NewOrder) -> String {
        let price = order.price.map_or("market".to_owned(), |price| {
            self.scales.price(order.instrument, price)
        });
        format!(
            "order {} for {}: {} {} {} @ {price} {}",
            self.naming.order(order.session, order.user_ref),
            self.naming.account(order.account),
            side(order.side),
            order.qty.lots(),
            self.naming.instrument(order.instrument),
            time_in_force(order.time_in_force),
        )
    }

    pub(super) fn replace(&self, request: &ReplaceRequest) -> String {
        format!(
            "replace {} by {}: {} @ {}, {} {}",
            self.naming.order(request.session, request.original),
            self.naming.order(request.session, request.user_ref),
            request.qty.lots(),
            request
                .price
                .map_or("market".to_owned(), |price| price.ticks().to_string()),
            units(request.units),
            time_in_force(request.time_in_force),
        )
    }

    pub(super) fn cancel(&self, request: &CancelRequest) -> String {
        let order = self.naming.order(request.session, request.user_ref);
        match request.qty_total {
            Qty::ZERO => format!("cancel {order}"),
            total => format!(
                "cancel {order} down to {} ({})",
                total.lots(),
                units(request.units)
            ),
        }
    }

    pub(super) fn mass_cancel(&self, cancel: &MassCancel) -> String {
        format!(
            "mass cancel {} account {} instrument {} side {}",
            self.naming.order(cancel.session, cancel.user_ref),
            self.naming.account(cancel.account),
            self.naming.instrument(cancel.instrument),
            cancel.side.map_or("both", side),
        )
    }

    pub(super) fn report(&self, report: &VenueReport) -> String {
        let order = self.naming.order(report.session, report.user_ref);
        let number = |user_ref| self.naming.order(report.session, user_ref);
        let what = match report.kind {
            ReportKind::Accepted => "accepted".to_owned(),
            ReportKind::Fill {
                qty,
                price,
                match_number,
                fee,
            } => format!(
                "filled {} @ {} ticks, match {match_number}, fee {}",
                qty.lots(),
                Price::ticks(price),
                self.scales.money(fee.quanta().into()),
            ),
            ReportKind::Canceled => "canceled".to_owned(),
            ReportKind::Reduced { qty } => format!("reduced by {}", qty.lots()),
            ReportKind::Rejected => "rejected".to_owned(),
            ReportKind::Replaced { new } => format!("replaced by {}", number(new)),
            ReportKind::ReplaceRejected { new } => format!("replace by {} rejected", number(new)),
            ReportKind::CancelPending => "cancel pending".to_owned(),
            ReportKind::CancelRejected => "cancel rejected".to_owned(),
            ReportKind::BrokenTrade { match_number } => format!("trade {match_number} broken"),
            ReportKind::Information => "told something".to_owned(),
        };
        format!("engine: {order} {what}")
    }
}

/// Buy or sell.
pub(crate) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// How long an order stays.
pub(crate) const fn time_in_force(time: TimeInForce) -> &'static str {
    match time {
        TimeInForce::Day => "day",
        TimeInForce::ImmediateOrCancel => "ioc",
        TimeInForce::GoodTillCancel => "gtc",
        TimeInForce::GoodTillTime => "gtt",
    }
}

const fn units(units: Units) -> &'static str {
    match units {
        Units::TicksAndLots => "in ticks and lots",
        Units::Wire => "in units of the wire",
    }
}

//! New orders and new versions of orders: judging their form, and their first moment.
//!
//! Part of the ladder, on its thread. Invariant: an order that comes out of here has a limit, lots
//! and room on the book should it rest. It must never look at who else is in the market but for
//! the best opposite price.

use portcullis_domain::{InstrumentId, Price, Qty, QtyMeaning, Side, TimeInForce, UserRef};

use super::{Ladder, Task};
use crate::command::{Instruction, NewOrder, Replace};
use crate::orders::Order;
use crate::report::{CancelReason, Disposition, RejectReason, Report, ReportKind};

impl Ladder {
    pub(super) fn begin_new(&mut self, new: &NewOrder) {
        if self
            .books
            .orders()
            .find(new.session, new.user_ref)
            .is_some()
        {
            self.counters.news_ignored += 1;
            return;
        }
        match self.judge_new(new) {
            Ok(order) => {
                self.counters.accepted += 1;
                self.by_instrument[order.instrument.index()].accepted += 1;
                self.enter(order, new.qty_min.lots(), None);
            }
            Err(reason) => self.reject(new, reason),
        }
    }

    pub(super) fn begin_replace(&mut self, replace: &Replace) {
        let orders = self.books.orders();
        let taken = orders.find(replace.session, replace.user_ref).is_some();
        let Some(slot) = orders
            .find(replace.session, replace.original)
            .filter(|_| !taken)
        else {
            self.counters.replaces_ignored += 1;
            return;
        };
        let old = *orders.get(slot);
        let (price, open) = match self.judge_replace(&old, replace) {
            Ok(wanted) => wanted,
            Err(reason) => {
                self.books.remove(slot);
                self.report_cancel(&old, old.leaves, 0, reason);
                return;
            }
        };
        let new = Order {
            user_ref: replace.user_ref,
            tag: replace.tag,
            time_in_force: replace.time_in_force,
            price,
            leaves: open,
            ..old
        };
        let stays = !new.is_immediate();
        if stays && price == old.price && open <= old.leaves {
            self.counters.replaced += 1;
            self.books.set_lots(slot, open, old.executed);
            let orders = self.books.orders_mut();
            orders.rename(slot, new.user_ref, new.tag, new.time_in_force);
            self.report_entry(&new, Disposition::Resting, Some(old.user_ref));
        } else if stays && !self.books.has_room_without(slot, price) {
            self.counters.replaces_rejected += 1;
            let kind = ReportKind::ReplaceRejected {
                original: old.user_ref,
                reason: RejectReason::LevelsFull,
            };
            self.report(&new, kind);
        } else {
            self.counters.replaced += 1;
            self.books.remove(slot);
            self.enter(new, 0, Some(old.user_ref));
        }
    }

    /// The first moment of an order that is in: rests, starts to take, or dies.
    fn enter(&mut self, order: Order, qty_min: i64, original: Option<UserRef>) {
        let mut order = order;
        order.order_ref = self.order_ref_next;
        self.order_ref_next += 1;
        let best = self.books.best(order.instrument, order.side.opposite());
        let crosses = best.is_some_and(|level| order.reaches(level.price));
        let short = qty_min > 0 && !(crosses && self.books.can_trade(&order, qty_min));
        if crosses && !short {
            self.report_entry(&order, Disposition::Taking, original);
            self.task = Task::Take(order);
        } else if order.is_immediate() {
            self.report_entry(&order, Disposition::Dead, original);
            let reason = if short {
                CancelReason::MinQty
            } else {
                CancelReason::ImmediateOrCancel
            };
            self.report_cancel(&order, order.leaves, 0, reason);
        } else {
            self.report_entry(&order, Disposition::Resting, original);
            self.books.rest(order);
        }
    }

    fn report_entry(&mut self, order: &Order, disposition: Disposition, original: Option<UserRef>) {
        let Order { order_ref, .. } = *order;
        let (qty, price) = (order.leaves(), order.price());
        let kind = match original {
            None => ReportKind::Accepted {
                order_ref,
                qty,
                price,
                disposition,
            },
            Some(original) => ReportKind::Replaced {
                original,
                order_ref,
                open: qty,
                price,
                disposition,
            },
        };
        self.report(order, kind);
    }

    fn reject(&mut self, new: &NewOrder, reason: RejectReason) {
        self.counters.rejected += 1;
        if let Some(counters) = self.by_instrument.get_mut(new.instrument.index()) {
            counters.rejected += 1;
        }
        self.outbox.push(Report {
            session: new.session,
            user_ref: new.user_ref,
            tag: new.tag,
            instrument: new.instrument,
            kind: ReportKind::Rejected { reason },
        });
    }

    fn judge_new(&self, new: &NewOrder) -> Result<Order, RejectReason> {
        if !self.books.orders().knows(new.session) {
            return Err(RejectReason::SessionUnknown);
        }
        if new.instrument.index() >= self.config.instruments.len() {
            return Err(RejectReason::InstrumentUnknown);
        }
        judge_kind(new.instruction, new.time_in_force)?;
        self.judge_qty(new.instrument, new.qty)?;
        if !(0..=new.qty.lots()).contains(&new.qty_min.lots()) {
            return Err(RejectReason::MinQtyInvalid);
        }
        let mut order = Order {
            session: new.session,
            user_ref: new.user_ref,
            tag: new.tag,
            order_ref: 0,
            instrument: new.instrument,
            side: new.side,
            time_in_force: new.time_in_force,
            price: 0,
            leaves: new.qty.lots(),
            executed: 0,
        };
        if new.qty_min > Qty::ZERO && !order.is_immediate() {
            return Err(RejectReason::MinQtyNotImmediate);
        }
        order.price = self.judge_price(new.instrument, new.side, new.price)?;
        if !order.is_immediate() {
            // Asked for before it trades: it might trade less than hoped, and must rest then.
            if self.books.orders().is_full() {
                return Err(RejectReason::OrdersFull);
            }
            if !self
                .books
                .has_room_at(new.instrument, new.side, order.price)
            {
                return Err(RejectReason::LevelsFull);
            }
        }
        Ok(order)
    }

    /// Limit and open lots of the new version, or why the original must go.
    fn judge_replace(&self, old: &Order, wanted: &Replace) -> Result<(i64, i64), CancelReason> {
        let invalid = CancelReason::ReplaceInvalid;
        judge_kind(wanted.instruction, wanted.time_in_force).map_err(invalid)?;
        let qty = wanted.qty.lots();
        if qty < 1 {
            return Err(invalid(RejectReason::QtyInvalid));
        }
        let open = match wanted.qty_meaning {
            QtyMeaning::Open => qty,
            QtyMeaning::Total => qty - old.executed,
        };
        if open < 1 {
            return Err(CancelReason::ReplaceNothingLeft);
        }
        self.judge_qty(old.instrument, Qty::new(open))
            .map_err(invalid)?;
        if open.checked_add(old.executed).is_none() {
            return Err(invalid(RejectReason::QtyInvalid));
        }
        let price = self
            .judge_price(old.instrument, old.side, wanted.price)
            .map_err(invalid)?;
        Ok((price, open))
    }

    fn judge_qty(&self, instrument: InstrumentId, qty: Qty) -> Result<(), RejectReason> {
        let qty_max = self.config.instruments[instrument.index()].qty_max;
        if qty < Qty::new(1) || qty > qty_max {
            return Err(RejectReason::QtyInvalid);
        }
        Ok(())
    }

    fn judge_price(
        &self,
        instrument: InstrumentId,
        side: Side,
        price: Option<Price>,
    ) -> Result<i64, RejectReason> {
        let Some(price) = price else {
            let best = self.books.best(instrument, side.opposite());
            return best
                .map(|level| level.price)
                .ok_or(RejectReason::NoOppositePrice);
        };
        let price_max = self.config.instruments[instrument.index()].price_max;
        if price < Price::new(1) || price > price_max {
            return Err(RejectReason::PriceInvalid);
        }
        Ok(price.ticks())
    }
}

fn judge_kind(
    instruction: Option<Instruction>,
    time_in_force: TimeInForce,
) -> Result<(), RejectReason> {
    if let Some(instruction) = instruction {
        return Err(RejectReason::Unsupported(instruction));
    }
    match time_in_force {
        TimeInForce::Day | TimeInForce::ImmediateOrCancel | TimeInForce::GoodTillCancel => Ok(()),
        TimeInForce::GoodTillTime => Err(RejectReason::TimeInForceUnsupported),
    }
}

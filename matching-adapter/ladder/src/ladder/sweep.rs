//! Cancels, of one order and of many, and busted trades.
//!
//! Part of the ladder, on its thread. Invariants: a step of a sweep looks at one order or moves on
//! to one session; the order it stands before stays live, since nothing else runs meanwhile. A
//! cancel must never be refused: it takes away what is there, or is ignored and counted.

use portcullis_domain::{QtyMeaning, TimeInForce};

use super::{Ladder, Sweep, SweepReason, Task};
use crate::command::{Cancel, MassCancel};
use crate::orders::Order;
use crate::report::{CancelReason, Report, ReportKind};

impl Ladder {
    pub(super) fn cancel(&mut self, cancel: &Cancel) {
        let Some(slot) = self.books.orders().find(cancel.session, cancel.user_ref) else {
            self.counters.cancels_ignored += 1;
            return;
        };
        let order = *self.books.orders().get(slot);
        let wanted = cancel.qty.lots().max(0);
        let keeps = match cancel.qty_meaning {
            QtyMeaning::Open => wanted,
            QtyMeaning::Total => (wanted - order.executed).max(0),
        };
        if keeps >= order.leaves {
            self.counters.cancels_ignored += 1;
            return;
        }
        if keeps == 0 {
            self.books.remove(slot);
        } else {
            self.books.set_lots(slot, keeps, order.executed);
        }
        self.report_cancel(&order, order.leaves - keeps, keeps, CancelReason::User);
    }

    pub(super) fn begin_mass_cancel(&mut self, filter: &MassCancel) {
        let orders = self.books.orders();
        let (first, end) = match filter.session {
            Some(session) if orders.knows(session) => (session.raw(), session.raw() + 1),
            Some(_) => {
                self.counters.cancels_ignored += 1;
                return;
            }
            None => (0, orders.sessions()),
        };
        self.task = Task::Sweep(Sweep {
            session: first,
            session_end: end,
            next: orders.oldest(first),
            instrument: filter.instrument,
            side: filter.side,
            reason: SweepReason::MassCancel,
        });
    }

    pub(super) fn begin_day_end(&mut self) {
        let orders = self.books.orders();
        self.task = Task::Sweep(Sweep {
            session: 0,
            session_end: orders.sessions(),
            next: orders.oldest(0),
            instrument: None,
            side: None,
            reason: SweepReason::DayEnd,
        });
    }

    /// One order, or one session, further.
    pub(super) fn sweep(&mut self, sweep: Sweep) {
        let mut sweep = sweep;
        let Some(slot) = sweep.next else {
            sweep.session += 1;
            if sweep.session >= sweep.session_end {
                self.task = Task::Idle;
                return;
            }
            sweep.next = self.books.orders().oldest(sweep.session);
            self.task = Task::Sweep(sweep);
            return;
        };
        sweep.next = self.books.orders().newer_of_session(slot);
        self.task = Task::Sweep(sweep);
        if let Some(reason) = sweep.takes(self.books.orders().get(slot)) {
            let order = self.books.remove(slot);
            self.report_cancel(&order, order.leaves, 0, reason);
        }
    }

    pub(super) fn bust(&mut self, match_number: u64) {
        let Some(trade) = self.trades.bust(match_number) else {
            self.counters.busts_ignored += 1;
            return;
        };
        self.counters.busted_trades += 1;
        self.counters.busted_qty += u128::from(trade.qty.lots().unsigned_abs());
        for side in [trade.taker, trade.maker] {
            self.outbox.push(Report {
                session: side.session,
                user_ref: side.user_ref,
                tag: side.tag,
                instrument: trade.instrument,
                kind: ReportKind::BrokenTrade {
                    match_number,
                    qty: trade.qty,
                    price: trade.price,
                },
            });
        }
    }
}

impl Sweep {
    /// Why the order goes, if it does.
    fn takes(&self, order: &Order) -> Option<CancelReason> {
        let in_scope = self
            .instrument
            .is_none_or(|wanted| wanted == order.instrument)
            && self.side.is_none_or(|wanted| wanted == order.side);
        match self.reason {
            SweepReason::MassCancel => in_scope.then_some(CancelReason::MassCancel),
            SweepReason::DayEnd => {
                (order.time_in_force == TimeInForce::Day).then_some(CancelReason::DayEnd)
            }
        }
    }
}

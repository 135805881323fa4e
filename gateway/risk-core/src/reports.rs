//! The engine's reports: what releases holds and books trades.
//!
//! Risk thread. RULES, Reports. Invariants: a hold is released on the engine's word alone, exactly
//! once; a report that cannot be true changes nothing but the account's state, and is kept for a
//! person to decide.

mod plain;

use crate::effect::{AlarmKind, ClientReport, Effect, EffectSink};
use crate::engine::{About, RiskCore};
use crate::executions::Execution;
use crate::ledger::Trade;
use crate::order::Order;
use crate::orders::Named;
use portcullis_domain::{
    AccountId, InstrumentId, OrderId, OrderKey, Price, Qty, ReportKind, Scope, SessionId, Side,
    TradingState, UserRef, VenueReport,
};

/// A fill, its fields together.
#[derive(Clone, Copy)]
struct Fill {
    qty: i64,
    price: i64,
    match_number: u64,
    fee: i64,
}

impl Fill {
    /// That of a report, if it is one.
    #[inline(always)]
    const fn of(kind: ReportKind) -> Option<Self> {
        let ReportKind::Fill {
            qty,
            price,
            match_number,
            fee,
        } = kind
        else {
            return None;
        };
        Some(Self {
            qty: qty.lots(),
            price: price.ticks(),
            match_number,
            fee: fee.quanta(),
        })
    }

    /// Whether it is at a price worse than the limit of its order, or at none.
    #[inline(always)]
    const fn is_worse(&self, order: &Order) -> bool {
        let limit = order.confirmed.price;
        match order.side {
            Side::Buy => self.price > limit || self.price < 1,
            Side::Sell => self.price < limit,
        }
    }

    #[inline(always)]
    const fn execution(&self, session: SessionId, order: &Order) -> Execution {
        Execution {
            session,
            match_number: self.match_number,
            account: AccountId::new(order.account),
            instrument: InstrumentId::new(order.instrument),
            signed: order.side.signed(Qty::new(self.qty)).lots(),
            price: self.price,
            fee: self.fee,
        }
    }
}

impl RiskCore {
    #[inline(never)]
    pub(crate) fn report(&mut self, report: &VenueReport, sink: &mut impl EffectSink) {
        let key = OrderKey::new(report.session, report.user_ref);
        let Some((slot, order)) = self.ledger.orders.find(key) else {
            self.nothing_named(report, key, sink);
            return;
        };
        let account = AccountId::new(order.account);
        self.ledger.touch(account, &self.table);
        match report.kind {
            ReportKind::Fill { .. } => {
                if let Some(fill) = Fill::of(report.kind) {
                    self.fill(report, slot, fill, sink);
                }
            }
            ReportKind::Canceled => self.close(report, slot, sink),
            ReportKind::Rejected => self.rejected(report, slot, sink),
            ReportKind::Reduced { qty } => self.reduced(report, slot, qty.lots(), sink),
            ReportKind::Replaced { new } => self.replaced(report, slot, new, true, sink),
            ReportKind::ReplaceRejected { new } => self.replaced(report, slot, new, false, sink),
            ReportKind::BrokenTrade { match_number } => {
                self.broken_trade(report, Some(slot), match_number, sink);
            }
            ReportKind::CancelRejected => {
                self.ledger.orders.get_mut(slot).set_canceling(false);
                self.pass_on(report, slot, 0, sink);
            }
            ReportKind::Accepted | ReportKind::CancelPending | ReportKind::Information => {
                self.pass_on(report, slot, 0, sink);
            }
        }
    }

    /// The report names no order that is known.
    #[cold]
    fn nothing_named(&mut self, report: &VenueReport, key: OrderKey, sink: &mut impl EffectSink) {
        if let ReportKind::BrokenTrade { match_number } = report.kind {
            self.broken_trade(report, None, match_number, sink);
            return;
        }
        let about = self.about(key, report.session, report.user_ref);
        self.alarm(AlarmKind::OrderNeverAdmitted, Some(about), sink);
    }

    fn fill(&mut self, report: &VenueReport, slot: u32, fill: Fill, sink: &mut impl EffectSink) {
        let order = self.ledger.orders.get(slot);
        if !order.is_open() {
            self.dispute(report, slot, fill, AlarmKind::FillOnClosedOrder, sink);
            return;
        }
        if fill.qty < 1 || fill.qty > order.confirmed.leaves {
            self.dispute(report, slot, fill, AlarmKind::FillBeyondLeaves, sink);
            return;
        }
        if fill.is_worse(order) {
            self.dispute(report, slot, fill, AlarmKind::FillBeyondLimit, sink);
            return;
        }
        let execution = fill.execution(report.session, order);
        // Point of no return, unless the ledger cannot hold it.
        if !self.ledger.fill(slot, execution.trade(), &self.table) {
            self.dispute(report, slot, fill, AlarmKind::FillOutOfRange, sink);
            return;
        }
        self.executions.remember(execution);
        self.counters.executed_qty += fill.qty as u64;
        self.counters.fees += i128::from(fill.fee);
        self.ledger.orders.get_mut(slot).executed += fill.qty;
        self.take_lots(slot, fill.qty);
        self.pass_on(report, slot, fill.qty, sink);
    }

    /// An execution that cannot be true: the account is Halted until a person has decided.
    fn dispute(
        &mut self,
        report: &VenueReport,
        slot: u32,
        fill: Fill,
        kind: AlarmKind,
        sink: &mut impl EffectSink,
    ) {
        let execution = fill.execution(report.session, self.ledger.orders.get(slot));
        let kept = self.disputes.add(execution);
        let about = About {
            session: report.session,
            user_ref: report.user_ref,
            account: execution.account,
            instrument: execution.instrument,
            qty: Qty::new(fill.qty),
            price: Price::new(fill.price),
        };
        self.halt(execution.account, sink);
        self.alarm(kind, Some(about), sink);
        if !kept {
            self.alarm(AlarmKind::DisputeTableFull, Some(about), sink);
        }
    }

    fn halt(&mut self, account: AccountId, sink: &mut impl EffectSink) {
        let state = TradingState::Halted;
        self.ledger.accounts.get_mut(account.raw()).state = state;
        self.emit(
            sink,
            Effect::StateChanged {
                scope: Scope::Account(account),
                state,
            },
        );
    }

    /// Takes lots from every version, and closes the order when none of the confirmed are left.
    fn take_lots(&mut self, slot: u32, lots: i64) {
        self.ledger
            .change_order(slot, &self.table, |orders| orders.take(slot, lots));
        self.close_if_empty(slot);
    }

    fn close_if_empty(&mut self, slot: u32) {
        if self.ledger.orders.get(slot).confirmed.leaves == 0 {
            self.ledger.close_order(slot, &self.table);
        }
    }

    /// Canceled, or rejected as a whole: whatever is left of an open order is gone.
    fn close(&mut self, report: &VenueReport, slot: u32, sink: &mut impl EffectSink) {
        let order = self.ledger.orders.get(slot);
        if !order.is_open() {
            self.counters.reports_ignored += 1;
            return;
        }
        let leaves = order.confirmed.leaves;
        self.ledger.close_order(slot, &self.table);
        self.pass_on(report, slot, leaves, sink);
    }

    /// OUCH says Rejected of an order and of a version alike: the number tells which.
    fn rejected(&mut self, report: &VenueReport, slot: u32, sink: &mut impl EffectSink) {
        let order = self.ledger.orders.whole(slot);
        let number = report.user_ref.number;
        if order.pending.iter().any(|version| version.number == number) {
            self.replaced(report, slot, report.user_ref, false, sink);
            return;
        }
        self.close(report, slot, sink);
    }

    fn reduced(&mut self, report: &VenueReport, slot: u32, qty: i64, sink: &mut impl EffectSink) {
        let order = self.ledger.orders.get(slot);
        if !order.is_open() || qty < 1 {
            self.counters.reports_ignored += 1;
            return;
        }
        let lots = qty.min(order.confirmed.leaves);
        // A replace's total does not count cancelled lots: unanswered versions keep theirs.
        self.ledger.change_order(slot, &self.table, |orders| {
            orders.get_mut(slot).confirmed.leaves -= lots;
        });
        self.close_if_empty(slot);
        self.pass_on(report, slot, lots, sink);
    }

    /// A version asked for is confirmed or refused.
    fn replaced(
        &mut self,
        report: &VenueReport,
        slot: u32,
        new: UserRef,
        confirmed: bool,
        sink: &mut impl EffectSink,
    ) {
        let order = self.ledger.orders.whole(slot);
        let same_row = new.row == order.row;
        let number = new.number;
        let asked = order
            .pending
            .iter()
            .position(|version| version.number == number);
        let Some(index) = asked.filter(|_| same_row && order.is_open()) else {
            self.late_answer(report, slot, new, sink);
            return;
        };
        if !confirmed || !self.ledger.confirm_plain(slot, &self.table) {
            self.ledger.change_order(slot, &self.table, |orders| {
                if confirmed {
                    orders.confirm(slot, index);
                } else {
                    orders.refuse(slot, index);
                }
            });
        }
        self.close_if_empty(slot);
        self.pass_on(report, slot, 0, sink);
    }

    /// An answer about a version that is gone already is ignored; about one that never was of this
    /// order it is an alarm.
    fn late_answer(
        &mut self,
        report: &VenueReport,
        slot: u32,
        new: UserRef,
        sink: &mut impl EffectSink,
    ) {
        let version = self.ledger.orders.named(OrderKey::new(report.session, new));
        if version == Named::Open(slot) || version == Named::Closed(slot) {
            self.counters.reports_ignored += 1;
            return;
        }
        let key = OrderKey::new(report.session, report.user_ref);
        let about = self.about(key, report.session, report.user_ref);
        self.alarm(AlarmKind::VersionNeverAsked, Some(about), sink);
    }

    /// Takes a booked trade back: the opposite lots at its price, and its fee. The order may be
    /// forgotten already.
    fn broken_trade(
        &mut self,
        report: &VenueReport,
        slot: Option<u32>,
        match_number: u64,
        sink: &mut impl EffectSink,
    ) {
        let side = slot.map(|slot| self.ledger.orders.get(slot).side);
        let found = self.executions.take(report.session, match_number, side);
        let booked = found.filter(|execution| self.book(execution, true));
        let Some(execution) = booked else {
            let key = OrderKey::new(report.session, report.user_ref);
            let about = self.about(key, report.session, report.user_ref);
            if slot.is_some() {
                self.halt(about.account, sink);
            }
            self.alarm(AlarmKind::BrokenTradeUnknown, Some(about), sink);
            return;
        };
        let passed = ClientReport {
            session: report.session,
            user_ref: report.user_ref,
            order: slot.map_or(OrderId::NONE, |slot| self.ledger.orders.id(slot)),
            account: execution.account,
            instrument: execution.instrument,
            side: if execution.signed < 0 {
                Side::Sell
            } else {
                Side::Buy
            },
            kind: report.kind,
            qty: Qty::new(execution.signed.abs()),
            leaves: Qty::new(slot.map_or(0, |slot| self.ledger.orders.get(slot).confirmed.leaves)),
            note: report.note,
        };
        self.emit(sink, Effect::Reported(passed));
    }

    /// Books an execution outside its order, or the reverse of one. `false`, and nothing booked,
    /// where the ledger has no room.
    pub(crate) fn book(&mut self, execution: &Execution, reverse: bool) -> bool {
        let Execution {
            account,
            instrument,
            signed,
            price,
            fee,
            ..
        } = *execution;
        self.ledger.touch(account, &self.table);
        let settlements = self.ledger.instruments.get(instrument.raw()).settlements;
        let now_ns = self.now.ns();
        let position = self.ledger.positions.find(account, instrument).or_else(|| {
            self.ledger
                .positions
                .claim(account, instrument, settlements, now_ns)
        });
        let Some(position) = position else {
            return false;
        };
        let sign = if reverse { -1 } else { 1 };
        let trade = Trade {
            signed: sign * signed,
            price,
            fee: sign * fee,
        };
        let booked = self.ledger.trade(position, trade, &self.table);
        if booked {
            self.counters.fees += i128::from(trade.fee);
        }
        booked
    }

    /// The report goes on to the client: it took so many lots from its order.
    fn pass_on(&mut self, report: &VenueReport, slot: u32, lots: i64, sink: &mut impl EffectSink) {
        let passed = ClientReport {
            qty: Qty::new(lots),
            ..passed(report, slot, self.ledger.orders.get(slot))
        };
        self.emit(sink, Effect::Reported(passed));
    }
}

/// A report that took nothing from its order, as it goes on to the client.
#[inline(always)]
fn passed(report: &VenueReport, slot: u32, order: &Order) -> ClientReport {
    ClientReport {
        session: report.session,
        user_ref: report.user_ref,
        order: OrderId::new(slot, order.generation),
        account: AccountId::new(order.account),
        instrument: InstrumentId::new(order.instrument),
        side: order.side,
        kind: report.kind,
        qty: Qty::ZERO,
        leaves: Qty::new(order.confirmed.leaves),
        note: report.note,
    }
}

//! Orders that fail one check and no other, and what has to have happened before.
//!
//! One thread. A case has accounts, a session, a firm and an instrument of its own behind those of the
//! load, so that its orders fail that one check and no other, and no order of the load fails it.
//! Invariants: every check of the registry has a case; an order of a case is refused, and has that
//! check as its primary reason, or the last check of who sends it fails.

mod cells;

use crate::PRICE_START;
use crate::ground::Ground;
use portcullis_domain::{
    AccountId, AccountMove, Command, InstrumentId, Money, NewOrder, PositionMove, Price, Qty,
    QtyMeaning, RejectCode, ReplaceRequest, ReportKind, Scope, SessionId, Side, StateChange,
    TimeInForce, TradingState, Units, UserRef,
};
use portcullis_risk_core::checks::Descriptor;

pub use cells::{Usual, add};

/// Between two orders that a rate of a case lets through.
pub const RATE_INTERVAL_NS: u64 = 1_000_000_000;
/// Accounts that serve a case: the one refused, and two others that trade with it or before it.
pub const ACCOUNTS: u32 = 3;
/// Quanta that maintain a position of two lots, and do not pay for a third.
const MAINTAINS: i64 = 700;
/// Versions of an order that may be unanswered.
pub const VERSIONS: u32 = 4;

/// One check, and orders that fail it.
#[derive(Debug)]
pub struct Case {
    /// The check.
    pub check: &'static Descriptor,
    /// The first of its accounts, whose orders fail.
    pub account: u32,
    /// Its session.
    pub session: u32,
    instrument: u32,
    /// The order that is replaced, where replaces are refused.
    pub replaced: Option<UserRef>,
    /// From when on a rate would let an order through, where a rate refuses.
    pub passes_at_ns: Option<u64>,
}

impl Case {
    /// What has to have happened before its first order.
    pub fn set_up(&mut self, ground: &mut impl Ground) {
        let name = self.check.name;
        if name != "VENUE_DOWN" {
            let session = SessionId::new(self.session);
            ground.send(Command::VenueLink { session, up: true });
        }
        for served in self.account..self.account + ACCOUNTS {
            ground.deposit(served, if name == "MARGIN" { 1 } else { 5_000_000 });
        }
        if name != "REFERENCE_MISSING" {
            ground.publish(self.instrument, PRICE_START);
        }
        let state = match name {
            "STATE_HALTED" => Some(TradingState::Halted),
            "STATE_REDUCE_ONLY" => Some(TradingState::ReduceOnly),
            _ => None,
        };
        if let Some(state) = state {
            ground.control(Command::SetState(StateChange {
                scope: Scope::Account(AccountId::new(self.account)),
                state,
                cancel: false,
            }));
        }
        match name {
            "SESSION_RATE" | "RATE" | "FIRM_RATE" => self.spend_rate(ground),
            "REPEATED" => {
                let first = self.order(ground);
                ground.enter(first, Some(ReportKind::Canceled));
            }
            "LOSS_MAX" => self.lose(ground),
            "VOLUME_SPIKE" => self.trade_before(ground),
            "REPLACE_PENDING" => self.leave_versions_unanswered(ground),
            "JOURNAL_DOWN" => ground.send(Command::JournalLink { up: false }),
            _ => {}
        }
    }

    /// Gives its accounts positions, which together come to nothing, so that its orders need no slot.
    pub fn hold(&self, ground: &mut impl Ground) {
        for (account, lots) in (self.account..).zip([2, -1, -1]) {
            if self.check.name == "MARGIN" {
                ground.deposit(account, MAINTAINS);
            }
            ground.control(Command::MovePosition(AccountMove {
                kind: PositionMove::Opening,
                account: AccountId::new(account),
                instrument: InstrumentId::new(self.instrument),
                qty: Qty::new(lots),
                price: Price::new(PRICE_START),
                counterparty: AccountId::NONE,
            }));
        }
    }

    /// Sees to it that a rate that would let an order through by now has been spent.
    pub fn keep_refused(&mut self, ground: &mut impl Ground) {
        if self.passes_at_ns.is_some_and(|at| at <= ground.now_ns()) {
            self.spend_rate(ground);
        }
    }

    /// Whether its orders will be refused until then.
    #[must_use]
    pub fn is_refused_until(&self, until_ns: u64) -> bool {
        self.passes_at_ns.is_none_or(|at| at > until_ns)
    }

    fn spend_rate(&mut self, ground: &mut impl Ground) {
        let order = self.order(ground);
        ground.enter(order, Some(ReportKind::Canceled));
        self.passes_at_ns = Some(ground.now_ns() + RATE_INTERVAL_NS);
    }

    /// Buys above the reference from another account.
    fn lose(&mut self, ground: &mut impl Ground) {
        for (which, side) in [(0, Side::Buy), (1, Side::Sell)] {
            let price = PRICE_START + 200;
            let order = NewOrder {
                account: AccountId::new(self.account + which),
                side,
                qty: Qty::new(10),
                price: Some(Price::new(price)),
                ..self.order(ground)
            };
            let fill = ReportKind::Fill {
                qty: order.qty,
                price: Price::new(price),
                match_number: 1 << 40,
                fee: Money::ZERO,
            };
            ground.enter(order, Some(fill));
        }
    }

    /// Two other accounts order as much as the breaker lets through.
    fn trade_before(&mut self, ground: &mut impl Ground) {
        for which in 1..ACCOUNTS {
            let order = NewOrder {
                account: AccountId::new(self.account + which),
                qty: Qty::new(10),
                ..self.order(ground)
            };
            ground.enter(order, Some(ReportKind::Canceled));
        }
    }

    fn leave_versions_unanswered(&mut self, ground: &mut impl Ground) {
        let order = self.order(ground);
        self.replaced = Some(order.user_ref);
        ground.rest(order);
        for _ in 0..VERSIONS {
            let replace = self.command(ground);
            ground.ask(replace);
        }
    }

    /// Its next command, which fails its check.
    pub fn command(&self, ground: &mut impl Ground) -> Command {
        self.command_of(ground.next_number(self.session))
    }

    /// The same with this number.
    #[must_use]
    pub fn command_of(&self, user_ref: UserRef) -> Command {
        let order = self.order_of(user_ref);
        match self.replaced {
            None => Command::NewOrder(order),
            Some(original) => replace(&order, original),
        }
    }

    /// Its order: one lot bought at the reference, but for what the check is about.
    pub fn order(&self, ground: &mut impl Ground) -> NewOrder {
        self.order_of(ground.next_number(self.session))
    }

    /// The same with this number.
    #[must_use]
    pub fn order_of(&self, user_ref: UserRef) -> NewOrder {
        let usual = NewOrder {
            session: SessionId::new(self.session),
            user_ref,
            account: AccountId::new(self.account),
            instrument: InstrumentId::new(self.instrument),
            side: Side::Buy,
            qty: Qty::new(1),
            price: Some(Price::new(PRICE_START)),
            time_in_force: TimeInForce::Day,
        };
        match self.check.name {
            "ACCOUNT_UNKNOWN" => NewOrder {
                account: AccountId::NONE,
                ..usual
            },
            "INSTRUMENT_UNKNOWN" => NewOrder {
                instrument: InstrumentId::NONE,
                ..usual
            },
            "QUANTITY_INVALID" => NewOrder {
                qty: Qty::ZERO,
                ..usual
            },
            "PRICE_INVALID" => NewOrder {
                price: Some(Price::new(0)),
                ..usual
            },
            "QTY_MAX" => NewOrder {
                qty: Qty::new(12),
                ..usual
            },
            "COLLAR" => NewOrder {
                price: Some(Price::new(PRICE_START * 6 / 5)),
                ..usual
            },
            "ACCOUNT_VOLUME" => NewOrder {
                qty: Qty::new(2),
                ..usual
            },
            _ => usual,
        }
    }

    /// What ingress would have found already.
    #[must_use]
    pub fn early(&self) -> Option<RejectCode> {
        let stamped = [
            "TICK_INVALID",
            "LOT_INVALID",
            "ORDER_TYPE_UNSUPPORTED",
            "TIME_IN_FORCE_UNSUPPORTED",
            "MESSAGE_UNSUPPORTED",
            "ORDER_TYPE_NOT_PERMITTED",
            "OVERLOADED",
        ];
        stamped
            .contains(&self.check.name)
            .then(|| self.check.code())
    }
}

/// Another version of an order, with the order's own number.
#[must_use]
pub fn replace(order: &NewOrder, original: UserRef) -> Command {
    Command::Replace(ReplaceRequest {
        session: order.session,
        original,
        user_ref: order.user_ref,
        units: Units::TicksAndLots,
        qty: order.qty,
        qty_meaning: QtyMeaning::Open,
        price: order.price,
        time_in_force: order.time_in_force,
    })
}

//! Looking into the core: what `ctl`, tests and models read.
//!
//! Risk thread, off the path. Invariant: looking changes nothing: what is settled or rolled on the
//! next touch is shown as if it had been.

use crate::engine::RiskCore;
use crate::orders::Named;
use portcullis_domain::{
    AccountId, InstrumentId, OrderKey, Ppm, SessionId, Side, TradingState, UserRef,
};

/// An account at this moment. Money in quanta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// Cash.
    pub cash: i128,
    /// Its own trading state.
    pub state: TradingState,
    /// Open orders.
    pub open_orders: u32,
    /// Price x quantity of its open orders.
    pub open_notional: i128,
    /// Equity at the day's start.
    pub day_base: i128,
    /// What can be said where every position has a reference price.
    pub worth: Option<WorthView>,
}

/// An account's worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorthView {
    /// Cash and PnL.
    pub equity: i128,
    /// What counts for admission.
    pub admissible: i128,
    /// Worst-case initial margin and adverse money.
    pub requirement: i128,
    /// Maintenance margin of the positions as they are.
    pub maintenance: i128,
    /// What may be withdrawn; negative where nothing may.
    pub free: i128,
}

/// A position at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PositionView {
    /// Net lots, long positive.
    pub net: i64,
    /// Signed lots x price x value since last flat or settled.
    pub cost: i128,
    /// Lots on hold for buys.
    pub open_buy: i64,
    /// Lots on hold for sells.
    pub open_sell: i64,
    /// Money on hold because limits are through the reference.
    pub adverse: i128,
}

/// An instrument at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstrumentView {
    /// Reference price in ticks.
    pub reference: Option<i64>,
    /// Lowest and highest limit the collar lets through.
    pub collar: Option<(i64, i64)>,
    /// IM scale, ppm.
    pub scale_ppm: u32,
    /// Its own trading state.
    pub state: TradingState,
    /// Sum over accounts of max(0, n).
    pub open_interest: i64,
    /// Sum over accounts of max(0, n + B).
    pub long_would_be: i64,
    /// Sum over accounts of max(0, S - n).
    pub short_would_be: i64,
}

/// An order at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// Its account.
    pub account: AccountId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Limit of the confirmed version, ticks.
    pub price: i64,
    /// Lots open of the confirmed version.
    pub leaves: i64,
    /// Versions unanswered.
    pub pending: usize,
    /// Whether it is open.
    pub open: bool,
}

impl RiskCore {
    /// An account, or `None` where there is none.
    #[must_use]
    pub fn account(&self, account: AccountId) -> Option<AccountView> {
        let (limits, _) = self.table.account(account)?;
        let this = self.ledger.accounts.get(account.raw());
        let mut cash = i128::from(this.cash);
        let (mut losses, mut profits, mut complete) = (0, 0, true);
        let (mut margin, mut maintenance, mut adverse) = (0, 0, 0);
        let mut day_base = i128::from(this.cash);
        for slot in self.ledger.involved(account.raw()) {
            let position = self.ledger.positions.get(slot);
            let id = InstrumentId::new(position.instrument);
            let view = self.position(account, id);
            let instrument = self.ledger.instruments.get(position.instrument);
            let value = self
                .table
                .instrument(id)
                .map_or(0, |limits| limits.value.quanta());
            cash += view.cost - i128::from(position.cost);
            let worth = |price: i64| i128::from(view.net) * i128::from(price) * i128::from(value);
            if let Some(price) = instrument.day_price {
                day_base += worth(price) - i128::from(position.cost);
            }
            let Some(price) = instrument.price() else {
                complete = false;
                continue;
            };
            let profit = worth(price) - view.cost;
            losses += profit.min(0);
            profits += profit.max(0);
            let worst = crate::positions::Position::worst(view.net, view.open_buy, view.open_sell);
            let per_lot = i128::from(price) * i128::from(value);
            margin += instrument.initial.margin_millionths(worst * per_lot);
            let held = i128::from(view.net).abs() * per_lot;
            maintenance += instrument.maintenance.margin_millionths(held);
            adverse += view.adverse;
        }
        let counted = Ppm::new(limits.pnl_weight_ppm)
            .of_floor(profits)
            .min(limits.pnl_cap.into());
        let requirement = ceil_millionths(margin) + adverse;
        let worth = WorthView {
            equity: cash + losses + profits,
            admissible: cash + losses + counted,
            requirement,
            maintenance: ceil_millionths(maintenance),
            free: cash + losses - requirement,
        };
        let rolled = this.day == self.ledger.day;
        Some(AccountView {
            cash,
            state: this.state,
            open_orders: this.open_orders,
            open_notional: this.open_notional,
            day_base: if rolled {
                this.day_base.into()
            } else {
                day_base
            },
            worth: complete.then_some(worth),
        })
    }

    /// An account's position in an instrument; empty where it has none.
    #[must_use]
    pub fn position(&self, account: AccountId, instrument: InstrumentId) -> PositionView {
        let Some(slot) = self.ledger.positions.find(account, instrument) else {
            return PositionView::default();
        };
        let position = self.ledger.positions.get(slot);
        let state = self.ledger.instruments.get(instrument.raw());
        let value = self
            .table
            .instrument(instrument)
            .map_or(0, |limits| limits.value.quanta());
        let value = i128::from(value);
        let settled = i128::from(position.net) * i128::from(state.settlement_price) * value;
        let due = position.settlements != state.settlements;
        let orders = self.ledger.orders.list(position.first_order);
        let adverse = orders
            .map(|order| order.hold(state.price()).adverse_lot_ticks)
            .sum::<i128>();
        PositionView {
            net: position.net,
            cost: if due { settled } else { position.cost.into() },
            open_buy: position.open_buy,
            open_sell: position.open_sell,
            adverse: adverse * value,
        }
    }

    /// An instrument, or `None` where there is none.
    #[must_use]
    pub fn instrument(&self, instrument: InstrumentId) -> Option<InstrumentView> {
        self.table.instrument(instrument)?;
        let this = self.ledger.instruments.get(instrument.raw());
        Some(InstrumentView {
            reference: this.price(),
            collar: this.reference.map(|reference| (reference.lo, reference.hi)),
            scale_ppm: this.scale_ppm,
            state: this.state,
            open_interest: this.open_interest,
            long_would_be: this.long_would_be,
            short_would_be: this.short_would_be,
        })
    }

    /// The order that a client's number names, if it is still known.
    #[must_use]
    pub fn order(&self, session: SessionId, user_ref: UserRef) -> Option<OrderView> {
        let slot = match self.ledger.orders.named(OrderKey::new(session, user_ref)) {
            Named::Open(slot) | Named::Closed(slot) => slot,
            Named::Nothing => return None,
        };
        let order = self.ledger.orders.whole(slot);
        Some(OrderView {
            account: AccountId::new(order.account),
            instrument: InstrumentId::new(order.instrument),
            side: order.side,
            price: order.confirmed.price,
            leaves: order.confirmed.leaves,
            pending: order.pending.len(),
            open: order.is_open(),
        })
    }

    /// Orders that are open.
    #[must_use]
    pub fn open_orders(&self) -> usize {
        let mut from = 0;
        core::iter::from_fn(|| {
            let slot = self.ledger.orders.next_open(from)?;
            from = slot + 1;
            Some(slot)
        })
        .count()
    }

    /// What is missing from the books, in quanta: cash less costs over all accounts, against
    /// deposits less withdrawals and fees, where each trade has both its sides in the ledger.
    #[must_use]
    pub fn conservation_error(&self) -> i128 {
        let accounts = (0..self.table.accounts_len() as u32).map(AccountId::new);
        let cash: i128 = accounts
            .map(|account| i128::from(self.ledger.accounts.get(account.raw()).cash))
            .sum();
        let cost: i128 = self
            .ledger
            .positions
            .iter()
            .map(|position| i128::from(position.cost))
            .sum();
        cash - cost + self.counters.fees - self.counters.deposits
    }

    /// The venue's own trading state.
    #[must_use]
    pub const fn venue_state(&self) -> TradingState {
        self.venue.own()
    }

    /// How far the gateway has come back after a restart; the stricter of it and the venue's own counts.
    #[must_use]
    pub const fn restart_state(&self) -> TradingState {
        self.venue.restart()
    }

    /// Whether the journal takes records as durably as it must; no order passes where it does not.
    #[must_use]
    pub const fn journal_up(&self) -> bool {
        self.venue.journal_up
    }
}

const fn ceil_millionths(amount: i128) -> i128 {
    -(-amount).div_euclid(1_000_000)
}

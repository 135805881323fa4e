//! The books of an order: its account, firms, position and instrument at once, for who writes all of them.
//!
//! Risk thread. Each order that opens, and each order of one version that trades or closes, is one pass over
//! these. Invariant: what is on hold, counted and summed in each of them changes together.

use super::{INTEREST_MAX, MONEY_MAX, Trade};
use crate::accounts::{Account, Firm};
use crate::instruments::Instrument;
use crate::order::{Order, Version};
use crate::orders::{Entry, Orders};
use crate::positions::Position;
use core::hint::{cold_path, select_unpredictable};
use portcullis_domain::{OrderId, Qty, Side};

/// Where an order's hold is written.
pub(crate) struct Books<'a> {
    pub(crate) account: &'a mut Account,
    pub(crate) firm: &'a mut Firm,
    /// Where it is another than the firm.
    pub(crate) member: Option<&'a mut Firm>,
    pub(crate) position: &'a mut Position,
    pub(crate) instrument: &'a mut Instrument,
}

impl Books<'_> {
    /// Opens an order with its hold, and puts its position into its account's list.
    /// `was` is what its position would be on the order's side without it; `hold_notional` adds the order's
    /// money to what is open already.
    #[inline(always)]
    pub(crate) fn open(
        &mut self,
        entry: &Entry,
        was: i64,
        hold_notional: impl Fn(&mut i128),
        orders: &mut Orders,
    ) -> OrderId {
        let lots = entry.version.leaves;
        assert!(lots >= 1, "an order is for one lot at least");
        let position = &mut *self.position;
        let listed = !position.is_flat();
        position.join(listed, entry.position, &mut self.account.first_position);
        position.note_opened(entry.side, entry.version.price, lots);
        *position.on_hold_mut(entry.side) += lots;
        *self.instrument.would_be_mut(entry.side) += (was + lots).max(0) - was.max(0);
        hold_notional(&mut self.account.open_notional);
        // No more than there are slots for orders.
        self.account.open_orders = self.account.open_orders.wrapping_add(1);
        self.account.reserved_used += u16::from(entry.reserved);
        self.firm.count_opened(&hold_notional);
        if let Some(member) = &mut self.member {
            cold_path();
            member.count_opened(&hold_notional);
        }
        orders.open(entry, position.orders())
    }

    /// An order of one version has a second: what it holds on its side rises to that of both. `was` is what its
    /// position would be on that side before.
    #[inline(always)]
    pub(crate) fn rise(&mut self, side: Side, confirmed: &Version, asked: &Version, was: i64) {
        let lots = (asked.leaves - confirmed.leaves).max(0);
        let position = &mut *self.position;
        let at = position.adverse_at();
        position.note_limit(side, asked.price);
        *position.on_hold_mut(side) += lots;
        let adverse = |version: &Version| version.adverse_lot_ticks(side, at);
        let rise = (adverse(asked) - adverse(confirmed)).max(0);
        position.move_adverse(side, rise);
        *self.instrument.would_be_mut(side) += (was + lots).max(0) - was.max(0);
    }

    /// Of an order of two versions the second becomes the order: what it holds falls to that of the one that stays.
    #[inline(always)]
    pub(super) fn fall(&mut self, side: Side, gone: &Version, stays: &Version, value: i64) {
        let lots = (gone.leaves - stays.leaves).max(0);
        let notional = (gone.notional(value) - stays.notional(value)).max(0);
        let position = &mut *self.position;
        let was = position.would_be(side);
        let at = position.adverse_at();
        position.note_limit(side, stays.price);
        let on_hold = position.on_hold_mut(side);
        *on_hold -= lots;
        assert!(*on_hold >= 0, "more lots released than were on hold");
        let adverse = |version: &Version| version.adverse_lot_ticks(side, at);
        let fall = (adverse(gone) - adverse(stays)).max(0);
        position.move_adverse(side, -fall);
        self.lower_interest(side, was, lots);
        self.lower_notional(notional);
    }

    /// Closes an order of one version, and gives back what it holds: `notional` quanta of it. Its position
    /// then is to leave its account's list where it is flat.
    #[inline(always)]
    pub(super) fn close(&mut self, gone: &Part, notional: i128, orders: &mut Orders) {
        let was = self.position.would_be(gone.side);
        self.give_back(gone, notional);
        self.lower_interest(gone.side, was, gone.version.leaves);
        self.count_closed(gone, orders);
    }

    /// Books a fill of an order of one version: lots change hands, for which `notional` quanta were on hold.
    #[inline(always)]
    pub(super) fn fill(&mut self, part: &Part, traded: &Traded, notional: i128) {
        let lots = part.version.leaves;
        let position = &mut *self.position;
        let (was_long, opposite) = (position.net.max(0), part.side.opposite());
        let was = position.would_be(opposite);
        position.net += part.side.signed(Qty::new(lots)).lots();
        position.cost = traded.cost;
        self.instrument.open_interest += position.net.max(0) - was_long;
        self.account.cash = traded.cash;
        // What its own side would be stays: its lots are held no longer, but had.
        self.lower_interest(opposite, was, lots);
        self.give_back(part, notional);
    }

    /// What a position would be on a side fell by so many lots.
    #[inline(always)]
    fn lower_interest(&mut self, side: Side, was: i64, lots: i64) {
        let Instrument {
            long_would_be,
            short_would_be,
            ..
        } = &mut *self.instrument;
        // Without a branch: orders of both sides come by turns.
        let would_be = select_unpredictable(side == Side::Buy, long_would_be, short_would_be);
        *would_be -= was.max(0) - (was - lots).max(0);
    }

    /// Releases lots of an order of one version, and what was held for them.
    #[inline(always)]
    fn give_back(&mut self, part: &Part, notional: i128) {
        let Part { side, version, .. } = *part;
        let position = &mut *self.position;
        let Position {
            open_buy,
            open_sell,
            ..
        } = position;
        let on_hold = select_unpredictable(side == Side::Buy, open_buy, open_sell);
        *on_hold -= version.leaves;
        assert!(*on_hold >= 0, "more lots released than were on hold");
        position.release_adverse(side, &version);
        self.lower_notional(notional);
    }

    /// So many quanta are on hold no longer.
    #[inline(always)]
    fn lower_notional(&mut self, notional: i128) {
        let account = &mut *self.account;
        account.open_notional -= notional;
        assert!(
            account.open_notional >= 0,
            "more notional released than was on hold"
        );
        self.firm.open_notional -= notional;
        if let Some(member) = &mut self.member {
            cold_path();
            member.open_notional -= notional;
        }
    }

    /// An order is open no longer.
    #[inline(always)]
    pub(super) fn count_closed(&mut self, gone: &Part, orders: &mut Orders) {
        self.account.open_orders -= 1;
        self.account.reserved_used -= u16::from(gone.reserved);
        self.firm.open_orders -= 1;
        if let Some(member) = &mut self.member {
            cold_path();
            member.open_orders -= 1;
        }
        orders.close(gone.slot, self.position.orders());
    }

    /// What a trade makes of the position's cost and the account's cash; `None` where that is not within what
    /// they may be, or is so only by way of wider numbers.
    #[inline(always)]
    pub(super) fn traded(&self, trade: &Trade, value: i64) -> Option<Traded> {
        let Trade { signed, price, fee } = *trade;
        let net = self.position.net;
        let per_lot = price.checked_mul(value)?;
        let mut cost = self.position.cost;
        let mut cash = self.account.cash.checked_sub(fee)?;
        let mut lots = signed;
        let closes = (signed > 0) != (net > 0) && net != 0;
        if closes && signed.unsigned_abs() >= net.unsigned_abs() {
            // Flat on its way: what the lots it had cost more than they bring is paid.
            let brought = net.checked_mul(per_lot)?;
            cash = cash.checked_sub(cost.checked_sub(brought)?)?;
            cost = 0;
            lots = signed.checked_add(net)?;
        }
        cost = cost.checked_add(lots.checked_mul(per_lot)?)?;
        let interest = &self.instrument;
        let room = interest.open_interest.max(interest.long_would_be);
        let room = INTEREST_MAX - room.max(interest.short_would_be);
        let most = MONEY_MAX as u64;
        let fits = cash.unsigned_abs() <= most && cost.unsigned_abs() <= most;
        (fits && signed.saturating_abs() <= room).then_some(Traded { cost, cash })
    }
}

/// What a trade leaves.
#[derive(Clone, Copy)]
pub(super) struct Traded {
    cost: i64,
    cash: i64,
}

/// Lots of an order of one version that are on hold no longer, or the whole of it, and where its hold stands.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(super) slot: u32,
    pub(super) account: u32,
    pub(super) instrument: u32,
    pub(super) position: u32,
    side: Side,
    /// Its version, of so many lots as the part has.
    pub(super) version: Version,
    reserved: bool,
    pub(super) whole: bool,
}

impl Part {
    /// So many lots.
    #[inline(always)]
    pub(crate) fn of(slot: u32, order: &Order, lots: i64) -> Self {
        Self {
            slot,
            account: order.account,
            instrument: order.instrument,
            position: order.position,
            side: order.side,
            version: Version {
                leaves: lots,
                ..order.confirmed
            },
            reserved: order.is_reserved(),
            whole: lots == order.confirmed.leaves,
        }
    }

    /// All of them.
    #[inline(always)]
    pub(crate) fn whole(slot: u32, order: &Order) -> Self {
        Self::of(slot, order, order.confirmed.leaves)
    }
}

//! The bound: what a valuation proves of an account's later orders, for as long as it does.
//!
//! Risk thread. Invariants: a bound changes no answer, it only saves a valuation; whatever changes
//! an account moves its bound by the most that could cost, or ends it.
//!
//! Let H be admissible equity less requirement, and R be equity less day base plus loss_max. What
//! is kept of a valuation are H, R, the sensitivity (for each instrument involved |n| + B + S +
//! worst lots at their value then), the groups of those instruments, and the drift's clock. While
//! some level of each group stands ([`crate::drift`]), H and R are now at least what is kept less
//! `share` times the sensitivity, since n lots of PnL, B + S of adverse money and worst of margin
//! are all that prices move, each by its lots' value at the most, and admissible equity moves by no
//! more than the PnL does; and less 2 quanta, for what is rounded.
//!
//! An accepted order lowers H, at whatever prices, by its margin and adverse money, so `need` at
//! prices now is taken out of the headroom, and its lots come to the sensitivity at their value
//! now, twice, since they count into the hold and into the worst case. They are priced within the
//! levels of their group that began before the valuation, if any: so the group joins the mask, and
//! the clock stays. A level that began between valuation and order stands for none of the two. A
//! version asked for by a replace is the same with the rise of its order's hold; its adverse money
//! moves by no more than all lots the order then has on hold.
//!
//! An order that is accepted depends on a reference that is fresh, and so is watched, or it reduces
//! a position that is there already: the account stays involved in watched instruments of its
//! groups alone, as [`crate::drift`] asks.
//!
//! What else changes an account, at whatever prices P:
//! - Lots released lower neither H nor R: |n| <= max(|n + B|, |n - S|) before and after.
//! - A fill of q lots at p against an order of one version, limit l: H gains what worst and adverse
//!   money fall by, and loses q x max(0, p - P) x v (a buy; a sale mirrors it) and the fee. worst
//!   does not rise, since n + B stays and n + q - S lies between n - S and n + B; adverse money
//!   falls by q x max(0, l - P) x v, and p <= l: so H loses the fee at the most. R loses both; that
//!   its loss grows with P is in the sensitivity already, where the lots stood on hold, which R
//!   does not use. The sensitivity does not rise: |n| grows by q at the most, and B falls by it.
//! - Cash moves H and, with the day base, leaves R.
//! - Any other trade, a settlement, other limits of the instruments or of what the account's worth counts ([`BoundLimits`]), or another
//!   day base ends the bound.
//! - Once no order is open, the account is as it was at the valuation less its orders, and with the
//!   fills since: what orders took is given back, less what lots traded at those prices add to the
//!   margin and lost, and their fees. So much is kept beside the bound, *unspent*, and each fill
//!   taken out of it.

use crate::accounts::Account;
use crate::drift::{Drift, GONE, group_bit};
use crate::instruments::Instrument;
use crate::ledger::{Ledger, Trade};
use crate::limits::LimitTable;
use crate::limits::account::AccountLimits;
use crate::saved::{Read, Words};
use crate::valuation::Valuation;
use core::hint::cold_path;
use portcullis_domain::{InstrumentId, quanta};

/// Orders that a valuation must have left room for to be made again.
const MANY_ORDERS: i64 = 256;

/// Of so many orders that finer levels would prove, about one has its account valued instead: a valuation
/// takes about as long as all of them.
const COMMANDS_A_VALUATION: u64 = 32;

/// When an order is judged: the time and the number of its command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) ns: u64,
    pub(crate) seq: u64,
}

/// What the last exact valuation left of room, and what may have eaten into it since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Bound {
    /// Admissible equity less requirement.
    pub(crate) headroom: i64,
    /// Equity less day base plus loss_max.
    pub(crate) loss_room: i64,
    /// Quanta that a relative move of one whole could cost at the most.
    pub(crate) sensitivity: i64,
    /// Groups of the instruments that the account is involved in.
    pub(crate) groups: u64,
    /// The drift's clock at the valuation.
    pub(crate) good_at: u64,
}

impl Bound {
    /// Nothing to build on: no level of any group is as old.
    pub(crate) const NONE: Self = Self {
        headroom: 0,
        loss_room: 0,
        sensitivity: 0,
        groups: u64::MAX,
        good_at: 0,
    };

    pub(crate) fn save(&self, push: &mut impl FnMut(u64)) {
        push(self.headroom as u64);
        push(self.loss_room as u64);
        push(self.sensitivity as u64);
        push(self.groups);
        push(self.good_at);
    }

    pub(crate) fn load(words: &mut Words<'_>) -> Read<Self> {
        Ok(Self {
            headroom: words.signed()?,
            loss_room: words.signed()?,
            sensitivity: words.amount(i64::MAX, "a sensitivity below 0")?,
            groups: words.word()?,
            good_at: words.word()?,
        })
    }
}

/// What a valuation leaves of room: the figures of a [`Bound`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) headroom: i64,
    pub(crate) loss_room: i64,
    pub(crate) sensitivity: i64,
}

/// The limits of an account that a bound depends on: while these stay, and the margin of the instruments, a
/// flip to another table leaves it standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BoundLimits {
    pnl_cap: i64,
    loss_max: i64,
    pnl_weight_ppm: u32,
}

impl BoundLimits {
    /// No row's: none has less than nothing.
    pub(crate) const NONE: Self = Self {
        pnl_cap: -1,
        loss_max: -1,
        pnl_weight_ppm: 0,
    };

    /// Those of a row.
    pub(crate) const fn of(limits: &AccountLimits) -> Self {
        Self {
            pnl_cap: limits.pnl_cap,
            loss_max: limits.loss_max,
            pnl_weight_ppm: limits.pnl_weight_ppm,
        }
    }

    pub(crate) fn save(&self, push: &mut impl FnMut(u64)) {
        push(self.pnl_cap as u64);
        push(self.loss_max as u64);
        push(self.pnl_weight_ppm.into());
    }

    pub(crate) fn load(words: &mut Words<'_>) -> Read<Self> {
        Ok(Self {
            pnl_cap: words.signed()?,
            loss_max: words.signed()?,
            pnl_weight_ppm: words.at_most(1_000_000, "a weight over one")? as u32,
        })
    }
}

impl Ledger {
    /// Leaves behind what the next accept may be proved from.
    pub(crate) fn keep_bound(
        &mut self,
        account: u32,
        limits: &AccountLimits,
        valuation: &Valuation,
        now_ns: u64,
    ) {
        let room = valuation.loss_room(self.accounts.get(account).day_base, limits);
        let headroom = valuation.headroom();
        // More room than fits is kept as less; nothing else is kept as what it is not.
        let room_kept = |room: i128| i64::try_from(room.min(i64::MAX.into())).ok();
        let kept = room_kept(headroom).zip(room_kept(room));
        let sensitivity = i64::try_from(valuation.sensitivity).ok();
        let known = !valuation.missing && !valuation.stale;
        let room = kept.zip(sensitivity).filter(|_| known);
        let room = room.map(|((headroom, loss_room), sensitivity)| Room {
            headroom,
            loss_room,
            sensitivity,
        });
        self.keep_room(account, limits, valuation.groups, room, now_ns);
    }

    /// The same of an account that is involved in these groups; `room` is `None` where nothing is proved.
    #[inline(always)]
    pub(crate) fn keep_room(
        &mut self,
        account: u32,
        limits: &AccountLimits,
        groups: u64,
        room: Option<Room>,
        now_ns: u64,
    ) {
        let drift = &mut self.instruments.drift;
        drift.look_at(groups, now_ns);
        let this = self.accounts.get_mut(account);
        let Some(room) = room else {
            (this.bound, this.unspent) = (Bound::NONE, None);
            return;
        };
        this.unspent = Some((room.headroom, room.sensitivity));
        this.bound_limits = BoundLimits::of(limits);
        this.bound = Bound {
            headroom: room.headroom,
            loss_room: room.loss_room,
            sensitivity: room.sensitivity,
            groups,
            good_at: drift.clock(),
        };
    }

    /// Gives a bound back what orders took that are all gone, for an order of such a need; whether there was
    /// anything that it could be proved from. Whoever finds that it is not has the account valued.
    #[inline(always)]
    pub(crate) fn restore_bound(&mut self, account: u32, need: Option<i64>) -> bool {
        let this = self.accounts.get_mut(account);
        if this.open_orders != 0 {
            return false;
        }
        match (this.unspent, need) {
            (Some(unspent), Some(need)) if unspent.0 > this.bound.headroom && unspent.0 >= need => {
                (this.bound.headroom, this.bound.sensitivity) = unspent;
                true
            }
            _ => false,
        }
    }

    /// Moves a bound, as it was before a fill against an order's hold, by what the fill could cost.
    pub(crate) fn spend_fill(
        &mut self,
        account: u32,
        slot: u32,
        fill: &Filled,
        table: &LimitTable,
    ) {
        let instrument = self.positions.get(slot).instrument;
        let limits = table.instrument(InstrumentId::new(instrument));
        let this = self.accounts.get_mut(account);
        let Some(limits) = limits else {
            (this.bound, this.unspent) = (Bound::NONE, None);
            return;
        };
        (this.bound, this.unspent) = (fill.bound, fill.unspent);
        let traded = self.instruments.get(instrument);
        this.spend_fill(&fill.trade, instrument, traded, limits.value.quanta());
    }
}

impl Instrument {
    /// Quanta that a trade loses against the reference price; `None` where there is no price, or where it leaves i64.
    #[inline(always)]
    fn lost(&self, trade: &Trade, value: i64) -> Option<i64> {
        let through = i128::from(trade.price) - i128::from(self.price()?);
        let Ok(through) = i64::try_from(through) else {
            return None;
        };
        let lost = i128::from(trade.signed) * i128::from(through);
        i64::try_from(quanta(lost.max(0), value)).ok()
    }

    /// The most that an order of `qty` lots could add to the requirement: its whole notional at the
    /// steepest ratio, and its adverse money. `None` where that leaves i64: nothing is proved then.
    #[inline(always)]
    pub(crate) fn need(&self, qty: i64, adverse: i64) -> Option<i64> {
        let lots = self.lot_need.checked_mul(qty)?;
        lots.checked_add(1)?.checked_add(adverse)
    }
}

impl Account {
    /// Whether LOSS_MAX and MARGIN pass, and each position's reference is fresh, without looking at
    /// any: `need` is the most the order could add to the requirement.
    #[inline(always)]
    pub(crate) fn proves(&self, drift: &Drift, need: i64, now: Moment) -> bool {
        let of_all = self.bound.share_of_all(drift, now.ns);
        if of_all.is_some_and(|share| self.bound.covers(need, share)) {
            return true;
        }
        cold_path();
        self.proves_otherwise(drift, need, now)
    }

    /// The same by its own groups and by the finer levels, which takes longer. Not where its bound is only
    /// worn: it is then given back what gone orders took, or worked out anew, and many orders to come are
    /// proved the short way.
    #[inline(never)]
    fn proves_otherwise(&self, drift: &Drift, need: i64, now: Moment) -> bool {
        // What was unspent is in a line that nobody has fetched: not looked at where that decides nothing.
        self.bound.covers(need, 0)
            && !self.is_worn(drift, need, now)
            && self.bound.proves_finely(drift, need, now.ns)
    }

    /// Whether the coarsest level would do, had no order taken anything of the bound since the account was
    /// valued. While some are open that is asked at one command of [`COMMANDS_A_VALUATION`] alone, and for
    /// many orders: by then the finer levels have taken as long as another valuation does, and earlier
    /// the last order may be gone, and the bound be given back for nothing.
    fn is_worn(&self, drift: &Drift, need: i64, now: Moment) -> bool {
        let of_all = self.bound.share_of_all(drift, now.ns);
        // Where the coarsest level tells nothing, what was unspent is in a line that nobody has fetched.
        let Some(share) = of_all else { return false };
        let Some((headroom, sensitivity)) = self.unspent else {
            return false;
        };
        let unspent = Bound {
            headroom,
            sensitivity,
            ..self.bound
        };
        if self.open_orders == 0 {
            return headroom > self.bound.headroom && unspent.covers(need, share);
        }
        let many = need.saturating_mul(MANY_ORDERS);
        now.seq.is_multiple_of(COMMANDS_A_VALUATION) && unspent.covers(many, share)
    }

    /// Moves the bound by what a fill against an order's hold could cost.
    #[inline(always)]
    pub(crate) fn spend_fill(
        &mut self,
        trade: &Trade,
        instrument: u32,
        traded: &Instrument,
        value: i64,
    ) {
        let fee = trade.fee.max(0);
        let lost = traded.lost(trade, value);
        let bound = lost.and_then(|lost| self.bound.after_fill(lost, fee));
        let unspent = self.unspent.and_then(|(headroom, sensitivity)| {
            let kept = Bound {
                headroom: headroom.checked_sub(fee)?,
                sensitivity,
                ..Bound::NONE
            };
            let qty = trade.signed.checked_abs()?;
            let spent = Spent {
                instrument,
                qty,
                need: lost.and_then(|lost| traded.need(qty, lost)),
            };
            kept.after(&spent, traded.lot_value)
        });
        (self.bound, self.unspent) = (bound.unwrap_or(Bound::NONE), unspent);
    }

    /// Cash and day base moved alike. An account last found below its maintenance margin is valued
    /// again in any case, so that it is found above it.
    pub(crate) fn move_room(&mut self, quanta: i64) {
        let moved = |room: i64| room.checked_add(quanta);
        let unspent = self.unspent;
        self.unspent =
            unspent.and_then(|(headroom, sensitivity)| Some((moved(headroom)?, sensitivity)));
        match moved(self.bound.headroom) {
            Some(headroom) if !self.below_maintenance => self.bound.headroom = headroom,
            _ => self.bound = Bound::NONE,
        }
    }
}

impl Bound {
    /// Whether an account need not be valued, unless its room has been eaten up: a hint.
    #[inline(always)]
    pub(crate) fn stands(&self, drift: &Drift, now_ns: u64) -> bool {
        self.share_of_all(drift, now_ns).is_some()
            || drift.least_share(self.groups, self.good_at, now_ns) != GONE
    }

    /// What drift may have taken by the coarsest level of all instruments, where that tells.
    #[inline(always)]
    fn share_of_all(&self, drift: &Drift, now_ns: u64) -> Option<u64> {
        drift.share_of_all(self.groups, self.good_at, now_ns)
    }

    /// Whether it proves an order by the account's own groups and by the finer levels.
    fn proves_finely(&self, drift: &Drift, need: i64, now_ns: u64) -> bool {
        let least = drift.least_share(self.groups, self.good_at, now_ns);
        least != GONE && self.covers(need, least)
    }

    /// Takes what an accepted order could need out of it.
    #[inline(always)]
    pub(crate) fn spend(&mut self, spent: &Spent, instrument: &Instrument) {
        let Some((headroom, sensitivity)) = self.after(spent, instrument.lot_value) else {
            *self = Self::NONE;
            return;
        };
        self.headroom = headroom;
        self.sensitivity = sensitivity;
        self.groups |= group_bit(spent.instrument);
    }

    /// Whether there is room for `need` after drift has taken its share.
    #[inline(always)]
    fn covers(&self, need: i64, share: u64) -> bool {
        let product = u128::from(self.sensitivity as u64) * u128::from(share);
        // One quantum for the part cut off here, two for those that a valuation rounds.
        let Some(eaten) = ((product >> 64) as i64).checked_add(3) else {
            return false;
        };
        let Some(room) = self.headroom.checked_sub(need) else {
            return false;
        };
        eaten <= room && eaten <= self.loss_room
    }

    /// The bound after a fill that lost so much; `None` where something leaves i64.
    #[inline(always)]
    fn after_fill(&self, lost: i64, fee: i64) -> Option<Self> {
        let lost = lost.checked_add(fee)?;
        Some(Self {
            headroom: self.headroom.checked_sub(fee)?,
            loss_room: self.loss_room.checked_sub(lost)?,
            ..*self
        })
    }

    /// Headroom and sensitivity after an accepted order; `None` where one leaves i64.
    #[inline(always)]
    fn after(&self, spent: &Spent, lot_value: i64) -> Option<(i64, i64)> {
        let headroom = self.headroom.checked_sub(spent.need?)?;
        // The lots count once as held and once in the worst case, as in a valuation.
        let swing = lot_value.checked_mul(spent.qty)?;
        let once = self.sensitivity.checked_add(swing)?;
        Some((headroom, once.checked_add(swing)?))
    }
}

/// A fill, and what was known of its account before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filled {
    pub(crate) trade: Trade,
    pub(crate) bound: Bound,
    pub(crate) unspent: Option<(i64, i64)>,
}

/// What an accepted order takes out of its account's bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) instrument: u32,
    pub(crate) qty: i64,
    /// `None` where it leaves i64.
    pub(crate) need: Option<i64>,
}

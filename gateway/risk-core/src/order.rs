//! One order: the version the engine has confirmed, those asked for beside it, and what they hold.
//!
//! Risk thread. Invariants: an order's hold is, for lots, money and notional each for itself, the
//! largest over its confirmed version and the unanswered ones; what a new order needs is one cache
//! line, and unanswered versions stand apart from it.

use portcullis_domain::{OrderKey, SessionId, Side, TimeInForce, UserRef, quanta};

/// Versions that may be unanswered at a time.
pub(crate) const PENDING_MAX: usize = 4;

/// No slot.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum OrderState {
    /// Never used, or not since client numbers began anew.
    Free,
    /// Open at the engine, or on its way there.
    Open,
    /// Closed; kept so that late reports find it.
    Closed,
}

impl OrderState {
    /// The state with this raw value.
    pub(super) const fn from_raw(raw: u8) -> Option<Self> {
        match raw {
            0 => Some(Self::Free),
            1 => Some(Self::Open),
            2 => Some(Self::Closed),
            _ => None,
        }
    }
}

/// One version of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// Limit in ticks.
    pub(crate) price: i64,
    /// Lots open if this version holds.
    pub(crate) leaves: i64,
    /// UserRefNum.
    pub(crate) number: u32,
    pub(crate) time_in_force: TimeInForce,
}

pub(super) const NO_VERSION: Version = Version {
    price: 0,
    leaves: 0,
    number: 0,
    time_in_force: TimeInForce::Day,
};

/// An order, without the versions that are unanswered: one cache line.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Order {
    /// The version the engine has confirmed, or the one entered.
    pub(crate) confirmed: Version,
    /// Lots of the chain executed so far.
    pub(crate) executed: i64,
    /// Slot of its position; while it is open.
    pub(crate) position: u32,
    pub(crate) account: u32,
    pub(crate) instrument: u32,
    pub(crate) session: SessionId,
    pub(crate) generation: u32,
    pub(super) next: u32,
    pub(super) previous: u32,
    pub(crate) row: u8,
    pub(crate) side: Side,
    pub(crate) state: OrderState,
    pub(super) marks: Marks,
}

const _: () = assert!(size_of::<Order>() == 64, "an order is one cache line");

/// How many versions are unanswered, and what else is known of an order, in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks(u8);

const PENDING_MASK: u8 = 0x07;
const RESERVED: u8 = 0x10;
const CANCELING: u8 = 0x20;

const _: () = assert!(PENDING_MAX <= PENDING_MASK as usize);

impl Marks {
    pub(super) const NONE: Self = Self(0);

    /// The byte, to be saved.
    pub(super) const fn raw(self) -> u8 {
        self.0
    }

    /// The marks of a byte, if any order can have them.
    pub(super) const fn from_raw(raw: u8) -> Option<Self> {
        let marks = Self(raw);
        let known = raw & !(PENDING_MASK | RESERVED | CANCELING) == 0;
        if known && marks.pending_len() <= PENDING_MAX {
            Some(marks)
        } else {
            None
        }
    }

    pub(super) const fn with_reserved(reserved: bool) -> Self {
        Self(if reserved { RESERVED } else { 0 })
    }

    pub(super) const fn pending_len(self) -> usize {
        (self.0 & PENDING_MASK) as usize
    }

    /// # Panics
    /// If more versions are unanswered than there can be.
    pub(super) const fn set_pending_len(&mut self, len: usize) {
        assert!(len <= PENDING_MAX, "more versions than can be unanswered");
        self.0 = self.0 & !PENDING_MASK | len as u8;
    }
}

/// An order with its unanswered versions, to look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholeOrder<'a> {
    pub(super) order: &'a Order,
    /// The unanswered versions, oldest first.
    pub(crate) pending: &'a [Version],
}

impl core::ops::Deref for WholeOrder<'_> {
    type Target = Order;

    fn deref(&self) -> &Order {
        self.order
    }
}

/// What an order holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) lots: i64,
    /// leaves x limit, in lots x ticks: times tick_lot_value it is money.
    pub(crate) lot_ticks: i128,
    /// leaves x how far the limit is through the reference, in lots x ticks.
    pub(crate) adverse_lot_ticks: i128,
}

impl Version {
    pub(crate) fn hold(&self, side: Side, reference: Option<i64>) -> Hold {
        Hold {
            lots: self.leaves,
            lot_ticks: i128::from(self.leaves) * i128::from(self.price),
            adverse_lot_ticks: reference.map_or(0, |at| self.adverse_lot_ticks(side, at)),
        }
    }

    /// leaves x how far the limit is through a price.
    #[inline(always)]
    pub(crate) fn adverse_lot_ticks(&self, side: Side, at: i64) -> i128 {
        let through = match side {
            Side::Buy => self.price - at,
            Side::Sell => at - self.price,
        };
        let through = through.max(0);
        // One multiplication where the product is what orders have.
        match self.leaves.checked_mul(through) {
            Some(narrow) => narrow.into(),
            None => i128::from(self.leaves) * i128::from(through),
        }
    }

    /// Quanta of its leaves at its limit, where a tick of a lot is `value` quanta.
    #[inline(always)]
    pub(crate) fn notional(&self, value: i64) -> i128 {
        let narrow = self.leaves.checked_mul(self.price);
        match narrow.and_then(|lot_ticks| lot_ticks.checked_mul(value)) {
            Some(narrow) => narrow.into(),
            None => quanta(i128::from(self.leaves) * i128::from(self.price), value),
        }
    }
}

impl Hold {
    /// Each for itself, the larger.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            lots: self.lots.max(other.lots),
            lot_ticks: self.lot_ticks.max(other.lot_ticks),
            adverse_lot_ticks: self.adverse_lot_ticks.max(other.adverse_lot_ticks),
        }
    }
}

impl Order {
    pub(super) const FREE: Self = Self {
        confirmed: NO_VERSION,
        executed: 0,
        position: NONE,
        account: NONE,
        instrument: NONE,
        session: SessionId::NONE,
        generation: 0,
        next: NONE,
        previous: NONE,
        row: 0,
        side: Side::Buy,
        state: OrderState::Free,
        marks: Marks::NONE,
    };

    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, OrderState::Open)
    }

    /// Whether versions of it are unanswered.
    pub(crate) const fn has_unanswered(&self) -> bool {
        self.marks.pending_len() > 0
    }

    /// Whether it stands on a slot kept for reducing orders.
    pub(crate) const fn is_reserved(&self) -> bool {
        self.marks.0 & RESERVED != 0
    }

    /// Whether the gateway itself has asked for its cancel.
    pub(crate) const fn is_canceling(&self) -> bool {
        self.marks.0 & CANCELING != 0
    }

    pub(crate) const fn set_canceling(&mut self, canceling: bool) {
        self.marks.0 = self.marks.0 & !CANCELING | if canceling { CANCELING } else { 0 };
    }

    /// The key of one of its versions.
    #[inline(always)]
    pub(crate) fn key(&self, number: u32) -> OrderKey {
        OrderKey::new(self.session, self.user_ref(number))
    }

    pub(crate) const fn user_ref(&self, number: u32) -> UserRef {
        UserRef {
            row: self.row,
            number,
        }
    }
}

impl<'a> WholeOrder<'a> {
    /// The last version admitted and not refused.
    pub(crate) fn last_version(self) -> &'a Version {
        self.pending.last().unwrap_or(&self.order.confirmed)
    }

    /// Confirmed and unanswered versions.
    pub(crate) fn versions(self) -> impl Iterator<Item = &'a Version> {
        core::iter::once(&self.order.confirmed).chain(self.pending)
    }

    /// What the order holds against a reference price.
    pub(crate) fn hold(self, reference: Option<i64>) -> Hold {
        let confirmed = self.confirmed.hold(self.side, reference);
        self.pending
            .iter()
            .map(|version| version.hold(self.side, reference))
            .fold(confirmed, Hold::max)
    }
}

//! Mass cancels under way: what to cancel, and how far each has come.
//!
//! Risk thread. Invariants: a bounded queue, worked off in slices short enough that an order behind
//! one waits for less than a microsecond; each slice comes nearer to the end, so that a sweep of m
//! orders among o open ones in a slab of s slots ends within m / [`ORDERS_A_SLICE`] +
//! o / [`LOOKS_A_SLICE`] + s / (64 x [`WORDS_A_SLICE`]) + 3 slices (of a firm's, four times the
//! second); an order is asked for once by the gateway itself, until the engine refuses the cancel or
//! a replace is let through after it.

extern crate alloc;

use crate::approach::LineSink;
use crate::order::Order;
use crate::orders::Orders;
use crate::saved::{Read, Words};
use alloc::boxed::Box;
use portcullis_domain::{AccountId, InstrumentId, Scope, SessionId, Side};

/// Which orders a sweep is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Filter {
    /// A scope's.
    Scope(Scope),
    /// A client's own, narrowed as it asked.
    Client {
        session: SessionId,
        account: AccountId,
        instrument: InstrumentId,
        side: Option<Side>,
    },
}

#[derive(Clone, Copy, Debug)]
struct Sweep {
    filter: Filter,
    next_slot: u32,
}

/// The kind of a client's own filter in words, after those of scopes.
const CLIENT: u32 = 5;

/// The queue.
#[derive(Debug)]
pub(crate) struct Sweeps {
    queue: Box<[Option<Sweep>]>,
    head: usize,
    len: usize,
}

/// Orders asked for in one slice: each is at least one effect, and one report of the engine.
pub(crate) const ORDERS_A_SLICE: u32 = 4;

/// Open orders looked at in one slice: a line each.
const LOOKS_A_SLICE: u32 = 32;

/// Words of 64 slots looked at in one slice, where few are open: eight lines.
const WORDS_A_SLICE: u32 = 64;

/// What is left of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    looks: u32,
    words: u32,
}

impl Slice {
    pub(crate) const WHOLE: Self = Self {
        looks: LOOKS_A_SLICE,
        words: WORDS_A_SLICE,
    };

    const fn is_over(self) -> bool {
        self.looks == 0 || self.words == 0
    }
}

impl Filter {
    /// Lines that a look at an order takes, but for its own: its account's, which is far away.
    const fn looks(&self) -> u32 {
        match self {
            Self::Scope(Scope::Firm(_)) => 4,
            Self::Scope(_) | Self::Client { .. } => 1,
        }
    }

    fn matches(&self, order: &Order, firms: (u32, u32)) -> bool {
        match *self {
            Self::Scope(Scope::Venue) => true,
            Self::Scope(Scope::Firm(firm)) => firm.raw() == firms.0 || firm.raw() == firms.1,
            Self::Scope(Scope::Account(account)) => order.account == account.raw(),
            Self::Scope(Scope::Instrument(instrument)) => order.instrument == instrument.raw(),
            Self::Scope(Scope::Session(session)) => order.session == session,
            Self::Client {
                session,
                account,
                instrument,
                side,
            } => {
                order.session == session
                    && (account == AccountId::NONE || order.account == account.raw())
                    && (instrument == InstrumentId::NONE || order.instrument == instrument.raw())
                    && side.is_none_or(|side| order.side == side)
            }
        }
    }
}

impl Sweeps {
    pub(crate) fn new(sweeps_max: usize) -> Self {
        Self {
            queue: alloc::vec![None; sweeps_max].into_boxed_slice(),
            head: 0,
            len: 0,
        }
    }

    /// Whether a sweep is under way.
    pub(crate) const fn is_pending(&self) -> bool {
        self.len > 0
    }

    /// Begins a sweep; `false` where the queue is full.
    #[must_use]
    pub(crate) fn begin(&mut self, filter: Filter) -> bool {
        if self.len == self.queue.len() {
            return false;
        }
        let tail = (self.head + self.len) % self.queue.len();
        self.queue[tail] = Some(Sweep {
            filter,
            next_slot: 0,
        });
        self.len += 1;
        true
    }

    /// The next order to ask a cancel for, moving on; `None` when this slice is over.
    /// `firms_of` gives firm and clearing member of an account.
    pub(crate) fn next(
        &mut self,
        orders: &Orders,
        slice: &mut Slice,
        firms_of: impl Fn(u32) -> (u32, u32),
    ) -> Option<u32> {
        while self.len > 0 && !slice.is_over() {
            let head = self.head;
            let sweep = self.queue[head].as_mut().expect("a counted sweep is there");
            let Some(bits) = orders.open_from(sweep.next_slot) else {
                slice.words -= 1;
                self.queue[head] = None;
                self.head = (self.head + 1) % self.queue.len();
                self.len -= 1;
                continue;
            };
            if bits == 0 {
                slice.words -= 1;
                sweep.next_slot = (sweep.next_slot / 64 + 1) * 64;
                continue;
            }
            slice.looks = slice.looks.saturating_sub(sweep.filter.looks());
            let slot = sweep.next_slot + bits.trailing_zeros();
            sweep.next_slot = slot + 1;
            let order = orders.get(slot);
            if !order.is_canceling() && sweep.filter.matches(order, firms_of(order.account)) {
                return Some(slot);
            }
        }
        None
    }

    /// The lines of the orders that the next slice will look at first.
    pub(crate) fn visit_lines(&self, orders: &Orders, lines: &mut impl LineSink) {
        let Some(sweep) = self.queue[self.head].as_ref() else {
            return;
        };
        let mut slot = sweep.next_slot;
        let mut slice = Slice::WHOLE;
        while !slice.is_over()
            && let Some(bits) = orders.open_from(slot)
        {
            if bits == 0 {
                slice.words -= 1;
                slot = (slot / 64 + 1) * 64;
                continue;
            }
            slice.looks -= 1;
            slot += bits.trailing_zeros();
            orders.visit_order(slot, lines);
            slot += 1;
        }
    }

    /// What [`Sweeps::visit_words`] gave.
    pub(crate) fn load(&mut self, words: &mut Words<'_>) -> Read<()> {
        words.begin("sweeps");
        self.len = words.at_most(self.queue.len(), "more than there is room for")?;
        for place in 0..self.len {
            self.queue[place] = Some(Sweep::load(words)?);
        }
        Ok(())
    }

    /// Gives the canonical words to `push`.
    pub(crate) fn visit_words(&self, push: &mut impl FnMut(u64)) {
        push(self.len as u64);
        for offset in 0..self.len {
            let sweep = self.queue[(self.head + offset) % self.queue.len()];
            let sweep = sweep.expect("a counted sweep is there");
            push(sweep.next_slot.into());
            match sweep.filter {
                Filter::Scope(scope) => {
                    let (kind, index) = scope.to_raw();
                    push(u64::from(kind) << 32 | u64::from(index));
                }
                Filter::Client {
                    session,
                    account,
                    instrument,
                    side,
                } => {
                    push(u64::from(CLIENT) << 32 | u64::from(session.raw()));
                    push(u64::from(account.raw()) << 32 | u64::from(instrument.raw()));
                    push(side.map_or(2, |side| side as u64));
                }
            }
        }
    }
}

impl Sweep {
    fn load(words: &mut Words<'_>) -> Read<Self> {
        // No slab has slots behind.
        let next_slot = words.at_most(1 << 31, "a slot out of range")? as u32;
        let (kind, index) = words.halves()?;
        let filter = if kind == CLIENT {
            let session = SessionId::new(index);
            let (account, instrument) = words.halves()?;
            let side = match words.at_most(2, "a side that there is not")? {
                0 => Some(Side::Buy),
                1 => Some(Side::Sell),
                _ => None,
            };
            Filter::Client {
                session,
                account: AccountId::new(account),
                instrument: InstrumentId::new(instrument),
                side,
            }
        } else {
            let scope = u8::try_from(kind).ok();
            let scope = scope.and_then(|kind| Scope::from_raw(kind, index));
            Filter::Scope(scope.ok_or(words.wrong("a scope that there is not"))?)
        };
        Ok(Self { filter, next_slot })
    }
}

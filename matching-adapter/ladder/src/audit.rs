//! Checks the whole state against its invariants; slow, for tests and after a restore.
//!
//! Runs on whichever thread holds the ladder. It reads through other ways than the matching does
//! where there is one (sums are added up anew, queues are walked both ways) and must never change or
//! repair anything.

use core::fmt;

use portcullis_domain::{InstrumentId, SessionId, Side};

use crate::ladder::Ladder;
use crate::levels::{Level, NONE};

/// An invariant that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditFault {
    /// Which invariant, in words.
    pub what: &'static str,
    /// In which instrument; `InstrumentId::NONE` where it is none of an instrument.
    pub instrument: InstrumentId,
    /// At which order; 0 where it is none of an order.
    pub order_ref: u64,
}

impl fmt::Display for AuditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            instrument,
            order_ref,
        } = self;
        write!(
            f,
            "ladder audit: {what} (instrument {}, order {order_ref})",
            instrument.raw()
        )
    }
}

impl core::error::Error for AuditFault {}

impl Ladder {
    /// Looks at every order, level and session.
    ///
    /// # Errors
    /// The first invariant found broken. It allocates nothing and takes time in proportion to what
    /// rests.
    pub fn audit(&self) -> Result<(), AuditFault> {
        let mut orders = 0;
        let mut levels = 0;
        for index in 0..self.config.instruments.len() as u32 {
            let instrument = InstrumentId::new(index);
            for side in [Side::Buy, Side::Sell] {
                let (more_orders, more_levels) = self.audit_side(instrument, side)?;
                orders += more_orders;
                levels += more_levels;
            }
            let bid = self.books.best(instrument, Side::Buy);
            let ask = self.books.best(instrument, Side::Sell);
            let crossed = bid
                .zip(ask)
                .is_some_and(|(bid, ask)| bid.price >= ask.price);
            hold(!crossed, "the book is crossed", instrument, 0)?;
        }
        let none = InstrumentId::NONE;
        hold(
            orders == self.open_orders(),
            "orders on books and in slab differ",
            none,
            0,
        )?;
        hold(
            levels == self.books.levels().used(),
            "levels on books and in pool differ",
            none,
            0,
        )?;
        hold(
            orders == self.audit_sessions()?,
            "orders in lists and in slab differ",
            none,
            0,
        )
    }

    fn audit_side(&self, instrument: InstrumentId, side: Side) -> Result<(u32, u32), AuditFault> {
        let mut walk = self.books.walk(instrument, side);
        let mut before: Option<&Level> = None;
        let (mut orders, mut levels) = (0, 0);
        while let Some(level) = self.books.next_level(&mut walk) {
            let ordered = before.is_none_or(|before| match side {
                Side::Buy => level.price < before.price,
                Side::Sell => level.price > before.price,
            });
            hold(ordered, "levels are out of order", instrument, 0)?;
            if before.is_none() {
                let best = self.books.best(instrument, side).map(|best| best.price);
                hold(
                    best == Some(level.price),
                    "the best level is not the first",
                    instrument,
                    0,
                )?;
            }
            orders += self.audit_level(instrument, side, level)?;
            levels += 1;
            before = Some(level);
        }
        let none_best = self.books.best(instrument, side).is_none();
        hold(
            none_best == (levels == 0),
            "a best level of an empty side",
            instrument,
            0,
        )?;
        Ok((orders, levels))
    }

    fn audit_level(
        &self,
        instrument: InstrumentId,
        side: Side,
        level: &Level,
    ) -> Result<u32, AuditFault> {
        let (mut slot, mut older) = (level.head, NONE);
        let (mut orders, mut qty, mut last_ref) = (0_u32, 0_i64, 0_u64);
        while slot != NONE {
            let node = self.books.orders().node(slot);
            let order = &node.order;
            let here = |truth, what| hold(truth, what, instrument, order.order_ref);
            here(
                node.older == older,
                "a queue does not read the same both ways",
            )?;
            here(
                order.order_ref > last_ref,
                "a queue is not first in, first out",
            )?;
            here(
                order.order_ref < self.order_ref_next,
                "a reference number from the future",
            )?;
            here(
                order.price == level.price,
                "an order at another price than its level",
            )?;
            here(
                order.instrument == instrument,
                "an order in another instrument's book",
            )?;
            here(order.side == side, "an order on the other side")?;
            here(order.leaves > 0, "an order without open lots rests")?;
            here(!order.is_immediate(), "an immediate-or-cancel order rests")?;
            let found = self.books.orders().find(order.session, order.user_ref);
            here(found == Some(slot), "an order is not found by its key")?;
            orders += 1;
            qty += order.leaves;
            last_ref = order.order_ref;
            older = slot;
            slot = node.newer;
        }
        hold(
            older == level.tail,
            "a queue does not end at its tail",
            instrument,
            last_ref,
        )?;
        hold(
            orders == level.orders && orders > 0,
            "a level's count is wrong",
            instrument,
            0,
        )?;
        hold(qty == level.qty, "a level's sum is wrong", instrument, 0)?;
        Ok(orders)
    }

    fn audit_sessions(&self) -> Result<u32, AuditFault> {
        let mut orders = 0;
        for index in 0..self.books.orders().sessions() {
            let session = SessionId::new(index);
            let mut last_ref = 0;
            for order in self.session_orders(session) {
                let here = |truth, what| hold(truth, what, order.instrument, order.order_ref);
                here(
                    order.session == session,
                    "an order in another session's list",
                )?;
                here(order.order_ref > last_ref, "a session's list is not by age")?;
                last_ref = order.order_ref;
                orders += 1;
            }
        }
        Ok(orders)
    }
}

fn hold(
    truth: bool,
    what: &'static str,
    instrument: InstrumentId,
    order_ref: u64,
) -> Result<(), AuditFault> {
    if truth {
        return Ok(());
    }
    Err(AuditFault {
        what,
        instrument,
        order_ref,
    })
}

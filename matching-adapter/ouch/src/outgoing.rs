//! An approved order as the engine's message.
//!
//! Pure functions on the venue's thread. Invariant: where the client's bytes say what the order
//! asks, they go on with nothing changed but the price, the time in force and the numbers that the
//! order forces; only where there are none, or none that fit, a message is made anew. It must never
//! send a quantity or limit that the core did not approve.

use portcullis_domain::{Price, Qty, TimeInForce, UserRef};
use portcullis_venue::{OutboundAction, OutboundOrder};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AppendageBuilder, CancelOrder, Capacity, CrossType, Display, Element, EnterOrder, Inbound,
    KnownEnter, ModifyOrder, OrderPatch, ReplaceOrder, TimeInForce as WireTimeInForce, UserRefNum,
    YesNo,
};

use crate::config::EngineInstrument;
use crate::in_flight::Asked;

/// A message to the engine that was written, and what it asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    pub(crate) asked: Asked,
    /// Bytes of it.
    pub(crate) len: usize,
    /// Of a new order: its quantity in wire units.
    pub(crate) qty_wire: u32,
}

/// Writes the message of an order, for which there is room whatever it says; `None` if the protocol cannot say it.
#[inline(never)]
pub(crate) fn write(
    order: &OutboundOrder,
    raw: &[u8],
    instrument: &EngineInstrument,
    out: &mut [u8],
) -> Option<Outgoing> {
    match order.action {
        OutboundAction::Enter { .. } => write_enter(order, raw, instrument, out),
        OutboundAction::Replace {
            original,
            qty_total,
            price,
            time_in_force,
            was_market,
        } => {
            let terms = Terms::of(instrument, qty_total, price, time_in_force)?;
            let len = forward_replace(order, original, raw, &terms, was_market, out)
                .or_else(|| make_replace(order, original, &terms, out))?;
            let number = order.user_ref;
            Some(Outgoing {
                asked: Asked::Replace { number, original },
                len,
                qty_wire: terms.qty_wire,
            })
        }
        OutboundAction::Cancel {
            qty_total,
            by_gateway: _,
        } => write_cancel(order, qty_total, raw, instrument, out),
    }
}

/// The same of a new order; `None` also of what is none.
///
/// By itself, and in line, so that what it is goes from registers to where it is kept. Where it may be another kind, it is
/// put down in narrow pieces and taken up in wide ones, which wait for each store.
#[inline(always)]
pub(crate) fn write_enter(
    order: &OutboundOrder,
    raw: &[u8],
    instrument: &EngineInstrument,
    out: &mut [u8],
) -> Option<Outgoing> {
    let OutboundAction::Enter {
        qty,
        price,
        time_in_force,
        was_market,
    } = order.action
    else {
        return None;
    };
    let terms = Terms::of(instrument, qty, price, time_in_force)?;
    let len = match forward_enter(order, raw, &terms, was_market, out) {
        Some(len) => len,
        None => make_enter(order, &terms, instrument.symbol, out)?,
    };
    let number = order.user_ref;
    Some(Outgoing {
        asked: Asked::Enter { number },
        len,
        qty_wire: terms.qty_wire,
    })
}

/// What the core approved, in the engine's units.
struct Terms {
    qty_wire: u32,
    price_wire: u64,
    time_in_force: WireTimeInForce,
}

impl Terms {
    #[inline]
    fn of(
        instrument: &EngineInstrument,
        qty: Qty,
        price: Price,
        time_in_force: TimeInForce,
    ) -> Option<Self> {
        Some(Self {
            qty_wire: instrument.scale.qty_to_wire(qty).ok()?,
            price_wire: instrument.scale.price_to_wire(price).ok()?,
            time_in_force: match time_in_force {
                // OUCH has no order that outlives the day.
                TimeInForce::Day | TimeInForce::GoodTillCancel => WireTimeInForce::Day,
                TimeInForce::ImmediateOrCancel => WireTimeInForce::Ioc,
                // The seconds stand in the client's bytes alone; made anew it cannot be.
                TimeInForce::GoodTillTime => WireTimeInForce::Gtt,
            },
        })
    }
}

#[inline]
fn forward_enter(
    order: &OutboundOrder,
    raw: &[u8],
    terms: &Terms,
    was_market: bool,
    out: &mut [u8],
) -> Option<usize> {
    // Checked whole when it came in, or the core would not have approved it.
    let enter = KnownEnter::of(raw)?;
    let same = enter.user_ref_idx() == order.user_ref.row
        && enter.quantity() == terms.qty_wire
        && enter.side()?.side() == order.side
        && (was_market || enter.price() == terms.price_wire);
    if !same {
        return None;
    }
    let copy = OrderPatch::copy_of_enter(&enter, out)?;
    patch(copy, order.user_ref, terms, was_market)?;
    Some(raw.len())
}

fn forward_replace(
    order: &OutboundOrder,
    original: UserRef,
    raw: &[u8],
    terms: &Terms,
    was_market: bool,
    out: &mut [u8],
) -> Option<usize> {
    let Ok(Inbound::ReplaceOrder(view)) = Inbound::parse(raw) else {
        return None;
    };
    let same = view.user_ref_idx() == order.user_ref.row
        && view.quantity() == terms.qty_wire
        && (was_market || view.price() == terms.price_wire);
    if !same {
        return None;
    }
    let mut copy = OrderPatch::copy_of_replace(&view, out)?;
    if view.orig_user_ref_num().get() != original.number {
        // The client named a version that is gone; the engine knows the order by a later one.
        copy.set_orig_user_ref_num(UserRefNum::new(original.number)?);
    }
    patch(copy, order.user_ref, terms, was_market)?;
    Some(raw.len())
}

/// What the approved order forces into a client's own message.
#[inline]
fn patch(mut copy: OrderPatch<'_>, number: UserRef, terms: &Terms, was_market: bool) -> Option<()> {
    copy.set_user_ref_num(UserRefNum::new(number.number)?);
    if was_market {
        copy.set_price(terms.price_wire);
        copy.set_ioc();
    }
    Some(())
}

#[inline(never)]
fn make_enter(
    order: &OutboundOrder,
    terms: &Terms,
    symbol: Alpha<8>,
    out: &mut [u8],
) -> Option<usize> {
    let enter = EnterOrder {
        user_ref_num: UserRefNum::new(order.user_ref.number)?,
        side: order.side.into(),
        quantity: terms.qty_wire,
        symbol,
        price: terms.price_wire,
        time_in_force: terms.time_in_force,
        display: Display::Visible,
        capacity: Capacity::Principal,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::BLANK,
    };
    let row = row(order.user_ref.row);
    enter.encode(Some(row.finish()), out).ok()
}

fn make_replace(
    order: &OutboundOrder,
    original: UserRef,
    terms: &Terms,
    out: &mut [u8],
) -> Option<usize> {
    let replace = ReplaceOrder {
        orig_user_ref_num: UserRefNum::new(original.number)?,
        user_ref_num: UserRefNum::new(order.user_ref.number)?,
        quantity: terms.qty_wire,
        price: terms.price_wire,
        time_in_force: terms.time_in_force,
        display: Display::Visible,
        iso_eligible: YesNo::No,
        cl_ord_id: Alpha::BLANK,
    };
    let row = row(order.user_ref.row);
    replace.encode(Some(row.finish()), out).ok()
}

fn write_cancel(
    order: &OutboundOrder,
    qty_total: Qty,
    raw: &[u8],
    instrument: &EngineInstrument,
    out: &mut [u8],
) -> Option<Outgoing> {
    let target = order.user_ref;
    let number = UserRefNum::new(target.number)?;
    let asked = |remain_wire| Asked::Cancel {
        target,
        remain_wire,
    };
    let outgoing = |asked, len| Outgoing {
        asked,
        len,
        qty_wire: 0,
    };
    match Inbound::parse(raw) {
        Ok(Inbound::CancelOrder(view)) if view.user_ref_idx() == target.row => {
            let cancel = CancelOrder {
                user_ref_num: number,
                ..view.value()
            };
            let len = cancel.encode(view.appendage(), out).ok()?;
            Some(outgoing(asked(cancel.quantity), len))
        }
        Ok(Inbound::ModifyOrder(view)) if view.user_ref_idx() == target.row => {
            let modify = ModifyOrder {
                user_ref_num: number,
                ..view.value()
            };
            let len = modify.encode(view.appendage(), out).ok()?;
            Some(outgoing(asked(modify.quantity), len))
        }
        Ok(_) | Err(_) => {
            let cancel = CancelOrder {
                user_ref_num: number,
                quantity: instrument.scale.qty_to_wire(qty_total).ok()?,
            };
            let row = row(target.row);
            let appendage = (target.row != 0).then(|| row.finish());
            let len = cancel.encode(appendage, out).ok()?;
            Some(outgoing(asked(cancel.quantity), len))
        }
    }
}

/// The appendage that names a row of numbers; empty for row 0.
fn row(row: u8) -> AppendageBuilder {
    let mut builder = AppendageBuilder::new();
    if row != 0 {
        builder
            .push(Element::UserRefIdx(row))
            .expect("the first element");
    }
    builder
}

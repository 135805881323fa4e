//! The form in bytes of everything a ladder holds.
//!
//! Runs where the snapshot does. Invariant: `take` undoes `put`, and refuses each number that `put`
//! writes for no value. A change here is a new version of the format.

use portcullis_domain::{
    InstrumentId, Money, Price, Qty, QtyMeaning, SessionId, Side, TimeInForce, UserRef,
};

use super::RestoreError;
use super::codec::{Coded, Reader, Writer};
use crate::command::{Cancel, Command, Instruction, MassCancel, NewOrder, Replace};
use crate::counters::{Counters, InstrumentCounters};
use crate::orders::Order;
use crate::report::{CancelReason, Disposition, Liquidity, RejectReason, Report, ReportKind};
use crate::trades::{Trade, TradeSide};

/// A type that is a number under another name.
macro_rules! wrapped {
    ($($name:ident: $number:ty, $read:ident, $make:expr;)+) => {$(
        impl Coded for $name {
            fn put(&self, to: &mut Writer<'_>) {
                to.put(&self.$read());
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, RestoreError> {
                Ok($make(<$number>::take(from)?))
            }
        }
    )+};
}

wrapped! {
    SessionId: u32, raw, SessionId::new;
    InstrumentId: u32, raw, InstrumentId::new;
    Price: i64, ticks, Price::new;
    Qty: i64, lots, Qty::new;
    Money: i64, quanta, Money::new;
}

/// A struct, field after field.
macro_rules! fields {
    ($($name:ident { $($field:ident),+ })+) => {$(
        impl Coded for $name {
            fn put(&self, to: &mut Writer<'_>) {
                $(to.put(&self.$field);)+
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, RestoreError> {
                Ok(Self { $($field: from.field(stringify!($field))?),+ })
            }
        }
    )+};
}

fields! {
    UserRef { row, number }
    Order {
        session, user_ref, tag, order_ref, instrument, side, time_in_force, price, leaves, executed
    }
    TradeSide { session, user_ref, tag }
    Trade { instrument, qty, price, taker, maker, busted }
    NewOrder {
        session, user_ref, tag, instrument, side, qty, price, time_in_force, qty_min, instruction
    }
    Replace {
        session, original, user_ref, tag, qty, qty_meaning, price, time_in_force, instruction
    }
    Cancel { session, user_ref, qty, qty_meaning }
    MassCancel { session, instrument, side }
    Report { session, user_ref, tag, instrument, kind }
}

/// A struct of counts; half the range is kept free, so that no count overflows in this life.
macro_rules! counts {
    ($($name:ident { $($field:ident),+ })+) => {$(
        impl Coded for $name {
            fn put(&self, to: &mut Writer<'_>) {
                $(to.put(&self.$field);)+
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, RestoreError> {
                let mut counts = Self::default();
                $(
                    counts.$field = from.field(stringify!($field))?;
                    from.hold(counts.$field.leading_zeros() > 0)?;
                )+
                Ok(counts)
            }
        }
    )+};
}

counts! {
    Counters {
        accepted, replaced, rejected, replaces_rejected, trades, executed_qty, canceled_qty,
        busted_trades, busted_qty, news_ignored, replaces_ignored, cancels_ignored, busts_ignored
    }
    InstrumentCounters { accepted, rejected, trades, executed_qty, canceled_qty }
}

/// An enum without content, by a number a variant.
macro_rules! variants {
    ($($name:ident { $($variant:ident = $number:literal),+ })+) => {$(
        impl Coded for $name {
            fn put(&self, to: &mut Writer<'_>) {
                let number: u8 = match self { $(Self::$variant => $number),+ };
                to.put(&number);
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, RestoreError> {
                match u8::take(from)? {
                    $($number => Ok(Self::$variant),)+
                    _ => Err(from.wrong()),
                }
            }
        }
    )+};
}

variants! {
    Side { Buy = 0, Sell = 1 }
    TimeInForce { Day = 0, ImmediateOrCancel = 1, GoodTillCancel = 2, GoodTillTime = 3 }
    QtyMeaning { Open = 0, Total = 1 }
    Disposition { Resting = 0, Taking = 1, Dead = 2 }
    Liquidity { Added = 0, Removed = 1 }
    Instruction {
        Pegged = 0, Midpoint = 1, PostOnly = 2, Hidden = 3, Reserve = 4, Cross = 5, Discretion = 6,
        Routed = 7, Stop = 8, TradeNow = 9, SideChange = 10
    }
}

/// An enum with content: a number a variant, then its fields.
macro_rules! choices {
    ($($name:ident { $($number:literal = $variant:ident $content:tt),+ })+) => {$(
        impl Coded for $name {
            fn put(&self, to: &mut Writer<'_>) {
                match self { $(choices!(@pattern $variant $content) => {
                    let number: u8 = $number;
                    to.put(&number);
                    choices!(@put to $content);
                })+ }
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, RestoreError> {
                match u8::take(from)? {
                    $($number => Ok(choices!(@take from $variant $content)),)+
                    _ => Err(from.wrong()),
                }
            }
        }
    )+};
    (@pattern $variant:ident ()) => { Self::$variant };
    (@pattern $variant:ident ($only:ident)) => { Self::$variant($only) };
    (@pattern $variant:ident { $($field:ident),+ }) => { Self::$variant { $($field),+ } };
    (@put $to:ident ()) => {};
    (@put $to:ident ($only:ident)) => { $to.put($only); };
    (@put $to:ident { $($field:ident),+ }) => { $($to.put($field);)+ };
    (@take $from:ident $variant:ident ()) => { Self::$variant };
    (@take $from:ident $variant:ident ($only:ident)) => {
        Self::$variant($from.field(stringify!($only))?)
    };
    (@take $from:ident $variant:ident { $($field:ident),+ }) => {
        Self::$variant { $($field: $from.field(stringify!($field))?),+ }
    };
}

choices! {
    RejectReason {
        0 = SessionUnknown (), 1 = InstrumentUnknown (), 2 = Unsupported (instruction),
        3 = TimeInForceUnsupported (), 4 = QtyInvalid (), 5 = MinQtyInvalid (),
        6 = MinQtyNotImmediate (), 7 = PriceInvalid (), 8 = NoOppositePrice (), 9 = OrdersFull (),
        10 = LevelsFull ()
    }
    CancelReason {
        0 = User (), 1 = ImmediateOrCancel (), 2 = MinQty (), 3 = MassCancel (), 4 = DayEnd (),
        5 = ReplaceInvalid (reason), 6 = ReplaceNothingLeft ()
    }
    ReportKind {
        0 = Accepted { order_ref, qty, price, disposition },
        1 = Executed { qty, price, match_number, liquidity, fee, leaves },
        2 = Canceled { qty, leaves, reason },
        3 = Replaced { original, order_ref, open, price, disposition },
        4 = Rejected { reason },
        5 = ReplaceRejected { original, reason },
        6 = BrokenTrade { match_number, qty, price }
    }
    Command {
        0 = New (order), 1 = Replace (replace), 2 = Cancel (cancel), 3 = MassCancel (filter),
        4 = DayEnd (), 5 = Bust { match_number }
    }
}

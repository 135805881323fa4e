//! OUCH 5.0: every message of both directions, every tag, reason codes, in-place patches, scales.
//!
//! | part | what |
//! |---|---|
//! | [`Inbound`], [`Outbound`] | parse a message into a checked view over its bytes |
//! | [`EnterOrder`] and its like | a message by value; `encode` writes it into the caller's buffer |
//! | [`Appendage`], [`AppendageBuilder`] | the optional fields, read and built |
//! | [`OrderPatch`] | changes price, quantity, time in force or number where they stand |
//! | [`RejectReason`], [`CancelReason`] | reason codes |
//! | [`Dialect`], [`InstrumentScale`] | what the protocol's widths hold, and exact conversion to ticks and lots |
//!
//! **Thread.** None of its own; everything is a value or borrows the caller's bytes.
//! **Invariants.** Each byte of an accepted message was checked. Offsets stand in the tables
//! (`inbound.rs`, `outbound.rs`, `tag.rs`) and nowhere else.
//! **Never.** Allocate; panic on outside input; hold a float.

mod appendage;
mod codes;
mod decode;
mod dialect;
mod exposure;
mod inbound;
mod layout;
mod message;
mod naming;
mod outbound;
mod patch;
mod reasons;
mod salvage;
mod tag;

pub use appendage::{
    APPENDAGE_BYTES_MAX, Appendage, AppendageBuilder, AppendageFault, DuplicateTag, Elements,
};
pub use codes::{
    AiqReason, BboWeight, BrokenReason, Capacity, CrossType, CustomerType, DiscretionPriceType,
    Display, EventCode, HandleInst, OrderSide, OrderState, PostOnly, PriceType, RestatedReason,
    TimeInForce, TradeNow, UserRefNum, YesNo,
};
pub use decode::{DecodeError, Fault};
pub use dialect::{Dialect, FitError, InstrumentScale, OUCH50, OuchPrice, ScaleError};
pub use inbound::{
    AccountQuery, AccountQueryView, CancelOrder, CancelOrderView, DisableOrderEntry,
    DisableOrderEntryView, EnableOrderEntry, EnableOrderEntryView, EnterOrder, EnterOrderView,
    Inbound, MassCancel, MassCancelView, ModifyOrder, ModifyOrderView, ReplaceOrder,
    ReplaceOrderView,
};
pub use layout::{AppendageForm, Companion, Direction, FieldLayout, MessageLayout};
pub use message::EncodeError;
pub use naming::Naming;
pub use outbound::{
    AccountQueryResponse, AccountQueryResponseView, AiqCanceled, AiqCanceledView, BrokenTrade,
    BrokenTradeView, CancelPending, CancelPendingView, CancelReject, CancelRejectView,
    DisableOrderEntryResponse, DisableOrderEntryResponseView, EnableOrderEntryResponse,
    EnableOrderEntryResponseView, MassCancelResponse, MassCancelResponseView, OrderAccepted,
    OrderAcceptedView, OrderCanceled, OrderCanceledView, OrderExecuted, OrderExecutedView,
    OrderModified, OrderModifiedView, OrderReplaced, OrderReplacedView, OrderRestated,
    OrderRestatedView, Outbound, PriorityUpdate, PriorityUpdateView, Rejected, RejectedView,
    SystemEvent, SystemEventView,
};
pub use patch::{KnownEnter, OrderPatch};
pub use reasons::{CancelReason, RejectReason, UnlistedCancelReason, UnlistedRejectReason};
pub use salvage::{Salvage, salvage};
pub use tag::{ELEMENT_BYTES_MAX, Element, ExpireSeconds, Tag, TagSet};

/// The most bytes a message of either direction can have.
pub const MESSAGE_BYTES_MAX: usize = longest(Inbound::LAYOUTS, longest(Outbound::LAYOUTS, 0));

/// The longest of these messages with every tag it may carry.
const fn longest(layouts: &[&MessageLayout], mut most: usize) -> usize {
    let mut at = 0;
    while at < layouts.len() {
        let mut len = layouts[at].fixed_len();
        let mut tag = 0;
        while tag < Tag::ALL.len() {
            if layouts[at].tags.contains(Tag::ALL[tag]) {
                len += 2 + Tag::ALL[tag].width();
            }
            tag += 1;
        }
        if len > most {
            most = len;
        }
        at += 1;
    }
    most
}

// A message travels behind a record's head; one that did not fit could not be logged.
const _: () = assert!(MESSAGE_BYTES_MAX <= portcullis_domain::RAW_BYTES_MAX);

#[cfg(test)]
mod tests;

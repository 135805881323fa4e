//! OUCH 5.0, venue to client: the table.
//!
//! **Thread.** Constants, and the views and encoders that follow from them.
//! **Invariants.** A row is `name: type [offset, width]`, offsets counted from the type byte; the
//! rows are contiguous and end where the fixed part does (checked when compiled). `head` is the
//! length of the fixed part without the appendage's length field.
//! **Never.** An offset outside this table.

use super::appendage::Appendage;
use super::codes::{
    AiqReason, BrokenReason, Capacity, CrossType, Display, EventCode, OrderSide, OrderState,
    RestatedReason, TimeInForce, UserRefNum, YesNo,
};
use super::decode::{DecodeError, Fault, check_companion, split};
use super::layout::{AppendageForm, Direction, FieldLayout, MessageLayout};
use super::message::{EncodeError, assemble, companion, messages, row_rule};
use super::reasons::{CancelReason, RejectReason};
use super::tag::{Element, Tag, TagSet};
use crate::alpha::Alpha;
use crate::field::{Letter, Rule, WireField, slot};
use core::fmt;

messages! {
    /// A message from the venue.
    Outbound;

    /// Start or end of the day.
    SystemEvent / SystemEventView = b'S', head 10, Never,
    tags []
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// What happened.
        event_code: EventCode [9, 1];
    }

    /// An order was accepted.
    OrderAccepted / OrderAcceptedView = b'A', head 62, Required,
    tags [
        Firm MinQty CustomerType MaxFloor PriceType PegOffset DiscretionPrice
        DiscretionPriceType DiscretionPegOffset PostOnly RandomReserves ExpireTime
        TradeNow HandleInst GroupId SharesLocated LocateBroker UserRefIdx Route
        BboWeightIndicator
    ]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// Side.
        side: OrderSide [13, 1];
        /// Quantity.
        quantity: u32 [14, 4];
        /// Symbol.
        symbol: Alpha<8> [18, 8];
        /// Price, 1e-4; may be better than entered.
        price: u64 [26, 8];
        /// How long it lives.
        time_in_force: TimeInForce [34, 1];
        /// Who sees it.
        display: Display [35, 1];
        /// The venue's id of the order.
        order_ref_num: u64 [36, 8];
        /// In whose name.
        capacity: Capacity [44, 1];
        /// Whether it may sweep (ISO).
        iso_eligible: YesNo [45, 1];
        /// Which cross it is for.
        cross_type: CrossType [46, 1];
        /// Whether it lives.
        order_state: OrderState [47, 1];
        /// The client's text; not checked for uniqueness.
        cl_ord_id: Alpha<14> [48, 14];
    }

    /// An order was replaced.
    OrderReplaced / OrderReplacedView = b'U', head 66, Required,
    tags [
        Firm MinQty MaxFloor PriceType PostOnly ExpireTime TradeNow HandleInst
        BboWeightIndicator UserRefIdx
    ]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// Number of the order that is replaced.
        orig_user_ref_num: UserRefNum [9, 4];
        /// The client's number of the new version.
        user_ref_num: UserRefNum [13, 4];
        /// Side.
        side: OrderSide [17, 1];
        /// Quantity open now.
        quantity: u32 [18, 4];
        /// Symbol.
        symbol: Alpha<8> [22, 8];
        /// Price, 1e-4.
        price: u64 [30, 8];
        /// How long it lives.
        time_in_force: TimeInForce [38, 1];
        /// Who sees it.
        display: Display [39, 1];
        /// The venue's id of the order.
        order_ref_num: u64 [40, 8];
        /// In whose name.
        capacity: Capacity [48, 1];
        /// Whether it may sweep (ISO).
        iso_eligible: YesNo [49, 1];
        /// Which cross it is for.
        cross_type: CrossType [50, 1];
        /// Whether it lives.
        order_state: OrderState [51, 1];
        /// The client's text; not checked for uniqueness.
        cl_ord_id: Alpha<14> [52, 14];
    }

    /// An order, or a part of it, was cancelled; the rest may live on.
    OrderCanceled / OrderCanceledView = b'C', head 18, Optional,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// By how much the order shrank; not cumulative.
        quantity: u32 [13, 4];
        /// Why.
        reason: CancelReason [17, 1];
    }

    /// A quantity was cancelled by self-match prevention.
    AiqCanceled / AiqCanceledView = b'D', head 32, Optional,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// By how much the order shrank.
        decrement: u32 [13, 4];
        /// Why.
        reason: AiqReason [17, 1];
        /// Quantity that would have matched.
        qty_prevented: u32 [18, 4];
        /// Price at which it would have, 1e-4.
        execution_price: u64 [22, 8];
        /// Liquidity flag.
        liquidity_flag: Letter [30, 1];
        /// Strategy of the prevention.
        aiq_strategy: Letter [31, 1];
    }

    /// An order was executed, in part or whole.
    OrderExecuted / OrderExecutedView = b'E', head 34, Required,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// Quantity of this execution.
        quantity: u32 [13, 4];
        /// Price, 1e-4.
        price: u64 [17, 8];
        /// Liquidity flag.
        liquidity_flag: Letter [25, 1];
        /// Number of the match, the same on both sides.
        match_number: u64 [26, 8];
    }

    /// An execution was broken.
    BrokenTrade / BrokenTradeView = b'B', head 36, Optional,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// Number of the match, the same on both sides.
        match_number: u64 [13, 8];
        /// Why.
        reason: BrokenReason [21, 1];
        /// The client's text; not checked for uniqueness.
        cl_ord_id: Alpha<14> [22, 14];
    }

    /// An order or a replace was rejected.
    Rejected / RejectedView = b'J', head 29, Optional,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number as it was sent; 0 if that was the fault.
        user_ref_num: u32 [9, 4];
        /// Why.
        reason: RejectReason [13, 2];
        /// The client's text; not checked for uniqueness.
        cl_ord_id: Alpha<14> [15, 14];
    }

    /// A cancel waits for a cross to end.
    CancelPending / CancelPendingView = b'P', head 13, Optional,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
    }

    /// A cancel during a cross was refused.
    CancelReject / CancelRejectView = b'I', head 13, Optional,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
    }

    /// The venue gave an order a new id and place.
    PriorityUpdate / PriorityUpdateView = b'T', head 30, Optional,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// Price, 1e-4.
        price: u64 [13, 8];
        /// Who sees it.
        display: Display [21, 1];
        /// The venue's new id of the order.
        order_ref_num: u64 [22, 8];
    }

    /// An order was modified.
    OrderModified / OrderModifiedView = b'M', head 18, Optional,
    tags [ UserRefIdx SharesLocated LocateBroker ]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// Side.
        side: OrderSide [13, 1];
        /// Quantity open now.
        quantity: u32 [14, 4];
    }

    /// The displayed part of an order changed.
    OrderRestated / OrderRestatedView = b'R', head 14, Required,
    tags [ DisplayQuantity DisplayPrice SecondaryOrdRefNum UserRefIdx ]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// Why.
        reason: RestatedReason [13, 1];
    }

    /// Answer to a mass cancel.
    MassCancelResponse / MassCancelResponseView = b'X', head 25, Required,
    tags [ Side GroupId UserRefIdx ]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// Firm.
        firm: Alpha<4> [13, 4];
        /// Symbol.
        symbol: Alpha<8> [17, 8];
    }

    /// Order entry of a firm is stopped.
    DisableOrderEntryResponse / DisableOrderEntryResponseView = b'G', head 17, Required,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// Firm.
        firm: Alpha<4> [13, 4];
    }

    /// Order entry of a firm is allowed again.
    EnableOrderEntryResponse / EnableOrderEntryResponseView = b'K', head 17, Required,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The client's number of the order.
        user_ref_num: UserRefNum [9, 4];
        /// Firm.
        firm: Alpha<4> [13, 4];
    }

    /// Answer to an account query.
    AccountQueryResponse / AccountQueryResponseView = b'Q', head 13, Optional,
    tags [UserRefIdx]
    {
        /// Nanoseconds since midnight.
        timestamp: u64 [1, 8];
        /// The next number the venue will take.
        next_user_ref_num: UserRefNum [9, 4];
    }
}

//! OUCH 5.0, client to venue: the table.
//!
//! **Thread.** Constants, and the views and encoders that follow from them.
//! **Invariants.** A row is `name: type [offset, width]`, offsets counted from the type byte; the
//! rows are contiguous and end where the fixed part does (checked when compiled). `head` is the
//! length of the fixed part without the appendage's length field.
//! **Never.** An offset outside this table.

use super::appendage::Appendage;
use super::codes::{Capacity, CrossType, Display, OrderSide, TimeInForce, UserRefNum, YesNo};
use super::decode::{DecodeError, Fault, check_companion, split};
use super::layout::{AppendageForm, Direction, FieldLayout, MessageLayout};
use super::message::{EncodeError, assemble, companion, messages, row_rule};
use super::tag::{Element, Tag, TagSet};
use crate::alpha::Alpha;
use crate::field::{Rule, WireField, slot};
use core::fmt;

messages! {
    /// A message from a client.
    Inbound;

    /// Enters an order.
    EnterOrder / EnterOrderView = b'O', head 45, Required,
    tags [
        Firm MinQty CustomerType MaxFloor PriceType PegOffset DiscretionPrice
        DiscretionPriceType DiscretionPegOffset PostOnly RandomReserves ExpireTime
        TradeNow HandleInst GroupId SharesLocated LocateBroker UserRefIdx Route
    ],
    when time_in_force[26] = b'6' needs ExpireTime
    {
        /// The client's number of the order.
        user_ref_num: UserRefNum [1, 4];
        /// Side.
        side: OrderSide [5, 1];
        /// Quantity.
        quantity: u32 [6, 4];
        /// Symbol.
        symbol: Alpha<8> [10, 8];
        /// Price, 1e-4; see `OuchPrice` for what it may mean.
        price: u64 [18, 8];
        /// How long it lives.
        time_in_force: TimeInForce [26, 1];
        /// Who sees it.
        display: Display [27, 1] among b"YNA";
        /// In whose name.
        capacity: Capacity [28, 1];
        /// Whether it may sweep (ISO).
        iso_eligible: YesNo [29, 1];
        /// Which cross it is for.
        cross_type: CrossType [30, 1];
        /// The client's text; not checked for uniqueness.
        cl_ord_id: Alpha<14> [31, 14];
    }

    /// Replaces an order by a new version with a number of its own.
    ReplaceOrder / ReplaceOrderView = b'U', head 38, Required,
    tags [
        MinQty MaxFloor PriceType PostOnly ExpireTime TradeNow HandleInst
        RandomReserves PegOffset DiscretionPrice DiscretionPriceType
        DiscretionPegOffset SharesLocated LocateBroker UserRefIdx Side CustomerType
        GroupId
    ]
    {
        /// Number of the order that is replaced.
        orig_user_ref_num: UserRefNum [1, 4];
        /// The client's number of the new version.
        user_ref_num: UserRefNum [5, 4];
        /// Total of the whole chain, what was executed included.
        quantity: u32 [9, 4];
        /// Price, 1e-4; see `OuchPrice` for what it may mean.
        price: u64 [13, 8];
        /// How long it lives.
        time_in_force: TimeInForce [21, 1] among b"0356";
        /// Who sees it.
        display: Display [22, 1] among b"YNA";
        /// Whether it may sweep (ISO).
        iso_eligible: YesNo [23, 1];
        /// The client's text; not checked for uniqueness.
        cl_ord_id: Alpha<14> [24, 14];
    }

    /// Cancels an order, or a part of it.
    CancelOrder / CancelOrderView = b'X', head 9, Optional,
    tags [UserRefIdx]
    {
        /// The client's number of the order.
        user_ref_num: UserRefNum [1, 4];
        /// New intended size of the order; 0 cancels all that is open.
        quantity: u32 [5, 4];
    }

    /// Changes the side among the selling ones, or lowers the quantity, in place.
    ModifyOrder / ModifyOrderView = b'M', head 10, Optional,
    tags [ UserRefIdx SharesLocated LocateBroker ]
    {
        /// The client's number of the order.
        user_ref_num: UserRefNum [1, 4];
        /// New side; only among the selling ones.
        side: OrderSide [5, 1] among b"STE";
        /// New intended size; an increase is ignored.
        quantity: u32 [6, 4];
    }

    /// Cancels many orders.
    MassCancel / MassCancelView = b'C', head 17, Required,
    tags [ Side GroupId UserRefIdx ]
    {
        /// The client's number of the order.
        user_ref_num: UserRefNum [1, 4];
        /// Firm.
        firm: Alpha<4> [5, 4];
        /// Symbol; blank = all.
        symbol: Alpha<8> [9, 8];
    }

    /// Stops order entry of a firm.
    DisableOrderEntry / DisableOrderEntryView = b'D', head 9, Required,
    tags [UserRefIdx]
    {
        /// The client's number of the order.
        user_ref_num: UserRefNum [1, 4];
        /// Firm.
        firm: Alpha<4> [5, 4];
    }

    /// Allows order entry of a firm again.
    EnableOrderEntry / EnableOrderEntryView = b'E', head 9, Required,
    tags [UserRefIdx]
    {
        /// The client's number of the order.
        user_ref_num: UserRefNum [1, 4];
        /// Firm.
        firm: Alpha<4> [5, 4];
    }

    /// Asks for the next usable number.
    AccountQuery / AccountQueryView = b'Q', head 1, Optional,
    tags [UserRefIdx]
    {

    }
}

//! The ladder's reasons as the remark on a report.
//!
//! Owned by no thread. A remark decides nothing; it is for the client. Liquidity flags and cancel
//! reasons are OUCH letters, reject reasons the low byte of the OUCH code (its high byte is 0 in
//! every listed code). Invariant: each reason of the ladder has one.

use portcullis_ladder::{CancelReason, Instruction, Liquidity, RejectReason};

/// Reason of a broken trade: supervisory.
pub(crate) const BROKEN_SUPERVISORY: u8 = b'S';

/// Who asked for a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Client,
    Gateway,
}

pub(crate) const fn liquidity(of: Liquidity) -> u8 {
    match of {
        Liquidity::Added => b'A',
        Liquidity::Removed => b'R',
    }
}

/// `origin` is that of the command which made the report.
pub(crate) const fn cancel(reason: CancelReason, origin: Origin) -> u8 {
    match (reason, origin) {
        (CancelReason::User, Origin::Client) | (CancelReason::ReplaceNothingLeft, _) => b'U',
        (CancelReason::User, Origin::Gateway) | (CancelReason::MassCancel, _) => b'S',
        (CancelReason::ImmediateOrCancel | CancelReason::MinQty, _) => b'I',
        (CancelReason::DayEnd, _) => b'E',
        (CancelReason::ReplaceInvalid(_), _) => b'Z',
    }
}

pub(crate) const fn reject(reason: RejectReason) -> u8 {
    match reason {
        RejectReason::NoOppositePrice => 0x01,
        RejectReason::OrdersFull | RejectReason::LevelsFull => 0x0A,
        RejectReason::SessionUnknown => 0x0C,
        RejectReason::MinQtyInvalid | RejectReason::MinQtyNotImmediate => 0x0D,
        RejectReason::TimeInForceUnsupported => 0x0F,
        RejectReason::QtyInvalid => 0x13,
        RejectReason::InstrumentUnknown => 0x17,
        RejectReason::PriceInvalid => 0x1D,
        RejectReason::Unsupported(instruction) => unsupported(instruction),
    }
}

const fn unsupported(instruction: Instruction) -> u8 {
    match instruction {
        Instruction::Hidden => 0x03,
        Instruction::Reserve => 0x04,
        Instruction::Midpoint => 0x05,
        Instruction::SideChange => 0x09,
        Instruction::Pegged | Instruction::Discretion => 0x11,
        Instruction::Cross => 0x14,
        Instruction::Routed => 0x16,
        Instruction::PostOnly | Instruction::Stop | Instruction::TradeNow => 0x0F,
    }
}

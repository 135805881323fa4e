//! Answers to orders, kept for a caller that judges each of them.
//!
//! **Thread.** The driver's.
//! **Invariants.** An answer stands here as its bytes say it, for the session whose checker got it,
//! also where it fits nothing that was sent; two answers to a number are two.
//! **Never.** Judge: that is the checker's, and the caller's.

use portcullis_wire::ouch50::Outbound;

/// What became of an Enter or Replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// OrderAccepted.
    Accepted,
    /// OrderReplaced.
    Replaced,
    /// Rejected, with this reason code.
    Rejected(u16),
}

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Index of the session, in the order of the configuration.
    pub session: usize,
    /// The UserRefNum that it answers.
    pub number: u32,
    /// What it says.
    pub kind: AnswerKind,
    /// When it was read, in ns since the driver began to connect.
    pub received_ns: u64,
}

impl Answer {
    /// The answer that a message is, if it is one.
    pub(crate) fn of(session: usize, message: &[u8], received_ns: u64) -> Option<Self> {
        let (number, kind) = match Outbound::parse(message).ok()? {
            Outbound::OrderAccepted(view) => (view.user_ref_num().get(), AnswerKind::Accepted),
            Outbound::OrderReplaced(view) => (view.user_ref_num().get(), AnswerKind::Replaced),
            Outbound::Rejected(view) => {
                let reason = view.reason().code();
                (view.user_ref_num(), AnswerKind::Rejected(reason))
            }
            Outbound::OrderExecuted(_)
            | Outbound::OrderCanceled(_)
            | Outbound::AiqCanceled(_)
            | Outbound::OrderModified(_)
            | Outbound::CancelPending(_)
            | Outbound::CancelReject(_)
            | Outbound::PriorityUpdate(_)
            | Outbound::OrderRestated(_)
            | Outbound::BrokenTrade(_)
            | Outbound::SystemEvent(_)
            | Outbound::MassCancelResponse(_)
            | Outbound::DisableOrderEntryResponse(_)
            | Outbound::EnableOrderEntryResponse(_)
            | Outbound::AccountQueryResponse(_) => return None,
        };
        Some(Self {
            session,
            number,
            kind,
            received_ns,
        })
    }
}

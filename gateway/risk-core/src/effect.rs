//! Effects: all that the core says.
//!
//! Made on the risk thread, in order, at most [`EFFECTS_MAX`] a command. Invariant: an effect holds
//! all its readers need; none of them looks back into the core. The digest chain is over
//! [`Effect::visit_words`], so a field added there is a new log format.

mod words;

pub(crate) use words::Unnumbered;

use crate::approved::{Approved, OutboundOrder};
use portcullis_domain::{
    AccountId, CheckMask, InstrumentId, OrderId, Price, Qty, Record, RejectCode, ReportKind, Scope,
    SessionEventKind, SessionId, Side, TradingState, UserRef,
};

/// The most effects that one command can have.
pub const EFFECTS_MAX: usize = 32;

/// Where effects go.
pub trait EffectSink {
    /// The effects that follow are of this record. Said where records are applied in batches.
    fn on_record(&mut self, record: &Record) {
        let _ = record;
    }

    /// Takes the next effect of the command in hand.
    fn on_effect(&mut self, effect: Effect);
}

/// One thing the core says.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// To the venue.
    Approved(Approved<OutboundOrder>),
    /// To the client: its order or replace is refused.
    Refused(Refusal),
    /// To the client: an answer that changes nothing in the ledger.
    Answered(Answer),
    /// To the client: the engine's report, booked.
    Reported(ClientReport),
    /// To the client's transport: the session's state changed.
    SessionChanged(SessionChange),
    /// To whoever asked: a control command was carried out, or not.
    Controlled(ControlOutcome),
    /// A trading state changed.
    StateChanged {
        /// Of what.
        scope: Scope,
        /// To what.
        state: TradingState,
    },
    /// To the people on duty.
    Alarmed(Alarm),
}

/// Why an order or replace was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whose.
    pub session: SessionId,
    /// Its number.
    pub user_ref: UserRef,
    /// The account it was for.
    pub account: AccountId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Lots, as asked.
    pub qty: Qty,
    /// Limit, as asked; `None` for a market order.
    pub price: Option<Price>,
    /// Whether it was a replace: the original is untouched.
    pub replace: bool,
    /// All failing checks.
    pub failing: CheckMask,
    /// The first of them.
    pub primary: RejectCode,
    /// The numbers of the first.
    pub explanation: Explanation,
    /// The limits that judged it.
    pub epoch: u32,
}

/// The numbers behind a failing check, in its own unit; what leaves i64 stands at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Explanation {
    /// The limit.
    pub limit: i64,
    /// What is used of it without the order.
    pub used: i64,
    /// What the order asks for.
    pub asked: i64,
    /// The largest quantity in lots that would have passed this check, all else equal.
    pub qty_passing: i64,
}

impl Explanation {
    /// The numbers, each at the end of i64 where it leaves it; a quantity below 0 is none.
    pub(crate) fn of(limit: i128, used: i128, asked: i128, qty_passing: i128) -> Self {
        let clamp = |number: i128| number.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        Self {
            limit: clamp(limit),
            used: clamp(used),
            asked: clamp(asked),
            qty_passing: clamp(qty_passing.max(0)),
        }
    }
}

/// An answer that changes nothing in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// To whom.
    pub session: SessionId,
    /// The request it answers.
    pub user_ref: UserRef,
    /// What it says.
    pub kind: AnswerKind,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// The number was used before: taken for a resend, not booked again.
    Resent,
    /// A cancel or replace names no open order.
    OrderUnknown,
    /// The next number that will be taken.
    NextNumber(u32),
    /// Order entry is now off.
    EntryDisabled,
    /// Order entry is now on.
    EntryEnabled,
    /// The mass cancel is taken and under way.
    MassCancelTaken,
    /// The mass cancel cannot be taken: too many are under way.
    MassCancelRefused,
}

/// An engine's report, after the ledger took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientReport {
    /// Whose order.
    pub session: SessionId,
    /// The version the engine named.
    pub user_ref: UserRef,
    /// The gateway's number of the order.
    pub order: OrderId,
    /// The account.
    pub account: AccountId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// What happened.
    pub kind: ReportKind,
    /// Lots the report took from the order: executed, or cancelled.
    pub qty: Qty,
    /// Lots still open afterwards.
    pub leaves: Qty,
    /// The engine's own remark: liquidity flag, or reason.
    pub note: u8,
}

/// A session's state, for the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionChange {
    /// Which.
    pub session: SessionId,
    /// What happened.
    pub kind: SessionEventKind,
    /// The connection it is about.
    pub connection: u32,
    /// The sequence number asked for at logon.
    pub sequence: u64,
    /// Whether the session's orders are being cancelled.
    pub canceling: bool,
}

/// How a control command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlOutcome {
    /// The number of the request.
    pub request: u32,
    /// What came of it.
    pub result: Result<Done, ControlRefusal>,
}

/// What a control command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// What it asked for.
    Applied,
    /// The limits in force are now those of this epoch.
    Epoch(u32),
    /// The hash of the whole state.
    StateHash(u64),
    /// All accounts are valued.
    Valued(Valued),
}

/// What a valuation of all accounts found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valued {
    /// Accounts valued.
    pub accounts: u32,
    /// Those whose equity is below their maintenance margin.
    pub below_maintenance: u32,
    /// Those with a position whose reference price is missing or stale.
    pub not_fresh: u32,
}

/// Why a control command changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ControlRefusal {
    /// No such account.
    AccountUnknown = 0,
    /// No such instrument.
    InstrumentUnknown = 1,
    /// No such firm.
    FirmUnknown = 2,
    /// No such session.
    SessionUnknown = 3,
    /// The amount is below 1.
    AmountInvalid = 4,
    /// The price is zero or above the instrument's price_max.
    PriceInvalid = 5,
    /// The price is negative, which this gateway does not trade.
    PriceNegative = 6,
    /// The withdrawal is more than what is free.
    NotFree = 7,
    /// Venue or account is not Active.
    NotActive = 8,
    /// A position's reference price is missing or stale.
    ReferenceNotFresh = 9,
    /// The ledger cannot hold the result.
    OutOfRange = 10,
    /// No table with this digest is staged.
    NotStaged = 11,
    /// The staged table does not fit: it has fewer accounts, instruments, firms or sessions than
    /// are in use, or more than there is room for.
    DoesNotFit = 12,
    /// The cell is none, the value does not load, or no spare row is left.
    CellInvalid = 13,
    /// The account has no disputed execution.
    NothingDisputed = 14,
    /// A table is full.
    TableFull = 15,
    /// The quantity is zero, or the position is not there to be moved.
    QuantityInvalid = 16,
    /// All accounts are being valued already, and another valuation waits for that one.
    ValuationUnderWay = 17,
}

/// Something people on duty must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What.
    pub kind: AlarmKind,
    /// The session of the order it is about.
    pub session: SessionId,
    /// The order's number.
    pub user_ref: UserRef,
    /// The account, or [`AccountId::NONE`].
    pub account: AccountId,
    /// The instrument, or [`InstrumentId::NONE`].
    pub instrument: InstrumentId,
    /// Lots, where it is about some.
    pub qty: Qty,
    /// Price, where it is about one.
    pub price: Price,
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AlarmKind {
    /// An execution beyond the confirmed version's leaves. The account is Halted.
    FillBeyondLeaves = 0,
    /// An execution worse than the confirmed version's limit. The account is Halted.
    FillBeyondLimit = 1,
    /// An execution on a closed order. The account is Halted.
    FillOnClosedOrder = 2,
    /// An execution that the ledger cannot hold. The account is Halted.
    FillOutOfRange = 3,
    /// A report on an order that was never admitted.
    OrderNeverAdmitted = 4,
    /// A report on a version that the order never had.
    VersionNeverAsked = 5,
    /// A disputed execution that the table has no room for. The account is Halted.
    DisputeTableFull = 6,
    /// A broken trade that no remembered execution matches. The account is Halted.
    BrokenTradeUnknown = 7,
    /// Equity is below maintenance margin.
    MaintenanceBreached = 9,
    /// A record that is no command.
    RecordInvalid = 10,
    /// No room to take a session's or scope's orders off: the queue of sliced work is full.
    SweepQueueFull = 11,
}

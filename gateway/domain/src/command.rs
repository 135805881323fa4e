//! Commands: all that can change the risk core, and their form in a record's head.
//!
//! Owned by no thread. Invariants: [`Command::encode`] and [`Command::decode`] are inverse to each
//! other; a head that no command encodes to is refused by the field that is wrong.
//!
//! | kind | detail | flags | number | price | qty | word |
//! |---|---|---|---|---|---|---|
//! | NewOrder | time in force | 1 sell, 2 market | UserRefNum | limit | lots | |
//! | Replace | time in force | 2 market, 4 qty is total, 8 wire units | new UserRefNum | limit | lots | original number |
//! | Cancel | | 8 wire units | UserRefNum | | total lots to remain | |
//! | MassCancel | side + 1, or 0 | | UserRefNum | | | |
//! | Report | report kind | note | UserRefNum | trade price | lots | match number or new UserRefNum; a fill's fee stands in account and instrument |
//! | VenueUp, VenueDown | | | | | | |
//! | VenueSequence | | | | | | engine's sequence number |
//! | JournalUp, JournalDown | | | | | | |
//! | Session | event kind | | connection | | | sequence number asked for |
//! | Deposit, Withdraw | | | request | | quanta | |
//! | Settle, Reference | | | request | ticks | | |
//! | SetState | state | 1 cancel; scope kind << 4 | request | | | scope index |
//! | FlipLimits | | | request | | | digest |
//! | Restart | state | | request | | | |
//! | SetCell | scope kind | field | request | | value | scope index |
//! | MovePosition | move kind | | request | ticks | signed lots | other account |
//! | Dispute | 0 book, 1 discard | | request | | | |
//! | DayStart, DayRoll, StateHash, ValueAccounts, Tick | | | request | | | |

use crate::{
    AccountId, CancelRequest, Head, InstrumentId, Money, Price, Qty, QtyMeaning, RejectCode,
    ReplaceRequest, ReportKind, Scope, SessionId, Side, TimeInForce, TradingState, Units, UserRef,
    VenueReport,
};

const FLAG_SELL: u8 = 1;
const FLAG_CANCEL: u8 = 1;
const FLAG_MARKET: u8 = 2;
const FLAG_TOTAL: u8 = 4;
const FLAG_WIRE: u8 = 8;

macro_rules! closed_u8 {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $value:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $value),+ }

        impl $name {
            /// The variant with this raw value.
            #[must_use]
            pub const fn from_raw(raw: u8) -> Option<Self> {
                match raw {
                    $($value => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

closed_u8!(
    /// The kinds of record. Numbers are given once.
    CommandKind {
        /// A client's new order.
        NewOrder = 1,
        /// A client's replace.
        Replace = 2,
        /// A client's cancel.
        Cancel = 3,
        /// A client's mass cancel.
        MassCancel = 4,
        /// A client turns its own order entry off.
        DisableOrderEntry = 5,
        /// A client turns it on again.
        EnableOrderEntry = 6,
        /// A client asks for its next number.
        AccountQuery = 7,
        /// The engine's word on an order.
        Report = 16,
        /// The engine's link to a session is up, its orders reconciled.
        VenueUp = 17,
        /// The engine's link to a session is down.
        VenueDown = 18,
        /// The engine said something that made no report: how far its stream has come.
        VenueSequence = 19,
        /// The journal takes records again.
        JournalUp = 20,
        /// The journal does not take records as durably as it must.
        JournalDown = 21,
        /// A client session came or went.
        Session = 32,
        /// Money in.
        Deposit = 48,
        /// Money out.
        Withdraw = 49,
        /// Settlement of an instrument.
        Settle = 50,
        /// A reference price.
        Reference = 51,
        /// A trading state, with or without cancel.
        SetState = 52,
        /// Each account's day base becomes its equity.
        DayStart = 53,
        /// Client numbers start anew.
        DayRoll = 54,
        /// The staged limit table takes effect.
        FlipLimits = 55,
        /// One limit cell changes.
        SetCell = 56,
        /// An opening position, an adjustment or a transfer.
        MovePosition = 57,
        /// A person's word on a disputed execution.
        Dispute = 58,
        /// The hash of the whole state is wanted.
        StateHash = 59,
        /// All accounts are to be valued, in slices.
        ValueAccounts = 60,
        /// How far the gateway has come back after a restart.
        Restart = 61,
        /// Time passes; sliced work goes on.
        Tick = 63,
    }
);

closed_u8!(
    /// What a report's `detail` says: which [`ReportKind`] it is.
    ReportDetail {
        /// The engine has the order.
        Accepted = 0,
        /// It traded.
        Fill = 1,
        /// All that was left is cancelled.
        Canceled = 2,
        /// Some lots are cancelled.
        Reduced = 3,
        /// The engine refused it.
        Rejected = 4,
        /// Another version is now the order.
        Replaced = 5,
        /// Another version is refused.
        ReplaceRejected = 6,
        /// The engine will cancel it when it can.
        CancelPending = 7,
        /// The engine refused to cancel it.
        CancelRejected = 8,
        /// A trade is taken back.
        BrokenTrade = 9,
        /// Anything else.
        Information = 10,
    }
);

closed_u8!(
    /// What happened to a client session.
    SessionEventKind {
        /// Logged on.
        Up = 0,
        /// Logged out, by its own wish.
        LoggedOut = 1,
        /// The connection broke or fell silent.
        Lost = 2,
        /// The gateway ended it: its buffer was full, or it broke the protocol.
        Ended = 3,
    }
);

closed_u8!(
    /// Why a position appears without a trade.
    PositionMove {
        /// Opening position at the start of the ledger.
        Opening = 0,
        /// Correction by a person.
        Adjust = 1,
        /// From one account to another, at a price.
        Transfer = 2,
    }
);

closed_u8!(
    /// What a person decided of a disputed execution.
    DisputeDecision {
        /// It happened: book it.
        Book = 0,
        /// It did not.
        Discard = 1,
    }
);

/// A client's new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Whose it is.
    pub session: SessionId,
    /// Its number.
    pub user_ref: UserRef,
    /// The account it trades for; [`AccountId::NONE`] where the wire named none that is known.
    pub account: AccountId,
    /// The instrument; [`InstrumentId::NONE`] where the wire named none that is known.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Lots, as asked: not yet judged.
    pub qty: Qty,
    /// Limit, as asked; `None` for a market order.
    pub price: Option<Price>,
    /// How long it stays.
    pub time_in_force: TimeInForce,
}

/// A client's mass cancel of its own orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MassCancel {
    /// Whose orders.
    pub session: SessionId,
    /// Its number.
    pub user_ref: UserRef,
    /// Those of this account; [`AccountId::NONE`] for all.
    pub account: AccountId,
    /// Those in this instrument; [`InstrumentId::NONE`] for all.
    pub instrument: InstrumentId,
    /// Those on this side; `None` for both.
    pub side: Option<Side>,
}

/// A client session came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEvent {
    /// Which session.
    pub session: SessionId,
    /// What happened.
    pub kind: SessionEventKind,
    /// The connection it is about, so that an old one's end does not end a new one.
    pub connection: u32,
    /// The sequence number asked for at logon.
    pub sequence: u64,
}

/// Money in or out of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashMove {
    /// Whose.
    pub account: AccountId,
    /// How much; what is below 1 is refused.
    pub amount: Money,
}

/// A settlement price of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which.
    pub instrument: InstrumentId,
    /// At this price.
    pub price: Price,
}

/// A reference price of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferencePrice {
    /// Which.
    pub instrument: InstrumentId,
    /// This price.
    pub price: Price,
}

/// A change of a trading state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// Of what.
    pub scope: Scope,
    /// To what.
    pub state: TradingState,
    /// Whether what rests is cancelled too.
    pub cancel: bool,
}

/// The limit table with this digest takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlipLimits {
    /// Digest of the table's canonical words.
    pub digest: u64,
}

/// One limit of an account, instrument, firm or session changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitCellChange {
    /// Whose limit.
    pub scope: Scope,
    /// Number of the field in the scope's field table.
    pub field: u8,
    /// New value, in the field's unit.
    pub value: i64,
}

/// A position that appears without a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountMove {
    /// Why.
    pub kind: PositionMove,
    /// Whose position grows by `qty`.
    pub account: AccountId,
    /// In what.
    pub instrument: InstrumentId,
    /// Signed lots.
    pub qty: Qty,
    /// At what price.
    pub price: Price,
    /// Of a transfer: the account that gives; otherwise [`AccountId::NONE`].
    pub counterparty: AccountId,
}

/// All that can change the risk core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// A client's new order.
    NewOrder(NewOrder),
    /// A client's replace.
    Replace(ReplaceRequest),
    /// A client's cancel.
    Cancel(CancelRequest),
    /// A client's mass cancel.
    MassCancel(MassCancel),
    /// A client turns its own order entry off (`false`) or on.
    OrderEntry {
        /// Whose.
        session: SessionId,
        /// The number of the request.
        user_ref: UserRef,
        /// On or off.
        enabled: bool,
    },
    /// A client asks for its next number.
    AccountQuery {
        /// Whose.
        session: SessionId,
        /// Which row.
        row: u8,
    },
    /// The engine's word on an order.
    Report(VenueReport),
    /// The engine's link to a session went up or down.
    VenueLink {
        /// Whose.
        session: SessionId,
        /// Up, with its orders reconciled, or down.
        up: bool,
    },
    /// The engine's stream of a session has come to this number, with a message that made no report.
    VenueSequence {
        /// Whose.
        session: SessionId,
        /// The number of the message.
        sequence: u64,
    },
    /// The journal takes records as durably as it must, or no longer does.
    JournalLink {
        /// Takes them, or does not.
        up: bool,
    },
    /// A client session came or went.
    Session(SessionEvent),
    /// Money in.
    Deposit(CashMove),
    /// Money out.
    Withdraw(CashMove),
    /// Settlement of an instrument.
    Settle(Settlement),
    /// A reference price.
    Reference(ReferencePrice),
    /// A trading state.
    SetState(StateChange),
    /// How far the gateway has come back after a restart; counts beside the venue's own state.
    Restart {
        /// What may be done meanwhile.
        state: TradingState,
    },
    /// Each account's day base becomes its equity.
    DayStart,
    /// Client numbers start anew.
    DayRoll,
    /// The staged limit table takes effect.
    FlipLimits(FlipLimits),
    /// One limit cell changes.
    SetCell(LimitCellChange),
    /// A position appears without a trade.
    MovePosition(AccountMove),
    /// A person's word on an account's oldest disputed execution.
    Dispute {
        /// Whose dispute.
        account: AccountId,
        /// The word.
        decision: DisputeDecision,
    },
    /// The hash of the whole state is wanted.
    StateHash,
    /// All accounts are to be valued, in slices; answered when the last one is.
    ValueAccounts,
    /// Time passes; sliced work goes on.
    Tick,
}

/// Why a head is no command: the field that is wrong and what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Name of the field of [`Head`].
    pub field: &'static str,
    /// What stands in it.
    pub value: u64,
}

impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "record head: field `{}` holds {}, which no command has",
            self.field, self.value
        )
    }
}

impl core::error::Error for DecodeError {}

const fn wrong(field: &'static str, value: u64) -> DecodeError {
    DecodeError { field, value }
}

mod decode;
mod encode;

#[cfg(test)]
mod tests;

/// What a record says beside its command: who asked, and what ingress already found.
impl Head {
    /// The reject code that ingress already found, if any.
    #[must_use]
    pub const fn early_refusal(&self) -> Option<RejectCode> {
        RejectCode::from_raw(self.refusal)
    }

    /// Marks the order as refused before the core sees it: by overload, by form.
    pub const fn refuse_early(&mut self, code: RejectCode) {
        self.refusal = code.raw();
    }
}

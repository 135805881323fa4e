//! The command that a head holds.
//!
//! Owned by no thread. Must stay the inverse of `encode`. Never panics, whatever the bytes: a log
//! may be torn, a ring may be another version's.

use super::{
    AccountId, AccountMove, CashMove, Command, CommandKind, DecodeError, DisputeDecision,
    FLAG_CANCEL, FLAG_MARKET, FLAG_SELL, FLAG_TOTAL, FLAG_WIRE, FlipLimits, Head, InstrumentId,
    LimitCellChange, MassCancel, Money, NewOrder, PositionMove, Price, Qty, QtyMeaning,
    ReferencePrice, ReplaceRequest, ReportDetail, ReportKind, Scope, SessionEvent,
    SessionEventKind, SessionId, Settlement, Side, StateChange, TimeInForce, TradingState, Units,
    UserRef, VenueReport, wrong,
};
use crate::{CancelRequest, OrderKey};

impl Command {
    /// The command that `head` holds.
    ///
    /// # Errors
    /// The first field that no command could have.
    pub fn decode(head: &Head) -> Result<Self, DecodeError> {
        let kind = CommandKind::from_raw(head.kind).ok_or(wrong("kind", head.kind.into()))?;
        if head.reserved != 0 {
            return Err(wrong("reserved", head.reserved.into()));
        }
        let account = AccountId::new(head.account);
        let amount = Money::new(head.qty);
        let instrument = InstrumentId::new(head.instrument);
        let price = Price::new(head.price);
        Ok(match kind {
            CommandKind::NewOrder => Self::NewOrder(new_order(head)?),
            CommandKind::Replace => Self::Replace(replace(head)?),
            CommandKind::Cancel => Self::Cancel(cancel(head)?),
            CommandKind::MassCancel => Self::MassCancel(mass_cancel(head)?),
            CommandKind::DisableOrderEntry => order_entry(head, false)?,
            CommandKind::EnableOrderEntry => order_entry(head, true)?,
            CommandKind::AccountQuery => Self::AccountQuery {
                session: session(head)?,
                row: head.row,
            },
            CommandKind::Report => Self::Report(venue_report(head)?),
            CommandKind::VenueUp => Self::VenueLink {
                session: session(head)?,
                up: true,
            },
            CommandKind::VenueDown => Self::VenueLink {
                session: session(head)?,
                up: false,
            },
            CommandKind::VenueSequence => Self::VenueSequence {
                session: session(head)?,
                sequence: head.word,
            },
            CommandKind::JournalUp => Self::JournalLink { up: true },
            CommandKind::JournalDown => Self::JournalLink { up: false },
            CommandKind::Session => Self::Session(session_event(head)?),
            CommandKind::Deposit => Self::Deposit(CashMove { account, amount }),
            CommandKind::Withdraw => Self::Withdraw(CashMove { account, amount }),
            CommandKind::Settle => Self::Settle(Settlement { instrument, price }),
            CommandKind::Reference => Self::Reference(ReferencePrice { instrument, price }),
            CommandKind::SetState => Self::SetState(state_change(head)?),
            CommandKind::Restart => Self::Restart {
                state: trading_state(head)?,
            },
            CommandKind::DayStart => Self::DayStart,
            CommandKind::DayRoll => Self::DayRoll,
            CommandKind::FlipLimits => Self::FlipLimits(FlipLimits { digest: head.word }),
            CommandKind::SetCell => Self::SetCell(cell_change(head)?),
            CommandKind::MovePosition => Self::MovePosition(account_move(head)?),
            CommandKind::Dispute => {
                let decision = DisputeDecision::from_raw(head.detail);
                let decision = decision.ok_or(wrong("detail", head.detail.into()))?;
                Self::Dispute { account, decision }
            }
            CommandKind::StateHash => Self::StateHash,
            CommandKind::ValueAccounts => Self::ValueAccounts,
            CommandKind::Tick => Self::Tick,
        })
    }
}

fn session(head: &Head) -> Result<SessionId, DecodeError> {
    if head.session >= OrderKey::SESSIONS_MAX {
        return Err(wrong("session", head.session.into()));
    }
    Ok(SessionId::new(head.session))
}

const fn user_ref(head: &Head) -> UserRef {
    UserRef {
        row: head.row,
        number: head.number,
    }
}

fn unpack_ref(word: u64) -> Result<UserRef, DecodeError> {
    let row = word >> 32;
    let row = if cfg!(feature = "planted-bug") {
        row & 0xFF
    } else {
        row
    };
    Ok(UserRef {
        row: u8::try_from(row).map_err(|_| wrong("word", word))?,
        number: word as u32,
    })
}

fn flags_within(head: &Head, known: u8) -> Result<u8, DecodeError> {
    if head.flags & !known != 0 {
        return Err(wrong("flags", head.flags.into()));
    }
    Ok(head.flags)
}

fn limit_or_market(head: &Head) -> Option<Price> {
    if head.flags & FLAG_MARKET != 0 {
        None
    } else {
        Some(Price::new(head.price))
    }
}

fn time_in_force(head: &Head) -> Result<TimeInForce, DecodeError> {
    TimeInForce::from_raw(head.detail).ok_or(wrong("detail", head.detail.into()))
}

impl NewOrder {
    /// The new order that `head` holds, where its kind says that it is one.
    ///
    /// # Errors
    /// The first field that no new order could have.
    #[inline(always)]
    pub fn decode(head: &Head) -> Result<Self, DecodeError> {
        if head.kind != CommandKind::NewOrder as u8 {
            return Err(wrong("kind", head.kind.into()));
        }
        if head.reserved != 0 {
            return Err(wrong("reserved", head.reserved.into()));
        }
        new_order(head)
    }
}

#[inline(always)]
fn new_order(head: &Head) -> Result<NewOrder, DecodeError> {
    let flags = flags_within(head, FLAG_SELL | FLAG_MARKET)?;
    Ok(NewOrder {
        session: session(head)?,
        user_ref: user_ref(head),
        account: AccountId::new(head.account),
        instrument: InstrumentId::new(head.instrument),
        side: if flags & FLAG_SELL != 0 {
            Side::Sell
        } else {
            Side::Buy
        },
        qty: Qty::new(head.qty),
        price: limit_or_market(head),
        time_in_force: time_in_force(head)?,
    })
}

fn replace(head: &Head) -> Result<ReplaceRequest, DecodeError> {
    let flags = flags_within(head, FLAG_MARKET | FLAG_TOTAL | FLAG_WIRE)?;
    let total = flags & FLAG_TOTAL != 0;
    Ok(ReplaceRequest {
        session: session(head)?,
        original: unpack_ref(head.word)?,
        user_ref: user_ref(head),
        units: units(flags),
        qty: Qty::new(head.qty),
        qty_meaning: if total {
            QtyMeaning::Total
        } else {
            QtyMeaning::Open
        },
        price: limit_or_market(head),
        time_in_force: time_in_force(head)?,
    })
}

const fn units(flags: u8) -> Units {
    if flags & FLAG_WIRE != 0 {
        Units::Wire
    } else {
        Units::TicksAndLots
    }
}

impl CancelRequest {
    /// The cancel that `head` holds, where its kind says that it is one.
    ///
    /// # Errors
    /// The first field that no cancel could have.
    #[inline(always)]
    pub fn decode(head: &Head) -> Result<Self, DecodeError> {
        if head.kind != CommandKind::Cancel as u8 {
            return Err(wrong("kind", head.kind.into()));
        }
        if head.reserved != 0 {
            return Err(wrong("reserved", head.reserved.into()));
        }
        cancel(head)
    }
}

#[inline(always)]
fn cancel(head: &Head) -> Result<CancelRequest, DecodeError> {
    let flags = flags_within(head, FLAG_WIRE)?;
    Ok(CancelRequest {
        session: session(head)?,
        user_ref: user_ref(head),
        units: units(flags),
        qty_total: Qty::new(head.qty),
    })
}

fn mass_cancel(head: &Head) -> Result<MassCancel, DecodeError> {
    let side = match head.detail {
        0 => None,
        raw => Some(Side::from_raw(raw - 1).ok_or(wrong("detail", raw.into()))?),
    };
    Ok(MassCancel {
        session: session(head)?,
        user_ref: user_ref(head),
        account: AccountId::new(head.account),
        instrument: InstrumentId::new(head.instrument),
        side,
    })
}

fn order_entry(head: &Head, enabled: bool) -> Result<Command, DecodeError> {
    Ok(Command::OrderEntry {
        session: session(head)?,
        user_ref: user_ref(head),
        enabled,
    })
}

impl VenueReport {
    /// The report that `head` holds, where the caller has read the kind from its detail.
    ///
    /// # Errors
    /// The first field that no report could have.
    #[inline(always)]
    pub fn decode_as(head: &Head, kind: ReportKind) -> Result<Self, DecodeError> {
        if head.kind != CommandKind::Report as u8 {
            return Err(wrong("kind", head.kind.into()));
        }
        if head.reserved != 0 {
            return Err(wrong("reserved", head.reserved.into()));
        }
        Ok(Self {
            session: session(head)?,
            user_ref: user_ref(head),
            kind,
            note: head.flags,
        })
    }
}

impl ReportKind {
    /// The fill that `head` holds, where its detail says that it is one.
    #[inline(always)]
    #[must_use]
    pub const fn decode_fill(head: &Head) -> Self {
        let fee = (head.instrument as u64) << 32 | head.account as u64;
        Self::Fill {
            qty: Qty::new(head.qty),
            price: Price::new(head.price),
            match_number: head.word,
            fee: Money::new(fee as i64),
        }
    }
}

fn venue_report(head: &Head) -> Result<VenueReport, DecodeError> {
    let qty = Qty::new(head.qty);
    let detail = ReportDetail::from_raw(head.detail);
    let kind = match detail.ok_or(wrong("detail", head.detail.into()))? {
        ReportDetail::Accepted => ReportKind::Accepted,
        ReportDetail::Fill => ReportKind::decode_fill(head),
        ReportDetail::Canceled => ReportKind::Canceled,
        ReportDetail::Reduced => ReportKind::Reduced { qty },
        ReportDetail::Rejected => ReportKind::Rejected,
        ReportDetail::Replaced => ReportKind::Replaced {
            new: unpack_ref(head.word)?,
        },
        ReportDetail::ReplaceRejected => ReportKind::ReplaceRejected {
            new: unpack_ref(head.word)?,
        },
        ReportDetail::CancelPending => ReportKind::CancelPending,
        ReportDetail::CancelRejected => ReportKind::CancelRejected,
        ReportDetail::BrokenTrade => ReportKind::BrokenTrade {
            match_number: head.word,
        },
        ReportDetail::Information => ReportKind::Information,
    };
    VenueReport::decode_as(head, kind)
}

fn session_event(head: &Head) -> Result<SessionEvent, DecodeError> {
    let kind = SessionEventKind::from_raw(head.detail);
    Ok(SessionEvent {
        session: session(head)?,
        kind: kind.ok_or(wrong("detail", head.detail.into()))?,
        connection: head.number,
        sequence: head.word,
    })
}

fn scope(kind: u8, field: &'static str, head: &Head) -> Result<Scope, DecodeError> {
    let index = u32::try_from(head.word).map_err(|_| wrong("word", head.word))?;
    Scope::from_raw(kind, index).ok_or(wrong(field, kind.into()))
}

fn trading_state(head: &Head) -> Result<TradingState, DecodeError> {
    TradingState::from_raw(head.detail).ok_or(wrong("detail", head.detail.into()))
}

fn state_change(head: &Head) -> Result<StateChange, DecodeError> {
    flags_within(head, 0xF0 | FLAG_CANCEL)?;
    Ok(StateChange {
        scope: scope(head.flags >> 4, "flags", head)?,
        state: trading_state(head)?,
        cancel: head.flags & FLAG_CANCEL != 0,
    })
}

fn cell_change(head: &Head) -> Result<LimitCellChange, DecodeError> {
    Ok(LimitCellChange {
        scope: scope(head.detail, "detail", head)?,
        field: head.flags,
        value: head.qty,
    })
}

fn account_move(head: &Head) -> Result<AccountMove, DecodeError> {
    let kind = PositionMove::from_raw(head.detail);
    let counterparty = u32::try_from(head.word).map_err(|_| wrong("word", head.word))?;
    Ok(AccountMove {
        kind: kind.ok_or(wrong("detail", head.detail.into()))?,
        account: AccountId::new(head.account),
        instrument: InstrumentId::new(head.instrument),
        qty: Qty::new(head.qty),
        price: Price::new(head.price),
        counterparty: AccountId::new(counterparty),
    })
}

//! A command's form in a head.
//!
//! Owned by no thread. Must stay the inverse of `decode`; the property test beside it holds both.

use super::{
    AccountMove, CashMove, Command, CommandKind, DisputeDecision, FLAG_CANCEL, FLAG_MARKET,
    FLAG_SELL, FLAG_TOTAL, FLAG_WIRE, Head, LimitCellChange, MassCancel, NewOrder, Price,
    QtyMeaning, ReplaceRequest, ReportDetail, ReportKind, SessionEvent, Side, StateChange, Units,
    UserRef, VenueReport,
};
use crate::{CancelRequest, InstrumentId, SessionId};

impl Command {
    /// The head of this command, unstamped and without a raw message.
    #[must_use]
    pub fn encode(&self) -> Head {
        match *self {
            Self::NewOrder(order) => order.encode(),
            Self::Replace(request) => replace(request),
            Self::Cancel(request) => cancel(request),
            Self::MassCancel(request) => mass_cancel(request),
            Self::OrderEntry {
                session,
                user_ref,
                enabled,
            } => {
                let on = CommandKind::EnableOrderEntry;
                let kind = if enabled {
                    on
                } else {
                    CommandKind::DisableOrderEntry
                };
                of_session(kind, session, user_ref)
            }
            Self::AccountQuery { session, row } => of_session(
                CommandKind::AccountQuery,
                session,
                UserRef { row, number: 0 },
            ),
            Self::Report(report) => report.encode(),
            Self::VenueLink { session, up } => {
                let kind = if up {
                    CommandKind::VenueUp
                } else {
                    CommandKind::VenueDown
                };
                of_session(kind, session, UserRef::new(0))
            }
            Self::VenueSequence { session, sequence } => Head {
                word: sequence,
                ..of_session(CommandKind::VenueSequence, session, UserRef::new(0))
            },
            Self::JournalLink { up: true } => blank(CommandKind::JournalUp),
            Self::JournalLink { up: false } => blank(CommandKind::JournalDown),
            Self::Session(event) => session_event(event),
            Self::Deposit(cash) => cash_move(CommandKind::Deposit, cash),
            Self::Withdraw(cash) => cash_move(CommandKind::Withdraw, cash),
            Self::Settle(at) => priced(CommandKind::Settle, at.instrument, at.price),
            Self::Reference(at) => priced(CommandKind::Reference, at.instrument, at.price),
            Self::SetState(change) => state_change(change),
            Self::Restart { state } => Head {
                detail: state as u8,
                ..blank(CommandKind::Restart)
            },
            Self::DayStart => blank(CommandKind::DayStart),
            Self::DayRoll => blank(CommandKind::DayRoll),
            Self::FlipLimits(flip) => Head {
                word: flip.digest,
                ..blank(CommandKind::FlipLimits)
            },
            Self::SetCell(change) => cell_change(change),
            Self::MovePosition(change) => account_move(change),
            Self::Dispute { account, decision } => Head {
                account: account.raw(),
                detail: match decision {
                    DisputeDecision::Book => 0,
                    DisputeDecision::Discard => 1,
                },
                ..blank(CommandKind::Dispute)
            },
            Self::StateHash => blank(CommandKind::StateHash),
            Self::ValueAccounts => blank(CommandKind::ValueAccounts),
            Self::Tick => blank(CommandKind::Tick),
        }
    }
}

impl VenueReport {
    /// The head of a record of it: what [`Command::encode`] makes of [`Command::Report`].
    #[must_use]
    #[inline]
    pub const fn encode(&self) -> Head {
        let mut head = of_session(CommandKind::Report, self.session, self.user_ref);
        head.flags = self.note;
        match self.kind {
            ReportKind::Accepted => head.detail = ReportDetail::Accepted as u8,
            ReportKind::Fill {
                qty,
                price,
                match_number,
                fee,
            } => {
                head.detail = ReportDetail::Fill as u8;
                head.qty = qty.lots();
                head.price = price.ticks();
                head.word = match_number;
                let fee = fee.quanta() as u64;
                head.account = fee as u32;
                head.instrument = (fee >> 32) as u32;
            }
            ReportKind::Canceled => head.detail = ReportDetail::Canceled as u8,
            ReportKind::Reduced { qty } => {
                head.detail = ReportDetail::Reduced as u8;
                head.qty = qty.lots();
            }
            ReportKind::Rejected => head.detail = ReportDetail::Rejected as u8,
            ReportKind::Replaced { new } => {
                head.detail = ReportDetail::Replaced as u8;
                head.word = pack_ref(new);
            }
            ReportKind::ReplaceRejected { new } => {
                head.detail = ReportDetail::ReplaceRejected as u8;
                head.word = pack_ref(new);
            }
            ReportKind::CancelPending => head.detail = ReportDetail::CancelPending as u8,
            ReportKind::CancelRejected => head.detail = ReportDetail::CancelRejected as u8,
            ReportKind::BrokenTrade { match_number } => {
                head.detail = ReportDetail::BrokenTrade as u8;
                head.word = match_number;
            }
            ReportKind::Information => head.detail = ReportDetail::Information as u8,
        }
        head
    }
}

const fn blank(kind: CommandKind) -> Head {
    Head::blank(kind as u8)
}

const fn of_session(kind: CommandKind, session: SessionId, user_ref: UserRef) -> Head {
    Head {
        session: session.raw(),
        row: user_ref.row,
        number: user_ref.number,
        ..blank(kind)
    }
}

fn limit_or_market(price: Option<Price>) -> (i64, u8) {
    match price {
        Some(limit) => (limit.ticks(), 0),
        None => (0, FLAG_MARKET),
    }
}

impl NewOrder {
    /// The head of the command for this order: [`Command::encode`] of what is known to be one.
    #[inline]
    #[must_use]
    pub fn encode(self) -> Head {
        let (price, market) = limit_or_market(self.price);
        let sell = if self.side == Side::Sell {
            FLAG_SELL
        } else {
            0
        };
        Head {
            account: self.account.raw(),
            instrument: self.instrument.raw(),
            detail: self.time_in_force as u8,
            flags: market | sell,
            price,
            qty: self.qty.lots(),
            ..of_session(CommandKind::NewOrder, self.session, self.user_ref)
        }
    }
}

fn replace(request: ReplaceRequest) -> Head {
    let (price, market) = limit_or_market(request.price);
    let total = match request.qty_meaning {
        QtyMeaning::Open => 0,
        QtyMeaning::Total => FLAG_TOTAL,
    };
    Head {
        detail: request.time_in_force as u8,
        flags: market | total | wire_flag(request.units),
        price,
        qty: request.qty.lots(),
        word: pack_ref(request.original),
        ..of_session(CommandKind::Replace, request.session, request.user_ref)
    }
}

const fn wire_flag(units: Units) -> u8 {
    match units {
        Units::TicksAndLots => 0,
        Units::Wire => FLAG_WIRE,
    }
}

fn cancel(request: CancelRequest) -> Head {
    Head {
        flags: wire_flag(request.units),
        qty: request.qty_total.lots(),
        ..of_session(CommandKind::Cancel, request.session, request.user_ref)
    }
}

fn mass_cancel(request: MassCancel) -> Head {
    Head {
        account: request.account.raw(),
        instrument: request.instrument.raw(),
        detail: request.side.map_or(0, |side| side as u8 + 1),
        ..of_session(CommandKind::MassCancel, request.session, request.user_ref)
    }
}

const fn pack_ref(user_ref: UserRef) -> u64 {
    (user_ref.row as u64) << 32 | user_ref.number as u64
}

fn session_event(event: SessionEvent) -> Head {
    Head {
        session: event.session.raw(),
        detail: event.kind as u8,
        number: event.connection,
        word: event.sequence,
        ..blank(CommandKind::Session)
    }
}

fn cash_move(kind: CommandKind, cash: CashMove) -> Head {
    Head {
        account: cash.account.raw(),
        qty: cash.amount.quanta(),
        ..blank(kind)
    }
}

fn priced(kind: CommandKind, instrument: InstrumentId, price: Price) -> Head {
    Head {
        instrument: instrument.raw(),
        price: price.ticks(),
        ..blank(kind)
    }
}

fn state_change(change: StateChange) -> Head {
    let (scope, index) = change.scope.to_raw();
    let cancel = if change.cancel { FLAG_CANCEL } else { 0 };
    Head {
        detail: change.state as u8,
        flags: scope << 4 | cancel,
        word: u64::from(index),
        ..blank(CommandKind::SetState)
    }
}

fn cell_change(change: LimitCellChange) -> Head {
    let (scope, index) = change.scope.to_raw();
    Head {
        detail: scope,
        flags: change.field,
        qty: change.value,
        word: u64::from(index),
        ..blank(CommandKind::SetCell)
    }
}

fn account_move(change: AccountMove) -> Head {
    Head {
        detail: change.kind as u8,
        account: change.account.raw(),
        instrument: change.instrument.raw(),
        qty: change.qty.lots(),
        price: change.price.ticks(),
        word: u64::from(change.counterparty.raw()),
        ..blank(CommandKind::MovePosition)
    }
}

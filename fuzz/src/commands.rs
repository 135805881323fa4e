//! Any command of the risk core, made from a fuzzer's bytes.
//!
//! **Thread.** The target's own.
//! **Invariants.** Each variant can come, with every value that its fields can hold and a head can
//! carry; a variant that is added to [`Command`] does not compile here until it can come too.
//! **Never.** Go through the encoding that is under test.

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use portcullis_domain::{
    AccountId, AccountMove, CancelRequest, CashMove, Command, DisputeDecision, FirmId, FlipLimits,
    InstrumentId, LimitCellChange, MassCancel, Money, NewOrder, OrderKey, PositionMove, Price, Qty,
    QtyMeaning, ReferencePrice, ReplaceRequest, ReportKind, Scope, SessionEvent, SessionEventKind,
    SessionId, Settlement, Side, StateChange, TimeInForce, TradingState, Units, UserRef,
    VenueReport,
};

/// Variants of [`Command`].
const VARIANTS: u8 = 24;

/// Variants of [`ReportKind`].
const REPORTS: u8 = 11;

/// A command.
///
/// # Errors
/// The input is used up in a way that the choice cannot go on from.
pub fn command(from: &mut Unstructured<'_>) -> Result<Command> {
    let wanted = from.int_in_range(0..=VARIANTS - 1)?;
    let command = variant(wanted, from)?;
    assert_eq!(number(&command), wanted);
    Ok(command)
}

/// The place of a command's variant among all of them.
const fn number(command: &Command) -> u8 {
    match command {
        Command::NewOrder(_) => 0,
        Command::Replace(_) => 1,
        Command::Cancel(_) => 2,
        Command::MassCancel(_) => 3,
        Command::OrderEntry { .. } => 4,
        Command::AccountQuery { .. } => 5,
        Command::Report(_) => 6,
        Command::VenueLink { .. } => 7,
        Command::Session(_) => 8,
        Command::Deposit(_) => 9,
        Command::Withdraw(_) => 10,
        Command::Settle(_) => 11,
        Command::Reference(_) => 12,
        Command::SetState(_) => 13,
        Command::DayStart => 14,
        Command::DayRoll => 15,
        Command::FlipLimits(_) => 16,
        Command::SetCell(_) => 17,
        Command::MovePosition(_) => 18,
        Command::Dispute { .. } => 19,
        Command::StateHash | Command::ValueAccounts | Command::Tick => 20,
        Command::VenueSequence { .. } => 21,
        Command::JournalLink { .. } => 22,
        Command::Restart { .. } => 23,
    }
}

fn variant(wanted: u8, from: &mut Unstructured<'_>) -> Result<Command> {
    Ok(match wanted {
        0 => Command::NewOrder(new_order(from)?),
        1 => Command::Replace(replace(from)?),
        2 => Command::Cancel(CancelRequest {
            session: session(from)?,
            user_ref: user_ref(from)?,
            units: one_of(from, [Units::TicksAndLots, Units::Wire])?,
            qty_total: Qty::new(any(from)?),
        }),
        3 => Command::MassCancel(MassCancel {
            session: session(from)?,
            user_ref: user_ref(from)?,
            account: AccountId::new(any(from)?),
            instrument: InstrumentId::new(any(from)?),
            side: one_of(from, [None, Some(Side::Buy), Some(Side::Sell)])?,
        }),
        4 => Command::OrderEntry {
            session: session(from)?,
            user_ref: user_ref(from)?,
            enabled: any(from)?,
        },
        5 => Command::AccountQuery {
            session: session(from)?,
            row: any(from)?,
        },
        6 => Command::Report(VenueReport {
            session: session(from)?,
            user_ref: user_ref(from)?,
            kind: report(from)?,
            note: any(from)?,
        }),
        7 => Command::VenueLink {
            session: session(from)?,
            up: any(from)?,
        },
        8 => Command::Session(session_event(from)?),
        9 => Command::Deposit(cash(from)?),
        10 => Command::Withdraw(cash(from)?),
        _ => control(wanted, from)?,
    })
}

fn control(wanted: u8, from: &mut Unstructured<'_>) -> Result<Command> {
    Ok(match wanted {
        11 => Command::Settle(Settlement {
            instrument: InstrumentId::new(any(from)?),
            price: Price::new(any(from)?),
        }),
        12 => Command::Reference(ReferencePrice {
            instrument: InstrumentId::new(any(from)?),
            price: Price::new(any(from)?),
        }),
        13 => Command::SetState(StateChange {
            scope: scope(from)?,
            state: one_of(from, TradingState::ALL)?,
            cancel: any(from)?,
        }),
        14 => Command::DayStart,
        15 => Command::DayRoll,
        16 => Command::FlipLimits(FlipLimits { digest: any(from)? }),
        17 => Command::SetCell(LimitCellChange {
            scope: scope(from)?,
            field: any(from)?,
            value: any(from)?,
        }),
        18 => Command::MovePosition(account_move(from)?),
        19 => Command::Dispute {
            account: AccountId::new(any(from)?),
            decision: one_of(from, [DisputeDecision::Book, DisputeDecision::Discard])?,
        },
        21 => Command::VenueSequence {
            session: session(from)?,
            sequence: any(from)?,
        },
        22 => Command::JournalLink { up: any(from)? },
        23 => Command::Restart {
            state: one_of(from, TradingState::ALL)?,
        },
        _ => {
            let rest = [Command::StateHash, Command::ValueAccounts, Command::Tick];
            one_of(from, rest)?
        }
    })
}

fn new_order(from: &mut Unstructured<'_>) -> Result<NewOrder> {
    Ok(NewOrder {
        session: session(from)?,
        user_ref: user_ref(from)?,
        account: AccountId::new(any(from)?),
        instrument: InstrumentId::new(any(from)?),
        side: one_of(from, [Side::Buy, Side::Sell])?,
        qty: Qty::new(any(from)?),
        price: any::<Option<i64>>(from)?.map(Price::new),
        time_in_force: time_in_force(from)?,
    })
}

fn replace(from: &mut Unstructured<'_>) -> Result<ReplaceRequest> {
    Ok(ReplaceRequest {
        session: session(from)?,
        original: user_ref(from)?,
        user_ref: user_ref(from)?,
        units: one_of(from, [Units::TicksAndLots, Units::Wire])?,
        qty: Qty::new(any(from)?),
        qty_meaning: one_of(from, [QtyMeaning::Open, QtyMeaning::Total])?,
        price: any::<Option<i64>>(from)?.map(Price::new),
        time_in_force: time_in_force(from)?,
    })
}

fn report(from: &mut Unstructured<'_>) -> Result<ReportKind> {
    Ok(match from.int_in_range(0..=REPORTS - 1)? {
        0 => ReportKind::Accepted,
        1 => ReportKind::Fill {
            qty: Qty::new(any(from)?),
            price: Price::new(any(from)?),
            match_number: any(from)?,
            fee: Money::new(any(from)?),
        },
        2 => ReportKind::Canceled,
        3 => ReportKind::Reduced {
            qty: Qty::new(any(from)?),
        },
        4 => ReportKind::Rejected,
        5 => ReportKind::Replaced {
            new: user_ref(from)?,
        },
        6 => ReportKind::ReplaceRejected {
            new: user_ref(from)?,
        },
        7 => ReportKind::CancelPending,
        8 => ReportKind::CancelRejected,
        9 => ReportKind::BrokenTrade {
            match_number: any(from)?,
        },
        _ => ReportKind::Information,
    })
}

fn session_event(from: &mut Unstructured<'_>) -> Result<SessionEvent> {
    let kinds = [
        SessionEventKind::Up,
        SessionEventKind::LoggedOut,
        SessionEventKind::Lost,
        SessionEventKind::Ended,
    ];
    Ok(SessionEvent {
        session: session(from)?,
        kind: one_of(from, kinds)?,
        connection: any(from)?,
        sequence: any(from)?,
    })
}

fn cash(from: &mut Unstructured<'_>) -> Result<CashMove> {
    Ok(CashMove {
        account: AccountId::new(any(from)?),
        amount: Money::new(any(from)?),
    })
}

fn account_move(from: &mut Unstructured<'_>) -> Result<AccountMove> {
    let kinds = [
        PositionMove::Opening,
        PositionMove::Adjust,
        PositionMove::Transfer,
    ];
    Ok(AccountMove {
        kind: one_of(from, kinds)?,
        account: AccountId::new(any(from)?),
        instrument: InstrumentId::new(any(from)?),
        qty: Qty::new(any(from)?),
        price: Price::new(any(from)?),
        counterparty: AccountId::new(any(from)?),
    })
}

fn scope(from: &mut Unstructured<'_>) -> Result<Scope> {
    let index = any(from)?;
    let scopes = [
        Scope::Venue,
        Scope::Firm(FirmId::new(index)),
        Scope::Account(AccountId::new(index)),
        Scope::Instrument(InstrumentId::new(index)),
        Scope::Session(SessionId::new(index)),
    ];
    one_of(from, scopes)
}

fn time_in_force(from: &mut Unstructured<'_>) -> Result<TimeInForce> {
    let all = [
        TimeInForce::Day,
        TimeInForce::ImmediateOrCancel,
        TimeInForce::GoodTillCancel,
        TimeInForce::GoodTillTime,
    ];
    one_of(from, all)
}

/// A session that an order key can name: no other is ever given out.
fn session(from: &mut Unstructured<'_>) -> Result<SessionId> {
    let index = from.int_in_range(0..=OrderKey::SESSIONS_MAX - 1)?;
    Ok(SessionId::new(index))
}

fn user_ref(from: &mut Unstructured<'_>) -> Result<UserRef> {
    Ok(UserRef {
        row: any(from)?,
        number: any(from)?,
    })
}

fn any<'a, T: Arbitrary<'a>>(from: &mut Unstructured<'a>) -> Result<T> {
    T::arbitrary(from)
}

fn one_of<T: Copy, const N: usize>(from: &mut Unstructured<'_>, all: [T; N]) -> Result<T> {
    from.choose(&all).copied()
}

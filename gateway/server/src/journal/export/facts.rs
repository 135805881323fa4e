//! What a record says, as far as columns have a place for it.
//!
//! Pure. Invariants: numbers that stand in a column are lots, ticks and quanta; those in units of a client's protocol,
//! which only the core converts, are said in words.

use crate::journal::words::time_in_force;
use portcullis_domain::{
    AccountId, CancelRequest, CashMove, Command, Head, InstrumentId, MassCancel, NewOrder, Price,
    Qty, ReplaceRequest, ReportKind, SessionId, Side, Units, UserRef, VenueReport,
};

/// What a record says.
pub(super) struct Facts {
    pub(super) kind: &'static str,
    pub(super) session: SessionId,
    pub(super) user_ref: Option<UserRef>,
    pub(super) account: AccountId,
    pub(super) instrument: InstrumentId,
    pub(super) side: Option<Side>,
    /// Lots.
    pub(super) qty: Option<i64>,
    pub(super) price: Option<Price>,
    /// Quanta.
    pub(super) money: Option<i64>,
    pub(super) what: String,
}

impl Facts {
    /// What a head says.
    pub(super) fn of(head: &Head) -> Self {
        let Ok(command) = Command::decode(head) else {
            return Self::none("none");
        };
        match command {
            Command::NewOrder(order) => new_order(&order),
            Command::Replace(request) => replace(&request),
            Command::Cancel(request) => cancel(&request),
            Command::MassCancel(cancel) => mass_cancel(&cancel),
            Command::Report(report) => self::report(&report),
            Command::Deposit(cash) => cash_move("deposit", &cash),
            Command::Withdraw(cash) => cash_move("withdraw", &cash),
            Command::Settle(settle) => Self {
                instrument: settle.instrument,
                price: Some(settle.price),
                ..Self::none("settle")
            },
            Command::Reference(reference) => Self {
                instrument: reference.instrument,
                price: Some(reference.price),
                ..Self::none("reference")
            },
            Command::MovePosition(moved) => Self {
                account: moved.account,
                instrument: moved.instrument,
                qty: Some(moved.qty.lots()),
                price: Some(moved.price),
                what: format!("{:?}", moved.kind),
                ..Self::none("move_position")
            },
            Command::Session(event) => Self {
                session: event.session,
                what: format!("{:?}", event.kind),
                ..Self::none("session")
            },
            Command::OrderEntry { session, .. }
            | Command::AccountQuery { session, .. }
            | Command::VenueLink { session, .. }
            | Command::VenueSequence { session, .. } => Self {
                session,
                what: format!("{command:?}"),
                ..Self::none("session_other")
            },
            Command::JournalLink { .. }
            | Command::SetState(_)
            | Command::Restart { .. }
            | Command::DayStart
            | Command::DayRoll
            | Command::FlipLimits(_)
            | Command::SetCell(_)
            | Command::Dispute { .. }
            | Command::StateHash
            | Command::ValueAccounts
            | Command::Tick => Self {
                what: format!("{command:?}"),
                ..Self::none("control")
            },
        }
    }

    const fn none(kind: &'static str) -> Self {
        Self {
            kind,
            session: SessionId::NONE,
            user_ref: None,
            account: AccountId::NONE,
            instrument: InstrumentId::NONE,
            side: None,
            qty: None,
            price: None,
            money: None,
            what: String::new(),
        }
    }
}

fn new_order(order: &NewOrder) -> Facts {
    Facts {
        session: order.session,
        user_ref: Some(order.user_ref),
        account: order.account,
        instrument: order.instrument,
        side: Some(order.side),
        qty: Some(order.qty.lots()),
        price: order.price,
        what: time_in_force(order.time_in_force).to_owned(),
        ..Facts::none("order")
    }
}

fn replace(request: &ReplaceRequest) -> Facts {
    let (qty, original) = (request.qty.lots(), request.original.number);
    let price = request
        .price
        .map_or("market".to_owned(), |price| price.ticks().to_string());
    let of = |units| Facts {
        session: request.session,
        user_ref: Some(request.user_ref),
        what: format!("of {original}, {qty} @ {price} {units}"),
        ..Facts::none("replace")
    };
    match request.units {
        Units::TicksAndLots => Facts {
            qty: Some(qty),
            price: request.price,
            ..of("ticks")
        },
        Units::Wire => of("wire"),
    }
}

fn cancel(request: &CancelRequest) -> Facts {
    let facts = Facts {
        session: request.session,
        user_ref: Some(request.user_ref),
        ..Facts::none("cancel")
    };
    let total = request.qty_total;
    match request.units {
        // Nothing is nothing in any unit.
        Units::Wire if total != Qty::ZERO => Facts {
            what: format!("down to {} wire", total.lots()),
            ..facts
        },
        Units::Wire | Units::TicksAndLots => Facts {
            qty: Some(total.lots()),
            ..facts
        },
    }
}

fn mass_cancel(cancel: &MassCancel) -> Facts {
    Facts {
        session: cancel.session,
        user_ref: Some(cancel.user_ref),
        account: cancel.account,
        instrument: cancel.instrument,
        side: cancel.side,
        ..Facts::none("mass_cancel")
    }
}

fn cash_move(kind: &'static str, cash: &CashMove) -> Facts {
    Facts {
        account: cash.account,
        money: Some(cash.amount.quanta()),
        ..Facts::none(kind)
    }
}

fn report(report: &VenueReport) -> Facts {
    let facts = Facts {
        session: report.session,
        user_ref: Some(report.user_ref),
        what: format!("{:?}", report.kind),
        ..Facts::none("report")
    };
    match report.kind {
        ReportKind::Fill {
            qty, price, fee, ..
        } => Facts {
            qty: Some(qty.lots()),
            price: Some(price),
            money: Some(fee.quanta()),
            ..facts
        },
        ReportKind::Reduced { qty } => Facts {
            qty: Some(qty.lots()),
            ..facts
        },
        ReportKind::Accepted
        | ReportKind::Canceled
        | ReportKind::Rejected
        | ReportKind::Replaced { .. }
        | ReportKind::ReplaceRejected { .. }
        | ReportKind::CancelPending
        | ReportKind::CancelRejected
        | ReportKind::BrokenTrade { .. }
        | ReportKind::Information => facts,
    }
}

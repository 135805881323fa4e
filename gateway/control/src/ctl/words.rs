//! Requests as lines again: for the log of what people did, and for the client.
//!
//! Owned by no thread. Invariant: the line of a request parses back to it.

use super::request::{CtlRequest, Query};
use crate::config::Config;
use crate::decimal::{Decimal, show_price};
use crate::field_value::{self, FieldScale};
use portcullis_domain::{
    AccountId, AccountMove, CashMove, Command, DisputeDecision, InstrumentId, LimitCellChange,
    PositionMove, Price, Scope, SessionId, StateChange, TradingState,
};
use portcullis_risk_core::limits::account::ACCOUNT_FIELDS;

impl CtlRequest {
    /// The line that asks for this; `None` for a command that nobody can ask for over ctl.
    #[must_use]
    pub fn to_line(&self, config: &Config) -> Option<String> {
        let words = Words { config };
        Some(match self {
            Self::Help => "help".to_owned(),
            Self::Reload(path) => format!("reload {}", path.display()),
            Self::Diff(path) => format!("diff {}", path.display()),
            Self::Query(Query::State) => "state".to_owned(),
            Self::Query(Query::Promote { force: false }) => "promote".to_owned(),
            Self::Query(Query::Promote { force: true }) => "promote --force".to_owned(),
            Self::Query(Query::Account(account)) => format!("account {}", words.account(*account)?),
            Self::Query(Query::Explain { session, user_ref }) => {
                let user = words.session(*session)?;
                format!("explain {user}:{}:{}", user_ref.row, user_ref.number)
            }
            Self::Command(command) => return words.command(command),
        })
    }
}

struct Words<'a> {
    config: &'a Config,
}

impl<'a> Words<'a> {
    fn account(&self, account: AccountId) -> Option<&'a str> {
        self.config.names.account_name(account)
    }

    fn session(&self, session: SessionId) -> Option<&'a str> {
        self.config.names.session_user(session)
    }

    fn symbol(&self, instrument: InstrumentId) -> Option<&'a str> {
        self.config.names.symbol(instrument)
    }

    fn price(&self, instrument: InstrumentId, price: Price) -> Option<String> {
        let tick: Decimal = self.config.instruments.get(instrument.index())?.tick;
        Some(show_price(price, tick))
    }

    fn scope(&self, scope: Scope) -> Option<String> {
        Some(match scope {
            Scope::Venue => "venue".to_owned(),
            Scope::Firm(firm) => format!("firm {}", self.config.names.firm_name(firm)?),
            Scope::Account(account) => format!("account {}", self.account(account)?),
            Scope::Instrument(instrument) => format!("instrument {}", self.symbol(instrument)?),
            Scope::Session(session) => format!("session {}", self.session(session)?),
        })
    }

    fn command(&self, command: &Command) -> Option<String> {
        Some(match command {
            Command::Deposit(cash) => return self.cash("deposit", cash),
            Command::Withdraw(cash) => return self.cash("withdraw", cash),
            Command::Settle(to) => return self.priced("settle", to.instrument, to.price),
            Command::Reference(to) => return self.priced("reference", to.instrument, to.price),
            Command::SetState(change) => return self.state(change),
            Command::SetCell(change) => return self.cell(change),
            Command::MovePosition(moved) => return self.moved(moved),
            Command::Dispute { account, decision } => {
                let decision = match decision {
                    DisputeDecision::Book => "book",
                    DisputeDecision::Discard => "discard",
                };
                format!("dispute {} {decision}", self.account(*account)?)
            }
            Command::Restart { state } => format!("restart {}", state.name()),
            Command::DayStart => "day-start".to_owned(),
            Command::DayRoll => "day-roll".to_owned(),
            Command::StateHash => "hash".to_owned(),
            Command::ValueAccounts => "value".to_owned(),
            Command::NewOrder(_)
            | Command::Replace(_)
            | Command::Cancel(_)
            | Command::MassCancel(_)
            | Command::OrderEntry { .. }
            | Command::AccountQuery { .. }
            | Command::Report(_)
            | Command::VenueLink { .. }
            | Command::VenueSequence { .. }
            | Command::JournalLink { .. }
            | Command::Session(_)
            | Command::FlipLimits(_)
            | Command::Tick => return None,
        })
    }

    fn cash(&self, verb: &str, cash: &CashMove) -> Option<String> {
        let amount = self.config.profile.money.show(cash.amount);
        Some(format!("{verb} {} {amount}", self.account(cash.account)?))
    }

    fn priced(&self, verb: &str, instrument: InstrumentId, price: Price) -> Option<String> {
        Some(format!(
            "{verb} {} {}",
            self.symbol(instrument)?,
            self.price(instrument, price)?
        ))
    }

    fn state(&self, change: &StateChange) -> Option<String> {
        let scope = self.scope(change.scope)?;
        match (change.state, change.cancel) {
            (TradingState::CancelOnly, true) => Some(format!("kill {scope} --cancel")),
            // Only a kill cancels, and a kill has no other state.
            (_, true) => None,
            (state, false) => Some(format!("state {scope} {}", state.name())),
        }
    }

    fn cell(&self, change: &LimitCellChange) -> Option<String> {
        let Scope::Account(account) = change.scope else {
            return None;
        };
        let field = ACCOUNT_FIELDS.get(usize::from(change.field))?;
        let money = self.config.profile.money;
        let value = field_value::show(field, change.value, FieldScale { money, tick: None });
        Some(format!(
            "set {} {} {value}",
            self.account(account)?,
            field.name
        ))
    }

    fn moved(&self, moved: &AccountMove) -> Option<String> {
        let account = self.account(moved.account)?;
        let what = format!(
            "{} {} {}",
            self.symbol(moved.instrument)?,
            moved.qty.lots(),
            self.price(moved.instrument, moved.price)?
        );
        Some(match moved.kind {
            PositionMove::Opening => format!("open-position {account} {what}"),
            PositionMove::Adjust => format!("adjust-position {account} {what}"),
            PositionMove::Transfer => {
                format!(
                    "transfer-position {} {account} {what}",
                    self.account(moved.counterparty)?
                )
            }
        })
    }
}

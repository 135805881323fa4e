//! Requests: a line into a typed value.
//!
//! Owned by no thread. Invariants: names resolve or are refused with the nearest known one; money,
//! prices and limits are exact or refused. Must never act.

use crate::config::Config;
use crate::decimal::Decimal;
use crate::field_value::{self, FieldScale};
use crate::names::NameTable;
use crate::nearest::nearest;
use core::fmt;
use portcullis_domain::{
    AccountId, AccountMove, CashMove, Command, DisputeDecision, FirmId, InstrumentId,
    LimitCellChange, Money, PositionMove, Price, Qty, ReferencePrice, Scope, SessionId, Settlement,
    StateChange, TradingState, UserRef,
};
use portcullis_risk_core::limits::account::ACCOUNT_FIELDS;
use std::path::PathBuf;

/// What a person asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CtlRequest {
    /// Something that changes the core, to be sequenced.
    Command(Command),
    /// Something to be looked up.
    Query(Query),
    /// The config in this file takes effect, if it is whole.
    Reload(PathBuf),
    /// What a reload of this file would change; nothing changes.
    Diff(PathBuf),
    /// What can be asked.
    Help,
}

/// Something to be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// Trading states, links and counters.
    State,
    /// An account's money, positions and limits.
    Account(AccountId),
    /// Why an order was refused, or where it stands.
    Explain {
        /// Whose order.
        session: SessionId,
        /// Its number.
        user_ref: UserRef,
    },
    /// Not a look but a step: a standby leads from here on.
    Promote {
        /// Even if it may lack records.
        force: bool,
    },
}

/// Why a line is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.hint)
    }
}

impl core::error::Error for RequestError {}

fn wrong<T>(what: impl Into<String>, hint: impl Into<String>) -> Result<T, RequestError> {
    Err(RequestError {
        what: what.into(),
        hint: hint.into(),
    })
}

/// The verbs, and what follows each.
pub(super) const FORMS: [(&str, &str); 22] = [
    ("help", ""),
    ("reload", "CONFIG"),
    ("diff", "CONFIG"),
    (
        "state",
        "[venue | firm NAME | account NAME | instrument SYMBOL | session USER] [STATE]",
    ),
    (
        "kill",
        "venue | firm NAME | account NAME | instrument SYMBOL | session USER [--cancel]",
    ),
    ("deposit", "ACCOUNT AMOUNT"),
    ("withdraw", "ACCOUNT AMOUNT"),
    ("settle", "SYMBOL PRICE"),
    ("reference", "SYMBOL PRICE"),
    ("account", "NAME"),
    ("explain", "USER:NUMBER"),
    ("set", "ACCOUNT FIELD VALUE"),
    ("open-position", "ACCOUNT SYMBOL LOTS PRICE"),
    ("adjust-position", "ACCOUNT SYMBOL LOTS PRICE"),
    ("transfer-position", "FROM TO SYMBOL LOTS PRICE"),
    ("dispute", "ACCOUNT book|discard"),
    ("restart", "Active | ReduceOnly | CancelOnly | Halted"),
    ("day-start", ""),
    ("day-roll", ""),
    ("hash", ""),
    ("value", ""),
    ("promote", "[--force]"),
];

/// The request of a line, its end cut off.
///
/// # Errors
/// What is wrong with it, and what to write instead.
pub fn parse_request(line: &str, config: &Config) -> Result<CtlRequest, RequestError> {
    let line = line.trim();
    let (verb, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let words: Vec<&str> = rest.split_whitespace().collect();
    let parser = Parser { config, verb };
    let command = match (verb, words.as_slice()) {
        ("help", []) => return Ok(CtlRequest::Help),
        ("reload", [_, ..]) => return Ok(CtlRequest::Reload(rest.into())),
        ("diff", [_, ..]) => return Ok(CtlRequest::Diff(rest.into())),
        ("state", []) => return Ok(CtlRequest::Query(Query::State)),
        ("promote", []) => return Ok(CtlRequest::Query(Query::Promote { force: false })),
        ("promote", ["--force"]) => return Ok(CtlRequest::Query(Query::Promote { force: true })),
        ("account", [name]) => return Ok(CtlRequest::Query(Query::Account(parser.account(name)?))),
        ("explain", [order]) => return parser.explain(order).map(CtlRequest::Query),
        ("state", [scope @ .., state]) => parser.state(scope, state)?,
        ("kill", [scope @ .., "--cancel"]) => parser.kill(scope, true)?,
        ("kill", scope @ [_, ..]) => parser.kill(scope, false)?,
        ("deposit", [account, amount]) => Command::Deposit(parser.cash(account, amount)?),
        ("withdraw", [account, amount]) => Command::Withdraw(parser.cash(account, amount)?),
        ("settle", [symbol, price]) => {
            let instrument = parser.instrument(symbol)?;
            Command::Settle(Settlement {
                instrument,
                price: parser.price(instrument, price)?,
            })
        }
        ("reference", [symbol, price]) => {
            let instrument = parser.instrument(symbol)?;
            Command::Reference(ReferencePrice {
                instrument,
                price: parser.price(instrument, price)?,
            })
        }
        ("set", [account, field, value]) => parser.set(account, field, value)?,
        ("open-position", [account, symbol, lots, price]) => {
            parser.move_position(PositionMove::Opening, [account, symbol, lots, price], None)?
        }
        ("adjust-position", [account, symbol, lots, price]) => {
            parser.move_position(PositionMove::Adjust, [account, symbol, lots, price], None)?
        }
        ("transfer-position", [from, to, symbol, lots, price]) => parser.move_position(
            PositionMove::Transfer,
            [to, symbol, lots, price],
            Some(from),
        )?,
        ("dispute", [account, decision]) => parser.dispute(account, decision)?,
        ("restart", [state]) => Command::Restart {
            state: parser.trading_state(state)?,
        },
        ("day-start", []) => Command::DayStart,
        ("day-roll", []) => Command::DayRoll,
        ("hash", []) => Command::StateHash,
        ("value", []) => Command::ValueAccounts,
        _ => return parser.unknown(),
    };
    Ok(CtlRequest::Command(command))
}

struct Parser<'a> {
    config: &'a Config,
    verb: &'a str,
}

impl Parser<'_> {
    fn unknown(&self) -> Result<CtlRequest, RequestError> {
        let verb: String = self
            .verb
            .chars()
            .take(40)
            .filter(|c| !c.is_control())
            .collect();
        if let Some((verb, form)) = FORMS.iter().find(|(known, _)| *known == self.verb) {
            let what = format!("`{verb}` does not take these words");
            return wrong(
                what,
                format!("write `{}`", format!("{verb} {form}").trim_end()),
            );
        }
        let meant = nearest(&verb, FORMS.iter().map(|(known, _)| *known));
        let hint = meant.map_or("`help` lists what there is".to_owned(), |known| {
            format!("did you mean `{known}`?")
        });
        wrong(format!("there is no request `{verb}`"), hint)
    }

    fn find(&self, kind: &str, table: &NameTable, name: &str) -> Result<u32, RequestError> {
        if let Some(index) = table.find(name) {
            return Ok(index);
        }
        let name: String = name.chars().take(40).filter(|c| !c.is_control()).collect();
        let hint = match nearest(&name, table.iter().take(10_000)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("name a {kind} of the config in force"),
        };
        wrong(format!("there is no {kind} `{name}`"), hint)
    }

    fn account(&self, name: &str) -> Result<AccountId, RequestError> {
        self.find("account", &self.config.names.accounts, name)
            .map(AccountId::new)
    }

    fn instrument(&self, symbol: &str) -> Result<InstrumentId, RequestError> {
        self.find("instrument", &self.config.names.instruments, symbol)
            .map(InstrumentId::new)
    }

    fn session(&self, user: &str) -> Result<SessionId, RequestError> {
        let user = user.to_ascii_uppercase();
        self.find("session", &self.config.names.sessions, &user)
            .map(SessionId::new)
    }

    fn firm(&self, name: &str) -> Result<FirmId, RequestError> {
        self.find("firm", &self.config.names.firms, name)
            .map(FirmId::new)
    }

    fn scope(&self, words: &[&str]) -> Result<Scope, RequestError> {
        match words {
            ["venue"] => Ok(Scope::Venue),
            ["firm", name] => self.firm(name).map(Scope::Firm),
            ["account", name] => self.account(name).map(Scope::Account),
            ["instrument", symbol] => self.instrument(symbol).map(Scope::Instrument),
            ["session", user] => self.session(user).map(Scope::Session),
            _ => wrong(
                format!("`{}` wants a scope", self.verb),
                "write venue, firm NAME, account NAME, instrument SYMBOL or session USER",
            ),
        }
    }

    fn state(&self, scope: &[&str], state: &str) -> Result<Command, RequestError> {
        let scope = self.scope(scope)?;
        let state = self.trading_state(state)?;
        Ok(Command::SetState(StateChange {
            scope,
            state,
            cancel: false,
        }))
    }

    fn trading_state(&self, state: &str) -> Result<TradingState, RequestError> {
        let mut all = TradingState::ALL.into_iter();
        if let Some(state) = all.find(|known| known.name() == state) {
            return Ok(state);
        }
        let names = TradingState::ALL.map(TradingState::name);
        let hint = match nearest(state, names) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("write one of {}", names.join(", ")),
        };
        wrong("there is no such trading state", hint)
    }

    fn kill(&self, scope: &[&str], cancel: bool) -> Result<Command, RequestError> {
        let scope = self.scope(scope)?;
        Ok(Command::SetState(StateChange {
            scope,
            state: TradingState::CancelOnly,
            cancel,
        }))
    }

    fn cash(&self, account: &str, amount: &str) -> Result<CashMove, RequestError> {
        let account = self.account(account)?;
        let scale = self.config.profile.money;
        let amount = decimal("amount", amount)?;
        match scale.money(amount).filter(|money| *money > Money::ZERO) {
            Some(amount) => Ok(CashMove { account, amount }),
            None => wrong(
                format!("{amount} is no amount of money"),
                format!("write a positive multiple of {}", scale.quantum()),
            ),
        }
    }

    fn price(&self, instrument: InstrumentId, text: &str) -> Result<Price, RequestError> {
        let price = decimal("price", text)?;
        if !price.is_positive() {
            let what = format!("the price {price} is negative or 0, which no instrument here has");
            return wrong(what, "write a price above 0");
        }
        let Some(definition) = self.config.instruments.get(instrument.index()) else {
            return wrong(
                "the instrument is not defined",
                "name an instrument of the config",
            );
        };
        match price.in_units_of(definition.tick) {
            Some(ticks) => Ok(Price::new(ticks)),
            None => wrong(
                format!("the price {price} is between two ticks"),
                format!("write a multiple of {}", definition.tick),
            ),
        }
    }

    fn set(&self, account: &str, name: &str, value: &str) -> Result<Command, RequestError> {
        let account = self.account(account)?;
        let names = ACCOUNT_FIELDS.iter().map(|field| field.name);
        let Some(number) = names.clone().position(|known| known == name) else {
            let hint = match nearest(name, names.clone()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("write one of {}", names.collect::<Vec<_>>().join(", ")),
            };
            return wrong("there is no such limit of an account", hint);
        };
        let scale = FieldScale {
            money: self.config.profile.money,
            tick: None,
        };
        let value =
            field_value::from_text(&ACCOUNT_FIELDS[number], value, scale).map_err(|error| {
                RequestError {
                    what: error.what,
                    hint: error.hint,
                }
            })?;
        let scope = Scope::Account(account);
        Ok(Command::SetCell(LimitCellChange {
            scope,
            field: number as u8,
            value,
        }))
    }

    fn move_position(
        &self,
        kind: PositionMove,
        [account, symbol, lots, price]: [&str; 4],
        from: Option<&str>,
    ) -> Result<Command, RequestError> {
        let account = self.account(account)?;
        let counterparty = from.map_or(Ok(AccountId::NONE), |from| self.account(from))?;
        let instrument = self.instrument(symbol)?;
        let whole = decimal("number of lots", lots)?.in_units_of(Decimal::power(0));
        // The negative of the lots must exist too: a transfer books both.
        let Some(lots) = whole.filter(|lots| *lots != 0 && *lots != i64::MIN) else {
            return wrong(
                "that is no number of lots",
                "write a whole number, negative for short",
            );
        };
        if account == counterparty {
            return wrong("the position would go where it is", "name two accounts");
        }
        let price = self.price(instrument, price)?;
        let qty = Qty::new(lots);
        let moved = AccountMove {
            kind,
            account,
            instrument,
            qty,
            price,
            counterparty,
        };
        Ok(Command::MovePosition(moved))
    }

    fn dispute(&self, account: &str, decision: &str) -> Result<Command, RequestError> {
        let account = self.account(account)?;
        let decision = match decision {
            "book" => DisputeDecision::Book,
            "discard" => DisputeDecision::Discard,
            _ => {
                return wrong(
                    "that is no decision",
                    "write `book` (it happened) or `discard`",
                );
            }
        };
        Ok(Command::Dispute { account, decision })
    }

    fn explain(&self, order: &str) -> Result<Query, RequestError> {
        let form = "write USER:NUMBER, or USER:ROW:NUMBER, as DESK1:42";
        let mut parts = order.split(':');
        let (Some(user), Some(first)) = (parts.next(), parts.next()) else {
            return wrong("that names no order", form);
        };
        let (row, number) = match (parts.next(), parts.next()) {
            (None, _) => ("0", first),
            (Some(number), None) => (first, number),
            (Some(_), Some(_)) => return wrong("that names no order", form),
        };
        let session = self.session(user)?;
        let (Ok(row), Ok(number)) = (row.parse(), number.parse()) else {
            return wrong("that names no order", form);
        };
        Ok(Query::Explain {
            session,
            user_ref: UserRef { row, number },
        })
    }
}

fn decimal(what: &str, text: &str) -> Result<Decimal, RequestError> {
    match Decimal::parse(text) {
        Ok(number) => Ok(number),
        Err(error) => wrong(
            format!("the {what} is no decimal number: {error}"),
            "write digits and one point",
        ),
    }
}

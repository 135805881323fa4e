//! The names behind a journal's numbers, and the scales of its prices and money where a config gives them.
//!
//! Pure. Invariant: a number without a name is shown as its number, so that a journal without its names reads too.

use portcullis_control::config::Config;
use portcullis_control::decimal::{MoneyScale, show_price};
use portcullis_control::names::Names;
use portcullis_domain::{AccountId, FirmId, InstrumentId, Money, Price, Scope, SessionId, UserRef};

/// Names.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    names: Names,
    /// Why there are none, if there are none.
    pub(crate) fault: Option<String>,
}

impl Naming {
    /// The names that were read, or none and why.
    pub(crate) fn of(read: Result<Names, String>) -> Self {
        match read {
            Ok(names) => Self { names, fault: None },
            Err(fault) => Self {
                names: Names::default(),
                fault: Some(fault),
            },
        }
    }

    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) fn account(&self, account: AccountId) -> String {
        let none = account == AccountId::NONE;
        named(self.names.account_name(account), account.raw(), none)
    }

    pub(crate) fn instrument(&self, instrument: InstrumentId) -> String {
        let none = instrument == InstrumentId::NONE;
        named(self.names.symbol(instrument), instrument.raw(), none)
    }

    pub(crate) fn firm(&self, firm: FirmId) -> String {
        named(self.names.firm_name(firm), firm.raw(), false)
    }

    pub(crate) fn session(&self, session: SessionId) -> String {
        let none = session == SessionId::NONE;
        named(self.names.session_user(session), session.raw(), none)
    }

    pub(crate) fn scope(&self, scope: Scope) -> String {
        match scope {
            Scope::Venue => "venue".to_owned(),
            Scope::Firm(firm) => format!("firm {}", self.firm(firm)),
            Scope::Account(account) => format!("account {}", self.account(account)),
            Scope::Instrument(instrument) => format!("instrument {}", self.instrument(instrument)),
            Scope::Session(session) => format!("session {}", self.session(session)),
        }
    }

    /// An order as people name it: USER:NUMBER, or USER:ROW:NUMBER of another row than 0.
    pub(crate) fn order(&self, session: SessionId, user_ref: UserRef) -> String {
        let user = self.session(session);
        let UserRef { row, number } = user_ref;
        if row == 0 {
            format!("{user}:{number}")
        } else {
            format!("{user}:{row}:{number}")
        }
    }
}

fn named(name: Option<&str>, number: u32, none: bool) -> String {
    match name {
        Some(name) => name.to_owned(),
        None if none => "-".to_owned(),
        None => format!("#{number}"),
    }
}

/// How prices and money are written: as a config counts them, or in ticks and quanta.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scales<'a>(pub(crate) Option<&'a Config>);

impl Scales<'_> {
    /// A price.
    pub(crate) fn price(&self, instrument: InstrumentId, price: Price) -> String {
        let definition = self.0.and_then(|c| c.instruments.get(instrument.index()));
        match definition {
            Some(definition) => show_price(price, definition.tick),
            None => price.ticks().to_string(),
        }
    }

    /// Money; beyond 64 bits in quanta.
    pub(crate) fn money(&self, quanta: i128) -> String {
        match (self.0, Money::from_wide(quanta)) {
            (Some(config), Some(money)) => scale(config).show(money),
            (Some(_), None) => format!("{quanta} quanta"),
            (None, _) => quanta.to_string(),
        }
    }

    /// What prices and money are counted in, in words.
    pub(crate) const fn units(&self) -> &'static str {
        match self.0 {
            Some(_) => "prices and money as the config counts them, quantities in lots",
            None => {
                "prices in ticks, money in quanta, quantities in lots; --config CONFIG gives decimals"
            }
        }
    }
}

const fn scale(config: &Config) -> MoneyScale {
    config.profile.money
}

/// A session, a row and a number, as USER:NUMBER or USER:ROW:NUMBER.
///
/// # Errors
/// In words, what is wrong with it.
pub(crate) fn parse_order(naming: &Naming, text: &str) -> Result<(SessionId, UserRef), String> {
    let form = "write USER:NUMBER, or USER:ROW:NUMBER, as DESK1:42";
    let parts: Vec<_> = text.split(':').collect();
    let (user, row, number) = match parts[..] {
        [user, number] => (user, "0", number),
        [user, row, number] => (user, row, number),
        _ => return Err(format!("\"{text}\" names no order: {form}")),
    };
    let by_number = user.strip_prefix('#').and_then(|n| n.parse().ok());
    let session = by_number
        .map(SessionId::new)
        .or_else(|| naming.names.session(user));
    let session = session.ok_or_else(|| {
        format!("the journal has no session {user}; `portcullis journal inspect` lists them")
    })?;
    match (row.parse(), number.parse()) {
        (Ok(row), Ok(number)) => Ok((session, UserRef { row, number })),
        _ => Err(format!("\"{text}\" names no order: {form}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_named_as_ctl_names_it() {
        let mut names = Names::default();
        names.sessions.intern("DESK1");
        let naming = Naming::of(Ok(names));
        let zero = SessionId::new(0);
        for (text, parsed) in [
            ("DESK1:42", Some((zero, UserRef { row: 0, number: 42 }))),
            ("desk1:3:42", Some((zero, UserRef { row: 3, number: 42 }))),
            (
                "#7:1",
                Some((SessionId::new(7), UserRef { row: 0, number: 1 })),
            ),
            ("DESK2:42", None),
            ("DESK1", None),
            ("DESK1:x", None),
            ("DESK1:256:1", None),
            ("DESK1:1:2:3", None),
            ("", None),
        ] {
            assert_eq!(parse_order(&naming, text).ok(), parsed, "{text}");
        }
        let order = naming.order(zero, UserRef { row: 0, number: 42 });
        assert_eq!(order, "DESK1:42");
        let order = naming.order(SessionId::new(9), UserRef { row: 1, number: 2 });
        assert_eq!(order, "#9:1:2");
    }

    #[test]
    fn without_a_config_prices_and_money_are_whole_numbers() {
        let scales = Scales(None);
        assert_eq!(scales.money(-1_500_000), "-1500000");
        assert_eq!(scales.price(InstrumentId::new(0), Price::new(7)), "7");
    }
}

//! A record in words: its command with names, the message behind it, decoded.
//!
//! Pure. Invariant: whatever bytes a record has, there are words for it; what does not decode is shown in hex.

mod orders;

pub(crate) use orders::{side, time_in_force};

use super::clock::utc;
use super::naming::{Naming, Scales};
use portcullis_domain::{
    AccountMove, CashMove, Command, CommandKind, Head, InstrumentId, LimitCellChange, PositionMove,
    Price, SessionEvent, SessionEventKind, StateChange,
};
use portcullis_journal::RecordRef;
use portcullis_risk_core::checks;
use portcullis_wire::ouch50::{Inbound, Outbound};
use std::fmt::Write;

/// Words with names and scales.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) naming: &'a Naming,
    pub(crate) scales: Scales<'a>,
}

impl Words<'_> {
    /// A record: its place, its command, and the message behind it in a line of its own.
    pub(crate) fn record(&self, record: &RecordRef<'_>) -> String {
        let mut text = format!(
            "{} {} {}",
            record.head.seq,
            utc(record.head.timestamp_ns),
            self.head(record.head)
        );
        if !record.raw.is_empty() {
            let _ = write!(text, "\n    {}", raw(record.head, record.raw));
        }
        text
    }

    /// A head: its command, and what ingress had found.
    pub(crate) fn head(&self, head: &Head) -> String {
        let command = match Command::decode(head) {
            Ok(command) => self.command(&command, head.number),
            Err(error) => format!("no command ({error})"),
        };
        match head.early_refusal() {
            Some(code) => format!("{command}; refused at the door: {}", checks::name(code)),
            None => command,
        }
    }

    /// A command; `number` is that of the request where it is one of control.
    fn command(&self, command: &Command, number: u32) -> String {
        let asked = |text: String| format!("{text}, request {number}");
        match command {
            Command::NewOrder(order) => self.new_order(order),
            Command::Replace(request) => self.replace(request),
            Command::Cancel(request) => self.cancel(request),
            Command::MassCancel(cancel) => self.mass_cancel(cancel),
            Command::OrderEntry {
                session,
                user_ref,
                enabled,
            } => {
                let order = self.naming.order(*session, *user_ref);
                format!("order entry {} {order}", on_or_off(*enabled))
            }
            Command::AccountQuery { session, row } => {
                let session = self.naming.session(*session);
                format!("account query {session} row {row}")
            }
            Command::Report(report) => self.report(report),
            Command::VenueLink { session, up } => {
                let session = self.naming.session(*session);
                format!("engine's link of {session} {}", up_or_down(*up))
            }
            Command::VenueSequence { session, sequence } => {
                let session = self.naming.session(*session);
                format!("engine's stream of {session} at {sequence}")
            }
            Command::JournalLink { up } => format!("journal {}", up_or_down(*up)),
            Command::Session(event) => self.session(event),
            Command::Tick => "tick".to_owned(),
            Command::Deposit(cash) => asked(format!("deposit {}", self.cash(cash))),
            Command::Withdraw(cash) => asked(format!("withdraw {}", self.cash(cash))),
            Command::Settle(settle) => {
                let (symbol, price) = self.priced(settle.instrument, settle.price);
                asked(format!("settle {symbol} at {price}"))
            }
            Command::Reference(reference) => {
                let (symbol, price) = self.priced(reference.instrument, reference.price);
                asked(format!("reference {symbol} {price}"))
            }
            Command::SetState(change) => asked(self.state(change)),
            Command::Restart { state } => asked(format!("restart: {}", state.name())),
            Command::DayStart => asked("day start".to_owned()),
            Command::DayRoll => asked("day roll".to_owned()),
            Command::FlipLimits(flip) => asked(format!("limits {:016x} into force", flip.digest)),
            Command::SetCell(change) => asked(self.cell(change)),
            Command::MovePosition(moved) => asked(self.move_position(moved)),
            Command::Dispute { account, decision } => {
                let account = self.naming.account(*account);
                asked(format!("dispute of {account}: {decision:?}"))
            }
            Command::StateHash => asked("state hash".to_owned()),
            Command::ValueAccounts => asked("value all accounts".to_owned()),
        }
    }

    fn session(&self, event: &SessionEvent) -> String {
        let what = match event.kind {
            SessionEventKind::Up => "logged on",
            SessionEventKind::LoggedOut => "logged out",
            SessionEventKind::Lost => "lost",
            SessionEventKind::Ended => "ended by the gateway",
        };
        format!(
            "session {} {what}, connection {}, asks from {}",
            self.naming.session(event.session),
            event.connection,
            event.sequence
        )
    }

    /// An instrument, and a price of it.
    fn priced(&self, instrument: InstrumentId, price: Price) -> (String, String) {
        let symbol = self.naming.instrument(instrument);
        (symbol, self.scales.price(instrument, price))
    }

    fn state(&self, change: &StateChange) -> String {
        format!(
            "state of {} {}{}",
            self.naming.scope(change.scope),
            change.state.name(),
            if change.cancel {
                ", orders cancelled"
            } else {
                ""
            },
        )
    }

    fn cell(&self, change: &LimitCellChange) -> String {
        format!(
            "limit {} of {} becomes {}",
            field_name(change.scope, change.field),
            self.naming.scope(change.scope),
            change.value,
        )
    }

    fn move_position(&self, moved: &AccountMove) -> String {
        let kind = match moved.kind {
            PositionMove::Opening => "opening position",
            PositionMove::Adjust => "adjusted position",
            PositionMove::Transfer => "transferred position",
        };
        let (symbol, price) = self.priced(moved.instrument, moved.price);
        format!(
            "{kind} of {} in {symbol}: {} lots at {price}, from {}",
            self.naming.account(moved.account),
            moved.qty.lots(),
            self.naming.account(moved.counterparty),
        )
    }

    fn cash(&self, cash: &CashMove) -> String {
        let amount = self.scales.money(cash.amount.quanta().into());
        format!("{} {amount}", self.naming.account(cash.account))
    }
}

/// The message behind a head, which the client or the engine sent.
pub(crate) fn raw(head: &Head, raw: &[u8]) -> String {
    let from_engine =
        head.kind == CommandKind::Report as u8 || head.kind == CommandKind::VenueSequence as u8;
    let decoded = if from_engine {
        Outbound::parse(raw).map(|message| format!("OUCH {message:?}"))
    } else {
        Inbound::parse(raw).map(|message| format!("OUCH {message:?}"))
    };
    decoded.unwrap_or_else(|error| format!("raw {} ({error})", hex(raw)))
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The name of a limit that a command changes.
fn field_name(scope: portcullis_domain::Scope, field: u8) -> String {
    use portcullis_domain::Scope;
    use portcullis_risk_core::limits::{account, firm, instrument, session};
    let table = match scope {
        Scope::Venue => &[][..],
        Scope::Firm(_) => firm::FIRM_FIELDS,
        Scope::Account(_) => account::ACCOUNT_FIELDS,
        Scope::Instrument(_) => instrument::INSTRUMENT_FIELDS,
        Scope::Session(_) => session::SESSION_FIELDS,
    };
    match table.get(usize::from(field)) {
        Some(descriptor) => descriptor.name.to_owned(),
        None => format!("number {field}"),
    }
}

const fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

const fn up_or_down(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_control::names::Names;
    use portcullis_domain::{
        AccountId, FlipLimits, Money, NewOrder, Qty, Record, ReportKind, Scope, SessionId, Side,
        TimeInForce, TradingState, UserRef, VenueReport,
    };

    fn naming() -> Naming {
        let mut names = Names::default();
        names.accounts.intern("acme");
        names.instruments.intern("ESH4");
        names.sessions.intern("DESK1");
        Naming::of(Ok(names))
    }

    fn said(command: Command) -> String {
        let naming = naming();
        let words = Words {
            naming: &naming,
            scales: Scales(None),
        };
        words.head(&command.encode())
    }

    #[test]
    fn commands_are_said_with_names() {
        let session = SessionId::new(0);
        let user_ref = UserRef { row: 0, number: 7 };
        let order = NewOrder {
            session,
            user_ref,
            account: AccountId::new(0),
            instrument: InstrumentId::new(0),
            side: Side::Sell,
            qty: Qty::new(3),
            price: Some(Price::new(100)),
            time_in_force: TimeInForce::Day,
        };
        let fill = ReportKind::Fill {
            qty: Qty::new(2),
            price: Price::new(99),
            match_number: 5,
            fee: Money::new(-4),
        };
        let report = VenueReport {
            session,
            user_ref,
            kind: fill,
            note: 0,
        };
        for (command, expected) in [
            (
                Command::NewOrder(order),
                "order DESK1:7 for acme: sell 3 ESH4 @ 100 day",
            ),
            (
                Command::NewOrder(NewOrder {
                    account: AccountId::NONE,
                    instrument: InstrumentId::new(4),
                    price: None,
                    ..order
                }),
                "order DESK1:7 for -: sell 3 #4 @ market day",
            ),
            (
                Command::Report(report),
                "engine: DESK1:7 filled 2 @ 99 ticks, match 5, fee -4",
            ),
        ] {
            assert_eq!(said(command), expected);
        }
    }

    #[test]
    fn commands_of_control_alone_say_their_request() {
        for (command, expected) in [
            (
                Command::FlipLimits(FlipLimits { digest: 0xab }),
                "limits 00000000000000ab into force, request 0",
            ),
            (
                Command::SetState(StateChange {
                    scope: Scope::Account(AccountId::new(0)),
                    state: TradingState::Halted,
                    cancel: true,
                }),
                "state of account acme Halted, orders cancelled, request 0",
            ),
            (
                Command::MovePosition(AccountMove {
                    kind: PositionMove::Opening,
                    account: AccountId::new(0),
                    instrument: InstrumentId::new(0),
                    qty: Qty::new(-3),
                    price: Price::new(100),
                    counterparty: AccountId::NONE,
                }),
                "opening position of acme in ESH4: -3 lots at 100, from -, request 0",
            ),
            (Command::JournalLink { up: true }, "journal up"),
            (Command::Tick, "tick"),
        ] {
            assert_eq!(said(command), expected);
        }
    }

    #[test]
    fn what_is_no_command_and_no_message_is_said_too() {
        let naming = naming();
        let words = Words {
            naming: &naming,
            scales: Scales(None),
        };
        let record = Record::new(Head::blank(250), &[0xff, 0x00]).expect("short");
        let text = words.record(&RecordRef {
            head: &record.head,
            raw: record.raw(),
        });
        assert!(
            text.contains("no command (record head: field `kind` holds 250"),
            "{text}"
        );
        assert!(text.contains("raw ff00 ("), "{text}");
    }
}

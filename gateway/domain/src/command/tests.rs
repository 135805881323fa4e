//! Encode and decode are inverse; what no command encodes to is refused by its field.

use super::*;

const SESSION: SessionId = SessionId::new(7);
const USER_REF: UserRef = UserRef { row: 3, number: 41 };
const ACCOUNT: AccountId = AccountId::new(5);
const INSTRUMENT: InstrumentId = InstrumentId::new(2);
const PRICE: Price = Price::new(4_000);

fn samples() -> std::vec::Vec<Command> {
    let mut all = orders();
    all.extend(of_sessions());
    all.extend(controls());
    all.extend(reports());
    all
}

fn orders() -> std::vec::Vec<Command> {
    let order = NewOrder {
        session: SESSION,
        user_ref: USER_REF,
        account: ACCOUNT,
        instrument: INSTRUMENT,
        side: Side::Sell,
        qty: Qty::new(-3),
        price: None,
        time_in_force: TimeInForce::GoodTillCancel,
    };
    let replace = ReplaceRequest {
        session: SESSION,
        original: UserRef { row: 3, number: 40 },
        user_ref: USER_REF,
        units: Units::Wire,
        qty: Qty::new(12),
        qty_meaning: QtyMeaning::Total,
        price: Some(PRICE),
        time_in_force: TimeInForce::Day,
    };
    let cancel = CancelRequest {
        session: SESSION,
        user_ref: USER_REF,
        units: Units::TicksAndLots,
        qty_total: Qty::new(6),
    };
    let open = ReplaceRequest {
        price: None,
        qty_meaning: QtyMeaning::Open,
        ..replace
    };
    let mut all = std::vec![
        Command::NewOrder(order),
        Command::NewOrder(NewOrder {
            side: Side::Buy,
            price: Some(PRICE),
            ..order
        }),
        Command::Replace(replace),
        Command::Replace(open),
        Command::Cancel(cancel),
    ];
    all.extend([None, Some(Side::Buy), Some(Side::Sell)].map(|side| {
        Command::MassCancel(MassCancel {
            session: SESSION,
            user_ref: USER_REF,
            account: ACCOUNT,
            instrument: INSTRUMENT,
            side,
        })
    }));
    all
}

fn of_sessions() -> std::vec::Vec<Command> {
    let (session, user_ref) = (SESSION, USER_REF);
    let event = |kind| {
        Command::Session(SessionEvent {
            session,
            kind,
            connection: 8,
            sequence: 99,
        })
    };
    std::vec![
        Command::OrderEntry {
            session,
            user_ref,
            enabled: true
        },
        Command::OrderEntry {
            session,
            user_ref,
            enabled: false
        },
        Command::AccountQuery { session, row: 9 },
        Command::VenueLink { session, up: true },
        Command::VenueLink { session, up: false },
        Command::VenueSequence {
            session,
            sequence: u64::MAX - 2
        },
        Command::JournalLink { up: true },
        Command::JournalLink { up: false },
        event(SessionEventKind::Up),
        event(SessionEventKind::Ended),
    ]
}

fn controls() -> std::vec::Vec<Command> {
    let cash = CashMove {
        account: ACCOUNT,
        amount: Money::new(-9),
    };
    let moved = AccountMove {
        kind: PositionMove::Transfer,
        account: ACCOUNT,
        instrument: INSTRUMENT,
        qty: Qty::new(-4),
        price: PRICE,
        counterparty: AccountId::NONE,
    };
    let (instrument, price) = (INSTRUMENT, PRICE);
    let cell = LimitCellChange {
        scope: Scope::Account(ACCOUNT),
        field: 4,
        value: -1,
    };
    let decision = DisputeDecision::Discard;
    let mut all = std::vec![
        Command::Deposit(cash),
        Command::Withdraw(cash),
        Command::Settle(Settlement { instrument, price }),
        Command::Reference(ReferencePrice { instrument, price }),
        Command::Restart {
            state: TradingState::CancelOnly
        },
        Command::DayStart,
        Command::DayRoll,
        Command::FlipLimits(FlipLimits {
            digest: u64::MAX - 1
        }),
        Command::SetCell(cell),
        Command::MovePosition(moved),
        Command::Dispute {
            account: ACCOUNT,
            decision
        },
        Command::StateHash,
        Command::ValueAccounts,
        Command::Tick,
    ];
    for scope in [
        Scope::Venue,
        Scope::Session(SESSION),
        Scope::Account(ACCOUNT),
    ] {
        for (state, cancel) in [(TradingState::Halted, true), (TradingState::Active, false)] {
            all.push(Command::SetState(StateChange {
                scope,
                state,
                cancel,
            }));
        }
    }
    all
}

fn reports() -> impl Iterator<Item = Command> {
    let fill = ReportKind::Fill {
        qty: Qty::new(3),
        price: PRICE,
        match_number: u64::MAX,
        fee: Money::new(-5_000_000_000),
    };
    let kinds = [
        ReportKind::Accepted,
        fill,
        ReportKind::Canceled,
        ReportKind::Reduced { qty: Qty::new(2) },
        ReportKind::Rejected,
        ReportKind::Replaced {
            new: UserRef {
                row: 255,
                number: u32::MAX,
            },
        },
        ReportKind::ReplaceRejected { new: USER_REF },
        ReportKind::CancelPending,
        ReportKind::CancelRejected,
        ReportKind::BrokenTrade { match_number: 12 },
        ReportKind::Information,
    ];
    let report = |kind| VenueReport {
        session: SESSION,
        user_ref: USER_REF,
        kind,
        note: b'A',
    };
    kinds
        .into_iter()
        .map(move |kind| Command::Report(report(kind)))
}

#[test]
fn each_command_survives_its_head() {
    for command in samples() {
        assert_eq!(Command::decode(&command.encode()), Ok(command));
    }
}

/// What is told apart before is what decoding says, of each head that differs from a sample in a byte of its form
/// or its session.
#[test]
fn what_is_told_apart_is_the_command_that_is_decoded() {
    let (mut reports, mut cancels) = (0, 0);
    for command in samples() {
        for offset in 16..28 {
            for value in 0..=u8::MAX {
                let mut unit = command.encode().to_unit();
                unit.0[offset] = value;
                let head = Head::from_unit(unit);
                let decoded = Command::decode(&head);
                for (detail, kind) in [
                    (ReportDetail::Fill, ReportKind::decode_fill(&head)),
                    (ReportDetail::Canceled, ReportKind::Canceled),
                ] {
                    if (head.kind, head.detail) == (CommandKind::Report as u8, detail as u8) {
                        let report = VenueReport::decode_as(&head, kind);
                        assert_eq!(report.map(Command::Report), decoded, "{head:?}");
                        reports += u32::from(decoded.is_ok());
                    }
                }
                if head.kind == CommandKind::Cancel as u8 {
                    let cancel = CancelRequest::decode(&head);
                    assert_eq!(cancel.map(Command::Cancel), decoded, "{head:?}");
                    cancels += u32::from(decoded.is_ok());
                }
            }
        }
    }
    assert!(reports > 2_000 && cancels > 1_000, "{reports}, {cancels}");
}

#[test]
fn a_wrong_field_is_named() {
    type Spoil = fn(&mut Head);
    let cases: [(&str, Spoil); 5] = [
        ("kind", |head| head.kind = 200),
        ("reserved", |head| head.reserved = 1),
        ("session", |head| head.session = u32::MAX),
        ("detail", |head| head.detail = 9),
        ("flags", |head| head.flags = 128),
    ];
    for (field, spoil) in cases {
        let mut head = samples()[0].encode();
        spoil(&mut head);
        assert_eq!(
            Command::decode(&head).map_err(|error| error.field),
            Err(field)
        );
    }
}

/// Every value of every byte that decides the form: never a panic, and what decodes encodes back
/// to the same meaning.
#[test]
fn no_byte_of_the_form_can_do_harm() {
    for command in samples() {
        for offset in 16..24 {
            for value in 0..=u8::MAX {
                let mut unit = command.encode().to_unit();
                unit.0[offset] = value;
                let head = Head::from_unit(unit);
                if let Ok(decoded) = Command::decode(&head) {
                    assert_eq!(Command::decode(&decoded.encode()), Ok(decoded));
                }
            }
        }
    }
}

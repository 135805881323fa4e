//! Encode and decode are inverse; what no command encodes to is refused by its field.

use super::*;

fn samples() -> std::vec::Vec<Command> {
    let session = SessionId::new(7);
    let user_ref = UserRef { row: 3, number: 41 };
    let account = AccountId::new(5);
    let instrument = InstrumentId::new(2);
    let price = Price::new(4_000);
    let cash = CashMove {
        account,
        amount: Money::new(-9),
    };
    let order = NewOrder {
        session,
        user_ref,
        account,
        instrument,
        side: Side::Sell,
        qty: Qty::new(-3),
        price: None,
        time_in_force: TimeInForce::GoodTillCancel,
    };
    let replace = ReplaceRequest {
        session,
        original: UserRef { row: 3, number: 40 },
        user_ref,
        units: Units::Wire,
        qty: Qty::new(12),
        qty_meaning: QtyMeaning::Total,
        price: Some(price),
        time_in_force: TimeInForce::Day,
    };
    let moved = AccountMove {
        kind: PositionMove::Transfer,
        account,
        instrument,
        qty: Qty::new(-4),
        price,
        counterparty: AccountId::NONE,
    };
    let mut all = std::vec![
        Command::NewOrder(order),
        Command::NewOrder(NewOrder {
            side: Side::Buy,
            price: Some(price),
            ..order
        }),
        Command::Replace(replace),
        Command::Replace(ReplaceRequest {
            price: None,
            qty_meaning: QtyMeaning::Open,
            ..replace
        }),
        Command::Cancel(CancelRequest {
            session,
            user_ref,
            units: Units::TicksAndLots,
            qty_total: Qty::new(6)
        }),
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
        Command::Deposit(cash),
        Command::Withdraw(cash),
        Command::Settle(Settlement { instrument, price }),
        Command::Reference(ReferencePrice { instrument, price }),
        Command::DayStart,
        Command::DayRoll,
        Command::FlipLimits(FlipLimits {
            digest: u64::MAX - 1
        }),
        Command::SetCell(LimitCellChange {
            scope: Scope::Account(account),
            field: 4,
            value: -1
        }),
        Command::MovePosition(moved),
        Command::Dispute {
            account,
            decision: DisputeDecision::Discard
        },
        Command::StateHash,
        Command::Tick,
    ];
    for side in [None, Some(Side::Buy), Some(Side::Sell)] {
        let request = MassCancel {
            session,
            user_ref,
            account,
            instrument,
            side,
        };
        all.push(Command::MassCancel(request));
    }
    for kind in [SessionEventKind::Up, SessionEventKind::Ended] {
        all.push(Command::Session(SessionEvent {
            session,
            kind,
            connection: 8,
            sequence: 99,
        }));
    }
    for scope in [
        Scope::Venue,
        Scope::Session(session),
        Scope::Account(account),
    ] {
        for (state, cancel) in [(TradingState::Halted, true), (TradingState::Active, false)] {
            all.push(Command::SetState(StateChange {
                scope,
                state,
                cancel,
            }));
        }
    }
    let fill = ReportKind::Fill {
        qty: Qty::new(3),
        price,
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
        ReportKind::ReplaceRejected { new: user_ref },
        ReportKind::CancelPending,
        ReportKind::CancelRejected,
        ReportKind::BrokenTrade { match_number: 12 },
        ReportKind::Information,
    ];
    all.extend(kinds.map(|kind| {
        Command::Report(VenueReport {
            session,
            user_ref,
            kind,
            note: b'A',
        })
    }));
    all
}

#[test]
fn each_command_survives_its_head() {
    for command in samples() {
        assert_eq!(Command::decode(&command.encode()), Ok(command));
    }
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

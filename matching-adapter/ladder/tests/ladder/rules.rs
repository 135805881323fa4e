//! Each rule of the crate's page, by example.
//!
//! Runs on the test's thread.

use portcullis_domain::{
    InstrumentId, Money, Qty, QtyMeaning, SessionId, Side, TimeInForce, UserRef,
};
use portcullis_ladder::{
    CancelReason, Command, Disposition, Instruction, Liquidity, MassCancel, NewOrder, RejectReason,
    ReportKind,
};

use crate::desk::{Desk, FIRST, Said, config, order, replace, session};

use Disposition::{Dead, Resting, Taking};
use Said::{Broken, Canceled, Gave, In, Rejected, ReplaceRejected, Replaced, Took};

fn immediate(new: NewOrder, qty_min: i64) -> NewOrder {
    NewOrder {
        time_in_force: TimeInForce::ImmediateOrCancel,
        qty_min: Qty::new(qty_min),
        ..new
    }
}

fn market(new: NewOrder) -> NewOrder {
    NewOrder { price: None, ..new }
}

#[test]
fn immediate_or_cancel_never_rests() {
    let mut desk = Desk::new();
    let buy = |number, qty| immediate(order(Side::Buy, number, qty, 100), 0);
    let reason = CancelReason::ImmediateOrCancel;
    assert_eq!(
        desk.enter(&buy(1, 5)),
        [In(1, 5, 100, Dead), Canceled(1, 5, 0, reason)]
    );
    desk.sell(1, 3, 100);
    assert_eq!(
        desk.enter(&buy(2, 5)),
        [
            In(2, 5, 100, Taking),
            Took(2, 3, 100),
            Gave(1, 3, 100, 0),
            Canceled(2, 2, 0, reason)
        ]
    );
    assert_eq!(desk.ladder.open_orders(), 0);
}

#[test]
fn a_minimum_quantity_trades_at_least_that_or_nothing() {
    let mut desk = Desk::new();
    desk.sell(1, 3, 100);
    desk.sell(2, 3, 101);
    desk.sell(3, 9, 102);
    let buy = |number, qty, qty_min| immediate(order(Side::Buy, number, qty, 101), qty_min);
    let reason = CancelReason::MinQty;
    assert_eq!(
        desk.enter(&buy(1, 9, 7)),
        [In(1, 9, 101, Dead), Canceled(1, 9, 0, reason)]
    );
    assert_eq!(
        desk.enter(&buy(2, 9, 6)).last(),
        Some(&Canceled(2, 3, 0, CancelReason::ImmediateOrCancel))
    );
    assert_eq!(desk.ladder.counters().executed_qty, 6);
    let mut day = buy(3, 5, 2);
    day.time_in_force = TimeInForce::Day;
    assert_eq!(
        desk.enter(&day),
        [Rejected(3, RejectReason::MinQtyNotImmediate)]
    );
    for qty_min in [6, -1, i64::MIN, i64::MAX] {
        assert_eq!(
            desk.enter(&buy(4, 5, qty_min)),
            [Rejected(4, RejectReason::MinQtyInvalid)]
        );
    }
}

#[test]
fn market_to_limit_takes_one_price_and_rests_there() {
    let mut desk = Desk::new();
    let buy = |number, qty| market(order(Side::Buy, number, qty, 0));
    assert_eq!(
        desk.enter(&buy(1, 5)),
        [Rejected(1, RejectReason::NoOppositePrice)]
    );
    desk.sell(1, 3, 100);
    desk.sell(2, 3, 101);
    assert_eq!(
        desk.enter(&buy(2, 5)),
        [In(2, 5, 100, Taking), Took(2, 3, 100), Gave(1, 3, 100, 0)]
    );
    let rest = desk
        .ladder
        .order(session(Side::Buy), UserRef::new(2))
        .expect("rests");
    assert_eq!((rest.price.ticks(), rest.leaves), (100, Qty::new(2)));
    assert_eq!(
        desk.enter(&immediate(buy(3, 5), 0)).last(),
        Some(&Canceled(3, 2, 0, CancelReason::ImmediateOrCancel))
    );
}

#[test]
fn a_replace_keeps_its_place_only_for_less_at_the_same_price() {
    let mut desk = Desk::new();
    let first_in_queue = |desk: &mut Desk, number: u32| {
        let Gave(maker, ..) = desk.buy(number, 1, 100)[2] else {
            panic!("a trade was due");
        };
        maker
    };
    desk.sell(1, 10, 100);
    desk.sell(2, 10, 100);
    let smaller = desk.run(Command::Replace(replace(Side::Sell, 1, 3, 8, 100)));
    assert_eq!(smaller, [Replaced(1, 3, 8, 100, Resting)]);
    assert_eq!(first_in_queue(&mut desk, 1), 3);
    // One executed: a total of 8 leaves 7 open, which is as many as now.
    let equal = desk.run(Command::Replace(replace(Side::Sell, 3, 4, 8, 100)));
    assert_eq!(equal, [Replaced(3, 4, 7, 100, Resting)]);
    assert_eq!(first_in_queue(&mut desk, 2), 4);
    let larger = desk.run(Command::Replace(replace(Side::Sell, 4, 5, 9, 100)));
    assert_eq!(larger, [Replaced(4, 5, 7, 100, Resting)]);
    assert_eq!(first_in_queue(&mut desk, 3), 2);
    let mut back = replace(Side::Sell, 2, 6, 5, 101);
    back.qty_meaning = QtyMeaning::Open;
    assert_eq!(
        desk.run(Command::Replace(back)),
        [Replaced(2, 6, 5, 101, Resting)]
    );
    assert_eq!(first_in_queue(&mut desk, 4), 5);
}

#[test]
fn a_replace_that_crosses_trades_and_one_to_immediate_dies() {
    let mut desk = Desk::new();
    desk.buy(1, 4, 99);
    desk.sell(1, 10, 101);
    assert_eq!(
        desk.run(Command::Replace(replace(Side::Sell, 1, 2, 10, 99))),
        [
            Replaced(1, 2, 10, 99, Taking),
            Took(2, 4, 99),
            Gave(1, 4, 99, 0)
        ]
    );
    let mut last = replace(Side::Sell, 2, 3, 9, 99);
    last.time_in_force = TimeInForce::ImmediateOrCancel;
    assert_eq!(
        desk.run(Command::Replace(last)),
        [
            Replaced(2, 3, 5, 99, Dead),
            Canceled(3, 5, 0, CancelReason::ImmediateOrCancel)
        ]
    );
}

#[test]
fn a_replace_that_cannot_be_costs_the_original_its_life_or_is_ignored() {
    let mut desk = Desk::new();
    let sold = |desk: &mut Desk| {
        desk.sell(1, 10, 100);
        desk.buy(1, 4, 100);
    };
    let spoilt = [
        (
            replace(Side::Sell, 1, 2, 0, 100),
            CancelReason::ReplaceInvalid(RejectReason::QtyInvalid),
        ),
        (
            replace(Side::Sell, 1, 2, i64::MAX, 100),
            CancelReason::ReplaceInvalid(RejectReason::QtyInvalid),
        ),
        (
            replace(Side::Sell, 1, 2, 10, -5),
            CancelReason::ReplaceInvalid(RejectReason::PriceInvalid),
        ),
        (
            replace(Side::Sell, 1, 2, 4, 100),
            CancelReason::ReplaceNothingLeft,
        ),
    ];
    for (replace, reason) in spoilt {
        sold(&mut desk);
        assert_eq!(
            desk.run(Command::Replace(replace)),
            [Canceled(1, 6, 0, reason)]
        );
    }
    let mut to_market = replace(Side::Sell, 1, 2, 10, 0);
    to_market.price = None;
    sold(&mut desk);
    let reason = CancelReason::ReplaceInvalid(RejectReason::NoOppositePrice);
    assert_eq!(
        desk.run(Command::Replace(to_market)),
        [Canceled(1, 6, 0, reason)]
    );

    desk.sell(1, 10, 100);
    desk.sell(2, 10, 100);
    let ignored = [(7, 8), (1, 2), (1, 1)];
    for (original, number) in ignored {
        let replace = replace(Side::Sell, original, number, 5, 100);
        assert_eq!(desk.run(Command::Replace(replace)), []);
    }
    assert_eq!(desk.ladder.counters().replaces_ignored, 3);
    assert_eq!(desk.ladder.open_orders(), 2);
}

#[test]
fn a_cancel_takes_what_is_there_and_is_otherwise_ignored() {
    let mut desk = Desk::new();
    desk.sell(1, 10, 100);
    desk.buy(1, 3, 100);
    let reason = CancelReason::User;
    assert_eq!(desk.cancel(Side::Sell, 1, 8), [Canceled(1, 2, 5, reason)]);
    assert_eq!(desk.cancel(Side::Sell, 1, 8), []);
    assert_eq!(desk.cancel(Side::Sell, 1, i64::MAX), []);
    assert_eq!(desk.cancel(Side::Sell, 1, 3), [Canceled(1, 5, 0, reason)]);
    assert_eq!(desk.cancel(Side::Sell, 1, 0), []);
    desk.sell(2, 10, 100);
    assert_eq!(
        desk.cancel(Side::Sell, 2, i64::MIN),
        [Canceled(2, 10, 0, reason)]
    );
    assert_eq!(desk.ladder.counters().cancels_ignored, 3);
    assert_eq!(desk.ladder.counters().canceled_qty, 17);
}

#[test]
fn mass_cancels_and_the_day_end_take_those_they_name() {
    let mut desk = Desk::new();
    let mut other = order(Side::Sell, 3, 1, 100);
    other.instrument = InstrumentId::new(1);
    let mut carried = order(Side::Buy, 4, 1, 90);
    carried.time_in_force = TimeInForce::GoodTillCancel;
    let mass = |session: Option<u32>, instrument: Option<u32>, side| {
        Command::MassCancel(MassCancel {
            session: session.map(SessionId::new),
            instrument: instrument.map(InstrumentId::new),
            side,
        })
    };
    let reason = CancelReason::MassCancel;
    let gone = |number| Canceled(number, 1, 0, reason);
    let cases = [
        (mass(Some(1), None, None), vec![gone(1), gone(2), gone(3)]),
        (mass(Some(1), Some(0), None), vec![gone(1), gone(2)]),
        (mass(None, Some(1), Some(Side::Sell)), vec![gone(3)]),
        (mass(None, None, Some(Side::Buy)), vec![gone(4)]),
        (
            mass(None, None, None),
            vec![gone(4), gone(1), gone(2), gone(3)],
        ),
        (mass(Some(77), None, None), vec![]),
        (
            Command::DayEnd,
            [1, 2, 3]
                .map(|n| Canceled(n, 1, 0, CancelReason::DayEnd))
                .to_vec(),
        ),
    ];
    for (command, expected) in cases {
        desk.sell(1, 1, 100);
        desk.sell(2, 1, 101);
        desk.enter(&other);
        desk.enter(&carried);
        assert_eq!(desk.run(command), expected, "{command:?}");
        desk.run(Command::MassCancel(MassCancel::ALL));
        assert_eq!(desk.ladder.open_orders(), 0);
    }
}

#[test]
fn a_bust_tells_both_sides_once_while_the_trade_is_remembered() {
    let mut desk = Desk::new();
    desk.sell(1, 10, 100);
    for number in 1..=6 {
        desk.buy(number, 1, 100);
    }
    let bust = |match_number| Command::Bust { match_number };
    assert_eq!(desk.run(bust(6)), [Broken(6, 6), Broken(1, 6)]);
    assert_eq!(desk.run(bust(3)), [Broken(3, 3), Broken(1, 3)]);
    for unknown in [6, 2, 7, 0, u64::MAX] {
        assert_eq!(desk.run(bust(unknown)), []);
    }
    let counters = *desk.ladder.counters();
    assert_eq!((counters.busted_trades, counters.busts_ignored), (2, 5));
    assert_eq!((counters.trades, counters.executed_qty), (6, 6));
}

#[test]
fn both_sides_bear_their_fee_their_tag_and_one_match_number() {
    let mut desk = Desk::new();
    desk.sell(1, 10, 100);
    let reports = desk.reports(Command::New(order(Side::Buy, 2, 7, 100)));
    let sides: Vec<_> = reports[1..]
        .iter()
        .map(|report| {
            let ReportKind::Executed {
                match_number,
                liquidity,
                fee,
                ..
            } = report.kind
            else {
                panic!("{report:?}");
            };
            (report.tag, match_number, liquidity, fee)
        })
        .collect();
    assert_eq!(
        sides,
        [
            (2 << 32, 1, Liquidity::Removed, Money::new(35)),
            (1 << 32, 1, Liquidity::Added, Money::new(-14)),
        ]
    );
    let by_instrument = desk.ladder.instrument_counters(FIRST).expect("configured");
    assert_eq!((by_instrument.trades, by_instrument.executed_qty), (1, 7));
}

#[test]
fn what_it_does_not_do_is_refused_by_name() {
    let mut desk = Desk::new();
    for instruction in Instruction::ALL {
        let mut new = order(Side::Buy, 1, 5, 100);
        new.instruction = Some(instruction);
        let reason = RejectReason::Unsupported(instruction);
        assert_eq!(desk.enter(&new), [Rejected(1, reason)]);
        desk.buy(2, 5, 100);
        let mut replace = replace(Side::Buy, 2, 3, 5, 100);
        replace.instruction = Some(instruction);
        let reason = CancelReason::ReplaceInvalid(reason);
        assert_eq!(
            desk.run(Command::Replace(replace)),
            [Canceled(2, 5, 0, reason)]
        );
    }
    let mut timed = order(Side::Buy, 4, 5, 100);
    timed.time_in_force = TimeInForce::GoodTillTime;
    assert_eq!(
        desk.enter(&timed),
        [Rejected(4, RejectReason::TimeInForceUnsupported)]
    );
    let mut stranger = order(Side::Buy, 5, 5, 100);
    stranger.session = SessionId::NONE;
    assert_eq!(
        desk.enter(&stranger),
        [Rejected(5, RejectReason::SessionUnknown)]
    );
    let mut nowhere = order(Side::Buy, 6, 5, 100);
    nowhere.instrument = InstrumentId::NONE;
    assert_eq!(
        desk.enter(&nowhere),
        [Rejected(6, RejectReason::InstrumentUnknown)]
    );
    assert_eq!(desk.ladder.counters().rejected, 14);
}

#[test]
fn full_tables_refuse_by_name_and_let_immediate_orders_through() {
    let mut small = config();
    (small.orders_max, small.levels_max) = (3, 2);
    let mut desk = Desk::with(small);
    desk.sell(1, 5, 100);
    desk.sell(2, 5, 101);
    assert_eq!(
        desk.sell(3, 5, 102),
        [Rejected(3, RejectReason::LevelsFull)]
    );
    assert_eq!(desk.buy(1, 5, 100), [Rejected(1, RejectReason::LevelsFull)]);
    desk.sell(3, 5, 101);
    assert_eq!(
        desk.sell(4, 5, 101),
        [Rejected(4, RejectReason::OrdersFull)]
    );
    let moved = desk.run(Command::Replace(replace(Side::Sell, 2, 5, 5, 102)));
    assert_eq!(moved, [ReplaceRejected(2, 5, RejectReason::LevelsFull)]);
    let alone = desk.run(Command::Replace(replace(Side::Sell, 1, 6, 5, 99)));
    assert_eq!(alone, [Replaced(1, 6, 5, 99, Resting)]);
    let taken = desk.enter(&immediate(order(Side::Buy, 2, 5, 99), 0));
    assert_eq!(
        taken,
        [In(2, 5, 99, Taking), Took(2, 5, 99), Gave(6, 5, 99, 0)]
    );
}

#[test]
fn a_number_that_lives_is_ignored_and_a_dead_one_is_free() {
    let mut desk = Desk::new();
    desk.sell(1, 5, 100);
    assert_eq!(desk.sell(1, 9, 50), []);
    assert_eq!(desk.ladder.counters().news_ignored, 1);
    desk.cancel(Side::Sell, 1, 0);
    assert_eq!(desk.sell(1, 9, 50), [In(1, 9, 50, Resting)]);
    let open: Vec<_> = desk.ladder.session_orders(session(Side::Sell)).collect();
    assert_eq!(open.len(), 1);
    assert_eq!(desk.ladder.session_orders(SessionId::NONE).count(), 0);
    assert_eq!(desk.ladder.best(InstrumentId::NONE, Side::Buy), None);
    assert_eq!(desk.ladder.depth(InstrumentId::NONE, Side::Buy).count(), 0);
}

#[test]
fn a_full_inbox_is_busy_and_takes_nothing() {
    let mut desk = Desk::new();
    for number in 0..8 {
        desk.ladder
            .submit(Command::New(order(Side::Buy, number, 1, 10)))
            .expect("room");
    }
    assert_eq!(desk.ladder.inbox_room(), 0);
    let busy = desk.ladder.submit(Command::DayEnd).expect_err("full");
    assert_eq!(busy.inbox_max, 8);
    let mut accepted = 0;
    desk.ladder.poll(usize::MAX, &mut |_| accepted += 1);
    assert_eq!((accepted, desk.ladder.open_orders()), (8, 8));
}

//! Small cases that published engines are known to get wrong, and the ends of the number ranges.
//!
//! Runs on the test's thread.

use portcullis_domain::{Price, Qty, Side};
use portcullis_ladder::{CancelReason, Disposition, RejectReason};

use crate::desk::{Desk, FIRST, Said, order};

use Disposition::{Resting, Taking};
use Said::{Canceled, Gave, In, Rejected, Took};

#[test]
fn a_cancel_behind_a_taken_head_leaves_the_queue_in_order() {
    let mut desk = Desk::new();
    for number in 1..=3 {
        desk.sell(number, 10, 100);
    }
    assert_eq!(
        desk.buy(1, 10, 100),
        [
            In(1, 10, 100, Taking),
            Took(1, 10, 100),
            Gave(1, 10, 100, 0)
        ]
    );
    assert_eq!(
        desk.cancel(Side::Sell, 2, 0),
        [Canceled(2, 10, 0, CancelReason::User)]
    );
    assert_eq!(
        desk.buy(2, 15, 100),
        [
            In(2, 15, 100, Taking),
            Took(2, 10, 100),
            Gave(3, 10, 100, 0)
        ]
    );
    assert_eq!(desk.ladder.best(FIRST, Side::Sell), None);
    assert_eq!(
        desk.ladder.best(FIRST, Side::Buy),
        Some((Price::new(100), Qty::new(5)))
    );
}

#[test]
fn nobody_trades_through_his_limit() {
    let mut desk = Desk::new();
    desk.sell(1, 5, 100);
    desk.sell(2, 5, 101);
    desk.sell(3, 5, 102);
    assert_eq!(
        desk.buy(1, 20, 101),
        [
            In(1, 20, 101, Taking),
            Took(1, 5, 100),
            Gave(1, 5, 100, 0),
            Took(1, 5, 101),
            Gave(2, 5, 101, 0),
        ]
    );
    assert_eq!(
        desk.ladder.best(FIRST, Side::Buy),
        Some((Price::new(101), Qty::new(10)))
    );
    assert_eq!(
        desk.ladder.best(FIRST, Side::Sell),
        Some((Price::new(102), Qty::new(5)))
    );
    assert_eq!(
        desk.sell(4, 11, 99),
        [In(4, 11, 99, Taking), Took(4, 10, 101), Gave(1, 10, 101, 0)],
    );
}

#[test]
fn a_partial_fill_stays_written_on_the_maker() {
    let mut desk = Desk::new();
    desk.sell(1, 10, 100);
    let takes = [(1, 4, 6), (2, 5, 1)];
    for (number, qty, left) in takes {
        assert_eq!(
            desk.buy(number, qty, 100),
            [
                In(number, qty, 100, Taking),
                Took(number, qty, 100),
                Gave(1, qty, 100, left)
            ]
        );
    }
    let open = desk
        .ladder
        .order(crate::desk::session(Side::Sell), order_number(1))
        .expect("rests");
    assert_eq!((open.leaves, open.executed), (Qty::new(1), Qty::new(9)));
    assert_eq!(
        desk.buy(3, 3, 100),
        [In(3, 3, 100, Taking), Took(3, 1, 100), Gave(1, 1, 100, 0)]
    );
}

fn order_number(number: u32) -> portcullis_domain::UserRef {
    portcullis_domain::UserRef::new(number)
}

#[test]
fn the_ends_of_the_price_range_are_prices_like_others() {
    let mut desk = Desk::new();
    assert_eq!(desk.sell(1, 1, i64::MAX), [In(1, 1, i64::MAX, Resting)]);
    assert_eq!(desk.buy(1, 2, 1), [In(1, 2, 1, Resting)]);
    assert_eq!(desk.sell(2, 1, 1 << 40), [In(2, 1, 1 << 40, Resting)]);
    assert_eq!(
        desk.buy(2, 1, i64::MAX - 1)[1..],
        [Took(2, 1, 1 << 40), Gave(2, 1, 1 << 40, 0)]
    );
    assert_eq!(
        desk.buy(3, 3, i64::MAX)[1..],
        [Took(3, 1, i64::MAX), Gave(1, 1, i64::MAX, 0)]
    );
    assert_eq!(
        desk.sell(3, 9, 1)[1..],
        [
            Took(3, 2, i64::MAX),
            Gave(3, 2, i64::MAX, 0),
            Took(3, 2, 1),
            Gave(1, 2, 1, 0)
        ]
    );
    assert_eq!(desk.buy(4, 5, 0), [Rejected(4, RejectReason::PriceInvalid)]);
    assert_eq!(
        desk.buy(5, 5, i64::MIN),
        [Rejected(5, RejectReason::PriceInvalid)]
    );
}

#[test]
fn a_self_trade_fills_both_sides() {
    let mut desk = Desk::new();
    desk.sell(1, 3, 100);
    let mut own = order(Side::Buy, 2, 3, 100);
    own.session = crate::desk::session(Side::Sell);
    assert_eq!(
        desk.enter(&own),
        [In(2, 3, 100, Taking), Took(2, 3, 100), Gave(1, 3, 100, 0)]
    );
}

#[test]
fn the_window_follows_the_first_order_of_an_empty_book_and_answers_stay_the_same() {
    // The same book around 50 and around 2^50, with a far-off first order and without.
    let mut answers = Vec::new();
    for (base, far_first) in [(50, false), (50, true), (1 << 50, false), (1 << 50, true)] {
        let mut desk = Desk::new();
        if far_first {
            desk.sell(9, 1, i64::MAX);
        }
        let mut said = Vec::new();
        for (number, offset) in [(1, 3), (2, 1), (3, 40), (4, 2)] {
            said.extend(desk.sell(number, 5, base + offset));
        }
        said.extend(desk.buy(1, 18, base + 40));
        answers.push(
            said.iter()
                .map(|said| less(*said, base))
                .collect::<Vec<_>>(),
        );
    }
    assert!(
        answers.windows(2).all(|pair| pair[0] == pair[1]),
        "{answers:?}"
    );
    assert_eq!(
        answers[0][5..],
        [
            Took(1, 5, 1),
            Gave(2, 5, 1, 0),
            Took(1, 5, 2),
            Gave(4, 5, 2, 0),
            Took(1, 5, 3),
            Gave(1, 5, 3, 0),
            Took(1, 3, 40),
            Gave(3, 3, 40, 2)
        ]
    );
}

fn less(said: Said, base: i64) -> Said {
    match said {
        In(number, qty, price, disposition) => In(number, qty, price - base, disposition),
        Took(number, qty, price) => Took(number, qty, price - base),
        Gave(number, qty, price, left) => Gave(number, qty, price - base, left),
        Said::Replaced(..)
        | Canceled(..)
        | Rejected(..)
        | Said::ReplaceRejected(..)
        | Said::Broken(..) => panic!("{said:?}"),
    }
}

//! The engine against small clients over real sockets.
//!
//! One thread a test, and the engine's. Clients wait for what must come and never for a time to pass.

mod client;
mod process;

use client::{Client, Otherwise, Running, order, start};
use portcullis_domain::UserRef;
use portcullis_wire::ouch50::{CancelReason, OrderSide, OrderState, Outbound};
use portcullis_wire::soupbin::LoginRejectReason;

#[test]
fn a_session_that_comes_back_gets_exactly_what_it_missed() {
    let engine = start();
    let mut buyer = Client::log_in(&engine, "A", 1);
    buyer.enter(&order(1, OrderSide::Buy, 100, 30));
    let accepted = buyer.next();
    assert!(matches!(
        Outbound::parse(&accepted),
        Ok(Outbound::OrderAccepted(_))
    ));
    drop(buyer);
    let mut seller = Client::log_in(&engine, "B", 1);
    seller.enter(&order(1, OrderSide::Sell, 100, 10));
    let (_, executed) = (seller.next(), seller.next());
    assert!(matches!(
        Outbound::parse(&executed),
        Ok(Outbound::OrderExecuted(_))
    ));
    let mut again = Client::log_in(&engine, "A", 2);
    let missed = again.next();
    let Ok(Outbound::OrderExecuted(view)) = Outbound::parse(&missed) else {
        panic!("{missed:?}");
    };
    assert_eq!((view.quantity(), view.user_ref_num().get()), (10, 1));
    drop(again);
    let mut whole = Client::log_in(&engine, "A", 1);
    assert_eq!((whole.next(), whole.next()), (accepted, missed));
    let figures = engine.figures();
    assert_eq!(figures["open_orders"], 1);
    assert_eq!(figures["trades"], 1);
    let a = &figures["sessions"][0];
    assert_eq!((&a["sequence"], &a["logins"]), (&2.into(), &3.into()));
    assert_eq!(a["open"][0]["user_ref"], 1);
    assert_eq!(a["open"][0]["leaves"], 20);
}

#[test]
fn a_new_login_takes_the_session_over() {
    let engine = start();
    let mut first = Client::log_in(&engine, "A", 1);
    first.enter(&order(1, OrderSide::Buy, 100, 30));
    first.next();
    let mut second = Client::log_in(&engine, "A", 1);
    second.next();
    first.assert_closed();
    second.enter(&order(2, OrderSide::Buy, 100, 5));
    second.next();
    let figures = engine.figures();
    assert_eq!(figures["sessions"][0]["takeovers"], 1);
    assert_eq!(figures["open_orders"], 2);
}

#[test]
fn a_number_that_comes_again_is_ignored_and_counted() {
    let engine = start();
    let mut client = Client::log_in(&engine, "A", 1);
    let first = order(7, OrderSide::Buy, 100, 30);
    client.enter(&first);
    client.next();
    client.enter(&first);
    client.enter(&order(6, OrderSide::Buy, 100, 1));
    client.replace(7, 8, 101, 12);
    client.replace(7, 8, 101, 12);
    client.replace(5, 9, 101, 12);
    let replaced = client.next();
    let Ok(Outbound::OrderReplaced(view)) = Outbound::parse(&replaced) else {
        panic!("{replaced:?}");
    };
    assert_eq!((view.user_ref_num().get(), view.quantity()), (8, 12));
    client.query(0);
    assert_eq!(
        client.next_number(),
        UserRef::new(9),
        "gone ones use no number"
    );
    let figures = engine.figures();
    let a = &figures["sessions"][0];
    assert_eq!(a["orders_entered"], 1);
    assert_eq!(a["enters_repeated"], 2);
    assert_eq!(a["replaces_entered"], 1);
    assert_eq!(a["replaces_repeated"], 1);
    assert_eq!(a["replaces_ignored"], 1);
    assert_eq!(figures["enters_repeated"], 2);
}

#[test]
fn rows_have_numbers_of_their_own_and_a_query_is_answered_behind_what_was_asked() {
    let engine = start();
    let mut client = Client::log_in(&engine, "A", 1);
    for number in 1..=20 {
        client.enter_row(&order(number, OrderSide::Buy, 100, 1), 3);
    }
    client.query(3);
    client.query(0);
    for number in 1..=20 {
        let message = client.next();
        let Ok(Outbound::OrderAccepted(view)) = Outbound::parse(&message) else {
            panic!("{message:?}");
        };
        assert_eq!(
            (view.user_ref_num().get(), view.user_ref_idx()),
            (number, 3)
        );
    }
    assert_eq!(client.next_number(), UserRef { row: 3, number: 21 });
    assert_eq!(client.next_number(), UserRef::new(1));
}

#[test]
fn orders_die_and_shrink_as_the_protocol_says() {
    let engine = start();
    let mut client = Client::log_in(&engine, "A", 1);
    client.enter(&order(1, OrderSide::Buy, 100, 30).immediate());
    let message = client.next();
    let Ok(Outbound::OrderAccepted(view)) = Outbound::parse(&message) else {
        panic!("{message:?}");
    };
    assert_eq!(view.order_state(), OrderState::Dead);
    client.enter(&order(2, OrderSide::Buy, 100, 30));
    client.next();
    client.cancel(2, 12);
    let message = client.next();
    let Ok(Outbound::OrderCanceled(view)) = Outbound::parse(&message) else {
        panic!("{message:?}");
    };
    assert_eq!(
        (view.quantity(), view.reason()),
        (18, CancelReason::from_code(b'U'))
    );
    client.modify(2, 4);
    let message = client.next();
    let Ok(Outbound::OrderModified(view)) = Outbound::parse(&message) else {
        panic!("{message:?}");
    };
    assert_eq!(view.quantity(), 4);
    client.enter(&order(3, OrderSide::Buy, 100, 30).of("NOBODY"));
    let message = client.next();
    assert!(matches!(
        Outbound::parse(&message),
        Ok(Outbound::Rejected(_))
    ));
    client.cancel(2, 0);
    client.next();
    assert_eq!(engine.figures()["open_orders"], 0);
}

#[test]
fn who_may_not_is_told_so_and_garbage_hurts_nobody() {
    let engine = start();
    let mut good = Client::log_in(&engine, "A", 1);
    let refused = |login| Client::refused(&engine, login);
    let secret = client::SECRET;
    assert_eq!(refused(("A", "wrong", 1)), LoginRejectReason::NotAuthorised);
    assert_eq!(refused(("C", secret, 1)), LoginRejectReason::NotAuthorised);
    let beyond = LoginRejectReason::SessionNotAvailable;
    assert_eq!(
        refused(("B", secret, 2)),
        beyond,
        "there is no such message yet"
    );
    Client::connect(&engine).send_garbage();
    good.send(b"\0nonsense");
    good.enter(&order(1, OrderSide::Buy, 100, 1));
    good.next();
    assert_eq!(engine.figures()["sessions"][0]["not_understood"], 1);
}

#[test]
fn a_broken_wire_loses_what_was_not_read_and_nothing_that_was_said() {
    let engine: Running = start();
    let mut client = Client::log_in(&engine, "A", 1);
    let mut heard = 0;
    for round in 0..20 {
        for number in 1..=50 {
            let number = round * 50 + number;
            client.enter(&order(number, OrderSide::Buy, 100, 1));
        }
        engine.break_all();
        client = Client::log_in(&engine, "A", heard + 1);
        client.query(0);
        let mut accepted = 0;
        loop {
            let message = client.next();
            heard += 1;
            match Outbound::parse(&message) {
                Ok(Outbound::OrderAccepted(_)) => accepted += 1,
                Ok(Outbound::AccountQueryResponse(view)) => {
                    // Within a round what arrived is what came before the break.
                    let next = view.next_user_ref_num().get();
                    assert!(accepted == 0 || next == round * 50 + accepted + 1);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let figures = engine.figures();
    assert_eq!(figures["sessions"][0]["sequence"], heard);
    let entered = figures["orders_entered"].as_u64().expect("a number");
    assert_eq!(entered + 20, heard);
}

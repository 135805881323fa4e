//! The checker against messages made by hand.

use super::*;
use portcullis_domain::Side;
use portcullis_wire::field::Letter;
use portcullis_wire::ouch50::{
    Appendage, CancelReason, Capacity, CrossType, Display, OrderAccepted, OrderCanceled,
    OrderExecuted, OrderReplaced, OrderState, RejectReason, Rejected, TimeInForce, UserRefNum,
    YesNo,
};

fn number(number: u32) -> UserRefNum {
    UserRefNum::new(number).expect("not 0")
}

fn checker() -> Checker {
    Checker::new(3)
}

fn enter(checker: &mut Checker, quantity: u32) -> u32 {
    checker.entered(NewOrder {
        handle: Some(77),
        account: 0,
        instrument: Some(0),
        side: Side::Buy,
        quantity,
        planned_ns: 5,
        immediate: false,
    })
}

fn accepted_as(of: u32, quantity: u32, text: Alpha<14>) -> Vec<u8> {
    let mut out = [0; 128];
    let len = OrderAccepted {
        timestamp: 1,
        user_ref_num: number(of),
        side: Side::Buy.into(),
        quantity,
        symbol: Alpha::new(b"ESH4").expect("short"),
        price: 1_000,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        order_ref_num: 1,
        capacity: Capacity::Principal,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        order_state: OrderState::Live,
        cl_ord_id: text,
    }
    .encode(Some(Appendage::EMPTY), &mut out)
    .expect("room");
    out[..len].to_vec()
}

fn accepted(of: u32, quantity: u32) -> Vec<u8> {
    accepted_as(of, quantity, cl_ord_id(3, of))
}

fn replaced(original: u32, of: u32, open: u32) -> Vec<u8> {
    let mut out = [0; 128];
    let len = OrderReplaced {
        timestamp: 1,
        orig_user_ref_num: number(original),
        user_ref_num: number(of),
        side: Side::Buy.into(),
        quantity: open,
        symbol: Alpha::new(b"ESH4").expect("short"),
        price: 1_000,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        order_ref_num: 1,
        capacity: Capacity::Principal,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        order_state: OrderState::Live,
        cl_ord_id: cl_ord_id(3, of),
    }
    .encode(Some(Appendage::EMPTY), &mut out)
    .expect("room");
    out[..len].to_vec()
}

fn executed(of: u32, quantity: u32, price: u64) -> Vec<u8> {
    let mut out = [0; 64];
    let len = OrderExecuted {
        timestamp: 1,
        user_ref_num: number(of),
        quantity,
        price,
        liquidity_flag: Letter::new(b'A').expect("printable"),
        match_number: 1,
    }
    .encode(Some(Appendage::EMPTY), &mut out)
    .expect("room");
    out[..len].to_vec()
}

fn canceled(of: u32, quantity: u32) -> Vec<u8> {
    let mut out = [0; 64];
    let len = OrderCanceled {
        timestamp: 1,
        user_ref_num: number(of),
        quantity,
        reason: CancelReason::User,
    }
    .encode(None, &mut out)
    .expect("room");
    out[..len].to_vec()
}

fn rejected(of: u32) -> Vec<u8> {
    let mut out = [0; 64];
    let len = Rejected {
        timestamp: 1,
        user_ref_num: of,
        reason: RejectReason::RiskMaxQuantity,
        cl_ord_id: cl_ord_id(3, of),
    }
    .encode(None, &mut out)
    .expect("room");
    out[..len].to_vec()
}

/// Faults so far: of the wrong session, of protocol.
fn faults(checker: &Checker) -> (u64, u64) {
    (checker.tally.wrong_session, checker.tally.protocol_errors)
}

#[test]
fn an_order_lives_from_accept_to_the_last_share() {
    let mut checker = checker();
    let order = enter(&mut checker, 10);
    assert_eq!((checker.awaited(), checker.unanswered()), (1, 1));
    checker.on_message(&accepted(order, 10));
    assert_eq!((checker.awaited(), checker.unanswered()), (0, 0));
    checker.on_message(&executed(order, 4, 1_000));
    checker.on_message(&canceled(order, 1));
    assert_eq!(checker.chain(order).expect("open").leaves(), 5);
    checker.on_message(&executed(order, 5, 999));
    assert!(checker.chain(order).is_none());
    assert_eq!(checker.news.closed, [77]);
    assert_eq!(checker.news.answered_planned_ns, [5]);
    assert_eq!(checker.news.fills.len(), 2);
    assert_eq!(
        (checker.tally.executed_qty, checker.tally.canceled_qty),
        (9, 1)
    );
    assert_eq!(faults(&checker), (0, 0), "{:?}", checker.tally.first_fault);
}

#[test]
fn a_replace_of_an_order_that_closes_first_is_silent() {
    let mut checker = checker();
    let order = enter(&mut checker, 10);
    checker.on_message(&accepted(order, 10));
    checker.replace_asked(order, 12, 6);
    checker.replace_asked(order, 14, 7);
    assert_eq!(checker.awaited(), 2);
    checker.on_message(&executed(order, 10, 1_000));
    assert_eq!((checker.awaited(), checker.unanswered()), (0, 0));
    assert_eq!(checker.tally.silent, 2);
    // A gateway that answers one all the same is not at fault.
    checker.on_message(&rejected(2));
    assert_eq!(checker.tally.silent, 1);
    assert_eq!(checker.tally.refused_total(), 1);
    // Doing it is.
    checker.on_message(&replaced(order, 3, 4));
    assert_eq!(faults(&checker), (0, 1));
}

#[test]
fn a_refused_replace_silences_those_behind_it_and_leaves_the_order() {
    let mut checker = checker();
    let order = enter(&mut checker, 10);
    checker.on_message(&accepted(order, 10));
    for total in [12, 14, 16] {
        checker.replace_asked(order, total, 6);
    }
    checker.on_message(&replaced(order, 2, 12));
    checker.on_message(&rejected(3));
    assert_eq!((checker.awaited(), checker.tally.silent), (0, 1));
    let chain = checker.chain(order).expect("open");
    assert_eq!((chain.tip(), chain.leaves()), (Some(2), 12));
    // The first number is gone with its version.
    checker.on_message(&executed(order, 1, 1_000));
    assert_eq!(faults(&checker), (0, 1));
    checker.on_message(&executed(2, 12, 1_000));
    assert_eq!(checker.open().count(), 0);
    assert_eq!(faults(&checker), (0, 1));
}

#[test]
fn a_replace_counts_what_was_executed() {
    let mut checker = checker();
    let order = enter(&mut checker, 10);
    checker.on_message(&accepted(order, 10));
    checker.on_message(&executed(order, 4, 1_000));
    checker.replace_asked(order, 9, 6);
    checker.on_message(&replaced(order, 2, 6));
    assert_eq!(faults(&checker), (0, 1), "9 less 4 leave 5, not 6");
    assert_eq!(checker.chain(order).expect("open").leaves(), 5);
}

#[test]
fn a_version_that_was_passed_over_is_unanswered() {
    let mut checker = checker();
    let order = enter(&mut checker, 10);
    checker.on_message(&accepted(order, 10));
    checker.replace_asked(order, 12, 6);
    checker.replace_asked(order, 14, 7);
    checker.on_message(&replaced(2, 3, 14));
    assert_eq!((checker.awaited(), checker.unanswered()), (0, 1));
    assert_eq!(checker.chain(order).expect("open").tip(), Some(3));
    assert_eq!(faults(&checker), (0, 0));
}

#[test]
fn every_kind_of_fault_is_noticed() {
    let cases: [(&str, Vec<u8>, (u64, u64)); 9] = [
        ("more than is open", executed(1, 11, 1_000), (0, 1)),
        ("nothing executed", executed(1, 0, 1_000), (0, 1)),
        ("worse than the limit", executed(1, 1, 1_001), (0, 1)),
        ("more cancelled than is open", canceled(1, 11), (0, 1)),
        ("a second answer", accepted(1, 10), (0, 1)),
        ("a reject after the accept", rejected(1), (0, 1)),
        ("a number never used", executed(2, 1, 1_000), (1, 0)),
        (
            "another session's text",
            accepted_as(1, 10, cl_ord_id(4, 1)),
            (1, 0),
        ),
        ("no message", vec![b'?', 1], (0, 1)),
    ];
    for (name, message, expected) in cases {
        let mut checker = checker();
        let order = enter(&mut checker, 10);
        checker.on_message(&accepted(order, 10));
        assert_eq!(faults(&checker), (0, 0));
        checker.on_message(&message);
        assert_eq!(faults(&checker), expected, "{name}");
        assert!(checker.tally.first_fault.is_some(), "{name}");
    }
}

#[test]
fn what_was_given_up_is_unanswered_until_it_is_answered_late() {
    let mut checker = checker();
    let order = enter(&mut checker, 10);
    let second = enter(&mut checker, 10);
    checker.on_message(&accepted(second, 10));
    checker.replace_asked(second, 12, 6);
    checker.give_up();
    checker.give_up();
    assert_eq!((checker.awaited(), checker.unanswered()), (0, 2));
    // Both numbers of the second order may be the live one.
    assert_eq!(checker.chain(second).expect("open").may_be_live(), [2, 3]);
    checker.on_message(&accepted(order, 10));
    assert_eq!((checker.unanswered(), checker.tally.late), (1, 1));
    // A cancel under the unanswered number shows that the replace was done.
    checker.on_message(&canceled(3, 12));
    assert!(checker.chain(second).is_none());
    assert_eq!((checker.unanswered(), faults(&checker)), (1, (0, 1)));
}

#[test]
fn a_cancel_waits_for_the_replace_before_it() {
    let mut checker = checker();
    let order = enter(&mut checker, 10);
    checker.on_message(&accepted(order, 10));
    checker.replace_asked(order, 12, 6);
    assert!(checker.chain(order).expect("open").is_replacing());
    checker.defer_cancel(order);
    checker.on_message(&rejected(2));
    assert_eq!(checker.news.cancellable, [order]);
    checker.cancel_asked(order, true, 1);
    assert_eq!(checker.awaited(), 1);
    checker.on_message(&canceled(order, 10));
    assert_eq!(checker.awaited(), 0);
}

#[test]
fn an_order_that_cannot_rest_is_awaited_to_its_end() {
    let mut checker = checker();
    let order = checker.entered(NewOrder {
        handle: None,
        account: 0,
        instrument: Some(0),
        side: Side::Buy,
        quantity: 3,
        planned_ns: 0,
        immediate: true,
    });
    checker.on_message(&accepted(order, 3));
    assert_eq!(checker.awaited(), 1);
    checker.on_message(&canceled(order, 3));
    assert_eq!(checker.awaited(), 0);
}

#[test]
fn texts_name_session_and_number() {
    assert_eq!(cl_ord_id(7, 42).as_str(), "S007-000000042");
    assert_eq!(cl_ord_id(999, u32::MAX).as_str(), "S999-294967295");
}

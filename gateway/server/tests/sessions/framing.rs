//! Bytes cut and joined in every way, and bytes that are no message.

use crate::client::{Client, buy, cancel, login, message, order, packed};
use crate::rig::{PASSWORD, Rig, Setup};
use portcullis_wire::ouch50::OrderSide;

#[test]
fn messages_split_into_three_bytes_are_whole_again() {
    let mut rig = Rig::new(Setup {
        read_bytes_max: 3,
        ..Setup::sessions(1)
    });
    let mut client = Client::connect(&rig);
    client.send(&login(0, 1, PASSWORD));
    rig.steps(64);
    assert_eq!(client.told(), ["login 1"]);
    client.send(&[buy(1, 1, 900), buy(2, 1, 900), cancel(1)].concat());
    rig.steps(128);
    assert_eq!(client.told(), ["A1", "A2", "C1 1 U"]);
}

#[test]
fn three_messages_in_one_read_are_three() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let orders = [buy(1, 1, 900), buy(2, 1, 900), buy(3, 1, 900)];
    assert_eq!(client.ask(&mut rig, &orders), ["A1", "A2", "A3"]);
}

#[test]
fn a_malformed_order_is_refused_with_the_reason_of_its_fault() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let whole = message(&order(1, OrderSide::Buy, 1, 900), None);
    // Side, display and cross type at their places, then an appendage that is not there.
    for (number, at, reason) in [
        (1, 5, "0009"),
        (2, 27, "0003"),
        (3, 30, "0014"),
        (4, 46, "000f"),
    ] {
        let mut wrong = whole.clone();
        wrong[4] = number;
        wrong[at] = b'?';
        let told = client.ask(&mut rig, &[packed(&wrong)]);
        assert_eq!(told, [format!("J{number} {reason}")]);
    }
    assert_eq!(rig.open_orders(), 0);
    assert_eq!(client.ask(&mut rig, &[buy(5, 1, 900)]), ["A5"]);
}

#[test]
fn a_few_unknown_messages_are_counted_and_more_end_the_session() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    for sent in 1..=16 {
        assert!(client.ask(&mut rig, &[packed(b"z")]).is_empty());
        assert_eq!(rig.counted_in().unanswerable, sent);
    }
    assert!(!client.is_closed());
    assert_eq!(client.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
    assert!(client.ask(&mut rig, &[packed(b"z")]).is_empty());
    assert!(client.is_closed());
    assert_eq!(rig.counted_in().ended, 1);
}

#[test]
fn an_order_before_the_login_ends_the_connection() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::connect(&rig);
    client.send(&buy(1, 1, 900));
    rig.steps(8);
    assert!(client.is_closed());
    assert!(client.told().is_empty());
    assert_eq!((rig.counted_in().ended, rig.open_orders()), (1, 0));
}

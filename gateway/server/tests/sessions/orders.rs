//! What a client may ask of its orders, and what it is told.

use crate::client::{
    Client, buy, buy_in_row, cancel, cancel_in_row, message, order, packed, replace, sell,
};
use crate::rig::{Rig, Setup};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AccountQuery, AppendageBuilder, DisableOrderEntry, Element, EnableOrderEntry, MassCancel,
    OrderSide, UserRefNum,
};

fn number(number: u32) -> UserRefNum {
    UserRefNum::new(number).expect("numbers start at 1")
}

fn mass_cancel(at: u32) -> Vec<u8> {
    let request = MassCancel {
        user_ref_num: number(at),
        firm: Alpha::BLANK,
        symbol: Alpha::BLANK,
    };
    let mut out = [0; 32];
    let len = request.encode(None, &mut out).expect("it fits");
    packed(&out[..len])
}

fn entry(at: u32, enabled: bool) -> Vec<u8> {
    let (user_ref_num, firm) = (number(at), Alpha::BLANK);
    let mut out = [0; 32];
    let len = if enabled {
        EnableOrderEntry { user_ref_num, firm }.encode(None, &mut out)
    } else {
        DisableOrderEntry { user_ref_num, firm }.encode(None, &mut out)
    };
    packed(&out[..len.expect("it fits")])
}

fn query() -> Vec<u8> {
    let mut out = [0; 8];
    let len = AccountQuery {}.encode(None, &mut out).expect("it fits");
    packed(&out[..len])
}

#[test]
fn orders_are_accepted_and_traded() {
    let mut rig = Rig::new(Setup::sessions(2));
    let mut buyer = Client::logged_on(&mut rig, 0, 1);
    let mut seller = Client::logged_on(&mut rig, 1, 1);
    assert_eq!(buyer.ask(&mut rig, &[buy(1, 10, 1_000)]), ["A1"]);
    assert_eq!(rig.open_orders(), 1);
    let told = seller.ask(&mut rig, &[sell(1, 4, 990)]);
    assert_eq!(told, ["A1", "E1 4@1000"]);
    assert_eq!(buyer.told(), ["E1 4@1000"]);
    let told = buyer.ask(&mut rig, &[cancel(1)]);
    assert_eq!(told, ["C1 6 U"]);
    assert_eq!(rig.open_orders(), 0);
    assert_eq!(rig.counted_out().unencodable, 0);
}

#[test]
fn a_refusal_has_the_documented_reason() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let mut unknown = order(2, OrderSide::Buy, 1, 1_000);
    unknown.symbol = Alpha::new(b"NONE").expect("short");
    // Over qty_max, an unknown symbol, outside the collar around the reference.
    for (bytes, reason) in [
        (buy(1, 1_001, 1_000), "J1 0031"),
        (packed(&message(&unknown, None)), "J2 0017"),
        (buy(3, 1, 2_000), "J3 0026"),
    ] {
        assert_eq!(client.ask(&mut rig, &[bytes]), [reason]);
    }
    assert_eq!(rig.open_orders(), 0);
}

#[test]
fn a_cancel_overtakes_the_orders_of_others() {
    let mut rig = Rig::new(Setup::sessions(9));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let mut others: Vec<_> = (1..9)
        .map(|session| Client::logged_on(&mut rig, session, 1))
        .collect();
    assert_eq!(client.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
    let burst: Vec<_> = (1..=30).flat_map(|at| buy(at, 1, 900)).collect();
    others.iter().for_each(|other| other.send(&burst));
    client.send(&cancel(1));
    rig.steps(2);
    assert_eq!(client.told(), ["C1 1 U"]);
    let early: usize = others.iter_mut().map(|other| other.told().len()).sum();
    assert!(
        early < 100,
        "the backlog was overtaken, not served: {early}"
    );
    rig.steps(20);
    let late: usize = others.iter_mut().map(|other| other.told().len()).sum();
    assert_eq!(early + late, 8 * 30);
}

#[test]
fn a_cancel_does_not_overtake_its_own_order() {
    let mut rig = Rig::new(Setup::sessions(2));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let other = Client::logged_on(&mut rig, 1, 1);
    let burst: Vec<_> = (1..=90).flat_map(|at| buy(at, 1, 900)).collect();
    other.send(&burst);
    rig.step();
    let told = client.ask(&mut rig, &[buy(1, 1, 900), cancel(1)]);
    assert_eq!(told, ["A1", "C1 1 U"]);
    assert_eq!(rig.open_orders(), 90);
}

#[test]
fn a_cancel_of_a_number_never_used_does_not_let_later_ones_overtake() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    for _ in 0..2 {
        let none = client.ask(&mut rig, &[cancel(4_000_000_000)]);
        assert!(none.is_empty(), "{none:?}");
    }
    let told = client.ask(&mut rig, &[buy(1, 1, 900), cancel(1)]);
    assert_eq!(told, ["A1", "C1 1 U"]);
    // Nor does a high number in one row speak for the low ones of another.
    assert_eq!(client.ask(&mut rig, &[buy(70_000, 1, 900)]), ["A70000"]);
    assert_eq!(client.ask(&mut rig, &[cancel(70_000)]), ["C70000 1 U"]);
    let told = client.ask(&mut rig, &[buy_in_row(1, 5, 1, 900), cancel_in_row(1, 5)]);
    assert_eq!(told, ["A5", "C5 1 U"]);
}

#[test]
fn a_mass_cancel_is_answered_and_cancels_all() {
    let mut rig = Rig::new(Setup::sessions(2));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let mut other = Client::logged_on(&mut rig, 1, 1);
    assert_eq!(other.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
    let orders: Vec<_> = (1..=3).map(|at| buy(at, 2, 900)).collect();
    assert_eq!(client.ask(&mut rig, &orders), ["A1", "A2", "A3"]);
    let mut told = client.ask(&mut rig, &[mass_cancel(9)]);
    assert_eq!(told.remove(0), "X9");
    told.sort();
    assert_eq!(told.len(), 3, "{told:?}");
    for (at, word) in (1..=3).zip(&told) {
        assert!(word.starts_with(&format!("C{at} 2 ")), "{told:?}");
    }
    assert_eq!(rig.open_orders(), 1);
    assert!(other.told().is_empty());
}

#[test]
fn a_mass_cancel_for_which_there_is_no_room_is_refused_under_its_number() {
    let mut rig = Rig::new(Setup {
        sweeps_max: 1,
        ..Setup::sessions(1)
    });
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let orders: Vec<_> = (1..=200).map(|at| buy(at, 1, 900)).collect();
    client.send(&orders.concat());
    rig.steps(16);
    assert_eq!(client.told().len(), 200);
    // Both in one read: the first is still under way when the second comes.
    client.send(&[mass_cancel(201), mass_cancel(202)].concat());
    rig.steps(256);
    let told = client.told();
    assert!(told.contains(&"X201".to_owned()));
    assert!(told.contains(&"J202 000a".to_owned()), "{told:?}");
    assert!(!told.contains(&"X202".to_owned()));
    assert_eq!(rig.open_orders(), 0);
}

#[test]
fn a_mass_cancel_that_names_what_is_not_known_is_refused_and_cancels_nothing() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    assert_eq!(client.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
    let of = |at, symbol: &[u8], group: Option<u16>| {
        let request = MassCancel {
            user_ref_num: number(at),
            firm: Alpha::BLANK,
            symbol: Alpha::new(symbol).expect("short"),
        };
        let mut builder = AppendageBuilder::new();
        if let Some(group) = group {
            builder.push(Element::GroupId(group)).expect("once");
        }
        let appendage = group.map(|_| builder.finish());
        let mut out = [0; 64];
        let len = request.encode(appendage, &mut out).expect("it fits");
        packed(&out[..len])
    };
    assert_eq!(client.ask(&mut rig, &[of(2, b"NOSUCH", None)]), ["J2 000a"]);
    assert_eq!(client.ask(&mut rig, &[of(3, b"", Some(7))]), ["J3 000a"]);
    assert_eq!(rig.open_orders(), 1);
}

#[test]
fn order_entry_goes_off_and_on() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    assert_eq!(client.ask(&mut rig, &[entry(8, false)]), ["G8"]);
    assert_eq!(client.ask(&mut rig, &[buy(1, 1, 900)]), ["J1 0007"]);
    assert_eq!(client.ask(&mut rig, &[entry(9, true)]), ["K9"]);
    assert_eq!(client.ask(&mut rig, &[buy(2, 1, 900)]), ["A2"]);
}

#[test]
fn an_account_query_gives_the_next_number() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    assert_eq!(client.ask(&mut rig, &[query()]), ["Q1"]);
    assert_eq!(client.ask(&mut rig, &[buy(7, 1, 900)]), ["A7"]);
    assert_eq!(client.ask(&mut rig, &[query()]), ["Q8"]);
}

#[test]
fn a_number_sent_again_is_booked_once_and_answered_nothing() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let twice = [buy(1, 1, 900), buy(1, 1, 900)];
    assert_eq!(client.ask(&mut rig, &twice), ["A1"]);
    assert!(client.ask(&mut rig, &twice).is_empty());
    assert_eq!(rig.open_orders(), 1);
    assert_eq!(client.ask(&mut rig, &[buy(2, 1, 900)]), ["A2"]);
}

/// The core lets four versions be unanswered beside the entry: each answer still has its words.
#[test]
fn an_entry_and_four_replaces_in_one_read_are_all_answered() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let mut messages = vec![buy(1, 9, 900)];
    messages.extend((1..=4).map(|number| replace(number, number + 1, 8, 900)));
    let told = client.ask(&mut rig, &messages);
    assert_eq!(told, ["A1", "U1>2", "U2>3", "U3>4", "U4>5"]);
    assert_eq!(rig.open_orders(), 1);
}

//! Logging on, coming back, being replaced, leaving, and being left.

use crate::client::{Client, buy, sell};
use crate::rig::{PASSWORD, Rig, Setup};
use portcullis_domain::Duration;
use portcullis_wire::soupbin::encode;

const SECOND_NS: u64 = 1_000_000_000;

fn heartbeat() -> Vec<u8> {
    let mut out = [0; 8];
    let len = encode::client_heartbeat(&mut out).expect("it fits");
    out[..len].to_vec()
}

#[test]
fn a_wrong_password_is_told_so_and_closed() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::asking(&rig, 0, 1, b"wrong");
    rig.steps(8);
    assert!(client.is_closed());
    assert_eq!(client.told(), ["no login A"]);
    assert_eq!(rig.counted_in().logins_refused, 1);
}

#[test]
fn what_was_missed_comes_from_the_number_asked_for() {
    let mut rig = Rig::new(Setup::sessions(2));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let mut seller = Client::logged_on(&mut rig, 1, 1);
    let orders = [buy(1, 5, 1_000), buy(2, 5, 1_000)];
    assert_eq!(client.ask(&mut rig, &orders), ["A1", "A2"]);
    drop(client);
    rig.steps(4);
    let told = seller.ask(&mut rig, &[sell(1, 3, 1_000)]);
    assert_eq!(told, ["A1", "E1 3@1000"]);
    for (sequence, expected) in [
        (2, &["login 2", "A2", "E1 3@1000"][..]),
        (0, &["login 4"]),
        (4, &["login 4"]),
        (1, &["login 1", "A1", "A2", "E1 3@1000"]),
    ] {
        let mut again = Client::asking(&rig, 0, sequence, PASSWORD);
        rig.steps(8);
        assert_eq!(again.told(), expected);
        drop(again);
        rig.steps(4);
    }
}

#[test]
fn a_number_beyond_the_next_is_refused() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::asking(&rig, 0, 5, PASSWORD);
    rig.steps(8);
    assert!(client.is_closed());
    assert_eq!(client.told(), ["no login S"]);
    // The session is there for one that asks right.
    let mut right = Client::logged_on(&mut rig, 0, 1);
    assert_eq!(right.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
}

#[test]
fn a_number_that_cannot_be_served_costs_the_connection_that_has_the_session_nothing() {
    let mut rig = Rig::new(Setup {
        cancel_on_disconnect: true,
        store_bytes: 4_096,
        ..Setup::sessions(1)
    });
    let mut first = Client::logged_on(&mut rig, 0, 1);
    for at in 1..=100 {
        assert_eq!(first.ask(&mut rig, &[buy(at, 1, 900)]), [format!("A{at}")]);
    }
    // The next is 101; the store holds 64 messages at the most.
    for wrong in [102, 5_000, u64::MAX, 1, 36] {
        let mut second = Client::asking(&rig, 0, wrong, PASSWORD);
        rig.steps(8);
        assert!(second.is_closed());
        assert_eq!(second.told(), ["no login S"], "{wrong}");
    }
    assert_eq!(rig.counted_in().logins_refused, 5);
    assert!(!first.is_closed());
    assert_eq!(rig.open_orders(), 100);
    assert_eq!(first.ask(&mut rig, &[buy(101, 1, 900)]), ["A101"]);
    // The last message and the one after it are what a client that was there may ask for.
    for right in [101, 102] {
        let mut next = Client::asking(&rig, 0, right, PASSWORD);
        rig.steps(8);
        assert_eq!(next.told()[0], format!("login {right}"));
        assert!(first.is_closed());
        first = next;
    }
}

#[test]
fn a_second_login_takes_the_session_over() {
    let mut rig = Rig::new(Setup {
        cancel_on_disconnect: true,
        ..Setup::sessions(1)
    });
    let mut first = Client::logged_on(&mut rig, 0, 1);
    assert_eq!(first.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
    let mut second = Client::asking(&rig, 0, 0, PASSWORD);
    rig.steps(8);
    assert_eq!(second.told(), ["login 2"]);
    assert!(first.is_closed());
    assert!(first.told().is_empty());
    rig.steps(32);
    assert_eq!(
        rig.open_orders(),
        1,
        "the session was never without a client"
    );
    assert_eq!(second.ask(&mut rig, &[buy(2, 1, 900)]), ["A2"]);
}

#[test]
fn a_lost_connection_cancels_in_slices() {
    let mut rig = Rig::new(Setup {
        cancel_on_disconnect: true,
        ..Setup::sessions(1)
    });
    let client = Client::logged_on(&mut rig, 0, 1);
    let orders: Vec<_> = (1..=120).flat_map(|at| buy(at, 1, 900)).collect();
    client.send(&orders);
    rig.steps(16);
    assert_eq!(rig.open_orders(), 120);
    drop(client);
    let mut seen = Vec::new();
    for _ in 0..64 {
        rig.step();
        seen.push(rig.open_orders());
    }
    seen.dedup();
    assert_eq!(seen.last(), Some(&0));
    assert!(seen.len() > 3, "not all in one command: {seen:?}");
    // What was cancelled meanwhile is there to be read.
    let mut again = Client::asking(&rig, 0, 121, PASSWORD);
    rig.steps(16);
    let told = again.told();
    assert_eq!(told.len(), 1 + 120);
    assert!(told[1..].iter().all(|word| word.starts_with('C')));
}

#[test]
fn a_logout_closes_and_cancels_nothing() {
    let mut rig = Rig::new(Setup {
        cancel_on_disconnect: true,
        ..Setup::sessions(1)
    });
    let mut client = Client::logged_on(&mut rig, 0, 1);
    assert_eq!(client.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
    let mut out = [0; 8];
    let len = encode::logout_request(&mut out).expect("it fits");
    let told = client.ask(&mut rig, &[out[..len].to_vec()]);
    assert!(told.is_empty() && client.is_closed());
    rig.steps(32);
    assert_eq!(rig.open_orders(), 1);
}

#[test]
fn a_heartbeat_comes_after_a_second() {
    let mut rig = Rig::new(Setup::sessions(1));
    let mut client = Client::logged_on(&mut rig, 0, 1);
    rig.wait_ns(SECOND_NS / 2);
    rig.steps(4);
    assert!(client.told().is_empty());
    rig.wait_ns(SECOND_NS / 2);
    rig.steps(4);
    assert_eq!(client.told(), ["heartbeat"]);
}

#[test]
fn a_heartbeat_that_the_socket_splits_comes_whole() {
    let mut rig = Rig::new(Setup {
        write_bytes_max: 1,
        ..Setup::sessions(1)
    });
    let mut client = Client::asking(&rig, 0, 1, PASSWORD);
    rig.steps(64);
    assert_eq!(client.told(), ["login 1"]);
    for _ in 0..3 {
        rig.wait_ns(SECOND_NS);
        rig.steps(16);
        assert_eq!(client.told(), ["heartbeat"]);
    }
}

#[test]
fn a_silent_client_is_dropped_and_a_heartbeat_keeps_one() {
    let mut rig = Rig::new(Setup {
        cancel_on_disconnect: true,
        ..Setup::sessions(2)
    });
    let mut silent = Client::logged_on(&mut rig, 0, 1);
    let mut alive = Client::logged_on(&mut rig, 1, 1);
    assert_eq!(silent.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
    for _ in 0..14 {
        rig.wait_ns(SECOND_NS);
        alive.send(&heartbeat());
        rig.steps(4);
    }
    assert!(!silent.is_closed() && rig.open_orders() == 1);
    rig.wait_ns(SECOND_NS);
    rig.steps(16);
    assert!(silent.is_closed());
    assert_eq!(rig.open_orders(), 0);
    assert!(!alive.is_closed());
    assert_eq!(rig.counted_in().ended, 1);
    alive.told();
    assert_eq!(alive.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
}

#[test]
fn a_gateway_that_was_held_reads_what_was_said_before_it_judges_silence() {
    let mut rig = Rig::new(Setup {
        cancel_on_disconnect: true,
        poll_every_calls: 64,
        ..Setup::sessions(3)
    });
    let mut clients: Vec<_> = (0..3)
        .map(|session| Client::logged_on(&mut rig, session, 1))
        .collect();
    assert_eq!(clients[0].ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
    // While one is read again and again, the others are looked for seldom.
    clients[0].send(&heartbeat());
    rig.step();
    // It is held for a minute, in which all but the last say that they live.
    rig.wait_ns(60 * SECOND_NS);
    for client in &mut clients[..2] {
        client.send(&heartbeat());
    }
    rig.steps(200);
    let closed: Vec<_> = clients.iter_mut().map(Client::is_closed).collect();
    assert_eq!(closed, [false, false, true]);
    assert_eq!(
        rig.open_orders(),
        1,
        "nobody's orders went with the silence"
    );
    assert_eq!(rig.counted_in().overdue, 1);
}

#[test]
fn each_session_has_a_silence_and_a_heartbeat_of_its_own() {
    const fn seconds(count: u64) -> Duration {
        Duration::from_ns(count * SECOND_NS)
    }
    const SPANS: [(Duration, Duration); 2] = [(seconds(3), seconds(1)), (seconds(6), seconds(4))];
    let mut rig = Rig::new(Setup {
        spans: &SPANS,
        ..Setup::sessions(3)
    });
    let mut clients: Vec<_> = (0..3)
        .map(|session| Client::logged_on(&mut rig, session, 1))
        .collect();
    let mut beats = [0; 3];
    let mut closed_after = [0; 3];
    for second in 1..=16 {
        rig.wait_ns(SECOND_NS);
        rig.steps(40);
        for (at, client) in clients.iter_mut().enumerate() {
            beats[at] += client.told().len();
            if client.is_closed() && closed_after[at] == 0 {
                closed_after[at] = second;
            }
        }
    }
    assert_eq!(closed_after, [3, 6, 15]);
    assert_eq!(
        beats,
        [3, 1, 15],
        "who is looked at once more hears one more"
    );
}

#[test]
fn a_client_that_never_reads_loses_its_connection_once_its_store_is_over() {
    let mut rig = Rig::new(Setup {
        buffer_bytes: 4_096,
        store_bytes: 4_096,
        cancel_on_disconnect: true,
        ..Setup::sessions(2)
    });
    let mut deaf = Client::logged_on(&mut rig, 0, 1);
    let mut other = Client::logged_on(&mut rig, 1, 1);
    for at in 1..=600 {
        deaf.press(&buy(at, 1, 900));
        rig.steps(2);
    }
    rig.steps(64);
    assert_eq!(rig.counted_out().lagged, 1);
    assert!(deaf.is_closed());
    assert_eq!(rig.open_orders(), 0, "its orders went with it");
    assert_eq!(other.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
}

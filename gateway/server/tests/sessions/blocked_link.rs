//! An engine link that takes nothing holds up its own session alone.
//!
//! The fault is at the venue; what is looked at are the clients' bytes and what the engine took.

use crate::client::{Client, buy, cancel};
use crate::gated::Taken;
use crate::rig::{PENDING_MAX, Rig, Setup};
use portcullis_domain::{AccountId, CashMove, Command, Money};
use portcullis_pipeline::venue::CONGESTED_AT;
use std::collections::BTreeSet;

/// Not yet reconciled, down, or taking nothing.
const VENUE_DOWN: &str = "0002";

fn numbers(told: &[String], word: char) -> Vec<u32> {
    let of = |told: &String| {
        let rest = told.strip_prefix(word)?;
        rest.split(' ').next()?.parse().ok()
    };
    told.iter().filter_map(of).collect()
}

#[test]
fn the_orders_and_cancels_of_others_pass() {
    let mut rig = Rig::new(Setup::sessions(2));
    let mut blocked = Client::logged_on(&mut rig, 0, 1);
    let mut other = Client::logged_on(&mut rig, 1, 1);
    rig.gates.set(0, false);
    let orders: Vec<_> = (1..=20).map(|number| buy(number, 1, 900)).collect();
    assert_eq!(blocked.ask(&mut rig, &orders), [""; 0]);
    assert_eq!(blocked.ask(&mut rig, &[cancel(20)]), [""; 0]);
    assert_eq!(other.ask(&mut rig, &[buy(1, 5, 900)]), ["A1"]);
    assert_eq!(other.ask(&mut rig, &[cancel(1)]), ["C1 5 U"]);
    assert_eq!(rig.open_orders(), 20, "what waits is on hold");
    rig.gates.set(0, true);
    rig.steps(8);
    let told = blocked.told();
    assert_eq!(numbers(&told, 'A'), (1..=20).collect::<Vec<_>>());
    assert_eq!(numbers(&told, 'C'), [20], "the cancel behind its order");
    assert_eq!(rig.open_orders(), 19);
}

#[test]
fn where_much_waits_new_orders_are_refused_and_cancels_are_not() {
    let mut rig = Rig::new(Setup::sessions(2));
    let mut blocked = Client::logged_on(&mut rig, 0, 1);
    let mut other = Client::logged_on(&mut rig, 1, 1);
    rig.gates.set(0, false);
    let mut told = Vec::new();
    let sent = 2 * CONGESTED_AT;
    for number in 1..=sent {
        told.extend(blocked.ask(&mut rig, &[buy(number, 1, 900)]));
    }
    assert!(told.len() as u32 > CONGESTED_AT / 2, "{}", told.len());
    let refused: BTreeSet<u32> = numbers(&told, 'J').into_iter().collect();
    assert!(told.iter().all(|word| word.ends_with(VENUE_DOWN)));
    assert_eq!(rig.congestions(), 1);
    assert_eq!(other.ask(&mut rig, &[buy(1, 5, 900)]), ["A1"]);
    assert_eq!(blocked.ask(&mut rig, &[cancel(1)]), [""; 0], "it waits");
    rig.gates.set(0, true);
    rig.steps(sent / 16 + 16);
    let told = blocked.told();
    let wanted: Vec<u32> = (1..=sent).filter(|n| !refused.contains(n)).collect();
    assert_eq!(
        numbers(&told, 'A'),
        wanted,
        "each approved one, in its order"
    );
    assert_eq!(numbers(&told, 'C'), [1]);
    let again = blocked.ask(&mut rig, &[buy(sent + 1, 1, 900)]);
    assert_eq!(again, [format!("A{}", sent + 1)], "the link is up again");
}

/// Whatever the gates do, each session's orders come to the engine once and in their order.
#[test]
fn gates_that_open_and_close_lose_nothing_and_reorder_nothing() {
    const SESSIONS: u32 = 5;
    let mut rig = Rig::new(Setup::sessions(SESSIONS));
    let mut clients: Vec<_> = (0..SESSIONS)
        .map(|session| Client::logged_on(&mut rig, session, 1))
        .collect();
    let mut sent = [0_u32; SESSIONS as usize];
    let mut told = vec![Vec::new(); SESSIONS as usize];
    let mut state = 17_u64;
    for _ in 0..6_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let session = (state >> 33) as u32 % SESSIONS;
        let place = session as usize;
        match (state >> 50) % 16 {
            0 => rig.gates.set(session, false),
            1 | 2 => rig.gates.set(session, true),
            3 if sent[place] > 0 => clients[place].send(&cancel(sent[place])),
            _ => {
                sent[place] += 1;
                clients[place].send(&buy(sent[place], 1, 900));
            }
        }
        rig.step();
        told[place].extend(clients[place].told());
    }
    rig.gates.set_all(true);
    rig.steps(400);
    for (session, client) in clients.iter_mut().enumerate() {
        told[session].extend(client.told());
        let accepted = numbers(&told[session], 'A');
        let refused = numbers(&told[session], 'J');
        assert!(accepted.len() > 100, "{} accepted", accepted.len());
        let answered: BTreeSet<u32> = accepted.iter().chain(&refused).copied().collect();
        assert_eq!(answered.len(), accepted.len() + refused.len(), "each once");
        assert_eq!(answered.len() as u32, sent[session], "and all of them");
        let own = |taken: &&Taken| taken.session == session as u32 && taken.enters;
        let entered: Vec<u32> = rig.taken().iter().filter(own).map(|t| t.number).collect();
        assert_eq!(entered, accepted, "session {session}");
    }
}

/// An engine that takes nothing from anybody: clients wait, what decides does not.
#[test]
fn when_nothing_is_taken_at_all_the_desk_is_still_obeyed() {
    const SESSIONS: u32 = 16;
    let mut setup = Setup::sessions(SESSIONS);
    setup.orders_max = 1 << 15;
    let mut rig = Rig::new(setup);
    let mut clients: Vec<_> = (0..SESSIONS)
        .map(|session| Client::logged_on(&mut rig, session, 1))
        .collect();
    rig.gates.set_all(false);
    let mut sent = 0;
    for number in 1..=600 {
        for client in &clients {
            client.send(&buy(number, 1, 900));
        }
        sent += SESSIONS;
        rig.step();
    }
    rig.steps(2_000);
    assert!(rig.open_orders() > PENDING_MAX + 1_024, "the slab is full");
    let account = AccountId::new(0);
    let before = rig.cash(account);
    let amount = Money::new(77);
    rig.command(Command::Deposit(CashMove { account, amount }));
    rig.steps(8);
    assert_eq!(rig.cash(account) - before, 77);
    rig.gates.set_all(true);
    let mut answered = 0;
    for _ in 0..2_000 {
        rig.step();
        for client in &mut clients {
            let told = client.told();
            answered += numbers(&told, 'A').len() + numbers(&told, 'J').len();
        }
    }
    assert_eq!(answered as u32, sent, "and all is answered in the end");
}

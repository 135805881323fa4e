//! Many that flood, and one that does not: what each is told.

use crate::client::{Client, buy, cancel};
use crate::rig::{Rig, Setup};

const FLOODERS: u32 = 40;

/// Orders of each flooder: all of them together are ten times what the order lane holds.
const ORDERS: u32 = 600;

fn crowd() -> (Rig, Vec<Client>, Client) {
    let mut rig = Rig::new(Setup {
        orders_max: 1 << 16,
        ..Setup::sessions(FLOODERS + 1)
    });
    let flooders = (0..FLOODERS).map(|at| Client::logged_on(&mut rig, at, 1));
    let flooders = flooders.collect();
    let quiet = Client::logged_on(&mut rig, FLOODERS, 1);
    (rig, flooders, quiet)
}

/// The numbers of the words with this beginning and this end.
fn numbers(told: &[String], begin: &str, end: &str) -> Vec<u32> {
    let words = told.iter().filter_map(|word| word.strip_prefix(begin));
    let numbers = words.filter_map(|word| word.strip_suffix(end));
    numbers
        .map(|number| number.parse().expect("a number"))
        .collect()
}

#[test]
fn those_that_flood_are_refused_by_their_own_share_and_no_other_is() {
    let (mut rig, mut flooders, mut quiet) = crowd();
    let flood: Vec<_> = (1..=ORDERS).flat_map(|at| buy(at, 1, 900)).collect();
    flooders.iter().for_each(|flooder| flooder.send(&flood));
    let mut told = vec![Vec::new(); FLOODERS as usize];
    let mut accepted = Vec::new();
    for at in 0..200 {
        if at < 50 {
            quiet.send(&buy(at + 1, 1, 900));
        }
        rig.steps(8);
        accepted.extend(quiet.told());
        for (flooder, told) in flooders.iter_mut().zip(&mut told) {
            told.extend(flooder.told());
        }
    }
    let all: Vec<_> = (1..=50).map(|at| format!("A{at}")).collect();
    assert_eq!(accepted, all, "none was refused, and they kept their order");
    let mut overloaded = 0;
    for told in &told {
        let (taken, refused) = (numbers(told, "A", ""), numbers(told, "J", " 000a"));
        assert!(taken.is_sorted() && refused.is_sorted());
        overloaded += refused.len() as u64;
        let mut answered = [taken, refused].concat();
        answered.sort_unstable();
        assert_eq!(answered, (1..=ORDERS).collect::<Vec<_>>(), "each once");
    }
    assert!(overloaded > 0);
    assert_eq!(rig.counted_in().overloaded, overloaded);
}

#[test]
fn one_that_is_left_unread_is_not_taken_for_silent() {
    let (mut rig, mut flooders, _quiet) = crowd();
    let flood: Vec<_> = (1..=ORDERS).flat_map(|at| buy(at, 1, 900)).collect();
    flooders.iter().for_each(|flooder| flooder.send(&flood));
    let mut answers = vec![0; FLOODERS as usize];
    for at in 0..800 {
        if at == 40 {
            let read = rig.counted_in().messages;
            assert!(read < u64::from(FLOODERS * ORDERS), "{read} were read");
            rig.wait_ns(16_000_000_000);
        }
        rig.steps(2);
        for (flooder, answers) in flooders.iter_mut().zip(&mut answers) {
            *answers += flooder.told().len();
        }
    }
    assert!(
        answers.iter().all(|count| *count >= ORDERS as usize),
        "{answers:?}"
    );
    assert!(!flooders.iter_mut().any(Client::is_closed));
    assert_eq!(
        rig.counted_in().overdue,
        1,
        "the quiet one, which said nothing"
    );
}

#[test]
fn a_flood_of_cancels_holds_up_nobody_else() {
    let (mut rig, flooders, mut quiet) = crowd();
    let flood: Vec<_> = (1..=ORDERS).flat_map(cancel).collect();
    flooders.iter().for_each(|flooder| flooder.send(&flood));
    rig.steps(2 * FLOODERS);
    assert_eq!(quiet.ask(&mut rig, &[buy(1, 1, 900)]), ["A1"]);
    let read = rig.counted_in().messages;
    assert!(
        read < u64::from(FLOODERS * ORDERS),
        "the flood is still on: {read} messages were read"
    );
}

#[test]
fn one_that_floods_alone_is_answered_to_the_last() {
    let mut rig = Rig::new(Setup {
        orders_max: 1 << 16,
        ..Setup::sessions(1)
    });
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let burst: Vec<_> = (1..=900).flat_map(|at| buy(at, 1, 900)).collect();
    client.send(&burst);
    let mut told = Vec::new();
    for _ in 0..100 {
        rig.steps(4);
        told.extend(client.told());
    }
    assert_eq!(numbers(&told, "A", ""), (1..=900).collect::<Vec<_>>());
}

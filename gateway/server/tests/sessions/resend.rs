//! Clients that come back for more than their session's store has: the rest comes from the journal.

use crate::client::{Client, buy, sell};
use crate::rig::{PASSWORD, Rig, Setup};
use portcullis_pipeline::durability::Durability;
use portcullis_wire::soupbin::encode;

/// Sessions whose stores hold 64 messages.
fn setup() -> Setup {
    Setup {
        store_bytes: 4_096,
        durability: Some(Durability::Journaled),
        ..Setup::sessions(2)
    }
}

/// Steps in which the log of a test is replayed and sent.
const REPLAY_STEPS: u32 = 400;

const SECOND_NS: u64 = 1_000_000_000;

/// Buys under these numbers, one by one; what the client was told.
fn trade(
    rig: &mut Rig,
    client: &mut Client,
    numbers: std::ops::RangeInclusive<u32>,
) -> Vec<Vec<u8>> {
    let mut told = Vec::new();
    for number in numbers {
        client.send(&buy(number, 1, 900));
        rig.steps(8);
        told.extend(client.messages());
    }
    told
}

/// A session that was told so many messages and is left.
fn told_and_left(rig: &mut Rig, session: u32, count: u32) -> Vec<Vec<u8>> {
    let mut client = Client::logged_on(rig, session, 1);
    let told = trade(rig, &mut client, 1..=count);
    assert_eq!(told.len(), count as usize);
    drop(client);
    rig.steps(8);
    told
}

/// Logs in from a number on; what the login said, and all messages that came in many steps.
fn come_back(rig: &mut Rig, session: u32, sequence: u64) -> (Client, Vec<Vec<u8>>) {
    let mut client = Client::asking(rig, session, sequence, PASSWORD);
    rig.steps(REPLAY_STEPS);
    let messages = client.messages();
    assert!(!client.is_closed());
    (client, messages)
}

/// Whether a login from this number on is refused, and the connection closed.
fn is_refused(rig: &mut Rig, session: u32, sequence: u64) -> bool {
    let mut client = Client::asking(rig, session, sequence, PASSWORD);
    rig.steps(16);
    client.told() == ["no login S"] && client.is_closed()
}

fn words(rig: &Rig) -> Vec<String> {
    let words = &rig.journal.as_ref().expect("it has one").words;
    words.lock().expect("one thread").clone()
}

#[test]
fn what_the_store_no_longer_has_comes_from_the_journal() {
    let mut rig = Rig::new(setup());
    let mut told = told_and_left(&mut rig, 0, 300);
    for from in [1, 2, 100, 236, 237, 301] {
        let (client, again) = come_back(&mut rig, 0, from);
        assert!(again == told[from as usize - 1..], "from {from}");
        drop(client);
        rig.steps(8);
    }
    let (mut client, again) = come_back(&mut rig, 0, 1);
    assert!(again == told);
    told.extend(trade(&mut rig, &mut client, 301..=302));
    assert_eq!(told.len(), 302, "live messages follow");
    assert!(is_refused(&mut rig, 0, 304));
    let counted = rig.counted_out();
    assert_eq!((counted.lagged, counted.given_up), (0, 0));
    let said = words(&rig).concat();
    assert!(
        said.contains("session 0: messages 1 to 236 from the journal in "),
        "{said}"
    );
    assert!(said.contains("from the first record"), "{said}");
}

/// The store moves on while the client catches up.
#[test]
fn what_is_said_meanwhile_comes_behind() {
    let mut rig = Rig::new(setup());
    let mut told = told_and_left(&mut rig, 0, 200);
    let seller = Client::logged_on(&mut rig, 1, 1);
    let mut client = Client::asking(&rig, 0, 1, PASSWORD);
    let mut again = Vec::new();
    // Each sale is an execution of one of the first session's orders.
    for number in 1..=150 {
        seller.send(&sell(number, 1, 900));
        rig.steps(1);
        again.extend(client.messages());
    }
    rig.steps(REPLAY_STEPS);
    again.extend(client.messages());
    assert_eq!(again.len(), 350);
    assert!(again[..200] == told);
    let said = words(&rig).pop().expect("it was said");
    let up_to = said.split_whitespace().nth(5).expect("it names the last");
    let up_to: u64 = up_to.parse().expect("a number");
    assert!(
        (137..=349).contains(&up_to),
        "the store had 137 at first: {said}"
    );
    drop((client, seller));
    rig.steps(8);
    told = again;
    let (_client, again) = come_back(&mut rig, 0, 1);
    assert!(again == told);
}

#[test]
fn a_restart_from_the_journal_resends_what_was_told_before() {
    let mut rig = Rig::new(setup());
    let mut told = told_and_left(&mut rig, 0, 200);
    let mut rig = rig.restarted(setup());
    for sequence in [1, 150] {
        let (client, again) = come_back(&mut rig, 0, sequence);
        assert!(again == told[sequence as usize - 1..], "from {sequence}");
        drop(client);
        rig.steps(8);
    }
    let (mut client, _) = come_back(&mut rig, 0, 201);
    told.extend(trade(&mut rig, &mut client, 201..=400));
    drop(client);
    rig.steps(8);
    let (_client, again) = come_back(&mut rig, 0, 1);
    assert_eq!(again.len(), 400);
    assert!(again == told, "over both lives");
}

/// Notes a digest and makes a snapshot behind it; the client of the session goes.
fn make_snapshot(rig: &mut Rig, from: u32) {
    let before = rig.core().seq().raw();
    rig.wait_ns(60_000_000);
    let (client, _) = come_back(rig, 1, 0);
    client.send(&buy(from, 1, 900));
    rig.steps(8);
    drop(client);
    rig.steps(8);
    let journal = rig.journal.as_ref().expect("it has one");
    journal.make_snapshot(setup(), before, rig.now());
}

#[test]
fn a_snapshot_shortens_the_way_and_the_records_before_it_are_there_still() {
    let mut rig = Rig::new(setup());
    let mut told = told_and_left(&mut rig, 0, 200);
    make_snapshot(&mut rig, 1);
    let (mut client, _) = come_back(&mut rig, 0, 0);
    told.extend(trade(&mut rig, &mut client, 201..=400));
    drop(client);
    let mut rig = rig.restarted(setup());
    for (sequence, origin) in [
        (137, "from the snapshot of record "),
        (136, "from the first record"),
        (1, "from the first record"),
    ] {
        let (client, again) = come_back(&mut rig, 0, sequence);
        assert!(again == told[sequence as usize - 1..], "from {sequence}");
        drop(client);
        rig.steps(8);
        let said = words(&rig).pop().expect("it was said");
        assert!(said.contains(origin), "{said}");
    }
}

/// The first segments are gone: what the snapshot's streams had is the oldest that can be had.
#[test]
fn a_pruned_journal_refuses_what_it_cannot_make_again() {
    let mut rig = Rig::new(setup());
    let mut told = told_and_left(&mut rig, 0, 400);
    make_snapshot(&mut rig, 1);
    let (mut client, _) = come_back(&mut rig, 0, 0);
    told.extend(trade(&mut rig, &mut client, 401..=600));
    drop(client);
    rig.steps(8);
    make_snapshot(&mut rig, 2);
    rig.journal.as_ref().expect("it has one").prune();
    // It is looked now and then how far the journal reaches back.
    rig.wait_ns(6 * SECOND_NS);
    rig.steps(8);
    for sequence in [1, 336] {
        assert!(is_refused(&mut rig, 0, sequence), "{sequence}");
    }
    let (client, again) = come_back(&mut rig, 0, 337);
    assert!(again == told[336..], "the older snapshot has it");
    drop(client);
    let mut rig = rig.restarted(setup());
    assert!(is_refused(&mut rig, 0, 336));
    let (_client, again) = come_back(&mut rig, 0, 337);
    assert!(again == told[336..]);
}

/// It goes after that was promised: the connection ends, and it is not promised again.
#[test]
fn a_journal_that_does_not_read_is_told_and_not_promised_again() {
    let mut rig = Rig::new(setup());
    let told = told_and_left(&mut rig, 0, 300);
    let journal = rig.journal.as_ref().expect("it has one");
    let (disk, name) = (journal.disk.clone(), journal.first_segment());
    let mut bytes = disk.contents(&name).expect("it is there");
    bytes[20_000] ^= 1;
    disk.put(&name, &bytes);
    let mut client = Client::asking(&rig, 0, 1, PASSWORD);
    rig.steps(REPLAY_STEPS);
    let again = client.messages();
    assert!(client.is_closed());
    assert!(!again.is_empty() && again.len() < 236);
    assert!(again == told[..again.len()], "what came was right");
    assert_eq!(rig.counted_out().given_up, 1);
    let said = words(&rig).concat();
    assert!(
        said.contains("asked from message 1 on, ended at "),
        "{said}"
    );
    for sequence in [1, again.len() as u64 + 1] {
        assert!(is_refused(&mut rig, 0, sequence), "{sequence}");
    }
    let (client, again) = come_back(&mut rig, 0, 237);
    assert!(again == told[236..], "the store has the rest");
    drop(client);
    // The disk has it after all, and after a while that is found out.
    bytes[20_000] ^= 1;
    disk.put(&name, &bytes);
    rig.steps(8);
    assert!(is_refused(&mut rig, 0, 1));
    rig.wait_ns(61 * SECOND_NS);
    rig.steps(8);
    let (_client, again) = come_back(&mut rig, 0, 1);
    assert!(again == told);
}

/// What one session's client could not be given again puts off nobody else's next try.
#[test]
fn what_could_not_be_read_is_promised_again_to_each_session_in_its_time() {
    let mut rig = Rig::new(setup());
    let told = [0, 1].map(|session| told_and_left(&mut rig, session, 300));
    let journal = rig.journal.as_ref().expect("it has one");
    let (disk, name) = (journal.disk.clone(), journal.first_segment());
    let mut bytes = disk.contents(&name).expect("it is there");
    bytes[20_000] ^= 1;
    disk.put(&name, &bytes);
    for session in [0, 1] {
        let mut client = Client::asking(&rig, session, 1, PASSWORD);
        rig.steps(REPLAY_STEPS);
        assert!(client.is_closed() && client.messages().len() < 236);
        assert!(is_refused(&mut rig, session, 1), "{session}");
        if session == 0 {
            rig.wait_ns(40 * SECOND_NS);
        }
    }
    bytes[20_000] ^= 1;
    disk.put(&name, &bytes);
    rig.wait_ns(21 * SECOND_NS);
    rig.steps(8);
    let (client, again) = come_back(&mut rig, 0, 1);
    assert!(again == told[0], "its minute is over");
    drop(client);
    assert!(is_refused(&mut rig, 1, 1), "its own is not");
    rig.wait_ns(40 * SECOND_NS);
    rig.steps(8);
    let (_client, again) = come_back(&mut rig, 1, 1);
    assert!(again == told[1]);
}

/// A connection with room for few bytes, so that a client that does not read is soon full.
fn narrow() -> Setup {
    Setup {
        buffer_bytes: 4_096,
        ..setup()
    }
}

#[test]
fn a_client_that_leaves_midway_goes_on_where_it_was() {
    let mut rig = Rig::new(narrow());
    let told = told_and_left(&mut rig, 0, 1_500);
    let mut again: Vec<Vec<u8>> = Vec::new();
    let mut times = 0;
    while again.len() < told.len() {
        let next = again.len() as u64 + 1;
        let mut client = Client::asking(&rig, 0, next, PASSWORD);
        for _ in 0..6 {
            rig.steps(20);
            again.extend(client.messages());
        }
        times += 1;
        drop(client);
        rig.steps(8);
    }
    assert!(times > 2, "it left midway: {times}");
    assert!(again == told);
}

/// The same user on another connection takes the session over, and starts anew.
#[test]
fn a_takeover_midway_begins_where_it_says() {
    let mut rig = Rig::new(narrow());
    let told = told_and_left(&mut rig, 0, 1_500);
    let mut first = Client::asking(&rig, 0, 1, PASSWORD);
    rig.steps(40);
    let mut second = Client::asking(&rig, 0, 3, PASSWORD);
    let mut again = Vec::new();
    for _ in 0..200 {
        rig.steps(20);
        again.extend(second.messages());
    }
    assert!(first.is_closed());
    let before = first.messages();
    assert!(before.len() < told.len() && before == told[..before.len()]);
    assert!(again == told[2..]);
}

#[test]
fn two_sessions_at_once_get_their_own() {
    let mut rig = Rig::new(setup());
    let told = [0, 1].map(|session| told_and_left(&mut rig, session, 200 + 50 * session));
    let mut clients = [0, 1].map(|session| Client::asking(&rig, session, 1, PASSWORD));
    rig.steps(2 * REPLAY_STEPS);
    for (client, told) in clients.iter_mut().zip(&told) {
        assert!(client.messages() == *told);
        assert!(!client.is_closed());
    }
}

/// One that takes nothing is waited for as long as nobody else waits.
#[test]
fn a_client_that_takes_nothing_gives_way_to_another_session() {
    let mut rig = Rig::new(narrow());
    let told = [0, 1].map(|session| told_and_left(&mut rig, session, 1_500));
    let mut idle = Client::asking(&rig, 0, 1, PASSWORD);
    let mut beat = [0; 8];
    let len = encode::client_heartbeat(&mut beat).expect("it fits");
    for _ in 0..4 {
        rig.steps(100);
        rig.wait_ns(6 * SECOND_NS);
        idle.send(&beat[..len]);
    }
    assert_eq!(rig.counted_out().given_up, 0);
    let mut other = Client::asking(&rig, 1, 1, PASSWORD);
    let mut again = Vec::new();
    for _ in 0..200 {
        rig.steps(20);
        again.extend(other.messages());
    }
    assert!(again == told[1]);
    assert!(idle.is_closed());
    assert_eq!(rig.counted_out().given_up, 1);
    let said = words(&rig).concat();
    assert!(said.contains("its client takes too little"), "{said}");
    drop(other);
    let mut back = Client::asking(&rig, 0, 1, PASSWORD);
    let mut again = Vec::new();
    for _ in 0..200 {
        rig.steps(20);
        again.extend(back.messages());
    }
    assert!(again == told[0], "it may come again");
}

/// Without a log that was written, nothing can be read: the log is waited for, and then no longer.
#[test]
fn records_that_are_not_written_are_waited_for_and_then_no_longer() {
    let memory = Setup {
        durability: Some(Durability::Memory),
        ..setup()
    };
    for comes_back in [true, false] {
        let mut rig = Rig::new(memory);
        let disk = rig.journal.as_ref().expect("it has one").disk.clone();
        disk.fail(Some(portcullis_journal::WriteFault::Full));
        let told = told_and_left(&mut rig, 0, 200);
        let mut client = Client::asking(&rig, 0, 1, PASSWORD);
        rig.steps(50);
        assert_eq!(client.messages().len(), 0);
        if comes_back {
            disk.fail(None);
            rig.wait_ns(SECOND_NS / 100);
            rig.steps(REPLAY_STEPS);
            assert!(client.messages() == told);
            continue;
        }
        rig.wait_ns(11 * SECOND_NS);
        rig.steps(50);
        assert!(client.is_closed());
        let said = words(&rig).concat();
        assert!(said.contains("does not have the records yet"), "{said}");
    }
}

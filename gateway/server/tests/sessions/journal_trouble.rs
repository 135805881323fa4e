//! A disk that is full, broken, read-only or slow, from the clients' side.
//!
//! New orders are refused, cancels pass, what was acknowledged is in the journal in the end, and all goes on when
//! the disk does.

use crate::client::{Client, buy, cancel};
use crate::rig::{Rig, Setup};
use portcullis_domain::{Command, Duration, Timestamp};
use portcullis_journal::WriteFault;
use portcullis_pipeline::durability::Durability;

const FAULTS: [WriteFault; 4] = [
    WriteFault::Full,
    WriteFault::ReadOnly,
    WriteFault::Device,
    WriteFault::Stalled,
];

/// Longer than a journal may be slow, and than a failed write waits to be tried again.
const LONG_NS: u64 = 250_000_000;

fn rig(durability: Durability) -> Rig {
    Rig::new(Setup {
        durability: Some(durability),
        ..Setup::sessions(2)
    })
}

fn fail(rig: &Rig, fault: Option<WriteFault>) {
    rig.journal.as_ref().expect("it has one").disk.fail(fault);
}

/// Lets time pass, a step before and some after: the journal's age is looked at in steps.
fn wait_long(rig: &mut Rig) {
    for _ in 0..3 {
        rig.step();
        rig.wait_ns(LONG_NS);
    }
    rig.steps(8);
}

#[test]
fn nothing_leaves_while_its_record_is_not_durable() {
    for durability in [Durability::Journaled, Durability::Synced] {
        let mut rig = rig(durability);
        let mut client = Client::logged_on(&mut rig, 0, 1);
        fail(&rig, Some(WriteFault::Stalled));
        let engine_had = rig.taken().len();
        assert_eq!(client.ask(&mut rig, &[buy(1, 5, 900)]), [""; 0]);
        assert_eq!(rig.taken().len(), engine_had, "nor to the engine");
        assert_eq!(rig.open_orders(), 1, "what waits is on hold");
        fail(&rig, None);
        rig.wait_ns(10_000_000);
        rig.steps(8);
        assert_eq!(client.told(), ["A1"]);
    }
}

#[test]
fn a_journal_in_trouble_refuses_orders_and_passes_cancels_until_it_is_over() {
    for fault in FAULTS {
        let mut rig = rig(Durability::Journaled);
        let mut client = Client::logged_on(&mut rig, 0, 1);
        let orders = [buy(1, 5, 900), buy(2, 5, 900)];
        assert_eq!(client.ask(&mut rig, &orders), ["A1", "A2"]);
        fail(&rig, Some(fault));
        client.send(&buy(3, 5, 900));
        wait_long(&mut rig);
        // It was approved before anybody knew: the engine never had it.
        let told = client.told();
        assert_eq!(told, ["J3 0002"], "{fault:?}");
        assert!(!rig.core().journal_up());
        assert_eq!(client.ask(&mut rig, &[buy(4, 5, 900)]), ["J4 0002"]);
        assert_eq!(client.ask(&mut rig, &[cancel(1)]), ["C1 5 U"]);
        assert_eq!(rig.undurable(), 1, "{fault:?}");
        assert_eq!(rig.open_orders(), 1);
        fail(&rig, None);
        wait_long(&mut rig);
        assert!(rig.core().journal_up(), "{fault:?}");
        assert_eq!(client.ask(&mut rig, &[buy(5, 5, 900)]), ["A5"]);
        // A word on each side of what failed at once; a slow disk is nobody's fault to tell.
        let words = rig.journal.as_ref().expect("it has one").words.clone();
        let told = words.lock().expect("one thread").len();
        assert_eq!(told, if fault == WriteFault::Stalled { 0 } else { 2 });
        everything_is_kept(&mut rig);
    }
}

/// A disk that takes nothing is waited for, but whoever stops comes to an end: it waits until there is no work left.
#[test]
fn a_log_that_waited_long_enough_has_no_more_work() {
    let mut rig = rig(Durability::Journaled);
    let client = Client::logged_on(&mut rig, 0, 1);
    fail(&rig, Some(WriteFault::Stalled));
    client.send(&buy(1, 5, 900));
    rig.steps(4);
    let long = Duration::from_ns(10_000_000_000);
    let now = rig.now();
    let journal = rig.journal.as_mut().expect("it has one");
    let mut turns = |at: Timestamp| journal.work(at) > 0;
    assert!(turns(now), "it waits");
    assert!(!turns(now.saturating_add(long).saturating_add(long)));
    assert!(turns(Timestamp::ZERO), "the clock was set back");
    assert!(turns(Timestamp::ZERO.saturating_add(long)));
    let end = Timestamp::ZERO.saturating_add(long);
    assert!(!turns(end.saturating_add(Duration::from_ns(1))));
    fail(&rig, None);
    wait_long(&mut rig);
    everything_is_kept(&mut rig);
}

/// The journal's last digest is the core's own, and its records go on without a gap up to the last.
fn everything_is_kept(rig: &mut Rig) {
    rig.wait_ns(LONG_NS);
    rig.command(Command::StateHash);
    rig.steps(4);
    let (records, noted) = rig.journal.as_ref().expect("it has one").read();
    let seqs: Vec<u64> = records.iter().map(|record| record.head.seq).collect();
    let expected: Vec<u64> = (1..=rig.core().seq().raw()).collect();
    assert_eq!(seqs, expected);
    let (seq, digest) = noted.expect("it is noted at times");
    assert_eq!((seq, digest), (rig.core().seq(), rig.core().digest()));
}

#[test]
fn a_folder_that_has_room_left_for_cancels_alone_takes_no_orders() {
    let mut rig = rig(Durability::Journaled);
    let mut client = Client::logged_on(&mut rig, 0, 1);
    let disk = rig.journal.as_ref().expect("it has one").disk.clone();
    let used = 1 << 16;
    disk.set_quota(Some(2 * used));
    let (mut number, mut accepted) = (0, 0);
    while rig.core().journal_up() && number < 2_000 {
        number += 1;
        let told = client.ask(&mut rig, &[buy(number, 1, 900)]);
        accepted += usize::from(told == [format!("A{number}")]);
    }
    assert!(accepted > 100 && number < 2_000, "{accepted} of {number}");
    assert_eq!(
        client.ask(&mut rig, &[buy(number + 1, 1, 900)]),
        [format!("J{} 0002", number + 1)]
    );
    assert_eq!(client.ask(&mut rig, &[cancel(1)]), ["C1 1 U"]);
    disk.set_quota(None);
    wait_long(&mut rig);
    let number = number + 2;
    assert_eq!(
        client.ask(&mut rig, &[buy(number, 1, 900)]),
        [format!("A{number}")]
    );
    everything_is_kept(&mut rig);
}

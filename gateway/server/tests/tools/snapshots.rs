//! Snapshots: what a start refuses, `verify` finds, and none makes a tool fall over.

use crate::made::{Folder, Made, Pruned};
use crate::portcullis;
use portcullis_domain::AccountId;
use portcullis_journal::{Chain, Disk, RecoverOptions, SnapshotHeader, recover};

/// Whether a start goes on with the snapshots of a journal.
fn starts(folder: &Folder) -> bool {
    let disk = Disk::existing(&folder.file("journal")).expect("it is there");
    let recovered = recover(&disk, &RecoverOptions::default());
    recovered.is_ok_and(|found| found.is_some_and(|found| found.snapshot.is_some()))
}

/// Whether `verify` finds nothing wrong, which a start must agree with.
#[track_caller]
fn agreed(folder: &Folder) -> bool {
    let fast = portcullis(&["journal", "verify", "--fast", &folder.journal()]);
    assert_eq!(fast.code == 0, starts(folder), "{}", fast.out);
    fast.code == 0
}

fn other_chain(header: &mut SnapshotHeader, _: &mut Vec<u64>) {
    header.chain = Chain::new(header.chain.raw() ^ 1);
}

fn other_journal(header: &mut SnapshotHeader, _: &mut Vec<u64>) {
    header.journal += 1;
}

fn within_a_frame(header: &mut SnapshotHeader, _: &mut Vec<u64>) {
    header.seq -= 1;
}

#[test]
fn a_snapshot_that_a_start_refuses_is_found() {
    for spoil in [other_chain, other_journal, within_a_frame] {
        let mut made = Made::day();
        made.snapshot(spoil);
        assert!(!agreed(&made.finish()));
    }
    let mut made = Made::day();
    made.snapshot(|_, _| {});
    assert!(agreed(&made.finish()));
}

/// A loss of power takes records that a snapshot had; a start goes on without it, whatever else is wrong with it.
#[test]
fn a_snapshot_ahead_of_the_journal_is_set_aside_by_a_start_and_no_fault() {
    for journal in [0, 1] {
        let mut made = Made::day();
        let last = made.core.seq().raw();
        made.snapshot(|header, _| {
            header.seq += 1;
            header.journal += journal;
        });
        let folder = made.finish();
        let disk = Disk::existing(&folder.file("journal")).expect("it is there");
        let recovered = recover(&disk, &RecoverOptions::default()).expect("a start goes on");
        let recovered = recovered.expect("it is there");
        assert_eq!(recovered.snapshot, None);
        assert!(recovered.remarks.concat().contains("it is set aside"));
        let remark = format!(
            "snapshot.0: it is at record {}, ahead of the journal, which ends with {last}: the next start sets it aside",
            last + 1
        );
        for more in [&["--fast"][..], &[]] {
            let verify = ["journal", "verify", &folder.journal()];
            let verified = portcullis(&[&verify[..], more].concat()).ended(0);
            assert!(!verified.out.contains("WRONG"), "{}", verified.out);
            verified.said(&[&remark]);
        }
    }
}

#[test]
fn the_snapshot_before_the_first_record_that_is_left_is_held_against_its_chain() {
    assert!(agreed(&Made::pruned(|_, _| {}).folder));
    for spoil in [other_chain, other_journal] {
        assert!(!agreed(&Made::pruned(spoil).folder));
    }
    let Pruned { folder, .. } = Made::pruned(|_, _| {});
    std::fs::remove_file(folder.file("journal/snapshot.0")).expect("it was made");
    assert!(!agreed(&folder));
}

#[test]
fn a_fault_in_a_frame_is_not_taken_for_one_of_the_snapshots_behind_it() {
    let mut made = Made::day();
    made.snapshot(|_, _| {});
    let folder = made.finish();
    let mut bytes = std::fs::read(folder.segment()).expect("it is there");
    // Within the first frame.
    bytes[128 + 70] ^= 1;
    std::fs::write(folder.segment(), bytes).expect("it takes it");
    let run = portcullis(&["journal", "verify", &folder.journal()]).ended(1);
    let faults = run.out.lines().filter(|line| line.starts_with("WRONG"));
    assert_eq!(faults.count(), 1, "{}", run.out);
}

#[test]
fn a_snapshot_of_the_last_number_that_there_is_makes_no_tool_fall_over() {
    let Pruned { folder, .. } = Made::pruned(|header, _| header.seq = u64::MAX);
    let journal = folder.journal();
    assert!(!agreed(&folder));
    portcullis(&["journal", "verify", &journal]).ended(1);
    let inspected = portcullis(&["journal", "inspect", &journal]).ended(1);
    inspected.said(&["snapshot.0: DOES NOT READ", "end of the numbers"]);
    for cannot in [
        &["replay", &journal][..],
        &["explain", &journal, "TRADE1:1"],
        &[
            "journal", "export", &journal, "--csv", "-", "--what", "fills",
        ],
    ] {
        portcullis(cannot).ended(2);
    }
}

#[test]
fn a_snapshot_that_is_not_what_the_records_come_to_is_found() {
    // Its words load. Cash stands in the hash of the state; what the core counts of itself does not.
    let (cash, accepted) = (cash_at(&Made::day()), accepted_at(&Made::day()));
    for (word, what) in [(cash, "state"), (accepted, "words")] {
        let mut made = Made::day();
        let seq = made.core.seq().raw();
        made.snapshot(|_, words| words[word] ^= 1 << 20);
        let folder = made.finish();
        let verified = portcullis(&["journal", "verify", &folder.journal()]).ended(1);
        verified.said(&[&format!(
            "WRONG: snapshot.0: at record {seq} it has {what} "
        )]);
    }
}

fn saved(made: &Made) -> Vec<u64> {
    let mut words = Vec::new();
    made.core.save(&mut |word| words.push(word));
    words
}

/// Where the account's cash stands among the saved words.
fn cash_at(made: &Made) -> usize {
    let account = made.core.account(AccountId::new(0));
    let cash = account.expect("it is there").cash;
    let found = saved(made)
        .iter()
        .position(|word| i128::from(*word) == cash);
    found.expect("cash is saved as it is")
}

/// Where the count of orders accepted does: behind the digest, that of commands comes first.
fn accepted_at(made: &Made) -> usize {
    let counts = [made.core.counters().commands, made.core.counters().accepted];
    let words = saved(made);
    let found = words.windows(2).position(|pair| pair == counts);
    found.expect("counts are saved as they are") + 1
}

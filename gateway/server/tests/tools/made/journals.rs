//! The journals that several tests look at.

use super::{Folder, Made};
use portcullis_domain::{ReportKind, Side, UserRef};
use portcullis_journal::{SnapshotHeader, list_segments};
use std::fs;

/// A journal whose first segments are gone.
pub(crate) struct Pruned {
    pub(crate) folder: Folder,
    /// Its first record; the snapshot is of the record before it.
    pub(crate) first: u64,
    /// What it comes to.
    pub(crate) digest: u64,
    pub(crate) state: u64,
}

impl Made {
    /// The day that most tests look at.
    pub(crate) fn day() -> Self {
        let mut made = Self::begin(1 << 16, 4);
        made.open();
        made.order(1, Side::Buy, 10, 10_000);
        made.report(1, ReportKind::Accepted);
        made.fill(1, 4, 10_000);
        // Beyond qty_max.
        made.order(2, Side::Buy, 2_000, 10_000);
        made.order(3, Side::Sell, 5, 10_100);
        made.report(3, ReportKind::Accepted);
        made.replace(1, 4, 8, 9_950);
        let new = UserRef { row: 0, number: 4 };
        made.report(1, ReportKind::Replaced { new });
        made.fill(4, 2, 9_950);
        made.report(4, ReportKind::Canceled);
        made.order(5, Side::Buy, 600, 10_000);
        made.report(5, ReportKind::Accepted);
        made.report(3, ReportKind::Canceled);
        made.report(5, ReportKind::Canceled);
        made.order(6, Side::Sell, 3, 10_000);
        made.report(6, ReportKind::Accepted);
        made.close();
        made
    }

    /// A journal whose first segments are gone, up to a snapshot whose header and words `spoil` has changed.
    pub(crate) fn pruned(spoil: impl Fn(&mut SnapshotHeader, &mut Vec<u64>)) -> Pruned {
        let mut made = Self::begin(2_048, 4);
        made.open();
        let snapshot = made.disk.folder().join("snapshot.0");
        let mut number = 0;
        let mut trade = |made: &mut Self| {
            number += 1;
            made.order(number, Side::Buy, 1, 10_000);
            made.report(number, ReportKind::Canceled);
            made.close();
        };
        // The last snapshot before a segment begins.
        let first = loop {
            made.snapshot(&spoil);
            let next = made.core.seq().raw() + 1;
            trade(&mut made);
            let names = list_segments(&made.disk).expect("it lists");
            if names.last().is_some_and(|name| name.seq_first() == next) {
                break next;
            }
            fs::remove_file(&snapshot).expect("it was made");
        };
        (0..20).for_each(|_| trade(&mut made));
        let names = list_segments(&made.disk).expect("it lists");
        for name in names.iter().filter(|name| name.seq_first() < first) {
            fs::remove_file(made.disk.folder().join(name.to_string())).expect("it is there");
        }
        Pruned {
            first,
            digest: made.core.digest(),
            state: made.core.state_hash(),
            folder: made.finish(),
        }
    }
}

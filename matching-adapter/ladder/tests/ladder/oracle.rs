//! A million random commands, each answer compared with the naive book's.
//!
//! Runs on the test's thread. A seed that finds a difference prints itself, the command's place in
//! the stream and the command.

use std::collections::BTreeMap;

use portcullis_domain::{InstrumentId, Side};
use portcullis_ladder::{CancelReason, Disposition, Ladder, RejectReason, Report, ReportKind};

use crate::flow::{Flow, config};
use crate::naive::Naive;

const SEEDS: [u64; 4] = [1, 0xDEAD_BEEF, 20_231_225, u64::MAX / 3];
const COMMANDS_PER_SEED: usize = 250_000;
const COMMANDS_PER_AUDIT: usize = 250;

#[test]
fn a_million_commands_are_answered_as_the_naive_book_answers_them() {
    let mut kinds = BTreeMap::new();
    for seed in SEEDS {
        run(seed, &mut kinds);
    }
    // A stream that never reaches an answer has not tested it.
    for kind in WANTED {
        assert!(
            kinds.get(*kind).is_some_and(|count| *count >= 20),
            "{kind} seen in {kinds:?}"
        );
    }
}

fn run(seed: u64, kinds: &mut BTreeMap<String, u64>) {
    let mut ladder = Ladder::new(config()).expect("in range");
    let mut naive = Naive::new(config());
    let mut flow = Flow::new(seed);
    let mut reports = Vec::new();
    for place in 0..COMMANDS_PER_SEED {
        let command = flow.command();
        ladder.submit(command).expect("the inbox is empty");
        reports.clear();
        ladder.poll(usize::MAX, &mut |report| reports.push(report));
        let expected = naive.apply(&command);
        assert_eq!(
            reports, expected,
            "seed {seed}, command {place}: {command:?}"
        );
        for report in &reports {
            *kinds.entry(name(report)).or_default() += 1;
        }
        if place % COMMANDS_PER_AUDIT == 0 {
            ladder.audit().expect("whole");
            compare_books(&ladder, &naive);
        }
    }
    let counters = *ladder.counters();
    assert!(ladder.is_idle());
    assert_eq!(counters.executed_qty, naive.traded_lots as u128);
    assert_eq!(counters.canceled_qty, naive.canceled_lots as u128);
    let by_instrument = (0..3).filter_map(|i| ladder.instrument_counters(InstrumentId::new(i)));
    let sum: u128 = by_instrument.map(|counters| counters.executed_qty).sum();
    assert_eq!(counters.executed_qty, sum);
}

fn compare_books(ladder: &Ladder, naive: &Naive) {
    assert_eq!(ladder.open_orders() as usize, naive.open_orders());
    for instrument in 0..config().instruments.len() {
        for side in [Side::Buy, Side::Sell] {
            let id = InstrumentId::new(instrument as u32);
            let depth: Vec<_> = ladder
                .depth(id, side)
                .map(|level| (level.price.ticks(), level.qty.lots(), level.orders))
                .collect();
            assert_eq!(depth, naive.depth(instrument, side));
        }
    }
}

const WANTED: &[&str] = &[
    "Accepted Resting",
    "Accepted Taking",
    "Accepted Dead",
    "Replaced Resting",
    "Replaced Taking",
    "Replaced Dead",
    "Executed",
    "BrokenTrade",
    "ReplaceRejected",
    "Canceled User",
    "Canceled ImmediateOrCancel",
    "Canceled MinQty",
    "Canceled MassCancel",
    "Canceled DayEnd",
    "Canceled ReplaceInvalid",
    "Canceled ReplaceNothingLeft",
    "Rejected SessionUnknown",
    "Rejected InstrumentUnknown",
    "Rejected Unsupported",
    "Rejected TimeInForceUnsupported",
    "Rejected QtyInvalid",
    "Rejected MinQtyInvalid",
    "Rejected MinQtyNotImmediate",
    "Rejected PriceInvalid",
    "Rejected OrdersFull",
    "Rejected LevelsFull",
];

fn name(report: &Report) -> String {
    let disposition_name = |disposition: Disposition| format!("{disposition:?}");
    match report.kind {
        ReportKind::Accepted { disposition, .. } => {
            format!("Accepted {}", disposition_name(disposition))
        }
        ReportKind::Replaced { disposition, .. } => {
            format!("Replaced {}", disposition_name(disposition))
        }
        ReportKind::Executed { .. } => "Executed".to_owned(),
        ReportKind::Canceled {
            reason: CancelReason::ReplaceInvalid(_),
            ..
        } => "Canceled ReplaceInvalid".to_owned(),
        ReportKind::Canceled { reason, .. } => format!("Canceled {reason:?}"),
        ReportKind::Rejected {
            reason: RejectReason::Unsupported(_),
        } => "Rejected Unsupported".to_owned(),
        ReportKind::Rejected { reason } => format!("Rejected {reason:?}"),
        ReportKind::ReplaceRejected { .. } => "ReplaceRejected".to_owned(),
        ReportKind::BrokenTrade { .. } => "BrokenTrade".to_owned(),
    }
}

//! However the work is cut into polls, the reports are the same.
//!
//! Runs on the test's thread.

use portcullis_domain::{Price, Qty, Side};
use portcullis_ladder::{Command, InstrumentConfig, Ladder, LadderConfig, MassCancel, Report};

use crate::desk::{self, order};
use crate::flow::{self, Flow};

const MAKERS: u32 = 5_000;

fn deep_config() -> LadderConfig {
    let instrument = InstrumentConfig {
        qty_max: Qty::new(1_000_000),
        price_max: Price::new(1_000_000),
        fees: desk::config().instruments[0].fees,
    };
    LadderConfig {
        instruments: vec![instrument; 2],
        orders_max: 2 * MAKERS,
        levels_max: 1_000,
        inbox_max: 16,
        ..desk::config()
    }
}

/// A ladder where 5,000 sells of one lot rest over 250 prices.
fn deep() -> Ladder {
    let mut ladder = Ladder::new(deep_config()).expect("in range");
    for number in 1..=MAKERS {
        let price = 1_000 + i64::from(number * 7 % 250);
        ladder
            .submit(Command::New(order(Side::Sell, number, 1, price)))
            .expect("room");
        ladder.poll(usize::MAX, &mut |_| ());
    }
    ladder
}

fn drain(ladder: &mut Ladder, budget: usize) -> (Vec<Report>, u32) {
    let mut reports = Vec::new();
    let mut polls = 0;
    while !ladder.is_idle() {
        let before = reports.len();
        let emitted = ladder.poll(budget, &mut |report| reports.push(report));
        assert_eq!(emitted, reports.len() - before);
        assert!(emitted <= budget);
        polls += 1;
    }
    (reports, polls)
}

#[test]
fn a_taker_of_five_thousand_makers_resumes() {
    let sweep_up = Command::New(order(Side::Buy, 1, i64::from(MAKERS) + 3, 2_000));
    let mut at_once = deep();
    at_once.submit(sweep_up).expect("room");
    let (expected, polls) = drain(&mut at_once, usize::MAX);
    assert_eq!((expected.len(), polls), (1 + 2 * MAKERS as usize, 1));
    for budget in [1, 2, 3, 64, 1_000] {
        let mut ladder = deep();
        ladder.submit(sweep_up).expect("room");
        let (reports, polls) = drain(&mut ladder, budget);
        assert!(reports == expected, "budget {budget}");
        assert!(
            polls as usize >= expected.len() / budget,
            "budget {budget}: {polls} polls"
        );
        ladder.audit().expect("whole");
        assert_eq!(
            ladder.best(desk::FIRST, Side::Buy),
            Some((Price::new(2_000), Qty::new(3)))
        );
    }
}

#[test]
fn a_sweep_that_finds_nothing_is_bounded_too() {
    let mut ladder = deep();
    let nobody = MassCancel {
        side: Some(Side::Buy),
        ..MassCancel::ALL
    };
    ladder.submit(Command::MassCancel(nobody)).expect("room");
    let (reports, polls) = drain(&mut ladder, 8);
    assert_eq!(reports, []);
    assert!(polls >= MAKERS / (8 * 16), "{polls} polls");
    assert_eq!(ladder.poll(0, &mut |_| ()), 0);
}

#[test]
fn any_budgets_give_the_same_reports() {
    for seed in 0..12 {
        let mut flow = Flow::new(seed);
        let commands: Vec<Command> = (0..6_000).map(|_| flow.command()).collect();
        let mut at_once = Ladder::new(flow::config()).expect("in range");
        let mut expected = Vec::new();
        for command in &commands {
            at_once.submit(*command).expect("room");
            at_once.poll(usize::MAX, &mut |report| expected.push(report));
        }
        let mut in_pieces = Ladder::new(flow::config()).expect("in range");
        let mut reports = Vec::new();
        for command in &commands {
            while in_pieces.submit(*command).is_err() {
                let budget = flow.below(5) as usize;
                in_pieces.poll(budget, &mut |report| reports.push(report));
                in_pieces.audit().expect("whole between polls");
            }
        }
        while !in_pieces.is_idle() {
            in_pieces.poll(3, &mut |report| reports.push(report));
        }
        assert!(reports == expected, "seed {seed}");
        assert_eq!(in_pieces.counters(), at_once.counters());
    }
}

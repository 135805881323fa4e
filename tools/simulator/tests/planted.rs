//! A defect of each class, planted, is found: what a campaign without a violation is worth.

use portcullis_simulator::{Plan, Plant, Rule, quiet_panics, run};

/// Seeds tried for each, and in how many of them it must show: some take a fill, some a cancel, some a
/// gateway that dies at the right time.
const SEEDS: u64 = 100;
const SHOWN_MIN: u64 = 5;

/// What each may show itself as.
const fn shows_as(plant: Plant) -> &'static [Rule] {
    match plant {
        // A replace of an order that a fill told twice has ended is never answered.
        Plant::HoldReleasedTwice => &[
            Rule::Positions,
            Rule::OpenOrders,
            Rule::Fills,
            Rule::Overfilled,
            Rule::AnswerMissing,
        ],
        Plant::SentEarly => &[Rule::SentEarly],
        Plant::SeqGap => &[Rule::Panic],
        // An answer about an order whose client's words the streams do not have cannot be said.
        Plant::StaleSnapshot => &[
            Rule::LoginRefused,
            Rule::StreamChanged,
            Rule::AnswerTwice,
            Rule::AnswerMissing,
            Rule::Unencodable,
        ],
        Plant::MissedReport => &[Rule::OpenOrders, Rule::AnswerMissing],
    }
}

#[test]
fn each_planted_defect_is_found_and_none_without_it() {
    quiet_panics();
    let wrong: Vec<String> = Plant::ALL.into_iter().flat_map(wrong_with).collect();
    drop(std::panic::take_hook());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is not as it should be with a defect, in words.
fn wrong_with(plant: Plant) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut shown = 0;
    for seed in 0..SEEDS {
        let plan = Plan::planted(seed, plant);
        let Some(violation) = run(&plan).violation else {
            continue;
        };
        shown += 1;
        if !shows_as(plant).contains(&violation.rule) {
            wrong.push(format!("{plant:?}: {plan}: {violation}"));
        }
        let honest = Plan {
            plant: None,
            ..plan
        };
        if let Some(violation) = run(&honest).violation {
            wrong.push(format!("without {plant:?}: {plan}: {violation}"));
        }
    }
    if shown < SHOWN_MIN {
        wrong.push(format!("{plant:?} shows in {shown} of {SEEDS} seeds"));
    }
    wrong
}

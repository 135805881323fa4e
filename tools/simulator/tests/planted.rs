//! A defect of each class, planted, is found: what a campaign without a violation is worth.

use portcullis_simulator::{Plan, Plant, Rule, run};

/// Seeds tried for each, and in how many of them it must show: some take a fill, some a cancel, some a
/// gateway that dies at the right time.
const SEEDS: u64 = 100;
const SHOWN_MIN: usize = 5;

/// What each may show itself as.
const fn shows_as(plant: Plant) -> &'static [Rule] {
    match plant {
        Plant::HoldReleasedTwice => &[
            Rule::Positions,
            Rule::OpenOrders,
            Rule::Fills,
            Rule::Overfilled,
        ],
        Plant::SentEarly => &[Rule::SentEarly],
        Plant::SeqGap => &[Rule::Panic],
        Plant::StaleSnapshot => &[
            Rule::LoginRefused,
            Rule::StreamChanged,
            Rule::AnswerTwice,
            Rule::Unencodable,
        ],
        Plant::MissedReport => &[Rule::OpenOrders],
    }
}

#[test]
fn each_planted_defect_is_found_and_none_without_it() {
    for plant in Plant::ALL {
        let mut found = Vec::new();
        for seed in 0..SEEDS {
            let plan = Plan::planted(seed, plant);
            let honest = Plan {
                plant: None,
                ..plan
            };
            if let Some(violation) = run(&plan).violation {
                assert!(
                    shows_as(plant).contains(&violation.rule),
                    "{plant:?}: {plan}: {violation}"
                );
                assert_eq!(run(&honest).violation, None, "{plant:?}: {plan}");
                found.push(violation);
            }
        }
        assert!(
            found.len() >= SHOWN_MIN,
            "{plant:?} shows in {} of {SEEDS} seeds",
            found.len()
        );
    }
}

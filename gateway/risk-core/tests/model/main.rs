//! The risk core held against a naive model of RULES, over random commands.
//!
//! `PORTCULLIS_MODEL_COMMANDS` sets how many commands are run (100,000 otherwise), and
//! `PORTCULLIS_MODEL_SEED` where the seeds of the episodes begin. Ten million, by hand:
//! `PORTCULLIS_MODEL_COMMANDS=10000000 cargo test --release -p portcullis-risk-core --test model
//! random -- --nocapture`. A divergence prints seed, command, both answers, and the shortest run of
//! commands found that shows it.

mod bounds;
mod brute_force;
mod config;
#[path = "../../../../tools/xtask/src/vectors/driver.rs"]
mod driver;
mod episode;
mod generator;
mod naive;
#[path = "../../../../tools/xtask/src/vectors/op.rs"]
mod op;
mod outages;
mod prng;
mod properties;
mod saved;
mod scattered;
mod scenarios;
#[path = "../../../../tools/xtask/src/vectors/spec.rs"]
mod spec;
mod sweeps;
mod transfer;
mod valuations;
#[path = "../../../../tools/xtask/src/vectors/words.rs"]
mod words;

use episode::Tally;

/// Commands of one episode: each has limits and state of its own.
const EPISODE: usize = 2_000;

/// The checks of RULES, and those of docs/rules.md that the model knows: each must have failed in a run.
const CHECKS: [&str; 25] = [
    "ACCOUNT_UNKNOWN",
    "INSTRUMENT_UNKNOWN",
    "QUANTITY_INVALID",
    "PRICE_INVALID",
    "JOURNAL_DOWN",
    "REPLACE_PENDING",
    "STATE_HALTED",
    "STATE_REDUCE_ONLY",
    "NOT_PERMITTED",
    "RATE",
    "REPEATED",
    "QTY_MAX",
    "NOTIONAL_MAX",
    "OPEN_ORDERS_MAX",
    "REFERENCE_MISSING",
    "REFERENCE_STALE",
    "COLLAR",
    "POSITION_MAX",
    "OPEN_NOTIONAL_MAX",
    "LOSS_MAX",
    "OI_CAP",
    "OI_SHARE",
    "MARGIN",
    "ACCOUNT_VOLUME",
    "VOLUME_SPIKE",
];

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|why| panic!("{name}={text}: {why}")),
        Err(_) => default,
    }
}

#[test]
fn random_commands_come_out_as_in_the_model() {
    let commands = number("PORTCULLIS_MODEL_COMMANDS", 100_000);
    let seed = number("PORTCULLIS_MODEL_SEED", 1);
    let start = std::time::Instant::now();
    let mut tally = Tally::default();
    for episode in 0..commands.div_ceil(EPISODE as u64) {
        if let Err(why) = episode::run(seed + episode, EPISODE, &mut tally) {
            panic!("{why}");
        }
    }
    println!("{commands} commands in {:?}", start.elapsed());
    println!(
        "{} judged, {} accepted: {:?}",
        tally.judged, tally.accepted, tally.failed
    );
    println!("{:?}", tally.words);
    println!(
        "valued {}, proved {}",
        tally.valued_exactly, tally.proved_by_bound
    );
    println!(
        "found below maintenance {} times, not fresh {} times",
        tally.below, tally.not_fresh
    );
    assert!(
        tally.below > 0 && tally.not_fresh > 0,
        "valuations found nothing: the run shows too little"
    );
    for check in CHECKS {
        assert!(
            tally.failed.contains_key(check),
            "{check} never failed: the run shows too little"
        );
    }
    assert!(
        tally.accepted * 10 > tally.judged,
        "hardly an order passes: the run shows too little"
    );
}

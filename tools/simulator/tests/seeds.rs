//! Seeds: the same gives the same, and a handful break nothing.

use portcullis_simulator::{Campaign, Plan, run};

#[test]
fn the_same_seed_gives_the_same_run_to_the_byte() {
    for seed in 0..40 {
        let plan = Plan::of(seed);
        let (first, again) = (run(&plan), run(&plan));
        assert_eq!(first, again, "seed {seed}");
        assert_ne!(
            first.figures.digest,
            run(&Plan::of(seed + 1_000)).figures.digest,
            "another seed is another run"
        );
    }
}

/// Whatever the machine is busy with: threads change neither sums nor findings.
#[test]
fn threads_change_nothing() {
    let of = |threads| {
        let campaign = Campaign {
            first: 500,
            seeds: 60,
            threads,
        };
        let findings = campaign.run(&|_, _| {});
        (findings.figures, findings.violations, findings.seeds)
    };
    assert_eq!(of(1), of(3));
}

#[test]
fn a_few_hundred_seeds_break_nothing_and_show_much() {
    let campaign = Campaign {
        first: 0,
        seeds: 300,
        threads: 2,
    };
    let findings = campaign.run(&|_, _| {});
    assert_eq!(findings.first(), None);
    let figures = findings.figures;
    assert!(
        figures.accepted * 8 > figures.orders,
        "orders pass: {figures:?}"
    );
    assert!(
        figures.accepted * 2 < figures.orders,
        "orders fail: {figures:?}"
    );
    assert!(figures.lines_lost > 1_000, "lines break: {figures:?}");
    assert!(figures.misdeeds > 500, "the engine misbehaves: {figures:?}");
    assert!(figures.crashes > 200, "gateways die: {figures:?}");
    assert!(figures.cuts > 3, "in the middle of a write: {figures:?}");
    assert!(
        figures.from_snapshot > 50,
        "they go on from snapshots: {figures:?}"
    );
    assert!(
        figures.resent > 1_000,
        "clients come back for what the journal alone has: {figures:?}"
    );
}

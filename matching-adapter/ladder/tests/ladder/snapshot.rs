//! A restored ladder goes on as the saved one would; damaged bytes are refused.
//!
//! Runs on the test's thread.

use portcullis_domain::{HashSeed, Qty};
use portcullis_ladder::{Ladder, LadderConfig, Report, RestoreError};

use crate::flow::{Flow, config};

/// A ladder with work in hand: some commands into a stream, stopped between two polls.
fn stopped(flow: &mut Flow, commands: usize) -> Ladder {
    let mut ladder = Ladder::new(config()).expect("in range");
    for _ in 0..commands {
        let command = flow.command();
        while ladder.submit(command).is_err() {
            ladder.poll(7, &mut |_| ());
        }
    }
    ladder
}

fn save(ladder: &Ladder) -> Vec<u8> {
    let mut bytes = Vec::new();
    ladder.save(&mut bytes);
    bytes
}

#[test]
fn a_restored_ladder_gives_the_reports_the_saved_one_would() {
    for seed in 0..20 {
        let mut flow = Flow::new(seed);
        let mut saved = stopped(&mut flow, 500 + seed as usize * 97);
        // Stops inside takers, sweeps and half-emitted trades among the seeds.
        saved.poll(1 + seed as usize % 3, &mut |_| ());
        let bytes = save(&saved);
        // In another process keys lie elsewhere.
        let elsewhere = LadderConfig {
            hash_seed: HashSeed::from_words([bytes.len() as u64, 1 << 40]),
            ..config()
        };
        let mut restored = Ladder::restore(elsewhere, &bytes).expect("sound");
        assert_eq!(
            save(&restored),
            bytes,
            "seed {seed}: equal states, equal bytes"
        );
        for _ in 0..2_000 {
            let command = flow.command();
            let mut answers: [Vec<Report>; 2] = [Vec::new(), Vec::new()];
            for (ladder, reports) in [&mut saved, &mut restored].into_iter().zip(&mut answers) {
                ladder.poll(usize::MAX, &mut |report| reports.push(report));
                ladder.submit(command).expect("room");
            }
            assert_eq!(answers[0], answers[1], "seed {seed}");
        }
        assert_eq!(saved.counters(), restored.counters());
        assert_eq!(save(&saved), save(&restored));
        restored.audit().expect("whole");
    }
}

#[test]
fn each_damaged_byte_and_each_cut_is_refused() {
    let bytes = save(&stopped(&mut Flow::new(5), 60));
    for at in 0..bytes.len() {
        for flip in [1, 0x10, 0xFF] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let error = Ladder::restore(config(), &damaged).err();
            let error = error.unwrap_or_else(|| panic!("byte {at} ^ {flip} went unseen"));
            assert!(error.to_string().starts_with("ladder snapshot: "));
        }
        assert!(
            Ladder::restore(config(), &bytes[..at]).is_err(),
            "cut at {at}"
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    let offset = bytes.len();
    assert_eq!(
        Ladder::restore(config(), &longer).err(),
        Some(RestoreError::Trailing { offset })
    );
}

#[test]
fn another_version_and_another_configuration_are_named() {
    let bytes = save(&stopped(&mut Flow::new(6), 60));
    let mut newer = bytes.clone();
    newer[8] = 2;
    assert_eq!(
        Ladder::restore(config(), &newer).err(),
        Some(RestoreError::Version { found: 2 })
    );
    let mut foreign = bytes.clone();
    foreign[0] = b'X';
    assert_eq!(
        Ladder::restore(config(), &foreign).err(),
        Some(RestoreError::NotASnapshot)
    );
    let mut other = config();
    other.instruments[1].qty_max = Qty::new(77);
    let differs = RestoreError::ConfigDiffers {
        field: "qty_max",
        saved: config().instruments[1].qty_max.lots(),
        configured: 77,
    };
    assert_eq!(Ladder::restore(other.clone(), &bytes).err(), Some(differs));
    other.orders_max = 0;
    assert!(matches!(
        Ladder::restore(other, &bytes),
        Err(RestoreError::Config(_))
    ));
}

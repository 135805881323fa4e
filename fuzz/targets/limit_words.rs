//! Limit tables as words, out of a log's prelude or a limit file: what reads is written as the same
//! words, and builds a table or says why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_control::config::parse_str;
use portcullis_risk_core::limits::{LimitSpec, LimitTable, ROWS_SPARE_MAX};
use std::sync::OnceLock;

/// A table with more is read and written, but not built: it takes milliseconds.
const ROWS_SPARE_BUILT: u32 = 1 << 10;

/// Words of a whole table, from which the input changes some.
fn base() -> &'static [u64] {
    static BASE: OnceLock<Vec<u64>> = OnceLock::new();
    let text = include_str!("../seeds/config/small.toml");
    BASE.get_or_init(|| {
        let config = parse_str("small.toml", text).expect("the seed is whole");
        config.limits.to_words()
    })
}

fuzz_target!(|bytes: &[u8]| {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let plain: Vec<u64> = chunks.iter().copied().map(u64::from_le_bytes).collect();
    check(&plain);
    check(&changed(bytes));
    check(&base()[..usize::from(rest.first().copied().unwrap_or(0)).min(base().len())]);
});

/// The whole table with some of its words replaced: two bytes of place, one of width, the value.
fn changed(bytes: &[u8]) -> Vec<u64> {
    let mut words = base().to_vec();
    let mut rest = bytes;
    while let [low, high, width, after @ ..] = rest {
        let at = usize::from(u16::from_le_bytes([*low, *high])) % (words.len() + 1);
        let (value, after) = after.split_at(usize::from(width % 9).min(after.len()));
        let mut word = [0; 8];
        word[..value.len()].copy_from_slice(value);
        match words.get_mut(at) {
            Some(slot) => *slot = u64::from_le_bytes(word),
            None => words.push(u64::from_le_bytes(word)),
        }
        rest = after;
    }
    words
}

fn check(words: &[u64]) {
    let Some(spec) = LimitSpec::from_words(words) else {
        return;
    };
    assert_eq!(spec.to_words(), words);
    assert_eq!(LimitSpec::from_words(&spec.to_words()), Some(spec.clone()));
    assert!(spec.rows_spare <= ROWS_SPARE_MAX);
    if spec.rows_spare > ROWS_SPARE_BUILT {
        return;
    }
    match LimitTable::build(&spec) {
        Ok(table) => {
            assert_eq!(table.digest(), spec.digest());
            assert_eq!(table.accounts_len(), spec.accounts.len());
            assert_eq!(table.instruments_len(), spec.instruments.len());
            assert_eq!(table.firms_len(), spec.firms.len());
            assert_eq!(table.sessions_len(), spec.sessions.len());
        }
        Err(error) => assert!(!error.faults.is_empty()),
    }
}

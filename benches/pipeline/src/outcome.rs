//! What a bench of pairs makes of them: rows of the turn in the middle, figures of two of the same round, files.
//!
//! On the main thread. Invariant: a row of pairs is a turn that was measured.

use portcullis_bench_harness::{Bar, Pairs, Rounds, Row, Unit, folder};
use std::io;
use std::path::Path;

/// Histograms are written by `write` to the folder beside this program; what that says.
///
/// # Errors
/// There is no such folder, or they cannot be written.
pub fn keep_histograms<T>(write: impl FnOnce(&Path) -> io::Result<T>) -> Result<T, String> {
    let folder = folder()?;
    write(&folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// A row of a figure and its floor by turns: those of the turn in the middle of all, by what its bar looks at. What was
/// added in each turn, of the least, the middle and the most, stands beside it.
#[must_use]
pub fn row_of_pairs(
    bench: &'static str,
    figure: String,
    values: &Rounds,
    floors: &Rounds,
    bar: Bar,
) -> Row {
    let pairs = Pairs::new(values.values(), floors.values());
    let added = Added::of(values, floors);
    Row {
        bench,
        figure,
        unit: Unit::Ns,
        value: pairs.median(bar).map(|pair| pair.value),
        spread: pairs.spread(bar).map(|spread| (spread.low, spread.high)),
        floor: pairs.median(bar).map(|pair| pair.floor),
        bar,
        note: added.map(|added| added.words(values.values().len())),
    }
}

/// What turns added to their floors.
struct Added {
    low: i128,
    median: i128,
    high: i128,
}

impl Added {
    fn of(values: &Rounds, floors: &Rounds) -> Option<Self> {
        let turns = values.values().iter().zip(floors.values());
        let mut added: Vec<i128> = turns
            .map(|(&value, &floor)| i128::from(value) - i128::from(floor))
            .collect();
        added.sort_unstable();
        Some(Self {
            low: *added.first()?,
            median: added[(added.len() - 1) / 2],
            high: *added.last()?,
        })
    }

    fn words(&self, pairs: usize) -> String {
        let Self { low, median, high } = self;
        format!("added {median:+} ({low:+} to {high:+}) in {pairs} pairs")
    }
}

/// The median, where there is one.
#[must_use]
pub fn median(rounds: &Rounds) -> Option<u64> {
    rounds.spread().map(|spread| spread.median)
}

/// A figure of each round made of two of the same round: what the machine was like then cancels out.
#[must_use]
pub fn paired(one: &Rounds, other: &Rounds, of: impl Fn(u64, u64) -> u64) -> Rounds {
    let pairs = one.values().iter().zip(other.values());
    pairs.map(|(one, other)| of(*one, *other)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_pairs_is_a_turn_that_was_measured() {
        let rounds = |values: &[u64]| values.iter().copied().collect::<Rounds>();
        let (values, floors) = (rounds(&[110, 1_020, 90]), rounds(&[100, 1_000, 100]));
        let row = row_of_pairs("b", "f".to_owned(), &values, &floors, Bar::AtMostAbove(9));
        assert_eq!((row.value, row.floor), (Some(110), Some(100)));
        assert_eq!((row.spread, row.holds()), (Some((90, 1_020)), Some(false)));
        let words = row.note.expect("there are turns");
        assert_eq!(words, "added +10 (-10 to +20) in 3 pairs");
        let none = rounds(&[]);
        let row = row_of_pairs("b", "f".to_owned(), &none, &none, Bar::AtMostAbove(9));
        assert_eq!(
            (row.value, row.note, row.bar),
            (None, None, Bar::AtMostAbove(9))
        );
    }

    #[test]
    fn what_is_paired_is_of_the_same_round() {
        let rounds = |values: [u64; 3]| values.into_iter().collect::<Rounds>();
        let added = paired(
            &rounds([110, 1_020, 90]),
            &rounds([100, 1_000, 100]),
            u64::saturating_sub,
        );
        assert_eq!(added.values(), [10, 20, 0]);
    }
}

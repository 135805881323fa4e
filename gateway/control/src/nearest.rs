//! The known word that a mistyped one was meant to be.
//!
//! Owned by no thread. Invariant: work is bounded by the length of the words, which is cut.

/// Longest words that are compared.
const LETTERS_MAX: usize = 48;

/// The known word nearest to `word`, if it is near enough to be meant.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.chars().count() > LETTERS_MAX {
        return None;
    }
    let near_enough = word.chars().count().div_ceil(3).max(1);
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= LETTERS_MAX)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= near_enough)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits that turn one word into the other: a letter more, less, other, or two swapped.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut before_last = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut current = vec![row; right.len() + 1];
        for column in 1..=right.len() {
            let differs = usize::from(left[row - 1] != right[column - 1]);
            let mut best = (last[column - 1] + differs)
                .min(last[column] + 1)
                .min(current[column - 1] + 1);
            let swapped = row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1];
            if swapped {
                best = best.min(before_last[column - 2] + 1);
            }
            current[column] = best;
        }
        before_last = last;
        last = current;
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_a_guess_is_not_made() {
        let known = ["qty_max", "position_max", "loss_max", "notional_max"];
        let cases = [
            ("qty_mx", Some("qty_max")),
            ("qyt_max", Some("qty_max")),
            ("Position_Max", Some("position_max")),
            ("open_notional", None),
            ("x", None),
        ];
        for (word, meant) in cases {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }
}

//! A figure and its floor, measured one right after the other, time and again.
//!
//! Owned by nobody. Invariant: the median pair is a pair that was measured, so that value and floor
//! of a row saw the same machine. Medians of each by itself do not: where cores are near each other
//! in four rounds of ten and far in six, one more of either decides which of the two a median is.

use crate::rounds::Spread;
use crate::row::Bar;
use core::cmp::Ordering;

/// Values with their floors, a pair a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(Vec<Pair>);

/// One turn's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The figure.
    pub value: u64,
    /// Its floor.
    pub floor: u64,
}

impl Pairs {
    /// Values and floors in the order of their turns.
    ///
    /// # Panics
    /// If there are not as many of one as of the other.
    #[must_use]
    pub fn new(values: &[u64], floors: &[u64]) -> Self {
        assert_eq!(values.len(), floors.len(), "a turn measures both");
        let pairs = values.iter().zip(floors);
        Self(
            pairs
                .map(|(&value, &floor)| Pair { value, floor })
                .collect(),
        )
    }

    /// The pair (of two in the middle the first) that half of the pairs stand no better than against such a
    /// bar: by their ratio where the bar is one, else by their difference. `None` of no pair.
    #[must_use]
    pub fn median(&self, bar: Bar) -> Option<Pair> {
        let mut sorted = self.0.clone();
        match bar {
            Bar::AtMostPermille(_) | Bar::AtLeastPermille(_) => sorted.sort_by(by_ratio),
            Bar::None | Bar::AtMostAbove(_) | Bar::AtMost(_) | Bar::AtLeast(_) => {
                sorted.sort_by_key(|pair| i128::from(pair.value) - i128::from(pair.floor));
            }
        }
        sorted.get(sorted.len().saturating_sub(1) / 2).copied()
    }

    /// Least and most of the values, and the median pair's.
    #[must_use]
    pub fn spread(&self, bar: Bar) -> Option<Spread> {
        let median = self.median(bar)?.value;
        let values = self.0.iter().map(|pair| pair.value);
        Some(Spread {
            median,
            low: values.clone().min()?,
            high: values.max()?,
        })
    }
}

fn by_ratio(one: &Pair, other: &Pair) -> Ordering {
    let crossed = |of: &Pair, by: &Pair| u128::from(of.value) * u128::from(by.floor);
    crossed(one, other).cmp(&crossed(other, one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median(values: &[u64], floors: &[u64], bar: Bar) -> Option<(u64, u64)> {
        let pair = Pairs::new(values, floors).median(bar)?;
        Some((pair.value, pair.floor))
    }

    #[test]
    fn a_floor_that_wanders_with_its_value_moves_no_difference() {
        // Near twice, far three times; each time 15 above the floor, give or take one.
        let (values, floors) = ([114, 116, 215, 216, 215], [100, 100, 200, 200, 200]);
        let above = median(&values, &floors, Bar::AtMostAbove(1)).map(|(v, f)| v - f);
        assert_eq!(above, Some(15));
        // One more far turn of the value than of the floor is what medians by themselves see.
        let (values, floors) = ([115, 116, 215, 215], [100, 200, 200, 100]);
        let pair = median(&values, &floors, Bar::AtMostAbove(1));
        assert_eq!(pair, Some((115, 100)), "differences are -84, 15, 15, 115");
    }

    #[test]
    fn a_ratio_is_the_median_of_ratios() {
        let (values, floors) = ([50, 10, 90], [100, 100, 100]);
        let at_least = Bar::AtLeastPermille(600);
        assert_eq!(median(&values, &floors, at_least), Some((50, 100)));
        // By difference 300 above 1,000 is most, by ratio 3 above 2 is.
        let (values, floors) = ([1_300, 5, 11], [1_000, 2, 10]);
        let at_most = Bar::AtMostPermille(1_300);
        assert_eq!(median(&values, &floors, at_most), Some((1_300, 1_000)));
        assert_eq!(median(&values, &floors, Bar::None), Some((5, 2)));
    }

    #[test]
    fn of_no_turn_there_is_no_pair() {
        assert_eq!(median(&[], &[], Bar::None), None);
        assert_eq!(Pairs::default().spread(Bar::None), None);
    }

    #[test]
    fn a_value_beside_a_floor_of_nothing_is_the_largest_ratio() {
        let bar = Bar::AtMostPermille(1);
        assert_eq!(median(&[1, 9, 2], &[1, 0, 1], bar), Some((2, 1)));
    }
}

//! One figure over several rounds: its median, and how far rounds were apart.
//!
//! Owned by nobody. Invariant: a median is a value that was measured.

/// Values of one figure, one a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rounds(Vec<u64>);

/// Median and extremes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The lower median.
    pub median: u64,
    /// The least.
    pub low: u64,
    /// The most.
    pub high: u64,
}

impl Rounds {
    /// Adds a round's value.
    pub fn push(&mut self, value: u64) {
        self.0.push(value);
    }

    /// The values, in the order of the rounds.
    #[must_use]
    pub fn values(&self) -> &[u64] {
        &self.0
    }

    /// Median and extremes; `None` of no round.
    #[must_use]
    pub fn spread(&self) -> Option<Spread> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let median = sorted[(sorted.len() - 1) / 2];
        Some(Spread { median, low, high })
    }
}

impl FromIterator<u64> for Rounds {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_one_of_the_values() {
        let spread = |values: &[u64]| values.iter().copied().collect::<Rounds>().spread();
        let of = |median, low, high| Some(Spread { median, low, high });
        assert_eq!(spread(&[5, 1, 9]), of(5, 1, 9));
        assert_eq!(spread(&[4, 1, 9, 5]), of(4, 1, 9));
        assert_eq!(spread(&[7]), of(7, 7, 7));
        assert_eq!(spread(&[]), None);
    }
}

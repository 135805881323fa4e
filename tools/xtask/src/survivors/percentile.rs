//! A percentile of what was measured a few times.

/// What so many in a hundred are at most; 0 of nothing.
pub(crate) fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let place = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(place).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_of_the_values_and_of_nothing_none() {
        let values = [30, 10, 20];
        assert_eq!(
            [0, 50, 99, 100].map(|at| percentile(&values, at)),
            [10, 20, 20, 30]
        );
        assert_eq!(percentile(&[], 50), 0);
    }
}

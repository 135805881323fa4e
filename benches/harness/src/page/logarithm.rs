//! Logarithms in whole thousandths, which is finer than a picture's dots.
//!
//! Owned by nobody.

/// The logarithm to base two of `value`, in thousandths, rounded down; 0 of 0.
pub(super) const fn log2_milli(value: u64) -> u64 {
    if value == 0 {
        return 0;
    }
    let whole = value.ilog2();
    // What is left is from 1 to 2, held with 31 bits behind the point; squaring it doubles its
    // logarithm, whose next binary digit is whether it passes 2.
    let mut left = if whole >= 31 {
        value >> (whole - 31)
    } else {
        value << (31 - whole)
    };
    let (mut digits, mut at) = (0, 0);
    while at < 20 {
        left = (left * left) >> 31;
        digits <<= 1;
        if left >= 1 << 32 {
            left >>= 1;
            digits += 1;
        }
        at += 1;
    }
    whole as u64 * 1_000 + ((digits * 1_000) >> 20)
}

#[cfg(test)]
mod tests {
    use super::log2_milli;

    #[test]
    fn powers_are_exact_and_what_lies_between_is_known() {
        for power in 0..64 {
            assert_eq!(log2_milli(1 << power), power * 1_000);
        }
        let known = [(3, 1_584), (10, 3_321), (1_000, 9_965), (1_000_000, 19_931)];
        for (value, milli) in known {
            assert_eq!(log2_milli(value), milli, "{value}");
        }
        assert_eq!(log2_milli(u64::MAX), 63_999);
        assert_eq!(log2_milli(0), 0);
    }
}

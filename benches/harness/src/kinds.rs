//! Things counted by kind, and the share of the rarest.
//!
//! On the measuring thread, at the end. Invariant: shares are of the whole that was counted.

/// Of a thousand refusals, those of which a check is the primary reason at the least.
pub const REASON_PERMILLE: u64 = 10;

/// The rarest kind, and how many of a thousand things are of it: of nothing at all no name and 0.
#[must_use]
pub fn rarest_permille<'a>(kinds: &[(&'a str, u64)]) -> (&'a str, u64) {
    let all: u64 = kinds.iter().map(|(_, count)| count).sum();
    let rarest = kinds.iter().min_by_key(|(_, count)| *count);
    let (name, least) = rarest.copied().unwrap_or_default();
    (name, least * 1_000 / all.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_is_named_with_its_share() {
        let kinds = [("RATE", 60), ("MARGIN", 1), ("COLLAR", 39)];
        assert_eq!(rarest_permille(&kinds), ("MARGIN", 10));
        assert_eq!(rarest_permille(&[("RATE", 0)]), ("RATE", 0));
        assert_eq!(rarest_permille(&[]), ("", 0));
    }
}

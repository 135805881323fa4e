//! Where keys lie in the tables that this process makes.
//!
//! Any thread that makes a core or a venue. Invariant: a seed goes into tables and nowhere else.

use portcullis_domain::HashSeed;
use std::hash::{BuildHasher, RandomState};

/// A seed that no client knows. The standard library's own tables are keyed alike: by numbers that it has
/// from the system, once a thread, through a hash that does not give them away.
pub(crate) fn draw() -> HashSeed {
    let keyed = RandomState::new();
    HashSeed::from_words([1_u64, 2].map(|word| keyed.hash_one(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_another() {
        let drawn: Vec<HashSeed> = (0..100).map(|_| draw()).collect();
        for (at, seed) in drawn.iter().enumerate() {
            assert!(!drawn[..at].contains(seed) && *seed != HashSeed::FIXED);
        }
    }
}

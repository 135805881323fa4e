//! From a client's number to the order it names.
//!
//! Risk thread. Numbers of a session come in a row, and an index puts a row of keys at even distances. Two
//! sessions' rows then lie beside each other nearly everywhere or on top of each other nearly everywhere:
//! with a million orders resting, every second new number found its place taken, though an eighth of
//! the places were. So a number goes into the session's part of its key as well, and each pair of numbers
//! meets those of another session anew. Invariants: two keys that differ are put in as two that differ; two
//! numbers that differ in their last bit alone still are neighbours.

use crate::key_index::{Home, KeyIndex};

/// Order keys, as words, and what stands beside each.
#[derive(Debug)]
pub(super) struct Numbers(KeyIndex);

impl Numbers {
    /// With room for so many.
    pub(super) fn new(len_max: usize) -> Self {
        Self(KeyIndex::new(len_max))
    }

    /// Where the search for a number begins, and nearly always ends.
    #[inline(always)]
    pub(super) fn home_of(&self, key: u64) -> &u64 {
        self.0.home_of(spread(key))
    }

    /// The same as what may be kept of it.
    #[inline(always)]
    pub(super) fn home(&self, key: u64) -> Home {
        self.0.home(spread(key))
    }

    /// A word of the line of a home.
    #[inline(always)]
    pub(super) fn at(&self, home: Home) -> &u64 {
        self.0.at(home)
    }

    /// What stands beside a number.
    #[inline(always)]
    pub(super) fn find(&self, key: u64) -> Option<u64> {
        self.0.find(spread(key))
    }

    /// Puts in a number that is not there.
    ///
    /// # Panics
    /// If there is no room.
    #[inline(always)]
    pub(super) fn insert(&mut self, key: u64, value: u64) {
        self.0.insert(spread(key), value);
    }

    /// Takes a number out; nothing happens if it is not there.
    #[inline(always)]
    pub(super) fn remove(&mut self, key: u64) {
        self.0.remove(spread(key));
    }

    /// The same of a number whose home is known.
    #[inline(always)]
    pub(super) fn remove_from(&mut self, home: Home, key: u64) {
        self.0.remove_from(home, spread(key));
    }
}

/// The key that an order key is put in as. The number is taken as it lies below its end, so that no order
/// key comes out as the index's mark of a free place: that would be one of the session that there is not.
#[inline(always)]
const fn spread(key: u64) -> u64 {
    let below_end = !(key as u32) >> 1;
    key ^ (below_end as u64) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{OrderKey, SessionId, UserRef};

    #[test]
    fn no_order_key_is_the_mark_of_a_free_place_and_neighbours_stay() {
        let last = SessionId::new(OrderKey::SESSIONS_MAX - 1);
        for number in [0, 1, 1 << 31, u32::MAX - 1, u32::MAX] {
            for row in [0, u8::MAX] {
                let key = OrderKey::new(last, UserRef { row, number }).raw();
                assert_ne!(spread(key), u64::MAX);
                assert_eq!(spread(key) ^ spread(key ^ 1), 1);
                // The number stands as it was, so the rest can be told from it again.
                assert_eq!(spread(spread(key)), key);
            }
        }
        let taken = u64::from(u32::MAX) << 32 | u64::from(u32::MAX);
        assert_eq!(
            spread(taken),
            taken,
            "a key of no session alone is the mark"
        );
    }

    /// Sixty-four sessions have a run of numbers each, an eighth of what there is room for; then they go on.
    /// As many new numbers as places are taken, about, find theirs taken, and not many times as many.
    #[test]
    fn runs_of_numbers_of_many_sessions_do_not_lie_on_each_other() {
        const SESSIONS: u32 = 64;
        const RUN: u32 = 4_096;
        let key = |session, number| {
            let row = 0;
            OrderKey::new(SessionId::new(session), UserRef { row, number }).raw()
        };
        let mut numbers = Numbers::new((2 * SESSIONS * RUN) as usize);
        for session in 0..SESSIONS {
            (1..=RUN).for_each(|number| numbers.insert(key(session, number), 0));
        }
        let (mut taken, mut new) = (0, 0);
        for number in RUN + 1..8 * RUN {
            for session in 0..SESSIONS {
                taken += u32::from(*numbers.home_of(key(session, number)) != u64::MAX);
                new += 1;
            }
        }
        assert!(taken < new / 3, "{taken} of {new}");
        assert!(taken > new / 5, "{taken} of {new}");
    }
}

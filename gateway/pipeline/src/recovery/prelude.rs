//! What a journal's core was made from, and what a restart must agree on.
//!
//! Kept in the journal's folder under its digest, which stands in each segment. Invariant: a core made from a
//! prelude is the one that wrote record 1.

use portcullis_risk_core::Capacities;
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::SessionName;

const VERSION: u64 = 1;

/// The prelude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prelude {
    /// The core's tables.
    pub capacities: Capacities,
    /// Digest of the limits that record 1 found in force.
    pub limits: u64,
    /// The name of every client session's stream.
    pub session_name: SessionName,
}

impl Prelude {
    /// As it is kept.
    #[must_use]
    pub fn to_words(&self) -> Vec<u64> {
        let mut words = vec![VERSION, self.limits];
        words.extend(self.capacities.fields().map(|(_, value)| u64::from(value)));
        let mut name = [0; 16];
        name[..10].copy_from_slice(self.session_name.bytes());
        let (halves, _) = name.as_chunks();
        words.extend(halves.iter().map(|half| u64::from_le_bytes(*half)));
        words
    }

    /// The prelude that words say; `None` where they are none of this version.
    #[must_use]
    pub fn from_words(words: &[u64]) -> Option<Self> {
        let (&[version, limits], rest) = words.split_first_chunk()?;
        let (fields, name) = rest.split_first_chunk()?;
        let [first, second] = name else { return None };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&first.to_le_bytes());
        bytes[8..].copy_from_slice(&second.to_le_bytes());
        let (name, rest) = bytes.split_first_chunk::<10>()?;
        if version != VERSION || rest != [0; 6] {
            return None;
        }
        Some(Self {
            capacities: Capacities::from_words(fields)?,
            limits,
            session_name: Alpha::from_wire(*name).ok()?,
        })
    }

    /// Which capacity is another than in `given`, and both values.
    #[must_use]
    pub fn differing_capacity(&self, given: &Capacities) -> Option<(&'static str, u32, u32)> {
        let own = self.capacities.fields();
        let given = given.fields();
        let differing = own.into_iter().zip(given).find(|(own, given)| own != given);
        differing.map(|((name, own), (_, given))| (name, own, given))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prelude() -> Prelude {
        Prelude {
            capacities: Capacities::from_words(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
                .expect("small"),
            limits: u64::MAX,
            session_name: Alpha::new(b"20261126").expect("fits"),
        }
    }

    #[test]
    fn it_reads_back_and_nothing_else_does() {
        let words = prelude().to_words();
        assert_eq!(Prelude::from_words(&words), Some(prelude()));
        assert_eq!(Prelude::from_words(&words[..words.len() - 1]), None);
        let mut longer = words.clone();
        longer.push(0);
        assert_eq!(Prelude::from_words(&longer), None);
        for (at, wrong) in [(0, 2), (2, 1 << 32), (words.len() - 1, 1 << 63)] {
            let mut words = words.clone();
            words[at] = wrong;
            assert_eq!(Prelude::from_words(&words), None, "word {at}");
        }
    }

    #[test]
    fn a_capacity_that_differs_is_named() {
        let mut other = prelude().capacities;
        assert_eq!(prelude().differing_capacity(&other), None);
        other.orders_max = 50;
        assert_eq!(
            prelude().differing_capacity(&other),
            Some(("orders_max", 5, 50))
        );
    }
}

//! The prelude: what the core was made from, and what else a restart must agree on, by name.
//!
//! Plain values. Kept in the folder as words under their digest ([`crate::WordFile::Prelude`]). Invariant: what reads
//! from words is written as the same words.
//!
//! ```text
//! words: magic "PCULPRE1" | core words u64 | agreed u64 | the core's words
//! then each agreed pair: name bytes u32, value bytes u32 | name and value, padded together to a word
//! ```

const MAGIC: u64 = u64::from_le_bytes(*b"PCULPRE1");
const WORD_BYTES: usize = size_of::<u64>();
/// Words before those of the core.
const HEAD_WORDS: usize = 3;

/// What a restart must agree on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prelude {
    /// What the core was made from: capacities, and whatever else its constructor takes.
    pub core: Vec<u64>,
    /// Names and values of the rest: the session's name, the venue, the dialect.
    pub agreed: Vec<(String, String)>,
}

impl Prelude {
    /// The words that are kept.
    #[must_use]
    pub fn to_words(&self) -> Vec<u64> {
        let mut words = vec![MAGIC, self.core.len() as u64, self.agreed.len() as u64];
        words.extend_from_slice(&self.core);
        for (name, value) in &self.agreed {
            words.push(name.len() as u64 | (value.len() as u64) << 32);
            let bytes = [name.as_bytes(), value.as_bytes()].concat();
            words.extend(bytes.chunks(WORD_BYTES).map(|chunk| {
                let mut word = [0; WORD_BYTES];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(word)
            }));
        }
        words
    }

    /// What these words say; `None` if they are no prelude.
    #[must_use]
    pub fn from_words(words: &[u64]) -> Option<Self> {
        let ([MAGIC, core, agreed], rest) = words.split_first_chunk::<HEAD_WORDS>()? else {
            return None;
        };
        let (core, mut rest) = rest.split_at_checked(usize::try_from(*core).ok()?)?;
        let mut pairs = Vec::new();
        for _ in 0..*agreed {
            let (lengths, after) = rest.split_first()?;
            let (name, value) = ((*lengths as u32) as usize, (*lengths >> 32) as usize);
            let (text, after) = after.split_at_checked((name + value).div_ceil(WORD_BYTES))?;
            let bytes: Vec<u8> = text.iter().flat_map(|word| word.to_le_bytes()).collect();
            let (text, padding) = bytes.split_at_checked(name + value)?;
            let (name, value) = text.split_at_checked(name)?;
            if padding.iter().any(|byte| *byte != 0) {
                return None;
            }
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
            pairs.push((text(name)?, text(value)?));
            rest = after;
        }
        let core = core.to_vec();
        rest.is_empty().then_some(Self {
            core,
            agreed: pairs,
        })
    }

    /// In words, each thing in which another one differs from this: what a person has to change.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.core != now.core {
            let place = self
                .core
                .iter()
                .zip(&now.core)
                .position(|(then, now)| then != now);
            let place = place.unwrap_or_else(|| self.core.len().min(now.core.len()));
            found.push(format!(
                "the core's capacities or tables differ, from word {place} on"
            ));
        }
        let value = |of: &Self, name: &str| {
            let pair = of.agreed.iter().find(|(other, _)| other == name);
            pair.map(|(_, value)| value.clone())
        };
        for (name, then) in &self.agreed {
            match value(now, name) {
                Some(value) if value == *then => {}
                Some(value) => found.push(format!(
                    "{name}: the journal has `{then}`, now it is `{value}`"
                )),
                None => found.push(format!(
                    "{name}: the journal has `{then}`, now there is none"
                )),
            }
        }
        for (name, value) in &now.agreed {
            if self.agreed.iter().all(|(other, _)| other != name) {
                found.push(format!("{name}: the journal has none, now it is `{value}`"));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prelude() -> Prelude {
        let agreed = [
            ("session", "PCUL000001"),
            ("venue", "ladder"),
            ("dialect", ""),
        ];
        Prelude {
            core: vec![1, u64::MAX, 3],
            agreed: agreed
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
        }
    }

    #[test]
    fn a_prelude_reads_back_and_no_cut_of_it_does() {
        for prelude in [prelude(), Prelude::default()] {
            let words = prelude.to_words();
            assert_eq!(Prelude::from_words(&words), Some(prelude));
            for length in 0..words.len() {
                assert_eq!(Prelude::from_words(&words[..length]), None);
            }
            // A word changed reads as something else, which is written as those words, or not at all.
            for at in 0..words.len() * 64 {
                let mut words = words.clone();
                words[at / 64] ^= 1 << (at % 64);
                if let Some(other) = Prelude::from_words(&words) {
                    assert_eq!(other.to_words(), words);
                }
            }
        }
    }

    #[test]
    fn what_differs_is_named() {
        let then = prelude();
        assert!(then.differences(&then).is_empty());
        let mut now = prelude();
        now.core.push(4);
        now.agreed[0].1 = "PCUL000002".to_owned();
        now.agreed[1].0 = "engine".to_owned();
        let found = then.differences(&now);
        assert_eq!(
            found,
            [
                "the core's capacities or tables differ, from word 3 on",
                "session: the journal has `PCUL000001`, now it is `PCUL000002`",
                "venue: the journal has `ladder`, now there is none",
                "engine: the journal has none, now it is `ladder`",
            ]
        );
    }
}

//! A core as words, and a core from them that goes on exactly as the one that was saved.
//!
//! Saved on the thread that owns the core; loaded where it is made. What is saved: all that effects, the
//! digest, the hash of the state and the counters depend on. What is a sum or was prepared from limits is
//! worked out anew. Not in it: the table of limits itself, but which one it was built as and the cells
//! changed since; a staged and a retired table, which no command brought. Invariants: whatever the words,
//! loading neither panics nor allocates more than the capacities ask for; [`RiskCore::save`] of a core that
//! was loaded gives the same words.

use super::RiskCore;
use crate::capacities::Capacities;
use crate::limits::LimitTable;
use crate::saved::{Read, SavedError, Words};
use crate::venue::Venue;
use portcullis_domain::{Digest, HashSeed, Seq, Timestamp};

/// Format of the words; raised when it changes.
const FORMAT: u64 = 3;

/// Where the digest of the table stands that the limits were built as.
const BUILT_AT: usize = 1;

impl RiskCore {
    /// Gives all of the core to `push`, word by word. Allocates nothing; reads every table: not for the
    /// path.
    pub fn save(&self, push: &mut impl FnMut(u64)) {
        push(FORMAT);
        self.table.save_changes(push);
        for (_, capacity) in self.capacities.fields() {
            push(capacity.into());
        }
        push(self.seq.raw());
        push(self.now.ns());
        push(self.epoch.into());
        push(self.venue.word());
        push(self.digest.value());
        self.counters.save(push);
        self.ledger.save(&self.table, push);
        self.sessions.save(push);
        self.sweeps.visit_words(push);
        self.valuations.visit_words(push);
        self.executions.save(push);
        self.disputes.visit_words(push);
    }

    /// The digest of the table that the limits of saved words were built as: what [`RiskCore::load`] must
    /// be given. `None` where there are too few words.
    #[must_use]
    pub fn saved_table(words: &[u64]) -> Option<u64> {
        words.get(BUILT_AT).copied()
    }

    /// The core whose words these are: `table` is what its limits were built as, before any single cell
    /// changed, `seed` where keys lie from now on.
    ///
    /// # Errors
    /// The first thing that no core has, and the part it is in; capacities or a table that are not those
    /// of the core that was saved.
    pub fn load(
        capacities: &Capacities,
        table: LimitTable,
        seed: HashSeed,
        words: &mut impl Iterator<Item = u64>,
    ) -> Result<Self, SavedError> {
        let mut words = Words::new(words);
        let words = &mut words;
        let format = words.word()?;
        if format != FORMAT {
            return Err(SavedError::Format(format));
        }
        let table = table.load_changes(words)?;
        words.begin("capacities");
        for (name, capacity) in capacities.fields() {
            if words.word()? != u64::from(capacity) {
                return Err(SavedError::CapacityDiffers(name));
            }
        }
        let mut core = Self::new(capacities, table, seed).map_err(SavedError::Capacities)?;
        core.load_head(words)?;
        words.begin("counters");
        core.counters.load(words)?;
        let (now_ns, sessions) = (core.now.ns(), core.capacities.sessions_max as usize);
        core.ledger.load(&core.table, sessions, now_ns, words)?;
        core.sessions.load(words)?;
        core.sweeps.load(words)?;
        core.valuations.load(words)?;
        let known = (core.table.accounts_len(), core.table.instruments_len());
        core.executions.load(known, words)?;
        core.disputes.load(known, words)?;
        words.end()?;
        Ok(core)
    }

    fn load_head(&mut self, words: &mut Words<'_>) -> Read<()> {
        words.begin("head");
        let seq = words.word()?;
        words.must(seq < u64::MAX, "no number left for a command")?;
        self.seq = Seq::new(seq);
        // Windows and schedules reach ahead of it.
        let now_ns = words.amount(i64::MAX, "a time beyond all clocks")?;
        self.now = Timestamp::from_ns(now_ns as u64);
        let epoch_last = u32::MAX as usize - 1;
        self.epoch = words.at_most(epoch_last, "an epoch out of range")? as u32;
        self.venue = Venue::load(words)?;
        self.digest = Digest::from_value(words.word()?);
        Ok(())
    }
}

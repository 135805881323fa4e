//! The canonical words of a limit spec: what its digest is made of and its file holds.
//!
//! Control thread and replay only. Invariant: [`LimitSpec::from_words`] is the inverse of
//! [`LimitSpec::to_words`] and accepts nothing else, so a file that reads back has the digest it
//! was named by.

use super::alloc::vec::Vec;
use super::{
    AccountCells, AccountSpec, FirmCells, FirmSpec, InstrumentCells, InstrumentSpec, LimitSpec,
    ROWS_SPARE_MAX, RowSpec, SessionCells, SessionSpec, Tiers,
};
use crate::limits::Cell;
use crate::limits::instrument::{TIERS_MAX, Tier, WireUnits};
use core::num::NonZeroU32;
use portcullis_domain::{Digest, FirmId, InstrumentId};

/// Format of the words; raised when it changes.
const FORMAT: u64 = 1;

/// No row or member.
const NONE: u32 = u32::MAX;

impl LimitSpec {
    /// The digest of the canonical words.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::new();
        self.visit_words(&mut |word| digest.push(word));
        digest.value()
    }

    /// The canonical words.
    #[must_use]
    pub fn to_words(&self) -> Vec<u64> {
        let mut words = Vec::new();
        self.visit_words(&mut |word| words.push(word));
        words
    }

    fn visit_words(&self, push: &mut impl FnMut(u64)) {
        push(FORMAT);
        push(self.instruments.len() as u64);
        for instrument in &self.instruments {
            instrument
                .cells
                .cells()
                .iter()
                .map(cell_word)
                .for_each(&mut *push);
            visit_tiers(&instrument.initial, push);
            visit_tiers(&instrument.maintenance, push);
            let wire = instrument.wire;
            push(u64::from(wire.tick.get()) << 32 | u64::from(wire.lot.get()));
        }
        push(self.instrument_sets.len() as u64);
        for set in &self.instrument_sets {
            push(set.len() as u64);
            set.iter().for_each(|id| push(id.raw().into()));
        }
        push(self.rows.len() as u64);
        push(self.rows_spare.into());
        for row in &self.rows {
            row.cells.cells().iter().map(cell_word).for_each(&mut *push);
            push(row.permission_set.into());
        }
        push(self.accounts.len() as u64);
        for account in &self.accounts {
            push(u64::from(account.row.unwrap_or(NONE)) << 32 | u64::from(account.firm.raw()));
        }
        push(self.firms.len() as u64);
        for firm in &self.firms {
            firm.cells
                .cells()
                .iter()
                .map(cell_word)
                .for_each(&mut *push);
            let member = firm.clearing_member.map_or(NONE, FirmId::raw);
            push(u64::from(member) << 32 | u64::from(firm.restricted_set));
        }
        push(self.sessions.len() as u64);
        for session in &self.sessions {
            session
                .cells
                .cells()
                .iter()
                .map(cell_word)
                .for_each(&mut *push);
        }
    }

    /// The spec of canonical words; `None` if they are not exactly those of one.
    #[must_use]
    pub fn from_words(words: &[u64]) -> Option<Self> {
        let mut reader = Reader { words };
        if reader.next()? != FORMAT {
            return None;
        }
        let spec = Self {
            instruments: reader.list(Reader::instrument)?,
            instrument_sets: reader.list(|set| set.list(|id| id.index().map(InstrumentId::new)))?,
            rows: Vec::new(),
            rows_spare: 0,
            accounts: Vec::new(),
            firms: Vec::new(),
            sessions: Vec::new(),
        };
        let rows_len = reader.len()?;
        let rows_spare = reader.index().filter(|rows| *rows <= ROWS_SPARE_MAX)?;
        let rows = (0..rows_len).map(|_| reader.row()).collect::<Option<_>>()?;
        let accounts = reader.list(Reader::account)?;
        let firms = reader.list(Reader::firm)?;
        let sessions = reader.list(Reader::session)?;
        let spec = Self {
            rows,
            rows_spare,
            accounts,
            firms,
            sessions,
            ..spec
        };
        (reader.words.is_empty() || cfg!(feature = "planted-bug")).then_some(spec)
    }
}

/// A cell as a canonical word.
pub(in crate::limits) fn cell_word(cell: &Cell) -> u64 {
    cell.value().unwrap_or(i64::MIN) as u64
}

fn visit_tiers(tiers: &Tiers, push: &mut impl FnMut(u64)) {
    push(tiers.as_slice().len() as u64);
    for tier in tiers.as_slice() {
        push(tier.from_notional as u64);
        push(tier.ratio_ppm.into());
    }
}

struct Reader<'a> {
    words: &'a [u64],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u64> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(*first)
    }

    fn index(&mut self) -> Option<u32> {
        u32::try_from(self.next()?).ok()
    }

    /// A count that the words left can hold: each element takes one at least.
    fn len(&mut self) -> Option<usize> {
        let len = usize::try_from(self.next()?).ok()?;
        (len <= self.words.len()).then_some(len)
    }

    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let len = self.len()?;
        (0..len).map(|_| element(self)).collect()
    }

    fn cells(&mut self, count: usize, mut set: impl FnMut(usize, i64) -> bool) -> Option<()> {
        (0..count).try_for_each(|number| set(number, self.next()? as i64).then_some(()))
    }

    fn instrument(&mut self) -> Option<InstrumentSpec> {
        let mut cells = InstrumentCells::UNSET;
        self.cells(cells.cells().len(), |number, value| {
            cells.set_by_number(number, value)
        })?;
        let (initial, maintenance) = (self.tiers()?, self.tiers()?);
        let word = self.next()?;
        let tick = NonZeroU32::new((word >> 32) as u32)?;
        let wire = WireUnits {
            tick,
            lot: NonZeroU32::new(word as u32)?,
        };
        Some(InstrumentSpec {
            cells,
            initial,
            maintenance,
            wire,
        })
    }

    fn tiers(&mut self) -> Option<Tiers> {
        let len = self.len()?;
        let mut tiers = [Tier::default(); TIERS_MAX];
        for tier in tiers.get_mut(..len)? {
            *tier = Tier {
                from_notional: self.next()? as i64,
                ratio_ppm: self.index()?,
            };
        }
        Tiers::new(&tiers[..len])
    }

    fn row(&mut self) -> Option<RowSpec> {
        let mut cells = AccountCells::UNSET;
        self.cells(cells.cells().len(), |number, value| {
            cells.set_by_number(number, value)
        })?;
        Some(RowSpec {
            cells,
            permission_set: self.index()?,
        })
    }

    fn account(&mut self) -> Option<AccountSpec> {
        let word = self.next()?;
        let row = (word >> 32) as u32;
        Some(AccountSpec {
            row: (row != NONE).then_some(row),
            firm: FirmId::new(word as u32),
        })
    }

    fn firm(&mut self) -> Option<FirmSpec> {
        let mut cells = FirmCells::UNSET;
        self.cells(cells.cells().len(), |number, value| {
            cells.set_by_number(number, value)
        })?;
        let word = self.next()?;
        let member = (word >> 32) as u32;
        let clearing_member = (member != NONE).then_some(FirmId::new(member));
        Some(FirmSpec {
            cells,
            clearing_member,
            restricted_set: word as u32,
        })
    }

    fn session(&mut self) -> Option<SessionSpec> {
        let mut cells = SessionCells::UNSET;
        self.cells(cells.cells().len(), |number, value| {
            cells.set_by_number(number, value)
        })?;
        Some(SessionSpec { cells })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_ask_for_too_many_spare_rows_are_none_of_a_spec() {
        for (rows_spare, reads) in [(ROWS_SPARE_MAX, true), (ROWS_SPARE_MAX + 1, false)] {
            let spec = LimitSpec {
                rows_spare,
                ..LimitSpec::default()
            };
            let read = LimitSpec::from_words(&spec.to_words());
            assert_eq!(read, reads.then_some(spec));
        }
    }
}

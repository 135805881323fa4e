//! Names and the dense indices they stand for.
//!
//! Built on the control thread, read by whoever answers people. Invariants: an index once given to
//! a name is never given to another one, over any number of reloads.

use portcullis_domain::{AccountId, FirmId, InstrumentId, SessionId};
use std::hash::{DefaultHasher, Hasher};

const EMPTY: u32 = u32::MAX;

/// Names by dense index, and indices by name: one text, one array of ends, one open table.
#[derive(Clone, Debug, Default)]
pub struct NameTable {
    text: String,
    ends: Vec<usize>,
    slots: Vec<u32>,
}

impl NameTable {
    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name with this index.
    #[must_use]
    pub fn name(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..end)
    }

    /// The index of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let index = self.slots[self.slot(name)];
        (index != EMPTY).then_some(index)
    }

    /// The index of a name, which is given one if it has none.
    ///
    /// # Panics
    /// If there are 2^32 - 1 names.
    pub fn intern(&mut self, name: &str) -> u32 {
        if (self.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let slot = self.slot(name);
        if self.slots[slot] != EMPTY {
            return self.slots[slot];
        }
        let index = u32::try_from(self.len()).expect("fewer than 2^32 names");
        assert!(index != EMPTY, "fewer than 2^32 - 1 names");
        self.text.push_str(name);
        self.ends.push(self.text.len());
        self.slots[slot] = index;
        index
    }

    /// The names, by index.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.name(index))
    }

    /// The slot that holds the name, or the empty one where it belongs.
    fn slot(&self, name: &str) -> usize {
        let mut hasher = DefaultHasher::new();
        hasher.write(name.as_bytes());
        let mask = self.slots.len() - 1;
        let mut slot = hasher.finish() as usize & mask;
        loop {
            let index = self.slots[slot];
            if index == EMPTY || self.name(index as usize) == Some(name) {
                return slot;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        self.slots = vec![EMPTY; (self.slots.len() * 2).max(16)];
        for index in 0..self.len() {
            let slot = self.slot(self.name(index).unwrap_or_default());
            self.slots[slot] = index as u32;
        }
    }
}

/// All names of the venue. Names of what a reload removed stay, so that their indices do.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Accounts, by [`AccountId`].
    pub accounts: NameTable,
    /// Symbols, by [`InstrumentId`].
    pub instruments: NameTable,
    /// Firms, by [`FirmId`].
    pub firms: NameTable,
    /// Users of sessions, in capitals, by [`SessionId`].
    pub sessions: NameTable,
}

impl Names {
    /// The account with this name.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<AccountId> {
        self.accounts.find(name).map(AccountId::new)
    }

    /// The instrument with this symbol.
    #[must_use]
    pub fn instrument(&self, symbol: &str) -> Option<InstrumentId> {
        self.instruments.find(symbol).map(InstrumentId::new)
    }

    /// The firm with this name.
    #[must_use]
    pub fn firm(&self, name: &str) -> Option<FirmId> {
        self.firms.find(name).map(FirmId::new)
    }

    /// The session of this user, in whatever case.
    #[must_use]
    pub fn session(&self, user: &str) -> Option<SessionId> {
        self.sessions
            .find(&user.to_ascii_uppercase())
            .map(SessionId::new)
    }

    /// The name of an account.
    #[must_use]
    pub fn account_name(&self, account: AccountId) -> Option<&str> {
        self.accounts.name(account.index())
    }

    /// The symbol of an instrument.
    #[must_use]
    pub fn symbol(&self, instrument: InstrumentId) -> Option<&str> {
        self.instruments.name(instrument.index())
    }

    /// The name of a firm.
    #[must_use]
    pub fn firm_name(&self, firm: FirmId) -> Option<&str> {
        self.firms.name(firm.index())
    }

    /// The user of a session.
    #[must_use]
    pub fn session_user(&self, session: SessionId) -> Option<&str> {
        self.sessions.name(session.index())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_index_they_were_given() {
        let mut table = NameTable::default();
        assert_eq!(table.find("a"), None);
        for round in 0..2 {
            for index in 0..1_000_u32 {
                assert_eq!(
                    table.intern(&format!("account-{index}")),
                    index,
                    "round {round}"
                );
            }
        }
        assert_eq!((table.len(), table.find("account-999")), (1_000, Some(999)));
        assert_eq!(
            (table.find("account-1000"), table.name(1_000)),
            (None, None)
        );
        assert_eq!(table.name(0), Some("account-0"));
        assert_eq!(table.iter().last(), Some("account-999"));
    }

    #[test]
    fn users_are_found_in_whatever_case() {
        let mut names = Names::default();
        names.sessions.intern("DESK1");
        assert_eq!(names.session("desk1"), Some(SessionId::new(0)));
        assert_eq!(names.session("desk2"), None);
    }
}

//! Capacities: every bound of the core, fixed at start.
//!
//! Chosen by the profile; owned by nobody after construction. Invariant: nothing in the core grows;
//! a full table is a named refusal or alarm.

/// How much the core has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacities {
    /// Accounts.
    pub accounts_max: u32,
    /// Instruments.
    pub instruments_max: u32,
    /// Firms and clearing members.
    pub firms_max: u32,
    /// Client sessions.
    pub sessions_max: u32,
    /// Order slots, those kept for reducing orders included.
    pub orders_max: u32,
    /// Order slots that each account always has for reducing orders.
    pub orders_reserved_per_account: u32,
    /// Pairs of account and instrument that hold a position or have lately ordered.
    pub positions_max: u32,
    /// Numbers of past versions that still name their order.
    pub past_versions_max: u32,
    /// Executions that a broken trade can still find.
    pub executions_max: u32,
    /// Executions in dispute at a time.
    pub disputes_max: u32,
    /// Mass cancels under way at a time.
    pub sweeps_max: u32,
}

impl Default for Capacities {
    fn default() -> Self {
        Self {
            accounts_max: 1_024,
            instruments_max: 64,
            firms_max: 64,
            sessions_max: 64,
            orders_max: 65_536,
            orders_reserved_per_account: 4,
            positions_max: 16_384,
            past_versions_max: 65_536,
            executions_max: 65_536,
            disputes_max: 256,
            sweeps_max: 256,
        }
    }
}

/// Why a core cannot be made: the first capacity that does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapacityError {
    /// The table has more of these than there is room for.
    TableTooLarge(&'static str),
    /// This capacity is zero, or beyond what an index can name.
    OutOfRange(&'static str),
    /// The slots kept for reducing orders leave none for others.
    NothingButReserve,
    /// No account needs more than 65,535 slots kept for reducing orders.
    TooManyReserved,
}

impl core::fmt::Display for CapacityError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TableTooLarge(what) => {
                write!(
                    f,
                    "the limit table has more {what} than the capacities allow: raise them"
                )
            }
            Self::OutOfRange(what) => {
                write!(f, "capacity `{what}` must be from 1 to 2^30")
            }
            Self::TooManyReserved => {
                f.write_str("orders_reserved_per_account must be at most 65,535: lower it")
            }
            Self::NothingButReserve => f.write_str(
                "orders_max must exceed accounts_max x orders_reserved_per_account: raise the \
                 first or lower the last",
            ),
        }
    }
}

impl core::error::Error for CapacityError {}

/// The one that may be nothing.
const RESERVED: &str = "orders_reserved_per_account";

impl Capacities {
    /// How many there are.
    pub const COUNT: usize = 11;

    /// Each by its name in a config, in the order in which they are saved.
    #[must_use]
    pub const fn fields(&self) -> [(&'static str, u32); Self::COUNT] {
        let Self {
            accounts_max,
            instruments_max,
            firms_max,
            sessions_max,
            orders_max,
            orders_reserved_per_account,
            positions_max,
            past_versions_max,
            executions_max,
            disputes_max,
            sweeps_max,
        } = *self;
        [
            ("accounts_max", accounts_max),
            ("instruments_max", instruments_max),
            ("firms_max", firms_max),
            ("sessions_max", sessions_max),
            ("orders_max", orders_max),
            (RESERVED, orders_reserved_per_account),
            ("positions_max", positions_max),
            ("past_versions_max", past_versions_max),
            ("executions_max", executions_max),
            ("disputes_max", disputes_max),
            ("sweeps_max", sweeps_max),
        ]
    }

    /// Those whose values, in the order of [`Capacities::fields`], these words are; `None` where one
    /// is too large for any.
    #[must_use]
    pub fn from_words(words: &[u64; Self::COUNT]) -> Option<Self> {
        let mut values = [0; Self::COUNT];
        for (value, word) in values.iter_mut().zip(words) {
            *value = u32::try_from(*word).ok()?;
        }
        let [
            accounts_max,
            instruments_max,
            firms_max,
            sessions_max,
            orders_max,
            orders_reserved_per_account,
            positions_max,
            past_versions_max,
            executions_max,
            disputes_max,
            sweeps_max,
        ] = values;
        Some(Self {
            accounts_max,
            instruments_max,
            firms_max,
            sessions_max,
            orders_max,
            orders_reserved_per_account,
            positions_max,
            past_versions_max,
            executions_max,
            disputes_max,
            sweeps_max,
        })
    }

    /// Order slots that any order may use.
    pub(crate) const fn orders_general_max(&self) -> u64 {
        let reserved = self.accounts_max as u64 * self.orders_reserved_per_account as u64;
        (self.orders_max as u64).saturating_sub(reserved)
    }

    pub(crate) fn check(&self) -> Result<(), CapacityError> {
        if self.orders_reserved_per_account > u32::from(u16::MAX) {
            return Err(CapacityError::TooManyReserved);
        }
        let wrong =
            |(name, value): &(&str, u32)| (*value == 0 && *name != RESERVED) || *value > 1 << 30;
        let wrong = self.fields().into_iter().find(wrong);
        if let Some((name, _)) = wrong {
            return Err(CapacityError::OutOfRange(name));
        }
        if self.orders_general_max() == 0 {
            return Err(CapacityError::NothingButReserve);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_fields_is_that_of_the_words() {
        let words = core::array::from_fn(|index| index as u64 + 1);
        let fields = Capacities::from_words(&words).expect("small").fields();
        assert_eq!(fields.map(|(_, value)| u64::from(value)), words);
        assert_eq!(fields[4], ("orders_max", 5), "as the saved ones have it");
        for (index, (name, _)) in fields.iter().enumerate() {
            let same = fields.iter().position(|(other, _)| other == name);
            assert_eq!(same, Some(index), "{name} stands there twice");
        }
        let mut large = words;
        large[10] = 1 << 32;
        assert_eq!(Capacities::from_words(&large), None);
    }

    #[test]
    fn the_first_that_does_not_do_is_named() {
        let check = |index: usize, value: u64| {
            let mut words = Capacities::default()
                .fields()
                .map(|(_, value)| value.into());
            words[index] = value;
            Capacities::from_words(&words).expect("small").check()
        };
        let nothing_kept = check(5, 0);
        assert_eq!(nothing_kept, Ok(()));
        assert_eq!(check(5, 1 << 16), Err(CapacityError::TooManyReserved));
        assert_eq!(check(4, 4_096), Err(CapacityError::NothingButReserve));
        for index in (0..Capacities::COUNT).filter(|index| *index != 5) {
            let (name, _) = Capacities::default().fields()[index];
            assert_eq!(check(index, 0), Err(CapacityError::OutOfRange(name)));
            let above = check(index, (1 << 30) + 1);
            assert_eq!(above, Err(CapacityError::OutOfRange(name)));
        }
    }
}

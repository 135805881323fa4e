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

impl Capacities {
    /// Order slots that any order may use.
    pub(crate) const fn orders_general_max(&self) -> u64 {
        let reserved = self.accounts_max as u64 * self.orders_reserved_per_account as u64;
        (self.orders_max as u64).saturating_sub(reserved)
    }

    pub(crate) fn check(&self) -> Result<(), CapacityError> {
        let named = [
            ("accounts_max", self.accounts_max),
            ("instruments_max", self.instruments_max),
            ("firms_max", self.firms_max),
            ("sessions_max", self.sessions_max),
            ("orders_max", self.orders_max),
            ("positions_max", self.positions_max),
            ("past_versions_max", self.past_versions_max),
            ("executions_max", self.executions_max),
            ("disputes_max", self.disputes_max),
            ("sweeps_max", self.sweeps_max),
        ];
        if self.orders_reserved_per_account > u32::from(u16::MAX) {
            return Err(CapacityError::TooManyReserved);
        }
        let wrong = named
            .iter()
            .find(|(_, value)| *value == 0 || *value > 1 << 30);
        if let Some((name, _)) = wrong {
            return Err(CapacityError::OutOfRange(name));
        }
        if self.orders_general_max() == 0 {
            return Err(CapacityError::NothingButReserve);
        }
        Ok(())
    }
}

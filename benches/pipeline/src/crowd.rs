//! How many accounts there are, which of them trade, and what the core has room for.
//!
//! Owned by nobody. Invariant: who trades is spread evenly over all.

use crate::limits::{Edition, INSTRUMENTS, SESSIONS, spec};
use portcullis_bench_market::case::ACCOUNTS;
use portcullis_bench_market::near::{Near, POSITION_LOTS};
use portcullis_domain::{AccountId, HashSeed};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, RiskCore};

/// Order slots.
pub const ORDERS_MAX: u32 = 65_536;

/// What orders are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// Every limit is set; one order in fifty is refused, for one of six reasons.
    Some,
    /// Every limit is set and each check refuses its share; a tenth of the others is near one limit or another.
    All,
}

/// How many accounts there are, and how many of them trade.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Accounts.
    pub accounts: u32,
    /// Those that trade, an even number, spread evenly over the others.
    pub active: u32,
    /// Accounts that may get a row of limits of their own.
    pub rows_spare: u32,
    /// What their orders are held against.
    pub checks: Checks,
}

impl Crowd {
    /// Limits that accounts of this crowd have near them, each in its own.
    pub const NEAR: [Near; 4] = [
        Near::Notional,
        Near::OpenNotional,
        Near::Position,
        Near::Margin,
    ];

    /// An active account.
    #[must_use]
    pub const fn active_account(self, which: u32) -> u32 {
        let pairs = self.accounts / 2;
        let apart = pairs / (self.active / 2);
        2 * (which / 2 * apart) + which % 2
    }

    /// An account whose notional may change, whether it trades or not, the same ones again after `of`.
    #[must_use]
    pub fn any_account(self, which: u64, of: u32) -> AccountId {
        let of = of.min(self.accounts);
        let account = (which % u64::from(of)) as u32 * (self.accounts / of);
        // The pair behind it does not trade, or has another limit near it.
        match self.near_of(account) {
            Some(Near::Notional) => AccountId::new((account + 2) % self.accounts),
            _ => AccountId::new(account),
        }
    }

    /// Which limit any account has near it.
    fn near_of(self, account: u32) -> Option<Near> {
        let apart = self.accounts / 2 / (self.active / 2);
        let pair = account / 2;
        let trades = pair.is_multiple_of(apart) && pair / apart < self.active / 2;
        trades
            .then(|| self.near(pair / apart * 2 + account % 2))
            .flatten()
    }

    /// Which limit an active account has near it.
    #[must_use]
    pub fn near(self, which: u32) -> Option<Near> {
        match self.checks {
            Checks::Some => None,
            Checks::All => Near::of(&Self::NEAR, which),
        }
    }

    /// Instruments that an account trades; it holds a position in the first two of them.
    #[must_use]
    pub const fn traded_count(self) -> u32 {
        match self.checks {
            Checks::Some => 4,
            // A slot without a position would be given to who is to find none.
            Checks::All => 2,
        }
    }

    /// The instruments of an active account: its neighbour in the pair has the same.
    #[must_use]
    pub const fn traded(self, which: u32, instrument: u32) -> u32 {
        (which / 2 * 13 + instrument * (INSTRUMENTS / self.traded_count())) % INSTRUMENTS
    }

    /// Lots of one side that are held in each instrument, about.
    #[must_use]
    pub const fn held_lots(self) -> i64 {
        self.active as i64 * 2 * POSITION_LOTS / INSTRUMENTS as i64 / 2
    }

    /// A table of limits of this size.
    ///
    /// # Errors
    /// It does not load: a mistake here.
    pub fn table(self, edition: Edition) -> Result<LimitTable, String> {
        LimitTable::build(&spec(self, edition))
            .map_err(|why| format!("the limits do not load: {:?}", why.faults))
    }

    /// What its table is built from.
    #[must_use]
    pub fn limits(self) -> LimitSpec {
        spec(self, Edition::First)
    }

    /// The core's tables.
    #[must_use]
    pub fn capacities(self) -> Capacities {
        let least = Capacities {
            accounts_max: self.accounts,
            instruments_max: INSTRUMENTS,
            firms_max: SESSIONS,
            sessions_max: SESSIONS,
            orders_max: ORDERS_MAX,
            orders_reserved_per_account: 0,
            positions_max: self.active * self.traded_count(),
            ..Capacities::default()
        };
        if self.checks == Checks::Some {
            return least;
        }
        let limits = self.limits();
        let cases = limits.sessions.len() as u32 - SESSIONS;
        Capacities {
            accounts_max: limits.accounts.len() as u32,
            instruments_max: limits.instruments.len() as u32,
            firms_max: limits.firms.len() as u32,
            sessions_max: limits.sessions.len() as u32,
            // One case finds none.
            positions_max: least.positions_max + (cases - 1) * ACCOUNTS,
            ..least
        }
    }

    /// A core that has seen nothing yet.
    ///
    /// # Errors
    /// The limits or capacities do not load.
    pub fn core(self) -> Result<RiskCore, String> {
        let table = self.table(Edition::First)?;
        RiskCore::new(&self.capacities(), table, HashSeed::FIXED).map_err(|why| why.to_string())
    }
}

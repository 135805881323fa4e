//! What a gateway that goes on from its log must know of the core before it opens.
//!
//! Reads only; not for the path: it passes over open orders, instruments and positions.

use crate::engine::RiskCore;
use portcullis_domain::{SessionEvent, SessionEventKind, SessionId};

/// What still stands between a restart and open orders' being known for sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Readiness {
    /// Open orders of sessions whose link to the engine is not up and reconciled.
    pub orders_unreconciled: usize,
    /// Instruments in which an account here is long or short and whose reference price is missing or stale.
    pub references_stale: usize,
}

impl Readiness {
    /// Whether the engine has spoken for each open order.
    #[must_use]
    pub const fn is_reconciled(&self) -> bool {
        self.orders_unreconciled == 0
    }

    /// Whether each position has a price.
    #[must_use]
    pub const fn has_prices(&self) -> bool {
        self.references_stale == 0
    }
}

/// Instruments that one pass over the positions tells of.
const PASS: u32 = 4_096;

impl RiskCore {
    /// How far the ledger can be relied on after a restart.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let orders = &self.ledger.orders;
        let mut from = 0;
        let mut orders_unreconciled = 0;
        while let Some(slot) = orders.next_open(from) {
            let session = self.sessions.get(orders.get(slot).session);
            orders_unreconciled += usize::from(!session.link_up);
            from = slot + 1;
        }
        Readiness {
            orders_unreconciled,
            references_stale: self.references_stale(),
        }
    }

    fn references_stale(&self) -> usize {
        let (mut stale, mut first) = (0, 0);
        let mut instruments = self.ledger.instruments.iter().peekable();
        while instruments.peek().is_some() {
            let held = self.held_from(first);
            let of_pass = instruments.by_ref().take(PASS as usize).enumerate();
            let unpriced = of_pass.filter(|(at, instrument)| {
                let fresh = self.now.ns() <= instrument.fresh_until_ns;
                held[at / 64] >> (at % 64) & 1 == 1 && !(instrument.reference.is_some() && fresh)
            });
            stale += unpriced.count();
            first += PASS;
        }
        stale
    }

    /// A bit for each of the instruments of a pass, set where anybody has a position. Open interest would
    /// not do: it counts the longs, and all that are here may be short.
    fn held_from(&self, first: u32) -> [u64; PASS as usize / 64] {
        let mut held = [0; PASS as usize / 64];
        for position in self.ledger.positions.iter().filter(|one| one.net != 0) {
            let at = position.instrument.wrapping_sub(first);
            if at < PASS {
                held[at as usize / 64] |= 1 << (at % 64);
            }
        }
        held
    }

    /// The digest of the table of limits in force.
    #[must_use]
    pub const fn limits_digest(&self) -> u64 {
        self.table.digest()
    }

    /// The digest that the table of limits in force was built with: its file's name, whatever single cells
    /// were changed since.
    #[must_use]
    pub const fn limits_built_digest(&self) -> u64 {
        self.table.built_digest()
    }

    /// The end of each session that is logged on, for a gateway whose connections are gone.
    pub fn sessions_lost(&self) -> impl Iterator<Item = SessionEvent> {
        self.sessions.iter().filter_map(|(session, state)| {
            Some(SessionEvent {
                session,
                kind: SessionEventKind::Lost,
                connection: state.connection?,
                sequence: 0,
            })
        })
    }

    /// The sessions whose link to the engine is up.
    pub fn links_up(&self) -> impl Iterator<Item = SessionId> {
        let sessions = self.sessions.iter();
        sessions.filter_map(|(session, state)| state.link_up.then_some(session))
    }
}

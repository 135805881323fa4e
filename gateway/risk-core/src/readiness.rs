//! What a gateway that goes on from its log must know of the core before it opens.
//!
//! Reads only; not for the path: it passes over sessions, instruments and open orders.

use crate::engine::RiskCore;
use portcullis_domain::{SessionEvent, SessionEventKind, SessionId};

/// What still stands between a restart and open orders' being known for sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Readiness {
    /// Open orders of sessions whose link to the engine is not up and reconciled.
    pub orders_unreconciled: usize,
    /// Instruments with open interest whose reference price is missing or stale.
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

impl RiskCore {
    /// How far the ledger can be relied on after a restart.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let (orders, now_ns) = (&self.ledger.orders, self.now.ns());
        let mut from = 0;
        let mut orders_unreconciled = 0;
        while let Some(slot) = orders.next_open(from) {
            let session = self.sessions.get(orders.get(slot).session);
            orders_unreconciled += usize::from(!session.link_up);
            from = slot + 1;
        }
        let instruments = self.ledger.instruments.iter();
        let stale = instruments.filter(|instrument| {
            instrument.open_interest != 0
                && (instrument.reference.is_none() || now_ns > instrument.fresh_until_ns)
        });
        Readiness {
            orders_unreconciled,
            references_stale: stale.count(),
        }
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

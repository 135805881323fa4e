//! The ladder behind a gate a session: a closed one takes nothing.
//!
//! Owned by the rig's venue agent; the test holds the gates. Invariant: what was taken is noted in
//! its order, in room that is there from the start.

use portcullis_domain::{SessionId, Timestamp};
use portcullis_venue::{Approved, MatchingVenue, OutboundAction, OutboundOrder, VenueSink};
use portcullis_venue_embedded::EmbeddedVenue;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Orders whose coming is noted.
const NOTED_MAX: usize = 1 << 16;

/// The gates, open at first.
#[derive(Clone)]
pub(crate) struct Gates(Arc<[AtomicBool]>);

impl Gates {
    pub(crate) fn new(sessions: u32) -> Self {
        Self((0..sessions).map(|_| AtomicBool::new(true)).collect())
    }

    pub(crate) fn set(&self, session: u32, open: bool) {
        self.0[session as usize].store(open, Ordering::Relaxed);
    }

    pub(crate) fn set_all(&self, open: bool) {
        (0..self.0.len() as u32).for_each(|session| self.set(session, open));
    }

    fn is_open(&self, session: SessionId) -> bool {
        self.0[session.index()].load(Ordering::Relaxed)
    }
}

/// What the engine took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) session: u32,
    pub(crate) number: u32,
    pub(crate) enters: bool,
}

/// The venue.
pub(crate) struct Gated {
    engine: EmbeddedVenue,
    gates: Gates,
    taken: Vec<Taken>,
}

impl Gated {
    pub(crate) fn new(engine: EmbeddedVenue, gates: Gates) -> Self {
        Self {
            engine,
            gates,
            taken: Vec::with_capacity(NOTED_MAX),
        }
    }

    pub(crate) fn taken(&self) -> &[Taken] {
        &self.taken
    }
}

impl MatchingVenue for Gated {
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        let sent = *order.get();
        if !self.gates.is_open(sent.session) {
            return Err(order);
        }
        self.engine.submit(order, raw)?;
        if self.taken.len() < NOTED_MAX {
            self.taken.push(Taken {
                session: sent.session.raw(),
                number: sent.user_ref.number,
                enters: matches!(sent.action, OutboundAction::Enter { .. }),
            });
        }
        Ok(())
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        self.engine.poll(now, budget, sink)
    }

    fn is_idle(&self) -> bool {
        self.engine.is_idle()
    }
}

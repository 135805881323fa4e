//! Which venue is behind: the config says.
//!
//! The venue thread owns it.

use portcullis_domain::{SessionId, Timestamp, VenueReport};
use portcullis_venue::saved::SavedError;
use portcullis_venue::{
    Approved, MatchingVenue, OutboundOrder, RecallEnd, RecallFault, RecallVenue, VenueSink,
};
use portcullis_venue_embedded::EmbeddedVenue;
use portcullis_venue_ouch::{OuchVenue, StopReader, TcpDial};
use portcullis_venue_sim::{HostileVenue, Planted};

/// A venue of one of the kinds.
pub(crate) enum VenueKind {
    /// The ladder in this process.
    Embedded(Box<EmbeddedVenue>),
    /// The ladder, with one planted fault.
    Planted(Box<Planted<EmbeddedVenue>>),
    /// The ladder behind seeded hostility.
    Hostile(Box<HostileVenue<EmbeddedVenue>>),
    /// An external engine.
    Ouch(Box<OuchVenue<TcpDial>>),
}

/// What the engine itself counted, in code that knows no risk core. An external engine keeps its
/// own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EngineFigures {
    /// Lots traded, each trade once.
    pub(crate) executed_qty: u128,
    /// Orders still open in the book.
    pub(crate) open_orders: u32,
}

impl VenueKind {
    /// Why links to an external engine stopped, by session.
    pub(crate) fn stop_readers(&self) -> Vec<StopReader> {
        match self {
            Self::Embedded(_) | Self::Planted(_) | Self::Hostile(_) => Vec::new(),
            Self::Ouch(venue) => venue.stop_readers(),
        }
    }

    /// The figures of the ladder, where there is one.
    pub(crate) fn figures(&self) -> Option<EngineFigures> {
        let embedded = match self {
            Self::Embedded(venue) => venue,
            Self::Planted(venue) => venue.engine(),
            Self::Hostile(venue) => venue.engine(),
            Self::Ouch(_) => return None,
        };
        let counters = embedded.counters();
        Some(EngineFigures {
            executed_qty: counters.executed_qty,
            open_orders: embedded.ladder().open_orders(),
        })
    }
}

impl MatchingVenue for VenueKind {
    #[inline]
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        match self {
            Self::Embedded(venue) => venue.submit(order, raw),
            Self::Planted(venue) => venue.submit(order, raw),
            Self::Hostile(venue) => venue.submit(order, raw),
            Self::Ouch(venue) => venue.submit(order, raw),
        }
    }

    #[inline]
    fn takes_orders(&self) -> bool {
        match self {
            Self::Embedded(venue) => venue.takes_orders(),
            Self::Planted(venue) => venue.takes_orders(),
            Self::Hostile(venue) => venue.takes_orders(),
            Self::Ouch(venue) => venue.takes_orders(),
        }
    }

    fn send(&mut self, now: Timestamp) {
        match self {
            Self::Embedded(venue) => venue.send(now),
            Self::Planted(venue) => venue.send(now),
            Self::Hostile(venue) => venue.send(now),
            Self::Ouch(venue) => venue.send(now),
        }
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        match self {
            Self::Embedded(venue) => venue.poll(now, budget, sink),
            Self::Planted(venue) => venue.poll(now, budget, sink),
            Self::Hostile(venue) => venue.poll(now, budget, sink),
            Self::Ouch(venue) => venue.poll(now, budget, sink),
        }
    }

    fn is_idle(&self) -> bool {
        match self {
            Self::Embedded(venue) => venue.is_idle(),
            Self::Planted(venue) => venue.is_idle(),
            Self::Hostile(venue) => venue.is_idle(),
            Self::Ouch(venue) => venue.is_idle(),
        }
    }
}

/// A venue with planted faults or hostility takes nothing of its past, and says so at its end.
impl RecallVenue for VenueKind {
    fn recall_order(&mut self, order: Approved<OutboundOrder>, raw: &[u8]) {
        match self {
            Self::Embedded(venue) => venue.recall_order(order, raw),
            Self::Planted(_) | Self::Hostile(_) => {}
            Self::Ouch(venue) => venue.recall_order(order, raw),
        }
    }

    fn recall_report(&mut self, report: &VenueReport, raw: &[u8]) {
        match self {
            Self::Embedded(venue) => venue.recall_report(report, raw),
            Self::Planted(_) | Self::Hostile(_) => {}
            Self::Ouch(venue) => venue.recall_report(report, raw),
        }
    }

    fn recall_sequence(&mut self, session: SessionId, sequence: u64) {
        match self {
            Self::Embedded(venue) => venue.recall_sequence(session, sequence),
            Self::Planted(_) | Self::Hostile(_) => {}
            Self::Ouch(venue) => venue.recall_sequence(session, sequence),
        }
    }

    fn recall_fault(&self) -> Option<RecallFault> {
        match self {
            Self::Embedded(venue) => venue.recall_fault(),
            Self::Planted(_) | Self::Hostile(_) => Some(RecallFault::NotRecallable),
            Self::Ouch(venue) => venue.recall_fault(),
        }
    }

    fn recalled(&mut self) -> RecallEnd {
        match self {
            Self::Embedded(venue) => venue.recalled(),
            Self::Planted(_) | Self::Hostile(_) => RecallEnd {
                fault: self.recall_fault(),
                ..RecallEnd::default()
            },
            Self::Ouch(venue) => venue.recalled(),
        }
    }

    fn save(&self, out: &mut Vec<u8>) {
        match self {
            Self::Embedded(venue) => venue.save(out),
            Self::Planted(_) | Self::Hostile(_) => {}
            Self::Ouch(venue) => venue.save(out),
        }
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedError> {
        match self {
            Self::Embedded(venue) => venue.load(bytes),
            Self::Planted(_) | Self::Hostile(_) => {
                Err(SavedError::Engine(RecallFault::NotRecallable.to_string()))
            }
            Self::Ouch(venue) => venue.load(bytes),
        }
    }
}

//! Which venue is behind: the config says.
//!
//! The venue thread owns it.

use portcullis_domain::Timestamp;
use portcullis_venue::{Approved, MatchingVenue, OutboundOrder, VenueSink};
use portcullis_venue_embedded::EmbeddedVenue;
use portcullis_venue_ouch::{OuchVenue, TcpDial};
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

//! The venue: its links, and what they share.
//!
//! Owned by the venue agent's thread. Invariant: links are served in turn, each poll beginning with
//! another one, so that a busy session cannot use up the budget of the others for ever.

use portcullis_domain::{SessionId, Timestamp};
use portcullis_venue::{Approved, MatchingVenue, OutboundOrder, VenueSink};

use crate::config::{ConfigError, OuchVenueConfig, Route};
use crate::counters::Counters;
use crate::dial::Dial;
use crate::link::{Link, LinkState, Shared};
use crate::orders::EngineOrders;

/// An external engine.
#[derive(Debug)]
pub struct OuchVenue<D: Dial> {
    dial: D,
    config: OuchVenueConfig,
    links: Box<[Link<D::Stream>]>,
    orders: EngineOrders,
    counters: Counters,
    /// The time of the last poll.
    now: Timestamp,
    first: usize,
}

impl<D: Dial> OuchVenue<D> {
    /// A venue whose links connect from the first poll on. All memory it will ever use is taken
    /// here.
    ///
    /// # Errors
    /// If the configuration does not do.
    pub fn new(config: OuchVenueConfig, dial: D) -> Result<Self, ConfigError> {
        config.check()?;
        let links = (config.sessions.iter().zip(0..)).map(|(route, index)| {
            let login = match route {
                Route::Own(login) => Some(login),
                Route::None => None,
            };
            Link::new(SessionId::new(index), login, &config)
        });
        Ok(Self {
            dial,
            links: links.collect(),
            orders: EngineOrders::new(config.orders_max as usize),
            counters: Counters::default(),
            now: Timestamp::ZERO,
            first: 0,
            config,
        })
    }

    /// What was counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Where a session's link stands; `None` if there is no such session.
    #[must_use]
    pub fn link(&self, session: SessionId) -> Option<LinkState> {
        self.links.get(session.index()).map(Link::state)
    }

    /// The number of the last message of the engine that was reported; 0 before the first, `None`
    /// if there is no such session. One more is what a later start would ask for.
    #[must_use]
    pub fn taken(&self, session: SessionId) -> Option<u64> {
        self.links.get(session.index()).map(Link::taken)
    }

    /// Messages of a session that are sent, or wait for its link, and are not answered; `None` if
    /// there is no such session.
    #[must_use]
    pub fn in_flight(&self, session: SessionId) -> Option<usize> {
        self.links.get(session.index()).map(Link::in_flight)
    }

    /// Logs every session out and stays so. Orders stay at the engine, unless it cancels those of a
    /// session that logs out.
    pub fn log_out(&mut self) {
        self.links.iter_mut().for_each(Link::log_out);
    }

    /// A person has looked at why a link stopped: it tries again, from the message after the one
    /// that stopped it. Without effect where there is no route, or the engine ended the session.
    pub fn restart(&mut self, session: SessionId) {
        let now = self.now;
        if let Some(link) = self.links.get_mut(session.index()) {
            link.restart(now);
        }
    }
}

impl<D: Dial> MatchingVenue for OuchVenue<D> {
    /// Takes an order for a session's link; see [`MatchingVenue::submit`].
    ///
    /// # Panics
    /// If the session or the instrument is not in the configuration.
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        let mut shared = Shared {
            config: &self.config,
            orders: &mut self.orders,
            counters: &mut self.counters,
            now: self.now,
        };
        let link = &mut self.links[order.get().session.index()];
        if link.submit(order.get(), raw, &mut shared) {
            return Ok(());
        }
        self.counters.given_back += 1;
        Err(order)
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        self.now = self.now.later(now);
        let mut shared = Shared {
            config: &self.config,
            orders: &mut self.orders,
            counters: &mut self.counters,
            now: self.now,
        };
        let count = self.links.len();
        let (mut told, mut done) = (0, 0);
        for turn in 0..count {
            let link = &mut self.links[(self.first + turn) % count];
            let work = link.poll(&mut self.dial, &mut shared, budget - told, sink);
            told += work.told;
            done += work.done;
        }
        self.first = (self.first + 1) % count;
        told + done
    }

    fn is_idle(&self) -> bool {
        self.links.iter().all(Link::is_idle)
    }
}

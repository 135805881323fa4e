//! The venue: its links, and what they share.
//!
//! Owned by the venue agent's thread. Invariants: links are served in turn, each poll beginning with
//! another one, so that a busy session cannot use up the budget of the others for ever; a link with
//! anything to do stands in the list of those polled, once. A link that has been quiet for long
//! leaves it, and comes back when the poller names it, an order comes or a timer was due: a thousand
//! quiet sessions cost none of the busy ones a system call, nor does a crowd of busy ones cost each the
//! others' reads: they are left to the poller too.

use std::collections::VecDeque;
use std::io::{Read, Write};

use portcullis_domain::{OrderKey, SessionId, Timestamp};
use portcullis_runtime::Crowd;
use portcullis_venue::{Approved, MatchingVenue, OutboundOrder, VenueSink};

use crate::config::{ConfigError, OuchVenueConfig, Route};
use crate::counters::Counters;
use crate::dial::Dial;
use crate::link::{Link, LinkState, Shared};
use crate::orders::EngineOrders;
use crate::recall::Recall;
use crate::stop_reason::StopReader;

/// An external engine.
#[derive(Debug)]
pub struct OuchVenue<D: Dial> {
    dial: D,
    pub(crate) config: OuchVenueConfig,
    pub(crate) links: Box<[Link<D::Stream>]>,
    pub(crate) orders: EngineOrders,
    counters: Counters,
    pub(crate) recall: Recall,
    /// The time of the last poll.
    pub(crate) now: Timestamp,
    /// Links that are polled, by index.
    polled: VecDeque<usize>,
    /// Links that took something since they were last written to, by index, each once.
    unsent: Vec<usize>,
    polls_since_asked: u32,
    crowd: Crowd,
    /// Whether the system could tell which links have news when it was last asked.
    told_apart: bool,
    /// The link whose timers are looked at next.
    next_timer: usize,
}

/// While links are polled, the system is asked about the others once in this many polls, and one of them is looked
/// after: their timers are seconds apart, and each look is in the way of those that are polled.
const ASK_EVERY_POLLS: u32 = 16;

/// Fruitless reads that all polled links together may cost in a row before they count as quiet.
const IDLE_READS_MAX: usize = 1_024;

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
        let mut links: Box<[_]> = links.collect();
        let mut polled = VecDeque::with_capacity(links.len());
        let unsent = Vec::with_capacity(links.len());
        (0..links.len()).for_each(|index| list(&mut polled, &mut links, index));
        Ok(Self {
            dial,
            links,
            orders: EngineOrders::new(config.orders_max as usize, config.hash_seed),
            counters: Counters::default(),
            recall: Recall::default(),
            now: Timestamp::ZERO,
            polled,
            unsent,
            polls_since_asked: 0,
            crowd: Crowd::default(),
            told_apart: true,
            next_timer: 0,
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

    /// Why links stopped, by session, for another thread.
    #[must_use]
    pub fn stop_readers(&self) -> Vec<StopReader> {
        self.links.iter().map(Link::stop_reader).collect()
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

    /// What the engine has open by its own words, with what was sent and is not answered: key and
    /// wire units, in no order. What was submitted since the last `send` or `poll` may be missing.
    pub fn open_orders(&self) -> impl Iterator<Item = (OrderKey, u32)> + '_ {
        self.orders.open_ones()
    }

    /// Logs every session out and stays so. Orders stay at the engine, unless it cancels those of a
    /// session that logs out.
    pub fn log_out(&mut self) {
        let mut shared = Shared {
            config: &self.config,
            orders: &mut self.orders,
            counters: &mut self.counters,
            now: self.now,
        };
        for link in &mut self.links {
            link.log_out(&mut shared);
        }
    }

    /// A person has looked at why a link stopped: it tries again, from the message after the one
    /// that stopped it. Without effect where there is no route, or the engine ended the session.
    pub fn restart(&mut self, session: SessionId) {
        let now = self.now;
        if let Some(link) = self.links.get_mut(session.index()) {
            link.restart(now);
            list(&mut self.polled, &mut self.links, session.index());
        }
    }

    /// Puts the links that have news back among those polled. Where the system cannot tell, that is
    /// every link.
    fn ask_system(&mut self) {
        self.polls_since_asked = 0;
        let Self {
            dial,
            links,
            polled,
            ..
        } = self;
        let told_apart = dial.woken(&mut |session| {
            list(polled, links, session.index());
        });
        self.told_apart = told_apart;
        if !told_apart {
            let Self { links, polled, .. } = self;
            (0..links.len()).for_each(|index| list(polled, links, index));
        }
    }

    /// The timers of one quiet link, in turn.
    fn look_after_one(&mut self) {
        let index = self.next_timer;
        self.next_timer = index + 1;
        if self.next_timer == self.links.len() {
            self.next_timer = 0;
        }
        if self.links[index].listed {
            return;
        }
        let mut shared = Shared {
            config: &self.config,
            orders: &mut self.orders,
            counters: &mut self.counters,
            now: self.now,
        };
        self.links[index].look_after(&mut shared);
        if !self.links[index].is_cold(1, 0) || self.links[index].is_overdue(self.now) {
            list(&mut self.polled, &mut self.links, index);
        }
    }
}

/// Puts a link among those polled, if it is not there.
fn list<S: Read + Write>(polled: &mut VecDeque<usize>, links: &mut [Link<S>], index: usize) {
    let Some(link) = links.get_mut(index) else {
        return;
    };
    link.wake();
    if !link.listed {
        link.listed = true;
        polled.push_back(index);
    }
}

impl<D: Dial> MatchingVenue for OuchVenue<D> {
    /// Takes an order for a session's link; see [`MatchingVenue::submit`].
    ///
    /// # Panics
    /// If the session or the instrument is not in the configuration.
    #[inline]
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
        let index = order.get().session.index();
        let link = &mut self.links[index];
        let taken = link.submit(order.get(), raw, &mut shared);
        link.wake();
        if !link.listed {
            link.listed = true;
            self.polled.push_back(index);
        }
        if taken {
            if !link.unsent {
                link.unsent = true;
                self.unsent.push(index);
            }
            return Ok(());
        }
        self.counters.given_back += 1;
        Err(order)
    }

    fn send(&mut self, now: Timestamp) {
        self.now = self.now.later(now);
        let mut shared = Shared {
            config: &self.config,
            orders: &mut self.orders,
            counters: &mut self.counters,
            now: self.now,
        };
        while let Some(index) = self.unsent.pop() {
            self.links[index].send_submitted(&mut shared);
        }
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        self.now = self.now.later(now);
        self.polls_since_asked += 1;
        let crowd = self.crowd.is_crowd();
        let none_polled = self.polled.is_empty();
        if none_polled || crowd || self.polls_since_asked >= ASK_EVERY_POLLS {
            self.ask_system();
            self.look_after_one();
        }
        let mut shared = Shared {
            config: &self.config,
            orders: &mut self.orders,
            counters: &mut self.counters,
            now: self.now,
        };
        let count = self.polled.len();
        // In a crowd each is left to the poller after its first.
        let reads_max = if crowd { 1 } else { IDLE_READS_MAX as u64 };
        let (mut told, mut done) = (0, 0);
        let mut all_listed = true;
        for &index in &self.polled {
            let link = &mut self.links[index];
            let work = link.poll(&mut self.dial, &mut shared, budget - told, sink);
            told += work.told;
            done += work.done;
            if work.done > 0 {
                self.crowd.spoke(index);
            }
            let stays = !(self.told_apart && link.is_cold(count, reads_max));
            link.settle(&mut self.dial, stays, !crowd);
            all_listed &= link.listed;
        }
        if !all_listed {
            let links = &self.links;
            self.polled.retain(|index| links[*index].listed);
        }
        if self.polled.len() > 1 {
            self.polled.rotate_left(1);
        }
        told + done
    }

    fn is_idle(&self) -> bool {
        self.links.iter().all(Link::is_idle)
    }
}

//! Flow out of a seed: arrivals that excite each other, makers and takers around a walking mid
//! price, and deliberately bad orders of each kind.
//!
//! **Thread.** The driver's.
//! **Invariants.** Equal seeds and equal news of closed orders give equal intents. Memory: at most
//! `resting_max` handles an instrument and one burst.
//! **Never.** A float: arrival times are fixed-point numbers.

mod arrivals;
mod faults;
#[cfg(test)]
mod tests;

pub use faults::FaultKind;

use crate::config::GeneratorConfig;
use crate::intent::{Act, Enter, Flaw, Intent, Lane, Listing};
use crate::random::Random;
use crate::venue::{LaneSpec, Venue};
use arrivals::Arrivals;
use portcullis_domain::Side;
use portcullis_wire::ouch50::{OUCH50, TimeInForce};
use std::collections::VecDeque;

/// Out of this many regular events...
const REGULAR: u64 = 100;
/// ... so many are new resting orders,
const MAKES: u64 = 50;
/// ... up to here replaces,
const REPLACES: u64 = 70;
/// ... up to here cancels; the rest takes.
const CANCELS: u64 = 85;
/// One taker in so many goes in without a limit.
const MARKET_ONE_IN: u64 = 10;
/// Resting prices lie up to this many ticks from the mid.
const DEPTH_TICKS: u64 = 12;

/// Generated flow as a sequence of intents.
#[derive(Debug)]
pub(crate) struct GeneratedFeed {
    config: GeneratorConfig,
    random: Random,
    arrivals: Arrivals,
    books: Vec<Book>,
    /// Instruments that regular flow trades.
    regular: Vec<usize>,
    queue: VecDeque<Act>,
    next_handle: u64,
    events: u64,
    faults: faults::Faults,
}

/// What the generator knows of one instrument.
#[derive(Debug)]
struct Book {
    mid_ticks: u64,
    low_ticks: u64,
    high_ticks: u64,
    /// Orders that it entered and has not cancelled.
    resting: Vec<Made>,
}

#[derive(Clone, Copy, Debug)]
struct Made {
    handle: u64,
    side: Side,
}

impl GeneratedFeed {
    pub(crate) fn new(config: &GeneratorConfig, seed: u64, venue: &Venue) -> Self {
        let books = venue
            .instruments
            .iter()
            .map(|instrument| {
                let mid = instrument.mid_ticks;
                let band = mid * u64::from(config.band_ppm.min(500_000)) / 1_000_000;
                Book {
                    mid_ticks: mid,
                    low_ticks: mid - band,
                    high_ticks: mid + band,
                    resting: Vec::new(),
                }
            })
            .collect();
        let tradable = |index: &usize| {
            let open = |instrument: &crate::venue::Instrument| !instrument.restricted;
            let somebody = venue.lanes.iter().any(|lane| may_trade(lane, *index));
            venue.instruments.get(*index).is_some_and(open) && somebody
        };
        Self {
            arrivals: Arrivals::new(config),
            random: Random::new(seed),
            books,
            regular: (0..venue.instruments.len()).filter(tradable).collect(),
            queue: VecDeque::new(),
            next_handle: 0,
            events: 0,
            faults: faults::Faults::new(config, venue),
            config: config.clone(),
        }
    }

    /// The next intent; `None` after `events_max` events.
    pub(crate) fn next(&mut self, venue: &Venue) -> Option<Intent> {
        if self.queue.is_empty() {
            if self.config.events_max.is_some_and(|max| self.events >= max) {
                return None;
            }
            self.events += 1;
            self.arrivals.advance(&mut self.random);
            self.event(venue);
        }
        let act = self.queue.pop_front()?;
        Some(Intent {
            due_ns: self.arrivals.now_ns(),
            meets: false,
            act,
        })
    }

    /// An order is closed and cannot be replaced or cancelled any more.
    pub(crate) fn closed(&mut self, handle: u64) {
        for book in &mut self.books {
            if let Some(at) = book.resting.iter().position(|made| made.handle == handle) {
                book.resting.swap_remove(at);
                return;
            }
        }
    }

    /// Bad messages made so far, by kind.
    pub(crate) fn faults_made(&self) -> Vec<(FaultKind, u64)> {
        self.faults.made()
    }

    fn event(&mut self, venue: &Venue) {
        let bad = self.random.chance_ppm(self.config.fault_ppm);
        if (bad || self.regular.is_empty()) && self.fault(venue) {
            return;
        }
        let Some(instrument) = self.regular_instrument() else {
            // Only restricted instruments, and no fault can be made: a cancel of nothing keeps the
            // clock running.
            self.queue.push_back(Act::CancelDead(Lane(0)));
            return;
        };
        self.walk(instrument);
        let draw = self.random.below(REGULAR);
        let full = self
            .books
            .get(instrument)
            .is_some_and(|book| book.resting.len() >= self.config.resting_max);
        let act = match draw {
            _ if full => self.cancel(instrument),
            0..MAKES => self.make(instrument, venue),
            MAKES..REPLACES => self.replace(instrument, venue),
            REPLACES..CANCELS => self.cancel(instrument),
            _ => self.take(instrument, venue),
        };
        let act = act.or_else(|| self.make(instrument, venue));
        self.queue.extend(act);
    }

    fn regular_instrument(&mut self) -> Option<usize> {
        let at = self.random.index(self.regular.len());
        self.regular.get(at).copied()
    }

    /// The mid price moves by a tick now and then, and stays in its band.
    fn walk(&mut self, instrument: usize) {
        let draw = self.random.below(20);
        if let Some(book) = self.books.get_mut(instrument) {
            let moved = match draw {
                0 => book.mid_ticks + 1,
                1 => book.mid_ticks - 1,
                _ => book.mid_ticks,
            };
            book.mid_ticks = moved.clamp(book.low_ticks, book.high_ticks);
        }
    }

    fn mid(&self, instrument: usize) -> u64 {
        self.books.get(instrument).map_or(0, |book| book.mid_ticks)
    }

    /// A lane that may trade the instrument, looked for from a random one on.
    fn lane(&mut self, instrument: usize, venue: &Venue) -> Option<Lane> {
        let lanes = venue.lanes.len();
        let start = self.random.index(lanes);
        (0..lanes)
            .map(|step| (start + step) % lanes)
            .find(|lane| {
                let spec = venue.lanes.get(*lane);
                spec.is_some_and(|spec| may_trade(spec, instrument))
            })
            .map(Lane)
    }

    fn side(&mut self) -> Side {
        if self.random.below(2) == 0 {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    fn quantity(&mut self, lot_wire: u32) -> u32 {
        let most = u64::from(self.config.qty_max_lots.max(1));
        let lots = 1 + self.random.below(most);
        // Both factors are below 2^32; what is beyond the dialect is cut to its largest order.
        (lots * u64::from(lot_wire)).min(u64::from(OUCH50.qty_max_wire)) as u32
    }

    /// A price that rests on its side of the mid.
    fn passive_price(&mut self, instrument: usize, side: Side, tick_wire: u64) -> u64 {
        let away = 1 + self.random.below(DEPTH_TICKS);
        let mid = self.mid(instrument);
        let ticks = match side {
            Side::Buy => mid.saturating_sub(away).max(1),
            Side::Sell => mid + away,
        };
        ticks * tick_wire
    }

    fn make(&mut self, instrument: usize, venue: &Venue) -> Option<Act> {
        let spec = venue.instruments.get(instrument)?;
        let lane = self.lane(instrument, venue)?;
        let side = self.side();
        let handle = self.next_handle;
        self.next_handle += 1;
        let price = self.passive_price(instrument, side, spec.tick_wire);
        self.books
            .get_mut(instrument)?
            .resting
            .push(Made { handle, side });
        Some(Act::Enter(Enter {
            handle: Some(handle),
            lane,
            listing: Listing::Known(instrument),
            side,
            quantity: self.quantity(spec.lot_wire),
            price,
            time_in_force: TimeInForce::Day,
            flaw: Flaw::None,
        }))
    }

    fn take(&mut self, instrument: usize, venue: &Venue) -> Option<Act> {
        let spec = venue.instruments.get(instrument)?;
        let lane = self.lane(instrument, venue)?;
        let side = self.side();
        let [market, _] = OUCH50.price_market_wire;
        let limit = self.passive_price(instrument, side.opposite(), spec.tick_wire);
        let price = if self.random.below(MARKET_ONE_IN) == 0 {
            market
        } else {
            limit
        };
        Some(Act::Enter(Enter {
            handle: None,
            lane,
            listing: Listing::Known(instrument),
            side,
            quantity: self.quantity(spec.lot_wire),
            price,
            time_in_force: TimeInForce::Ioc,
            flaw: Flaw::None,
        }))
    }

    fn replace(&mut self, instrument: usize, venue: &Venue) -> Option<Act> {
        let spec = venue.instruments.get(instrument)?;
        let made = self.pick(instrument)?;
        Some(Act::Replace {
            handle: made.handle,
            open: self.quantity(spec.lot_wire),
            price: self.passive_price(instrument, made.side, spec.tick_wire),
        })
    }

    fn cancel(&mut self, instrument: usize) -> Option<Act> {
        let made = self.pick(instrument)?;
        self.closed(made.handle);
        Some(Act::Cancel {
            handle: made.handle,
            open: 0,
        })
    }

    fn pick(&mut self, instrument: usize) -> Option<Made> {
        let len = self.books.get(instrument)?.resting.len();
        let at = self.random.index(len);
        self.books.get(instrument)?.resting.get(at).copied()
    }
}

/// Whether generated flow may trade the instrument through this lane.
fn may_trade(lane: &LaneSpec, instrument: usize) -> bool {
    !lane.manual && !lane.barred.contains(&instrument)
}

//! A venue with one planted defect, to prove that a run's figures would show it.
//!
//! Owned by the venue agent's thread. Invariant: exactly one report is touched, the first that can
//! be; all else passes through unchanged.

use std::collections::VecDeque;

use portcullis_domain::{OrderKey, Price, ReportKind, SessionId, Side, Timestamp, VenueReport};
use portcullis_venue::{Approved, MatchingVenue, OutboundAction, OutboundOrder, VenueSink};

/// Orders whose side is remembered.
const SIDES_MAX: usize = 4_096;

/// A defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// The end of one cancelled order is never told: its hold stays for ever.
    LeakedHold,
    /// One side of one trade is told a price one tick better than the other side's: within its
    /// limit, and the money of the venue no longer sums to what came in.
    LostMoney,
}

/// A venue whose reports pass through but for one.
#[derive(Debug)]
pub struct Planted<V> {
    engine: V,
    plant: Plant,
    /// Reports that could have been touched and are to be let through first.
    spared: u64,
    planted: bool,
    sides: VecDeque<(OrderKey, Side)>,
}

impl<V: MatchingVenue> Planted<V> {
    /// Plants a defect in the first report that can have it after `spared` of them.
    #[must_use]
    pub fn new(engine: V, plant: Plant, spared: u64) -> Self {
        Self {
            engine,
            plant,
            spared,
            planted: false,
            sides: VecDeque::with_capacity(SIDES_MAX),
        }
    }

    /// Whether the defect is in.
    #[must_use]
    pub const fn planted(&self) -> bool {
        self.planted
    }

    /// The engine behind it.
    #[must_use]
    pub const fn engine(&self) -> &V {
        &self.engine
    }

    /// The engine behind it, to be asked for things beyond the trait.
    pub const fn engine_mut(&mut self) -> &mut V {
        &mut self.engine
    }

    fn note(&mut self, order: &OutboundOrder) {
        match order.action {
            OutboundAction::Enter { .. } | OutboundAction::Replace { .. } => {
                if self.sides.len() == SIDES_MAX {
                    self.sides.pop_front();
                }
                let key = OrderKey::new(order.session, order.user_ref);
                self.sides.push_back((key, order.side));
            }
            OutboundAction::Cancel { .. } => {}
        }
    }
}

impl<V: MatchingVenue> MatchingVenue for Planted<V> {
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        let sent = *order.get();
        self.engine.submit(order, raw)?;
        if self.plant == Plant::LostMoney && !self.planted {
            self.note(&sent);
        }
        Ok(())
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        let mut planting = Planting {
            sink,
            plant: self.plant,
            spared: &mut self.spared,
            planted: &mut self.planted,
            sides: &self.sides,
        };
        self.engine.poll(now, budget, &mut planting)
    }

    fn is_idle(&self) -> bool {
        self.engine.is_idle()
    }
}

/// The sink of one poll.
struct Planting<'a, S> {
    sink: &'a mut S,
    plant: Plant,
    spared: &'a mut u64,
    planted: &'a mut bool,
    sides: &'a VecDeque<(OrderKey, Side)>,
}

impl<S: VenueSink> VenueSink for Planting<'_, S> {
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        let changed = if *self.planted {
            None
        } else {
            self.change(&report)
        };
        match changed {
            None => self.sink.on_report(report, raw),
            Some(_) if *self.spared > 0 => {
                *self.spared -= 1;
                self.sink.on_report(report, raw);
            }
            Some(instead) => {
                *self.planted = true;
                if let Some(report) = instead {
                    // The client's bytes still say the true price: only the ledger is robbed.
                    self.sink.on_report(report, raw);
                }
            }
        }
    }

    fn on_link(&mut self, session: SessionId, up: bool) {
        self.sink.on_link(session, up);
    }
}

impl<S> Planting<'_, S> {
    /// What stands in the place of a report that can have the defect: another one, or nothing.
    fn change(&self, report: &VenueReport) -> Option<Option<VenueReport>> {
        match (self.plant, report.kind) {
            (Plant::LeakedHold, ReportKind::Canceled) => Some(None),
            (
                Plant::LostMoney,
                ReportKind::Fill {
                    qty,
                    price,
                    match_number,
                    fee,
                },
            ) => {
                let key = OrderKey::new(report.session, report.user_ref);
                let (_, side) = self.sides.iter().find(|(known, _)| *known == key)?;
                let price = better(*side, price)?;
                let kind = ReportKind::Fill {
                    qty,
                    price,
                    match_number,
                    fee,
                };
                Some(Some(VenueReport { kind, ..*report }))
            }
            (Plant::LeakedHold | Plant::LostMoney, _) => None,
        }
    }
}

/// One tick better for that side, which no limit forbids; `None` where there is no such price.
const fn better(side: Side, price: Price) -> Option<Price> {
    match side {
        Side::Buy if price.ticks() < 2 => None,
        Side::Buy => Some(Price::new(price.ticks() - 1)),
        Side::Sell => Some(Price::new(price.ticks() + 1)),
    }
}

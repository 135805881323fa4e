//! The demo's tour: orders aimed at the checks that random flow meets too rarely.
//!
//! The clients' thread. What is sent goes through the same sockets and is counted and checked like
//! the rest. Invariants: each step leaves no order behind that a later one needs out of its way;
//! nothing here looks into the gateway. Must never be run on a config other than the demo's own.

use super::prices::Prices;
use portcullis_domain::Side;
use portcullis_flow::{Act, Driver, Enter, Flaw, FlowConfig, FlowError, Lane, Listing};
use portcullis_wire::ouch50::TimeInForce;
use std::time::Duration;

/// The tour's own instrument: its lot in shares, and its tick and its price in wire units.
const LOT: u32 = 10;
const TICK: u64 = 1_000;
const FAIR: u64 = 1_000_000;

/// Above every handle that the generator gives.
const FIRST_HANDLE: u64 = 1 << 62;
/// One more than the versions an order may have unanswered, and one that names the refused one.
const REPLACES: u64 = 6;
/// After this the small firm's rate limit has let go.
const FIRM_RATE_RECOVERS: Duration = Duration::from_millis(150);
/// After this the prices of a feed that was silent are there again.
const FEED_RECOVERS: Duration = Duration::from_millis(50);
/// Rounds over all accounts and instruments that come at once: the order ring holds fewer.
const FLOOD_ROUNDS: u64 = 8;
/// Orders sent before a look at whether any was refused, and how often.
const STUFFING: u64 = 50;
const STUFFING_ROUNDS: u32 = 30;

/// Before the flow, while every account is flat.
pub(super) fn begin(driver: &mut Driver, flow: &FlowConfig) -> Result<(), FlowError> {
    let mut tour = Tour { driver, flow };
    tour.malformed()?;
    tour.narrow_limits()?;
    tour.pending_replaces()?;
    tour.small_firm()?;
    tour.rates()?;
    tour.loss()?;
    tour.spike()?;
    driver.cancel_all()?;
    Ok(())
}

/// After the flow, while its orders rest.
pub(super) fn end(
    driver: &mut Driver,
    flow: &FlowConfig,
    prices: &Prices,
) -> Result<(), FlowError> {
    for index in 0..prices.len() {
        prices.silence(index, false);
    }
    std::thread::sleep(FEED_RECOVERS);
    let mut tour = Tour { driver, flow };
    tour.flood(prices)?;
    tour.fill_positions(prices)?;
    tour.fill_orders(prices)
}

struct Tour<'a> {
    driver: &'a mut Driver,
    flow: &'a FlowConfig,
}

impl Tour<'_> {
    /// QUANTITY_INVALID, PRICE_INVALID, LOT_INVALID, MESSAGE_UNSUPPORTED, REFERENCE_MISSING.
    fn malformed(&mut self) -> Result<(), FlowError> {
        let plain = self.buy("wide-1", 1);
        for bad in [
            Enter {
                quantity: 0,
                ..plain
            },
            Enter {
                price: FAIR * 8 / 5,
                ..plain
            },
            Enter {
                quantity: LOT / 2,
                ..plain
            },
            Enter {
                flaw: Flaw::Hidden,
                ..plain
            },
            Enter {
                listing: self.listing("NEWI"),
                ..plain
            },
        ] {
            self.settled(bad)?;
        }
        Ok(())
    }

    /// NOTIONAL_MAX, POSITION_MAX, OPEN_NOTIONAL_MAX, OI_CAP, OI_SHARE, MARGIN, ACCOUNT_VOLUME.
    fn narrow_limits(&mut self) -> Result<(), FlowError> {
        for (account, lots) in [
            ("narrow", 11),
            ("narrow", 6),
            ("narrow", 4),
            ("wide-1", 41),
            ("wide-1", 26),
            ("poor", 1),
            ("careful", 13),
        ] {
            self.settled(self.buy(account, lots))?;
        }
        Ok(())
    }

    /// REPLACE_PENDING: all in one segment, so that the first is not answered before the last.
    fn pending_replaces(&mut self) -> Result<(), FlowError> {
        let handle = FIRST_HANDLE;
        self.settled(Enter {
            handle: Some(handle),
            price: FAIR - 10 * TICK,
            ..self.buy("wide-1", 1)
        })?;
        for step in 1..=REPLACES {
            let price = FAIR - (10 + step) * TICK;
            self.driver.send(Act::Replace {
                handle,
                open: LOT,
                price,
            })?;
        }
        self.driver.settle()?;
        self.driver.send(Act::Cancel { handle, open: 0 })?;
        self.driver.settle().map(drop)
    }

    /// FIRM_OPEN_NOTIONAL_MAX, FIRM_OPEN_ORDERS_MAX, FIRM_RATE.
    fn small_firm(&mut self) -> Result<(), FlowError> {
        self.settled(self.buy("sapling", 20))?;
        for ticks in 10..14 {
            self.settled(Enter {
                price: FAIR - ticks * TICK,
                ..self.buy("sapling", 1)
            })?;
        }
        self.driver.cancel_all()?;
        std::thread::sleep(FIRM_RATE_RECOVERS);
        self.burst(self.immediate(self.buy("sapling", 1)), 10)
    }

    /// RATE and SESSION_RATE.
    fn rates(&mut self) -> Result<(), FlowError> {
        for (account, symbol) in [("trader-2", "IDXF"), ("small-3", "PERP")] {
            let index = self.index(symbol);
            let spec = &self.flow.instruments[index];
            let order = self.immediate(Enter {
                listing: Listing::Known(index),
                quantity: spec.lot_wire,
                price: spec.mid_ticks * spec.tick_wire,
                ..self.buy(account, 1)
            });
            self.burst(order, 80)?;
        }
        Ok(())
    }

    /// LOSS_MAX: buys above the reference, and wants more.
    fn loss(&mut self) -> Result<(), FlowError> {
        let price = FAIR + 10 * TICK;
        self.settled(Enter {
            price,
            side: Side::Sell,
            ..self.buy("wide-1", 10)
        })?;
        let buy = self.buy("careful", 10);
        self.settled(self.immediate(Enter { price, ..buy }))?;
        self.settled(self.buy("careful", 1))
    }

    /// VOLUME_SPIKE: several accounts, since none can do it alone.
    fn spike(&mut self) -> Result<(), FlowError> {
        for account in ["wide-1", "wide-2", "wide-3", "wide-2", "wide-3"] {
            let order = self.immediate(Enter {
                price: FAIR - 5 * TICK,
                ..self.buy(account, 25)
            });
            self.settled(order)?;
        }
        Ok(())
    }

    /// OVERLOADED: the generated flow's sessions all at once. What passes rests far from the market.
    fn flood(&mut self, prices: &Prices) -> Result<(), FlowError> {
        let lanes = self.flow.sessions.iter().flat_map(|s| &s.accounts);
        let lanes: Vec<_> = lanes
            .enumerate()
            .filter(|(_, account)| !account.manual)
            .map(|(lane, account)| (Lane(lane), account.barred.clone()))
            .collect();
        for round in 0..FLOOD_ROUNDS {
            for (lane, barred) in &lanes {
                for index in (0..prices.len()).filter(|index| !barred.contains(index)) {
                    let order = self.far(*lane, index, prices, round);
                    self.driver.send(Act::Enter(order))?;
                }
            }
        }
        self.driver.settle().map(drop)
    }

    /// POSITIONS_FULL: accounts that had no part in the flow enter each instrument.
    fn fill_positions(&mut self, prices: &Prices) -> Result<(), FlowError> {
        for account in ["filler-1", "filler-2", "filler-3", "filler-4", "filler-5"] {
            for symbol in ["PERP", "IDXF", "MTLF", "CASH"] {
                let order = self.far(self.lane(account), self.index(symbol), prices, 0);
                self.settled(order)?;
            }
        }
        Ok(())
    }

    /// ORDERS_FULL.
    fn fill_orders(&mut self, prices: &Prices) -> Result<(), FlowError> {
        let (lane, index) = (self.lane("filler-1"), self.index("PERP"));
        let refused = self.driver.progress().refused;
        for _ in 0..STUFFING_ROUNDS {
            for step in 0..STUFFING {
                let order = self.far(lane, index, prices, step);
                self.driver.send(Act::Enter(order))?;
            }
            self.driver.settle()?;
            if self.driver.progress().refused > refused {
                break;
            }
        }
        Ok(())
    }

    /// One lot bought some 2% below what the instrument costs now.
    fn far(&self, lane: Lane, index: usize, prices: &Prices, step: u64) -> Enter {
        let spec = &self.flow.instruments[index];
        let ticks = prices.now(index).unsigned_abs() * 98 / 100;
        Enter {
            lane,
            listing: Listing::Known(index),
            quantity: spec.lot_wire,
            price: (ticks - step) * spec.tick_wire,
            ..self.buy("wide-1", 1)
        }
    }

    /// A resting buy of the tour's own instrument at its fair price.
    fn buy(&self, account: &str, lots: u32) -> Enter {
        Enter {
            handle: None,
            lane: self.lane(account),
            listing: self.listing("DEMF"),
            side: Side::Buy,
            quantity: lots * LOT,
            price: FAIR,
            time_in_force: TimeInForce::Day,
            flaw: Flaw::None,
        }
    }

    fn immediate(&self, enter: Enter) -> Enter {
        Enter {
            time_in_force: TimeInForce::Ioc,
            ..enter
        }
    }

    fn settled(&mut self, enter: Enter) -> Result<(), FlowError> {
        self.driver.send(Act::Enter(enter))?;
        self.driver.settle().map(drop)
    }

    /// Equal orders as fast as the window allows.
    fn burst(&mut self, enter: Enter, len: u32) -> Result<(), FlowError> {
        for _ in 0..len {
            self.driver.send(Act::Enter(enter))?;
        }
        self.driver.settle().map(drop)
    }

    fn listing(&self, symbol: &str) -> Listing {
        Listing::Known(self.index(symbol))
    }

    fn index(&self, symbol: &str) -> usize {
        let mut all = self.flow.instruments.iter();
        all.position(|instrument| instrument.symbol == symbol)
            .expect("the demo's own config has it")
    }

    fn lane(&self, account: &str) -> Lane {
        let mut all = self.flow.sessions.iter().flat_map(|s| &s.accounts);
        let lane = all.position(|spec| spec.label == account);
        Lane(lane.expect("the demo's own config has it"))
    }
}

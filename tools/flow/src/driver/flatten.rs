//! Bringing every account back to flat through the gateway.
//!
//! **Thread.** The caller's.
//! **Invariants.** Each trade is between an account that is long and one that is short, so that it
//! brings both nearer to flat: a limit order of the one, then an immediate order of the other at the
//! same price. Positions are those of the executions received.
//! **Never.** Leave an order behind, or open a position.
//!
//! Works on an empty book: call it after [`Driver::cancel_all`]. Orders of others at the price would
//! trade first; what is left then is tried again.

use super::Driver;
use crate::error::FlowError;
use crate::intent::{Enter, Flaw, Lane, Listing};
use crate::positions::OpenPosition;
use portcullis_domain::Side;
use portcullis_wire::ouch50::TimeInForce;
use std::time::{Duration, Instant};

/// Rounds without any progress after which what is left stays.
const IDLE_ROUNDS_MAX: u32 = 20;
/// How long to wait after such a round: a rate limit has to let go first.
const IDLE_WAIT: Duration = Duration::from_millis(100);

impl Driver {
    /// Trades opposite positions against each other until all accounts are flat. `prices` holds a
    /// wire price for each instrument; where it has none, the last execution's price is taken, and
    /// without one the configured mid. Returns what is left.
    ///
    /// # Errors
    /// The poll failed, or every session is lost.
    pub fn flatten(&mut self, prices: &[Option<u64>]) -> Result<Vec<OpenPosition>, FlowError> {
        self.phase = "flatten";
        self.settle()?;
        let mut idle = 0;
        while idle < IDLE_ROUNDS_MAX {
            let mut moved = false;
            let mut opposed = false;
            for instrument in 0..self.venue.instruments.len() {
                let price = prices.get(instrument).copied().flatten();
                let price = price
                    .or(self.positions.last_price(instrument))
                    .unwrap_or_else(|| self.first_mid(instrument));
                let (any, progress) = self.cross_all(instrument, price)?;
                opposed |= any;
                moved |= progress;
            }
            if !opposed {
                break;
            }
            if moved {
                idle = 0;
            } else {
                idle += 1;
                self.rest(IDLE_WAIT)?;
            }
        }
        Ok(self.open_positions())
    }

    fn first_mid(&self, instrument: usize) -> u64 {
        let spec = self.venue.instruments.get(instrument);
        spec.map_or(0, |spec| spec.mid_ticks.saturating_mul(spec.tick_wire))
    }

    /// One pass over the opposite accounts of an instrument. Whether there were any, and whether
    /// something traded.
    fn cross_all(&mut self, instrument: usize, price: u64) -> Result<(bool, bool), FlowError> {
        let accounts = self.venue.accounts.len();
        let (mut any, mut moved) = (false, false);
        let (mut long, mut short) = (0, 0);
        loop {
            while long < accounts && self.positions.net(long, instrument) <= 0 {
                long += 1;
            }
            while short < accounts && self.positions.net(short, instrument) >= 0 {
                short += 1;
            }
            if long == accounts || short == accounts {
                return Ok((any, moved));
            }
            any = true;
            let before = self.positions.net(long, instrument);
            self.cross(long, short, instrument, price)?;
            if self.positions.net(long, instrument) == before {
                // This pair does not trade now; try the next one, first on the other side.
                if self.next_short(short, instrument) < accounts {
                    short = self.next_short(short, instrument);
                } else {
                    long += 1;
                    short = 0;
                }
            } else {
                moved = true;
            }
        }
    }

    fn next_short(&self, short: usize, instrument: usize) -> usize {
        let accounts = self.venue.accounts.len();
        (short + 1..accounts)
            .find(|account| self.positions.net(*account, instrument) < 0)
            .unwrap_or(accounts)
    }

    /// One trade between two accounts.
    fn cross(
        &mut self,
        long: usize,
        short: usize,
        instrument: usize,
        price: u64,
    ) -> Result<(), FlowError> {
        let Some(spec) = self.venue.instruments.get(instrument) else {
            return Ok(());
        };
        let most = i64::from(spec.qty_max_wire - spec.qty_max_wire % spec.lot_wire);
        let sells = self.positions.net(long, instrument);
        let buys = -self.positions.net(short, instrument);
        let quantity = sells.min(buys).min(most);
        let Ok(quantity @ 1..) = u32::try_from(quantity) else {
            return Ok(());
        };
        let order = |lane, side, time_in_force| Enter {
            handle: None,
            lane,
            listing: Listing::Known(instrument),
            side,
            quantity,
            price,
            time_in_force,
            flaw: Flaw::None,
        };
        let (Some(seller), Some(buyer)) = (
            self.lane_of(long, instrument),
            self.lane_of(short, instrument),
        ) else {
            return Ok(());
        };
        let resting = self.enter_settled(&order(seller, Side::Sell, TimeInForce::Day))?;
        let Some((session, first)) = resting else {
            return Ok(());
        };
        if self.is_open(session, first) {
            self.enter_settled(&order(buyer, Side::Buy, TimeInForce::Ioc))?;
        }
        if self.is_open(session, first) {
            // Its execution may still be on its way; the cancel's answer comes behind it.
            self.cancel_chain(session, first, 0);
            self.settle()?;
        }
        Ok(())
    }

    fn is_open(&self, session: usize, first: u32) -> bool {
        let checker = self.checkers.get(session);
        checker.is_some_and(|checker| checker.chain(first).is_some_and(|c| c.leaves() > 0))
    }

    /// A lane of the account whose session is there and that may trade the instrument.
    fn lane_of(&self, account: usize, instrument: usize) -> Option<Lane> {
        let usable = |spec: &crate::venue::LaneSpec| {
            let link = self.links.get(spec.session);
            spec.account == account
                && !spec.barred.contains(&instrument)
                && link.is_some_and(|link| link.is_active())
        };
        self.venue.lanes.iter().position(usable).map(Lane)
    }

    fn enter_settled(&mut self, enter: &Enter) -> Result<Option<(usize, u32)>, FlowError> {
        let Some(session) = self.session_of(enter.lane) else {
            return Ok(None);
        };
        while !self.has_room(session) {
            self.wait_for_answers()?;
        }
        let now = self.now_ns();
        let first = self.enter(enter, now);
        self.settle()?;
        Ok(first.map(|first| (session, first)))
    }

    /// Lets time pass, with heartbeats.
    fn rest(&mut self, span: Duration) -> Result<(), FlowError> {
        let start = Instant::now();
        while start.elapsed() < span {
            self.turn(span.saturating_sub(start.elapsed()))?;
        }
        Ok(())
    }
}

//! What an engine is made from.
//!
//! Plain values, judged once. Invariant: whatever passed is in the ranges of the ladder and of the
//! protocol.

use portcullis_domain::{Price, Qty};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{InstrumentScale, OUCH50};
use portcullis_wire::soupbin::{Password, UserName};
use std::fmt;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};

/// An engine.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Where it listens; port 0 for a free one.
    pub listen: SocketAddr,
    /// One session each.
    pub users: Vec<EngineUser>,
    /// What it trades.
    pub instruments: Vec<TradedInstrument>,
    /// Orders that can rest at a time.
    pub orders_max: u32,
}

/// Who may log in.
#[derive(Clone, Debug)]
pub struct EngineUser {
    /// The name.
    pub user: UserName,
    /// The password.
    pub password: Password,
}

/// An instrument.
#[derive(Clone, Copy, Debug)]
pub struct TradedInstrument {
    /// Its symbol.
    pub symbol: Alpha<8>,
    /// Wire units against ticks and lots.
    pub scale: InstrumentScale,
}

impl TradedInstrument {
    /// An instrument of this tick, in units of the wire's prices, and lot, in its quantities.
    ///
    /// # Errors
    /// What cannot be said on the wire.
    pub fn new(symbol: &str, tick_wire: u64, lot_wire: u32) -> Result<Self, SetupError> {
        let wrong = |what: &str| SetupError(format!("instrument {symbol}: {what}"));
        let name = Alpha::new(symbol.as_bytes());
        let name = name.ok_or_else(|| wrong("a symbol has 1 to 8 characters of ASCII"))?;
        let tick = NonZeroU64::new(tick_wire).ok_or_else(|| wrong("the tick is above 0"))?;
        let lot = NonZeroU32::new(lot_wire).ok_or_else(|| wrong("the lot is above 0"))?;
        let (price_max, qty_max) = most(tick, lot);
        let scale = OUCH50.fits(tick, lot, Price::new(1), price_max, qty_max);
        Ok(Self {
            symbol: name,
            scale: scale.map_err(|error| wrong(&error.to_string()))?,
        })
    }

    /// The highest price and the largest quantity that the wire can say.
    pub(crate) fn most(&self) -> (Price, Qty) {
        most(self.scale.tick_wire(), self.scale.lot_wire())
    }
}

fn most(tick: NonZeroU64, lot: NonZeroU32) -> (Price, Qty) {
    let price = OUCH50.price_max_wire / tick.get();
    let qty = OUCH50.qty_max_wire / lot.get();
    // Both fit by far: the wire's most are below 2^33.
    (Price::new(price as i64), Qty::new(qty.into()))
}

/// Why an engine cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError(pub String);

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}

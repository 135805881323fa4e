//! The ladder's capacities and instruments, judged once before anything is allocated.
//!
//! Owned by no thread. Invariant: a configuration that [`LadderConfig::check`] passed makes no sum
//! or product in the ladder overflow (level sums, fees). It must never be changed after
//! construction.

use core::fmt;

use portcullis_domain::{HashSeed, Money, Price, Qty};

/// Most instruments a ladder may have.
const INSTRUMENTS_MAX: i128 = 1 << 16;
/// Most sessions; below the 24 bits of an order key.
const SESSIONS_MAX: i128 = 1 << 20;
/// Most resting orders.
const ORDERS_MAX: i128 = 1 << 26;
/// Most price levels; the top bit of a link tells a branch of the price tree from a level.
const LEVELS_MAX: i128 = 1 << 24;
/// Most commands waiting.
const INBOX_MAX: i128 = 1 << 20;
/// Most trades remembered.
const TRADES_MAX: i128 = 1 << 24;
/// Widest window: 64 words of 64 prices, which one summary word covers.
const WINDOW_TICKS_MAX: i128 = 64 * 64;

/// What each lot of a trade costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Fees {
    /// Quanta a lot for the resting side; negative is a rebate.
    pub maker_per_lot: Money,
    /// Quanta a lot for the arriving side; negative is a rebate.
    pub taker_per_lot: Money,
}

/// One instrument; its index in the list is its `InstrumentId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstrumentConfig {
    /// Largest open quantity of an order, in lots; times `orders_max` it must fit an i64.
    pub qty_max: Qty,
    /// Highest limit, in ticks.
    pub price_max: Price,
    /// Fees; times `qty_max` they must fit an i64.
    pub fees: Fees,
}

/// Capacities, all fixed at construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LadderConfig {
    /// The instruments; at least one.
    pub instruments: Vec<InstrumentConfig>,
    /// Session indices below this are known. An order of another is rejected (`SessionUnknown`).
    pub sessions_max: u32,
    /// Resting orders in all. Beyond: an order that could rest is rejected (`OrdersFull`).
    pub orders_max: u32,
    /// Price levels in all. Beyond: an order that could need a new one is rejected (`LevelsFull`).
    pub levels_max: u32,
    /// Commands waiting. Beyond: `submit` answers `Busy` and takes nothing.
    pub inbox_max: u32,
    /// Latest trades that can be busted. An older one is unknown, and its bust ignored.
    pub trades_max: u32,
    /// Prices of an instrument kept in a bitmap; a multiple of 64 up to 4,096. Others go to a tree.
    pub window_ticks: u32,
    /// Where orders lie in the table that finds them by their numbers, which others pick; nothing that the
    /// ladder says or saves depends on it.
    pub hash_seed: HashSeed,
}

impl LadderConfig {
    /// Says what is wrong, if anything is.
    ///
    /// # Errors
    /// The first field out of its range, with the range.
    pub fn check(&self) -> Result<(), ConfigError> {
        in_range(
            "instruments",
            None,
            self.instruments.len() as i128,
            1,
            INSTRUMENTS_MAX,
        )?;
        for (field, value, high) in [
            ("sessions_max", self.sessions_max, SESSIONS_MAX),
            ("orders_max", self.orders_max, ORDERS_MAX),
            ("levels_max", self.levels_max, LEVELS_MAX),
            ("inbox_max", self.inbox_max, INBOX_MAX),
            ("trades_max", self.trades_max, TRADES_MAX),
        ] {
            in_range(field, None, value.into(), 1, high)?;
        }
        in_range(
            "window_ticks",
            None,
            self.window_ticks.into(),
            64,
            WINDOW_TICKS_MAX,
        )?;
        let excess = i128::from(self.window_ticks % 64);
        in_range("window_ticks modulo 64", None, excess, 0, 0)?;
        for (index, instrument) in self.instruments.iter().enumerate() {
            self.check_instrument(index, instrument)?;
        }
        Ok(())
    }

    fn check_instrument(&self, index: usize, of: &InstrumentConfig) -> Result<(), ConfigError> {
        let at = Some(index);
        let widest = i128::from(i64::MAX);
        let qty_max = i128::from(of.qty_max.lots());
        in_range(
            "qty_max",
            at,
            qty_max,
            1,
            widest / i128::from(self.orders_max),
        )?;
        in_range("price_max", at, of.price_max.ticks().into(), 1, widest)?;
        let fee = widest / qty_max;
        in_range(
            "maker_per_lot",
            at,
            of.fees.maker_per_lot.quanta().into(),
            -fee,
            fee,
        )?;
        in_range(
            "taker_per_lot",
            at,
            of.fees.taker_per_lot.quanta().into(),
            -fee,
            fee,
        )
    }
}

/// A field of the configuration is out of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Which field.
    pub field: &'static str,
    /// Of which instrument, where it is one of an instrument.
    pub instrument: Option<usize>,
    /// What it holds.
    pub value: i128,
    /// The least it may hold.
    pub low: i128,
    /// The most it may hold.
    pub high: i128,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ladder config: `{}`", self.field)?;
        if let Some(index) = self.instrument {
            write!(f, " of instrument {index}")?;
        }
        let Self {
            value, low, high, ..
        } = self;
        write!(f, " is {value}; write a number from {low} to {high}")
    }
}

impl core::error::Error for ConfigError {}

fn in_range(
    field: &'static str,
    instrument: Option<usize>,
    value: i128,
    low: i128,
    high: i128,
) -> Result<(), ConfigError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ConfigError {
        field,
        instrument,
        value,
        low,
        high,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> LadderConfig {
        let instrument = InstrumentConfig {
            qty_max: Qty::new(1_000),
            price_max: Price::new(1_000_000),
            fees: Fees::default(),
        };
        LadderConfig {
            instruments: vec![instrument],
            sessions_max: 4,
            orders_max: 16,
            levels_max: 8,
            inbox_max: 4,
            trades_max: 4,
            window_ticks: 64,
            hash_seed: HashSeed::FIXED,
        }
    }

    type Spoil = fn(&mut LadderConfig);

    #[test]
    fn each_field_out_of_range_is_named() {
        assert_eq!(config().check(), Ok(()));
        let broken: [(&str, Spoil); 12] = [
            ("instruments", |c| c.instruments.clear()),
            ("sessions_max", |c| c.sessions_max = 0),
            ("orders_max", |c| c.orders_max = u32::MAX),
            ("levels_max", |c| c.levels_max = 0),
            ("inbox_max", |c| c.inbox_max = 0),
            ("trades_max", |c| c.trades_max = 0),
            ("window_ticks", |c| c.window_ticks = 8_192),
            ("window_ticks modulo 64", |c| c.window_ticks = 100),
            ("qty_max", |c| {
                c.instruments[0].qty_max = Qty::new(i64::MAX / 16 + 1)
            }),
            ("price_max", |c| c.instruments[0].price_max = Price::new(0)),
            ("maker_per_lot", |c| {
                c.instruments[0].fees.maker_per_lot = Money::new(i64::MAX / 999);
            }),
            ("taker_per_lot", |c| {
                c.instruments[0].fees.taker_per_lot = Money::new(i64::MIN);
            }),
        ];
        for (field, spoil) in broken {
            let mut spoiled = config();
            spoil(&mut spoiled);
            let error = spoiled.check().expect_err(field);
            assert_eq!(error.field, field);
            assert!(error.to_string().contains(field));
        }
    }
}

//! The reference price feed: `SYMBOL PRICE [EXCHANGE_TIME_NS]`, one price a line.
//!
//! Owned by whoever reads the feed's socket; the parser itself does no input or output. Invariants:
//! a line has a greatest length, whatever comes; a price is exactly on the instrument's tick or is
//! refused; a bad line costs itself alone. Allocates nothing after construction.

use crate::config::{Config, ReferenceSource};
use crate::decimal::{Decimal, DecimalError};
use crate::names::NameTable;
use core::fmt;
use portcullis_domain::{InstrumentId, Price, Timestamp};

/// The longest line in bytes, its end not counted.
pub const LINE_MAX: usize = 128;

/// A price that the feed gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedPrice {
    /// Of what.
    pub instrument: InstrumentId,
    /// In its ticks, above 0.
    pub price: Price,
    /// When the feed's source made it, if it says so. For people; validity counts from receipt.
    pub exchange_time: Option<Timestamp>,
}

/// Why a line gave no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedError {
    /// Longer than [`LINE_MAX`]; dropped up to its end.
    TooLong,
    /// Not UTF-8.
    NotText,
    /// Not two or three fields.
    FieldCount(usize),
    /// No instrument has this symbol.
    SymbolUnknown,
    /// The instrument takes its reference from elsewhere.
    NotFromFeed(InstrumentId),
    /// The price is no decimal.
    Price(DecimalError),
    /// The price is below 0: no instrument here can have that.
    PriceNegative(InstrumentId),
    /// The price is 0.
    PriceZero(InstrumentId),
    /// The price is between two ticks, or beyond what is counted.
    OffTick(InstrumentId),
    /// The time is no whole number of nanoseconds.
    Time,
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the line is longer than {LINE_MAX} bytes"),
            Self::NotText => f.write_str("the line is not UTF-8"),
            Self::FieldCount(count) => {
                write!(
                    f,
                    "{count} fields: write SYMBOL PRICE, or SYMBOL PRICE TIME_NS"
                )
            }
            Self::SymbolUnknown => f.write_str("no instrument has this symbol"),
            Self::NotFromFeed(_) => {
                f.write_str("the config takes this instrument's reference from elsewhere")
            }
            Self::Price(error) => write!(f, "the price is no decimal number: {error}"),
            Self::PriceNegative(_) => f.write_str("the price is negative, which no instrument has"),
            Self::PriceZero(_) => f.write_str("the price is 0"),
            Self::OffTick(_) => f.write_str("the price is no whole number of ticks"),
            Self::Time => f.write_str("the time is no whole number of nanoseconds"),
        }
    }
}

impl core::error::Error for FeedError {}

/// What the feed may price: symbols, ticks, and whether the config wants them from here.
#[derive(Clone, Debug)]
pub struct FeedBook {
    symbols: NameTable,
    ticks: Box<[(Decimal, bool)]>,
}

impl FeedBook {
    /// The instruments of a config.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let ticks = config.instruments.iter().map(|definition| {
            (
                definition.tick,
                definition.reference_from == ReferenceSource::Feed,
            )
        });
        Self {
            symbols: config.names.instruments.clone(),
            ticks: ticks.collect(),
        }
    }

    /// The price of a line without its end.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(&self, line: &str) -> Result<FeedPrice, FeedError> {
        let mut fields = line.split_ascii_whitespace();
        let (symbol, price, time) = match (fields.next(), fields.next(), fields.next()) {
            (Some(symbol), Some(price), time) if fields.next().is_none() => (symbol, price, time),
            _ => return Err(FeedError::FieldCount(line.split_ascii_whitespace().count())),
        };
        let index = self.symbols.find(symbol).ok_or(FeedError::SymbolUnknown)?;
        let instrument = InstrumentId::new(index);
        let (tick, wanted) = *self
            .ticks
            .get(instrument.index())
            .ok_or(FeedError::SymbolUnknown)?;
        if !wanted {
            return Err(FeedError::NotFromFeed(instrument));
        }
        let price = Decimal::parse(price).map_err(FeedError::Price)?;
        if price.is_negative() {
            return Err(FeedError::PriceNegative(instrument));
        }
        if !price.is_positive() {
            return Err(FeedError::PriceZero(instrument));
        }
        let ticks = price
            .in_units_of(tick)
            .ok_or(FeedError::OffTick(instrument))?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let exchange_time = match time {
            None => None,
            Some(text) if digits(text) => Some(Timestamp::from_ns(
                text.parse().map_err(|_| FeedError::Time)?,
            )),
            Some(_) => return Err(FeedError::Time),
        };
        Ok(FeedPrice {
            instrument,
            price: Price::new(ticks),
            exchange_time,
        })
    }
}

/// Cuts a feed's bytes into lines.
pub struct FeedParser {
    buffer: [u8; LINE_MAX],
    len: usize,
    /// The line in hand is too long: the rest of it is dropped.
    dropping: bool,
    lines: u64,
    malformed: u64,
}

impl Default for FeedParser {
    fn default() -> Self {
        Self {
            buffer: [0; LINE_MAX],
            len: 0,
            dropping: false,
            lines: 0,
            malformed: 0,
        }
    }
}

impl FeedParser {
    /// Takes bytes as they came, in whatever pieces; `on` gets each line's number, from 1, and its
    /// price or what is wrong with it. Empty lines are passed over: a feed may use them to be heard.
    pub fn push(
        &mut self,
        bytes: &[u8],
        book: &FeedBook,
        mut on: impl FnMut(u64, Result<FeedPrice, FeedError>),
    ) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.split_last() {
                Some((b'\n', rest)) => {
                    self.keep(rest);
                    self.line(book, &mut on);
                }
                _ if cfg!(feature = "planted-bug") => self.keep(piece.trim_ascii_start()),
                _ => self.keep(piece),
            }
        }
    }

    /// How many lines gave no price.
    #[must_use]
    pub const fn malformed(&self) -> u64 {
        self.malformed
    }

    /// How many lines there were.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    fn keep(&mut self, bytes: &[u8]) {
        match self.buffer.get_mut(self.len..self.len + bytes.len()) {
            Some(room) if !self.dropping => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            _ => self.dropping |= !bytes.is_empty(),
        }
    }

    fn line(&mut self, book: &FeedBook, on: &mut impl FnMut(u64, Result<FeedPrice, FeedError>)) {
        self.lines += 1;
        let line = self.buffer[..self.len].trim_ascii();
        let result = if self.dropping {
            Err(FeedError::TooLong)
        } else if line.is_empty() {
            self.len = 0;
            return;
        } else {
            str::from_utf8(line)
                .map_err(|_| FeedError::NotText)
                .and_then(|line| book.parse(line))
        };
        (self.len, self.dropping) = (0, false);
        self.malformed += u64::from(result.is_err());
        on(self.lines, result);
    }
}

#[cfg(test)]
mod tests;

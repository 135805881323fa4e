//! Net positions of the accounts, from executions received.
//!
//! **Thread.** The driver's.
//! **Invariants.** A position is the sum of the signed shares of all executions on the account's
//! orders, whichever session they came by.
//! **Never.** Ask the gateway: its own view is what this is compared with.

use crate::checker::Fill;
use crate::venue::Venue;
use portcullis_domain::Side;
use std::fmt;

/// A position that is not flat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPosition {
    /// Label of the account.
    pub account: String,
    /// Symbol of the instrument.
    pub symbol: String,
    /// Shares; long is positive.
    pub quantity: i64,
}

impl fmt::Display for OpenPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} holds {} of {}",
            self.account, self.quantity, self.symbol
        )
    }
}

/// Net shares by account and instrument, and the last price of each instrument.
#[derive(Debug)]
pub(crate) struct Positions {
    instruments: usize,
    net: Vec<i64>,
    last_price: Vec<Option<u64>>,
}

impl Positions {
    pub(crate) fn new(venue: &Venue) -> Self {
        let instruments = venue.instruments.len();
        Self {
            instruments,
            net: vec![0; instruments * venue.accounts.len()],
            last_price: vec![None; instruments],
        }
    }

    pub(crate) fn book(&mut self, fill: &Fill) {
        let quantity = i64::from(fill.quantity);
        if let Some(net) = self
            .net
            .get_mut(fill.account * self.instruments + fill.instrument)
        {
            *net += match fill.side {
                Side::Buy => quantity,
                Side::Sell => -quantity,
            };
        }
        if let Some(last) = self.last_price.get_mut(fill.instrument) {
            *last = Some(fill.price);
        }
    }

    pub(crate) fn net(&self, account: usize, instrument: usize) -> i64 {
        let at = account * self.instruments + instrument;
        self.net.get(at).copied().unwrap_or(0)
    }

    pub(crate) fn last_price(&self, instrument: usize) -> Option<u64> {
        self.last_price.get(instrument).copied().flatten()
    }

    pub(crate) fn open(&self, venue: &Venue) -> Vec<OpenPosition> {
        let mut open = Vec::new();
        for (account, label) in venue.accounts.iter().enumerate() {
            for (index, instrument) in venue.instruments.iter().enumerate() {
                let quantity = self.net(account, index);
                if quantity != 0 {
                    open.push(OpenPosition {
                        account: label.clone(),
                        symbol: instrument.symbol.to_string(),
                        quantity,
                    });
                }
            }
        }
        open
    }
}

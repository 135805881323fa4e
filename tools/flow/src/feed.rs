//! Where intents come from.
//!
//! **Thread.** The driver's.
//! **Invariants.** Due times never fall.
//! **Never.** Know a socket or a number of the wire.

use crate::config::{FlowConfig, Source};
use crate::error::FlowError;
use crate::intent::Intent;
use crate::mapping::{DbnCounts, DbnFeed};
use crate::synthesis::{FaultKind, GeneratedFeed};
use crate::venue::Venue;

/// An opened [`Source`].
pub(crate) enum Feed {
    Dbn(Box<DbnFeed>),
    Generated(Box<GeneratedFeed>),
    Manual,
}

impl Feed {
    pub(crate) fn open(config: &FlowConfig, venue: &Venue) -> Result<Self, FlowError> {
        Ok(match &config.source {
            Source::Dbn(path) => Feed::Dbn(Box::new(DbnFeed::open(path, config.seed, venue)?)),
            Source::Generated(generator) => {
                Feed::Generated(Box::new(GeneratedFeed::new(generator, config.seed, venue)))
            }
            Source::Manual => Feed::Manual,
        })
    }

    pub(crate) fn next(&mut self, venue: &Venue) -> Result<Option<Intent>, FlowError> {
        match self {
            Feed::Dbn(feed) => feed.next(venue),
            Feed::Generated(feed) => Ok(feed.next(venue)),
            Feed::Manual => Ok(None),
        }
    }

    /// An order of the feed is closed.
    pub(crate) fn closed(&mut self, handle: u64) {
        match self {
            Feed::Generated(feed) => feed.closed(handle),
            Feed::Dbn(_) | Feed::Manual => {}
        }
    }

    pub(crate) fn recorded(&self) -> Option<DbnCounts> {
        match self {
            Feed::Dbn(feed) => Some(feed.counts()),
            Feed::Generated(_) | Feed::Manual => None,
        }
    }

    pub(crate) fn faults_made(&self) -> Vec<(FaultKind, u64)> {
        match self {
            Feed::Generated(feed) => feed.faults_made(),
            Feed::Dbn(_) | Feed::Manual => Vec::new(),
        }
    }
}

//! What a standby answers on its control socket: where it is, and a promotion.
//!
//! Main thread. Must never change anything else: what is asked of a gateway is refused.

use super::promotion::{Promote, WITHIN};
use super::report::place;
use super::shared::Shared;
use crate::check::dialect;
use portcullis_control::config::{Config, DialectBounds};
use portcullis_control::ctl::{CtlBackend, KeepLimits, Outcome, Query, Ready};
use portcullis_domain::Command;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How long the following thread has to answer: a promotion, and a disk that is slow to return.
const ANSWER_WITHIN: Duration = WITHIN.saturating_mul(2);

const ONLY: &str = "this is a standby: it answers `state` and `promote`";

/// The desk of a standby.
pub(super) struct StandbyDesk {
    config: Arc<Config>,
    leader: SocketAddr,
    shared: Arc<Shared>,
    promotions: Sender<Promote>,
}

impl StandbyDesk {
    pub(super) const fn new(
        config: Arc<Config>,
        leader: SocketAddr,
        shared: Arc<Shared>,
        promotions: Sender<Promote>,
    ) -> Self {
        Self {
            config,
            leader,
            shared,
            promotions,
        }
    }

    /// Has the standby lead; what came of it.
    pub(super) fn promote(&mut self, force: bool) -> Result<String, String> {
        let (reply, answer) = channel();
        let gone = "it is ending";
        let order = Promote {
            force,
            begin_by: Instant::now() + ANSWER_WITHIN - WITHIN,
            reply,
        };
        self.promotions.send(order).map_err(|_| gone.to_owned())?;
        let promotion = answer.recv_timeout(ANSWER_WITHIN).map_err(|why| match why {
            RecvTimeoutError::Disconnected => gone.to_owned(),
            RecvTimeoutError::Timeout => format!(
                "no answer in {} s: it waits for its disk, or for that of its leader. Ask `state` whether it leads all the \
                 same; where it does not, see to the disks and ask again",
                ANSWER_WITHIN.as_secs()
            ),
        })??;
        Ok(format!(
            "leads term {} from record {} on",
            promotion.term.raw(),
            promotion.last_seq + 1
        ))
    }
}

impl CtlBackend for StandbyDesk {
    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config)
    }

    fn dialect(&self) -> Option<DialectBounds> {
        Some(dialect())
    }

    fn submit(&mut self, _: Command) -> Result<Outcome, String> {
        Err(ONLY.to_owned())
    }

    fn query(&mut self, query: Query) -> Result<String, String> {
        match query {
            Query::State => Ok(format!(
                "standby of {}\n{}",
                self.leader,
                place(&self.shared)
            )),
            Query::Promote { force } => self.promote(force),
            Query::Account(_) | Query::Explain { .. } => Err(ONLY.to_owned()),
        }
    }

    fn keep_limits(&self) -> KeepLimits {
        Box::new(|_, _| Err(ONLY.to_owned()))
    }

    fn install(&mut self, _: Ready) -> Result<Outcome, String> {
        Err(ONLY.to_owned())
    }
}

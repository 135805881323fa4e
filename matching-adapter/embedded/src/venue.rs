//! The venue: commands in, reports out.
//!
//! Owned by the venue agent's thread. Invariants: `origins` has one entry for each command in the
//! ladder's inbox, in its order, so that a report's command is known; links go up once, before the
//! first report; commands reach the ladder in the order of approval, those of the log first. It must
//! never report more than its budget.

use std::collections::VecDeque;

use portcullis_domain::{InstrumentId, Qty, QtyMeaning, SessionId, Timestamp, VenueReport};
use portcullis_ladder::{
    Busy, Cancel, Command, ConfigError, Counters, InstrumentCounters, Ladder, LadderConfig,
    NewOrder, Replace, Report, ReportKind,
};
use portcullis_venue::{Approved, MatchingVenue, OutboundAction, OutboundOrder, VenueSink};

use crate::codes::{self, Origin};
use crate::recall::Recall;
use crate::terms::{RawTerms, TermsReader};

/// The ladder as a venue.
pub struct EmbeddedVenue {
    pub(crate) ladder: Ladder,
    read_terms: Option<TermsReader>,
    /// Who asked for each command in the inbox, oldest first.
    pub(crate) origins: VecDeque<Origin>,
    /// Who asked for the command in hand.
    pub(crate) in_hand: Origin,
    /// What the log told and the ladder does not have yet.
    pub(crate) recall: Recall,
    /// The next session whose link is to be announced.
    link_next: u32,
}

impl EmbeddedVenue {
    /// A venue with an empty ladder for the sessions 0 to `sessions_max` of its configuration.
    /// Without a reader, orders have no terms but those of the canonical order.
    ///
    /// # Errors
    /// If the ladder's configuration is out of its ranges.
    pub fn new(config: LadderConfig, read_terms: Option<TermsReader>) -> Result<Self, ConfigError> {
        Ladder::new(config).map(|ladder| Self::over(ladder, read_terms))
    }

    /// A venue over a ladder that lived before, such as a restored one. Cancels that wait in its
    /// inbox are reported as the clients' own.
    #[must_use]
    pub fn over(ladder: Ladder, read_terms: Option<TermsReader>) -> Self {
        let inbox_max = ladder.config().inbox_max as usize;
        let mut origins = VecDeque::with_capacity(inbox_max);
        origins.resize(inbox_max - ladder.inbox_room(), Origin::Client);
        Self {
            ladder,
            read_terms,
            origins,
            in_hand: Origin::Client,
            recall: Recall::default(),
            link_next: 0,
        }
    }

    /// Ends the day: day orders are cancelled, good-till-cancel orders stay.
    ///
    /// # Errors
    /// [`Busy`] if the inbox is full: poll, then ask again.
    pub fn end_day(&mut self) -> Result<(), Busy> {
        self.take(Command::DayEnd, Origin::Gateway)
    }

    /// Takes a trade back; both sides are told. A trade that is not remembered is ignored.
    ///
    /// # Errors
    /// [`Busy`] if the inbox is full: poll, then ask again.
    pub fn bust(&mut self, match_number: u64) -> Result<(), Busy> {
        self.take(Command::Bust { match_number }, Origin::Gateway)
    }

    /// The engine's own figures, counted by code that knows no gateway.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        self.ladder.counters()
    }

    /// The engine's figures of one instrument, by its index; `None` if there is no such.
    #[must_use]
    pub fn instrument_counters(&self, instrument: InstrumentId) -> Option<&InstrumentCounters> {
        self.ladder.instrument_counters(instrument)
    }

    /// The ladder, to look at or to save.
    #[must_use]
    pub const fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    pub(crate) fn take(&mut self, command: Command, origin: Origin) -> Result<(), Busy> {
        self.ladder.submit(command)?;
        self.origins.push_back(origin);
        Ok(())
    }

    fn terms(&self, order: &OutboundOrder, raw: &[u8]) -> RawTerms {
        match &self.read_terms {
            Some(read) if !raw.is_empty() => read(order.instrument, raw),
            Some(_) | None => RawTerms::default(),
        }
    }

    /// The command of an order, and who asked for it.
    pub(crate) fn command(&self, order: &OutboundOrder, raw: &[u8]) -> (Command, Origin) {
        match order.action {
            OutboundAction::Enter {
                qty,
                price,
                time_in_force,
                was_market: _,
            } => {
                let terms = self.terms(order, raw);
                let new = NewOrder {
                    session: order.session,
                    user_ref: order.user_ref,
                    tag: 0,
                    instrument: order.instrument,
                    side: order.side,
                    qty,
                    price: Some(price),
                    time_in_force,
                    qty_min: terms.qty_min,
                    instruction: terms.instruction,
                };
                (Command::New(new), Origin::Client)
            }
            OutboundAction::Replace {
                original,
                qty_total,
                price,
                time_in_force,
                was_market: _,
            } => {
                let replace = Replace {
                    session: order.session,
                    original,
                    user_ref: order.user_ref,
                    tag: 0,
                    qty: qty_total,
                    qty_meaning: QtyMeaning::Total,
                    price: Some(price),
                    time_in_force,
                    instruction: self.terms(order, raw).instruction,
                };
                (Command::Replace(replace), Origin::Client)
            }
            OutboundAction::Cancel {
                qty_total,
                by_gateway,
            } => {
                let cancel = Cancel {
                    session: order.session,
                    user_ref: order.user_ref,
                    qty: qty_total,
                    qty_meaning: QtyMeaning::Total,
                };
                let origin = if by_gateway {
                    Origin::Gateway
                } else {
                    Origin::Client
                };
                (Command::Cancel(cancel), origin)
            }
        }
    }

    /// Announces links while there is budget; returns how many.
    fn announce(&mut self, budget: usize, sink: &mut impl VenueSink) -> usize {
        let mut announced = 0;
        while announced < budget && self.link_next < self.ladder.config().sessions_max {
            sink.on_link(SessionId::new(self.link_next), true);
            self.link_next += 1;
            announced += 1;
        }
        announced
    }

    /// The ladder's next report, if its next piece of work makes one; counts the commands begun.
    ///
    /// One report at a time: the ladder stops right after it, so the last command begun is the one
    /// that made it.
    pub(crate) fn next_report(&mut self, begun: &mut usize) -> Option<VenueReport> {
        let mut report = None;
        self.ladder.poll(1, &mut |made| report = Some(made));
        *begun += self.follow_inbox();
        report.map(|report| translate(&report, self.in_hand))
    }

    /// The commands begun since the last call leave `origins`; the last of them is in hand.
    fn follow_inbox(&mut self) -> usize {
        let waiting = self.ladder.config().inbox_max as usize - self.ladder.inbox_room();
        let begun = self.origins.len() - waiting;
        if let Some(last) = self.origins.drain(..begun).next_back() {
            self.in_hand = last;
        }
        begun
    }
}

impl MatchingVenue for EmbeddedVenue {
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        if !self.recall.queued.is_empty() {
            return Err(order);
        }
        let (command, origin) = self.command(order.get(), raw);
        self.take(command, origin).map_err(|Busy { .. }| order)
    }

    /// Sessions meet in the ladder, so an order that is given back while another goes by would be
    /// another book when the log is replayed.
    fn takes_orders(&self) -> bool {
        self.recall.queued.is_empty() && self.ladder.inbox_room() > 0
    }

    fn poll(&mut self, _now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        let mut said = self.announce(budget, sink);
        let mut done = said + self.submit_recalled();
        while said < budget && !self.ladder.is_idle() {
            let Some(report) = self.next_report(&mut done) else {
                // Work without a report, such as a sweep over others' orders; more may be left.
                return done + 1;
            };
            sink.on_report(report, &[]);
            said += 1;
            done += 1;
        }
        done
    }

    fn is_idle(&self) -> bool {
        self.ladder.is_idle()
            && self.recall.queued.is_empty()
            && self.link_next == self.ladder.config().sessions_max
    }
}

fn translate(report: &Report, origin: Origin) -> VenueReport {
    use portcullis_domain::ReportKind as Said;
    let (kind, note) = match report.kind {
        ReportKind::Accepted { .. } => (Said::Accepted, 0),
        ReportKind::Executed {
            qty,
            price,
            match_number,
            liquidity,
            fee,
            leaves: _,
        } => {
            let fill = Said::Fill {
                qty,
                price,
                match_number,
                fee,
            };
            (fill, codes::liquidity(liquidity))
        }
        ReportKind::Canceled {
            qty,
            leaves,
            reason,
        } => {
            let kind = if leaves == Qty::ZERO {
                Said::Canceled
            } else {
                Said::Reduced { qty }
            };
            (kind, codes::cancel(reason, origin))
        }
        ReportKind::Replaced { original, .. } => {
            return VenueReport {
                session: report.session,
                user_ref: original,
                kind: Said::Replaced {
                    new: report.user_ref,
                },
                note: 0,
            };
        }
        ReportKind::Rejected { reason } => (Said::Rejected, codes::reject(reason)),
        ReportKind::ReplaceRejected { original, reason } => {
            return VenueReport {
                session: report.session,
                user_ref: original,
                kind: Said::ReplaceRejected {
                    new: report.user_ref,
                },
                note: codes::reject(reason),
            };
        }
        ReportKind::BrokenTrade { match_number, .. } => (
            Said::BrokenTrade { match_number },
            codes::BROKEN_SUPERVISORY,
        ),
    };
    VenueReport {
        session: report.session,
        user_ref: report.user_ref,
        kind,
        note,
    }
}

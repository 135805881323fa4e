//! The core under other limits, and what of a recorded day it is given.
//!
//! It gets each record but these, which the day cannot say anything about:
//! - changes of limits in the journal: the limits tried stay in force;
//! - reports on orders that it refused: there are none to report on;
//! - of an order whose replace it alone refused, the reports as far as they fit the version that it has: an execution
//!   within that version's lots and limit, the end whenever the recorded order ends; that the engine too refused the
//!   replace, under its number or the order's, is none of them;
//! - an order or version that it alone accepted has no engine: it is ended at once, and so has no executions.
//!
//! Invariant: no report that the engine never made of what this core sent is taken for one, so no account is Halted
//! here that would not have been.

use super::Heard;
use portcullis_domain::{
    CancelRequest, Command, FlipLimits, Head, OrderKey, Record, ReplaceRequest, ReportKind,
    SessionId, Side, UserRef, VenueReport,
};
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{ControlRefusal, Done, Effect, EffectSink, RiskCore};
use std::collections::{HashMap, HashSet};

/// What was kept from this core, or given to it beside the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::replay) struct Figures {
    pub(super) limit_changes_skipped: u64,
    pub(super) reports_skipped: u64,
    pub(super) fills_skipped: u64,
    pub(super) ended_at_once: u64,
    pub(super) ended_with_recorded: u64,
    /// Replaces of an order that it does not have.
    pub(super) replaces_without_order: u64,
}

/// The core.
pub(super) struct Twin {
    core: Box<RiskCore>,
    apart: bool,
    /// Versions that it refused alone, by the last version that it has of the order.
    aliases: HashMap<OrderKey, UserRef>,
    /// Last versions that stand for others.
    frozen: HashSet<OrderKey>,
    /// Trades that it was not told of.
    trades: HashSet<u64>,
    pub(super) figures: Figures,
}

/// What is to become of a record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plan {
    /// It is given as it is.
    Whole,
    /// It is given as this.
    As(Command),
    /// It is kept back.
    Skipped,
}

impl Twin {
    /// A core that is as the recorded one until it is told otherwise.
    pub(super) fn new(core: Box<RiskCore>) -> Self {
        Self {
            core,
            apart: false,
            aliases: HashMap::new(),
            frozen: HashSet::new(),
            trades: HashSet::new(),
            figures: Figures::default(),
        }
    }

    /// Whether other limits are in force here.
    pub(super) const fn is_apart(&self) -> bool {
        self.apart
    }

    pub(super) fn stage(&mut self, table: LimitTable) {
        drop(self.core.stage(Box::new(table)));
    }

    /// Puts other limits into force.
    ///
    /// # Errors
    /// In words, why the core does not take them.
    pub(super) fn part(&mut self, table: LimitTable, timestamp_ns: u64) -> Result<(), String> {
        let digest = table.digest();
        self.stage(table);
        let mut flipped = Flipped(None);
        let flip = Command::FlipLimits(FlipLimits { digest });
        self.give(flip.encode(), timestamp_ns, &mut flipped);
        drop(self.core.take_retired());
        self.apart = true;
        match flipped.0 {
            Some(Ok(_)) => Ok(()),
            Some(Err(ControlRefusal::DoesNotFit)) => Err(
                "the limits do not fit the journal's core: something was removed, there is more than its capacities \
                 allow, or a tick_lot_value changed"
                    .to_owned(),
            ),
            Some(Err(refusal)) => Err(format!("the limits were refused: {refusal:?}")),
            None => Err("the limits were not answered".to_owned()),
        }
    }

    /// What is to become of a record, which the recorded core has not applied yet.
    pub(super) fn plan(&self, head: &Head, recorded: &RiskCore) -> Plan {
        if !self.apart {
            return Plan::Whole;
        }
        match Command::decode(head) {
            Ok(Command::FlipLimits(_) | Command::SetCell(_)) => Plan::Skipped,
            Ok(Command::Report(report)) => self.plan_report(&report, recorded),
            Ok(Command::Cancel(request)) => match self.alias(request.session, request.user_ref) {
                Some(user_ref) => Plan::As(Command::Cancel(CancelRequest {
                    user_ref,
                    ..request
                })),
                None => Plan::Whole,
            },
            Ok(Command::Replace(request)) => match self.alias(request.session, request.original) {
                Some(original) => Plan::As(Command::Replace(ReplaceRequest {
                    original,
                    ..request
                })),
                None => Plan::Whole,
            },
            Ok(_) | Err(_) => Plan::Whole,
        }
    }

    /// The version that stands here for one that was refused here alone.
    fn alias(&self, session: SessionId, user_ref: UserRef) -> Option<UserRef> {
        let key = OrderKey::new(session, user_ref);
        self.aliases.get(&key).copied()
    }

    fn plan_report(&self, report: &VenueReport, recorded: &RiskCore) -> Plan {
        if let ReportKind::BrokenTrade { match_number } = report.kind
            && self.trades.contains(&match_number)
        {
            return Plan::Skipped;
        }
        let alias = self.alias(report.session, report.user_ref);
        if alias.is_some() && report.kind == ReportKind::Rejected {
            // A version that is not here; if it took the recorded order along, so it ends here, behind the record.
            return Plan::Skipped;
        }
        let user_ref = alias.unwrap_or(report.user_ref);
        let Some(order) = self.core.order(report.session, user_ref) else {
            let never_was = recorded.order(report.session, report.user_ref).is_none();
            return if never_was {
                Plan::Whole
            } else {
                Plan::Skipped
            };
        };
        if !self
            .frozen
            .contains(&OrderKey::new(report.session, user_ref))
        {
            return Plan::Whole;
        }
        let fits = match report.kind {
            ReportKind::Fill { qty, price, .. } => {
                let within = match order.side {
                    Side::Buy => price.ticks() <= order.price,
                    Side::Sell => price.ticks() >= order.price,
                };
                order.open && qty.lots() <= order.leaves && within
            }
            ReportKind::Replaced { new } | ReportKind::ReplaceRejected { new } => {
                self.alias(report.session, new).is_none()
                    && self.core.order(report.session, new).is_some()
            }
            ReportKind::Accepted
            | ReportKind::Canceled
            | ReportKind::Reduced { .. }
            | ReportKind::Rejected
            | ReportKind::CancelPending
            | ReportKind::CancelRejected
            | ReportKind::BrokenTrade { .. }
            | ReportKind::Information => order.open,
        };
        if !fits {
            return Plan::Skipped;
        }
        Plan::As(Command::Report(VenueReport {
            user_ref,
            ..*report
        }))
    }

    /// Gives it a record as planned; `theirs` is what the recorded core, which has applied it, said.
    pub(super) fn take(
        &mut self,
        record: &Record,
        plan: Plan,
        theirs: &Heard,
        recorded: &RiskCore,
    ) -> Heard {
        let mut heard = Heard::default();
        let timestamp_ns = record.head.timestamp_ns;
        match plan {
            Plan::Whole => self.give(record.head, timestamp_ns, &mut heard),
            Plan::As(command) => {
                let mut head = command.encode();
                head.refusal = record.head.refusal;
                self.give(head, timestamp_ns, &mut heard);
            }
            Plan::Skipped => self.note_skipped(&record.head),
        }
        drop(self.core.take_retired());
        if self.apart {
            self.follow_up(&record.head, &heard, theirs, recorded);
        }
        heard
    }

    /// Applies a command as the next one of this core.
    fn give(&mut self, mut head: Head, timestamp_ns: u64, sink: &mut impl EffectSink) {
        head.seq = self.core.seq().raw() + 1;
        head.timestamp_ns = timestamp_ns;
        self.core.apply(&Record::bare(head), sink);
    }

    fn note_skipped(&mut self, head: &Head) {
        match Command::decode(head) {
            Ok(Command::Report(report)) => {
                self.figures.reports_skipped += 1;
                if let ReportKind::Fill { match_number, .. } = report.kind {
                    self.figures.fills_skipped += 1;
                    self.trades.insert(match_number);
                }
            }
            Ok(_) | Err(_) => self.figures.limit_changes_skipped += 1,
        }
    }

    /// What follows where the two cores said different things, or the recorded order ended.
    fn follow_up(&mut self, head: &Head, mine: &Heard, theirs: &Heard, recorded: &RiskCore) {
        match Command::decode(head) {
            Ok(Command::NewOrder(order)) => {
                if mine.accepted() == Some(true) && theirs.accepted() != Some(true) {
                    self.end(head, order.session, order.user_ref, ReportKind::Canceled);
                    self.figures.ended_at_once += 1;
                }
            }
            Ok(Command::Replace(request)) => self.follow_replace(head, &request, mine, theirs),
            Ok(Command::Report(report)) => self.end_with(head, &report, recorded),
            Ok(_) | Err(_) => {}
        }
    }

    fn follow_replace(
        &mut self,
        head: &Head,
        request: &ReplaceRequest,
        mine: &Heard,
        theirs: &Heard,
    ) {
        let session = request.session;
        let stands = self
            .alias(session, request.original)
            .unwrap_or(request.original);
        match (mine.accepted(), theirs.accepted()) {
            (Some(true), Some(true)) => {}
            (Some(true), Some(false) | None) => {
                let new = request.user_ref;
                self.end(head, session, stands, ReportKind::ReplaceRejected { new });
                self.figures.ended_at_once += 1;
            }
            (mine, Some(true)) => {
                if mine.is_none() {
                    self.figures.replaces_without_order += 1;
                }
                self.aliases
                    .insert(OrderKey::new(session, request.user_ref), stands);
                self.frozen.insert(OrderKey::new(session, stands));
            }
            (Some(false) | None, Some(false) | None) => {}
        }
    }

    /// Tells the core of a report that no engine made.
    fn end(&mut self, head: &Head, session: SessionId, user_ref: UserRef, kind: ReportKind) {
        let report = VenueReport {
            session,
            user_ref,
            kind,
            note: 0,
        };
        let command = Command::Report(report);
        self.give(command.encode(), head.timestamp_ns, &mut Heard::default());
    }

    /// An order that has other versions here than were recorded ends when the recorded one does.
    fn end_with(&mut self, head: &Head, report: &VenueReport, recorded: &RiskCore) {
        let session = report.session;
        let user_ref = self
            .alias(session, report.user_ref)
            .unwrap_or(report.user_ref);
        if !self.frozen.contains(&OrderKey::new(session, user_ref)) {
            return;
        }
        let ended = recorded
            .order(session, report.user_ref)
            .is_none_or(|order| !order.open);
        let open = self
            .core
            .order(session, user_ref)
            .is_some_and(|order| order.open);
        if ended && open {
            self.end(head, session, user_ref, ReportKind::Canceled);
            self.figures.ended_with_recorded += 1;
        }
    }
}

/// How a flip ended.
struct Flipped(Option<Result<Done, ControlRefusal>>);

impl EffectSink for Flipped {
    fn on_effect(&mut self, effect: Effect) {
        if let Effect::Controlled(outcome) = effect {
            self.0 = Some(outcome.result);
        }
    }
}

//! The collector: what comes out of the pipeline, each thing taken once.
//!
//! On the measuring thread. Invariant: an order's first word is its answer; what comes that nobody sent for is
//! counted.

use super::{TAKEN_AT_ONCE, Traffic};
use crate::market::RESTING;
use crate::rig::Outbound;
use crate::single::answer_to;
use portcullis_bench_harness::Latency;
use portcullis_domain::{ReportKind, SessionId, UserRef};
use portcullis_pipeline::durability::Passage;
use portcullis_pipeline::item::{ClientEffect, ControlItem, EgressItem};
use portcullis_risk_core::{AnswerKind, Done, OutboundAction, OutboundOrder};
use std::time::Instant;

impl<I: Outbound> Traffic<I> {
    /// Takes what there is.
    pub(super) fn collect(&mut self, mut latency: Option<&mut Latency>) {
        self.collect_from_venue(latency.as_deref_mut());
        self.collect_from_egress(latency);
        for _ in 0..TAKEN_AT_ONCE {
            let Ok(item) = self.ends.control.pop() else {
                break;
            };
            self.controlled(&item);
        }
    }

    fn collect_from_venue(&mut self, mut latency: Option<&mut Latency>) {
        if self.ends.venue.is_empty() {
            return;
        }
        for _ in 0..TAKEN_AT_ONCE {
            if !self.ends.reports.has_room_for(1) {
                break;
            }
            let gate = &mut self.gate;
            let passes = |item: &I| gate.passage(item.seq()) == Passage::Open;
            let Some((item, _)) = self.ends.venue.take_if(passes) else {
                break;
            };
            let order = *item.order();
            self.outbound(&order, latency.as_deref_mut());
        }
        self.ends.venue.release();
    }

    fn collect_from_egress(&mut self, mut latency: Option<&mut Latency>) {
        if self.ends.egress.is_empty() {
            return;
        }
        for _ in 0..2 * TAKEN_AT_ONCE {
            let gate = &mut self.gate;
            let passes = |item: &EgressItem| gate.passage(item.seq) == Passage::Open;
            let Some((item, _)) = self.ends.egress.take_if(passes) else {
                break;
            };
            self.told(&item.effect, latency.as_deref_mut());
        }
        self.ends.egress.release();
    }

    fn outbound(&mut self, order: &OutboundOrder, latency: Option<&mut Latency>) {
        let rests = order.session == RESTING;
        match order.action {
            OutboundAction::Enter { .. } if rests => {
                self.counts.approved += 1;
                self.resting += 1;
            }
            OutboundAction::Enter { .. } => {
                let at = Instant::now();
                // An engine does not wait for what is counted here.
                self.cancel_by_engine(order.session, order.user_ref);
                self.counts.approved += 1;
                self.answer(order.session, order.user_ref, at, latency);
                if self.found_full {
                    self.answer_replace();
                }
            }
            OutboundAction::Cancel { .. } if rests && self.resting > 0 => {
                self.counts.cancels += 1;
                self.resting -= 1;
                self.cancel_by_engine(order.session, order.user_ref);
            }
            // The next order of its session finds no room for its version: only then the engine has a word on it.
            OutboundAction::Replace { .. } => {
                let at = Instant::now();
                self.owed = answer_to(order);
                self.counts.approved += 1;
                self.answer(order.session, order.user_ref, at, latency);
                if self.found_full {
                    self.answer_replace();
                }
            }
            OutboundAction::Cancel { .. } => self.counts.unexpected += 1,
        }
    }

    /// An order's answer was there at this time: its first and only one.
    fn answer(
        &mut self,
        session: SessionId,
        user_ref: UserRef,
        at: Instant,
        latency: Option<&mut Latency>,
    ) {
        match self.places.leave(session, user_ref) {
            Some(planned) => {
                self.answered += 1;
                if let Some(latency) = latency {
                    latency.record(at.duration_since(planned).as_nanos() as u64);
                }
            }
            None => self.counts.unexpected += 1,
        }
    }

    fn told(&mut self, effect: &ClientEffect, latency: Option<&mut Latency>) {
        match effect {
            ClientEffect::Entered(_) => {}
            ClientEffect::Refused(refusal) => {
                self.counts.refused += 1;
                self.answer(refusal.session, refusal.user_ref, Instant::now(), latency);
                if self.market.full_session() == Some(refusal.session) {
                    self.found_full = true;
                    self.answer_replace();
                }
            }
            ClientEffect::Reported(report) => {
                self.counts.reported += 1;
                let known = if let ReportKind::Replaced { new } = report.kind {
                    new
                } else {
                    report.user_ref
                };
                if report.session != RESTING {
                    self.market
                        .released(self.places.busy(report.session, known));
                }
            }
            ClientEffect::Answered(answer) if answer.kind == AnswerKind::MassCancelTaken => {
                self.counts.mass_cancels_taken += 1;
            }
            ClientEffect::Answered(_) | ClientEffect::SessionChanged(_) => {
                self.counts.unexpected += 1;
            }
        }
    }

    fn controlled(&mut self, item: &ControlItem) {
        match item {
            ControlItem::Outcome(outcome, _) if outcome.result.is_ok() => {
                self.counts.controlled += 1;
                let valued = matches!(outcome.result, Ok(Done::Valued(_)));
                self.counts.valuations += u64::from(valued);
            }
            ControlItem::Refused(..) => {}
            ControlItem::StateChanged(..) => self.counts.states += 1,
            ControlItem::Outcome(..) | ControlItem::Alarmed(..) | ControlItem::Viewed(_) => {
                self.counts.unexpected += 1;
            }
        }
    }
}

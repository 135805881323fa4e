//! Sweeps: what a mass cancel, a kill or a lost line owes each order that it is for.
//!
//! Invariant: an order that was open when a sweep began, and for which no cancel was ever asked, is asked for or
//! over when the run ends. Whether one is asked for again after the engine refused is not held here.

use super::{Auditor, Known, is_cancel, verdict};
use crate::violation::Violation;
use portcullis_domain::{AccountId, InstrumentId, MassCancel, Scope};
use portcullis_risk_core::{AlarmKind, Effect, OutboundOrder};
use std::collections::BTreeSet;

/// Orders by their first ids.
#[derive(Default)]
pub(super) struct Owed {
    /// A cancel was asked for, ever.
    asked: BTreeSet<u32>,
    owed: BTreeSet<u32>,
}

impl Auditor<'_> {
    /// A client's own sweep begins.
    pub(super) fn sweep_client(&mut self, now: u64, asked: &MassCancel) {
        let (account, instrument) = (asked.account, asked.instrument);
        self.sweep(now, |order, _| {
            order.session == asked.session.raw()
                && (account == AccountId::NONE || account.raw() == order.account)
                && (instrument == InstrumentId::NONE || instrument.raw() == order.instrument)
                && asked.side.is_none_or(|side| side == order.side)
        });
    }

    /// The sweep of a scope begins.
    pub(super) fn sweep_scope(&mut self, now: u64, scope: Scope) {
        self.sweep(now, |order, firm| match scope {
            Scope::Venue => true,
            Scope::Firm(of) => of.raw() == firm,
            Scope::Account(of) => of.raw() == order.account,
            Scope::Instrument(of) => of.raw() == order.instrument,
            Scope::Session(of) => of.raw() == order.session,
        });
    }

    fn sweep(&mut self, now: u64, is_for: impl Fn(&Known, u32) -> bool) {
        let lost = |effect: &Effect| matches!(effect, Effect::Alarmed(alarm) if alarm.kind == AlarmKind::SweepQueueFull);
        if self.effects.0.iter().any(lost) {
            return;
        }
        let accounts = &self.market.config.accounts;
        let firm_of = |order: &Known| accounts[order.account as usize].firm;
        let swept = self
            .orders
            .iter()
            .filter(|(_, order)| is_for(order, firm_of(order)));
        let swept: Vec<u32> = swept.map(|(first, _)| *first).collect();
        for first in swept {
            if !self.owed.asked.contains(&first) && self.is_open(now, first) {
                self.owed.owed.insert(first);
            }
        }
    }

    /// A cancel of this order went to the engine.
    pub(super) fn note_asked(&mut self, id: u32) {
        let first = self.firsts[&id];
        self.owed.asked.insert(first);
        self.owed.owed.remove(&first);
    }

    /// What a slice of a sweep sends are cancels of open orders.
    pub(super) fn tick(&mut self, now: u64) -> Result<(), Violation> {
        let sent: Vec<OutboundOrder> = self.effects.approved().copied().collect();
        for order in &sent {
            let id = self.id(order.session, order.user_ref);
            if !is_cancel(order) || !self.is_open(now, id) {
                return Err(verdict(format!("a tick sent {order:?}")));
            }
            self.note_asked(id);
        }
        if sent.len() == self.effects.0.len() {
            return Ok(());
        }
        Err(verdict(format!("a tick said {:?}", self.effects.0)))
    }

    /// No order is owed a cancel when all is at rest.
    pub(super) fn none_is_owed(&mut self, now: u64) -> Result<(), Violation> {
        let owed = std::mem::take(&mut self.owed.owed);
        match owed.into_iter().find(|first| self.is_open(now, *first)) {
            Some(first) => {
                let order = self.orders[&first];
                Err(verdict(format!("no sweep asked for {first}, {order:?}")))
            }
            None => Ok(()),
        }
    }
}

//! Refusals, kept for whoever asks why.
//!
//! Control thread. Invariant: bounded; the oldest makes room for the newest.

use super::words;
use portcullis_control::config::Config;
use portcullis_domain::{OrderKey, SessionId, Timestamp, UserRef};
use portcullis_risk_core::Refusal;
use std::collections::{HashMap, VecDeque};

/// The store.
pub(crate) struct Explanations {
    kept_max: usize,
    order: VecDeque<OrderKey>,
    refusals: HashMap<OrderKey, (Refusal, Timestamp)>,
    /// The last refusal by each primary reason.
    examples: Vec<Option<Refusal>>,
}

impl Explanations {
    pub(super) fn new(kept_max: usize) -> Self {
        Self {
            kept_max,
            order: VecDeque::new(),
            refusals: HashMap::new(),
            examples: vec![None; 64],
        }
    }

    pub(super) fn keep(&mut self, refusal: Refusal, at: Timestamp) {
        if let Some(example) = self.examples.get_mut(usize::from(refusal.primary.raw())) {
            *example = Some(refusal);
        }
        let key = OrderKey::new(refusal.session, refusal.user_ref);
        if self.refusals.insert(key, (refusal, at)).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > self.kept_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.refusals.remove(&oldest);
        }
    }

    /// Why an order was refused, in words.
    pub(super) fn explain(
        &self,
        session: SessionId,
        user_ref: UserRef,
        config: &Config,
    ) -> Option<String> {
        let (refusal, at) = self.refusals.get(&OrderKey::new(session, user_ref))?;
        Some(words::refusal(refusal, *at, config))
    }

    /// By primary reason, the numbers of its last refusal.
    pub(crate) fn examples(&self, config: &Config) -> Vec<(u8, String)> {
        let kept = self.examples.iter().flatten();
        kept.map(|refusal| (refusal.primary.raw(), words::example(refusal, config)))
            .collect()
    }
}

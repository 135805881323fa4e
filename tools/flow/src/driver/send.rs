//! From an intent to bytes of a session.
//!
//! **Thread.** The caller's.
//! **Invariants.** Numbers of a session rise by one a message, over all its accounts. What the
//! checker is told was queued on the socket.
//! **Never.** Send for an order that is known to be closed, unless that is the intent.

use super::Driver;
use crate::checker::{CancelWish, NewOrder, cl_ord_id};
use crate::intent::{Act, Enter, Flaw, Intent, Lane, Listing};
use portcullis_domain::Timestamp;
use portcullis_wire::ouch50::{
    Appendage, AppendageBuilder, CancelOrder, Capacity, CrossType, Display, Element, EnterOrder,
    MESSAGE_BYTES_MAX, OUCH50, OrderSide, PriceType, ReplaceOrder, TimeInForce, UserRefNum, YesNo,
};
use std::collections::VecDeque;

/// Enters of a session that are kept for a resend.
const KEPT: usize = 64;
/// Where the time in force of an Enter stands.
const TIME_IN_FORCE_AT: usize = 26;
/// A byte that is no time in force.
const NO_TIME_IN_FORCE: u8 = b'Z';

/// The newest well-formed Enters of a session with their numbers.
#[derive(Debug, Default)]
pub(super) struct Sent(VecDeque<(u32, Vec<u8>)>);

impl Sent {
    fn keep(&mut self, number: u32, bytes: &[u8]) {
        let mut buffer = if self.0.len() < KEPT {
            Vec::with_capacity(bytes.len())
        } else {
            self.0.pop_front().map(|(_, old)| old).unwrap_or_default()
        };
        buffer.clear();
        buffer.extend_from_slice(bytes);
        self.0.push_back((number, buffer));
    }

    fn find(&self, number: u32) -> Option<&[u8]> {
        let kept = self.0.iter().find(|(kept, _)| *kept == number)?;
        Some(&kept.1)
    }
}

impl Driver {
    /// Whether window and buffers allow the intent now.
    pub(super) fn may_send(&mut self, intent: &Intent) -> bool {
        if self.schedule.is_unpaced() && (intent.meets || self.barrier) {
            if self.awaited() > 0 {
                return false;
            }
            self.barrier = false;
        }
        let session = match &intent.act {
            Act::Enter(enter) => self.session_of(enter.lane),
            Act::Replace { handle, .. } | Act::Cancel { handle, .. } => {
                self.handles.get(handle).map(|(session, _)| *session)
            }
            Act::ReplaceDead(lane) | Act::CancelDead(lane) | Act::Resend(lane) => {
                self.session_of(*lane)
            }
        };
        // What has no session is passed over at once.
        session.is_none_or(|session| self.has_room(session))
    }

    pub(super) fn has_room(&self, session: usize) -> bool {
        let lost = |link: &crate::link::Link| !link.is_active();
        if self.links.get(session).is_none_or(lost) {
            return true;
        }
        let roomy = self.links.get(session).is_some_and(|link| link.has_room());
        let window = self.config.window;
        let checker = self.checkers.get(session);
        roomy && checker.is_some_and(|checker| checker.awaited() < window)
    }

    /// Sends the intent, or counts it as passed over.
    pub(super) fn perform(&mut self, intent: &Intent, planned_ns: u64) {
        let done = match intent.act {
            Act::Enter(enter) => self.enter(&enter, planned_ns).is_some(),
            Act::Replace {
                handle,
                open: 1..,
                price,
            } => self.replace(handle, intent, price, planned_ns),
            Act::Replace { handle, .. } => self.cancel(handle, 0),
            Act::Cancel { handle, open } => self.cancel(handle, open),
            Act::ReplaceDead(lane) => self.replace_dead(lane),
            Act::CancelDead(lane) => self.cancel_dead(lane),
            Act::Resend(lane) => self.resend(lane),
        };
        if !done {
            self.skipped += 1;
        }
        self.barrier |= intent.meets && done;
    }

    pub(super) fn session_of(&self, lane: Lane) -> Option<usize> {
        self.venue.lanes.get(lane.0).map(|spec| spec.session)
    }

    /// Enters an order; its number, by which the checker knows it.
    pub(super) fn enter(&mut self, enter: &Enter, planned_ns: u64) -> Option<u32> {
        let spec = self.venue.lanes.get(enter.lane.0)?;
        let (session, account, firm) = (spec.session, spec.account, spec.firm);
        let number = self.checkers.get(session)?.next_number();
        let (symbol, instrument) = match enter.listing {
            Listing::Known(index) => (self.venue.instruments.get(index)?.symbol, Some(index)),
            Listing::Unknown => (self.venue.unknown_symbol, None),
        };
        let message = EnterOrder {
            user_ref_num: UserRefNum::new(number)?,
            side: OrderSide::from(enter.side),
            quantity: enter.quantity.min(OUCH50.qty_max_wire),
            symbol,
            price: enter.price,
            time_in_force: enter.time_in_force,
            display: match enter.flaw {
                Flaw::Hidden => Display::Hidden,
                Flaw::None | Flaw::UnknownFirm | Flaw::Pegged | Flaw::Malformed => Display::Visible,
            },
            capacity: Capacity::Principal,
            iso_eligible: YesNo::No,
            cross_type: CrossType::None,
            cl_ord_id: cl_ord_id(session, number),
        };
        let mut appendage = AppendageBuilder::new();
        let firm = match enter.flaw {
            Flaw::UnknownFirm => Some(self.venue.unknown_firm),
            Flaw::None | Flaw::Pegged | Flaw::Hidden | Flaw::Malformed => firm,
        };
        if let Some(firm) = firm {
            appendage.push(Element::Firm(firm)).ok()?;
        }
        if enter.flaw == Flaw::Pegged {
            let pegged = Element::PriceType(PriceType::MidpointPeg);
            appendage.push(pegged).ok()?;
        }
        let mut bytes = [0; MESSAGE_BYTES_MAX];
        let len = message.encode(Some(appendage.finish()), &mut bytes).ok()?;
        if enter.flaw == Flaw::Malformed {
            bytes[TIME_IN_FORCE_AT] = NO_TIME_IN_FORCE;
        }
        let bytes = bytes.get(..len)?;
        if !self.put(session, bytes) {
            return None;
        }
        if enter.flaw == Flaw::None {
            self.sent.get_mut(session)?.keep(number, bytes);
        }
        let first = self.checkers.get_mut(session)?.entered(NewOrder {
            handle: enter.handle,
            account,
            instrument,
            side: enter.side,
            quantity: message.quantity,
            planned_ns,
            immediate: enter.time_in_force == TimeInForce::Ioc,
        });
        if let Some(handle) = enter.handle {
            self.handles.insert(handle, (session, first));
        }
        Some(first)
    }

    fn replace(&mut self, handle: u64, intent: &Intent, price: u64, planned_ns: u64) -> bool {
        let Act::Replace { open, .. } = intent.act else {
            return false;
        };
        let Some((session, first)) = self.handles.get(&handle).copied() else {
            return false;
        };
        let Some(checker) = self.checkers.get(session) else {
            return false;
        };
        let Some(chain) = checker.chain(first) else {
            return false;
        };
        if chain.cancel != CancelWish::None {
            return false;
        }
        let total = chain.executed.saturating_add(open).min(OUCH50.qty_max_wire);
        let Some(original) = chain.tip() else {
            return false;
        };
        if !self.put_replace(session, original, total, price) {
            return false;
        }
        if let Some(checker) = self.checkers.get_mut(session) {
            checker.replace_asked(first, total, planned_ns);
        }
        true
    }

    fn put_replace(&mut self, session: usize, original: u32, total: u32, price: u64) -> bool {
        let Some(checker) = self.checkers.get(session) else {
            return false;
        };
        let number = checker.next_number();
        let (Some(orig_user_ref_num), Some(user_ref_num)) =
            (UserRefNum::new(original), UserRefNum::new(number))
        else {
            return false;
        };
        let message = ReplaceOrder {
            orig_user_ref_num,
            user_ref_num,
            quantity: total,
            price,
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            iso_eligible: YesNo::No,
            cl_ord_id: cl_ord_id(session, number),
        };
        let mut bytes = [0; MESSAGE_BYTES_MAX];
        match message.encode(Some(Appendage::EMPTY), &mut bytes) {
            Ok(len) => self.put(session, bytes.get(..len).unwrap_or_default()),
            Err(_) => false,
        }
    }

    fn cancel(&mut self, handle: u64, open: u32) -> bool {
        match self.handles.get(&handle).copied() {
            Some((session, first)) => self.cancel_chain(session, first, open),
            None => false,
        }
    }

    /// Cancels an order down to `open` shares; waits with that while a replace is unanswered, since
    /// until then no number is known to be the live one.
    pub(super) fn cancel_chain(&mut self, session: usize, first: u32, open: u32) -> bool {
        let Some(checker) = self.checkers.get_mut(session) else {
            return false;
        };
        let Some(chain) = checker.chain(first) else {
            return false;
        };
        if chain.is_replacing() && open == 0 {
            checker.defer_cancel(first);
            return true;
        }
        let total = match open {
            0 => 0,
            open => chain.executed.saturating_add(open),
        };
        let numbers = chain.may_be_live();
        for number in &numbers {
            if !self.put_cancel(session, *number, total) {
                return false;
            }
        }
        if let Some(checker) = self.checkers.get_mut(session) {
            checker.cancel_asked(first, open == 0, numbers.len());
        }
        true
    }

    fn put_cancel(&mut self, session: usize, number: u32, total: u32) -> bool {
        let Some(user_ref_num) = UserRefNum::new(number) else {
            return false;
        };
        let message = CancelOrder {
            user_ref_num,
            quantity: total,
        };
        let mut bytes = [0; MESSAGE_BYTES_MAX];
        match message.encode(None, &mut bytes) {
            Ok(len) => self.put(session, bytes.get(..len).unwrap_or_default()),
            Err(_) => false,
        }
    }

    /// Sends cancels whose replace has been answered.
    pub(super) fn send_deferred(&mut self) {
        for _ in 0..self.deferred.len() {
            let Some((session, first)) = self.deferred.pop_front() else {
                return;
            };
            if self.links.get(session).is_some_and(|link| link.has_room()) {
                self.cancel_chain(session, first, 0);
            } else {
                self.deferred.push_back((session, first));
            }
        }
    }

    fn replace_dead(&mut self, lane: Lane) -> bool {
        let Some(session) = self.session_of(lane) else {
            return false;
        };
        let dead = self.checkers.get(session).and_then(|c| c.dead());
        let Some(dead) = dead else {
            return false;
        };
        let (quantity, price) = (1, 10_000);
        if !self.put_replace(session, dead, quantity, price) {
            return false;
        }
        if let Some(checker) = self.checkers.get_mut(session) {
            checker.replace_of_dead_asked();
        }
        true
    }

    fn cancel_dead(&mut self, lane: Lane) -> bool {
        let Some(session) = self.session_of(lane) else {
            return false;
        };
        let dead = self.checkers.get(session).and_then(|c| c.dead());
        if !dead.is_some_and(|dead| self.put_cancel(session, dead, 0)) {
            return false;
        }
        if let Some(checker) = self.checkers.get_mut(session) {
            checker.tally.cancels_sent += 1;
        }
        true
    }

    fn resend(&mut self, lane: Lane) -> bool {
        let Some(session) = self.session_of(lane) else {
            return false;
        };
        let accepted = self.checkers.get(session).and_then(|c| c.resendable());
        let kept = accepted.and_then(|number| self.sent.get(session)?.find(number));
        let Some(bytes) = kept.map(<[u8]>::to_vec) else {
            return false;
        };
        if !self.put(session, &bytes) {
            return false;
        }
        if let Some(checker) = self.checkers.get_mut(session) {
            checker.tally.resends_sent += 1;
        }
        true
    }

    fn put(&mut self, session: usize, message: &[u8]) -> bool {
        let now = self.now_ns();
        let sent = self
            .links
            .get_mut(session)
            .is_some_and(|link| link.send(message, Timestamp::from_ns(now)));
        if sent {
            self.life_ns = now;
        }
        sent
    }
}

//! Receiving: each message of the venue against what this session asked for.
//!
//! **Thread.** The driver's.
//! **Invariants.** A message changes an order only if it names one of this session's live numbers
//! and fits what is open; else it is counted as a fault, with the first one kept in words.
//! **Never.** Panic on what comes from outside.

use super::orders::{Asked, AskedKind, CancelWish};
use super::{Checker, Fill, Number, cl_ord_id};
use portcullis_domain::Side;
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    OUCH50, OrderAcceptedView, OrderExecutedView, OrderReplacedView, OrderState, OuchPrice,
    Outbound, RejectedView,
};

/// What is wrong with a message.
enum Wrong {
    /// It is another session's.
    Session(String),
    /// It breaks the protocol.
    Protocol(String),
}

fn protocol<T>(what: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Protocol(what.into()))
}

impl Checker {
    /// Takes one sequenced message.
    pub(crate) fn on_message(&mut self, bytes: &[u8]) {
        self.tally.messages_received += 1;
        let result = match Outbound::parse(bytes) {
            Ok(message) => self.apply(message),
            Err(error) => protocol(error.to_string()),
        };
        if let Err(wrong) = result {
            self.note(wrong);
        }
    }

    fn note(&mut self, wrong: Wrong) {
        let what = match wrong {
            Wrong::Session(what) => {
                self.tally.wrong_session += 1;
                what
            }
            Wrong::Protocol(what) => {
                self.tally.protocol_errors += 1;
                what
            }
        };
        let session = self.session;
        self.tally
            .first_fault
            .get_or_insert_with(|| format!("session {session}: {what}"));
    }

    fn apply(&mut self, message: Outbound<'_>) -> Result<(), Wrong> {
        match message {
            Outbound::OrderAccepted(view) => self.order_accepted(view),
            Outbound::OrderReplaced(view) => self.replaced(view),
            Outbound::Rejected(view) => self.rejected(view),
            Outbound::OrderExecuted(view) => self.executed(view),
            Outbound::OrderCanceled(view) => {
                self.canceled(view.user_ref_num().get(), view.quantity())
            }
            Outbound::AiqCanceled(view) => {
                self.canceled(view.user_ref_num().get(), view.decrement())
            }
            Outbound::OrderModified(view) => {
                let first = self.live(view.user_ref_num().get(), "OrderModified")?;
                match self.chains.get_mut(&first) {
                    Some(chain) if view.quantity() <= chain.leaves => {
                        chain.leaves = view.quantity();
                        Ok(())
                    }
                    Some(_) | None => protocol("OrderModified raises the open quantity"),
                }
            }
            Outbound::CancelPending(view) => self.seen(view.user_ref_num().get(), "CancelPending"),
            Outbound::CancelReject(view) => self.seen(view.user_ref_num().get(), "CancelReject"),
            Outbound::PriorityUpdate(view) => {
                self.seen(view.user_ref_num().get(), "PriorityUpdate")
            }
            Outbound::OrderRestated(view) => self.seen(view.user_ref_num().get(), "OrderRestated"),
            Outbound::BrokenTrade(view) => {
                self.tally.broken += 1;
                self.own(view.user_ref_num().get(), Some(view.cl_ord_id()))
            }
            Outbound::SystemEvent(_)
            | Outbound::MassCancelResponse(_)
            | Outbound::DisableOrderEntryResponse(_)
            | Outbound::EnableOrderEntryResponse(_)
            | Outbound::AccountQueryResponse(_) => {
                self.tally.other_messages += 1;
                Ok(())
            }
        }
    }

    fn order_accepted(&mut self, view: OrderAcceptedView<'_>) -> Result<(), Wrong> {
        let number = view.user_ref_num().get();
        self.own(number, Some(view.cl_ord_id()))?;
        let (first, asked) = self.answer(number, AskedKind::Enter, "OrderAccepted")?;
        self.tally.accepted += 1;
        self.accepted = Some(number);
        let Some(chain) = self.chains.get_mut(&first) else {
            return protocol(format!("order {number} was accepted after its end"));
        };
        chain.asked.retain(|other| *other != number);
        chain.confirmed = Some(number);
        chain.leaves = view.quantity().min(asked.total);
        chain.limit = limit(view.price());
        self.numbers
            .insert(number, Number::Confirmed { chain: first });
        let side_differs = view.side().side() != chain.side;
        if view.order_state() == OrderState::Dead {
            self.close(first);
        } else {
            self.look_for_deferred(first);
        }
        if side_differs || view.quantity() != asked.total {
            let what = format!("order {number} was accepted with another side or quantity");
            return protocol(what);
        }
        Ok(())
    }

    fn replaced(&mut self, view: OrderReplacedView<'_>) -> Result<(), Wrong> {
        let number = view.user_ref_num().get();
        let original = view.orig_user_ref_num().get();
        self.own(number, Some(view.cl_ord_id()))?;
        let (first, asked) = self.answer(number, AskedKind::Replace, "OrderReplaced")?;
        self.tally.replaced += 1;
        let Some(chain) = self.chains.get_mut(&first) else {
            return protocol(format!("order {number} was replaced after its end"));
        };
        let at = chain.asked.iter().position(|other| *other == number);
        let passed: Vec<u32> = chain.asked.drain(..at.map_or(0, |at| at + 1)).collect();
        let former = chain.confirmed.replace(number);
        let most = asked.total.saturating_sub(chain.executed);
        chain.leaves = view.quantity().min(most);
        chain.limit = limit(view.price());
        chain.given_up.retain(|other| *other != number);
        let over = is_over(&view);
        for earlier in passed.iter().filter(|other| **other != number) {
            self.miss(*earlier);
        }
        if let Some(former) = former {
            // It still names the order, so it is no number of a closed one.
            self.numbers.remove(&former);
        }
        self.numbers
            .insert(number, Number::Confirmed { chain: first });
        if over {
            self.close(first);
        } else {
            self.look_for_deferred(first);
        }
        if former != Some(original) && !passed.contains(&original) {
            return protocol(format!(
                "the replace {number} names {original} as the order before it"
            ));
        }
        if view.quantity() > most {
            return protocol(format!(
                "the replace {number} left {} open, {most} were asked for",
                view.quantity()
            ));
        }
        Ok(())
    }

    fn rejected(&mut self, view: RejectedView<'_>) -> Result<(), Wrong> {
        let number = view.user_ref_num();
        self.own(number, Some(view.cl_ord_id()))?;
        let refused = self.tally.refused.entry(view.reason().code()).or_default();
        *refused += 1;
        if let Some(at) = self.silent.iter().position(|silent| *silent == number) {
            self.silent.remove(at);
            self.tally.silent -= 1;
            return Ok(());
        }
        let Some(Number::Asked { chain, asked }) = self.numbers.get(&number).copied() else {
            *refused -= 1;
            return protocol(format!("a reject of {number}, which was answered before"));
        };
        let (first, _) = self.answer(number, asked.kind, "Rejected")?;
        match asked.kind {
            AskedKind::Enter => {
                if let Some(order) = self.chains.get_mut(&chain) {
                    order.asked.retain(|other| *other != number);
                }
                self.dead = Some(number);
                self.close(first);
            }
            AskedKind::Replace => self.drop_version(first, number),
        }
        Ok(())
    }

    /// A later version was confirmed, so this one was too and the answer to it is missing.
    fn miss(&mut self, number: u32) {
        if let Some(Number::Asked { asked, .. }) = self.numbers.remove(&number) {
            if asked.awaited {
                self.awaited = self.awaited.saturating_sub(1);
            }
            if !asked.overdue {
                self.tally.unanswered += 1;
            }
        }
    }

    /// A replace was refused: those asked for after it name a version that never was.
    fn drop_version(&mut self, first: u32, number: u32) {
        let Some(chain) = self.chains.get_mut(&first) else {
            return;
        };
        chain.given_up.retain(|other| *other != number);
        let at = chain.asked.iter().position(|other| *other == number);
        let behind = chain.asked.split_off(at.unwrap_or(chain.asked.len()));
        for later in behind.into_iter().filter(|other| *other != number) {
            self.excuse(later);
        }
        self.look_for_deferred(first);
    }

    fn executed(&mut self, view: OrderExecutedView<'_>) -> Result<(), Wrong> {
        let number = view.user_ref_num().get();
        let first = self.live(number, "OrderExecuted")?;
        let quantity = view.quantity();
        let Some(chain) = self.chains.get_mut(&first) else {
            return protocol(format!("an execution of {number} after its end"));
        };
        let Some(instrument) = chain.instrument else {
            return protocol(format!("an execution of {number} in an unknown symbol"));
        };
        self.tally.executions += 1;
        self.tally.executed_qty += u64::from(quantity);
        self.news.fills.push(Fill {
            account: chain.account,
            instrument,
            side: chain.side,
            quantity,
            price: view.price(),
            match_number: view.match_number(),
        });
        let worse = match (chain.side, chain.limit) {
            (Side::Buy, Some(limit)) => view.price() > limit,
            (Side::Sell, Some(limit)) => view.price() < limit,
            (Side::Buy | Side::Sell, None) => false,
        };
        let leaves = chain.leaves;
        chain.executed = chain.executed.saturating_add(quantity);
        chain.leaves = leaves.saturating_sub(quantity);
        if chain.leaves == 0 {
            self.close(first);
        }
        if quantity == 0 || quantity > leaves {
            return protocol(format!(
                "an execution of {quantity} on {number}, of which {leaves} were open"
            ));
        }
        if worse {
            let price = view.price();
            return protocol(format!(
                "an execution of {number} at {price}, worse than its limit"
            ));
        }
        Ok(())
    }

    fn canceled(&mut self, number: u32, decrement: u32) -> Result<(), Wrong> {
        let first = self.live(number, "OrderCanceled")?;
        self.tally.cancel_reports += 1;
        self.tally.canceled_qty += u64::from(decrement);
        let Some(chain) = self.chains.get_mut(&first) else {
            return protocol(format!("a cancel of {number} after its end"));
        };
        let leaves = chain.leaves;
        chain.leaves = leaves.saturating_sub(decrement);
        if chain.leaves == 0 {
            self.close(first);
        }
        if decrement > leaves {
            return protocol(format!(
                "a cancel of {decrement} on {number}, of which {leaves} were open"
            ));
        }
        Ok(())
    }

    fn seen(&mut self, number: u32, name: &str) -> Result<(), Wrong> {
        self.tally.other_messages += 1;
        self.live(number, name).map(|_| ())
    }

    /// The order of a number that the venue has confirmed. A message on a version that was not even
    /// accepted is a fault; since the venue acts on it, the version counts as accepted from then on,
    /// and its answer as missing.
    fn live(&mut self, number: u32, name: &str) -> Result<u32, Wrong> {
        self.own(number, None)?;
        match self.numbers.get(&number).copied() {
            Some(Number::Confirmed { chain }) => Ok(chain),
            Some(Number::Asked { chain, asked }) => {
                self.note(Wrong::Protocol(format!(
                    "{name} on {number}, which was not accepted"
                )));
                self.presume(chain, number, asked);
                Ok(chain)
            }
            None => protocol(format!("{name} on {number}, which is closed")),
        }
    }

    fn presume(&mut self, first: u32, number: u32, asked: Asked) {
        if asked.awaited {
            self.awaited = self.awaited.saturating_sub(1);
        }
        if !asked.overdue {
            self.tally.unanswered += 1;
        }
        self.numbers
            .insert(number, Number::Confirmed { chain: first });
        if let Some(chain) = self.chains.get_mut(&first) {
            chain.asked.retain(|other| *other != number);
            chain.given_up.retain(|other| *other != number);
            chain.limit = None;
            if let Some(former) = chain.confirmed.replace(number) {
                self.numbers.remove(&former);
            }
            chain.leaves = asked.total.saturating_sub(chain.executed);
        }
    }

    /// Whether a number and a text are this session's.
    fn own(&self, number: u32, text: Option<Alpha<14>>) -> Result<(), Wrong> {
        if number == 0 || number > self.last {
            return Err(Wrong::Session(format!(
                "an answer for number {number}; the last one used is {}",
                self.last
            )));
        }
        let expected = cl_ord_id(self.session, number);
        match text {
            Some(text) if text != expected => {
                let what = format!("an answer for {number} echoes {text}, sent was {expected}");
                if text.bytes().get(..4) == expected.bytes().get(..4) {
                    Err(Wrong::Protocol(what))
                } else {
                    Err(Wrong::Session(what))
                }
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Takes the first answer to a number.
    fn answer(&mut self, number: u32, kind: AskedKind, name: &str) -> Result<(u32, Asked), Wrong> {
        match self.numbers.get(&number).copied() {
            Some(Number::Asked { chain, asked }) if asked.kind == kind => {
                self.numbers.remove(&number);
                if asked.awaited {
                    self.awaited = self.awaited.saturating_sub(1);
                }
                if asked.overdue {
                    self.tally.unanswered -= 1;
                    self.tally.late += 1;
                }
                self.news.answered_planned_ns.push(asked.planned_ns);
                Ok((chain, asked))
            }
            Some(Number::Asked { .. }) => protocol(format!("{name} does not answer {number}")),
            Some(Number::Confirmed { .. }) | None => {
                protocol(format!("{name} for {number}, which was answered before"))
            }
        }
    }

    /// A cancel that waited can go out once no replace is unanswered.
    fn look_for_deferred(&mut self, first: u32) {
        if let Some(chain) = self.chains.get(&first)
            && chain.cancel == CancelWish::Deferred
            && chain.asked.is_empty()
        {
            self.news.cancellable.push(first);
        }
    }
}

/// The limit that a price field states.
fn limit(wire: u64) -> Option<u64> {
    match OUCH50.price(wire) {
        OuchPrice::Limit(wire) => Some(wire),
        OuchPrice::Market | OuchPrice::AboveMax(_) => None,
    }
}

/// Whether nothing of a replaced order is left.
fn is_over(view: &OrderReplacedView<'_>) -> bool {
    view.order_state() == OrderState::Dead || view.quantity() == 0
}

//! Sending: what a session asked for, and how an order's versions hang together.
//!
//! **Thread.** The driver's.
//! **Invariants.** `leaves` and `executed` of a chain are what the bytes received say. The versions
//! asked for stand in the order in which they were sent, each naming the one before.
//! **Never.** Guess an answer.

use super::{Checker, Number, SILENT_MAX};
use portcullis_domain::Side;

/// An order with all its versions.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) handle: Option<u64>,
    pub(crate) account: usize,
    /// `None` for a symbol that is nobody's: no execution may come.
    pub(crate) instrument: Option<usize>,
    pub(crate) side: Side,
    /// The number the venue knows it by; `None` before it was accepted.
    pub(crate) confirmed: Option<u32>,
    /// Shares open at the venue.
    pub(super) leaves: u32,
    /// Shares executed so far.
    pub(crate) executed: u32,
    /// The worst price it may trade at, in wire units; `None` without a limit.
    pub(super) limit: Option<u64>,
    /// Numbers asked for and not answered, oldest first.
    pub(super) asked: Vec<u32>,
    /// Replaces that were given up: one of them may be the live number.
    pub(super) given_up: Vec<u32>,
    pub(crate) cancel: CancelWish,
    /// Answers the window waits for beside those to the numbers asked for: the end of an order
    /// that cannot rest, or of one that is cancelled.
    pub(super) awaited: u32,
}

impl Chain {
    /// The number that a further replace names: the last version asked for, or the confirmed one.
    pub(crate) fn tip(&self) -> Option<u32> {
        self.asked.last().copied().or(self.confirmed)
    }

    /// Whether a replace of it is unanswered, so that no number is known to be the live one.
    pub(crate) fn is_replacing(&self) -> bool {
        self.confirmed.is_some() && !self.asked.is_empty()
    }

    /// Every number that may be the live one, for a cancel that must not miss it.
    pub(crate) fn may_be_live(&self) -> Vec<u32> {
        let known = self.confirmed.or(self.tip());
        known
            .into_iter()
            .chain(self.given_up.iter().copied())
            .collect()
    }

    /// Shares open at the venue, as far as is known.
    pub(crate) fn leaves(&self) -> u32 {
        self.leaves
    }
}

/// Whether an order is to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CancelWish {
    None,
    /// As soon as its replace is answered.
    Deferred,
    Sent,
}

/// A message that must be answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) kind: AskedKind,
    pub(super) planned_ns: u64,
    /// Total of the chain that was asked for, executed shares included.
    pub(super) total: u32,
    /// Whether the window waits for it.
    pub(super) awaited: bool,
    /// Whether it was given up.
    pub(super) overdue: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AskedKind {
    Enter,
    Replace,
}

/// An order that goes out now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewOrder {
    pub(crate) handle: Option<u64>,
    pub(crate) account: usize,
    pub(crate) instrument: Option<usize>,
    pub(crate) side: Side,
    pub(crate) quantity: u32,
    pub(crate) planned_ns: u64,
    /// It cannot rest, so its end is waited for too.
    pub(crate) immediate: bool,
}

impl Checker {
    /// Notes an order under [`Checker::next_number`].
    pub(crate) fn entered(&mut self, order: NewOrder) -> u32 {
        let number = self.take_number();
        let asked = Asked {
            kind: AskedKind::Enter,
            planned_ns: order.planned_ns,
            total: order.quantity,
            awaited: true,
            overdue: false,
        };
        self.numbers.insert(
            number,
            Number::Asked {
                chain: number,
                asked,
            },
        );
        let awaited = u32::from(order.immediate);
        self.chains.insert(
            number,
            Chain {
                handle: order.handle,
                account: order.account,
                instrument: order.instrument,
                side: order.side,
                confirmed: None,
                leaves: 0,
                executed: 0,
                limit: None,
                asked: vec![number],
                given_up: Vec::new(),
                cancel: CancelWish::None,
                awaited,
            },
        );
        self.awaited += 1 + awaited;
        self.tally.enters_sent += 1;
        number
    }

    /// Notes a replace of this order to this total under [`Checker::next_number`].
    pub(crate) fn replace_asked(&mut self, first: u32, total: u32, planned_ns: u64) {
        let number = self.take_number();
        self.tally.replaces_sent += 1;
        let Some(chain) = self.chains.get_mut(&first) else {
            self.keep_silent(number);
            return;
        };
        chain.asked.push(number);
        let asked = Asked {
            kind: AskedKind::Replace,
            planned_ns,
            total,
            awaited: true,
            overdue: false,
        };
        self.numbers.insert(
            number,
            Number::Asked {
                chain: first,
                asked,
            },
        );
        self.awaited += 1;
    }

    /// Notes a replace that names a closed order.
    pub(crate) fn replace_of_dead_asked(&mut self) {
        let number = self.take_number();
        self.tally.replaces_sent += 1;
        self.keep_silent(number);
    }

    /// Notes a cancel of this order in so many messages; a whole one is waited for.
    pub(crate) fn cancel_asked(&mut self, first: u32, whole: bool, messages: usize) {
        self.tally.cancels_sent += messages as u64;
        if let Some(chain) = self.chains.get_mut(&first)
            && whole
        {
            chain.cancel = CancelWish::Sent;
            chain.awaited += 1;
            self.awaited += 1;
        }
    }

    /// The cancel has to wait for the answer to a replace.
    pub(crate) fn defer_cancel(&mut self, first: u32) {
        if let Some(chain) = self.chains.get_mut(&first)
            && chain.cancel == CancelWish::None
        {
            chain.cancel = CancelWish::Deferred;
        }
    }

    fn take_number(&mut self) -> u32 {
        self.last = self.next_number();
        self.last
    }

    /// The number needs no answer; one that comes is taken.
    pub(super) fn keep_silent(&mut self, number: u32) {
        self.tally.silent += 1;
        if self.silent.len() == SILENT_MAX {
            self.silent.pop_front();
        }
        self.silent.push_back(number);
    }

    /// The order is over: whatever was asked for behind it will not be answered.
    pub(super) fn close(&mut self, first: u32) {
        let Some(chain) = self.chains.remove(&first) else {
            return;
        };
        self.awaited = self.awaited.saturating_sub(chain.awaited);
        if let Some(number) = chain.confirmed {
            self.numbers.remove(&number);
            self.dead = Some(number);
        }
        for number in chain.asked.iter().chain(&chain.given_up) {
            self.excuse(*number);
        }
        self.news.closed.extend(chain.handle);
    }

    /// A replace that names a version that is gone.
    pub(super) fn excuse(&mut self, number: u32) {
        let Some(Number::Asked { asked, .. }) = self.numbers.remove(&number) else {
            return;
        };
        if asked.awaited {
            self.awaited = self.awaited.saturating_sub(1);
        }
        // An Enter is never excused, nor what was given up: those stay counted.
        match asked.kind {
            AskedKind::Replace if !asked.overdue => self.keep_silent(number),
            AskedKind::Enter if !asked.overdue => self.tally.unanswered += 1,
            AskedKind::Replace | AskedKind::Enter => {}
        }
    }
}

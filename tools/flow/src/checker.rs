//! What one session may hear: its own orders as the bytes received tell them.
//!
//! **Thread.** The driver's.
//! **Invariants.** Each Enter and Replace is in exactly one of these: unanswered, accepted or
//! replaced, refused, silent by protocol (it named an order that was closed or refused when the
//! venue took it, which OUCH does not answer), or overdue. Numbers below the high-water mark that
//! are not in the tables are closed for good.
//! **Never.** Take a message on trust: each names a number of this session, echoes the text sent
//! with it, and leaves no order with less than nothing.

mod orders;
mod receive;
#[cfg(test)]
mod tests;

pub(crate) use orders::{CancelWish, Chain, NewOrder};

use crate::report::Tally;
use orders::Asked;
use portcullis_wire::Alpha;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How many silent numbers are remembered, in case they are answered after all.
const SILENT_MAX: usize = 4_096;

/// The checker of one session.
#[derive(Debug)]
pub(crate) struct Checker {
    session: usize,
    /// Orders that are not closed, by the number they were entered with.
    chains: BTreeMap<u32, Chain>,
    /// Numbers that still mean something: the confirmed version of an order, or one asked for.
    numbers: HashMap<u32, Number>,
    /// Numbers that need no answer, oldest first; bounded.
    silent: VecDeque<u32>,
    /// The last number used.
    last: u32,
    /// A number whose order is closed.
    dead: Option<u32>,
    /// The last order accepted.
    accepted: Option<u32>,
    /// Messages whose answer the window waits for.
    awaited: u32,
    pub(crate) tally: Tally,
    pub(crate) news: News,
}

/// What a number means.
#[derive(Clone, Copy, Debug)]
enum Number {
    /// The version that the venue has confirmed.
    Confirmed { chain: u32 },
    /// Asked for and not answered.
    Asked { chain: u32, asked: Asked },
}

/// What happened since the driver last looked.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Handles of closed orders.
    pub(crate) closed: Vec<u64>,
    /// Planned send times of messages that got their first answer.
    pub(crate) answered_planned_ns: Vec<u64>,
    /// Executions on own orders.
    pub(crate) fills: Vec<Fill>,
    /// Orders with a cancel that waited for their replace to be answered.
    pub(crate) cancellable: Vec<u32>,
}

/// One execution on an own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) account: usize,
    pub(crate) instrument: usize,
    pub(crate) side: portcullis_domain::Side,
    pub(crate) quantity: u32,
    pub(crate) price: u64,
    pub(crate) match_number: u64,
}

impl Checker {
    pub(crate) fn new(session: usize) -> Self {
        Self {
            session,
            chains: BTreeMap::new(),
            numbers: HashMap::new(),
            silent: VecDeque::new(),
            last: 0,
            dead: None,
            accepted: None,
            awaited: 0,
            tally: Tally::default(),
            news: News::default(),
        }
    }

    /// Messages whose answer the window waits for.
    pub(crate) fn awaited(&self) -> u32 {
        self.awaited
    }

    /// Orders that are not known to be closed, by the number they were entered with.
    pub(crate) fn open(&self) -> impl Iterator<Item = (u32, &Chain)> {
        self.chains.iter().map(|(first, chain)| (*first, chain))
    }

    pub(crate) fn chain(&self, first: u32) -> Option<&Chain> {
        self.chains.get(&first)
    }

    /// The number of a closed order.
    pub(crate) fn dead(&self) -> Option<u32> {
        self.dead
    }

    /// The number of the last order accepted: sent again, it must not be answered.
    pub(crate) fn resendable(&self) -> Option<u32> {
        self.accepted
    }

    /// The number the next message will use.
    pub(crate) fn next_number(&self) -> u32 {
        self.last.saturating_add(1)
    }

    /// Nothing more is waited for: what has no answer by now is overdue.
    pub(crate) fn give_up(&mut self) {
        self.awaited = 0;
        for number in self.numbers.values_mut() {
            if let Number::Asked { asked, .. } = number
                && !asked.overdue
            {
                asked.overdue = true;
                asked.awaited = false;
                self.tally.unanswered += 1;
            }
        }
        for chain in self.chains.values_mut() {
            chain.awaited = 0;
            // A cancel can be asked for again; and once it is accepted no replace holds it back.
            chain.cancel = CancelWish::None;
            if chain.confirmed.is_some() {
                chain.given_up.append(&mut chain.asked);
            }
        }
    }

    /// Messages without an answer so far, overdue or not.
    pub(crate) fn unanswered(&self) -> u64 {
        let waiting = self
            .numbers
            .values()
            .filter(|number| matches!(number, Number::Asked { asked, .. } if !asked.overdue));
        self.tally.unanswered + waiting.count() as u64
    }
}

/// The text that goes out with a number: it names the session, so that an echo shows whose it is.
pub(crate) fn cl_ord_id(session: usize, number: u32) -> Alpha<14> {
    let mut text = *b"S000-000000000";
    digits(&mut text[1..4], session as u64);
    digits(&mut text[5..14], u64::from(number % 1_000_000_000));
    // Letters and digits are printable, and there are 14 of them.
    Alpha::new(&text).unwrap_or(Alpha::BLANK)
}

fn digits(field: &mut [u8], mut number: u64) {
    for place in field.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

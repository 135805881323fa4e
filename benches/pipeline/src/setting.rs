//! The ground on which the cases of a market are set up: heads, one after the other, for whoever takes them.
//!
//! On the measuring thread, before the first order. Invariant: what was said is counted apart from what the core
//! counts.

use crate::limits::SESSIONS;
use portcullis_bench_market::Ground;
use portcullis_domain::{Command, Head, NewOrder, ReportKind, UserRef, VenueReport};

/// What was sent before the first order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Orders and replaces that had to be accepted.
    pub accepted: u64,
    /// Orders that had to be refused.
    pub refused: u64,
    /// Orders that rest from then on.
    pub resting: u64,
}

/// The ground.
pub struct Setting<'a> {
    /// Sessions' last numbers, those of the load's left out.
    pub numbers: &'a mut [u32],
    /// Who takes the heads.
    pub taken: &'a mut dyn FnMut(Head),
    /// Its time.
    pub now_ns: u64,
    /// What was sent.
    pub opened: Opened,
}

impl Setting<'_> {
    /// A head, a nanosecond after the one before.
    pub fn say(&mut self, mut head: Head) {
        self.now_ns += 1;
        head.timestamp_ns = self.now_ns;
        (self.taken)(head);
    }
}

impl Ground for Setting<'_> {
    fn now_ns(&self) -> u64 {
        self.now_ns
    }

    fn wait_ns(&mut self, ns: u64) {
        self.now_ns += ns;
    }

    fn next_number(&mut self, session: u32) -> UserRef {
        let number = &mut self.numbers[(session - SESSIONS) as usize];
        *number += 1;
        UserRef::new(*number)
    }

    fn send(&mut self, command: Command) {
        self.say(command.encode());
    }

    fn control(&mut self, command: Command) {
        self.send(command);
    }

    fn enter(&mut self, order: NewOrder, answer: Option<ReportKind>) {
        self.send(Command::NewOrder(order));
        self.opened.accepted += 1;
        if let Some(kind) = answer {
            self.send(Command::Report(VenueReport {
                session: order.session,
                user_ref: order.user_ref,
                kind,
                note: 0,
            }));
        }
    }

    fn rest(&mut self, order: NewOrder) {
        self.enter(order, None);
        self.opened.resting += 1;
    }

    fn ask(&mut self, replace: Command) {
        self.send(replace);
        self.opened.accepted += 1;
    }
}

//! The market as the ground on which cases are set up: commands are applied at once, and counted.

use super::Market;
use portcullis_bench_market::Ground;
use portcullis_domain::{Command, NewOrder, ReportKind, UserRef};

impl Ground for Market {
    fn now_ns(&self) -> u64 {
        self.now_ns
    }

    fn wait_ns(&mut self, ns: u64) {
        self.now_ns += ns;
    }

    fn next_number(&mut self, session: u32) -> UserRef {
        let number = &mut self.numbers[session as usize];
        *number += 1;
        UserRef::new(*number)
    }

    fn send(&mut self, command: Command) {
        let record = self.record(command);
        self.apply(&record);
    }

    fn control(&mut self, command: Command) {
        self.controls += 1;
        if let Command::Reference(reference) = command {
            let sent = &mut self.references[reference.instrument.index()];
            *sent = Some(reference.price.ticks());
        }
        self.send(command);
    }

    fn enter(&mut self, order: NewOrder, answer: Option<ReportKind>) {
        self.send(Command::NewOrder(order));
        self.sent += 1;
        if let Some(kind) = answer {
            self.report(order.session, order.user_ref, kind);
        }
    }

    fn rest(&mut self, order: NewOrder) {
        self.enter(order, None);
        self.rests += 1;
    }

    fn ask(&mut self, replace: Command) {
        self.send(replace);
        self.sent += 1;
        self.unanswered += 1;
    }
}

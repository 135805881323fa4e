//! Where a case is set up: whoever gives a core its commands.
//!
//! Implemented by each bench. Invariant: what is said is done before the next is said.

use portcullis_domain::{
    AccountId, CashMove, Command, InstrumentId, Money, NewOrder, Price, ReferencePrice, ReportKind,
    UserRef,
};

/// A core that is told what must have happened before the first order of a load.
pub trait Ground {
    /// Its time.
    fn now_ns(&self) -> u64;

    /// Lets time pass.
    fn wait_ns(&mut self, ns: u64);

    /// A session's next number.
    fn next_number(&mut self, session: u32) -> UserRef;

    /// A command that is neither a control command nor an order.
    fn send(&mut self, command: Command);

    /// A control command.
    fn control(&mut self, command: Command);

    /// An order that must be accepted, and what the engine says of it.
    fn enter(&mut self, order: NewOrder, answer: Option<ReportKind>);

    /// An order that must be accepted, and rests from then on.
    fn rest(&mut self, order: NewOrder);

    /// Another version of an order that rests, which must be accepted and stays unanswered.
    fn ask(&mut self, replace: Command);

    /// Pays in.
    fn deposit(&mut self, account: u32, quanta: i64) {
        self.control(Command::Deposit(CashMove {
            account: AccountId::new(account),
            amount: Money::new(quanta),
        }));
    }

    /// A reference price.
    fn publish(&mut self, instrument: u32, price: i64) {
        self.control(Command::Reference(ReferencePrice {
            instrument: InstrumentId::new(instrument),
            price: Price::new(price),
        }));
    }
}

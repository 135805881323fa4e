//! What a cell is given: orders that all pass, or refusals mixed into them.
//!
//! On the measuring thread, outside of what is timed.

use portcullis_bench_kernel::load::Accounts;
use portcullis_bench_kernel::market::Market;
use portcullis_bench_kernel::mixed::Mixed;
use portcullis_domain::Record;

/// Makes orders in batches.
pub(crate) trait Load {
    /// Where they are applied.
    fn market(&mut self) -> &mut Market;

    /// Makes the next ones.
    fn prepare(&mut self, batch: &mut [Record]);

    /// The engine's word on a batch that was applied.
    fn settle(&mut self, batch: &[Record]);
}

/// Orders that all pass.
pub(crate) struct Accepting<'a> {
    pub(crate) market: &'a mut Market,
    pub(crate) accounts: &'a Accounts,
}

impl Load for Accepting<'_> {
    fn market(&mut self) -> &mut Market {
        self.market
    }

    fn prepare(&mut self, batch: &mut [Record]) {
        self.market.prepare(self.accounts, batch);
    }

    fn settle(&mut self, batch: &[Record]) {
        self.market.cancel_all(batch);
    }
}

impl Load for Mixed {
    fn market(&mut self) -> &mut Market {
        &mut self.market
    }

    fn prepare(&mut self, batch: &mut [Record]) {
        Mixed::prepare(self, batch);
    }

    fn settle(&mut self, _batch: &[Record]) {
        Mixed::settle(self);
    }
}

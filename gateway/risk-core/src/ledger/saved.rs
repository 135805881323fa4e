//! The ledger as words: its parts, and then the sums that follow from them.
//!
//! Risk thread for saving. Invariant: what is a sum over orders or positions is not saved but summed anew,
//! so that no words can make a ledger whose sums are not what they claim to be.

use super::Ledger;
use crate::accounts::saved::Circumstances;
use crate::limits::LimitTable;
use crate::orders::Known;
use crate::saved::{Read, Words};
use portcullis_domain::{InstrumentId, quanta};

impl Ledger {
    pub(crate) fn save(&self, table: &LimitTable, push: &mut impl FnMut(u64)) {
        push(self.day.into());
        self.accounts.save(table, self.table_version, push);
        self.instruments.save(table, push);
        self.positions.save(push);
        self.orders.save(push);
    }

    /// Into a ledger in which nothing has happened yet.
    pub(crate) fn load(
        &mut self,
        table: &LimitTable,
        sessions: usize,
        now_ns: u64,
        words: &mut Words<'_>,
    ) -> Read<()> {
        words.begin("ledger");
        self.day = words.at_most(u32::MAX as usize, "a day out of range")? as u32;
        let of = Circumstances {
            table,
            table_version: self.table_version,
            now_ns,
        };
        self.accounts.load(&of, words)?;
        self.instruments.load(table, now_ns, words)?;
        let (accounts, instruments) = (table.accounts_len(), table.instruments_len());
        self.positions.load((accounts, instruments), words)?;
        let known = Known {
            accounts,
            instruments,
            sessions,
        };
        self.orders.load(known, words)?;
        words.begin("open orders");
        self.load_orders(table, words)?;
        self.accounts.load_counts(table.firms_len(), words)?;
        words.begin("positions");
        self.load_positions(words)
    }

    /// Each open order into its position's list, and what it holds into its account.
    fn load_orders(&mut self, table: &LimitTable, words: &Words<'_>) -> Read<()> {
        let mut from = 0;
        while let Some(slot) = self.orders.next_open(from) {
            from = slot + 1;
            self.positions.load_order(slot, &mut self.orders, words)?;
            let order = self.orders.whole(slot);
            let limits = table.instrument(InstrumentId::new(order.instrument));
            let value = limits.map_or(0, |limits| limits.value.quanta());
            let notional = quanta(order.hold(None).lot_ticks, value);
            let account = self.accounts.get_mut(order.account);
            account.open_orders += 1;
            let total = account.open_notional.checked_add(notional);
            account.open_notional = total.ok_or(words.wrong("notional out of range"))?;
            let used = account
                .reserved_used
                .checked_add(order.is_reserved().into());
            account.reserved_used = used.ok_or(words.wrong("more of a reserve than there is"))?;
        }
        Ok(())
    }
}

//! Instruments as words.
//!
//! Risk thread for saving. Collar, scale, schedules and threshold are prepared anew under the limits in
//! force, which is what they are; open interest is summed anew from the positions.

use super::{Instrument, Instruments, Reference};
use crate::accounts::saved::state;
use crate::drift::Bases;
use crate::limits::LimitTable;
use crate::saved::{Read, Words};
use crate::volume_window::VolumeWindow;
use portcullis_domain::InstrumentId;

/// No price that loads is above; see the limits' own largest.
const PRICE_MAX: i64 = 1 << 60;

/// No sum of open interest passes this.
const INTEREST_SUM_MAX: i64 = 1 << 62;

const REFERENCE: u32 = 1 << 2;
const DAY_PRICE: u32 = 1 << 3;
const KNOWN: u32 = 0b1111;

impl Instruments {
    /// Gives those that a table knows to `push`: nothing ever happens to others. Then the drift of all.
    pub(crate) fn save(&self, table: &LimitTable, push: &mut impl FnMut(u64)) {
        for instrument in &self.all[..table.instruments_len()] {
            instrument.save(push);
        }
        self.drift.save(push);
    }

    pub(crate) fn load(
        &mut self,
        table: &LimitTable,
        now_ns: u64,
        words: &mut Words<'_>,
    ) -> Read<()> {
        words.begin("instruments");
        for id in (0..table.instruments_len() as u32).map(InstrumentId::new) {
            self.all[id.index()].load(now_ns, words)?;
            let limits = table.instrument(id);
            let limits = limits.ok_or(words.wrong("an instrument without limits"))?;
            self.relimit(id.raw(), limits);
        }
        // What the drift was, not what preparing anew made of it.
        words.begin("drift");
        self.drift.load(words)
    }
}

impl Instrument {
    fn save(&self, push: &mut impl FnMut(u64)) {
        let mark = |mark, holds: bool| if holds { mark } else { 0 };
        let marks = self.state as u32
            | mark(REFERENCE, self.reference.is_some())
            | mark(DAY_PRICE, self.day_price.is_some());
        push(u64::from(self.settlements) << 32 | u64::from(marks));
        if let Some(reference) = self.reference {
            push(reference.price as u64);
            push(reference.at_ns);
        }
        if let Some(price) = self.day_price {
            push(price as u64);
        }
        push(self.settlement_price as u64);
        push(self.reference_open_interest as u64);
        self.bases.save(push);
        self.window.save(push);
    }

    fn load(&mut self, now_ns: u64, words: &mut Words<'_>) -> Read<()> {
        let (settlements, marks) = words.halves()?;
        words.must(marks & !KNOWN == 0, "marks that no instrument has")?;
        self.settlements = settlements;
        self.state = state(u64::from(marks & 3), words)?;
        if marks & REFERENCE != 0 {
            let price = load_price(words)?;
            let at_ns = words.word()?;
            words.must(at_ns <= now_ns, "a reference after the last command")?;
            // The collar follows from the limits.
            self.reference = Some(Reference {
                price,
                at_ns,
                lo: price,
                hi: price,
            });
        }
        if marks & DAY_PRICE != 0 {
            self.day_price = Some(load_price(words)?);
        }
        self.settlement_price = words.amount(PRICE_MAX, "a settlement price out of range")?;
        let interest = words.amount(INTEREST_SUM_MAX, "open interest out of range")?;
        self.reference_open_interest = interest;
        self.bases = Bases::load(words)?;
        self.window = VolumeWindow::load(now_ns, words)?;
        Ok(())
    }

    /// Adds what a position has to open interest.
    pub(crate) fn load_interest(&mut self, added: &super::Interest, words: &Words<'_>) -> Read<()> {
        let sums = [
            (&mut self.open_interest, added.open),
            (&mut self.long_would_be, added.long),
            (&mut self.short_would_be, added.short),
        ];
        for (sum, lots) in sums {
            let total = sum
                .checked_add(lots)
                .filter(|total| *total <= INTEREST_SUM_MAX);
            *sum = total.ok_or(words.wrong("open interest out of range"))?;
        }
        Ok(())
    }
}

fn load_price(words: &mut Words<'_>) -> Read<i64> {
    let price = words.amount(PRICE_MAX, "a price out of range")?;
    words.must(price > 0, "a price of nothing")?;
    Ok(price)
}

//! Of which rows an order or replace is known from the log alone.
//!
//! Part of what is in flight. A link that replays asks at each poll, and there may be many such orders. Invariant: a row is
//! in doubt as long as one of them has a number of it.

use super::Asked;
use crate::rows::RowSet;

#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// How many, by row; nothing before the first.
    by_row: Vec<u32>,
    rows: RowSet,
}

impl Doubts {
    /// Counts one of the log in, or out.
    pub(super) fn count(&mut self, asked: Asked, by: i32) {
        let Some(number) = asked.number() else {
            return;
        };
        if self.by_row.is_empty() {
            self.by_row.resize(usize::from(u8::MAX) + 1, 0);
        }
        let count = &mut self.by_row[usize::from(number.row)];
        *count = count.strict_add_signed(by);
        if *count == 0 {
            self.rows.take(number.row);
        } else {
            self.rows.put(number.row);
        }
    }

    pub(super) const fn rows(&self) -> RowSet {
        self.rows
    }
}

//! What the engine said of the rows of a session's numbers.
//!
//! Owned by a link. Invariants: of a row the highest number that the engine was seen to use only grows,
//! until its session is another one; which rows were asked about, and which of them were answered, is of
//! the login of the moment. It must never take a word about one row for one about another.

use portcullis_domain::{ReportKind, VenueReport};
use portcullis_venue::saved::{SavedError, SavedReader, SavedWriter};

/// The engine contradicts itself: it names a number as the next one that it has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    /// The highest number that it has used.
    pub(crate) used: u32,
}

/// The rows of a session.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// The highest number used, by row; rows ascend, and none is without a number.
    used: Vec<(u8, u32)>,
    asked: RowSet,
    answered: RowSet,
}

impl Rows {
    /// A login was taken: nothing is asked yet.
    pub(crate) fn begin(&mut self) {
        self.asked = RowSet::default();
        self.answered = RowSet::default();
    }

    /// The engine's session is another one: its numbers begin anew.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(crate) const fn ask(&mut self, row: u8) {
        self.asked.put(row);
    }

    pub(crate) const fn is_asked(&self, row: u8) -> bool {
        self.asked.has(row)
    }

    pub(crate) const fn is_answered(&self, row: u8) -> bool {
        self.answered.has(row)
    }

    /// Whether each of these was answered.
    pub(crate) fn are_answered(&self, rows: &RowSet) -> bool {
        rows.is_within(&self.answered)
    }

    /// Takes an answer: the number that comes next. Where that was used, it is an answer and changes
    /// nothing else.
    pub(crate) fn answer(&mut self, row: u8, next: u32) -> Result<(), Contradiction> {
        self.answered.put(row);
        let used = self.used(row);
        if next <= used {
            return Err(Contradiction { used });
        }
        self.note_used(row, next - 1);
        Ok(())
    }

    /// Takes what a report shows of the numbers in use. Whether a refused number is used up, engines
    /// may see differently: it shows nothing.
    pub(crate) fn note_report(&mut self, report: &VenueReport) {
        let used = match report.kind {
            ReportKind::Accepted | ReportKind::Canceled => report.user_ref,
            ReportKind::Replaced { new } => new,
            ReportKind::Fill { .. }
            | ReportKind::Reduced { .. }
            | ReportKind::Rejected
            | ReportKind::ReplaceRejected { .. }
            | ReportKind::CancelRejected
            | ReportKind::CancelPending
            | ReportKind::BrokenTrade { .. }
            | ReportKind::Information => return,
        };
        self.note_used(used.row, used.number);
    }

    /// The highest number of a row that the engine was seen to use; 0 for none.
    pub(crate) fn used(&self, row: u8) -> u32 {
        let place = self.place(row);
        place.map_or(0, |place| self.used[place].1)
    }

    fn note_used(&mut self, row: u8, number: u32) {
        match self.place(row) {
            Ok(place) => self.used[place].1 = self.used[place].1.max(number),
            Err(place) if number > 0 => self.used.insert(place, (row, number)),
            Err(_) => {}
        }
    }

    fn place(&self, row: u8) -> Result<usize, usize> {
        self.used.binary_search_by_key(&row, |(row, _)| *row)
    }

    /// Writes down what the log showed.
    pub(crate) fn save(&self, to: &mut SavedWriter<'_>) {
        to.count(self.used.len());
        for (row, number) in &self.used {
            to.u8(*row);
            to.u32(*number);
        }
    }

    /// Reads what [`Rows::save`] wrote.
    pub(crate) fn load(from: &mut SavedReader<'_>) -> Result<Self, SavedError> {
        let mut used: Vec<(u8, u32)> = Vec::new();
        for _ in 0..from.count("rows", 5)? {
            let row = from.u8("row")?;
            from.hold("row", used.last().is_none_or(|(last, _)| *last < row))?;
            let number = from.u32("row_number")?;
            from.hold("row_number", number > 0)?;
            used.push((row, number));
        }
        Ok(Self {
            used,
            ..Self::default()
        })
    }
}

/// Some of the 256 rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RowSet([u64; 4]);

impl RowSet {
    pub(crate) const fn put(&mut self, row: u8) {
        self.0[row as usize / 64] |= 1 << (row % 64);
    }

    pub(crate) const fn take(&mut self, row: u8) {
        self.0[row as usize / 64] &= !(1 << (row % 64));
    }

    /// Whether none is outside of others.
    pub(crate) fn is_within(&self, others: &Self) -> bool {
        let mut words = self.0.iter().zip(others.0);
        words.all(|(own, other)| own & !other == 0)
    }

    pub(crate) const fn has(&self, row: u8) -> bool {
        self.0[row as usize / 64] >> (row % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{SessionId, UserRef};

    fn report(row: u8, number: u32, kind: ReportKind) -> VenueReport {
        VenueReport {
            session: SessionId::new(0),
            user_ref: UserRef { row, number },
            kind,
            note: 0,
        }
    }

    #[test]
    fn each_row_is_known_by_itself_and_only_grows() {
        let mut rows = Rows::default();
        rows.note_report(&report(255, 9, ReportKind::Accepted));
        rows.note_report(&report(255, 4, ReportKind::Canceled));
        let new = UserRef { row: 3, number: 7 };
        rows.note_report(&report(3, 6, ReportKind::Replaced { new }));
        rows.note_report(&report(64, 5, ReportKind::Rejected));
        let used = [0, 3, 64, 255].map(|row| rows.used(row));
        assert_eq!(used, [0, 7, 0, 9]);
        assert_eq!(rows.answer(255, 9), Err(Contradiction { used: 9 }));
        assert_eq!(rows.answer(255, 12), Ok(()));
        assert_eq!(rows.answer(255, 12), Ok(()), "the same again");
        assert_eq!(rows.answer(255, 11), Err(Contradiction { used: 11 }));
        assert_eq!(rows.answer(64, 1), Ok(()), "none of it is used");
        let answered = [0, 3, 64, 255].map(|row| rows.is_answered(row));
        assert_eq!(answered, [false, false, true, true]);
        let of = |some: &[u8]| {
            let mut set = RowSet::default();
            some.iter().for_each(|row| set.put(*row));
            set
        };
        assert!(rows.are_answered(&of(&[64, 255])) && rows.are_answered(&of(&[])));
        assert!(!rows.are_answered(&of(&[64, 254, 255])));
        rows.begin();
        assert!(!rows.is_answered(255) && rows.used(255) == 11);
        rows.forget();
        assert_eq!(rows.used(255), 0);
    }
}

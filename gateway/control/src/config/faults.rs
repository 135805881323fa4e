//! Faults that the limit table finds between parts of a config, at the lines that caused them.
//!
//! Control thread only. Invariants: faults of single cells were found when they were read; a fault
//! between parts is shown only where both parts are whole; what an account takes over from its class
//! is shown at the class alone.

use super::draft::{Draft, RowOrigin};
use super::mistake::{LinePlace, Mistakes, Place};
use portcullis_domain::{FirmId, InstrumentId};
use portcullis_risk_core::limits::account::{ACCOUNT_FIELDS, AccountField};
use portcullis_risk_core::limits::instrument::InstrumentField;
use portcullis_risk_core::limits::{LimitSpec, LoadFault, RowSpec};

/// The greatest money a position may be worth, in quanta; the risk core's load rule.
const POSITION_QUANTA_MAX: i128 = 1 << 62;

/// Knows where everything in a spec came from.
pub(super) struct Explainer<'a, 'd> {
    pub(super) draft: &'a Draft<'d>,
    pub(super) limits: &'a LimitSpec,
    pub(super) csv_name: Option<&'a str>,
}

impl Explainer<'_, '_> {
    pub(super) fn explain(&self, fault: &LoadFault, mistakes: &mut Mistakes<'_>) {
        match fault {
            LoadFault::OiBounds(id) => self.oi_bounds(*id, mistakes),
            LoadFault::MaintenanceAboveInitial(id) => {
                let what = format!(
                    "maintenance margin of {} is above its initial margin somewhere",
                    self.symbol(*id)
                );
                let hint = "at every notional, let ratio_ppm of maintenance_margin be at most that \
                            of initial_margin";
                mistakes.add(self.instrument_place(*id, "maintenance_margin"), what, hint);
            }
            LoadFault::PositionTooLarge(row, id) => self.position(*row, *id, mistakes),
            LoadFault::VolumeAboveSpikeFloor(row, id) => self.volume(*row, *id, mistakes),
            LoadFault::ClearingMember(id) => self.clearing_member(*id, mistakes),
            // Found at their lines when they were read, or cannot come from here: indices are
            // resolved by name, and the capacity of sessions is below what an order key can hold.
            LoadFault::Instrument(..)
            | LoadFault::Row(..)
            | LoadFault::Firm(..)
            | LoadFault::Session(..)
            | LoadFault::SetUnknown(_)
            | LoadFault::SetInstrumentUnknown(..)
            | LoadFault::AccountDangling(_)
            | LoadFault::TooManySessions => {}
        }
    }

    fn oi_bounds(&self, id: InstrumentId, mistakes: &mut Mistakes<'_>) {
        let lower = self.cell(id, InstrumentField::OiLower);
        let upper = self.cell(id, InstrumentField::OiUpper);
        let (Some(lower), Some(upper)) = (lower, upper) else {
            return;
        };
        let what = format!("`oi_lower` is {lower}, above `oi_upper`, which is {upper}");
        let hint = format!("write {upper} or less, or raise oi_upper");
        mistakes.add(self.instrument_place(id, "oi_lower"), what, hint);
    }

    fn position(&self, row: u32, id: InstrumentId, mistakes: &mut Mistakes<'_>) {
        let price = self.cell(id, InstrumentField::PriceMax);
        let value = self.cell(id, InstrumentField::TickLotValue);
        let lots = self.row_cell(row, AccountField::PositionMax);
        let (Some(price), Some(value), Some(lots)) = (price, value, lots) else {
            return;
        };
        let most = POSITION_QUANTA_MAX / (i128::from(price) * i128::from(value)).max(1);
        let symbol = self.symbol(id);
        let what = format!(
            "`position_max` is {lots} lots: at price_max of {symbol} that is more money than can \
             be counted"
        );
        let hint = format!("write {most} at the most, or lower price_max of {symbol}");
        self.row(row)
            .wrong(AccountField::PositionMax, what, hint, mistakes);
    }

    fn volume(&self, row: u32, id: InstrumentId, mistakes: &mut Mistakes<'_>) {
        let floor = self.cell(id, InstrumentField::SpikeFloor);
        let lots = self.row_cell(row, AccountField::AccountVolumeMax);
        let (Some(floor), Some(lots)) = (floor, lots) else {
            return;
        };
        let what = format!(
            "`account_volume_max` is {lots} lots, and twice that is above spike_floor of {}, \
             {floor}: one account could trip its breaker alone",
            self.symbol(id)
        );
        let hint = format!("write {} at the most, or raise spike_floor", floor / 2);
        self.row(row)
            .wrong(AccountField::AccountVolumeMax, what, hint, mistakes);
    }

    fn clearing_member(&self, id: FirmId, mistakes: &mut Mistakes<'_>) {
        let firm = self.draft.firms.get(id.index()).and_then(Option::as_ref);
        let place = firm
            .map(|firm| firm.places.of("clearing_member"))
            .unwrap_or_default();
        let name = self.draft.names.firm_name(id).unwrap_or_default();
        let what =
            format!("the clearing member of firm `{name}` is cleared by another firm itself");
        mistakes.add(
            place,
            what,
            "name a firm that has no clearing_member of its own",
        );
    }

    fn cell(&self, id: InstrumentId, field: InstrumentField) -> Option<i64> {
        self.limits
            .instruments
            .get(id.index())?
            .cells
            .cell(field)
            .value()
    }

    fn row_cell(&self, row: u32, field: AccountField) -> Option<i64> {
        self.limits
            .rows
            .get(row as usize)?
            .cells
            .cell(field)
            .value()
    }

    fn symbol(&self, id: InstrumentId) -> &str {
        self.draft.names.symbol(id).unwrap_or_default()
    }

    fn instrument_place(&self, id: InstrumentId, field: &str) -> Place {
        let instrument = self
            .draft
            .instruments
            .get(id.index())
            .and_then(Option::as_ref);
        instrument
            .map(|instrument| instrument.places.of(field))
            .unwrap_or_default()
    }

    fn row(&self, row: u32) -> FaultyRow<'_, '_> {
        FaultyRow {
            index: row as usize,
            rows: &self.limits.rows,
            draft: self.draft,
            csv_name: self.csv_name,
        }
    }
}

/// A row of account limits with something wrong in it.
pub(super) struct FaultyRow<'a, 'd> {
    pub(super) index: usize,
    pub(super) rows: &'a [RowSpec],
    pub(super) draft: &'a Draft<'d>,
    pub(super) csv_name: Option<&'a str>,
}

impl FaultyRow<'_, '_> {
    /// A mistake about a field of the row, wherever the row stands.
    pub(super) fn wrong(
        &self,
        field: AccountField,
        what: String,
        hint: String,
        mistakes: &mut Mistakes<'_>,
    ) {
        let class = self
            .draft
            .row_classes
            .get(self.index)
            .map(|class| *class as usize);
        let cell = |index: usize| self.rows.get(index).map(|row| row.cells.cell(field));
        if class.is_some_and(|class| class != self.index && cell(class) == cell(self.index)) {
            return;
        }
        match self.draft.row_origins.get(self.index) {
            Some(RowOrigin::Config(places)) => {
                mistakes.add(places.of(ACCOUNT_FIELDS[field as usize].name), what, hint);
            }
            Some(RowOrigin::Csv(line)) => {
                let file = self.csv_name.unwrap_or_default();
                let line = *line as usize;
                let place = LinePlace {
                    file,
                    line,
                    column: 0,
                    text: None,
                    width: 0,
                };
                mistakes.add_line(place, what, hint);
            }
            None => mistakes.add_unplaced(what, hint),
        }
    }
}

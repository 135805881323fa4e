//! Limit cells and the tables that describe them.
//!
//! Owned by no thread. A limit is a cell: a number, or unset. Each field of each scope is described
//! once, here in form and in `account`, `instrument`, `firm` and `session` in content; config
//! sections, single-cell commands, docs and the property tests all read those tables. Invariant:
//! unset is never unlimited.

/// A limit as configured: a number in the field's unit, or unset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Cell(i64);

impl Cell {
    /// Not given: the check that needs it fails.
    pub const UNSET: Self = Self(i64::MIN);

    /// This number. `i64::MIN` is the mark of an unset cell and no field's range includes it.
    #[must_use]
    pub const fn new(value: i64) -> Self {
        Self(value)
    }

    /// The number, or `None` where unset.
    #[must_use]
    pub const fn value(self) -> Option<i64> {
        if self.0 == i64::MIN {
            None
        } else {
            Some(self.0)
        }
    }

    /// The word it stands in.
    pub(crate) const fn word(&self) -> &i64 {
        &self.0
    }

    /// The number, or `i64::MIN` where unset: an upper limit that every amount exceeds.
    #[must_use]
    pub(crate) const fn or_failing(self) -> i64 {
        self.0
    }
}

/// What a cell counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Lots of an instrument.
    Lots,
    /// Ticks of an instrument.
    Ticks,
    /// Quanta of the settlement asset.
    Quanta,
    /// Nanoseconds.
    Nanoseconds,
    /// Parts per million.
    Ppm,
    /// A plain number.
    Count,
}

/// In which direction a change makes the rules stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tight {
    /// A smaller value never admits more.
    Lower,
    /// A greater value never admits more.
    Higher,
    /// Neither direction is stricter for every order.
    Neither,
}

/// One field of a scope's limits.
#[derive(Clone, Copy, Debug)]
pub struct FieldDescriptor {
    /// Name, as configs write it, the unit as suffix.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// Which direction is stricter.
    pub tight: Tight,
    /// Least value that loads.
    pub min: i64,
    /// Greatest value that loads.
    pub max: i64,
    /// Whether a table without it does not load, since even a reducing order needs it.
    pub required: bool,
    /// What it is, in one line.
    pub summary: &'static str,
}

impl FieldDescriptor {
    /// Why `cell` cannot stand in this field, if it cannot.
    pub(crate) fn fault(&self, cell: Cell) -> Option<CellFault> {
        match cell.value() {
            None if self.required => Some(CellFault::Missing),
            None => None,
            Some(value) if value < self.min => Some(CellFault::Below {
                min: self.min,
                value,
            }),
            Some(value) if value > self.max => Some(CellFault::Above {
                max: self.max,
                value,
            }),
            Some(_) => None,
        }
    }
}

/// What is wrong with one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellFault {
    /// Unset, though even a reducing order needs it.
    Missing,
    /// Below the least value that loads.
    Below {
        /// The least value.
        min: i64,
        /// What stands there.
        value: i64,
    },
    /// Above the greatest value that loads.
    Above {
        /// The greatest value.
        max: i64,
        /// What stands there.
        value: i64,
    },
}

/// Declares a scope's fields: the enum, its table of descriptors, and its array of cells.
macro_rules! limit_fields {
    ($(#[$doc:meta])* $field:ident, $table:ident, $cells:ident {
        $($variant:ident = $number:literal, $name:literal, $unit:ident, $tight:ident,
          $min:expr, $max:expr, $required:literal, $summary:literal;)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $field { $(#[doc = $summary] $variant = $number),+ }

        /// The fields, by number.
        pub const $table: &[$crate::limits::FieldDescriptor] = &[$(
            $crate::limits::FieldDescriptor {
                name: $name,
                unit: $crate::limits::Unit::$unit,
                tight: $crate::limits::Tight::$tight,
                min: $min,
                max: $max,
                required: $required,
                summary: $summary,
            }
        ),+];

        const _: () = {
            let mut number = 0;
            $(assert!($number == number, "field numbers have no gaps"); number += 1;)+
            assert!(number == $table.len());
        };

        /// The cells of one scope, all unset at first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $cells([$crate::limits::Cell; $table.len()]);

        impl $cells {
            /// All unset.
            pub const UNSET: Self = Self([$crate::limits::Cell::UNSET; $table.len()]);

            /// The cell of a field.
            #[must_use]
            pub const fn cell(&self, field: $field) -> $crate::limits::Cell {
                self.0[field as usize]
            }

            /// Sets the cell of a field.
            pub const fn set(&mut self, field: $field, value: i64) {
                self.0[field as usize] = $crate::limits::Cell::new(value);
            }

            /// Sets the cell with this number; `false` if there is none.
            pub fn set_by_number(&mut self, number: usize, value: i64) -> bool {
                let Some(cell) = self.0.get_mut(number) else { return false };
                *cell = $crate::limits::Cell::new(value);
                true
            }

            /// The cells by number.
            #[must_use]
            pub const fn cells(&self) -> &[$crate::limits::Cell] {
                &self.0
            }

            /// The first field whose cell cannot load, and why.
            pub(crate) fn fault(&self) -> Option<(&'static str, $crate::limits::CellFault)> {
                $table
                    .iter()
                    .zip(self.0)
                    .find_map(|(field, cell)| Some((field.name, field.fault(cell)?)))
            }
        }
    };
}

pub(crate) use limit_fields;

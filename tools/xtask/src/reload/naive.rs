//! What a probe fails, derived from the limits of a table by hand.
//!
//! Knows nothing of the core's checks but their names: RULES in a few lines, for an order that meets
//! no other. Invariant: limits come from the table's own file, not from what the configs were meant
//! to say.

use super::config::{FLOW_SESSIONS, QUANTA_PER_UNIT};
use super::probes::{PROBES, REFERENCE_TICKS};
use portcullis_risk_core::limits::LimitSpec;
use portcullis_risk_core::limits::account::AccountField;
use portcullis_risk_core::limits::firm::FirmField;
use portcullis_risk_core::limits::instrument::InstrumentField;

const MILLION: i128 = 1_000_000;

/// A buy order, as its record in the log states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) account: usize,
    pub(super) instrument: usize,
    pub(super) qty: i64,
    pub(super) price_ticks: i64,
}

/// What of a table bears on probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    accounts: Vec<Account>,
    firms: Vec<Firm>,
    instruments: Vec<Instrument>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Account {
    qty_max: i64,
    notional_max: i64,
    firm: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Firm {
    qty_max: i64,
    notional_max: i64,
    open_orders_max: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Instrument {
    tick_lot_value: i64,
    collar_ppm: i64,
    oi_cap: i64,
    initial_ppm: u32,
}

/// The kind of probe that an account belongs to, by its place in the accounts file.
pub(super) fn kind_of(account: usize) -> Option<usize> {
    let kind = account.checked_sub(FLOW_SESSIONS)?;
    (kind < PROBES.len()).then_some(kind)
}

impl Limits {
    /// Out of a table; `None` if it lacks what the configs set.
    pub(super) fn of(spec: &LimitSpec) -> Option<Self> {
        let named = spec.accounts.iter().take(FLOW_SESSIONS + PROBES.len());
        let accounts = named.map(|account| {
            let row = spec.rows.get(account.row? as usize)?;
            Some(Account {
                qty_max: row.cells.cell(AccountField::QtyMax).value()?,
                notional_max: row.cells.cell(AccountField::NotionalMax).value()?,
                firm: account.firm.index(),
            })
        });
        let firms = spec.firms.iter().map(|firm| {
            Some(Firm {
                qty_max: firm.cells.cell(FirmField::QtyMax).value()?,
                notional_max: firm.cells.cell(FirmField::NotionalMax).value()?,
                open_orders_max: firm.cells.cell(FirmField::OpenOrdersMax).value()?,
            })
        });
        let instruments = spec.instruments.iter().map(|instrument| {
            let cell = |field| instrument.cells.cell(field).value();
            Some(Instrument {
                tick_lot_value: cell(InstrumentField::TickLotValue)?,
                collar_ppm: cell(InstrumentField::CollarPpm)?,
                oi_cap: cell(InstrumentField::OiCap)?,
                initial_ppm: instrument.initial.as_slice().first()?.ratio_ppm,
            })
        });
        Some(Self {
            accounts: accounts.collect::<Option<_>>()?,
            firms: firms.collect::<Option<_>>()?,
            instruments: instruments.collect::<Option<_>>()?,
        })
    }
}

/// The checks that a probe fails, in their order, where accounts are judged by one table and firms
/// and instruments by another; the two are the same unless a fault is planted.
pub(super) fn fails(order: &Order, accounts: &Limits, rest: &Limits) -> Option<String> {
    let account = accounts.accounts.get(order.account)?;
    let firm = rest.firms.get(account.firm)?;
    let instrument = rest.instruments.get(order.instrument)?;
    let probe = &PROBES[kind_of(order.account)?];
    let (qty, price) = (i128::from(order.qty), i128::from(order.price_ticks));
    let value = i128::from(instrument.tick_lot_value);
    let reference = i128::from(REFERENCE_TICKS);
    let notional = qty * price * value;
    let highest = reference * (MILLION + i128::from(instrument.collar_ppm)) / MILLION;
    let margin = qty * reference * value * i128::from(instrument.initial_ppm);
    let adverse = qty * (price - reference).max(0) * value;
    let cash = i128::from(probe.cash * QUANTA_PER_UNIT);
    let checks = [
        ("QTY_MAX", order.qty > account.qty_max.min(firm.qty_max)),
        (
            "NOTIONAL_MAX",
            notional > account.notional_max.min(firm.notional_max).into(),
        ),
        ("FIRM_OPEN_ORDERS_MAX", firm.open_orders_max < 1),
        ("COLLAR", price > highest),
        ("OI_CAP", order.qty > instrument.oi_cap),
        ("MARGIN", (margin + MILLION - 1) / MILLION + adverse > cash),
    ];
    let failing = checks.iter().filter(|(_, fails)| *fails);
    let names: Vec<&str> = failing.map(|(name, _)| *name).collect();
    Some(names.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reload::config::FLOW_SESSIONS;

    /// A table in which every probe's account may send `qty_max` lots, and nothing else is tight.
    fn limits(qty_max: i64) -> Limits {
        let account = Account {
            qty_max,
            notional_max: 5_000 * QUANTA_PER_UNIT,
            firm: 0,
        };
        Limits {
            accounts: vec![account; FLOW_SESSIONS + PROBES.len()],
            firms: vec![Firm {
                qty_max: 1_000,
                notional_max: 5_000 * QUANTA_PER_UNIT,
                open_orders_max: 1,
            }],
            instruments: vec![Instrument {
                tick_lot_value: 100,
                collar_ppm: 10_000,
                oi_cap: 50,
                initial_ppm: 1_000_000,
            }],
        }
    }

    #[test]
    fn at_the_limit_passes_and_each_check_fails_one_beyond() {
        let order = Order {
            account: FLOW_SESSIONS,
            instrument: 0,
            qty: 50,
            price_ticks: REFERENCE_TICKS,
        };
        let judge = |order: &Order, rest: &Limits| fails(order, &limits(50), rest).expect("known");
        assert_eq!(judge(&order, &limits(50)), "");
        let more = Order { qty: 51, ..order };
        assert_eq!(judge(&more, &limits(50)), "QTY_MAX,NOTIONAL_MAX,OI_CAP");
        let collar = REFERENCE_TICKS + REFERENCE_TICKS / 100;
        let at = |price_ticks| Order {
            qty: 1,
            price_ticks,
            ..order
        };
        assert_eq!(judge(&at(collar), &limits(50)), "");
        assert_eq!(judge(&at(collar + 1), &limits(50)), "COLLAR");
        let mut rest = limits(50);
        rest.firms[0].open_orders_max = 0;
        assert_eq!(judge(&order, &rest), "FIRM_OPEN_ORDERS_MAX");
        let margin = PROBES.iter().position(|probe| probe.cash == 1_000);
        let poor = Order {
            account: FLOW_SESSIONS + margin.expect("one has little cash"),
            qty: 10,
            ..order
        };
        assert_eq!(judge(&poor, &limits(50)), "");
        assert_eq!(judge(&Order { qty: 11, ..poor }, &limits(50)), "MARGIN");
    }
}

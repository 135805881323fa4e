//! The limits of a configuration as the risk core loads them.
//!
//! Owned by no thread. Included by the risk core's random tests too. Invariant: accounts and
//! instruments are as given; firms and sessions as wide as they load, so that only what RULES
//! names can refuse an order.

use super::op::{AccountConfig, Config, InstrumentConfig};
use portcullis_domain::{FirmId, InstrumentId};
use portcullis_risk_core::limits::account::{AccountCells, AccountField};
use portcullis_risk_core::limits::firm::{FIRM_FIELDS, FirmCells, FirmField};
use portcullis_risk_core::limits::instrument::{
    InstrumentCells, InstrumentField, Tier, Tiers, WireUnits,
};
use portcullis_risk_core::limits::session::{SessionCells, SessionField};
use portcullis_risk_core::limits::{
    AccountSpec, FirmSpec, InstrumentSpec, LimitSpec, RowSpec, SessionSpec,
};

/// The specification of a configuration: account a has row a and instrument set a.
///
/// # Errors
/// Tiers that do not ascend from 0.
pub(crate) fn limit_spec(config: &Config) -> Result<LimitSpec, String> {
    let instruments = config
        .instruments
        .iter()
        .map(instrument_spec)
        .collect::<Result<_, _>>()?;
    let row = |(account, index): (&AccountConfig, u32)| RowSpec {
        cells: account_cells(account),
        permission_set: index,
    };
    let restrictions = config.accounts.len() as u32;
    let permitted = |account: &AccountConfig| {
        account
            .permitted
            .iter()
            .copied()
            .map(InstrumentId::new)
            .collect()
    };
    let mut instrument_sets: Vec<Vec<_>> = config.accounts.iter().map(permitted).collect();
    instrument_sets.push(Vec::new());
    Ok(LimitSpec {
        instruments,
        instrument_sets,
        rows: config.accounts.iter().zip(0..).map(row).collect(),
        rows_spare: 0,
        accounts: (config.accounts.iter().zip(0..))
            .map(|(account, index)| AccountSpec {
                row: Some(index),
                firm: FirmId::new(account.firm),
            })
            .collect(),
        firms: (0..config.firms)
            .map(|_| FirmSpec {
                cells: widest_firm(),
                clearing_member: None,
                restricted_set: restrictions,
            })
            .collect(),
        sessions: (0..config.sessions)
            .map(|_| SessionSpec {
                cells: widest_session(),
            })
            .collect(),
    })
}

fn instrument_spec(config: &InstrumentConfig) -> Result<InstrumentSpec, String> {
    let mut cells = InstrumentCells::UNSET;
    for (field, value) in [
        (InstrumentField::TickLotValue, config.tick_lot_value),
        (InstrumentField::PriceMax, config.price_max),
        (InstrumentField::CollarPpm, config.collar_ppm),
        (InstrumentField::OiLower, config.oi_lower),
        (InstrumentField::OiUpper, config.oi_upper),
        (InstrumentField::OiCap, config.oi_cap),
        (InstrumentField::OiShareMax, config.oi_share_max),
        (InstrumentField::RefMaxAgeNs, config.ref_max_age_ns),
        (InstrumentField::BucketNs, config.bucket_ns),
        (InstrumentField::EwmaShift, config.ewma_shift),
        (InstrumentField::SpikeFloor, config.spike_floor),
        (InstrumentField::SpikePpm, config.spike_ppm),
        (InstrumentField::CooldownNs, config.cooldown_ns),
    ] {
        cells.set(field, value);
    }
    let tiers = config.tiers.iter().map(|(from_notional, ratio_ppm)| Tier {
        from_notional: *from_notional,
        ratio_ppm: *ratio_ppm,
    });
    let tiers: Vec<Tier> = tiers.collect();
    let initial = Tiers::new(&tiers)
        .ok_or_else(|| format!("tiers {:?} must ascend from 0, at most 8", config.tiers))?;
    Ok(InstrumentSpec {
        cells,
        initial,
        maintenance: initial,
        wire: WireUnits::ONE,
    })
}

fn account_cells(config: &AccountConfig) -> AccountCells {
    let mut cells = AccountCells::UNSET;
    for (field, value) in [
        (AccountField::RateIntervalNs, Some(config.rate_interval_ns)),
        (AccountField::RateCount, Some(config.rate_count)),
        (AccountField::RateBurst, Some(config.rate_burst)),
        (AccountField::QtyMax, Some(config.qty_max)),
        (AccountField::RepeatWindowNs, config.repeat_window_ns),
        (AccountField::RepeatMax, config.repeat_max),
        (AccountField::NotionalMax, config.notional_max),
        (AccountField::OpenOrdersMax, config.open_orders_max),
        (AccountField::PositionMax, config.position_max),
        (AccountField::OpenNotionalMax, config.open_notional_max),
        (AccountField::LossMax, config.loss_max),
        (AccountField::PnlWeightPpm, config.pnl_weight_ppm),
        (AccountField::PnlCap, config.pnl_cap),
        (AccountField::AccountVolumeMax, config.account_volume_max),
    ] {
        if let Some(value) = value {
            cells.set(field, value);
        }
    }
    cells
}

fn widest_firm() -> FirmCells {
    let mut cells = FirmCells::UNSET;
    cells.set(FirmField::RateIntervalNs, 1);
    for field in [
        FirmField::RateCount,
        FirmField::RateBurst,
        FirmField::QtyMax,
        FirmField::NotionalMax,
        FirmField::OpenOrdersMax,
        FirmField::OpenNotionalMax,
    ] {
        cells.set(field, FIRM_FIELDS[field as usize].max);
    }
    cells
}

fn widest_session() -> SessionCells {
    let mut cells = SessionCells::UNSET;
    cells.set(SessionField::RateIntervalNs, 1);
    cells.set(SessionField::RateCount, 1);
    cells.set(SessionField::RateBurst, 1_000_000);
    cells.set(SessionField::CancelOnDisconnect, 0);
    cells
}

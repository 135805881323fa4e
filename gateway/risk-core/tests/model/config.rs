//! Random configurations, tight enough that each check fails often and passes often.
//!
//! Owned by a test. Invariant: each one loads.

use super::op::{AccountConfig, Config, InstrumentConfig};
use super::prng::Prng;

/// A configuration and the price at which each of its instruments starts.
pub(crate) fn random(prng: &mut Prng) -> (Config, Vec<i64>) {
    let instruments_len = prng.between(1, 4) as usize;
    let starts: Vec<i64> = (0..instruments_len)
        .map(|_| prng.pick(&[12, 100, 900, 4_000, 50_000]))
        .collect();
    let mut instruments: Vec<_> = starts
        .iter()
        .map(|start| instrument(prng, *start))
        .collect();
    let firms = prng.between(1, 2) as u32;
    let accounts_len = prng.between(2, 7);
    let mut accounts: Vec<AccountConfig> = Vec::new();
    for _ in 0..accounts_len {
        accounts.push(account(prng, &instruments, &starts, firms));
    }
    // The load rule that no account can trip a breaker alone.
    for (index, instrument) in instruments.iter_mut().enumerate() {
        let traders = accounts
            .iter()
            .filter(|a| a.permitted.contains(&(index as u32)));
        let largest = traders
            .filter_map(|a| a.account_volume_max)
            .max()
            .unwrap_or(0);
        instrument.spike_floor = 2 * largest + prng.pick(&[0, 0, 1, 30, 200]);
    }
    let sessions = prng.between(1, 3) as u32;
    (
        Config {
            instruments,
            accounts,
            firms,
            sessions,
        },
        starts,
    )
}

fn instrument(prng: &mut Prng, start: i64) -> InstrumentConfig {
    let tick_lot_value = prng.pick(&[1, 7, 125, 1_000]);
    let oi_lower = prng.between(0, 120);
    let full = 100 * start * tick_lot_value;
    let mut tiers = vec![(0, ratio(prng))];
    for _ in 0..prng.between(0, 3) {
        let (last, _) = tiers[tiers.len() - 1];
        tiers.push((last + 1 + prng.between(0, full / 2), ratio(prng)));
    }
    InstrumentConfig {
        tick_lot_value,
        price_max: start + prng.pick(&[start / 20, start, start * 20, start * 20]),
        collar_ppm: prng.pick(&[0, 1, 10_000, 30_000, 50_001, 100_000, 300_000, 1_000_000]),
        tiers,
        oi_lower,
        oi_upper: oi_lower + prng.pick(&[0, 1, 40, 150]),
        oi_cap: prng.between(20, 300),
        oi_share_max: prng.between(10, 120),
        ref_max_age_ns: prng.pick(&[100_000_000, 2_000_000_000, 60_000_000_000, 1 << 60]),
        bucket_ns: prng.pick(&[1, 1_000, 1_000_000, 50_000_000, 3_600_000_000_000]),
        ewma_shift: if prng.one_in(64) {
            prng.between(6, 11)
        } else {
            prng.between(1, 5)
        },
        spike_floor: 0,
        spike_ppm: prng.pick(&[0, 500_000, 1_000_000, 2_500_000, 5_000_000]),
        cooldown_ns: prng.pick(&[0, 1_000, 1_000_000, 400_000_000]),
    }
}

fn ratio(prng: &mut Prng) -> u32 {
    prng.pick(&[
        0, 1, 20_000, 20_000, 33_333, 33_333, 120_001, 500_000, 1_000_000,
    ])
}

fn account(
    prng: &mut Prng,
    instruments: &[InstrumentConfig],
    starts: &[i64],
    firms: u32,
) -> AccountConfig {
    let one = prng.below(instruments.len());
    let per_lot = instruments[one].tick_lot_value * starts[one];
    let qty_max = prng.between(1, 40);
    let permitted = (0..instruments.len() as u32)
        .filter(|_| !prng.one_in(12))
        .collect();
    AccountConfig {
        permitted,
        firm: prng.below(firms as usize) as u32,
        rate_interval_ns: prng.pick(&[1, 1_000, 100_000_000, 1_000_000_000, 1_000_000_000]),
        rate_count: prng.between(1, 100),
        rate_burst: prng.between(1, 12),
        qty_max,
        repeat_window_ns: Some(prng.pick(&[0, 1_000, 200_000_000, 10_000_000_000])),
        repeat_max: unless_unset(prng, |prng| prng.pick(&[0, 1, 1, 2, 2, 5, 5, 1_000])),
        notional_max: unless_unset(prng, |prng| {
            per_lot * prng.between(qty_max / 2, 12 * qty_max)
        }),
        open_orders_max: unless_unset(prng, |prng| prng.between(0, 16)),
        position_max: unless_unset(prng, |prng| prng.between(qty_max / 2, 6 * qty_max)),
        open_notional_max: unless_unset(prng, |prng| per_lot * prng.between(qty_max, 25 * qty_max)),
        loss_max: unless_unset(prng, |prng| per_lot * prng.between(0, 8)),
        pnl_weight_ppm: Some(prng.pick(&[0, 333_333, 500_000, 1_000_000])),
        pnl_cap: Some(prng.pick(&[0, per_lot, 20 * per_lot])),
        account_volume_max: unless_unset(prng, |prng| prng.between(qty_max, 12 * qty_max)),
    }
}

/// A limit; now and then none.
fn unless_unset(prng: &mut Prng, value: impl FnOnce(&mut Prng) -> i64) -> Option<i64> {
    if prng.one_in(150) {
        None
    } else {
        Some(value(prng))
    }
}

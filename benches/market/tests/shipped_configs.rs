//! The benches' limits against each config that is shipped: what one sets, the benches set.

use portcullis_bench_market::limits::{InstrumentLimits, TIERS, account_cells, instrument, table};
use portcullis_bench_market::shipped::lacking;
use portcullis_control::config::{LoadOptions, load};
use portcullis_risk_core::limits::LimitSpec;
use portcullis_risk_core::limits::account::{AccountCells, AccountField};
use std::path::{Path, PathBuf};

/// Every config that is shipped.
fn shipped() -> Vec<(PathBuf, LimitSpec)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let listed = std::fs::read_dir(&folder).expect("the repository has its configs");
    let mut paths: Vec<PathBuf> = listed
        .map(|entry| entry.expect("an entry that can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    paths.sort();
    let loaded = paths.into_iter().map(|path| {
        let config = load(&path, LoadOptions::default());
        let config = config.unwrap_or_else(|errors| panic!("{}: {errors}", path.display()));
        (path, config.limits)
    });
    loaded.collect()
}

/// The limits from which each bench starts.
fn bench() -> LimitSpec {
    let item = instrument(&InstrumentLimits {
        oi_lower: 10,
        oi_upper: 20,
        ref_max_age_ns: 1,
        tiers: &TIERS,
    });
    table(3, &item, 100, &account_cells(11, 5))
}

#[test]
fn the_benches_set_each_limit_that_a_shipped_config_sets() {
    let shipped = shipped();
    assert!(shipped.len() >= 5, "{} configs are found", shipped.len());
    for (path, limits) in shipped {
        let lacking = lacking(&limits, &bench());
        assert!(
            lacking.is_empty(),
            "{} sets what the benches' limits (benches/market/src/limits.rs) lack: {lacking:?}",
            path.display()
        );
    }
}

#[test]
fn a_limit_that_a_bench_lacks_is_named() {
    let (_, limits) = shipped().remove(0);
    let mut bench = bench();
    let mut cells = AccountCells::UNSET;
    cells.set(AccountField::QtyMax, 1);
    bench.rows[5].cells = cells;
    let lacking = lacking(&limits, &bench);
    assert!(lacking.contains(&"account: notional_max".to_owned()));
    assert!(!lacking.contains(&"account: qty_max".to_owned()));
}

//! Hostile and planted venues behind a risk core, which must not be fooled.
//!
//! One thread a test. The engine underneath is the honest ladder.

mod hostile;
mod outside;
mod planted;
#[path = "../../../embedded/tests/venue/rig/mod.rs"]
mod rig;

use portcullis_domain::{HashSeed, Money, Price, Qty};
use portcullis_venue_embedded::{EmbeddedVenue, Fees, InstrumentConfig, LadderConfig};

fn ladder() -> EmbeddedVenue {
    let instrument = InstrumentConfig {
        qty_max: Qty::new(1_000),
        price_max: Price::new(100_000),
        fees: Fees {
            maker_per_lot: Money::new(-1),
            taker_per_lot: Money::new(3),
        },
    };
    let config = LadderConfig {
        instruments: vec![instrument; rig::INSTRUMENTS as usize],
        sessions_max: rig::SESSIONS,
        orders_max: 4_096,
        levels_max: 256,
        inbox_max: 256,
        trades_max: 1_024,
        window_ticks: 64,
        hash_seed: HashSeed::FIXED,
    };
    EmbeddedVenue::new(config, None).expect("in range")
}

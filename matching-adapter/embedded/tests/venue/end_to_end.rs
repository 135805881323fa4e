//! Random clients through a risk core into the embedded venue, and every report back.
//!
//! One thread a test. Whatever the flow, the core trusts what the ladder says: no alarm, no hold
//! left, no quantum lost, and both count the same lots.

use crate::rig::{INSTRUMENTS, Random, Rig, SESSIONS};
use portcullis_domain::{HashSeed, InstrumentId, Money, Price, Qty};
use portcullis_venue::MatchingVenue;
use portcullis_venue_embedded::{
    EmbeddedVenue, Fees, Instruction, InstrumentConfig, LadderConfig, RawTerms,
};

pub(crate) fn config() -> LadderConfig {
    let instrument = InstrumentConfig {
        qty_max: Qty::new(1_000),
        price_max: Price::new(100_000),
        fees: Fees {
            maker_per_lot: Money::new(-2),
            taker_per_lot: Money::new(5),
        },
    };
    LadderConfig {
        instruments: vec![instrument; INSTRUMENTS as usize],
        sessions_max: SESSIONS,
        orders_max: 4_096,
        // Few, so that orders and replaces are refused for want of a level.
        levels_max: 24,
        // Few, so that orders come back.
        inbox_max: 4,
        trades_max: 1_024,
        window_ticks: 64,
        hash_seed: HashSeed::FIXED,
    }
}

/// Two bytes: minimum quantity, instruction.
pub(crate) fn terms(_instrument: InstrumentId, raw: &[u8]) -> RawTerms {
    RawTerms {
        qty_min: Qty::new(raw[0].into()),
        instruction: Instruction::ALL.get(usize::from(raw[1])).copied(),
    }
}

fn raw(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0 => vec![random.below(6) as u8, u8::MAX],
        1 => vec![0, random.below(12) as u8],
        _ => Vec::new(),
    }
}

pub(crate) fn rig(seed: u64) -> Rig<EmbeddedVenue> {
    let venue = EmbeddedVenue::new(config(), Some(Box::new(terms))).expect("in range");
    Rig::new(venue, seed, raw)
}

#[test]
fn the_core_and_the_ladder_agree_to_the_lot_and_the_quantum() {
    let (mut trades, mut refused_by_ladder, mut canceled) = (0, 0, 0);
    for seed in 0..12 {
        let mut rig = rig(seed);
        rig.trade(4_000);
        rig.wind_down();
        let counters = *rig.venue.counters();
        assert_eq!(rig.effects.alarms, [], "seed {seed}");
        assert_eq!(rig.holds(), (0, 0, 0), "seed {seed}");
        assert_eq!(rig.conservation_error(), 0, "seed {seed}");
        assert_eq!(
            u128::from(rig.core.counters().executed_qty),
            2 * counters.executed_qty,
            "seed {seed}: each trade has two sides"
        );
        assert_eq!(
            rig.core.counters().fees,
            3 * counters.executed_qty as i128,
            "seed {seed}: 5 from the taker, 2 to the maker, a lot"
        );
        assert_eq!(rig.venue.ladder().open_orders(), 0, "seed {seed}");
        assert!(rig.venue.is_idle());
        trades += counters.trades;
        refused_by_ladder += counters.rejected + counters.replaces_rejected;
        canceled += counters.canceled_qty;
    }
    assert!(trades > 5_000 && refused_by_ladder > 1_000 && canceled > 10_000);
}

#[test]
fn the_same_seed_is_the_same_run() {
    let digest = |seed| {
        let mut rig = rig(seed);
        rig.trade(1_500);
        (rig.core.digest(), rig.effects.approved, rig.effects.refused)
    };
    assert_eq!(digest(5), digest(5));
    assert_ne!(digest(5), digest(6));
}

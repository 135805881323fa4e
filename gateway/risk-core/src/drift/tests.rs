//! Levels and freshness, by small steps.

use super::*;

const SECOND: u64 = 1_000_000_000;

fn at(price: i64) -> Quote {
    Quote {
        price,
        scale_ppm: 0,
    }
}

/// Moves an instrument that stands at 1,000,000 ticks there and back again.
fn swing(drift: &mut Drift, bases: &mut Bases, index: u32, price: i64) {
    drift.note(index, bases, at(1_000_000), at(price));
    drift.note(index, bases, at(price), at(1_000_000));
}

#[test]
fn a_share_covers_what_any_two_prices_of_a_level_differ_by() {
    let one = 1_u128 << 64;
    for moved_ppb in [1, 1_000, 10_000_000, 49_999_999, 250_000_000_u64] {
        let (m, whole) = (u128::from(moved_ppb), 1_000_000_000_u128);
        // 2m(1 + m)/(1 - m), rounded up.
        let exact = (2 * m * (whole + m) * (one / whole)).div_ceil(whole - m);
        let share = u128::from(share_of(moved_ppb));
        assert!(share >= exact, "{moved_ppb}");
        assert!(share <= exact + exact / 10 + 100_000_000_000, "{moved_ppb}");
    }
}

#[test]
fn a_move_ends_the_levels_it_is_too_far_for_and_no_others() {
    let (mut drift, mut bases) = (Drift::new(128), Bases::NONE);
    let clock = drift.clock();
    let bit = group_bit(3);
    drift.watch(3, 0, 10 * SECOND);
    swing(&mut drift, &mut bases, 3, 1_009_000);
    let near = drift.least_share(bit, clock, SECOND);
    assert!(near >= share_of(9_000_000) && near < share_of(9_100_000));
    assert_eq!(drift.least_share(bit, clock, SECOND), near);
    swing(&mut drift, &mut bases, 3, 1_060_000);
    let far = drift.least_share(bit, clock, SECOND);
    assert!(far >= share_of(60_000_000) && far != GONE);
    // Of now, the finer levels have begun anew and know of the way back.
    assert_ne!(drift.least_share(bit, drift.clock(), SECOND), far);
    swing(&mut drift, &mut bases, 3, 1_260_000);
    assert_eq!(drift.least_share(bit, clock, SECOND), GONE);
    assert_eq!(drift.least_share(bit, clock, SECOND), GONE);
    let others = u64::MAX ^ bit;
    assert_eq!(drift.least_share(others & 0xff, clock, SECOND), 0);
    assert_eq!(drift.least_share(u64::MAX, clock, SECOND), GONE);
}

#[test]
fn a_scale_that_moves_counts_as_a_price_that_does() {
    let (mut drift, mut bases) = (Drift::new(64), Bases::NONE);
    let scaled = |scale_ppm| Quote {
        price: 1_000,
        scale_ppm,
    };
    drift.note(0, &mut bases, scaled(0), scaled(4_000));
    let share = drift.least_share(1, 1, 0);
    assert_eq!(share, share_of(4_001_000));
}

#[test]
fn a_group_is_fresh_until_its_first_reference_is_stale() {
    let mut drift = Drift::new(256);
    // 2 and 66 are of one group, 3 of another.
    drift.watch(2, 0, 10 * SECOND);
    drift.watch(66, 0, 20 * SECOND);
    drift.watch(3, 0, 30 * SECOND);
    let clock = drift.clock();
    let share = |drift: &Drift, bit, now| drift.least_share(bit, clock, now);
    assert_eq!(share(&drift, 4, 10 * SECOND), 0);
    assert_eq!(share(&drift, 4, 10 * SECOND + 1), GONE);
    assert_eq!(share(&drift, u64::MAX, 10 * SECOND + 1), GONE);
    drift.watch(2, 10 * SECOND, 40 * SECOND);
    drift.look_at(4, 11 * SECOND);
    assert_eq!(share(&drift, 4, 20 * SECOND), 0, "it came again in time");
    // The other one does not: who was valued before may be involved in it.
    drift.look_at(4, 21 * SECOND);
    assert_eq!(share(&drift, 4, 21 * SECOND), GONE);
    assert_eq!(share(&drift, 8, 21 * SECOND), 0);
    assert_eq!(drift.least_share(4, drift.clock(), 40 * SECOND), 0);
    drift.watch(66, 22 * SECOND, 23 * SECOND);
    assert_eq!(drift.least_share(4, drift.clock(), 23 * SECOND + 1), GONE);
}

#[test]
fn a_group_that_ends_leaves_the_bounds_of_all_others_standing() {
    let mut drift = Drift::new(256);
    drift.watch(2, 0, 10 * SECOND);
    drift.watch(3, 0, 30 * SECOND);
    let clock = drift.clock();
    drift.look_at(4, 11 * SECOND);
    let of_all = |drift: &Drift, groups, good_at| drift.share_of_all(groups, good_at, 20 * SECOND);
    assert_eq!(of_all(&drift, u64::MAX ^ 4, clock), Some(0));
    assert_eq!(of_all(&drift, 8 | 4, clock), None);
    assert_eq!(drift.least_share(8 | 4, clock, 20 * SECOND), GONE);
    // Who is valued after that is told of.
    assert_eq!(of_all(&drift, 4, drift.clock()), Some(0));
    for group in 10..10 + EXCEPTED_MAX - 1 {
        drift.begin_group_of(group);
        assert_eq!(of_all(&drift, 8, clock), Some(0), "{group}");
    }
    // One more: all begins anew, of every group.
    drift.begin_group_of(40);
    assert_eq!(of_all(&drift, 8, clock), None);
    assert_eq!(of_all(&drift, u64::MAX, drift.clock()), Some(0));
}

#[test]
fn the_coarsest_level_of_all_takes_the_finer_ones_with_it() {
    let mut drift = Drift::new(64);
    let (mut bases, mut others) = (Bases::NONE, Bases::NONE);
    let steps = [1_000_000, 1_120_000, 1_250_000, 1_254_000].map(at);
    swing(&mut drift, &mut others, 5, 1_000_100);
    drift.note(3, &mut bases, steps[0], steps[1]);
    drift.note(3, &mut bases, steps[1], steps[2]);
    drift.begin_group_of(9);
    let clock = drift.clock();
    let bits = group_bit(5);
    assert!(drift.share_of_all(bits, clock, 0).is_some());
    assert!(drift.share_of_all(group_bit(9), clock, 0).is_some());
    assert_eq!(drift.share_of_all(group_bit(9), clock - 1, 0), None);
    // A step that only the coarsest is too far for.
    drift.note(3, &mut bases, steps[2], steps[3]);
    assert_eq!(drift.share_of_all(bits, clock, 0), None);
    assert_eq!(drift.scopes[ALL].least(clock, 0), GONE);
    assert_eq!(drift.share_of_all(group_bit(9), drift.clock(), 0), Some(0));
}

#[test]
fn references_that_come_in_time_keep_their_group_fresh_without_a_look() {
    let mut drift = Drift::new(1_024);
    let mut now_ns = 0;
    let clock = drift.clock();
    for turn in 0..10_000_u64 {
        now_ns += SECOND / 500;
        let index = (turn % 16) as u32 * 64;
        drift.watch(index, now_ns, now_ns + SECOND);
        assert_eq!(drift.least_share(1, clock, now_ns), 0, "turn {turn}");
    }
}

//! A slot is found when there is one, beside a naive table; in tables of fewer slots than a claim
//! looks at, always.
//!
//! Invariant: the naive side knows each pair's lots and the time its volume runs off, and nothing of
//! slots.

use super::*;
use portcullis_domain::Side;
use std::collections::BTreeMap;

const INSTRUMENT: InstrumentId = InstrumentId::new(0);

fn positions(slots: u32) -> Positions {
    let capacities = Capacities {
        positions_max: slots,
        ..Capacities::default()
    };
    Positions::new(&capacities, HashSeed::FIXED)
}

/// Sets the lots of an account's position; each account has one, so its list is that or nothing.
fn hold(positions: &mut Positions, slot: u32, lots: i64) {
    let was_flat = positions.get(slot).is_flat();
    let mut first = if was_flat { NONE } else { slot };
    positions.get_mut(slot).open_buy = lots;
    positions.relink(slot, was_flat, &mut first);
}

fn claim(positions: &mut Positions, account: u32, now_ns: u64) -> Option<u32> {
    positions.claim(AccountId::new(account), INSTRUMENT, 0, now_ns)
}

#[test]
fn a_slot_behind_a_long_run_of_held_ones_is_found() {
    let mut positions = positions(1_000);
    for account in 0..1_000 {
        let slot = claim(&mut positions, account, 0).expect("one never used");
        hold(&mut positions, slot, 1);
    }
    for _ in 0..4 {
        assert_eq!(claim(&mut positions, 1_000, 0), None, "all are held");
    }
    let last = positions
        .find(AccountId::new(999), INSTRUMENT)
        .expect("it has one");
    hold(&mut positions, last, 0);
    assert_eq!(claim(&mut positions, 1_000, 0), Some(last));
    assert_eq!(positions.find(AccountId::new(999), INSTRUMENT), None);
}

#[test]
fn a_volume_that_runs_keeps_its_slot_to_the_nanosecond() {
    let mut positions = positions(1);
    let slot = claim(&mut positions, 0, 0).expect("one never used");
    hold(&mut positions, slot, 5);
    positions.get_mut(slot).volume_tat_ns = 100;
    hold(&mut positions, slot, 0);
    assert_eq!(claim(&mut positions, 1, 99), None);
    assert_eq!(claim(&mut positions, 1, 100), Some(slot));
}

#[test]
fn the_slot_claimed_last_is_given_away_last() {
    let mut positions = positions(2);
    let first = claim(&mut positions, 0, 0).expect("one never used");
    let second = claim(&mut positions, 1, 0).expect("one never used");
    assert_eq!(claim(&mut positions, 2, 0), Some(first));
    assert_eq!(claim(&mut positions, 3, 0), Some(second));
}

#[test]
fn ticks_drop_those_that_are_idle_no_more() {
    const SLOTS: u32 = 2_000;
    let mut positions = positions(SLOTS);
    for account in 0..SLOTS {
        let slot = claim(&mut positions, account, 0).expect("one never used");
        hold(&mut positions, slot, 1);
    }
    for _ in 0..SLOTS {
        positions.tick();
    }
    assert_eq!(positions.idle.len(), 0, "none is idle");
    hold(&mut positions, SLOTS - 1, 0);
    assert_eq!(claim(&mut positions, SLOTS, 0), Some(SLOTS - 1));
}

/// Every account's positions stand in its own stretch as long as nobody has more than that; those of who
/// has more stand anywhere, and all are found.
#[test]
fn positions_stand_in_their_stretch_where_there_is_room() {
    const ACCOUNTS: u32 = 100;
    let capacities = Capacities {
        accounts_max: ACCOUNTS,
        positions_max: ACCOUNTS * 4,
        ..Capacities::default()
    };
    let mut positions = Positions::new(&capacities, HashSeed::FIXED);
    let mut claim = |account: u32, instrument: u32| {
        let (account, instrument) = (AccountId::new(account), InstrumentId::new(instrument));
        let slot = positions.claim(account, instrument, 0, 0);
        let found = positions.find(account, instrument);
        assert!(slot.is_some() && slot == found);
        slot.unwrap_or(NONE)
    };
    for account in 1..ACCOUNTS {
        let slots = [3, 17, 40].map(|instrument| claim(account, instrument));
        assert!(slots.iter().all(|slot| slot / 4 == account), "{slots:?}");
    }
    let of_the_large: std::vec::Vec<u32> =
        (0..100).map(|instrument| claim(0, instrument)).collect();
    assert!(of_the_large[..4].iter().all(|slot| slot / 4 == 0));
    let robbed = of_the_large[4..].iter().filter(|slot| **slot < 100).count();
    assert!(robbed < 60, "its neighbours alone gave {robbed}");
}

/// What the naive side knows of an account's position.
#[derive(Clone, Copy, Default)]
struct Known {
    lots: i64,
    until_ns: u64,
}

#[test]
fn agrees_with_a_naive_table() {
    const SLOTS: u32 = 150;
    let mut positions = positions(SLOTS);
    let mut naive: BTreeMap<u32, Known> = BTreeMap::new();
    let (mut full, mut reclaimed) = (0, 0);
    let mut state = 5_u64;
    for now_ns in 0..60_000_u64 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let account = (state >> 33) as u32 % (2 * SLOTS);
        let found = positions.find(AccountId::new(account), INSTRUMENT);
        assert_eq!(found.is_some(), naive.contains_key(&account));
        let slot = found.or_else(|| {
            let free = |known: &Known| known.lots == 0 && known.until_ns <= now_ns;
            let room = naive.len() < SLOTS as usize || naive.values().any(free);
            let claimed = claim(&mut positions, account, now_ns);
            assert_eq!(claimed.is_some(), room, "at {now_ns}");
            claimed
        });
        let Some(slot) = slot else {
            full += 1;
            continue;
        };
        if found.is_none() {
            // Whose slot it was is the table's choice, as long as nothing was lost with it.
            naive.retain(|&other, known| {
                let kept = positions.find(AccountId::new(other), INSTRUMENT).is_some();
                assert!(kept || known.lots == 0 && known.until_ns <= now_ns);
                reclaimed += u32::from(!kept);
                kept
            });
            naive.insert(account, Known::default());
        }
        let known = naive.get_mut(&account).expect("it has one now");
        // Mostly held, so that the table is full now and then.
        known.lots = i64::from(!(state >> 20).is_multiple_of(4));
        hold(&mut positions, slot, known.lots);
        if known.lots > 0 && (state >> 25).is_multiple_of(2) {
            known.until_ns = known.until_ns.max(now_ns) + (state >> 40) % 2_000;
            positions.get_mut(slot).volume_tat_ns = known.until_ns;
        }
    }
    assert!(full > 100 && reclaimed > 100, "{full} {reclaimed}");
}

/// However positions of an account join and leave, its list is of those that hold lots.
#[test]
fn a_list_is_of_those_that_are_not_flat() {
    const SLOTS: u32 = 24;
    let mut positions = positions(SLOTS);
    let slots: std::vec::Vec<u32> = (0..SLOTS)
        .map(|account| claim(&mut positions, account, 0).expect("one never used"))
        .collect();
    let (mut first, mut state) = (NONE, 11_u64);
    for _ in 0..20_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let slot = slots[(state >> 33) as usize % slots.len()];
        let was_flat = positions.get(slot).is_flat();
        positions.get_mut(slot).net = (state >> 50) as i64 % 2;
        positions.relink(slot, was_flat, &mut first);
        let mut listed = std::collections::BTreeSet::new();
        let mut next = first;
        while next != NONE {
            assert!(listed.insert(next), "a list comes to its end");
            next = positions.get(next).next;
        }
        let holding = slots.iter().filter(|slot| !positions.get(**slot).is_flat());
        assert_eq!(listed, holding.copied().collect());
    }
}

/// Orders open one after the other and close in any order, at few prices, so that now all have one limit and
/// now not: what is told of their adverse money is never less than it is, and that where it is said to be.
#[test]
fn adverse_money_is_never_told_as_less() {
    let mut state = 3_u64;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut position = Position::FREE;
    let mut open: std::vec::Vec<(Side, i64, i64)> = std::vec::Vec::new();
    let through = |side, limit: i64, price: i64| match side {
        Side::Buy => (limit - price).max(0),
        Side::Sell => (price - limit).max(0),
    };
    let (mut of_one_limit, mut exact) = (0, 0);
    for _ in 0..50_000 {
        if random(5) < 2 && open.len() < 4 {
            let side = [Side::Buy, Side::Sell][random(2) as usize];
            let (limit, lots) = (random(4) as i64, 1 + random(9) as i64);
            position.note_opened(side, limit, lots);
            *position.on_hold_mut(side) += lots;
            open.push((side, limit, lots));
        } else if !open.is_empty() {
            let (side, limit, lots) = open.swap_remove(random(open.len() as u64) as usize);
            let held = lots * through(side, limit, position.adverse_at());
            *position.on_hold_mut(side) -= lots;
            position.move_adverse(side, -i128::from(held));
        }
        of_one_limit += u32::from(open.len() > 1 && position.is_of_one_limit());
        for price in 0..5 {
            let held = open
                .iter()
                .map(|(side, limit, lots)| lots * through(*side, *limit, price));
            let (held, told) = (
                i128::from(held.sum::<i64>()),
                position.adverse_at_most(price),
            );
            assert!(told.lot_ticks >= held && (!told.exact || told.lot_ticks == held));
            assert!(told.exact || !position.is_of_one_limit());
            exact += u32::from(told.exact);
        }
    }
    assert!(
        of_one_limit > 200 && exact > 100_000,
        "{of_one_limit} {exact}"
    );
}

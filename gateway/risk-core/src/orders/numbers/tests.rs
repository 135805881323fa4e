//! The table of numbers beside a map, under clients that count up, and under such as pick their numbers.

use super::*;
use portcullis_domain::{SessionId, UserRef};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::vec::Vec;

fn key(session: u32, number: u32) -> OrderKey {
    OrderKey::new(SessionId::new(session), UserRef::new(number))
}

/// Seeds that nobody knows.
fn seeds() -> impl Iterator<Item = HashSeed> {
    let words = |word: u64| [word, word + 64].map(|word| HashSeed::FIXED.scatter(word));
    (1..64).map(move |word| HashSeed::from_words(words(word)))
}

fn count_runs(numbers: &Numbers) -> usize {
    let runs = numbers.lines.iter().flat_map(|line| line.runs);
    runs.filter(|run| *run != FREE).count()
}

fn is_empty(numbers: &Numbers) -> bool {
    let free = |line: &Line| {
        line.passed == 0
            && line.runs == [FREE; ENTRIES]
            && line
                .named
                .as_flattened()
                .iter()
                .all(|named| *named == NOTHING)
    };
    numbers.lines.iter().all(free)
}

/// Random numbers come and go beside a map: such as follow each other, such as have a run each, and such as meet
/// in few lines.
#[test]
fn agrees_with_a_map() {
    let mut displaced = 0;
    for stride in [1, 4, 1 << 9, 1 << 20] {
        let mut numbers = Numbers::new(64, HashSeed::FIXED);
        let mut map = BTreeMap::new();
        let mut state = 7_u64;
        let of = |number: u64| key(1, (number * stride) as u32);
        for step in 0..20_000_u32 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(u64::from(step) | 1);
            let number = (state >> 40) % 96;
            if state >> 32 & 3 != 0 && (map.len() < 64 || map.contains_key(&number)) {
                numbers.put(of(number), step);
                map.insert(number, step);
            } else {
                numbers.remove(of(number));
                map.remove(&number);
            }
            for probe in 0..96 {
                assert_eq!(
                    numbers.find(of(probe)),
                    map.get(&probe).copied(),
                    "step {step}"
                );
            }
            let runs: BTreeSet<u64> = map.keys().map(|number| split(of(*number)).0).collect();
            assert_eq!(count_runs(&numbers), runs.len(), "step {step}");
        }
        displaced += numbers.passed_max();
        map.keys().for_each(|number| numbers.remove(of(*number)));
        assert!(is_empty(&numbers), "stride {stride}");
    }
    assert!(displaced > 0, "a line was full when a run came");
}

/// However runs came and went, a number that is not there is found missing.
#[test]
fn a_search_ends() {
    let mut numbers = Numbers::new(8, HashSeed::FIXED);
    numbers.lines.iter_mut().for_each(|line| line.passed = 1);
    assert_eq!(numbers.find(key(0, 5)), None);
    numbers.remove(key(0, 5));
}

#[test]
#[should_panic(expected = "numbers overfilled")]
fn more_runs_than_there_are_entries_are_a_fault() {
    let mut numbers = Numbers::new(8, HashSeed::FIXED);
    (0..17).for_each(|run| numbers.put(key(0, 4 * run), 0));
}

/// Sessions count up, each by one, and numbers are forgotten in the order they came: a line is fetched for one
/// number and serves the next three, and hardly a run is elsewhere than in its home line.
#[test]
fn numbers_that_follow_each_other_share_lines() {
    const SESSIONS: u32 = 64;
    const KNOWN: u32 = 1_024;
    let mut numbers = Numbers::new((3 * SESSIONS * KNOWN) as usize, HashSeed::FIXED);
    let mut homes = BTreeSet::new();
    let (mut runs, mut elsewhere) = (0, 0);
    for at in 4..5 * KNOWN {
        for session in 0..SESSIONS {
            let new = key(session, at);
            numbers.put(new, 0);
            if at >= KNOWN + 4 {
                numbers.remove(key(session, at - KNOWN));
            }
            let (run, _) = split(new);
            let line = &numbers.lines[numbers.home(new).0 as usize];
            runs += 1;
            elsewhere += u32::from(line.runs[line.entry(run)] != run);
            homes.insert((run, numbers.home(new).0));
        }
    }
    let lines: BTreeSet<u32> = homes.iter().map(|(_, line)| *line).collect();
    assert_eq!(homes.len() as u32, runs / 4, "a home for each run of four");
    assert!(lines.len() > numbers.lines.len() / 4, "{}", lines.len());
    assert!(elsewhere < runs / 100, "{elsewhere} of {runs}");
    assert!(numbers.passed_max() < 4, "{}", numbers.passed_max());
}

/// Runs of one session, in order, whose homes are one line of a table that scatters by `known`: a number each.
fn picked(known: HashSeed, room: usize, count: usize) -> Vec<OrderKey> {
    let numbers = Numbers::new(room, known);
    let home = numbers.home(key(3, 0));
    let runs = (0..u32::MAX / RUN as u32).map(|run| key(3, run * RUN as u32));
    runs.filter(|key| numbers.home(*key) == home)
        .take(count)
        .collect()
}

/// Lines looked at to put the numbers in and to find each again.
fn lines_walked(room: usize, seed: HashSeed, keys: &[OrderKey]) -> (usize, u32) {
    let mut numbers = Numbers::new(room, seed);
    let mut walked = 0;
    for key in keys {
        numbers.put(*key, 0);
        let home = numbers.home(*key);
        let (found, _) = numbers.search(home, split(*key).0).expect("there");
        let mut line = home.0 as usize;
        walked += 1;
        while line != found {
            walked += 1;
            line = numbers.after(line);
        }
    }
    (walked, numbers.passed_max())
}

/// A client picks its numbers. Where it knows how they are scattered each walks past all before it; where
/// it does not, its picks are as good as any.
#[test]
fn who_does_not_know_the_seed_cannot_pick_numbers_that_lie_on_each_other() {
    const ROOM: usize = 2_048;
    const PICKED: usize = 1_000;
    let keys = picked(HashSeed::FIXED, ROOM, PICKED);
    assert_eq!(keys.len(), PICKED);
    let (walked, furthest) = lines_walked(ROOM, HashSeed::FIXED, &keys);
    assert_eq!(furthest as usize, PICKED / ENTRIES - 1);
    assert!(walked > PICKED * PICKED / ENTRIES / 2, "{walked}");
    for seed in seeds() {
        let (walked, furthest) = lines_walked(ROOM, seed, &keys);
        assert!(walked < 2 * PICKED, "{walked} under {seed:?}");
        assert!(furthest < 16, "{furthest} under {seed:?}");
    }
}

/// The same who knows that eight runs in a row have their lines side by side, and the next lines to look in: whole
/// blocks, and blocks at even distances, lie as any others do.
#[test]
fn blocks_of_runs_at_even_distances_lie_as_any_others() {
    const ROOM: usize = 8_192;
    const BLOCK_NUMBERS: u32 = (RUN * BLOCK) as u32;
    for distance in [1_u32, 2, 3, 9, 64, 1_000, 4_096, 0x9E37_79B1] {
        let block = |at: u32| at.wrapping_mul(distance).wrapping_mul(BLOCK_NUMBERS);
        let whole = |at: u32| (0..BLOCK as u32).map(move |run| block(at) + run * RUN as u32);
        let first = |at: u32| core::iter::once(block(at));
        let blocks: BTreeSet<u32> = (1..=512).flat_map(whole).collect();
        let firsts: BTreeSet<u32> = (1..=4_096).flat_map(first).collect();
        for (numbers, what) in [(blocks, "whole"), (firsts, "first")] {
            let keys: Vec<OrderKey> = numbers.into_iter().map(|at| key(3, at)).collect();
            for seed in seeds() {
                let (_, furthest) = lines_walked(ROOM, seed, &keys);
                assert!(furthest < 16, "{furthest}, {what} blocks at {distance}");
            }
        }
    }
}

/// Numbers at even distances, each mostly in a run of its own.
#[test]
fn numbers_at_even_distances_lie_as_any_others() {
    const ROOM: usize = 8_192;
    for distance in [
        2_u32,
        3,
        64,
        1_000,
        4_096,
        65_536,
        0x9E37_79B1,
        1_640_531_527,
    ] {
        let numbers = (1..=4_096_u32).map(|at| at.wrapping_mul(distance));
        let numbers: BTreeSet<u32> = numbers.collect();
        let keys: Vec<OrderKey> = numbers.into_iter().map(|at| key(3, at)).collect();
        for seed in seeds() {
            let (_, furthest) = lines_walked(ROOM, seed, &keys);
            assert!(furthest < 16, "{furthest}, {distance}");
        }
    }
}

/// As full as it can be, three quarters, of runs that have one number each, which come and go: searches grow longer
/// and stay bounded.
#[test]
fn a_full_table_of_scattered_numbers_is_searched_in_steps() {
    const ROOM: usize = 49_152;
    for seed in seeds().take(8) {
        let mut numbers = Numbers::new(ROOM, seed);
        assert_eq!(numbers.lines.len() * ENTRIES * 3 / 4, ROOM);
        let mut known = VecDeque::new();
        for at in 0..3 * ROOM as u32 {
            if known.len() == ROOM {
                numbers.remove(known.pop_front().expect("full"));
            }
            let new = key(at % 64, at / 64 * 1_000);
            numbers.put(new, at);
            known.push_back(new);
        }
        assert!(numbers.passed_max() < 128, "{}", numbers.passed_max());
        known.into_iter().for_each(|key| numbers.remove(key));
        assert!(is_empty(&numbers));
    }
}

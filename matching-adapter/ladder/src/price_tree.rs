//! An ordered map from price to level for prices outside the window: a crit-bit tree in a pool.
//!
//! Owned by the ladder's thread. Each branch names the highest bit in which the prices below it
//! differ; bits fall strictly on the way down, so no path is longer than 63 branches, however the
//! prices were chosen, without any rebalancing. n levels take n - 1 branches, so a pool of as many
//! branches as there are levels is never short. Prices are above 0, so their order is that of their
//! bits. Invariant: the tree holds exactly the levels it was given, each once. It must never grow.
//!
//! Cost: one walk of at most 63 steps for each operation, two for an insertion; each step is a
//! cache line of its own.

use crate::levels::{Levels, NONE};

/// Marks a link to a branch; one without it is a level.
const BRANCH: u32 = 1 << 31;

#[derive(Clone, Copy)]
struct Branch {
    bit: u32,
    /// Where the bit is 0, where it is 1; of a free branch the first is the next free one.
    child: [u32; 2],
}

/// The branches of all trees. A tree is its root: [`NONE`], a level, or a branch.
pub(crate) struct PriceTree {
    pool: Box<[Branch]>,
    free: u32,
}

impl PriceTree {
    pub(crate) fn new(levels_max: u32) -> Self {
        let branch = |index: u32| {
            let next = if index + 1 < levels_max {
                index + 1
            } else {
                NONE
            };
            Branch {
                bit: 0,
                child: [next, NONE],
            }
        };
        Self {
            pool: (0..levels_max).map(branch).collect(),
            free: 0,
        }
    }

    pub(crate) fn find(&self, root: u32, price: i64, levels: &Levels) -> Option<u32> {
        let leaf = self.leaf_towards(root, price)?;
        (levels.get(leaf).price == price).then_some(leaf)
    }

    /// The level's price must not be in the tree.
    pub(crate) fn insert(&mut self, root: &mut u32, level: u32, levels: &Levels) {
        let price = levels.get(level).price;
        let Some(leaf) = self.leaf_towards(*root, price) else {
            *root = level;
            return;
        };
        let differing = (levels.get(leaf).price ^ price) as u64;
        assert!(differing != 0, "this price has a level");
        let bit = 63 - differing.leading_zeros();
        let mut parent = None;
        let mut link = *root;
        while let Some(branch) = branch_of(link) {
            let Branch {
                bit: its_bit,
                child,
            } = self.pool[branch];
            if its_bit < bit {
                break;
            }
            let turn = turn_at(price, its_bit);
            parent = Some((branch, turn));
            link = child[turn];
        }
        let made = self.take(bit, price, level, link);
        match parent {
            Some((branch, turn)) => self.pool[branch].child[turn] = made,
            None => *root = made,
        }
    }

    /// The price must be in the tree.
    pub(crate) fn remove(&mut self, root: &mut u32, price: i64, levels: &Levels) {
        let mut above = None;
        let mut parent = None;
        let mut link = *root;
        while let Some(branch) = branch_of(link) {
            let turn = turn_at(price, self.pool[branch].bit);
            above = parent;
            parent = Some((branch, turn));
            link = self.pool[branch].child[turn];
        }
        assert!(
            link != NONE && levels.get(link).price == price,
            "this price has no level"
        );
        let Some((branch, turn)) = parent else {
            *root = NONE;
            return;
        };
        let sibling = self.pool[branch].child[1 - turn];
        match above {
            Some((upper, upper_turn)) => self.pool[upper].child[upper_turn] = sibling,
            None => *root = sibling,
        }
        self.pool[branch].child[0] = self.free;
        self.free = branch as u32;
    }

    /// The level with the lowest or the highest price.
    pub(crate) fn extreme(&self, root: u32, highest: bool) -> Option<u32> {
        let mut link = root;
        while let Some(branch) = branch_of(link) {
            link = self.pool[branch].child[usize::from(highest)];
        }
        (link != NONE).then_some(link)
    }

    /// The level with the nearest price above or below one that is in the tree.
    pub(crate) fn neighbour(&self, root: u32, price: i64, above: bool) -> Option<u32> {
        let towards = usize::from(above);
        let mut link = root;
        let mut passed = NONE;
        while let Some(branch) = branch_of(link) {
            let Branch { bit, child } = self.pool[branch];
            let turn = turn_at(price, bit);
            if turn != towards {
                passed = child[towards];
            }
            link = child[turn];
        }
        self.extreme(passed, !above)
    }

    /// The level one comes to by following the bits of the price: the price's own if it has one.
    fn leaf_towards(&self, root: u32, price: i64) -> Option<u32> {
        let mut link = root;
        while let Some(branch) = branch_of(link) {
            let Branch { bit, child } = self.pool[branch];
            link = child[turn_at(price, bit)];
        }
        (link != NONE).then_some(link)
    }

    fn take(&mut self, bit: u32, price: i64, level: u32, other: u32) -> u32 {
        let taken = self.free;
        assert!(taken != NONE, "fewer branches than levels are ever in use");
        let turn = turn_at(price, bit);
        let mut child = [other; 2];
        child[turn] = level;
        let branch = &mut self.pool[taken as usize];
        self.free = branch.child[0];
        *branch = Branch { bit, child };
        taken | BRANCH
    }
}

const fn branch_of(link: u32) -> Option<usize> {
    if link != NONE && link & BRANCH != 0 {
        Some((link & !BRANCH) as usize)
    } else {
        None
    }
}

const fn turn_at(price: i64, bit: u32) -> usize {
    (price >> bit & 1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn check(tree: &PriceTree, root: u32, levels: &Levels, map: &BTreeMap<i64, u32>) {
        assert_eq!(tree.extreme(root, false), map.values().next().copied());
        assert_eq!(tree.extreme(root, true), map.values().next_back().copied());
        for (price, level) in map {
            assert_eq!(tree.find(root, *price, levels), Some(*level));
            let above = map.range(price + 1..).next().map(|(_, level)| *level);
            assert_eq!(tree.neighbour(root, *price, true), above);
            let below = map.range(..price).next_back().map(|(_, level)| *level);
            assert_eq!(tree.neighbour(root, *price, false), below);
        }
    }

    #[test]
    fn agrees_with_a_map_over_the_whole_range_of_prices() {
        let mut levels = Levels::new(24);
        let mut tree = PriceTree::new(24);
        let mut root = NONE;
        let mut map = BTreeMap::new();
        let mut state = 11_u64;
        for _ in 0..20_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let near = (state >> 33) as i64 % 40 + 1;
            let price = match state >> 62 {
                0 => near,
                1 => i64::MAX - 1 - near,
                2 => 1 << near,
                _ => (1 << near) - 1 + i64::from(near == 0),
            };
            if let Some(level) = map.remove(&price) {
                tree.remove(&mut root, price, &levels);
                levels.give_back(level);
            } else if !levels.is_full() {
                let level = levels.take(price);
                tree.insert(&mut root, level, &levels);
                map.insert(price, level);
            }
            check(&tree, root, &levels, &map);
        }
    }
}

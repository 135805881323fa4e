//! Whether a version may have a cancel in flight.
//!
//! Part of what is in flight. Invariant: where it says that there is none, there is none.

use portcullis_domain::{HashSeed, UserRef};

/// How many cancels there are of versions whose numbers scatter alike: where there is none, there is none of any
/// of these. Of thousands of cancels each would else be looked for among all the others.
#[derive(Debug)]
pub(super) struct Cancels {
    /// A count that is full stays so.
    pub(super) alike: Box<[u8]>,
    /// All of them: mostly there is none, and no count to be looked at.
    all: usize,
    seed: HashSeed,
    shift: u32,
}

/// Places for each cancel there may be: so that few have another's.
const PLACES_EACH: usize = 8;

impl Cancels {
    pub(super) fn new(max: usize, seed: HashSeed) -> Self {
        let places = (PLACES_EACH * max).next_power_of_two();
        Self {
            alike: vec![0; places].into_boxed_slice(),
            all: 0,
            seed,
            shift: 64 - places.trailing_zeros(),
        }
    }

    /// Whether there may be one of this version.
    #[inline]
    pub(super) fn may_hold(&self, target: UserRef) -> bool {
        self.all > 0 && self.alike[self.place(target)] > 0
    }

    /// Counts one of this version in, or out.
    pub(super) fn count(&mut self, target: UserRef, by: i8) {
        self.all = self
            .all
            .checked_add_signed(by.into())
            .expect("what leaves was counted in");
        let alike = &mut self.alike[self.place(target)];
        if *alike < u8::MAX {
            *alike = alike.saturating_add_signed(by);
        }
    }

    fn place(&self, target: UserRef) -> usize {
        let UserRef { row, number } = target;
        let key = u64::from(row) << 32 | u64::from(number);
        (self.seed.scatter(key) >> self.shift) as usize
    }
}

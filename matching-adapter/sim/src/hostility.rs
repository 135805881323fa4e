//! How hostile a venue is, and what it did.
//!
//! Owned by no thread: plain values. Invariant: what is 0 never happens, so [`Hostility::NONE`] is
//! an honest venue.

/// A statement about an order that cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Lie {
    /// A fill of more lots than the order ever had.
    FillBeyondLeaves = 0,
    /// A fill worse than the order's limit.
    FillBeyondLimit = 1,
    /// A fill of an order whose end was reported.
    FillOnClosedOrder = 2,
    /// An acceptance of a number that was never sent.
    OrderNeverSent = 3,
    /// A replace, that nobody asked for, of an order that was sent.
    VersionNeverAsked = 4,
}

impl Lie {
    /// Each of them, by number.
    pub const ALL: [Self; 5] = [
        Self::FillBeyondLeaves,
        Self::FillBeyondLimit,
        Self::FillOnClosedOrder,
        Self::OrderNeverSent,
        Self::VersionNeverAsked,
    ];
}

/// How often a venue misbehaves. `one_in: n` means once in n times on average; 0 means never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hostility {
    /// Names the run.
    pub seed: u64,
    /// Polls by which a report is late, at the most; drawn anew for each.
    pub latency_polls_max: u32,
    /// Orders given back as if there were no room.
    pub give_back_one_in: u32,
    /// Orders, replaces and cancels refused in the engine's name; the engine never sees them.
    pub refuse_one_in: u32,
    /// Fills of more than one lot told as two.
    pub split_fill_one_in: u32,
    /// Reports that are never told.
    pub drop_one_in: u32,
    /// Reports told twice in a row.
    pub duplicate_one_in: u32,
    /// Reports held back, so that those of other sessions overtake them.
    pub hold_back_one_in: u32,
    /// Polls for which a report is held back.
    pub hold_back_polls: u32,
    /// Polls of a session at which its link breaks. Nothing is lost: its reports come when it is up
    /// again, and before it is said to be.
    pub disconnect_one_in: u32,
    /// Polls for which a broken link stays down.
    pub disconnect_polls: u32,
    /// Polls at which each lie is told, by [`Lie`].
    pub lie_one_in: [u32; Lie::ALL.len()],
}

impl Hostility {
    /// None at all.
    pub const NONE: Self = Self {
        seed: 0,
        latency_polls_max: 0,
        give_back_one_in: 0,
        refuse_one_in: 0,
        split_fill_one_in: 0,
        drop_one_in: 0,
        duplicate_one_in: 0,
        hold_back_one_in: 0,
        hold_back_polls: 0,
        disconnect_one_in: 0,
        disconnect_polls: 0,
        lie_one_in: [0; Lie::ALL.len()],
    };
}

/// What a venue did, counted when it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Misdeeds {
    /// Orders given back.
    pub given_back: u64,
    /// Orders, replaces and cancels refused.
    pub refused: u64,
    /// Fills told as two.
    pub fills_split: u64,
    /// Reports never told.
    pub dropped: u64,
    /// Reports told twice.
    pub duplicated: u64,
    /// Reports held back.
    pub held_back: u64,
    /// Links broken.
    pub disconnects: u64,
    /// Lies told, by [`Lie`].
    pub lies: [u64; Lie::ALL.len()],
}

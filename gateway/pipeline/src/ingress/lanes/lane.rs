//! One lane to the sequencer, and what each session has in it.
//!
//! Owned by ingress. Half of the lane is split evenly among the sessions of the config: what is a
//! session's own nobody else can take. The other half is a pool, of which a session may hold a quarter
//! of what is free; beyond that its orders are outside its share, and once it holds half of what is
//! free it is not read until some has left. So many may push without end, and each of the others still has
//! its own part whole. Invariants: what is held adds up to what is in the lane as of the last
//! [`Lane::settle`], plus what was pushed since; a record is one entry, in the lane's order, counted
//! in once and out once. It must never allocate once made, nor drop a record.

use portcullis_domain::{Head, RECORD_BYTES_MAX, SessionId, UNIT_BYTES};
use portcullis_runtime::RecordProducer;
use std::mem::replace;

/// Records that one step of ingress may put into a lane.
const RECORDS_A_STEP: usize = 2;

/// Units of the longest record.
const RECORD_UNITS_MAX: usize = RECORD_BYTES_MAX / UNIT_BYTES;

/// A session's share of the pool is one part in this many of what is free of it.
const SHARE_OF_FREE: usize = 4;

/// A session that holds one part in this many of what is free of the pool is not read.
const UNREAD_OF_FREE: usize = 2;

/// A record in the lane.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    session: u32,
    units: u32,
}

/// The lane.
#[derive(Debug)]
pub(super) struct Lane {
    ring: RecordProducer,
    /// Units of the lane that have left it, as of this cycle.
    left: u64,
    /// The records that have not, a ring: `len` of them from `first` on. Each has at least a unit,
    /// so the lane's units are enough of them.
    entries: Box<[Entry]>,
    first: usize,
    len: usize,
    /// Units of them, by session.
    held: Box<[usize]>,
    /// Units of each session's own part.
    own: usize,
    /// Units of the pool that nobody holds. Session events are not held back by shares, so that for
    /// a moment it may be less than nothing.
    pool_free: isize,
}

impl Lane {
    pub(super) fn new(ring: RecordProducer, sessions: usize) -> Self {
        let capacity = ring.capacity();
        // A step's room stays out of every share, so that one more step always finds it.
        let shared = capacity.saturating_sub(RECORDS_A_STEP * RECORD_UNITS_MAX);
        let own = shared / 2 / sessions.max(1);
        Self {
            ring,
            left: 0,
            entries: vec![Entry::default(); capacity].into_boxed_slice(),
            first: 0,
            len: 0,
            held: vec![0; sessions].into_boxed_slice(),
            own,
            pool_free: (shared - own * sessions) as isize,
        }
    }

    /// Counts out what has left the lane; once a cycle.
    #[inline]
    pub(super) fn settle(&mut self) {
        let taken = self.ring.taken();
        if self.left != taken {
            self.count_out(taken);
        }
    }

    fn count_out(&mut self, taken: u64) {
        while self.left < taken {
            assert!(self.len > 0, "only what was counted in has left");
            let entry = self.entries[self.first];
            self.first = self.wrapped(self.first + 1);
            self.len -= 1;
            self.left += u64::from(entry.units);
            let held = self.held[entry.session as usize];
            self.holds(entry.session as usize, held - entry.units as usize);
        }
        assert_eq!(self.left, taken, "a record leaves whole");
    }

    /// Units that had left the lane at the last [`Lane::settle`].
    pub(super) const fn left(&self) -> u64 {
        self.left
    }

    /// Units put in so far.
    pub(super) const fn pushed(&self) -> u64 {
        self.ring.pushed()
    }

    /// Whether it can take a step's records.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.ring.has_room_for(RECORDS_A_STEP)
    }

    /// Whether a session may be read: its next record fits its own part, or it does not hold too
    /// much of the pool already.
    #[inline]
    pub(super) fn is_open_to(&self, session: SessionId) -> bool {
        let held = self.held[session.index()];
        held + RECORD_UNITS_MAX <= self.own || self.is_pool_open_to(held)
    }

    /// How many records more a session may be read for, at the least, without asking again: as many of the
    /// longest kind as fit its own part, and the lane.
    #[inline]
    pub(super) fn sure_room_of(&self, session: SessionId, most: usize) -> usize {
        let held = self.held[session.index()];
        let own = self.own.saturating_sub(held) / RECORD_UNITS_MAX;
        if self.ring.has_room_for(most + RECORDS_A_STEP) {
            own.min(most)
        } else {
            0
        }
    }

    fn is_pool_open_to(&self, held: usize) -> bool {
        let free = self.pool_free();
        free >= RECORD_UNITS_MAX && self.pooled(held) <= free / UNREAD_OF_FREE
    }

    /// Whether a session may hold so many units more: in its own part, or in the pool if what it has
    /// there stays its share.
    #[inline]
    pub(super) fn is_within_share(&self, session: SessionId, units: usize) -> bool {
        let held = self.held[session.index()];
        held + units <= self.own || self.is_within_share_of_pool(held, units)
    }

    fn is_within_share_of_pool(&self, held: usize, units: usize) -> bool {
        let pooled = self.pooled(held + units);
        let more = pooled - self.pooled(held);
        more == 0 || pooled <= self.pool_free().saturating_sub(more) / SHARE_OF_FREE
    }

    /// Puts a record in. Room was looked for.
    #[inline(always)]
    pub(super) fn push(&mut self, session: SessionId, head: Head, raw: &[u8]) {
        let units = head.units();
        assert!(self.ring.send(head, raw), "room was looked for");
        let last = self.wrapped(self.first + self.len);
        self.entries[last] = Entry {
            session: session.raw(),
            units: units as u32,
        };
        self.len += 1;
        self.holds(session.index(), self.held[session.index()] + units);
    }

    #[inline]
    fn holds(&mut self, session: usize, units: usize) {
        let before = replace(&mut self.held[session], units);
        if before.max(units) > self.own {
            self.pool_free += self.pooled(before) as isize - self.pooled(units) as isize;
        }
    }

    /// A place in the entries' ring, of one that is less than twice around.
    #[inline]
    fn wrapped(&self, at: usize) -> usize {
        let len = self.entries.len();
        if at < len { at } else { at - len }
    }

    fn pool_free(&self) -> usize {
        usize::try_from(self.pool_free).unwrap_or(0)
    }

    /// How much of what a session holds is in the pool.
    const fn pooled(&self, held: usize) -> usize {
        held.saturating_sub(self.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::Record;
    use portcullis_runtime::{RecordConsumer, record_ring};

    /// Units that are shared out, and those of a step beside them.
    const UNITS: usize = 1_024;
    const STEP: usize = RECORDS_A_STEP * RECORD_UNITS_MAX;

    fn lane(sessions: usize) -> (Lane, RecordConsumer) {
        let (ring, out) = record_ring(UNITS + STEP);
        (Lane::new(ring, sessions), out)
    }

    /// Of two units, as an order has them.
    fn record() -> Record {
        Record::new(Head::blank(1), &[7; 49]).expect("it fits")
    }

    fn put(lane: &mut Lane, of: SessionId, record: &Record) {
        lane.push(of, record.head, record.raw());
    }

    fn session(index: u32) -> SessionId {
        SessionId::new(index)
    }

    /// Pushes while the session may be read; returns how many were within its share.
    fn flood(lane: &mut Lane, of: SessionId) -> usize {
        let mut within = 0;
        while lane.is_open_to(of) && lane.has_room() {
            within += usize::from(lane.is_within_share(of, 2));
            put(lane, of, &record());
        }
        within
    }

    #[test]
    fn a_session_alone_has_its_part_and_a_fifth_of_the_pool() {
        let (mut lane, _out) = lane(2);
        // A quarter of the lane is its own, half of it the pool.
        assert_eq!(
            flood(&mut lane, session(0)),
            (UNITS / 4 + UNITS / 2 / 5) / 2
        );
        let held = lane.held[0];
        let read = UNITS / 4 + UNITS / 2 / 3;
        assert!((read..=read + 3).contains(&held), "{held}");
    }

    #[test]
    fn however_many_flood_each_of_the_others_has_its_part_whole() {
        for flooders in [1, 2, 10, 31] {
            let (mut lane, _out) = lane(32);
            for at in 0..flooders {
                assert!(flood(&mut lane, session(at)) > 0);
            }
            for quiet in flooders..32 {
                let part = UNITS / 2 / 32;
                // As long as the longest record would fit.
                for _ in 0..(part - RECORD_UNITS_MAX) / 2 {
                    assert!(lane.is_open_to(session(quiet)) && lane.has_room());
                    assert!(lane.is_within_share(session(quiet), 2));
                    put(&mut lane, session(quiet), &record());
                }
            }
        }
    }

    #[test]
    fn what_is_sure_to_have_room_has_it() {
        let (mut lane, _out) = lane(2);
        let mut sure_rounds = 0;
        while lane.is_open_to(session(0)) && lane.has_room() {
            let sure = lane.sure_room_of(session(0), 7);
            sure_rounds += usize::from(sure > 0);
            for _ in 0..sure.max(1) {
                assert!(lane.is_open_to(session(0)) && lane.has_room());
                let longest = Record::new(Head::blank(1), &[7; 192]).expect("it fits");
                put(&mut lane, session(0), &longest);
            }
        }
        assert_eq!(sure_rounds, (UNITS / 4 / RECORD_UNITS_MAX).div_ceil(7));
    }

    #[test]
    fn a_share_ends_at_the_unit() {
        let (mut lane, _out) = lane(1);
        for _ in 0..UNITS / 2 / 2 {
            assert!(lane.is_within_share(session(0), 2));
            put(&mut lane, session(0), &record());
        }
        assert_eq!(lane.pool_free(), UNITS / 2);
        // A fifth of 512 units is 102, of which a quarter of the other 410 is.
        for _ in 0..102 / 2 {
            assert!(lane.is_within_share(session(0), 2));
            put(&mut lane, session(0), &record());
        }
        assert!(!lane.is_within_share(session(0), 1));
    }

    #[test]
    fn events_beyond_every_share_are_counted_out_again() {
        let (mut lane, mut out) = lane(4);
        // Events do not ask for a share.
        while lane.has_room() {
            put(&mut lane, session(0), &Record::bare(Head::blank(1)));
        }
        assert!(lane.pool_free < 0 && !lane.is_open_to(session(0)));
        while out.pop().is_some() {}
        lane.settle();
        assert_eq!(lane.pool_free(), UNITS / 2);
        assert!(lane.is_open_to(session(0)));
    }

    #[test]
    fn what_leaves_is_counted_out_to_the_unit() {
        let (mut lane, mut out) = lane(3);
        // Lengths of one to four units, so that the entries' ring comes round out of step.
        let mut sent = Vec::new();
        for at in 0..5_000_u32 {
            let raw = vec![0; (at as usize * 37) % 193];
            let record = Record::new(Head::blank(1), &raw).expect("it fits");
            put(&mut lane, session(at % 3), &record);
            sent.push((at % 3, record.head.units()));
            if !lane.has_room() {
                for _ in 0..100 {
                    assert!(out.pop().is_some());
                    sent.remove(0);
                }
                lane.settle();
            }
            for of in 0..3 {
                let own = sent.iter().filter(|(by, _)| *by == of);
                let own: usize = own.map(|(_, units)| units).sum();
                assert_eq!(lane.held[of as usize], own);
            }
        }
        while out.pop().is_some() {}
        lane.settle();
        assert_eq!((lane.held.iter().sum::<usize>(), lane.len), (0, 0));
        assert_eq!(lane.pool_free(), UNITS - lane.own * 3);
        assert_eq!(lane.left(), lane.pushed());
    }
}

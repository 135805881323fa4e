//! A queue of a size that is set once.
//!
//! Risk thread. Invariants: never grows; who comes first goes first; a place is found without a division.

extern crate alloc;

use alloc::boxed::Box;

/// A queue of copies in places that come round.
#[derive(Debug)]
pub(super) struct Queue<T> {
    places: Box<[T]>,
    head: usize,
    len: usize,
}

impl<T: Copy> Queue<T> {
    /// One in which each place is taken, the first in front.
    pub(super) fn full(places: Box<[T]>) -> Self {
        let len = places.len();
        Self {
            places,
            head: 0,
            len,
        }
    }

    /// One of these places, none of them taken.
    pub(super) const fn empty(places: Box<[T]>) -> Self {
        Self {
            places,
            head: 0,
            len: 0,
        }
    }

    #[inline(always)]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Places, taken or not.
    pub(super) const fn room(&self) -> usize {
        self.places.len()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.len == self.places.len()
    }

    /// What stands behind so many others.
    #[inline(always)]
    pub(super) fn get(&self, ahead: usize) -> Option<T> {
        if ahead >= self.len {
            return None;
        }
        let place = self.wrapped(self.head.wrapping_add(ahead));
        self.places.get(place).copied()
    }

    /// What stands, or stood last, at a place that [`Queue::put`] gave.
    #[inline(always)]
    pub(super) fn at(&self, place: usize) -> T {
        self.places[place]
    }

    /// All of them, first to last.
    pub(super) fn iter(&self) -> impl Iterator<Item = T> {
        (0..self.len).filter_map(|ahead| self.get(ahead))
    }

    /// Takes the first out.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        let first = self.places[self.head];
        let next = self.head + 1;
        self.head = if next == self.places.len() { 0 } else { next };
        self.len -= 1;
        Some(first)
    }

    /// Puts one behind all others; its place.
    ///
    /// # Panics
    /// If there is no room: who puts knows that there is.
    #[inline(always)]
    pub(super) fn put(&mut self, item: T) -> usize {
        let place = self.wrapped(self.head + self.len);
        self.places[place] = item;
        self.len += 1;
        assert!(
            self.len <= self.places.len(),
            "more than the queue has room for"
        );
        place
    }

    /// Takes all out; what is put next stands at the first place.
    pub(super) fn clear(&mut self) {
        (self.head, self.len) = (0, 0);
    }

    /// A place less than a whole turn ahead.
    #[inline(always)]
    const fn wrapped(&self, place: usize) -> usize {
        let len = self.places.len();
        if place < len { place } else { place - len }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn goes_as_a_queue_of_the_library_over_many_turns() {
        let (mut queue, mut model) = (Queue::empty(Box::from([0_u32; 3])), VecDeque::new());
        // Puts and takes in steps of other lengths than the queue.
        for turn in 0..100_u32 {
            for item in 0..turn % 4 {
                if queue.is_full() {
                    break;
                }
                let place = queue.put(turn * 10 + item);
                assert_eq!(queue.at(place), turn * 10 + item);
                model.push_back(turn * 10 + item);
            }
            assert!(queue.iter().eq(model.iter().copied()));
            assert_eq!((queue.len(), queue.room()), (model.len(), 3));
            assert_eq!(queue.get(model.len()), None);
            for _ in 0..turn % 3 {
                assert_eq!(queue.take(), model.pop_front());
            }
        }
    }

    #[test]
    fn a_full_one_gives_its_places_in_turn() {
        let mut queue = Queue::full(Box::from([1, 2]));
        assert!(queue.is_full());
        assert_eq!(
            (queue.take(), queue.take(), queue.take()),
            (Some(1), Some(2), None)
        );
        queue.put(3);
        queue.clear();
        assert_eq!((queue.take(), queue.put(4)), (None, 0));
    }

    #[test]
    #[should_panic(expected = "more than the queue has room for")]
    fn one_more_than_fits_is_a_fault() {
        Queue::full(Box::from([1, 2])).put(3);
    }
}

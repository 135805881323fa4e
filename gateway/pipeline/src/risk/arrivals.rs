//! When the orders of a turn arrived, until it has ended and their times are told.
//!
//! Owned by the agent that decides. Invariants: orders stand here for one turn, those of one arrival that follow each
//! other as one; nothing is told before the turn has ended, so that no clock is read and nothing is counted in
//! an order's way. Its room is taken at start.

use super::LatencySink;
use portcullis_domain::{CommandKind, Head, Timestamp};

/// Orders whose bytes arrived at one time.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    at: Timestamp,
    orders: u64,
}

/// The arrivals.
#[derive(Debug)]
pub struct Arrivals(Vec<Arrival>);

impl Arrivals {
    /// With room for those of so many records.
    #[must_use]
    pub fn of_records(records: usize) -> Self {
        Self(Vec::with_capacity(records))
    }

    /// A turn begins. Where nobody was told of the last one's end, nobody wants its times.
    #[inline]
    pub fn begin_turn(&mut self) {
        self.0.clear();
    }

    /// Notes a record, if it is a new order or replace.
    ///
    /// # Panics
    /// If there are more than it has room for.
    #[inline(always)]
    pub fn note(&mut self, head: &Head) {
        if head.kind != CommandKind::NewOrder as u8 && head.kind != CommandKind::Replace as u8 {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.at.ns() == head.timestamp_ns => last.orders += 1,
            Some(_) | None => self.add(Timestamp::from_ns(head.timestamp_ns)),
        }
    }

    fn add(&mut self, at: Timestamp) {
        assert!(
            self.0.len() < self.0.capacity(),
            "no more than the records of a turn"
        );
        self.0.push(Arrival { at, orders: 1 });
    }

    /// Tells the times of those that are noted, of a turn that began and ended then.
    #[inline]
    pub fn tell(&mut self, began: Timestamp, ended: Timestamp, latency: &mut impl LatencySink) {
        for Arrival { at, orders } in self.0.drain(..) {
            latency.on_orders(began.since(at).ns(), ended.since(at).ns(), orders);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Told(Vec<(u64, u64, u64)>);

    impl LatencySink for Told {
        fn on_orders(&mut self, waited_ns: u64, taken_ns: u64, orders: u64) {
            self.0.push((waited_ns, taken_ns, orders));
        }
    }

    #[test]
    fn orders_of_one_arrival_are_told_as_one_once_the_turn_has_ended() {
        let mut arrivals = Arrivals::of_records(5);
        let kinds = [
            (CommandKind::NewOrder, 10),
            (CommandKind::Replace, 10),
            (CommandKind::Cancel, 11),
            (CommandKind::NewOrder, 12),
            (CommandKind::NewOrder, 10),
        ];
        for (kind, timestamp_ns) in kinds {
            arrivals.note(&Head {
                timestamp_ns,
                ..Head::blank(kind as u8)
            });
        }
        let mut told = Told::default();
        let (began, ended) = (Timestamp::from_ns(20), Timestamp::from_ns(50));
        arrivals.tell(began, ended, &mut told);
        assert_eq!(told.0, [(10, 40, 2), (8, 38, 1), (10, 40, 1)]);
        arrivals.tell(began, ended, &mut told);
        assert_eq!(told.0.len(), 3, "told once");
    }

    #[test]
    fn a_turn_of_which_nobody_is_told_leaves_nothing_to_the_next() {
        let mut arrivals = Arrivals::of_records(1);
        for timestamp_ns in 0..100 {
            arrivals.begin_turn();
            arrivals.note(&Head {
                timestamp_ns,
                ..Head::blank(CommandKind::NewOrder as u8)
            });
        }
        let mut told = Told::default();
        arrivals.tell(Timestamp::from_ns(99), Timestamp::from_ns(100), &mut told);
        assert_eq!(told.0, [(0, 1, 1)]);
    }
}

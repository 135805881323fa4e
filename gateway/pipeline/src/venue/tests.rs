//! When an adapter that was recalled comes to life.

use super::*;
use crate::durability::{Durability, DurabilityEnds, durability};
use portcullis_runtime::{RecordConsumer, message_ring, record_ring};
use portcullis_venue::Approved;

/// An adapter that has something to say as soon as it lives.
#[derive(Debug, Default)]
struct Recalling {
    polls: u32,
}

impl MatchingVenue for Recalling {
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        _: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        Err(order)
    }

    fn poll(&mut self, _: Timestamp, _: usize, sink: &mut impl VenueSink) -> usize {
        self.polls += 1;
        sink.on_link(SessionId::new(0), true);
        1
    }

    fn is_idle(&self) -> bool {
        false
    }
}

/// A log that ends with record 9, whose standby has not been heard of.
fn restarted(policy: Durability) -> (Venue<Recalling>, RecordConsumer, DurabilityEnds) {
    let ends = durability(policy, Seq::new(9));
    let (_, orders) = message_ring(4);
    let (reports, reports_out) = record_ring(64);
    let venue = Venue::new(Recalling::default(), orders, reports, 1, 4);
    let venue = venue.behind(ends.gate.clone(), Seq::new(9));
    (venue, reports_out, ends)
}

#[test]
fn a_recalled_adapter_does_nothing_before_the_standby_has_what_it_was_recalled_from() {
    let (mut venue, mut reports, mut ends) = restarted(Durability::Replicated);
    for has in [0, 8] {
        ends.standby.reach(Seq::new(has));
        assert_eq!(venue.do_work(Timestamp::ZERO), 0);
        assert_eq!(venue.venue().polls, 0);
        assert!(reports.front().is_none(), "nobody is told of a link");
    }
    assert!(venue.is_drained(), "what never lived owes nothing");
    ends.standby.reach(Seq::new(9));
    assert_eq!(venue.do_work(Timestamp::ZERO), 1);
    assert!(reports.front().is_some());
    assert!(!venue.is_drained(), "it lives, and owes reports");
}

/// The core has been told and approves nothing: what stands at the engine is still to be cancelled and heard of.
#[test]
fn a_degraded_gateway_lives_without_its_standby_and_goes_on_living() {
    let (mut venue, _reports, mut ends) = restarted(Durability::Replicated);
    assert_eq!(venue.do_work(Timestamp::ZERO), 0);
    ends.watch.tell_degraded(true);
    assert_eq!(venue.do_work(Timestamp::ZERO), 1);
    ends.watch.tell_degraded(false);
    assert_eq!(venue.do_work(Timestamp::ZERO), 1);
}

#[test]
fn each_half_waits_for_the_standby_as_the_whole_agent_does() {
    let (venue, mut reports, mut ends) = restarted(Durability::Replicated);
    let both = VenueHalves::new(venue);
    let (mut reading, mut writing) = both.halves();
    for _ in 0..3 {
        assert_eq!(reading.do_work(Timestamp::ZERO), 0);
        assert_eq!(writing.do_work(Timestamp::ZERO), 0);
    }
    assert!(reports.front().is_none(), "nobody is told of a link");
    ends.standby.reach(Seq::new(9));
    assert_eq!(writing.do_work(Timestamp::ZERO), 0, "it only hands over");
    assert_eq!(reading.do_work(Timestamp::ZERO), 1);
    assert!(!reading.is_drained() && !writing.is_drained());
    assert_eq!(both.into_inner().venue().polls, 1);
}

#[test]
fn a_log_that_is_enough_by_itself_holds_nothing_back() {
    for policy in [
        Durability::Memory,
        Durability::Journaled,
        Durability::Synced,
    ] {
        let (mut venue, _reports, _ends) = restarted(policy);
        assert_eq!(venue.do_work(Timestamp::ZERO), 1, "{policy:?}");
    }
}

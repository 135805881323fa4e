//! One defect, and the figure that shows it.
//!
//! One thread a test.

use portcullis_venue_embedded::EmbeddedVenue;
use portcullis_venue_sim::{Plant, Planted};

use crate::rig::Rig;

fn run(plant: Plant) -> Rig<Planted<EmbeddedVenue>> {
    let venue = Planted::new(crate::ladder(), plant, 5);
    let mut rig = Rig::new(venue, 7, |_| Vec::new());
    rig.trade(3_000);
    rig.wind_down();
    assert!(rig.venue.planted());
    assert_eq!(rig.effects.alarms, [], "the core cannot know");
    assert_eq!(rig.venue.engine_mut().end_day(), Ok(()), "still reachable");
    rig
}

#[test]
fn a_leaked_hold_is_left_at_the_end() {
    let rig = run(Plant::LeakedHold);
    let (buys, sells, orders) = rig.holds();
    assert!(buys + sells > 0);
    assert_eq!(orders, 1);
    assert_eq!(rig.conservation_error(), 0);
    let executed = rig.venue.engine().counters().executed_qty;
    assert_eq!(u128::from(rig.core.counters().executed_qty), 2 * executed);
}

#[test]
fn lost_money_is_missing_at_the_end() {
    let rig = run(Plant::LostMoney);
    assert_ne!(rig.conservation_error(), 0);
    assert_eq!(rig.holds(), (0, 0, 0));
    let executed = rig.venue.engine().counters().executed_qty;
    assert_eq!(u128::from(rig.core.counters().executed_qty), 2 * executed);
}

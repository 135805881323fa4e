//! The bench's load on the gateway alone, and nothing measured: for who watches the gateway meanwhile, as a profile
//! does.
//!
//! On the measuring thread. Invariant: the load is what is measured otherwise, refusals among it, each way of it for
//! about as long, and at the end the counts must agree as ever.

use crate::rig::{Place, Rig, Way};
use crate::{SESSIONS_MANY, measure};
use std::time::Duration;

/// One order at a time: so many, or as many as fit into a bound of the measure's own.
const ORDERS: usize = 20_000;
/// A stream.
const SPAN: Duration = Duration::from_secs(1);

/// Gives the gateway orders of one session, and of many that are connected.
pub(crate) fn run(place: Place<'_>) -> Result<(), String> {
    for sessions in [1, SESSIONS_MANY] {
        eprintln!("{sessions} connected");
        let mut rig = Rig::new(Way::Gateway, sessions, place)?;
        measure::closed_loop(&mut rig, ORDERS)?;
        measure::throughput(&mut rig, SPAN)?;
        let finished = rig.finish()?;
        let refusals = finished.refusals.map(|(_, counts)| counts);
        let refused: u64 = refusals.iter().flatten().map(|(_, count)| count).sum();
        eprintln!("{} orders, {refused} refused", finished.orders);
    }
    Ok(())
}

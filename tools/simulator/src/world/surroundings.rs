//! What a world is set up with: the transport's buffers and the engine's manners.
//!
//! Once a run. Invariant: what a plan leaves out is honest and whole.

use super::CONNECTIONS_MAX;
use crate::market::Market;
use crate::plan::{Fault, Faults, Plan};
use crate::random::{Concern, Prng, stream};
use crate::venue::Engine;
use portcullis_transport::MemoryOptions;
use portcullis_venue_sim::Hostility;

/// Buffers that are short where readers are slow, and calls that carry little.
pub(super) fn memory(prng: &mut Prng, faults: Faults) -> MemoryOptions {
    let mut options = MemoryOptions::new(CONNECTIONS_MAX);
    options.buffer_bytes = if faults.has(Fault::SlowReaders) {
        prng.pick(&[128, 512, 2_048])
    } else {
        4_096
    };
    if faults.has(Fault::Pieces) {
        options.read_bytes_max = prng.pick(&[1, 7, 64, usize::MAX]);
        options.write_bytes_max = prng.pick(&[1, 13, 100, usize::MAX]);
    }
    options
}

/// The engine: outside and hostile, or the gateway's own and honest.
pub(super) fn engine(plan: &Plan, market: &Market) -> Engine {
    let mut prng = stream(plan.seed, Concern::Venue);
    let hostility = hostility(&mut prng, plan.faults);
    if plan.faults.has(Fault::InsideEngine) {
        return Engine::inside(market.engine());
    }
    Engine::outside(market.engine(), plan.clients, hostility, plan.plant)
}

/// Reports are late, split, refused and held back, links break: nothing is lost by any of it. Reports
/// that are never told are an engine's breach that no gateway can see: see the planted faults.
fn hostility(prng: &mut Prng, faults: Faults) -> Hostility {
    let mut hostility = Hostility {
        seed: prng.bits(),
        ..Hostility::NONE
    };
    if faults.has(Fault::HostileVenue) {
        hostility.latency_polls_max = prng.between(0, 12) as u32;
        hostility.give_back_one_in = prng.pick(&[0, 5, 20]);
        hostility.refuse_one_in = prng.pick(&[0, 10, 50]);
        hostility.split_fill_one_in = prng.pick(&[0, 2, 8]);
        hostility.hold_back_one_in = prng.pick(&[0, 10]);
        hostility.hold_back_polls = prng.between(1, 30) as u32;
        hostility.disconnect_one_in = prng.pick(&[0, 100, 400]);
        hostility.disconnect_polls = prng.between(1, 60) as u32;
    }
    if faults.has(Fault::Lies) {
        for lie in &mut hostility.lie_one_in {
            *lie = prng.pick(&[0, 0, 200, 1_000]);
        }
    }
    hostility
}

//! The measurements of a rig: round trip, paced round trip, messages a second, first after silence.
//!
//! On the measuring thread. Invariants: between two readings of the clock stand the two ends' own
//! sockets and nothing else of the bench; a paced latency counts from the planned send time; an order that is refused
//! is in no figure of those that go the whole way.

use crate::plan::Fate;
use crate::rig::Rig;
use portcullis_bench_harness::{Latency, Pace};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Orders of one session that may be unanswered while messages a second are counted.
pub(crate) const WINDOW: u32 = 64;
/// A closed loop on a crowded machine ends after this with fewer orders.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);
/// Longest wait for what is outstanding.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// Round trips: to the engine and back, those of them right behind a refusal once more, and of what is refused.
pub(crate) struct RoundTrips {
    pub(crate) whole: Latency,
    pub(crate) behind: Latency,
    pub(crate) refused: Latency,
}

/// One order at a time, sessions in turn.
pub(crate) fn closed_loop(rig: &mut Rig, orders: usize) -> Result<RoundTrips, String> {
    for order in 0..orders / 10 {
        rig.one(order % rig.speaking())?;
    }
    let mut trips = RoundTrips {
        whole: Latency::new(),
        behind: Latency::new(),
        refused: Latency::new(),
    };
    let mut behind_refusal = false;
    let begun = Instant::now();
    for order in 0..orders {
        if begun.elapsed() > CLOSED_WITHIN {
            break;
        }
        let trip = rig.one(order % rig.speaking())?;
        let took_ns = trip.took.as_nanos() as u64;
        if trip.refused {
            trips.refused.record(took_ns);
        } else {
            trips.whole.record(took_ns);
            if behind_refusal {
                trips.behind.record(took_ns);
            }
        }
        behind_refusal = trip.refused;
        rig.between_orders(Instant::now())?;
    }
    Ok(trips)
}

/// Orders at planned times, whether or not earlier ones are answered; how long those took that went the whole way.
pub(crate) fn paced(rig: &mut Rig, interval: Duration, orders: usize) -> Result<Latency, String> {
    let mut latency = Latency::new();
    let mut planned: Vec<VecDeque<Instant>> = (0..rig.talking())
        .map(|_| VecDeque::with_capacity(orders))
        .collect();
    let begun = Instant::now();
    let mut pace = Pace::new(begun, interval);
    let (mut sent, mut answered) = (0, 0);
    while answered < orders {
        let now = Instant::now();
        if sent < orders
            && let Some(at) = pace.due(now)
        {
            let (session, fate) = rig.enter(sent % rig.speaking());
            rig.flush(session)?;
            if fate == Fate::Passes {
                planned[session].push_back(at);
            }
            sent += 1;
        }
        for (session, planned) in planned.iter_mut().enumerate() {
            if rig.outstanding(session) == 0 {
                continue;
            }
            rig.poll_engine(session)?;
            let came = rig.poll_client(session)?;
            for _ in 0..came.passed {
                let at = planned.pop_front().ok_or("more answers than orders")?;
                latency.record(at.elapsed().as_nanos() as u64);
            }
            answered += (came.passed + came.refused) as usize;
        }
        rig.between_orders(now)?;
        if sent == orders && begun.elapsed() > interval * orders as u32 + DRAIN_WITHIN {
            return Err("orders are not answered".to_owned());
        }
    }
    Ok(latency)
}

/// Orders a second that went the whole way and were answered, each speaking session keeping a window full. What is
/// refused takes its place in the window and in the time, and is not counted.
pub(crate) fn throughput(rig: &mut Rig, span: Duration) -> Result<u64, String> {
    stream(rig, span / 5)?;
    let (orders, took) = stream(rig, span)?;
    Ok((u128::from(orders) * 1_000_000_000 / took.as_nanos().max(1)) as u64)
}

/// Sends for a span and drains; returns the orders that passed and were answered, and the time from first to last.
fn stream(rig: &mut Rig, span: Duration) -> Result<(u64, Duration), String> {
    let window = (WINDOW / rig.speaking() as u32).max(1);
    let begun = Instant::now();
    let mut passed = 0;
    loop {
        let now = Instant::now();
        let sending = now.duration_since(begun) < span;
        let mut outstanding = 0;
        for session in 0..rig.talking() {
            let speaks = session < rig.speaking();
            // A quarter of a window at once: one write, as a busy client would.
            if sending && speaks && rig.outstanding(session) <= window - window.div_ceil(4) {
                while rig.outstanding(session) < window {
                    rig.enter(session);
                }
            }
            if !speaks && rig.outstanding(session) == 0 {
                continue;
            }
            rig.flush(session)?;
            rig.poll_engine(session)?;
            passed += u64::from(rig.poll_client(session)?.passed);
            outstanding += rig.outstanding(session);
        }
        rig.between_orders(now)?;
        if !sending && outstanding == 0 {
            return Ok((passed, begun.elapsed()));
        }
        if now.duration_since(begun) > span + DRAIN_WITHIN {
            return Err(format!("{outstanding} orders are not answered"));
        }
    }
}

/// The first order after a second in which nobody speaks.
pub(crate) fn after_silence(rig: &mut Rig) -> Result<Latency, String> {
    let mut latency = Latency::new();
    std::thread::sleep(Duration::from_secs(1));
    let took = rig.one_that_passes(0)?;
    latency.record(took.as_nanos() as u64);
    rig.between_orders(Instant::now())?;
    Ok(latency)
}

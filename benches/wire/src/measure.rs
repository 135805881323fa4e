//! The measurements of a rig: round trip, paced round trip, messages a second, first after silence.
//!
//! On the measuring thread. Invariants: between two readings of the clock stand the two ends' own
//! sockets and nothing else of the bench; a paced latency counts from the planned send time.

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

/// One order at a time, sessions in turn.
pub(crate) fn closed_loop(rig: &mut Rig, orders: usize) -> Result<Latency, String> {
    for order in 0..orders / 10 {
        rig.one(order % rig.speaking())?;
    }
    let mut latency = Latency::new();
    let begun = Instant::now();
    for order in 0..orders {
        if begun.elapsed() > CLOSED_WITHIN {
            break;
        }
        let took = rig.one(order % rig.speaking())?;
        latency.record(took.as_nanos() as u64);
        rig.between_orders(Instant::now())?;
    }
    Ok(latency)
}

/// Orders at planned times, whether or not earlier ones are answered.
pub(crate) fn paced(rig: &mut Rig, interval: Duration, orders: usize) -> Result<Latency, String> {
    let mut latency = Latency::new();
    let mut planned: Vec<VecDeque<Instant>> = (0..rig.speaking())
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
            let session = sent % rig.speaking();
            let (client, ..) = rig.ends(session);
            client.enter();
            client.flush()?;
            planned[session].push_back(at);
            sent += 1;
        }
        for (session, planned) in planned
            .iter_mut()
            .enumerate()
            .filter(|(_, planned)| !planned.is_empty())
        {
            let (client, engine, line) = rig.ends(session);
            engine.poll(line)?;
            for _ in 0..client.poll()? {
                let at = planned.pop_front().ok_or("more answers than orders")?;
                latency.record(at.elapsed().as_nanos() as u64);
                answered += 1;
            }
        }
        rig.between_orders(now)?;
        if sent == orders && begun.elapsed() > interval * orders as u32 + DRAIN_WITHIN {
            return Err("orders are not answered".to_owned());
        }
    }
    Ok(latency)
}

/// Orders answered a second, each speaking session keeping a window full.
pub(crate) fn throughput(rig: &mut Rig, span: Duration) -> Result<u64, String> {
    stream(rig, span / 5)?;
    let (orders, took) = stream(rig, span)?;
    Ok((u128::from(orders) * 1_000_000_000 / took.as_nanos().max(1)) as u64)
}

/// Sends for a span and drains; returns the orders answered and the time from first to last.
fn stream(rig: &mut Rig, span: Duration) -> Result<(u64, Duration), String> {
    let window = (WINDOW / rig.speaking() as u32).max(1);
    let begun = Instant::now();
    let mut answered = 0;
    loop {
        let now = Instant::now();
        let sending = now.duration_since(begun) < span;
        let mut outstanding = 0;
        for session in 0..rig.speaking() {
            let (client, engine, line) = rig.ends(session);
            // A quarter of a window at once: one write, as a busy client would.
            if sending && client.outstanding() <= window - window.div_ceil(4) {
                while client.outstanding() < window {
                    client.enter();
                }
            }
            client.flush()?;
            engine.poll(line)?;
            answered += u64::from(client.poll()?);
            outstanding += client.outstanding();
        }
        rig.between_orders(now)?;
        if !sending && outstanding == 0 {
            return Ok((answered, begun.elapsed()));
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
    let took = rig.one(0)?;
    latency.record(took.as_nanos() as u64);
    rig.between_orders(Instant::now())?;
    Ok(latency)
}

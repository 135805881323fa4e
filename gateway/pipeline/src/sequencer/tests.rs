//! When a slice of sliced work is let in, and where a log goes on.

use super::{Resumption, SLICE_EVERY_NS, Sequencer, SequencerRings};
use crate::signals::RiskSignals;
use portcullis_domain::{Command, CommandKind, HashSeed, Head, Record, Seq, Timestamp};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, Effect, EffectSink, RiskCore};
use portcullis_runtime::{Agent, RecordConsumer, RecordProducer, record_ring};

const UNITS: usize = 1_024;

/// A sequencer, an input and what it stamps.
struct Rig {
    sequencer: Sequencer,
    signals: RiskSignals,
    orders: RecordProducer,
    sequenced: RecordConsumer,
    now_ns: u64,
}

impl Rig {
    fn new() -> Self {
        let signals = RiskSignals::default();
        let (orders, orders_out) = record_ring(UNITS);
        let (sequenced_in, sequenced) = record_ring(UNITS);
        let rings = SequencerRings {
            control: record_ring(UNITS).1,
            reports: record_ring(UNITS).1,
            feedback: record_ring(UNITS).1,
            priority: record_ring(UNITS).1,
            orders: orders_out,
            sequenced: sequenced_in,
        };
        let mut rig = Self {
            sequencer: Sequencer::new(rings, signals.clone()),
            signals,
            orders,
            sequenced,
            now_ns: 1_000_000_000,
        };
        // The tick that comes without any work, so that the next is far away.
        assert_eq!(rig.cycle(0), [CommandKind::Tick as u8]);
        rig.signals.tell_work_pending(true);
        rig
    }

    /// A cycle a microsecond later, with so many orders before it; what came out, all of it seen.
    fn cycle(&mut self, orders: usize) -> Vec<u8> {
        self.work(orders);
        std::iter::from_fn(|| self.sequenced.pop())
            .map(|record| record.head.kind)
            .collect()
    }

    fn work(&mut self, orders: usize) {
        for _ in 0..orders {
            let order = Record::bare(Head::blank(CommandKind::NewOrder as u8));
            assert!(self.orders.push(&order), "there is room");
        }
        self.now_ns += 1_000;
        self.sequencer.do_work(Timestamp::from_ns(self.now_ns));
    }
}

#[test]
fn a_slice_comes_when_nothing_else_does() {
    let (order, tick) = (CommandKind::NewOrder as u8, CommandKind::Tick as u8);
    let mut rig = Rig::new();
    assert_eq!(rig.cycle(2), [order, order]);
    assert_eq!(rig.cycle(0), [tick]);
    assert_eq!(rig.cycle(0), [tick]);
    assert_eq!(rig.cycle(1), [order]);
    rig.signals.tell_work_pending(false);
    assert_eq!(rig.cycle(0), []);
}

#[test]
fn under_orders_without_end_a_slice_comes_at_its_turn() {
    let mut rig = Rig::new();
    let cycles = 3 * SLICE_EVERY_NS / 1_000;
    let kinds: Vec<u8> = (0..cycles).flat_map(|_| rig.cycle(1)).collect();
    let ticks = kinds
        .iter()
        .filter(|kind| **kind == CommandKind::Tick as u8);
    assert_eq!(ticks.count(), 3);
    assert_eq!(kinds.len() as u64, cycles + 3);
}

#[test]
fn no_slice_comes_behind_one_that_risk_has_not_seen() {
    let mut rig = Rig::new();
    rig.work(1);
    rig.work(0);
    let kinds: Vec<u8> = std::iter::from_fn(|| rig.sequenced.pop())
        .map(|record| record.head.kind)
        .collect();
    assert_eq!(
        kinds,
        [CommandKind::NewOrder as u8],
        "the order waits still"
    );
    rig.work(0);
    for _ in 0..10 * SLICE_EVERY_NS / 1_000 {
        rig.work(0);
    }
    let tick = Command::Tick.encode().kind;
    let kinds: Vec<u8> = std::iter::from_fn(|| rig.sequenced.pop())
        .map(|record| record.head.kind)
        .collect();
    assert_eq!(kinds, [tick], "one at a time, whatever the time");
}

/// Nobody hears what the core says.
struct Unheard;

impl EffectSink for Unheard {
    fn on_effect(&mut self, _effect: Effect) {}
}

/// What a former gateway's end means stands first, numbered and timed behind its last record.
#[test]
fn a_log_goes_on_behind_the_record_that_its_core_came_to() {
    let table = LimitTable::build(&LimitSpec::default()).expect("no limits at all load");
    let mut core = RiskCore::new(&Capacities::default(), table, HashSeed::FIXED).expect("fits");
    let mut last = Command::JournalLink { up: false }.encode();
    (last.seq, last.timestamp_ns) = (1, 5_000_000_000);
    core.apply(&Record::bare(last), &mut Unheard);
    let resumption = Resumption::behind(Seq::new(1), &core);
    assert_eq!(resumption.begins_behind(), Seq::new(3));
    let mut rig = Rig::new();
    rig.sequencer = rig.sequencer.resuming(&resumption);
    rig.work(1);
    let stamped: Vec<_> = std::iter::from_fn(|| rig.sequenced.pop())
        .map(|record| (record.head.seq, record.head.kind, record.head.timestamp_ns))
        .collect();
    // Its clock is behind the former one's: time does not go back.
    let expected = [
        CommandKind::Restart,
        CommandKind::JournalUp,
        CommandKind::NewOrder,
    ];
    let expected = (2..).zip(expected);
    let expected: Vec<_> = expected
        .map(|(seq, kind)| (seq, kind as u8, 5_000_000_000))
        .collect();
    assert_eq!(stamped, expected);
}

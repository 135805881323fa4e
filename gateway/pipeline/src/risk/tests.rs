//! Tables and records on their two rings, in the worst order that there is.

use super::{LatencySink, RECORD_BUDGET, Risk, RiskRings};
use crate::item::ControlItem;
use crate::signals::RiskSignals;
use portcullis_domain::{Command, CommandKind, FlipLimits, HashSeed, Head, Record, Timestamp};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, ControlOutcome, Done, RiskCore};
use portcullis_runtime::{
    Agent, RecordProducer, RingConsumer, RingProducer, message_ring, record_ring, ring,
};

const UNITS: usize = 256;
const ITEMS: usize = 128;

fn table(rows_spare: u32) -> Box<LimitTable> {
    let spec = LimitSpec {
        rows_spare,
        ..LimitSpec::default()
    };
    Box::new(LimitTable::build(&spec).expect("no limits at all load"))
}

struct Unmeasured;

impl LatencySink for Unmeasured {
    fn on_orders(&mut self, _waited_ns: u64, _taken_ns: u64, _orders: u64) {}
}

/// Sends a table and its flip, which is this record.
fn send_flip(tables: &mut RingProducer<Box<LimitTable>>, records: &mut RecordProducer, seq: u64) {
    let table = table(1);
    let digest = table.digest();
    assert!(tables.push(table).is_ok(), "there is room");
    let mut head = Command::FlipLimits(FlipLimits { digest }).encode();
    head.seq = seq;
    assert!(records.push(&Record::bare(head)), "there is room");
}

fn outcomes(items: &mut RingConsumer<ControlItem>) -> Vec<ControlOutcome> {
    std::iter::from_fn(|| items.pop().ok())
        .filter_map(|item| match item {
            ControlItem::Outcome(outcome, _) => Some(outcome),
            ControlItem::Refused(..)
            | ControlItem::Alarmed(..)
            | ControlItem::StateChanged(..)
            | ControlItem::Viewed(_) => None,
        })
        .collect()
}

#[test]
fn a_flip_finds_its_table_though_both_came_within_the_cycle() {
    let core = RiskCore::new(&Capacities::default(), *table(0), HashSeed::FIXED).expect("fits");
    let (mut records, records_out) = record_ring(UNITS);
    let (mut tables, tables_out) = ring(2);
    let (control, mut items) = ring(ITEMS);
    let (retired, mut retired_out) = ring(8);
    let rings = RiskRings {
        records: records_out,
        venue: message_ring(ITEMS).0,
        egress: message_ring(ITEMS).0,
        control,
        log: None,
        feedback: record_ring(UNITS).0,
        tables: tables_out,
        retired,
        looks: ring(1).1,
    };
    let mut head = Head::blank(CommandKind::NewOrder as u8);
    head.seq = 1;
    assert!(records.push(&Record::bare(head)));
    let signals = RiskSignals::default();
    let mut risk = Risk::new(Box::new(core), rings, Unmeasured, Vec::new(), signals);
    // The parts of a turn, and between its batches what another thread does.
    risk.exchange_tables();
    let batch = risk.take_batch(RECORD_BUDGET);
    assert_eq!(risk.apply_batch(&batch), 1);
    send_flip(&mut tables, &mut records, 2);
    let batch = risk.take_batch(RECORD_BUDGET);
    assert_eq!(risk.apply_batch(&batch), 1);
    let expected = ControlOutcome {
        request: 0,
        result: Ok(Done::Epoch(2)),
    };
    assert_eq!(outcomes(&mut items), [expected]);
    risk.do_work(Timestamp::ZERO);
    let retired = retired_out.pop().expect("what was in force is handed back");
    assert_eq!(retired.digest(), table(0).digest());
}

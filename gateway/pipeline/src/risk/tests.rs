//! Tables and records on their two rings, in the worst order that there is.

use super::{BATCH, LatencySink, RECORD_BUDGET, Risk, RiskRings};
use crate::item::{ControlItem, Look};
use crate::signals::RiskSignals;
use portcullis_domain::{Command, CommandKind, FlipLimits, HashSeed, Head, Record, Timestamp};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, ControlOutcome, Done, EFFECTS_MAX, RiskCore};
use portcullis_runtime::{
    Agent, RecordProducer, RingConsumer, RingProducer, message_ring, record_ring, ring,
};

const UNITS: usize = 256;

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

/// The other ends of the agent's rings.
struct Ends {
    records: RecordProducer,
    tables: RingProducer<Box<LimitTable>>,
    looks: RingProducer<Look>,
    items: RingConsumer<ControlItem>,
    retired: RingConsumer<Box<LimitTable>>,
}

/// The agent, with room for so many items in what the control thread is told.
fn agent(items: usize) -> (Risk<Unmeasured>, Ends) {
    let core = RiskCore::new(&Capacities::default(), *table(0), HashSeed::FIXED).expect("fits");
    let (records, records_out) = record_ring(UNITS);
    let (tables, tables_out) = ring(2);
    let (looks, looks_out) = ring(2);
    let (control, items) = ring(items);
    let (retired, retired_out) = ring(8);
    let rings = RiskRings {
        records: records_out,
        venue: message_ring(2 * BATCH * EFFECTS_MAX).0,
        egress: message_ring(2 * BATCH * EFFECTS_MAX).0,
        control,
        log: None,
        feedback: message_ring(BATCH * EFFECTS_MAX).0,
        tables: tables_out,
        retired,
        looks: looks_out,
    };
    let signals = RiskSignals::default();
    let risk = Risk::new(Box::new(core), rings, Unmeasured, Vec::new(), signals);
    let ends = Ends {
        records,
        tables,
        looks,
        items,
        retired: retired_out,
    };
    (risk, ends)
}

/// An order that is refused.
fn send_order(records: &mut RecordProducer, seq: u64) {
    let mut head = Head::blank(CommandKind::NewOrder as u8);
    head.seq = seq;
    assert!(records.push(&Record::bare(head)), "there is room");
}

#[test]
fn a_flip_finds_its_table_though_both_came_within_the_cycle() {
    let (mut risk, mut ends) = agent(2 * BATCH * EFFECTS_MAX);
    send_order(&mut ends.records, 1);
    // The parts of a turn, and between its batches what another thread does.
    risk.exchange_tables();
    let batch = risk.take_batch(RECORD_BUDGET);
    assert_eq!(risk.apply_batch(&batch), 1);
    send_flip(&mut ends.tables, &mut ends.records, 2);
    let batch = risk.take_batch(RECORD_BUDGET);
    assert_eq!(risk.apply_batch(&batch), 1);
    let expected = ControlOutcome {
        request: 0,
        result: Ok(Done::Epoch(2)),
    };
    assert_eq!(outcomes(&mut ends.items), [expected]);
    risk.do_work(Timestamp::ZERO);
    let retired = ends.retired.pop();
    let retired = retired.expect("what was in force is handed back");
    assert_eq!(retired.digest(), table(0).digest());
}

/// What is known of the rings' room from one turn to the next is what is there, whatever was put in behind the
/// records or without any.
#[test]
fn a_look_takes_no_room_that_records_count_on() {
    let (mut risk, mut ends) = agent(BATCH * EFFECTS_MAX);
    let known = |risk: &Risk<Unmeasured>, ends: &Ends| {
        let free = BATCH * EFFECTS_MAX - ends.items.slots();
        assert_eq!(risk.room, free / EFFECTS_MAX);
        risk.room
    };
    assert_eq!(risk.do_work(Timestamp::ZERO), 0);
    assert_eq!(known(&risk, &ends), BATCH);
    assert!(ends.looks.push(Look::Venue).is_ok());
    assert_eq!(risk.do_work(Timestamp::ZERO), 1);
    assert!(known(&risk, &ends) < BATCH);
    send_order(&mut ends.records, 1);
    assert!(ends.looks.push(Look::Venue).is_ok());
    assert_eq!(risk.do_work(Timestamp::ZERO), 1);
    risk.on_work_done(Timestamp::ZERO, Timestamp::ZERO);
    assert!(known(&risk, &ends) < BATCH);
    while ends.items.pop().is_ok() {}
    (2..2 + BATCH as u64).for_each(|seq| send_order(&mut ends.records, seq));
    assert_eq!(
        risk.do_work(Timestamp::ZERO),
        1 + BATCH,
        "the look is a part of it"
    );
}

/// An order leaves before anybody who looks is answered: that is done in the next turn, whether or not somebody says
/// that this one is over.
#[test]
fn a_look_waits_until_what_was_decided_is_on_its_way() {
    for is_told in [true, false] {
        let (mut risk, mut ends) = agent(2 * BATCH * EFFECTS_MAX);
        let answers = |ends: &mut Ends| {
            let items = std::iter::from_fn(|| ends.items.pop().ok());
            items
                .filter(|item| matches!(item, ControlItem::Viewed(_)))
                .count()
        };
        send_order(&mut ends.records, 1);
        assert!(ends.looks.push(Look::Venue).is_ok());
        assert_eq!(risk.do_work(Timestamp::ZERO), 1);
        if is_told {
            risk.on_work_done(Timestamp::ZERO, Timestamp::ZERO);
        }
        assert_eq!(answers(&mut ends), 0, "an answer is a part of a turn");
        assert_eq!(risk.do_work(Timestamp::ZERO), 1, "and work of it");
        assert_eq!(answers(&mut ends), 1, "{is_told}");
    }
}

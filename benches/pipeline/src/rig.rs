//! A pipeline on a thread of its own: the sequencer and who decides, or who does not.
//!
//! The measuring thread holds the other ends of all rings. Invariants: rings are of the sizes that
//! the product starts with; the agents run as the product runs them; while a rig pauses its thread
//! sleeps, so that two rigs can share a core in turn.

use crate::crowd::Crowd;
use crate::market::Market;
use crate::pause::Pause;
use crate::undecided::{Passed, Undecided, UndecidedRings};
use crate::wait::{AGENTS_CORE, Wait};
use portcullis_bench_harness::Latency;
use portcullis_domain::{CommandKind, Head};
use portcullis_pipeline::durability::DurabilityWatch;
use portcullis_pipeline::item::{ControlItem, EgressItem, VenueItem};
use portcullis_pipeline::risk::{LatencySink, Risk, RiskRings};
use portcullis_pipeline::sequencer::{Sequencer, SequencerRings};
use portcullis_pipeline::signals::RiskSignals;
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{OutboundOrder, RiskCore};
use portcullis_runtime::{
    Agent, Clock, DutyWriter, Lead, MessageConsumer, MessageProducer, RecordConsumer,
    RecordProducer, RingConsumer, RingProducer, StopFlag, SystemClock, TscClock, message_ring,
    record_ring, ring, run,
};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;

const VENUE_ITEMS: usize = 12_288;
const EGRESS_ITEMS: usize = 8_192;
const CONTROL_ITEMS: usize = 8_192;
const FEEDBACK_UNITS: usize = 4_096;
const SEQUENCED_UNITS: usize = 8_192;
const INPUT_UNITS: usize = 16_384;

/// What goes to the venue, approved or passed on.
pub trait Outbound: Lead + 'static {
    /// The order.
    fn order(&self) -> &OutboundOrder;
    /// The record that it follows from.
    fn seq(&self) -> u64;
}

impl Outbound for VenueItem {
    fn order(&self) -> &OutboundOrder {
        self.order.get()
    }

    fn seq(&self) -> u64 {
        self.order.seq().raw()
    }
}

impl Outbound for Passed {
    fn order(&self) -> &OutboundOrder {
        &self.order.inner
    }

    fn seq(&self) -> u64 {
        self.order.seq.raw()
    }
}

/// The ends of a pipeline that the measuring thread holds.
#[derive(Debug)]
pub struct Ends<I> {
    /// Orders, as ingress sends them.
    pub orders: RecordProducer,
    /// Cancels, as ingress sends them.
    pub priority: RecordProducer,
    /// The engine's reports, as the venue agent sends them.
    pub reports: RecordProducer,
    /// Control commands.
    pub commands: RecordProducer,
    /// What goes to the venue.
    pub venue: MessageConsumer<I>,
    /// What clients are told.
    pub egress: MessageConsumer<EgressItem>,
    /// What the control thread is told.
    pub control: RingConsumer<ControlItem>,
    /// Tables for coming flips.
    pub tables: RingProducer<Box<LimitTable>>,
    /// Tables out of force.
    pub retired: RingConsumer<Box<LimitTable>>,
}

/// Orders' latencies as the risk agent keeps them in the product.
#[derive(Debug, Default)]
pub struct Kept(Latency);

impl LatencySink for Kept {
    fn on_orders(&mut self, _waited_ns: u64, taken_ns: u64, orders: u64) {
        (0..orders).for_each(|_| self.0.record(taken_ns.max(1)));
    }
}

impl Kept {
    /// How many orders there were.
    #[must_use]
    pub fn orders(&self) -> u64 {
        self.0.len()
    }
}

/// The agent that decides.
pub type Deciding = Risk<Kept>;

/// A running pipeline, without the ends.
#[derive(Debug)]
pub struct Rig<A> {
    stop: StopFlag,
    pause: Pause,
    thread: JoinHandle<Result<A, String>>,
}

/// What the agents hold of the rings.
struct AgentEnds<I> {
    sequencer: SequencerRings,
    records: RecordConsumer,
    venue: MessageProducer<I>,
    egress: MessageProducer<EgressItem>,
    control: RingProducer<ControlItem>,
    feedback: RecordProducer,
    tables: RingConsumer<Box<LimitTable>>,
    retired: RingProducer<Box<LimitTable>>,
}

fn wire<I: Lead>() -> (Ends<I>, AgentEnds<I>) {
    let (orders, orders_out) = record_ring(INPUT_UNITS);
    let (priority, priority_out) = record_ring(INPUT_UNITS);
    let (reports, reports_out) = record_ring(INPUT_UNITS);
    let (commands, control_out) = record_ring(INPUT_UNITS);
    let (feedback, feedback_out) = record_ring(FEEDBACK_UNITS);
    let (sequenced, records) = record_ring(SEQUENCED_UNITS);
    let (venue, venue_out) = message_ring(VENUE_ITEMS);
    let (egress, egress_out) = message_ring(EGRESS_ITEMS);
    let (control, items) = ring(CONTROL_ITEMS);
    let (tables, tables_out) = ring(2);
    let (retired, retired_out) = ring(8);
    let ends = Ends {
        orders,
        priority,
        reports,
        commands,
        venue: venue_out,
        egress: egress_out,
        control: items,
        tables,
        retired: retired_out,
    };
    let agents = AgentEnds {
        sequencer: SequencerRings {
            control: control_out,
            reports: reports_out,
            feedback: feedback_out,
            priority: priority_out,
            orders: orders_out,
            sequenced,
        },
        records,
        venue,
        egress,
        control,
        feedback,
        tables: tables_out,
        retired,
    };
    (ends, agents)
}

/// What the agents hold of a log.
#[derive(Debug)]
pub struct LogSide {
    /// The risk agent's records.
    pub records: RecordProducer,
    /// The sequencer's view of the journal.
    pub watch: DurabilityWatch,
    /// After how long it finds it slow.
    pub stall: portcullis_domain::Duration,
}

/// Starts the pipeline that decides, as it stands in the product without a log, with the market's cases set up.
/// It begins paused.
///
/// # Errors
/// The limits do not load.
pub fn deciding(
    market: &mut Market,
    wait: Wait,
) -> Result<(Rig<Deciding>, Ends<VenueItem>), String> {
    let (mut agents, mut ends) = agents_before(market.crowd(), None)?;
    let begun_ns = SystemClock.now().ns();
    market.set_up(begun_ns, &mut |head| agents.take(&mut ends, head));
    Ok((Rig::start(agents.sequencer, agents.risk, wait), ends))
}

/// The same before a log.
///
/// # Errors
/// The limits do not load.
pub fn deciding_before(
    crowd: Crowd,
    wait: Wait,
    log: Option<LogSide>,
) -> Result<(Rig<Deciding>, Ends<VenueItem>), String> {
    let (agents, ends) = agents_before(crowd, log)?;
    Ok((Rig::start(agents.sequencer, agents.risk, wait), ends))
}

/// The agents without a thread, for whoever runs them on its own.
///
/// # Errors
/// The limits do not load.
pub fn agents_before(
    crowd: Crowd,
    log: Option<LogSide>,
) -> Result<(Agents, Ends<VenueItem>), String> {
    let core = Box::new(crowd.core()?);
    let (ends, agents) = wire();
    let signals = RiskSignals::default();
    let mut sequencer = Sequencer::new(agents.sequencer, signals.clone());
    let mut records = None;
    if let Some(log) = log {
        sequencer = sequencer.watching(log.watch, log.stall);
        records = Some(log.records);
    }
    let rings = RiskRings {
        records: agents.records,
        venue: agents.venue,
        egress: agents.egress,
        control: agents.control,
        log: records,
        feedback: agents.feedback,
        tables: agents.tables,
        retired: agents.retired,
        looks: ring(64).1,
    };
    let risk = Risk::new(core, rings, Kept::default(), Vec::new(), signals);
    let agents = Agents {
        sequencer,
        risk,
        clock: TscClock::new(),
    };
    Ok((agents, ends))
}

/// Sequencer and risk, run by the thread that holds them: as `fused` agents are.
#[derive(Debug)]
pub struct Agents {
    sequencer: Sequencer,
    risk: Deciding,
    clock: TscClock,
}

impl Agents {
    /// One turn of each.
    pub fn cycle(&mut self) {
        let mut began = self.clock.now();
        let agents: [&mut dyn Agent; 2] = [&mut self.sequencer, &mut self.risk];
        for agent in agents {
            if agent.do_work(began) > 0 {
                let ended = self.clock.now();
                agent.on_work_done(began, ended);
                began = ended;
            }
        }
    }

    /// Takes a head before the first order, and all that follows from it.
    fn take(&mut self, ends: &mut Ends<VenueItem>, head: Head) {
        let ring = match CommandKind::from_raw(head.kind) {
            Some(CommandKind::NewOrder | CommandKind::Replace) => &mut ends.orders,
            Some(CommandKind::Report | CommandKind::VenueUp) => &mut ends.reports,
            _ => &mut ends.commands,
        };
        assert!(ring.send(head, &[]), "nothing else is under way");
        while !(self.sequencer.is_drained() && self.risk.is_drained()) {
            self.cycle();
        }
        while ends.venue.take_if(|_| true).is_some() {}
        ends.venue.release();
        while ends.egress.take_if(|_| true).is_some() {}
        ends.egress.release();
        while ends.control.pop().is_ok() {}
    }

    /// Who decided.
    ///
    /// # Errors
    /// Something is left.
    pub fn finish(self) -> Result<Deciding, String> {
        match self.sequencer.is_drained() && self.risk.is_drained() {
            true => Ok(self.risk),
            false => Err("the agents ended with something left in them".to_owned()),
        }
    }
}

/// Starts the pipeline that decides nothing, in which there is nothing to set up. It begins paused.
#[must_use]
pub fn undecided(market: &mut Market, wait: Wait) -> (Rig<Undecided<Kept>>, Ends<Passed>) {
    market.set_up(SystemClock.now().ns(), &mut |_| {});
    let (ends, agents) = wire();
    let sequencer = Sequencer::new(agents.sequencer, RiskSignals::default());
    let rings = UndecidedRings {
        records: agents.records,
        venue: agents.venue,
        egress: agents.egress,
        control: agents.control,
        feedback: agents.feedback,
    };
    let undecided = Undecided::new(rings, Kept::default());
    (Rig::start(sequencer, undecided, wait), ends)
}

impl<A: Agent + Send + 'static> Rig<A> {
    fn start(mut sequencer: Sequencer, mut second: A, wait: Wait) -> Self {
        let stop = StopFlag::new();
        let pause = Pause::begun();
        let seat = stop.take_seat();
        let mut first = pause.clone();
        let placed = Arc::new(Barrier::new(2));
        let told = Arc::clone(&placed);
        let thread = std::thread::spawn(move || {
            let placed = wait.take_place(AGENTS_CORE);
            // Until then it stands on its starter's core, who is about to spin.
            told.wait();
            let mut agents: [&mut dyn Agent; 3] = [&mut first, &mut sequencer, &mut second];
            let drained = run(
                &mut agents,
                &TscClock::new(),
                wait.idle(),
                seat,
                DutyWriter::default(),
            );
            placed?;
            match drained {
                true => Ok(second),
                false => Err("the pipeline ended with something left in it".to_owned()),
            }
        });
        placed.wait();
        Self {
            stop,
            pause,
            thread,
        }
    }

    /// Lets its thread sleep, or run.
    pub fn pause(&self, paused: bool) {
        self.pause.set(paused);
    }

    /// Ends it, and gives back who decided.
    ///
    /// # Errors
    /// It could not be placed, or something was left in it.
    pub fn finish(self) -> Result<A, String> {
        self.pause(false);
        self.stop.set();
        let ended = self.thread.join();
        ended.map_err(|_| "the pipeline's thread ended by a panic: see above".to_owned())?
    }
}

/// Holds the core's own count of a run against the other side's, which began with what opened the market.
///
/// # Errors
/// The first figure that is not as it must be, in words.
pub fn agree(core: &RiskCore, market: &Market, accepted: u64, refused: u64) -> Result<(), String> {
    let counters = core.counters();
    let opened = market.opened();
    market.check(core)?;
    let same = [
        (
            "orders accepted",
            counters.accepted,
            opened.accepted + accepted,
        ),
        ("orders refused", counters.refused, opened.refused + refused),
        ("numbers taken for a resend", counters.resent, 0),
        ("reports ignored", counters.reports_ignored, 0),
        ("alarms", counters.alarms, 0),
        ("open orders", core.open_orders() as u64, opened.resting),
    ];
    if let Some((what, is, must)) = same.into_iter().find(|(_, is, must)| is != must) {
        return Err(format!("the core's {what}: {is}, must be {must}"));
    }
    match core.conservation_error() {
        0 => Ok(()),
        missing => Err(format!("{missing} quanta are missing from the books")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::UNIT_BYTES;

    #[test]
    fn an_item_takes_two_lines_though_it_carries_its_record() {
        for bytes in [size_of::<VenueItem>(), size_of::<EgressItem>()] {
            assert_eq!(bytes.div_ceil(UNIT_BYTES), 2, "{bytes} bytes");
        }
    }
}

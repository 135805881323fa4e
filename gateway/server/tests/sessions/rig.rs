//! The agents on one thread, and what the test holds in place of the other threads.
//!
//! Invariants: the agents run in the order of the fused topology; each step moves the clock on by a
//! microsecond; no agent allocates.

use crate::allocation::counted;
use crate::gated::{Gated, Gates, Taken};
use crate::journal::{Journal, STALL};
use crate::limits;
use crate::origin::{OpenJournal, Origin, begin, go_on, session_name};
use portcullis_domain::{
    AccountId, CashMove, Command, Duration, HashSeed, InstrumentId, Money, Price, Qty, Record,
    ReferencePrice, Seq, SessionId, Timestamp, TradingState,
};
use portcullis_pipeline::durability::{Durability, Gate};
use portcullis_pipeline::egress::{Egress, EgressConfig, EgressCounters};
use portcullis_pipeline::ingress::{
    Ingress, IngressConfig, IngressCounters, IngressRings, LoginQuery, LoginVerdict, VenueAbilities,
};
use portcullis_pipeline::item::{ControlItem, VenueItem};
use portcullis_pipeline::resend::{Resending, resend_ends};
use portcullis_pipeline::risk::{LatencySink, Risk, RiskRings};
use portcullis_pipeline::sequencer::{Resumption, Sequencer, SequencerRings};
use portcullis_pipeline::signals::RiskSignals;
use portcullis_pipeline::stream_reach::{StreamReachWriter, stream_reach};
use portcullis_pipeline::tables::{SessionProfile, Symbol, SymbolTable};
use portcullis_pipeline::venue::Venue;
use portcullis_risk_core::{Capacities, RiskCore};
use portcullis_runtime::{
    Agent, Clock, ManualClock, MessageConsumer, RecordProducer, RingConsumer, RingProducer,
    StopFlag, message_ring, record_ring, ring,
};
use portcullis_transport::{
    MemoryInbound, MemoryNetwork, MemoryOptions, MemoryOutbound, memory_transport,
};
use portcullis_venue_embedded::{EmbeddedVenue, Fees, InstrumentConfig, LadderConfig};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::OUCH50;
use portcullis_wire::soupbin::{HEARTBEAT_EVERY, SILENCE_MAX, ServerLimits};
use std::num::{NonZeroU32, NonZeroU64};

/// The password of every user.
pub(crate) const PASSWORD: &[u8] = b"right";

/// Reference price of both instruments.
pub(crate) const REFERENCE: i64 = 1_000;

/// Orders that wait for links that take nothing.
pub(crate) const PENDING_MAX: usize = 1_024;

/// Time of the first step: some midnight.
const START_NS: u64 = 20_000 * 86_400_000_000_000;

/// What a rig is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) sessions: u32,
    pub(crate) connections: usize,
    pub(crate) cancel_on_disconnect: bool,
    pub(crate) store_bytes: usize,
    pub(crate) orders_max: u32,
    pub(crate) buffer_bytes: usize,
    pub(crate) read_bytes_max: usize,
    pub(crate) write_bytes_max: usize,
    pub(crate) poll_every_calls: u32,
    /// Silence of the sessions' clients and heartbeats to them, by session; the rest has the
    /// protocol's.
    pub(crate) spans: &'static [(Duration, Duration)],
    /// Mass cancels under way at a time.
    pub(crate) sweeps_max: u32,
    /// What must hold of a record before anything leaves, where a journal is kept.
    pub(crate) durability: Option<Durability>,
}

impl Setup {
    pub(crate) const fn sessions(sessions: u32) -> Self {
        Self {
            sessions,
            connections: 2 * sessions as usize,
            cancel_on_disconnect: false,
            store_bytes: 1 << 16,
            orders_max: 4_096,
            buffer_bytes: 1 << 16,
            read_bytes_max: usize::MAX,
            write_bytes_max: usize::MAX,
            poll_every_calls: 1,
            spans: &[],
            sweeps_max: 256,
            durability: None,
        }
    }

    /// Silence allowed to a session's client, and the time to a heartbeat of its own.
    fn spans_of(&self, session: u32) -> (Duration, Duration) {
        let given = self.spans.get(session as usize).copied();
        given.unwrap_or((SILENCE_MAX, HEARTBEAT_EVERY))
    }

    fn memory(&self) -> MemoryOptions {
        MemoryOptions {
            buffer_bytes: self.buffer_bytes,
            read_bytes_max: self.read_bytes_max,
            write_bytes_max: self.write_bytes_max,
            poll_every_calls: self.poll_every_calls,
            ..MemoryOptions::new(self.connections)
        }
    }
}

/// Latencies are the server's affair.
#[derive(Debug)]
struct Unmeasured;

impl LatencySink for Unmeasured {
    fn on_orders(&mut self, _waited_ns: u64, _taken_ns: u64, _orders: u64) {}
}

/// A gateway stepped by hand.
pub(crate) struct Rig {
    ingress: Ingress<MemoryInbound>,
    sequencer: Sequencer,
    risk: Risk<Unmeasured>,
    venue: Venue<Gated>,
    pub(crate) gates: Gates,
    egress: Egress<MemoryOutbound>,
    clock: ManualClock,
    pub(crate) network: MemoryNetwork,
    queries: RingConsumer<LoginQuery>,
    verdicts: RingProducer<LoginVerdict>,
    commands: RecordProducer,
    items: RingConsumer<ControlItem>,
    pub(crate) journal: Option<Journal>,
}

impl Rig {
    /// A gateway whose accounts have money and whose instruments have reference prices.
    pub(crate) fn new(setup: Setup) -> Self {
        let mut rig = Self::wired(setup, begin(setup), Timestamp::from_ns(START_NS));
        for account in (0..setup.sessions).map(AccountId::new) {
            let amount = Money::new(1 << 40);
            rig.command(Command::Deposit(CashMove { account, amount }));
        }
        for instrument in (0..limits::INSTRUMENTS).map(InstrumentId::new) {
            let price = Price::new(REFERENCE);
            rig.command(Command::Reference(ReferencePrice { instrument, price }));
        }
        // The venue names its sessions' links by its report budget a step.
        rig.steps(setup.sessions / 16 + 8);
        rig
    }

    /// The gateway dies, its connections with it, and another goes on from its disk.
    pub(crate) fn restarted(self, setup: Setup) -> Self {
        let now = self.now();
        let disk = self.journal.as_ref().expect("it has one").disk.clone();
        drop(self);
        let mut rig = Self::wired(setup, go_on(setup, disk), now);
        rig.steps(setup.sessions / 16 + 8);
        let state = TradingState::Active;
        rig.command(Command::Restart { state });
        rig.steps(8);
        rig
    }

    fn wired(setup: Setup, origin: Origin, now: Timestamp) -> Self {
        let (inbound, outbound, network) = memory_transport(setup.memory());
        let clock = ManualClock::new(now);
        let (orders, orders_out) = record_ring(4_096);
        let (priority, priority_out) = record_ring(4_096);
        let (reports, reports_out) = record_ring(4_096);
        let (commands, control_out) = record_ring(4_096);
        let (feedback, feedback_out) = record_ring(4_096);
        let (sequenced, sequenced_out) = record_ring(1_024);
        let (venue, venue_orders) = message_ring(4_096);
        let (to_egress, egress_items) = message_ring(8_192);
        let (connections, to_close) = ring(4_096);
        let (control, items) = ring(8_192);
        let (queries, queries_out) = ring(64);
        let (verdicts, verdicts_out) = ring(64);
        let (reach, reach_out) = stream_reach(setup.sessions as usize);
        let ingress_rings = IngressRings {
            orders,
            priority,
            connections,
            queries,
            verdicts: verdicts_out,
            reach: reach_out,
        };
        let sequencer_rings = SequencerRings {
            control: control_out,
            reports: reports_out,
            feedback: feedback_out,
            priority: priority_out,
            orders: orders_out,
            sequenced,
        };
        let mut risk_rings = RiskRings {
            records: sequenced_out,
            venue,
            egress: to_egress,
            control,
            log: None,
            feedback,
            tables: ring(1).1,
            retired: ring(1).0,
            looks: ring(1).1,
        };
        let signals = RiskSignals::default();
        let sequencer = Sequencer::new(sequencer_rings, signals.clone());
        let (sequencer, recalled) = resuming(sequencer, origin.resumption.as_ref());
        let open = origin.journal;
        let kept = journaled((setup, now), open, &mut risk_rings, sequencer, &reach);
        let gates = Gates::new(setup.sessions);
        let egress = Egress::over(origin.streams, outbound, egress_items, to_close, reach);
        let venue = Gated::new(origin.engine, gates.clone());
        Self {
            ingress: ingress(setup, inbound, ingress_rings),
            sequencer: kept.sequencer,
            risk: risk(origin.core, risk_rings, signals),
            venue: venue_agent(setup, venue, venue_orders, reports)
                .behind(kept.gate.clone(), recalled),
            gates,
            egress: resending(egress.behind(kept.gate), kept.resending),
            clock,
            network,
            queries: queries_out,
            verdicts,
            commands,
            items,
            journal: kept.journal,
        }
    }

    /// Puts a command before the sequencer and lets it be carried out.
    pub(crate) fn command(&mut self, command: Command) {
        let mut head = command.encode();
        head.timestamp_ns = self.now().ns();
        assert!(self.commands.push(&Record::bare(head)), "a step drains it");
        self.step();
    }

    /// One duty cycle of every agent, then of those that the test stands for.
    pub(crate) fn step(&mut self) {
        let now = self.clock.now();
        let ((), allocations) = counted(|| {
            self.ingress.do_work(now);
            self.sequencer.do_work(now);
            self.risk.do_work(now);
            self.venue.do_work(now);
            self.egress.do_work(now);
        });
        assert_eq!(allocations, 0, "agents allocate nothing after start");
        // A thread of its own elsewhere, whose disk here is memory.
        if let Some(journal) = &mut self.journal {
            journal.work(now);
        }
        self.answer_logins();
        while self.items.pop().is_ok() {}
        self.clock.advance_ns(1_000);
    }

    /// Many steps.
    pub(crate) fn steps(&mut self, count: u32) {
        for _ in 0..count {
            self.step();
        }
    }

    /// Time passes without a step.
    pub(crate) fn wait_ns(&self, span_ns: u64) {
        self.clock.advance_ns(span_ns);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn core(&self) -> &RiskCore {
        self.risk.core()
    }

    /// Orders refused because their records could not be made durable.
    pub(crate) fn undurable(&self) -> u64 {
        self.venue.undurable()
    }

    pub(crate) fn open_orders(&self) -> usize {
        self.risk.core().open_orders()
    }

    pub(crate) fn cash(&self, account: AccountId) -> i128 {
        let account = self.risk.core().account(account);
        account.expect("there is one a session").cash
    }

    /// What the engine took so far.
    pub(crate) fn taken(&self) -> &[Taken] {
        self.venue.venue().taken()
    }

    pub(crate) fn congestions(&self) -> u64 {
        self.venue.congestions()
    }

    pub(crate) fn counted_in(&self) -> IngressCounters {
        *self.ingress.counters()
    }

    pub(crate) fn counted_out(&self) -> EgressCounters {
        *self.egress.counters()
    }

    fn answer_logins(&mut self) {
        while let Ok(query) = self.queries.pop() {
            let number = query.user.as_str().strip_prefix('U');
            let session = number.and_then(|number| number.parse().ok());
            let right = query.password.0.as_str().as_bytes() == PASSWORD;
            let verdict = LoginVerdict {
                connection: query.connection,
                session: session.filter(|_| right).map(SessionId::new),
            };
            assert!(self.verdicts.push(verdict).is_ok(), "as many as queries");
        }
    }
}

/// Goes on where a former log ends; its last record.
fn resuming(sequencer: Sequencer, resumption: Option<&Resumption>) -> (Sequencer, Seq) {
    match resumption {
        Some(resumption) => (sequencer.resuming(resumption), resumption.seq),
        None => (sequencer, Seq::ZERO),
    }
}

fn ingress(setup: Setup, inbound: MemoryInbound, rings: IngressRings) -> Ingress<MemoryInbound> {
    Ingress::new(ingress_config(setup), inbound, rings, StopFlag::new())
}

fn risk(core: Box<RiskCore>, rings: RiskRings, signals: RiskSignals) -> Risk<Unmeasured> {
    let last_trade = vec![false; limits::INSTRUMENTS as usize];
    Risk::new(core, rings, Unmeasured, last_trade, signals)
}

fn resending(
    egress: Egress<MemoryOutbound>,
    from_journal: Option<Resending>,
) -> Egress<MemoryOutbound> {
    match from_journal {
        Some(resending) => egress.resending(resending),
        None => egress,
    }
}

/// What agents have of a journal.
struct Kept {
    journal: Option<Journal>,
    sequencer: Sequencer,
    gate: Gate,
    resending: Option<Resending>,
}

/// Gives the agents a journal, where there is to be one.
fn journaled(
    (setup, now): (Setup, Timestamp),
    open: Option<OpenJournal>,
    risk: &mut RiskRings,
    sequencer: Sequencer,
    reach: &StreamReachWriter,
) -> Kept {
    let Some(OpenJournal { disk, writer, ends }) = open else {
        return Kept {
            journal: None,
            sequencer,
            gate: Gate::open(),
            resending: None,
        };
    };
    let (resending, source) = resend_ends(reach);
    let kept = Journal::kept(setup, disk, (writer, ends), source, now);
    let (journal, records, watch, gate) = kept;
    risk.log = Some(records);
    Kept {
        journal: Some(journal),
        sequencer: sequencer.watching(watch, STALL),
        gate,
        resending: Some(resending),
    }
}

pub(crate) fn capacities(setup: Setup) -> Capacities {
    Capacities {
        accounts_max: setup.sessions,
        instruments_max: limits::INSTRUMENTS,
        firms_max: 1,
        sessions_max: setup.sessions,
        orders_max: setup.orders_max,
        orders_reserved_per_account: 1,
        sweeps_max: setup.sweeps_max,
        ..Capacities::default()
    }
}

fn venue_agent(
    setup: Setup,
    venue: Gated,
    orders: MessageConsumer<VenueItem>,
    reports: RecordProducer,
) -> Venue<Gated> {
    let sessions = setup.sessions as usize;
    Venue::new(venue, orders, reports, sessions, PENDING_MAX)
}

pub(crate) fn ladder(setup: Setup) -> EmbeddedVenue {
    let instrument = InstrumentConfig {
        qty_max: Qty::new(limits::QTY_MAX),
        price_max: Price::new(2 * limits::PRICE_MAX),
        fees: Fees::default(),
    };
    let config = LadderConfig {
        instruments: vec![instrument; limits::INSTRUMENTS as usize],
        sessions_max: setup.sessions,
        orders_max: setup.orders_max,
        levels_max: setup.orders_max,
        inbox_max: 4_096,
        trades_max: 4_096,
        window_ticks: 4_096,
        hash_seed: HashSeed::FIXED,
    };
    EmbeddedVenue::new(config, None).expect("the ladder's configuration is in range")
}

fn symbols() -> SymbolTable {
    let (least, lot) = (NonZeroU64::MIN, NonZeroU32::MIN);
    let (price_max, qty_max) = (Price::new(limits::PRICE_MAX), Qty::new(limits::QTY_MAX));
    let scale = OUCH50.fits(least, lot, Price::new(1), price_max, qty_max);
    let scale = scale.expect("the wire holds it");
    let names: [&[u8]; limits::INSTRUMENTS as usize] = [b"AAA", b"BBB"];
    let symbols = names.iter().zip(0..).map(|(name, index)| Symbol {
        name: Alpha::new(name).expect("short"),
        instrument: InstrumentId::new(index),
        scale,
    });
    SymbolTable::new(&symbols.collect::<Vec<_>>())
}

fn ingress_config(setup: Setup) -> IngressConfig {
    let profile = |index| SessionProfile {
        session: SessionId::new(index),
        default_account: AccountId::new(index),
        firms: Vec::new(),
        market_orders: true,
        silence_max: setup.spans_of(index).0,
    };
    IngressConfig {
        session_name: session_name(),
        connections_max: setup.connections,
        profiles: (0..setup.sessions).map(profile).collect(),
        symbols: symbols(),
        abilities: VenueAbilities::LADDER,
        limits: ServerLimits::default(),
    }
}

pub(crate) fn egress_config(setup: Setup) -> EgressConfig {
    EgressConfig {
        session_name: session_name(),
        heartbeats: (0..setup.sessions).map(|at| setup.spans_of(at).1).collect(),
        orders_max: setup.orders_max as usize,
        store_bytes: setup.store_bytes,
        store_messages: setup.store_bytes / 64,
        symbols: symbols(),
    }
}

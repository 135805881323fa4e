//! From a config to running threads.
//!
//! Control thread, once. Every ring, table and buffer is made here.

use super::credentials;
use super::doors::Doors;
use super::latency::{Latencies, RiskReaders};
use super::origin::{OpenJournal, Origin, origin};
use super::resend::Resend;
use super::snapshots::{Inherited, Snapshots, progress_of};
use super::tables::{ingress_config, last_trade, symbols};
use super::threads::{Agents, Behaviour, Finished, Threads, idle};
use super::wiring::{log_units, ring_sizes};
use crate::replication::{FenceTeller, Led, ReplicationServer};
use portcullis_control::config::Config;
use portcullis_control::credentials::{AddressLimit, CredentialTable, LimitedTo, Verifier};
use portcullis_domain::Seq;
use portcullis_journal::{Disk, Term};
use portcullis_pipeline::durability::{DurabilityWatch, Gate};
use portcullis_pipeline::egress::Egress;
use portcullis_pipeline::ingress::{Ingress, IngressReaders};
use portcullis_pipeline::item::{ControlItem, Look};
use portcullis_pipeline::log::Log;
use portcullis_pipeline::resend::resend_ends;
use portcullis_pipeline::risk::Risk;
use portcullis_pipeline::sequencer::{Resumption, Sequencer};
use portcullis_pipeline::signals::RiskSignals;
use portcullis_pipeline::venue::{Venue, VenueReaders};
use portcullis_pipeline::wiring::{AgentRings, ControlRings, Rings};
use portcullis_risk_core::limits::LimitTable;
use portcullis_runtime::{
    DutyReader, HistogramReader, HistogramWriter, RecordConsumer, RecordProducer, RingConsumer,
    RingProducer, StopFlag, lock_memory, record_ring,
};
use portcullis_transport::{TcpInbound, TcpOutbound};
use portcullis_venue_ouch::StopReader;
use portcullis_venue_sim::Plant;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Approved orders that wait for links that take nothing.
const VENUE_PENDING_ITEMS: usize = 16_384;

/// What a start is told beside the config.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options<'a> {
    /// Keep the journal in this folder, whatever the config says.
    pub(crate) journal: Option<&'a Path>,
    /// Give up frames of the journal that no sync covered, where one among them is bad.
    pub(crate) accept_unsynced_loss: bool,
    /// Plant this fault in the venue.
    pub(crate) plant: Option<Plant>,
}

/// Why a gateway does not start, in words for whoever started it.
#[derive(Debug)]
pub(crate) struct StartError(pub(crate) String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

pub(super) fn cannot(what: &str, why: impl fmt::Display) -> StartError {
    StartError(format!("{what}: {why}"))
}

/// A running gateway, as the control thread holds it.
pub(crate) struct Gateway {
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    /// Commands to be sequenced.
    pub(crate) commands: RecordProducer,
    /// What the core says to the control thread.
    pub(crate) items: RingConsumer<ControlItem>,
    /// Tables for coming flips.
    pub(crate) tables: RingProducer<Box<LimitTable>>,
    /// Tables out of force.
    pub(crate) retired: RingConsumer<Box<LimitTable>>,
    /// Looks into the core.
    pub(crate) looks: RingProducer<Look>,
    /// What logons are verified against; a reload puts another table there.
    pub(crate) passwords: Arc<Mutex<Arc<CredentialTable>>>,
    /// What its agents tell of themselves while they run.
    pub(crate) readers: Readers,
    /// No outcome of a command is told to a person before its record is durable, but where the journal is known
    /// to be in trouble: whoever was told acts on it, and a crash must not undo it. Alarms and states are told at once: they ask somebody to look, most of all
    /// when it is the journal that fails, and one whose record is lost was a true warning all the same.
    pub(crate) gate: Gate,
    /// The journal's folder, where there is one.
    pub(crate) folder: Option<Disk>,
    /// The thread that a standby connects to, where the config has one.
    pub(crate) replication: Option<ReplicationServer>,
    /// Why links to the engine stopped, by session; none where it is in this process.
    pub(crate) engine_links: Vec<StopReader>,
    /// Who tells the gateway that led before this one, where it was promoted.
    fence: Option<FenceTeller>,
    /// What the core lets others know beside the rings.
    pub(crate) signals: RiskSignals,
    /// The last of the commands that it begins with, where it goes on from a journal.
    pub(crate) goes_on: Option<Seq>,
    stop: StopFlag,
    threads: Threads,
    credentials: JoinHandle<()>,
    snapshots: Option<Snapshots>,
    resend: Option<Resend>,
}

/// What the agents tell of themselves while they run.
#[derive(Debug)]
pub(crate) struct Readers {
    pub(crate) ingress: IngressReaders,
    pub(crate) risk: RiskReaders,
    pub(crate) venue: VenueReaders,
    pub(crate) send: HistogramReader,
    /// From a frame's beginning to its being as durable as it must be; nothing without a journal.
    pub(crate) kept: HistogramReader,
    /// By thread.
    pub(crate) duties: Vec<DutyReader>,
}

/// What others than the log agent hold of a journal.
struct Kept {
    gate: Gate,
    led: Option<Led>,
    folder: Option<Disk>,
    snapshots: Option<Snapshots>,
    resend: Option<Resend>,
}

impl Kept {
    fn nothing() -> Self {
        Self {
            gate: Gate::open(),
            led: None,
            folder: None,
            snapshots: None,
            resend: None,
        }
    }
}

impl Gateway {
    /// Starts a gateway: a new one, or one that goes on from its journal.
    ///
    /// # Errors
    /// What could not be had, and why.
    pub(crate) fn start(config: &Config, options: &Options<'_>) -> Result<Self, StartError> {
        Self::begin(config, origin(config, options)?, Doors::open(config)?)
    }

    /// Starts a gateway from where it is to begin, behind doors that are open.
    ///
    /// # Errors
    /// What could not be had, and why.
    pub(crate) fn begin(config: &Config, origin: Origin, doors: Doors) -> Result<Self, StartError> {
        let stop = StopFlag::new();
        let engine_links = origin.venue.stop_readers();
        let goes_on = origin.resumption.as_ref().map(Resumption::begins_behind);
        let Doors {
            inbound,
            outbound,
            address,
            standby,
        } = doors;
        let Rings { agents, control } = Rings::new(&ring_sizes(config));
        let verifier = verifier(config)?;
        let passwords = verifier.table();
        let ControlRings {
            queries,
            verdicts,
            commands,
            items,
            tables,
            retired,
            looks,
        } = control;
        let signals = RiskSignals::default();
        let sockets = (inbound, outbound);
        let (agents, kept) = agents_of(config, origin, sockets, agents, &signals, &stop)?;
        let fence = fence(config, kept.led.as_ref())?;
        let replication = replication(config, standby, kept.led)?;
        let credentials = credentials::start(verifier, queries, verdicts, stop.clone())
            .map_err(|error| cannot("the credential thread", error))?;
        let mut readers = readers(&agents);
        let mut threads = Threads::start(agents, &behaviour(config), &stop)
            .map_err(|error| cannot("the gateway's threads", error))?;
        readers.duties = threads.take_duties();
        lock_memory_if_asked(config);
        Ok(Self {
            address,
            commands,
            items,
            tables,
            retired,
            looks,
            passwords,
            readers,
            gate: kept.gate,
            folder: kept.folder,
            replication,
            engine_links,
            fence,
            signals,
            goes_on,
            stop,
            threads,
            credentials,
            snapshots: kept.snapshots,
            resend: kept.resend,
        })
    }

    /// Whether a thread has ended without having been asked to.
    pub(crate) fn is_broken(&self) -> bool {
        self.threads.any_ended()
    }

    /// Wants the gateway to stop: no new orders, outstanding answers drained.
    pub(crate) fn stop(&self) {
        self.stop.set();
    }

    /// Stops the gateway and waits for what is left of it.
    pub(crate) fn finish(self) -> Finished {
        self.stop.set();
        let finished = self.threads.join();
        drop(self.snapshots);
        drop(self.resend);
        drop(self.replication);
        drop(self.fence);
        // It ends with the flag; what it has not verified is not let in.
        let _ = self.credentials.join();
        finished
    }
}

/// The log agent of a journal, what the sequencer watches of it, and what others hold.
fn log_of(
    config: &Config,
    journal: OpenJournal,
    records: RecordConsumer,
) -> Result<(Log<Disk>, DurabilityWatch, Kept), StartError> {
    let OpenJournal {
        disk,
        prelude,
        writer,
        ends,
        number,
        inherited,
    } = journal;
    let tell = Box::new(|words: &str| eprintln!("journal: {words}"));
    let gate = ends.gate;
    // What a standby lacks is kept, where one may come.
    let standby_at = Arc::new(AtomicU64::new(0));
    let listens = config.profile.replication.listen.is_some();
    let waits = listens.then(|| Arc::clone(&standby_at));
    let led = Led {
        journal: number,
        term: writer.term(),
        last: (writer.written(), writer.chain()),
        disk: disk.clone(),
        gate: gate.clone(),
        standby: ends.standby,
        standby_at,
    };
    let log = Log::new(writer, records, ends.log, tell);
    let progress = progress_of(gate.clone(), waits);
    let snapshots = match inherited {
        Some(Inherited { snapshots, leads }) => {
            assert!(leads.set(progress).is_ok(), "it is led once");
            snapshots
        }
        None => Snapshots::start(config, &disk, prelude, progress)?,
    };
    let kept = Kept {
        snapshots,
        resend: None,
        gate,
        led: Some(led),
        folder: Some(disk),
    };
    Ok((log, ends.watch, kept))
}

/// The agents, from where the gateway begins, and what others hold of its journal.
fn agents_of(
    config: &Config,
    origin: Origin,
    (inbound, outbound): (TcpInbound, TcpOutbound),
    rings: AgentRings,
    signals: &RiskSignals,
    stop: &StopFlag,
) -> Result<(Agents, Kept), StartError> {
    let symbols = symbols(config)?;
    let mut risk_rings = rings.risk;
    let mut sequencer = Sequencer::new(rings.sequencer, signals.clone());
    if let Some(resumption) = &origin.resumption {
        sequencer = sequencer.resuming(resumption);
    }
    let (mut kept, mut log) = (Kept::nothing(), None);
    let mut resending = None;
    if let Some(journal) = origin.journal {
        let (ends, source) = resend_ends(&rings.reach);
        let resend = Resend::start(config, &journal.disk, journal.prelude, source)?;
        let (records, records_out) = record_ring(log_units(config));
        risk_rings.log = Some(records);
        let (agent, watch, of_journal) = log_of(config, journal, records_out)?;
        sequencer = sequencer.watching(watch, config.profile.journal.stall);
        (kept, log) = (of_journal, Some(agent));
        kept.resend = Some(resend);
        resending = Some(ends);
    }
    let recalled = origin.resumption.as_ref().map_or(Seq::ZERO, |it| it.seq);
    let session_name = origin.session_name;
    let sessions = config.profile.capacities.sessions_max as usize;
    let egress = Egress::over(
        origin.streams,
        outbound,
        rings.egress_items,
        rings.egress_connections,
        rings.reach,
    );
    let mut egress = egress.behind(kept.gate.clone());
    if let Some(resending) = resending {
        egress = egress.resending(resending);
    }
    let agents = Agents {
        ingress: Ingress::new(
            ingress_config(config, &symbols, session_name),
            inbound,
            rings.ingress,
            stop.clone(),
        ),
        sequencer,
        risk: Risk::new(
            origin.core,
            risk_rings,
            Latencies::new(),
            last_trade(config),
            signals.clone(),
        ),
        venue: Venue::new(
            origin.venue,
            rings.venue_orders,
            rings.venue_reports,
            sessions,
            VENUE_PENDING_ITEMS,
        )
        .behind(kept.gate.clone(), recalled),
        egress,
        log,
    };
    Ok((agents, kept))
}

/// The thread that a standby connects to.
fn replication(
    config: &Config,
    listener: Option<TcpListener>,
    led: Option<Led>,
) -> Result<Option<ReplicationServer>, StartError> {
    let profile = &config.profile.replication;
    let (Some(listener), Some(led)) = (listener, led) else {
        return Ok(None);
    };
    let server = ReplicationServer::start(listener, profile, led, idle(config.profile.idle));
    let server = server.map_err(|error| cannot("a standby's socket", error))?;
    eprintln!("a standby may connect to {}", server.address);
    Ok(Some(server))
}

/// Who tells the gateway that led before: only a promotion makes a term above the first, and what it succeeded may come
/// back in any of this one's lives.
fn fence(config: &Config, led: Option<&Led>) -> Result<Option<FenceTeller>, StartError> {
    let profile = &config.profile.replication;
    let (Some(leader), Some(led)) = (profile.leader, led) else {
        return Ok(None);
    };
    if led.term <= Term::new(1) {
        return Ok(None);
    }
    let teller = FenceTeller::start(leader, profile, led.place(), led.disk.clone());
    let teller = teller.map_err(|error| cannot("the thread that tells the old leader", error))?;
    Ok(Some(teller))
}

/// What is read of agents that have no threads yet.
fn readers(agents: &Agents) -> Readers {
    Readers {
        ingress: agents.ingress.readers(),
        risk: agents.risk.latency().readers(),
        venue: agents.venue.readers(),
        send: agents.egress.send_times(),
        kept: (agents.log.as_ref())
            .map_or_else(|| HistogramWriter::default().reader(), Log::kept_times),
        duties: Vec::new(),
    }
}

/// A gateway whose memory cannot be locked runs all the same, and says so.
fn lock_memory_if_asked(config: &Config) {
    if config.profile.lock_memory
        && let Err(error) = lock_memory()
    {
        eprintln!("[threads] lock_memory: {error}");
    }
}

fn verifier(config: &Config) -> Result<Verifier, StartError> {
    let table = CredentialTable::new(&config.sessions);
    let table = table.map_err(|error| cannot("the sessions' passwords", error))?;
    let logon = &config.profile.logon;
    let limited = LimitedTo {
        failures_max: logon.failures_max,
        window: logon.window,
    };
    Ok(Verifier::new(table, AddressLimit::new(limited)))
}

fn behaviour(config: &Config) -> Behaviour {
    Behaviour {
        topology: config.profile.topology,
        idle: config.profile.idle,
        cores: config.profile.cores.clone(),
    }
}

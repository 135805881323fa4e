//! From a config to running threads.
//!
//! Control thread, once. Every ring, table and buffer is made here.

use super::credentials;
use super::external;
use super::latency::{Latencies, RiskReaders};
use super::threads::{Agents, Behaviour, Finished, Threads};
use super::venue_kind::VenueKind;
use crate::prelude;
use portcullis_control::config::{Config, Matching, ReferenceSource, SessionConfig};
use portcullis_control::credentials::{AddressLimit, CredentialTable, LimitedTo, Verifier};
use portcullis_domain::{AccountId, InstrumentId, Price, Qty, UNIT_BYTES};
use portcullis_journal::LogWriter;
use portcullis_pipeline::egress::{Egress, EgressConfig};
use portcullis_pipeline::ingress::{
    Ingress, IngressConfig, IngressReaders, IngressRings, VenueAbilities,
};
use portcullis_pipeline::item::{ControlItem, Look, VenueItem};
use portcullis_pipeline::log::Log;
use portcullis_pipeline::risk::{Risk, RiskRings};
use portcullis_pipeline::sequencer::{Sequencer, SequencerRings};
use portcullis_pipeline::signals::RiskSignals;
use portcullis_pipeline::stream_reach::{StreamReachWriter, stream_reach};
use portcullis_pipeline::tables::{SessionProfile, Symbol, SymbolTable};
use portcullis_pipeline::venue::{Venue, VenueReaders};
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::limits::instrument::InstrumentField;
use portcullis_risk_core::{Capacities, EFFECTS_MAX, RiskCore};
use portcullis_runtime::{
    Clock, DutyReader, HistogramReader, MessageConsumer, RecordProducer, RingConsumer,
    RingProducer, StopFlag, SystemClock, TscClock, lock_memory, message_ring, record_ring, ring,
};
use portcullis_transport::{
    TcpInbound, TcpOptions, TcpOutbound, allow_descriptors, descriptors_wanted, tcp_transport_with,
};
use portcullis_venue_embedded::{EmbeddedVenue, Fees, InstrumentConfig, LadderConfig};
use portcullis_venue_sim::{HostileVenue, Hostility, Plant, Planted};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::OUCH50;
use portcullis_wire::soupbin::{ServerLimits, SessionName};
use std::fmt;
use std::fs::File;
use std::io::BufWriter;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Rings of items, in items of the longest kind.
const VENUE_ITEMS: usize = 12_288;
/// Approved orders that wait for links that take nothing.
const VENUE_PENDING_ITEMS: usize = 16_384;
const EGRESS_ITEMS: usize = 8_192;
const CONTROL_ITEMS: usize = 8_192;
const CONNECTION_ITEMS: usize = 4_096;
const FEEDBACK_UNITS: usize = 4_096;
const SEQUENCED_UNITS: usize = 8_192;

/// While the ring to the venue is half full no order is sequenced; the other half has room for those
/// that were, each of two units at least, and for what follows from a few ticks and commands.
const _: () = assert!(VENUE_ITEMS / 2 >= SEQUENCED_UNITS / 2 + 32 * EFFECTS_MAX);

/// Bytes that an average message of a store is taken to have.
const STORED_MESSAGE_BYTES: usize = 64;

/// What a start is told beside the config.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options<'a> {
    /// Write a log here.
    pub(crate) log: Option<&'a Path>,
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
    stop: StopFlag,
    threads: Threads,
    credentials: JoinHandle<()>,
}

/// What the agents tell of themselves while they run.
#[derive(Debug)]
pub(crate) struct Readers {
    pub(crate) ingress: IngressReaders,
    pub(crate) risk: RiskReaders,
    pub(crate) venue: VenueReaders,
    pub(crate) send: HistogramReader,
    /// By thread.
    pub(crate) duties: Vec<DutyReader>,
}

impl Gateway {
    /// Starts a gateway.
    ///
    /// # Errors
    /// What could not be had, and why.
    pub(crate) fn start(config: &Config, options: &Options<'_>) -> Result<Self, StartError> {
        let symbols = symbols(config)?;
        let stop = StopFlag::new();
        let capacities = prelude::capacities(config);
        let core = risk_core(config, &capacities)?;
        let (inbound, outbound, address) = sockets(config)?;
        let venue = venue(config, options.plant)?;
        let mut wiring = Wiring::new(config);
        let log = match options.log.or(config.profile.log_file.as_deref()) {
            Some(path) => Some(wiring.log(path, config)?),
            None => None,
        };
        let signals = RiskSignals::default();
        let agents = Agents {
            ingress: Ingress::new(
                ingress_config(config, &symbols),
                inbound,
                wiring.ingress,
                stop.clone(),
            ),
            sequencer: Sequencer::new(wiring.sequencer, signals.clone()),
            risk: Risk::new(
                Box::new(core),
                wiring.risk,
                TscClock::new(),
                Latencies::new(),
                last_trade(config),
                signals,
            ),
            venue: venue_agent(
                venue,
                wiring.venue_orders,
                wiring.venue_reports,
                &capacities,
            ),
            egress: Egress::new(
                &egress_config(config, &capacities, symbols),
                outbound,
                wiring.egress_items,
                wiring.egress_connections,
                wiring.reach,
            ),
            log,
        };
        let verifier = verifier(config)?;
        let passwords = verifier.table();
        let (queries, verdicts) = (wiring.queries, wiring.verdicts);
        let credentials = credentials::start(verifier, queries, verdicts, stop.clone())
            .map_err(|error| cannot("the credential thread", error))?;
        let mut readers = readers(&agents);
        let mut threads = Threads::start(agents, &behaviour(config), &stop)
            .map_err(|error| cannot("the gateway's threads", error))?;
        readers.duties = threads.take_duties();
        lock_memory_if_asked(config);
        Ok(Self {
            address,
            commands: wiring.commands,
            items: wiring.items,
            tables: wiring.tables,
            retired: wiring.retired,
            looks: wiring.looks,
            passwords,
            readers,
            stop,
            threads,
            credentials,
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
        // It ends with the flag; what it has not verified is not let in.
        let _ = self.credentials.join();
        finished
    }
}

/// What is read of agents that have no threads yet.
fn readers(agents: &Agents) -> Readers {
    Readers {
        ingress: agents.ingress.readers(),
        risk: agents.risk.latency().readers(),
        venue: agents.venue.readers(),
        send: agents.egress.send_times(),
        duties: Vec::new(),
    }
}

/// The clients' sockets, and where they connect.
fn sockets(config: &Config) -> Result<(TcpInbound, TcpOutbound, SocketAddr), StartError> {
    let capacities = &config.profile.capacities;
    let connections_max = capacities.connections_max as usize;
    let house = match &config.profile.matching {
        Matching::Ouch { house, .. } => house.len() + config.sessions.len(),
        Matching::Embedded | Matching::Sim { .. } => 0,
    };
    allow_descriptors(descriptors_wanted(connections_max, house))
        .map_err(|error| cannot("connections_max", error))?;
    let options = TcpOptions {
        send_buffer_bytes: Some(capacities.send_buffer_bytes as usize),
        ..TcpOptions::new(connections_max)
    };
    tcp_transport_with(config.profile.listen, options)
        .map_err(|error| cannot(&format!("listening on {}", config.profile.listen), error))
}

fn risk_core(config: &Config, capacities: &Capacities) -> Result<RiskCore, StartError> {
    RiskCore::new(capacities, config.limit_table()).map_err(|error| cannot("the risk core", error))
}

/// A gateway whose memory cannot be locked runs all the same, and says so.
fn lock_memory_if_asked(config: &Config) {
    if config.profile.lock_memory
        && let Err(error) = lock_memory()
    {
        eprintln!("[threads] lock_memory: {error}");
    }
}

/// All rings, by the agent that holds each end.
struct Wiring {
    ingress: IngressRings,
    sequencer: SequencerRings,
    risk: RiskRings,
    venue_orders: MessageConsumer<VenueItem>,
    venue_reports: RecordProducer,
    egress_items: MessageConsumer<portcullis_pipeline::item::EgressItem>,
    egress_connections: RingConsumer<portcullis_pipeline::item::ConnectionItem>,
    queries: RingConsumer<portcullis_pipeline::ingress::LoginQuery>,
    verdicts: RingProducer<portcullis_pipeline::ingress::LoginVerdict>,
    reach: StreamReachWriter,
    commands: RecordProducer,
    items: RingConsumer<ControlItem>,
    tables: RingProducer<Box<LimitTable>>,
    retired: RingConsumer<Box<LimitTable>>,
    looks: RingProducer<Look>,
    log_units: usize,
}

impl Wiring {
    fn new(config: &Config) -> Self {
        let capacities = &config.profile.capacities;
        let units = |bytes: u32| bytes as usize / UNIT_BYTES;
        let logons = capacities.logons_pending_max as usize;
        let (orders, orders_out) = record_ring(units(capacities.order_ring_bytes));
        let (priority, priority_out) = record_ring(units(capacities.cancel_ring_bytes));
        let (reports, reports_out) = record_ring(units(capacities.report_ring_bytes));
        let (commands, control_out) = record_ring(units(capacities.control_ring_bytes));
        let (feedback, feedback_out) = record_ring(FEEDBACK_UNITS);
        let (sequenced, sequenced_out) = record_ring(SEQUENCED_UNITS);
        let (venue, venue_orders) = message_ring(VENUE_ITEMS);
        let (egress, egress_items) = message_ring(EGRESS_ITEMS);
        let (connections, egress_connections) = ring(CONNECTION_ITEMS);
        let (control, items) = ring(CONTROL_ITEMS);
        let (queries, queries_out) = ring(logons);
        let (verdicts, verdicts_out) = ring(logons);
        let (tables, tables_out) = ring(2);
        let (retired, retired_out) = ring(8);
        let (looks, looks_out) = ring(64);
        let (reach, reach_out) = stream_reach(config.sessions.len());
        Self {
            ingress: IngressRings {
                orders,
                priority,
                connections,
                queries,
                verdicts: verdicts_out,
                reach: reach_out,
            },
            sequencer: SequencerRings {
                control: control_out,
                reports: reports_out,
                feedback: feedback_out,
                priority: priority_out,
                orders: orders_out,
                sequenced,
            },
            risk: RiskRings {
                records: sequenced_out,
                venue,
                egress,
                control,
                log: None,
                feedback,
                tables: tables_out,
                retired,
                looks: looks_out,
            },
            venue_orders,
            venue_reports: reports,
            egress_items,
            egress_connections,
            queries: queries_out,
            verdicts,
            reach,
            commands,
            items,
            tables,
            retired: retired_out,
            looks,
            log_units: units(capacities.log_ring_bytes),
        }
    }

    /// The log agent, and the ring that feeds it.
    fn log(&mut self, path: &Path, config: &Config) -> Result<Log<BufWriter<File>>, StartError> {
        let what = format!("the log {}", path.display());
        let file = File::create(path).map_err(|error| cannot(&what, error))?;
        let words = prelude::words(config);
        let writer = LogWriter::create(BufWriter::with_capacity(1 << 20, file), &words);
        let writer = writer.map_err(|error| cannot(&what, error))?;
        let (records, records_out) = record_ring(self.log_units);
        self.risk.log = Some(records);
        Ok(Log::new(writer, records_out))
    }
}

/// The instruments on the wire.
fn symbols(config: &Config) -> Result<SymbolTable, StartError> {
    let mut symbols = Vec::new();
    for (index, limits) in config.limits.instruments.iter().enumerate() {
        let instrument = InstrumentId::new(index as u32);
        let name = config.names.symbol(instrument).unwrap_or_default();
        let unfit = |why: &dyn fmt::Display| cannot(&format!("instrument {name}"), why);
        let symbol = Alpha::new(name.as_bytes());
        let symbol = symbol.ok_or_else(|| unfit(&"its symbol has over 8 characters"))?;
        let price_max = limits
            .cells
            .cell(InstrumentField::PriceMax)
            .value()
            .unwrap_or(0);
        let scale = OUCH50.fits(
            NonZeroU64::from(limits.wire.tick),
            limits.wire.lot,
            Price::new(1),
            Price::new(price_max),
            Qty::new(1),
        );
        let scale = scale.map_err(|error| unfit(&error))?;
        symbols.push(Symbol {
            name: symbol,
            instrument,
            scale,
        });
    }
    Ok(SymbolTable::new(&symbols))
}

fn ingress_config(config: &Config, symbols: &SymbolTable) -> IngressConfig {
    let limits = ServerLimits {
        login_within: config.profile.logon.logon_timeout,
        ..ServerLimits::default()
    };
    let abilities = match config.profile.matching {
        Matching::Embedded | Matching::Sim { .. } => VenueAbilities::LADDER,
        Matching::Ouch { .. } => VenueAbilities::OUCH50,
    };
    IngressConfig {
        connections_max: config.profile.capacities.connections_max as usize,
        profiles: config.sessions.iter().map(profile).collect(),
        symbols: symbols.clone(),
        session_name: session_name(config),
        abilities,
        limits,
    }
}

fn profile(session: &SessionConfig) -> SessionProfile {
    let firms = session.firm_codes.iter();
    let firms =
        firms.filter_map(|(code, account)| Some((Alpha::new(code.trim_ascii())?, *account)));
    SessionProfile {
        session: session.session,
        default_account: session.default_account.unwrap_or(AccountId::NONE),
        firms: firms.collect(),
        market_orders: session.permissions.market_orders,
        silence_max: session.silence_max,
    }
}

/// Every session is named by its trading day.
fn session_name(config: &Config) -> SessionName {
    let day = match config.profile.trading_day {
        Some(day) => (day.year.into(), day.month.into(), day.day.into()),
        None => civil_day(SystemClock.now().ns() / DAY_NS),
    };
    let (year, month, day): (u64, u64, u64) = day;
    let name = format!("{year:04}{month:02}{day:02}");
    Alpha::new(name.as_bytes()).expect("eight digits fit ten characters")
}

const DAY_NS: u64 = 86_400_000_000_000;

/// Year, month and day of a day counted from 1970-01-01, by the 400-year cycle of the Gregorian
/// calendar with years that begin in March.
fn civil_day(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

fn egress_config(config: &Config, capacities: &Capacities, symbols: SymbolTable) -> EgressConfig {
    let store_bytes = config.profile.capacities.session_store_bytes as usize;
    EgressConfig {
        session_name: session_name(config),
        heartbeats: config.sessions.iter().map(|s| s.heartbeat).collect(),
        orders_max: capacities.orders_max as usize,
        store_bytes,
        store_messages: store_bytes / STORED_MESSAGE_BYTES,
        symbols,
    }
}

fn last_trade(config: &Config) -> Vec<bool> {
    let sources = config
        .instruments
        .iter()
        .map(|instrument| instrument.reference_from);
    sources
        .map(|source| source == ReferenceSource::LastTrade)
        .collect()
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

fn venue(config: &Config, plant: Option<Plant>) -> Result<VenueKind, StartError> {
    match (&config.profile.matching, plant) {
        (Matching::Embedded, None) => Ok(VenueKind::Embedded(Box::new(embedded(config)?))),
        (Matching::Embedded, Some(plant)) => {
            let planted = Planted::new(embedded(config)?, plant, PLANT_AFTER);
            Ok(VenueKind::Planted(Box::new(planted)))
        }
        (Matching::Sim { seed }, _) => {
            let sessions = config.sessions.len() as u32;
            let hostility = Hostility {
                seed: *seed,
                latency_polls_max: 8,
                split_fill_one_in: 8,
                refuse_one_in: 64,
                ..Hostility::NONE
            };
            let hostile = HostileVenue::new(embedded(config)?, sessions, hostility);
            Ok(VenueKind::Hostile(Box::new(hostile)))
        }
        (Matching::Ouch { .. }, _) => Ok(VenueKind::Ouch(Box::new(external::venue(
            config,
            &symbols(config)?,
        )?))),
    }
}

fn behaviour(config: &Config) -> Behaviour {
    Behaviour {
        topology: config.profile.topology,
        idle: config.profile.idle,
        cores: config.profile.cores.clone(),
    }
}

fn venue_agent(
    venue: VenueKind,
    orders: MessageConsumer<VenueItem>,
    reports: RecordProducer,
    capacities: &Capacities,
) -> Venue<VenueKind> {
    let sessions = capacities.sessions_max as usize;
    Venue::new(venue, orders, reports, sessions, VENUE_PENDING_ITEMS)
}

/// Events of its kind that a planted venue lets pass before its fault.
const PLANT_AFTER: u64 = 20;

fn embedded(config: &Config) -> Result<EmbeddedVenue, StartError> {
    let capacities = &config.profile.capacities;
    let instruments = config.limits.instruments.iter().map(|limits| {
        let price_max = limits
            .cells
            .cell(InstrumentField::PriceMax)
            .value()
            .unwrap_or(1);
        InstrumentConfig {
            qty_max: Qty::new(OUCH50.qty_max_wire.into()),
            // A market order's protection price may stand above every limit.
            price_max: Price::new(price_max.saturating_mul(2)),
            fees: Fees::default(),
        }
    });
    let ladder = LadderConfig {
        instruments: instruments.collect(),
        sessions_max: capacities.sessions_max,
        orders_max: capacities.orders_max,
        levels_max: capacities.orders_max,
        inbox_max: 4_096,
        trades_max: capacities.executions_max,
        window_ticks: 4_096,
    };
    let symbols = symbols(config)?;
    let terms = super::terms::reader(symbols);
    EmbeddedVenue::new(ladder, Some(terms)).map_err(|error| cannot("the embedded ladder", error))
}

#[cfg(test)]
mod tests {
    use super::civil_day;

    #[test]
    fn days_have_their_dates() {
        let cases = [
            (0, (1970, 1, 1)),
            (19_723, (2024, 1, 1)),
            (19_782, (2024, 2, 29)),
        ];
        for (days, date) in cases.into_iter().chain([(20_780, (2026, 11, 23))]) {
            assert_eq!(civil_day(days), date);
        }
    }
}

//! A journal made by hand: commands applied to a core and written as a gateway writes them.
//!
//! Virtual time. Invariant: what is written is what the core was given, with its digests noted; the folder goes with
//! its value.

mod journals;

pub(crate) use journals::Pruned;

use portcullis_control::config::{Config, parse_str};
use portcullis_domain::{
    AccountId, CashMove, Command, FlipLimits, HashSeed, Head, InstrumentId, Money, NewOrder, Price,
    Qty, QtyMeaning, Record, ReferencePrice, ReplaceRequest, ReportKind, SessionEvent,
    SessionEventKind, SessionId, Side, TimeInForce, Timestamp, Units, UserRef, VenueReport,
};
use portcullis_journal::{
    Append, Disk, Identity, InlineSource, JournalStart, JournalWriter, Opening, SnapshotHeader,
    SnapshotWriter, Storage, Term, WordFile, WriterOptions, read_words, write_words,
};
use portcullis_pipeline::recovery::Prelude;
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, Effect, EffectSink, RiskCore};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{self, AppendageBuilder, EnterOrder};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// The limits of the day, and what may trade.
pub(crate) const CONFIG: &str = include_str!("day.toml");

const JOURNAL: u64 = 77;
/// The day's beginning, ns.
const BEGIN_NS: u64 = 1_700_000_000_000_000_000;

/// A journal under way, and the core that it is of.
pub(crate) struct Made {
    folder: PathBuf,
    pub(crate) disk: Disk,
    pub(crate) core: RiskCore,
    writer: JournalWriter<Disk>,
    prelude: u64,
    limits: u64,
    now_ns: u64,
    /// Records of a frame.
    frame_records: u64,
    gathered: u64,
    said: Said,
}

/// Effects, of which only refusals are counted.
#[derive(Default)]
struct Said {
    refused: u64,
}

impl EffectSink for Said {
    fn on_effect(&mut self, effect: Effect) {
        self.refused += u64::from(matches!(effect, Effect::Refused(_)));
    }
}

impl Made {
    /// A journal with nothing in it.
    pub(crate) fn begin(segment_bytes: u64, frame_records: u64) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-tools-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let disk = Disk::open(&folder.join("journal")).expect("the folder takes one");
        fs::write(folder.join("day.toml"), CONFIG).expect("it takes a file");
        let config = config(CONFIG);
        let spec = config.limits;
        let limits = write_words(&disk, WordFile::Limits, &spec.to_words()).expect("writes");
        let prelude = Prelude {
            capacities: Capacities {
                accounts_max: 1,
                orders_max: 65_536,
                positions_max: 64,
                ..Capacities::default()
            },
            limits,
            session_name: Alpha::new(b"20231114").expect("fits"),
        };
        let digest = write_words(&disk, WordFile::Prelude, &prelude.to_words()).expect("writes");
        let names = "account trader1\ninstrument ACME\nfirm broker\nsession TRADE1\n";
        fs::write(folder.join("journal/names"), names).expect("it takes a file");
        let table = LimitTable::build(&spec).expect("the config's own");
        let core = RiskCore::new(&prelude.capacities, table, HashSeed::FIXED).expect("they fit");
        let opening = Opening {
            identity: Identity {
                journal: JOURNAL,
                prelude: digest,
                rules: 1,
                build: "tools".to_owned(),
            },
            term: Term::new(1),
            limits,
            now: Timestamp::from_ns(BEGIN_NS),
        };
        let writer = JournalWriter::create(
            disk.clone(),
            disk.lock().expect("nobody else has it"),
            Box::new(InlineSource::new(disk.clone(), segment_bytes)),
            WriterOptions::for_segments_of(segment_bytes),
            opening,
            JournalStart::first(JOURNAL),
        );
        Self {
            folder,
            disk,
            core,
            writer: writer.expect("an empty folder"),
            prelude: digest,
            limits,
            now_ns: BEGIN_NS,
            frame_records,
            gathered: 0,
            said: Said::default(),
        }
    }

    /// Session and engine come up, money and a price are there.
    pub(crate) fn open(&mut self) {
        let session = SessionId::new(0);
        self.give(Command::VenueLink { session, up: true }, &[]);
        let event = SessionEvent {
            session,
            kind: SessionEventKind::Up,
            connection: 1,
            sequence: 1,
        };
        self.give(Command::Session(event), &[]);
        let deposit = CashMove {
            account: AccountId::new(0),
            amount: Money::new(10_000_000_000),
        };
        self.give(Command::Deposit(deposit), &[]);
        self.reference(10_000);
    }

    pub(crate) fn reference(&mut self, ticks: i64) {
        let reference = ReferencePrice {
            instrument: InstrumentId::new(0),
            price: Price::new(ticks),
        };
        self.give(Command::Reference(reference), &[]);
    }

    pub(crate) fn order(&mut self, number: u32, side: Side, qty: i64, ticks: i64) {
        let order = NewOrder {
            session: SessionId::new(0),
            user_ref: UserRef { row: 0, number },
            account: AccountId::new(0),
            instrument: InstrumentId::new(0),
            side,
            qty: Qty::new(qty),
            price: Some(Price::new(ticks)),
            time_in_force: TimeInForce::Day,
        };
        let mut raw = [0; 192];
        let elements = AppendageBuilder::default();
        let length = message(&order).encode(Some(elements.finish()), &mut raw);
        let length = length.expect("it has room");
        self.give(Command::NewOrder(order), &raw[..length]);
    }

    pub(crate) fn replace(&mut self, original: u32, number: u32, qty: i64, ticks: i64) {
        let request = ReplaceRequest {
            session: SessionId::new(0),
            original: UserRef {
                row: 0,
                number: original,
            },
            user_ref: UserRef { row: 0, number },
            units: Units::TicksAndLots,
            qty: Qty::new(qty),
            qty_meaning: QtyMeaning::Total,
            price: Some(Price::new(ticks)),
            time_in_force: TimeInForce::Day,
        };
        self.give(Command::Replace(request), &[]);
    }

    pub(crate) fn report(&mut self, number: u32, kind: ReportKind) {
        let report = VenueReport {
            session: SessionId::new(0),
            user_ref: UserRef { row: 0, number },
            kind,
            note: 0,
        };
        self.give(Command::Report(report), &[]);
    }

    pub(crate) fn fill(&mut self, number: u32, qty: i64, ticks: i64) {
        let kind = ReportKind::Fill {
            qty: Qty::new(qty),
            price: Price::new(ticks),
            match_number: self.core.seq().raw(),
            fee: Money::new(100),
        };
        self.report(number, kind);
    }

    /// Applies a command and writes its record.
    pub(crate) fn give(&mut self, command: Command, raw: &[u8]) {
        self.now_ns += 1_000_000;
        let mut head: Head = command.encode();
        head.seq = self.writer.next_seq();
        head.timestamp_ns = self.now_ns;
        let record = Record::new(head, raw).expect("a message fits");
        self.core.apply(&record, &mut self.said);
        if self.writer.append(record.head, raw) == Append::Full {
            self.write(false);
            assert_eq!(self.writer.append(record.head, raw), Append::Taken);
        }
        self.gathered += 1;
        if self.gathered == self.frame_records {
            self.write(true);
        }
    }

    fn write(&mut self, note: bool) {
        if note && self.gathered > 0 {
            let seq = self.core.seq();
            self.writer.note_digest(seq, self.core.digest());
        }
        let now = Timestamp::from_ns(self.now_ns);
        self.writer.write(now).expect("the disk takes it");
        self.gathered = 0;
    }

    /// Puts the day's limits with something else in them into force; the file that has their table.
    pub(crate) fn flip(&mut self, from: &str, to: &str) -> PathBuf {
        let spec = config(&changed(from, to)).limits;
        let digest = write_words(&self.disk, WordFile::Limits, &spec.to_words()).expect("writes");
        let table = LimitTable::build(&spec).expect("the config's own");
        drop(self.core.stage(Box::new(table)));
        self.give(Command::FlipLimits(FlipLimits { digest }), &[]);
        drop(self.core.take_retired());
        self.limits = digest;
        self.disk.folder().join(WordFile::Limits.name(digest))
    }

    /// Writes what is gathered.
    pub(crate) fn close(&mut self) {
        self.write(true);
        self.writer.sync().expect("the disk takes it");
    }

    /// Writes what is gathered, and notes no digest.
    pub(crate) fn close_unnoted(&mut self) {
        self.write(false);
        self.writer.sync().expect("the disk takes it");
    }

    /// A snapshot of the core, as it stands behind the last frame; `spoil` changes header and words first.
    pub(crate) fn snapshot(&mut self, spoil: impl Fn(&mut SnapshotHeader, &mut Vec<u64>)) {
        self.close();
        let mut words = Vec::new();
        self.core.save(&mut |word| words.push(word));
        let mut header = SnapshotHeader {
            seq: self.core.seq().raw(),
            chain: self.chain(),
            term: Term::new(1),
            core_digest: self.core.digest(),
            limits: self.limits,
            prelude: self.prelude,
            made_ns: self.now_ns,
            journal: JOURNAL,
            rules: 1,
        };
        spoil(&mut header, &mut words);
        let mut writer = SnapshotWriter::begin(self.disk.clone(), header).expect("begins");
        writer.begin_section(1).expect("its first");
        for word in words {
            writer
                .write_all(&word.to_le_bytes())
                .expect("the disk takes it");
        }
        writer.finish().expect("the disk takes it");
    }

    /// The journal's chain behind its last frame.
    fn chain(&self) -> portcullis_journal::Chain {
        use portcullis_domain::Seq;
        use portcullis_journal::{JournalReader, Mode};
        let reader = JournalReader::open(self.disk.clone(), Seq::new(1), Mode::Follow);
        let mut reader = reader.expect("it is there");
        let mut chain = None;
        while let Some(frame) = reader.next_frame().expect("it is whole") {
            chain = Some(frame.header.chain);
        }
        chain.expect("it has frames")
    }

    pub(crate) const fn refused(&self) -> u64 {
        self.said.refused
    }

    /// Stops writing; the folder stays.
    pub(crate) fn finish(self) -> Folder {
        Folder(self.folder)
    }
}

/// A folder with a finished journal in it, which goes with this.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn journal(&self) -> String {
        self.0.join("journal").display().to_string()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The day's config with something else in it.
    pub(crate) fn config(&self, from: &str, to: &str) -> String {
        let path = self.file("other.toml");
        fs::write(&path, changed(from, to)).expect("it takes a file");
        path.display().to_string()
    }

    /// The journal's only segment.
    pub(crate) fn segment(&self) -> PathBuf {
        self.0.join("journal/00000000000000000001.segment")
    }

    /// A second copy of the journal, in the same folder.
    pub(crate) fn copy(&self) -> PathBuf {
        let copy = self.file("copy");
        fs::create_dir_all(&copy).expect("it takes a folder");
        for file in fs::read_dir(self.file("journal")).expect("it is there") {
            let file = file.expect("it lists");
            fs::copy(file.path(), copy.join(file.file_name())).expect("it takes a file");
        }
        copy
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the system's own folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn config(text: &str) -> Config {
    parse_str("day.toml", text).expect("it loads")
}

/// The day's config with something else in it.
fn changed(from: &str, to: &str) -> String {
    assert!(CONFIG.contains(from), "the config has {from}");
    CONFIG.replace(from, to)
}

/// The client's message of an order.
fn message(order: &NewOrder) -> EnterOrder {
    EnterOrder {
        user_ref_num: ouch50::UserRefNum::new(order.user_ref.number).expect("above 0"),
        side: match order.side {
            Side::Buy => ouch50::OrderSide::Buy,
            Side::Sell => ouch50::OrderSide::Sell,
        },
        quantity: order.qty.lots() as u32,
        symbol: Alpha::new(b"ACME").expect("fits"),
        price: order.price.map_or(0, Price::ticks) as u64 * 100,
        time_in_force: ouch50::TimeInForce::Day,
        display: ouch50::Display::Visible,
        capacity: ouch50::Capacity::Principal,
        iso_eligible: ouch50::YesNo::No,
        cross_type: ouch50::CrossType::None,
        cl_ord_id: Alpha::new(b"DAY").expect("fits"),
    }
}

/// The core that a journal's prelude describes, before record 1.
pub(crate) fn core_of(disk: &Disk, prelude: u64) -> RiskCore {
    let words = read_words(disk, WordFile::Prelude, prelude).expect("it is kept");
    let prelude = Prelude::from_words(&words).expect("it reads");
    let words = read_words(disk, WordFile::Limits, prelude.limits).expect("they are kept");
    let spec = LimitSpec::from_words(&words).expect("they read");
    let table = LimitTable::build(&spec).expect("they load");
    RiskCore::new(&prelude.capacities, table, HashSeed::FIXED).expect("they fit")
}

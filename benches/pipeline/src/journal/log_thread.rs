//! The log of a pipeline: the product's agent on a thread of its own, writing a journal to a folder.
//!
//! Started and ended by the measuring thread. Invariants: it pauses with its pipeline; at its end the journal
//! holds every record that the core has applied, or the run has no figures.

use crate::spares::Spares;
use portcullis_bench_pipeline::pause::Pause;
use portcullis_bench_pipeline::rig::LogSide;
use portcullis_bench_pipeline::wait::Wait;
use portcullis_domain::{Seq, Timestamp};
use portcullis_journal::{
    Disk, Identity, JournalReader, JournalStart, JournalWriter, Mode, Opening, Storage, Term,
    WriterOptions,
};
use portcullis_pipeline::durability::{Durability, Gate, durability};
use portcullis_pipeline::log::Log;
use portcullis_runtime::{Agent, HistogramReader, StopFlag, TscClock, record_ring, run_behind};
use std::thread::JoinHandle;
use std::time::Duration;

/// Room of the ring to the log, as in the product where nothing is said: units of 16 MiB.
const LOG_RECORDS: usize = 65_536;

/// After how long the sequencer finds a journal slow: longer than any step, so that a disk that others use
/// makes a slow figure and not another load.
const STALL: portcullis_domain::Duration = portcullis_domain::Duration::from_ns(15_000_000_000);

/// A running log.
pub(crate) struct LogThread {
    pub(crate) disk: Disk,
    pub(crate) kept: HistogramReader,
    spares: Spares,
    made: u64,
    pause: Pause,
    stop: StopFlag,
    thread: JoinHandle<bool>,
}

/// Starts a log, paused; what the agents and the collector hold of it.
pub(crate) fn start(
    disk: Disk,
    policy: Durability,
    core: usize,
    wait: Wait,
) -> Result<(LogThread, LogSide, Gate), String> {
    let spares = Spares::default();
    let mut made = 0;
    let fault = |error: std::io::Error| format!("{}: {error}", disk.place());
    spares.fill(&disk, 1, &mut made).map_err(fault)?;
    let writer = begin(&disk, Box::new(spares.clone()))?;
    let ends = durability(policy, Seq::ZERO);
    let (records, records_out) = record_ring(LOG_RECORDS);
    let tell = Box::new(|words: &str| eprintln!("journal: {words}"));
    let log = Log::new(writer, records_out, ends.log, tell);
    let kept = log.kept_times();
    let pause = Pause::begun();
    let stop = StopFlag::new();
    let mut agent = Pausing {
        pause: pause.clone(),
        log,
    };
    let stopped = stop.clone();
    let named = std::thread::Builder::new().name("log".to_owned());
    let thread = named.spawn(move || {
        let placed = wait.take_place(core);
        let drained = run_behind(&mut agent, &TscClock::new(), wait.idle(), &stopped);
        placed.is_ok() && drained && agent.log.sync().is_ok()
    });
    let thread = thread.map_err(fault)?;
    let side = LogSide {
        records,
        watch: ends.watch,
        stall: STALL,
    };
    let log = LogThread {
        disk,
        kept,
        spares,
        made,
        pause,
        stop,
        thread,
    };
    Ok((log, side, ends.gate))
}

/// A journal's writer in an empty folder.
pub(crate) fn begin(
    disk: &Disk,
    source: Box<dyn portcullis_journal::SegmentSource<Disk> + Send>,
) -> Result<JournalWriter<Disk>, String> {
    begin_as(disk, source, 0, 0)
}

/// The same over a prelude and limits that the folder holds.
pub(crate) fn begin_as(
    disk: &Disk,
    source: Box<dyn portcullis_journal::SegmentSource<Disk> + Send>,
    prelude: u64,
    limits: u64,
) -> Result<JournalWriter<Disk>, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", disk.place());
    let lock = disk.lock().map_err(fault)?;
    let journal = 0x9E37_79B9_7F4A_7C15;
    let opening = Opening {
        identity: Identity {
            journal,
            prelude,
            rules: 1,
            build: "bench".to_owned(),
        },
        term: Term::new(1),
        limits,
        now: Timestamp::ZERO,
    };
    let options = WriterOptions::for_segments_of(source.segment_bytes());
    let start = JournalStart::first(journal);
    JournalWriter::create(disk.clone(), lock, source, options, opening, start).map_err(fault)
}

impl LogThread {
    pub(crate) fn pause(&self, paused: bool) {
        self.pause.set(paused);
    }

    /// Makes ready for a step: segments for what it writes, and nothing left for the disk to do.
    pub(crate) fn prepare(&mut self, segments: usize) -> Result<(), String> {
        let fault = |error: std::io::Error| format!("{}: {error}", self.disk.place());
        let filled = self.spares.fill(&self.disk, segments, &mut self.made);
        filled.map_err(fault)?;
        flush(&self.disk).map_err(fault)
    }

    /// Ends it behind its pipeline, which has ended; the journal must end with `last`.
    pub(crate) fn finish(self, last: Seq) -> Result<(), String> {
        self.pause(false);
        self.stop.set();
        let ended = self.thread.join();
        if !ended.map_err(|_| "the log's thread ended by a panic: see above".to_owned())? {
            return Err(
                "the log could not be placed, or did not write all it was given".to_owned(),
            );
        }
        let reader = JournalReader::open(self.disk, Seq::new(1), Mode::Whole);
        let mut reader = reader.map_err(|error| error.to_string())?;
        while reader
            .next_frame()
            .map_err(|error| error.to_string())?
            .is_some()
        {}
        let read = reader.next_seq() - 1;
        if read != last.raw() {
            return Err(format!(
                "the journal ends with {read}, the core with {}",
                last.raw()
            ));
        }
        Ok(())
    }
}

/// Gives what stands in a folder to the disk, so that a step does not wait for what another one wrote.
fn flush(disk: &Disk) -> std::io::Result<()> {
    for file in disk.list()? {
        if file.name.ends_with(".segment") {
            std::fs::File::open(disk.folder().join(&file.name))?.sync_all()?;
        }
    }
    std::thread::sleep(Duration::from_millis(5));
    Ok(())
}

/// The log agent, which sleeps while it is asked to.
struct Pausing {
    pause: Pause,
    log: Log<Disk>,
}

impl Agent for Pausing {
    fn name(&self) -> &'static str {
        self.log.name()
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        self.pause.do_work(now);
        self.log.do_work(now)
    }

    fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
        self.log.on_work_done(began, ended);
    }

    fn is_drained(&self) -> bool {
        self.log.is_drained()
    }
}

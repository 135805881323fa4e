//! One standby's connection, as the leader serves it: journal and tables in, acknowledgements out.
//!
//! The leader's replication thread. Invariants: a frame whose record names a table goes out when the standby has the
//! table; a frame is read only when there is room for it. Must never write to the journal's folder but the term that
//! was heard of.

use super::lookup::{SnapshotFile, position};
use super::objects::{bytes_digest, names_file, object_file, open_if_there};
use super::wire::{flush, receive};
use portcullis_domain::Unit;
use portcullis_domain::{Command, CommandKind, Head, Seq, Timestamp};
use portcullis_journal::replication::{
    Ack, Answer, DigestMismatch, Hello, Inbox, Leader, LeaderConfig, LeaderEvent, LeaderState,
    LeaderStep, NotSent, Object, ObjectKind, Refusal, SegmentNotice, Timer, Wanted,
};
use portcullis_journal::{
    Disk, DiskFile, Frame, FrameHeader, JournalReader, Mode, Storage, StorageFile, Term, WordFile,
    read_words,
};
use portcullis_pipeline::recovery::Prelude;
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};

/// Frames sent in one round.
const FRAME_BUDGET: usize = 64;

/// One connection.
pub(super) struct Serving {
    stream: TcpStream,
    pub(super) peer: SocketAddr,
    machine: Leader,
    inbox: Inbox,
    disk: Disk,
    reader: Option<JournalReader<Disk>>,
    /// The segment that the standby was last told of.
    segment: Option<u64>,
    /// A frame that waits for the standby to have what it names.
    held: Option<(FrameHeader, Vec<Unit>)>,
    /// Objects that the standby does not have yet: nothing goes out before it has.
    waits_for: Vec<Object>,
    /// Tables that it has.
    has: Vec<Object>,
    snapshot: Option<SnapshotFile>,
    names: Vec<u8>,
    files: BTreeMap<u64, DiskFile>,
    block: Vec<u8>,
}

/// What a round came to.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) worked: bool,
    /// How far the standby is.
    pub(super) acked: Option<Ack>,
    /// It takes the place of any other.
    pub(super) welcomed: bool,
    pub(super) fenced: Option<Term>,
    /// It is this very process.
    pub(super) itself: bool,
    pub(super) mismatch: Option<DigestMismatch>,
    /// The connection is over, and why.
    pub(super) ended: Option<String>,
}

impl Serving {
    pub(super) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        config: LeaderConfig,
        disk: Disk,
        now: Timestamp,
    ) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            peer,
            machine: Leader::new(config, now),
            inbox: Inbox::new(),
            disk,
            reader: None,
            segment: None,
            held: None,
            waits_for: Vec::new(),
            has: Vec::new(),
            snapshot: None,
            names: Vec::new(),
            files: BTreeMap::new(),
            block: Vec::new(),
        })
    }

    pub(super) fn is_welcomed(&self) -> bool {
        matches!(
            self.machine.state(),
            LeaderState::Staging | LeaderState::Following
        )
    }

    /// Tells it that another has its place.
    pub(super) fn displace(&mut self, now: Timestamp) {
        self.machine.refuse(Refusal::Occupied);
        let _ = flush(&mut self.stream, &mut self.machine, now);
    }

    /// Everything there is to do now; `kept` is the last record that the log has written.
    pub(super) fn round(&mut self, kept: Seq, now: Timestamp) -> Round {
        let mut round = Round::default();
        if let Err(why) = self.work(kept, now, &mut round) {
            round.ended = Some(why);
        }
        if self.machine.state() == LeaderState::Closed && self.machine.output().is_empty() {
            round
                .ended
                .get_or_insert_with(|| "it was closed".to_owned());
        }
        round
    }

    fn work(&mut self, kept: Seq, now: Timestamp, round: &mut Round) -> Result<(), String> {
        let words = |error: io::Error| error.to_string();
        round.worked |= receive(&mut self.stream, &mut self.inbox).map_err(words)?;
        self.take_messages(kept, now, round)?;
        if self.machine.on_time(now) == Timer::Silent {
            return Err("it was silent for too long".to_owned());
        }
        self.machine.log_reached(kept.raw());
        round.worked |= self.send_frames()?;
        round.worked |= self.send_blocks()?;
        round.worked |= flush(&mut self.stream, &mut self.machine, now).map_err(words)?;
        Ok(())
    }

    fn take_messages(
        &mut self,
        kept: Seq,
        now: Timestamp,
        round: &mut Round,
    ) -> Result<(), String> {
        loop {
            match self.machine.step(self.inbox.bytes(), now) {
                LeaderStep::NeedMore { .. } | LeaderStep::Closed => return Ok(()),
                LeaderStep::Answer => self.answer(kept, round)?,
                LeaderStep::Event { event, consumed } => {
                    self.inbox.consume(consumed);
                    self.on_event(event, kept, round)?;
                }
            }
        }
    }

    fn on_event(&mut self, event: LeaderEvent, kept: Seq, round: &mut Round) -> Result<(), String> {
        match event {
            LeaderEvent::Hello(_) => self.answer(kept, round)?,
            LeaderEvent::Acked(ack) => round.acked = Some(ack),
            LeaderEvent::Has(object) => {
                self.waits_for.retain(|it| *it != object);
                self.has.push(object);
                self.files.remove(&object.id);
            }
            LeaderEvent::Fenced { term } => round.fenced = Some(term),
            LeaderEvent::Itself => round.itself = true,
            LeaderEvent::Mismatch(mismatch) => round.mismatch = Some(mismatch),
            LeaderEvent::Fault(fault) => return Err(fault.to_string()),
            LeaderEvent::Superseded { term } => {
                eprintln!(
                    "replication: {} led term {} and was told of this one",
                    self.peer,
                    term.raw()
                );
            }
            LeaderEvent::Wants(_) | LeaderEvent::Alive => {}
        }
        Ok(())
    }

    fn answer(&mut self, kept: Seq, round: &mut Round) -> Result<(), String> {
        let Some(hello) = self.machine.hello() else {
            return Ok(());
        };
        let found = position(&self.disk, &hello, kept);
        let (at, snapshot) = found.map_err(|error| error.to_string())?;
        match self.machine.answer(&at) {
            Answer::Follows { seq, .. } => {
                eprintln!("replication: {} follows behind record {seq}", self.peer);
                round.acked = Some(self.machine.acked());
                self.begin(&hello, seq, None)?;
            }
            Answer::Stages(at) => {
                eprintln!(
                    "replication: {} takes the snapshot of record {}, {} bytes",
                    self.peer, at.seq, at.bytes
                );
                let limits = snapshot.as_ref().map(|it| it.limits);
                self.snapshot = snapshot;
                self.begin(&hello, at.seq, limits)?;
            }
            Answer::Refused(refusal) => {
                eprintln!("replication: {} was refused: {refusal:?}", self.peer);
                return Ok(());
            }
        }
        round.welcomed = true;
        Ok(())
    }

    /// Opens the journal where frames begin, and offers what a standby needs before them.
    fn begin(&mut self, hello: &Hello, seq: u64, limits: Option<u64>) -> Result<(), String> {
        let reader = JournalReader::open(self.disk.clone(), Seq::new(seq + 1), Mode::Follow);
        let reader = reader.map_err(|error| error.to_string())?;
        let prelude = reader.segment().identity.prelude;
        self.reader = Some(reader);
        self.offer_names()?;
        if hello.last_seq > 0 {
            return Ok(());
        }
        let words = read_words(&self.disk, WordFile::Prelude, prelude);
        let words = words.map_err(|error| error.to_string())?;
        let first = Prelude::from_words(&words).map(|it| it.limits);
        self.offer(Object {
            kind: ObjectKind::Prelude,
            id: prelude,
        })?;
        for id in first.into_iter().chain(limits) {
            self.offer(Object {
                kind: ObjectKind::LimitTable,
                id,
            })?;
        }
        Ok(())
    }

    fn offer_names(&mut self) -> Result<(), String> {
        let names = names_file(&self.disk).map_err(|error| error.to_string())?;
        let Some((object, bytes)) = names else {
            return Ok(());
        };
        if self.has.contains(&object) || self.waits_for.contains(&object) {
            return Ok(());
        }
        self.names = bytes;
        let offered = self.machine.offer(object, self.names.len() as u64);
        self.note_offered(object, offered);
        Ok(())
    }

    /// Offers an object of the folder, unless the standby has it. One that is not there is not waited for: a flip whose
    /// table was not there when it was sequenced was refused, and is refused again.
    fn offer(&mut self, object: Object) -> Result<(), String> {
        if self.has.contains(&object) || self.waits_for.contains(&object) {
            return Ok(());
        }
        let Some(name) = object_file(object) else {
            return Ok(());
        };
        let words = |error: io::Error| format!("{}/{name}: {error}", self.disk.place());
        let Some(file) = open_if_there(&self.disk, &name).map_err(words)? else {
            return Ok(());
        };
        let bytes = file.bytes().map_err(words)?;
        self.files.insert(object.id, file);
        let offered = self.machine.offer(object, bytes);
        self.note_offered(object, offered);
        Ok(())
    }

    fn note_offered(&mut self, object: Object, offered: Result<(), NotSent>) {
        if offered.is_ok() {
            self.waits_for.push(object);
        }
    }

    /// Sends what the journal has, as far as there is room.
    fn send_frames(&mut self) -> Result<bool, String> {
        let mut sent = 0;
        while sent < FRAME_BUDGET && self.waits_for.is_empty() && self.machine.has_room() {
            if self.held.is_none() && !self.read_frame()? {
                break;
            }
            if !self.waits_for.is_empty() {
                break;
            }
            self.tell_segment();
            let Some((header, units)) = self.held.take() else {
                break;
            };
            let units = &units[..];
            let frame = Frame { header, units };
            self.machine
                .frame(&frame)
                .map_err(|why| format!("its next frame cannot go out: {why:?}"))?;
            sent += 1;
        }
        Ok(sent > 0)
    }

    /// Reads the next frame, and offers the tables that it names.
    fn read_frame(&mut self) -> Result<bool, String> {
        let Some(reader) = &mut self.reader else {
            return Ok(false);
        };
        let frame = reader.next_frame().map_err(|error| error.to_string())?;
        let Some(frame) = frame else {
            return Ok(false);
        };
        let named = flips(&frame);
        self.held = Some((frame.header, frame.units.to_vec()));
        if !named.is_empty() {
            self.offer_names()?;
        }
        for id in named {
            self.offer(Object {
                kind: ObjectKind::LimitTable,
                id,
            })?;
        }
        Ok(true)
    }

    fn tell_segment(&mut self) {
        let Some(reader) = &self.reader else {
            return;
        };
        let header = reader.segment();
        if self.segment == Some(header.seq_first) {
            return;
        }
        let told = self.machine.segment(&SegmentNotice::of(header));
        if told.is_ok() {
            self.segment = Some(header.seq_first);
        }
    }

    fn send_blocks(&mut self) -> Result<bool, String> {
        let mut sent = false;
        while let Some(wanted) = self.machine.wanted() {
            self.read_block(&wanted)
                .map_err(|error| format!("object {:016x}: {error}", wanted.object.id))?;
            self.machine
                .block(wanted.object, wanted.offset, &self.block)
                .map_err(|why| format!("a block cannot go out: {why:?}"))?;
            sent = true;
        }
        Ok(sent)
    }

    fn read_block(&mut self, wanted: &Wanted) -> io::Result<()> {
        self.block.resize(wanted.bytes_max, 0);
        let file = match wanted.object.kind {
            ObjectKind::Names => {
                let start = usize::try_from(wanted.offset).unwrap_or(usize::MAX);
                let piece = self.names.get(start..start + wanted.bytes_max);
                let piece = piece.filter(|_| bytes_digest(&self.names) == wanted.object.id);
                self.block.copy_from_slice(piece.ok_or_else(changed)?);
                return Ok(());
            }
            ObjectKind::Snapshot => self.snapshot.as_ref().map(|it| &it.file),
            ObjectKind::Prelude | ObjectKind::LimitTable => self.files.get(&wanted.object.id),
        };
        let count = file
            .ok_or_else(changed)?
            .read_at(&mut self.block, wanted.offset)?;
        if count == 0 {
            return Err(changed());
        }
        self.block.truncate(count);
        Ok(())
    }
}

fn changed() -> io::Error {
    io::Error::other("it changed while it was sent; the standby asks again")
}

/// The tables that a frame's records put into force.
fn flips(frame: &Frame<'_>) -> Vec<u64> {
    let mut named = Vec::new();
    let mut at = 1;
    while let Some(unit) = frame.units.get(at) {
        let head = Head::from_unit(*unit);
        at += head.units();
        if head.kind == CommandKind::FlipLimits as u8
            && let Ok(Command::FlipLimits(flip)) = Command::decode(&head)
        {
            named.push(flip.digest);
        }
    }
    named
}

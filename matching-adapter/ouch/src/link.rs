//! One session's link to the engine: connection, login, replay, what goes out, what comes in.
//!
//! Owned by the venue. Invariants: nothing is sent before the replay was taken and the unanswered
//! messages were sent again; the core is told that a link is down before it is told that it is up
//! again; a link that stopped stays so until a person restarts it. It never blocks.

mod dialing;
mod recall;
mod session;
mod watching;

use std::collections::VecDeque;
use std::io::{Read, Write};

use portcullis_domain::{InstrumentId, OrderKey, ReportKind, SessionId, Timestamp, VenueReport};
use portcullis_runtime::Lasting;
use portcullis_venue::{NOTE_NOT_SENT, OutboundAction, OutboundOrder, VenueSink};
use portcullis_wire::ouch50::MESSAGE_BYTES_MAX;
use portcullis_wire::soupbin::{ClientConfig, ClientSession, LoginRejectReason, encode};

use crate::buffer::{Buffer, Moved};
use crate::config::{EngineInstrument, EngineLogin, OuchVenueConfig, ReplayEnd};
use crate::counters::Counters;
use crate::dial::{Dial, Dialed};
use crate::in_flight::{Asked, InFlight};
use crate::incoming::Desk;
use crate::orders::{EngineOrder, EngineOrders};
use crate::outgoing::{self, Outgoing};
use crate::rows::Rows;
use crate::stop_reason::{StopReader, StopReason, StopWriter};

/// Bytes received and not yet taken; several of the longest packets.
const READ_BUFFER_BYTES: usize = 64 * 1024;
/// Reads of one link in one poll.
const READS_PER_POLL: usize = 4;
/// Reject reason for what the protocol cannot say: processing error.
const NOTE_PROCESSING_ERROR: u8 = 0x0A;

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Waits before it tries to connect.
    Waiting {
        /// Until when.
        until: Timestamp,
    },
    /// Connecting.
    Dialing,
    /// The login was sent.
    LoggingIn,
    /// The engine resends what was missed.
    Replaying {
        /// When its last message came.
        heard: Timestamp,
    },
    /// What is not answered is sent again.
    Resending,
    /// Up.
    Up,
    /// Down until a person restarts it.
    Stopped(StopReason),
}

/// Bytes of the longest message's packet.
const PACKET_BYTES: usize = encode::packet_len(MESSAGE_BYTES_MAX);

/// A message that was put behind what is to be written and is not noted yet: its bytes leave first.
#[derive(Debug)]
struct Unnoted {
    outgoing: Outgoing,
    instrument: InstrumentId,
    /// Where its bytes are in the buffer.
    from: usize,
}

/// What all links share.
pub(crate) struct Shared<'a> {
    pub(crate) config: &'a OuchVenueConfig,
    pub(crate) orders: &'a mut EngineOrders,
    pub(crate) counters: &'a mut Counters,
    pub(crate) now: Timestamp,
}

impl Shared<'_> {
    /// What a session's messages are read against.
    fn desk<'a>(&'a mut self, session: SessionId, in_flight: &'a mut InFlight) -> Desk<'a> {
        Desk {
            session,
            instruments: &self.config.instruments,
            orders: self.orders,
            in_flight,
            counters: self.counters,
        }
    }
}

/// A message that an engine sent, by which its session is known again.
#[derive(Clone, Debug)]
struct Witness {
    number: u64,
    message: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Link<S> {
    session: SessionId,
    state: LinkState,
    /// Why it stopped, for whoever tells people.
    told_stop: StopWriter,
    /// Whether the core was told that it is up.
    told_up: bool,
    machine: Option<ClientSession>,
    stream: Option<S>,
    received: Buffer,
    to_write: Buffer,
    in_flight: InFlight,
    /// The last message that was put behind what is to be written, until that is written.
    unnoted: Option<Unnoted>,
    /// Answers of the adapter itself, for want of a link.
    owed: VecDeque<VenueReport>,
    /// Tries to connect since the link was last up.
    tries: u32,
    /// The last message that was reported.
    taken: u64,
    /// The number of the last message, where no report told it and the core is to be told.
    untold: Option<u64>,
    /// The last message of the log that had bytes: the engine must repeat it after a restart.
    witness: Option<Witness>,
    /// The next login asks only how far the engine's numbers are.
    sounds: bool,
    /// The engine's answers up to this number may be to the queries of another process; 0 where it does
    /// not matter.
    sounded: u64,
    /// How far the engine is, by row of numbers.
    rows: Rows,
    /// When this login's replay, and the answers to its queries, are waited for no longer.
    replay_due: Timestamp,
    /// Reads that found nothing since the last sign of bytes.
    fruitless: u32,
    /// Whether it has been among those polled for long.
    lasting: Lasting,
    /// The poller names its stream, if it has one.
    watched: bool,
    /// Stands in the venue's list of links that are polled.
    pub(crate) listed: bool,
    /// Stands in the venue's list of links that took something since they were last written to.
    pub(crate) unsent: bool,
}

impl<S: Read + Write> Link<S> {
    pub(crate) fn new(
        session: SessionId,
        login: Option<&EngineLogin>,
        config: &OuchVenueConfig,
    ) -> Self {
        let in_flight_max = config.in_flight_max as usize;
        let until = Timestamp::ZERO;
        let machine = login.map(|login| dialing::client(login, login.next_sequence, config));
        let (read_bytes, write_bytes) = if machine.is_some() {
            (READ_BUFFER_BYTES, config.write_buffer_bytes as usize)
        } else {
            (0, 0)
        };
        let mut told_stop = StopWriter::default();
        let state = if machine.is_some() {
            LinkState::Waiting { until }
        } else {
            told_stop.tell(Some(StopReason::NoRoute));
            LinkState::Stopped(StopReason::NoRoute)
        };
        Self {
            session,
            state,
            told_stop,
            told_up: false,
            machine,
            stream: None,
            received: Buffer::new(read_bytes),
            to_write: Buffer::new(write_bytes),
            in_flight: InFlight::new(in_flight_max, config.hash_seed),
            unnoted: None,
            owed: VecDeque::with_capacity(in_flight_max),
            tries: 0,
            taken: 0,
            untold: None,
            witness: None,
            sounds: false,
            sounded: 0,
            rows: Rows::default(),
            replay_due: Timestamp::ZERO,
            fruitless: 0,
            lasting: Lasting::default(),
            watched: false,
            listed: false,
            unsent: false,
        }
    }

    /// Writes what was submitted. What an end of the link means is left to the next poll.
    pub(crate) fn send_submitted(&mut self, shared: &mut Shared<'_>) {
        self.unsent = false;
        if self.state == LinkState::Up {
            self.flush(shared, &mut Work::default());
        }
    }

    pub(crate) const fn state(&self) -> LinkState {
        self.state
    }

    pub(crate) fn stop_reader(&self) -> StopReader {
        self.told_stop.reader()
    }

    /// Number of the last sequenced message that was reported; 0 before the first.
    pub(crate) const fn taken(&self) -> u64 {
        self.taken
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len() + usize::from(self.unnoted.is_some())
    }

    /// Whether nothing is on its way, nor owed by anybody.
    pub(crate) fn is_idle(&self) -> bool {
        let told = self.told_up == (self.state == LinkState::Up);
        let told = told && self.owed.is_empty() && self.untold.is_none();
        told && self.to_write.is_empty() && !self.in_flight.is_owed()
    }

    /// Logs out, if it is logged in, and stays down. What the socket does not take at once is lost.
    pub(crate) fn log_out(&mut self, shared: &mut Shared<'_>) {
        self.note(shared);
        let (Some(machine), Some(stream)) = (&mut self.machine, &mut self.stream) else {
            return;
        };
        let room = self.to_write.room(encode::packet_len(0));
        if let Ok(len) = machine.logout(room) {
            self.to_write.fill(len);
            self.to_write.write_to(stream);
        }
        self.stop(StopReason::LoggedOut);
    }

    /// Takes an order, or does not for want of room.
    pub(crate) fn submit(
        &mut self,
        order: &OutboundOrder,
        raw: &[u8],
        shared: &mut Shared<'_>,
    ) -> bool {
        self.note(shared);
        if self.state != LinkState::Up {
            return self.submit_without_link(order, raw, shared);
        }
        if matches!(order.action, OutboundAction::Enter { .. }) {
            return self.submit_by(outgoing::write_enter, order, raw, shared);
        }
        self.submit_other(order, raw, shared)
    }

    #[inline(never)]
    fn submit_other(&mut self, order: &OutboundOrder, raw: &[u8], shared: &mut Shared<'_>) -> bool {
        self.submit_by(outgoing::write, order, raw, shared)
    }

    /// Puts the message that `write` makes behind what is to be written.
    #[inline(always)]
    fn submit_by(
        &mut self,
        write: impl FnOnce(&OutboundOrder, &[u8], &EngineInstrument, &mut [u8]) -> Option<Outgoing>,
        order: &OutboundOrder,
        raw: &[u8],
        shared: &mut Shared<'_>,
    ) -> bool {
        let Some(machine) = &mut self.machine else {
            return false;
        };
        let Some(room) = self.to_write.room_of::<PACKET_BYTES>() else {
            return false;
        };
        let (head, message) = room.split_at_mut(encode::packet_len(0));
        let instrument = &shared.config.instruments[order.instrument.index()];
        let Some(outgoing) = write(order, raw, instrument, message) else {
            return self.owe(order, NOTE_PROCESSING_ERROR);
        };
        let enters = matches!(outgoing.asked, Asked::Enter { .. });
        if !self.in_flight.has_room_for(outgoing.asked) || enters && shared.orders.is_full() {
            return false;
        }
        let Ok(packet_head) = machine.send_behind(outgoing.len, shared.now) else {
            return false;
        };
        head.copy_from_slice(&packet_head);
        let kept = !enters || shared.orders.reserve();
        assert!(kept, "there was room for one more");
        shared.counters.messages_sent += 1;
        self.unnoted = Some(Unnoted {
            outgoing,
            instrument: order.instrument,
            from: self.to_write.end() + encode::packet_len(0),
        });
        self.to_write.fill(encode::packet_len(outgoing.len));
        true
    }

    /// Takes a cancel to be sent when the link is up; refuses all else.
    fn submit_without_link(
        &mut self,
        order: &OutboundOrder,
        raw: &[u8],
        shared: &mut Shared<'_>,
    ) -> bool {
        let stopped = matches!(self.state, LinkState::Stopped(_));
        let is_cancel = matches!(order.action, OutboundAction::Cancel { .. });
        if stopped || !is_cancel {
            // The engine never had it, so nobody else can answer it.
            shared.counters.refused_without_link += 1;
            return self.owe(order, NOTE_NOT_SENT);
        }
        let instrument = &shared.config.instruments[order.instrument.index()];
        let mut scratch = [0; MESSAGE_BYTES_MAX];
        let Some(outgoing) = outgoing::write(order, raw, instrument, &mut scratch) else {
            return self.owe(order, NOTE_PROCESSING_ERROR);
        };
        if !self.in_flight.has_room_for(outgoing.asked) {
            return false;
        }
        let alive = self.names_alive(outgoing.asked, shared);
        let message = &scratch[..outgoing.len];
        self.in_flight.keep(outgoing.asked, message, false, alive);
        true
    }

    /// Notes the message that was put behind what is to be written last, as the engine may have it by now.
    /// Before anything else is done with the link, so that nobody sees that it was not noted at once.
    #[inline]
    fn note(&mut self, shared: &mut Shared<'_>) {
        if self.unnoted.is_some() {
            self.note_last(shared);
        }
    }

    fn note_last(&mut self, shared: &mut Shared<'_>) {
        let Some(unnoted) = &self.unnoted else {
            return;
        };
        let Outgoing {
            asked,
            len,
            qty_wire,
        } = unnoted.outgoing;
        if let Asked::Enter { number } = asked {
            let engine_order = EngineOrder {
                instrument: unnoted.instrument,
                open_wire: qty_wire,
            };
            let key = OrderKey::new(self.session, number);
            shared.orders.open_reserved(key, engine_order);
        }
        let alive = self.names_alive(asked, shared);
        let message = self.to_write.was_filled(unnoted.from, len);
        self.in_flight.keep(asked, message, true, alive);
        self.unnoted = None;
    }

    /// Whether the order that a message names, if it names one, is open at the engine.
    fn names_alive(&self, asked: Asked, shared: &Shared<'_>) -> bool {
        let named = match asked {
            // It names none but itself.
            Asked::Enter { .. } => None,
            Asked::Replace { original, .. } => Some(original),
            Asked::Cancel { target, .. } => Some(target),
        };
        named.is_none_or(|named| {
            let order = shared.orders.get(OrderKey::new(self.session, named));
            order.is_some_and(|order| order.open_wire > 0)
        })
    }

    /// Puts a message behind what is to be written; `false` if it does not fit.
    fn write(&mut self, message: &[u8], shared: &mut Shared<'_>) -> bool {
        let needed = encode::packet_len(message.len());
        if self.to_write.free() < needed {
            return false;
        }
        let Some(machine) = &mut self.machine else {
            return false;
        };
        match machine.send(message, shared.now, self.to_write.room(needed)) {
            Ok(len) => {
                self.to_write.fill(len);
                shared.counters.messages_sent += 1;
                true
            }
            Err(_) => false,
        }
    }

    /// Refuses an order in the engine's name; `false` if there is no room for the answer.
    fn owe(&mut self, order: &OutboundOrder, note: u8) -> bool {
        if self.owed.len() == self.owed.capacity() {
            return false;
        }
        self.owed.push_back(self.refusal(order, note));
        true
    }

    const fn refusal(&self, order: &OutboundOrder, note: u8) -> VenueReport {
        let kind = match order.action {
            OutboundAction::Enter { .. } => ReportKind::Rejected,
            // Of several that are refused the first takes those behind it along: a rejection of one of them
            // would be taken for that of the whole order.
            OutboundAction::Replace { .. } => ReportKind::ReplaceRejected {
                new: order.user_ref,
            },
            OutboundAction::Cancel { .. } => ReportKind::CancelRejected,
        };
        VenueReport {
            session: self.session,
            user_ref: order.user_ref,
            kind,
            note,
        }
    }

    /// Whether it is up, and there is nothing to do but to look whether the engine has said anything: nearly always.
    #[inline]
    fn only_listens(&self) -> bool {
        self.state == LinkState::Up
            && self.told_up
            && self.received.is_empty()
            && self.to_write.is_empty()
            && self.owed.is_empty()
            && self.untold.is_none()
    }

    /// The link's share of a poll. Returns what was done, and how many calls of the sink that took.
    pub(crate) fn poll<D: Dial<Stream = S>>(
        &mut self,
        dial: &mut D,
        shared: &mut Shared<'_>,
        budget: usize,
        sink: &mut impl VenueSink,
    ) -> Work {
        let mut work = Work::default();
        if self.only_listens() && budget > 0 {
            self.listen(shared, budget, &mut work, sink);
            self.tell_link(budget, &mut work, sink);
            return work;
        }
        self.tell_link(budget, &mut work, sink);
        self.tell_sequence(budget, &mut work, sink);
        while work.told < budget
            && let Some(report) = self.owed.pop_front()
        {
            sink.on_report(report, &[]);
            work.told += 1;
        }
        match self.state {
            LinkState::Stopped(_) => {}
            LinkState::Waiting { until } if shared.now < until => {}
            LinkState::Waiting { .. } | LinkState::Dialing => self.connect(dial, shared, &mut work),
            LinkState::LoggingIn
            | LinkState::Replaying { .. }
            | LinkState::Resending
            | LinkState::Up => self.converse(shared, budget, &mut work, sink),
        }
        self.tell_link(budget, &mut work, sink);
        work
    }

    /// Tells the core what became of the link, if that is news.
    #[inline]
    fn tell_link(&mut self, budget: usize, work: &mut Work, sink: &mut impl VenueSink) {
        let up = self.state == LinkState::Up;
        if self.told_up != up && work.told < budget {
            self.told_up = up;
            sink.on_link(self.session, up);
            work.told += 1;
        }
    }

    /// Tells the engine's number, where no report did.
    #[inline]
    fn tell_sequence(&mut self, budget: usize, work: &mut Work, sink: &mut impl VenueSink) {
        if work.told < budget
            && let Some(sequence) = self.untold.take()
        {
            sink.on_sequence(self.session, sequence);
            work.told += 1;
        }
    }
}

/// What a poll did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Work {
    /// Calls of the sink.
    pub(crate) told: usize,
    /// Work beside them.
    pub(crate) done: usize,
}

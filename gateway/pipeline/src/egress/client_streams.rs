//! What each session's client has been told, and how it is said.
//!
//! Owned by egress, or by a replica that follows the log. Invariants: a session's messages are a function of
//! the records and effects in the order of the log, so that whoever follows the log has the same ones under
//! the same numbers; connections are no part of that.

use super::echo::Echoes;
use super::encode::{Encoder, Message};
use super::hold::{Held, Hold};
use super::stream::{Sent, Stream, Taken};
use super::{EgressConfig, EgressCounters};
use crate::item::ClientEffect;
use crate::resend::{Resending, ResentItem};
use crate::stream_reach::StreamReachWriter;
use crate::transport::{ConnectionId, OutboundTransport};
use portcullis_domain::{SessionEventKind, SessionId, Timestamp};
use portcullis_risk_core::{AnswerKind, ClientReport, SessionChange};

/// What clients have been told.
#[derive(Debug)]
pub struct ClientStreams {
    pub(super) streams: Box<[Stream]>,
    pub(super) echoes: Echoes,
    encoder: Encoder,
    /// Sessions with something to send, each at most once.
    active: Vec<SessionId>,
    /// Orders that went on in this turn, one behind the other of one session, and which: the last that there were.
    entered: (SessionId, usize),
    /// Refusals that wait now.
    waiting: u64,
    /// Those that waited and went in this turn, of a session each.
    let_go: Vec<Held>,
    counters: EgressCounters,
}

impl ClientStreams {
    /// Streams of which nothing was said yet. Allocates all they will ever use.
    #[must_use]
    pub fn new(config: &EgressConfig) -> Self {
        let streams = config.heartbeats.iter();
        Self {
            streams: streams
                .map(|heartbeat| Stream::new(config, *heartbeat))
                .collect(),
            echoes: Echoes::new(config.orders_max),
            encoder: Encoder::new(config.symbols.clone()),
            active: Vec::with_capacity(config.heartbeats.len()),
            entered: (SessionId::new(0), 0),
            waiting: 0,
            let_go: Vec::with_capacity(config.heartbeats.len()),
            counters: EgressCounters::default(),
        }
    }

    /// Takes what the log says was told before: sessions' coming and going apart, which is over.
    pub fn recall(&mut self, effect: &ClientEffect, raw: &[u8], at: Timestamp) {
        if !matches!(effect, ClientEffect::SessionChanged(_)) {
            let _ = self.say(effect, raw, at);
        }
    }

    /// Takes what is to be told now.
    #[inline]
    pub(super) fn take(
        &mut self,
        effect: &ClientEffect,
        raw: &[u8],
        at: Timestamp,
        now: Timestamp,
        reach: &StreamReachWriter,
    ) {
        let told = match effect {
            // Nearly all that comes: an order on its way, and what the engine said.
            ClientEffect::Entered(outbound) => {
                self.echoes.remember(outbound, raw, &self.encoder);
                self.note_entered(outbound.session);
                return;
            }
            ClientEffect::Reported(report) => self.say_reported(report, raw, at),
            ClientEffect::SessionChanged(change) => {
                self.session_changed(change, now, reach);
                return;
            }
            ClientEffect::Refused(_) => {
                if let Some(session) = self.say(effect, raw, at) {
                    self.activate_refused(session);
                }
                return;
            }
            ClientEffect::Answered(_) => self.say(effect, raw, at),
        };
        if let Some(session) = told {
            self.activate(session);
        }
    }

    /// Says it in its session's stream; `None` where nothing is said of it.
    #[inline(never)]
    fn say(&mut self, effect: &ClientEffect, raw: &[u8], at: Timestamp) -> Option<SessionId> {
        match effect {
            ClientEffect::Entered(outbound) => {
                self.echoes.remember(outbound, raw, &self.encoder);
                None
            }
            ClientEffect::Refused(refusal) => {
                let message = self.encoder.refused(refusal, raw, at);
                self.publish(refusal.session, &message)
            }
            ClientEffect::Answered(answer) => match answer.kind {
                // OUCH says nothing to either.
                AnswerKind::Resent | AnswerKind::OrderUnknown => None,
                AnswerKind::NextNumber(_)
                | AnswerKind::EntryDisabled
                | AnswerKind::EntryEnabled
                | AnswerKind::MassCancelTaken
                | AnswerKind::MassCancelRefused => {
                    let message = self.encoder.answered(answer, raw, at);
                    self.publish(answer.session, &message)
                }
            },
            ClientEffect::Reported(report) => self.say_reported(report, raw, at),
            ClientEffect::SessionChanged(_) => None,
        }
    }

    /// Says what the engine said of an order, and notes what of its client's words is wanted no longer.
    #[inline]
    fn say_reported(
        &mut self,
        report: &ClientReport,
        raw: &[u8],
        at: Timestamp,
    ) -> Option<SessionId> {
        let told = self.reported(report, raw, at);
        self.echoes.answered(report);
        told
    }

    #[inline]
    fn reported(&mut self, report: &ClientReport, raw: &[u8], at: Timestamp) -> Option<SessionId> {
        // The engine's own bytes go on as they came.
        if !raw.is_empty() {
            return self.publish_bytes(report.session, raw);
        }
        self.encode_reported(report, at)
    }

    #[inline(never)]
    fn encode_reported(&mut self, report: &ClientReport, at: Timestamp) -> Option<SessionId> {
        let message = self.encoder.reported(report, &self.echoes, at);
        self.publish(report.session, &message)
    }

    fn publish(&mut self, session: SessionId, message: &Message) -> Option<SessionId> {
        match message {
            Message::Encoded(buffer) => self.publish_bytes(session, buffer.bytes()),
            Message::Unencodable => {
                self.counters.unencodable += 1;
                None
            }
            Message::Nothing => None,
        }
    }

    #[inline]
    fn publish_bytes(&mut self, session: SessionId, message: &[u8]) -> Option<SessionId> {
        let stream = self.streams.get_mut(session.index())?;
        if !stream.publish(message) {
            self.counters.unencodable += 1;
            return None;
        }
        self.counters.published += 1;
        Some(session)
    }

    fn session_changed(
        &mut self,
        change: &SessionChange,
        now: Timestamp,
        reach: &StreamReachWriter,
    ) {
        let connection = ConnectionId::from_raw(change.connection);
        let Some(stream) = self.streams.get_mut(change.session.index()) else {
            return;
        };
        match change.kind {
            SessionEventKind::Up => {
                let journaled = reach.journaled(change.session);
                stream.log_on(connection, change.sequence, journaled, now);
                self.activate(change.session);
            }
            SessionEventKind::LoggedOut | SessionEventKind::Lost | SessionEventKind::Ended => {
                stream.unlink(connection);
            }
        }
    }

    #[inline]
    fn note_entered(&mut self, session: SessionId) {
        let (last, orders) = self.entered;
        let orders = if session == last { orders } else { 0 };
        self.entered = (session, orders + 1);
    }

    /// A refusal may wait for what the session is told next.
    fn activate_refused(&mut self, session: SessionId) {
        let stream = &mut self.streams[session.index()];
        stream.hold.refused(!stream.active);
        self.list(session);
    }

    #[inline]
    fn activate(&mut self, session: SessionId) {
        let hold = &mut self.streams[session.index()].hold;
        self.let_go.extend(hold.held());
        *hold = Hold::Nothing;
        self.list(session);
    }

    /// It has something to send.
    #[inline]
    fn list(&mut self, session: SessionId) {
        let stream = &mut self.streams[session.index()];
        if !stream.active {
            stream.active = true;
            self.active.push(session);
        }
    }

    /// Sends what active sessions have and does not wait, as far as their sockets take it; of each it is said first
    /// what its stream reaches. What waits is work, or whoever has nothing else to do would sleep over it.
    #[inline]
    pub(super) fn send(
        &mut self,
        transport: &mut impl OutboundTransport,
        now: Timestamp,
        reach: &mut StreamReachWriter,
    ) -> usize {
        let (entering, entered) = self.entered;
        self.entered.1 = 0;
        self.waiting = 0;
        let mut work = 0;
        let mut index = 0;
        while let Some(session) = self.active.get(index).copied() {
            let stream = &mut self.streams[session.index()];
            let orders = if session == entering { entered } else { 0 };
            let held = stream.hold.held();
            if stream.waits(now, orders) {
                self.waiting += stream.hold.held().map_or(0, |held| held.refusals);
                work += 1;
                index += 1;
                continue;
            }
            self.let_go.extend(held);
            let (oldest, next) = stream.reach();
            reach.say(session, oldest, next);
            let sent = stream.send(transport, now);
            match sent {
                Sent::All | Sent::Whole | Sent::Lagged => {
                    stream.active = false;
                    self.active.swap_remove(index);
                }
                Sent::Some | Sent::Blocked => index += 1,
            }
            // A wait that is over is work, whoever is there to be told: it is timed at the end of this turn.
            let went = matches!(sent, Sent::Some | Sent::Whole);
            work += usize::from(went || held.is_some());
            self.counters.lagged += u64::from(sent == Sent::Lagged);
        }
        work
    }

    /// Has its sessions ask for what they no longer store.
    pub(super) fn ask_of(&mut self, resending: &Resending) {
        for (session, stream) in (0..).map(SessionId::new).zip(&mut self.streams) {
            stream.asks(resending.asking(session));
        }
    }

    /// Takes what comes from the journal for a client; `false` where it must wait.
    pub(super) fn take_resent(
        &mut self,
        item: &ResentItem,
        message: &[u8],
        transport: &mut impl OutboundTransport,
        now: Timestamp,
    ) -> bool {
        let stream = &mut self.streams[item.session.index()];
        match stream.take_resent(item.connection, (item.what, message), transport, now) {
            Taken::ForClient => {
                self.counters.resent += 1;
                self.activate(item.session);
            }
            Taken::GivenUp => self.counters.given_up += 1,
            Taken::ForNobody => {}
            Taken::NoRoom => return false,
        }
        true
    }

    /// A session's heartbeat, where one is due.
    pub(super) fn keep_alive(
        &mut self,
        session: SessionId,
        transport: &mut impl OutboundTransport,
        now: Timestamp,
    ) {
        let stream = &mut self.streams[session.index()];
        stream.keep_alive(transport, now);
        if stream.is_waiting() {
            self.activate(session);
        }
    }

    pub(super) fn unlink(&mut self, connection: ConnectionId) {
        for stream in &mut self.streams {
            stream.unlink(connection);
        }
    }

    /// Ends every session: no more will be said on any.
    pub(super) fn end_all(&mut self) {
        for session in (0..self.streams.len() as u32).map(SessionId::new) {
            self.streams[session.index()].end();
            self.activate(session);
        }
    }

    /// Says what each stream reaches, before anybody logs on.
    pub(super) fn say_reach(&self, reach: &mut StreamReachWriter) {
        for (session, stream) in (0..).map(SessionId::new).zip(&self.streams) {
            let (oldest, next) = stream.reach();
            reach.say(session, oldest, next);
        }
    }

    /// The oldest message that a session's store has, or the next one.
    pub(crate) fn oldest(&self, session: SessionId) -> u64 {
        let stream = self.streams.get(session.index());
        stream.map_or(1, |stream| stream.reach().0)
    }

    /// A message that a session's store has.
    pub(crate) fn message(&self, session: SessionId, number: u64) -> Option<&[u8]> {
        self.streams.get(session.index())?.message(number)
    }

    /// Sessions.
    pub(super) fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether nothing waits to be sent.
    pub(super) fn are_sent(&self) -> bool {
        self.active.is_empty()
    }

    /// Refusals that were said and wait.
    pub(super) const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Refusals that waited and went in this turn.
    pub(super) fn let_go(&self) -> &[Held] {
        &self.let_go
    }

    /// A turn begins.
    #[inline]
    pub(super) fn begin_turn(&mut self) {
        self.let_go.clear();
    }

    /// What was counted.
    #[must_use]
    pub const fn counters(&self) -> &EgressCounters {
        &self.counters
    }

    /// Messages a session's stream has had so far.
    #[must_use]
    pub fn published(&self, session: SessionId) -> u64 {
        let stream = self.streams.get(session.index());
        stream.map_or(0, Stream::published)
    }
}

#[cfg(test)]
mod tests;

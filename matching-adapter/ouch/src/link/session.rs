//! A connected link: bytes in, messages taken, bytes out.
//!
//! Part of the link. Invariants: a message is taken only when there is budget to report it; one
//! whose number was taken before is not taken again; a number that no report told is told before the
//! next report, so that the log can count; the state changes only on the engine's word or on time.

use super::*;
use crate::incoming::Taken;
use portcullis_wire::ouch50::{AccountQuery, AppendageBuilder, Element};
use portcullis_wire::soupbin::{ClientEvent, ClientStep, ClientTimer, SessionName};

/// What a packet comes to that is no new message, with nothing borrowed of it.
enum Came {
    /// Nothing to do.
    Quiet,
    /// The login was taken, beginning with this number; another was asked for, in another session.
    LoggedIn {
        asked: u64,
        given: u64,
        same_session: bool,
    },
    Refused(LoginRejectReason),
    EndOfSession,
    /// The engine repeated a message of the log, and it is another one.
    OtherSession,
    Broken,
}

impl Came {
    /// What anything but a message comes to, of an engine whose session had this name before.
    #[cold]
    fn of(event: &ClientEvent<'_>, before: Option<SessionName>, counters: &mut Counters) -> Self {
        match event {
            ClientEvent::Ignored => Self::Quiet,
            ClientEvent::Unsequenced(_) => {
                counters.unattributed += 1;
                Self::Quiet
            }
            ClientEvent::LoggedIn { accepted, asked } => Self::LoggedIn {
                asked: *asked,
                given: accepted.sequence.max(1),
                same_session: before.is_none_or(|name| {
                    name.to_ascii_uppercase() == accepted.session.to_ascii_uppercase()
                }),
            },
            ClientEvent::LoginRejected(reason) => Self::Refused(*reason),
            ClientEvent::EndOfSession => Self::EndOfSession,
            // A message is asked for before, so that this is none.
            ClientEvent::Fault(_) | ClientEvent::Sequenced { .. } => Self::Broken,
        }
    }

    /// What a message comes to that was taken before.
    #[cold]
    fn repeated(
        number: u64,
        message: &[u8],
        witness: &mut Option<Witness>,
        counters: &mut Counters,
    ) -> Self {
        counters.messages_repeated += 1;
        match &*witness {
            Some(witness) if witness.number == number && !witness.is(message) => Self::OtherSession,
            Some(_) | None => {
                *witness = None;
                Self::Quiet
            }
        }
    }
}

impl<S: Read + Write> Link<S> {
    /// Reads once, of a link that has nothing else to do, and takes what came.
    #[inline]
    pub(super) fn listen(
        &mut self,
        shared: &mut Shared<'_>,
        budget: usize,
        work: &mut Work,
        sink: &mut impl VenueSink,
    ) {
        shared.counters.reads += 1;
        match self.receive() {
            Some(Moved::Bytes(0)) | None => self.fruitless = self.fruitless.saturating_add(1),
            Some(Moved::Bytes(_)) => {
                self.fruitless = 0;
                work.done += 1;
                self.take_received(shared, budget, work, sink);
            }
            Some(Moved::Closed) => {
                self.lose(shared);
                return;
            }
        }
        self.watch(true, shared);
        self.flush(shared, work);
    }

    pub(super) fn converse(
        &mut self,
        shared: &mut Shared<'_>,
        budget: usize,
        work: &mut Work,
        sink: &mut impl VenueSink,
    ) {
        // What was submitted since the last poll goes before anything is read.
        self.flush(shared, work);
        let mut heard_out = false;
        for _ in 0..READS_PER_POLL {
            if !self.take_packets(shared, budget, work, sink) {
                break;
            }
            shared.counters.reads += 1;
            heard_out = true;
            match self.receive() {
                Some(Moved::Bytes(0)) | None => {
                    self.fruitless = self.fruitless.saturating_add(1);
                    break;
                }
                Some(Moved::Bytes(_)) => {
                    self.fruitless = 0;
                    work.done += 1;
                }
                Some(Moved::Closed) => {
                    self.lose(shared);
                    return;
                }
            }
            if !self.received.is_full_to_the_end() {
                // A read that left room has emptied the socket; another would find nothing.
                self.take_packets(shared, budget, work, sink);
                break;
            }
        }
        self.watch(heard_out, shared);
        self.catch_up(shared);
        self.flush(shared, work);
    }

    fn receive(&mut self) -> Option<Moved> {
        let stream = self.stream.as_mut()?;
        Some(self.received.read_from(stream))
    }

    /// Takes whole packets while there is budget; `false` when the budget is gone or the link is.
    #[inline]
    fn take_packets(
        &mut self,
        shared: &mut Shared<'_>,
        budget: usize,
        work: &mut Work,
        sink: &mut impl VenueSink,
    ) -> bool {
        let nothing_waits = self.received.is_empty() && self.untold.is_none();
        if nothing_waits && work.told < budget {
            return self.stream.is_some();
        }
        self.take_received(shared, budget, work, sink)
    }

    fn take_received(
        &mut self,
        shared: &mut Shared<'_>,
        budget: usize,
        work: &mut Work,
        sink: &mut impl VenueSink,
    ) -> bool {
        while self.stream.is_some() {
            self.tell_sequence(budget, work, sink);
            if work.told >= budget {
                break;
            }
            if self.received.is_empty() {
                return true;
            }
            let Some(machine) = &mut self.machine else {
                return true;
            };
            let next = machine.sequenced(self.received.filled(), shared.now);
            let Some((number, message)) = next else {
                if !self.take_packet(shared, work) {
                    return true;
                }
                continue;
            };
            work.done += 1;
            let consumed = encode::packet_len(message.len());
            if number <= self.taken {
                let came = Came::repeated(number, message, &mut self.witness, shared.counters);
                self.received.take(consumed);
                self.take_other(&came, shared);
                continue;
            }
            let mut desk = shared.desk(self.session, &mut self.in_flight);
            if let Some(report) = desk.hear_acceptance(message, sink) {
                work.told += 1;
                self.received.take(consumed);
                self.taken_report(&report, number, shared);
                continue;
            }
            let taken = desk.hear(message, sink);
            work.told += usize::from(matches!(taken, Taken::Report(_)));
            self.received.take(consumed);
            self.taken_message(&taken, number, shared);
        }
        false
    }

    /// Takes the packet at the front that is no whole message; `false` where none is whole.
    #[inline(never)]
    fn take_packet(&mut self, shared: &mut Shared<'_>, work: &mut Work) -> bool {
        let Some(machine) = &mut self.machine else {
            return false;
        };
        let before = machine.session();
        let (event, consumed) = match machine.step(self.received.filled(), shared.now) {
            ClientStep::NeedMore { .. } | ClientStep::Closed => return false,
            ClientStep::Event { event, consumed } => (event, consumed),
        };
        work.done += 1;
        let came = Came::of(&event, before, shared.counters);
        self.received.take(consumed);
        self.take_other(&came, shared);
        true
    }

    #[cold]
    fn take_other(&mut self, came: &Came, shared: &mut Shared<'_>) {
        match *came {
            Came::Quiet => {}
            Came::LoggedIn {
                asked,
                given,
                same_session,
            } => self.logged_in(asked, given, same_session, shared),
            Came::Refused(LoginRejectReason::NotAuthorised) => {
                self.stop(StopReason::NotAuthorised);
            }
            Came::Refused(LoginRejectReason::SessionNotAvailable) | Came::Broken => {
                self.lose(shared);
            }
            Came::EndOfSession => self.stop(StopReason::EndOfSession),
            Came::OtherSession => self.stop(StopReason::SessionChanged),
        }
    }

    fn taken_message(&mut self, taken: &Taken, number: u64, shared: &mut Shared<'_>) {
        match taken {
            Taken::Report(report) => return self.taken_report(report, number, shared),
            Taken::Unreadable => return self.stop(StopReason::Unreadable { number }),
            Taken::Nothing | Taken::QueryAnswered { .. } => {}
        }
        self.count_taken(number, shared);
        self.untold = Some(number);
        if let Taken::QueryAnswered { row, next } = *taken {
            self.answered(row, next, number, shared);
        }
    }

    #[inline(always)]
    fn taken_report(&mut self, report: &VenueReport, number: u64, shared: &mut Shared<'_>) {
        if self.count_taken(number, shared) {
            self.rows.note_report(report);
        }
    }

    /// Counts a message; whether it is one of the replay.
    #[inline(always)]
    const fn count_taken(&mut self, number: u64, shared: &mut Shared<'_>) -> bool {
        shared.counters.messages_taken += 1;
        self.taken = number;
        let LinkState::Replaying { heard } = &mut self.state else {
            return false;
        };
        *heard = shared.now;
        true
    }

    fn logged_in(&mut self, asked: u64, given: u64, same_session: bool, shared: &mut Shared<'_>) {
        shared.counters.logins += 1;
        if !same_session {
            self.stop(StopReason::SessionChanged);
            return;
        }
        if self.sounds {
            self.sounded(given, shared);
            return;
        }
        if asked != 0 && asked != given {
            self.stop(StopReason::MessagesLost { asked, given });
            return;
        }
        // Less where the engine repeats what is known, by which its session is known again.
        let repeats = self.witness.as_ref().map(|witness| witness.number) == Some(given);
        if !repeats {
            self.witness = None;
            self.go_on_after(given - 1);
        }
        self.rows.begin();
        self.replay_due = shared.now.saturating_add(shared.config.silence_max);
        self.state = LinkState::Replaying { heard: shared.now };
        if shared.config.replay_end == ReplayEnd::Answered {
            if self.sounded > 0 {
                self.ask_of_doubts(shared);
            }
            self.ask_number(0, shared);
        }
    }

    /// The engine's next message is the one after this.
    fn go_on_after(&mut self, taken: u64) {
        if self.taken != taken {
            self.taken = taken;
            self.untold = Some(taken);
        }
    }

    /// Asks for the number of a row that comes next: the replay ends with the answers.
    pub(super) fn ask_number(&mut self, row: u8, shared: &mut Shared<'_>) {
        let mut builder = AppendageBuilder::new();
        if row != 0 {
            let first = builder.push(Element::UserRefIdx(row));
            first.expect("the first element");
        }
        let appendage = (row != 0).then(|| builder.finish());
        let mut query = [0; 16];
        let len = AccountQuery {}
            .encode(appendage, &mut query)
            .expect("a query is a few bytes");
        // Nothing but the login and a query a row was written on this link: there is room.
        self.write(&query[..len], shared);
        self.rows.ask(row);
    }

    /// Sends heartbeats, and gives up on an engine that is silent, if it was `heard_out`: what waited has just been read.
    /// Else its words may stand unread, where this thread was kept from reading them.
    #[inline]
    pub(super) fn watch(&mut self, heard_out: bool, shared: &mut Shared<'_>) {
        let due = self.machine.as_ref().and_then(ClientSession::deadline);
        if due.is_some_and(|due| shared.now >= due) {
            self.keep_alive(heard_out, shared);
        }
    }

    #[cold]
    fn keep_alive(&mut self, heard_out: bool, shared: &mut Shared<'_>) {
        let Some(machine) = &mut self.machine else {
            return;
        };
        if machine.is_overdue(shared.now) && !heard_out {
            return;
        }
        let room = self.to_write.room(encode::packet_len(0));
        match machine.on_time(shared.now, room) {
            Ok(ClientTimer::Heartbeat { len }) => self.to_write.fill(len),
            Ok(ClientTimer::ServerSilent) => self.lose(shared),
            // Without room the engine has bytes to read, which are as good as a heartbeat.
            Ok(ClientTimer::NotDue) | Err(_) => {}
        }
    }

    /// From the end of the replay to a link that is up.
    #[inline]
    fn catch_up(&mut self, shared: &mut Shared<'_>) {
        if self.state != LinkState::Up {
            self.come_up(shared);
        }
    }

    fn come_up(&mut self, shared: &mut Shared<'_>) {
        if let LinkState::Replaying { heard } = self.state {
            let over = match shared.config.replay_end {
                ReplayEnd::Quiet(span) => {
                    let quiet = shared.now.since(heard) >= span && self.received.is_empty();
                    // An engine that trades all the time is never quiet.
                    quiet || shared.now >= self.replay_due
                }
                ReplayEnd::Answered => self.is_answered(),
            };
            if over {
                self.state = LinkState::Resending;
            } else if self.misses_answers(shared) {
                shared.counters.answers_missing += 1;
                self.lose(shared);
            }
        }
        if self.state != LinkState::Resending {
            return;
        }
        while let Some(unsent) = self.in_flight.next_unsent() {
            if let Some((number, kind)) = self.never_arrived(&unsent, shared.config.replay_end) {
                if self.owed.len() == self.owed.capacity() {
                    return;
                }
                self.refuse_recalled(number, kind, shared);
                continue;
            }
            let mut copy = [0; MESSAGE_BYTES_MAX];
            let len = unsent.message.len();
            copy[..len].copy_from_slice(unsent.message);
            if !self.write(&copy[..len], shared) {
                return;
            }
            shared.counters.messages_resent += 1;
            self.in_flight.note_sent();
        }
        // The core must have been told that it was down, or it would not learn that it is up again;
        // and what is refused of the time before, so that it is reconciled.
        if !self.told_up && self.owed.is_empty() {
            self.state = LinkState::Up;
            self.tries = 0;
        }
    }

    #[inline]
    pub(super) fn flush(&mut self, shared: &mut Shared<'_>, work: &mut Work) {
        // What is not noted is not written either.
        if !self.to_write.is_empty() {
            self.write_out(shared, work);
        }
    }

    fn write_out(&mut self, shared: &mut Shared<'_>, work: &mut Work) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        let moved = self.to_write.write_to(stream);
        // Whatever became of them: some of its bytes may be on their way.
        self.note(shared);
        match moved {
            Moved::Bytes(count) => work.done += usize::from(count > 0),
            Moved::Closed => self.lose(shared),
        }
    }
}

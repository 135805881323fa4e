//! A link's past, told from the log, and what comes of it at the first login.
//!
//! Part of the link. Invariants: the past goes through the code that took it when it was new; nothing
//! is sent before the log has ended. After it, the engine is asked for the last message that the log
//! has, and must say the same: a session of the same name of another day would not. What the log left
//! unanswered is decided when the engine's replay is over, which the answer to a query tells; since the
//! replay may hold answers to queries of the process before, a login of its own asks first how far the
//! engine is. A session has many rows of numbers, each with an answer of its own, and each with anything in
//! doubt must have it first. An order or replace whose number the engine has not reached never arrived and
//! is refused: nobody wants an order from before a restart. All else is sent again, which OUCH ignores
//! where it is known. An engine that does not answer for a row loses the link, which asks again; one whose
//! answer is at odds with its own words stops it. It must never send an order that it can tell was never
//! sent.

use super::*;
use crate::config::Route;
use crate::in_flight::Unwritten;
use crate::incoming::{self, Taken};
use crate::rows::{Contradiction, Rows};
use portcullis_domain::UserRef;
use portcullis_venue::saved::{SavedError, SavedReader, SavedWriter};

impl Witness {
    /// Whether the engine's message is this one.
    pub(super) fn is(&self, message: &[u8]) -> bool {
        let mut scratch = [0; incoming::SALVAGE_BYTES];
        incoming::carried(message, &mut scratch) == Some(&self.message[..])
    }
}

impl<S: Read + Write> Link<S> {
    /// An approved order of the log.
    pub(crate) fn recall_order(
        &mut self,
        order: &OutboundOrder,
        raw: &[u8],
        shared: &mut Shared<'_>,
    ) {
        if self.machine.is_none() {
            self.owed.push_back(self.refusal(order, NOTE_NOT_SENT));
            return;
        }
        let instrument = &shared.config.instruments[order.instrument.index()];
        let mut scratch = [0; MESSAGE_BYTES_MAX];
        let Some(outgoing) = outgoing::write(order, raw, instrument, &mut scratch) else {
            self.owed
                .push_back(self.refusal(order, NOTE_PROCESSING_ERROR));
            return;
        };
        if matches!(order.action, OutboundAction::Enter { .. }) {
            let key = OrderKey::new(order.session, order.user_ref);
            let engine_order = EngineOrder {
                instrument: order.instrument,
                open_wire: outgoing.qty_wire,
            };
            if !shared.orders.open(key, engine_order) {
                shared.counters.orders_not_kept += 1;
            }
        }
        let alive = self.names_alive(outgoing.asked, shared);
        let message = &scratch[..outgoing.len];
        self.in_flight.recall(outgoing.asked, message, alive);
    }

    /// A report of the log; returns what the adapter makes of the engine's bytes.
    pub(crate) fn recall_report(
        &mut self,
        report: &VenueReport,
        raw: &[u8],
        shared: &mut Shared<'_>,
    ) -> Option<VenueReport> {
        let mut desk = shared.desk(self.session, &mut self.in_flight);
        if raw.is_empty() {
            let own = desk.take_own(report);
            // One that the adapter could not send was its own to refuse.
            if let Some(place) = self.owed.iter().position(|owed| owed == report) {
                self.owed.remove(place);
            }
            return own.then_some(*report);
        }
        let taken = desk.take(raw);
        if let Taken::Report(made) = &taken {
            self.rows.note_report(made);
        }
        self.taken = self.taken.saturating_add(1);
        let witness = self.witness.get_or_insert_with(|| Witness {
            number: 0,
            message: Vec::with_capacity(raw.len()),
        });
        witness.number = self.taken;
        witness.message.clear();
        witness.message.extend_from_slice(raw);
        match taken {
            Taken::Report(made) => Some(made),
            Taken::Nothing | Taken::QueryAnswered { .. } | Taken::Unreadable => None,
        }
    }

    /// The engine's number stood there.
    pub(crate) fn recall_sequence(&mut self, sequence: u64) {
        // Numbers that go back are those of another session.
        if sequence < self.taken {
            self.rows.forget();
        }
        self.taken = sequence;
        let later = |witness: &Witness| witness.number > sequence;
        if self.witness.as_ref().is_some_and(later) {
            self.witness = None;
        }
    }

    /// The log ends. Returns what of it is unanswered: orders and replaces, and cancels.
    pub(crate) fn recalled(
        &mut self,
        login: Option<&EngineLogin>,
        config: &OuchVenueConfig,
    ) -> (u64, u64) {
        // What the core believes of the link is the log's word: it is told that it is down.
        self.told_up = true;
        self.in_flight.link_lost();
        let orders = (self.in_flight.all()).filter(|unsent| unsent.asked.number().is_some());
        let orders = orders.count() as u64;
        if let Some(login) = login {
            self.sounds = orders > 0 && config.replay_end == ReplayEnd::Answered;
            let next = if self.sounds {
                0
            } else {
                self.first_to_ask(login)
            };
            self.machine = Some(dialing::client(login, next, config));
        }
        (orders, self.in_flight.len() as u64 - orders)
    }

    /// The message to ask for first: the last one of the log, to know the session by.
    fn first_to_ask(&self, login: &EngineLogin) -> u64 {
        match &self.witness {
            Some(witness) => witness.number,
            None if self.taken > 0 => self.taken.saturating_add(1),
            None => login.next_sequence,
        }
    }

    /// The engine said how far it is: the link begins anew, in that session.
    pub(super) fn sounded(&mut self, given: u64, shared: &Shared<'_>) {
        self.sounds = false;
        self.sounded = given;
        let granted = self.machine.as_ref().and_then(ClientSession::session);
        self.hang_up();
        self.state = LinkState::Waiting { until: shared.now };
        if let Route::Own(login) = &shared.config.sessions[self.session.index()] {
            let login = EngineLogin {
                engine_session: granted,
                ..*login
            };
            self.machine = Some(dialing::client(
                &login,
                self.first_to_ask(&login),
                shared.config,
            ));
        }
    }

    /// Asks of each row in which the log left something unanswered. One question comes before: its
    /// answer may have the very number that the engine named, of which nobody knows whether it was
    /// said already.
    pub(super) fn ask_of_doubts(&mut self, shared: &mut Shared<'_>) {
        self.ask_number(0, shared);
        let rows = self.in_flight.rows_in_doubt();
        for row in (1..=u8::MAX).filter(|row| rows.has(*row)) {
            self.ask_number(row, shared);
        }
    }

    /// Takes the answer to a query, if it is to one of this process.
    pub(super) fn answered(&mut self, row: u8, next: u32, number: u64, shared: &mut Shared<'_>) {
        if number <= self.sounded {
            return;
        }
        if !self.rows.is_asked(row) {
            shared.counters.unattributed += 1;
            return;
        }
        // Where nothing is in doubt, a contradiction is the engine's own affair.
        if let Err(Contradiction { used }) = self.rows.answer(row, next)
            && self.in_flight.rows_in_doubt().has(row)
        {
            self.stop(StopReason::NumbersContradict { row, used, next });
        }
    }

    /// Whether all that this login had to ask is answered: where the replay ends, and how far the engine
    /// is in each row with anything in doubt.
    pub(super) fn is_answered(&self) -> bool {
        self.rows.is_answered(0) && self.rows.are_answered(&self.in_flight.rows_in_doubt())
    }

    /// Whether an answer should be there and is not, though all that came was taken. Counted from the
    /// login, not from the last message: executions may come for ever. A replay that takes longer loses
    /// nothing: the next login goes on where this one ended.
    pub(super) fn misses_answers(&self, shared: &Shared<'_>) -> bool {
        shared.config.replay_end == ReplayEnd::Answered
            && shared.now >= self.replay_due
            && self.received.is_empty()
    }

    /// The number of an order or replace of the log that the engine has not reached, and how that is refused.
    pub(super) fn never_arrived(
        &self,
        unsent: &Unwritten<'_>,
        replay_end: ReplayEnd,
    ) -> Option<(UserRef, ReportKind)> {
        let number = unsent.asked.number().filter(|_| unsent.recalled)?;
        if replay_end != ReplayEnd::Answered {
            return None;
        }
        let answered = self.rows.is_answered(number.row);
        assert!(answered, "no row is in doubt where the replay has ended");
        let kind = match unsent.asked {
            Asked::Replace { number, .. } => ReportKind::ReplaceRejected { new: number },
            Asked::Enter { .. } | Asked::Cancel { .. } => ReportKind::Rejected,
        };
        (number.number > self.rows.used(number.row)).then_some((number, kind))
    }

    /// Refuses in the engine's name what never arrived there; what names it is over with it.
    pub(super) fn refuse_recalled(
        &mut self,
        number: UserRef,
        kind: ReportKind,
        shared: &mut Shared<'_>,
    ) {
        shared.counters.refused_after_restart += 1;
        self.in_flight.gone(number);
        let key = OrderKey::new(self.session, number);
        shared.orders.close(key);
        self.owed.push_back(VenueReport {
            session: self.session,
            user_ref: number,
            kind,
            note: NOTE_NOT_SENT,
        });
    }

    /// Writes down what it remembers of the log.
    pub(crate) fn save(&self, to: &mut SavedWriter<'_>) {
        assert!(self.unnoted.is_none(), "nothing is on its way out");
        to.u64(self.taken);
        match &self.witness {
            None => to.u64(0),
            Some(witness) => {
                to.u64(witness.number);
                to.u8(witness.message.len() as u8);
                to.bytes(&witness.message);
            }
        }
        self.rows.save(to);
        to.count(self.in_flight.len());
        for unsent in self.in_flight.all() {
            save_asked(unsent.asked, to);
            to.u8(unsent.message.len() as u8);
            to.bytes(unsent.message);
        }
        to.count(self.owed.len());
        for report in &self.owed {
            to.u8(match report.kind {
                ReportKind::CancelRejected => CANCEL,
                ReportKind::ReplaceRejected { .. } => REPLACE,
                ReportKind::Accepted
                | ReportKind::Fill { .. }
                | ReportKind::Canceled
                | ReportKind::Reduced { .. }
                | ReportKind::Rejected
                | ReportKind::Replaced { .. }
                | ReportKind::CancelPending
                | ReportKind::BrokenTrade { .. }
                | ReportKind::Information => ENTER,
            });
            to.user_ref(report.user_ref);
            to.u8(report.note);
        }
    }

    /// Reads what [`Link::save`] wrote.
    pub(crate) fn load(&mut self, from: &mut SavedReader<'_>) -> Result<(), SavedError> {
        self.taken = from.u64("taken")?;
        from.hold("taken", self.taken < 1 << 63)?;
        let number = from.u64("witness")?;
        from.hold("witness", number <= self.taken)?;
        if number > 0 {
            let len = usize::from(from.u8("witness_len")?);
            let message = from.bytes("witness_message", len)?.to_vec();
            self.witness = Some(Witness { number, message });
        }
        self.rows = Rows::load(from)?;
        for _ in 0..from.count("in_flight", 8)? {
            let asked = load_asked(from)?;
            let len = usize::from(from.u8("message_len")?);
            from.hold("message_len", len <= MESSAGE_BYTES_MAX)?;
            let message = from.bytes("message", len)?;
            self.in_flight.recall(asked, message, true);
        }
        for _ in 0..from.count("owed", 7)? {
            let refused = from.u8("owed_kind")?;
            let user_ref = from.user_ref("owed_number")?;
            let kind = match refused {
                ENTER => Some(ReportKind::Rejected),
                REPLACE => Some(ReportKind::ReplaceRejected { new: user_ref }),
                CANCEL => Some(ReportKind::CancelRejected),
                _ => None,
            };
            let kind = from.have("owed_kind", kind)?;
            self.owed.push_back(VenueReport {
                session: self.session,
                user_ref,
                kind,
                note: from.u8("owed_note")?,
            });
        }
        Ok(())
    }
}

const ENTER: u8 = 0;
const REPLACE: u8 = 1;
const CANCEL: u8 = 2;

fn save_asked(asked: Asked, to: &mut SavedWriter<'_>) {
    match asked {
        Asked::Enter { number } => {
            to.u8(ENTER);
            to.user_ref(number);
        }
        Asked::Replace { number, original } => {
            to.u8(REPLACE);
            to.user_ref(number);
            to.user_ref(original);
        }
        Asked::Cancel {
            target,
            remain_wire,
        } => {
            to.u8(CANCEL);
            to.user_ref(target);
            to.u32(remain_wire);
        }
    }
}

fn load_asked(from: &mut SavedReader<'_>) -> Result<Asked, SavedError> {
    let kind = from.u8("asked")?;
    from.hold("asked", matches!(kind, ENTER | REPLACE | CANCEL))?;
    let named = from.user_ref("number")?;
    Ok(match kind {
        ENTER => Asked::Enter { number: named },
        REPLACE => Asked::Replace {
            number: named,
            original: from.user_ref("original")?,
        },
        _ => Asked::Cancel {
            target: named,
            remain_wire: from.u32("remain_wire")?,
        },
    })
}

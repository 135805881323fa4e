//! The book made again from the log.
//!
//! Runs where the log is replayed, before the venue is polled. What the ladder says depends on its
//! commands and their order alone, so it is given the log's orders again and must say the log's
//! reports. Invariants: a command goes in only when the ladder has nothing left to say of those before
//! it and the log goes on with a report, so that an order which the log says never left can still be
//! taken out; between two records of the log no report is held here. What the log does not answer goes
//! into the ladder when the venue lives, and its reports with it: to the book, the time in between did
//! not pass. It must never go on after something that does not fit.

use std::collections::VecDeque;

use portcullis_domain::{ReportKind, SessionId, UserRef, VenueReport};
use portcullis_ladder::{Command, Ladder};
use portcullis_venue::saved::{SavedError, SavedReader, SavedWriter};
use portcullis_venue::{
    Approved, OutboundOrder, RecallEnd, RecallFault, RecallVenue, is_gateways_own,
};

use crate::codes::Origin;
use crate::venue::EmbeddedVenue;

const KIND: [u8; 4] = *b"PCLV";
const VERSION: u32 = 1;

/// What the log told and the ladder does not have yet.
#[derive(Debug, Default)]
pub(crate) struct Recall {
    pub(crate) queued: VecDeque<(Command, Origin)>,
    /// Reports of the log so far.
    reports: u64,
    fault: Option<RecallFault>,
}

impl EmbeddedVenue {
    /// Gives the ladder what waits for it, while there is room; returns how much.
    pub(crate) fn submit_recalled(&mut self) -> usize {
        let mut submitted = 0;
        while self.ladder.inbox_room() > 0
            && let Some((command, origin)) = self.recall.queued.pop_front()
        {
            self.take(command, origin).expect("room was asked for");
            submitted += 1;
        }
        submitted
    }

    /// What the ladder says next, given command after command of the log; `None` if it has nothing to
    /// say to all of them.
    fn next_recalled(&mut self) -> Option<VenueReport> {
        loop {
            if self.ladder.is_idle() {
                let (command, origin) = self.recall.queued.pop_front()?;
                self.take(command, origin).expect("an idle ladder has room");
            }
            if let Some(report) = self.next_report(&mut 0) {
                return Some(report);
            }
        }
    }

    /// Takes out an order that never left the gateway; `false` if the ladder has it.
    fn forget(&mut self, report: &VenueReport) -> bool {
        let refused = match report.kind {
            ReportKind::ReplaceRejected { new } => new,
            ReportKind::Accepted
            | ReportKind::Fill { .. }
            | ReportKind::Canceled
            | ReportKind::Reduced { .. }
            | ReportKind::Rejected
            | ReportKind::Replaced { .. }
            | ReportKind::CancelPending
            | ReportKind::CancelRejected
            | ReportKind::BrokenTrade { .. }
            | ReportKind::Information => report.user_ref,
        };
        let of_cancel = report.kind == ReportKind::CancelRejected;
        let queued = &mut self.recall.queued;
        let place = queued
            .iter()
            .position(|(command, _)| asks(command, report.session, refused, of_cancel));
        place.is_some_and(|place| queued.remove(place).is_some())
    }
}

/// Whether a command enters this number, or with `of_cancel` cancels it.
fn asks(command: &Command, session: SessionId, number: UserRef, of_cancel: bool) -> bool {
    match command {
        Command::New(new) => !of_cancel && (new.session, new.user_ref) == (session, number),
        Command::Replace(replace) => {
            !of_cancel && (replace.session, replace.user_ref) == (session, number)
        }
        Command::Cancel(cancel) => {
            of_cancel && (cancel.session, cancel.user_ref) == (session, number)
        }
        Command::MassCancel(_) | Command::DayEnd | Command::Bust { .. } => false,
    }
}

impl RecallVenue for EmbeddedVenue {
    fn recall_order(&mut self, order: Approved<OutboundOrder>, raw: &[u8]) {
        if self.recall.fault.is_none() {
            let command = self.command(order.get(), raw);
            self.recall.queued.push_back(command);
        }
    }

    fn recall_report(&mut self, report: &VenueReport, raw: &[u8]) {
        if self.recall.fault.is_some() {
            return;
        }
        self.recall.reports += 1;
        if is_gateways_own(report, raw) && self.forget(report) {
            return;
        }
        let made = self.next_recalled();
        if made.as_ref() != Some(report) {
            self.recall.fault = Some(RecallFault::ReportDiffers {
                number: self.recall.reports,
                logged: *report,
                made,
            });
            self.recall.queued.clear();
        }
    }

    /// The ladder has no numbers of its own: what it has not said yet it says again.
    fn recall_sequence(&mut self, _session: SessionId, _sequence: u64) {}

    fn recall_fault(&self) -> Option<RecallFault> {
        self.recall.fault
    }

    fn recalled(&mut self) -> RecallEnd {
        let mut end = RecallEnd {
            fault: self.recall_fault(),
            ..RecallEnd::default()
        };
        for (command, _) in &self.recall.queued {
            match command {
                Command::New(_) | Command::Replace(_) => end.orders_in_doubt += 1,
                Command::Cancel(_)
                | Command::MassCancel(_)
                | Command::DayEnd
                | Command::Bust { .. } => end.cancels_in_doubt += 1,
            }
        }
        end
    }

    fn save(&self, out: &mut Vec<u8>) {
        let mut to = SavedWriter::begin(out, KIND, VERSION);
        to.u8(self.recall.fault.is_some().into());
        to.u64(self.recall.reports);
        to.u8(letter(self.in_hand));
        to.count(self.origins.len());
        self.origins
            .iter()
            .for_each(|origin| to.u8(letter(*origin)));
        to.count(self.recall.queued.len());
        for (command, origin) in &self.recall.queued {
            to.u8(letter(*origin));
            let start = to.out().len();
            to.u32(0);
            command.save(to.out());
            let len = (to.out().len() - start - 4) as u32;
            to.out()[start..start + 4].copy_from_slice(&len.to_le_bytes());
        }
        self.ladder.save(to.out());
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedError> {
        let mut from = SavedReader::begin(bytes, KIND, VERSION)?;
        // One that did not fit its log is not made again either.
        let faulty = from.u8("fault")?;
        from.hold("fault", faulty == 0)?;
        let reports = from.u64("reports")?;
        let in_hand = read_origin(&mut from)?;
        let count = from.count("origins", 1)?;
        let origins: Result<VecDeque<_>, _> = (0..count).map(|_| read_origin(&mut from)).collect();
        let origins = origins?;
        let count = from.count("queued", 5)?;
        let queued: Result<_, _> = (0..count).map(|_| read_command(&mut from)).collect();
        let queued = queued?;
        let config = self.ladder.config().clone();
        let ladder = Ladder::restore(config, from.rest())
            .map_err(|error| SavedError::Engine(error.to_string()))?;
        let waiting = ladder.config().inbox_max as usize - ladder.inbox_room();
        from.hold("origins", origins.len() == waiting)?;
        self.ladder = ladder;
        // Into the room that was taken at start.
        self.origins.clear();
        self.origins.extend(origins);
        self.in_hand = in_hand;
        self.recall = Recall {
            queued,
            reports,
            fault: None,
        };
        Ok(())
    }
}

const fn letter(origin: Origin) -> u8 {
    match origin {
        Origin::Client => b'C',
        Origin::Gateway => b'G',
    }
}

fn read_origin(from: &mut SavedReader<'_>) -> Result<Origin, SavedError> {
    let letter = from.u8("origin")?;
    from.hold("origin", matches!(letter, b'C' | b'G'))?;
    Ok(if letter == b'C' {
        Origin::Client
    } else {
        Origin::Gateway
    })
}

fn read_command(from: &mut SavedReader<'_>) -> Result<(Command, Origin), SavedError> {
    let origin = read_origin(from)?;
    let len = from.u32("command_len")? as usize;
    let bytes = from.bytes("command", len)?;
    let (command, taken) =
        Command::restore(bytes).map_err(|error| SavedError::Engine(error.to_string()))?;
    from.hold("command", taken == len)?;
    Ok((command, origin))
}

//! The log of a rig, and a rig made again from it.
//!
//! One thread. The log holds what the gateway's would, nothing else of the run; a sequence number
//! has a place of its own in it and no number of the core's, which has no word for it yet.

use portcullis_domain::{Command, Seq, SessionId, VenueReport};
use portcullis_venue::{MatchingVenue, NOTE_NOT_SENT, RecallEnd, RecallVenue, refusal};

use super::{Outbound, Rig};

/// A record of the log.
#[derive(Clone, Debug)]
pub(crate) enum Logged {
    /// Anything but a report, and the client's own bytes.
    Command(Command, Vec<u8>),
    /// A report, and the engine's own bytes.
    Report(VenueReport, Vec<u8>),
    /// Where an engine's number stood.
    Sequence(SessionId, u64),
}

impl<V: MatchingVenue> Rig<V> {
    /// Puts a record into the log, and what is for the core before it.
    pub(super) fn record(&mut self, logged: Logged) {
        self.log.push(logged.clone());
        match logged {
            Logged::Command(command, raw) => {
                self.effects.raw = raw;
                self.give_core(command);
            }
            Logged::Report(report, _) => {
                self.effects.raw.clear();
                self.give_core(Command::Report(report));
            }
            Logged::Sequence(..) => {}
        }
    }

    /// An order of this place in the core's numbering left: the log up to there is on the disk.
    pub(super) fn note_sent(&mut self, seq: Seq) {
        let place = self.places[seq.raw() as usize - 1];
        self.gated = self.gated.max(place + 1);
    }

    /// The journal is in trouble: the gateway refuses what is approved and has not left.
    pub(crate) fn refuse_unsent(&mut self) -> usize {
        let unsent = core::mem::take(&mut self.effects.outbound);
        let count = unsent.len();
        for Outbound { order, .. } in unsent {
            let report = refusal(order.get(), NOTE_NOT_SENT);
            self.record(Logged::Report(report, Vec::new()));
        }
        count
    }

    /// The gateway dies, with what is in its memory; of its log the first `kept` records are left. A
    /// new core and a new venue live through them; at `saved_at` the venue's place is taken by another,
    /// which knows the log until then by the saved memory alone. Clients live on.
    pub(crate) fn again(
        self,
        kept: usize,
        venue: V,
        saved_at: Option<(usize, V)>,
    ) -> (Self, RecallEnd)
    where
        V: RecallVenue,
    {
        assert!(
            kept >= self.gated,
            "nothing leaves before it is on the disk"
        );
        let mut rig = Self::penniless(venue, self.random.0, self.raw);
        rig.numbers = self.numbers;
        let (saved_at, mut spare) = saved_at.unzip();
        for (place, logged) in self.log.into_iter().take(kept).enumerate() {
            if saved_at == Some(place)
                && let Some(mut other) = spare.take()
            {
                let mut bytes = Vec::new();
                rig.venue.save(&mut bytes);
                other.load(&bytes).expect("its own memory");
                rig.venue = other;
            }
            rig.recall(logged);
        }
        rig.gated = rig.log.len();
        let fault = rig.venue.recall_fault();
        let end = rig.venue.recalled();
        assert_eq!(end.fault, fault, "it is known before the end");
        (rig, end)
    }

    fn recall(&mut self, logged: Logged)
    where
        V: RecallVenue,
    {
        match &logged {
            Logged::Command(..) => {}
            Logged::Report(report, raw) => {
                self.reports.push((*report, raw.clone()));
                self.venue.recall_report(report, raw);
            }
            Logged::Sequence(session, sequence) => self.venue.recall_sequence(*session, *sequence),
        }
        self.record(logged);
        while let Some(Outbound { order, raw }) = self.effects.outbound.pop_front() {
            self.venue.recall_order(order, &raw);
        }
        self.effects.raw.clear();
    }
}

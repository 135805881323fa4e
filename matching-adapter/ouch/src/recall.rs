//! The adapter made again from the log.
//!
//! Runs where the log is replayed, before the first poll. Invariant: orders, numbers and unanswered
//! messages come out as they would in an adapter that had lived through the log, since the same code
//! takes them. An engine's message that no longer reads as the log says it did is a fault.

use portcullis_domain::{SessionId, VenueReport};
use portcullis_venue::saved::{SavedError, SavedReader, SavedWriter};
use portcullis_venue::{Approved, OutboundOrder, RecallEnd, RecallFault, RecallVenue};

use crate::config::Route;
use crate::counters::Counters;
use crate::dial::Dial;
use crate::link::{Link, Shared};
use crate::orders::EngineOrders;
use crate::venue::OuchVenue;

const KIND: [u8; 4] = *b"PCOV";
const VERSION: u32 = 3;

/// What was told of the log.
#[derive(Debug, Default)]
pub(crate) struct Recall {
    reports: u64,
    fault: Option<RecallFault>,
    /// Not those of the run.
    counters: Counters,
}

impl<D: Dial> OuchVenue<D> {
    fn remember<T>(
        &mut self,
        session: SessionId,
        tell: impl FnOnce(&mut Link<D::Stream>, &mut Shared<'_>) -> T,
    ) -> T {
        let mut shared = Shared {
            config: &self.config,
            orders: &mut self.orders,
            counters: &mut self.recall.counters,
            now: self.now,
        };
        tell(&mut self.links[session.index()], &mut shared)
    }
}

impl<D: Dial> RecallVenue for OuchVenue<D> {
    /// Takes an order of the log; see [`RecallVenue::recall_order`].
    ///
    /// # Panics
    /// If the session or the instrument is not in the configuration.
    fn recall_order(&mut self, order: Approved<OutboundOrder>, raw: &[u8]) {
        let order = order.into_inner();
        self.remember(order.session, |link, shared| {
            link.recall_order(&order, raw, shared);
        });
    }

    fn recall_report(&mut self, report: &VenueReport, raw: &[u8]) {
        self.recall.reports += 1;
        let made = self.remember(report.session, |link, shared| {
            link.recall_report(report, raw, shared)
        });
        if made != Some(*report) {
            let fault = RecallFault::ReportDiffers {
                number: self.recall.reports,
                logged: *report,
                made,
            };
            self.recall.fault.get_or_insert(fault);
        }
    }

    fn recall_sequence(&mut self, session: SessionId, sequence: u64) {
        self.links[session.index()].recall_sequence(sequence);
    }

    fn recall_fault(&self) -> Option<RecallFault> {
        self.recall.fault
    }

    fn recalled(&mut self) -> RecallEnd {
        let mut end = RecallEnd {
            fault: self.recall_fault(),
            ..RecallEnd::default()
        };
        for (link, route) in self.links.iter_mut().zip(&self.config.sessions) {
            let login = match route {
                Route::Own(login) => Some(login),
                Route::None => None,
            };
            let (orders, cancels) = link.recalled(login, &self.config);
            end.orders_in_doubt += orders;
            end.cancels_in_doubt += cancels;
        }
        end
    }

    fn save(&self, out: &mut Vec<u8>) {
        let mut to = SavedWriter::begin(out, KIND, VERSION);
        to.u8(self.recall.fault.is_some().into());
        to.u64(self.recall.reports);
        self.orders.save(&mut to);
        to.count(self.links.len());
        self.links.iter().for_each(|link| link.save(&mut to));
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedError> {
        let mut from = SavedReader::begin(bytes, KIND, VERSION)?;
        // One that did not fit its log is not made again either.
        let faulty = from.u8("fault")?;
        from.hold("fault", faulty == 0)?;
        self.recall.reports = from.u64("reports")?;
        let (sessions, instruments) = (self.links.len(), self.config.instruments.len());
        let orders_max = self.config.orders_max as usize;
        let empty = EngineOrders::new(orders_max, self.config.hash_seed);
        self.orders = empty.load(&mut from, sessions, instruments)?;
        let count = from.count("sessions", 40)?;
        from.hold("sessions", count == sessions)?;
        for link in &mut self.links {
            link.load(&mut from)?;
        }
        from.end()
    }
}

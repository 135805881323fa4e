//! The outbound table: the write half of every connection.
//!
//! Owned by the outbound half's thread. Write halves wait in the ring until somebody writes to a
//! connection that the table does not know yet. Invariants: a known connection costs no look at the
//! ring; every connection forgotten is told to the inbound half once. Never allocates once made.

use super::WriteHalf;
use portcullis_pipeline::transport::ConnectionId;
use portcullis_runtime::{RingConsumer, RingProducer};

/// The outbound half's view of every connection.
#[derive(Debug)]
pub(crate) struct OutboundTable<W> {
    slots: Box<[Option<WriteHalf<W>>]>,
    arriving: RingConsumer<WriteHalf<W>>,
    to_inbound: RingProducer<ConnectionId>,
}

impl<W> OutboundTable<W> {
    pub(super) fn new(
        connections_max: usize,
        arriving: RingConsumer<WriteHalf<W>>,
        to_inbound: RingProducer<ConnectionId>,
    ) -> Self {
        Self {
            slots: std::iter::repeat_with(|| None)
                .take(connections_max)
                .collect(),
            arriving,
            to_inbound,
        }
    }

    /// What a connection is written to; `None` if it is unknown.
    pub(crate) fn stream(&mut self, connection: ConnectionId) -> Option<&mut W> {
        if !self.knows(connection) {
            self.take_arriving();
        }
        let half = self.slots.get_mut(connection.slot())?.as_mut()?;
        (half.connection == connection).then_some(&mut half.stream)
    }

    /// Forgets a connection; returns what it was written to, to be shut down.
    ///
    /// The inbound half is told by [`tell`](Self::tell) once that is done.
    pub(crate) fn forget(&mut self, connection: ConnectionId) -> Option<W> {
        self.stream(connection)?;
        let half = self.slots[connection.slot()].take()?;
        Some(half.stream)
    }

    /// Tells the inbound half that a connection was forgotten.
    pub(crate) fn tell(&mut self, connection: ConnectionId) {
        let told = self.to_inbound.push(connection);
        assert!(told.is_ok(), "the ring has a place for every slot");
    }

    fn knows(&self, connection: ConnectionId) -> bool {
        matches!(
            self.slots.get(connection.slot()),
            Some(Some(half)) if half.connection == connection
        )
    }

    fn take_arriving(&mut self) {
        while let Ok(half) = self.arriving.pop() {
            let slot = &mut self.slots[half.connection.slot()];
            assert!(
                slot.is_none(),
                "a slot is given again only after this half forgot it"
            );
            *slot = Some(half);
        }
    }
}

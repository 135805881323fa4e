//! The inbound table: which slot is whose, and which connections are worth a read.
//!
//! Owned by the inbound half's thread. A connection is hot while it is in the queue of those to be
//! read; it cools only after reads that found nothing since the last sign of bytes, so readiness
//! that is told once (an edge) is never lost. Invariants: a slot is in the queue at most once; free
//! slots are given first in, first out, so that a generation comes round as late as it can;
//! generation 0 is never given, so that a zeroed word names nobody. Never allocates once made.

use super::WriteHalf;
use portcullis_pipeline::transport::ConnectionId;
use portcullis_runtime::{Lasting, RingConsumer, RingProducer};
use std::collections::VecDeque;

/// The inbound half's view of every connection; `R` is what is read, `W` what is written.
#[derive(Debug)]
pub(crate) struct InboundTable<R, W> {
    slots: Box<[Slot<R>]>,
    free: VecDeque<u16>,
    hot: VecDeque<u16>,
    idle_reads_max: u32,
    to_outbound: RingProducer<WriteHalf<W>>,
    forgotten: RingConsumer<ConnectionId>,
}

#[derive(Debug)]
struct Slot<R> {
    generation: u16,
    state: State<R>,
    /// In the hot queue; outlives the connection until the queue comes to it.
    queued: bool,
    /// Reads that found nothing since the last sign of bytes.
    fruitless: u32,
    /// Whether it has been put back into the queue for long.
    lasting: Lasting,
}

/// How a connection was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Named again at the next call.
    Hot {
        /// Its last read found nothing, and it has been hot for long.
        lasting: bool,
    },
    /// Left to the poller.
    Cold,
    /// Nobody's.
    Over,
}

#[derive(Debug)]
enum State<R> {
    /// Nobody holds it.
    Free,
    /// Both halves hold it.
    Open(R),
    /// No byte will come any more; this half has not forgotten it yet.
    Ended {
        /// A read has said so.
        told: bool,
        /// The outbound half forgot it.
        outbound_forgot: bool,
    },
    /// This half forgot it, the outbound half has not.
    Forgotten,
}

impl<R, W> InboundTable<R, W> {
    pub(super) fn new(
        connections_max: usize,
        idle_reads_max: u32,
        to_outbound: RingProducer<WriteHalf<W>>,
        forgotten: RingConsumer<ConnectionId>,
    ) -> Self {
        let slot = || Slot {
            generation: 1,
            state: State::Free,
            queued: false,
            fruitless: 0,
            lasting: Lasting::default(),
        };
        Self {
            slots: std::iter::repeat_with(slot).take(connections_max).collect(),
            free: (0..=u16::MAX).take(connections_max).collect(),
            hot: VecDeque::with_capacity(connections_max),
            idle_reads_max,
            to_outbound,
            forgotten,
        }
    }

    /// What the next connection would be called; `None` if every slot is held.
    pub(crate) fn next_free(&self) -> Option<ConnectionId> {
        let slot = *self.free.front()?;
        let generation = self.slots[usize::from(slot)].generation;
        Some(ConnectionId::new(slot, generation))
    }

    /// Opens the connection that [`next_free`](Self::next_free) named, hot, and sends its write
    /// half over.
    ///
    /// # Panics
    /// If it named another one.
    pub(crate) fn open(&mut self, connection: ConnectionId, read: R, write: W) {
        assert_eq!(
            Some(connection),
            self.next_free(),
            "slots are given in turn"
        );
        self.free.pop_front();
        let sent = self.to_outbound.push(WriteHalf {
            connection,
            stream: write,
        });
        assert!(
            sent.is_ok(),
            "the ring has a place for the write half of every slot"
        );
        let slot = &mut self.slots[connection.slot()];
        slot.state = State::Open(read);
        slot.lasting.ends();
        self.wake(connection.slot());
    }

    /// What an open connection is read from.
    pub(crate) fn stream(&mut self, connection: ConnectionId) -> Option<&mut R> {
        match &mut self.slot_of(connection)?.state {
            State::Open(read) => Some(read),
            State::Free | State::Ended { .. } | State::Forgotten => None,
        }
    }

    /// What the connection in this slot is read from, if it is open.
    pub(crate) fn stream_at(&self, slot: usize) -> Option<&R> {
        match &self.slots[slot].state {
            State::Open(read) => Some(read),
            State::Free | State::Ended { .. } | State::Forgotten => None,
        }
    }

    /// A read found bytes.
    pub(crate) fn found_bytes(&mut self, connection: ConnectionId) {
        if let Some(slot) = self.slot_of(connection) {
            slot.fruitless = 0;
        }
    }

    /// It is hot, whatever is known of it.
    pub(crate) fn look_at(&mut self, connection: ConnectionId) {
        if self.slot_of(connection).is_some() {
            self.wake(connection.slot());
        }
    }

    /// A read found none.
    pub(crate) fn found_nothing(&mut self, connection: ConnectionId) {
        if let Some(slot) = self.slot_of(connection) {
            slot.fruitless = slot.fruitless.saturating_add(1);
        }
    }

    /// A read is about to answer that the connection is closed; returns what it was read from, the
    /// first time.
    pub(crate) fn end(&mut self, connection: ConnectionId) -> Option<R> {
        let slot = self.slot_of(connection)?;
        let outbound_forgot = match slot.state {
            State::Open(_) => false,
            State::Ended {
                outbound_forgot, ..
            } => outbound_forgot,
            State::Free | State::Forgotten => return None,
        };
        let told = true;
        slot.replace(State::Ended {
            told,
            outbound_forgot,
        })
    }

    /// This half forgets the connection; returns what it was read from, if it was open.
    pub(crate) fn forget(&mut self, connection: ConnectionId) -> Option<R> {
        let slot = self.slot_of(connection)?;
        match slot.state {
            State::Open(_)
            | State::Ended {
                outbound_forgot: false,
                ..
            } => slot.replace(State::Forgotten),
            State::Ended {
                outbound_forgot: true,
                ..
            } => {
                self.release(connection);
                None
            }
            State::Free | State::Forgotten => None,
        }
    }

    /// Whether the outbound half forgot a connection that this one has not heard of.
    #[inline]
    pub(crate) fn has_forgotten(&self) -> bool {
        !self.forgotten.is_empty()
    }

    /// The next connection that the outbound half forgot, with what it was read from if it was
    /// still open.
    pub(crate) fn take_forgotten(&mut self) -> Option<Option<R>> {
        let connection = self.forgotten.pop().ok()?;
        let slot = self
            .slot_of(connection)
            .expect("a slot keeps its generation until both halves forgot it");
        let ended = |told| State::Ended {
            told,
            outbound_forgot: true,
        };
        let read = match slot.state {
            State::Open(_) => {
                let read = slot.replace(ended(false));
                self.wake(connection.slot());
                read
            }
            State::Ended {
                told,
                outbound_forgot: false,
            } => slot.replace(ended(told)),
            State::Forgotten => {
                self.release(connection);
                None
            }
            State::Free
            | State::Ended {
                outbound_forgot: true,
                ..
            } => panic!("the outbound half forgot connection {connection} twice"),
        };
        Some(read)
    }

    /// There is a sign of bytes, or of the end, in this slot.
    pub(crate) fn wake(&mut self, slot: usize) {
        let entry = &mut self.slots[slot];
        entry.fruitless = 0;
        if !entry.queued {
            entry.queued = true;
            self.hot.push_back(slot as u16);
        }
    }

    /// How many slots are in the hot queue; some may have been closed since.
    pub(crate) fn hot_len(&self) -> usize {
        self.hot.len()
    }

    /// Takes the next hot connection out of the queue; `None` if it was closed since.
    /// [`settle`](Self::settle) puts it back.
    pub(crate) fn next_hot(&mut self) -> Option<ConnectionId> {
        let slot = self.hot.pop_front()?;
        let entry = &mut self.slots[usize::from(slot)];
        entry.queued = false;
        match entry.state {
            State::Open(_) | State::Ended { .. } => Some(ConnectionId::new(slot, entry.generation)),
            State::Free | State::Forgotten => None,
        }
    }

    /// Puts a connection back into the queue if it is still hot, or its bytes were not all taken. In a
    /// crowd it cools with the first read that found nothing.
    pub(crate) fn settle(&mut self, connection: ConnectionId, taken: bool, crowd: bool) -> Settled {
        // Divided by the number of hot ones, so that many silent connections cool soon and a few
        // are watched for long.
        let sharers = (self.hot.len() as u64).max(1);
        let shared = u64::from(self.idle_reads_max);
        let Some(slot) = self.slot_of(connection) else {
            return Settled::Over;
        };
        let hot = match slot.state {
            State::Open(_) => {
                let reads = u64::from(slot.fruitless);
                reads == 0 || !crowd && (reads + 1) * sharers <= shared
            }
            State::Ended { told, .. } => !told,
            State::Free | State::Forgotten => return Settled::Over,
        };
        if !hot && taken && !slot.queued {
            slot.lasting.ends();
            return Settled::Cold;
        }
        let lasting = slot.lasting.goes_on() && slot.fruitless > 0;
        if !slot.queued {
            slot.queued = true;
            self.hot.push_back(connection.slot() as u16);
        }
        Settled::Hot { lasting }
    }

    /// Lets the next round begin with another connection.
    pub(crate) fn rotate_hot(&mut self) {
        if self.hot.len() > 1 {
            self.hot.rotate_left(1);
        }
    }

    fn slot_of(&mut self, connection: ConnectionId) -> Option<&mut Slot<R>> {
        self.slots
            .get_mut(connection.slot())
            .filter(|slot| slot.generation == connection.generation())
    }

    fn release(&mut self, connection: ConnectionId) {
        let slot = &mut self.slots[connection.slot()];
        slot.state = State::Free;
        slot.generation = slot.generation.checked_add(1).unwrap_or(1);
        self.free.push_back(connection.slot() as u16);
    }
}

impl<R> Slot<R> {
    fn replace(&mut self, state: State<R>) -> Option<R> {
        match std::mem::replace(&mut self.state, state) {
            State::Open(read) => Some(read),
            State::Free | State::Ended { .. } | State::Forgotten => None,
        }
    }
}

//! A client's connection, and all that a network does to it.
//!
//! Owned by its client. Bytes wait on the client's side of the pipe until the line lets them go: that
//! is its delay, and what a cut loses. Invariant: what arrives is in order and whole up to the cut.

use crate::plan::{Fault, Faults};
use crate::random::Prng;
use portcullis_pipeline::transport::{ReadOutcome, WriteOutcome};
use portcullis_transport::{MemoryClient, MemoryNetwork};
use std::net::{IpAddr, Ipv4Addr};

/// Turns for which a slow reader stands still at the most.
const SLOW_TURNS_MAX: i64 = 60;

/// A connection.
pub(crate) struct Line {
    pipe: MemoryClient,
    /// Sent and not yet on its way.
    pub(super) outbox: Vec<u8>,
    /// Arrived and not yet taken apart.
    pub(super) inbox: Vec<u8>,
    /// The gateway has closed it, or it was cut.
    ended: bool,
    /// Turns for which nothing is read.
    slow: u32,
}

impl Line {
    /// Connects.
    pub(super) fn connect(network: &MemoryNetwork) -> Self {
        Self {
            pipe: network.connect(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            outbox: Vec::new(),
            inbox: Vec::new(),
            ended: false,
            slow: 0,
        }
    }

    /// Whether no more will come.
    pub(super) const fn is_over(&self) -> bool {
        self.ended
    }

    /// Moves bytes both ways, as far as this turn lets them.
    pub(super) fn turn(&mut self, prng: &mut Prng, faults: Faults) {
        self.send(prng, faults);
        if faults.has(Fault::SlowReaders) && self.slow == 0 && prng.one_in(40) {
            self.slow = prng.between(1, SLOW_TURNS_MAX) as u32;
        }
        if self.slow > 0 {
            self.slow -= 1;
            return;
        }
        self.receive();
    }

    /// Moves all bytes both ways.
    pub(super) fn flush(&mut self) {
        self.slow = 0;
        let all = self.outbox.len();
        self.put(all);
        self.receive();
    }

    /// Is cut: of what is on its way some arrives, either way, and the rest is lost.
    pub(super) fn cut(&mut self, prng: &mut Prng) {
        let some = prng.between(0, self.outbox.len() as i64) as usize;
        self.put(some);
        let before = self.inbox.len();
        self.receive();
        let arrived = (self.inbox.len() - before) as i64;
        self.inbox
            .truncate(before + prng.between(0, arrived) as usize);
        self.outbox.clear();
        self.pipe.close();
        self.ended = true;
    }

    fn send(&mut self, prng: &mut Prng, faults: Faults) {
        let waiting = self.outbox.len();
        if waiting == 0 {
            return;
        }
        let some = if faults.has(Fault::Pieces) {
            let most = prng.pick(&[1, 7, 50, waiting]);
            prng.between(0, most.min(waiting) as i64) as usize
        } else {
            waiting
        };
        self.put(some);
    }

    fn put(&mut self, some: usize) {
        if some == 0 {
            return;
        }
        match self.pipe.send(&self.outbox[..some]) {
            WriteOutcome::Wrote(bytes) => {
                self.outbox.drain(..bytes);
            }
            WriteOutcome::Closed => self.outbox.clear(),
        }
    }

    fn receive(&mut self) {
        while !self.ended {
            match self.pipe.receive(&mut self.inbox) {
                ReadOutcome::Bytes(_) => {}
                ReadOutcome::Nothing => return,
                ReadOutcome::Closed => self.ended = true,
            }
        }
    }
}

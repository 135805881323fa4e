//! How a thread spends its time: the longest stall with its cause, and the time with work.
//!
//! The writer belongs to the runner of the thread's agents. Invariants: one writer; a reader takes no
//! lock and holds nobody up; span and cause are one word, so that no reader pairs the span of one
//! stall with the cause of another.

use crossbeam_utils::CachePadded;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Bits of a stall's word, from the top: nanoseconds, agent, items. So the longer stall is the
/// greater word.
const AGENT_BITS: u32 = 4;
const ITEM_BITS: u32 = 20;
const SPAN_MAX_NS: u64 = u64::MAX >> (AGENT_BITS + ITEM_BITS);
const ITEMS_MAX: u64 = (1 << ITEM_BITS) - 1;

/// Agents that one thread runs at the most.
const AGENTS_MAX: usize = 1 << AGENT_BITS;

#[derive(Debug, Default)]
struct Shared {
    names: OnceLock<Box<[&'static str]>>,
    longest: AtomicU64,
    longest_idle_ns: AtomicU64,
    busy_ns: AtomicU64,
}

/// The end that writes.
#[derive(Debug, Default)]
pub struct DutyWriter(Arc<CachePadded<Shared>>);

/// The end that reads. One reader each: reading starts a new interval.
#[derive(Debug)]
pub struct DutyReader(Arc<CachePadded<Shared>>);

/// One agent's turn that took long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// How long it took, nanoseconds.
    pub span_ns: u64,
    /// Whose turn it was.
    pub agent: &'static str,
    /// How much was done in it.
    pub items: u64,
}

impl DutyWriter {
    /// The end that reads, for another thread.
    #[must_use]
    pub fn reader(&self) -> DutyReader {
        DutyReader(Arc::clone(&self.0))
    }

    /// Says who is run, once, before the first turn.
    pub(crate) fn name_agents(&mut self, names: Box<[&'static str]>) {
        assert!(names.len() <= AGENTS_MAX, "a thread runs {AGENTS_MAX}");
        let said = self.0.names.set(names);
        assert!(said.is_ok(), "a thread runs once");
    }

    /// An agent's turn did `items` and took this long, with the fruitless turns before it.
    pub(crate) fn worked(&mut self, agent: usize, span_ns: u64, items: usize) {
        let shared = &*self.0;
        let busy_ns = shared.busy_ns.load(Ordering::Relaxed) + span_ns;
        shared.busy_ns.store(busy_ns, Ordering::Relaxed);
        let word = (span_ns.min(SPAN_MAX_NS) << (AGENT_BITS + ITEM_BITS))
            | ((agent as u64) << ITEM_BITS)
            | (items as u64).min(ITEMS_MAX);
        if word > shared.longest.load(Ordering::Relaxed) {
            shared.longest.store(word, Ordering::Relaxed);
        }
    }

    /// A whole cycle found nothing to do, and so long passed until the next began.
    pub(crate) fn idled(&mut self, span_ns: u64) {
        let longest = &self.0.longest_idle_ns;
        if span_ns > longest.load(Ordering::Relaxed) {
            longest.store(span_ns, Ordering::Relaxed);
        }
    }
}

impl DutyReader {
    /// The longest turn with work since this was last asked, if there was one.
    #[must_use]
    pub fn take_longest(&mut self) -> Option<Stall> {
        let word = self.0.longest.swap(0, Ordering::Relaxed);
        let agent = (word >> ITEM_BITS) as usize % AGENTS_MAX;
        let names = self.0.names.get()?;
        (word > 0).then(|| Stall {
            span_ns: word >> (AGENT_BITS + ITEM_BITS),
            agent: names[agent],
            items: word & ITEMS_MAX,
        })
    }

    /// The longest time from one idle cycle's beginning to the next since this was last asked,
    /// nanoseconds: its looking, its idling, and whoever else had the core meanwhile.
    #[must_use]
    pub fn take_longest_idle_ns(&mut self) -> u64 {
        self.0.longest_idle_ns.swap(0, Ordering::Relaxed)
    }

    /// Time of all turns with work since the start, nanoseconds.
    #[must_use]
    pub fn busy_ns(&self) -> u64 {
        self.0.busy_ns.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_is_told_once_with_its_own_cause() {
        let mut writer = DutyWriter::default();
        let mut reader = writer.reader();
        assert_eq!(reader.take_longest(), None);
        writer.name_agents(["first", "second"].into());
        writer.worked(0, 30, 7);
        writer.worked(1, 50, 3);
        writer.worked(0, 40, 9);
        let stall = |span_ns, agent, items| {
            Some(Stall {
                span_ns,
                agent,
                items,
            })
        };
        assert_eq!(reader.take_longest(), stall(50, "second", 3));
        assert_eq!(reader.take_longest(), None, "told once");
        writer.worked(0, u64::MAX >> 1, usize::MAX);
        assert_eq!(
            reader.take_longest(),
            stall(SPAN_MAX_NS, "first", ITEMS_MAX),
            "beyond its bits is the most they say"
        );
    }

    #[test]
    fn idle_gaps_and_busy_time_are_apart() {
        let mut writer = DutyWriter::default();
        let mut reader = writer.reader();
        writer.name_agents(["only"].into());
        writer.idled(10);
        writer.idled(500);
        writer.idled(20);
        writer.worked(0, 70, 1);
        writer.worked(0, 5, 1);
        assert_eq!((reader.take_longest_idle_ns(), reader.busy_ns()), (500, 75));
        assert_eq!((reader.take_longest_idle_ns(), reader.busy_ns()), (0, 75));
    }
}

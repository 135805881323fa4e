//! What was sent to the engine and is not answered: what must be sent again after a broken link.
//!
//! Owned by a link. Invariants: bounded, but for what a log left unanswered; in the order of sending; a cancel stands here once an
//! order, as the one that leaves least; what the engine will not answer, since the order it names
//! is gone, is sent once and forgotten; what an engine says takes no longer for what it left unanswered. It must never drop what
//! may still be unknown to the engine.

mod doubts;
mod index;
mod queue;
#[cfg(test)]
mod tests;
mod unsent;

use portcullis_domain::{HashSeed, UserRef};
use portcullis_wire::ouch50::MESSAGE_BYTES_MAX;

use crate::rows::RowSet;
use doubts::Doubts;
use index::{Index, Key};
use queue::{At, Entry, Queue};
use unsent::Unsent;

const _: () = assert!(MESSAGE_BYTES_MAX <= u8::MAX as usize);

/// What a message asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A new order.
    Enter {
        /// Its number.
        number: UserRef,
    },
    /// A new version.
    Replace {
        /// Its number.
        number: UserRef,
        /// The version it replaces.
        original: UserRef,
    },
    /// Less of an order.
    Cancel {
        /// The version it names.
        target: UserRef,
        /// What is to remain, in wire units, executed ones included.
        remain_wire: u32,
    },
}

impl Asked {
    /// The number it brings to the engine, if it brings one.
    pub(crate) const fn number(self) -> Option<UserRef> {
        match self {
            Self::Enter { number } | Self::Replace { number, .. } => Some(number),
            Self::Cancel { .. } => None,
        }
    }
}

/// What is to become of a message that is not written on this link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unwritten<'a> {
    pub(crate) asked: Asked,
    pub(crate) message: &'a [u8],
    /// Known from the log alone: it may never have left.
    pub(crate) recalled: bool,
}

/// The newest entries are not put where they are found by their number, nor replaces by what they name, as an engine mostly
/// answers in turn. So many at the most: an answer out of turn may have to look at all of them.
const RECENT_MAX: u32 = 256;

#[derive(Debug)]
pub(crate) struct InFlight {
    queue: Queue,
    index: Index,
    unsent: Unsent,
    doubts: Doubts,
    max: usize,
    /// The oldest of the recent entries: those that are not found by their number yet.
    first_recent: At,
    recent: u32,
    /// Replaces among the recent ones.
    recent_replaces: usize,
    /// Replaces and cancels among the entries: what is not there is not looked for.
    replaces: usize,
    cancels: usize,
    /// Cancels in part.
    partial: usize,
}

impl InFlight {
    pub(crate) fn new(max: usize, seed: HashSeed) -> Self {
        Self {
            queue: Queue::new(max),
            index: Index::new(max, seed),
            unsent: Unsent::new(max),
            doubts: Doubts::default(),
            max,
            first_recent: At::NONE,
            recent: 0,
            recent_replaces: 0,
            replaces: 0,
            cancels: 0,
            partial: 0,
        }
    }

    /// Whether a message that asks this has room.
    pub(crate) fn has_room_for(&self, asked: Asked) -> bool {
        self.queue.len() < self.max || self.cancel_of(asked).is_some()
    }

    /// Keeps a message. A cancel of an order that has one here takes its place, unless that leaves
    /// less already.
    ///
    /// `alive` says whether the order it names, if it names one, is open at the engine.
    #[inline]
    pub(crate) fn keep(&mut self, asked: Asked, message: &[u8], sent: bool, alive: bool) {
        assert!(self.has_room_for(asked), "room was asked for before");
        self.put(asked, message, sent, alive, false);
    }

    /// Keeps a message that stands in the log, however many there are: it was in front of the adapter
    /// or behind it when the process ended.
    pub(crate) fn recall(&mut self, asked: Asked, message: &[u8], alive: bool) {
        self.unsent.make_room(self.queue.len() + 1);
        self.put(asked, message, true, alive, true);
    }

    #[inline]
    fn put(&mut self, asked: Asked, message: &[u8], sent: bool, alive: bool, recalled: bool) {
        match asked {
            Asked::Enter { .. } => self.add(Entry::new(asked, message, sent, recalled), message),
            Asked::Replace {
                original: named, ..
            }
            | Asked::Cancel { target: named, .. } => {
                let entry = Entry::new(asked, message, sent, recalled);
                self.put_naming(named, entry, message, alive);
            }
        }
    }

    #[inline(never)]
    fn put_naming(&mut self, named: UserRef, entry: Entry, message: &[u8], alive: bool) {
        let once = !alive && self.find(Key::number(named)).is_none();
        if once && entry.sent {
            return;
        }
        let entry = Entry { once, ..entry };
        let Some(at) = self.cancel_of(entry.asked) else {
            return self.add(entry, message);
        };
        let known = *self.queue.entry(at);
        if remaining(entry.asked) < remaining(known.asked) {
            self.partial -= usize::from(remaining(entry.asked) == 0);
            self.queue.put_in_place(at, entry, message);
            match (known.sent, entry.sent) {
                (true, false) => self.unsent.put(&self.queue, at),
                (false, true) => self.unsent.settle(&self.queue),
                (true, true) | (false, false) => {}
            }
        }
    }

    /// Adds one that takes no other's place.
    #[inline]
    fn add(&mut self, entry: Entry, message: &[u8]) {
        let at = self.queue.push(entry, message);
        if self.recent == 0 {
            self.first_recent = at;
        }
        self.recent += 1;
        let is_plain = matches!(entry.asked, Asked::Enter { .. }) && entry.sent && !entry.recalled;
        if !is_plain {
            self.added(at);
        }
        if self.recent > RECENT_MAX {
            self.index_first_recent();
        }
    }

    /// What one that was added is beside an order that was sent.
    #[inline(never)]
    fn added(&mut self, at: At) {
        let Entry {
            asked,
            sent,
            recalled,
            ..
        } = *self.queue.entry(at);
        self.count(asked, 1);
        if let Asked::Cancel { target, .. } = asked {
            (self.index).put(&mut self.queue, at, Key::cancel_of(target));
        }
        if matches!(asked, Asked::Replace { .. }) {
            self.recent_replaces += 1;
        }
        if !sent {
            self.unsent.put(&self.queue, at);
        }
        if recalled {
            while self.recent > 0 {
                self.index_first_recent();
            }
            self.doubts.count(asked, 1);
        }
    }

    /// Counts what names a version in, or out.
    const fn count(&mut self, asked: Asked, by: isize) {
        match asked {
            Asked::Enter { .. } => {}
            Asked::Replace { .. } => self.replaces = self.replaces.strict_add_signed(by),
            Asked::Cancel { remain_wire, .. } => {
                self.cancels = self.cancels.strict_add_signed(by);
                if remain_wire > 0 {
                    self.partial = self.partial.strict_add_signed(by);
                }
            }
        }
    }

    /// The engine spoke of an order or version with this number: it has it, or never will.
    #[inline(always)]
    pub(crate) fn answered(&mut self, answered: UserRef) {
        let oldest = self.queue.oldest();
        if oldest == At::NONE {
            return;
        }
        let entry = self.queue.entry(oldest);
        // An engine mostly answers in turn, and mostly new orders.
        let is_next = matches!(entry.asked, Asked::Enter { number } if number == answered);
        if !(is_next && entry.sent && !entry.indexed) {
            return self.answered_other(answered);
        }
        self.recent -= 1;
        self.first_recent = self.queue.pop(oldest);
    }

    #[inline(never)]
    fn answered_other(&mut self, answered: UserRef) {
        let oldest = self.queue.oldest();
        let is_next = self.queue.entry(oldest).asked.number() == Some(answered);
        let found = if is_next {
            Some(oldest)
        } else {
            self.find(Key::number(answered))
        };
        if let Some(at) = found {
            self.remove(at);
        }
    }

    /// The engine spoke of a cancel of this version.
    #[inline]
    pub(crate) fn cancel_answered(&mut self, of: UserRef) {
        if self.cancels > 0 {
            self.remove_cancel(of);
        }
    }

    #[inline(never)]
    fn remove_cancel(&mut self, of: UserRef) {
        if let Some(at) = self.index.find(&self.queue, Key::cancel_of(of)) {
            self.remove(at);
        }
    }

    /// This version is gone, or will never be: the engine ignores whatever names it, and with a
    /// replace of it the version that the replace would have made.
    #[inline(always)]
    pub(crate) fn gone(&mut self, version: UserRef) {
        self.answered(version);
        self.cancel_answered(version);
        if self.replaces > 0 {
            self.successors_gone(version);
        }
    }

    /// Each of them, and those of each before the next. They may be as many as there are entries, so the way back
    /// is kept in those that are gone.
    fn successors_gone(&mut self, version: UserRef) {
        let (mut version, mut last) = (version, At::NONE);
        loop {
            if let Some(at) = self.successor(version) {
                let asked = self.take_out(at);
                self.queue.lay_on(at, last);
                last = at;
                let number = asked.number().expect("a replace brings one");
                self.answered(number);
                self.cancel_answered(number);
                version = number;
                continue;
            }
            if last == At::NONE {
                return;
            }
            let done = last;
            let Asked::Replace { original, .. } = self.queue.entry(done).asked else {
                unreachable!("what names a version and is no cancel");
            };
            last = self.queue.newer(done);
            self.queue.free(done);
            version = original;
        }
    }

    /// The oldest replace of this version. Recent ones are put where they are found first.
    fn successor(&mut self, version: UserRef) -> Option<At> {
        while self.recent_replaces > 0 {
            self.index_first_recent();
        }
        (self.index).find(&self.queue, Key::replace_of(version))
    }

    /// The link is gone: nothing of this was surely read by the engine.
    pub(crate) fn link_lost(&mut self) {
        let mut at = self.queue.oldest();
        while at != At::NONE {
            self.queue.entry_mut(at).sent = false;
            at = self.queue.newer(at);
        }
        self.unsent.gather(&self.queue);
    }

    /// The oldest message that is not written on this link.
    #[inline]
    pub(crate) fn next_unsent(&self) -> Option<Unwritten<'_>> {
        Some(self.whole(self.unsent.first()?))
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = Unwritten<'_>> {
        self.queue.all().map(|at| self.whole(at))
    }

    fn whole(&self, at: At) -> Unwritten<'_> {
        let entry = self.queue.entry(at);
        Unwritten {
            asked: entry.asked,
            message: self.queue.message(at),
            recalled: entry.recalled,
        }
    }

    /// The oldest unwritten message is written now.
    pub(crate) fn note_sent(&mut self) {
        let Some(at) = self.unsent.first() else {
            return;
        };
        let entry = self.queue.entry_mut(at);
        entry.sent = true;
        let known = *entry;
        entry.recalled = false;
        if known.recalled {
            self.doubts.count(known.asked, -1);
        }
        if known.once {
            self.remove(at);
        }
        self.unsent.settle(&self.queue);
    }

    /// Whether the engine owes an answer. A cancel in part is not counted: where nothing was left
    /// to take, the engine says nothing until the order ends.
    pub(crate) const fn is_owed(&self) -> bool {
        self.queue.len() > self.partial
    }

    pub(crate) const fn len(&self) -> usize {
        self.queue.len()
    }

    /// The rows of which a number is known from the log alone.
    pub(crate) const fn rows_in_doubt(&self) -> RowSet {
        self.doubts.rows()
    }

    fn cancel_of(&self, asked: Asked) -> Option<At> {
        let Asked::Cancel { target, .. } = asked else {
            return None;
        };
        if self.cancels == 0 {
            return None;
        }
        self.index.find(&self.queue, Key::cancel_of(target))
    }

    /// The oldest with this number. Recent ones that are passed by are found without looking at them from then on.
    fn find(&mut self, number: Key) -> Option<At> {
        if let Some(at) = self.index.find(&self.queue, number) {
            return Some(at);
        }
        while self.recent > 0 {
            let at = self.first_recent;
            if Key::own(self.queue.entry(at).asked) == Some(number) {
                return Some(at);
            }
            self.index_first_recent();
        }
        None
    }

    /// Puts the oldest of the recent ones where it is found by its number.
    #[inline(never)]
    fn index_first_recent(&mut self) {
        let at = self.first_recent;
        self.first_recent = self.queue.newer(at);
        self.recent -= 1;
        let entry = self.queue.entry_mut(at);
        entry.indexed = true;
        let asked = entry.asked;
        if let Some(key) = Key::own(asked) {
            self.index.put(&mut self.queue, at, key);
        }
        if let Asked::Replace { original, .. } = asked {
            self.recent_replaces -= 1;
            (self.index).put(&mut self.queue, at, Key::replace_of(original));
        }
    }

    fn remove(&mut self, at: At) {
        self.take_out(at);
        self.queue.free(at);
    }

    /// Takes one out, whose slot is not free yet.
    fn take_out(&mut self, at: At) -> Asked {
        let Entry {
            asked,
            sent,
            indexed,
            ..
        } = *self.queue.entry(at);
        if !indexed {
            self.recent -= 1;
            if self.first_recent == at {
                self.first_recent = self.queue.newer(at);
            }
        }
        self.queue.unlink(at);
        let is_plain = matches!(asked, Asked::Enter { .. }) && sent && !indexed;
        if !is_plain {
            self.taken_out(at);
        }
        asked
    }

    /// What one that is taken out was beside an order that was sent. One of the log is found by its number.
    #[inline(never)]
    fn taken_out(&mut self, at: At) {
        let entry = self.queue.entry_mut(at);
        let known = *entry;
        entry.sent = true;
        self.count(known.asked, -1);
        match known.asked {
            Asked::Cancel { target, .. } => {
                (self.index).take(&mut self.queue, at, Key::cancel_of(target));
            }
            Asked::Enter { number } if known.indexed => {
                self.index.take(&mut self.queue, at, Key::number(number));
            }
            Asked::Replace { number, original } if known.indexed => {
                self.index.take(&mut self.queue, at, Key::number(number));
                (self.index).take(&mut self.queue, at, Key::replace_of(original));
            }
            Asked::Replace { .. } => self.recent_replaces -= 1,
            Asked::Enter { .. } => {}
        }
        if known.recalled {
            self.doubts.count(known.asked, -1);
        }
        if !known.sent {
            self.unsent.settle(&self.queue);
        }
    }
}

const fn remaining(asked: Asked) -> u32 {
    match asked {
        Asked::Cancel { remain_wire, .. } => remain_wire,
        Asked::Enter { .. } | Asked::Replace { .. } => 0,
    }
}

//! What was sent to the engine and is not answered: what must be sent again after a broken link.
//!
//! Owned by a link. Invariants: bounded, but for what a log left unanswered; in the order of sending; a cancel stands here once an
//! order, as the one that leaves least; what the engine will not answer, since the order it names
//! is gone, is sent once and forgotten. It must never drop what may still be unknown to the engine.

mod cancels;
mod messages;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use portcullis_domain::{HashSeed, UserRef};
use portcullis_wire::ouch50::MESSAGE_BYTES_MAX;

use cancels::Cancels;
use messages::Messages;

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

#[derive(Clone, Copy, Debug)]
struct Entry {
    asked: Asked,
    /// Where its bytes are, and how many.
    message: u32,
    len: u8,
    /// Written on the link of the moment.
    sent: bool,
    /// Names an order that is gone: forgotten once it is sent.
    once: bool,
    /// Known from the log alone: it may never have left.
    recalled: bool,
}

/// What is to become of a message that is not written on this link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsent<'a> {
    pub(crate) asked: Asked,
    pub(crate) message: &'a [u8],
    /// Known from the log alone: it may never have left.
    pub(crate) recalled: bool,
}

#[derive(Debug)]
pub(crate) struct InFlight {
    entries: VecDeque<Entry>,
    messages: Messages,
    max: usize,
    unsent: usize,
    /// Entries at the front of which none is unsent.
    sent_before: usize,
    /// Entries looked at so far.
    #[cfg(test)]
    looked_at: std::cell::Cell<usize>,
    /// Which cancels are among the entries, and how many replaces: what is not there is not looked for.
    cancels: Cancels,
    replaces: usize,
}

impl InFlight {
    pub(crate) fn new(max: usize, seed: HashSeed) -> Self {
        Self {
            entries: VecDeque::with_capacity(max),
            messages: Messages::new(max),
            max,
            unsent: 0,
            sent_before: 0,
            #[cfg(test)]
            looked_at: std::cell::Cell::new(0),
            cancels: Cancels::new(max, seed),
            replaces: 0,
        }
    }

    /// Whether a message that asks this has room.
    pub(crate) fn has_room_for(&self, asked: Asked) -> bool {
        self.entries.len() < self.max || self.cancel_of(asked).is_some()
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
        self.put(asked, message, true, alive, true);
    }

    #[inline]
    fn put(&mut self, asked: Asked, message: &[u8], sent: bool, alive: bool, recalled: bool) {
        match asked {
            Asked::Enter { .. } => self.add(asked, message, sent, false, recalled),
            Asked::Replace {
                original: named, ..
            }
            | Asked::Cancel { target: named, .. } => {
                self.put_naming(named, asked, message, sent, alive, recalled);
            }
        }
    }

    fn put_naming(
        &mut self,
        names: UserRef,
        asked: Asked,
        message: &[u8],
        sent: bool,
        alive: bool,
        recalled: bool,
    ) {
        let once = !alive && !self.is_asked(names);
        if once && sent {
            return;
        }
        let Some(index) = self.cancel_of(asked) else {
            return self.add(asked, message, sent, once, recalled);
        };
        let known = self.entries[index];
        if remaining(asked) < remaining(known.asked) {
            self.unsent += usize::from(!sent);
            self.unsent -= usize::from(!known.sent);
            self.messages.free.push(known.message);
            self.sent_before = self.sent_before.min(index);
            self.entries[index] = self.entry(asked, message, sent, once, recalled);
        }
    }

    /// Adds one that takes no other's place.
    #[inline]
    fn add(&mut self, asked: Asked, message: &[u8], sent: bool, once: bool, recalled: bool) {
        let entry = self.entry(asked, message, sent, once, recalled);
        self.entries.push_back(entry);
        self.unsent += usize::from(!sent);
        self.count(asked, 1);
    }

    #[inline]
    fn entry(
        &mut self,
        asked: Asked,
        message: &[u8],
        sent: bool,
        once: bool,
        recalled: bool,
    ) -> Entry {
        Entry {
            asked,
            message: self.messages.put(message, recalled),
            len: message.len() as u8,
            sent,
            once,
            recalled,
        }
    }

    /// Counts an entry in, or out.
    #[inline]
    fn count(&mut self, asked: Asked, by: i8) {
        match asked {
            Asked::Enter { .. } => {}
            Asked::Replace { .. } => {
                self.replaces = self.replaces.saturating_add_signed(by.into());
            }
            Asked::Cancel { target, .. } => self.cancels.count(target, by),
        }
    }

    /// The engine spoke of an order or version with this number: it has it, or never will.
    #[inline(always)]
    pub(crate) fn answered(&mut self, answered: UserRef) {
        let Some(oldest) = self.entries.front() else {
            return;
        };
        if oldest.asked.number() != Some(answered) {
            return self.answered_out_of_turn(answered);
        }
        // An engine mostly answers in turn.
        if let Some(entry) = self.entries.pop_front() {
            self.removed(0, &entry);
        }
    }

    #[inline(never)]
    fn answered_out_of_turn(&mut self, answered: UserRef) {
        self.remove_first(|asked| asked.number() == Some(answered));
    }

    /// The engine spoke of a cancel of this version.
    #[inline]
    pub(crate) fn cancel_answered(&mut self, of: UserRef) {
        if !self.cancels.may_hold(of) {
            return;
        }
        self.remove_first(|asked| matches!(asked, Asked::Cancel { target, .. } if target == of));
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

    fn successors_gone(&mut self, version: UserRef) {
        // Each turn takes one out, so this ends.
        while let Some(Asked::Replace { number, .. }) = self.remove_first(
            |asked| matches!(asked, Asked::Replace { original, .. } if original == version),
        ) {
            self.gone(number);
        }
    }

    /// The link is gone: nothing of this was surely read by the engine.
    pub(crate) fn link_lost(&mut self) {
        for entry in &mut self.entries {
            entry.sent = false;
        }
        self.unsent = self.entries.len();
        self.sent_before = 0;
    }

    /// The oldest message that is not written on this link.
    pub(crate) fn next_unsent(&self) -> Option<Unsent<'_>> {
        if self.unsent == 0 {
            return None;
        }
        let entry = self.entries.get(self.first_unsent()?)?;
        Some(self.whole(entry))
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = Unsent<'_>> {
        self.entries.iter().map(|entry| self.whole(entry))
    }

    fn whole(&self, entry: &Entry) -> Unsent<'_> {
        Unsent {
            asked: entry.asked,
            message: self.messages.get(entry.message, entry.len),
            recalled: entry.recalled,
        }
    }

    /// Where the oldest one is that is not written: behind those of which that is known, so that a whole link's
    /// messages are gone through once while they are sent again.
    fn first_unsent(&self) -> Option<usize> {
        self.position_from(self.sent_before, |entry| !entry.sent)
    }

    fn position_from(&self, from: usize, fits: impl Fn(&Entry) -> bool) -> Option<usize> {
        let found = self.entries.range(from..).position(fits);
        let found = found.map(|behind| from + behind);
        #[cfg(test)]
        self.looked_at
            .update(|so_far| so_far + found.map_or(self.entries.len(), |at| at + 1) - from);
        found
    }

    /// The oldest unwritten message is written now.
    pub(crate) fn note_sent(&mut self) {
        let Some(index) = self.first_unsent() else {
            return;
        };
        self.unsent -= 1;
        self.sent_before = index + 1;
        self.entries[index].sent = true;
        self.entries[index].recalled = false;
        if self.entries[index].once
            && let Some(entry) = self.entries.remove(index)
        {
            self.removed(index, &entry);
        }
    }

    /// Whether the engine owes an answer. A cancel in part is not counted: where nothing was left
    /// to take, the engine says nothing until the order ends.
    pub(crate) fn is_owed(&self) -> bool {
        self.entries.iter().any(|entry| match entry.asked {
            Asked::Enter { .. } | Asked::Replace { .. } => true,
            Asked::Cancel { remain_wire, .. } => remain_wire == 0,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether this version is asked for and unanswered.
    fn is_asked(&self, version: UserRef) -> bool {
        self.entries.iter().any(|entry| match entry.asked {
            Asked::Enter { number } | Asked::Replace { number, .. } => number == version,
            Asked::Cancel { .. } => false,
        })
    }

    fn cancel_of(&self, asked: Asked) -> Option<usize> {
        let Asked::Cancel { target, .. } = asked else {
            return None;
        };
        if !self.cancels.may_hold(target) {
            return None;
        }
        let same =
            |entry: &Entry| matches!(entry.asked, Asked::Cancel { target: t, .. } if t == target);
        self.position_from(0, same)
    }

    fn remove_first(&mut self, fits: impl Fn(Asked) -> bool) -> Option<Asked> {
        let index = self.position_from(0, |entry| fits(entry.asked))?;
        let entry = self.entries.remove(index)?;
        self.removed(index, &entry);
        Some(entry.asked)
    }

    #[inline]
    fn removed(&mut self, index: usize, entry: &Entry) {
        self.sent_before -= usize::from(index < self.sent_before);
        self.messages.free.push(entry.message);
        self.unsent -= usize::from(!entry.sent);
        self.count(entry.asked, -1);
    }
}

const fn remaining(asked: Asked) -> u32 {
    match asked {
        Asked::Cancel { remain_wire, .. } => remain_wire,
        Asked::Enter { .. } | Asked::Replace { .. } => 0,
    }
}

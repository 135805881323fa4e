//! What was sent to the engine and is not answered: what must be sent again after a broken link.
//!
//! Owned by a link. Invariants: bounded; in the order of sending; a cancel stands here once an
//! order, as the one that leaves least; what the engine will not answer, since the order it names
//! is gone, is sent once and forgotten. It must never drop what may still be unknown to the engine.

use std::collections::VecDeque;

use portcullis_domain::UserRef;
use portcullis_wire::ouch50::MESSAGE_BYTES_MAX;

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

/// A message of the engine's protocol, owned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    len: usize,
    bytes: [u8; MESSAGE_BYTES_MAX],
}

impl Message {
    /// `None` if it is longer than any message of the protocol.
    pub(crate) fn of(message: &[u8]) -> Option<Self> {
        let mut bytes = [0; MESSAGE_BYTES_MAX];
        bytes.get_mut(..message.len())?.copy_from_slice(message);
        Some(Self {
            len: message.len(),
            bytes,
        })
    }

    /// What `write` puts into the longest message; `None` if it fails.
    pub(crate) fn written<E>(write: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Option<Self> {
        let mut bytes = [0; MESSAGE_BYTES_MAX];
        let len = write(&mut bytes).ok()?;
        Some(Self { len, bytes })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    asked: Asked,
    message: Message,
    /// Written on the link of the moment.
    sent: bool,
    /// Names an order that is gone: forgotten once it is sent.
    once: bool,
}

#[derive(Debug)]
pub(crate) struct InFlight {
    entries: VecDeque<Entry>,
    max: usize,
    unsent: usize,
}

impl InFlight {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            entries: VecDeque::with_capacity(max),
            max,
            unsent: 0,
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
    pub(crate) fn keep(&mut self, asked: Asked, message: Message, sent: bool, alive: bool) {
        let names = match asked {
            Asked::Enter { .. } => None,
            Asked::Replace { original, .. } => Some(original),
            Asked::Cancel { target, .. } => Some(target),
        };
        let once = !alive && names.is_some_and(|version| !self.is_asked(version));
        if once && sent {
            return;
        }
        let entry = Entry {
            asked,
            message,
            sent,
            once,
        };
        let Some(index) = self.cancel_of(asked) else {
            assert!(self.entries.len() < self.max, "room was asked for before");
            self.entries.push_back(entry);
            self.unsent += usize::from(!sent);
            return;
        };
        let known = &mut self.entries[index];
        if remaining(asked) < remaining(known.asked) {
            self.unsent += usize::from(!sent);
            self.unsent -= usize::from(!known.sent);
            *known = entry;
        }
    }

    /// The engine spoke of an order or version with this number: it has it, or never will.
    pub(crate) fn answered(&mut self, answered: UserRef) {
        self.remove_first(|asked| match asked {
            Asked::Enter { number } | Asked::Replace { number, .. } => number == answered,
            Asked::Cancel { .. } => false,
        });
    }

    /// The engine spoke of a cancel of this version.
    pub(crate) fn cancel_answered(&mut self, of: UserRef) {
        self.remove_first(|asked| matches!(asked, Asked::Cancel { target, .. } if target == of));
    }

    /// This version is gone, or will never be: the engine ignores whatever names it, and with a
    /// replace of it the version that the replace would have made.
    pub(crate) fn gone(&mut self, version: UserRef) {
        self.answered(version);
        self.cancel_answered(version);
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
    }

    /// The oldest message that is not written on this link.
    pub(crate) fn next_unsent(&self) -> Option<&[u8]> {
        if self.unsent == 0 {
            return None;
        }
        let entry = self.entries.iter().find(|entry| !entry.sent)?;
        Some(entry.message.bytes())
    }

    /// The oldest unwritten message is written now.
    pub(crate) fn note_sent(&mut self) {
        let Some(index) = self.entries.iter().position(|entry| !entry.sent) else {
            return;
        };
        self.unsent -= 1;
        self.entries[index].sent = true;
        if self.entries[index].once {
            self.entries.remove(index);
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
        let same =
            |entry: &Entry| matches!(entry.asked, Asked::Cancel { target: t, .. } if t == target);
        self.entries.iter().position(same)
    }

    fn remove_first(&mut self, fits: impl Fn(Asked) -> bool) -> Option<Asked> {
        let index = self.entries.iter().position(|entry| fits(entry.asked))?;
        let entry = self.entries.remove(index)?;
        self.unsent -= usize::from(!entry.sent);
        Some(entry.asked)
    }
}

const fn remaining(asked: Asked) -> u32 {
    match asked {
        Asked::Cancel { remain_wire, .. } => remain_wire,
        Asked::Enter { .. } | Asked::Replace { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(number: u32) -> UserRef {
        UserRef::new(number)
    }

    fn enter(number: u32) -> Asked {
        let number = reference(number);
        Asked::Enter { number }
    }

    fn replace(original: u32, number: u32) -> Asked {
        Asked::Replace {
            number: reference(number),
            original: reference(original),
        }
    }

    fn cancel(target: u32, remain_wire: u32) -> Asked {
        Asked::Cancel {
            target: reference(target),
            remain_wire,
        }
    }

    fn keep(flight: &mut InFlight, asked: Asked, mark: u8) {
        let message = Message::of(&[mark]).expect("short");
        flight.keep(asked, message, true, true);
    }

    /// The marks of what would be sent again, in order.
    fn resent(flight: &mut InFlight) -> Vec<u8> {
        flight.link_lost();
        let mut marks = Vec::new();
        while let Some(bytes) = flight.next_unsent() {
            marks.push(bytes[0]);
            flight.note_sent();
        }
        marks
    }

    #[test]
    fn what_is_answered_is_not_sent_again() {
        let mut flight = InFlight::new(8);
        for number in 1..=3 {
            keep(&mut flight, enter(number), number as u8);
        }
        flight.answered(reference(2));
        assert_eq!(resent(&mut flight), [1, 3]);
        assert!(flight.is_owed());
    }

    #[test]
    fn a_version_that_never_came_takes_its_successors_along() {
        let mut flight = InFlight::new(8);
        keep(&mut flight, replace(1, 2), 2);
        keep(&mut flight, replace(2, 3), 3);
        keep(&mut flight, cancel(3, 0), 4);
        keep(&mut flight, enter(9), 9);
        flight.gone(reference(2));
        assert_eq!(resent(&mut flight), [9]);
    }

    #[test]
    fn what_names_an_order_that_is_gone_is_sent_once() {
        let mut flight = InFlight::new(8);
        let message = Message::of(&[7]).expect("short");
        flight.keep(cancel(1, 0), message, true, false);
        assert_eq!(flight.len(), 0, "sent already");
        flight.keep(replace(1, 2), message, false, false);
        assert_eq!(resent(&mut flight), [7]);
        assert_eq!(flight.len(), 0);
        keep(&mut flight, enter(3), 3);
        flight.keep(cancel(3, 0), message, true, false);
        assert_eq!(
            resent(&mut flight),
            [3, 7],
            "asked for, so it may come to live"
        );
        assert_eq!(flight.len(), 2);
    }

    #[test]
    fn an_order_has_one_cancel_here_the_one_that_leaves_least() {
        let mut flight = InFlight::new(1);
        keep(&mut flight, cancel(1, 5), 5);
        assert!(!flight.is_owed(), "a cancel in part may never be answered");
        assert!(flight.has_room_for(cancel(1, 0)) && !flight.has_room_for(cancel(2, 0)));
        keep(&mut flight, cancel(1, 0), 6);
        keep(&mut flight, cancel(1, 3), 7);
        assert_eq!(resent(&mut flight), [6]);
        flight.cancel_answered(reference(1));
        assert_eq!((flight.len(), flight.next_unsent()), (0, None));
    }
}

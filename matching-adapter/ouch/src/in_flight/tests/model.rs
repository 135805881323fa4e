//! What is in flight as a plain list, gone through from its front for each thing that is asked.

use super::*;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) asked: Asked,
    pub(super) message: Vec<u8>,
    pub(super) sent: bool,
    once: bool,
    pub(super) recalled: bool,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) entries: Vec<Kept>,
    max: usize,
}

impl Model {
    pub(super) fn new(max: usize) -> Self {
        let entries = Vec::new();
        Self { entries, max }
    }

    pub(super) fn has_room_for(&self, asked: Asked) -> bool {
        self.entries.len() < self.max || self.cancel_of(asked).is_some()
    }

    pub(super) fn keep(&mut self, asked: Asked, message: &[u8], sent: bool, alive: bool) {
        self.put(asked, message, sent, alive, false);
    }

    pub(super) fn recall(&mut self, asked: Asked, message: &[u8], alive: bool) {
        self.put(asked, message, true, alive, true);
    }

    fn put(&mut self, asked: Asked, message: &[u8], sent: bool, alive: bool, recalled: bool) {
        let named = match asked {
            Asked::Enter { .. } => None,
            Asked::Replace { original, .. } => Some(original),
            Asked::Cancel { target, .. } => Some(target),
        };
        let is_asked = |named| self.entries.iter().any(|kept| kept.asked.number() == named);
        let once = named.is_some() && !alive && !is_asked(named);
        if once && sent {
            return;
        }
        let kept = Kept {
            asked,
            message: message.to_vec(),
            sent,
            once,
            recalled,
        };
        match self.cancel_of(asked) {
            Some(place) if remaining(asked) < remaining(self.entries[place].asked) => {
                self.entries[place] = kept;
            }
            Some(_) => {}
            None => self.entries.push(kept),
        }
    }

    pub(super) fn cancel_of(&self, asked: Asked) -> Option<usize> {
        let of = |asked| match asked {
            Asked::Cancel { target, .. } => Some(target),
            Asked::Enter { .. } | Asked::Replace { .. } => None,
        };
        let target = of(asked)?;
        (self.entries.iter()).position(|kept| of(kept.asked) == Some(target))
    }

    fn remove_first(&mut self, fits: impl Fn(Asked) -> bool) -> Option<Asked> {
        let place = self.entries.iter().position(|kept| fits(kept.asked))?;
        Some(self.entries.remove(place).asked)
    }

    pub(super) fn answered(&mut self, number: UserRef) {
        self.remove_first(|asked| asked.number() == Some(number));
    }

    pub(super) fn cancel_answered(&mut self, of: UserRef) {
        self.remove_first(|asked| matches!(asked, Asked::Cancel { target, .. } if target == of));
    }

    pub(super) fn gone(&mut self, version: UserRef) {
        self.answered(version);
        self.cancel_answered(version);
        while let Some(asked) = self.remove_first(
            |asked| matches!(asked, Asked::Replace { original, .. } if original == version),
        ) {
            self.gone(asked.number().expect("a replace brings one"));
        }
    }

    pub(super) fn link_lost(&mut self) {
        self.entries.iter_mut().for_each(|kept| kept.sent = false);
    }

    pub(super) fn first_unsent(&self) -> Option<usize> {
        self.entries.iter().position(|kept| !kept.sent)
    }

    pub(super) fn note_sent(&mut self) {
        let Some(place) = self.first_unsent() else {
            return;
        };
        let kept = &mut self.entries[place];
        (kept.sent, kept.recalled) = (true, false);
        if kept.once {
            self.entries.remove(place);
        }
    }

    pub(super) fn is_owed(&self) -> bool {
        let whole = |kept: &Kept| remaining(kept.asked) == 0;
        self.entries.iter().any(whole)
    }

    pub(super) fn rows_in_doubt(&self) -> Vec<u8> {
        let recalled = self.entries.iter().filter(|kept| kept.recalled);
        let mut rows: Vec<u8> = recalled
            .filter_map(|kept| Some(kept.asked.number()?.row))
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

//! What a client knows of its orders, and what it is told that cannot be.
//!
//! Numbers are given once, from 1 on; a number tells the row that it stands in, and a new version has the
//! next one of its order's row. An order that was sent is owed one answer, whatever becomes of the
//! connection, since it is sent again. A replace is not, and may be lost with its connection or say nothing
//! where its order has died: it is owed an answer when an order sent behind it on the same connection was
//! accepted, or nothing more comes, and its order is open still. Invariant: a message takes from what is
//! open no more than is open, and is about nobody else's order.

use super::messages::{self, Said};
use super::random::Random;
use std::collections::{BTreeMap, BTreeSet};

/// Orders of a client that may be unanswered.
const UNANSWERED_MAX: usize = 64;

/// What must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is about somebody else's order, or more than is open of its own.
    Foreign(String),
    /// It answers again.
    Duplicated(String),
    /// It shows that a replace of an open order was passed over.
    ReplaceLost(String),
}

/// What a message changed.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// An order entered has its answer.
    pub(super) answered: bool,
    /// An order was accepted.
    pub(super) accepted: bool,
    pub(super) wrong: Vec<Wrong>,
}

/// A client's orders.
#[derive(Debug)]
pub(super) struct Book {
    client: usize,
    /// The last number given.
    number: u32,
    /// Orders entered and not answered, with their bytes.
    unanswered: BTreeMap<u32, Vec<u8>>,
    /// Orders that were accepted, to be cancelled or replaced, dead ones among them.
    accepted: BTreeSet<u32>,
    /// What is open of each order that is.
    open: BTreeMap<u32, u32>,
    /// Versions that were asked for and not answered.
    replaces: BTreeSet<u32>,
    /// Those of this connection that nothing sent behind them has overtaken, with the order that each is of.
    owed: BTreeMap<u32, u32>,
}

impl Book {
    pub(super) fn new(client: usize) -> Self {
        Self {
            client,
            number: 0,
            unanswered: BTreeMap::new(),
            accepted: BTreeSet::new(),
            open: BTreeMap::new(),
            replaces: BTreeSet::new(),
            owed: BTreeMap::new(),
        }
    }

    /// Orders entered and not answered, as they were sent.
    pub(super) fn unanswered(&self) -> impl ExactSizeIterator<Item = &Vec<u8>> {
        self.unanswered.values()
    }

    /// The first of them.
    pub(super) fn first_unanswered(&self) -> Option<u32> {
        self.unanswered.first_key_value().map(|(number, _)| *number)
    }

    /// Whether some order has no answer, or some replace whose order lives.
    pub(super) fn is_owed(&self) -> bool {
        let lives = |original| self.open.contains_key(original);
        !self.unanswered.is_empty() || self.owed.values().any(lives)
    }

    /// The connection is gone: what was asked for on it may have gone with it.
    pub(super) fn lose_connection(&mut self) {
        self.owed.clear();
    }

    /// An order, unless too many are unanswered.
    pub(super) fn enter(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        if self.unanswered.len() >= UNANSWERED_MAX {
            return None;
        }
        let number = self.next();
        let message = messages::enter(self.client, number, random);
        // Before it is sent: what left may have been taken, whatever becomes of the connection.
        self.unanswered.insert(number, message.clone());
        Some(message)
    }

    /// The cancel of some order.
    pub(super) fn cancel(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let place = random.below(self.accepted.len() as u64) as usize;
        let number = *self.accepted.iter().nth(place)?;
        self.accepted.remove(&number);
        Some(messages::cancel(number))
    }

    /// A new version of the last order.
    pub(super) fn replace(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let original = *self.accepted.last()?;
        let number = self.next_beside(original);
        self.replaces.insert(number);
        self.owed.insert(number, original);
        Some(messages::replace(original, number, random))
    }

    /// Nothing is to stay open.
    pub(super) fn cancel_all(&mut self) -> Vec<u8> {
        let number = self.next();
        self.replaces.insert(number);
        messages::cancel_all(number)
    }

    fn next(&mut self) -> u32 {
        self.number += 1;
        self.number
    }

    /// The next number of this one's row; those between are given to nobody.
    fn next_beside(&mut self, number: u32) -> u32 {
        let step = messages::ROW_STEP;
        let behind = self.next() + step - 1;
        self.number = behind - (behind - number) % step;
        self.number
    }

    /// Takes what a message says.
    pub(super) fn hear(&mut self, said: &Said) -> Heard {
        let mut heard = Heard::default();
        match said {
            Said::Accepted {
                number,
                words,
                open,
            } => {
                if *words != messages::words(self.client, *number) {
                    let what = format!("order {number} was not called {words}");
                    heard.wrong.push(Wrong::Foreign(what));
                }
                heard.accepted = true;
                self.answer(*number, said, &mut heard);
                self.begins(*number, *open);
                heard.wrong.extend(self.overtaken_by(*number));
            }
            Said::Rejected { number } => self.answer(*number, said, &mut heard),
            Said::Replaced {
                original,
                number,
                open,
            } => {
                self.answer(*number, said, &mut heard);
                self.open.remove(original);
                self.begins(*number, *open);
            }
            Said::Less { number, lots } => heard.wrong.extend(self.shrink(*number, *lots)),
            Said::Other { number } => {
                let strange = number.filter(|number| !self.has_given(*number));
                heard.wrong.extend(strange.map(|_| not_mine(said)));
            }
            Said::OtherRow { .. } => heard.wrong.push(not_mine(said)),
            Said::Unreadable => {
                let what = "it does not read".to_owned();
                heard.wrong.push(Wrong::Foreign(what));
            }
        }
        heard
    }

    /// Replaces that nothing answers any more, though their orders live: for when nothing more comes.
    pub(super) fn overdue(&mut self) -> Vec<Wrong> {
        self.overtaken_by(u32::MAX)
    }

    fn answer(&mut self, number: u32, said: &Said, heard: &mut Heard) {
        heard.answered = self.unanswered.remove(&number).is_some();
        self.owed.remove(&number);
        let known = self.replaces.remove(&number) || heard.answered;
        if known {
            return;
        }
        heard.wrong.push(if self.has_given(number) {
            Wrong::Duplicated(format!("{said:?} answers again"))
        } else {
            not_mine(said)
        });
    }

    fn begins(&mut self, number: u32, open: u32) {
        self.accepted.insert(number);
        if open > 0 {
            self.open.insert(number, open);
        }
    }

    fn shrink(&mut self, number: u32, lots: u32) -> Option<Wrong> {
        let open = self.open.get(&number).copied().unwrap_or(0);
        match open.checked_sub(lots) {
            None => {
                let what = format!("{lots} lots of order {number}, of which {open} are open");
                return Some(Wrong::Foreign(what));
            }
            Some(0) => _ = self.open.remove(&number),
            Some(left) => _ = self.open.insert(number, left),
        }
        None
    }

    /// What came to be answered has overtaken the replaces that were sent before it.
    fn overtaken_by(&mut self, number: u32) -> Vec<Wrong> {
        let behind = self.owed.split_off(&number);
        let before = std::mem::replace(&mut self.owed, behind).into_iter();
        let of_open = before.filter(|(_, original)| self.open.contains_key(original));
        let lost = of_open.map(|(replace, original)| {
            let what =
                format!("replace {replace} of order {original}, which is open, has no answer");
            Wrong::ReplaceLost(what)
        });
        lost.collect()
    }

    fn has_given(&self, number: u32) -> bool {
        (1..=self.number).contains(&number)
    }
}

fn not_mine(said: &Said) -> Wrong {
    Wrong::Foreign(format!("{said:?} is about an order that is not mine"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(orders: u32) -> Book {
        let mut book = Book::new(7);
        for _ in 0..orders {
            assert!(book.enter(&mut Random(1)).is_some());
        }
        book
    }

    fn accepted(number: u32) -> Said {
        Said::Accepted {
            number,
            words: messages::words(7, number),
            open: 5,
        }
    }

    #[test]
    fn an_order_is_answered_once_and_shrinks_by_what_is_open() {
        let mut book = entered(1);
        let heard = book.hear(&accepted(1));
        assert!(heard.answered && heard.accepted && heard.wrong.is_empty());
        let less = |lots| Said::Less { number: 1, lots };
        assert_eq!(book.hear(&less(3)).wrong, []);
        assert!(matches!(book.hear(&less(3)).wrong[..], [Wrong::Foreign(_)]));
        assert_eq!(book.hear(&less(2)).wrong, []);
        assert!(matches!(book.hear(&less(1)).wrong[..], [Wrong::Foreign(_)]));
        let again = book.hear(&Said::Rejected { number: 1 });
        assert!(matches!(again.wrong[..], [Wrong::Duplicated(_)]));
        assert!(!again.answered);
    }

    #[test]
    fn what_was_never_sent_is_of_somebody_else() {
        let mut book = entered(2);
        for said in [
            accepted(3),
            Said::Rejected { number: 3 },
            Said::Less { number: 2, lots: 1 },
            Said::Other { number: Some(3) },
            Said::Other { number: Some(0) },
            Said::Unreadable,
        ] {
            let wrong = book.hear(&said).wrong;
            assert!(matches!(wrong[..], [Wrong::Foreign(_)]), "{said:?}");
        }
        assert_eq!(book.hear(&Said::Other { number: Some(2) }).wrong, []);
        assert_eq!(book.hear(&Said::Other { number: None }).wrong, []);
    }

    #[test]
    fn a_replace_is_owed_an_answer_while_its_order_lives_and_its_connection_does() {
        let overtaken = |book: &mut Book| {
            let (_, number) = (book.enter(&mut Random(1)), book.number);
            book.hear(&accepted(number)).wrong
        };
        let mut book = entered(1);
        book.hear(&accepted(1));
        assert!(!book.is_owed());
        assert!(book.replace(&mut Random(1)).is_some());
        assert!(book.is_owed());
        assert!(matches!(overtaken(&mut book)[..], [Wrong::ReplaceLost(_)]));
        assert_eq!(overtaken(&mut book), []);

        assert!(book.replace(&mut Random(1)).is_some());
        assert!(matches!(book.overdue()[..], [Wrong::ReplaceLost(_)]));

        assert!(book.replace(&mut Random(1)).is_some());
        book.lose_connection();
        assert_eq!(book.overdue(), []);

        assert!(book.replace(&mut Random(1)).is_some());
        let original = *book.accepted.last().unwrap();
        book.hear(&Said::Less {
            number: original,
            lots: 5,
        });
        assert_eq!(overtaken(&mut book), []);

        assert!(book.replace(&mut Random(1)).is_some());
        let original = *book.accepted.last().unwrap();
        let replaced = Said::Replaced {
            original,
            number: book.number,
            open: 2,
        };
        assert_eq!(book.hear(&replaced).wrong, []);
        assert!(!book.open.contains_key(&original));
        assert_eq!(book.overdue(), []);
    }
}

//! Whatever comes, in whatever order, it is what a plain list would have.

use super::model::{Kept, Model};
use super::*;

/// Numbers drawn at random, the same in each run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as u32 % end
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }
}

/// What is asked for, and by which numbers.
struct Course {
    max: usize,
    numbers: u32,
    rows: u32,
    /// A number is used once, and what is named or answered is one of the last.
    ascends: bool,
    /// One step in so many loses the link, or is of the log.
    one_in: u32,
    keeps: u32,
}

struct Pair {
    course: Course,
    random: Random,
    last: u32,
    flight: InFlight,
    model: Model,
}

impl Pair {
    fn new(course: Course, seed: HashSeed, random: u64) -> Self {
        Self {
            random: Random(random),
            last: 0,
            flight: InFlight::new(course.max, seed),
            model: Model::new(course.max),
            course,
        }
    }

    fn known(&mut self) -> UserRef {
        let row = self.random.below(self.course.rows) as u8;
        let back = self.random.below(self.course.numbers);
        let number = if self.course.ascends {
            self.last.saturating_sub(back)
        } else {
            back
        };
        UserRef { row, number }
    }

    fn new_number(&mut self) -> UserRef {
        self.last += 1;
        let known = self.known();
        let number = if self.course.ascends {
            self.last
        } else {
            known.number
        };
        UserRef { number, ..known }
    }

    fn asked(&mut self) -> Asked {
        match self.random.below(4) {
            0 => Asked::Enter {
                number: self.new_number(),
            },
            1 => Asked::Replace {
                original: self.known(),
                number: self.new_number(),
            },
            _ => Asked::Cancel {
                target: self.known(),
                remain_wire: self.random.below(5),
            },
        }
    }

    fn step(&mut self) {
        let known = self.known();
        let what = self.random.below(self.course.keeps + 5);
        if self.random.one_in(self.course.one_in) {
            self.flight.link_lost();
            self.model.link_lost();
        } else if self.random.one_in(self.course.one_in) {
            let asked = self.asked();
            let alive = !self.random.one_in(4);
            self.flight.recall(asked, &[7; 9], alive);
            self.model.recall(asked, &[7; 9], alive);
        }
        match what {
            0 => {
                self.flight.answered(known);
                self.model.answered(known);
            }
            1 => {
                self.flight.cancel_answered(known);
                self.model.cancel_answered(known);
            }
            2 => {
                self.flight.gone(known);
                self.model.gone(known);
            }
            3 => {
                self.flight.note_sent();
                self.model.note_sent();
            }
            // An engine that answers in turn.
            4 => {
                if let Some(number) = self.model.entries.first().and_then(|k| k.asked.number()) {
                    self.flight.gone(number);
                    self.model.gone(number);
                }
            }
            _ => {
                let asked = self.asked();
                let room = self.model.has_room_for(asked);
                assert_eq!(self.flight.has_room_for(asked), room);
                if room {
                    let message = vec![self.random.below(256) as u8; asked_len(asked)];
                    let (sent, alive) = (!self.random.one_in(3), !self.random.one_in(4));
                    self.flight.keep(asked, &message, sent, alive);
                    self.model.keep(asked, &message, sent, alive);
                }
            }
        }
    }

    /// What shows at each moment.
    fn compare(&self) {
        let (flight, model) = (&self.flight, &self.model);
        assert_eq!(flight.len(), model.entries.len());
        assert_eq!(flight.is_owed(), model.is_owed());
        let next = model.first_unsent().map(|place| &model.entries[place]);
        let unsent = flight.next_unsent();
        assert_eq!(unsent.map(shown), next.map(of_model));
    }

    /// What shows when all is looked at.
    fn compare_whole(&self) {
        let (flight, model) = (&self.flight, &self.model);
        let all: Vec<_> = flight.all().map(shown).collect();
        let kept: Vec<_> = model.entries.iter().map(of_model).collect();
        assert_eq!(all, kept);
        let rows = flight.rows_in_doubt();
        let rows: Vec<u8> = (0..=u8::MAX).filter(|row| rows.has(*row)).collect();
        assert_eq!(rows, model.rows_in_doubt());
        assert!(flight.queue.is_whole() && flight.recent <= RECENT_MAX);
    }
}

fn asked_len(asked: Asked) -> usize {
    match asked {
        Asked::Enter { .. } => 56,
        Asked::Replace { .. } => 40,
        Asked::Cancel { .. } => 11,
    }
}

fn shown(unsent: Unwritten<'_>) -> (Asked, Vec<u8>, bool) {
    let Unwritten {
        asked,
        message,
        recalled,
    } = unsent;
    (asked, message.to_vec(), recalled)
}

fn of_model(kept: &Kept) -> (Asked, Vec<u8>, bool) {
    (kept.asked, kept.message.clone(), kept.recalled)
}

fn run(course: Course, seed: HashSeed, random: u64, steps: usize) {
    let mut pair = Pair::new(course, seed, random);
    for step in 0..steps {
        pair.step();
        pair.compare();
        if step % 61 == 0 {
            pair.compare_whole();
        }
    }
    pair.compare_whole();
    let mut at = pair.flight.queue.oldest();
    while at != At::NONE {
        pair.flight.remove(at);
        at = pair.flight.queue.oldest();
    }
    let flight = &pair.flight;
    assert!(flight.index.is_empty() && flight.queue.is_whole());
    assert_eq!((flight.cancels, flight.replaces, flight.partial), (0, 0, 0));
    assert!(flight.unsent.first().is_none());
    assert_eq!((flight.recent, flight.recent_replaces), (0, 0));
}

fn seeds() -> impl Iterator<Item = (HashSeed, u64)> {
    (1..8_u64).map(|turn| {
        let words = [turn, turn + 64].map(|word| HashSeed::FIXED.scatter(word));
        (HashSeed::from_words(words), turn)
    })
}

/// Numbers that come again and again, so that many fit.
#[test]
fn few_numbers() {
    for (seed, turn) in seeds() {
        let course = Course {
            max: 24,
            numbers: 12,
            rows: 2,
            ascends: false,
            one_in: 97,
            keeps: 6,
        };
        run(course, seed, turn, 40_000);
    }
}

/// As clients ask: each number once, more of them than are recent, in three rows.
#[test]
fn numbers_that_ascend() {
    for (seed, turn) in seeds() {
        let course = Course {
            max: 600,
            numbers: 900,
            rows: 3,
            ascends: true,
            one_in: 1_500,
            keeps: 9,
        };
        run(course, seed, turn, 12_000);
    }
}

/// Room for one, most of it of the log.
#[test]
fn hardly_any_room() {
    for (seed, turn) in seeds() {
        let course = Course {
            max: 1,
            numbers: 4,
            rows: 1,
            ascends: false,
            one_in: 5,
            keeps: 3,
        };
        run(course, seed, turn, 20_000);
    }
}

//! One hop from thread to thread through a ring: there and back, and as fast as one way goes.
//!
//! Two threads of its own a measurement. Invariants: each word that is sent arrives once and in its
//! turn, or there is no figure; a measurement ends within a bound, however crowded the machine is.

use crate::wait::{AGENTS_CORE, ENDS_CORE, Wait};
use portcullis_bench_harness::{Latency, Rounds};
use portcullis_domain::{CommandKind, Head, RAW_BYTES_MAX, Record};
use portcullis_pipeline::item::VenueItem;
use portcullis_runtime::{
    Lead, MessageConsumer, MessageProducer, RecordConsumer, RecordProducer, RingConsumer,
    RingProducer,
};
use std::time::{Duration, Instant};

/// Batches of round trips that are timed one by one.
const BATCHES_ALONE: u64 = 10;

/// Said last.
const OVER: u64 = u64::MAX;

/// An end that words are put in at.
pub trait Sends: Send {
    /// Puts a word in; `false` where there is no room.
    fn send(&mut self, word: u64) -> bool;
}

/// An end that words come out at.
pub trait Takes: Send {
    /// Takes the next word out.
    fn take(&mut self) -> Option<u64>;
}

impl<T: Sends> Sends for &mut T {
    #[inline(always)]
    fn send(&mut self, word: u64) -> bool {
        (**self).send(word)
    }
}

impl<T: Takes> Takes for &mut T {
    #[inline(always)]
    fn take(&mut self) -> Option<u64> {
        (**self).take()
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Round trips in a batch.
    pub trips: u64,
    /// Batches at the most.
    pub batches: usize,
    /// No further batch is begun after this.
    pub within: Duration,
    /// How the threads wait.
    pub wait: Wait,
}

/// Nanoseconds of a round trip: the median of batches.
///
/// # Errors
/// A core cannot be had, or a word came back that was not sent.
///
/// # Panics
/// If a thread does.
pub fn round_trip_ns(
    effort: Effort,
    there: (impl Sends, impl Takes),
    back: (impl Sends, impl Takes),
) -> Result<u64, String> {
    beside_echo(effort.wait, there, back, |there, back| {
        ask(effort, there, back)
    })
}

/// Round trips of which each is timed by itself, its two readings of the clock included: so many as in a few batches.
///
/// # Errors
/// As [`round_trip_ns`].
///
/// # Panics
/// If a thread does.
pub fn round_trips_alone(
    effort: Effort,
    there: (impl Sends, impl Takes),
    back: (impl Sends, impl Takes),
) -> Result<Latency, String> {
    beside_echo(effort.wait, there, back, |there, back| {
        ask_alone(effort, there, back)
    })
}

/// Has one thread send back what another sends, as it asks.
fn beside_echo<S: Sends, T: Takes, A: Send>(
    wait: Wait,
    mut there: (S, impl Takes),
    mut back: (impl Sends, T),
    ask: impl FnOnce(&mut S, &mut T) -> Result<A, String> + Send,
) -> Result<A, String> {
    std::thread::scope(|scope| {
        let echo = scope.spawn(move || -> Result<(), String> {
            let placed = wait.take_place(AGENTS_CORE);
            loop {
                let word = taken(&mut there.1, wait);
                send(&mut back.0, word, wait);
                if word == OVER {
                    return placed;
                }
            }
        });
        let asked = scope.spawn(move || {
            let placed = wait.take_place(ENDS_CORE);
            let trips = placed.and_then(|()| ask(&mut there.0, &mut back.1));
            send(&mut there.0, OVER, wait);
            // It comes back, too: rings that are used again are empty then.
            while taken(&mut back.1, wait) != OVER {}
            trips
        });
        let answer = asked.join().expect("asking has no way to panic");
        echo.join().expect("an echo has no way to panic")?;
        answer
    })
}

fn ask(effort: Effort, there: &mut impl Sends, back: &mut impl Takes) -> Result<u64, String> {
    let mut rounds = Rounds::default();
    let begun = Instant::now();
    let mut turn = 0;
    while rounds.values().is_empty()
        || rounds.values().len() < effort.batches && begun.elapsed() < effort.within
    {
        let batch = Instant::now();
        for _ in 0..effort.trips {
            turn += 1;
            send(there, turn, effort.wait);
            let word = taken(back, effort.wait);
            if word != turn {
                return Err(format!("{word} came back for {turn}"));
            }
        }
        rounds.push(batch.elapsed().as_nanos() as u64 / effort.trips);
    }
    Ok(rounds.spread().map_or(0, |spread| spread.median))
}

fn ask_alone(
    effort: Effort,
    there: &mut impl Sends,
    back: &mut impl Takes,
) -> Result<Latency, String> {
    let mut trips = Latency::new();
    let begun = Instant::now();
    for turn in 1..=BATCHES_ALONE * effort.trips {
        if begun.elapsed() >= effort.within {
            break;
        }
        let trip = Instant::now();
        send(there, turn, effort.wait);
        let word = taken(back, effort.wait);
        let ns = trip.elapsed().as_nanos() as u64;
        if word != turn {
            return Err(format!("{word} came back for {turn}"));
        }
        trips.record(ns);
    }
    Ok(trips)
}

/// Picoseconds a word one way, as many as go in a batch after the other.
///
/// # Errors
/// A core cannot be had, or a word was lost or came out of its turn.
///
/// # Panics
/// If a thread does.
pub fn one_way_ps(effort: Effort, ring: (impl Sends, impl Takes)) -> Result<u64, String> {
    let wait = effort.wait;
    let (mut sender, mut taker) = ring;
    std::thread::scope(|scope| {
        let sends = scope.spawn(move || -> Result<u64, String> {
            let placed = wait.take_place(ENDS_CORE);
            let begun = Instant::now();
            let mut word = 0;
            let most = effort.trips * effort.batches as u64;
            while placed.is_ok() && word < most && begun.elapsed() < effort.within {
                for _ in 0..effort.trips {
                    word += 1;
                    send(&mut sender, word, wait);
                }
            }
            send(&mut sender, OVER, wait);
            placed.map(|()| word)
        });
        let takes = scope.spawn(move || -> Result<(u64, Duration), String> {
            let placed = wait.take_place(AGENTS_CORE);
            let words = arrivals(&mut taker, wait);
            placed.and(words)
        });
        let taken = takes.join().expect("taking has no way to panic");
        let sent = sends.join().expect("sending has no way to panic")?;
        let (words, took) = taken?;
        if words != sent {
            return Err(format!("{words} of {sent} words arrived"));
        }
        Ok(took.as_nanos() as u64 * 1_000 / words.max(1))
    })
}

/// Takes all; how many, and how long from the first to the last.
fn arrivals(taker: &mut impl Takes, wait: Wait) -> Result<(u64, Duration), String> {
    let mut last = taken(taker, wait);
    let begun = Instant::now();
    let mut wrong = None;
    let mut expected = 1;
    while last != OVER {
        if last != expected && wrong.is_none() {
            wrong = Some(format!("{last} arrived in place of {expected}"));
        }
        expected += 1;
        last = taken(taker, wait);
    }
    wrong.map_or(Ok((expected - 1, begun.elapsed())), Err)
}

// In line, for each ring alike: what a call writes to the stack is stores between two publications.
#[inline(always)]
fn send(sender: &mut impl Sends, word: u64, wait: Wait) {
    while !sender.send(word) {
        wait.moment();
    }
}

#[inline(always)]
fn taken(taker: &mut impl Takes, wait: Wait) -> u64 {
    loop {
        match taker.take() {
            Some(word) => return word,
            None => wait.moment(),
        }
    }
}

/// Records with a raw message of a given length; the word stands in the head. Sent as ingress and the venue
/// agent send them: a head, and the bytes that go behind it.
#[derive(Debug)]
pub struct Records {
    ring: RecordProducer,
    head: Head,
    raw: Vec<u8>,
}

impl Records {
    /// Records that carry `raw_len` bytes.
    ///
    /// # Panics
    /// If a record does not carry that many.
    #[must_use]
    pub fn new(ring: RecordProducer, raw_len: usize) -> Self {
        assert!(raw_len <= RAW_BYTES_MAX, "a length that a record carries");
        let mut head = Head::blank(CommandKind::NewOrder as u8);
        head.raw_len = raw_len as u16;
        let raw = vec![7; raw_len];
        Self { ring, head, raw }
    }
}

impl Sends for Records {
    #[inline]
    fn send(&mut self, word: u64) -> bool {
        let head = Head { word, ..self.head };
        self.ring.send(head, &self.raw)
    }
}

/// The other end: records taken into one that is there already, as the risk agent takes them.
#[derive(Debug)]
pub struct RecordsOut {
    ring: RecordConsumer,
    record: Record,
}

impl RecordsOut {
    /// The end of this ring.
    #[must_use]
    pub fn new(ring: RecordConsumer) -> Self {
        let record = Record::bare(Head::blank(CommandKind::Tick as u8));
        Self { ring, record }
    }
}

impl Takes for RecordsOut {
    #[inline]
    fn take(&mut self) -> Option<u64> {
        let taken = self.ring.pop_into(&mut self.record);
        taken.then_some(std::hint::black_box(&self.record).head.word)
    }
}

/// What stands in the place of an item for the venue: of its size, with the word in it.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    raw_len: usize,
    words: [u64; ITEM_WORDS - 1],
}

const ITEM_WORDS: usize = size_of::<VenueItem>() / size_of::<u64>();
const _: () = assert!(size_of::<Item>() == size_of::<VenueItem>());

impl Lead for Item {
    #[inline]
    fn bytes_behind(&self) -> usize {
        self.raw_len
    }
}

/// Items with a raw message of a given length behind them.
#[derive(Debug)]
pub struct Items {
    ring: MessageProducer<Item>,
    raw: Vec<u8>,
}

impl Items {
    /// Items before `raw_len` bytes.
    #[must_use]
    pub fn new(ring: MessageProducer<Item>, raw_len: usize) -> Self {
        let raw = vec![7; raw_len];
        Self { ring, raw }
    }
}

impl Sends for Items {
    #[inline]
    fn send(&mut self, word: u64) -> bool {
        let item = Item {
            raw_len: self.raw.len(),
            words: [word; ITEM_WORDS - 1],
        };
        self.ring.send(item, &self.raw)
    }
}

/// The other end.
#[derive(Debug)]
pub struct ItemsOut(MessageConsumer<Item>);

impl ItemsOut {
    /// The end of this ring.
    #[must_use]
    pub const fn new(ring: MessageConsumer<Item>) -> Self {
        Self(ring)
    }
}

impl Takes for ItemsOut {
    #[inline]
    fn take(&mut self) -> Option<u64> {
        let (item, raw) = self.0.take()?;
        let (item, _) = std::hint::black_box((item, raw));
        item.words.last().copied()
    }
}

/// A value with a word in it.
pub trait Word: Copy + Send {
    /// A value that carries the word.
    fn of(word: u64) -> Self;
    /// The word.
    fn word(&self) -> u64;
}

impl Word for u64 {
    fn of(word: u64) -> Self {
        word
    }

    fn word(&self) -> u64 {
        *self
    }
}

/// Words that fill a cache line, or several.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Lines<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Word for Lines<WORDS> {
    #[inline]
    fn of(word: u64) -> Self {
        Self([word; WORDS])
    }

    #[inline]
    fn word(&self) -> u64 {
        let words = std::hint::black_box(&self.0);
        words[WORDS - 1]
    }
}

impl<T: Word> Sends for RingProducer<T> {
    #[inline]
    fn send(&mut self, word: u64) -> bool {
        self.push(T::of(word)).is_ok()
    }
}

impl<T: Word> Takes for RingConsumer<T> {
    #[inline]
    fn take(&mut self) -> Option<u64> {
        self.pop().ok().map(|value| value.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_runtime::{record_ring, ring};

    const LITTLE: Effort = Effort {
        trips: 20,
        batches: 2,
        within: Duration::from_secs(5),
        wait: Wait::Yield,
    };

    fn records(raw_len: usize) -> (Records, RecordsOut) {
        let (producer, consumer) = record_ring(64);
        (Records::new(producer, raw_len), RecordsOut::new(consumer))
    }

    #[test]
    fn words_go_there_and_back_through_both_kinds_of_ring() {
        let hop = round_trip_ns(LITTLE, records(56), ring::<Lines<8>>(16));
        assert!(hop.is_ok_and(|ns| ns > 0));
        let alone = round_trips_alone(LITTLE, records(56), ring::<Lines<8>>(16));
        assert!(alone.is_ok_and(|trips| !trips.is_empty() && trips.p50() > 0));
        assert!(one_way_ps(LITTLE, records(0)).is_ok_and(|ps| ps > 0));
    }

    /// Loses a word.
    struct Leaks(RingProducer<u64>);

    impl Sends for Leaks {
        fn send(&mut self, word: u64) -> bool {
            word == 7 || self.0.send(word)
        }
    }

    #[test]
    fn a_ring_that_loses_a_word_has_no_figure() {
        let (producer, consumer) = ring(64);
        let lost = one_way_ps(LITTLE, (Leaks(producer), consumer));
        assert_eq!(lost, Err("8 arrived in place of 7".to_owned()));
    }
}

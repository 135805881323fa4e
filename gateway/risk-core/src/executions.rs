//! Executions: those a broken trade may take back, and those in dispute.
//!
//! Risk thread. Invariants: both tables are bounded; the oldest remembered execution makes room for
//! the newest; a disputed one stays until a person has decided.

extern crate alloc;

use crate::approach::LineSink;
use crate::key_index::KeyIndex;
use crate::ledger::Trade;
use crate::saved::{Read, Words};
use alloc::boxed::Box;
use core::hint::cold_path;
use portcullis_domain::{AccountId, Digest, HashSeed, InstrumentId, SessionId, Side};

/// An execution that was booked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Execution {
    pub(crate) session: SessionId,
    pub(crate) match_number: u64,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    /// Lots, a buy positive.
    pub(crate) signed: i64,
    pub(crate) price: i64,
    pub(crate) fee: i64,
}

impl Execution {
    /// One word for session, side and trade; two that collide are told apart by their fields.
    #[inline(always)]
    fn word(&self) -> u64 {
        word(self.session, self.match_number, self.side())
    }

    /// What it moves in its position.
    #[inline(always)]
    pub(crate) const fn trade(&self) -> Trade {
        Trade {
            signed: self.signed,
            price: self.price,
            fee: self.fee,
        }
    }

    const fn side(&self) -> Side {
        if self.signed < 0 {
            Side::Sell
        } else {
            Side::Buy
        }
    }
}

#[inline(always)]
fn word(session: SessionId, match_number: u64, side: Side) -> u64 {
    let mut digest = Digest::new();
    digest.push_all(&[u64::from(session.raw()) << 1 | side as u64, match_number]);
    digest.value() >> 1
}

/// What stands beside a place where none is remembered: [`word`] makes no such.
const NONE: u64 = u64::MAX;

/// One that is remembered, and its word: a line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Remembered {
    execution: Execution,
    word: u64,
}

const _: () = assert!(size_of::<Remembered>() == 64, "one remembered is one line");

impl Remembered {
    const NOTHING: Self = Self {
        execution: Execution {
            session: SessionId::NONE,
            match_number: 0,
            account: AccountId::NONE,
            instrument: InstrumentId::NONE,
            signed: 0,
            price: 0,
            fee: 0,
        },
        word: NONE,
    };

    fn execution(&self) -> Option<&Execution> {
        (self.word != NONE).then_some(&self.execution)
    }
}

/// Executions booked lately, by session, side and match number: a trade has one of each at most.
#[derive(Debug)]
pub(crate) struct Executions {
    ring: Box<[Remembered]>,
    next: usize,
    index: KeyIndex,
}

impl Executions {
    pub(crate) fn new(executions_max: usize, seed: HashSeed) -> Self {
        Self {
            ring: alloc::vec![Remembered::NOTHING; executions_max].into_boxed_slice(),
            next: 0,
            index: KeyIndex::new(executions_max, seed),
        }
    }

    /// Lines that the key which ever had to go furthest passed by.
    pub(crate) const fn passed_max(&self) -> u32 {
        self.index.passed_max()
    }

    /// Remembers one in place of the oldest. An engine that numbers two trades of one order alike
    /// has the second one remembered.
    #[inline(always)]
    pub(crate) fn remember(&mut self, execution: Execution) {
        let place = self.next;
        let oldest = self.ring[place].word;
        if oldest != NONE {
            self.index.remove(oldest);
        }
        let word = execution.word();
        if let Some(twin) = self.index.put(word, place as u64) {
            cold_path();
            self.ring[twin as usize] = Remembered::NOTHING;
        }
        self.ring[place] = Remembered { execution, word };
        let next = place + 1;
        self.next = if next == self.ring.len() { 0 } else { next };
    }

    /// Where the execution after `ahead` others will be remembered, and the one that makes room for it is. The
    /// session, number and side are its own.
    #[inline(always)]
    pub(crate) fn visit_next(
        &self,
        ahead: usize,
        (session, match_number, side): (SessionId, u64, Side),
        lines: &mut impl LineSink,
    ) {
        lines.line(self.index.home_of(word(session, match_number, side)));
        let place = self.next.wrapping_add(ahead);
        let wrapped = place.wrapping_sub(self.ring.len());
        if let Some(oldest) = self.ring.get(place).or_else(|| self.ring.get(wrapped)) {
            lines.line(self.index.home_of(oldest.word));
        }
    }

    /// Takes out a session's execution with this match number, on this side or, where that is not
    /// known, on the one side there is.
    pub(crate) fn take(
        &mut self,
        session: SessionId,
        match_number: u64,
        side: Option<Side>,
    ) -> Option<Execution> {
        let slot = match side {
            Some(side) => self.find(session, match_number, side)?,
            None => {
                let buy = self.find(session, match_number, Side::Buy);
                let sell = self.find(session, match_number, Side::Sell);
                if buy.is_some() && sell.is_some() {
                    return None;
                }
                buy.or(sell)?
            }
        };
        let found = core::mem::replace(&mut self.ring[slot], Remembered::NOTHING);
        self.index.remove(found.word);
        Some(found.execution)
    }

    fn find(&self, session: SessionId, match_number: u64, side: Side) -> Option<usize> {
        let slot = self.index.find(word(session, match_number, side))? as usize;
        let found = self.ring[slot].execution()?;
        let same = found.session == session && found.match_number == match_number;
        (same && found.side() == side).then_some(slot)
    }

    /// Gives those remembered to `push`, each with its place: the oldest makes room first.
    pub(crate) fn save(&self, push: &mut impl FnMut(u64)) {
        push(self.next as u64);
        let remembered = self.ring.iter().filter_map(Remembered::execution);
        push(remembered.count() as u64);
        for (place, remembered) in self.ring.iter().enumerate() {
            if let Some(execution) = remembered.execution() {
                push(place as u64);
                visit_execution(execution, push);
            }
        }
    }

    /// `known` says how many accounts and instruments there are.
    pub(crate) fn load(&mut self, known: (usize, usize), words: &mut Words<'_>) -> Read<()> {
        words.begin("executions");
        let last = self.ring.len() - 1;
        self.next = words.at_most(last, "a place out of range")?;
        let len = words.at_most(self.ring.len(), "more than there is room for")?;
        for _ in 0..len {
            let place = words.at_most(last, "a place out of range")?;
            let execution = load_execution(known, words)?;
            let booked = execution.signed != i64::MIN && execution.fee != i64::MIN;
            let word = execution.word();
            let free = self.ring[place].execution().is_none();
            let new = free && self.index.find(word).is_none();
            words.must(
                booked && new,
                "one that is there twice, or was never booked",
            )?;
            self.index.insert(word, place as u64);
            self.ring[place] = Remembered { execution, word };
        }
        Ok(())
    }

    /// Gives the canonical words to `push`.
    pub(crate) fn visit_words(&self, push: &mut impl FnMut(u64)) {
        push(self.next as u64);
        let remembered = self.ring.iter().filter_map(Remembered::execution);
        remembered.for_each(|execution| visit_execution(execution, push));
    }
}

/// Executions that a person must decide, oldest first.
#[derive(Debug)]
pub(crate) struct Disputes {
    list: Box<[Option<Execution>]>,
    len: usize,
}

impl Disputes {
    pub(crate) fn new(disputes_max: usize) -> Self {
        Self {
            list: alloc::vec![None; disputes_max].into_boxed_slice(),
            len: 0,
        }
    }

    /// Adds one; `false` where the table is full.
    #[must_use]
    pub(crate) fn add(&mut self, execution: Execution) -> bool {
        let Some(free) = self.list.get_mut(self.len) else {
            return false;
        };
        *free = Some(execution);
        self.len += 1;
        true
    }

    /// Place of the oldest dispute of an account.
    pub(crate) fn oldest_of(&self, account: AccountId) -> Option<(usize, Execution)> {
        let of_account = |found: &Execution| found.account == account;
        self.list[..self.len]
            .iter()
            .enumerate()
            .find_map(|(place, found)| Some((place, found.filter(of_account)?)))
    }

    /// Takes one out, keeping the order of the others.
    pub(crate) fn remove(&mut self, place: usize) {
        self.list[place..self.len].rotate_left(1);
        self.len -= 1;
        self.list[self.len] = None;
    }

    /// What [`Disputes::visit_words`] gave.
    pub(crate) fn load(&mut self, known: (usize, usize), words: &mut Words<'_>) -> Read<()> {
        words.begin("disputes");
        self.len = words.at_most(self.list.len(), "more than there is room for")?;
        for place in 0..self.len {
            self.list[place] = Some(load_execution(known, words)?);
        }
        Ok(())
    }

    /// Gives the canonical words to `push`.
    pub(crate) fn visit_words(&self, push: &mut impl FnMut(u64)) {
        push(self.len as u64);
        self.list
            .iter()
            .flatten()
            .for_each(|execution| visit_execution(execution, push));
    }
}

fn visit_execution(execution: &Execution, push: &mut impl FnMut(u64)) {
    push(execution.session.raw().into());
    push(execution.match_number);
    push(u64::from(execution.account.raw()) << 32 | u64::from(execution.instrument.raw()));
    push(execution.signed as u64);
    push(execution.price as u64);
    push(execution.fee as u64);
}

/// What [`visit_execution`] gave, of an account and instrument that there is.
fn load_execution(known: (usize, usize), words: &mut Words<'_>) -> Read<Execution> {
    let last = u32::MAX as usize;
    let session = SessionId::new(words.at_most(last, "a session out of range")? as u32);
    let match_number = words.word()?;
    let (account, instrument) = words.halves()?;
    let execution = Execution {
        session,
        match_number,
        account: AccountId::new(account),
        instrument: InstrumentId::new(instrument),
        signed: words.signed()?,
        price: words.signed()?,
        fee: words.signed()?,
    };
    let fits = execution.account.index() < known.0 && execution.instrument.index() < known.1;
    words.must(fits, "an account or instrument that there is not")?;
    Ok(execution)
}

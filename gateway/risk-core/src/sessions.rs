//! Client sessions as the core sees them: numbers, links, states.
//!
//! Risk thread. Invariant: within a row a number is taken once, and only if it is above all taken
//! before; a resend therefore is told from a new order without remembering either.

extern crate alloc;

use crate::accounts::saved::state;
use crate::approach::LineSink;
use crate::limits::{LimitTable, Rate};
use crate::saved::{Read, Words};
use alloc::boxed::Box;
use portcullis_domain::{SessionId, TradingState, UserRef};

/// Rows of numbers a session has (UserRefIdx).
const ROWS: usize = 256;

/// One session.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Session {
    pub(crate) rate_tat_ns: u64,
    /// That of the table in force, if it has one of its own.
    pub(crate) rate: Option<Rate>,
    pub(crate) state: TradingState,
    /// Whether its link to the engine is up and reconciled. Down until the venue says so.
    pub(crate) link_up: bool,
    /// Whether the client has its own order entry on.
    pub(crate) entry_enabled: bool,
    /// The connection that is logged on.
    pub(crate) connection: Option<u32>,
}

impl Session {
    /// Its own state, made stricter by its client where that turned order entry off.
    pub(crate) fn strictest(&self) -> TradingState {
        let own = if self.entry_enabled {
            TradingState::Active
        } else {
            TradingState::CancelOnly
        };
        self.state.stricter(own)
    }
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    all: Box<[Session]>,
    /// The highest number taken, by session and row.
    taken: Box<[u32]>,
}

impl Sessions {
    pub(crate) fn new(sessions_max: usize) -> Self {
        let session = Session {
            rate_tat_ns: 0,
            rate: None,
            state: TradingState::Active,
            link_up: false,
            entry_enabled: true,
            connection: None,
        };
        Self {
            all: alloc::vec![session; sessions_max].into_boxed_slice(),
            taken: alloc::vec![0; sessions_max * ROWS].into_boxed_slice(),
        }
    }

    /// Takes over the sessions' limits of another table.
    pub(crate) fn relimit(&mut self, table: &LimitTable) {
        for (session, id) in self.all.iter_mut().zip((0..).map(SessionId::new)) {
            session.rate = table.session(id).map(|limits| limits.rate);
        }
    }

    #[inline]
    pub(crate) fn contains(&self, session: SessionId) -> bool {
        session.index() < self.all.len()
    }

    #[inline]
    pub(crate) fn get(&self, session: SessionId) -> &Session {
        &self.all[session.index()]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, session: SessionId) -> &mut Session {
        &mut self.all[session.index()]
    }

    /// All sessions, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        (0..).map(SessionId::new).zip(&self.all)
    }

    /// Whether the number is above all taken in its row.
    pub(crate) fn is_new(&self, session: SessionId, user_ref: UserRef) -> bool {
        user_ref.number > self.taken[slot(session, user_ref.row)]
    }

    /// Takes a number that [`Sessions::is_new`] found new.
    pub(crate) fn take(&mut self, session: SessionId, user_ref: UserRef) {
        self.taken[slot(session, user_ref.row)] = user_ref.number;
    }

    /// Makes the number that was taken last new again, for who will take it once more.
    pub(crate) fn give_back(&mut self, session: SessionId, user_ref: UserRef) {
        let taken = &mut self.taken[slot(session, user_ref.row)];
        assert!(*taken == user_ref.number, "the number that was taken last");
        *taken -= 1;
    }

    /// The lines that an order of the session touches.
    #[inline(always)]
    pub(crate) fn visit_lines(&self, session: SessionId, row: u8, lines: &mut impl LineSink) {
        lines.line(&self.all[session.index()].rate_tat_ns);
        lines.line(&self.taken[slot(session, row)]);
    }

    /// The next number that will be taken in a row.
    pub(crate) fn next(&self, session: SessionId, row: u8) -> u32 {
        self.taken[slot(session, row)].saturating_add(1)
    }

    /// All numbers may come again.
    pub(crate) fn forget_numbers(&mut self) {
        self.taken.fill(0);
    }

    /// A number that an order carried over the day roll still has.
    pub(crate) fn keep(&mut self, session: SessionId, user_ref: UserRef) {
        let taken = &mut self.taken[slot(session, user_ref.row)];
        *taken = (*taken).max(user_ref.number);
    }

    /// Gives all to `push`; of the rows of numbers those of which one was taken.
    pub(crate) fn save(&self, push: &mut impl FnMut(u64)) {
        for (session, taken) in self.all.iter().zip(self.taken.chunks_exact(ROWS)) {
            let used = taken.iter().filter(|number| **number != 0).count() as u64;
            let marks = session.state as u64
                | u64::from(session.link_up) << 2
                | u64::from(session.entry_enabled) << 3
                | u64::from(session.connection.is_some()) << 4;
            push(used << 32 | marks);
            push(session.rate_tat_ns);
            if let Some(connection) = session.connection {
                push(connection.into());
            }
            for (row, number) in (0_u64..).zip(taken).filter(|(_, number)| **number != 0) {
                push(row << 32 | u64::from(*number));
            }
        }
    }

    pub(crate) fn load(&mut self, words: &mut Words<'_>) -> Read<()> {
        words.begin("sessions");
        for (session, taken) in self.all.iter_mut().zip(self.taken.chunks_exact_mut(ROWS)) {
            let (used, marks) = words.halves()?;
            words.must(marks < 1 << 5, "marks that no session has")?;
            session.state = state(u64::from(marks & 3), words)?;
            session.link_up = marks & 1 << 2 != 0;
            session.entry_enabled = marks & 1 << 3 != 0;
            session.rate_tat_ns = words.word()?;
            if marks & 1 << 4 != 0 {
                let last = u32::MAX as usize;
                session.connection = Some(words.at_most(last, "no connection")? as u32);
            }
            let mut least = 0;
            for _ in 0..used {
                let (row, number) = words.halves()?;
                let place = taken.get_mut(row as usize).filter(|_| row >= least);
                let new = place.filter(|_| number != 0);
                *new.ok_or(words.wrong("a row of numbers that it has not"))? = number;
                least = row + 1;
            }
        }
        Ok(())
    }

    /// Gives the canonical words to `push`.
    pub(crate) fn visit_words(&self, push: &mut impl FnMut(u64)) {
        for session in &self.all {
            push(session.rate_tat_ns);
            let flags = u64::from(session.link_up) | u64::from(session.entry_enabled) << 1;
            push(flags << 8 | session.state as u64);
            push(session.connection.map_or(u64::MAX, u64::from));
        }
        self.taken.iter().for_each(|number| push((*number).into()));
    }
}

fn slot(session: SessionId, row: u8) -> usize {
    session.index() * ROWS + usize::from(row)
}

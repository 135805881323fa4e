//! Why a link stays down, for the thread that tells people.
//!
//! The venue's thread writes, any other reads. Invariants: each reason says what a person does about it; one writer,
//! which never waits; a reader sees a reason whole, or none while it changes. Must never be what the venue itself goes
//! by: that is the link's state.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Why a link stays down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// Its session has no route to the engine.
    NoRoute,
    /// User or password are wrong; trying again could lock the user out.
    NotAuthorised,
    /// The engine no longer has messages that were not taken: executions may be lost.
    MessagesLost {
        /// The number that was asked for.
        asked: u64,
        /// The number that the engine began with.
        given: u64,
    },
    /// The engine gave another session than before: its orders and numbers are not the same.
    SessionChanged,
    /// The engine says that a number comes next which it has used: what is in doubt there can neither be
    /// refused nor sent.
    NumbersContradict {
        /// The row of numbers.
        row: u8,
        /// The highest number that it was seen to use.
        used: u32,
        /// The number that it says comes next.
        next: u32,
    },
    /// A message could not be read, and may have been an execution.
    Unreadable {
        /// Its sequence number.
        number: u64,
    },
    /// The engine ended the session: its day is over.
    EndOfSession,
    /// This side logged out.
    LoggedOut,
}

impl StopReason {
    /// Which it is, and its numbers.
    const fn to_words(self) -> [u64; 3] {
        match self {
            Self::NoRoute => [1, 0, 0],
            Self::NotAuthorised => [2, 0, 0],
            Self::MessagesLost { asked, given } => [3, asked, given],
            Self::SessionChanged => [4, 0, 0],
            Self::NumbersContradict { row, used, next } => {
                [5, (row as u64) << 32 | used as u64, next as u64]
            }
            Self::Unreadable { number } => [6, number, 0],
            Self::EndOfSession => [7, 0, 0],
            Self::LoggedOut => [8, 0, 0],
        }
    }

    /// The reason of these words; `None` for [`NOT_STOPPED`].
    const fn from_words([which, one, other]: [u64; 3]) -> Option<Self> {
        Some(match which {
            1 => Self::NoRoute,
            2 => Self::NotAuthorised,
            3 => Self::MessagesLost {
                asked: one,
                given: other,
            },
            4 => Self::SessionChanged,
            5 => Self::NumbersContradict {
                row: (one >> 32) as u8,
                used: one as u32,
                next: other as u32,
            },
            6 => Self::Unreadable { number: one },
            7 => Self::EndOfSession,
            8 => Self::LoggedOut,
            _ => return None,
        })
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute => f.write_str("the config gives its session no link to the engine"),
            Self::NotAuthorised => f.write_str(
                "the engine refused its user or password, and further tries could lock the user out; mend them in the \
                 config or at the engine, then start the gateway again",
            ),
            Self::MessagesLost { asked, given } => write!(
                f,
                "the engine begins with message {given}, and {asked} was due: executions may be lost; have the engine \
                 resend from {asked} and start the gateway again, or compare orders and positions with the engine's \
                 and begin with another [journal] folder"
            ),
            Self::SessionChanged => f.write_str(
                "the engine gave another session than the log's, with other orders and numbers; have the engine give \
                 the former one and start the gateway again, or begin with another [journal] folder",
            ),
            Self::NumbersContradict { row, used, next } => write!(
                f,
                "the engine says that number {next} comes next in row {row}, and has used {used}: what is in doubt \
                 there can neither be refused nor sent; ask the engine's operator which holds, then start the gateway \
                 again"
            ),
            Self::Unreadable { number } => write!(
                f,
                "the engine's message {number} cannot be read, and may be an execution; compare orders and positions \
                 with the engine's, and start a version of the gateway that reads it"
            ),
            Self::EndOfSession => f.write_str(
                "the engine ended the session: its day is over; the next day begins with another [journal] folder",
            ),
            Self::LoggedOut => f.write_str("the gateway logged out; start it again"),
        }
    }
}

/// Words of a link that has not stopped.
const NOT_STOPPED: [u64; 3] = [0; 3];

/// A reason's words, and how often they were written: an odd number while they are.
#[derive(Debug, Default)]
struct Place {
    writes: AtomicU64,
    words: [AtomicU64; 3],
}

/// The end that says why a link stopped.
#[derive(Debug, Default)]
pub struct StopWriter(Arc<Place>);

/// An end that reads it.
#[derive(Clone, Debug)]
pub struct StopReader(Arc<Place>);

impl StopWriter {
    /// Says why it stopped, or that it has not.
    pub fn tell(&mut self, reason: Option<StopReason>) {
        let Place { writes, words } = &*self.0;
        let before = writes.load(Ordering::Relaxed);
        writes.store(before + 1, Ordering::Relaxed);
        // Whoever sees one of the words sees that they are being written.
        fence(Ordering::Release);
        let told = reason.map_or(NOT_STOPPED, StopReason::to_words);
        for (word, told) in words.iter().zip(told) {
            word.store(told, Ordering::Relaxed);
        }
        writes.store(before + 2, Ordering::Release);
    }

    /// An end that reads, for another thread.
    #[must_use]
    pub fn reader(&self) -> StopReader {
        StopReader(Arc::clone(&self.0))
    }
}

impl StopReader {
    /// Why the link stopped; `None` where it has not, and while that changes.
    #[must_use]
    pub fn get(&self) -> Option<StopReason> {
        let Place { writes, words } = &*self.0;
        let before = writes.load(Ordering::Acquire);
        let told = std::array::from_fn(|at| words[at].load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let steady = writes.load(Ordering::Relaxed) == before && before.is_multiple_of(2);
        steady.then(|| StopReason::from_words(told)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [StopReason; 8] = [
        StopReason::NoRoute,
        StopReason::NotAuthorised,
        StopReason::MessagesLost {
            asked: u64::MAX,
            given: 7,
        },
        StopReason::SessionChanged,
        StopReason::NumbersContradict {
            row: u8::MAX,
            used: u32::MAX,
            next: 3,
        },
        StopReason::Unreadable { number: u64::MAX },
        StopReason::EndOfSession,
        StopReason::LoggedOut,
    ];

    #[test]
    fn a_reason_is_read_as_it_was_told_and_taken_back() {
        let mut writer = StopWriter::default();
        let reader = writer.reader();
        assert_eq!(reader.get(), None);
        for reason in ALL {
            writer.tell(Some(reason));
            assert_eq!(reader.get(), Some(reason));
        }
        writer.tell(None);
        assert_eq!(reader.get(), None);
    }

    #[test]
    fn a_reason_that_changes_meanwhile_is_never_read_in_part() {
        let lost = |number| StopReason::MessagesLost {
            asked: number,
            given: number,
        };
        let mut writer = StopWriter::default();
        let reader = writer.reader();
        let seen = std::thread::scope(|scope| {
            let reads = scope.spawn(move || {
                let mut seen = 0;
                while seen < 50_000 {
                    match reader.get() {
                        None => {}
                        Some(StopReason::MessagesLost { asked, given }) => {
                            assert_eq!(asked, given);
                            seen = asked;
                        }
                        Some(other) => panic!("{other:?}"),
                    }
                }
                seen
            });
            (1..=50_000).for_each(|number| writer.tell(Some(lost(number))));
            reads.join().expect("it reads")
        });
        assert_eq!(seen, 50_000);
    }
}

//! The outbound half of a server's session: numbering, resend, heartbeats.
//!
//! **Thread.** Owned by the agent that writes the socket; it lives as long as the session, which
//! may see many connections.
//! **Invariants.** Each published message gets the next number and is written to a link exactly
//! once and in order, whether it is live or resent: a link is a cursor into the store. A link whose
//! next message is gone from the store is reported, never skipped over. A link that begins before the
//! store is given what the store dropped, message by message, until its next one is written from the
//! store: what is published meanwhile may drop that, too.
//! **Never.** Read a clock, write a packet in part, or hold back a message that fits.

use super::HEARTBEAT_EVERY;
use super::encode::{self, NoRoom};
use super::login::{LoginAccepted, LoginRejectReason, LoginRequest, SessionName};
use super::store::{MessageTooLong, ResendStore, StoreSlot};
use core::fmt;
use portcullis_domain::{Duration, Timestamp};

/// The outbound half; see [`ResendStore`] for `B` and `S`.
#[derive(Debug)]
pub struct ServerOutbound<B, S> {
    session: SessionName,
    store: ResendStore<B, S>,
    link: Option<Link>,
    ended: bool,
    /// A heartbeat is due this long after the last bytes.
    heartbeat_every: Duration,
    /// The caller has the dropped messages from this number on.
    elsewhere: u64,
}

/// The connection of the moment.
#[derive(Clone, Copy, Debug)]
struct Link {
    /// Number of the next message to write.
    next: u64,
    /// When something was last written.
    sent: Timestamp,
    /// Whether the end of the session was written.
    end_sent: bool,
    source: Source,
}

/// Where a link's next message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The store, or it is still to be published.
    Store,
    /// The caller: the store has dropped it.
    Elsewhere,
}

/// How a login was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginAnswer {
    /// Taken: resend starts with `first`, by [`ServerOutbound::pump`].
    Accepted {
        /// Number of the next sequenced message.
        first: u64,
        /// Bytes written.
        len: usize,
    },
    /// Not taken: close after sending.
    Rejected {
        /// Why.
        reason: LoginRejectReason,
        /// Bytes written.
        len: usize,
    },
}

/// A client read so slowly that the next message for it is no longer stored: its link must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged {
    /// The number it was due.
    pub next: u64,
    /// The oldest number that is left.
    pub oldest: u64,
}

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the client was due message {}, the oldest one stored is {}; it must log in again",
            self.next, self.oldest
        )
    }
}

impl core::error::Error for Lagged {}

impl<B, S> ServerOutbound<B, S>
where
    B: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[StoreSlot]> + AsMut<[StoreSlot]>,
{
    /// A session without a connection.
    #[must_use]
    pub const fn new(session: SessionName, store: ResendStore<B, S>) -> Self {
        Self {
            session,
            store,
            link: None,
            ended: false,
            heartbeat_every: HEARTBEAT_EVERY,
            elsewhere: u64::MAX,
        }
    }

    /// With heartbeats after this long without bytes, in place of [`HEARTBEAT_EVERY`].
    #[must_use]
    pub fn with_heartbeat(mut self, every: Duration) -> Self {
        self.heartbeat_every = every;
        self
    }

    /// From now on, clients may ask for messages from this number on that the store has dropped: the
    /// caller has them, and gives them to [`Self::resend`]. Those who are logged on stay as they are.
    pub fn reach_back_to(&mut self, number: u64) {
        self.elsewhere = number;
    }

    /// Name of the session.
    #[must_use]
    pub const fn session(&self) -> SessionName {
        self.session
    }

    /// The number the next published message will have.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.store.next_sequence()
    }

    /// The oldest number that can still be resent; the next one if nothing is stored.
    #[must_use]
    pub fn oldest_sequence(&self) -> u64 {
        self.store.oldest()
    }

    /// The messages that can still be resent.
    #[must_use]
    pub const fn store(&self) -> &ResendStore<B, S> {
        &self.store
    }

    /// Whether a client is connected.
    #[must_use]
    pub const fn is_linked(&self) -> bool {
        self.link.is_some()
    }

    /// Where a client that asks this may start: 0 = only new, 1 = all, n = from n.
    ///
    /// # Errors
    /// The session has another name or is over; or the number is not stored any more and not to be had
    /// elsewhere, or beyond the next one: `SessionNotAvailable` in each case.
    pub fn first_for(&self, login: &LoginRequest) -> Result<u64, LoginRejectReason> {
        let unavailable = LoginRejectReason::SessionNotAvailable;
        let named = login
            .session
            .is_none_or(|name| name.to_ascii_uppercase() == self.session.to_ascii_uppercase());
        if self.ended || !named {
            return Err(unavailable);
        }
        let next = self.store.next_sequence();
        match login.sequence {
            0 => Ok(next),
            number if number > next => Err(unavailable),
            number if number < self.store.oldest().min(self.elsewhere) => Err(unavailable),
            number => Ok(number),
        }
    }

    /// Answers a login whose password was found right: writes Login Accepted and takes the
    /// connection, or writes Login Rejected. A former connection is forgotten.
    ///
    /// # Errors
    /// The answer does not fit; nothing has changed.
    pub fn login(
        &mut self,
        login: &LoginRequest,
        now: Timestamp,
        out: &mut [u8],
    ) -> Result<LoginAnswer, NoRoom> {
        match self.first_for(login) {
            Ok(first) => {
                let accepted = LoginAccepted {
                    session: self.session,
                    sequence: first,
                };
                let len = encode::login_accepted(&accepted, out)?;
                self.link = Some(Link {
                    next: first,
                    sent: now,
                    end_sent: false,
                    source: if first < self.store.oldest() {
                        Source::Elsewhere
                    } else {
                        Source::Store
                    },
                });
                Ok(LoginAnswer::Accepted { first, len })
            }
            Err(reason) => {
                let len = encode::login_rejected(reason, out)?;
                Ok(LoginAnswer::Rejected { reason, len })
            }
        }
    }

    /// The connection is gone. Messages published from now on wait in the store.
    pub fn unlink(&mut self) {
        self.link = None;
    }

    /// Gives a message its number and stores it; [`Self::pump`] writes it.
    ///
    /// # Errors
    /// It does not fit a packet; no number is used.
    pub fn publish(&mut self, message: &[u8]) -> Result<u64, MessageTooLong> {
        self.store.append(message)
    }

    /// The session is over: [`Self::pump`] writes End of Session behind the last message, and no
    /// login is taken any more.
    pub fn end_session(&mut self) {
        self.ended = true;
    }

    /// How many published messages the connected client has not been written yet.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.link.map_or(0, |link| {
            self.store.next_sequence().saturating_sub(link.next)
        })
    }

    /// Whether a connected client may be due something still: a message, or that the session is over.
    #[must_use]
    pub fn has_more(&self) -> bool {
        let next = self.store.next_sequence();
        let due = |link: Link| link.next < next || link.source == Source::Elsewhere;
        self.ended || self.link.is_some_and(due)
    }

    /// Whether the connected client logged in before the store and was written nothing from it yet:
    /// [`Self::resend`] writes what the store has dropped, and [`Self::pump`] ends this, once the
    /// store has the next message.
    #[must_use]
    pub fn is_catching_up(&self) -> bool {
        self.link
            .is_some_and(|link| link.source == Source::Elsewhere)
    }

    /// Writes a message that the store has dropped to a client that is catching up; returns the bytes
    /// written.
    ///
    /// # Errors
    /// There is no room; nothing has changed.
    ///
    /// # Panics
    /// If no client is catching up, or it is due another number: a client misses nothing and gets
    /// nothing twice.
    pub fn resend(
        &mut self,
        number: u64,
        message: &[u8],
        now: Timestamp,
        out: &mut [u8],
    ) -> Result<usize, NoRoom> {
        let oldest = self.store.oldest();
        let link = self.link.as_mut().expect("a client is connected");
        assert_eq!(link.source, Source::Elsewhere, "it is catching up");
        assert_eq!(link.next, number, "the next message is the one it is due");
        assert!(number < oldest, "what the store has comes from the store");
        let len = encode::sequenced(message, out)?;
        link.next += 1;
        link.sent = link.sent.later(now);
        Ok(len)
    }

    /// Whether End of Session was written to the connected client: nothing more follows.
    #[must_use]
    pub fn is_end_sent(&self) -> bool {
        self.link.is_some_and(|link| link.end_sent)
    }

    /// Writes as many of the pending messages as fit, each whole; returns the bytes written. Call
    /// it again when there is room: resend and live messages are the same to it. For a client that is
    /// catching up it writes nothing as long as the store has dropped the next message.
    ///
    /// # Errors
    /// The client lags behind the store; end its link. What was written before stays valid: the
    /// error comes on a call of its own.
    pub fn pump(&mut self, now: Timestamp, out: &mut [u8]) -> Result<usize, Lagged> {
        let Some(mut link) = self.link else {
            return Ok(0);
        };
        if link.source == Source::Elsewhere {
            if link.next < self.store.oldest() {
                return Ok(0);
            }
            link.source = Source::Store;
        }
        if link.next < self.store.oldest() {
            return Err(Lagged {
                next: link.next,
                oldest: self.store.oldest(),
            });
        }
        let mut written = 0;
        while link.next < self.store.next_sequence() {
            let room = out.get_mut(written..).unwrap_or_default();
            let (count, packets) = self.store.packets(link.next, room.len());
            let Some(target) = room.get_mut(..packets.len()).filter(|_| count > 0) else {
                break;
            };
            target.copy_from_slice(packets);
            written += packets.len();
            link.next += count;
        }
        if self.ended && !link.end_sent && link.next == self.store.next_sequence() {
            let room = out.get_mut(written..).unwrap_or_default();
            if let Ok(len) = encode::end_of_session(room) {
                written += len;
                link.end_sent = true;
            }
        }
        if written > 0 {
            link.sent = link.sent.later(now);
        }
        // Where nothing fits, the store may still drop what a client that catches up is due.
        if written > 0 || link.next == self.store.next_sequence() {
            self.link = Some(link);
        }
        Ok(written)
    }

    /// Writes a message that does not count and is not stored (4.0 on).
    ///
    /// # Errors
    /// There is no room.
    pub fn unsequenced(
        &mut self,
        message: &[u8],
        now: Timestamp,
        out: &mut [u8],
    ) -> Result<usize, NoRoom> {
        let len = encode::unsequenced(message, out)?;
        self.note_sent(now);
        Ok(len)
    }

    /// Writes a text that the client ignores: what is wrong with a message OUCH cannot answer.
    ///
    /// # Errors
    /// There is no room.
    pub fn debug(&mut self, text: &[u8], now: Timestamp, out: &mut [u8]) -> Result<usize, NoRoom> {
        let len = encode::debug(text, out)?;
        self.note_sent(now);
        Ok(len)
    }

    /// When a heartbeat is due if nothing is written before; `None` without a connection.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.link
            .map(|link| link.sent.saturating_add(self.heartbeat_every))
    }

    /// Writes a heartbeat if it is due; returns the bytes written.
    ///
    /// # Errors
    /// It does not fit. The client has unread bytes then, so nothing is lost; try again.
    pub fn on_time(&mut self, now: Timestamp, out: &mut [u8]) -> Result<usize, NoRoom> {
        match self.deadline() {
            Some(due) if now >= due => {
                let len = encode::server_heartbeat(out)?;
                self.note_sent(now);
                Ok(len)
            }
            Some(_) | None => Ok(0),
        }
    }

    fn note_sent(&mut self, now: Timestamp) {
        if let Some(link) = &mut self.link {
            link.sent = link.sent.later(now);
        }
    }
}

//! Bytes between a socket that never waits and a machine: the same on either side of the link.
//!
//! The thread that owns the connection. Invariant: what the system took is what the machine is told of. Must never
//! wait.

use portcullis_domain::Timestamp;
use portcullis_journal::replication::{Follower, Inbox, Leader};
use std::io::{self, Read, Write};

/// A machine that has bytes to send.
pub(crate) trait Speaks {
    fn output(&self) -> &[u8];

    fn sent(&mut self, count: usize, now: Timestamp);
}

impl Speaks for Leader {
    fn output(&self) -> &[u8] {
        self.output()
    }

    fn sent(&mut self, count: usize, now: Timestamp) {
        self.sent(count, now);
    }
}

impl Speaks for Follower {
    fn output(&self) -> &[u8] {
        self.output()
    }

    fn sent(&mut self, count: usize, now: Timestamp) {
        self.sent(count, now);
    }
}

/// Reads what is there, as far as there is room; whether anything was.
///
/// # Errors
/// Those of the system; that the other side closed.
pub(crate) fn receive(stream: &mut impl Read, inbox: &mut Inbox) -> io::Result<bool> {
    let room = inbox.room();
    if room.is_empty() {
        return Ok(false);
    }
    match stream.read(room) {
        Ok(0) => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "it closed the connection",
        )),
        Ok(count) => {
            inbox.filled(count);
            Ok(true)
        }
        Err(error) if is_not_now(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sends what the socket takes now; whether that was anything.
///
/// # Errors
/// Those of the system.
pub(crate) fn flush(
    stream: &mut impl Write,
    machine: &mut impl Speaks,
    now: Timestamp,
) -> io::Result<bool> {
    let mut moved = false;
    while !machine.output().is_empty() {
        match stream.write(machine.output()) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                machine.sent(count, now);
                moved = true;
            }
            Err(error) if is_not_now(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(moved)
}

fn is_not_now(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::Duration;
    use portcullis_journal::Term;
    use portcullis_journal::replication::{LeaderConfig, ProcessNumber, Refusal};

    /// Takes one byte, then says what it was told to.
    struct Narrow(Vec<io::Result<usize>>);

    impl Write for Narrow {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.0.pop().unwrap_or(Ok(1))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn machine() -> Leader {
        let config = LeaderConfig {
            process: ProcessNumber::new(1),
            journal: 7,
            term: Term::new(1),
            heartbeat_every: Duration::from_ns(1),
            silence_max: Duration::from_ns(1),
            window_bytes: 1,
        };
        let mut leader = Leader::new(config, Timestamp::ZERO);
        leader.refuse(Refusal::Occupied);
        leader
    }

    #[test]
    fn a_socket_that_takes_nothing_any_more_is_an_error_and_no_loop() {
        let mut leader = machine();
        let all = leader.output().len();
        let mut narrow = Narrow(vec![
            Ok(0),
            Ok(2),
            Err(io::ErrorKind::WouldBlock.into()),
            Ok(1),
        ]);
        let now = Timestamp::ZERO;
        assert!(flush(&mut narrow, &mut leader, now).expect("it waits"));
        assert_eq!(leader.output().len(), all - 1);
        let error = flush(&mut narrow, &mut leader, now).expect_err("it is over");
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
        assert_eq!(leader.output().len(), all - 3);
    }

    #[test]
    fn the_other_sides_end_is_an_error_and_nothing_yet_is_not() {
        let mut inbox = Inbox::new();
        assert!(receive(&mut &b"ab"[..], &mut inbox).expect("two bytes"));
        assert_eq!(inbox.bytes(), b"ab");
        let error = receive(&mut &b""[..], &mut inbox).expect_err("it is over");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}

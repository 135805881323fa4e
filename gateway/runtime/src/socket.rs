//! Bytes from and to a socket that does not block, by the system's call itself.
//!
//! Belongs to no thread. The C library makes each such call a point at which its thread may be cancelled, which takes two
//! locked instructions, and an error comes back as a number of all that there are, to be looked up. Invariants: it
//! never waits; a socket that has nothing, or no room, says `WouldBlock`; where a library was loaded before the C
//! library's, that has the calls: a network stack beside the system's takes them over so, and the system knows nothing of its
//! sockets.

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::sync::LazyLock;

/// Whether the C library's calls are to be made, by the word and the file that the dynamic linker goes by.
static PRELOADED: LazyLock<bool> = LazyLock::new(|| {
    let by_word = std::env::var_os("LD_PRELOAD").is_some_and(|names| !names.is_empty());
    by_word || std::fs::metadata(PRELOAD_FILE).is_ok_and(|file| file.len() > 0)
});

/// Libraries that are loaded into every program of the machine.
const PRELOAD_FILE: &str = "/etc/ld.so.preload";

/// A peer that is gone is an error; where it would be a signal too, that is asked away.
#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::DONTWAIT;

/// Reads once, as [`Read::read`] does.
///
/// # Errors
/// The system's.
#[inline]
pub fn receive(socket: &mut (impl AsFd + Read), into: &mut [u8]) -> io::Result<usize> {
    if *PRELOADED {
        return socket.read(into);
    }
    receive_directly(socket, into)
}

/// Writes once, as [`Write::write`] does.
///
/// # Errors
/// The system's.
#[inline]
pub fn send(socket: &mut (impl AsFd + Write), bytes: &[u8]) -> io::Result<usize> {
    if *PRELOADED {
        return socket.write(bytes);
    }
    send_directly(socket, bytes)
}

#[inline]
fn receive_directly(socket: &impl AsFd, into: &mut [u8]) -> io::Result<usize> {
    match rustix::net::recv(socket, into, RecvFlags::DONTWAIT) {
        Ok((count, _)) => Ok(count),
        Err(errno) => Err(in_words(errno)),
    }
}

#[inline]
fn send_directly(socket: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    rustix::net::send(socket, bytes, SEND).map_err(in_words)
}

#[inline]
fn in_words(errno: Errno) -> io::Error {
    if errno == Errno::AGAIN {
        return ErrorKind::WouldBlock.into();
    }
    errno.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Shutdown, TcpListener, TcpStream};

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback can be listened on");
        let address = listener.local_addr().expect("it is bound");
        let near = TcpStream::connect(address).expect("somebody listens");
        let (far, _) = listener.accept().expect("it connects");
        (near, far)
    }

    fn read(socket: &TcpStream) -> (io::Result<usize>, [u8; 8]) {
        let mut bytes = [0; 8];
        let mut outcome = receive_directly(socket, &mut bytes);
        while matches!(&outcome, Err(error) if error.kind() == ErrorKind::WouldBlock) {
            outcome = receive_directly(socket, &mut bytes);
        }
        (outcome, bytes)
    }

    #[test]
    fn what_is_sent_is_received_and_nothing_is_no_end() {
        let (near, far) = pair();
        let nothing = receive_directly(&far, &mut [0; 8]).expect_err("nothing was sent");
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
        assert_eq!(send_directly(&near, b"word").expect("there is room"), 4);
        let (outcome, bytes) = read(&far);
        assert_eq!(outcome.expect("it was sent"), 4);
        assert_eq!(bytes[..4], *b"word");
        near.shutdown(Shutdown::Write).expect("it is open");
        assert_eq!(read(&far).0.expect("an orderly end"), 0);
    }

    #[test]
    fn a_socket_without_room_takes_no_more_and_one_without_a_peer_says_so() {
        let (near, far) = pair();
        let full = loop {
            if let Err(error) = send_directly(&near, &[7; 4_096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        drop(far);
        let gone = loop {
            match send_directly(&near, b"more") {
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Ok(_) => {}
                Err(error) => break error.kind(),
            }
        };
        let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
        assert!(kinds.contains(&gone), "{gone}");
    }
}

//! An engine that lets everybody in, or nobody, takes what comes, and never says a word about an order.

use portcullis_wire::Alpha;
use portcullis_wire::soupbin::{LoginAccepted, LoginRejectReason, Packet, Parsed, encode, parse};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The engine; its threads end with their connections and with the test's process.
pub(crate) struct MuteEngine {
    address: SocketAddr,
    ordered: Arc<AtomicBool>,
}

impl MuteEngine {
    pub(crate) fn listen() -> Self {
        Self::listen_and(true)
    }

    /// One that takes no password.
    pub(crate) fn refusing() -> Self {
        Self::listen_and(false)
    }

    fn listen_and(lets_in: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let ordered = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ordered);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || serve(stream, &seen, lets_in));
            }
        });
        Self { address, ordered }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether an order came.
    pub(crate) fn has_an_order(&self) -> bool {
        self.ordered.load(Ordering::Acquire)
    }
}

fn serve(mut stream: TcpStream, ordered: &AtomicBool, lets_in: bool) {
    let mut received = Vec::new();
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        received.extend(&bytes[..count]);
        while let Ok(Parsed::Packet { packet, consumed }) = parse(&received) {
            if matches!(packet, Packet::LoginRequest(_)) {
                let accepted = LoginAccepted {
                    session: Alpha::new(b"ENGINE").expect("short"),
                    sequence: 1,
                };
                let mut out = [0; 64];
                let len = if lets_in {
                    encode::login_accepted(&accepted, &mut out)
                } else {
                    encode::login_rejected(LoginRejectReason::NotAuthorised, &mut out)
                };
                let len = len.expect("it fits");
                if stream.write_all(&out[..len]).is_err() {
                    return;
                }
            } else if matches!(packet, Packet::Unsequenced([b'O', ..])) {
                ordered.store(true, Ordering::Release);
            }
            received.drain(..consumed);
        }
    }
}

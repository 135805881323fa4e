//! The floor: a thread that moves the same bytes between the same kind of sockets, and decides
//! nothing.
//!
//! The relay's own thread, pinned, spins over its pairs of sockets. Invariants: a byte read is
//! written at once and whole; it looks into none. With many sessions connected it is told how many
//! of them will speak, which no gateway could know, and looks at no others: a floor, not a peer. While
//! it rests, it neither reads nor spins.

use crate::socket::is_for_now;
use portcullis_bench_harness::pin;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

const BUFFER_BYTES: usize = 1 << 16;

/// A running relay.
pub(crate) struct Relay {
    address: SocketAddr,
    switch: Arc<Switch>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

struct Switch {
    stop: AtomicBool,
    /// Whether it stands still.
    resting: AtomicBool,
    /// Whether it has said that it does.
    rests: AtomicBool,
    /// Pairs that are looked at.
    speaking: AtomicUsize,
}

impl Relay {
    /// Starts it on a core, for this many sessions.
    pub(crate) fn start(core: usize, sessions: usize, engine: SocketAddr) -> Result<Self, String> {
        let fault = |error: std::io::Error| format!("the relay cannot listen on loopback: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        let switch = Arc::new(Switch {
            stop: AtomicBool::new(false),
            resting: AtomicBool::new(false),
            rests: AtomicBool::new(false),
            speaking: AtomicUsize::new(sessions),
        });
        let shared = Arc::clone(&switch);
        let thread = std::thread::spawn(move || {
            pin(core).map_err(|error| error.to_string())?;
            relay(&listener, sessions, engine, &shared)
                .map_err(|error| format!("the relay: {error}"))
        });
        Ok(Self {
            address,
            switch,
            thread: Some(thread),
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on only the first `sessions` speak.
    pub(crate) fn narrow(&self, sessions: usize) {
        self.switch.speaking.store(sessions, Ordering::Relaxed);
    }

    /// Has it stand still, and waits until it does.
    pub(crate) fn rest(&self) {
        self.switch.resting.store(true, Ordering::Release);
        let ended = || self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        while !self.switch.rests.load(Ordering::Acquire) && !ended() {
            std::thread::yield_now();
        }
    }

    /// Has it go on.
    pub(crate) fn wake(&self) {
        self.switch.resting.store(false, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Ends it.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        self.switch.stop.store(true, Ordering::Relaxed);
        self.wake();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) | None => Err("the relay's thread broke off".to_owned()),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.switch.stop.store(true, Ordering::Relaxed);
        self.wake();
    }
}

impl Switch {
    /// On the relay's thread: stands still as long as it is told to.
    fn rest(&self) {
        while self.resting.load(Ordering::Acquire) {
            self.rests.store(true, Ordering::Release);
            std::thread::park();
        }
        self.rests.store(false, Ordering::Release);
    }
}

fn relay(
    listener: &TcpListener,
    sessions: usize,
    engine: SocketAddr,
    switch: &Switch,
) -> std::io::Result<()> {
    let mut pairs = Vec::with_capacity(sessions);
    listener.set_nonblocking(true)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    while !switch.stop.load(Ordering::Relaxed) {
        if switch.resting.load(Ordering::Acquire) {
            switch.rest();
        }
        if pairs.len() < sessions {
            match listener.accept() {
                Ok((client, _)) => {
                    pairs.push((ready(client)?, ready(TcpStream::connect(engine)?)?))
                }
                Err(error) if is_for_now(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let speaking = switch.speaking.load(Ordering::Relaxed).min(pairs.len());
        for (client, engine) in &mut pairs[..speaking] {
            let both = pass(client, engine, &mut buffer)? && pass(engine, client, &mut buffer)?;
            if !both {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn ready(stream: TcpStream) -> std::io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Moves what is there; `false` at its end.
fn pass(from: &mut TcpStream, to: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<bool> {
    let count = match from.read(buffer) {
        Ok(0) => return Ok(false),
        Ok(count) => count,
        Err(error) if is_for_now(&error) => return Ok(true),
        Err(error) => return Err(error),
    };
    let mut written = 0;
    while written < count {
        match to.write(&buffer[written..count]) {
            Ok(more) => written += more,
            Err(error) if is_for_now(&error) => core::hint::spin_loop(),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

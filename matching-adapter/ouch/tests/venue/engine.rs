//! An engine of its own: the ladder behind OUCH 5.0 and SoupBinTCP, on a thread.
//!
//! Owned by its thread; a test talks to it through [`Control`]. It keeps OUCH's rules: a number at
//! or below the last one is ignored, an order that dies on arrival is told in one message. Besides
//! it can do what a test asks: say nothing, break connections, write a few bytes at a time, say
//! things of its own.

mod book;
mod line;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use portcullis_domain::OrderKey;
use portcullis_ladder::{Command, Counters};
use portcullis_wire::soupbin::UserName;

use book::Book;
pub(crate) use book::of_row;
use line::{Line, Stream};

use crate::rig::SESSIONS;

pub(crate) const PASSWORD: &[u8] = b"secret";
pub(crate) const SYMBOLS: [&[u8]; 2] = [b"ALPHA", b"BETA"];
/// Wire units of a price tick: a quarter.
pub(crate) const TICK_WIRE: u64 = 2_500;

/// The user of a session.
pub(crate) fn user_of(session: usize) -> UserName {
    UserName::new(&[b'S', b'0' + session as u8]).expect("fits")
}

/// What a test asks of the engine.
#[derive(Default)]
pub(crate) struct Control {
    stop: AtomicBool,
    /// Neither reads nor writes.
    pub(crate) mute: AtomicBool,
    /// It has begun not to.
    muted: AtomicBool,
    /// Every connection breaks, once.
    pub(crate) break_all: AtomicBool,
    /// Once in this many turns a connection breaks; 0 never.
    pub(crate) break_one_in: AtomicU64,
    /// Bytes written in a turn; 0 for as many as go.
    pub(crate) bytes_a_turn: AtomicU64,
    /// Commands of nobody's session.
    pub(crate) commands: Mutex<Vec<Command>>,
    /// Messages to say as they are, by session.
    pub(crate) say: Mutex<Vec<(usize, Vec<u8>)>>,
    /// What was received, by session.
    pub(crate) received: Mutex<Vec<(usize, Vec<u8>)>>,
    /// What was said, by session.
    said: Mutex<Vec<(usize, Vec<u8>)>>,
    counters: Mutex<Counters>,
    /// Wire units of each order that rests.
    open: Mutex<BTreeMap<OrderKey, u32>>,
    /// Numbers that came again.
    repeated: AtomicU64,
    logins: AtomicU64,
}

pub(crate) struct Engine {
    address: SocketAddr,
    pub(crate) control: Arc<Control>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    pub(crate) fn start(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket option");
        let address = listener.local_addr().expect("bound");
        let control = Arc::new(Control::default());
        let shared = Arc::clone(&control);
        let thread = std::thread::spawn(move || Floor::new(listener, shared, seed).run());
        Self {
            address,
            control,
            thread: Some(thread),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The book's own figures.
    pub(crate) fn counters(&self) -> Counters {
        *self.control.counters.lock().expect("the engine lives")
    }

    /// Wire units of each order in the book.
    pub(crate) fn open(&self) -> BTreeMap<OrderKey, u32> {
        self.control.open.lock().expect("the engine lives").clone()
    }

    /// Orders and replaces whose number had come before, and were ignored.
    pub(crate) fn repeated(&self) -> u64 {
        self.control.repeated.load(Ordering::SeqCst)
    }

    pub(crate) fn logins(&self) -> u64 {
        self.control.logins.load(Ordering::SeqCst)
    }

    /// What a session's client sent so far.
    pub(crate) fn received(&self, session: usize) -> Vec<Vec<u8>> {
        let received = self.control.received.lock().expect("the engine lives");
        let of_session = received.iter().filter(|(from, _)| *from == session);
        of_session.map(|(_, message)| message.clone()).collect()
    }

    /// A session's whole sequenced stream.
    pub(crate) fn said(&self, session: usize) -> Vec<Vec<u8>> {
        let said = self.control.said.lock().expect("the engine lives");
        let of_session = said.iter().filter(|(to, _)| *to == session);
        of_session.map(|(_, message)| message.clone()).collect()
    }

    /// From when this returns nothing is read or written.
    pub(crate) fn mute(&self) {
        self.control.mute.store(true, Ordering::SeqCst);
        while !self.control.muted.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }

    /// Says this to a session.
    pub(crate) fn say(&self, session: usize, message: &[u8]) {
        let mut say = self.control.say.lock().expect("the engine lives");
        say.push((session, message.to_vec()));
    }

    /// Asks the book for something, in nobody's name.
    pub(crate) fn command(&self, command: Command) {
        self.control
            .commands
            .lock()
            .expect("the engine lives")
            .push(command);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.control.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the engine broke"
            );
        }
    }
}

/// Everything on the engine's thread.
struct Floor {
    listener: TcpListener,
    control: Arc<Control>,
    /// Connections that have not logged in.
    lobby: Vec<Stream>,
    lines: Vec<Line>,
    book: Book,
    random: u64,
}

impl Floor {
    fn new(listener: TcpListener, control: Arc<Control>, seed: u64) -> Self {
        Self {
            listener,
            control,
            lobby: Vec::new(),
            lines: (0..SESSIONS as usize).map(Line::new).collect(),
            book: Book::new(),
            random: seed,
        }
    }

    fn run(&mut self) {
        while !self.control.stop.load(Ordering::SeqCst) {
            if self.turn() == 0 {
                std::thread::sleep(Duration::from_micros(20));
            }
        }
    }

    fn turn(&mut self) -> usize {
        let mute = self.control.mute.load(Ordering::SeqCst);
        self.control.muted.store(mute, Ordering::SeqCst);
        if mute {
            return 0;
        }
        self.welcome();
        self.break_some();
        let mut work = 0;
        for (session, line) in self.lines.iter_mut().enumerate() {
            for message in line.read() {
                work += 1;
                self.book.take(session, &message);
                let mut received = self.control.received.lock().expect("tests live");
                received.push((session, message));
            }
        }
        for command in self.control.commands.lock().expect("tests live").drain(..) {
            self.book.submit(command);
        }
        let mut said = self.book.work();
        said.append(&mut self.control.say.lock().expect("tests live"));
        work += said.len();
        for (session, message) in said {
            self.lines[session].publish(&message);
            let mut all = self.control.said.lock().expect("tests live");
            all.push((session, message));
        }
        *self.control.counters.lock().expect("tests live") = *self.book.counters();
        *self.control.open.lock().expect("tests live") = self.book.open();
        let repeated = self.book.repeated();
        self.control.repeated.store(repeated, Ordering::SeqCst);
        let bytes = self.control.bytes_a_turn.load(Ordering::SeqCst) as usize;
        for line in &mut self.lines {
            work += line.write(bytes);
        }
        work
    }

    /// Takes connections, and those that log in to their lines.
    fn welcome(&mut self) {
        match self.listener.accept() {
            Ok((stream, _)) => self.lobby.push(Stream::new(stream)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
        }
        for mut stream in core::mem::take(&mut self.lobby) {
            let Some(login) = stream.login() else {
                if !stream.closed() {
                    self.lobby.push(stream);
                }
                continue;
            };
            assert_eq!(login.password.0.trimmed(), PASSWORD);
            let session = (0..self.lines.len()).find(|s| user_of(*s) == login.user);
            self.lines[session.expect("a known user")].connect(stream, &login);
            self.control.logins.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn break_some(&mut self) {
        let one_in = self.control.break_one_in.load(Ordering::SeqCst);
        let all = self.control.break_all.swap(false, Ordering::SeqCst);
        for line in &mut self.lines {
            self.random = self
                .random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            if all || one_in > 0 && (self.random >> 33).is_multiple_of(one_in) {
                line.break_off();
            }
        }
    }
}

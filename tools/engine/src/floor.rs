//! The engine's thread: sockets, sessions and the book.
//!
//! One thread, which waits for sockets and questions and never spins. Invariants: a turn reads every
//! connection that has bytes, matches, and then writes; a login ends the session's former connection
//! before anything of the new one is read. It must never wait for a client.

use crate::book::Book;
use crate::config::{EngineConfig, SetupError};
use crate::connection::{Came, Connection};
use crate::figures::figures;
use crate::say;
use crate::session::Session;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use portcullis_domain::{Timestamp, UserRef};
use portcullis_wire::ouch50::{AccountQueryResponse, Inbound, UserRefNum};
use portcullis_wire::soupbin::{
    LoginAccepted, LoginRejectReason, LoginRequest, SessionName, encode,
};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
/// The token of the first connection.
const FIRST: usize = 2;

/// How often timers are looked at.
const TIMERS_EVERY: Duration = Duration::from_millis(200);
/// A connection that was said nothing for this long is said a heartbeat.
const HEARTBEAT_NS: u64 = 1_000_000_000;
/// Bytes of a connection that wait for its socket before more are taken from its stream.
const WRITE_BYTES: usize = 64 * 1024;

/// A question, or a wish.
#[derive(Debug)]
pub enum Ask {
    /// The figures, as a line of JSON.
    Figures(SyncSender<String>),
    /// Every connection breaks, with what was not read and not written.
    BreakAll,
    /// The engine ends.
    Stop,
}

/// Asks an engine from another thread.
#[derive(Clone, Debug)]
pub struct Asker {
    asks: SyncSender<Ask>,
    waker: Arc<Waker>,
}

impl Asker {
    /// Asks; `false` if the engine has ended.
    #[must_use]
    pub fn ask(&self, ask: Ask) -> bool {
        self.asks.send(ask).is_ok() && self.waker.wake().is_ok()
    }

    /// The figures; `None` if the engine has ended.
    #[must_use]
    pub fn figures(&self) -> Option<String> {
        let (answer, answered) = sync_channel(1);
        self.ask(Ask::Figures(answer)).then_some(())?;
        answered.recv().ok()
    }
}

/// An engine, from its listening to its end.
pub struct Engine {
    poll: Poll,
    listener: TcpListener,
    address: SocketAddr,
    asks: Receiver<Ask>,
    asker: Asker,
    connections: Vec<Option<Connection>>,
    sessions: Vec<Session>,
    /// When each session's connection was last written to.
    spoke_ns: Vec<u64>,
    book: Book,
    /// Of all sessions: an engine that starts anew is another session of theirs.
    name: SessionName,
    now: Timestamp,
}

impl Engine {
    /// Listens; connections wait until it runs.
    ///
    /// # Errors
    /// If the address is not to be had, or the configuration does not do.
    pub fn listen(config: &EngineConfig) -> Result<Self, SetupError> {
        let cannot = |what: &str, error: io::Error| SetupError(format!("{what}: {error}"));
        if config.users.is_empty() || config.instruments.is_empty() {
            let what = "an engine has a user and an instrument at least";
            return Err(SetupError(what.to_owned()));
        }
        let poll = Poll::new().map_err(|error| cannot("the system's poller", error))?;
        let mut listener = TcpListener::bind(config.listen)
            .map_err(|error| cannot(&format!("listening on {}", config.listen), error))?;
        let address = listener.local_addr();
        let address = address.map_err(|error| cannot("the listening address", error))?;
        let registry = poll.registry();
        let waker = Waker::new(registry, WAKER).map_err(|error| cannot("a waker", error))?;
        registry
            .register(&mut listener, LISTENER, Interest::READABLE)
            .map_err(|error| cannot("watching the listener", error))?;
        let (send, asks) = sync_channel(64);
        let asker = Asker {
            asks: send,
            waker: Arc::new(waker),
        };
        let now = clock();
        let name = (now.ns() / 1_000_000) % 10_000_000_000;
        Ok(Self {
            poll,
            listener,
            address,
            asks,
            asker,
            connections: Vec::new(),
            sessions: config.users.iter().cloned().map(Session::new).collect(),
            spoke_ns: vec![0; config.users.len()],
            book: Book::new(config)?,
            name: SessionName::new(format!("{name:010}").as_bytes()).expect("ten digits"),
            now,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A way to ask it things.
    #[must_use]
    pub fn asker(&self) -> Asker {
        self.asker.clone()
    }

    /// Works until it is asked to stop.
    ///
    /// # Errors
    /// If the system's poller fails.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1_024);
        loop {
            let hot = self.connections.iter().flatten().any(|one| one.is_hot);
            let wait = if hot { Duration::ZERO } else { TIMERS_EVERY };
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Ok(()) | Err(_) => {}
            }
            self.now = self.now.later(clock());
            for event in &events {
                match event.token() {
                    LISTENER => self.welcome()?,
                    WAKER => {}
                    Token(token) => {
                        if let Some(Some(one)) = self.connections.get_mut(token - FIRST) {
                            one.is_hot = true;
                        }
                    }
                }
            }
            self.turn();
            if !self.answer_asks() {
                return Ok(());
            }
        }
    }

    fn welcome(&mut self) -> io::Result<()> {
        loop {
            let mut socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                // It is gone already, or there is no other.
                Err(_) => return Ok(()),
            };
            // Without it answers are late, and right.
            let _late = socket.set_nodelay(true);
            let free = self.connections.iter().position(Option::is_none);
            let place = free.unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let both = Interest::READABLE | Interest::WRITABLE;
            let token = Token(FIRST + place);
            self.poll.registry().register(&mut socket, token, both)?;
            self.connections[place] = Some(Connection::new(socket, self.now));
        }
    }

    /// Reads, matches, writes.
    fn turn(&mut self) {
        self.book.set_time(self.now.ns() % 86_400_000_000_000);
        for place in 0..self.connections.len() {
            let Some(one) = &mut self.connections[place] else {
                continue;
            };
            if one.is_hot {
                one.read();
            }
            one.watch(self.now);
            self.take(place);
        }
        self.publish();
        for place in 0..self.connections.len() {
            self.write(place);
        }
    }

    fn take(&mut self, place: usize) {
        loop {
            let Some(Some(one)) = self.connections.get_mut(place) else {
                return;
            };
            let (session, came) = (one.session, one.take(self.now));
            let mut logged_in = false;
            for came in came {
                match (came, session) {
                    (Came::Login(login), _) => {
                        logged_in = true;
                        self.log_in(place, &login);
                    }
                    (Came::Message(message), Some(session)) => self.on_message(session, &message),
                    (Came::Message(_), None) => {}
                }
            }
            if !logged_in {
                return;
            }
        }
    }

    fn log_in(&mut self, place: usize, login: &LoginRequest) {
        let session = self.sessions.iter().position(|one| one.is_of(login));
        let known = session.filter(|index| self.sessions[*index].owner.password == login.password);
        let named = login.session.is_none_or(|name| name == self.name);
        let answer = match known {
            None => Err(LoginRejectReason::NotAuthorised),
            Some(index) => (self.sessions[index].stream.first_for(login.sequence))
                .filter(|_| named)
                .map(|first| (index, first))
                .ok_or(LoginRejectReason::SessionNotAvailable),
        };
        let mut out = [0; 64];
        let (index, first) = match answer {
            Ok(found) => found,
            Err(reason) => {
                let len = encode::login_rejected(reason, &mut out).expect("room for it");
                self.connection(place).refuse(&out[..len]);
                return;
            }
        };
        let session = &mut self.sessions[index];
        session.counts.logins += 1;
        session.stream.connect(first);
        if let Some(former) = session.connection.replace(place) {
            session.counts.takeovers += 1;
            let former = self.connection(former);
            former.session = None;
            former.cut();
        }
        let accepted = LoginAccepted {
            session: self.name,
            sequence: first,
        };
        let len = encode::login_accepted(&accepted, &mut out).expect("room for it");
        let now = self.now;
        let one = self.connection(place);
        one.accept(index, now);
        one.out().extend_from_slice(&out[..len]);
    }

    fn connection(&mut self, place: usize) -> &mut Connection {
        let one = self.connections[place].as_mut();
        one.expect("a place that is named is taken")
    }

    fn on_message(&mut self, index: usize, message: &[u8]) {
        let (session, book) = (&mut self.sessions[index], &mut self.book);
        let counts = &mut session.counts;
        match Inbound::parse(message) {
            Ok(Inbound::EnterOrder(view)) => {
                let said = view.value();
                let number = numbered(said.user_ref_num, view.user_ref_idx());
                if session.use_number(number) {
                    session.counts.orders_entered += 1;
                    book.enter(index, number, said);
                } else {
                    session.counts.enters_repeated += 1;
                }
            }
            Ok(Inbound::ReplaceOrder(view)) => {
                let (said, row) = (view.value(), view.user_ref_idx());
                let number = numbered(said.user_ref_num, row);
                let original = numbered(said.orig_user_ref_num, row);
                if number.number <= session.last_number(row) {
                    session.counts.replaces_repeated += 1;
                } else if !book.is_open(index, original) {
                    session.counts.replaces_ignored += 1;
                } else {
                    let _new = session.use_number(number);
                    session.counts.replaces_entered += 1;
                    book.replace(index, original, number, &said);
                }
            }
            Ok(Inbound::CancelOrder(view)) => {
                counts.cancels += 1;
                let said = view.value();
                let number = numbered(said.user_ref_num, view.user_ref_idx());
                book.cancel(index, number, said.quantity, false);
            }
            Ok(Inbound::ModifyOrder(view)) => {
                counts.cancels += 1;
                let said = view.value();
                let number = numbered(said.user_ref_num, view.user_ref_idx());
                book.cancel(index, number, said.quantity, true);
            }
            Ok(Inbound::AccountQuery(view)) => {
                counts.queries += 1;
                let row = view.user_ref_idx();
                self.publish();
                self.answer_query(index, row);
            }
            Ok(
                Inbound::MassCancel(_)
                | Inbound::DisableOrderEntry(_)
                | Inbound::EnableOrderEntry(_),
            )
            | Err(_) => counts.not_understood += 1,
        }
    }

    fn answer_query(&mut self, index: usize, row: u8) {
        let session = &mut self.sessions[index];
        let next = session.last_number(row).saturating_add(1);
        let answer = AccountQueryResponse {
            timestamp: self.now.ns() % 86_400_000_000_000,
            next_user_ref_num: say::number(UserRef { row, number: next }),
        };
        let message = say::message(row, |appendage, out| answer.encode(appendage, out));
        session.stream.publish(&message);
    }

    /// What the book said goes into the streams.
    fn publish(&mut self) {
        for (session, message) in self.book.said() {
            self.sessions[session].stream.publish(&message);
        }
    }

    fn write(&mut self, place: usize) {
        let Some(one) = &mut self.connections[place] else {
            return;
        };
        if let Some(index) = one.session {
            let session = &mut self.sessions[index];
            let now_ns = self.now.ns();
            let spoke = &mut self.spoke_ns[index];
            let mut news = !one.out().is_empty();
            if one.out().len() < WRITE_BYTES {
                news |= session.stream.pump(WRITE_BYTES, one.out());
            }
            if news {
                *spoke = now_ns;
            } else if now_ns.saturating_sub(*spoke) >= HEARTBEAT_NS {
                let mut packet = [0; 8];
                let len = encode::server_heartbeat(&mut packet).expect("room for it");
                one.out().extend_from_slice(&packet[..len]);
                *spoke = now_ns;
            }
        }
        one.write();
        if one.out().is_empty() && one.session.is_some() {
            // There may be more where that came from, and the socket has said that it takes it.
            let index = one.session.expect("looked at");
            one.is_hot |= self.sessions[index].stream.is_behind();
        }
        if one.is_over() {
            self.drop_connection(place);
        }
    }

    fn drop_connection(&mut self, place: usize) {
        let Some(mut one) = self.connections[place].take() else {
            return;
        };
        // The system forgets a closed socket by itself.
        let _forgotten = self.poll.registry().deregister(one.socket());
        if let Some(index) = one.session {
            self.sessions[index].connection = None;
            self.sessions[index].stream.disconnect();
        }
    }

    /// `false` if the engine is to end.
    fn answer_asks(&mut self) -> bool {
        while let Ok(ask) = self.asks.try_recv() {
            match ask {
                Ask::Stop => return false,
                Ask::BreakAll => {
                    (0..self.connections.len()).for_each(|place| self.drop_connection(place));
                }
                Ask::Figures(answer) => {
                    let figures = figures(&self.book, &self.sessions);
                    // Who asked may be gone.
                    let _gone = answer.try_send(figures.to_string());
                }
            }
        }
        true
    }
}

/// A number in its row.
const fn numbered(number: UserRefNum, row: u8) -> UserRef {
    UserRef {
        row,
        number: number.get(),
    }
}

/// Time of day; the engine's own time never goes back.
fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp::from_ns(since.map_or(0, |since| since.as_nanos() as u64))
}

//! Clients that outlive the gateway.
//!
//! A thread each. A client keeps every message it was ever told, by its number; whenever the gateway is there
//! again it logs in, asks for some of them anew and for all that follow, sends what was never answered again
//! under the same numbers, and goes on. Replaces and cancels are not sent again: what of them a dying gateway
//! took with it is as if it had never been asked for. Invariant: what it finds that must not be is counted and
//! printed.

use super::book::{Book, Wrong};
use super::config::PASSWORD;
use super::crowd::Shared;
use super::link::{Gone, Link, now};
use super::messages;
use super::orders::Orders;
use super::random::Random;
use crate::wide_limits::user;
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::{ClientConfig, ClientEvent, ClientSession, ClientStep, Password};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Messages asked for anew at a login, at the most: the gateway's store has them.
const ASKED_AGAIN_MAX: u64 = 200;

/// One client in so many asks now and then for all it was ever told, which the journal alone has: where one
/// gateway dies and comes back. One that takes over may have begun behind a snapshot, and reaches back to that.
const FORGETFUL_EVERY: usize = 8;
const FORGETS_EVERY: u64 = 4;

/// How long a read waits.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Between two tries to connect.
const RETRY_EVERY: Duration = Duration::from_millis(2);

/// How long nothing may come at the end before all is taken to have come.
const QUIET: Duration = Duration::from_millis(500);

/// Logins of a client that was there before the gateway died and after it.
const LOGINS_MIN: u64 = 2;

pub(super) struct Client {
    index: usize,
    addresses: Vec<SocketAddr>,
    /// Connections tried.
    tried: usize,
    random: Random,
    shared: Arc<Shared>,
    /// Whether the shared count of those that are settled has this one in it.
    settled: bool,
    /// Every message, by its number less one.
    told: Vec<Vec<u8>>,
    book: Book,
    found: Orders,
}

impl Client {
    pub(super) fn new(
        index: usize,
        addresses: Vec<SocketAddr>,
        seed: u64,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            index,
            addresses,
            tried: 0,
            random: Random(seed),
            shared,
            settled: false,
            told: Vec::new(),
            book: Book::new(index),
            found: Orders::default(),
        }
    }

    pub(super) fn live(mut self) -> Orders {
        while !self.shared.ending.load(Ordering::Acquire) {
            match self.connect() {
                Some(mut link) => {
                    // It ends with the gateway's life, or with all of it.
                    if self.serve(&mut link).is_err() {
                        self.book.lose_connection();
                    }
                    self.set_settled(false);
                }
                None => std::thread::sleep(RETRY_EVERY),
            }
        }
        self.judge_its_part();
        self.end();
        self.found.messages = self.told.len() as u64;
        self.found.lost += self.book.unanswered().len() as u64;
        if let Some(number) = self.book.first_unanswered() {
            self.violation(&format!("order {number} was never answered"));
        }
        self.found
    }

    /// Before the end, whose own login says nothing of it: what it took part in, and what it is still owed.
    fn judge_its_part(&mut self) {
        let (answered, logins) = (self.found.answered, self.found.logins);
        if answered == 0 || logins < LOGINS_MIN {
            self.found.idle += 1;
            self.violation(&format!("{answered} orders answered over {logins} logins"));
        }
        for wrong in self.book.overdue() {
            self.count(&wrong, "nothing more comes");
        }
    }

    /// Connects and asks for some of what was told before, and all that follows.
    fn connect(&mut self) -> Option<Link> {
        let address = self.addresses[self.tried % self.addresses.len()];
        self.tried += 1;
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(LOOK_EVERY)).ok()?;
        let told = self.told.len() as u64;
        let forgets = self.addresses.len() == 1
            && self.index % FORGETFUL_EVERY == 1
            && self.random.below(FORGETS_EVERY) == 0;
        let again = match forgets {
            true => told,
            false => self.random.below(ASKED_AGAIN_MAX.min(told) + 1),
        };
        let config = ClientConfig {
            next_sequence: told + 1 - again,
            ..ClientConfig::new(
                Alpha::new(user(self.index).as_bytes())?,
                Password(Alpha::new(PASSWORD.as_bytes())?),
            )
        };
        let mut machine = ClientSession::new(config);
        let mut login = [0; 64];
        let len = machine.connect(now(), &mut login).ok()?;
        let mut stream = stream;
        stream.write_all(&login[..len]).ok()?;
        Some(Link {
            stream,
            machine,
            received: Vec::new(),
        })
    }

    /// Sends and reads until the connection is gone or all ends.
    fn serve(&mut self, link: &mut Link) -> Result<(), Gone> {
        self.await_login(link)?;
        self.send_again(link)?;
        while !self.shared.pausing.load(Ordering::Acquire) {
            for _ in 0..=self.random.below(16) {
                self.send_something(link)?;
            }
            self.read(link)?;
        }
        self.settle(link)
    }

    fn send_again(&mut self, link: &mut Link) -> Result<(), Gone> {
        for message in self.book.unanswered() {
            link.send(message)?;
            self.found.sent_again += 1;
        }
        Ok(())
    }

    /// Reads on until all ends, and says whether nothing is owed and nothing comes.
    fn settle(&mut self, link: &mut Link) -> Result<(), Gone> {
        let (mut told, mut since) = (self.told.len(), Instant::now());
        while !self.shared.ending.load(Ordering::Acquire) {
            self.read(link)?;
            if told != self.told.len() {
                (told, since) = (self.told.len(), Instant::now());
            }
            self.set_settled(!self.book.is_owed() && since.elapsed() >= QUIET);
        }
        Ok(())
    }

    /// Counts itself among the settled, or no longer.
    fn set_settled(&mut self, settled: bool) {
        if settled == self.settled {
            return;
        }
        self.settled = settled;
        if settled {
            self.shared.settled.fetch_add(1, Ordering::AcqRel);
        } else {
            self.shared.settled.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn await_login(&mut self, link: &mut Link) -> Result<(), Gone> {
        let logins = self.found.logins;
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.found.logins == logins {
            self.read(link)?;
            if Instant::now() > deadline {
                return Err(Gone);
            }
        }
        Ok(())
    }

    fn send_something(&mut self, link: &mut Link) -> Result<(), Gone> {
        let choice = self.random.below(10);
        if choice < 2
            && let Some(cancel) = self.book.cancel(&mut self.random)
        {
            return link.send(&cancel);
        }
        if choice == 2
            && let Some(replace) = self.book.replace(&mut self.random)
        {
            self.found.replaces += 1;
            return link.send(&replace);
        }
        let Some(order) = self.book.enter(&mut self.random) else {
            return Ok(());
        };
        self.found.entered += 1;
        self.shared.orders.fetch_add(1, Ordering::Relaxed);
        link.send(&order)
    }

    /// Takes what has come.
    fn read(&mut self, link: &mut Link) -> Result<(), Gone> {
        link.fill()?;
        let received = std::mem::take(&mut link.received);
        let mut from = 0;
        let mut result = Ok(());
        loop {
            match link.machine.step(&received[from..], now()) {
                ClientStep::NeedMore { .. } => break,
                ClientStep::Closed => {
                    result = Err(Gone);
                    break;
                }
                ClientStep::Event { event, consumed } => {
                    from += consumed;
                    if self.on_event(event).is_err() {
                        result = Err(Gone);
                        break;
                    }
                }
            }
        }
        link.received = received[from..].to_vec();
        result
    }

    fn on_event(&mut self, event: ClientEvent<'_>) -> Result<(), Gone> {
        match event {
            ClientEvent::LoggedIn { accepted, asked } => {
                self.found.logins += 1;
                if accepted.sequence != asked {
                    self.found.gaps += 1;
                    self.violation(&format!(
                        "asked for message {asked}, and was given {}",
                        accepted.sequence
                    ));
                }
                Ok(())
            }
            ClientEvent::LoginRejected(reason) => {
                self.found.gaps += 1;
                self.violation(&format!("no login: {reason:?}, {} told", self.told.len()));
                Err(Gone)
            }
            ClientEvent::Sequenced { number, message } => {
                self.take(number, message);
                Ok(())
            }
            ClientEvent::Unsequenced(_) | ClientEvent::Ignored => Ok(()),
            ClientEvent::EndOfSession | ClientEvent::Fault(_) => Err(Gone),
        }
    }

    /// A message with its number: one more, or one that was told before.
    fn take(&mut self, number: u64, message: &[u8]) {
        let told = self.told.len() as u64;
        if number <= told {
            let before = &self.told[number as usize - 1];
            self.found.compared += 1;
            if before != message {
                let words = format!(
                    "message {number} was {:?} {before:02x?} and is {:?} {message:02x?}",
                    messages::read(before),
                    messages::read(message)
                );
                self.found.changed += 1;
                self.violation(&words);
            }
            return;
        }
        if number != told + 1 {
            self.found.gaps += 1;
            self.violation(&format!("message {number} came behind {told}"));
        }
        self.told.push(message.to_vec());
        self.hear(message, number);
    }

    fn hear(&mut self, message: &[u8], number: u64) {
        let heard = self.book.hear(&messages::read(message));
        self.found.answered += u64::from(heard.answered);
        if heard.accepted {
            self.shared.accepted.fetch_add(1, Ordering::AcqRel);
        }
        for wrong in &heard.wrong {
            self.count(wrong, &format!("message {number}"));
        }
    }

    fn count(&mut self, wrong: &Wrong, at: &str) {
        let (figure, what) = match wrong {
            Wrong::Foreign(what) => (&mut self.found.foreign, what),
            Wrong::Duplicated(what) => (&mut self.found.duplicated, what),
            Wrong::ReplaceLost(what) => (&mut self.found.replaces_lost, what),
        };
        *figure += 1;
        self.violation(&format!("{at}: {what}"));
    }

    fn violation(&self, what: &str) {
        self.shared.violations.fetch_add(1, Ordering::Relaxed);
        println!("VIOLATION client {}: {what}", self.index);
    }

    /// Cancels what is open, and waits until all is answered and nothing more comes.
    fn end(&mut self) {
        let within = Duration::from_secs(self.shared.ends_within.load(Ordering::Relaxed));
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            let Some(mut link) = self.connect() else {
                std::thread::sleep(RETRY_EVERY);
                continue;
            };
            if self.ended(&mut link, deadline).is_ok() {
                return;
            }
        }
    }

    fn ended(&mut self, link: &mut Link, deadline: Instant) -> Result<(), Gone> {
        self.await_login(link)?;
        self.send_again(link)?;
        let mut quiet_since = Instant::now();
        let mut told = self.told.len();
        let mut canceled = false;
        while Instant::now() < deadline {
            self.read(link)?;
            if told != self.told.len() {
                told = self.told.len();
                quiet_since = Instant::now();
            }
            let quiet = quiet_since.elapsed() >= QUIET;
            if !canceled && self.book.unanswered().len() == 0 {
                link.send(&self.book.cancel_all())?;
                canceled = true;
                quiet_since = Instant::now();
            } else if canceled && quiet {
                return Ok(());
            }
        }
        Ok(())
    }
}

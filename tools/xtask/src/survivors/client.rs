//! Clients that outlive the gateway.
//!
//! A thread each. A client keeps every message it was ever told, by its number; whenever the gateway is there
//! again it logs in, asks for some of them anew and for all that follow, sends what was never answered again
//! under the same numbers, and goes on. Invariant: what it finds that must not be is counted and printed.

use super::config::{PASSWORD, user};
use super::link::{Gone, Link, now};
use super::messages::{self, Said};
use super::random::Random;
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::{ClientConfig, ClientEvent, ClientSession, ClientStep, Password};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Orders of a client that may be unanswered.
const UNANSWERED_MAX: usize = 64;

/// Messages asked for anew at a login, at the most.
const ASKED_AGAIN_MAX: u64 = 200;

/// How long a read waits.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Between two tries to connect.
const RETRY_EVERY: Duration = Duration::from_millis(2);

/// How long nothing may come at the end before all is taken to have come.
const QUIET: Duration = Duration::from_millis(500);

/// What a client found in the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    /// Orders entered.
    pub(crate) entered: u64,
    /// Those that were accepted or refused.
    pub(crate) answered: u64,
    /// Messages told.
    pub(crate) messages: u64,
    /// Messages told again and found the same.
    pub(crate) compared: u64,
    /// Orders sent again under their number.
    pub(crate) sent_again: u64,
    /// Logins taken.
    pub(crate) logins: u64,
    /// Orders without an answer.
    pub(crate) lost: u64,
    /// Orders with two.
    pub(crate) duplicated: u64,
    /// Messages whose number was not the next.
    pub(crate) gaps: u64,
    /// Messages that were another when they were told again.
    pub(crate) changed: u64,
    /// Messages about orders of somebody else.
    pub(crate) foreign: u64,
}

impl Orders {
    /// Adds what another client found.
    pub(crate) const fn add(&mut self, client: &Self) {
        self.entered += client.entered;
        self.answered += client.answered;
        self.messages += client.messages;
        self.compared += client.compared;
        self.sent_again += client.sent_again;
        self.logins += client.logins;
        self.lost += client.lost;
        self.duplicated += client.duplicated;
        self.gaps += client.gaps;
        self.changed += client.changed;
        self.foreign += client.foreign;
    }

    pub(crate) fn print(&self) {
        println!(
            "orders     entered {}, answered {}, sent again {}; lost {}, answered twice {}",
            self.entered, self.answered, self.sent_again, self.lost, self.duplicated
        );
        println!(
            "messages   {} told over {} logins, {} told again; gaps {}, changed {}, another's {}",
            self.messages, self.logins, self.compared, self.gaps, self.changed, self.foreign
        );
    }

    pub(crate) const fn violations(&self) -> u64 {
        self.lost + self.duplicated + self.gaps + self.changed + self.foreign
    }
}

/// What all clients share.
#[derive(Debug, Default)]
struct Shared {
    pausing: AtomicBool,
    ending: AtomicBool,
    /// Clients that are owed nothing and heard nothing for a while, since all pause.
    settled: AtomicU64,
    /// Orders accepted, of those sent to whoever answers.
    accepted: AtomicU64,
    orders: AtomicU64,
    violations: AtomicU64,
}

/// All clients.
pub(crate) struct Crowd {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Orders>>,
    ends: Arc<AtomicU64>,
}

impl Crowd {
    /// Starts so many clients, who look for the gateway at these addresses in turn.
    pub(crate) fn start(clients: usize, addresses: Vec<SocketAddr>, seed: u64) -> Self {
        let shared = Arc::new(Shared::default());
        let ends = Arc::new(AtomicU64::new(60));
        let threads = (0..clients).map(|client| {
            let (shared, ends) = (Arc::clone(&shared), Arc::clone(&ends));
            let seed = seed.wrapping_mul(1_000_003).wrapping_add(client as u64);
            let addresses = addresses.clone();
            std::thread::spawn(move || Client::new(client, addresses, seed, shared, ends).live())
        });
        Self {
            threads: threads.collect(),
            shared,
            ends,
        }
    }

    pub(crate) fn orders(&self) -> u64 {
        self.shared.orders.load(Ordering::Relaxed)
    }

    /// Orders that were accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Acquire)
    }

    pub(crate) fn violations(&self) -> u64 {
        self.shared.violations.load(Ordering::Relaxed)
    }

    /// Nothing new is sent; whether all that is owed comes.
    pub(crate) fn settle(&self, within: Duration) -> bool {
        self.shared.pausing.store(true, Ordering::Release);
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            if self.shared.settled.load(Ordering::Acquire) == self.threads.len() as u64 {
                return true;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        false
    }

    /// Nothing new is sent; what is open is cancelled, what is owed waited for.
    pub(crate) fn finish(self, within: Duration) -> Vec<Orders> {
        self.ends.store(within.as_secs(), Ordering::Relaxed);
        self.shared.ending.store(true, Ordering::Release);
        let ended = self.threads.into_iter();
        ended
            .map(|thread| thread.join().expect("a client does not panic"))
            .collect()
    }
}

struct Client {
    index: usize,
    addresses: Vec<SocketAddr>,
    /// Connections tried.
    tried: usize,
    random: Random,
    shared: Arc<Shared>,
    ends: Arc<AtomicU64>,
    /// Every message, by its number less one.
    told: Vec<Vec<u8>>,
    number: u32,
    /// Orders entered and not answered, with their bytes.
    unanswered: BTreeMap<u32, Vec<u8>>,
    /// Orders that were accepted, to be cancelled or replaced.
    accepted: BTreeSet<u32>,
    /// Versions that were asked for.
    replaces: BTreeSet<u32>,
    found: Orders,
}

impl Client {
    fn new(
        index: usize,
        addresses: Vec<SocketAddr>,
        seed: u64,
        shared: Arc<Shared>,
        ends: Arc<AtomicU64>,
    ) -> Self {
        Self {
            index,
            addresses,
            tried: 0,
            random: Random(seed),
            shared,
            ends,
            told: Vec::new(),
            number: 0,
            unanswered: BTreeMap::new(),
            accepted: BTreeSet::new(),
            replaces: BTreeSet::new(),
            found: Orders::default(),
        }
    }

    fn live(mut self) -> Orders {
        while !self.shared.ending.load(Ordering::Acquire) {
            match self.connect() {
                Some(mut link) => {
                    // It ends with the gateway's life, or with all of it.
                    let _ = self.serve(&mut link);
                }
                None => std::thread::sleep(RETRY_EVERY),
            }
        }
        self.end();
        self.found.messages = self.told.len() as u64;
        self.found.lost += self.unanswered.len() as u64;
        if let Some((number, _)) = self.unanswered.first_key_value() {
            println!(
                "VIOLATION client {}: order {number} was never answered",
                self.index
            );
        }
        self.found
    }

    /// Connects and asks for some of what was told before, and all that follows.
    fn connect(&mut self) -> Option<Link> {
        let address = self.addresses[self.tried % self.addresses.len()];
        self.tried += 1;
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(LOOK_EVERY)).ok()?;
        let told = self.told.len() as u64;
        let again = self.random.below(ASKED_AGAIN_MAX.min(told) + 1);
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
        let unanswered: Vec<Vec<u8>> = self.unanswered.values().cloned().collect();
        for message in unanswered {
            link.send(&message)?;
            self.found.sent_again += 1;
        }
        while !self.shared.pausing.load(Ordering::Acquire) {
            for _ in 0..=self.random.below(16) {
                self.send_something(link)?;
            }
            self.read(link)?;
        }
        self.settle(link)
    }

    /// Reads on until all ends, and says when nothing is owed and nothing comes.
    fn settle(&mut self, link: &mut Link) -> Result<(), Gone> {
        let (mut told, mut since) = (self.told.len(), Instant::now());
        let mut settled = false;
        while !self.shared.ending.load(Ordering::Acquire) {
            self.read(link)?;
            if told != self.told.len() {
                (told, since) = (self.told.len(), Instant::now());
            }
            if !settled && self.unanswered.is_empty() && since.elapsed() >= QUIET {
                settled = true;
                self.shared.settled.fetch_add(1, Ordering::AcqRel);
            }
        }
        Ok(())
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
        if choice < 2 && !self.accepted.is_empty() {
            let place = self.random.below(self.accepted.len() as u64) as usize;
            let number = *self.accepted.iter().nth(place).expect("within");
            self.accepted.remove(&number);
            return link.send(&messages::cancel(number));
        }
        if choice == 2 && !self.accepted.is_empty() {
            let original = *self.accepted.last().expect("not empty");
            self.number += 1;
            self.replaces.insert(self.number);
            let message = messages::replace(original, self.number, &mut self.random);
            return link.send(&message);
        }
        if self.unanswered.len() >= UNANSWERED_MAX {
            return Ok(());
        }
        self.number += 1;
        let message = messages::enter(self.index, self.number, &mut self.random);
        // Before it is sent: what left may have been taken, whatever becomes of the connection.
        self.unanswered.insert(self.number, message.clone());
        self.found.entered += 1;
        self.shared.orders.fetch_add(1, Ordering::Relaxed);
        link.send(&message)
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
        self.answer(&messages::read(message), number);
    }

    fn answer(&mut self, said: &Said, message: u64) {
        let number = match said {
            Said::Accepted { number, words } => {
                if *words != messages::words(self.index, *number) {
                    self.found.foreign += 1;
                    self.violation(&format!("message {message} accepts {words}"));
                }
                self.accepted.insert(*number);
                self.shared.accepted.fetch_add(1, Ordering::AcqRel);
                *number
            }
            Said::Rejected { number } => *number,
            Said::Replaced { number } => {
                self.accepted.insert(*number);
                *number
            }
            Said::Other => return,
            Said::Unreadable => {
                self.found.foreign += 1;
                self.violation(&format!("message {message} does not read"));
                return;
            }
        };
        let answered = self.unanswered.remove(&number).is_some();
        self.found.answered += u64::from(answered);
        let known = answered || self.replaces.remove(&number);
        if known {
            return;
        }
        if number > self.number {
            self.found.foreign += 1;
            self.violation(&format!(
                "message {message} is about order {number}, which is not mine"
            ));
        } else {
            self.found.duplicated += 1;
            self.violation(&format!("message {message}: {said:?} answers again"));
        }
    }

    fn violation(&self, what: &str) {
        self.shared.violations.fetch_add(1, Ordering::Relaxed);
        println!("VIOLATION client {}: {what}", self.index);
    }

    /// Cancels what is open, and waits until all is answered and nothing more comes.
    fn end(&mut self) {
        let within = Duration::from_secs(self.ends.load(Ordering::Relaxed));
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
        let unanswered: Vec<Vec<u8>> = self.unanswered.values().cloned().collect();
        for message in unanswered {
            link.send(&message)?;
        }
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
            if !canceled && self.unanswered.is_empty() {
                self.number += 1;
                self.replaces.insert(self.number);
                link.send(&messages::cancel_all(self.number))?;
                canceled = true;
                quiet_since = Instant::now();
            } else if canceled && quiet {
                return Ok(());
            }
        }
        Ok(())
    }
}

//! A client: a script, a session machine, a line that fails, and what it was told.
//!
//! Owned by the world. It keeps to the protocol: after a broken line it asks for the next number, and
//! sends again, in order, what was not answered. Invariant: what it knows it has from bytes alone.

mod line;
mod script;
mod story;

pub(crate) use story::Story;

use crate::plan::{Fault, Faults};
use crate::random::{Concern, Prng, stream};
use crate::violation::{Rule, Violation};
use line::Line;
use portcullis_domain::Timestamp;
use portcullis_transport::MemoryNetwork;
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::{
    ClientConfig, ClientEvent, ClientSession, ClientState, ClientStep, ClientTimer, Password,
    UserName,
};
use script::Script;
use std::collections::BTreeMap;

/// The password of every user.
pub(crate) const PASSWORD: &[u8] = b"right";

/// Orders and replaces that may be unanswered before a client waits.
const UNANSWERED_MAX: usize = 12;

/// Orders of one client at the most.
const ORDERS_MAX: usize = 120;

/// Turns for which a connection that was given up stays open.
const HALF_OPEN_TURNS_MAX: i64 = 80;

/// What is around a client in one turn.
pub(crate) struct Surroundings<'a> {
    pub(crate) network: &'a MemoryNetwork,
    pub(crate) now: Timestamp,
    /// Last reference prices.
    pub(crate) prices: &'a [i64],
    pub(crate) faults: Faults,
}

/// A client.
pub(crate) struct Client {
    index: u32,
    machine: ClientSession,
    line: Option<Line>,
    /// Given up and still open, with the turns left.
    half_open: Vec<(Line, u32)>,
    script: Script,
    prng: Prng,
    /// Numbered messages that were not answered, by number.
    unanswered: BTreeMap<u32, Vec<u8>>,
    /// Turns until it connects again.
    waits: u32,
    pub(crate) story: Story,
    /// Lines lost, by whatever cause.
    pub(crate) lost: u64,
}

impl Client {
    pub(crate) fn new(seed: u64, index: u32, accounts: u32) -> Self {
        Self {
            index,
            machine: ClientSession::new(login(index, 1)),
            line: None,
            half_open: Vec::new(),
            script: Script::new(stream(seed, Concern::Script(index)), index, accounts),
            prng: stream(seed, Concern::Line(index)),
            unanswered: BTreeMap::new(),
            waits: 0,
            story: Story::new(index),
            lost: 0,
        }
    }

    /// One turn of the safety phase.
    pub(crate) fn turn(&mut self, around: &Surroundings<'_>) -> Result<(), Violation> {
        self.age_half_open();
        if self.line.is_none() {
            self.come_back(around);
            return Ok(());
        }
        if self.machine.state() == ClientState::Active && self.prng.one_in(2) {
            self.wish(around);
        } else {
            self.keep_alive(around.now);
        }
        let Some(line) = self.line.as_mut() else {
            return Ok(());
        };
        line.turn(&mut self.prng, around.faults);
        self.listen(around.now)?;
        self.misbehave(around);
        Ok(())
    }

    /// One turn with nothing going wrong and nothing new asked for.
    pub(crate) fn settle(&mut self, around: &Surroundings<'_>) -> Result<(), Violation> {
        self.half_open.clear();
        self.waits = 0;
        if self.line.is_none() {
            self.come_back(around);
        }
        self.keep_alive(around.now);
        if let Some(line) = &mut self.line {
            line.flush();
        }
        self.listen(around.now)
    }

    /// Whether it is logged on, and has nothing more to say or to read.
    pub(crate) fn is_settled(&self) -> bool {
        let quiet = |line: &Line| line.outbox.is_empty() && line.inbox.is_empty();
        self.machine.state() == ClientState::Active
            && self.line.as_ref().is_some_and(quiet)
            && self.story.unanswered().is_none()
    }

    /// Where it stands, in words.
    pub(crate) fn standing(&self) -> String {
        format!(
            "client {}: {:?}, line {}, {} told, {:?} unanswered",
            self.index,
            self.machine.state(),
            self.line.is_some(),
            self.story.told().len(),
            self.story.unanswered()
        )
    }

    /// Asks for something, if it may ask for more.
    fn wish(&mut self, around: &Surroundings<'_>) {
        let story = &self.story;
        self.unanswered
            .retain(|number, _| story.may_be_answered(*number));
        if self.unanswered.len() >= UNANSWERED_MAX || self.story.orders() >= ORDERS_MAX {
            return;
        }
        let wish = self.script.next(&self.story, around.prices);
        if let Some(numbered) = wish.numbered {
            self.story.asked(numbered);
            self.unanswered
                .insert(numbered.number(), wish.bytes.clone());
        }
        self.say(&wish.bytes, around.now);
    }

    fn say(&mut self, message: &[u8], now: Timestamp) {
        let mut packet = [0; 300];
        let len = self.machine.send(message, now, &mut packet);
        let len = len.expect("it is logged on, and a script's messages are short");
        if let Some(line) = &mut self.line {
            line.outbox.extend(&packet[..len]);
        }
    }

    fn keep_alive(&mut self, now: Timestamp) {
        let mut packet = [0; 16];
        let timer = self.machine.on_time(now, &mut packet);
        match timer.expect("a heartbeat is short") {
            ClientTimer::NotDue => {}
            ClientTimer::Heartbeat { len } => {
                if let Some(line) = &mut self.line {
                    line.outbox.extend(&packet[..len]);
                }
            }
            ClientTimer::ServerSilent => self.lose(),
        }
    }

    /// Takes apart what has arrived.
    fn listen(&mut self, now: Timestamp) -> Result<(), Violation> {
        let Some(line) = &mut self.line else {
            return Ok(());
        };
        let bytes = core::mem::take(&mut line.inbox);
        let over = line.is_over();
        let mut at = 0;
        let mut logged_in = false;
        let mut refused = false;
        loop {
            let (event, consumed) = match self.machine.step(&bytes[at..], now) {
                ClientStep::NeedMore { .. } | ClientStep::Closed => break,
                ClientStep::Event { event, consumed } => (event, consumed),
            };
            at += consumed;
            match event {
                ClientEvent::LoggedIn { accepted, asked } => {
                    if accepted.sequence != asked {
                        let why = format!("asked for {asked}, is sent {}", accepted.sequence);
                        return Err(self.violation(Rule::StreamNumber, &why));
                    }
                    logged_in = true;
                }
                ClientEvent::Sequenced { number, message } => {
                    if let Some(answered) = self.story.heard(number, message)? {
                        self.unanswered.remove(&answered);
                    }
                }
                ClientEvent::LoginRejected(reason) => {
                    // A full queue of logins is answered so too, and only so.
                    if char::from(reason.byte()) != 'A' {
                        let why = format!("{reason:?} on {}", self.machine.next_sequence());
                        return Err(self.violation(Rule::LoginRefused, &why));
                    }
                    refused = true;
                }
                ClientEvent::Ignored => {}
                ClientEvent::Unsequenced(_) | ClientEvent::EndOfSession | ClientEvent::Fault(_) => {
                    return Err(self.violation(Rule::StreamForeign, &format!("{event:?}")));
                }
            }
        }
        if logged_in {
            self.say_again(now);
        }
        if over || refused {
            self.lose();
        } else if let Some(line) = &mut self.line {
            line.inbox.splice(..0, bytes[at..].iter().copied());
        }
        Ok(())
    }

    /// Sends all that was not answered once more, in order.
    fn say_again(&mut self, now: Timestamp) {
        let again: Vec<Vec<u8>> = self.unanswered.values().cloned().collect();
        for message in again {
            self.say(&message, now);
        }
    }

    /// Its line is gone.
    fn lose(&mut self) {
        self.line = None;
        self.lost += 1;
        self.machine.disconnected();
        self.waits = self.prng.between(0, 10) as u32;
    }

    fn come_back(&mut self, around: &Surroundings<'_>) {
        if self.waits > 0 {
            self.waits -= 1;
            return;
        }
        if around.faults.has(Fault::Forgetting) && self.prng.one_in(4) {
            let known = self.story.told().len() as i64;
            let from = self.prng.between(1, known + 1) as u64;
            self.machine = ClientSession::new(login(self.index, from));
        }
        let mut line = Line::connect(around.network);
        let mut packet = [0; 64];
        let len = self.machine.connect(around.now, &mut packet);
        let len = len.expect("it is idle, and a login is short");
        line.outbox.extend(&packet[..len]);
        self.line = Some(line);
    }

    /// What a client and its line do wrong.
    fn misbehave(&mut self, around: &Surroundings<'_>) {
        let Some(line) = &mut self.line else {
            return;
        };
        if around.faults.has(Fault::Cuts) && self.prng.one_in(50) {
            line.cut(&mut self.prng);
        } else if around.faults.has(Fault::HalfOpen) && self.prng.one_in(80) {
            let turns = self.prng.between(1, HALF_OPEN_TURNS_MAX) as u32;
            self.half_open
                .extend(self.line.take().map(|line| (line, turns)));
            self.lose();
        }
    }

    fn age_half_open(&mut self) {
        for (_, turns) in &mut self.half_open {
            *turns -= 1;
        }
        self.half_open.retain(|(_, turns)| *turns > 0);
    }

    fn violation(&self, rule: Rule, why: &str) -> Violation {
        Violation::new(rule, format!("client {}: {why}", self.index))
    }
}

impl script::Numbered {
    const fn number(self) -> u32 {
        match self {
            Self::Order { number, .. } | Self::Replace { number, .. } => number,
        }
    }
}

fn login(client: u32, next_sequence: u64) -> ClientConfig {
    let user = UserName::new(&[b'U', b'0' + client as u8]).expect("two letters");
    let password = Password(Alpha::new(PASSWORD).expect("five letters"));
    ClientConfig {
        next_sequence,
        ..ClientConfig::new(user, password)
    }
}

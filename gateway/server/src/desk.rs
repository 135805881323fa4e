//! The control thread's desk: commands in, outcomes and alarms out, prices from the feed.
//!
//! One thread owns it. It talks to the data plane over rings alone. Invariants: each request has a
//! number of its own; what the core said is taken off its ring each round, or deciding would wait;
//! explanations are kept up to a bound, the oldest going first.

mod explanations;
mod feed;
mod freeing;
mod links;
mod restart;
mod valuing;
mod words;

use crate::check::dialect;
use crate::gateway::{Finished, Gateway, Readers, keep_names};
use explanations::Explanations;
pub(crate) use feed::Feed;
use freeing::free_elsewhere;
use links::Links;
use portcullis_control::config::{Config, DialectBounds};
use portcullis_control::ctl::{CtlBackend, KeepLimits, Outcome, Query, Ready};
use portcullis_domain::{
    AccountId, Command, FlipLimits, InstrumentId, Record, Seq, SessionId, TradingState, UserRef,
};
use portcullis_journal::{WordFile, write_words};
use portcullis_pipeline::durability::Passage;
use portcullis_pipeline::item::{ControlItem, Look, View};
use portcullis_risk_core::{ControlOutcome, Done, Readiness};
use portcullis_runtime::{Clock, SystemClock};
use restart::{Due, Restart};
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use valuing::Valuing;

/// How long an answer of the core is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Items taken in one round.
const ITEM_BUDGET: usize = 4_096;

/// The desk.
pub(crate) struct Desk {
    gateway: Gateway,
    config: Arc<Config>,
    request: u32,
    outcomes: Vec<(ControlOutcome, Seq)>,
    /// Outcomes whose records are not durable yet: nobody is told of them.
    held: VecDeque<(ControlOutcome, Seq)>,
    restart: Restart,
    views: Vec<View>,
    explanations: Explanations,
    feed: Option<Feed>,
    valuing: Valuing,
    links: Links,
    /// Whether alarms are printed.
    loud: bool,
}

impl Desk {
    /// A desk for a running gateway.
    pub(crate) fn new(
        mut gateway: Gateway,
        config: Config,
        feed: Option<Feed>,
        loud: bool,
    ) -> Self {
        let kept = config.profile.capacities.explanations_max as usize;
        let valuing = Valuing::new(valued_every(&config), Instant::now());
        let reduce_only = Duration::from_nanos(config.profile.journal.reduce_only.ns());
        let links = Links::new(std::mem::take(&mut gateway.engine_links), &config);
        let restart = match gateway.goes_on {
            Some(begins_behind) => Restart::after_recovery(reduce_only, begins_behind),
            None => Restart::none(),
        };
        Self {
            gateway,
            config: Arc::new(config),
            request: 0,
            outcomes: Vec::new(),
            held: VecDeque::new(),
            restart,
            views: Vec::new(),
            explanations: Explanations::new(kept),
            feed,
            valuing,
            links,
            loud,
        }
    }

    /// Where clients connect.
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// What the gateway's agents tell of themselves while they run.
    pub(crate) fn readers(&mut self) -> &mut Readers {
        &mut self.gateway.readers
    }

    /// Where the price feed connects.
    pub(crate) fn feed_address(&self) -> Option<std::net::SocketAddr> {
        self.feed.as_ref().map(Feed::address)
    }

    /// One round: what the core said, what the feed says. Returns whether anything happened.
    pub(crate) fn round(&mut self) -> bool {
        let taken = self.take_items();
        while let Ok(table) = self.gateway.retired.pop() {
            free_elsewhere(table);
        }
        let fed = self.feed_prices();
        self.value_when_due();
        self.open_when_due();
        self.tell_of_links();
        taken > 0 || fed > 0
    }

    /// Takes what the price feed says. Where the log stands still its socket holds it back: what room there is left
    /// is for cancels and for what people say.
    fn feed_prices(&mut self) -> usize {
        let Some(feed) = self
            .feed
            .as_mut()
            .filter(|_| !self.gateway.signals.log_crowded())
        else {
            return 0;
        };
        let commands = &mut self.gateway.commands;
        feed.poll(&mut |command| push(commands, &command, 0))
    }

    fn tell_of_links(&mut self) {
        for words in self.links.news(Instant::now()) {
            if self.loud {
                eprintln!("{words}");
            }
        }
    }

    /// Asks for the regular valuation of all accounts. Where there is no room it comes a round later.
    fn value_when_due(&mut self) {
        let now = Instant::now();
        if !self.valuing.is_due(now) || self.gateway.signals.log_crowded() {
            return;
        }
        let request = self.next_request();
        if push(&mut self.gateway.commands, &Command::ValueAccounts, request) {
            self.valuing.note_asked(request, now);
        }
    }

    /// Takes the next step of a restart, where it is due.
    fn open_when_due(&mut self) {
        let now = Instant::now();
        match self.restart.due(now) {
            Due::Nothing => {}
            // Where there is no room, it is asked again.
            Due::Ask => drop(self.gateway.looks.push(Look::Readiness)),
        }
    }

    fn tell_restart(&mut self, state: TradingState, now: Instant) {
        // Where there is no room, it is told with the next answer.
        if self.post(&Command::Restart { state }) {
            self.restart.note_told(state, now);
        }
    }

    fn take_readiness(&mut self, readiness: Readiness, seq: Seq) {
        let now = Instant::now();
        let (words, state) = self.restart.answered(readiness, seq, now);
        if let Some(words) = words.filter(|_| self.loud) {
            eprintln!("{words}");
        }
        if let Some(state) = state {
            self.tell_restart(state, now);
        }
    }

    /// A number that no other request of late has.
    fn next_request(&mut self) -> u32 {
        self.request = self.request.wrapping_add(1).max(1);
        self.request
    }

    /// Has a command sequenced without waiting for its outcome. `false` where there is no room.
    pub(crate) fn post(&mut self, command: &Command) -> bool {
        push(&mut self.gateway.commands, command, 0)
    }

    /// An example of a refusal by each primary reason: the code's number and its explanation.
    pub(crate) fn examples(&self) -> Vec<(u8, String)> {
        self.explanations.examples(&self.config)
    }

    /// Stops the gateway and waits for what is left.
    pub(crate) fn finish(mut self) -> (Finished, Explanations, Arc<Config>) {
        self.gateway.stop();
        // The core must not wait for this thread while it drains.
        let deadline = Instant::now() + ANSWER_WITHIN;
        while !self.gateway.is_broken() && Instant::now() < deadline {
            // No more prices: each would be work, and the drain would not end.
            if self.take_items() == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        (self.gateway.finish(), self.explanations, self.config)
    }

    /// Tells of outcomes whose records are durable now.
    fn release_outcomes(&mut self) {
        while let Some((outcome, seq)) = self.held.front() {
            if self.gateway.gate.passage(seq.raw()) == Passage::Shut {
                return;
            }
            self.outcomes.push((*outcome, *seq));
            self.held.pop_front();
        }
    }

    fn take_items(&mut self) -> usize {
        self.release_outcomes();
        for taken in 0..ITEM_BUDGET {
            let Ok(item) = self.gateway.items.pop() else {
                return taken;
            };
            match item {
                ControlItem::Outcome(outcome, seq) => {
                    let asked = outcome.request != 0 && !self.valuing.takes(outcome.request);
                    if asked {
                        self.held.push_back((outcome, seq));
                    }
                }
                ControlItem::Refused(refusal, at) => self.explanations.keep(refusal, at),
                ControlItem::Alarmed(alarm, at) => {
                    if self.loud {
                        eprintln!("{}", words::alarm(&alarm, at, &self.config));
                    }
                }
                ControlItem::StateChanged(scope, state, at) => {
                    if self.loud {
                        eprintln!("{}", words::state_changed(scope, state, at, &self.config));
                    }
                }
                ControlItem::Viewed(View::Readiness(readiness, seq)) => {
                    self.take_readiness(readiness, seq);
                }
                ControlItem::Viewed(view) => self.views.push(view),
            }
        }
        ITEM_BUDGET
    }

    fn wait_for<T>(&mut self, mut found: impl FnMut(&mut Self) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + ANSWER_WITHIN;
        loop {
            self.round();
            if let Some(found) = found(self) {
                return Ok(found);
            }
            if self.gateway.is_broken() {
                return Err("the gateway's threads have ended".to_owned());
            }
            if Instant::now() >= deadline {
                return Err("the core did not answer in time; the command may yet apply".to_owned());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn look(&mut self, look: Look) -> Result<View, String> {
        self.views.clear();
        let asked = self.gateway.looks.push(look);
        asked.map_err(|_| "too many questions are waiting; ask again".to_owned())?;
        self.wait_for(|desk| desk.views.pop())
    }
}

/// How often a config wants all accounts valued.
fn valued_every(config: &Config) -> Option<Duration> {
    let every = config.profile.value_accounts_every;
    every.map(|every| Duration::from_nanos(every.ns()))
}

/// Another question's answer came: two desks ask at once, or one was given up.
fn mixed_up<T>() -> Result<T, String> {
    Err("the core answered another question; ask again".to_owned())
}

impl Desk {
    fn describe_venue(&mut self) -> Result<String, String> {
        let View::Venue(venue) = self.look(Look::Venue)? else {
            return mixed_up();
        };
        let gate = &self.gateway.gate;
        let kept = self.gateway.folder.is_some();
        let journal = kept.then(|| words::journal(gate.policy(), gate.kept()));
        let links = self.links.describe();
        Ok(words::venue(&venue) + &journal.unwrap_or_default() + &links)
    }

    fn describe_account(&mut self, account: AccountId) -> Result<String, String> {
        let View::Account(view) = self.look(Look::Account(account))? else {
            return mixed_up();
        };
        let view = view.ok_or("there is no such account any more")?;
        let mut text = words::account(&view, &self.config);
        let instruments = self.config.limits.instruments.len() as u32;
        for instrument in (0..instruments).map(InstrumentId::new) {
            let seen = self.look(Look::Position(account, instrument))?;
            let View::Position(position) = seen else {
                return mixed_up();
            };
            text.push_str(&words::position(&position, instrument, &self.config));
        }
        Ok(text)
    }

    fn describe_order(&mut self, session: SessionId, user_ref: UserRef) -> Result<String, String> {
        let seen = self.look(Look::Order(session, user_ref))?;
        let View::Order(order) = seen else {
            return mixed_up();
        };
        let order = order.ok_or(
            "no order with this number is known: it was never admitted, or it is longer ago than \
             the gateway remembers",
        )?;
        Ok(words::order(&order, &self.config))
    }
}

fn push(
    commands: &mut portcullis_runtime::RecordProducer,
    command: &Command,
    request: u32,
) -> bool {
    let mut head = command.encode();
    head.timestamp_ns = SystemClock.now().ns();
    head.number = request;
    commands.push(&Record::bare(head))
}

impl CtlBackend for Desk {
    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config)
    }

    fn dialect(&self) -> Option<DialectBounds> {
        Some(dialect())
    }

    fn submit(&mut self, command: Command) -> Result<Outcome, String> {
        // What was given up on is nobody's.
        self.outcomes.clear();
        let request = self.next_request();
        if !push(&mut self.gateway.commands, &command, request) {
            return Err("the gateway takes no more commands now; ask again".to_owned());
        }
        if let Command::Restart { state } = command {
            self.restart.note_told(state, Instant::now());
        }
        let (outcome, seq) = self.wait_for(|desk| {
            let place = desk
                .outcomes
                .iter()
                .position(|(o, _)| o.request == request)?;
            Some(desk.outcomes.swap_remove(place))
        })?;
        Ok(match outcome.result {
            Ok(Done::Applied) => Outcome::Applied {
                seq,
                note: String::new(),
            },
            Ok(Done::Epoch(epoch)) => Outcome::Applied {
                seq,
                note: format!("epoch {epoch}"),
            },
            Ok(Done::StateHash(hash)) => Outcome::Applied {
                seq,
                note: format!("state {hash:016x}"),
            },
            Ok(Done::Valued(valued)) => Outcome::Applied {
                seq,
                note: words::valued(&valued),
            },
            Err(refusal) => Outcome::Refused {
                seq,
                reason: words::control_refusal(refusal).to_owned(),
            },
        })
    }

    fn query(&mut self, query: Query) -> Result<String, String> {
        match query {
            Query::State => self.describe_venue(),
            Query::Promote { .. } => Err("this gateway leads already".to_owned()),
            Query::Account(account) => self.describe_account(account),
            Query::Explain { session, user_ref } => {
                match self.explanations.explain(session, user_ref, &self.config) {
                    Some(text) => Ok(text),
                    None => self.describe_order(session, user_ref),
                }
            }
        }
    }

    fn keep_limits(&self) -> KeepLimits {
        let folder = self.gateway.folder.clone();
        Box::new(move |limits, names| {
            let Some(disk) = folder else { return Ok(()) };
            let unkept = |error| format!("the table's file in the journal's folder: {error}");
            keep_names(&disk, names).map_err(unkept)?;
            let written = write_words(&disk, WordFile::Limits, &limits.to_words());
            written.map(drop).map_err(unkept)
        })
    }

    fn install(&mut self, ready: Ready) -> Result<Outcome, String> {
        let digest = ready.table.digest();
        let begun = Instant::now();
        let staged = self.gateway.tables.push(ready.table);
        staged.map_err(|_| "another table waits to be staged; ask again".to_owned())?;
        let mut outcome = self.submit(Command::FlipLimits(FlipLimits { digest }))?;
        if let Outcome::Applied { note, .. } = &mut outcome {
            note.push_str(&format!(", flipped in {} us", begun.elapsed().as_micros()));
            let passwords = &self.gateway.passwords;
            *passwords.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(ready.credentials);
            if let Some(feed) = &mut self.feed {
                feed.reload(&ready.config);
            }
            self.valuing.set_every(valued_every(&ready.config));
            let before = std::mem::replace(&mut self.config, Arc::new(ready.config));
            free_elsewhere(before);
        }
        Ok(outcome)
    }
}

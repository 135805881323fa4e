//! The people on duty, and the feeds: money, prices, states, limits.
//!
//! Owned by the world. Invariant: what they ask for goes through the control ring as the server's own
//! does; what they were answered is read and counted, nothing more.

use crate::market::Market;
use crate::model::op::Config;
use crate::plan::{Fault, Faults};
use crate::random::{Concern, Prng, stream};
use portcullis_domain::{
    AccountId, CashMove, Command, DisputeDecision, FirmId, FlipLimits, InstrumentId, Money, Price,
    Record, ReferencePrice, Scope, SessionId, Settlement, StateChange, Timestamp, TradingState,
};
use portcullis_journal::{MemoryDisk, WordFile, write_words};
use portcullis_pipeline::item::ControlItem;
use portcullis_pipeline::wiring::ControlRings;
use portcullis_risk_core::RiskCore;
use std::collections::BTreeMap;

/// The numbers of requests: that of a flip is waited for.
const NOBODY: u32 = 0;
const FLIP: u32 = 1;

/// Limits that may take effect, by the digest that names their table.
pub(crate) type Books = BTreeMap<u64, Config>;

/// What the desk has before it.
pub(crate) struct Counter<'a> {
    pub(crate) hands: &'a mut ControlRings,
    pub(crate) core: &'a RiskCore,
    pub(crate) disk: &'a MemoryDisk,
    pub(crate) now: Timestamp,
}

/// The desk.
pub(crate) struct Desk {
    prng: Prng,
    /// Last reference prices asked for, by instrument.
    pub(crate) prices: Vec<i64>,
    /// Scopes whose state is not Active.
    strict: Vec<Scope>,
    /// Limits last sent.
    limits: Config,
    /// One flip at a time: a table that is staged gives way to the next one.
    flipping: bool,
    /// Where the restart ladder stands; open where that is Active.
    restart: TradingState,
    pub(crate) books: Books,
    /// Items read.
    pub(crate) items: u64,
}

impl Desk {
    pub(crate) fn new(seed: u64, market: &Market) -> Self {
        Self {
            prng: stream(seed, Concern::Desk),
            prices: market.starts.clone(),
            strict: Vec::new(),
            limits: market.config.clone(),
            flipping: false,
            restart: TradingState::Active,
            books: Books::new(),
            items: 0,
        }
    }

    /// Money and prices, before anything else.
    pub(crate) fn open(&mut self, market: &Market, hands: &mut ControlRings, now: Timestamp) {
        for account in 0..market.config.accounts.len() as u32 {
            let amount = self.amount(market);
            let account = AccountId::new(account);
            let deposit = Command::Deposit(CashMove { account, amount });
            assert!(ask(hands, &deposit, NOBODY, now), "an empty ring has room");
        }
        for (instrument, price) in self.prices.iter().enumerate() {
            if self.prng.one_in(20) {
                continue;
            }
            let reference = Command::Reference(reference(instrument, *price));
            assert!(
                ask(hands, &reference, NOBODY, now),
                "an empty ring has room"
            );
        }
    }

    /// One turn.
    pub(crate) fn turn(&mut self, market: &Market, at: &mut Counter<'_>, faults: Faults) {
        self.read(at.hands);
        let command = match self.prng.between(1, 60) {
            1..=6 => self.quote(),
            7 => self.deposit(market),
            8..=16 if !self.strict.is_empty() => self.lift(),
            17..=24 if faults.has(Fault::Desk) => match self.intervene(market, at) {
                Some(command) => command,
                None => return,
            },
            25..=34 => {
                self.open_a_step(at);
                return;
            }
            _ => return,
        };
        let request = if matches!(command, Command::FlipLimits(_)) {
            FLIP
        } else {
            NOBODY
        };
        let asked = ask(at.hands, &command, request, at.now);
        self.flipping &= asked || request != FLIP;
    }

    /// Every state is lifted, prices are renewed, and the gateway is opened.
    pub(crate) fn calm(&mut self, market: &Market, at: &mut Counter<'_>) {
        self.read(at.hands);
        while let Some(scope) = self.strict.last().copied() {
            let lifted = state(scope, TradingState::Active, false);
            if !ask(at.hands, &lifted, NOBODY, at.now) {
                return;
            }
            self.strict.pop();
        }
        if self.restart == TradingState::Active {
            return;
        }
        self.open_a_step(at);
        if at.core.readiness().references_stale > 0 {
            for (instrument, price) in self.prices.iter().enumerate() {
                let price = (*price).min(market.config.instruments[instrument].price_max);
                let reference = Command::Reference(reference(instrument, price));
                let _ = ask(at.hands, &reference, NOBODY, at.now);
            }
        }
    }

    /// A gateway was started again: what was asked for and not yet sequenced is gone, and so is what
    /// was not yet told.
    pub(crate) fn restarted(&mut self, market: &Market, core: &RiskCore) {
        self.flipping = false;
        self.restart = TradingState::CancelOnly;
        for account in (0..market.config.accounts.len() as u32).map(AccountId::new) {
            let view = core.account(account);
            if view.is_some_and(|view| view.state != TradingState::Active) {
                self.note_strict(Scope::Account(account));
            }
        }
    }

    /// Whether the gateway is open as far as the desk has anything to do with it.
    pub(crate) fn is_settled(&self) -> bool {
        self.restart == TradingState::Active && self.strict.is_empty()
    }

    /// The next step of the restart ladder, if it is time.
    fn open_a_step(&mut self, at: &mut Counter<'_>) {
        let ready = at.core.readiness();
        let next = match self.restart {
            TradingState::CancelOnly | TradingState::Halted
                if ready.is_reconciled() && ready.has_prices() =>
            {
                TradingState::ReduceOnly
            }
            TradingState::ReduceOnly => TradingState::Active,
            TradingState::CancelOnly | TradingState::Halted | TradingState::Active => return,
        };
        let step = Command::Restart { state: next };
        if ask(at.hands, &step, NOBODY, at.now) {
            self.restart = next;
        }
    }

    fn note_strict(&mut self, scope: Scope) {
        if !self.strict.contains(&scope) {
            self.strict.push(scope);
        }
    }

    /// Reads what it was told.
    pub(crate) fn read(&mut self, hands: &mut ControlRings) {
        while let Ok(item) = hands.items.pop() {
            self.items += 1;
            if let ControlItem::Outcome(outcome, _) = item {
                self.flipping &= outcome.request != FLIP;
            }
            if let ControlItem::StateChanged(scope, state, _) = item
                && state != TradingState::Active
                && scope != Scope::Venue
            {
                self.note_strict(scope);
            }
        }
        while hands.retired.pop().is_ok() {}
    }

    fn quote(&mut self) -> Command {
        let instrument = self.prng.below(self.prices.len());
        let before = self.prices[instrument];
        let reach = (before / self.prng.pick(&[200, 50, 50, 4])).max(1);
        let price = (before + self.prng.between(-reach, reach)).max(1);
        self.prices[instrument] = price;
        Command::Reference(reference(instrument, price))
    }

    fn amount(&mut self, market: &Market) -> Money {
        let instrument = self.prng.below(market.starts.len());
        let per_lot =
            market.starts[instrument] * market.config.instruments[instrument].tick_lot_value;
        Money::new(per_lot * self.prng.pick(&[1, 20, 1_000, 100_000]))
    }

    fn account(&mut self, market: &Market) -> AccountId {
        AccountId::new(self.prng.below(market.config.accounts.len()) as u32)
    }

    fn instrument(&mut self, market: &Market) -> InstrumentId {
        InstrumentId::new(self.prng.below(market.starts.len()) as u32)
    }

    fn deposit(&mut self, market: &Market) -> Command {
        let (account, amount) = (self.account(market), self.amount(market));
        Command::Deposit(CashMove { account, amount })
    }

    fn lift(&mut self) -> Command {
        let place = self.prng.below(self.strict.len());
        let scope = self.strict.swap_remove(place);
        state(scope, TradingState::Active, false)
    }

    fn intervene(&mut self, market: &Market, at: &mut Counter<'_>) -> Option<Command> {
        Some(match self.prng.between(1, 12) {
            1..=2 => self.restrict(market),
            3..=6 => {
                let (account, amount) = (self.account(market), self.amount(market));
                Command::Withdraw(CashMove { account, amount })
            }
            7 => Command::Settle(Settlement {
                instrument: self.instrument(market),
                price: Price::new(self.prices[self.prng.below(self.prices.len())]),
            }),
            8 => Command::DayStart,
            9 => Command::StateHash,
            10 => Command::Dispute {
                account: self.account(market),
                decision: DisputeDecision::Discard,
            },
            _ => return self.flip(market, at),
        })
    }

    fn restrict(&mut self, market: &Market) -> Command {
        let scope = match self.prng.between(1, 9) {
            1 => Scope::Venue,
            2 => Scope::Firm(FirmId::new(
                self.prng.below(market.config.firms as usize) as u32
            )),
            3..=4 => Scope::Instrument(self.instrument(market)),
            5..=6 => Scope::Session(SessionId::new(
                self.prng.below(market.config.sessions as usize) as u32,
            )),
            _ => Scope::Account(self.account(market)),
        };
        let to = self.prng.pick(&[
            TradingState::ReduceOnly,
            TradingState::CancelOnly,
            TradingState::Halted,
        ]);
        let cancel = self.prng.one_in(2);
        self.note_strict(scope);
        state(scope, to, cancel)
    }

    /// Keeps a table with the journal, sends it and names it; `None` where there is no room for it now.
    fn flip(&mut self, market: &Market, at: &mut Counter<'_>) -> Option<Command> {
        if self.flipping {
            return None;
        }
        let limits = market.relimited(&self.limits, &mut self.prng);
        let table = market.table(&limits);
        let digest = table.digest();
        write_words(at.disk, WordFile::Limits, &market.words(&limits)).ok()?;
        at.hands.tables.push(Box::new(table)).ok()?;
        self.books.insert(digest, limits.clone());
        self.limits = limits;
        self.flipping = true;
        Some(Command::FlipLimits(FlipLimits { digest }))
    }
}

fn reference(instrument: usize, price: i64) -> ReferencePrice {
    ReferencePrice {
        instrument: InstrumentId::new(instrument as u32),
        price: Price::new(price),
    }
}

const fn state(scope: Scope, state: TradingState, cancel: bool) -> Command {
    Command::SetState(StateChange {
        scope,
        state,
        cancel,
    })
}

/// Asks for a command under a number; `false` where there is no room.
fn ask(hands: &mut ControlRings, command: &Command, request: u32, now: Timestamp) -> bool {
    let mut head = command.encode();
    head.number = request;
    head.timestamp_ns = now.ns();
    hands.commands.push(&Record::bare(head))
}

//! A risk core in front of a venue, driven by random clients, for the tests of the adapters.
//!
//! One thread. Invariants: what the venue gets came out of the core as approved, and every report
//! goes back into the core as a sequenced record, as in the gateway; a seed names a run for ever.

mod again;
mod limits;

pub(crate) use again::Logged;

use std::collections::VecDeque;

use portcullis_domain::{
    AccountId, CancelRequest, CashMove, Command, HashSeed, InstrumentId, Money, NewOrder, Price,
    Qty, QtyMeaning, Record, ReferencePrice, ReplaceRequest, Scope, SessionId, Side, StateChange,
    TimeInForce, Timestamp, TradingState, Units, UserRef, VenueReport,
};
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{
    Alarm, Approved, Capacities, Effect, EffectSink, OutboundOrder, RiskCore,
};
use portcullis_venue::{MatchingVenue, VenueSink};

pub(crate) const SESSIONS: u32 = 3;
pub(crate) const ACCOUNTS: u32 = 6;
pub(crate) const INSTRUMENTS: u32 = 2;
pub(crate) const REFERENCE_TICKS: i64 = 1_000;
/// Rows of numbers that a random client uses: the first, the last and one between.
const ROWS: [u8; 3] = [0, 3, u8::MAX];
const DEPOSIT_QUANTA: i64 = 1_000_000_000_000;

/// The core, the venue, and what is on its way between them.
pub(crate) struct Rig<V> {
    pub(crate) core: RiskCore,
    pub(crate) venue: V,
    pub(crate) effects: Effects,
    pub(crate) random: Random,
    /// What the venue reported, with the engine's own bytes.
    pub(crate) reports: Vec<(VenueReport, Vec<u8>)>,
    pub(crate) links_up: u32,
    /// All that the core was given, in order.
    pub(crate) log: Vec<Logged>,
    /// How much of the log must be on the disk: what an order that left stands in.
    pub(crate) gated: usize,
    /// Where in the log each of the core's records stands.
    places: Vec<usize>,
    now_ns: u64,
    /// The last number of each row, by session.
    numbers: [[u32; ROWS.len()]; SESSIONS as usize],
    /// Lets a client's message say more than its order; drawn from the run's random numbers.
    raw: fn(&mut Random) -> Vec<u8>,
}

/// What the core said.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) approved: u64,
    pub(crate) refused: u64,
    outbound: VecDeque<Outbound>,
    /// The client's own bytes of the next command.
    pub(crate) raw: Vec<u8>,
}

/// An approved order, the client's message and where in the log it was approved.
struct Outbound {
    order: Approved<OutboundOrder>,
    raw: Vec<u8>,
}

impl EffectSink for Effects {
    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Approved(order) => {
                self.approved += 1;
                let raw = core::mem::take(&mut self.raw);
                self.outbound.push_back(Outbound { order, raw });
            }
            Effect::Refused(_) => self.refused += 1,
            Effect::Alarmed(alarm) => self.alarms.push(alarm),
            Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::Controlled(_)
            | Effect::StateChanged { .. } => {}
        }
    }
}

/// What the venue said in one poll, in its order: records of the next cycle.
#[derive(Default)]
struct Said(Vec<Word>);

enum Word {
    Report(VenueReport, Vec<u8>),
    Link(SessionId, bool),
    Sequence(SessionId, u64),
}

impl VenueSink for Said {
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        self.0.push(Word::Report(report, raw.to_vec()));
    }

    fn on_link(&mut self, session: SessionId, up: bool) {
        self.0.push(Word::Link(session, up));
    }

    fn on_sequence(&mut self, session: SessionId, sequence: u64) {
        self.0.push(Word::Sequence(session, sequence));
    }
}

impl<V: MatchingVenue> Rig<V> {
    /// A core with wide limits, its accounts funded and its references set.
    pub(crate) fn new(venue: V, seed: u64, raw: fn(&mut Random) -> Vec<u8>) -> Self {
        let mut rig = Self::penniless(venue, seed, raw);
        for account in (0..ACCOUNTS).map(AccountId::new) {
            let amount = Money::new(DEPOSIT_QUANTA);
            rig.apply(Command::Deposit(CashMove { account, amount }));
        }
        for instrument in (0..INSTRUMENTS).map(InstrumentId::new) {
            let price = Price::new(REFERENCE_TICKS);
            rig.apply(Command::Reference(ReferencePrice { instrument, price }));
        }
        rig
    }

    /// A core that was given nothing yet.
    fn penniless(venue: V, seed: u64, raw: fn(&mut Random) -> Vec<u8>) -> Self {
        let table = LimitTable::build(&limits::wide()).expect("wide limits load");
        let capacities = Capacities {
            accounts_max: ACCOUNTS,
            instruments_max: INSTRUMENTS,
            ..Capacities::default()
        };
        Self {
            core: RiskCore::new(&capacities, table, HashSeed::FIXED).expect("small"),
            venue,
            effects: Effects::default(),
            random: Random(seed),
            reports: Vec::new(),
            links_up: 0,
            log: Vec::new(),
            gated: 0,
            places: Vec::new(),
            now_ns: 0,
            numbers: [[0; ROWS.len()]; SESSIONS as usize],
            raw,
        }
    }

    /// Random orders, replaces and cancels with random polls between them.
    pub(crate) fn trade(&mut self, commands: usize) {
        for _ in 0..commands {
            let command = self.random_command();
            self.effects.raw = (self.raw)(&mut self.random);
            self.apply(command);
            self.effects.raw.clear();
            if self.random.one_in(3) {
                self.pump();
            }
        }
    }

    /// Stops the venue with cancel, and works until nothing is on its way any more.
    pub(crate) fn wind_down(&mut self) {
        for _ in 0..3 {
            self.drain();
            let (scope, state) = (Scope::Venue, TradingState::CancelOnly);
            self.apply(Command::SetState(StateChange {
                scope,
                state,
                cancel: true,
            }));
        }
        self.drain();
    }

    /// One cycle: orders to the venue while it takes them, its reports to the core.
    pub(crate) fn pump(&mut self) -> usize {
        while let Some(Outbound { order, raw }) = self.effects.outbound.pop_front() {
            let seq = order.seq();
            if let Err(order) = self.venue.submit(order, &raw) {
                self.effects.outbound.push_front(Outbound { order, raw });
                break;
            }
            self.note_sent(seq);
        }
        let budget = 1 + self.random.below(40) as usize;
        let mut said = Said::default();
        let done = self
            .venue
            .poll(Timestamp::from_ns(self.now_ns), budget, &mut said);
        assert!(said.0.len() <= budget, "beyond the budget");
        for word in said.0 {
            match word {
                Word::Report(report, raw) => {
                    self.reports.push((report, raw.clone()));
                    self.record(Logged::Report(report, raw));
                }
                Word::Link(session, up) => {
                    self.links_up += u32::from(up);
                    self.apply(Command::VenueLink { session, up });
                }
                Word::Sequence(session, sequence) => {
                    self.record(Logged::Sequence(session, sequence));
                }
            }
        }
        done
    }

    /// Cycles until nothing comes any more.
    pub(crate) fn pump_all(&mut self) {
        while self.pump() > 0 {}
    }

    /// Lots and money on hold over all accounts: buys, sells, open orders.
    pub(crate) fn holds(&self) -> (i64, i64, u32) {
        let mut holds = (0, 0, 0);
        for account in (0..ACCOUNTS).map(AccountId::new) {
            for instrument in (0..INSTRUMENTS).map(InstrumentId::new) {
                let position = self.core.position(account, instrument);
                assert!(position.open_buy >= 0 && position.open_sell >= 0);
                holds.0 += position.open_buy;
                holds.1 += position.open_sell;
            }
            holds.2 += self.core.account(account).expect("known").open_orders;
        }
        holds
    }

    /// What all accounts are worth, with the fees they paid, less what was deposited.
    pub(crate) fn conservation_error(&self) -> i128 {
        let counters = self.core.counters();
        let accounts = (0..ACCOUNTS).map(AccountId::new);
        let worth = accounts.map(|account| {
            let view = self.core.account(account).expect("known");
            view.worth.expect("every reference is set").equity
        });
        worth.sum::<i128>() + counters.fees - counters.deposits
    }

    pub(crate) fn apply(&mut self, command: Command) {
        let raw = self.effects.raw.clone();
        self.record(Logged::Command(command, raw));
    }

    fn give_core(&mut self, command: Command) {
        self.places.push(self.log.len() - 1);
        self.now_ns += 1_000;
        let mut record = Record::bare(command.encode());
        record.head.seq = self.core.seq().next().raw();
        record.head.timestamp_ns = self.now_ns;
        self.core.apply(&record, &mut self.effects);
    }

    fn drain(&mut self) {
        for _ in 0..100_000 {
            let done = self.pump();
            let waiting = !self.effects.outbound.is_empty() || self.core.work_pending();
            self.apply(Command::Tick);
            if done == 0 && !waiting && self.venue.is_idle() {
                return;
            }
        }
        panic!("the venue never became idle");
    }

    fn random_command(&mut self) -> Command {
        let account = self.random.below(ACCOUNTS.into()) as u32;
        let session = SessionId::new(account % SESSIONS);
        let row = self.random.below(ROWS.len() as u64) as usize;
        let number = self.numbers[session.index()][row];
        // Of an order some way back, dead or alive, in this row of the session.
        let back = self.random.below(10) as u32;
        let earlier = UserRef {
            row: ROWS[row],
            number: number.saturating_sub(back).max(1),
        };
        let price = Price::new(REFERENCE_TICKS - 8 + self.random.below(17) as i64);
        let price = (!self.random.one_in(12)).then_some(price);
        let qty = Qty::new(1 + self.random.below(20) as i64);
        let time_in_force = match self.random.below(10) {
            0..3 => TimeInForce::ImmediateOrCancel,
            3 => TimeInForce::GoodTillCancel,
            4 => TimeInForce::GoodTillTime,
            _ => TimeInForce::Day,
        };
        match self.random.below(10) {
            0..2 => Command::Cancel(CancelRequest {
                session,
                user_ref: earlier,
                units: Units::TicksAndLots,
                qty_total: Qty::new(self.random.below(4) as i64),
            }),
            2..4 => Command::Replace(ReplaceRequest {
                session,
                original: earlier,
                user_ref: self.number(session, row),
                units: Units::TicksAndLots,
                qty,
                qty_meaning: QtyMeaning::Total,
                price,
                time_in_force,
            }),
            _ => Command::NewOrder(NewOrder {
                session,
                user_ref: self.number(session, row),
                account: AccountId::new(account),
                instrument: InstrumentId::new(self.random.below(INSTRUMENTS.into()) as u32),
                side: if self.random.one_in(2) {
                    Side::Buy
                } else {
                    Side::Sell
                },
                qty,
                price,
                time_in_force,
            }),
        }
    }

    fn number(&mut self, session: SessionId, row: usize) -> UserRef {
        let number = &mut self.numbers[session.index()][row];
        *number += 1;
        UserRef {
            row: ROWS[row],
            number: *number,
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

//! What the desk does while the demo's flow runs, so that checks which only a desk can trip trip.
//!
//! The control thread.

use super::prices::Prices;
use crate::desk::Desk;
use portcullis_control::config::ReferenceSource;
use portcullis_control::ctl::{CtlBackend, Outcome};
use portcullis_domain::{
    AccountId, CashMove, Command, InstrumentId, Money, Price, ReferencePrice, Scope, SessionId,
    StateChange, TradingState,
};

/// Quanta in one unit of the demo's money.
const UNIT: i64 = 1_000_000;

/// What accounts of a class begin with, in whole units.
const FUNDS: [(&str, i64); 6] = [
    ("maker", 400_000_000),
    ("trader", 60_000_000),
    ("small", 400_000),
    ("tour", 1_000_000),
    ("filler", 100_000_000),
    ("member", 100_000_000_000),
];

/// An account that gets nothing.
const POOR: &str = "poor";

/// Gives each account its money, and instruments without a feed their first price.
pub(super) fn fund(desk: &mut Desk) -> Result<(), String> {
    let config = desk.config();
    for (index, class) in config.account_classes.iter().enumerate() {
        let class = class.and_then(|class| config.classes.get(class as usize));
        let funds = FUNDS
            .iter()
            .find(|(name, _)| class.is_some_and(|class| class.name == *name));
        let Some((_, units)) = funds else { continue };
        let account = AccountId::new(index as u32);
        if config.names.account_name(account) == Some(POOR) {
            continue;
        }
        let amount = Money::new(units * UNIT);
        apply(desk, Command::Deposit(CashMove { account, amount }))?;
    }
    let prices = Prices::of(&config);
    for index in 0..prices.len() {
        // What has no source but a person gets its price from the script, later.
        if config.instruments[index].reference_from == ReferenceSource::Ctl {
            continue;
        }
        let instrument = InstrumentId::new(index as u32);
        let price = Price::new(prices.begin(index));
        apply(
            desk,
            Command::Reference(ReferencePrice { instrument, price }),
        )?;
    }
    apply(desk, Command::DayStart)
}

fn apply(desk: &mut Desk, command: Command) -> Result<(), String> {
    match desk.submit(command)? {
        Outcome::Applied { .. } => Ok(()),
        Outcome::Refused { reason, .. } => Err(reason),
    }
}

/// The steps, by nanoseconds since the flow began.
pub(super) struct Script {
    steps: Vec<(u64, Step)>,
    prices: Prices,
}

#[derive(Clone, Copy)]
enum Step {
    State(Scope, TradingState),
    Silence(usize, bool),
    Link(SessionId, bool),
    Reference(usize),
}

/// The instrument that has no reference at first.
const LISTED_LATE: usize = 5;

const MS: u64 = 1_000_000;

impl Script {
    /// The script; none where recorded flow is driven.
    pub(super) fn new(generated: bool, prices: Prices) -> Self {
        let account = Scope::Account(AccountId::new(4));
        let instrument = Scope::Instrument(InstrumentId::new(1));
        let session = SessionId::new(3);
        let steps = [
            (500, Step::State(account, TradingState::ReduceOnly)),
            (700, Step::Link(session, false)),
            (1_000, Step::Link(session, true)),
            (1_100, Step::State(account, TradingState::Active)),
            (1_200, Step::State(instrument, TradingState::Halted)),
            (1_500, Step::State(instrument, TradingState::Active)),
            (1_600, Step::Silence(0, true)),
            (4_200, Step::Silence(0, false)),
            (5_000, Step::Reference(LISTED_LATE)),
        ];
        let steps = steps
            .into_iter()
            .rev()
            .map(|(at_ms, step)| (at_ms * MS, step));
        let steps = if generated {
            steps.collect()
        } else {
            Vec::new()
        };
        Self { steps, prices }
    }

    /// Does what is due so long after the flow began.
    pub(super) fn go_on(&mut self, elapsed_ns: u64, desk: &mut Desk) {
        while let Some((_, step)) = self.steps.pop_if(|(at_ns, _)| *at_ns <= elapsed_ns) {
            match step {
                Step::State(scope, state) => {
                    let change = StateChange {
                        scope,
                        state,
                        cancel: false,
                    };
                    post(desk, &Command::SetState(change));
                }
                Step::Link(session, up) => post(desk, &Command::VenueLink { session, up }),
                Step::Reference(index) => {
                    let instrument = InstrumentId::new(index as u32);
                    let price = Price::new(self.prices.begin(index));
                    post(
                        desk,
                        &Command::Reference(ReferencePrice { instrument, price }),
                    );
                }
                Step::Silence(index, silent) => self.prices.silence(index, silent),
            }
        }
    }
}

/// Where the ring is full, the step is lost: the table shows it.
fn post(desk: &mut Desk, command: &Command) {
    let _ = desk.post(command);
}

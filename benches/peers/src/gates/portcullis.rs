//! Our risk core as the gateway drives it: `RiskCore::apply_batch`, lines fetched ahead.
//!
//! One thread. Every check is on, with a limit set in every cell: message, session, states,
//! permissions, three rates, repeats, lots, notional, open orders and open notional of account and
//! firm, price, collar, position, open interest cap and share, margin over all positions of the
//! account at moving references in four tiers, scaled by open interest, losses, account volume and
//! volume spikes. An accepted order is kept, with its reservation, until the venue's report.

mod limits;

use super::Gate;
use crate::stream::{
    INSTRUMENTS, OPENED_NS, Order, PRICE_START, Prices, Side, TRADED, Verdict, is_poor, traded,
};
use portcullis_domain::{
    AccountId, CashMove, Command, HashSeed, InstrumentId, Money, NewOrder, Price, Qty, Record,
    ReferencePrice, RejectCode, ReportKind, SessionId, TimeInForce, UserRef, VenueReport,
};
use portcullis_risk_core::checks;
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{Capacities, Effect, EffectSink, LineSink, RiskCore};

const SESSIONS: u32 = limits::SESSIONS;
const ORDERS_MAX: u32 = 65_536;
const DEPOSIT: i64 = 5_000_000;
const POSITION_LOTS: i64 = 20;

/// Fetches lines ahead, as the gateway's risk agent does.
struct Fetch;

impl LineSink for Fetch {
    #[inline(always)]
    fn line<W: bytemuck::Pod>(&mut self, word: &W) {
        portcullis_runtime::prefetch(word);
    }
}

/// What the core says of orders, in order.
#[derive(Debug, Default)]
struct Verdicts {
    of: Vec<Verdict>,
    too_large: Option<RejectCode>,
    no_funds: Option<RejectCode>,
    alarms: u64,
}

impl EffectSink for Verdicts {
    #[inline]
    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Approved(_) => self.of.push(Verdict::Accepted),
            Effect::Refused(refusal) => self.of.push(match Some(refusal.primary) {
                code if code == self.too_large => Verdict::TooLarge,
                code if code == self.no_funds => Verdict::NoFunds,
                _ => Verdict::Other,
            }),
            Effect::Alarmed(_) => self.alarms += 1,
            Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::Controlled(_)
            | Effect::StateChanged { .. } => {}
        }
    }
}

/// The gate.
pub(crate) struct Portcullis {
    core: RiskCore,
    said: Verdicts,
    /// Verdicts of those prepared, by index.
    verdicts: Vec<Verdict>,
    prepared: Vec<Record>,
    seq: u64,
    now_ns: u64,
    numbers: [u32; SESSIONS as usize],
}

impl Portcullis {
    /// So many accounts, an even number, each with money and positions in two of its instruments.
    ///
    /// # Errors
    /// The limits or capacities do not load, in words.
    pub(crate) fn new(accounts: u32) -> Result<Self, String> {
        let table = LimitTable::build(&limits::limits(accounts))
            .map_err(|why| format!("the limits do not load: {:?}", why.faults))?;
        let capacities = Capacities {
            accounts_max: accounts,
            instruments_max: INSTRUMENTS,
            firms_max: SESSIONS,
            sessions_max: SESSIONS,
            orders_max: ORDERS_MAX,
            orders_reserved_per_account: 0,
            positions_max: accounts * TRADED,
            ..Capacities::default()
        };
        let core =
            RiskCore::new(&capacities, table, HashSeed::FIXED).map_err(|why| why.to_string())?;
        let mut gate = Self {
            core,
            said: Verdicts {
                too_large: code("QTY_MAX"),
                no_funds: code("MARGIN"),
                ..Verdicts::default()
            },
            verdicts: Vec::new(),
            prepared: Vec::new(),
            seq: 0,
            now_ns: 0,
            numbers: [0; SESSIONS as usize],
        };
        for session in (0..SESSIONS).map(SessionId::new) {
            gate.send(Command::VenueLink { session, up: true });
        }
        gate.move_prices(&[PRICE_START; INSTRUMENTS as usize], OPENED_NS);
        (0..accounts)
            .filter(|account| !is_poor(*account))
            .for_each(|account| gate.endow(account));
        Ok(gate)
    }

    /// Deposits, and one order in each traded instrument: two filled, two cancelled.
    fn endow(&mut self, account: u32) {
        self.send(Command::Deposit(CashMove {
            account: AccountId::new(account),
            amount: Money::new(DEPOSIT),
        }));
        for which in 0..TRADED {
            let order = Order {
                number: 0,
                at_ns: self.now_ns,
                account,
                instrument: traded(account, which),
                side: if account % 2 == which % 2 {
                    Side::Buy
                } else {
                    Side::Sell
                },
                qty: POSITION_LOTS,
                price: PRICE_START,
            };
            let order = self.order(&order);
            self.send(Command::NewOrder(order));
            let kind = if which < 2 {
                ReportKind::Fill {
                    qty: Qty::new(POSITION_LOTS),
                    price: Price::new(PRICE_START),
                    match_number: u64::from(account / 2 * TRADED + which) + 1,
                    fee: Money::ZERO,
                }
            } else {
                ReportKind::Canceled
            };
            self.report(order.session, order.user_ref, kind);
        }
        self.said.of.clear();
    }

    fn order(&mut self, order: &Order) -> NewOrder {
        let session = order.account % SESSIONS;
        let number = &mut self.numbers[session as usize];
        *number += 1;
        NewOrder {
            session: SessionId::new(session),
            user_ref: UserRef::new(*number),
            account: AccountId::new(order.account),
            instrument: InstrumentId::new(order.instrument),
            side: match order.side {
                Side::Buy => portcullis_domain::Side::Buy,
                Side::Sell => portcullis_domain::Side::Sell,
            },
            qty: Qty::new(order.qty),
            price: Some(Price::new(order.price)),
            time_in_force: TimeInForce::Day,
        }
    }

    fn report(&mut self, session: SessionId, user_ref: UserRef, kind: ReportKind) {
        self.send(Command::Report(VenueReport {
            session,
            user_ref,
            kind,
            note: 0,
        }));
    }

    fn send(&mut self, command: Command) {
        let record = self.record(command);
        self.core.apply(&record, &mut self.said);
    }

    fn record(&mut self, command: Command) -> Record {
        self.seq += 1;
        let mut record = Record::bare(command.encode());
        record.head.seq = self.seq;
        record.head.timestamp_ns = self.now_ns;
        record
    }
}

/// The reject code of a check.
fn code(name: &str) -> Option<RejectCode> {
    let found = (checks::REGISTRY.iter()).find(|check| check.name == name);
    found.map(|check| RejectCode::new(check.number))
}

impl Gate for Portcullis {
    fn name(&self) -> &'static str {
        "portcullis"
    }

    fn move_prices(&mut self, prices: &Prices, now_ns: u64) {
        self.now_ns = self.now_ns.max(now_ns);
        for (price, index) in prices.iter().zip(0..) {
            self.send(Command::Reference(ReferencePrice {
                instrument: InstrumentId::new(index),
                price: Price::new(*price),
            }));
        }
    }

    fn prepare(&mut self, orders: &[Order]) {
        self.prepared.clear();
        self.verdicts.clear();
        self.said.of.clear();
        for order in orders {
            self.now_ns = self.now_ns.max(order.at_ns);
            let order = self.order(order);
            let record = self.record(Command::NewOrder(order));
            self.prepared.push(record);
        }
    }

    fn decide(&mut self, at: usize) -> Verdict {
        let record = core::slice::from_ref(&self.prepared[at]);
        self.core.apply_batch(record, &mut Fetch, &mut self.said);
        self.said.of.get(at).copied().unwrap_or(Verdict::Other)
    }

    fn decide_all(&mut self, count: usize, verdicts: &mut Vec<Verdict>) {
        let records = &self.prepared[..count];
        self.core.apply_batch(records, &mut Fetch, &mut self.said);
        verdicts.extend_from_slice(&self.said.of);
    }

    fn settle(&mut self, orders: &[Order]) {
        self.verdicts.clone_from(&self.said.of);
        for at in 0..orders.len() {
            if self.verdicts[at] == Verdict::Accepted {
                let head = &self.prepared[at].head;
                let (session, number) = (SessionId::new(head.session), UserRef::new(head.number));
                self.report(session, number, ReportKind::Canceled);
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        let (open, missing) = (self.core.open_orders(), self.core.conservation_error());
        let scaled = (0..INSTRUMENTS)
            .filter_map(|index| self.core.instrument(InstrumentId::new(index)))
            .filter(|instrument| instrument.scale_ppm > 0)
            .count() as u32;
        match (open, missing, self.said.alarms, scaled) {
            (0, 0, 0, INSTRUMENTS) => Ok(()),
            (.., alarms, scaled) => Err(format!(
                "{open} open orders, {missing} quanta missing, {alarms} alarms, margin scaled in \
                 {scaled} of {INSTRUMENTS} instruments"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::*;

    #[test]
    fn it_decides_as_it_must() {
        judge(&mut Portcullis::new(1_024).expect("it loads"), 1_024);
    }
}

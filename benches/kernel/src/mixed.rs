//! A market in which refusals of every check are mixed into the orders that pass, and a tenth of these
//! come within a tenth of a limit.
//!
//! One thread. Invariants: what becomes of each order is planned when it is made, and the plan is held
//! against the core's counters, check by check; each order that is refused fails one check alone; each
//! check has its turn, so that none is the reason of less than a hundredth of the refusals. Three
//! checks fail for everybody at once where they fail: order slots are filled up just before the
//! order that finds none, each position is held all the time, and JOURNAL_DOWN has no turn, because
//! nothing at all passes while it fails.

use crate::limits::{QTY_LARGEST, Shape, limits, usual};
use crate::market::{Market, ORDER_GAP_NS, ORDERS_MAX};
use crate::near::{Draft, KINDS, NearAccounts, endowment};
use portcullis_bench_market::case::{self, ACCOUNTS, Case};
use portcullis_bench_market::near::Near;
use portcullis_bench_market::{Ground, Planned, Random, evaluations};
use portcullis_domain::{Command, Record, ReportKind, SessionId, Side, UserRef};
use portcullis_risk_core::Capacities;
use portcullis_risk_core::checks::REGISTRY;

/// One order in so many is refused.
const REFUSED_ONE_IN: u64 = 50;
/// One order in so many of the others comes within a tenth of a limit.
const NEAR_ONE_IN: u64 = 10;
/// Order slots that may be taken at a time: more than two batches.
const OPEN_MAX: u32 = 256;

/// What becomes of an order.
#[derive(Clone, Copy, Debug)]
enum Plan {
    /// It passes, far from any limit.
    Far,
    /// It passes, near a limit.
    Near(Near),
    /// It is refused: the case with this index.
    Refused(usize),
}

/// An order as reports name it.
type Named = (SessionId, UserRef);

/// The market.
pub struct Mixed {
    /// The core, and what it was sent.
    pub market: Market,
    cases: Vec<Case>,
    near: NearAccounts,
    random: Random,
    /// Whose turn it is to be refused.
    turn: usize,
    /// Orders of the batch that pass, and those that fill the slots up.
    open: Vec<Named>,
    /// Refusals planned.
    planned: Planned,
    /// Orders near a limit, by kind, and all that pass.
    near_orders: [u64; KINDS.len()],
    passing: u64,
}

impl Mixed {
    /// The shape of such a market: every position is held.
    #[must_use]
    pub const fn shape(accounts: u32) -> Shape {
        Shape {
            traded: 2,
            ..Shape::of(accounts)
        }
    }

    /// A market of so many accounts, and those of the cases behind them.
    ///
    /// # Errors
    /// If it does not load, in words.
    pub fn new(accounts: u32) -> Result<Self, String> {
        let shape = Self::shape(accounts);
        let mut spec = limits(&shape);
        let mut near = NearAccounts::add(&mut spec, &shape);
        let mut cases: Vec<Case> = REGISTRY
            .iter()
            .filter(|check| check.name != "JOURNAL_DOWN")
            .map(|check| case::add(check, &mut spec, &usual(&shape)))
            .collect();
        let reserved = (ORDERS_MAX / spec.accounts.len() as u32).max(1);
        let holding = cases.len() as u32 - 1;
        let capacities = Capacities {
            orders_max: spec.accounts.len() as u32 * reserved + OPEN_MAX,
            orders_reserved_per_account: reserved,
            positions_max: shape.accounts * shape.traded + holding * ACCOUNTS,
            ..Capacities::default()
        };
        let given = |account| endowment(account, &shape);
        let mut market = Market::endowed(shape, &spec, capacities, given)?;
        near.set_up(&mut market);
        for case in &mut cases {
            if case.check.name != "POSITIONS_FULL" {
                case.hold(&mut market);
            }
            case.set_up(&mut market);
        }
        let mut this = Self {
            market,
            cases,
            near,
            random: Random::new(20_260_102),
            turn: 0,
            open: Vec::new(),
            planned: Planned::default(),
            near_orders: [0; KINDS.len()],
            passing: 0,
        };
        this.refuse_each_once();
        Ok(this)
    }

    /// Makes the next orders, which the caller must apply in order, and [`Mixed::settle`] then.
    pub fn prepare(&mut self, batch: &mut [Record]) {
        self.market.keep_prices();
        self.near.begin_batch();
        for case in &mut self.cases {
            case.keep_refused(&mut self.market);
        }
        let plans = self.plan(batch.len());
        for (slot, plan) in batch.iter_mut().zip(plans) {
            *slot = match plan {
                Plan::Refused(case) => self.refused(case),
                Plan::Far | Plan::Near(_) => self.passing(plan),
            };
        }
    }

    /// Makes the next orders, all of accounts near this limit; else as [`Mixed::prepare`].
    ///
    /// # Panics
    /// If the kind has no accounts of its own, or not one for each order.
    pub fn prepare_near(&mut self, kind: Near, batch: &mut [Record]) {
        let accounts = kind.has_accounts().then(|| self.near.count(kind));
        assert!(
            accounts.is_some_and(|count| count as usize >= 2 * batch.len()),
            "accounts near the limit are found by chance"
        );
        self.market.keep_prices();
        self.near.begin_batch();
        for slot in batch {
            let came = self.near_orders[kind as usize] + 1;
            while self.near_orders[kind as usize] < came {
                self.market.wait_ns(ORDER_GAP_NS);
                if let Some(draft) = self.near.draft(kind, &self.market, &mut self.random) {
                    self.near_orders[kind as usize] = came;
                    *slot = self.passing_order(draft);
                }
            }
        }
    }

    /// The engine cancels what passed.
    pub fn settle(&mut self) {
        for (session, user_ref) in std::mem::take(&mut self.open) {
            self.market.report(session, user_ref, ReportKind::Canceled);
        }
    }

    /// Holds the final state against the plan: refusals by check, and the market as ever.
    ///
    /// # Errors
    /// The first figure that is not as it must be, in words.
    pub fn check(&self) -> Result<(), String> {
        self.planned.check(self.market.core.counters())?;
        self.market.check()
    }

    /// How often each check that has its turn was the primary reason of a refusal, by name.
    pub fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let primary = &self.market.core.counters().primary;
        let checks = self.cases.iter().map(|case| case.check);
        checks.map(|check| (check.name, primary[usize::from(check.number)]))
    }

    /// How often each of these was evaluated, by name.
    pub fn evaluations(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let checks = self.cases.iter().map(|case| case.check);
        evaluations(checks, self.market.core.counters())
    }

    /// Orders that passed near a limit, by kind, and all that passed.
    #[must_use]
    pub fn near_orders(&self) -> ([(Near, u64); KINDS.len()], u64) {
        let mut near = KINDS.map(|kind| (kind, 0));
        for (entry, count) in near.iter_mut().zip(self.near_orders) {
            entry.1 = count;
        }
        (near, self.passing)
    }
}

impl Mixed {
    /// Every case but that of full order slots is refused once: a breaker trips on the first.
    fn refuse_each_once(&mut self) {
        for at in 0..self.cases.len() {
            if self.cases[at].check.name != "ORDERS_FULL" {
                let record = self.refused(at);
                self.market.apply(&record);
            }
        }
    }

    /// What becomes of each order of a batch. One that is to find no slot comes last, and the slots are
    /// filled up for it.
    fn plan(&mut self, orders: usize) -> Vec<Plan> {
        let until_ns = self.market.now_ns() + (orders as u64 + 1) * ORDER_GAP_NS;
        let mut plans = Vec::with_capacity(orders);
        let mut slotless = None;
        for _ in 0..orders {
            let refused = self.random.below(REFUSED_ONE_IN) == 0 && slotless.is_none();
            let case = refused.then(|| self.next_case(until_ns));
            plans.push(match case {
                Some(case) if self.cases[case].check.name != "ORDERS_FULL" => Plan::Refused(case),
                _ if self.random.below(NEAR_ONE_IN) == 0 => Plan::Near(self.next_near()),
                _ => Plan::Far,
            });
            slotless =
                slotless.or(case.filter(|&case| self.cases[case].check.name == "ORDERS_FULL"));
        }
        if let (Some(case), Some(last)) = (slotless, plans.last_mut()) {
            if let Plan::Refused(other) = *last {
                self.turn = other;
            }
            *last = Plan::Refused(case);
            let passing = plans
                .iter()
                .filter(|plan| !matches!(plan, Plan::Refused(_)));
            self.fill_up(case, passing.count());
        }
        plans
    }

    fn next_case(&mut self, until_ns: u64) -> usize {
        loop {
            let case = self.turn;
            self.turn = (case + 1) % self.cases.len();
            if self.cases[case].is_refused_until(until_ns) {
                return case;
            }
        }
    }

    fn next_near(&mut self) -> Near {
        KINDS[self.random.below(KINDS.len() as u64) as usize]
    }

    /// Takes all order slots but so many.
    fn fill_up(&mut self, case: usize, left: usize) {
        let taken = self.market.core.open_orders() + left;
        for _ in taken..OPEN_MAX as usize {
            let order = self.cases[case].order(&mut self.market);
            self.market.enter(order, None);
            self.open.push((order.session, order.user_ref));
        }
    }

    fn refused(&mut self, case: usize) -> Record {
        let case = &self.cases[case];
        self.planned.add(case.check);
        self.market.next_of_case(case)
    }

    fn passing(&mut self, plan: Plan) -> Record {
        self.market.wait_ns(ORDER_GAP_NS);
        let draft = match plan {
            Plan::Near(kind) => self.near(kind),
            Plan::Far | Plan::Refused(_) => self.far(QTY_LARGEST - 1),
        };
        self.passing_order(draft)
    }

    fn passing_order(&mut self, draft: Draft) -> Record {
        let Draft {
            account,
            instrument,
            side,
            qty,
            price,
        } = draft;
        let order = self.market.order(account, instrument, side, qty, price);
        self.open.push((order.session, order.user_ref));
        self.passing += 1;
        self.market.sent += 1;
        self.market.record(Command::NewOrder(order))
    }

    /// An order near a limit of this kind, or, where no account can come near it, near its lots.
    fn near(&mut self, kind: Near) -> Draft {
        let drawn = match kind.has_accounts() {
            true => self.near.draft(kind, &self.market, &mut self.random),
            false => None,
        };
        let kind = drawn.map_or(Near::Quantity, |_| kind);
        self.near_orders[kind as usize] += 1;
        drawn.unwrap_or_else(|| Draft {
            qty: QTY_LARGEST,
            ..self.far(1)
        })
    }

    /// An order of an account of the load, of so many lots at the most.
    fn far(&mut self, qty_most: i64) -> Draft {
        let accounts = u64::from(self.market.shape.accounts);
        let mut account = self.random.below(accounts) as u32;
        while Near::of(&Near::OF_ACCOUNTS, account).is_some() {
            account = self.random.below(accounts) as u32;
        }
        let which = self.random.below(self.market.shape.traded.into()) as u32;
        let instrument = self.market.traded(account, which);
        Draft {
            account,
            instrument,
            side: [Side::Buy, Side::Sell][self.random.below(2) as usize],
            qty: 1 + self.random.below(qty_most as u64) as i64,
            price: self.market.price(instrument) + self.random.below(11) as i64 - 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::{BATCH, apply_all};
    use portcullis_domain::{Price, Qty};
    use portcullis_risk_core::checks::Descriptor;

    fn run(mixed: &mut Mixed, batches: usize) {
        let mut batch = [Record::bare(Command::Tick.encode()); BATCH];
        for _ in 0..batches {
            mixed.prepare(&mut batch);
            apply_all(&mut mixed.market, &batch);
            mixed.settle();
        }
    }

    #[test]
    fn each_check_refuses_its_share_and_a_tenth_of_the_rest_is_near_a_limit() {
        let mut mixed = Mixed::new(2_400).expect("it loads");
        run(&mut mixed, 3_200);
        assert_eq!(mixed.check(), Ok(()));
        let refused: u64 = mixed.refusals().map(|(_, count)| count).sum();
        let least = mixed.refusals().map(|(_, count)| count).min();
        assert!(refused > 3_500, "{refused}");
        assert!(least >= Some(refused / 100), "{least:?} of {refused}");
        let (near, passing) = mixed.near_orders();
        let all: u64 = near.iter().map(|(_, count)| count).sum();
        assert!((passing * 9 / 100..passing * 11 / 100).contains(&all));
        for (kind, count) in near {
            assert!(count * 100 > passing, "{kind:?}: {count} of {passing}");
        }
        // About half of what passes reduces, which not every check judges.
        assert!((mixed.evaluations()).all(|(_, count)| 2 * count > passing && count < 2 * passing));
    }

    #[test]
    fn an_order_that_is_near_a_limit_fails_it_when_it_is_a_quarter_larger() {
        let mut mixed = Mixed::new(2_400).expect("it loads");
        run(&mut mixed, 40);
        let names = [
            (Near::Notional, "NOTIONAL_MAX"),
            (Near::OpenNotional, "OPEN_NOTIONAL_MAX"),
            (Near::Position, "POSITION_MAX"),
            (Near::Margin, "MARGIN"),
            (Near::Quantity, "QTY_MAX"),
        ];
        for (kind, name) in names {
            mixed.near.begin_batch();
            let draft = mixed.near(kind);
            let larger = Draft {
                qty: draft.qty + (draft.qty + 3) / 4,
                ..draft
            };
            assert_eq!(refusal_of(&mut mixed, larger), Some(name));
        }
    }

    #[test]
    fn an_account_near_its_rate_has_one_order_more() {
        let mut mixed = Mixed::new(2_400).expect("it loads");
        let Mixed {
            near,
            market,
            random,
            ..
        } = &mut mixed;
        let draft = near.draft(Near::Rate, market, random);
        let draft = draft.expect("each may order once at first");
        assert_eq!(refusal_of(&mut mixed, draft), None);
        assert_eq!(refusal_of(&mut mixed, draft), Some("RATE"));
    }

    /// Applies an order; the check that refuses it.
    fn refusal_of(mixed: &mut Mixed, draft: Draft) -> Option<&'static str> {
        let market = &mut mixed.market;
        let before = market.core.counters().primary;
        let order = portcullis_domain::NewOrder {
            qty: Qty::new(draft.qty),
            price: Some(Price::new(draft.price)),
            ..market.order(draft.account, draft.instrument, draft.side, 1, 1)
        };
        market.send(Command::NewOrder(order));
        let after = market.core.counters().primary;
        let refused = |check: &&Descriptor| {
            let code = usize::from(check.number);
            after[code] > before[code]
        };
        REGISTRY.iter().find(refused).map(|check| check.name)
    }

    #[test]
    fn an_order_that_is_refused_against_the_plan_is_noticed() {
        let mut mixed = Mixed::new(2_400).expect("it loads");
        let overloaded = |case: &&Case| case.check.name == "OVERLOADED";
        let case = mixed.cases.iter().find(overloaded);
        mixed.planned.add(case.expect("it has its turn").check);
        let why = mixed
            .check()
            .expect_err("one more is planned than was sent");
        assert_eq!(why, "OVERLOADED: primary reason of 1 refusals, must be 2");
    }
}

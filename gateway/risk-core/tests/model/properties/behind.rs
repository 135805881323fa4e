//! Accounts that a flip or a start of the day left behind are brought up the same way, whoever expects them.
//!
//! Owned by a test. The records of a day in which tables flip again and again: accounts get other rows, firms and
//! clearing members while orders of theirs are open, leave the table and come back; clients send, replace, cancel and
//! send again, the engine reports. One core gets them in batches, one by one the next; others are loaded from saved
//! words at records of chance, or before each: these expect no account behind. Invariant: all say and leave the same.

use super::Scene;
use super::flips::{Said, Unfetched};
use crate::op::Op;
use crate::prng::Prng;
use crate::saved::{reloaded, words_of};
use crate::spec::limit_spec;
use portcullis_domain::{
    AccountId, CancelRequest, CashMove, Command, FirmId, FlipLimits, InstrumentId, LimitCellChange,
    Money, NewOrder, Price, Qty, QtyMeaning, Record, ReplaceRequest, ReportKind, Scope, SessionId,
    Side, TimeInForce, Units, UserRef, VenueReport,
};
use portcullis_risk_core::checks::{REGISTRY, early};
use portcullis_risk_core::limits::account::AccountField;
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Counters, RiskCore};

const SCENES: u64 = 60;
const FIRMS: u32 = 3;
const STRETCHES: usize = 8;

/// How a core is given its records.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// So many at once, at the most.
    Batches(usize),
    /// One by one, loaded anew before one in so many.
    Loaded(i64),
}

const WAYS: [Way; 6] = [
    Way::Batches(64),
    Way::Batches(5),
    Way::Batches(2),
    Way::Batches(1),
    Way::Loaded(7),
    Way::Loaded(1),
];

/// A core, and the limits it is under.
struct Told {
    core: RiskCore,
    spec: LimitSpec,
    said: Said,
    prng: Prng,
}

impl Told {
    /// Gives it the records of a stretch, in which `next` comes into force if a flip is among them.
    fn stretch(&mut self, records: &[Record], next: &LimitSpec, way: Way) {
        let flip = records.iter().position(is_flip);
        let mut rest = records;
        self.stage(next);
        let mut applied = 0;
        while !rest.is_empty() {
            let flipped = flip.is_some_and(|at| applied > at);
            let most = match way {
                Way::Batches(most) => self.prng.between(1, most as i64) as usize,
                Way::Loaded(one_in) => {
                    if self.prng.one_in(one_in) {
                        let spec = if flipped { next } else { &self.spec };
                        self.core = reloaded(&self.core, spec);
                        if !flipped {
                            self.stage(next);
                        }
                    }
                    1
                }
            };
            let (now, then) = rest.split_at(most.min(rest.len()));
            match (now, way) {
                ([record], Way::Loaded(_)) => self.core.apply(record, &mut self.said),
                (now, _) => self.core.apply_batch(now, &mut Unfetched, &mut self.said),
            }
            (rest, applied) = (then, applied + now.len());
        }
        if flip.is_some() {
            self.spec = next.clone();
        }
    }

    fn stage(&mut self, spec: &LimitSpec) {
        let table = LimitTable::build(spec).expect("these limits load");
        drop(self.core.stage(Box::new(table)));
    }
}

fn is_flip(record: &Record) -> bool {
    matches!(Command::decode(&record.head), Ok(Command::FlipLimits(_)))
}

/// The scene's limits, accounts with other rows, firms and members; some are not in the table.
fn moved(scene: &Scene, prng: &mut Prng) -> LimitSpec {
    let mut spec = scene.spec.clone();
    let rows = spec.rows.len();
    for account in &mut spec.accounts {
        if prng.one_in(3) {
            account.row = Some(prng.below(rows) as u32);
        }
        if prng.one_in(3) {
            account.firm = FirmId::new(prng.below(FIRMS as usize) as u32);
        }
        if prng.one_in(9) {
            account.row = None;
        }
    }
    for row in &mut spec.rows {
        if prng.one_in(4) {
            row.cells
                .set(AccountField::LossMax, prng.between(1_000, 1_000_000));
        }
    }
    for firm in 1..FIRMS as usize {
        if prng.one_in(2) {
            spec.firms[firm].clearing_member = Some(FirmId::new(0));
        }
    }
    spec.rows_spare = 8;
    spec
}

/// Who sends records, and what it has sent.
struct Sender<'a> {
    scene: &'a Scene,
    prng: Prng,
    number: u32,
}

impl Sender<'_> {
    fn order(&mut self, core: &RiskCore) -> Record {
        let config = &self.scene.config;
        let prng = &mut self.prng;
        self.number += u32::from(!prng.one_in(9));
        let instrument = InstrumentId::new(prng.below(config.instruments.len()) as u32);
        let view = core.instrument(instrument);
        let price = match view.and_then(|view| view.reference) {
            Some(price) if !prng.one_in(4) => Some(Price::new(price + prng.between(-2, 2))),
            _ => None,
        };
        let order = NewOrder {
            session: SessionId::new(config.session_of(self.number)),
            user_ref: UserRef::new(self.number),
            account: AccountId::new(prng.between(0, config.accounts.len() as i64) as u32),
            instrument,
            side: prng.pick(&[Side::Buy, Side::Sell]),
            qty: Qty::new(prng.between(1, 3)),
            price,
            time_in_force: TimeInForce::Day,
        };
        let mut record = Record::bare(Command::NewOrder(order).encode());
        if prng.one_in(12) {
            record.head.refuse_early(early::LOT_INVALID);
        }
        if prng.one_in(24) {
            record.head.session = u32::MAX - 1;
        }
        record
    }

    /// One of the numbers that were sent.
    fn sent(&mut self) -> u32 {
        self.number - self.prng.between(0, 40) as u32
    }

    fn report(&mut self, core: &RiskCore) -> Command {
        let number = self.sent();
        let price = core
            .instrument(InstrumentId::new(0))
            .and_then(|view| view.reference);
        let kind = match self.prng.between(1, 8) {
            1..=2 => ReportKind::Fill {
                qty: Qty::new(1),
                price: Price::new(price.unwrap_or(1)),
                match_number: u64::from(self.number) << 8 | self.prng.between(0, 255) as u64,
                fee: Money::new(self.prng.between(-1, 3)),
            },
            3..=4 => ReportKind::Canceled,
            5 => ReportKind::Rejected,
            6 => ReportKind::Replaced {
                new: UserRef::new(self.sent()),
            },
            _ => ReportKind::Accepted,
        };
        Command::Report(VenueReport {
            session: SessionId::new(self.scene.config.session_of(number)),
            user_ref: UserRef::new(number),
            kind,
            note: 0,
        })
    }

    fn replace(&mut self) -> Command {
        let original = self.sent();
        self.number += self.scene.config.sessions;
        while !(self.number - original).is_multiple_of(self.scene.config.sessions) {
            self.number += 1;
        }
        Command::Replace(ReplaceRequest {
            session: SessionId::new(self.scene.config.session_of(original)),
            original: UserRef::new(original),
            user_ref: UserRef::new(self.number),
            units: Units::TicksAndLots,
            qty: Qty::new(self.prng.between(1, 4)),
            qty_meaning: QtyMeaning::Open,
            price: Some(Price::new(
                self.scene.order.price.unwrap_or(100).clamp(1, 1 << 30),
            )),
            time_in_force: TimeInForce::Day,
        })
    }

    fn other(&mut self, core: &RiskCore) -> Record {
        let account = AccountId::new(self.prng.below(self.scene.config.accounts.len()) as u32);
        let command = match self.prng.between(1, 24) {
            1..=10 => self.report(core),
            11..=14 => self.replace(),
            15..=17 => {
                let number = self.sent();
                Command::Cancel(CancelRequest {
                    session: SessionId::new(self.scene.config.session_of(number)),
                    user_ref: UserRef::new(number),
                    units: Units::TicksAndLots,
                    qty_total: Qty::ZERO,
                })
            }
            18 => Command::DayStart,
            19..=20 => Command::SetCell(LimitCellChange {
                scope: Scope::Account(account),
                field: AccountField::LossMax as u8,
                value: self.prng.between(1_000, 1_000_000),
            }),
            21 => Command::ValueAccounts,
            22 => Command::Tick,
            _ => Command::Deposit(CashMove {
                account,
                amount: Money::new(self.prng.between(1, 1_000_000)),
            }),
        };
        Record::bare(command.encode())
    }

    /// The records of a stretch that follows what `core` has got, a flip to `next` somewhere among them.
    fn records(&mut self, core: &RiskCore, next: &LimitSpec) -> Vec<Record> {
        let count = self.prng.between(2, 150);
        let flip_at = self.prng.between(1, count / 2 + 1);
        let step_ns = self.prng.pick(&[0, 1_000, 50_000_000]);
        (1..=count)
            .map(|place| {
                let mut record = if place == flip_at {
                    let digest = next.digest();
                    Record::bare(Command::FlipLimits(FlipLimits { digest }).encode())
                } else if self.prng.one_in(3) {
                    self.other(core)
                } else {
                    self.order(core)
                };
                record.head.seq = core.seq().raw() + place as u64;
                record.head.timestamp_ns = core.now().ns() + place as u64 * step_ns;
                record
            })
            .collect()
    }
}

/// A core of each way, all in the scene's state.
fn all_ways(scene: &Scene) -> Vec<Told> {
    let told = |way: u64| Told {
        core: scene.play().core,
        spec: scene.spec.clone(),
        said: Said::default(),
        prng: Prng::new(scene.seed ^ way << 32),
    };
    (0..WAYS.len() as u64).map(told).collect()
}

/// Holds each core against the first.
fn must_agree(all: &[Told], of: &str) {
    let first = &all[0];
    for (told, way) in all.iter().zip(WAYS).skip(1) {
        let what = format!("{of}, {way:?}");
        assert_eq!(told.said.0, first.said.0, "{what}");
        assert_eq!(told.core.digest(), first.core.digest(), "{what}");
        assert_eq!(told.core.state_hash(), first.core.state_hash(), "{what}");
        // Bounds and counters are in the words.
        assert!(words_of(&told.core) == words_of(&first.core), "{what}");
    }
}

/// A scene of three firms, whose accounts have money.
fn funded(seed: u64) -> Scene {
    let mut scene = Scene::random(seed, 120);
    scene.config.firms = FIRMS;
    scene.spec = limit_spec(&scene.config).expect("three firms");
    let (time_ns, accounts) = (scene.time_ns, scene.config.accounts.len() as u32);
    let fund = |account| Op::Deposit {
        account,
        amount: 1 << 40,
    };
    (scene.commands).extend((0..accounts).map(|account| (time_ns, fund(account))));
    scene
}

#[test]
fn accounts_left_behind_are_brought_up_the_same_whoever_expects_them() {
    let unknown = |counters: &Counters| {
        let of = REGISTRY
            .iter()
            .find(|check| check.name == "ACCOUNT_UNKNOWN");
        counters.primary[usize::from(of.expect("a check").number)]
    };
    let mut shown = [0; 4];
    for seed in 0..SCENES {
        let scene = funded(seed);
        let mut all = all_ways(&scene);
        let mut sender = Sender {
            scene: &scene,
            prng: scene.prng.clone(),
            number: 100_000,
        };
        for stretch in 0..STRETCHES {
            let next = moved(&scene, &mut sender.prng);
            let records = sender.records(&all[0].core, &next);
            for (told, way) in all.iter_mut().zip(WAYS) {
                told.stretch(&records, &next, way);
            }
            must_agree(&all, &format!("seed {seed}, stretch {stretch}"));
        }
        let counters = all[0].core.counters();
        let Counters {
            accepted,
            resent,
            valued_exactly,
            ..
        } = *counters;
        let came = [accepted, resent, valued_exactly, unknown(counters)];
        (shown.iter_mut().zip(came)).for_each(|(sum, count)| *sum += count);
    }
    assert!(
        shown.iter().all(|count| *count > 500),
        "accepted, resent, valued, of no account: {shown:?}"
    );
}

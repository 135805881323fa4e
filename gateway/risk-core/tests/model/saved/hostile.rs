//! Words that no core gave: refused, or a core that goes on without harm.
//!
//! Owned by a test. A container's checksum comes before; this is the second fence.

use super::{episode, words_of};
use crate::prng::Prng;
use portcullis_domain::{
    AccountId, CashMove, Command, HashSeed, InstrumentId, Money, NewOrder, Price, Qty, Record,
    ReferencePrice, ReportKind, SessionId, Settlement, Side, TimeInForce, UserRef, VenueReport,
};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, Effect, EffectSink, RiskCore, SavedError};

/// A core at some point of an episode.
struct Saved {
    words: Vec<u64>,
    spec: LimitSpec,
    capacities: Capacities,
}

fn saved(seed: u64) -> Vec<Saved> {
    let mut all = Vec::new();
    let mut count = 0;
    episode(seed, |twins| {
        count += 1;
        if count % 250 == 0 {
            all.push(Saved {
                words: words_of(&twins.whole.core),
                spec: twins.spec.clone(),
                capacities: *twins.whole.core.capacities(),
            });
        }
    });
    all
}

impl Saved {
    fn load(&self, words: &[u64]) -> Result<RiskCore, SavedError> {
        let table = LimitTable::build(&self.spec).expect("the limits load");
        let words = &mut words.iter().copied();
        RiskCore::load(&self.capacities, table, HashSeed::FIXED, words)
    }
}

struct Ignored;

impl EffectSink for Ignored {
    fn on_effect(&mut self, _effect: Effect) {}
}

/// Commands of every kind that reads or changes the books, of any account and order.
fn command(prng: &mut Prng, capacities: &Capacities) -> Command {
    let account = AccountId::new(prng.below(capacities.accounts_max as usize) as u32);
    let instrument = InstrumentId::new(prng.below(capacities.instruments_max as usize) as u32);
    let session = SessionId::new(prng.below(capacities.sessions_max as usize) as u32);
    let price = Price::new(prng.between(1, 5_000));
    let user_ref = UserRef::new(prng.between(1, 1_500) as u32);
    match prng.between(1, 12) {
        1..=4 => Command::NewOrder(NewOrder {
            session,
            user_ref: UserRef::new(1_000_000 + prng.between(0, 1 << 30) as u32),
            account,
            instrument,
            side: prng.pick(&[Side::Buy, Side::Sell]),
            qty: Qty::new(prng.between(1, 5)),
            price: prng.pick(&[Some(price), None]),
            time_in_force: TimeInForce::Day,
        }),
        5..=7 => Command::Report(VenueReport {
            session,
            user_ref,
            kind: prng.pick(&[
                ReportKind::Canceled,
                ReportKind::Reduced { qty: Qty::new(1) },
                ReportKind::BrokenTrade { match_number: 9 },
                ReportKind::Fill {
                    qty: Qty::new(1),
                    price,
                    match_number: 9,
                    fee: Money::new(1),
                },
            ]),
            note: 0,
        }),
        8 => Command::Reference(ReferencePrice { instrument, price }),
        9 => Command::Settle(Settlement { instrument, price }),
        10 => Command::Deposit(CashMove {
            account,
            amount: Money::new(1_000),
        }),
        11 => prng.pick(&[Command::DayStart, Command::DayRoll, Command::ValueAccounts]),
        _ => Command::Tick,
    }
}

/// Looks at all there is, saves, loads, and goes on for a while.
fn audit(core: RiskCore, from: &Saved, prng: &mut Prng) {
    let again = from.load(&words_of(&core)).expect("it was loaded once");
    assert_eq!(again.state_hash(), core.state_hash());
    let mut core = core;
    for account in (0..from.capacities.accounts_max).map(AccountId::new) {
        let _ = core.account(account);
    }
    for _ in 0..60 {
        let mut record = Record::bare(command(prng, &from.capacities).encode());
        record.head.seq = core.seq().next().raw();
        let step = prng.pick(&[0, 1, 1_000_000, 90_000_000_000]);
        record.head.timestamp_ns = core.now().ns().saturating_add(step);
        core.apply(&record, &mut Ignored);
    }
}

/// A word near one that stood there, or at some end.
fn spoilt(prng: &mut Prng, word: u64) -> u64 {
    match prng.between(1, 8) {
        1..=3 => word ^ 1 << prng.between(0, 63),
        4 => word.wrapping_add(1),
        5 => word.wrapping_sub(1),
        6 => prng.pick(&[0, 1, u64::MAX, 1 << 63, u64::MAX >> 1, 0xFFFF_FFFF, 1 << 32]),
        7 => prng.bits(),
        _ => word.wrapping_neg(),
    }
}

#[test]
fn a_spoilt_word_is_refused_or_does_no_harm() {
    let (mut refused, mut loaded) = (0, 0);
    let first = crate::number("PORTCULLIS_MODEL_SEED", 1);
    let seeds = crate::number("PORTCULLIS_MODEL_COMMANDS", 100_000) / 33_000;
    for seed in first..first + seeds.max(1) {
        for from in saved(seed) {
            let mut prng = Prng::new(seed);
            for _ in 0..400 {
                let mut words = from.words.clone();
                for _ in 0..prng.pick(&[1, 1, 1, 2, 5]) {
                    let place = prng.below(words.len());
                    words[place] = spoilt(&mut prng, words[place]);
                }
                match from.load(&words) {
                    Ok(core) => {
                        loaded += 1;
                        audit(core, &from, &mut prng);
                    }
                    Err(why) => {
                        refused += 1;
                        assert!(!why.to_string().is_empty());
                    }
                }
            }
        }
    }
    println!("{refused} refused, {loaded} loaded");
    assert!(
        refused > 500 && loaded > 500,
        "{refused} refused, {loaded} loaded"
    );
}

#[test]
fn words_cut_short_or_followed_by_more_are_refused() {
    let from = saved(2).pop().expect("an episode is longer");
    let whole = from.load(&from.words).map(|core| core.state_hash());
    assert!(whole.is_ok());
    for len in (0..from.words.len())
        .step_by(7)
        .chain([from.words.len() - 1])
    {
        let why = from
            .load(&from.words[..len])
            .map(|_| ())
            .expect_err("cut short");
        assert!(matches!(why, SavedError::Length(_)), "{len}: {why}");
    }
    let mut more = from.words.clone();
    more.push(0);
    let why = from.load(&more).map(|_| ()).expect_err("followed by more");
    assert_eq!(why, SavedError::Length("disputes"));
}

/// Random words behind a good beginning.
#[test]
fn noise_is_refused() {
    let mut prng = Prng::new(5);
    for from in saved(3) {
        for _ in 0..50 {
            let keep = prng.below(from.words.len() - 100);
            let mut words = from.words[..keep].to_vec();
            words.extend((0..2_000).map(|_| prng.bits()));
            assert!(from.load(&words).is_err());
        }
    }
}

#[test]
fn other_capacities_another_table_and_another_format_are_named() {
    let from = saved(1).pop().expect("an episode is longer");
    let other = Saved {
        words: Vec::new(),
        spec: from.spec.clone(),
        capacities: Capacities {
            disputes_max: from.capacities.disputes_max + 1,
            ..from.capacities
        },
    };
    let why = other.load(&from.words).map(|_| ()).expect_err("more room");
    assert_eq!(why, SavedError::CapacityDiffers("disputes_max"));
    let mut spec = from.spec.clone();
    spec.rows_spare += 1;
    let (saved, given) = (from.spec.digest(), spec.digest());
    let other = Saved {
        words: Vec::new(),
        spec,
        capacities: from.capacities,
    };
    let why = other
        .load(&from.words)
        .map(|_| ())
        .expect_err("another table");
    assert_eq!(why, SavedError::TableDiffers { saved, given });
    let mut words = from.words.clone();
    words[0] = 99;
    let why = from.load(&words).map(|_| ()).expect_err("another format");
    assert_eq!(why, SavedError::Format(99));
}

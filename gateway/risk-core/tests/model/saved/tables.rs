//! A table that single cells changed is the same again from what it was built from and the changes.
//!
//! Owned by a test.

use super::config;
use crate::driver::CoreMachine;
use crate::prng::Prng;
use crate::spec::limit_spec;
use portcullis_domain::{AccountId, Command, HashSeed, LimitCellChange, Scope};
use portcullis_risk_core::limits::account::ACCOUNT_FIELDS;
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, Effect, SavedError};

fn change(prng: &mut Prng, accounts: usize) -> Command {
    let field = prng.below(ACCOUNT_FIELDS.len() + 1);
    let range = ACCOUNT_FIELDS.get(field).map_or((0, 9), |f| (f.min, f.max));
    Command::SetCell(LimitCellChange {
        scope: Scope::Account(AccountId::new(prng.below(accounts + 1) as u32)),
        field: field as u8,
        value: prng.between(range.0 - 1, range.1.min(range.0 + 1_000)),
    })
}

fn machine(prng: &mut Prng) -> (CoreMachine, LimitSpec, usize) {
    let rows_spare = prng.between(0, 5) as u32;
    machine_with(prng, rows_spare)
}

fn machine_with(prng: &mut Prng, rows_spare: u32) -> (CoreMachine, LimitSpec, usize) {
    let (config, _) = config::random(prng);
    let mut spec = limit_spec(&config).expect("tiers ascend");
    spec.rows_spare = rows_spare;
    // A class: rows that several accounts share.
    let shared = prng.pick(&[true, false]);
    for account in spec.accounts.iter_mut().filter(|_| shared) {
        account.row = Some(0);
    }
    let capacities = Capacities::default();
    let machine =
        CoreMachine::with(&config, &spec, &capacities, HashSeed::FIXED).expect("the limits load");
    (machine, spec, config.accounts.len())
}

fn changes_of(table: &LimitTable) -> Vec<u64> {
    let mut words = Vec::new();
    table.save_changes(&mut |word| words.push(word));
    words
}

fn outcome(effects: &[Effect]) -> String {
    format!("{effects:?}")
}

#[test]
fn a_changed_table_is_rebuilt_with_its_digest_and_takes_the_same_changes() {
    let (mut changed, mut refused) = (0, 0);
    for seed in 0..200 {
        let mut prng = Prng::new(seed);
        let (mut second, ..) = machine(&mut prng.clone());
        let (mut first, spec, accounts) = machine(&mut prng);
        for _ in 0..prng.between(0, 30) {
            let command = change(&mut prng, accounts);
            first.send(command);
            second.send(command);
        }
        let table = first.core.limits();
        let words = changes_of(table);
        let built = LimitTable::build(&spec).expect("the limits load");
        assert_eq!(built.digest(), table.built_digest());
        let mut rest = words.iter().copied();
        let again = built.with_changes(&mut rest).expect("its own changes");
        assert_eq!(rest.next(), None);
        assert_eq!(again.digest(), table.digest());
        assert_eq!(changes_of(&again), words);
        changed += usize::from(again.digest() != again.built_digest());
        // The rest of the commands come out the same in a core that goes on with it.
        second.core = super::reloaded(&second.core, &spec);
        for _ in 0..20 {
            let command = change(&mut prng, accounts);
            let came = outcome(first.send(command));
            refused += usize::from(came.contains("CellInvalid"));
            assert_eq!(outcome(second.send(command)), came, "seed {seed}");
            let digests = [&first, &second].map(|machine| machine.core.limits().digest());
            assert_eq!(digests[0], digests[1], "seed {seed}");
        }
    }
    assert!(
        changed > 50 && refused > 50,
        "{changed} changed, {refused} refused"
    );
}

/// Whatever a change leaves unlooked at, since it cannot break it, building the whole table would not have found
/// broken either.
#[test]
fn a_cell_changes_exactly_where_the_whole_table_would_load_with_it() {
    let (mut changed, mut refused) = (0, 0);
    for seed in 0..60 {
        let mut prng = Prng::new(seed);
        let (mut machine, mut spec, accounts) = machine_with(&mut prng, 40);
        for _ in 0..30 {
            let field = prng.below(ACCOUNT_FIELDS.len());
            let (min, max) = (ACCOUNT_FIELDS[field].min, ACCOUNT_FIELDS[field].max);
            let value = prng.pick(&[min, min + 1, 5_000, max / 1_000_000, max / 1_000, max]);
            let account = prng.below(accounts);
            let Some(row) = spec.accounts[account].row else {
                continue;
            };
            let mut own = spec.rows[row as usize].clone();
            assert!(own.cells.set_by_number(field, value));
            let mut with = spec.clone();
            with.accounts[account].row = Some(with.rows.len() as u32);
            with.rows.push(own);
            let loads = LimitTable::build(&with).is_ok();
            let effects = machine.send(Command::SetCell(LimitCellChange {
                scope: Scope::Account(AccountId::new(account as u32)),
                field: field as u8,
                value,
            }));
            let applied = !outcome(effects).contains("CellInvalid");
            assert_eq!(applied, loads, "seed {seed}: field {field} to {value}");
            if applied {
                (spec, changed) = (with, changed + 1);
            } else {
                refused += 1;
            }
        }
    }
    assert!(
        changed > 100 && refused > 100,
        "{changed} changed, {refused} refused"
    );
}

#[test]
fn changes_that_no_command_could_make_are_refused() {
    let mut refused = 0;
    for seed in 0..100 {
        let mut prng = Prng::new(seed);
        let (mut machine, spec, accounts) = machine(&mut prng);
        for _ in 0..30 {
            machine.send(change(&mut prng, accounts));
        }
        let words = changes_of(machine.core.limits());
        for _ in 0..50 {
            let mut words = words.clone();
            let place = prng.below(words.len());
            words[place] ^= 1 << prng.between(0, 63);
            let built = LimitTable::build(&spec).expect("the limits load");
            match built.with_changes(&mut words.iter().copied()) {
                Ok(table) => assert_eq!(changes_of(&table), words[..changes_of(&table).len()]),
                Err(SavedError::Wrong { part, .. }) => {
                    refused += 1;
                    assert_eq!(part, "limits");
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 500, "{refused} refused");
}

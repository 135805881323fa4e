//! `peers`: the same orders through our risk core, a yardstick of flat arrays, and open-source peers.
//!
//! One thread. The same stream of orders, round by round, each gate in turn; an order's verdict is
//! held against what it must be. Must never print figures of a gate that decided wrongly.

mod gates;
mod measure;
mod rows;
mod stream;

use gates::{Gate, Melin, Nautilus, OpenPit, Portcullis, Rest, Yardstick};
use portcullis_bench_harness::{Options, Report, exit_code, folder};
use std::process::ExitCode;

/// As in the product, and for all alike: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

/// Accounts of every gate.
const ACCOUNTS: u32 = 1_000_000;
/// The same, for a quick run.
const ACCOUNTS_QUICK: u32 = 100_000;

/// What is offered, in words, for whoever reads the figures.
const LOAD: &str = "limit orders of accounts chosen uniformly, each with two positions, four of 64 instruments; one in 32 has too many \
                    lots, the accounts of one pair in 32 have no money; half in batches of 64, half alone";

fn main() -> ExitCode {
    exit_code(rows::BENCH, run())
}

/// Whether every bar holds.
fn run() -> Result<bool, String> {
    let options = Options::read(rows::BENCH, std::env::args().skip(1))?;
    let mut report = Report::new(rows::BENCH);
    let accounts = match options.quick {
        true => ACCOUNTS_QUICK,
        false => ACCOUNTS,
    };
    let mut gates = gates(accounts)?;
    eprintln!("peers: measuring, {} rounds", options.rounds);
    let figures = measure::measure(&mut gates, accounts, options.rounds)?;
    for row in figures.rows() {
        report.push(row);
    }
    let folder = folder()?;
    let written = (figures.histograms.write(&folder))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    report.fact("load", LOAD);
    report.fact("accounts", accounts);
    report.fact("orders_per_gate", figures.orders);
    report.fact("accepted", figures.accepted);
    report.fact("refused", figures.orders - figures.accepted);
    report.fact("clock_ns", figures.clock_ns);
    report.fact("histograms", written.len());
    report.print(options.json);
    // Freeing what millions of accounts hold takes longer than measuring did.
    std::mem::forget(gates);
    Ok(!report.misses_any())
}

/// All of them, with their accounts. Said as it goes: it takes a while.
fn gates(accounts: u32) -> Result<Vec<Box<dyn Gate>>, String> {
    let mut gates: Vec<Box<dyn Gate>> = Vec::new();
    let made = |gate: Box<dyn Gate>, gates: &mut Vec<Box<dyn Gate>>| {
        eprintln!("peers: {} with {accounts} accounts", gate.name());
        gates.push(gate);
    };
    made(Box::new(Portcullis::new(accounts)?), &mut gates);
    made(Box::new(Yardstick::new(accounts)), &mut gates);
    made(Box::new(Melin::new(accounts, Rest::No)), &mut gates);
    made(Box::new(Melin::new(accounts, Rest::Yes)), &mut gates);
    made(Box::new(OpenPit::new(accounts)?), &mut gates);
    made(Box::new(Nautilus::new(accounts)?), &mut gates);
    Ok(gates)
}

//! `kernel`: what accepting an order costs in the risk core alone.
//!
//! One thread, no sockets, no log. Prints a row a cell, and with `--json` one line of JSON last.
//! Must never print figures of a run whose final state is not what was sent.

mod floor;
mod limits;
mod load;
mod market;
mod measure;

use load::Choice;
use measure::{BATCH, Cell, Figures, measure};
use std::process::ExitCode;

const USAGE: &str = "usage: kernel [--orders N] [--accounts N] [--json]
  --orders N    orders timed in batches, and as many alone, a cell; default 1000000
  --accounts N  this many accounts, an even number, instead of 10000 and 1000000
  --json        one line of JSON last";

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

struct Options {
    orders: u64,
    accounts: Vec<u32>,
    json: bool,
}

fn main() -> ExitCode {
    let outcome = options(std::env::args().skip(1)).and_then(|options| run(&options));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("kernel: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    println!(
        "{:>9} {:>7} | {:>10} {:>9} | {:>10} {:>9} {:>5} | {:>6} {:>6} {:>7} {:>6} | {:>10} {:>10} {:>9}",
        "accounts",
        "choice",
        "batch mean",
        "batch p50",
        "floor mean",
        "floor p50",
        "lines",
        "p50",
        "p99",
        "p99.9",
        "clock",
        "exactly",
        "by bound",
        "reducing"
    );
    let mut rows = Vec::new();
    for &accounts in &options.accounts {
        for choice in [Choice::Uniform, Choice::Zipf] {
            let figures = measure(Cell {
                accounts,
                choice,
                orders: options.orders,
            })?;
            print(&figures);
            rows.push(json(&figures));
        }
    }
    println!("nanoseconds an order; final state as sent in every cell: all accepted, none open");
    if options.json {
        println!(
            "{{\"bench\":\"kernel\",\"batch\":{BATCH},\"cells\":[{}]}}",
            rows.join(",")
        );
    }
    Ok(())
}

fn print(figures: &Figures) {
    println!(
        "{:>9} {:>7} | {:>10} {:>9} | {:>10} {:>9} {:>5} | {:>6} {:>6} {:>7} {:>6} | {:>10} {:>10} {:>9}",
        figures.cell.accounts,
        figures.cell.choice.name(),
        figures.batch_mean_ns,
        figures.batch_p50_ns,
        figures.floor_mean_ns,
        figures.floor_p50_ns,
        figures.floor_lines,
        figures.single.p50,
        figures.single.p99,
        figures.single.p999,
        figures.clock_p50_ns,
        figures.valued_exactly,
        figures.proved_by_bound,
        figures.reducing,
    );
}

fn json(figures: &Figures) -> String {
    format!(
        "{{\"accounts\":{},\"choice\":\"{}\",\"orders\":{},\"batch_mean_ns\":{},\
         \"batch_p50_ns\":{},\"single_p50_ns\":{},\"single_p99_ns\":{},\"single_p999_ns\":{},\
         \"clock_p50_ns\":{},\"valued_exactly\":{},\"proved_by_bound\":{},\"reducing\":{},\"accepted\":{},\
         \"digest\":\"{:016x}\"}}",
        figures.cell.accounts,
        figures.cell.choice.name(),
        figures.cell.orders,
        figures.batch_mean_ns,
        figures.batch_p50_ns,
        figures.single.p50,
        figures.single.p99,
        figures.single.p999,
        figures.clock_p50_ns,
        figures.valued_exactly,
        figures.proved_by_bound,
        figures.reducing,
        figures.accepted,
        figures.digest,
    )
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        orders: 1_000_000,
        accounts: vec![10_000, 1_000_000],
        json: false,
    };
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let value = arguments.next().and_then(|text| text.parse::<u32>().ok());
            value.ok_or_else(|| format!("{argument} takes a whole number\n{USAGE}"))
        };
        match argument.as_str() {
            "--orders" => options.orders = number()?.max(4 * BATCH as u32).into(),
            "--accounts" => options.accounts = vec![even(number()?)?],
            "--json" => options.json = true,
            _ => return Err(format!("`{argument}` is not known\n{USAGE}")),
        }
    }
    Ok(options)
}

fn even(accounts: u32) -> Result<u32, String> {
    let fits = accounts.is_multiple_of(2) && (2..=10_000_000).contains(&accounts);
    fits.then_some(accounts)
        .ok_or_else(|| format!("--accounts {accounts}: an even number, 2 to 10000000"))
}

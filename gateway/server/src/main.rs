//! The binary `portcullis`: parse, allocate, pin, wire, run.

mod check;
mod ctl;
mod demo;
mod desk;
mod explain;
mod gateway;
mod hash_seed;
mod journal;
mod prelude;
mod replay;
mod replication;
mod run;
mod side_thread;
mod standby;
mod summary;

use clap::{Parser, Subcommand};
use portcullis_control::credentials::{HashCost, hash_password};
use std::path::PathBuf;
use std::process::ExitCode;

/// A pre-trade risk gateway: decides on every order in front of a matching engine.
///
/// Exit codes: 0 done, 1 the answer is no (a config with mistakes, a demo whose figures are off, a
/// refused command), 2 it could not be tried.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the gateway of a config until it is stopped (SIGINT or SIGTERM drain it).
    Run {
        /// The config, a TOML file.
        config: PathBuf,
        /// Keep the journal in this folder, whatever the config says.
        #[arg(long, value_name = "FOLDER")]
        journal: Option<PathBuf>,
        #[command(flatten)]
        loss: Loss,
    },
    /// Follow the gateway that the config names as leader, and lead when told so (`ctl promote`, or SIGUSR1).
    Standby {
        /// The config, a TOML file.
        config: PathBuf,
        /// Keep the journal in this folder, whatever the config says.
        #[arg(long, value_name = "FOLDER")]
        journal: Option<PathBuf>,
        #[command(flatten)]
        loss: Loss,
    },
    /// Say whether a config loads, and all that is wrong with it.
    Check {
        /// The config, a TOML file.
        config: PathBuf,
    },
    /// Apply a log's records anew: print effects and digest.
    Replay(replay::Arguments),
    /// Look at a journal, check it, replay it, compare two, write it as CSV.
    #[command(subcommand)]
    Journal(journal::Verb),
    /// Say from a journal, months later, why an order was accepted or refused.
    Explain(explain::Arguments),
    /// See it work: a gateway, a matching engine, clients and ten seconds of flow, on loopback.
    Demo(demo::Arguments),
    /// Ask or tell a running gateway, through its control socket. `ctl help` lists what.
    Ctl {
        /// The gateway's control socket.
        #[arg(long, default_value = "portcullis.sock")]
        socket: PathBuf,
        /// The request, for instance: account NAME, kill venue --cancel, reload CONFIG.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        request: Vec<String>,
    },
    /// Print the hash of a password read from standard input, for a session in a config.
    HashPassword,
}

/// What a person gives up.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Loss {
    /// Where the journal was refused because whole frames that were never synced stand behind a bad one, as a power
    /// failure leaves them: give them up. Segments among them are kept, as *.lost.
    #[arg(long)]
    accept_unsynced_loss: bool,
}

/// Large tables are read at random: huge pages spare each reading a walk of the page tables.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

fn main() -> ExitCode {
    match Cli::parse().verb {
        Verb::Run {
            config,
            journal,
            loss,
        } => run::run(&config, journal.as_deref(), loss.accept_unsynced_loss),
        Verb::Standby {
            config,
            journal,
            loss,
        } => standby::standby(&config, journal.as_deref(), loss.accept_unsynced_loss),
        Verb::Check { config } => check::check(&config),
        Verb::Replay(arguments) => replay::replay(&arguments),
        Verb::Journal(verb) => journal::run(&verb),
        Verb::Explain(arguments) => explain::explain(&arguments),
        Verb::Demo(arguments) => demo::demo(&arguments),
        Verb::Ctl { socket, request } => ctl::ask(&socket, &request.join(" ")),
        Verb::HashPassword => hash(),
    }
}

/// The answer is no.
const REFUSED: u8 = 1;

/// It could not be tried.
const CANNOT: u8 = 2;

fn cannot(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("portcullis: {why}");
    ExitCode::from(CANNOT)
}

fn hash() -> ExitCode {
    let mut password = String::new();
    if let Err(error) = std::io::stdin().read_line(&mut password) {
        return cannot(error);
    }
    match hash_password(password.trim_end_matches(['\r', '\n']), HashCost::default()) {
        Ok(hash) => {
            println!("{hash}");
            ExitCode::SUCCESS
        }
        Err(error) => cannot(error),
    }
}

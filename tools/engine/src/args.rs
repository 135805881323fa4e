//! The command line of `ouch-engine`, and the file of users.
//!
//! On the main thread. Invariant: an option that is not known, or stands without its value, is refused
//! with what to write instead. It must never take a password on the command line.

use portcullis_engine::{EngineConfig, EngineUser, TradedInstrument};
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::Password;
use std::path::Path;

/// What the program prints for `--help`.
pub(crate) const USAGE: &str = "\
ouch-engine --users FILE --instrument SYMBOL:TICK[:LOT] [option...]

  --users FILE       one session a line: USER PASSWORD ...; what follows is not read; # starts a comment
  --instrument ...   TICK in units of 0.0001, LOT in shares (1); repeat for more
  --listen ADDRESS   where it listens (127.0.0.1:0, a free port)
  --orders N         orders that can rest at a time (262144)

It prints one line of JSON with its address, and then answers lines on its standard input:
  figures            one line of JSON: orders entered, repeated, open; executions; numbers of each session
  break              breaks every connection
  stop               ends it, as does the end of the input";

/// Reads a command line.
pub(crate) fn parse(arguments: &[String]) -> Result<EngineConfig, String> {
    let mut config = EngineConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        users: Vec::new(),
        instruments: Vec::new(),
        orders_max: 262_144,
    };
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        let value = rest.next();
        let value =
            value.ok_or_else(|| format!("{option} stands without its value; try --help"))?;
        let not = |what: &str| format!("{option} {value}: write {what}");
        match option.as_str() {
            "--users" => config.users = users(Path::new(value))?,
            "--instrument" => config.instruments.push(instrument(value)?),
            "--listen" => {
                let address = value.parse();
                config.listen = address.map_err(|_| not("an address as 127.0.0.1:7001"))?;
            }
            "--orders" => {
                config.orders_max = value.parse().map_err(|_| not("a whole number"))?;
            }
            _ => return Err(format!("{option} is not an option; try --help")),
        }
    }
    if config.users.is_empty() {
        return Err("--users FILE is missing, or names nobody".to_owned());
    }
    if config.instruments.is_empty() {
        return Err("--instrument SYMBOL:TICK[:LOT] is missing".to_owned());
    }
    Ok(config)
}

fn instrument(value: &str) -> Result<TradedInstrument, String> {
    let wrong = || format!("--instrument {value}: write SYMBOL:TICK or SYMBOL:TICK:LOT");
    let mut parts = value.split(':');
    let symbol = parts.next().ok_or_else(wrong)?;
    let tick = parts.next().and_then(|tick| tick.parse().ok());
    let lot = parts.next().map_or(Some(1), |lot| lot.parse().ok());
    match (tick, lot, parts.next()) {
        (Some(tick), Some(lot), None) => {
            TradedInstrument::new(symbol, tick, lot).map_err(|error| error.to_string())
        }
        _ => Err(wrong()),
    }
}

fn users(path: &Path) -> Result<Vec<EngineUser>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{}: {error}; name a readable file", path.display()))?;
    let mut users = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(user) = words.next() else {
            continue;
        };
        let wrong = |what: &str| format!("{}, line {number}: {what}", path.display());
        let password = words.next().ok_or_else(|| wrong("write USER PASSWORD"))?;
        let name = Alpha::new(user.as_bytes());
        let secret = Alpha::new(password.as_bytes());
        users.push(EngineUser {
            user: name.ok_or_else(|| wrong("a user has at most 6 characters of ASCII"))?,
            password: Password(
                secret.ok_or_else(|| wrong("a password has at most 10 characters of ASCII"))?,
            ),
        });
    }
    Ok(users)
}

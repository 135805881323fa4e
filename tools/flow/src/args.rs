//! The command line of `flow`, and the file of users.
//!
//! **Thread.** The main thread.
//! **Invariants.** An option that is not known, or stands without its value, is refused with what to
//! write instead.
//! **Never.** Take a password on the command line: other users of the machine could read it there.

use portcullis_flow::{
    AccountConfig, FlowConfig, GeneratorConfig, InstrumentConfig, Pace, Plant, SessionConfig,
    Source,
};
use std::path::PathBuf;
use std::time::Duration;

/// What the program prints for `--help`.
pub(crate) const USAGE: &str = "\
flow --connect HOST:PORT --users FILE --instrument SYMBOL:TICK:MID[:LOT] (--dbn FILE | --generate) [option...]

  --users FILE       one session a line: USER PASSWORD ACCOUNT... ; an account is LABEL, or
                     FIRM=LABEL to name it by its OUCH firm code; # starts a comment
  --instrument ...   TICK in units of 0.0001, MID in ticks, LOT in shares; repeat for more
  --dbn FILE         market-by-order records, DBN, plain or zstd; into the first instrument
  --generate         generated flow; see --rate and --faults
  --rate N           events a second of generated flow before excitation (2000)
  --faults PPM       share of deliberately bad events in parts per million (200000)
  --speed N | max    N times the recorded speed, or as fast as the windows allow (max)
  --seconds N        stop driving after N seconds
  --messages N       stop driving after N messages
  --window N         unanswered messages a session (64)
  --timeout MS       after this long without an answer a message counts as unanswered (5000)
  --seed N           deals orders to accounts, drives the generator (1)
  --plant KIND       lost-answer or wrong-session: spoil one answer on this side
  --json             one JSON object as the last line";

/// A parsed command line.
#[derive(Debug)]
pub(crate) struct Options {
    /// What to drive.
    pub(crate) config: FlowConfig,
    /// Whether to print JSON.
    pub(crate) json: bool,
}

/// Values as they are collected.
#[derive(Default)]
struct Draft {
    connect: Option<String>,
    users: Option<PathBuf>,
    instruments: Vec<InstrumentConfig>,
    dbn: Option<PathBuf>,
    generate: Option<GeneratorConfig>,
    pace: Option<Pace>,
    seconds: Option<u64>,
    messages: Option<u64>,
    window: Option<u32>,
    timeout_ms: Option<u64>,
    seed: Option<u64>,
    plant: Option<Plant>,
    json: bool,
}

/// Reads the arguments and the file of users.
///
/// # Errors
/// What is wrong, in words for the user.
pub(crate) fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut draft = Draft::default();
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        match option.as_str() {
            "--generate" => {
                draft.generate.get_or_insert_default();
            }
            "--json" => draft.json = true,
            _ => {
                let value = rest.next().ok_or_else(|| {
                    format!("{option} is not an option, or lacks its value; try --help")
                })?;
                take(&mut draft, option, value)?;
            }
        }
    }
    finish(draft)
}

fn take(draft: &mut Draft, option: &str, value: &str) -> Result<(), String> {
    match option {
        "--connect" => draft.connect = Some(value.to_owned()),
        "--users" => draft.users = Some(PathBuf::from(value)),
        "--instrument" => draft.instruments.push(instrument(value)?),
        "--dbn" => draft.dbn = Some(PathBuf::from(value)),
        "--rate" => {
            draft.generate.get_or_insert_default().base_rate = number(option, value)?;
        }
        "--faults" => {
            draft.generate.get_or_insert_default().fault_ppm = number(option, value)?;
        }
        "--speed" => draft.pace = Some(pace(value)?),
        "--seconds" => draft.seconds = Some(number(option, value)?),
        "--messages" => draft.messages = Some(number(option, value)?),
        "--window" => draft.window = Some(number(option, value)?),
        "--timeout" => draft.timeout_ms = Some(number(option, value)?),
        "--seed" => draft.seed = Some(number(option, value)?),
        "--plant" => {
            draft.plant = Some(match value {
                "lost-answer" => Plant::LostAnswer,
                "wrong-session" => Plant::WrongSession,
                _ => return Err(format!("--plant {value}: say lost-answer or wrong-session")),
            });
        }
        _ => return Err(format!("{option} is not an option; try --help")),
    }
    Ok(())
}

fn finish(draft: Draft) -> Result<Options, String> {
    let connect = draft.connect.ok_or("--connect HOST:PORT is missing")?;
    let gateway = connect
        .parse()
        .map_err(|_| format!("--connect {connect}: write an address as 127.0.0.1:7001"))?;
    let users = draft.users.ok_or("--users FILE is missing")?;
    let text = std::fs::read_to_string(&users)
        .map_err(|error| format!("{}: {error}; name a readable file", users.display()))?;
    let sessions = sessions(&text).map_err(|what| format!("{}, {what}", users.display()))?;
    let source = match (draft.dbn, draft.generate) {
        (Some(path), None) => Source::Dbn(path),
        (None, Some(generator)) => Source::Generated(generator),
        (Some(_), Some(_)) => return Err("--dbn and generated flow exclude each other".to_owned()),
        (None, None) => return Err("name a source: --dbn FILE or --generate".to_owned()),
    };
    let mut config = FlowConfig::new(gateway, sessions, draft.instruments, source);
    config.pace = draft.pace.unwrap_or(config.pace);
    config.seed = draft.seed.unwrap_or(config.seed);
    config.window = draft.window.unwrap_or(config.window);
    config.messages_max = draft.messages;
    config.elapsed_max = draft.seconds.map(Duration::from_secs);
    config.plant = draft.plant;
    if let Some(timeout_ms) = draft.timeout_ms {
        config.answer_timeout = Duration::from_millis(timeout_ms);
    }
    Ok(Options {
        config,
        json: draft.json,
    })
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{option} {value}: write a whole number in range"))
}

/// `max`, or a decimal multiple with at most six places.
fn pace(value: &str) -> Result<Pace, String> {
    if value == "max" {
        return Ok(Pace::Unpaced);
    }
    let wrong = || format!("--speed {value}: write max, or a number as 10 or 0.5");
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    let places = u32::try_from(part.len()).map_err(|_| wrong())?;
    if places > 6 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let part: u64 = if part.is_empty() {
        0
    } else {
        part.parse().map_err(|_| wrong())?
    };
    let part = part.saturating_mul(10_u64.pow(6 - places));
    let speed_ppm = whole
        .checked_mul(1_000_000)
        .and_then(|ppm| ppm.checked_add(part))
        .filter(|ppm| *ppm > 0)
        .ok_or_else(wrong)?;
    Ok(Pace::OpenLoop { speed_ppm })
}

fn instrument(value: &str) -> Result<InstrumentConfig, String> {
    let wrong = || format!("--instrument {value}: write SYMBOL:TICK:MID or SYMBOL:TICK:MID:LOT");
    let parts: Vec<&str> = value.split(':').collect();
    let ([symbol, tick, mid] | [symbol, tick, mid, _]) = parts.as_slice() else {
        return Err(wrong());
    };
    let mut instrument = InstrumentConfig::new(
        *symbol,
        tick.parse().map_err(|_| wrong())?,
        mid.parse().map_err(|_| wrong())?,
    );
    if let Some(lot) = parts.get(3) {
        instrument.lot_wire = lot.parse().map_err(|_| wrong())?;
        instrument.qty_max_wire = instrument.lot_wire.saturating_mul(100);
    }
    Ok(instrument)
}

/// One session a line: user, password, accounts.
fn sessions(text: &str) -> Result<Vec<SessionConfig>, String> {
    let mut sessions = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [user, password, accounts @ ..] if !accounts.is_empty() => {
                sessions.push(SessionConfig {
                    user: (*user).to_owned(),
                    password: (*password).to_owned(),
                    accounts: accounts.iter().map(|word| account(word)).collect(),
                });
            }
            _ => {
                return Err(format!("line {}: write USER PASSWORD ACCOUNT...", at + 1));
            }
        }
    }
    Ok(sessions)
}

fn account(word: &str) -> AccountConfig {
    let (firm, label) = match word.split_once('=') {
        Some((firm, label)) => (Some(firm.to_owned()), label),
        None => (None, word),
    };
    AccountConfig {
        firm,
        label: label.to_owned(),
        barred: Vec::new(),
        manual: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_exact() {
        assert_eq!(pace("max"), Ok(Pace::Unpaced));
        for (text, speed_ppm) in [
            ("1", 1_000_000),
            ("0.25", 250_000),
            ("1000.5", 1_000_500_000),
        ] {
            assert_eq!(pace(text), Ok(Pace::OpenLoop { speed_ppm }), "{text}");
        }
        for text in ["", "0", "-1", "1.0000001", "x", "1.x"] {
            assert!(pace(text).is_err(), "{text}");
        }
    }

    #[test]
    fn users_are_read_line_by_line_and_mistakes_are_placed() {
        let text = "# users\nalice secret A1 ABCD=A2\n\nbob word B1 # default\n";
        let read = sessions(text).expect("well formed");
        assert_eq!(read.len(), 2);
        let firms: Vec<_> = read[0].accounts.iter().map(|a| a.firm.as_deref()).collect();
        assert_eq!(firms, [None, Some("ABCD")]);
        assert_eq!(read[0].accounts[1].label, "A2");
        let wrong = sessions("alice secret A1\nbob word\n").expect_err("no account");
        assert!(wrong.starts_with("line 2"), "{wrong}");
    }

    #[test]
    fn instruments_and_options_are_refused_with_a_remedy() {
        let read = instrument("ESH4:2500:19200:10").expect("well formed");
        assert_eq!(
            (read.tick_wire, read.mid_ticks, read.lot_wire),
            (2_500, 19_200, 10)
        );
        assert!(instrument("ESH4:2500").is_err());
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let wrong = parse(&words("--conect 127.0.0.1:1")).expect_err("misspelt");
        assert!(wrong.contains("--conect"), "{wrong}");
        let wrong = parse(&words("--window")).expect_err("no value");
        assert!(wrong.contains("--window"), "{wrong}");
    }
}

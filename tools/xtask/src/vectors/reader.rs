//! Vector files: JSON lines, plain or gzip by content, to commands and what is expected of them.
//!
//! Owned by no thread. Invariant: a file is read whole or refused with its name, the line and what
//! is wrong with it.

use super::fields::Fields;
use super::op::{
    AccountConfig, Answer, Config, Figures, InstrumentConfig, Op, OpenInterestFigures, OrderOp,
    PositionFigures, ReplaceOp, ValuedFigures, Word,
};
use portcullis_domain::{AccountId, InstrumentId, Scope, Side, TradingState};
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// What every gzip member begins with (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];

/// The answers that `expect` may hold.
const WORDS: [Word; 7] = [
    Word::Ok,
    Word::Refused,
    Word::Forwarded,
    Word::Unknown,
    Word::Ignored,
    Word::Halt,
    Word::Alarm,
];

/// A whole file.
pub(crate) struct VectorFile {
    /// Its name, for messages.
    pub(crate) name: String,
    /// What the first line configures.
    pub(crate) config: Config,
    /// Names of the checks, in order of precedence.
    pub(crate) checks: Vec<String>,
    /// The lines after the first.
    pub(crate) lines: Vec<Line>,
}

/// One command or probe.
pub(crate) struct Line {
    /// Its number in the file, from 1.
    pub(crate) number: usize,
    /// Time in ns since the epoch.
    pub(crate) time_ns: u64,
    /// What is done.
    pub(crate) step: Step,
}

/// What a line does.
pub(crate) enum Step {
    /// A command, and its answer if the file states one.
    Command(Op, Option<Answer>),
    /// A look at an account.
    Probe(u32, Figures),
}

impl VectorFile {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|why| format!("{name}: cannot be read: {why}"))?;
        Self::parse(name, &bytes)
    }

    /// Reads the bytes of a file.
    pub(crate) fn parse(name: String, bytes: &[u8]) -> Result<Self, String> {
        let mut text = String::new();
        let read = if bytes.starts_with(&GZIP_MAGIC) {
            flate2::read::MultiGzDecoder::new(bytes).read_to_string(&mut text)
        } else {
            (&mut &bytes[..]).read_to_string(&mut text)
        };
        read.map_err(|why| format!("{name}: cannot be decoded: {why}"))?;
        let mut lines = (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty());
        let (number, first) = lines.next().ok_or_else(|| format!("{name}: is empty"))?;
        let at = |number: usize| move |why: String| (number, why);
        let parsed = header(first)
            .map_err(at(number))
            .and_then(|(config, checks)| {
                let lines = lines.map(|(number, text)| line(number, text).map_err(at(number)));
                Ok((config, checks, lines.collect::<Result<Vec<Line>, _>>()?))
            });
        let (config, checks, lines) =
            parsed.map_err(|(number, why)| format!("{name}:{number}: {why}"))?;
        Ok(Self {
            name,
            config,
            checks,
            lines,
        })
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|why| format!("not JSON: {why}"))
}

fn header(text: &str) -> Result<(Config, Vec<String>), String> {
    let value = json(text)?;
    let line = Fields::of(&value, "the first line")?;
    let config = Fields::of(line.value("config")?, "field `config`")?;
    let each = |name| config.array(name).map(|rows| rows.iter().zip(0_usize..));
    let instruments = each("instruments")?
        .map(|(row, i)| instrument(row).map_err(|why| format!("instruments[{i}]: {why}")))
        .collect::<Result<_, _>>()?;
    let accounts = each("accounts")?
        .map(|(row, a)| account(row).map_err(|why| format!("accounts[{a}]: {why}")))
        .collect::<Result<_, _>>()?;
    Ok((
        Config {
            instruments,
            accounts,
            firms: 1,
            sessions: 1,
        },
        line.texts("checks")?,
    ))
}

fn instrument(value: &Value) -> Result<InstrumentConfig, String> {
    let row = Fields::of(value, "an instrument")?;
    let tiers = row.rows::<2>("tiers")?.into_iter().map(|[from, ratio]| {
        let tier = i64::try_from(from).ok().zip(u32::try_from(ratio).ok());
        tier.ok_or_else(|| format!("tier [{from}, {ratio}] is out of range"))
    });
    Ok(InstrumentConfig {
        tick_lot_value: row.integer("v")?,
        price_max: row.integer("price_max")?,
        collar_ppm: row.integer("collar_ppm")?,
        tiers: tiers.collect::<Result<_, _>>()?,
        oi_lower: row.integer("oi_lower")?,
        oi_upper: row.integer("oi_upper")?,
        oi_cap: row.integer("oi_cap")?,
        oi_share_max: row.integer("oi_share_max")?,
        ref_max_age_ns: row.integer("ref_max_age_ns")?,
        bucket_ns: row.integer("bucket_ns")?,
        ewma_shift: row.integer("ewma_shift")?,
        spike_floor: row.integer("spike_floor")?,
        spike_ppm: row.integer("spike_ppm")?,
        cooldown_ns: row.integer("cooldown_ns")?,
    })
}

fn account(value: &Value) -> Result<AccountConfig, String> {
    let row = Fields::of(value, "an account")?;
    let index = |value: &Value| {
        let index = value.as_u64().and_then(|index| u32::try_from(index).ok());
        index.ok_or_else(|| format!("field `permitted` must hold instrument indices, not {value}"))
    };
    Ok(AccountConfig {
        permitted: row
            .array("permitted")?
            .iter()
            .map(index)
            .collect::<Result<_, _>>()?,
        firm: 0,
        rate_interval_ns: row.integer("rate_interval_ns")?,
        rate_count: row.integer("rate_count")?,
        rate_burst: row.integer("rate_burst")?,
        qty_max: row.integer("qty_max")?,
        repeat_window_ns: row.integer_if_set("repeat_window_ns")?,
        repeat_max: row.integer_if_set("repeat_max")?,
        notional_max: row.integer_if_set("notional_max")?,
        open_orders_max: row.integer_if_set("open_orders_max")?,
        position_max: row.integer_if_set("position_max")?,
        open_notional_max: row.integer_if_set("open_notional_max")?,
        loss_max: row.integer_if_set("loss_max")?,
        pnl_weight_ppm: row.integer_if_set("pnl_weight_ppm")?,
        pnl_cap: row.integer_if_set("pnl_cap")?,
        account_volume_max: row.integer_if_set("account_volume_max")?,
    })
}

fn line(number: usize, text: &str) -> Result<Line, String> {
    let value = json(text)?;
    let row = Fields::of(&value, "a line")?;
    let time_ns = row.integer("t")?;
    let step = match row.text("op")? {
        "probe" => {
            let expected = Fields::of(row.value("expect")?, "field `expect`")?;
            Step::Probe(expected.integer("a")?, figures(expected)?)
        }
        name => Step::Command(command(name, row)?, answer(name, row)?),
    };
    Ok(Line {
        number,
        time_ns,
        step,
    })
}

fn command(name: &str, row: Fields<'_>) -> Result<Op, String> {
    let id = || row.integer("id");
    let new = || row.integer("new");
    Ok(match name {
        "deposit" => Op::Deposit {
            account: row.integer("a")?,
            amount: row.integer("m")?,
        },
        "withdraw" => Op::Withdraw {
            account: row.integer("a")?,
            amount: row.integer("m")?,
        },
        "ref" => Op::Reference {
            instrument: row.integer("i")?,
            price: row.integer("p")?,
        },
        "order" => Op::Order(OrderOp {
            account: row.integer("a")?,
            instrument: row.integer("i")?,
            id: id()?,
            side: side(row)?,
            qty: row.integer("q")?,
            price: row.integer_or_null("p")?,
        }),
        "replace" => Op::Replace(ReplaceOp {
            original: row.integer("orig")?,
            id: id()?,
            qty: row.integer("q")?,
            price: row.integer_or_null("p")?,
        }),
        "cancel" => Op::Cancel { id: id()? },
        "fill" => Op::Fill {
            id: id()?,
            qty: row.integer("q")?,
            price: row.integer("p")?,
        },
        "replaced" => Op::Replaced {
            id: id()?,
            new: new()?,
        },
        "replace_rejected" => Op::ReplaceRejected {
            id: id()?,
            new: new()?,
        },
        "canceled" => Op::Canceled { id: id()? },
        "rejected" => Op::Rejected { id: id()? },
        "state" => Op::State {
            scope: scope(row)?,
            state: state(row)?,
        },
        "settle" => Op::Settle {
            instrument: row.integer("i")?,
            price: row.integer("p")?,
        },
        "day_start" => Op::DayStart,
        "restart" => Op::Restart { state: state(row)? },
        "journal" => Op::Journal {
            up: row.flag("up")?,
        },
        other => return Err(format!("field `op`: there is no command `{other}`")),
    })
}

fn side(row: Fields<'_>) -> Result<Side, String> {
    match row.text("side")? {
        "B" => Ok(Side::Buy),
        "S" => Ok(Side::Sell),
        other => Err(format!("field `side` must be B or S, not `{other}`")),
    }
}

fn scope(row: Fields<'_>) -> Result<Scope, String> {
    match row.text("scope")? {
        "venue" => Ok(Scope::Venue),
        "account" => Ok(Scope::Account(AccountId::new(row.integer("x")?))),
        "instrument" => Ok(Scope::Instrument(InstrumentId::new(row.integer("x")?))),
        other => Err(format!(
            "field `scope` must be venue, account or instrument, not `{other}`"
        )),
    }
}

fn state(row: Fields<'_>) -> Result<TradingState, String> {
    let name = row.text("state")?;
    let state = TradingState::ALL
        .into_iter()
        .find(|state| state.name() == name);
    state.ok_or_else(|| format!("field `state`: there is no trading state `{name}`"))
}

/// What the line expects: `fails`, or `expect` in one word; some commands have no expectation.
fn answer(name: &str, row: Fields<'_>) -> Result<Option<Answer>, String> {
    if row.has("fails") {
        return row.texts("fails").map(|fails| Some(Answer::Judged(fails)));
    }
    if row.has("expect") {
        let text = row.text("expect")?;
        let word = WORDS.into_iter().find(|word| word.name() == text);
        let word = word.ok_or_else(|| format!("field `expect`: there is no answer `{text}`"))?;
        return Ok(Some(Answer::Word(word)));
    }
    match name {
        "order" | "replace" => Err("field `fails` is missing".into()),
        "withdraw" | "cancel" | "fill" | "replaced" | "replace_rejected" => {
            Err("field `expect` is missing".into())
        }
        _ => Ok(None),
    }
}

fn figures(row: Fields<'_>) -> Result<Figures, String> {
    let positions =
        row.rows::<5>("pos")?
            .into_iter()
            .map(
                |[net, cost, open_buy, open_sell, adverse]| PositionFigures {
                    net,
                    cost,
                    open_buy,
                    open_sell,
                    adverse,
                },
            );
    let open_interest =
        row.rows::<3>("oi")?
            .into_iter()
            .map(
                |[open_interest, long_would_be, short_would_be]| OpenInterestFigures {
                    open_interest,
                    long_would_be,
                    short_would_be,
                },
            );
    let valued = if row.has("equity") {
        Some(ValuedFigures {
            equity: row.integer("equity")?,
            admissible: row.integer("admissible")?,
            requirement: row.integer("requirement")?,
            free: row.integer("free")?,
        })
    } else {
        None
    };
    Ok(Figures {
        cash: row.integer("cash")?,
        state: state(row)?,
        open_orders: row.integer("open_orders")?,
        open_notional: row.integer("open_notional")?,
        positions: positions.collect(),
        open_interest: open_interest.collect(),
        valued,
    })
}

//! The configuration in checked form: text in the widths of the wire, accounts and lanes counted.
//!
//! **Thread.** Made at connect, then only read.
//! **Invariants.** Every index in it is in range; the unknown symbol and firm are nobody's.
//! **Never.** Change after it was made.

use crate::config::FlowConfig;
use crate::error::FlowError;
use crate::intent::Lane;
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::{Password, UserName};

/// The most sessions one driver polls.
const SESSIONS_MAX: usize = 1_000;

/// Who trades what.
#[derive(Debug)]
pub(crate) struct Venue {
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) lanes: Vec<LaneSpec>,
    /// Distinct account labels in the order of their first mention.
    pub(crate) accounts: Vec<String>,
    pub(crate) sessions: Vec<SessionSpec>,
    pub(crate) unknown_symbol: Alpha<8>,
    pub(crate) unknown_firm: Alpha<4>,
}

#[derive(Debug)]
pub(crate) struct Instrument {
    pub(crate) symbol: Alpha<8>,
    pub(crate) tick_wire: u64,
    pub(crate) lot_wire: u32,
    pub(crate) mid_ticks: u64,
    pub(crate) qty_max_wire: u32,
    pub(crate) qty_heavy_wire: Option<u32>,
    pub(crate) restricted: bool,
}

#[derive(Debug)]
pub(crate) struct LaneSpec {
    pub(crate) session: usize,
    pub(crate) account: usize,
    pub(crate) firm: Option<Alpha<4>>,
    pub(crate) barred: Vec<usize>,
    pub(crate) manual: bool,
}

#[derive(Debug)]
pub(crate) struct SessionSpec {
    pub(crate) user: UserName,
    pub(crate) password: Password,
}

fn wrong(field: impl Into<String>, what: impl Into<String>) -> FlowError {
    FlowError::Config {
        field: field.into(),
        what: what.into(),
    }
}

fn text<const N: usize>(field: &str, value: &str) -> Result<Alpha<N>, FlowError> {
    match Alpha::new(value.as_bytes()) {
        Some(alpha) if !alpha.is_blank() => Ok(alpha),
        Some(_) | None => Err(wrong(
            field,
            format!("\"{value}\" must be 1 to {N} printable ASCII characters"),
        )),
    }
}

impl Venue {
    pub(crate) fn new(config: &FlowConfig) -> Result<Self, FlowError> {
        if config.window == 0 {
            return Err(wrong("window", "is 0; allow at least 1 unanswered message"));
        }
        let instruments = instruments(config)?;
        let mut venue = Self {
            unknown_symbol: unused(&instruments.iter().map(|i| i.symbol).collect::<Vec<_>>()),
            unknown_firm: Alpha::BLANK,
            instruments,
            lanes: Vec::new(),
            accounts: Vec::new(),
            sessions: Vec::new(),
        };
        venue.take_sessions(config)?;
        let firms: Vec<Alpha<4>> = venue.lanes.iter().filter_map(|lane| lane.firm).collect();
        venue.unknown_firm = unused(&firms);
        Ok(venue)
    }

    /// The lane an order belongs to, by seed.
    pub(crate) fn deal(&self, seed: u64, order: u64) -> Lane {
        let spread = crate::random::mix(seed.wrapping_mul(31) ^ crate::random::mix(order));
        Lane(((u128::from(spread) * self.lanes.len() as u128) >> 64) as usize)
    }

    fn take_sessions(&mut self, config: &FlowConfig) -> Result<(), FlowError> {
        if config.sessions.is_empty() || config.sessions.len() > SESSIONS_MAX {
            let what = format!(
                "there are {}; name 1 to {SESSIONS_MAX}",
                config.sessions.len()
            );
            return Err(wrong("sessions", what));
        }
        for (session, spec) in config.sessions.iter().enumerate() {
            let at = |field: &str| format!("sessions[{session}].{field}");
            self.sessions.push(SessionSpec {
                user: text(&at("user"), &spec.user)?,
                password: Password(text(&at("password"), &spec.password)?),
            });
            if spec.accounts.is_empty() {
                return Err(wrong(at("accounts"), "is empty; name at least one account"));
            }
            for account in &spec.accounts {
                let firm = account
                    .firm
                    .as_deref()
                    .map(|firm| text(&at("accounts.firm"), firm))
                    .transpose()?;
                if let Some(index) = account
                    .barred
                    .iter()
                    .find(|i| **i >= self.instruments.len())
                {
                    let what = format!("there is no instrument {index}");
                    return Err(wrong(at("accounts.barred"), what));
                }
                let index = self.account(&account.label);
                self.lanes.push(LaneSpec {
                    session,
                    account: index,
                    firm,
                    barred: account.barred.clone(),
                    manual: account.manual,
                });
            }
        }
        Ok(())
    }

    fn account(&mut self, label: &str) -> usize {
        let known = self.accounts.iter().position(|known| known == label);
        known.unwrap_or_else(|| {
            self.accounts.push(label.to_owned());
            self.accounts.len() - 1
        })
    }
}

fn instruments(config: &FlowConfig) -> Result<Vec<Instrument>, FlowError> {
    if config.instruments.is_empty() {
        return Err(wrong("instruments", "is empty; name at least one"));
    }
    let mut instruments: Vec<Instrument> = Vec::new();
    for (index, spec) in config.instruments.iter().enumerate() {
        let at = |field: &str| format!("instruments[{index}].{field}");
        let symbol = text(&at("symbol"), &spec.symbol)?;
        if instruments.iter().any(|known| known.symbol == symbol) {
            return Err(wrong(at("symbol"), "is there twice; name each once"));
        }
        if spec.tick_wire == 0 || spec.lot_wire == 0 || spec.qty_max_wire < spec.lot_wire {
            let what = "tick_wire and lot_wire are at least 1, qty_max_wire at least one lot";
            return Err(wrong(at("tick_wire"), what));
        }
        let top = spec.mid_ticks.checked_mul(spec.tick_wire);
        if spec.mid_ticks < 100 || top.is_none_or(|top| top > MID_WIRE_MAX) {
            let what = format!("must be at least 100, and at most {MID_WIRE_MAX} in wire units");
            return Err(wrong(at("mid_ticks"), what));
        }
        instruments.push(Instrument {
            symbol,
            tick_wire: spec.tick_wire,
            lot_wire: spec.lot_wire,
            mid_ticks: spec.mid_ticks,
            qty_max_wire: spec.qty_max_wire,
            qty_heavy_wire: spec.qty_heavy_wire,
            restricted: spec.restricted,
        });
    }
    Ok(instruments)
}

/// A mid price up to here leaves room for prices far above it.
const MID_WIRE_MAX: u64 = 900_000_000;

/// A text that is none of those in use.
fn unused<const N: usize>(used: &[Alpha<N>]) -> Alpha<N> {
    (0..=used.len())
        .filter_map(|number| Alpha::new(format!("Z{number:03}").as_bytes()))
        .find(|text| !used.contains(text))
        .unwrap_or(Alpha::BLANK)
}

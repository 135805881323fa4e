//! The market of a run: random limits, tight enough that each check fails and passes, and what
//! follows from them.
//!
//! Owned by the world. Invariant: every table loads, and the wire can say each price.

use crate::model::config;
use crate::model::op::{AccountConfig, Config};
use crate::model::spec::limit_spec;
use crate::random::Prng;
use portcullis_domain::{AccountId, Duration, HashSeed, InstrumentId, Price, Qty, SessionId};
use portcullis_pipeline::tables::{SessionProfile, Symbol, SymbolTable};
use portcullis_risk_core::Capacities;
use portcullis_risk_core::limits::session::SessionField;
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_venue_embedded::{EmbeddedVenue, Fees, InstrumentConfig, LadderConfig};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::OUCH50;
use portcullis_wire::soupbin::SILENCE_MAX;
use std::num::{NonZeroU32, NonZeroU64};

/// Order slots: more than a run has orders, so that none is forgotten while it is audited.
pub(crate) const ORDERS_MAX: u32 = 768;

/// The market.
#[derive(Clone)]
pub(crate) struct Market {
    /// Limits at the start.
    pub(crate) config: Config,
    /// First reference price of each instrument.
    pub(crate) starts: Vec<i64>,
    /// By session: whether its orders are cancelled when its client is lost.
    pub(crate) cancel_on_disconnect: Vec<bool>,
    /// By instrument: whether its trades make its reference.
    pub(crate) last_trade: Vec<bool>,
}

impl Market {
    /// The market of a run.
    pub(crate) fn random(prng: &mut Prng, sessions: u32) -> Self {
        let (mut config, starts) = config::random(prng);
        config.sessions = sessions;
        for account in &mut config.accounts {
            if !prng.one_in(3) {
                loosen(account);
            }
        }
        for (instrument, start) in config.instruments.iter_mut().zip(&starts) {
            // As loosened volumes ask for.
            instrument.spike_floor *= VOLUME_LOOSER;
            if !prng.one_in(3) {
                instrument.collar_ppm = instrument.collar_ppm.max(100_000);
                instrument.oi_cap += 100_000;
                instrument.oi_share_max += 100_000;
                instrument.oi_lower += 100_000;
                instrument.oi_upper += 100_000;
                instrument.price_max = instrument.price_max.max(2 * start);
            }
        }
        Self {
            cancel_on_disconnect: (0..sessions).map(|_| prng.one_in(3)).collect(),
            last_trade: starts.iter().map(|_| prng.one_in(4)).collect(),
            config,
            starts,
        }
    }

    /// Other limits of the same accounts: some cells of some of them are drawn anew.
    pub(crate) fn relimited(&self, from: &Config, prng: &mut Prng) -> Config {
        let mut config = from.clone();
        for account in &mut config.accounts {
            if prng.one_in(2) {
                account.qty_max = prng.between(1, account.qty_max.max(2) * 2);
                account.open_orders_max = Some(prng.between(0, 16));
                account.repeat_max = Some(prng.between(0, 5));
                account.loss_max = account.loss_max.map(|max| max / 2 + prng.between(0, 1_000));
            }
        }
        if prng.one_in(2) {
            let place = prng.below(config.instruments.len());
            config.instruments[place].collar_ppm = prng.between(0, 500_000);
        }
        config
    }

    /// The table of these limits.
    pub(crate) fn table(&self, config: &Config) -> LimitTable {
        LimitTable::build(&self.spec(config)).expect("random limits load")
    }

    /// These limits as they are kept with a journal.
    pub(crate) fn words(&self, config: &Config) -> Vec<u64> {
        self.spec(config).to_words()
    }

    fn spec(&self, config: &Config) -> LimitSpec {
        let mut spec = limit_spec(config).expect("random limits are well formed");
        for (session, cancels) in spec.sessions.iter_mut().zip(&self.cancel_on_disconnect) {
            let on = i64::from(*cancels);
            session.cells.set(SessionField::CancelOnDisconnect, on);
        }
        spec
    }

    /// Room for all that a run can hold.
    pub(crate) fn capacities(&self) -> Capacities {
        let accounts = self.config.accounts.len() as u32;
        let instruments = self.config.instruments.len() as u32;
        Capacities {
            accounts_max: accounts,
            instruments_max: instruments,
            firms_max: self.config.firms,
            sessions_max: self.config.sessions,
            orders_max: ORDERS_MAX + accounts,
            orders_reserved_per_account: 1,
            positions_max: accounts * instruments,
            past_versions_max: 2 * ORDERS_MAX,
            executions_max: 1_024,
            disputes_max: 512,
            sweeps_max: 256,
        }
    }

    /// Instruments by name: A, B and so on.
    pub(crate) fn symbols(&self) -> SymbolTable {
        let symbols = self.config.instruments.iter().enumerate();
        let symbols = symbols.map(|(index, limits)| {
            let (least, lot) = (NonZeroU64::MIN, NonZeroU32::MIN);
            let price_max = Price::new(limits.price_max);
            let scale = OUCH50.fits(least, lot, Price::new(1), price_max, Qty::new(1));
            Symbol {
                name: symbol(index),
                instrument: InstrumentId::new(index as u32),
                scale: scale.expect("the wire holds every random price"),
            }
        });
        SymbolTable::new(&symbols.collect::<Vec<_>>())
    }

    /// Each session may trade every account by its firm code.
    pub(crate) fn profile(&self, session: u32) -> SessionProfile {
        let accounts = self.config.accounts.len() as u32;
        let all = (0..accounts).map(|account| (firm_code(account), AccountId::new(account)));
        SessionProfile {
            session: SessionId::new(session),
            default_account: AccountId::new(session % accounts),
            firms: all.collect(),
            market_orders: true,
            silence_max: SILENCE_MAX,
        }
    }

    /// An engine with an empty book.
    pub(crate) fn engine(&self) -> EmbeddedVenue {
        EmbeddedVenue::new(self.ladder(), None).expect("the bounds are in range")
    }

    fn ladder(&self) -> LadderConfig {
        let instruments = self.config.instruments.iter();
        let instruments = instruments.map(|limits| InstrumentConfig {
            qty_max: Qty::new(OUCH50.qty_max_wire.into()),
            price_max: Price::new(2 * limits.price_max),
            fees: Fees::default(),
        });
        LadderConfig {
            instruments: instruments.collect(),
            sessions_max: self.config.sessions,
            orders_max: ORDERS_MAX * 2,
            levels_max: ORDERS_MAX * 2,
            inbox_max: 64,
            trades_max: 1_024,
            window_ticks: 64,
            hash_seed: HashSeed::FIXED,
        }
    }
}

/// By how much a loosened account may trade more.
const VOLUME_LOOSER: i64 = 5;

/// Limits that let most orders pass, so that much is open.
fn loosen(account: &mut AccountConfig) {
    account.rate_interval_ns = 1_000;
    account.rate_burst = 100;
    account.repeat_max = Some(1_000);
    account.qty_max = account.qty_max.max(100);
    account.open_orders_max = Some(1_000);
    account.position_max = Some(2_000);
    account.account_volume_max = account.account_volume_max.map(|max| VOLUME_LOOSER * max);
    account.notional_max = account.notional_max.map(|max| max.saturating_mul(1_000));
    account.open_notional_max = account
        .open_notional_max
        .map(|max| max.saturating_mul(1_000));
    account.loss_max = account.loss_max.map(|max| max.saturating_mul(1_000));
}

/// After how long a silent client is sent a heartbeat.
pub(crate) const HEARTBEAT: Duration = portcullis_wire::soupbin::HEARTBEAT_EVERY;

/// The name of an instrument.
pub(crate) fn symbol(index: usize) -> Alpha<8> {
    Alpha::new(&[b'A' + index as u8]).expect("one letter")
}

/// The firm code of an account.
pub(crate) fn firm_code(account: u32) -> Alpha<4> {
    Alpha::new(&[b'F', b'0' + account as u8]).expect("two letters")
}

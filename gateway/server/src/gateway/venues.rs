//! The venue of a config: the ladder in this process, an external engine, or a seeded hostile one.
//!
//! Control thread, once; it then belongs to the venue thread.

use super::assemble::{StartError, cannot};
use super::external;
use super::tables::symbols;
use super::venue_kind::VenueKind;
use crate::hash_seed;
use portcullis_control::config::{Config, Matching};
use portcullis_domain::{Price, Qty};
use portcullis_risk_core::limits::instrument::InstrumentField;
use portcullis_venue_embedded::{EmbeddedVenue, Fees, InstrumentConfig, LadderConfig};
use portcullis_venue_sim::{HostileVenue, Hostility, Plant, Planted};
use portcullis_wire::ouch50::OUCH50;

/// The venue that a config names.
pub(crate) fn venue(config: &Config, plant: Option<Plant>) -> Result<VenueKind, StartError> {
    match (&config.profile.matching, plant) {
        (Matching::Embedded, None) => Ok(VenueKind::Embedded(Box::new(embedded(config)?))),
        (Matching::Embedded, Some(plant)) => {
            let planted = Planted::new(embedded(config)?, plant, PLANT_AFTER);
            Ok(VenueKind::Planted(Box::new(planted)))
        }
        (Matching::Sim { seed }, _) => {
            let sessions = config.sessions.len() as u32;
            let hostility = Hostility {
                seed: *seed,
                latency_polls_max: 8,
                split_fill_one_in: 8,
                refuse_one_in: 64,
                ..Hostility::NONE
            };
            let hostile = HostileVenue::new(embedded(config)?, sessions, hostility);
            Ok(VenueKind::Hostile(Box::new(hostile)))
        }
        (Matching::Ouch { .. }, _) => Ok(VenueKind::Ouch(Box::new(external::venue(
            config,
            &symbols(config)?,
        )?))),
    }
}

/// Events of its kind that a planted venue lets pass before its fault.
const PLANT_AFTER: u64 = 20;

fn embedded(config: &Config) -> Result<EmbeddedVenue, StartError> {
    let capacities = &config.profile.capacities;
    let instruments = config.limits.instruments.iter().map(|limits| {
        let price_max = limits
            .cells
            .cell(InstrumentField::PriceMax)
            .value()
            .unwrap_or(1);
        InstrumentConfig {
            qty_max: Qty::new(OUCH50.qty_max_wire.into()),
            // A market order's protection price may stand above every limit.
            price_max: Price::new(price_max.saturating_mul(2)),
            fees: Fees::default(),
        }
    });
    let ladder = LadderConfig {
        instruments: instruments.collect(),
        sessions_max: capacities.sessions_max,
        orders_max: capacities.orders_max,
        levels_max: capacities.orders_max,
        inbox_max: 4_096,
        trades_max: capacities.executions_max,
        window_ticks: 4_096,
        hash_seed: hash_seed::draw(),
    };
    let symbols = symbols(config)?;
    let terms = super::terms::reader(symbols);
    EmbeddedVenue::new(ladder, Some(terms)).map_err(|error| cannot("the embedded ladder", error))
}

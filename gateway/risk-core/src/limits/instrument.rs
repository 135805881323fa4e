//! Limits of an instrument: what its orders, positions and prices are held against.
//!
//! Owned by the limit table. Invariants: tiers ascend from 0; maintenance margin is nowhere above
//! initial margin; the volume window is 64 buckets.

use super::InstrumentSpec;
use super::Rate;
use super::account::LARGEST;
use super::field::limit_fields;
use core::num::NonZeroU32;
use portcullis_domain::TickLotValue;

/// Buckets in the rolling volume window.
pub const VOLUME_BUCKETS: usize = 64;

/// The most margin tiers an instrument may have.
pub const TIERS_MAX: usize = 8;

/// Longest bucket, so that 64 of them and a quantity keep their products in range: one hour.
pub(crate) const BUCKET_NS_MAX: i64 = 3_600_000_000_000;

limit_fields!(
    /// The limits an instrument has.
    InstrumentField, INSTRUMENT_FIELDS, InstrumentCells {
        TickLotValue = 0, "tick_lot_value", Quanta, Neither, 1, u32::MAX as i64, true,
            "quanta for one tick of one lot";
        PriceMax = 1, "price_max", Ticks, Lower, 1, LARGEST, true,
            "highest limit price, and highest reference and settlement price";
        CollarPpm = 2, "collar_ppm", Ppm, Lower, 0, 1_000_000, true,
            "how far an order's limit may be through the reference price";
        OiLower = 3, "oi_lower", Lots, Lower, 0, LARGEST, true,
            "open interest up to which initial margin is not scaled";
        OiUpper = 4, "oi_upper", Lots, Lower, 0, LARGEST, true,
            "open interest from which initial margin is the whole notional";
        OiCap = 5, "oi_cap", Lots, Lower, 0, LARGEST, true,
            "open interest of one side, holds included";
        OiShareMax = 6, "oi_share_max", Lots, Lower, 0, LARGEST, true,
            "share of one account in the open interest of one side";
        RefMaxAgeNs = 7, "ref_max_age_ns", Nanoseconds, Lower, 1, LARGEST, true,
            "age beyond which a reference price is stale";
        BucketNs = 8, "bucket_ns", Nanoseconds, Neither, 1, BUCKET_NS_MAX, true,
            "length of a bucket of the volume window, which has 64";
        EwmaShift = 9, "ewma_shift", Count, Neither, 1, 16, true,
            "the volume baseline moves by 1/2^ewma_shift of its distance a bucket";
        SpikeFloor = 10, "spike_floor", Lots, Lower, 0, LARGEST, true,
            "window volume below which the breaker never trips";
        SpikePpm = 11, "spike_ppm", Ppm, Lower, 0, u32::MAX as i64, true,
            "window volume over baseline at which the breaker trips";
        CooldownNs = 12, "cooldown_ns", Nanoseconds, Higher, 0, LARGEST, true,
            "how long the tripped breaker stays open";
    }
);

/// One margin tier: from this notional on, this ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tier {
    /// Quanta of notional at which the tier begins.
    pub from_notional: i64,
    /// Ratio inside the tier, parts per million.
    pub ratio_ppm: u32,
}

/// Ascending margin tiers, the first from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiers {
    len: usize,
    tiers: [Tier; TIERS_MAX],
}

impl Tiers {
    /// The tiers, if they are 1 to [`TIERS_MAX`], ascend strictly from 0, and no ratio is over one.
    #[must_use]
    pub fn new(tiers: &[Tier]) -> Option<Self> {
        let first = tiers.first()?;
        let ascending = tiers
            .windows(2)
            .all(|pair| pair[0].from_notional < pair[1].from_notional);
        let ratios = tiers.iter().all(|tier| tier.ratio_ppm <= 1_000_000);
        if tiers.len() > TIERS_MAX || first.from_notional != 0 || !ascending || !ratios {
            return None;
        }
        let mut all = [Tier::default(); TIERS_MAX];
        all[..tiers.len()].copy_from_slice(tiers);
        Some(Self {
            len: tiers.len(),
            tiers: all,
        })
    }

    /// The tiers, lowest first.
    #[must_use]
    pub fn as_slice(&self) -> &[Tier] {
        &self.tiers[..self.len]
    }

    /// The ratio at a notional.
    fn ratio_at(&self, notional: i64) -> u32 {
        let tier = self
            .as_slice()
            .iter()
            .rev()
            .find(|tier| tier.from_notional <= notional);
        tier.map_or(0, |tier| tier.ratio_ppm)
    }

    /// Whether this schedule's ratio is at most the other's at every notional.
    pub(super) fn nowhere_above(&self, other: &Self) -> bool {
        let starts = self
            .as_slice()
            .iter()
            .chain(other.as_slice())
            .map(|tier| tier.from_notional);
        starts
            .into_iter()
            .all(|from| self.ratio_at(from) <= other.ratio_at(from))
    }
}

/// How the client's protocol counts an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireUnits {
    /// Smallest price units of the protocol in one tick.
    pub tick: NonZeroU32,
    /// Smallest quantity units of the protocol in one lot.
    pub lot: NonZeroU32,
}

impl WireUnits {
    /// A protocol that counts in ticks and lots.
    pub const ONE: Self = Self {
        tick: NonZeroU32::MIN,
        lot: NonZeroU32::MIN,
    };

    /// Ticks of a wire price; `None` between two ticks.
    pub(crate) fn ticks(&self, wire: i64) -> Option<i64> {
        let tick = i64::from(self.tick.get());
        (wire % tick == 0).then_some(wire / tick)
    }

    /// Lots of a wire quantity; `None` between two lots.
    pub(crate) fn lots(&self, wire: i64) -> Option<i64> {
        let lot = i64::from(self.lot.get());
        (wire % lot == 0).then_some(wire / lot)
    }

    /// Lots of a wire quantity that is to remain: part of a lot remains whole.
    pub(crate) fn lots_remaining(&self, wire: i64) -> i64 {
        let lot = i64::from(self.lot.get());
        wire.max(0).saturating_add(lot - 1) / lot
    }
}

/// What the order path reads of an instrument's limits: for an order, the first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct InstrumentLimits {
    pub(crate) value: TickLotValue,
    pub(crate) ewma_shift: u32,
    pub(crate) price_max: i64,
    pub(crate) oi_cap: i64,
    pub(crate) oi_share_max: i64,
    pub(crate) ref_max_age_ns: u64,
    pub(crate) bucket_ns: u64,
    pub(crate) spike_floor: i64,
    pub(crate) spike_ppm: u32,
    pub(crate) collar_ppm: u32,
    // What is not read by every order.
    pub(crate) oi_lower: i64,
    pub(crate) oi_upper: i64,
    pub(crate) cooldown_ns: u64,
    pub(crate) initial: Tiers,
    pub(crate) maintenance: Tiers,
    pub(crate) wire: WireUnits,
}

const _: () = assert!(core::mem::offset_of!(InstrumentLimits, oi_lower) == 64);

impl InstrumentLimits {
    /// The line that an order reads.
    #[inline(always)]
    pub(crate) fn visit_lines(&self, lines: &mut impl crate::approach::LineSink) {
        lines.warm(&self.price_max);
    }

    /// The prepared limits; `None` if a required cell is unset or the tick-lot value is no value.
    pub(super) fn new(spec: &InstrumentSpec) -> Option<Self> {
        let number = |field| spec.cells.cell(field).value();
        Some(Self {
            value: TickLotValue::new(u32::try_from(number(InstrumentField::TickLotValue)?).ok()?)?,
            price_max: number(InstrumentField::PriceMax)?,
            collar_ppm: number(InstrumentField::CollarPpm)? as u32,
            ewma_shift: number(InstrumentField::EwmaShift)? as u32,
            oi_lower: number(InstrumentField::OiLower)?,
            oi_upper: number(InstrumentField::OiUpper)?,
            oi_cap: number(InstrumentField::OiCap)?,
            oi_share_max: number(InstrumentField::OiShareMax)?,
            ref_max_age_ns: number(InstrumentField::RefMaxAgeNs)? as u64,
            bucket_ns: number(InstrumentField::BucketNs)? as u64,
            spike_floor: number(InstrumentField::SpikeFloor)?,
            spike_ppm: number(InstrumentField::SpikePpm)? as u32,
            cooldown_ns: number(InstrumentField::CooldownNs)? as u64,
            initial: spec.initial,
            maintenance: spec.maintenance,
            wire: spec.wire,
        })
    }

    /// Length of the volume window: a bucket is an hour at the most.
    #[inline(always)]
    pub(crate) const fn window_ns(&self) -> u64 {
        self.bucket_ns << VOLUME_BUCKETS.trailing_zeros()
    }
}

impl Rate {
    /// Of what no table has named yet: an event once in the longest time.
    pub(crate) const NONE: Self = Self {
        emission_ns: u64::MAX,
        tolerance_ns: 0,
    };

    /// The rate of three cells that a loaded table has set.
    pub(crate) fn of(interval: super::Cell, count: super::Cell, burst: super::Cell) -> Self {
        let number = |cell: super::Cell| cell.value().unwrap_or(1).max(1) as u64;
        let emission_ns = number(interval).div_ceil(number(count));
        Self {
            emission_ns,
            tolerance_ns: (number(burst) - 1) * emission_ns,
        }
    }
}

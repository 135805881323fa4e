//! Deliberately bad messages, one kind at a time.
//!
//! **Thread.** The driver's.
//! **Invariants.** Each kind aims at one check of the gateway; a message may fail others as well, and
//! which one answers is the gateway's order of precedence.
//! **Never.** Make a kind that the configuration has no means for.

use super::{GeneratedFeed, GeneratorConfig};
use crate::intent::{Act, Enter, Flaw, Lane, Listing};
use crate::venue::Venue;
use portcullis_domain::Side;
use portcullis_wire::ouch50::{OUCH50, TimeInForce};

/// A kind of bad message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// A symbol that is nobody's.
    UnknownSymbol,
    /// A price between two ticks (instruments with a tick of more than one wire unit).
    PriceOffTick,
    /// A price half beyond the mid, on the side that gives money away.
    ThroughCollar,
    /// The largest order the protocol can say.
    QuantityTooLarge,
    /// A quantity that passes the quantity limit and breaks the notional limit.
    NotionalTooLarge,
    /// The same order several times in a row.
    Repeated,
    /// Many orders of one account at one instant.
    RateBurst,
    /// An order in an instrument on the restricted list.
    Restricted,
    /// An order of an account in an instrument that is barred for it.
    NotPermitted,
    /// A firm code that is nobody's.
    UnknownFirm,
    /// A time in force that belongs to other hours.
    AfterHours,
    /// A byte that is no time in force.
    Malformed,
    /// A price pegged to the middle.
    Pegged,
    /// An order that nobody is to see.
    Hidden,
    /// A replace of a closed order: not answered.
    ReplaceOfDead,
    /// A cancel of a closed order: not answered.
    CancelOfDead,
    /// A number used before, byte for byte: not answered.
    Resend,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::UnknownSymbol,
        Self::PriceOffTick,
        Self::ThroughCollar,
        Self::QuantityTooLarge,
        Self::NotionalTooLarge,
        Self::Repeated,
        Self::RateBurst,
        Self::Restricted,
        Self::NotPermitted,
        Self::UnknownFirm,
        Self::AfterHours,
        Self::Malformed,
        Self::Pegged,
        Self::Hidden,
        Self::ReplaceOfDead,
        Self::CancelOfDead,
        Self::Resend,
    ];

    /// Name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownSymbol => "unknown_symbol",
            Self::PriceOffTick => "price_off_tick",
            Self::ThroughCollar => "through_collar",
            Self::QuantityTooLarge => "quantity_too_large",
            Self::NotionalTooLarge => "notional_too_large",
            Self::Repeated => "repeated",
            Self::RateBurst => "rate_burst",
            Self::Restricted => "restricted",
            Self::NotPermitted => "not_permitted",
            Self::UnknownFirm => "unknown_firm",
            Self::AfterHours => "after_hours",
            Self::Malformed => "malformed",
            Self::Pegged => "pegged",
            Self::Hidden => "hidden",
            Self::ReplaceOfDead => "replace_of_dead",
            Self::CancelOfDead => "cancel_of_dead",
            Self::Resend => "resend",
        }
    }

    /// How often it comes beside the others by default. Kinds of many messages are rarer.
    #[must_use]
    pub const fn usual_weight(self) -> u32 {
        match self {
            Self::RateBurst => 1,
            Self::Repeated | Self::Malformed => 5,
            Self::UnknownSymbol
            | Self::PriceOffTick
            | Self::ThroughCollar
            | Self::QuantityTooLarge
            | Self::NotionalTooLarge
            | Self::Restricted
            | Self::NotPermitted
            | Self::UnknownFirm
            | Self::AfterHours
            | Self::Pegged
            | Self::Hidden
            | Self::ReplaceOfDead
            | Self::CancelOfDead
            | Self::Resend => 30,
        }
    }
}

/// Which kinds are made, and how many were.
#[derive(Debug)]
pub(super) struct Faults {
    kinds: Vec<(FaultKind, u32, u64)>,
    weight: u64,
    /// Lane and instrument pairs that are barred.
    barred: Vec<(Lane, usize)>,
    restricted: Vec<usize>,
    heavy: Vec<usize>,
    coarse: Vec<usize>,
}

impl Faults {
    pub(super) fn new(config: &GeneratorConfig, venue: &Venue) -> Self {
        let barred: Vec<(Lane, usize)> = venue
            .lanes
            .iter()
            .enumerate()
            .filter(|(_, spec)| !spec.manual)
            .flat_map(|(lane, spec)| spec.barred.iter().map(move |index| (Lane(lane), *index)))
            .collect();
        let of = |wanted: fn(&crate::venue::Instrument) -> bool| -> Vec<usize> {
            let all = venue.instruments.iter().enumerate();
            all.filter(|(_, instrument)| wanted(instrument))
                .map(|(index, _)| index)
                .collect()
        };
        let restricted = of(|instrument| instrument.restricted);
        let heavy = of(|instrument| instrument.qty_heavy_wire.is_some() && !instrument.restricted);
        let coarse = of(|instrument| instrument.tick_wire > 1 && !instrument.restricted);
        let possible = |kind: &FaultKind| match kind {
            FaultKind::NotPermitted => !barred.is_empty(),
            FaultKind::Restricted => !restricted.is_empty(),
            FaultKind::NotionalTooLarge => !heavy.is_empty(),
            FaultKind::PriceOffTick => !coarse.is_empty(),
            FaultKind::UnknownSymbol
            | FaultKind::ThroughCollar
            | FaultKind::QuantityTooLarge
            | FaultKind::Repeated
            | FaultKind::RateBurst
            | FaultKind::UnknownFirm
            | FaultKind::AfterHours
            | FaultKind::Malformed
            | FaultKind::Pegged
            | FaultKind::Hidden
            | FaultKind::ReplaceOfDead
            | FaultKind::CancelOfDead
            | FaultKind::Resend => true,
        };
        let kinds: Vec<_> = config
            .faults
            .iter()
            .filter(|(kind, weight)| *weight > 0 && possible(kind))
            .map(|(kind, weight)| (*kind, *weight, 0))
            .collect();
        Self {
            weight: kinds.iter().map(|(_, weight, _)| u64::from(*weight)).sum(),
            kinds,
            barred,
            restricted,
            heavy,
            coarse,
        }
    }

    pub(super) fn made(&self) -> Vec<(FaultKind, u64)> {
        self.kinds
            .iter()
            .map(|(kind, _, made)| (*kind, *made))
            .collect()
    }

    /// The kind that this draw below the sum of weights falls on.
    fn pick(&mut self, mut draw: u64) -> Option<FaultKind> {
        for (kind, weight, made) in &mut self.kinds {
            match draw.checked_sub(u64::from(*weight)) {
                Some(rest) => draw = rest,
                None => {
                    *made += 1;
                    return Some(*kind);
                }
            }
        }
        None
    }
}

impl GeneratedFeed {
    /// Queues the messages of one bad event; false if none can be made.
    pub(super) fn fault(&mut self, venue: &Venue) -> bool {
        let draw = self.random.below(self.faults.weight);
        let Some(kind) = self.faults.pick(draw) else {
            return false;
        };
        let instrument = self.regular_instrument().unwrap_or(0);
        let lane = self.lane(instrument, venue).unwrap_or(Lane(0));
        let acts = match kind {
            FaultKind::ReplaceOfDead => vec![Act::ReplaceDead(lane)],
            FaultKind::CancelOfDead => vec![Act::CancelDead(lane)],
            FaultKind::Resend => vec![Act::Resend(lane)],
            FaultKind::Repeated => {
                let enter = self.plain(lane, instrument, venue);
                vec![Act::Enter(enter); self.config.repeat_len as usize]
            }
            FaultKind::RateBurst => (0..self.config.burst_len)
                .map(|_| Act::Enter(self.plain(lane, instrument, venue)))
                .collect(),
            FaultKind::UnknownSymbol
            | FaultKind::PriceOffTick
            | FaultKind::ThroughCollar
            | FaultKind::QuantityTooLarge
            | FaultKind::NotionalTooLarge
            | FaultKind::Restricted
            | FaultKind::NotPermitted
            | FaultKind::UnknownFirm
            | FaultKind::AfterHours
            | FaultKind::Malformed
            | FaultKind::Pegged
            | FaultKind::Hidden => vec![Act::Enter(self.bad_order(kind, lane, instrument, venue))],
        };
        self.queue.extend(acts);
        true
    }

    /// An order that would pass, and does not rest if it does.
    fn plain(&mut self, lane: Lane, instrument: usize, venue: &Venue) -> Enter {
        let (tick_wire, lot_wire) = venue
            .instruments
            .get(instrument)
            .map_or((1, 1), |spec| (spec.tick_wire, spec.lot_wire));
        let side = self.side();
        Enter {
            handle: None,
            lane,
            listing: Listing::Known(instrument),
            side,
            quantity: self.quantity(lot_wire),
            price: self.passive_price(instrument, side, tick_wire),
            time_in_force: TimeInForce::Ioc,
            flaw: Flaw::None,
        }
    }

    fn bad_order(
        &mut self,
        kind: FaultKind,
        lane: Lane,
        instrument: usize,
        venue: &Venue,
    ) -> Enter {
        let instrument = match kind {
            FaultKind::Restricted => self.one_of(|faults| &faults.restricted, instrument),
            FaultKind::NotionalTooLarge => self.one_of(|faults| &faults.heavy, instrument),
            FaultKind::PriceOffTick => self.one_of(|faults| &faults.coarse, instrument),
            FaultKind::NotPermitted
            | FaultKind::UnknownSymbol
            | FaultKind::ThroughCollar
            | FaultKind::QuantityTooLarge
            | FaultKind::Repeated
            | FaultKind::RateBurst
            | FaultKind::UnknownFirm
            | FaultKind::AfterHours
            | FaultKind::Malformed
            | FaultKind::Pegged
            | FaultKind::Hidden
            | FaultKind::ReplaceOfDead
            | FaultKind::CancelOfDead
            | FaultKind::Resend => instrument,
        };
        let mut enter = self.plain(lane, instrument, venue);
        let spec = venue.instruments.get(instrument);
        match kind {
            FaultKind::UnknownSymbol => enter.listing = Listing::Unknown,
            FaultKind::PriceOffTick => enter.price += 1,
            FaultKind::ThroughCollar => {
                let mid = self.mid(instrument) * spec.map_or(1, |spec| spec.tick_wire);
                let tick = spec.map_or(1, |spec| spec.tick_wire);
                let far = match enter.side {
                    Side::Buy => mid + mid / 2,
                    Side::Sell => mid / 2,
                };
                enter.price = (far - far % tick).max(tick);
            }
            FaultKind::QuantityTooLarge => {
                let lot = spec.map_or(1, |spec| spec.lot_wire);
                enter.quantity = OUCH50.qty_max_wire - OUCH50.qty_max_wire % lot;
            }
            FaultKind::NotionalTooLarge => {
                let heavy = spec.and_then(|spec| spec.qty_heavy_wire);
                enter.quantity = heavy.unwrap_or(enter.quantity);
            }
            FaultKind::NotPermitted => {
                let at = self.random.index(self.faults.barred.len());
                if let Some((lane, barred)) = self.faults.barred.get(at).copied() {
                    enter = self.plain(lane, barred, venue);
                }
            }
            FaultKind::UnknownFirm => enter.flaw = Flaw::UnknownFirm,
            FaultKind::AfterHours => enter.time_in_force = TimeInForce::AfterHours,
            FaultKind::Malformed => enter.flaw = Flaw::Malformed,
            FaultKind::Pegged => enter.flaw = Flaw::Pegged,
            FaultKind::Hidden => enter.flaw = Flaw::Hidden,
            FaultKind::Restricted
            | FaultKind::Repeated
            | FaultKind::RateBurst
            | FaultKind::ReplaceOfDead
            | FaultKind::CancelOfDead
            | FaultKind::Resend => {}
        }
        enter
    }

    fn one_of(&mut self, list: fn(&Faults) -> &Vec<usize>, otherwise: usize) -> usize {
        let len = list(&self.faults).len();
        let at = self.random.index(len);
        list(&self.faults).get(at).copied().unwrap_or(otherwise)
    }
}

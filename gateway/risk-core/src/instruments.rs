//! Instruments: reference price, collar, margin schedule, open interest, volume window.
//!
//! Risk thread. Invariants: collar and margin scale are those of the last reference under the limits
//! in force; open interest sums are those of the positions; each reference that comes is noted in the
//! drift, and watched.

mod saved;

extern crate alloc;

use crate::approach::LineSink;
use crate::drift::{Bases, Drift, Quote};
use crate::limits::instrument::{InstrumentLimits, TIERS_MAX, Tiers};
use crate::positions::Position;
use crate::volume_window::VolumeWindow;
use alloc::boxed::Box;
use portcullis_domain::{Ppm, Side, TradingState};

/// A reference price and what was prepared from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    pub(crate) price: i64,
    pub(crate) at_ns: u64,
    pub(crate) lo: i64,
    pub(crate) hi: i64,
}

impl Reference {
    /// A price with the collar that these limits put around it.
    fn new(price: i64, at_ns: u64, limits: &InstrumentLimits) -> Self {
        let wide = i128::from(price);
        let away = Ppm::new(limits.collar_ppm).of_floor(wide);
        Self {
            price,
            at_ns,
            lo: (wide - away) as i64,
            hi: (wide + away) as i64,
        }
    }
}

/// A part of a margin schedule.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Step {
    /// The margin of all lower tiers, in millionths of a quantum ...
    base: i128,
    /// ... and on top of it, from this notional on ...
    from: i64,
    /// ... this ratio, ppm.
    ratio: u32,
}

impl Step {
    /// Behind the last one.
    const UNUSED: Self = Self {
        base: 0,
        from: i64::MAX,
        ratio: 0,
    };
}

/// A margin schedule with the scale of the moment already in it, two tiers a line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Schedule {
    steps: [Step; TIERS_MAX],
    len: usize,
}

impl Schedule {
    /// No margin at all: an instrument that no table has named yet.
    const EMPTY: Self = {
        let mut steps = [Step::UNUSED; TIERS_MAX];
        steps[0].from = 0;
        Self { steps, len: 1 }
    };

    /// The schedule of `tiers` scaled by `scale_ppm`: eff(im) = im + ceil((10^6 - im) x s / 10^6).
    pub(crate) fn new(tiers: &Tiers, scale_ppm: u32) -> Self {
        let mut schedule = Self {
            steps: [Step::UNUSED; TIERS_MAX],
            len: tiers.as_slice().len(),
        };
        let (mut base, mut below) = (0, None::<Step>);
        for (step, tier) in schedule.steps.iter_mut().zip(tiers.as_slice()) {
            let from = tier.from_notional;
            if let Some(below) = below {
                base += i128::from(from - below.from) * i128::from(below.ratio);
            }
            let rest = Ppm::new(scale_ppm).of_ceil((1_000_000 - tier.ratio_ppm).into());
            let ratio = tier.ratio_ppm + rest as u32;
            *step = Step { base, from, ratio };
            below = Some(*step);
        }
        schedule
    }

    /// Margin of a notional, in millionths of a quantum.
    #[inline]
    pub(crate) fn margin_millionths(&self, notional: i128) -> i128 {
        let Ok(notional) = i64::try_from(notional) else {
            return self.margin_at_an_end(notional);
        };
        let tier = self.tier_of(notional);
        // Far from the end of i128: a base is below 2^63 quanta in millionths.
        let above = i128::from(notional) - i128::from(tier.from);
        above * i128::from(tier.ratio) + tier.base
    }

    /// The same of a notional that is none of a debt.
    #[inline(always)]
    pub(crate) fn margin_of(&self, notional: i64) -> i128 {
        let tier = self.tier_of(notional);
        // No tier begins below 0; and a base is below 2^63 quanta in millionths, as is what comes to it.
        let above = notional.wrapping_sub(tier.from);
        (i128::from(above) * i128::from(tier.ratio)).wrapping_add(tier.base)
    }

    /// The tier of a notional: where one begins, the one below tells the same; and nothing is beyond an unused one.
    #[inline(always)]
    fn tier_of(&self, notional: i64) -> &Step {
        let [first, higher @ ..] = &self.steps;
        let mut tier = first;
        for next in higher {
            if next.from >= notional {
                break;
            }
            tier = next;
        }
        tier
    }

    /// The same of a notional beyond i64. One that leaves i128 stands at its end, and so does its margin.
    #[cold]
    fn margin_at_an_end(&self, notional: i128) -> i128 {
        let tier = match notional < 0 {
            true => &self.steps[0],
            false => &self.steps[self.len - 1],
        };
        let above = notional - i128::from(tier.from);
        above
            .saturating_mul(tier.ratio.into())
            .saturating_add(tier.base)
    }

    /// The steepest ratio: no further quantum of notional costs more.
    pub(crate) fn ratio_max(&self) -> u32 {
        let ratios = self.steps.iter().map(|step| step.ratio);
        ratios.max().unwrap_or(0)
    }
}

/// What a position adds to its instrument's open interest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interest {
    open: i64,
    long: i64,
    short: i64,
}

impl Interest {
    #[inline(always)]
    pub(crate) fn of(position: &Position) -> Self {
        Self {
            open: position.net.max(0),
            long: (position.net + position.open_buy).max(0),
            short: (position.open_sell - position.net).max(0),
        }
    }
}

/// One instrument: two lines that an order reads, and what prices, valuations and settlements need.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Instrument {
    pub(crate) reference: Option<Reference>,
    /// Quanta that one more lot adds to a requirement at the most, at the reference price and the
    /// steepest ratio; `i64::MAX` where that is beyond it.
    pub(crate) lot_need: i64,
    /// Quanta of one lot at the reference price; likewise.
    pub(crate) lot_value: i64,
    /// IM scale, ppm.
    pub(crate) scale_ppm: u32,
    pub(crate) state: TradingState,
    // The second line, up to the first part of the window.
    /// Sum over accounts of max(0, n + B).
    pub(crate) long_would_be: i64,
    /// Sum over accounts of max(0, S - n).
    pub(crate) short_would_be: i64,
    pub(crate) window: VolumeWindow,
    // All that an order need not read.
    /// Sum over accounts of max(0, n).
    pub(crate) open_interest: i64,
    /// Until when the reference is fresh.
    pub(crate) fresh_until_ns: u64,
    /// Quanta of a tick of a lot; 0 for an instrument that no table has named yet.
    pub(crate) value: i64,
    /// How many settlements there were, and the price of the last.
    pub(crate) settlements: u32,
    pub(crate) settlement_price: i64,
    // Lines of their own.
    pub(crate) initial: Schedule,
    pub(crate) maintenance: Schedule,
    /// Reference price at the start of the day.
    pub(crate) day_price: Option<i64>,
    /// Open interest when the last reference came.
    reference_open_interest: i64,
    /// What drift is measured from.
    bases: Bases,
}

const _: () = assert!(core::mem::offset_of!(Instrument, long_would_be) == 64);
const _: () = assert!(core::mem::offset_of!(Instrument, window) == 80);

impl Instrument {
    const fn absent() -> Self {
        Self {
            reference: None,
            initial: Schedule::EMPTY,
            maintenance: Schedule::EMPTY,
            lot_need: i64::MAX,
            lot_value: i64::MAX,
            fresh_until_ns: 0,
            value: 0,
            scale_ppm: 0,
            state: TradingState::Active,
            open_interest: 0,
            long_would_be: 0,
            short_would_be: 0,
            window: VolumeWindow::new(),
            settlement_price: 0,
            settlements: 0,
            day_price: None,
            reference_open_interest: 0,
            bases: Bases::NONE,
        }
    }

    /// The lines that an order reads and writes; the orders of many accounts keep them near.
    #[inline(always)]
    pub(crate) fn visit_lines(&self, lines: &mut impl LineSink) {
        lines.warm(&self.lot_need);
        lines.warm(&self.long_would_be);
        self.window.visit_bucket(lines);
    }

    /// The lines that a valuation reads beside these.
    pub(crate) fn visit_valued(&self, lines: &mut impl LineSink) {
        lines.line(&self.fresh_until_ns);
        lines.line(&self.initial.steps[0].from);
        lines.line(&self.maintenance.steps[0].from);
    }

    /// The reference price, if there is one.
    #[inline]
    pub(crate) fn price(&self) -> Option<i64> {
        self.reference.map(|reference| reference.price)
    }

    /// Open interest of a side, holds included.
    #[inline(always)]
    pub(crate) const fn would_be_mut(&mut self, side: Side) -> &mut i64 {
        match side {
            Side::Buy => &mut self.long_would_be,
            Side::Sell => &mut self.short_would_be,
        }
    }

    /// Quanta of lots at the reference price; none without one.
    ///
    /// # Panics
    /// If it leaves i128, which the load rules keep positions from.
    #[inline(always)]
    pub(crate) fn worth(&self, lots: i128) -> i128 {
        // One multiplication where both factors are what positions have.
        match i64::try_from(lots) {
            Ok(lots) if self.lot_value < i64::MAX => i128::from(lots) * i128::from(self.lot_value),
            _ => self.worth_widely(lots),
        }
    }

    /// The same in i64; `None` where it leaves that, or a lot's worth does, or there is no price.
    #[inline(always)]
    pub(crate) fn worth_narrowly(&self, lots: i64) -> Option<i64> {
        if self.lot_value == i64::MAX {
            return None;
        }
        lots.checked_mul(self.lot_value)
    }

    #[cold]
    fn worth_widely(&self, lots: i128) -> i128 {
        let price = i128::from(self.price().unwrap_or(0));
        lots * (price * i128::from(self.value))
    }

    /// The reference price and the margin scale that came with it.
    fn quote(&self) -> Option<Quote> {
        let scale_ppm = self.scale_ppm;
        self.price().map(|price| Quote { price, scale_ppm })
    }

    /// A position changed from adding `before` to adding `after`.
    #[inline(always)]
    pub(crate) fn move_interest(&mut self, before: &Interest, after: &Interest) {
        self.open_interest += after.open - before.open;
        self.long_would_be += after.long - before.long;
        self.short_would_be += after.short - before.short;
    }

    /// What the bound of accounts takes from here, anew after price, schedule or value changed.
    fn prepare_bound(&mut self, limits: &InstrumentLimits) {
        let Some(price) = self.price() else { return };
        let value = i128::from(limits.value.quanta());
        let at_most = |quanta: i128| i64::try_from(quanta).unwrap_or(i64::MAX);
        let lot = i128::from(price) * value;
        self.lot_need = lot
            .checked_mul(self.initial.ratio_max().into())
            .map_or(i64::MAX, |millionths| {
                at_most(-(-millionths).div_euclid(1_000_000))
            });
        self.lot_value = at_most(lot);
    }

    /// The margin scale of the last reference's open interest.
    fn scale_for(&self, limits: &InstrumentLimits) -> u32 {
        let oi = self.reference_open_interest;
        if oi <= limits.oi_lower {
            return 0;
        }
        if oi >= limits.oi_upper {
            return 1_000_000;
        }
        let above = i128::from(oi - limits.oi_lower) * 1_000_000;
        let width = i128::from(limits.oi_upper - limits.oi_lower);
        ((above + width - 1) / width) as u32
    }
}

/// All instruments.
#[derive(Debug)]
pub(crate) struct Instruments {
    all: Box<[Instrument]>,
    pub(crate) drift: Drift,
}

impl Instruments {
    pub(crate) fn new(instruments_max: usize) -> Self {
        let all = alloc::vec![Instrument::absent(); instruments_max].into_boxed_slice();
        Self {
            all,
            drift: Drift::new(instruments_max),
        }
    }

    /// An instrument, if there is room for one.
    #[inline(always)]
    pub(crate) fn at(&self, index: u32) -> Option<&Instrument> {
        self.all.get(index as usize)
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> &Instrument {
        &self.all[index as usize]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> &mut Instrument {
        &mut self.all[index as usize]
    }

    /// An instrument to be changed, with what is known of the drift of all.
    #[inline(always)]
    pub(crate) fn with_drift(&mut self, index: u32) -> (&mut Instrument, &Drift) {
        (&mut self.all[index as usize], &self.drift)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Instrument> {
        self.all.iter_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Instrument> {
        self.all.iter()
    }

    /// Sets a reference price that the caller has found to be within 1..=price_max.
    pub(crate) fn set_reference(
        &mut self,
        index: u32,
        price: i64,
        now_ns: u64,
        limits: &InstrumentLimits,
    ) {
        assert!(
            price >= 1 && price <= limits.price_max,
            "reference price unchecked"
        );
        let instrument = &mut self.all[index as usize];
        let before = instrument.quote();
        instrument.reference = Some(Reference::new(price, now_ns, limits));
        instrument.reference_open_interest = instrument.open_interest;
        let scale_ppm = instrument.scale_for(limits);
        if scale_ppm != instrument.scale_ppm {
            instrument.scale_ppm = scale_ppm;
            instrument.initial = Schedule::new(&limits.initial, scale_ppm);
        }
        instrument.prepare_bound(limits);
        if let (Some(before), Some(after)) = (before, instrument.quote()) {
            self.drift.note(index, &mut instrument.bases, before, after);
        }
        let fresh_until_ns = now_ns.saturating_add(limits.ref_max_age_ns);
        instrument.fresh_until_ns = fresh_until_ns;
        self.drift.watch(index, now_ns, fresh_until_ns);
    }

    /// Takes over new limits: what was prepared from the last reference is prepared anew, as if the
    /// price came again. What was valued before is valued no longer.
    pub(crate) fn relimit(&mut self, index: u32, limits: &InstrumentLimits) {
        let instrument = &mut self.all[index as usize];
        instrument.value = limits.value.quanta();
        if let Some(last) = instrument.reference {
            let fresh_until_ns = last.at_ns.saturating_add(limits.ref_max_age_ns);
            instrument.fresh_until_ns = fresh_until_ns;
            self.drift.watch(index, last.at_ns, fresh_until_ns);
            instrument.reference = Some(Reference::new(last.price, last.at_ns, limits));
            instrument.scale_ppm = instrument.scale_for(limits);
        }
        instrument.initial = Schedule::new(&limits.initial, instrument.scale_ppm);
        instrument.maintenance = Schedule::new(&limits.maintenance, 0);
        instrument.window.relimit(limits);
        instrument.prepare_bound(limits);
        self.drift.begin_group_of(index);
    }
}

impl Instrument {
    /// Gives the instrument's canonical words to `push`.
    pub(crate) fn visit_words(&self, push: &mut impl FnMut(u64)) {
        let reference = self.reference;
        push(reference.map_or(0, |at| at.price as u64));
        push(reference.map_or(0, |at| at.at_ns));
        push(u64::from(self.scale_ppm) << 8 | self.state as u64);
        push(self.open_interest as u64);
        push(self.reference_open_interest as u64);
        push(self.long_would_be as u64);
        push(self.short_would_be as u64);
        push(self.settlement_price as u64);
        push(self.settlements.into());
        push(self.day_price.unwrap_or(0) as u64);
        self.window.visit_words(push);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::instrument::Tier;

    /// The worked example of tiers: each part of the notional at its own ratio.
    #[test]
    fn margin_adds_up_tier_by_tier() {
        let tiers = [(0, 50_000), (40_000_000, 120_001), (150_000_000, 500_000)].map(
            |(from_notional, ratio_ppm)| Tier {
                from_notional,
                ratio_ppm,
            },
        );
        let schedule = Schedule::new(&Tiers::new(&tiers).expect("ascending"), 0);
        let most = i128::from(i64::MAX);
        let of_most = 2_000_000_000_000 + 110_000_000 * 120_001 + (most - 150_000_000) * 500_000;
        let cases: [(i128, i128); 9] = [
            (0, 0),
            (39_999_999, 1_999_999_950_000),
            (-1, -50_000),
            (most, of_most),
            (most + 3, of_most + 1_500_000),
            (i128::MAX, i128::MAX),
            (40_000_000, 2_000_000_000_000),
            (40_000_001, 2_000_000_120_001),
            (
                150_000_002,
                2_000_000_000_000 + 110_000_000 * 120_001 + 1_000_000,
            ),
        ];
        for (notional, margin) in cases {
            assert_eq!(schedule.margin_millionths(notional), margin, "{notional}");
        }
        let full = Schedule::new(&Tiers::new(&tiers).expect("ascending"), 1_000_000);
        assert_eq!(full.margin_millionths(7), 7_000_000);
    }
}

//! The volume-spike breaker's window: 64 buckets against a slow baseline.
//!
//! Risk thread, one an instrument. Invariants: `volume` is the sum of the buckets; the baseline has
//! taken each bucket that left the window, in order, empty ones too, so a spike is never part of
//! its own baseline. Moving the window on is the same whether done at once or in steps.

use crate::approach::LineSink;
use crate::limits::instrument::{BUCKET_NS_MAX, InstrumentLimits, VOLUME_BUCKETS};
use crate::saved::{Read, Words, push_wide};

/// The window, its baseline and the breaker's cooldown.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct VolumeWindow {
    /// When the current bucket ends.
    current_end_ns: u64,
    bucket_ns: u64,
    volume: i64,
    /// What the window may hold: it follows from the baseline and the limits, and changes with them.
    threshold: i64,
    tripped_until_ns: u64,
    /// Number of the current bucket: floor(time / bucket_ns).
    current: u64,
    // What is not read by every order.
    /// Lots a bucket, in units of 2^-16.
    ewma: i128,
    buckets: [i64; VOLUME_BUCKETS],
}

/// What the breaker says of an order now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spike {
    /// Whether it is still open from an earlier trip.
    pub(crate) tripped: bool,
    /// Lots in the window.
    pub(crate) volume: i64,
    /// Lots it stands at the most.
    pub(crate) threshold: i64,
}

impl VolumeWindow {
    pub(crate) const fn new() -> Self {
        Self {
            current_end_ns: 0,
            bucket_ns: 0,
            volume: 0,
            threshold: 0,
            tripped_until_ns: 0,
            current: 0,
            ewma: 0,
            buckets: [0; VOLUME_BUCKETS],
        }
    }

    /// Moves the window on to `now_ns`.
    #[inline]
    pub(crate) fn advance(&mut self, now_ns: u64, limits: &InstrumentLimits) {
        if now_ns >= self.current_end_ns || limits.bucket_ns != self.bucket_ns {
            self.advance_bucket(now_ns, limits);
        }
    }

    /// Moves the window on by one bucket, where that is by a few in all, as it mostly is where orders are many, and
    /// its baseline is not large; any other way the long way, at once.
    #[inline(never)]
    fn advance_bucket(&mut self, now_ns: u64, limits: &InstrumentLimits) {
        let near = limits.bucket_ns == self.bucket_ns
            && now_ns.wrapping_sub(self.current_end_ns) / NEAR < self.bucket_ns;
        let next = self.current.wrapping_add(1);
        let leaving = next as usize % VOLUME_BUCKETS;
        let lots = self.buckets[leaving];
        let narrow = self.ewma as i64;
        let few = lots < FEW && (0..FEW << 16).contains(&narrow) && i128::from(narrow) == self.ewma;
        let (end_ns, never) = self.current_end_ns.overflowing_add(self.bucket_ns);
        if !near || !few || never {
            self.advance_slow(now_ns, limits);
            return;
        }
        self.current = next;
        self.current_end_ns = end_ns;
        self.buckets[leaving] = 0;
        self.volume -= lots;
        let followed = follow_few(narrow, lots, limits.ewma_shift);
        if followed != narrow {
            self.ewma = followed.into();
            self.relimit(limits);
        }
        if now_ns >= end_ns {
            self.advance_bucket(now_ns, limits);
        }
    }

    #[inline(never)]
    fn advance_slow(&mut self, now_ns: u64, limits: &InstrumentLimits) {
        let resized = limits.bucket_ns != self.bucket_ns;
        if resized {
            self.resize(now_ns, limits.bucket_ns);
        }
        let next = !resized && now_ns - self.current_end_ns < self.bucket_ns;
        let target = if next {
            self.current + 1
        } else {
            now_ns / self.bucket_ns
        };
        let mut steps = target.saturating_sub(self.current);
        self.current = self.current.max(target);
        self.current_end_ns = (self.current + 1).saturating_mul(self.bucket_ns);
        // Once buckets and baseline are empty, further empty buckets change nothing.
        let mut leaving = (self.current - steps + 1) as usize % VOLUME_BUCKETS;
        let ewma = self.ewma;
        while steps > 0 && (self.volume != 0 || self.ewma != 0) {
            let lots = core::mem::take(&mut self.buckets[leaving]);
            self.volume -= lots;
            self.ewma = follow(self.ewma, lots, limits.ewma_shift);
            leaving = (leaving + 1) % VOLUME_BUCKETS;
            steps -= 1;
        }
        if resized || self.ewma != ewma {
            self.relimit(limits);
        }
    }

    /// Takes over limits: max(spike_floor, floor(64 x ewma x spike_ppm / (2^16 x 10^6))), by the
    /// shift first, then exactly.
    pub(crate) fn relimit(&mut self, limits: &InstrumentLimits) {
        let factor = VOLUME_BUCKETS as i64 * i64::from(limits.spike_ppm);
        let scaled = match i64::try_from(self.ewma) {
            Ok(narrow) => i128::from(narrow) * i128::from(factor),
            Err(_) => self.ewma * i128::from(factor),
        };
        // A product beyond u64 is a threshold beyond any volume.
        let baseline = u64::try_from(scaled >> 16).map_or(i64::MAX as u64, |n| n / 1_000_000);
        let baseline = i64::try_from(baseline).unwrap_or(i64::MAX);
        self.threshold = baseline.max(limits.spike_floor);
    }

    /// Another bucket length: what is in the window counts as just traded, which errs to the strict
    /// side, and the baseline is rescaled, down.
    fn resize(&mut self, now_ns: u64, bucket_ns: u64) {
        if self.bucket_ns != 0 {
            self.ewma = self.ewma * i128::from(bucket_ns) / i128::from(self.bucket_ns);
        }
        self.bucket_ns = bucket_ns;
        self.current = now_ns / bucket_ns;
        self.buckets = [0; VOLUME_BUCKETS];
        self.buckets[self.current as usize % VOLUME_BUCKETS] = self.volume;
    }

    /// What the breaker says at `now_ns`, to which the window must have been moved.
    #[inline]
    pub(crate) fn judge(&self, now_ns: u64) -> Spike {
        Spike {
            tripped: now_ns < self.tripped_until_ns,
            volume: self.volume,
            threshold: self.threshold,
        }
    }

    /// Whether an order that adds `qty` lots plainly passes.
    #[inline(always)]
    pub(crate) fn is_clear(&self, now_ns: u64, qty: i64) -> bool {
        let free = self.threshold.checked_sub(self.volume);
        now_ns >= self.tripped_until_ns && free.is_some_and(|free| qty <= free)
    }

    /// The line of the current bucket, and that of the baseline, to which each bucket that ends goes.
    #[inline(always)]
    pub(crate) fn visit_bucket(&self, lines: &mut impl LineSink) {
        lines.warm(&self.ewma);
        lines.warm(&self.buckets[self.current as usize % VOLUME_BUCKETS]);
    }

    /// Counts accepted lots into the current bucket.
    #[inline(always)]
    pub(crate) fn count(&mut self, qty: i64) {
        self.buckets[self.current as usize % VOLUME_BUCKETS] += qty;
        self.volume += qty;
    }

    /// Opens the breaker.
    pub(crate) fn trip(&mut self, now_ns: u64, limits: &InstrumentLimits) {
        self.tripped_until_ns = now_ns.saturating_add(limits.cooldown_ns);
    }

    pub(crate) fn save(&self, push: &mut impl FnMut(u64)) {
        push(self.bucket_ns);
        push(self.current);
        push(self.tripped_until_ns);
        push_wide(self.ewma, push);
        self.buckets.iter().for_each(|lots| push(*lots as u64));
    }

    /// The window, without its threshold, which the limits in force give it.
    pub(crate) fn load(now_ns: u64, words: &mut Words<'_>) -> Read<Self> {
        let mut window = Self::new();
        window.bucket_ns = words.at_most(BUCKET_NS_MAX as usize, "a bucket too long")? as u64;
        window.current = words.word()?;
        let last = now_ns.checked_div(window.bucket_ns).unwrap_or(0);
        words.must(window.current <= last, "a bucket after the last command")?;
        window.current_end_ns = (window.current + 1).saturating_mul(window.bucket_ns);
        window.tripped_until_ns = words.word()?;
        window.ewma = words.wide()?;
        let scaled = window
            .ewma
            .checked_mul(VOLUME_BUCKETS as i128 * i128::from(u32::MAX));
        let in_range = window.ewma >= 0 && scaled.is_some();
        words.must(in_range, "a baseline out of range")?;
        for bucket in &mut window.buckets {
            *bucket = words.amount(i64::MAX >> 1, "a bucket out of range")?;
            let volume = window.volume.checked_add(*bucket);
            window.volume = volume.ok_or(words.wrong("a volume out of range"))?;
        }
        let begun = window.bucket_ns > 0 || window.volume == 0;
        words.must(begun, "lots in a window not begun")?;
        Ok(window)
    }

    /// Gives the window's canonical words to `push`.
    pub(crate) fn visit_words(&self, push: &mut impl FnMut(u64)) {
        self.buckets.iter().for_each(|lots| push(*lots as u64));
        push(self.current);
        push(self.bucket_ns);
        push(self.ewma as u64);
        push(self.tripped_until_ns);
    }
}

/// Buckets that are not many: one after the other they take less than a division.
const NEAR: u64 = 8;

/// Lots whose 2^16-fold leaves i64 room.
const FEW: i64 = 1 << 45;

/// The same where both are few.
#[inline(always)]
const fn follow_few(ewma: i64, lots: i64, shift: u32) -> i64 {
    ewma + (((lots << 16) - ewma) >> (shift & 63))
}

/// The baseline after a bucket of `lots`: ewma + floor((lots x 2^16 - ewma) / 2^shift).
#[inline(always)]
fn follow(ewma: i128, lots: i64, shift: u32) -> i128 {
    match i64::try_from(ewma) {
        Ok(narrow) if lots < FEW && narrow < FEW << 16 => follow_few(narrow, lots, shift).into(),
        Ok(_) | Err(_) => ewma + (((i128::from(lots) << 16) - ewma) >> shift),
    }
}

impl Spike {
    /// Whether an order that adds `qty` lots fails.
    #[inline]
    pub(crate) const fn fails(&self, qty: i64) -> bool {
        self.tripped || self.volume.saturating_add(qty) > self.threshold
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::limits::instrument::{Tier, Tiers, WireUnits};
    use portcullis_domain::TickLotValue;
    use std::vec::Vec;

    const BUCKET_NS: u64 = 1_000;

    fn limits() -> InstrumentLimits {
        let tiers = Tiers::new(&[Tier::default()]).expect("one tier from nothing");
        InstrumentLimits {
            value: TickLotValue::new(1).expect("a value"),
            ewma_shift: 3,
            price_max: 1,
            oi_cap: 0,
            oi_share_max: 0,
            ref_max_age_ns: 1,
            bucket_ns: BUCKET_NS,
            spike_floor: 10,
            spike_ppm: 2_000_000,
            collar_ppm: 0,
            oi_lower: 0,
            oi_upper: 0,
            cooldown_ns: 0,
            initial: tiers,
            maintenance: tiers,
            wire: WireUnits::ONE,
        }
    }

    fn all_of(window: &VolumeWindow) -> Vec<u64> {
        let mut words = std::vec![window.current_end_ns, window.threshold as u64];
        words.push(window.volume as u64);
        window.save(&mut |word| words.push(word));
        words
    }

    /// Steps of less than a bucket, of one and of many, with few lots and with so many that the baseline
    /// leaves what the short way takes: both ways lead to the same window.
    #[test]
    fn the_short_way_is_the_long_way() {
        let limits = limits();
        let (mut short, mut long) = (VolumeWindow::new(), VolumeWindow::new());
        let (mut now_ns, mut state) = (BUCKET_NS, 7_u64);
        for step in 0..4_000_u64 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(step | 1);
            now_ns += match state >> 60 {
                0 => 70 * BUCKET_NS,
                1..4 => 2 * BUCKET_NS,
                4..12 => BUCKET_NS,
                _ => BUCKET_NS / 3,
            };
            short.advance(now_ns, &limits);
            if now_ns >= long.current_end_ns || long.bucket_ns != BUCKET_NS {
                long.advance_slow(now_ns, &limits);
            }
            let lots = if state & 31 == 0 { FEW } else { 100 };
            short.count(lots);
            long.count(lots);
            assert_eq!(all_of(&short), all_of(&long), "step {step}");
        }
    }
}

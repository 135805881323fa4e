//! Arrival times that excite each other, in fixed point.
//!
//! **Thread.** The driver's.
//! **Invariants.** Time rises by at least 1 ns an event. Intensity is a base rate plus an excitation
//! that jumps with each event and halves every `half_life_ns`; with branching ratio b each event
//! sets off b others on average.
//! **Never.** A float.
//!
//! The method is thinning (Ogata 1981): intensity only falls between events, so its value now bounds
//! it; a candidate comes after an exponential time at that bound and counts with probability
//! intensity then over intensity now.

use crate::config::GeneratorConfig;
use crate::random::{LN2_Q16, Random};

const NS_PER_S: u128 = 1_000_000_000;
/// 1 in units of 2^-32.
const ONE_Q32: u128 = 1 << 32;
/// The excitation is capped at this many times the base rate, in case of a branching ratio near 1.
const EXCITATION_MAX: u64 = 1_000;

#[derive(Debug)]
pub(super) struct Arrivals {
    now_ns: u64,
    /// Rates are events a second in units of 2^-16.
    base_q16: u64,
    excitation_q16: u64,
    jump_q16: u64,
    half_life_ns: u64,
}

impl Arrivals {
    pub(super) fn new(config: &GeneratorConfig) -> Self {
        let half_life_ns = config.half_life_ns.max(1);
        let branching = u128::from(config.branching_ppm.min(999_999));
        // A jump decays over half_life / ln 2 on average, so that jump x half_life / ln 2 = branching.
        let jump =
            branching * u128::from(LN2_Q16) * NS_PER_S / (u128::from(half_life_ns) * 1_000_000);
        Self {
            now_ns: 0,
            base_q16: u64::from(config.base_rate.max(1)) << 16,
            excitation_q16: 0,
            jump_q16: u64::try_from(jump).unwrap_or(u64::MAX >> 1),
            half_life_ns,
        }
    }

    pub(super) fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Goes on to the next event.
    pub(super) fn advance(&mut self, random: &mut Random) {
        loop {
            let bound = self.base_q16.saturating_add(self.excitation_q16);
            let wait = u128::from(random.exponential_q16()) * NS_PER_S / u128::from(bound);
            let wait = u64::try_from(wait).unwrap_or(u64::MAX).max(1);
            self.now_ns = self.now_ns.saturating_add(wait);
            self.excitation_q16 = self.decayed(wait);
            let then = self.base_q16.saturating_add(self.excitation_q16);
            if random.below(bound) < then {
                let most = self.base_q16.saturating_mul(EXCITATION_MAX);
                let raised = self.excitation_q16.saturating_add(self.jump_q16);
                self.excitation_q16 = raised.min(most);
                return;
            }
        }
    }

    /// Halved for each whole half-life; within one by the series of e^-x, whose sixth term is below
    /// 2 in 10,000 there. Short waits add up to what one long wait gives, which a straight line
    /// would not.
    fn decayed(&self, wait_ns: u64) -> u64 {
        let halvings = wait_ns / self.half_life_ns;
        if halvings >= 64 {
            return 0;
        }
        let left = self.excitation_q16 >> halvings;
        let part = wait_ns % self.half_life_ns;
        // x = ln 2 x part / half-life, in units of 2^-32.
        let scaled = (u128::from(LN2_Q16) << 16) * u128::from(part);
        let x = scaled / u128::from(self.half_life_ns);
        let mut term = ONE_Q32;
        let (mut plus, mut minus) = (ONE_Q32, 0);
        for order in 1..=5 {
            term = ((term * x) >> 32) / order;
            if order % 2 == 0 {
                plus += term;
            } else {
                minus += term;
            }
        }
        // The factor is between 1/2 and 1.
        ((u128::from(left) * (plus - minus)) >> 32) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(branching_ppm: u32, events: usize) -> Vec<u64> {
        let config = GeneratorConfig {
            base_rate: 1_000,
            branching_ppm,
            half_life_ns: 2_000_000,
            ..GeneratorConfig::default()
        };
        let mut arrivals = Arrivals::new(&config);
        let mut random = Random::new(11);
        (0..events)
            .map(|_| {
                arrivals.advance(&mut random);
                arrivals.now_ns()
            })
            .collect()
    }

    #[test]
    fn without_excitation_the_rate_is_the_base() {
        let last = *times(0, 50_000).last().expect("events");
        assert!((48_000_000_000..52_000_000_000).contains(&last), "{last}");
    }

    #[test]
    fn each_event_sets_off_as_many_as_the_branching_says() {
        // Rate = base / (1 - 0.6) = 2,500 a second.
        let last = *times(600_000, 50_000).last().expect("events");
        assert!((18_000_000_000..22_500_000_000).contains(&last), "{last}");
    }

    #[test]
    fn excited_arrivals_come_in_bursts() {
        // Index of dispersion of counts in 10 ms: 1 for independent arrivals, far more for bursts.
        let dispersion = |times: &[u64]| {
            let bins = times.last().expect("events") / 10_000_000;
            let mut counts = vec![0_u64; bins as usize];
            for time in times {
                if let Some(count) = counts.get_mut((time / 10_000_000) as usize) {
                    *count += 1;
                }
            }
            let sum: u64 = counts.iter().sum();
            let squares: u64 = counts.iter().map(|count| count * count).sum();
            // Hundredths of variance over mean.
            100 * (squares * bins - sum * sum) / (sum * bins)
        };
        let plain = dispersion(&times(0, 50_000));
        let excited = dispersion(&times(600_000, 50_000));
        assert!((90..115).contains(&plain), "{plain}");
        assert!(excited > 250, "{excited}");
    }
}

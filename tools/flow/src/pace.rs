//! When a message is planned to go out.
//!
//! **Thread.** The driver's.
//! **Invariants.** A planned time depends on the source and the start alone, never on answers.
//! **Never.** Sleep.

use crate::config::Pace;

/// The planned times of a drive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pace: Pace,
    /// When source time 0 is, in ns of the driver's clock; set with the first intent.
    start_ns: Option<u64>,
}

impl Schedule {
    pub(crate) const fn new(pace: Pace) -> Self {
        Self {
            pace,
            start_ns: None,
        }
    }

    /// When an intent is planned; without a pace that is when it is looked at.
    pub(crate) fn planned_ns(&mut self, due_ns: u64, now_ns: u64) -> u64 {
        let start = *self.start_ns.get_or_insert(now_ns);
        match self.pace {
            Pace::Unpaced => now_ns,
            Pace::OpenLoop { speed_ppm } => {
                let scaled = u128::from(due_ns) * 1_000_000 / u128::from(speed_ppm.max(1));
                start.saturating_add(u64::try_from(scaled).unwrap_or(u64::MAX))
            }
        }
    }

    pub(crate) fn is_unpaced(&self) -> bool {
        match self.pace {
            Pace::Unpaced => true,
            Pace::OpenLoop { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_speed_is_half_the_time() {
        let mut schedule = Schedule::new(Pace::OpenLoop {
            speed_ppm: 2_000_000,
        });
        assert_eq!(schedule.planned_ns(0, 500), 500);
        assert_eq!(schedule.planned_ns(1_000, 9_999), 1_000);
    }

    #[test]
    fn without_a_pace_now_is_planned() {
        let mut schedule = Schedule::new(Pace::Unpaced);
        assert_eq!(schedule.planned_ns(1_000_000, 7), 7);
        assert_eq!(schedule.planned_ns(1_000_000, 8), 8);
    }
}

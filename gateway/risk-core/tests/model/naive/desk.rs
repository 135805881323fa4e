//! What a gateway around the core has and the command vectors do not: links, and limits that change.
//!
//! Part of the naive model, for the simulator, which includes it: the core's own tests have their
//! links up and their limits fixed. Invariant: what is prepared from limits is prepared anew from
//! those that take effect; what the last reference fixed (the margin's scale) stays.

use super::{Config, Naive, ceil_div};

impl Naive {
    /// The engine's link to a session went up or down.
    #[allow(dead_code, reason = "the simulator's, which includes this file")]
    pub(crate) fn link(&mut self, session: u32, up: bool) {
        if up {
            self.down.remove(&session);
        } else {
            self.down.insert(session);
        }
    }

    /// Other limits for the same accounts and instruments take effect.
    #[allow(dead_code, reason = "the simulator's, which includes this file")]
    pub(crate) fn relimit(&mut self, config: &Config) {
        self.config = config.clone();
        for (id, instrument) in &mut self.instruments {
            let collar = i128::from(config.instruments[*id as usize].collar_ppm);
            if let Some((price, _)) = instrument.reference {
                instrument.lo = ceil_div(price * (1_000_000 - collar), 1_000_000);
                instrument.hi = (price * (1_000_000 + collar)).div_euclid(1_000_000);
            }
        }
    }
}

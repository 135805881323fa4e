//! Order rate, repeated orders, an account's volume, and the volume breaker.
//!
//! Part of the naive model. Invariant: window and baseline are computed from the list of all
//! accepted orders, bucket by bucket from the first.

use super::{Naive, Side, ceil_div};

/// Buckets in the volume window.
const BUCKETS: i128 = 64;

/// The account's last order.
pub(super) struct LastOrder {
    pub(super) what: (u32, Side, i128, Option<i128>),
    pub(super) time: i128,
    pub(super) count: i128,
}

impl Naive {
    /// Counts an order against the account's rate; `true` if it is too soon.
    pub(super) fn rate_fails(&mut self, account: u32) -> bool {
        let limits = &self.config.accounts[account as usize];
        let emission = ceil_div(limits.rate_interval_ns.into(), limits.rate_count.into());
        let tolerance = (i128::from(limits.rate_burst) - 1) * emission;
        let state = self.accounts.get_mut(&account).expect("known");
        let from = self.now.max(state.tat);
        let fails = from - self.now > tolerance;
        if !fails {
            state.tat = from + emission;
        }
        fails
    }

    /// Remembers a new order; `true` if it is one too many of a kind.
    pub(super) fn repeated_fails(
        &mut self,
        account: u32,
        what: (u32, Side, i128, Option<i128>),
    ) -> bool {
        let limits = &self.config.accounts[account as usize];
        let window = i128::from(limits.repeat_window_ns.unwrap_or(0));
        let now = self.now;
        let state = self.accounts.get_mut(&account).expect("known");
        let count = match &state.last {
            Some(last) if last.what == what && now - last.time <= window => last.count + 1,
            Some(_) | None => 1,
        };
        state.last = Some(LastOrder {
            what,
            time: now,
            count,
        });
        limits.repeat_max.is_none_or(|max| count > i128::from(max))
    }

    /// The account's volume time after `lots` more, and whether that is too far ahead.
    pub(super) fn account_volume(
        &self,
        account: u32,
        instrument: u32,
        lots: i128,
    ) -> Option<(i128, bool)> {
        let max = self.config.accounts[account as usize].account_volume_max?;
        let window = BUCKETS * self.bucket_ns(instrument);
        let per_lot = ceil_div(window, max.into());
        let vtat = self.accounts[&account]
            .vtat
            .get(&instrument)
            .copied()
            .unwrap_or(0);
        let after = self.now.max(vtat) + lots * per_lot;
        Some((after, after - self.now > window))
    }

    /// Books the volume of an accepted order.
    pub(super) fn count_volume(&mut self, account: u32, instrument: u32, lots: i128) {
        let (after, _) = self
            .account_volume(account, instrument, lots)
            .expect("it passed");
        self.accounts
            .get_mut(&account)
            .expect("known")
            .vtat
            .insert(instrument, after);
        let now = self.now;
        self.instruments
            .get_mut(&instrument)
            .expect("known")
            .volumes
            .push((now, lots));
    }

    /// Judges `lots` more by the breaker, which trips if nothing else fails.
    pub(super) fn spike_fails(&mut self, instrument: u32, lots: i128, others_pass: bool) -> bool {
        if self.now < self.instruments[&instrument].tripped_until {
            return true;
        }
        let (volume, ewma) = self.window_and_baseline(instrument);
        let limits = &self.config.instruments[instrument as usize];
        let spike = (64 * ewma * i128::from(limits.spike_ppm)).div_euclid((1 << 16) * 1_000_000);
        let fails = volume + lots > spike.max(limits.spike_floor.into());
        let until = self.now + i128::from(limits.cooldown_ns);
        if fails && others_pass {
            self.instruments
                .get_mut(&instrument)
                .expect("known")
                .tripped_until = until;
        }
        fails
    }

    /// Lots of the window of now, and the baseline of all buckets that have left it.
    fn window_and_baseline(&self, instrument: u32) -> (i128, i128) {
        let bucket_ns = self.bucket_ns(instrument);
        let shift = self.config.instruments[instrument as usize].ewma_shift;
        let mut buckets: Vec<(i128, i128)> = Vec::new();
        for (time, lots) in &self.instruments[&instrument].volumes {
            let number = time.div_euclid(bucket_ns);
            match buckets.last_mut() {
                Some((last, sum)) if *last == number => *sum += lots,
                Some(_) | None => buckets.push((number, *lots)),
            }
        }
        let first_inside = self.now.div_euclid(bucket_ns) - (BUCKETS - 1);
        let inside = buckets.iter().filter(|(bucket, _)| *bucket >= first_inside);
        let window = inside.map(|(_, lots)| lots).sum();
        (window, baseline(&buckets, first_inside, shift))
    }

    fn bucket_ns(&self, instrument: u32) -> i128 {
        self.config.instruments[instrument as usize]
            .bucket_ns
            .into()
    }
}

/// The moving average over all buckets before `end`, the empty ones too.
fn baseline(buckets: &[(i128, i128)], end: i128, shift: i64) -> i128 {
    let mut ewma = 0_i128;
    let mut rest = buckets
        .iter()
        .filter(|(bucket, _)| *bucket < end)
        .peekable();
    while let Some((mut bucket, lots)) = rest.next().copied() {
        ewma += ((lots << 16) - ewma).div_euclid(1 << shift);
        let next = rest.peek().map_or(end, |(next, _)| *next);
        // Empty buckets leave a baseline of zero at zero.
        while bucket + 1 < next && ewma != 0 {
            bucket += 1;
            ewma += (-ewma).div_euclid(1 << shift);
        }
    }
    ewma
}

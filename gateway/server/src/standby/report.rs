//! The line that a standby prints now and then.
//!
//! Main thread.

use super::shared::Shared;
use portcullis_domain::Timestamp;
use portcullis_runtime::{Clock, SystemClock};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// When the next line is due.
pub(super) struct Report {
    every: Duration,
    last: Instant,
    applied: u64,
}

impl Report {
    pub(super) fn new(every: portcullis_domain::Duration) -> Self {
        Self {
            every: Duration::from_nanos(every.ns()),
            last: Instant::now(),
            applied: 0,
        }
    }

    /// The line, where it is due.
    pub(super) fn when_due(&mut self, shared: &Shared) -> Option<String> {
        let since = self.last.elapsed();
        if since < self.every {
            return None;
        }
        let applied = shared.applied.get();
        let news = applied.saturating_sub(self.applied);
        let rate = u128::from(news) * 1_000 / since.as_millis().max(1);
        self.last = Instant::now();
        self.applied = applied;
        Some(format!("standby: {}; {rate} records/s", place(shared)))
    }
}

/// Where it is, in words.
pub(super) fn place(shared: &Shared) -> String {
    let (written, applied) = (shared.written.get(), shared.applied.get());
    let leader_last = shared.leader_last.get().max(written);
    let lag = leader_last - applied.min(leader_last);
    let written_at = Timestamp::from_ns(shared.frame_written_ns.get());
    // Behind nothing there is no lag, however old the last record is.
    let lag_ms = if lag == 0 {
        0
    } else {
        SystemClock.now().since(written_at).ns() / 1_000_000
    };
    let is_following = shared.is_following.load(Ordering::Acquire);
    let how = match (is_following, shared.is_caught_up.load(Ordering::Acquire)) {
        (true, true) => "following".to_owned(),
        (true, false) => "catching up".to_owned(),
        (false, _) => format!("not following ({})", shared.link()),
    };
    format!(
        "{how}; term {}; record {written} written, {applied} applied, {} compared; lag {lag} records, {lag_ms} ms",
        shared.term.get(),
        shared.compared.get()
    )
}

/// What it leaves, in words.
pub(super) fn at_the_end(shared: &Shared) -> String {
    let (written, applied) = (shared.written.get(), shared.applied.get());
    let compared = shared.compared.get();
    let said = format!("record {written} written, {applied} applied, {compared} compared");
    if applied < written {
        return format!(
            "{said}; what is not applied was not compared with its leader's: a start applies it first"
        );
    }
    said
}

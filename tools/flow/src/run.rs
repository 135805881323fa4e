//! All phases in their order.
//!
//! **Thread.** The caller's.
//! **Invariants.** The report is made after the last phase that could change it.
//! **Never.** Print.

use crate::config::FlowConfig;
use crate::driver::{Driver, Drove, Until};
use crate::error::FlowError;
use crate::report::{FlowReport, Progress};
use std::time::{Duration, Instant};

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// Connects, drives to the end of the source or a limit, cancels, flattens, logs out.
///
/// # Errors
/// See [`FlowError`]. What the gateway refuses or answers wrongly is in the report.
pub fn run(
    config: &FlowConfig,
    progress: &mut dyn FnMut(&Progress),
) -> Result<FlowReport, FlowError> {
    let mut driver = Driver::connect(config.clone())?;
    let start = Instant::now();
    let mut messages = config.messages_max;
    loop {
        let time = config
            .elapsed_max
            .map(|max| max.saturating_sub(start.elapsed()));
        if time.is_some_and(|left| left.is_zero()) || messages == Some(0) {
            break;
        }
        let before = driver.progress().messages_sent;
        let slice = time.map_or(PROGRESS_EVERY, |left| left.min(PROGRESS_EVERY));
        let drove = driver.drive(Until {
            messages,
            elapsed: Some(slice),
        })?;
        let now = driver.progress();
        if let Some(left) = &mut messages {
            *left = left.saturating_sub(now.messages_sent - before);
        }
        progress(&now);
        match drove {
            Drove::SourceEnded => break,
            Drove::Limit => {}
        }
    }
    driver.settle()?;
    progress(&driver.progress());
    driver.cancel_all()?;
    progress(&driver.progress());
    driver.flatten(&[])?;
    progress(&driver.progress());
    driver.logout()?;
    Ok(driver.report())
}

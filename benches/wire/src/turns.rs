//! Ways set up side by side and measured in turns, a tenth of a second or less each.
//!
//! On the measuring thread. Invariant: what stands between runs in its own way's turn alone; in all
//! others it rests, so that no two ways share a core, and what the machine does to one it does to
//! its neighbours. Cores that move apart for seconds, as they do here, would otherwise be in the
//! figures of whichever way was measured then.

use crate::rig::{Finished, Rig, Way};
use std::time::Duration;

/// A gateway that has rested for this long is woken, so that nobody takes it for dead, nor it its peers. Nothing else
/// that stands between cares.
const REST_MAX: Duration = Duration::from_secs(4);
/// And for this long, in which it reads what each of a thousand links has said.
const STRETCH: Duration = Duration::from_millis(50);

/// Ways of a round.
#[derive(Default)]
pub(crate) struct Turns(Vec<Rig>);

impl Turns {
    /// Adds one that is set up, and has it rest.
    pub(crate) fn add(&mut self, mut rig: Rig) -> Result<(), String> {
        rig.rest().map_err(|why| within(&rig, why))?;
        self.0.push(rig);
        self.keep_alive()
    }

    /// Each of those that are `among` once, beginning with another from turn to turn.
    pub(crate) fn take(
        &mut self,
        turn: usize,
        among: impl Fn(&Rig) -> bool,
        mut measure: impl FnMut(&mut Rig) -> Result<(), String>,
    ) -> Result<(), String> {
        self.keep_alive()?;
        let rigs = self.0.len();
        for step in 0..rigs {
            let rig = &mut self.0[(turn + step) % rigs];
            if !among(rig) {
                continue;
            }
            let measured = rig
                .wake()
                .and_then(|()| measure(rig))
                .and_then(|()| rig.rest());
            measured.map_err(|why| within(rig, why))?;
        }
        Ok(())
    }

    fn keep_alive(&mut self) -> Result<(), String> {
        let due = |rig: &&mut Rig| rig.way == Way::Gateway && rig.rested() > REST_MAX;
        for rig in self.0.iter_mut().filter(due) {
            rig.wake().map_err(|why| within(rig, why))?;
            std::thread::sleep(STRETCH);
            rig.rest().map_err(|why| within(rig, why))?;
        }
        Ok(())
    }

    /// Ends all, and compares what was planned, what each sent, had answered and saw.
    pub(crate) fn finish(self) -> Result<Vec<Finished>, String> {
        let finish = |mut rig: Rig| {
            let name = name(&rig);
            let finished = rig.wake().and_then(|()| rig.finish());
            finished.map_err(|why| format!("{name}, at the end: {why}"))
        };
        self.0.into_iter().map(finish).collect()
    }
}

fn within(rig: &Rig, why: String) -> String {
    format!("{}: {why}", name(rig))
}

fn name(rig: &Rig) -> String {
    format!("{}, {} connected", rig.way.name(), rig.sessions())
}

//! What disturbs: changes of limits, kill switches, mass cancels, valuations of all accounts.
//!
//! On the measuring thread, between orders. Invariants: tables are built before the clock starts and
//! go round, so that none is built or freed meanwhile; a step that finds no room comes later and is
//! not left out; at the end of each measured step nothing is under way.

use portcullis_bench_harness::Latency;
use portcullis_bench_pipeline::crowd::Crowd;
use portcullis_bench_pipeline::limits::Edition;
use portcullis_bench_pipeline::market::RESTING;
use portcullis_bench_pipeline::rig::Outbound;
use portcullis_bench_pipeline::traffic::{Beside, Traffic};
use portcullis_domain::{Command, FlipLimits, LimitCellChange, Scope, StateChange, TradingState};
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::limits::account::AccountField;
use std::time::{Duration, Instant};

/// From one flip to the next; one in so many is to a table in which all limits differ.
const FLIP_EVERY: Duration = Duration::from_millis(100);
const WHOLE_ONE_IN: u64 = 10;

/// 10,000 cells in a tenth of a second, evenly.
const CELL_EVERY: Duration = Duration::from_micros(10);
/// Different accounts whose cells change.
const CELL_ACCOUNTS: u32 = 100_000;

/// A thousand resting orders in a twentieth of a second, evenly.
const REST_EVERY: Duration = Duration::from_micros(50);

/// Which disturbances run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds {
    flips: bool,
    cells: bool,
    kills: bool,
    values: bool,
}

impl Kinds {
    pub(crate) const NONE: Self = Self {
        flips: false,
        cells: false,
        kills: false,
        values: false,
    };
    pub(crate) const FLIPS: Self = Self {
        flips: true,
        ..Self::NONE
    };
    pub(crate) const CELLS: Self = Self {
        cells: true,
        ..Self::NONE
    };
    pub(crate) const KILLS: Self = Self {
        kills: true,
        ..Self::NONE
    };
    pub(crate) const VALUES: Self = Self {
        values: true,
        ..Self::NONE
    };
    pub(crate) const FLIPS_AND_KILLS: Self = Self {
        flips: true,
        ..Self::KILLS
    };
}

/// How far the resting orders are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// So many are still to be sent.
    Sending(u64),
    /// All are sent; a word takes them off when all rest.
    Resting,
    /// The client took them off.
    MassCanceling,
    /// The kill switch took them off, and the session may not order.
    Killed,
}

/// The disturbances.
#[derive(Debug)]
pub(crate) struct Disturbance {
    crowd: Crowd,
    kinds: Kinds,
    resting: u64,
    phase: Phase,
    kill_next: bool,
    /// Out of force: one in which 1% differs from the first, or the first, and one in which all do.
    near: Option<Box<LimitTable>>,
    whole: Option<Box<LimitTable>>,
    /// Which is in force: the whole other one.
    whole_in_force: bool,
    due: Due,
    /// When the word was sent that takes the resting orders off.
    word_at: Instant,
    /// How long that took each time.
    pub(crate) sweeps: Latency,
    /// Flips, cells, kill switches and valuations sent.
    pub(crate) flips: u64,
    pub(crate) cells: u64,
    pub(crate) kills: u64,
    pub(crate) values: u64,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    flip: Instant,
    cell: Instant,
    rest: Instant,
}

impl Disturbance {
    /// With its tables.
    ///
    /// # Errors
    /// They do not load.
    pub(crate) fn new(crowd: Crowd, resting: u64) -> Result<Self, String> {
        let now = Instant::now();
        Ok(Self {
            crowd,
            kinds: Kinds::NONE,
            resting,
            phase: Phase::Sending(resting),
            kill_next: false,
            near: Some(Box::new(crowd.table(Edition::OneInHundred)?)),
            whole: Some(Box::new(crowd.table(Edition::Whole)?)),
            whole_in_force: false,
            due: Due {
                flip: now,
                cell: now,
                rest: now,
            },
            word_at: now,
            sweeps: Latency::new(),
            flips: 0,
            cells: 0,
            kills: 0,
            values: 0,
        })
    }

    /// From now on these; the first flip after `warm`, so that what follows from it is measured.
    pub(crate) fn begin(&mut self, kinds: Kinds, warm: Duration) {
        let now = Instant::now();
        self.kinds = kinds;
        self.phase = Phase::Sending(self.resting);
        self.due = Due {
            flip: now + warm,
            cell: now,
            rest: now,
        };
    }

    /// Brings to its end what is under way.
    ///
    /// # Errors
    /// It does not end.
    pub(crate) fn end<I: Outbound>(&mut self, traffic: &mut Traffic<I>) -> Result<(), String> {
        traffic.settle()?;
        let part = matches!(self.phase, Phase::Sending(_) | Phase::Resting);
        if part && traffic.resting > 0 {
            traffic.mass_cancel();
            self.word_at = Instant::now();
        }
        let taken_off = !part || traffic.resting > 0;
        traffic.settle_resting()?;
        // Fewer than all tell of all only where nothing else does.
        if taken_off && (!part || self.sweeps.is_empty()) {
            self.note_sweep(Instant::now());
        }
        if self.phase == Phase::Killed {
            set_state(TradingState::Active, traffic);
        }
        self.phase = Phase::Sending(self.resting);
        traffic.settle()?;
        self.take_retired(traffic);
        Ok(())
    }

    fn take_retired<I>(&mut self, traffic: &mut Traffic<I>) {
        while let Ok(table) = traffic.ends.retired.pop() {
            if self.near.is_none() {
                self.near = Some(table);
            } else {
                self.whole = Some(table);
            }
        }
    }

    /// Flips to a table that is not in force. What was in force comes back and takes its place: so
    /// `near` is empty until then, or `whole` is.
    fn flip<I: Outbound>(&mut self, now: Instant, traffic: &mut Traffic<I>) {
        self.take_retired(traffic);
        if now < self.due.flip || self.near.is_none() || self.whole.is_none() {
            return;
        }
        let whole = !self.whole_in_force && self.flips % WHOLE_ONE_IN == WHOLE_ONE_IN - 1;
        // From the whole other one back to one of the two that are near each other.
        let back = self.whole_in_force;
        let taken = if whole {
            self.whole.take()
        } else {
            self.near.take()
        };
        let Some(table) = taken else { return };
        self.due.flip += FLIP_EVERY;
        let digest = table.digest();
        assert!(
            traffic.ends.tables.push(table).is_ok(),
            "the last one was taken"
        );
        traffic.command(&Command::FlipLimits(FlipLimits { digest }));
        self.flips += 1;
        if back {
            // What comes back now is the whole other one, and must not be taken for a near one.
            self.near = self.whole.take();
        }
        self.whole_in_force = whole;
    }

    fn change_cell<I: Outbound>(&mut self, now: Instant, traffic: &mut Traffic<I>) {
        if now < self.due.cell {
            return;
        }
        self.due.cell += CELL_EVERY;
        let of = CELL_ACCOUNTS.min(self.crowd.rows_spare);
        let account = self.crowd.any_account(self.cells, of);
        self.cells += 1;
        let change = LimitCellChange {
            scope: Scope::Account(account),
            field: AccountField::NotionalMax as u8,
            value: 1_000_000_000 + (self.cells % 1_000) as i64,
        };
        traffic.command(&Command::SetCell(change));
    }

    fn rest_and_kill<I: Outbound>(&mut self, now: Instant, traffic: &mut Traffic<I>) {
        match self.phase {
            Phase::Sending(0) => self.phase = Phase::Resting,
            Phase::Sending(left) if now >= self.due.rest => {
                if traffic.send_resting(now) {
                    self.due.rest += REST_EVERY;
                    self.phase = Phase::Sending(left - 1);
                }
            }
            Phase::Sending(_) => {}
            Phase::Resting if traffic.resting < self.resting => {}
            Phase::Resting if self.kill_next => {
                set_state(TradingState::Halted, traffic);
                self.word_at = now;
                self.kills += 1;
                self.kill_next = false;
                self.phase = Phase::Killed;
            }
            Phase::Resting => {
                traffic.mass_cancel();
                self.word_at = now;
                self.kill_next = true;
                self.phase = Phase::MassCanceling;
            }
            Phase::MassCanceling | Phase::Killed if traffic.resting > 0 => {}
            Phase::MassCanceling => self.send_again(now),
            Phase::Killed => {
                set_state(TradingState::Active, traffic);
                self.send_again(now);
            }
        }
    }

    fn send_again(&mut self, now: Instant) {
        self.note_sweep(now);
        self.phase = Phase::Sending(self.resting);
        self.due.rest = now + FLIP_EVERY / 2;
    }

    fn note_sweep(&mut self, now: Instant) {
        let took = now.duration_since(self.word_at);
        self.sweeps.record(took.as_nanos() as u64);
    }
}

impl<I: Outbound> Beside<I> for Disturbance {
    fn step(&mut self, now: Instant, traffic: &mut Traffic<I>) {
        if !traffic.room_for_commands() {
            return;
        }
        if self.kinds.flips {
            self.flip(now, traffic);
        }
        if self.kinds.cells {
            self.change_cell(now, traffic);
        }
        if self.kinds.kills {
            self.rest_and_kill(now, traffic);
        }
        if self.kinds.values && traffic.counts.valuations == self.values {
            traffic.command(&Command::ValueAccounts);
            self.values += 1;
        }
    }
}

/// The kill switch of the session whose orders rest, and its release.
fn set_state<I: Outbound>(state: TradingState, traffic: &mut Traffic<I>) {
    traffic.command(&Command::SetState(StateChange {
        scope: Scope::Session(RESTING),
        state,
        cancel: state == TradingState::Halted,
    }));
}

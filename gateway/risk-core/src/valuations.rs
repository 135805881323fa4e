//! Valuing all accounts, slice by slice, so that a breach of maintenance margin is told when prices
//! make it and not when the account next orders.
//!
//! Risk thread. Invariants: an account is judged by the same equity and the same margin as for an
//! order of its own, without what only an order needs, so that nothing of it is written but that it
//! is below; each valuation values every account after it was asked for; a slice is short enough that
//! an order behind it waits for less than a microsecond, unless one account alone has more positions
//! than a slice.

use crate::approach::LineSink;
use crate::effect::{AlarmKind, ControlOutcome, Done, Effect, EffectSink, Valued};
use crate::engine::{About, RiskCore};
use crate::saved::{Read, Words};
use portcullis_domain::{AccountId, InstrumentId, quanta};

/// Accounts of a slice, and positions after which it ends.
const ACCOUNTS_A_SLICE: u32 = 16;
const POSITIONS_A_SLICE: u32 = 16;

/// How many accounts ahead of the one in hand a position is fetched, and twice as many an account.
const AHEAD: u32 = 12;

/// Alarms after which a slice ends, so that those on duty can follow.
const ALARMS_A_SLICE: usize = 4;

/// A valuation under way.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// Who asked.
    request: u32,
    /// The next account.
    next: u32,
    valued: Valued,
}

impl Round {
    fn of(request: u32) -> Self {
        Self {
            request,
            next: 0,
            valued: Valued::default(),
        }
    }
}

/// The valuation under way, and the one that waits for its end.
#[derive(Debug)]
pub(crate) struct Valuations {
    under_way: Option<Round>,
    waiting: Option<u32>,
}

impl Valuations {
    pub(crate) const fn new() -> Self {
        Self {
            under_way: None,
            waiting: None,
        }
    }

    /// Whether a valuation is under way.
    pub(crate) const fn is_pending(&self) -> bool {
        self.under_way.is_some()
    }

    /// Begins a valuation, or lets it wait for the one under way; `false` where one waits already.
    #[must_use]
    pub(crate) fn begin(&mut self, request: u32) -> bool {
        if self.under_way.is_none() {
            self.under_way = Some(Round::of(request));
            return true;
        }
        let free = self.waiting.is_none();
        if free {
            self.waiting = Some(request);
        }
        free
    }

    /// The one that waited is under way.
    fn finish(&mut self) {
        self.under_way = self.waiting.take().map(Round::of);
    }

    /// What [`Valuations::visit_words`] gave.
    pub(crate) fn load(&mut self, words: &mut Words<'_>) -> Read<()> {
        words.begin("valuations");
        let marks = words.at_most(3, "marks that no valuation has")?;
        let (request, next) = words.halves()?;
        let (accounts, below_maintenance) = words.halves()?;
        let (not_fresh, waiting) = words.halves()?;
        let counted = accounts <= next && below_maintenance.max(not_fresh) <= accounts;
        words.must(counted, "more found than was looked at")?;
        words.must(marks != 1, "one that waits for none")?;
        let valued = Valued {
            accounts,
            below_maintenance,
            not_fresh,
        };
        let round = Round {
            request,
            next,
            valued,
        };
        self.under_way = (marks & 2 != 0).then_some(round);
        self.waiting = (marks & 1 != 0).then_some(waiting);
        Ok(())
    }

    /// Gives the canonical words to `push`.
    pub(crate) fn visit_words(&self, push: &mut impl FnMut(u64)) {
        let round = self.under_way.unwrap_or(Round::of(0));
        let marks = u64::from(self.under_way.is_some()) << 1 | u64::from(self.waiting.is_some());
        push(marks);
        push(u64::from(round.request) << 32 | u64::from(round.next));
        let valued = round.valued;
        push(u64::from(valued.accounts) << 32 | u64::from(valued.below_maintenance));
        push(u64::from(valued.not_fresh) << 32 | u64::from(self.waiting.unwrap_or(0)));
    }
}

/// What maintenance margin is judged by: RULES, Equity and IM, without what only an order needs.
struct Worth {
    positions: u32,
    equity: i128,
    maintenance_millionths: i128,
    /// A position has no reference price: the figures leave it out.
    missing: bool,
    /// A position's reference is older than it may be.
    stale: bool,
}

impl Worth {
    /// equity < ceil(MM / 10^6), which is equity < MM / 10^6, since equity is whole.
    #[inline(always)]
    fn is_below_maintenance(&self) -> bool {
        quanta(self.equity, 1_000_000) < self.maintenance_millionths
    }
}

impl RiskCore {
    /// One slice of the valuation under way.
    pub(crate) fn value_slice(&mut self, lines: &mut impl LineSink, sink: &mut impl EffectSink) {
        let Some(mut round) = self.valuations.under_way else {
            return;
        };
        let len = self.table.accounts_len() as u32;
        let end = len.min(round.next.saturating_add(ACCOUNTS_A_SLICE));
        let (mut alarms, mut positions) = (0, 0);
        while round.next < end && alarms < ALARMS_A_SLICE && positions < POSITIONS_A_SLICE {
            self.approach_account(round.next, lines);
            let worth = self.worth_of(round.next);
            positions += worth.positions;
            alarms += usize::from(self.judge_worth(round.next, &worth, &mut round.valued, sink));
            round.next += 1;
        }
        self.valuations.under_way = Some(round);
        if round.next >= len {
            self.valuations.finish();
            let outcome = ControlOutcome {
                request: round.request,
                result: Ok(Done::Valued(round.valued)),
            };
            self.emit(sink, Effect::Controlled(outcome));
        }
    }

    /// Counts an account of this worth; whether that raised an alarm.
    #[inline(always)]
    fn judge_worth(
        &mut self,
        account: u32,
        worth: &Worth,
        valued: &mut Valued,
        sink: &mut impl EffectSink,
    ) -> bool {
        if self.table.entry(AccountId::new(account)).is_none() {
            return false;
        }
        valued.accounts += 1;
        valued.not_fresh += u32::from(worth.missing | worth.stale);
        if worth.missing {
            return false;
        }
        let below = worth.is_below_maintenance();
        valued.below_maintenance += u32::from(below);
        if below == self.ledger.accounts.get(account).below_maintenance {
            return false;
        }
        self.note_maintenance_of(account, below, sink)
    }

    #[cold]
    fn note_maintenance_of(
        &mut self,
        account: u32,
        below: bool,
        sink: &mut impl EffectSink,
    ) -> bool {
        self.ledger.accounts.get_mut(account).below_maintenance = below;
        if below {
            let about = About {
                account: AccountId::new(account),
                ..About::NOTHING
            };
            self.alarm(AlarmKind::MaintenanceBreached, Some(about), sink);
        }
        below
    }

    /// What an account is worth; what leaves i128, which no sound position does, stands at its end.
    /// Settlements that its positions have not taken part in yet move money between cash and cost,
    /// and leave their sum as it is.
    #[inline(always)]
    fn worth_of(&self, account: u32) -> Worth {
        let (ledger, now_ns) = (&self.ledger, self.now.ns());
        let this = ledger.accounts.get(account);
        let mut worth = Worth {
            positions: 0,
            equity: this.cash.into(),
            maintenance_millionths: 0,
            missing: false,
            stale: false,
        };
        let mut slot = this.first_position;
        while let Some(position) = ledger.positions.at(slot) {
            slot = position.next;
            worth.positions += 1;
            let instrument = ledger.instruments.get(position.instrument);
            let limits = self
                .table
                .instrument(InstrumentId::new(position.instrument));
            let (Some(reference), Some(limits)) = (instrument.reference, limits) else {
                worth.missing = true;
                continue;
            };
            let lot_ticks = i128::from(position.net) * i128::from(reference.price);
            let value = quanta(lot_ticks, limits.value.quanta());
            let profit = value.saturating_sub(position.cost.into());
            let margin = instrument
                .maintenance
                .margin_millionths(value.saturating_abs());
            worth.equity = worth.equity.saturating_add(profit);
            worth.maintenance_millionths = worth.maintenance_millionths.saturating_add(margin);
            worth.stale |= now_ns > reference.at_ns.saturating_add(limits.ref_max_age_ns);
        }
        worth
    }

    /// The lines by which an account a little further on is valued, in two steps.
    #[inline(always)]
    fn approach_account(&self, account: u32, lines: &mut impl LineSink) {
        let ledger = &self.ledger;
        if let Some(account) = ledger.accounts.at(account.saturating_add(2 * AHEAD)) {
            lines.line(&account.first_position);
            lines.line(&account.cash);
        }
        if let Some(account) = ledger.accounts.at(account.saturating_add(AHEAD))
            && let Some(position) = ledger.positions.at(account.first_position)
        {
            lines.line(&position.net);
        }
    }
}

//! Control commands: money, prices, states, limits, days, positions without a trade.
//!
//! Risk thread. Each is a sequenced command with one answer to whoever asked. Invariant: what is
//! refused changes nothing.

use crate::effect::{ControlOutcome, ControlRefusal, Done, Effect, EffectSink};
use crate::engine::{RiskCore, too_large};
use crate::executions::Execution;
use crate::ledger::Trade;
use crate::sweeps::Filter;
use portcullis_domain::{
    AccountId, AccountMove, CashMove, Command, DisputeDecision, FlipLimits, InstrumentId,
    LimitCellChange, PositionMove, Price, ReferencePrice, Scope, Settlement, StateChange,
    TradingState,
};

type Outcome = Result<Done, ControlRefusal>;

impl RiskCore {
    /// Carries out a control command and answers it.
    pub(crate) fn control(&mut self, command: &Command, request: u32, sink: &mut impl EffectSink) {
        let result = match command {
            Command::Deposit(cash) => self.deposit(cash),
            Command::Withdraw(cash) => self.withdraw(cash),
            Command::Settle(settlement) => self.settle(settlement),
            Command::Reference(reference) => self.reference(reference),
            Command::SetState(change) => self.set_state(change, sink),
            Command::Restart { state } => self.restart(*state, sink),
            Command::DayStart => self.day_start(),
            Command::DayRoll => self.day_roll(),
            Command::FlipLimits(flip) => self.flip_limits(flip),
            Command::SetCell(change) => self.set_cell(change),
            Command::MovePosition(change) => self.move_position(change),
            Command::Dispute { account, decision } => self.decide(*account, *decision),
            Command::StateHash => Ok(Done::StateHash(self.state_hash())),
            // Answered when the last account is valued.
            Command::ValueAccounts if self.valuations.begin(request) => return,
            Command::ValueAccounts => Err(ControlRefusal::ValuationUnderWay),
            Command::NewOrder(_)
            | Command::Replace(_)
            | Command::Cancel(_)
            | Command::MassCancel(_)
            | Command::OrderEntry { .. }
            | Command::AccountQuery { .. }
            | Command::Report(_)
            | Command::VenueLink { .. }
            | Command::VenueSequence { .. }
            | Command::JournalLink { .. }
            | Command::Session(_)
            | Command::Tick => unreachable!("dispatch sends control commands alone"),
        };
        self.emit(sink, Effect::Controlled(ControlOutcome { request, result }));
    }

    fn deposit(&mut self, cash: &CashMove) -> Outcome {
        self.known_account(cash.account)?;
        let amount = cash.amount.quanta();
        if amount < 1 {
            return Err(ControlRefusal::AmountInvalid);
        }
        self.ledger.touch(cash.account, &self.table);
        if !self.ledger.move_cash(cash.account.raw(), amount) {
            return Err(ControlRefusal::OutOfRange);
        }
        self.counters.deposits += i128::from(amount);
        Ok(Done::Applied)
    }

    /// RULES, Free for withdrawal.
    fn withdraw(&mut self, cash: &CashMove) -> Outcome {
        let account = cash.account;
        self.known_account(account)?;
        let amount = cash.amount.quanta();
        if amount < 1 {
            return Err(ControlRefusal::AmountInvalid);
        }
        self.ledger.touch(account, &self.table);
        let state = self.ledger.accounts.get(account.raw()).state;
        if self.venue.strictest().stricter(state) != TradingState::Active {
            return Err(ControlRefusal::NotActive);
        }
        let (limits, _) = self
            .table
            .account(account)
            .ok_or(ControlRefusal::AccountUnknown)?;
        let valuation = self
            .ledger
            .value(account.raw(), limits, &self.table, self.now.ns());
        if valuation.missing || valuation.stale {
            return Err(ControlRefusal::ReferenceNotFresh);
        }
        if i128::from(amount) > valuation.free() {
            return Err(ControlRefusal::NotFree);
        }
        if !self.ledger.move_cash(account.raw(), -amount) {
            return Err(ControlRefusal::OutOfRange);
        }
        self.counters.deposits -= i128::from(amount);
        Ok(Done::Applied)
    }

    /// Each position takes part when it is next read; see `Ledger::settle`.
    fn settle(&mut self, settlement: &Settlement) -> Outcome {
        let price = self.known_price(settlement.instrument, settlement.price)?;
        let instrument = self.ledger.instruments.get_mut(settlement.instrument.raw());
        instrument.settlement_price = price;
        instrument.settlements = instrument.settlements.wrapping_add(1);
        // Settling below the reference turns a loss into cash and leaves a profit that counts less.
        let drift = &mut self.ledger.instruments.drift;
        drift.begin_group_of(settlement.instrument.raw());
        Ok(Done::Applied)
    }

    fn reference(&mut self, reference: &ReferencePrice) -> Outcome {
        let price = self.known_price(reference.instrument, reference.price)?;
        let index = reference.instrument.raw();
        let limits = self.table.instrument(reference.instrument);
        let limits = limits.ok_or(ControlRefusal::InstrumentUnknown)?;
        self.ledger
            .instruments
            .set_reference(index, price, self.now.ns(), limits);
        Ok(Done::Applied)
    }

    fn set_state(&mut self, change: &StateChange, sink: &mut impl EffectSink) -> Outcome {
        let StateChange {
            scope,
            state,
            cancel,
        } = *change;
        match scope {
            Scope::Venue => self.venue.set_own(state),
            Scope::Firm(firm) => {
                self.table.firm(firm).ok_or(ControlRefusal::FirmUnknown)?;
                self.ledger.accounts.firm_mut(firm.raw()).state = state;
            }
            Scope::Account(account) => {
                self.known_account(account)?;
                self.ledger.accounts.get_mut(account.raw()).state = state;
            }
            Scope::Instrument(instrument) => {
                self.table
                    .instrument(instrument)
                    .ok_or(ControlRefusal::InstrumentUnknown)?;
                self.ledger.instruments.get_mut(instrument.raw()).state = state;
            }
            Scope::Session(session) => {
                if !self.sessions.contains(session) {
                    return Err(ControlRefusal::SessionUnknown);
                }
                self.sessions.get_mut(session).state = state;
            }
        }
        let told = match scope {
            Scope::Venue => self.venue.strictest(),
            Scope::Firm(_) | Scope::Account(_) | Scope::Instrument(_) | Scope::Session(_) => state,
        };
        self.emit(sink, Effect::StateChanged { scope, state: told });
        if cancel {
            self.begin_sweep(Filter::Scope(scope), sink);
        }
        Ok(Done::Applied)
    }

    /// The restart ladder's state, beside the venue's own; what is said is the stricter of the two.
    fn restart(&mut self, state: TradingState, sink: &mut impl EffectSink) -> Outcome {
        let before = self.venue.strictest();
        self.venue.set_restart(state);
        let (scope, state) = (Scope::Venue, self.venue.strictest());
        if state != before {
            self.emit(sink, Effect::StateChanged { scope, state });
        }
        Ok(Done::Applied)
    }

    /// Each account takes its day base when it is next touched; see `Ledger::touch`.
    fn day_start(&mut self) -> Outcome {
        self.ledger.day = self.ledger.day.wrapping_add(1);
        self.expect_behind();
        for instrument in self.ledger.instruments.iter_mut() {
            instrument.day_price = instrument.price();
        }
        // A bound counts on the old day base.
        self.ledger.instruments.drift.begin_all();
        Ok(Done::Applied)
    }

    /// Client numbers start anew; open orders that are carried over keep theirs, so a session's
    /// numbers go on above them. Touches every order slot: the venue is closed meanwhile.
    fn day_roll(&mut self) -> Outcome {
        self.sessions.forget_numbers();
        self.ledger.orders.forget_closed();
        let mut from = 0;
        while let Some(slot) = self.ledger.orders.next_open(from) {
            let order = self.ledger.orders.whole(slot);
            for version in order.versions() {
                self.sessions
                    .keep(order.session, order.user_ref(version.number));
            }
            from = slot + 1;
        }
        Ok(Done::Applied)
    }

    fn flip_limits(&mut self, flip: &FlipLimits) -> Outcome {
        let staged = self.staged.as_ref().ok_or(ControlRefusal::NotStaged)?;
        if staged.digest() != flip.digest {
            return Err(ControlRefusal::NotStaged);
        }
        let shrinks = staged.accounts_len() < self.table.accounts_len()
            || staged.instruments_len() < self.table.instruments_len()
            || staged.firms_len() < self.table.firms_len()
            || staged.sessions_len() < self.table.sessions_len();
        if shrinks || too_large(&self.capacities, staged).is_some() || self.revalues(staged) {
            return Err(ControlRefusal::DoesNotFit);
        }
        // Point of no return.
        let table = self.staged.take().ok_or(ControlRefusal::NotStaged)?;
        self.retired = Some(core::mem::replace(&mut self.table, table));
        Ok(Done::Epoch(self.next_epoch()))
    }

    /// Whether the table gives an instrument another tick_lot_value: costs on the books would
    /// change their meaning.
    fn revalues(&self, staged: &crate::limits::LimitTable) -> bool {
        (0..self.table.instruments_len() as u32)
            .map(InstrumentId::new)
            .any(|id| {
                let value =
                    |table: &crate::limits::LimitTable| table.instrument(id).map(|i| i.value);
                value(staged) != value(&self.table)
            })
    }

    fn next_epoch(&mut self) -> u32 {
        self.epoch += 1;
        self.relimit();
        self.expect_behind();
        self.epoch
    }

    fn set_cell(&mut self, change: &LimitCellChange) -> Outcome {
        let Scope::Account(account) = change.scope else {
            return Err(ControlRefusal::CellInvalid);
        };
        self.known_account(account)?;
        if !self
            .table
            .set_account_cell(account, change.field, change.value)
        {
            return Err(ControlRefusal::CellInvalid);
        }
        self.ledger.take_row(account, &self.table);
        self.epoch += 1;
        Ok(Done::Epoch(self.epoch))
    }

    /// Opening positions and adjustments are trades with nobody; a transfer is one between two
    /// accounts. Neither asks the checks: they state what is.
    fn move_position(&mut self, change: &AccountMove) -> Outcome {
        self.known_account(change.account)?;
        let price = self.known_price(change.instrument, change.price)?;
        let lots = change.qty.lots();
        if lots == 0 || lots == i64::MIN {
            return Err(ControlRefusal::QuantityInvalid);
        }
        let to = self.movable(change.account, change.instrument)?;
        let from = match change.kind {
            PositionMove::Opening | PositionMove::Adjust => None,
            PositionMove::Transfer => {
                self.known_account(change.counterparty)?;
                if change.counterparty == change.account {
                    return Err(ControlRefusal::AccountUnknown);
                }
                let from = self.movable(change.counterparty, change.instrument)?;
                let positions = &self.ledger.positions;
                // With one slot to give, the second claim takes the first one's.
                if positions.find(change.account, change.instrument) != Some(to) {
                    return Err(ControlRefusal::TableFull);
                }
                Some(from)
            }
        };
        let trade = Trade {
            signed: lots,
            price,
            fee: 0,
        };
        if !self.ledger.trade(to, trade, &self.table) {
            return Err(ControlRefusal::OutOfRange);
        }
        let back = Trade {
            signed: -lots,
            ..trade
        };
        if let Some(from) = from
            && !self.ledger.trade(from, back, &self.table)
        {
            let undone = self.ledger.trade(to, back, &self.table);
            assert!(undone, "what was just booked can be taken back");
            return Err(ControlRefusal::OutOfRange);
        }
        Ok(Done::Applied)
    }

    /// The slot of a position that is about to change without an order.
    fn movable(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
    ) -> Result<u32, ControlRefusal> {
        self.ledger.touch(account, &self.table);
        let settlements = self.ledger.instruments.get(instrument.raw()).settlements;
        let found = self.ledger.positions.find(account, instrument);
        let slot = found.or_else(|| {
            let positions = &mut self.ledger.positions;
            positions.claim(account, instrument, settlements, self.now.ns())
        });
        slot.ok_or(ControlRefusal::TableFull)
    }

    /// Books or discards an account's oldest disputed execution. The state stays as it is: that is
    /// a decision of its own.
    fn decide(&mut self, account: AccountId, decision: DisputeDecision) -> Outcome {
        let oldest = self.disputes.oldest_of(account);
        let (place, execution) = oldest.ok_or(ControlRefusal::NothingDisputed)?;
        let booked = match decision {
            DisputeDecision::Discard => true,
            DisputeDecision::Book => self.book_disputed(&execution),
        };
        if !booked {
            return Err(ControlRefusal::OutOfRange);
        }
        self.disputes.remove(place);
        Ok(Done::Applied)
    }

    fn book_disputed(&mut self, execution: &Execution) -> bool {
        let booked = self.book(execution, false);
        if booked {
            self.executions.remember(*execution);
            self.counters.executed_qty += execution.signed.unsigned_abs();
        }
        booked
    }

    fn known_account(&self, account: AccountId) -> Result<(), ControlRefusal> {
        self.table
            .account(account)
            .map(|_| ())
            .ok_or(ControlRefusal::AccountUnknown)
    }

    /// A price that the ledger can hold: 1..=price_max of a known instrument.
    fn known_price(&self, instrument: InstrumentId, price: Price) -> Result<i64, ControlRefusal> {
        let limits = self
            .table
            .instrument(instrument)
            .ok_or(ControlRefusal::InstrumentUnknown)?;
        let ticks = price.ticks();
        if ticks < 0 {
            return Err(ControlRefusal::PriceNegative);
        }
        if ticks < 1 || ticks > limits.price_max {
            return Err(ControlRefusal::PriceInvalid);
        }
        Ok(ticks)
    }
}

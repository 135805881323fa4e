//! Judging an order: facts, worth, checks, and what RULES remembers of it.
//!
//! Risk thread. What changes here is what RULES says is remembered whatever the answer, and caches
//! that change no answer. The usual case, an order whose account need not be valued, is one straight
//! run of code; a valuation and the numbers behind a refusal are worked out beside it, from the same
//! facts read again.

mod explained;

pub use explained::{CheckOutcome, CheckWord};

use super::facts::{Facts, Known, Rows};
use super::plain::Unproved;
use super::{Holds, Judgement, Terms};
use crate::accounts::{Account, Firm, LastOrder};
use crate::bound::Room;
use crate::checks::margin::Slope;
use crate::checks::{self, NOT_OF_REDUCING, SPIKE_ALONE};
use crate::effect::Explanation;
use crate::engine::RiskCore;
use crate::order::{NONE, Version};
use crate::positions::Position;
use crate::valuation::{Narrow, Sought, Valuation};
use crate::view::{Form, Open, Rates, View, Worth};
use portcullis_domain::{CheckMask, RejectCode, Side, quanta};

/// What is kept whatever the answer.
struct Remembered {
    session_tat_ns: u64,
    tat_ns: u64,
    firm_tat_ns: u64,
    member_tat_ns: u64,
    repeated: u32,
}

impl Remembered {
    #[inline(always)]
    fn of(view: &View<'_>) -> Self {
        let rates = &view.rates;
        Self {
            session_tat_ns: rates.session.tat_after(),
            tat_ns: rates.account.tat_after(),
            firm_tat_ns: rates.firm.tat_after(),
            member_tat_ns: rates.member.tat_after(),
            repeated: view.repeated as u32,
        }
    }
}

impl RiskCore {
    /// Whether a form check fails.
    #[inline(always)]
    pub(super) fn form_fails(&mut self, terms: &Terms, early: Option<RejectCode>) -> bool {
        if terms.account.index() < self.table.accounts_len() {
            self.ledger.touch(terms.account, &self.table);
        }
        checks::form_fails(&self.form(terms, early))
    }

    /// The form checks that fail, and the numbers behind the first.
    #[cold]
    #[inline(never)]
    pub(super) fn explain_form(
        &self,
        terms: &Terms,
        early: Option<RejectCode>,
    ) -> (CheckMask, Explanation) {
        let form = self.form(terms, early);
        let failing = checks::evaluate_form(&form);
        let explain = |code| checks::explain_form(code, &form);
        (
            failing,
            failing.primary().map_or(Explanation::default(), explain),
        )
    }

    #[inline(always)]
    fn form(&self, terms: &Terms, early: Option<RejectCode>) -> Form {
        let instrument = self.table.instrument(terms.instrument);
        Form {
            account_known: terms.account.index() < self.table.accounts_len()
                && self.ledger.accounts.get(terms.account.raw()).row != NONE,
            instrument_known: instrument.is_some(),
            qty: terms.qty,
            price: terms.price,
            price_max: instrument.map_or(i64::MAX, |limits| limits.price_max),
            early,
        }
    }

    /// Judges an order whose form is good, which has brought its account up to date, by its whole view.
    /// `valued` is the worth of the account, where it was worked out already.
    #[inline(never)]
    pub(super) fn judge(
        &mut self,
        terms: &Terms,
        position: Option<u32>,
        valued: Option<Valuation>,
    ) -> Judgement {
        let facts = self.facts(terms, position);
        if facts.reducing {
            return self.conclude(terms, &facts, Known::Enough);
        }
        let need = self.need(terms, &facts);
        let judged = position.is_some() && facts.reference.is_some() && valued.is_none();
        if judged && self.is_proved_now(terms, need) {
            self.counters.proved_by_bound += 1;
            return self.conclude(terms, &facts, Known::Enough);
        }
        let valuation = valued.unwrap_or_else(|| self.value(terms, need));
        self.conclude(terms, &facts, Known::Exact(&valuation))
    }

    /// Whether the account's bound suffices for what the order could need, as it is or once it is given back
    /// what gone orders took.
    fn is_proved_now(&mut self, terms: &Terms, need: Option<i64>) -> bool {
        self.is_bound_enough(terms, need)
            || self.ledger.restore_bound(terms.account.raw(), need)
                && self.is_bound_enough(terms, need)
    }

    /// Values the account of an order that could add `need` to the requirement, and keeps what later
    /// orders may be proved from.
    pub(super) fn value(&mut self, terms: &Terms, need: Option<i64>) -> Valuation {
        match self.value_narrowly(terms, need, NONE) {
            Some(narrow) => narrow.widened(),
            None => self.value_widely(terms, need),
        }
    }

    /// The same in wide numbers.
    #[cold]
    #[inline(never)]
    pub(super) fn value_widely(&mut self, terms: &Terms, need: Option<i64>) -> Valuation {
        self.counters.valued_exactly += 1;
        let (account, table) = (terms.account.raw(), &self.table);
        let limits = table.row(self.ledger.accounts.get(account).row);
        let limits = limits.expect("the form checks found the account, which was touched");
        let now_ns = self.now.ns();
        let valuation = self.ledger.value_for(account, limits, table, now_ns, need);
        self.ledger.keep_bound(account, limits, &valuation, now_ns);
        valuation
    }

    /// The same in 64 bits, for an order in this position; `None`, and nothing kept, where it does not fit them.
    #[inline(always)]
    pub(super) fn value_narrowly(
        &mut self,
        terms: &Terms,
        need: Option<i64>,
        position: u32,
    ) -> Option<Narrow> {
        let (account, table) = (terms.account.raw(), &*self.table);
        // Not by the table's entry of the account: that is a line which nothing else of an order reads.
        let limits = table.row(self.ledger.accounts.get(account).row);
        let limits = limits.expect("the form checks found the account, which was touched");
        let now_ns = self.now.ns();
        let sought = Sought {
            account,
            limits,
            table,
            now_ns,
            need,
            position,
        };
        let narrow = self.ledger.value_narrowly(&sought)?;
        let room = Room {
            headroom: narrow.headroom,
            loss_room: narrow.loss_room,
            sensitivity: narrow.sensitivity(),
        };
        (self.ledger).keep_room(account, limits, narrow.groups(), Some(room), now_ns);
        self.counters.valued_exactly += 1;
        Some(narrow)
    }

    /// Brings the volume window up to date, and finds the slot of the position, or a new one.
    #[inline(always)]
    pub(super) fn place(&mut self, terms: &Terms) -> Option<u32> {
        let now_ns = self.now.ns();
        let limits = self.table.instrument(terms.instrument);
        let limits = limits.expect("the form checks found the instrument");
        let instrument = self.ledger.instruments.get_mut(terms.instrument.raw());
        instrument.window.advance(now_ns, limits);
        let settlements = instrument.settlements;
        let positions = &mut self.ledger.positions;
        positions
            .find(terms.account, terms.instrument)
            .or_else(|| positions.claim(terms.account, terms.instrument, settlements, now_ns))
    }

    #[inline(always)]
    fn facts(&self, terms: &Terms, position: Option<u32>) -> Facts {
        let limits = self.table.instrument(terms.instrument);
        let limits = limits.expect("the form checks found the instrument");
        Facts::of(&self.ledger, terms, position, limits, self.now.ns())
    }

    /// The most that the order could add to the requirement.
    fn need(&self, terms: &Terms, facts: &Facts) -> Option<i64> {
        let Holds { own, planned } = facts.holds;
        let adverse = i64::try_from(self.adverse(terms, facts)).ok()?;
        let instrument = self.ledger.instruments.get(terms.instrument.raw());
        instrument.need(planned.lots - own.lots, adverse)
    }

    /// Adverse quanta that the order adds.
    #[inline(always)]
    fn adverse(&self, terms: &Terms, facts: &Facts) -> i128 {
        let Holds { own, planned } = facts.holds;
        let value = self
            .table
            .instrument(terms.instrument)
            .map_or(0, |i| i.value.quanta());
        quanta(planned.adverse_lot_ticks - own.adverse_lot_ticks, value)
    }

    /// Evaluates every check and keeps what is kept whatever they say.
    #[inline(never)]
    fn conclude(&mut self, terms: &Terms, facts: &Facts, known: Known<'_>) -> Judgement {
        let now_ns = self.now.ns();
        let firms = self.firms(terms);
        let view = self.view(terms, facts, known);
        let mut failing = checks::evaluate(&view);
        if facts.reducing {
            failing = failing.without(NOT_OF_REDUCING);
        }
        let explain = |code| checks::explain(code, &view);
        let explanation = failing.primary().map_or(Explanation::default(), explain);
        let remembered = Remembered::of(&view);
        let judgement = Judgement {
            failing,
            explanation,
            position: facts.position,
            price: facts.price,
            reducing: facts.reducing,
            reserved: facts.reducing && !self.ledger.orders.general_has_room(),
            rise: facts.rise,
            volume_tat_ns: (now_ns as i128 + view.volume.taken_ns) as u64,
            adverse: self.adverse(terms, facts),
            below_maintenance: match known {
                Known::Exact(valuation) => Judgement::below_maintenance(valuation),
                Known::Enough => None,
            },
        };
        self.remember(terms, &remembered, firms);
        self.trip_if_alone(terms, failing);
        judgement
    }

    /// The checks that fail where the account's worth is enough.
    pub(super) fn failing_if_worth_enough(
        &self,
        terms: &Terms,
        position: Option<u32>,
    ) -> CheckMask {
        let facts = self.facts(terms, position);
        let failing = checks::evaluate(&self.view(terms, &facts, Known::Enough));
        if facts.reducing {
            failing.without(NOT_OF_REDUCING)
        } else {
            failing
        }
    }

    /// Trips the breaker of an order that nothing else refuses.
    fn trip_if_alone(&mut self, terms: &Terms, failing: CheckMask) {
        let instrument = self.ledger.instruments.get_mut(terms.instrument.raw());
        let tripped = instrument.window.judge(self.now.ns()).tripped;
        if failing == SPIKE_ALONE
            && !tripped
            && let Some(limits) = self.table.instrument(terms.instrument)
        {
            instrument.window.trip(self.now.ns(), limits);
        }
    }

    /// Firm and clearing member of the account, which has been touched.
    #[inline(always)]
    fn firms(&self, terms: &Terms) -> (u32, u32) {
        let account = self.ledger.accounts.get(terms.account.raw());
        (account.firm, account.clearing_member)
    }

    /// What RULES remembers whatever the answer.
    #[inline(always)]
    fn remember(&mut self, terms: &Terms, kept: &Remembered, firms: (u32, u32)) {
        let now_ns = self.now.ns();
        self.sessions.get_mut(terms.session).rate_tat_ns = kept.session_tat_ns;
        self.ledger.accounts.firm_mut(firms.1).rate_tat_ns = kept.member_tat_ns;
        if firms.0 != firms.1 {
            self.ledger.accounts.firm_mut(firms.0).rate_tat_ns = kept.firm_tat_ns;
        }
        let account = self.ledger.accounts.get_mut(terms.account.raw());
        account.rate_tat_ns = kept.tat_ns;
        if terms.replaces.is_none() {
            let last = &mut account.last;
            last.at_ns = now_ns;
            last.qty = terms.qty;
            last.price = terms.price.unwrap_or(i64::MIN);
            last.place = LastOrder::place(terms.instrument, terms.side);
            last.count = kept.repeated;
        }
    }

    #[inline(always)]
    fn view<'a>(&'a self, terms: &Terms, facts: &Facts, known: Known<'_>) -> View<'a> {
        let now_ns = self.now.ns();
        let account = self.ledger.accounts.get(terms.account.raw());
        let rows = Rows::of(&self.table, terms, account);
        let rows = rows.expect("the form checks found account and firm");
        let firm = self.ledger.accounts.firm(account.firm);
        let member = self.ledger.accounts.firm(account.clearing_member);
        let session = self.sessions.get(terms.session);
        let instrument = self.ledger.instruments.get(terms.instrument.raw());
        let table = &self.table;
        let value = rows.instrument.value.quanta();
        let position = facts.position.map(|slot| self.ledger.positions.get(slot));
        let Holds { own, planned } = facts.holds;
        let own_notional = quanta(own.lot_ticks, value);
        let firm_open = |firm: &Firm| Open {
            orders: firm.open_orders,
            notional: firm.open_notional - own_notional,
        };
        let lot_ticks = |price| i128::from(price) * i128::from(terms.qty);
        View {
            limits: rows.limits,
            firm_limits: rows.firm,
            member_limits: rows.member,
            instrument: rows.instrument,
            side: terms.side,
            replace: terms.replaces.is_some(),
            qty: terms.qty,
            price: facts.price,
            notional: facts.price.map(|price| quanta(lot_ticks(price), value)),
            state: session
                .strictest()
                .stricter(self.venue.strictest())
                .stricter(member.state)
                .stricter(firm.state)
                .stricter(account.state)
                .stricter(instrument.state),
            journal_up: self.venue.journal_up,
            link_up: session.link_up,
            permitted: table.set_has(rows.limits.permission_set, terms.instrument),
            restricted: table.set_has(rows.firm.restricted_set, terms.instrument)
                || table.set_has(rows.member.restricted_set, terms.instrument),
            order_slot: self.has_slot(terms, account, facts.reducing),
            position_slot: position.is_some(),
            versions_unanswered: facts.versions_unanswered,
            rates: self.rates(terms, rows, account),
            repeated: account.repeated(terms, rows.limits.repeat_window_ns, now_ns),
            open: Open {
                orders: account.open_orders.into(),
                notional: account.open_notional - own_notional,
            },
            firm_open: firm_open(firm),
            member_open: firm_open(member),
            hold_notional: facts.price.map(|_| quanta(planned.lot_ticks, value)),
            references: facts.references(known, now_ns),
            net: facts.net,
            on_hold: facts.on_hold,
            hold: planned.lots,
            interest: facts.interest(instrument, terms.side),
            worth: self.worth(terms, facts, known),
            rise: facts.rise,
            volume: facts.volume(position, rows, now_ns),
            spike: instrument.window.judge(now_ns),
        }
    }

    #[inline(always)]
    fn rates(&self, terms: &Terms, rows: Rows<'_>, account: &Account) -> Rates {
        let now_ns = self.now.ns();
        let tat_ns = |firm| self.ledger.accounts.firm(firm).rate_tat_ns;
        let session_tat_ns = self.sessions.get(terms.session).rate_tat_ns;
        // A session without limits of its own keeps to the account's.
        let session = self.table.session(terms.session);
        let session = session.map_or(rows.limits.rate, |limits| limits.rate);
        Rates {
            session: session.judge(now_ns, session_tat_ns),
            account: rows.limits.rate.judge(now_ns, account.rate_tat_ns),
            firm: rows.firm.rate.judge(now_ns, tat_ns(account.firm)),
            member: rows
                .member
                .rate
                .judge(now_ns, tat_ns(account.clearing_member)),
        }
    }

    /// Whether there is a slot for the order, or for one more version of it.
    #[inline(always)]
    fn has_slot(&self, terms: &Terms, account: &Account, reducing: bool) -> bool {
        let orders = &self.ledger.orders;
        if terms.replaces.is_some() {
            return orders.has_room_for_version();
        }
        let used = u32::from(account.reserved_used);
        orders.general_has_room() || reducing && used < self.reserved_per_account
    }

    #[inline(always)]
    fn worth(&self, terms: &Terms, facts: &Facts, known: Known<'_>) -> Worth<'_> {
        match known {
            Known::Enough => Worth::Enough,
            Known::Exact(valuation) => self.exact_worth(terms, facts, valuation),
        }
    }

    /// Whether the account's worth suffices for an order that a glance has looked at: LOSS_MAX and MARGIN, of an
    /// order that opens a position which is there.
    #[inline(always)]
    pub(super) fn suffices(&self, terms: &Terms, unproved: &Unproved, narrow: &Narrow) -> bool {
        if narrow.loss_room < 0 {
            return false;
        }
        // The need takes an order for the dearest it could be.
        let enough = |need: i64| need <= narrow.headroom;
        unproved.need.is_some_and(enough) || self.is_covered(terms, unproved, narrow)
    }

    /// Whether admissible equity covers the requirement with the order in it.
    #[inline(always)]
    fn is_covered(&self, terms: &Terms, unproved: &Unproved, narrow: &Narrow) -> bool {
        let instrument = self.ledger.instruments.get(terms.instrument.raw());
        let position = self.ledger.positions.get(unproved.position);
        let order = (terms.side, terms.qty);
        let Some(is_covered) = narrow.covers(position, instrument, order, unproved.adverse) else {
            return false;
        };
        if cfg!(debug_assertions) {
            let facts = self.facts(terms, Some(unproved.position));
            let worth = self.exact_worth(terms, &facts, &narrow.widened());
            assert!(
                is_covered != worth.is_margin_short(),
                "MARGIN tells otherwise"
            );
        }
        is_covered
    }

    /// What a valuation says of the order.
    fn exact_worth(&self, terms: &Terms, facts: &Facts, valuation: &Valuation) -> Worth<'_> {
        let instrument = self.ledger.instruments.get(terms.instrument.raw());
        let limits = self.table.instrument(terms.instrument);
        let (Some(reference), Some(limits), Some(limit), false) =
            (facts.reference, limits, facts.price, valuation.missing)
        else {
            return Worth::Unknown;
        };
        let value = i128::from(limits.value.quanta());
        let lot_notional = i128::from(reference.price) * value;
        let empty = (0, 0, 0);
        let (net, buy, sell) = facts.position.map_or(empty, |slot| {
            let position = self.ledger.positions.get(slot);
            (position.net, position.open_buy, position.open_sell)
        });
        let now_margin = instrument
            .initial
            .margin_millionths(Position::worst(net, buy, sell) * lot_notional);
        let own = facts.holds.own;
        let through = Version {
            price: limit,
            leaves: 1,
            number: 0,
            time_in_force: terms.time_in_force,
        };
        let slope = Slope {
            schedule: &instrument.initial,
            side: terms.side,
            net,
            open_buy: if terms.side == Side::Buy {
                buy - own.lots
            } else {
                buy
            },
            open_sell: if terms.side == Side::Sell {
                sell - own.lots
            } else {
                sell
            },
            hold_least: own.lots,
            lot_notional,
            lot_adverse: through
                .hold(terms.side, Some(reference.price))
                .adverse_lot_ticks
                * value,
            adverse_least: own.adverse_lot_ticks * value,
            rest_millionths: valuation.margin_millionths - now_margin,
            rest_adverse: valuation.adverse - own.adverse_lot_ticks * value,
        };
        let account = self.ledger.accounts.get(terms.account.raw());
        Worth::Exact {
            day_result: valuation.equity - i128::from(account.day_base),
            admissible: valuation.admissible,
            requirement_before: valuation.requirement(),
            requirement: slope.requirement(terms.qty),
            slope,
        }
    }
}

//! Reading the facts of an order and judging them.
//!
//! Risk thread. What changes here is what RULES says is remembered whatever the answer, and caches
//! that change no answer.

use super::{Holds, Judgement, Terms};
use crate::checks::margin::Slope;
use crate::checks::{self, NOT_OF_REDUCING, SPIKE_ALONE};
use crate::effect::Explanation;
use crate::engine::RiskCore;
use crate::instruments::Reference;
use crate::limits::LimitTable;
use crate::limits::account::AccountLimits;
use crate::limits::firm::FirmLimits;
use crate::limits::instrument::InstrumentLimits;
use crate::orders::{Hold, Order, Version};
use crate::positions::Position;
use crate::valuation::Valuation;
use crate::view::{Form, InterestView, Open, Rates, References, View, Volume, Worth};
use portcullis_domain::{CheckMask, FirmId, RejectCode, Side, TradingState};

/// The rows of the table that an order is held against.
#[derive(Clone, Copy)]
struct Rows<'a> {
    limits: &'a AccountLimits,
    firm: &'a FirmLimits,
    member: &'a FirmLimits,
    instrument: &'a InstrumentLimits,
}

impl<'a> Rows<'a> {
    fn of(table: &'a LimitTable, terms: &Terms, firms: (u32, u32)) -> Option<Self> {
        Some(Self {
            limits: table.account(terms.account)?.0,
            firm: table.firm(FirmId::new(firms.0))?,
            member: table.firm(FirmId::new(firms.1))?,
            instrument: table.instrument(terms.instrument)?,
        })
    }
}

/// What is known of an order before its worth is.
struct Facts {
    position: Option<u32>,
    price: Option<i64>,
    reference: Option<Reference>,
    fresh: bool,
    holds: Holds,
    reducing: bool,
    versions_unanswered: i64,
    rise: i64,
}

/// The account's worth, as far as this order needs it.
enum Known {
    /// The order is judged without it.
    NotNeeded,
    Proved,
    Exact(Valuation),
}

impl RiskCore {
    /// The form checks that fail, and the numbers of the first.
    pub(super) fn judge_form(
        &self,
        terms: &Terms,
        early: Option<RejectCode>,
    ) -> (CheckMask, Explanation) {
        let instrument = self.table.instrument(terms.instrument);
        let form = Form {
            account_known: self.table.account(terms.account).is_some(),
            instrument_known: instrument.is_some(),
            qty: terms.qty,
            price: terms.price,
            price_max: instrument.map_or(i64::MAX, |limits| limits.price_max),
            early,
        };
        let failing = checks::evaluate_form(&form);
        let explain = |code| checks::explain_form(code, &form);
        (
            failing,
            failing.primary().map_or(Explanation::default(), explain),
        )
    }

    /// Judges an order whose form is good.
    pub(super) fn judge(&mut self, terms: &Terms, now_ns: u64) -> Judgement {
        self.ledger.touch(terms.account, &self.table);
        let account = self.ledger.accounts.get(terms.account.raw());
        let firms = (account.firm, account.clearing_member);
        let table = &self.table;
        let rows = Rows::of(table, terms, firms).expect("the form checks found account and firm");
        let instrument = self.ledger.instruments.get_mut(terms.instrument.raw());
        instrument.window.advance(now_ns, rows.instrument);
        let settlements = instrument.settlements;
        let position = self.ledger.positions.find(terms.account, terms.instrument);
        let position = position.or_else(|| {
            let positions = &mut self.ledger.positions;
            positions.claim(terms.account, terms.instrument, settlements, now_ns)
        });
        let facts = gather(&self.ledger, terms, position, &rows, now_ns);
        let known = self.know_worth(terms, &facts, now_ns);
        let rows = Rows::of(&self.table, terms, firms).expect("the table is the same");
        let view = self.view(terms, &facts, &known, rows, firms, now_ns);
        let mut failing = checks::evaluate(&view);
        if facts.reducing {
            failing = failing.without(NOT_OF_REDUCING);
        }
        let explain = |code| checks::explain(code, &view);
        let explanation = failing.primary().map_or(Explanation::default(), explain);
        let judgement = Judgement {
            failing,
            explanation,
            position,
            price: facts.price,
            reducing: facts.reducing,
            reserved: facts.reducing && !self.ledger.orders.general_has_room(),
            rise: facts.rise,
            volume_tat_ns: (now_ns as i128 + view.volume.taken_ns) as u64,
            adverse: (facts.holds.planned.adverse_lot_ticks - facts.holds.own.adverse_lot_ticks)
                .saturating_mul(rows.instrument.value.quanta().into()),
            fresh_until_ns: facts.reference.map_or(0, |reference| {
                reference
                    .at_ns
                    .saturating_add(rows.instrument.ref_max_age_ns)
            }),
            value: rows.instrument.value.quanta(),
            below_maintenance: match &known {
                Known::Exact(valuation) if !valuation.missing => {
                    Some(valuation.equity < valuation.maintenance())
                }
                Known::Exact(_) | Known::NotNeeded | Known::Proved => None,
            },
        };
        let remembered = self.remembered(terms, &view, firms, failing);
        self.remember(terms, &remembered, firms, now_ns);
        judgement
    }

    fn remembered(
        &self,
        terms: &Terms,
        view: &View<'_>,
        firms: (u32, u32),
        failing: CheckMask,
    ) -> Remembered {
        let accounts = &self.ledger.accounts;
        let session_tat_ns = self.sessions.get(terms.session).rate_tat_ns;
        let tat_ns = accounts.get(terms.account.raw()).rate_tat_ns;
        let rates = &view.rates;
        Remembered {
            session_tat_ns: rates.session.tat_after(session_tat_ns),
            tat_ns: rates.account.tat_after(tat_ns),
            firm_tat_ns: rates.firm.tat_after(accounts.firm(firms.0).rate_tat_ns),
            member_tat_ns: rates.member.tat_after(accounts.firm(firms.1).rate_tat_ns),
            repeated: view.repeated as u32,
            trips: failing == SPIKE_ALONE && !view.spike.tripped,
        }
    }

    /// What RULES remembers whatever the answer.
    fn remember(&mut self, terms: &Terms, kept: &Remembered, firms: (u32, u32), now_ns: u64) {
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
            last.instrument = terms.instrument.raw();
            last.sell = terms.side == Side::Sell;
            last.count = kept.repeated;
        }
        if kept.trips
            && let Some(limits) = self.table.instrument(terms.instrument)
        {
            let instrument = self.ledger.instruments.get_mut(terms.instrument.raw());
            instrument.window.trip(now_ns, limits);
        }
    }

    /// Values the account exactly, unless the bound proves that it need not be.
    fn know_worth(&mut self, terms: &Terms, facts: &Facts, now_ns: u64) -> Known {
        if facts.reducing {
            return Known::NotNeeded;
        }
        let (account, instrument) = (terms.account.raw(), terms.instrument.raw());
        let value = self
            .table
            .instrument(terms.instrument)
            .map_or(0, |i| i.value.quanta());
        let adverse = facts
            .holds
            .planned
            .adverse_lot_ticks
            .saturating_mul(value.into());
        let need = self.ledger.need(instrument, terms.qty, value, adverse);
        let need = need.and_then(|need| i64::try_from(need).ok());
        let priced = terms.replaces.is_none() && facts.reference.is_some();
        if priced && need.is_some_and(|need| self.ledger.proves(account, need, now_ns)) {
            self.counters.proved_by_bound += 1;
            return Known::Proved;
        }
        self.counters.valued_exactly += 1;
        let table = &self.table;
        let (limits, _) = table
            .account(terms.account)
            .expect("the form checks found it");
        let valuation = self.ledger.value(account, limits, table, now_ns);
        self.ledger.keep_bound(account, limits, &valuation);
        Known::Exact(valuation)
    }

    fn view<'a>(
        &'a self,
        terms: &Terms,
        facts: &Facts,
        known: &Known,
        rows: Rows<'a>,
        firms: (u32, u32),
        now_ns: u64,
    ) -> View<'a> {
        let account = self.ledger.accounts.get(terms.account.raw());
        let instrument = self.ledger.instruments.get(terms.instrument.raw());
        let value = i128::from(rows.instrument.value.quanta());
        let position = facts.position.map(|slot| self.ledger.positions.get(slot));
        let Holds { own, planned } = facts.holds;
        let on_hold = position.map_or(0, |position| position.on_hold(terms.side)) - own.lots;
        let own_notional = own.lot_ticks * value;
        let firm_open = |index| {
            let firm = self.ledger.accounts.firm(index);
            Open {
                orders: firm.open_orders,
                notional: firm.open_notional - own_notional,
            }
        };
        let table = &self.table;
        View {
            limits: rows.limits,
            firm_limits: rows.firm,
            member_limits: rows.member,
            instrument: rows.instrument,
            side: terms.side,
            replace: terms.replaces.is_some(),
            qty: terms.qty,
            price: facts.price,
            notional: facts.price.map(|price| product(price, terms.qty, value)),
            state: self.strictest(terms, firms),
            link_up: self.sessions.get(terms.session).link_up,
            permitted: table.set_has(rows.limits.permission_set, terms.instrument),
            restricted: table.set_has(rows.firm.restricted_set, terms.instrument)
                || table.set_has(rows.member.restricted_set, terms.instrument),
            order_slot: self.has_slot(terms, facts.reducing),
            position_slot: position.is_some(),
            versions_unanswered: facts.versions_unanswered,
            rates: self.rates(terms, rows, firms, now_ns),
            repeated: repeated(account, terms, rows.limits.repeat_window_ns, now_ns),
            open: Open {
                orders: account.open_orders.into(),
                notional: account.open_notional - own_notional,
            },
            firm_open: firm_open(firms.0),
            member_open: firm_open(firms.1),
            hold_notional: facts.price.map(|_| planned.lot_ticks.saturating_mul(value)),
            references: references(facts, known, now_ns),
            net: position.map_or(0, |position| position.net),
            on_hold,
            hold: planned.lots,
            interest: interest(instrument, position, terms.side, on_hold, planned.lots),
            worth: self.worth(terms, facts, known),
            rise: facts.rise,
            volume: volume(position, rows, facts.rise, now_ns),
            spike: instrument.window.judge(now_ns, rows.instrument),
        }
    }

    /// The strictest trading state of all scopes.
    fn strictest(&self, terms: &Terms, firms: (u32, u32)) -> TradingState {
        let accounts = &self.ledger.accounts;
        let states = [
            self.venue_state,
            accounts.firm(firms.1).state,
            accounts.firm(firms.0).state,
            accounts.get(terms.account.raw()).state,
            self.ledger.instruments.get(terms.instrument.raw()).state,
        ];
        let session = self.sessions.get(terms.session).strictest();
        states.into_iter().fold(session, TradingState::stricter)
    }

    fn rates(&self, terms: &Terms, rows: Rows<'_>, firms: (u32, u32), now_ns: u64) -> Rates {
        let accounts = &self.ledger.accounts;
        let account = rows.limits.rate;
        // A session without limits of its own keeps to the account's.
        let session = self
            .table
            .session(terms.session)
            .map_or(account, |limits| limits.rate);
        Rates {
            session: session.judge(now_ns, self.sessions.get(terms.session).rate_tat_ns),
            account: account.judge(now_ns, accounts.get(terms.account.raw()).rate_tat_ns),
            firm: rows
                .firm
                .rate
                .judge(now_ns, accounts.firm(firms.0).rate_tat_ns),
            member: rows
                .member
                .rate
                .judge(now_ns, accounts.firm(firms.1).rate_tat_ns),
        }
    }

    /// Whether there is a slot for the order, or for one more version of it.
    fn has_slot(&self, terms: &Terms, reducing: bool) -> bool {
        let orders = &self.ledger.orders;
        if terms.replaces.is_some() {
            return orders.has_room_for_version();
        }
        let used = self.ledger.accounts.get(terms.account.raw()).reserved_used;
        orders.general_has_room() || reducing && used < self.reserved_per_account
    }

    fn worth(&self, terms: &Terms, facts: &Facts, known: &Known) -> Worth<'_> {
        let valuation = match known {
            Known::NotNeeded => return Worth::Unknown,
            Known::Proved => return Worth::Proved,
            Known::Exact(valuation) => valuation,
        };
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

/// What is kept whatever the answer.
struct Remembered {
    session_tat_ns: u64,
    tat_ns: u64,
    firm_tat_ns: u64,
    member_tat_ns: u64,
    repeated: u32,
    trips: bool,
}

fn gather(
    ledger: &crate::ledger::Ledger,
    terms: &Terms,
    position: Option<u32>,
    rows: &Rows<'_>,
    now_ns: u64,
) -> Facts {
    let reference = ledger.instruments.get(terms.instrument.raw()).reference;
    let protection = reference.map(|reference| match terms.side {
        Side::Buy => reference.hi,
        Side::Sell => reference.lo,
    });
    let price = terms.price.or(protection);
    let at = reference.map(|reference| reference.price);
    let order = terms.replaces.map(|slot| ledger.orders.get(slot));
    let own = order.map_or(Hold::default(), |order| order.hold(at));
    let asked = Version {
        price: price.unwrap_or(0),
        leaves: terms.qty,
        number: terms.user_ref.number,
        time_in_force: terms.time_in_force,
    };
    let planned = own.max(asked.hold(terms.side, at.filter(|_| price.is_some())));
    let last_leaves = order.map_or(0, |order| order.last_version().leaves);
    let held = position.map_or((0, 0), |slot| {
        let position = ledger.positions.get(slot);
        (position.net, position.on_hold(terms.side) - own.lots)
    });
    let calmer = order
        .zip(price)
        .is_some_and(|(order, price)| is_calmer(order, terms.qty, price));
    let max_age_ns = rows.instrument.ref_max_age_ns;
    Facts {
        position,
        price,
        reference,
        fresh: reference.is_some_and(|reference| now_ns - reference.at_ns <= max_age_ns),
        holds: Holds { own, planned },
        reducing: price.is_some() && (reduces(terms.side, held, planned.lots) || calmer),
        versions_unanswered: order.map_or(0, |order| order.pending().len() as i64),
        rise: (terms.qty - last_leaves).max(0),
    }
}

/// A buy reduces iff n < 0 and B + q <= -n, a sell iff n > 0 and S + q <= n; `on_hold` is without
/// the order's own hold, `lots` the hold it would have.
fn reduces(side: Side, (net, on_hold): (i64, i64), lots: i64) -> bool {
    let against = match side {
        Side::Buy => -i128::from(net),
        Side::Sell => i128::from(net),
    };
    against > 0 && i128::from(on_hold) + i128::from(lots) <= against
}

/// Against every version neither more lots nor a more aggressive price.
fn is_calmer(order: &Order, qty: i64, price: i64) -> bool {
    order.versions().all(|version| {
        let price_calmer = match order.side {
            Side::Buy => price <= version.price,
            Side::Sell => price >= version.price,
        };
        qty <= version.leaves && price_calmer
    })
}

/// price x qty x value, kept at the end of i128 where it leaves it: above any limit.
fn product(price: i64, qty: i64, value: i128) -> i128 {
    (i128::from(price) * i128::from(qty)).saturating_mul(value)
}

fn repeated(account: &crate::accounts::Account, terms: &Terms, window_ns: u64, now_ns: u64) -> i64 {
    let last = &account.last;
    let same = last.instrument == terms.instrument.raw()
        && last.sell == (terms.side == Side::Sell)
        && last.qty == terms.qty
        && last.price == terms.price.unwrap_or(i64::MIN)
        && now_ns - last.at_ns <= window_ns;
    if same { i64::from(last.count) + 1 } else { 1 }
}

fn references(facts: &Facts, known: &Known, now_ns: u64) -> References {
    let (missing, stale) = match known {
        Known::Exact(valuation) => (valuation.missing, valuation.stale),
        Known::NotNeeded | Known::Proved => (false, false),
    };
    let own = facts.reference;
    References {
        missing: own.is_none() || missing,
        stale: own.is_some() && !facts.fresh || stale,
        age_ns: own.map(|reference| now_ns - reference.at_ns),
        collar: own
            .filter(|_| facts.fresh)
            .map(|reference| (reference.lo, reference.hi)),
    }
}

fn interest(
    instrument: &crate::instruments::Instrument,
    position: Option<&Position>,
    side: Side,
    on_hold: i64,
    hold: i64,
) -> InterestView {
    let (net, stands) = position.map_or((0, 0), |position| (position.net, position.on_hold(side)));
    let toward = match side {
        Side::Buy => i128::from(net),
        Side::Sell => -i128::from(net),
    };
    let total = match side {
        Side::Buy => instrument.long_would_be,
        Side::Sell => instrument.short_would_be,
    };
    InterestView {
        was: (toward + i128::from(stands)).max(0),
        would: (toward + i128::from(on_hold) + i128::from(hold)).max(0),
        total: total.into(),
    }
}

fn volume(position: Option<&Position>, rows: Rows<'_>, rise: i64, now_ns: u64) -> Volume {
    let tat_ns = position.map_or(0, |position| position.volume_tat_ns);
    let volume_max = rows.limits.volume_max;
    let lot_cost_ns = if volume_max == 0 {
        0
    } else {
        rows.instrument.lot_cost_ns(volume_max)
    };
    let ahead_ns = i128::from(tat_ns.saturating_sub(now_ns));
    Volume {
        taken_ns: ahead_ns + i128::from(rise) * i128::from(lot_cost_ns),
        ahead_ns,
        window_ns: rows.instrument.window_ns().into(),
        lot_cost_ns,
    }
}

//! The plain way: a new order that is admitted at a glance.
//!
//! Risk thread. Nearly every order is one that passes each check by far, so what is needed to see that is
//! looked up once, each row by one lookup, and compared in i64. Whatever is not plain (a product that
//! leaves i64, a state other than Active, a check that does not clear) is left to the whole view, which
//! decides anew. What hardly any order does is marked cold, so that the way of all others runs straight on
//! and nothing is kept in registers for its sake. Invariants: what is admitted here the whole view admits
//! too; up to the marked point nothing of the ledger changes.

mod version;

use super::Terms;
use super::new_order::Booked;
use crate::accounts::LastOrder;
use crate::bound::{Moment, Spent};
use crate::checks;
use crate::drift::Drift;
use crate::engine::RiskCore;
use crate::glance::Glance;
use crate::instruments::Reference;
use crate::ledger::Books;
use crate::limits::account::AccountLimits;
use crate::limits::instrument::InstrumentLimits;
use crate::limits::{LimitTable, Rate};
use crate::orders::Orders;
use crate::sessions::Session;
use crate::venue::Venue;
use core::hint::cold_path;
use portcullis_domain::Side;

/// Lots of an order that no position comes near to.
const FAR: u64 = 1 << 61;

/// Why an order was not booked at a glance.
pub(super) enum Closer {
    /// Nothing is known of its account's worth that suffices for what the order could add to the
    /// requirement.
    Unproved(Option<i64>),
    /// Something else.
    NotPlain,
}

/// An order whose account must be valued, its terms apart.
#[derive(Clone, Copy)]
pub(super) struct Unproved {
    pub(super) position: u32,
    /// Quanta of its own adverse money.
    pub(super) adverse: i64,
    /// What it could add to the requirement; `None` where that leaves i64.
    pub(super) need: Option<i64>,
}

/// The rows that an order meets.
struct Parts<'a> {
    table: &'a LimitTable,
    venue: &'a Venue,
    drift: &'a Drift,
    now_ns: u64,
    seq: u64,
    covered: &'a bool,
    books: Books<'a>,
    slot: u32,
    money: Money,
    orders: &'a mut Orders,
    session: &'a mut Session,
    limits: &'a AccountLimits,
    instrument_limits: &'a InstrumentLimits,
}

/// Prices and money of an order.
#[derive(Clone, Copy)]
struct Money {
    price: i64,
    notional: i64,
    adverse: i64,
}

/// Lots of an account in an instrument, as an order's side sees them.
#[derive(Clone, Copy)]
struct Lots {
    /// Net position with the orders of the side, without this order and with it.
    was: i64,
    would_be: i64,
    reducing: bool,
}

/// An order that passed, and what follows from it.
#[derive(Clone, Copy)]
pub(super) struct Admission {
    position: u32,
    money: Money,
    /// Net position as the order's side sees it, with its orders of that side.
    was: i64,
    reducing: bool,
    /// What it could add to the requirement; `None` where that leaves i64.
    need: Option<i64>,
    repeated: u32,
    volume_tat_ns: u64,
}

impl RiskCore {
    /// Books an order, if a glance shows that it passes. `MEMBER` is whether its account may have a clearing member
    /// that is another than its firm: that of most have none, and theirs is the way without.
    #[inline(always)]
    pub(super) fn book_plain<const MEMBER: bool>(
        &mut self,
        terms: &Terms,
    ) -> Result<Booked, Closer> {
        let mut parts = self.parts::<MEMBER>(terms).ok_or(Closer::NotPlain)?;
        let admission = parts.look(terms)?;
        if cfg!(debug_assertions) {
            self.assert_admits(terms, &admission);
            parts = self.parts::<MEMBER>(terms).expect("nothing changed");
        }
        // Point of no return.
        Ok(parts.book(terms, &admission))
    }

    /// The same of any, apart from the way that orders usually go.
    #[inline(never)]
    pub(super) fn book_plain_again(&mut self, terms: &Terms) -> Result<Booked, Closer> {
        self.book_plain::<true>(terms)
    }

    /// What is to be known of an order that a glance left unproved beside its `need`: found once more, so that the
    /// orders that pass need not carry it.
    #[inline(always)]
    pub(super) fn unproved(
        &self,
        terms: &Terms,
        position: u32,
        need: Option<i64>,
    ) -> Option<Unproved> {
        let reference = (self.ledger.instruments.get(terms.instrument.raw())).reference?;
        let value = self.table.instrument(terms.instrument)?.value.quanta();
        let adverse = Money::of(terms, &reference, value)?.adverse;
        Some(Unproved {
            position,
            adverse,
            need,
        })
    }

    /// Whether the account's bound suffices for what an order could need, as a glance would find.
    pub(super) fn is_bound_enough(&self, terms: &Terms, need: Option<i64>) -> bool {
        let account = self.ledger.accounts.get(terms.account.raw());
        let now = Moment {
            ns: self.now.ns(),
            seq: self.seq.raw(),
        };
        need.is_some_and(|need| account.proves(&self.ledger.instruments.drift, need, now))
    }

    /// The rows of an order, its account up to date and its volume window too; `None` where one is
    /// missing, its form is not good, its money leaves i64, or the account's own must be looked up anew.
    #[inline(always)]
    fn parts<const MEMBER: bool>(&mut self, terms: &Terms) -> Option<Parts<'_>> {
        let (now_ns, table, ledger) = (self.now.ns(), &*self.table, &mut self.ledger);
        let instrument_limits = table.instrument(terms.instrument)?;
        // A price of no order at all: a market order's is found later.
        let price = terms.price.unwrap_or(1);
        let qty_fits = (terms.qty as u64).wrapping_sub(1) < FAR - 1;
        if !qty_fits || price < 1 || price > instrument_limits.price_max {
            cold_path();
            return None;
        }
        let (instrument, drift) = ledger.instruments.with_drift(terms.instrument.raw());
        // What follows from near lines alone is worked out before the account's are looked at, which may be on their way.
        let reference = instrument.reference.as_ref()?;
        let money = Money::of(terms, reference, instrument_limits.value.quanta())?;
        let (account, firm, member) = if MEMBER {
            ledger.accounts.with_firms(terms.account.raw())?
        } else {
            let (account, firm) = ledger.accounts.with_firm(terms.account.raw())?;
            (account, firm, None)
        };
        let current = (account.table_version == ledger.table_version) & (account.day == ledger.day);
        if !current {
            cold_path();
            return None;
        }
        let limits = table.row(account.row)?;
        instrument.window.advance(now_ns, instrument_limits);
        let seq = self.seq.raw();
        let hint = self.hints.get(seq);
        let found = (ledger.positions).find_from(hint, terms.account, terms.instrument);
        let (slot, position) = found?;
        let session = self.sessions.get_mut(terms.session);
        Some(Parts {
            table,
            venue: &self.venue,
            drift,
            now_ns,
            seq,
            covered: &self.covered,
            slot,
            money,
            session,
            limits,
            instrument_limits,
            books: Books {
                account,
                firm,
                member,
                position,
                instrument,
            },
            orders: &mut ledger.orders,
        })
    }

    /// In builds with assertions the whole view must agree with what a glance admits.
    fn assert_admits(&self, terms: &Terms, admission: &Admission) {
        let failing = self.failing_if_worth_enough(terms, Some(admission.position));
        assert!(
            failing.is_empty(),
            "admitted at a glance, and refused by {failing:?}"
        );
    }
}

impl Money {
    /// Prices and money of an order, where they fit; `value` quanta a tick and lot.
    #[inline(always)]
    fn of(terms: &Terms, reference: &Reference, value: i64) -> Option<Self> {
        let price = terms.price.unwrap_or(match terms.side {
            Side::Buy => reference.hi,
            Side::Sell => reference.lo,
        });
        let through = match terms.side {
            Side::Buy => price - reference.price,
            Side::Sell => reference.price - price,
        };
        let through = through.max(0);
        let times_value = |lot_ticks: i64| lot_ticks.checked_mul(value);
        Some(Self {
            price,
            notional: times_value(terms.qty.checked_mul(price)?)?,
            adverse: times_value(terms.qty.checked_mul(through)?)?,
        })
    }
}

impl Parts<'_> {
    /// Whether the order passes, as far as a glance shows.
    #[inline(always)]
    fn look(&self, terms: &Terms) -> Result<Admission, Closer> {
        let reference = self.books.instrument.reference.as_ref();
        let reference = reference.ok_or(Closer::NotPlain)?;
        let session_rate = self.session.rate.as_ref().ok_or(Closer::NotPlain)?;
        let money = self.money;
        let lots = self.lots(terms);
        let margined = terms.margined(lots.reducing);
        let need = self.books.instrument.need(margined, money.adverse);
        if !lots.reducing && !self.proves(need) {
            cold_path();
            // Read here alone, so that an order which is proved by the bound does without.
            if !*self.covered {
                return Err(Closer::Unproved(need));
            }
        }
        let glance = self.glance(terms, (reference, session_rate), &money, lots);
        let glance = glance.ok_or(Closer::NotPlain)?;
        if !checks::all_clear(&glance, lots.reducing) {
            cold_path();
            return Err(Closer::NotPlain);
        }
        if let Some(firm) = self.books.member.as_deref()
            && !checks::clear_of_member(&Glance { firm, ..glance }, lots.reducing)
        {
            return Err(Closer::NotPlain);
        }
        Ok(Admission {
            position: self.slot,
            money,
            was: lots.was,
            reducing: lots.reducing,
            need,
            repeated: glance.repeated as u32,
            volume_tat_ns: self.now_ns.saturating_add(glance.volume_taken_ns),
        })
    }

    /// Whether the account's worth is known to suffice for what the order could need.
    #[inline(always)]
    fn proves(&self, need: Option<i64>) -> bool {
        let account = &self.books.account;
        let now = Moment {
            ns: self.now_ns,
            seq: self.seq,
        };
        need.is_some_and(|need| account.proves(self.drift, need, now))
    }

    /// Lots that the order meets. What is on hold and in position is below [`FAR`], as the order is.
    #[inline(always)]
    fn lots(&self, terms: &Terms) -> Lots {
        let position = &self.books.position;
        let (toward, stands) = match terms.side {
            Side::Buy => (position.net, position.open_buy),
            // No net position is `i64::MIN`: the ledger keeps open interest far within range.
            Side::Sell => (position.net.wrapping_neg(), position.open_sell),
        };
        let was = toward + stands;
        let would_be = was + terms.qty;
        Lots {
            was,
            would_be,
            reducing: (toward < 0) & (would_be <= 0),
        }
    }

    #[inline(always)]
    fn glance<'a>(
        &'a self,
        terms: &Terms,
        (reference, session_rate): (&'a Reference, &'a Rate),
        money: &Money,
        lots: Lots,
    ) -> Option<Glance<'a>> {
        let books = &self.books;
        let lot_cost_ns = (self.limits).lot_cost_ns(self.instrument_limits.window_ns());
        let ahead_ns = (books.position.volume_tat_ns).saturating_sub(self.now_ns);
        let age_ns = self.now_ns - reference.at_ns;
        Some(Glance {
            session: self.session,
            session_rate,
            account: books.account,
            firm: books.firm,
            limits: self.limits,
            instrument: books.instrument,
            instrument_limits: self.instrument_limits,
            table: self.table,
            instrument_id: terms.instrument,
            orders: self.orders,
            venue: self.venue,
            now_ns: self.now_ns,
            side: terms.side,
            qty: terms.qty,
            price: money.price,
            notional: money.notional,
            reference,
            fresh: age_ns <= self.instrument_limits.ref_max_age_ns,
            repeated: (books.account).repeated(terms, self.limits.repeat_window_ns, self.now_ns),
            would_be: lots.would_be,
            volume_taken_ns: (terms.qty as u64)
                .checked_mul(lot_cost_ns)?
                .checked_add(ahead_ns)?,
            proved: true,
        })
    }

    /// Books an order that passed, and keeps what RULES remembers of any.
    #[inline(always)]
    fn book(&mut self, terms: &Terms, admission: &Admission) -> Booked {
        let Admission {
            position, money, ..
        } = *admission;
        self.remember(terms, admission.repeated);
        let entry = terms.entry(position, money.price, false);
        let notional = i128::from(money.notional as u64);
        // Fewer than 2^64 orders of less than 2^63 quanta each.
        let hold = |open: &mut i128| *open = open.wrapping_add(notional);
        let order = (self.books).open(&entry, admission.was, hold, self.orders);
        let instrument = &mut self.books.instrument;
        if !admission.reducing {
            self.books.position.volume_tat_ns = admission.volume_tat_ns;
            instrument.window.count(terms.qty);
        }
        let spent = Spent {
            instrument: terms.instrument.raw(),
            qty: terms.qty,
            need: admission.need,
        };
        self.books.account.bound.spend(&spent, instrument);
        Booked {
            order,
            limit: money.price,
            reducing: admission.reducing,
        }
    }

    /// What RULES remembers whatever the answer.
    #[inline(always)]
    fn remember(&mut self, terms: &Terms, repeated: u32) {
        self.move_schedules();
        self.books.account.last = LastOrder {
            at_ns: self.now_ns,
            qty: terms.qty,
            price: terms.price.unwrap_or(i64::MIN),
            place: LastOrder::place(terms.instrument, terms.side),
            count: repeated,
        };
    }

    /// The schedules of all scopes.
    #[inline(always)]
    fn move_schedules(&mut self) {
        let now_ns = self.now_ns;
        let session_tat_ns = &mut self.session.rate_tat_ns;
        if let Some(rate) = &self.session.rate {
            *session_tat_ns = rate.tat_after(now_ns, *session_tat_ns);
        }
        let account = &mut self.books.account;
        account.rate_tat_ns = self.limits.rate.tat_after(now_ns, account.rate_tat_ns);
        self.books.firm.move_schedule(now_ns);
        if let Some(member) = &mut self.books.member {
            cold_path();
            member.move_schedule(now_ns);
        }
    }
}

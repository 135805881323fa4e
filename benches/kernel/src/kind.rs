//! A kind of refusal for each check of the registry, and a market in which each can be provoked.
//!
//! One thread. Each kind has an account, a session, a firm and an instrument of its own behind those
//! of the load, so that its orders fail that one check and no other. Invariants: every check of
//! the registry has a kind; an order of a kind is refused, and has that check as its primary
//! reason, or the market's last check fails.

use crate::limits::{
    SESSIONS, SET_ALL, SET_NONE, Shape, account_cells, firm_cells, instrument, limits,
    session_cells,
};
use crate::market::{Market, ORDER_GAP_NS, ORDERS_MAX, PRICE_START, fill};
use portcullis_domain::{
    AccountId, Command, FirmId, InstrumentId, NewOrder, Price, Qty, QtyMeaning, Record, RejectCode,
    ReplaceRequest, ReportKind, Scope, SessionId, Side, StateChange, TimeInForce, TradingState,
    Units, UserRef,
};
use portcullis_risk_core::Capacities;
use portcullis_risk_core::checks::{Descriptor, REGISTRY};
use portcullis_risk_core::limits::account::AccountField;
use portcullis_risk_core::limits::firm::FirmField;
use portcullis_risk_core::limits::instrument::InstrumentField;
use portcullis_risk_core::limits::session::SessionField;
use portcullis_risk_core::limits::{AccountSpec, FirmSpec, LimitSpec, RowSpec, SessionSpec};

/// A thousand million: once a second, and more than any price or lot of the load.
const SECOND_NS: i64 = 1_000_000_000;
const EVER: i64 = 1 << 60;
/// Accounts that serve a kind: the one refused, and two others that trade with it or before it.
const ACCOUNTS: u32 = 3;
/// Order slots where all must be taken: an account can pay for as many.
const SLOTS_FEW: u32 = 64;
/// Versions of an order that may be unanswered.
const VERSIONS: u32 = 4;

/// One check, and the market in which orders fail it.
pub struct Kind {
    /// The check.
    pub check: &'static Descriptor,
    /// Where.
    pub market: Market,
    account: u32,
    session: u32,
    instrument: u32,
    /// The order that is replaced, where replaces are refused.
    replaced: Option<UserRef>,
}

impl Kind {
    /// Every check of the registry, in its order.
    ///
    /// # Errors
    /// If a market does not load, in words.
    pub fn all() -> Result<Vec<Self>, String> {
        REGISTRY.iter().map(Self::new).collect()
    }

    /// A market in which orders fail a check.
    ///
    /// # Errors
    /// If it does not load, in words.
    pub fn new(check: &'static Descriptor) -> Result<Self, String> {
        let usual = Shape::of(1_000);
        let shape = match check.name {
            // A slot without a position is given to whoever needs one.
            "POSITIONS_FULL" => Shape {
                held: usual.traded,
                ..usual
            },
            _ => usual,
        };
        let (account, session, instrument) = (shape.accounts, SESSIONS, shape.instruments);
        let mut spec = limits(&shape);
        limit(&mut spec, check.name, &shape);
        let market = Market::with(shape, &spec, capacities(check.name, &shape))?;
        let mut kind = Self {
            check,
            market,
            account,
            session,
            instrument,
            replaced: None,
        };
        kind.set_up();
        Ok(kind)
    }

    /// Makes the next orders, all of which must be refused for this check.
    pub fn prepare(&mut self, batch: &mut [Record]) {
        for slot in batch.iter_mut() {
            self.market.wait_ns(ORDER_GAP_NS);
            let command = self.command();
            *slot = self.market.record(command);
            if let Some(code) = self.early() {
                slot.head.refuse_early(code);
            }
        }
        self.market.refusals += batch.len() as u64;
    }

    /// Refusals of which the check was the primary reason.
    #[must_use]
    pub fn primary(&self) -> u64 {
        self.market.core.counters().primary[usize::from(self.check.number)]
    }

    /// Holds the final state against what was sent.
    ///
    /// # Errors
    /// The first figure that is not as it must be, in words.
    pub fn check(&self) -> Result<(), String> {
        let (primary, refusals) = (self.primary(), self.market.refusals);
        if primary != refusals {
            return Err(format!(
                "{}: primary reason of {primary} refusals, must be of {refusals}",
                self.check.name
            ));
        }
        let open = self.market.core.open_orders();
        match self.market.core.counters().refused {
            refused if refused == refusals => Ok(()),
            refused => Err(format!(
                "{}: {refused} refused, {open} open",
                self.check.name
            )),
        }
    }

    /// What has to have happened before the first order of the kind.
    fn set_up(&mut self) {
        let market = &mut self.market;
        let (account, instrument) = (self.account, self.instrument);
        let name = self.check.name;
        if name != "VENUE_DOWN" {
            let session = SessionId::new(self.session);
            market.send(Command::VenueLink { session, up: true });
        }
        for served in account..account + ACCOUNTS {
            market.deposit(served, if name == "MARGIN" { 1 } else { 5_000_000 });
        }
        if name != "REFERENCE_MISSING" {
            market.publish(instrument, PRICE_START);
        }
        let state = match name {
            "STATE_HALTED" => Some(TradingState::Halted),
            "STATE_REDUCE_ONLY" => Some(TradingState::ReduceOnly),
            _ => None,
        };
        if let Some(state) = state {
            let scope = Scope::Account(AccountId::new(account));
            market.control(Command::SetState(StateChange {
                scope,
                state,
                cancel: false,
            }));
        }
        match name {
            "SESSION_RATE" | "RATE" | "FIRM_RATE" | "REPEATED" => {
                let first = self.order();
                self.market.enter(first, Some(ReportKind::Canceled));
            }
            "LOSS_MAX" => self.lose(),
            "VOLUME_SPIKE" => self.trade_before(),
            "ORDERS_FULL" => self.fill_orders(),
            "REPLACE_PENDING" => self.leave_versions_unanswered(),
            _ => {}
        }
    }

    /// Buys above the reference from another account.
    fn lose(&mut self) {
        for (which, side) in [(0, Side::Buy), (1, Side::Sell)] {
            let price = PRICE_START + 200;
            let order = NewOrder {
                account: AccountId::new(self.account + which),
                side,
                qty: Qty::new(10),
                price: Some(Price::new(price)),
                ..self.order()
            };
            let ReportKind::Fill {
                qty,
                match_number,
                fee,
                ..
            } = fill(10, 1 << 40)
            else {
                unreachable!("a fill is one");
            };
            let price = Price::new(price);
            let at = ReportKind::Fill {
                qty,
                price,
                match_number,
                fee,
            };
            self.market.enter(order, Some(at));
        }
    }

    /// Two other accounts order as much as the breaker lets through.
    fn trade_before(&mut self) {
        for which in 1..ACCOUNTS {
            let order = NewOrder {
                account: AccountId::new(self.account + which),
                qty: Qty::new(10),
                ..self.order()
            };
            self.market.enter(order, Some(ReportKind::Canceled));
        }
    }

    fn fill_orders(&mut self) {
        for _ in 0..SLOTS_FEW {
            let order = self.order();
            self.market.enter(order, None);
        }
    }

    fn leave_versions_unanswered(&mut self) {
        let order = self.order();
        self.replaced = Some(order.user_ref);
        self.market.enter(order, None);
        for _ in 0..VERSIONS {
            let replace = self.command();
            self.market.send(replace);
            self.market.sent += 1;
        }
    }

    fn command(&mut self) -> Command {
        let order = self.order();
        match self.replaced {
            None => Command::NewOrder(order),
            Some(original) => Command::Replace(ReplaceRequest {
                session: order.session,
                original,
                user_ref: order.user_ref,
                units: Units::TicksAndLots,
                qty: order.qty,
                qty_meaning: QtyMeaning::Open,
                price: order.price,
                time_in_force: order.time_in_force,
            }),
        }
    }

    /// The order of the kind: one lot bought at the reference, but for what the check is about.
    fn order(&mut self) -> NewOrder {
        let user_ref = self.market.next_number(self.session);
        let usual = NewOrder {
            session: SessionId::new(self.session),
            user_ref,
            account: AccountId::new(self.account),
            instrument: InstrumentId::new(self.instrument),
            side: Side::Buy,
            qty: Qty::new(1),
            price: Some(Price::new(PRICE_START)),
            time_in_force: TimeInForce::Day,
        };
        match self.check.name {
            "ACCOUNT_UNKNOWN" => NewOrder {
                account: AccountId::NONE,
                ..usual
            },
            "INSTRUMENT_UNKNOWN" => NewOrder {
                instrument: InstrumentId::NONE,
                ..usual
            },
            "QUANTITY_INVALID" => NewOrder {
                qty: Qty::ZERO,
                ..usual
            },
            "PRICE_INVALID" => NewOrder {
                price: Some(Price::new(0)),
                ..usual
            },
            "QTY_MAX" => NewOrder {
                qty: Qty::new(12),
                ..usual
            },
            "COLLAR" => NewOrder {
                price: Some(Price::new(PRICE_START * 6 / 5)),
                ..usual
            },
            "ACCOUNT_VOLUME" => NewOrder {
                qty: Qty::new(2),
                ..usual
            },
            _ => usual,
        }
    }

    /// What ingress would have found already.
    fn early(&self) -> Option<RejectCode> {
        let stamped = [
            "TICK_INVALID",
            "LOT_INVALID",
            "ORDER_TYPE_UNSUPPORTED",
            "TIME_IN_FORCE_UNSUPPORTED",
            "MESSAGE_UNSUPPORTED",
            "ORDER_TYPE_NOT_PERMITTED",
            "OVERLOADED",
        ];
        stamped
            .contains(&self.check.name)
            .then(|| self.check.code())
    }
}

/// Room for all, but where there must be none.
fn capacities(name: &str, shape: &Shape) -> Capacities {
    let all = shape.accounts * shape.traded;
    Capacities {
        orders_max: if name == "ORDERS_FULL" {
            SLOTS_FEW
        } else {
            ORDERS_MAX
        },
        positions_max: if name == "POSITIONS_FULL" {
            all
        } else {
            all + ACCOUNTS
        },
        ..Capacities::default()
    }
}

/// Adds the kind's accounts, session, firm and instrument, and sets the one limit that is about it.
fn limit(spec: &mut LimitSpec, name: &str, shape: &Shape) {
    let own = InstrumentId::new(shape.instruments);
    let mut item = instrument(shape);
    let (mut account, mut firm, mut session) =
        (account_cells(shape), firm_cells(), session_cells());
    item.cells.set(InstrumentField::RefMaxAgeNs, EVER);
    match name {
        "SESSION_RATE" => {
            session.set(SessionField::RateIntervalNs, SECOND_NS);
            session.set(SessionField::RateBurst, 1);
        }
        "RATE" => {
            account.set(AccountField::RateIntervalNs, SECOND_NS);
            account.set(AccountField::RateBurst, 1);
        }
        "FIRM_RATE" => {
            firm.set(FirmField::RateIntervalNs, SECOND_NS);
            firm.set(FirmField::RateCount, 1);
            firm.set(FirmField::RateBurst, 1);
        }
        "REPEATED" => account.set(AccountField::RepeatMax, 1),
        "NOTIONAL_MAX" => account.set(AccountField::NotionalMax, PRICE_START - 1),
        "OPEN_ORDERS_MAX" => account.set(AccountField::OpenOrdersMax, 0),
        "FIRM_OPEN_ORDERS_MAX" => firm.set(FirmField::OpenOrdersMax, 0),
        "REFERENCE_STALE" => item.cells.set(InstrumentField::RefMaxAgeNs, 1),
        "POSITION_MAX" => account.set(AccountField::PositionMax, 0),
        "OPEN_NOTIONAL_MAX" => account.set(AccountField::OpenNotionalMax, 0),
        "FIRM_OPEN_NOTIONAL_MAX" => firm.set(FirmField::OpenNotionalMax, 0),
        "LOSS_MAX" => account.set(AccountField::LossMax, 1_999),
        "OI_CAP" => item.cells.set(InstrumentField::OiCap, 0),
        "OI_SHARE" => item.cells.set(InstrumentField::OiShareMax, 0),
        "ACCOUNT_VOLUME" => account.set(AccountField::AccountVolumeMax, 1),
        "VOLUME_SPIKE" => {
            account.set(AccountField::AccountVolumeMax, 10);
            item.cells.set(InstrumentField::SpikeFloor, 20);
            item.cells.set(InstrumentField::SpikePpm, 0);
            item.cells.set(InstrumentField::CooldownNs, EVER);
        }
        _ => {}
    }
    let permitted = spec.instrument_sets.len() as u32;
    spec.instrument_sets.push(vec![own]);
    let row = spec.rows.len() as u32;
    spec.rows.push(RowSpec {
        cells: account,
        permission_set: if name == "NOT_PERMITTED" {
            SET_ALL
        } else {
            permitted
        },
    });
    let firm_id = FirmId::new(spec.firms.len() as u32);
    spec.firms.push(FirmSpec {
        cells: firm,
        clearing_member: None,
        restricted_set: if name == "RESTRICTED" {
            permitted
        } else {
            SET_NONE
        },
    });
    let served = AccountSpec {
        row: Some(row),
        firm: firm_id,
    };
    spec.accounts.extend([served; ACCOUNTS as usize]);
    spec.sessions.push(SessionSpec { cells: session });
    spec.instruments.push(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::apply_all;

    #[test]
    fn each_check_of_the_registry_is_the_primary_reason_of_all_orders_of_its_kind() {
        for check in REGISTRY {
            let mut kind = Kind::new(check).expect("it loads");
            let mut batch = [Record::bare(Command::Tick.encode()); 64];
            for _ in 0..2 {
                kind.prepare(&mut batch);
                apply_all(&mut kind.market, &batch);
            }
            assert_eq!(kind.check(), Ok(()));
            assert_eq!(kind.primary(), 128, "{}", check.name);
            let counters = kind.market.core.counters();
            assert_eq!(
                counters.failing.iter().sum::<u64>(),
                128,
                "{} fails alone",
                check.name
            );
        }
    }

    #[test]
    fn a_refusal_for_another_reason_is_noticed() {
        let margin = REGISTRY.iter().find(|check| check.name == "MARGIN");
        let mut kind = Kind::new(margin.expect("it is there")).expect("it loads");
        kind.market.deposit(kind.account, 5_000_000);
        let mut batch = [Record::bare(Command::Tick.encode()); 4];
        kind.prepare(&mut batch);
        apply_all(&mut kind.market, &batch);
        let why = kind.check().expect_err("the orders were accepted");
        assert_eq!(why, "MARGIN: primary reason of 0 refusals, must be of 4");
    }
}

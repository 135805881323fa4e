//! The decision on an order or a replace: every check, in order of precedence.
//!
//! Part of the naive model. Invariant: a refused order leaves only what the rules say is remembered
//! of it: rate, last order, a tripped breaker.

use super::super::op::{OrderOp, ReplaceOp};
use super::book::{Hold, Line, Order, Version};
use super::{Naive, Side, TradingState};
use std::collections::{BTreeMap, BTreeSet};

/// An order or a replace, as the checks see it.
struct Ask {
    account: u32,
    instrument: u32,
    side: Side,
    id: u32,
    lots: i128,
    /// As asked: `None` for market.
    asked_limit: Option<i128>,
    /// The order that is replaced.
    replaces: Option<Order>,
}

/// What the checks that look at holds need of an ask.
struct Outlook {
    limit: Option<i128>,
    /// Hold of the replaced order as it stands.
    own: Hold,
    /// Lots on hold as they would be.
    lots_would: i128,
    /// The whole hold as it would be; `None` without a price, or if a product leaves the range.
    hold_would: Option<Hold>,
    /// Lots that count as volume.
    rise: i128,
    reducing: bool,
}

/// Failing checks in order of precedence.
#[derive(Default)]
struct Fails(Vec<&'static str>);

impl Fails {
    fn check(&mut self, name: &'static str, fails: bool) {
        if fails {
            self.0.push(name);
        }
    }
}

impl Naive {
    /// Judges a new order and books it if nothing fails.
    pub(super) fn order(&mut self, op: &OrderOp) -> Vec<&'static str> {
        let ask = Ask {
            account: op.account,
            instrument: op.instrument,
            side: op.side,
            id: op.id,
            lots: op.qty.into(),
            asked_limit: op.price.map(i128::from),
            replaces: None,
        };
        let fails = self.judge(&ask);
        if fails.is_empty() {
            let limit = self.limit(&ask).expect("accepted");
            let order = Order {
                first_id: op.id,
                account: op.account,
                instrument: op.instrument,
                side: op.side,
                confirmed: Version {
                    id: op.id,
                    leaves: op.qty.into(),
                    limit,
                },
                pending: Vec::new(),
                ever: BTreeSet::from([op.id]),
            };
            self.open.insert(op.id, order);
            self.first_ids.insert(op.id, op.id);
        }
        fails
    }

    /// Judges a replace and books it if nothing fails; `None` if no open order is named.
    pub(super) fn replace(&mut self, op: &ReplaceOp) -> Option<Vec<&'static str>> {
        let mut order = self.open_order(op.original)?.clone();
        let ask = Ask {
            account: order.account,
            instrument: order.instrument,
            side: order.side,
            id: op.id,
            lots: op.qty.into(),
            asked_limit: op.price.map(i128::from),
            replaces: Some(order.clone()),
        };
        let fails = self.judge(&ask);
        if fails.is_empty() {
            let limit = self.limit(&ask).expect("accepted");
            order.pending.push(Version {
                id: op.id,
                leaves: op.qty.into(),
                limit,
            });
            order.ever.insert(op.id);
            self.first_ids.insert(op.id, order.first_id);
            self.open.insert(order.first_id, order);
        }
        Some(fails)
    }

    /// The limit: as asked, or the collar's far end for a market order, if there is a reference.
    fn limit(&self, ask: &Ask) -> Option<i128> {
        let instrument = self.instruments.get(&ask.instrument)?;
        let far_end = match ask.side {
            Side::Buy => instrument.hi,
            Side::Sell => instrument.lo,
        };
        ask.asked_limit.or(instrument.reference.map(|_| far_end))
    }

    fn judge(&mut self, ask: &Ask) -> Vec<&'static str> {
        let mut fails = Fails::default();
        self.form(ask, &mut fails);
        if !fails.0.is_empty() {
            return fails.0;
        }
        let outlook = self.outlook(ask);
        self.state_and_rate(ask, &outlook, &mut fails);
        self.size_and_price(ask, &outlook, &mut fails);
        if !outlook.reducing {
            self.exposure(ask, &outlook, &mut fails);
            self.margin(ask, &outlook, &mut fails);
            let (account, instrument) = (ask.account, ask.instrument);
            let volume = self.account_volume(account, instrument, outlook.rise);
            let no_rise = ask.replaces.is_some() && outlook.rise == 0;
            fails.check(
                "ACCOUNT_VOLUME",
                volume.is_none_or(|(_, over)| over && !no_rise),
            );
            let others_pass = fails.0.is_empty();
            let spike = self.spike_fails(instrument, outlook.rise, others_pass);
            fails.check("VOLUME_SPIKE", spike);
            if fails.0.is_empty() {
                self.count_volume(account, instrument, outlook.rise);
            }
        }
        fails.0
    }

    /// PRICE_INVALID judges the limit asked for: a market order's is the collar's, which is not
    /// the client's to get right.
    fn form(&self, ask: &Ask, fails: &mut Fails) {
        let limits = self.config.instruments.get(ask.instrument as usize);
        let price_max = limits.map(|limits| i128::from(limits.price_max));
        fails.check("ACCOUNT_UNKNOWN", !self.accounts.contains_key(&ask.account));
        fails.check("INSTRUMENT_UNKNOWN", limits.is_none());
        fails.check("QUANTITY_INVALID", ask.lots < 1);
        fails.check(
            "PRICE_INVALID",
            ask.asked_limit
                .is_some_and(|p| p < 1 || price_max.is_some_and(|max| p > max)),
        );
    }

    fn outlook(&self, ask: &Ask) -> Outlook {
        let limit = self.limit(ask);
        let own = ask
            .replaces
            .as_ref()
            .map_or(Hold::default(), |order| self.hold(order));
        let alone = limit.and_then(|p| self.version_hold(ask.instrument, ask.side, ask.lots, p));
        let last = ask.replaces.as_ref().map_or(0, |order| order.last().leaves);
        let lots_would = ask.lots.max(own.lots);
        let line = self
            .lines(ask.account)
            .get(&ask.instrument)
            .copied()
            .unwrap_or_default();
        let others = match ask.side {
            Side::Buy => line.buy - own.lots,
            Side::Sell => line.sell - own.lots,
        };
        let against = match ask.side {
            Side::Buy => -line.net,
            Side::Sell => line.net,
        };
        let closes = against > 0 && others + lots_would <= against;
        let milder = ask.replaces.as_ref().is_some_and(|order| {
            order.versions().all(|version| {
                let price_milder = limit.is_some_and(|p| match ask.side {
                    Side::Buy => p <= version.limit,
                    Side::Sell => p >= version.limit,
                });
                ask.lots <= version.leaves && price_milder
            })
        });
        Outlook {
            limit,
            own,
            lots_would,
            hold_would: alone.map(|hold| hold.larger(own)),
            rise: (ask.lots - last).max(0),
            reducing: closes || milder,
        }
    }

    fn strictest_state(&self, ask: &Ask) -> TradingState {
        let firm = self.config.accounts[ask.account as usize].firm;
        let scopes = [
            self.venue,
            self.restart,
            self.firms[&firm],
            self.accounts[&ask.account].state,
            self.instruments[&ask.instrument].state,
            self.sessions[&self.config.session_of(ask.id)],
        ];
        scopes.into_iter().max().expect("six of them")
    }

    fn state_and_rate(&mut self, ask: &Ask, outlook: &Outlook, fails: &mut Fails) {
        let pending = ask.replaces.as_ref().map_or(0, |order| order.pending.len());
        let state = self.strictest_state(ask);
        let limits = &self.config.accounts[ask.account as usize];
        let halted = matches!(state, TradingState::Halted | TradingState::CancelOnly);
        let permitted = limits.permitted.contains(&ask.instrument);
        let binds = !outlook.reducing;
        let session = self.config.session_of(ask.id);
        fails.check("JOURNAL_DOWN", !self.journal_up);
        fails.check("VENUE_DOWN", self.down.contains(&session));
        fails.check("REPLACE_PENDING", pending >= 4);
        fails.check("STATE_HALTED", halted);
        fails.check(
            "STATE_REDUCE_ONLY",
            binds && state == TradingState::ReduceOnly,
        );
        fails.check("NOT_PERMITTED", binds && !permitted);
        fails.check("RATE", self.rate_fails(ask.account));
        if ask.replaces.is_none() {
            let what = (ask.instrument, ask.side, ask.lots, ask.asked_limit);
            let repeated = self.repeated_fails(ask.account, what);
            fails.check("REPEATED", binds && repeated);
        }
    }

    fn size_and_price(&self, ask: &Ask, outlook: &Outlook, fails: &mut Fails) {
        let limits = &self.config.accounts[ask.account as usize];
        let binds = !outlook.reducing;
        fails.check("QTY_MAX", ask.lots > limits.qty_max.into());
        let notional_fails = outlook.limit.is_some_and(|limit| {
            let notional = (limit * self.value(ask.instrument)).checked_mul(ask.lots);
            exceeds(notional, limits.notional_max)
        });
        fails.check("NOTIONAL_MAX", binds && notional_fails);
        if ask.replaces.is_none() {
            let open = self.orders_of(ask.account).count() as i128;
            fails.check(
                "OPEN_ORDERS_MAX",
                binds && exceeds(Some(open + 1), limits.open_orders_max),
            );
        }
        let mut needed = self.involved(ask.account);
        needed.push(ask.instrument);
        let missing = needed
            .iter()
            .any(|instrument| self.price(*instrument).is_none());
        let stale = needed
            .iter()
            .any(|instrument| self.reference_is_stale(*instrument));
        fails.check(
            "REFERENCE_MISSING",
            outlook.limit.is_none() || binds && missing,
        );
        fails.check("REFERENCE_STALE", binds && stale);
        let instrument = &self.instruments[&ask.instrument];
        let judged = instrument.reference.is_some() && !self.reference_is_stale(ask.instrument);
        let outside = outlook.limit.is_some_and(|limit| match ask.side {
            Side::Buy => limit > instrument.hi,
            Side::Sell => limit < instrument.lo,
        });
        fails.check("COLLAR", judged && outside);
    }

    /// Lines of the account as they would be with the ask's hold, beside those as they are.
    fn lines_would(&self, ask: &Ask, own: Hold, would: Hold) -> (Line, BTreeMap<u32, Line>) {
        let mut lines = self.lines(ask.account);
        let line = lines.entry(ask.instrument).or_default();
        let before = *line;
        line.add(ask.side, own, -1);
        line.add(ask.side, would, 1);
        (before, lines)
    }

    fn exposure(&self, ask: &Ask, outlook: &Outlook, fails: &mut Fails) {
        let limits = &self.config.accounts[ask.account as usize];
        let in_lots = Hold {
            lots: outlook.lots_would,
            ..Hold::default()
        };
        let own_lots = Hold {
            lots: outlook.own.lots,
            ..Hold::default()
        };
        let (before, lines) = self.lines_would(ask, own_lots, in_lots);
        let after = lines[&ask.instrument];
        let signed_after = match ask.side {
            Side::Buy => after.net + after.buy,
            Side::Sell => after.sell - after.net,
        };
        fails.check(
            "POSITION_MAX",
            exceeds(Some(signed_after), limits.position_max),
        );
        let others: i128 = self
            .orders_of(ask.account)
            .map(|o| self.hold(o).notional)
            .sum();
        let others = others - outlook.own.notional;
        let open_notional = outlook
            .hold_would
            .and_then(|hold| others.checked_add(hold.notional));
        let notional_fails = exceeds(open_notional, limits.open_notional_max);
        fails.check(
            "OPEN_NOTIONAL_MAX",
            outlook.limit.is_some() && notional_fails,
        );
        let loss = self
            .equity(ask.account)
            .map(|e| self.accounts[&ask.account].day_base - e);
        if self.price(ask.instrument).is_some() && loss.is_some() {
            fails.check("LOSS_MAX", exceeds(loss, limits.loss_max));
        }
        let interest = self.open_interest(ask.instrument);
        let instrument = &self.config.instruments[ask.instrument as usize];
        let (was, would, all) = match ask.side {
            Side::Buy => (before.long(), after.long(), interest.long_would_be),
            Side::Sell => (before.short(), after.short(), interest.short_would_be),
        };
        let grows = would > was;
        fails.check(
            "OI_CAP",
            grows && all + would - was > instrument.oi_cap.into(),
        );
        fails.check("OI_SHARE", grows && would > instrument.oi_share_max.into());
    }

    fn margin(&self, ask: &Ask, outlook: &Outlook, fails: &mut Fails) {
        let mut needed = self.involved(ask.account);
        needed.push(ask.instrument);
        if needed
            .iter()
            .any(|instrument| self.price(*instrument).is_none())
        {
            return;
        }
        let requirement = outlook.hold_would.and_then(|would| {
            let (_, lines) = self.lines_would(ask, outlook.own, would);
            self.requirement(&lines)
        });
        let admissible = self.admissible(ask.account).expect("all prices are there");
        fails.check(
            "MARGIN",
            requirement.is_none_or(|requirement| admissible < requirement),
        );
    }
}

/// Whether an amount, `None` where it leaves the range, is above a limit, `None` where unset.
fn exceeds(amount: Option<i128>, limit: Option<i64>) -> bool {
    match (amount, limit) {
        (Some(amount), Some(limit)) => amount > limit.into(),
        (None, _) | (_, None) => true,
    }
}

//! An explanation on paper.
//!
//! Pure. Invariant: a number that changed stands as `before -> after`, one that did not stands once.

use crate::journal::naming::Scales;
use crate::journal::utc;
use crate::journal::words::{Words, raw};
use portcullis_domain::{AccountId, Command, Head, InstrumentId, Price, Record};
use portcullis_risk_core::checks;
use portcullis_risk_core::{
    AccountView, CheckOutcome, CheckWord, Effect, InstrumentView, OrderView, OutboundAction,
    PositionView, RiskCore,
};
use std::fmt;

/// What an account stood like.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) account: Option<AccountId>,
    view: Option<AccountView>,
    /// Where it has a position or holds, or the order is in.
    positions: Vec<(InstrumentId, PositionView, Option<InstrumentView>)>,
    /// Of a replace: its order.
    order: Option<OrderView>,
}

impl Standing {
    /// The account of a record, before it.
    pub(super) fn of(core: &RiskCore, head: &Head) -> Self {
        let (account, instrument, order) = match Command::decode(head) {
            Ok(Command::NewOrder(order)) => (Some(order.account), Some(order.instrument), None),
            Ok(Command::Replace(request)) => {
                let order = core.order(request.session, request.original);
                let account = order.map(|order| order.account);
                (account, order.map(|order| order.instrument), order)
            }
            Ok(_) | Err(_) => (None, None, None),
        };
        Self {
            order,
            ..Self::taken(core, account, instrument)
        }
    }

    /// An account, after the record.
    pub(super) fn about(core: &RiskCore, account: Option<AccountId>) -> Self {
        Self::taken(core, account, None)
    }

    fn taken(core: &RiskCore, account: Option<AccountId>, also: Option<InstrumentId>) -> Self {
        let account = account.filter(|account| core.account(*account).is_some());
        let Some(account) = account else {
            return Self::default();
        };
        let all = (0..).map(InstrumentId::new);
        let known = all.map_while(|id| core.instrument(id).map(|view| (id, view)));
        let positions = known.filter_map(|(id, view)| {
            let position = core.position(account, id);
            let shown = position != PositionView::default() || also == Some(id);
            shown.then_some((id, position, Some(view)))
        });
        Self {
            account: Some(account),
            view: core.account(account),
            positions: positions.collect(),
            order: None,
        }
    }

    fn position(&self, id: InstrumentId) -> PositionView {
        let found = self.positions.iter().find(|(other, ..)| *other == id);
        found.map_or(PositionView::default(), |(_, view, _)| *view)
    }
}

/// The account that a verdict is about.
pub(super) fn account_of(effects: &[Effect]) -> Option<AccountId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Approved(approved) => Some(approved.get().account),
        Effect::Refused(refusal) => Some(refusal.account),
        Effect::Answered(_)
        | Effect::Reported(_)
        | Effect::SessionChanged(_)
        | Effect::Controlled(_)
        | Effect::StateChanged { .. }
        | Effect::Alarmed(_) => None,
    })
}

/// All that is said of one record.
pub(super) struct Report<'a> {
    pub(super) words: &'a Words<'a>,
    pub(super) record: &'a Record,
    /// After the record.
    pub(super) core: &'a RiskCore,
    pub(super) checks: &'a [CheckWord],
    pub(super) asked: bool,
    pub(super) effects: &'a [Effect],
    pub(super) before: &'a Standing,
    pub(super) after: &'a Standing,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = &self.record.head;
        let what = self.words.head(head);
        writeln!(
            f,
            "record {} at {}: {what}",
            head.seq,
            utc(head.timestamp_ns)
        )?;
        if !self.record.raw().is_empty() {
            writeln!(f, "  {}", raw(head, self.record.raw()))?;
        }
        writeln!(
            f,
            "epoch {}, limits {:016x}; venue {}, restart {}, journal {}",
            self.core.epoch(),
            self.core.limits_digest(),
            self.core.venue_state().name(),
            self.core.restart_state().name(),
            if self.core.journal_up() { "up" } else { "down" },
        )?;
        self.verdict(f)?;
        self.checks(f)?;
        self.standing(f)
    }
}

impl Report<'_> {
    fn verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for effect in self.effects {
            match effect {
                Effect::Approved(approved) => {
                    let order = approved.get();
                    let price = |price| self.words.scales.price(order.instrument, price);
                    match order.action {
                        OutboundAction::Enter { qty, price: at, .. } => writeln!(
                            f,
                            "verdict: ACCEPTED, sent to the engine as {} @ {}",
                            qty.lots(),
                            price(at)
                        )?,
                        OutboundAction::Replace {
                            qty_total,
                            price: at,
                            ..
                        } => writeln!(
                            f,
                            "verdict: ACCEPTED, sent to the engine as a replace to {} in all @ {}",
                            qty_total.lots(),
                            price(at)
                        )?,
                        OutboundAction::Cancel { .. } => writeln!(f, "and a cancel was sent")?,
                    }
                }
                Effect::Refused(refusal) => {
                    let failing: Vec<_> = refusal.failing.codes().map(checks::name).collect();
                    writeln!(
                        f,
                        "verdict: REFUSED by {}; told the client: {}; {} lots would have passed it",
                        failing.join(", "),
                        checks::name(refusal.primary),
                        refusal.explanation.qty_passing,
                    )?;
                }
                Effect::Answered(answer) => writeln!(f, "answer: {:?}", answer.kind)?,
                Effect::Reported(_)
                | Effect::SessionChanged(_)
                | Effect::Controlled(_)
                | Effect::StateChanged { .. }
                | Effect::Alarmed(_) => writeln!(f, "effect: {effect:?}")?,
            }
        }
        Ok(())
    }

    fn checks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.asked {
            return writeln!(
                f,
                "no check was asked: it is no order, a resend of a number used before, or a replace of no open order"
            );
        }
        writeln!(
            f,
            "checks, in order of precedence (numbers in each one's own unit: lots, ticks, quanta, ns, a count):"
        )?;
        for word in self.checks {
            let name = checks::name(word.code);
            let numbers = &word.numbers;
            let outcome = match word.outcome {
                CheckOutcome::Passes => "passes",
                CheckOutcome::Fails => "FAILS",
                CheckOutcome::NotJudged => {
                    writeln!(f, "  {name:<26} not judged")?;
                    continue;
                }
            };
            write!(
                f,
                "  {name:<26} {outcome:<7} limit {}, used {}, asked {}",
                numbers.limit, numbers.used, numbers.asked
            )?;
            if word.outcome == CheckOutcome::Fails {
                write!(f, "; {} lots would have passed", numbers.qty_passing)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn standing(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(account), Some(before), Some(after)) =
            (self.before.account, &self.before.view, &self.after.view)
        else {
            return writeln!(f, "the record is about no account that is known");
        };
        let scales = &self.words.scales;
        writeln!(
            f,
            "account {}, before -> after; {}",
            self.words.naming.account(account),
            scales.units()
        )?;
        writeln!(
            f,
            "  state {}",
            changed(before.state.name(), after.state.name())
        )?;
        for (what, before, after) in money_lines(before, after) {
            let money = |amount: Option<i128>| {
                amount.map_or(
                    "unknown (a position has no reference price)".to_owned(),
                    |m| scales.money(m),
                )
            };
            writeln!(f, "  {what} {}", changed(&money(before), &money(after)))?;
        }
        let orders = (
            before.open_orders.to_string(),
            after.open_orders.to_string(),
        );
        writeln!(f, "  open orders {}", changed(&orders.0, &orders.1))?;
        if let Some(order) = &self.before.order {
            writeln!(
                f,
                "  the order before: {} lots open @ {}, {} versions unanswered",
                order.leaves,
                scales.price(order.instrument, Price::new(order.price)),
                order.pending
            )?;
        }
        for (id, before, view) in &self.before.positions {
            position(
                f,
                self.words,
                *id,
                before,
                &self.after.position(*id),
                view.as_ref(),
            )?;
        }
        Ok(())
    }
}

fn money_lines(
    before: &AccountView,
    after: &AccountView,
) -> Vec<(&'static str, Option<i128>, Option<i128>)> {
    let worth = |view: &AccountView| {
        let worth = view.worth;
        [
            worth.map(|worth| worth.equity),
            worth.map(|worth| worth.admissible),
            worth.map(|worth| worth.requirement),
            worth.map(|worth| worth.maintenance),
            worth.map(|worth| worth.free),
        ]
    };
    let names = [
        "equity",
        "admissible equity",
        "margin requirement",
        "maintenance margin",
        "free",
    ];
    let mut lines = vec![
        ("cash", Some(before.cash), Some(after.cash)),
        ("day base", Some(before.day_base), Some(after.day_base)),
        (
            "open notional",
            Some(before.open_notional),
            Some(after.open_notional),
        ),
    ];
    let pairs = worth(before).into_iter().zip(worth(after));
    lines.extend(names.into_iter().zip(pairs).map(|(n, (b, a))| (n, b, a)));
    lines
}

fn position(
    f: &mut fmt::Formatter<'_>,
    words: &Words<'_>,
    id: InstrumentId,
    before: &PositionView,
    after: &PositionView,
    instrument: Option<&InstrumentView>,
) -> fmt::Result {
    let scales: &Scales<'_> = &words.scales;
    let number = |before: i64, after: i64| changed(&before.to_string(), &after.to_string());
    let money = |before, after| changed(&scales.money(before), &scales.money(after));
    writeln!(
        f,
        "  {}: net {}, cost {}, on hold to buy {}, to sell {}, adverse {}",
        words.naming.instrument(id),
        number(before.net, after.net),
        money(before.cost, after.cost),
        number(before.open_buy, after.open_buy),
        number(before.open_sell, after.open_sell),
        money(before.adverse, after.adverse),
    )?;
    let Some(view) = instrument else {
        return Ok(());
    };
    let price = |ticks| scales.price(id, Price::new(ticks));
    let reference = view.reference.map_or("none".to_owned(), price);
    let collar = view.collar.map_or("none".to_owned(), |(low, high)| {
        format!("{} to {}", price(low), price(high))
    });
    writeln!(
        f,
        "    reference {reference}, collar {collar}, {}, margin scale {} ppm, open interest {}",
        view.state.name(),
        view.scale_ppm,
        view.open_interest,
    )
}

fn changed(before: &str, after: &str) -> String {
    if before == after {
        before.to_owned()
    } else {
        format!("{before} -> {after}")
    }
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn what_changed_stands_twice() {
        assert_eq!(changed("1", "1"), "1");
        assert_eq!(changed("1", "2"), "1 -> 2");
    }
}

//! What the core says, in words for people.
//!
//! Pure. Names come from the config, numbers keep the core's units and say which.

use portcullis_control::config::Config;
use portcullis_domain::{InstrumentId, Scope, Seq, Side, Timestamp, TradingState};
use portcullis_pipeline::durability::Durability;
use portcullis_pipeline::item::VenueView;
use portcullis_risk_core::checks;
use portcullis_risk_core::{
    AccountView, Alarm, AlarmKind, ControlRefusal, OrderView, PositionView, Refusal, Valued,
};

pub(super) const fn control_refusal(refusal: ControlRefusal) -> &'static str {
    match refusal {
        ControlRefusal::AccountUnknown => "there is no such account",
        ControlRefusal::InstrumentUnknown => "there is no such instrument",
        ControlRefusal::FirmUnknown => "there is no such firm",
        ControlRefusal::SessionUnknown => "there is no such session",
        ControlRefusal::AmountInvalid => "the amount must be above zero",
        ControlRefusal::PriceInvalid => "the price must be at least a tick and at most price_max",
        ControlRefusal::PriceNegative => "the price is negative, which this gateway does not trade",
        ControlRefusal::NotFree => "that much is not free for withdrawal",
        ControlRefusal::NotActive => "venue or account is not Active",
        ControlRefusal::ReferenceNotFresh => {
            "a position's reference price is missing or stale; publish one first"
        }
        ControlRefusal::OutOfRange => "the ledger cannot hold the result",
        ControlRefusal::NotStaged => "no limit table with this digest is staged",
        ControlRefusal::DoesNotFit => {
            "the new limits do not fit the running gateway: something was removed, there is more \
             than the capacities allow, or a tick_lot_value changed; restart with it instead"
        }
        ControlRefusal::CellInvalid => {
            "that limit cannot take that value, or no spare row is left (account_rows_spare)"
        }
        ControlRefusal::NothingDisputed => "the account has no disputed execution",
        ControlRefusal::TableFull => "a table is full; raise positions_max",
        ControlRefusal::QuantityInvalid => "the quantity must not be zero",
        ControlRefusal::ValuationUnderWay => {
            "all accounts are being valued, and another valuation waits for that one; ask again"
        }
    }
}

const fn alarm_kind(kind: AlarmKind) -> &'static str {
    match kind {
        AlarmKind::FillBeyondLeaves => "an execution beyond the order's leaves; account Halted",
        AlarmKind::FillBeyondLimit => "an execution worse than the order's limit; account Halted",
        AlarmKind::FillOnClosedOrder => "an execution on a closed order; account Halted",
        AlarmKind::FillOutOfRange => "an execution the ledger cannot hold; account Halted",
        AlarmKind::OrderNeverAdmitted => "a report on an order that was never admitted",
        AlarmKind::VersionNeverAsked => "a report on a version that the order never had",
        AlarmKind::DisputeTableFull => "no room for a disputed execution; account Halted",
        AlarmKind::BrokenTradeUnknown => "a broken trade that no execution matches",
        AlarmKind::MaintenanceBreached => "equity is below maintenance margin",
        AlarmKind::RecordInvalid => "a record that is no command",
        AlarmKind::SweepQueueFull => "no room for a mass cancel; raise sweeps_max",
    }
}

/// What a valuation of all accounts found.
pub(super) fn valued(valued: &Valued) -> String {
    format!(
        "accounts {}, below maintenance margin {}, with a reference missing or stale {}",
        valued.accounts, valued.below_maintenance, valued.not_fresh,
    )
}

pub(super) fn alarm(alarm: &Alarm, at: Timestamp, config: &Config) -> String {
    let names = &config.names;
    format!(
        "ALARM {} ns: {}; session {}, order {}, account {}, instrument {}, {} lots at {} ticks",
        at.ns(),
        alarm_kind(alarm.kind),
        names.session_user(alarm.session).unwrap_or("-"),
        alarm.user_ref.number,
        names.account_name(alarm.account).unwrap_or("-"),
        names.symbol(alarm.instrument).unwrap_or("-"),
        alarm.qty.lots(),
        alarm.price.ticks(),
    )
}

pub(super) fn state_changed(
    scope: Scope,
    state: TradingState,
    at: Timestamp,
    config: &Config,
) -> String {
    let names = &config.names;
    let scope = match scope {
        Scope::Venue => "venue".to_owned(),
        Scope::Firm(firm) => format!("firm {}", names.firm_name(firm).unwrap_or("-")),
        Scope::Account(account) => {
            format!("account {}", names.account_name(account).unwrap_or("-"))
        }
        Scope::Instrument(instrument) => {
            format!("instrument {}", names.symbol(instrument).unwrap_or("-"))
        }
        Scope::Session(session) => {
            format!("session {}", names.session_user(session).unwrap_or("-"))
        }
    };
    format!("STATE {} ns: {scope} is {}", at.ns(), state.name())
}

const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

pub(super) fn refusal(refusal: &Refusal, at: Timestamp, config: &Config) -> String {
    let failing: Vec<_> = refusal.failing.codes().map(checks::name).collect();
    let names = &config.names;
    let what = if refusal.replace { "replace" } else { "order" };
    format!(
        "{what} {}:{} refused at {} ns under epoch {}: {} {} lots of {} for {}\n\
         failing checks: {}\n{}",
        names.session_user(refusal.session).unwrap_or("-"),
        refusal.user_ref.number,
        at.ns(),
        refusal.epoch,
        side(refusal.side),
        refusal.qty.lots(),
        names
            .symbol(refusal.instrument)
            .unwrap_or("an unknown instrument"),
        names
            .account_name(refusal.account)
            .unwrap_or("an unknown account"),
        failing.join(", "),
        example(refusal, config),
    )
}

/// The numbers of a refusal's first check, in one line.
pub(super) fn example(refusal: &Refusal, config: &Config) -> String {
    let numbers = &refusal.explanation;
    let price = refusal
        .price
        .map_or("market".to_owned(), |price| price.ticks().to_string());
    format!(
        "{} {} {} @ {price}: limit {}, used {}, asked {}, {} lots would have passed",
        side(refusal.side),
        refusal.qty.lots(),
        config.names.symbol(refusal.instrument).unwrap_or("?"),
        numbers.limit,
        numbers.used,
        numbers.asked,
        numbers.qty_passing,
    )
}

pub(super) fn venue(venue: &VenueView) -> String {
    format!(
        "venue {}, seq {}, epoch {}, digest {:016x}\naccepted {}, refused {}, open orders {}, \
         alarms {}, longest search {}",
        venue.state.name(),
        venue.seq,
        venue.epoch,
        venue.digest,
        venue.accepted,
        venue.refused,
        venue.open_orders,
        venue.alarms,
        venue.passed_max,
    )
}

/// What holds of the journal now.
pub(super) fn journal(policy: Durability, kept: Seq) -> String {
    let word = match policy {
        Durability::Memory => "memory",
        Durability::Journaled => "journaled",
        Durability::Synced => "synced",
        Durability::Replicated => "replicated",
    };
    format!("\njournal kept up to {}, durability {word}", kept.raw())
}

pub(super) fn account(view: &AccountView, config: &Config) -> String {
    let quantum = config.profile.money.quantum();
    let mut text = format!(
        "{}; money in units of {quantum} {}\ncash {}, day base {}, open orders {}, open notional {}",
        view.state.name(),
        config.profile.settlement_asset,
        view.cash,
        view.day_base,
        view.open_orders,
        view.open_notional,
    );
    match &view.worth {
        Some(worth) => text.push_str(&format!(
            "\nequity {}, admissible {}, requirement {}, maintenance {}, free {}",
            worth.equity, worth.admissible, worth.requirement, worth.maintenance, worth.free,
        )),
        None => text.push_str("\na position has no reference price: equity cannot be said"),
    }
    text
}

pub(super) fn position(view: &PositionView, instrument: InstrumentId, config: &Config) -> String {
    if *view == PositionView::default() {
        return String::new();
    }
    format!(
        "\n{}: net {}, cost {}, on hold to buy {}, to sell {}, adverse {}",
        config.names.symbol(instrument).unwrap_or("?"),
        view.net,
        view.cost,
        view.open_buy,
        view.open_sell,
        view.adverse,
    )
}

pub(super) fn order(order: &OrderView, config: &Config) -> String {
    let names = &config.names;
    format!(
        "{}: {} {} lots open of {} at {} ticks for {}, {} versions unanswered",
        if order.open { "open" } else { "closed" },
        side(order.side),
        order.leaves,
        names.symbol(order.instrument).unwrap_or("?"),
        order.price,
        names.account_name(order.account).unwrap_or("?"),
        order.pending,
    )
}

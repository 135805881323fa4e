//! What the embedded venue remarks on its reports, and what it says first.
//!
//! One thread.

use crate::rig::{INSTRUMENTS, Rig, SESSIONS};
use portcullis_domain::{
    AccountId, CancelRequest, Command, HashSeed, InstrumentId, NewOrder, Price, Qty, ReportKind,
    Scope, SessionId, Side, StateChange, TimeInForce, TradingState, Units, UserRef,
};
use portcullis_venue_embedded::{EmbeddedVenue, Fees, InstrumentConfig, LadderConfig};

const SESSION: SessionId = SessionId::new(1);

fn rig() -> Rig<EmbeddedVenue> {
    let instrument = InstrumentConfig {
        qty_max: Qty::new(1_000),
        price_max: Price::new(100_000),
        fees: Fees::default(),
    };
    let config = LadderConfig {
        instruments: vec![instrument; INSTRUMENTS as usize],
        sessions_max: SESSIONS,
        orders_max: 64,
        levels_max: 64,
        inbox_max: 64,
        trades_max: 64,
        window_ticks: 64,
        hash_seed: HashSeed::FIXED,
    };
    let venue = EmbeddedVenue::new(config, None).expect("in range");
    let mut rig = Rig::new(venue, 1, |_| Vec::new());
    rig.pump_all();
    assert_eq!(rig.links_up, SESSIONS, "each link, once");
    rig
}

fn order(number: u32, side: Side, price: i64, time_in_force: TimeInForce) -> Command {
    Command::NewOrder(NewOrder {
        session: SESSION,
        user_ref: UserRef::new(number),
        account: AccountId::new(1),
        instrument: InstrumentId::new(0),
        side,
        qty: Qty::new(10),
        price: Some(Price::new(price)),
        time_in_force,
    })
}

fn cancel(number: u32, qty_total: i64) -> Command {
    Command::Cancel(CancelRequest {
        session: SESSION,
        user_ref: UserRef::new(number),
        units: Units::TicksAndLots,
        qty_total: Qty::new(qty_total),
    })
}

/// Number, remark and kind of what was reported, in order.
fn remarks(rig: &mut Rig<EmbeddedVenue>) -> Vec<(u32, u8, &'static str)> {
    rig.pump_all();
    let reports = core::mem::take(&mut rig.reports);
    let name = |kind| match kind {
        ReportKind::Accepted => "accepted",
        ReportKind::Fill { .. } => "fill",
        ReportKind::Canceled => "canceled",
        ReportKind::Reduced { .. } => "reduced",
        ReportKind::Rejected => "rejected",
        ReportKind::BrokenTrade { .. } => "broken",
        ReportKind::Replaced { .. }
        | ReportKind::ReplaceRejected { .. }
        | ReportKind::CancelPending
        | ReportKind::CancelRejected
        | ReportKind::Information => "unexpected",
    };
    reports
        .iter()
        .map(|(report, _)| (report.user_ref.number, report.note, name(report.kind)))
        .collect()
}

#[test]
fn a_client_learns_why_in_the_letters_of_its_protocol() {
    let mut rig = rig();
    rig.apply(order(1, Side::Buy, 1_000, TimeInForce::Day));
    rig.apply(order(2, Side::Buy, 999, TimeInForce::ImmediateOrCancel));
    rig.apply(cancel(1, 8));
    rig.apply(order(3, Side::Sell, 1_000, TimeInForce::ImmediateOrCancel));
    rig.apply(order(4, Side::Sell, 1_000, TimeInForce::GoodTillTime));
    assert_eq!(
        remarks(&mut rig),
        [
            (1, 0, "accepted"),
            (2, 0, "accepted"),
            (2, b'I', "canceled"),
            (1, b'U', "reduced"),
            (3, 0, "accepted"),
            (3, b'R', "fill"),
            (1, b'A', "fill"),
            (3, b'I', "canceled"),
            (4, 0x0F, "rejected"),
        ]
    );
    assert_eq!(rig.effects.alarms, []);
}

#[test]
fn a_cancel_of_the_gateway_is_told_from_the_clients() {
    let mut rig = rig();
    for number in 1..=3 {
        rig.apply(order(number, Side::Buy, 1_000, TimeInForce::Day));
    }
    // The client's own comes first; the gateway's of the same order is ignored by the ladder.
    rig.apply(cancel(2, 0));
    rig.apply(Command::SetState(StateChange {
        scope: Scope::Session(SESSION),
        state: TradingState::CancelOnly,
        cancel: true,
    }));
    rig.apply(Command::Tick);
    assert_eq!(
        remarks(&mut rig)[3..],
        [
            (2, b'U', "canceled"),
            (1, b'S', "canceled"),
            (3, b'S', "canceled")
        ]
    );
}

#[test]
fn the_days_end_and_a_broken_trade_reach_the_client() {
    let mut rig = rig();
    rig.apply(order(1, Side::Buy, 1_000, TimeInForce::Day));
    rig.apply(order(2, Side::Buy, 999, TimeInForce::GoodTillCancel));
    rig.apply(order(3, Side::Sell, 1_000, TimeInForce::ImmediateOrCancel));
    rig.apply(order(4, Side::Buy, 998, TimeInForce::Day));
    rig.pump_all();
    rig.reports.clear();
    rig.venue.bust(1).expect("room");
    rig.venue.end_day().expect("room");
    assert_eq!(
        remarks(&mut rig),
        [
            (3, b'S', "broken"),
            (1, b'S', "broken"),
            (4, b'E', "canceled")
        ]
    );
    assert_eq!(rig.venue.ladder().open_orders(), 1);
    let figures = rig.venue.instrument_counters(InstrumentId::new(0));
    assert_eq!(figures.expect("there").trades, 1);
    assert_eq!(rig.effects.alarms, []);
}

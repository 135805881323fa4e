//! What a test asks of an engine, as one JSON object.
//!
//! Made on the floor's thread. Invariant: the sums over sessions are of the same moment as the
//! sessions themselves.

use crate::book::Book;
use crate::session::Session;
use portcullis_domain::Side;
use serde_json::{Value, json};

pub(crate) fn figures(book: &Book, sessions: &[Session]) -> Value {
    let sum = |of: fn(&Session) -> u64| sessions.iter().map(of).sum::<u64>();
    let counters = book.counters();
    let each: Vec<Value> = (sessions.iter().enumerate())
        .map(|(index, session)| of_session(book, index, session))
        .collect();
    json!({
        "orders_entered": sum(|session| session.counts.orders_entered),
        "replaces_entered": sum(|session| session.counts.replaces_entered),
        "cancels": sum(|session| session.counts.cancels),
        "enters_repeated": sum(|session| session.counts.enters_repeated),
        "replaces_repeated": sum(|session| session.counts.replaces_repeated),
        "not_understood": sum(|session| session.counts.not_understood),
        "trades": counters.trades,
        "executions": 2 * counters.trades,
        "executed_qty": counters.executed_qty as u64,
        "open_orders": book.open_orders(),
        "sessions": each,
    })
}

fn of_session(book: &Book, index: usize, session: &Session) -> Value {
    let counts = &session.counts;
    let open: Vec<Value> = book
        .open_of(index)
        .map(|(order, leaves_wire)| {
            json!({
                "row": order.user_ref.row,
                "user_ref": order.user_ref.number,
                "symbol": book.symbol(order.instrument),
                "side": match order.side {
                    Side::Buy => "B",
                    Side::Sell => "S",
                },
                "price_ticks": order.price.ticks(),
                "leaves": leaves_wire,
            })
        })
        .collect();
    json!({
        "user": String::from_utf8_lossy(session.owner.user.trimmed()),
        "connected": session.connection.is_some(),
        "logins": counts.logins,
        "takeovers": counts.takeovers,
        "sequence": session.stream.last(),
        "last_user_ref": session.last_number(0),
        "orders_entered": counts.orders_entered,
        "replaces_entered": counts.replaces_entered,
        "cancels": counts.cancels,
        "enters_repeated": counts.enters_repeated,
        "replaces_repeated": counts.replaces_repeated,
        "replaces_ignored": counts.replaces_ignored,
        "queries": counts.queries,
        "not_understood": counts.not_understood,
        "open": open,
    })
}

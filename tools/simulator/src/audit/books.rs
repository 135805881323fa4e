//! The books at the end: the core against the engine, and the engine against what clients were told.
//!
//! Owned by the auditor. The world has come to rest, so that nothing is under way. Invariant: the
//! engine's side is its own book and its own reports, noted before any hostility.

use crate::venue::{Notes, Watched};
use crate::violation::{Rule, Violation};
use crate::world::World;
use portcullis_domain::{AccountId, InstrumentId, SessionId};
use portcullis_ladder::OpenOrder;

pub(super) fn audit(world: &World) -> Result<(), Violation> {
    world.engine.look(|engine| {
        open_orders(world, engine)?;
        positions(world, engine.notes())?;
        clients(world, engine.notes())
    })?;
    money(world)
}

/// Each order of the engine is open in the core, as it stands there; and there are no others.
fn open_orders(world: &World, engine: &Watched) -> Result<(), Violation> {
    let core = world.core()?;
    let ladder = engine.engine().ladder();
    let mut held = 0;
    for session in (0..world.market.config.sessions).map(SessionId::new) {
        for order in ladder.session_orders(session) {
            held += 1;
            let known = core.order(session, order.user_ref);
            let as_there = known.is_some_and(|known| {
                known.open
                    && known.pending == 0
                    && known.leaves == order.leaves.lots()
                    && known.price == order.price.ticks()
                    && known.side == order.side
            });
            if !as_there {
                return Err(differs(&order, &format!("{known:?}")));
            }
        }
    }
    let open = core.open_orders();
    if open != held {
        let why = format!("the core holds for {open} orders, the engine has {held}");
        return Err(Violation::new(Rule::OpenOrders, why));
    }
    Ok(())
}

fn differs(order: &OpenOrder, known: &str) -> Violation {
    let why = format!("the engine has {order:?}, the core knows {known}");
    Violation::new(Rule::OpenOrders, why)
}

/// Positions are what the engine executed.
fn positions(world: &World, notes: &Notes) -> Result<(), Violation> {
    let core = world.core()?;
    for account in 0..world.market.config.accounts.len() as u32 {
        for instrument in 0..world.market.starts.len() as u32 {
            let filled = notes.positions.get(&(account, instrument));
            let filled = filled.copied().unwrap_or(0);
            let (id, of) = (AccountId::new(account), InstrumentId::new(instrument));
            let net = core.position(id, of).net;
            if net != filled {
                let why = format!(
                    "account {account}, instrument {instrument}: {net} lots in the core, {filled} \
                     by the engine's fills"
                );
                return Err(Violation::new(Rule::Positions, why));
            }
        }
    }
    Ok(())
}

/// Clients were told what the engine executed, and every order has its answer.
fn clients(world: &World, notes: &Notes) -> Result<(), Violation> {
    for (client, session) in world.clients.iter().zip(0..) {
        let executed = notes.executed.get(&session).copied().unwrap_or(0);
        let told = client.story.executed;
        if told != executed {
            let why = format!("client {session} was told {told} lots, the engine made {executed}");
            return Err(Violation::new(Rule::Fills, why));
        }
        if let Some(number) = client.story.unanswered() {
            let why = format!("client {session}: {number} was never answered");
            return Err(Violation::new(Rule::AnswerMissing, why));
        }
    }
    Ok(())
}

/// Money neither came to be nor went.
fn money(world: &World) -> Result<(), Violation> {
    match world.core()?.conservation_error() {
        0 => Ok(()),
        missing => Err(Violation::new(
            Rule::Positions,
            format!("{missing} quanta are missing from the books"),
        )),
    }
}

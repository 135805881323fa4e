//! What travels between the agents beside records.
//!
//! Values in bounded rings. Invariant: an item carries all its reader needs; the client's or engine's
//! own bytes stand behind it.

use crate::transport::ConnectionId;
use portcullis_domain::{RAW_BYTES_MAX, Seq, Timestamp};
use portcullis_risk_core::{
    Answer, Approved, ClientReport, ControlOutcome, Effect, OutboundAction, OutboundOrder, Refusal,
    SessionChange,
};
use portcullis_runtime::Lead;
use portcullis_wire::soupbin::LoginRejectReason;

const _: () = assert!(RAW_BYTES_MAX <= u8::MAX as usize);

/// From risk to venue; behind it the client's own message, or nothing where the gateway asks.
#[derive(Debug)]
pub struct VenueItem {
    /// What was approved.
    pub order: Approved<OutboundOrder>,
    /// When the duty cycle began in which risk decided it.
    pub taken: Timestamp,
    raw_len: u8,
}

impl VenueItem {
    /// The item that goes before `raw`, which is no longer than a record carries.
    #[must_use]
    pub const fn before(raw: &[u8], order: Approved<OutboundOrder>, taken: Timestamp) -> Self {
        Self {
            order,
            taken,
            raw_len: raw.len() as u8,
        }
    }
}

impl Lead for VenueItem {
    #[inline]
    fn bytes_behind(&self) -> usize {
        usize::from(self.raw_len)
    }
}

/// From risk to egress; behind it the message of the command it followed from: a client's, or the
/// engine's to be forwarded.
#[derive(Clone, Copy, Debug)]
pub struct EgressItem {
    /// What to say, or to remember.
    pub effect: ClientEffect,
    /// Time of the command it followed from.
    pub timestamp: Timestamp,
    /// The record of that command: what is said leaves when that is durable.
    pub seq: u64,
    raw_len: u8,
}

impl EgressItem {
    /// The item that goes before `raw`, which is no longer than a record carries.
    #[must_use]
    pub const fn before(raw: &[u8], effect: ClientEffect, timestamp: Timestamp, seq: u64) -> Self {
        Self {
            effect,
            timestamp,
            seq,
            raw_len: raw.len() as u8,
        }
    }
}

impl Lead for EgressItem {
    #[inline]
    fn bytes_behind(&self) -> usize {
        usize::from(self.raw_len)
    }
}

/// What egress is told by risk.
#[derive(Clone, Copy, Debug)]
pub enum ClientEffect {
    /// An order or replace went to the venue: its client's words are needed for later answers.
    Entered(OutboundOrder),
    /// It was refused.
    Refused(Refusal),
    /// A request was answered.
    Answered(Answer),
    /// The engine reported.
    Reported(ClientReport),
    /// The session came or went.
    SessionChanged(SessionChange),
}

impl ClientEffect {
    /// What egress is told of an effect of the core, if anything.
    #[must_use]
    pub const fn of(effect: &Effect) -> Option<Self> {
        match effect {
            Effect::Approved(order) => Self::of_order(order.get()),
            Effect::Refused(refusal) => Some(Self::Refused(*refusal)),
            Effect::Answered(answer) => Some(Self::Answered(*answer)),
            Effect::Reported(report) => Some(Self::Reported(*report)),
            Effect::SessionChanged(change) => Some(Self::SessionChanged(*change)),
            Effect::Controlled(_) | Effect::StateChanged { .. } | Effect::Alarmed(_) => None,
        }
    }

    /// The same of what goes to the venue.
    #[must_use]
    pub const fn of_order(order: &OutboundOrder) -> Option<Self> {
        match order.action {
            OutboundAction::Enter { .. } | OutboundAction::Replace { .. } => {
                Some(Self::Entered(*order))
            }
            OutboundAction::Cancel { .. } => None,
        }
    }
}

/// The message that goes to the engine with an order, as bytes or units: the client's own, unless the gateway asks.
#[must_use]
pub const fn venue_raw<'a, T>(order: &OutboundOrder, raw: &'a [T]) -> &'a [T] {
    match order.action {
        OutboundAction::Cancel {
            by_gateway: true, ..
        } => &[],
        OutboundAction::Enter { .. }
        | OutboundAction::Replace { .. }
        | OutboundAction::Cancel { .. } => raw,
    }
}

/// From ingress to egress, about connections that are no session yet or no more.
#[derive(Clone, Copy, Debug)]
pub enum ConnectionItem {
    /// Answer the login with a refusal and close.
    RejectLogin(ConnectionId, LoginRejectReason),
    /// Close without a word.
    Close(ConnectionId),
}

/// From risk to the control thread.
#[derive(Clone, Copy, Debug)]
pub enum ControlItem {
    /// A control command ended, at this place in the log.
    Outcome(ControlOutcome, Seq),
    /// An order was refused: kept for later questions.
    Refused(Refusal, Timestamp),
    /// People on duty must know.
    Alarmed(portcullis_risk_core::Alarm, Timestamp),
    /// A trading state changed.
    StateChanged(
        portcullis_domain::Scope,
        portcullis_domain::TradingState,
        Timestamp,
    ),
    /// The answer to a look into the core.
    Viewed(View),
}

/// A look into the core, asked for by the control thread.
#[derive(Clone, Copy, Debug)]
pub enum Look {
    /// At an account.
    Account(portcullis_domain::AccountId),
    /// At an account's position.
    Position(
        portcullis_domain::AccountId,
        portcullis_domain::InstrumentId,
    ),
    /// At an instrument.
    Instrument(portcullis_domain::InstrumentId),
    /// At an order.
    Order(portcullis_domain::SessionId, portcullis_domain::UserRef),
    /// At the whole.
    Venue,
    /// At what stands between a restart and opening.
    Readiness,
}

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub enum View {
    /// An account, if there is one.
    Account(Option<portcullis_risk_core::AccountView>),
    /// A position.
    Position(portcullis_risk_core::PositionView),
    /// An instrument, if there is one.
    Instrument(Option<portcullis_risk_core::InstrumentView>),
    /// An order, if it is still known.
    Order(Option<portcullis_risk_core::OrderView>),
    /// The whole.
    Venue(VenueView),
    /// What stands between a restart and opening, as of this record.
    Readiness(portcullis_risk_core::Readiness, portcullis_domain::Seq),
}

/// The core as a whole.
#[derive(Clone, Copy, Debug)]
pub struct VenueView {
    /// Its own trading state.
    pub state: portcullis_domain::TradingState,
    /// The last command.
    pub seq: u64,
    /// Version of the limits.
    pub epoch: u32,
    /// Digest over all effects.
    pub digest: u64,
    /// Orders accepted and refused.
    pub accepted: u64,
    /// Orders refused.
    pub refused: u64,
    /// Open orders.
    pub open_orders: usize,
    /// Alarms so far.
    pub alarms: u64,
    /// Lines of a table of keys that the key which ever had to go furthest passed by.
    pub passed_max: u32,
}

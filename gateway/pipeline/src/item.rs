//! What travels between the agents beside records.
//!
//! Values in bounded rings. Invariant: an item carries all its reader needs, the client's or
//! engine's own bytes included.

use crate::transport::ConnectionId;
use portcullis_domain::{RAW_BYTES_MAX, Seq, Timestamp};
use portcullis_risk_core::{
    Answer, Approved, ClientReport, ControlOutcome, OutboundOrder, Refusal, SessionChange,
};
use portcullis_wire::soupbin::LoginRejectReason;

/// A raw message, copied.
#[derive(Clone, Copy, Debug)]
pub struct Raw {
    len: u8,
    bytes: [u8; RAW_BYTES_MAX],
}

impl Raw {
    /// No message.
    pub const NONE: Self = Self {
        len: 0,
        bytes: [0; RAW_BYTES_MAX],
    };

    /// A copy of `bytes`, as far as a record carries them.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut raw = Self::NONE;
        let len = bytes.len().min(RAW_BYTES_MAX);
        raw.bytes[..len].copy_from_slice(&bytes[..len]);
        raw.len = len as u8;
        raw
    }

    /// The message.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

const _: () = assert!(RAW_BYTES_MAX <= u8::MAX as usize);

/// From risk to venue.
#[derive(Debug)]
pub struct VenueItem {
    /// What was approved.
    pub order: Approved<OutboundOrder>,
    /// The client's own message; empty where the gateway asks.
    pub raw: Raw,
    /// When the duty cycle began in which risk decided it.
    pub taken: Timestamp,
}

/// From risk to egress.
#[derive(Clone, Copy, Debug)]
pub struct EgressItem {
    /// What to say, or to remember.
    pub effect: ClientEffect,
    /// Time of the command it followed from.
    pub timestamp: Timestamp,
    /// The message of that command: a client's, or the engine's to be forwarded.
    pub raw: Raw,
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
}

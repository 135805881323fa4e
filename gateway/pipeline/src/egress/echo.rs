//! The client's own words about its orders, for the answers that repeat them.
//!
//! Owned by egress. One row an order slot of the core, so that a row is found without looking.
//! Invariant: a row's words are those of the order whose number stands in it; an answer about
//! another order than that finds none.

use super::encode::Encoder;
use portcullis_domain::{OrderId, UserRef};
use portcullis_risk_core::{OutboundAction, OutboundOrder};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    APPENDAGE_BYTES_MAX, Capacity, CrossType, Display, Inbound, OrderSide, TimeInForce, YesNo,
};

/// Versions asked for that a row remembers, the last ones: the entry itself may be unanswered while
/// four replaces of it are, and each of the five is echoed.
const VERSIONS: usize = 5;

/// What one version said.
#[derive(Clone, Copy, Debug)]
pub(super) struct VersionWords {
    pub(super) user_ref: UserRef,
    pub(super) quantity: u32,
    pub(super) price: u64,
    pub(super) time_in_force: TimeInForce,
    pub(super) display: Display,
    pub(super) iso_eligible: YesNo,
    pub(super) cl_ord_id: Alpha<14>,
}

/// What is kept of an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    order: OrderId,
    pub(super) side: OrderSide,
    pub(super) symbol: Alpha<8>,
    pub(super) capacity: Capacity,
    pub(super) cross_type: CrossType,
    versions: [Option<VersionWords>; VERSIONS],
    next: usize,
    options: [u8; APPENDAGE_BYTES_MAX],
    options_len: usize,
}

impl Words {
    const NONE: Self = Self {
        order: OrderId::NONE,
        side: OrderSide::Buy,
        symbol: Alpha::BLANK,
        capacity: Capacity::Other,
        cross_type: CrossType::None,
        versions: [None; VERSIONS],
        next: 0,
        options: [0; APPENDAGE_BYTES_MAX],
        options_len: 0,
    };

    /// What the version with this number said.
    pub(super) fn version(&self, user_ref: UserRef) -> Option<&VersionWords> {
        self.versions
            .iter()
            .flatten()
            .find(|version| version.user_ref == user_ref)
    }

    /// The options it was entered with.
    pub(super) fn options(&self) -> &[u8] {
        &self.options[..self.options_len]
    }

    fn add(&mut self, version: VersionWords) {
        self.versions[self.next] = Some(version);
        self.next = (self.next + 1) % VERSIONS;
    }
}

/// The rows.
#[derive(Debug)]
pub(super) struct Echoes {
    rows: Box<[Words]>,
}

impl Echoes {
    pub(super) fn new(orders_max: usize) -> Self {
        Self {
            rows: vec![Words::NONE; orders_max].into_boxed_slice(),
        }
    }

    /// Remembers what a client said of an order that went to the venue.
    pub(super) fn remember(&mut self, outbound: &OutboundOrder, raw: &[u8], encoder: &Encoder) {
        let Some(row) = self.rows.get_mut(outbound.order.slot()) else {
            return;
        };
        let price = encoder.price(outbound.instrument, outbound.action);
        match (Inbound::parse(raw), outbound.action) {
            (Ok(Inbound::EnterOrder(view)), OutboundAction::Enter { was_market, .. }) => {
                *row = Words {
                    order: outbound.order,
                    side: view.side(),
                    symbol: view.symbol(),
                    capacity: view.capacity(),
                    cross_type: view.cross_type(),
                    ..Words::NONE
                };
                let options = view
                    .appendage()
                    .map_or(&[][..], |appendage| appendage.bytes());
                row.options[..options.len()].copy_from_slice(options);
                row.options_len = options.len();
                row.add(VersionWords {
                    user_ref: outbound.user_ref,
                    quantity: view.quantity(),
                    price,
                    time_in_force: immediate_if(was_market, view.time_in_force()),
                    display: view.display(),
                    iso_eligible: view.iso_eligible(),
                    cl_ord_id: view.cl_ord_id(),
                });
            }
            (Ok(Inbound::ReplaceOrder(view)), OutboundAction::Replace { was_market, .. })
                if row.order == outbound.order =>
            {
                row.add(VersionWords {
                    user_ref: outbound.user_ref,
                    quantity: view.quantity(),
                    price,
                    time_in_force: immediate_if(was_market, view.time_in_force()),
                    display: view.display(),
                    iso_eligible: view.iso_eligible(),
                    cl_ord_id: view.cl_ord_id(),
                });
            }
            _ => {}
        }
    }

    /// The words of an order.
    pub(super) fn of(&self, order: OrderId) -> Option<&Words> {
        self.rows.get(order.slot()).filter(|row| row.order == order)
    }
}

fn immediate_if(was_market: bool, asked: TimeInForce) -> TimeInForce {
    if was_market { TimeInForce::Ioc } else { asked }
}

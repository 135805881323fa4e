//! From an OUCH message to the head of its record.
//!
//! Pure. Invariants: a message that parses becomes the command it asks for, with its numbers exact;
//! what the gateway cannot price or the venue cannot do is named in a code for the core to refuse
//! with; nothing is guessed.

use crate::tables::{SessionProfile, SymbolTable};
use portcullis_domain::{
    AccountId, CancelRequest, Command, Head, InstrumentId, MassCancel, NewOrder, Price, Qty,
    QtyMeaning, RejectCode, ReplaceRequest, SessionId, Side, TimeInForce, Units, UserRef,
};
use portcullis_risk_core::checks::early;
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    self, CrossType, Element, EnterOrderView, Inbound, MassCancelView, Naming, OUCH50, OuchPrice,
    ReplaceOrderView, Tag, TagSet, salvage,
};

/// What the venue behind can do beyond plain limit and market orders.
#[derive(Clone, Copy, Debug)]
pub struct VenueAbilities {
    /// Options on entry and replace that it honours. Others are refused by name.
    pub tags: TagSet,
    /// Whether it honours hidden and attributable display.
    pub display: bool,
    /// Whether it knows good-till-time.
    pub good_till_time: bool,
}

impl VenueAbilities {
    /// Options that say who, not how: any venue may ignore them.
    const WHO: TagSet = TagSet::of(&[
        Tag::Firm,
        Tag::CustomerType,
        Tag::UserRefIdx,
        Tag::GroupId,
        Tag::SharesLocated,
        Tag::LocateBroker,
    ]);

    /// A plain price-time ladder.
    pub const LADDER: Self = Self {
        tags: Self::WHO.with(Tag::MinQty),
        display: false,
        good_till_time: false,
    };

    /// An OUCH 5.0 engine: all that can be priced.
    pub const OUCH50: Self = Self {
        tags: Self::WHO
            .with(Tag::MinQty)
            .with(Tag::MaxFloor)
            .with(Tag::PriceType)
            .with(Tag::PostOnly)
            .with(Tag::RandomReserves)
            .with(Tag::Route)
            .with(Tag::ExpireTime)
            .with(Tag::TradeNow)
            .with(Tag::HandleInst),
        display: true,
        good_till_time: true,
    };
}

/// The command of one message, stamped with what is wrong with it already; `None` where the protocol could
/// not answer it. That of an Enter that is right, as nearly every message is, [`enter`] gives by itself.
#[inline(never)]
pub(super) fn translate(
    bytes: &[u8],
    profile: &SessionProfile,
    symbols: &SymbolTable,
    abilities: &VenueAbilities,
) -> Option<Head> {
    let session = profile.session;
    let inbound = match Inbound::parse(bytes) {
        Ok(inbound) => inbound,
        Err(_) => return malformed(bytes, profile),
    };
    let head = match inbound {
        Inbound::EnterOrder(view) => enter(&view, profile, symbols, abilities),
        Inbound::ReplaceOrder(view) => replace(&view, profile, abilities),
        Inbound::CancelOrder(view) => {
            let user_ref = reference(view.user_ref_idx(), view.user_ref_num());
            cancel(session, user_ref, view.quantity())
        }
        Inbound::ModifyOrder(view) => {
            let user_ref = reference(view.user_ref_idx(), view.user_ref_num());
            cancel(session, user_ref, view.quantity())
        }
        Inbound::MassCancel(view) => mass_cancel(&view, profile, symbols),
        Inbound::DisableOrderEntry(view) => {
            let user_ref = reference(view.user_ref_idx(), view.user_ref_num());
            plain(Command::OrderEntry {
                session,
                user_ref,
                enabled: false,
            })
        }
        Inbound::EnableOrderEntry(view) => {
            let user_ref = reference(view.user_ref_idx(), view.user_ref_num());
            plain(Command::OrderEntry {
                session,
                user_ref,
                enabled: true,
            })
        }
        Inbound::AccountQuery(view) => plain(Command::AccountQuery {
            session,
            row: view.user_ref_idx(),
        }),
    };
    Some(head)
}

fn plain(command: Command) -> Head {
    command.encode()
}

const fn reference(row: u8, number: ouch50::UserRefNum) -> UserRef {
    UserRef {
        row,
        number: number.get(),
    }
}

fn cancel(session: SessionId, user_ref: UserRef, quantity: u32) -> Head {
    let qty_total = Qty::new(quantity.into());
    plain(Command::Cancel(CancelRequest {
        session,
        user_ref,
        units: Units::Wire,
        qty_total,
    }))
}

/// An order whose bytes are no message is refused under its number, if that can be read.
fn malformed(bytes: &[u8], profile: &SessionProfile) -> Option<Head> {
    let salvaged = salvage(bytes)?;
    let order = NewOrder {
        session: profile.session,
        user_ref: UserRef::new(salvaged.user_ref_num),
        account: profile.default_account,
        instrument: InstrumentId::NONE,
        side: Side::Buy,
        qty: Qty::ZERO,
        price: None,
        time_in_force: TimeInForce::Day,
    };
    let mut head = order.encode();
    head.refuse_early(early::MESSAGE_UNSUPPORTED);
    Some(head)
}

/// The command of an order.
#[inline(always)]
pub(super) fn enter(
    view: &EnterOrderView<'_>,
    profile: &SessionProfile,
    symbols: &SymbolTable,
    abilities: &VenueAbilities,
) -> Head {
    let mut fault = Fault(None);
    let Naming { firm, user_ref_idx } = view.naming();
    let symbol = symbols.find(view.symbol());
    let wire_price = limit_or_market(view.price(), profile, &mut fault);
    let qty = symbol.map(|symbol| symbol.scale.qty_from_wire(view.quantity()));
    fault.note(matches!(qty, Some(Err(_))), early::LOT_INVALID);
    let price = match (symbol, wire_price) {
        (Some(symbol), Some(wire)) => Some(symbol.scale.price_from_wire(wire)),
        (None, Some(_)) | (_, None) => None,
    };
    fault.note(matches!(price, Some(Err(_))), early::TICK_INVALID);
    let unpriced = view.unpriceable_tag().is_some() || view.cross_type() != CrossType::None;
    fault.note(unpriced, early::ORDER_TYPE_UNSUPPORTED);
    let tags = view
        .appendage()
        .map_or(TagSet::EMPTY, |appendage| appendage.tags());
    note_options(tags, view.display(), abilities, &mut fault);
    let time_in_force = time_in_force(view.time_in_force(), abilities, &mut fault);
    let order = NewOrder {
        session: profile.session,
        user_ref: reference(user_ref_idx, view.user_ref_num()),
        account: profile.account(firm),
        instrument: symbol.map_or(InstrumentId::NONE, |symbol| symbol.instrument),
        side: view.side().side(),
        // A number that is none in lots or ticks is refused by its own code; 1 is no second fault.
        qty: qty.map_or(Qty::new(1), |qty| qty.unwrap_or(Qty::new(1))),
        price: price.map(|price| price.unwrap_or(Price::new(1))),
        time_in_force,
    };
    fault.stamped(order.encode())
}

fn replace(
    view: &ReplaceOrderView<'_>,
    profile: &SessionProfile,
    abilities: &VenueAbilities,
) -> Head {
    let mut fault = Fault(None);
    let wire_price = limit_or_market(view.price(), profile, &mut fault);
    match view.unpriceable_tag() {
        Some(Tag::Side) => fault.note(true, early::MESSAGE_UNSUPPORTED),
        Some(_) => fault.note(true, early::ORDER_TYPE_UNSUPPORTED),
        None => {}
    }
    let tags = view
        .appendage()
        .map_or(TagSet::EMPTY, |appendage| appendage.tags());
    note_options(tags, view.display(), abilities, &mut fault);
    let time_in_force = time_in_force(view.time_in_force(), abilities, &mut fault);
    let row = view.user_ref_idx();
    let request = ReplaceRequest {
        session: profile.session,
        original: reference(row, view.orig_user_ref_num()),
        user_ref: reference(row, view.user_ref_num()),
        units: Units::Wire,
        qty: Qty::new(view.quantity().into()),
        qty_meaning: QtyMeaning::Total,
        price: wire_price.map(|wire| Price::new(wire as i64)),
        time_in_force,
    };
    fault.stamped(plain(Command::Replace(request)))
}

fn mass_cancel(view: &MassCancelView<'_>, profile: &SessionProfile, symbols: &SymbolTable) -> Head {
    // Groups are not kept here, and a name that means nothing must not mean everything: taking such a
    // cancel for one of all orders would cancel too much, so it is refused.
    let mut fault = Fault(None);
    fault.note(
        view.find(Tag::GroupId).is_some(),
        early::MESSAGE_UNSUPPORTED,
    );
    let account = if view.firm().is_blank() {
        AccountId::NONE
    } else {
        let account = profile.account(Some(view.firm()));
        fault.note(account == AccountId::NONE, early::MESSAGE_UNSUPPORTED);
        account
    };
    let symbol = symbols.find(view.symbol());
    let named = view.symbol() != Alpha::BLANK;
    fault.note(named && symbol.is_none(), early::MESSAGE_UNSUPPORTED);
    let instrument = symbol.map_or(InstrumentId::NONE, |symbol| symbol.instrument);
    let side = match view.find(Tag::Side) {
        Some(Element::Side(side)) => Some(side.side()),
        _ => None,
    };
    let request = MassCancel {
        session: profile.session,
        user_ref: reference(view.user_ref_idx(), view.user_ref_num()),
        account,
        instrument,
        side,
    };
    fault.stamped(plain(Command::MassCancel(request)))
}

/// The first thing found wrong.
struct Fault(Option<RejectCode>);

impl Fault {
    fn note(&mut self, wrong: bool, code: RejectCode) {
        if wrong && self.0.is_none() {
            self.0 = Some(code);
        }
    }

    fn stamped(self, mut head: Head) -> Head {
        if let Some(code) = self.0 {
            head.refuse_early(code);
        }
        head
    }
}

/// The wire limit; `None` for a market order.
fn limit_or_market(wire: u64, profile: &SessionProfile, fault: &mut Fault) -> Option<u64> {
    match OUCH50.price(wire) {
        OuchPrice::Limit(limit) => Some(limit),
        OuchPrice::Market => {
            fault.note(!profile.market_orders, early::ORDER_TYPE_NOT_PERMITTED);
            None
        }
        // Refused by price_max or by the tick; here only kept from leaving i64.
        OuchPrice::AboveMax(wire) => Some(wire.min(i64::MAX as u64)),
    }
}

fn note_options(
    tags: TagSet,
    display: ouch50::Display,
    abilities: &VenueAbilities,
    fault: &mut Fault,
) {
    let unknown = !tags.difference(abilities.tags).is_empty();
    fault.note(unknown, early::MESSAGE_UNSUPPORTED);
    let plain = display == ouch50::Display::Visible;
    fault.note(!plain && !abilities.display, early::MESSAGE_UNSUPPORTED);
}

fn time_in_force(
    wire: ouch50::TimeInForce,
    abilities: &VenueAbilities,
    fault: &mut Fault,
) -> TimeInForce {
    match wire {
        ouch50::TimeInForce::Day => TimeInForce::Day,
        ouch50::TimeInForce::Ioc => TimeInForce::ImmediateOrCancel,
        ouch50::TimeInForce::Gtt => {
            fault.note(!abilities.good_till_time, early::TIME_IN_FORCE_UNSUPPORTED);
            TimeInForce::GoodTillTime
        }
        ouch50::TimeInForce::Gtx | ouch50::TimeInForce::AfterHours => {
            fault.note(true, early::TIME_IN_FORCE_UNSUPPORTED);
            TimeInForce::Day
        }
    }
}

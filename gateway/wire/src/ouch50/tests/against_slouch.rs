//! The same messages from an independent encoder, byte for byte; and its reading of our answers.
//!
//! Its encoder always sends the length of an optional appendage. Its customer type "not retail" is
//! `X`, the document's is `N`, so that one value is left out.

use super::*;
use crate::field::Letter;
use slouch::msg::{OuchRequest, OuchResponse, TagValue};
use slouch::types as other;

fn other_number(value: u32) -> other::UserRefNum {
    other::UserRefNum::parse(&value.to_be_bytes())
        .expect("four bytes")
        .1
}

fn other_price(wire: u64) -> other::Price {
    other::Price::new(wire).expect("in range")
}

fn other_symbol() -> other::StockSymbol {
    other::StockSymbol::from("ESH").expect("capitals")
}

fn other_firm() -> other::Mpid {
    other::Mpid::from("FIRM").expect("capitals")
}

fn symbol() -> Alpha<8> {
    Alpha::new(b"ESH").expect("fits")
}

fn firm() -> Alpha<4> {
    Alpha::new(b"FIRM").expect("fits")
}

fn text() -> Alpha<14> {
    Alpha::new(b"order 1").expect("fits")
}

/// Every option of the other encoder with the element that must be the same.
fn options() -> Vec<(TagValue, Element)> {
    let seconds = other::ElapsedTime::new(60).expect("below a day");
    let offset = other::SignedPrice::new(-2_500).expect("in range");
    std::vec![
        (TagValue::Firm(other_firm()), Element::Firm(firm())),
        (TagValue::MinQty(3), Element::MinQty(3)),
        (
            TagValue::Retail(Some(true)),
            Element::CustomerType(CustomerType::Retail)
        ),
        (TagValue::MaxFloor(100), Element::MaxFloor(100)),
        (
            TagValue::PriceType(other::PriceType::Midpoint),
            Element::PriceType(PriceType::Midpoint)
        ),
        (TagValue::PegOffset(offset), Element::PegOffset(-2_500)),
        (
            TagValue::DiscretionPrice(other_price(9)),
            Element::DiscretionPrice(9)
        ),
        (
            TagValue::DiscretionPriceType(other::PriceType::MarketPeg),
            Element::DiscretionPriceType(DiscretionPriceType::MarketPeg),
        ),
        (
            TagValue::DiscretionPegOffset(offset),
            Element::DiscretionPegOffset(-2_500)
        ),
        (
            TagValue::PostOnly(true),
            Element::PostOnly(PostOnly::PostOnly)
        ),
        (TagValue::RandomReserves(5), Element::RandomReserves(5)),
        (
            TagValue::ExpireTime(seconds),
            Element::ExpireTime(ExpireSeconds::new(60).expect("below a day")),
        ),
        (
            TagValue::TradeNow(Some(false)),
            Element::TradeNow(TradeNow::No)
        ),
        (
            TagValue::HandleInst(other::HandleInst::NoInstructions),
            Element::HandleInst(HandleInst::None),
        ),
        (TagValue::GroupId(700), Element::GroupId(700)),
        (
            TagValue::SharesLocated(true),
            Element::SharesLocated(YesNo::Yes)
        ),
        (
            TagValue::LocateBroker(other_firm()),
            Element::LocateBroker(firm())
        ),
        (
            TagValue::Side(other::Side::SellShort),
            Element::Side(OrderSide::SellShort)
        ),
        (TagValue::UserRefIndex(4), Element::UserRefIdx(4)),
    ]
}

/// The bare request, then with each option it takes, then with all of them.
fn same_bytes(
    request: OuchRequest,
    ours: impl Fn(Option<Appendage<'_>>, &mut [u8]) -> Result<usize, EncodeError>,
) -> usize {
    let bare = encoded(|out| ours(Some(Appendage::EMPTY), out));
    assert_eq!(request.encode(), bare, "{request}");
    let mut all_theirs = request.clone();
    let mut all_ours = AppendageBuilder::new();
    let mut taken = 0;
    for (option, element) in options() {
        let mut one = request.clone();
        if one.add_option(option).is_err() {
            continue;
        }
        let mut builder = AppendageBuilder::new();
        builder.push(element).expect("first");
        assert_eq!(
            one.encode(),
            encoded(|out| ours(Some(builder.finish()), out)),
            "{element:?}"
        );
        all_theirs.add_option(option).expect("taken a moment ago");
        all_ours.push(element).expect("each tag once");
        taken += 1;
    }
    assert_eq!(
        all_theirs.encode(),
        encoded(|out| ours(Some(all_ours.finish()), out))
    );
    assert!(Inbound::parse(&all_theirs.encode()).is_ok());
    taken
}

#[test]
fn orders_are_the_same_bytes() {
    let sides = [
        (other::Side::Buy, OrderSide::Buy),
        (other::Side::Sell, OrderSide::Sell),
        (other::Side::SellShort, OrderSide::SellShort),
        (other::Side::SellShortExempt, OrderSide::SellShortExempt),
    ];
    for (theirs, side) in sides {
        let request = slouch::enter! {
            user_ref_num: other_number(70_000),
            side: theirs,
            quantity: 999_999,
            symbol: other_symbol(),
            price: other_price(1_234_567),
            time_in_force: other::TimeInForce::ImmediateOrCancel,
            display: other::Display::Visible,
            capacity: other::Capacity::Agency,
            intermarket_sweep: true,
            cross_type: other::CrossType::Opening,
            order_token: other::OrderToken::from("order 1").expect("letters and a space"),
        };
        let value = EnterOrder {
            user_ref_num: number(70_000),
            side,
            quantity: 999_999,
            symbol: symbol(),
            price: 1_234_567,
            time_in_force: TimeInForce::Ioc,
            display: Display::Visible,
            capacity: Capacity::Agency,
            iso_eligible: YesNo::Yes,
            cross_type: CrossType::Opening,
            cl_ord_id: text(),
        };
        assert_eq!(
            same_bytes(request, |elements, out| value.encode(elements, out)),
            18
        );
    }
}

#[test]
fn changes_are_the_same_bytes() {
    let request = slouch::replace! {
        old_ref_num: other_number(1),
        new_ref_num: other_number(2),
        quantity: 7,
        price: other_price(5),
        time_in_force: other::TimeInForce::Day,
        display: other::Display::Hidden,
        intermarket_sweep: false,
        order_token: other::OrderToken::from("order 1").expect("letters and a space"),
    };
    let value = ReplaceOrder {
        orig_user_ref_num: number(1),
        user_ref_num: number(2),
        quantity: 7,
        price: 5,
        time_in_force: TimeInForce::Day,
        display: Display::Hidden,
        iso_eligible: YesNo::No,
        cl_ord_id: text(),
    };
    assert_eq!(
        same_bytes(request, |elements, out| value.encode(elements, out)),
        16
    );
    let request = slouch::cancel! { user_ref_num: other_number(1), quantity: 3 };
    let value = CancelOrder {
        user_ref_num: number(1),
        quantity: 3,
    };
    assert_eq!(
        same_bytes(request, |elements, out| value.encode(elements, out)),
        1
    );
    let request = slouch::modify! {
        user_ref_num: other_number(1), side: other::Side::SellShort, quantity: 3,
    };
    let value = ModifyOrder {
        user_ref_num: number(1),
        side: OrderSide::SellShort,
        quantity: 3,
    };
    assert_eq!(
        same_bytes(request, |elements, out| value.encode(elements, out)),
        3
    );
}

#[test]
fn desk_messages_are_the_same_bytes() {
    let request = slouch::mass_cancel! {
        user_ref_num: other_number(9), firm: other_firm(), symbol: other_symbol(),
    };
    let value = MassCancel {
        user_ref_num: number(9),
        firm: firm(),
        symbol: symbol(),
    };
    assert_eq!(
        same_bytes(request, |elements, out| value.encode(elements, out)),
        3
    );
    let request = slouch::disable_entry! { user_ref_num: other_number(9), firm: other_firm() };
    let value = DisableOrderEntry {
        user_ref_num: number(9),
        firm: firm(),
    };
    assert_eq!(
        same_bytes(request, |elements, out| value.encode(elements, out)),
        1
    );
    let request = slouch::enable_entry! { user_ref_num: other_number(9), firm: other_firm() };
    let value = EnableOrderEntry {
        user_ref_num: number(9),
        firm: firm(),
    };
    assert_eq!(
        same_bytes(request, |elements, out| value.encode(elements, out)),
        1
    );
    let request = slouch::account_query! {};
    assert_eq!(
        same_bytes(request, |elements, out| AccountQuery {}
            .encode(elements, out)),
        1
    );
}

/// What the other side reads out of our answer.
fn read(bytes: &[u8]) -> OuchResponse {
    OuchResponse::parse(bytes).expect("it reads our bytes").1
}

#[test]
fn answers_are_read_as_they_were_meant() {
    let accepted = OrderAccepted {
        timestamp: 34_200_000_000_123,
        user_ref_num: number(5),
        side: OrderSide::SellShort,
        quantity: 44,
        symbol: symbol(),
        price: 1_234_567,
        time_in_force: TimeInForce::Gtx,
        display: Display::Visible,
        order_ref_num: 987,
        capacity: Capacity::Riskless,
        iso_eligible: YesNo::No,
        cross_type: CrossType::Closing,
        order_state: OrderState::Dead,
        cl_ord_id: text(),
    };
    let OuchResponse::OrderAccepted(theirs) = read(&encoded(|out| accepted.encode(None, out)))
    else {
        panic!("an acceptance is read as one");
    };
    assert_eq!(theirs.user_ref_num().val(), 5);
    assert_eq!(theirs.side(), other::Side::SellShort);
    assert_eq!(theirs.quantity(), 44);
    assert_eq!(theirs.price().val(), 1_234_567);
    assert_eq!(theirs.order_ref_num(), 987);
    assert_eq!(theirs.order_state(), other::OrderState::Dead);
    assert_eq!(theirs.order_token().to_str(), "order 1");
    let executed = OrderExecuted {
        timestamp: 1,
        user_ref_num: number(5),
        quantity: 3,
        price: 7,
        liquidity_flag: Letter::new(b'R').expect("visible"),
        match_number: 4_711,
    };
    let OuchResponse::OrderExecuted(theirs) = read(&encoded(|out| executed.encode(None, out)))
    else {
        panic!("an execution is read as one");
    };
    assert_eq!((theirs.quantity(), theirs.match_number()), (3, 4_711));
    let rejected = Rejected {
        timestamp: 1,
        user_ref_num: 5,
        reason: RejectReason::RiskMaxQuantity,
        cl_ord_id: text(),
    };
    let OuchResponse::OrderRejected(theirs) = read(&encoded(|out| rejected.encode(None, out)))
    else {
        panic!("a reject is read as one");
    };
    assert_eq!(
        theirs.reason(),
        other::RejectReason::RiskMaxQuantityExceeded
    );
}

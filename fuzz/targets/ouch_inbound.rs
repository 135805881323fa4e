//! OUCH 5.0 messages, inbound: what parses must be what its values encode to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_domain::{Price, Qty};
use portcullis_fuzz::{check_shape, elements_anew, short_of_room};
use portcullis_wire::ouch50::{
    AppendageBuilder, CancelOrderView, DecodeError, Element, EncodeError, EnterOrder,
    EnterOrderView, Inbound, MESSAGE_BYTES_MAX, ModifyOrder, OUCH50, OrderPatch, OrderSide,
    OuchPrice, PriceType, RejectReason, Tag, TimeInForce, UserRefNum, salvage,
};
use std::num::{NonZeroU32, NonZeroU64};

fuzz_target!(|bytes: &[u8]| {
    let message = match Inbound::parse(bytes) {
        Ok(message) => message,
        Err(error) => {
            assert_eq!(EnterOrderView::of(bytes), None);
            assert!(error.offset <= bytes.len());
            assert!(error.to_string().starts_with(error.message));
            refused(bytes, &error);
            return;
        }
    };
    check_shape(message.layout(), bytes, message.appendage());
    assert!(bytes.len() <= MESSAGE_BYTES_MAX);
    let mut copy = [0xAA; MESSAGE_BYTES_MAX];
    let len = message
        .encode(&mut copy)
        .expect("what was read can be said");
    assert_eq!(&copy[..len], bytes);
    assert_eq!(Inbound::parse(&copy[..len]), Ok(message));
    if let Some(appendage) = message.appendage() {
        let anew = elements_anew(appendage);
        assert_eq!(anew.finish().bytes(), appendage.bytes());
    }
    assert_eq!(message.bytes(), bytes);
    short_of_room(len, |out| message.encode(out));
    short_way(message, bytes);
    assert!(!format!("{message:?}").is_empty());
    patch(message, bytes);
    exposure(message);
    match message {
        Inbound::CancelOrder(view) => foreign_tag(view),
        Inbound::ModifyOrder(view) => {
            // It cannot turn a sale into a purchase.
            let buys = ModifyOrder {
                side: OrderSide::Buy,
                ..view.value()
            };
            let error = buys.encode(None, &mut [0; 64]).expect_err("a buy");
            assert!(error.to_string().starts_with("ModifyOrder.side"), "{error}");
        }
        Inbound::EnterOrder(view) if view.find(Tag::ExpireTime).is_some() => {
            expiry_missing(view.value());
        }
        _ => {}
    }
});

/// An order is taken by a shorter way, which says of it what the parse of all messages says.
fn short_way(message: Inbound<'_>, bytes: &[u8]) {
    let entered = match message {
        Inbound::EnterOrder(view) => Some(view),
        _ => None,
    };
    assert_eq!(EnterOrderView::of(bytes), entered);
    if let Some(view) = entered {
        let naming = view.naming();
        assert_eq!(naming.firm.map(Element::Firm), view.find(Tag::Firm));
        assert_eq!(naming.user_ref_idx, view.user_ref_idx());
    }
}

/// What a malformed message is answered with comes from its own bytes, and can be shown.
fn refused(bytes: &[u8], error: &DecodeError) {
    let reason = error.reject_reason();
    assert_eq!(RejectReason::from_code(reason.code()), reason);
    if error.is_unknown_type() {
        assert_eq!(error.offset, 0);
    }
    let Some(echo) = salvage(bytes) else {
        return;
    };
    assert!(matches!(bytes[0], b'O' | b'U'));
    let number = echo.user_ref_num.to_be_bytes();
    assert!(bytes.windows(4).any(|window| window == number));
    assert!(
        echo.cl_ord_id
            .as_str()
            .chars()
            .all(|c| (' '..='~').contains(&c))
    );
}

/// Prices and quantities of the wire in ticks and lots: exact, or refused with a reason.
fn scaled(price_wire: u64, quantity_wire: u32) {
    let [price_min, price_max] = [Price::new(1), Price::new(1_000_000)];
    let limit = matches!(OUCH50.price(price_wire), OuchPrice::Limit(wire) if wire == price_wire);
    assert!(!limit || price_wire <= OUCH50.price_max_wire);
    for (tick, lot) in [(1, 1), (100, 10), (2_500, 7)] {
        let tick = NonZeroU64::new(tick).expect("not 0");
        let lot = NonZeroU32::new(lot).expect("not 0");
        let scale = OUCH50.fits(tick, lot, price_min, price_max, Qty::new(10_000));
        let scale = match scale {
            Ok(scale) => scale,
            Err(error) => {
                assert!(tick.get() == 2_500, "a million quarters do not fit");
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        let negative = OUCH50.fits(tick, lot, Price::new(-1), price_min, Qty::ZERO);
        let many = OUCH50.fits(tick, lot, price_min, price_min, Qty::new(1 << 40));
        for error in [negative.expect_err("a sign"), many.expect_err("a width")] {
            assert!(!error.to_string().is_empty());
        }
        match scale.price_from_wire(price_wire) {
            Ok(price) => match scale.price_to_wire(price) {
                Ok(wire) => assert_eq!(wire, price_wire),
                Err(error) => {
                    assert!(!matches!(OUCH50.price(price_wire), OuchPrice::Limit(_)));
                    assert!(!error.to_string().is_empty());
                }
            },
            Err(error) => assert!(error.to_string().contains(&price_wire.to_string())),
        }
        match scale.qty_from_wire(quantity_wire) {
            Ok(qty) => match scale.qty_to_wire(qty) {
                Ok(wire) => assert_eq!(wire, quantity_wire),
                Err(error) => assert!(!error.to_string().is_empty()),
            },
            Err(error) => assert!(error.to_string().contains(&quantity_wire.to_string())),
        }
        assert_eq!((scale.tick_wire(), scale.lot_wire()), (tick, lot));
    }
}

/// Good till time says until when, or is no message.
fn expiry_missing(mut value: EnterOrder) {
    value.time_in_force = TimeInForce::Gtt;
    let error = value.encode(None, &mut [0; 64]).expect_err("no time");
    assert!(error.to_string().contains("needs"), "{error}");
}

/// A cancel carries no group, however it is asked to.
fn foreign_tag(view: CancelOrderView<'_>) {
    let mut group = AppendageBuilder::new();
    group.push(Element::GroupId(1)).expect("the first");
    let refused = view.value().encode(Some(group.finish()), &mut [0; 64]);
    let error = refused.expect_err("it is not of this message");
    assert!(error.to_string().contains("does not carry"));
    assert!(
        matches!(
            error,
            EncodeError::TagNotAllowed {
                tag: Tag::GroupId,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(view.find(Tag::GroupId), None);
    let row = view.find(Tag::UserRefIdx);
    assert_eq!(
        row.is_some(),
        view.appendage()
            .is_some_and(|e| e.raw(Tag::UserRefIdx).is_some())
    );
    assert_eq!(
        view.user_ref_idx(),
        view.appendage().map_or(0, |e| e.user_ref_idx())
    );
}

/// A patched order differs from the original in what was patched, and in nothing else.
fn patch(message: Inbound<'_>, bytes: &[u8]) {
    let mut patched = bytes.to_vec();
    let number = UserRefNum::new(0x0102_0304).expect("not 0");
    let Some(mut patch) = OrderPatch::over(&mut patched).expect("valid before") else {
        return;
    };
    patch.set_price(11);
    patch.set_quantity(12);
    patch.set_user_ref_num(number);
    patch.set_ioc();
    let mut expected = [0; MESSAGE_BYTES_MAX];
    let len = match message {
        Inbound::EnterOrder(view) => {
            let mut value = view.value();
            let side = OrderSide::from(value.side.side());
            assert!(side == value.side || value.side.is_short());
            scaled(value.price, value.quantity);
            (value.price, value.quantity, value.user_ref_num) = (11, 12, number);
            value.time_in_force = TimeInForce::Ioc;
            value.encode(view.appendage(), &mut expected)
        }
        Inbound::ReplaceOrder(view) => {
            let mut value = view.value();
            (value.price, value.quantity, value.user_ref_num) = (11, 12, number);
            value.time_in_force = TimeInForce::Ioc;
            value.encode(view.appendage(), &mut expected)
        }
        other => panic!("{other:?} has no fields to patch"),
    };
    assert_eq!(&expected[..len.expect("valid before")], &patched[..]);
}

/// An order that passes as priceable has no tag that moves its price or its side.
fn exposure(message: Inbound<'_>) {
    let (unpriceable, turns) = match message {
        Inbound::EnterOrder(view) => (view.unpriceable_tag(), false),
        Inbound::ReplaceOrder(view) => (view.unpriceable_tag(), true),
        _ => return,
    };
    let limit = [PriceType::Limit.byte()];
    let moves = message.appendage().is_some_and(|elements| {
        [7, 9, 10, 11].iter().any(|number| {
            elements
                .tags()
                .contains(Tag::from_byte(*number).expect("a tag of the document"))
        }) || elements
            .raw(Tag::PriceType)
            .is_some_and(|letter| letter != limit)
            || turns && elements.tags().contains(Tag::Side)
    });
    assert_eq!(unpriceable.is_some(), moves);
}

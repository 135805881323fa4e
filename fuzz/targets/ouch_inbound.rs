//! OUCH 5.0 messages, inbound: what parses must be what its values encode to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::{check_shape, elements_anew};
use portcullis_wire::ouch50::{
    Inbound, MESSAGE_BYTES_MAX, OrderPatch, PriceType, Tag, TimeInForce, UserRefNum, salvage,
};

fuzz_target!(|bytes: &[u8]| {
    let message = match Inbound::parse(bytes) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.offset <= bytes.len());
            assert!(error.to_string().starts_with(error.message));
            let _ = (salvage(bytes), error.reject_reason());
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
    assert!(!format!("{message:?}").is_empty());
    patch(message, bytes);
    exposure(message);
});

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

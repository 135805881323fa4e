//! Each way in which a message can be wrong, with the place the error must name.

use super::*;
use crate::field::RuleBreach;
use std::string::ToString;

/// A valid Enter with these elements.
fn enter_with(elements: &[u8]) -> Vec<u8> {
    let mut bytes = encoded(|out| enter().encode(None, out));
    let len = bytes.len();
    bytes[len - 2..].copy_from_slice(&(elements.len() as u16).to_be_bytes());
    bytes.extend_from_slice(elements);
    bytes
}

/// Where and what the error is.
fn fault_in(bytes: &[u8]) -> (&'static str, &'static str, usize, Fault) {
    let error = Inbound::parse(bytes).expect_err("the message is wrong");
    (error.message, error.field, error.offset, error.fault)
}

#[test]
fn appendage_faults_name_their_byte() {
    let cases: &[(&[u8], usize, Fault)] = &[
        (&[0], 47, Fault::ElementEmpty),
        (&[1, 8], 48, Fault::UnknownTag(8)),
        (&[2, 200, 0], 48, Fault::UnknownTag(200)),
        (
            &[2],
            47,
            Fault::ElementTruncated {
                needed: 2,
                found: 0,
            },
        ),
        (
            &[5, 3, 0, 0],
            47,
            Fault::ElementTruncated {
                needed: 5,
                found: 3,
            },
        ),
        (
            &[4, 3, 0, 0, 0],
            47,
            Fault::ElementLength {
                tag: Tag::MinQty,
                expected: 5,
                found: 4,
            },
        ),
        (
            &[2, 28, 1, 2, 28, 1],
            51,
            Fault::DuplicateTag(Tag::UserRefIdx),
        ),
        (&[2, 27, b'B'], 48, Fault::TagNotAllowed(Tag::Side)),
        (
            &[2, 28, 1, 2, 18, b'0'],
            51,
            Fault::TagNotAllowed(Tag::BboWeightIndicator),
        ),
    ];
    for (elements, offset, fault) in cases {
        let expected = ("EnterOrder", "appendage", *offset, *fault);
        assert_eq!(fault_in(&enter_with(elements)), expected, "{elements:?}");
    }
}

#[test]
fn element_values_are_closed_sets_and_ranges() {
    let bad = |elements: &[u8]| match fault_in(&enter_with(elements)) {
        ("EnterOrder", "appendage", 49, Fault::Element(tag, breach)) => (tag, breach),
        other => panic!("{elements:?} became {other:?}"),
    };
    let (tag, breach) = bad(&[2, 6, b'X']);
    assert_eq!(tag, Tag::PriceType);
    assert_eq!(
        breach.to_string(),
        "is 'X'; send one of 'L' 'M' 'P' 'Q' 'R' 'm'"
    );
    let day = 86_400_u32.to_be_bytes();
    let (tag, breach) = bad(&[5, 15, day[0], day[1], day[2], day[3]]);
    assert_eq!(
        (tag, breach),
        (
            Tag::ExpireTime,
            RuleBreach::NotBelow {
                found: 86_400,
                limit: 86_400
            }
        )
    );
    let (tag, breach) = bad(&[5, 2, b'A', 0, b' ', b' ']);
    assert_eq!(
        (tag, breach),
        (Tag::Firm, RuleBreach::NotPrintable { at: 1, found: 0 })
    );
}

#[test]
fn fixed_fields_are_checked_against_their_sets() {
    let letters = [
        (5, "side", b'X', RejectReason::InvalidSide),
        (26, "time_in_force", b'1', RejectReason::Other),
        (27, "display", b'Z', RejectReason::InvalidDisplay),
        (28, "capacity", b'X', RejectReason::Other),
        (29, "iso_eligible", b'y', RejectReason::Other),
        (30, "cross_type", 0, RejectReason::InvalidCrossOrder),
    ];
    for (offset, field, letter, reason) in letters {
        let mut bytes = enter_with(&[]);
        bytes[offset] = letter;
        let error = Inbound::parse(&bytes).expect_err("the letter is not in the set");
        assert_eq!(
            (error.message, error.field, error.offset),
            ("EnterOrder", field, offset)
        );
        assert!(
            matches!(error.fault, Fault::Field(RuleBreach::NotOneOf { found, .. }) if found == letter)
        );
        assert_eq!(error.reject_reason(), reason, "{field}");
    }
    let mut bytes = enter_with(&[]);
    bytes[1..5].fill(0);
    assert_eq!(
        fault_in(&bytes),
        (
            "EnterOrder",
            "user_ref_num",
            1,
            Fault::Field(RuleBreach::Zero)
        )
    );
    let mut bytes = enter_with(&[]);
    bytes[12] = 0x80;
    let fault = Fault::Field(RuleBreach::NotPrintable { at: 2, found: 0x80 });
    assert_eq!(fault_in(&bytes), ("EnterOrder", "symbol", 10, fault));
}

#[test]
fn a_message_may_narrow_the_set_of_a_field() {
    let mut modify = encoded(|out| {
        ModifyOrder {
            user_ref_num: number(1),
            side: OrderSide::Sell,
            quantity: 1,
        }
        .encode(None, out)
    });
    modify[5] = b'B';
    assert_eq!(fault_in(&modify).1, "side");
    let bought = ModifyOrder {
        user_ref_num: number(1),
        side: OrderSide::Buy,
        quantity: 1,
    };
    let refused = bought.encode(None, &mut [0; 64]);
    assert!(
        matches!(refused, Err(EncodeError::Field { field: "side", .. })),
        "{refused:?}"
    );
    let mut later = encoded(|out| replace().encode(None, out));
    later[21] = b'E';
    assert_eq!(fault_in(&later).1, "time_in_force");
}

#[test]
fn good_till_time_needs_its_seconds() {
    let order = EnterOrder {
        time_in_force: TimeInForce::Gtt,
        ..enter()
    };
    let refused = order.encode(None, &mut [0; 64]);
    assert_eq!(
        refused,
        Err(EncodeError::TagMissing {
            message: "EnterOrder",
            tag: Tag::ExpireTime
        })
    );
    let mut bytes = enter_with(&[]);
    bytes[26] = b'6';
    let expected = (
        "EnterOrder",
        "time_in_force",
        26,
        Fault::TagMissing(Tag::ExpireTime),
    );
    assert_eq!(fault_in(&bytes), expected);
    let mut builder = AppendageBuilder::new();
    let seconds = ExpireSeconds::new(86_399).expect("below a day");
    builder.push(Element::ExpireTime(seconds)).expect("first");
    let bytes = encoded(|out| order.encode(Some(builder.finish()), out));
    let Ok(Inbound::EnterOrder(view)) = Inbound::parse(&bytes) else {
        panic!("with its seconds it is whole");
    };
    assert_eq!(
        view.find(Tag::ExpireTime),
        Some(Element::ExpireTime(seconds))
    );
}

#[test]
fn lengths_are_exact() {
    let cases: &[(&[u8], &str, &str, usize, Fault)] = &[
        (b"", "inbound", "type", 0, Fault::Empty),
        (b"Z", "inbound", "type", 0, Fault::UnknownType(b'Z')),
        (b"A", "inbound", "type", 0, Fault::UnknownType(b'A')),
        (
            b"O",
            "EnterOrder",
            "length",
            1,
            Fault::TooShort {
                needed: 47,
                found: 1,
            },
        ),
        (
            b"Q\0",
            "AccountQuery",
            "appendage_length",
            1,
            Fault::TooShort {
                needed: 3,
                found: 2,
            },
        ),
        (
            b"Q\0\x03\x02\x1c",
            "AccountQuery",
            "appendage_length",
            1,
            Fault::LengthMismatch {
                declared: 3,
                found: 2,
            },
        ),
        (
            b"Q\0\0\0",
            "AccountQuery",
            "appendage_length",
            1,
            Fault::LengthMismatch {
                declared: 0,
                found: 1,
            },
        ),
    ];
    for (bytes, message, field, offset, fault) in cases {
        assert_eq!(
            fault_in(bytes),
            (*message, *field, *offset, *fault),
            "{bytes:?}"
        );
    }
}

#[test]
fn a_message_without_an_appendage_takes_none() {
    let event = SystemEvent {
        timestamp: 1,
        event_code: EventCode::EndOfDay,
    };
    let mut bytes = encoded(|out| event.encode(None, out));
    bytes.extend([0, 0]);
    let error = Outbound::parse(&bytes).expect_err("a system event has no appendage");
    assert_eq!(
        error.fault,
        Fault::LengthMismatch {
            declared: 0,
            found: 2
        }
    );
    let refused = event.encode(Some(Appendage::EMPTY), &mut [0; 64]);
    assert_eq!(
        refused,
        Err(EncodeError::NoAppendage {
            message: "SystemEvent"
        })
    );
}

#[test]
fn errors_speak_in_whole_sentences() {
    let error = Inbound::parse(b"Z").expect_err("no such type");
    assert!(error.is_unknown_type());
    assert_eq!(
        error.to_string(),
        "inbound.type at byte 0: no message of this direction has type 'Z'"
    );
    let mut bytes = enter_with(&[2, 27, b'B']);
    let error = Inbound::parse(&bytes).expect_err("a side is for replaces");
    assert_eq!(
        error.to_string(),
        "EnterOrder.appendage at byte 48: this message does not carry Side (tag 27)"
    );
    assert_eq!(error.reject_reason(), RejectReason::InvalidSide);
    bytes[5] = b'Q';
    bytes.truncate(47);
    bytes[45..].fill(0);
    let error = Inbound::parse(&bytes).expect_err("no such side");
    assert_eq!(
        error.to_string(),
        "EnterOrder.side at byte 5: is 'Q'; send one of 'B' 'E' 'S' 'T'"
    );
}

#[test]
fn a_builder_takes_each_tag_once_and_has_room_for_all() {
    let mut builder = AppendageBuilder::new();
    let mut dice = Dice(4);
    for tag in Tag::ALL {
        let value = dice.field(tag.rule(), tag.width());
        let element = Element::from_checked(*tag, &value).expect("the width is the tag's");
        builder.push(element).expect("first of its tag");
        assert_eq!(builder.push(element).err(), Some(DuplicateTag(*tag)));
    }
    assert_eq!(builder.finish().bytes().len(), APPENDAGE_BYTES_MAX);
    assert_eq!(builder.finish().iter().count(), Tag::ALL.len());
    let whole = TagSet::of(Tag::ALL);
    let elements = builder.finish();
    assert_eq!(Appendage::parse(elements.bytes(), whole), Ok(elements));
}

#[test]
fn pegged_discretionary_and_turning_orders_are_named() {
    let tag_of = |elements: &[u8]| {
        let bytes = enter_with(elements);
        match Inbound::parse(&bytes) {
            Ok(Inbound::EnterOrder(view)) => view.unpriceable_tag(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(tag_of(&[]), None);
    assert_eq!(tag_of(&[2, 6, b'L', 2, 28, 1]), None);
    assert_eq!(tag_of(&[2, 6, b'M']), Some(Tag::PriceType));
    assert_eq!(tag_of(&[2, 10, b'L']), Some(Tag::DiscretionPriceType));
    assert_eq!(tag_of(&[5, 7, 0, 0, 0, 0]), Some(Tag::PegOffset));
    let mut builder = AppendageBuilder::new();
    builder
        .push(Element::Side(OrderSide::SellShort))
        .expect("first");
    let bytes = encoded(|out| replace().encode(Some(builder.finish()), out));
    let Ok(Inbound::ReplaceOrder(view)) = Inbound::parse(&bytes) else {
        panic!("a replace may carry a side");
    };
    assert_eq!(view.unpriceable_tag(), Some(Tag::Side));
}

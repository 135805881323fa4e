//! Properties over random and mutated messages of every table.

use super::*;
use proptest::prelude::*;
use std::string::ToString;

/// Either direction, so that one property serves both.
fn parse_and_rebuild(direction: Direction, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    match direction {
        Direction::Inbound => {
            let message = Inbound::parse(bytes)?;
            assert_eq!(message.bytes(), bytes);
            let copied = encoded(|out| message.encode(out));
            assert_eq!(copied, bytes);
            Ok(with_elements_anew(
                message.layout(),
                bytes,
                message.appendage(),
            ))
        }
        Direction::Outbound => {
            let message = Outbound::parse(bytes)?;
            assert_eq!(message.bytes(), bytes);
            let copied = encoded(|out| message.encode(out));
            assert_eq!(copied, bytes);
            Ok(with_elements_anew(
                message.layout(),
                bytes,
                message.appendage(),
            ))
        }
    }
}

/// The message with its appendage built again from typed elements.
fn with_elements_anew(
    layout: &MessageLayout,
    bytes: &[u8],
    appendage: Option<Appendage<'_>>,
) -> Vec<u8> {
    let mut rebuilt = bytes[..layout.head_len].to_vec();
    if let Some(elements) = appendage {
        let mut builder = AppendageBuilder::new();
        for element in elements {
            assert_eq!(elements.find(element.tag()), Some(element));
            builder
                .push(element)
                .expect("a parsed appendage has no tag twice");
        }
        rebuilt.extend((builder.finish().bytes().len() as u16).to_be_bytes());
        rebuilt.extend(builder.finish().bytes());
    }
    rebuilt
}

/// Sound appendages, and such with a byte changed or cut off.
#[test]
fn an_appendage_passes_at_once_exactly_where_each_element_passes() {
    let (mut dice, mut passed) = (Dice(3), 0);
    for _ in 0..50_000 {
        let every = TagSet::of(Tag::ALL);
        let mut bytes = dice.appendage(every, None);
        if !bytes.is_empty() && dice.below(3) > 0 {
            let at = dice.below(bytes.len() as u64) as usize;
            bytes[at] = match dice.below(3) {
                0 => dice.below(256) as u8,
                1 => bytes[at].wrapping_add(1),
                _ => bytes[at].wrapping_sub(1),
            };
            bytes.truncate(bytes.len() - dice.below(3).min(at as u64) as usize);
        }
        let forbidden = Tag::ALL[dice.below(Tag::ALL.len() as u64) as usize];
        for allowed in [every, every.difference(TagSet::of(&[forbidden]))] {
            let each = Appendage::parse_each(&bytes, allowed);
            assert_eq!(Appendage::without_fault(&bytes, allowed), each.ok());
            passed += usize::from(each.is_ok());
        }
    }
    assert!((20_000..80_000).contains(&passed), "both happen: {passed}");
}

fn all_layouts() -> impl Iterator<Item = &'static MessageLayout> {
    Inbound::LAYOUTS.iter().chain(Outbound::LAYOUTS).copied()
}

#[test]
fn every_message_survives_parsing_and_building_with_random_appendages() {
    let mut dice = Dice(1);
    let mut with_elements = 0;
    for round in 0..400 {
        for layout in all_layouts() {
            let bytes = dice.message(layout);
            let rebuilt = parse_and_rebuild(layout.direction, &bytes);
            assert_eq!(
                rebuilt.as_ref(),
                Ok(&bytes),
                "{} in round {round}",
                layout.name
            );
            with_elements += usize::from(bytes.len() > layout.fixed_len());
        }
    }
    assert!(
        with_elements > 1_000,
        "most rounds must have met elements: {with_elements}"
    );
}

#[test]
fn no_message_parses_with_a_byte_more_or_less() {
    let mut dice = Dice(2);
    for _ in 0..40 {
        for layout in all_layouts() {
            let bytes = dice.message(layout);
            for len in 0..bytes.len() {
                // The shorter of two forms is the one length at which a cut message is whole.
                let whole = len == layout.head_len
                    && layout.appendage == AppendageForm::Optional
                    && layout.companion.is_none();
                let parsed = parse_and_rebuild(layout.direction, &bytes[..len]);
                assert_eq!(parsed.is_ok(), whole, "{} cut to {len}", layout.name);
            }
            let mut longer = bytes.clone();
            longer.push(0);
            assert!(parse_and_rebuild(layout.direction, &longer).is_err());
        }
    }
}

#[test]
fn a_buffer_one_byte_too_small_is_left_alone() {
    let mut dice = Dice(3);
    for layout in all_layouts() {
        let bytes = dice.message(layout);
        let mut out = std::vec![0x55; bytes.len() - 1];
        let refused = match layout.direction {
            Direction::Inbound => Inbound::parse(&bytes).expect("valid").encode(&mut out),
            Direction::Outbound => Outbound::parse(&bytes).expect("valid").encode(&mut out),
        };
        let expected = EncodeError::NoRoom {
            needed: bytes.len(),
            room: bytes.len() - 1,
        };
        assert_eq!(refused, Err(expected), "{}", layout.name);
        assert!(out.iter().all(|byte| *byte == 0x55));
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..220)) {
        for direction in [Direction::Inbound, Direction::Outbound] {
            match parse_and_rebuild(direction, &bytes) {
                Ok(rebuilt) => prop_assert_eq!(&rebuilt, &bytes),
                Err(error) => {
                    let words = error.to_string();
                    prop_assert!(error.offset <= bytes.len() && words.starts_with(error.message));
                }
            }
        }
    }

    #[test]
    fn a_mutated_message_is_refused_or_means_its_bytes(
        seed in any::<u64>(),
        which in 0_usize..25,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let layout = all_layouts().nth(which).expect("25 tables");
        let mut bytes = Dice(seed).message(layout);
        for (at, value) in &edits {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        match parse_and_rebuild(layout.direction, &bytes) {
            Ok(rebuilt) => prop_assert_eq!(&rebuilt, &bytes),
            Err(error) => {
                let _ = error.reject_reason();
                prop_assert!(error.offset <= bytes.len());
            }
        }
    }
}

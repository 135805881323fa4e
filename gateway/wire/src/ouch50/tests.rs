//! Samples of every message, and a generator that knows nothing but the tables.

mod against_slouch;
mod bytes;
mod faults;
mod properties;

use super::*;
use crate::Alpha;
use crate::field::Rule;
use std::vec::Vec;

/// An order number.
pub(super) fn number(value: u32) -> UserRefNum {
    UserRefNum::new(value).expect("order numbers start at 1")
}

/// A plain limit order.
pub(super) fn enter() -> EnterOrder {
    EnterOrder {
        user_ref_num: number(1),
        side: OrderSide::Buy,
        quantity: 100,
        symbol: Alpha::new(b"ESH4").expect("fits"),
        price: 47_500_000,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Principal,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::new(b"order 1").expect("fits"),
    }
}

/// A replace of [`enter`].
pub(super) fn replace() -> ReplaceOrder {
    ReplaceOrder {
        orig_user_ref_num: number(1),
        user_ref_num: number(2),
        quantity: 80,
        price: 47_502_500,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        iso_eligible: YesNo::No,
        cl_ord_id: Alpha::new(b"order 2").expect("fits"),
    }
}

/// A cancel of [`enter`].
pub(super) fn cancel() -> CancelOrder {
    CancelOrder {
        user_ref_num: number(1),
        quantity: 0,
    }
}

/// The encoded form of anything with an `encode`.
pub(super) fn encoded(write: impl FnOnce(&mut [u8]) -> Result<usize, EncodeError>) -> Vec<u8> {
    let mut out = [0xAA; 512];
    let len = write(&mut out).expect("it can be said and there is room");
    assert!(
        out[len..].iter().all(|byte| *byte == 0xAA),
        "nothing is written behind the message"
    );
    out[..len].to_vec()
}

/// A small generator: the tests need reproducible bytes, not good ones.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Bytes of a field that obey its rule.
    fn field(&mut self, rule: Rule, width: usize) -> Vec<u8> {
        match rule {
            Rule::Any => (0..width).map(|_| self.below(256) as u8).collect(),
            Rule::Printable => (0..width).map(|_| b' ' + self.below(95) as u8).collect(),
            Rule::NonZero => {
                let mut bytes = self.field(Rule::Any, width);
                bytes[width - 1] |= 1;
                bytes
            }
            Rule::OneOf(set) => {
                let letters: Vec<u8> = set.letters().collect();
                std::vec![letters[self.below(letters.len() as u64) as usize]]
            }
            Rule::Below(limit) => self.below(limit).to_be_bytes()[8 - width..].to_vec(),
        }
    }

    /// A random subset of the tags, in random order, with random admissible values.
    fn appendage(&mut self, tags: TagSet, forced: Option<Tag>) -> Vec<u8> {
        let mut chosen: Vec<Tag> = Vec::new();
        for tag in Tag::ALL {
            if Some(*tag) == forced || tags.contains(*tag) && self.below(3) == 0 {
                let at = self.below(chosen.len() as u64 + 1) as usize;
                chosen.insert(at, *tag);
            }
        }
        let mut bytes = Vec::new();
        for tag in chosen {
            bytes.extend([tag.width() as u8 + 1, tag as u8]);
            bytes.extend(self.field(tag.rule(), tag.width()));
        }
        bytes
    }

    /// A valid message of this table.
    fn message(&mut self, layout: &MessageLayout) -> Vec<u8> {
        let mut bytes = std::vec![layout.type_byte];
        for row in layout.fields {
            bytes.extend(self.field(row.rule, row.width));
        }
        let forced = layout
            .companion
            .filter(|companion| bytes[companion.offset] == companion.letter)
            .map(|companion| companion.tag);
        let absent = layout.appendage == AppendageForm::Never
            || layout.appendage == AppendageForm::Optional && self.below(2) == 0;
        if !absent {
            let elements = self.appendage(layout.tags, forced);
            bytes.extend((elements.len() as u16).to_be_bytes());
            bytes.extend(elements);
        }
        bytes
    }
}

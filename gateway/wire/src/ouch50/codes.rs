//! One-letter codes of OUCH 5.0 with a closed set of values, and order numbers.
//!
//! **Thread.** Plain values.
//! **Invariants.** A code type has one variant a letter of the document and no other; a byte
//! outside the set never becomes one.
//! **Never.** Map an unknown letter to a default.

use crate::field::{CodeSet, Rule, WireField, put, slot};
use core::num::NonZeroU32;
use portcullis_domain::Side;

/// The number a client gives its order: starts at 1 and rises strictly within an account and
/// `UserRefIdx`; gaps are legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserRefNum(NonZeroU32);

impl UserRefNum {
    /// `None` for 0, which no order has.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number, at least 1.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl WireField for UserRefNum {
    const WIDTH: usize = 4;
    const RULE: Rule = Rule::NonZero;
    #[inline(always)]
    fn read<const LEN: usize, const AT: usize>(head: &[u8; LEN]) -> Self {
        // Zero was excluded with the rule before the view was made; `MIN` is 1.
        Self(NonZeroU32::new(u32::read::<LEN, AT>(head)).unwrap_or(NonZeroU32::MIN))
    }
    #[inline(always)]
    fn write<const LEN: usize, const AT: usize>(self, head: &mut [u8; LEN]) {
        put::<LEN, AT, 4>(head, self.get().to_be_bytes());
    }
}

macro_rules! codes {
    ($(
        $(#[$doc:meta])*
        $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $letter:literal, )* }
    )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $( $(#[$variant_doc])* $variant = $letter, )* }

        impl $name {
            /// Every value, in the order of the document.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )* ];
            /// The letters of [`Self::ALL`].
            pub const CODES: CodeSet = CodeSet::of(&[ $( $letter, )* ]);

            /// The value of a letter; `None` for a letter outside the set.
            #[must_use]
            #[inline]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $( $letter => Some(Self::$variant), )*
                    _ => None,
                }
            }

            /// The letter on the wire.
            #[must_use]
            #[inline]
            pub const fn byte(self) -> u8 {
                self as u8
            }
        }

        impl WireField for $name {
            const WIDTH: usize = 1;
            const RULE: Rule = Rule::OneOf(Self::CODES);
            #[inline(always)]
            fn read<const LEN: usize, const AT: usize>(head: &[u8; LEN]) -> Self {
                let [byte] = slot::<LEN, AT, 1>(head);
                match Self::from_byte(byte) {
                    Some(value) => value,
                    None => unchecked_code(stringify!($name), byte),
                }
            }
            #[inline(always)]
            fn write<const LEN: usize, const AT: usize>(self, head: &mut [u8; LEN]) {
                put::<LEN, AT, 1>(head, [self.byte()]);
            }
        }
    )* };
}

/// A view was made over bytes that were never checked: a fault of this crate, which no input can
/// cause.
#[cold]
#[inline(never)]
fn unchecked_code(name: &str, byte: u8) -> ! {
    panic!("a {name} of 0x{byte:02x} got past the check that makes a view")
}

codes! {
    /// Side of an order. The two short sides sell; they differ in what the regulator wants to know.
    OrderSide {
        /// Buy.
        Buy = b'B',
        /// Sell out of a long position.
        Sell = b'S',
        /// Sell short.
        SellShort = b'T',
        /// Sell short, exempt from the price test.
        SellShortExempt = b'E',
    }
    /// How long an order lives.
    TimeInForce {
        /// Until the close of the market hours.
        Day = b'0',
        /// Immediate or cancel.
        Ioc = b'3',
        /// Until the end of the extended hours.
        Gtx = b'5',
        /// For the seconds of the tag `ExpireTime`.
        Gtt = b'6',
        /// After hours only.
        AfterHours = b'E',
    }
    /// Who sees an order.
    Display {
        /// Everybody.
        Visible = b'Y',
        /// Nobody.
        Hidden = b'N',
        /// Everybody, with the firm's name.
        Attributable = b'A',
        /// Made conformant by the venue; only the venue says so.
        Conformant = b'Z',
    }
    /// In whose name a firm trades.
    Capacity {
        /// Agency.
        Agency = b'A',
        /// Principal.
        Principal = b'P',
        /// Riskless principal.
        Riskless = b'R',
        /// Other.
        Other = b'O',
    }
    /// Yes or no.
    YesNo {
        /// Yes.
        Yes = b'Y',
        /// No.
        No = b'N',
    }
    /// Which cross an order is for.
    CrossType {
        /// Continuous trading, no cross.
        None = b'N',
        /// Opening.
        Opening = b'O',
        /// Closing.
        Closing = b'C',
        /// Reopening after a halt, or an initial offering.
        HaltIpo = b'H',
        /// Supplemental.
        Supplemental = b'S',
        /// Retail.
        Retail = b'R',
        /// Extended life.
        ExtendedLife = b'E',
        /// After-hours close.
        AfterHoursClose = b'A',
    }
    /// Whether an accepted order lives.
    OrderState {
        /// On the book or in the market.
        Live = b'L',
        /// Accepted and cancelled at once; nothing follows.
        Dead = b'D',
    }
    /// Events of the whole system.
    EventCode {
        /// Start of the day.
        StartOfDay = b'S',
        /// End of the day.
        EndOfDay = b'E',
    }
    /// Why a trade was broken.
    BrokenReason {
        /// Clearly erroneous.
        Erroneous = b'E',
        /// Both sides agreed.
        Consent = b'C',
        /// Supervisory.
        Supervisory = b'S',
        /// By a third party.
        External = b'X',
    }
    /// Why an order was restated.
    RestatedReason {
        /// The displayed part was refilled.
        DisplayRefresh = b'R',
        /// The displayed price moved.
        DisplayPriceUpdate = b'P',
    }
    /// The only reason of a cancel by self-match prevention.
    AiqReason {
        /// Self-match prevention.
        SelfMatch = b'Q',
    }
    /// Tag 4.
    CustomerType {
        /// Retail.
        Retail = b'R',
        /// Not retail.
        NotRetail = b'N',
        /// As set for the port.
        PortDefault = b' ',
    }
    /// Tag 6: how the price of an order is made.
    PriceType {
        /// The limit in the field `price`.
        Limit = b'L',
        /// Pegged to the far side.
        MarketPeg = b'P',
        /// Pegged to the middle.
        MidpointPeg = b'M',
        /// Pegged to the near side.
        PrimaryPeg = b'R',
        /// Market maker's peg.
        MarketMakerPeg = b'Q',
        /// Midpoint, priced once.
        Midpoint = b'm',
    }
    /// Tag 10: what the discretion is pegged to.
    DiscretionPriceType {
        /// A limit.
        Limit = b'L',
        /// The far side.
        MarketPeg = b'P',
        /// The middle.
        MidpointPeg = b'M',
        /// The near side.
        PrimaryPeg = b'R',
    }
    /// Tag 12.
    PostOnly {
        /// Only if it adds liquidity.
        PostOnly = b'P',
        /// Not so restricted.
        No = b'N',
    }
    /// Tag 16.
    TradeNow {
        /// Yes.
        Yes = b'Y',
        /// No.
        No = b'N',
        /// As set for the port.
        PortDefault = b' ',
    }
    /// Tag 17: what to do with an order that is not simply booked. The document gives the letters,
    /// the meanings depend on the venue.
    HandleInst {
        /// `I`.
        I = b'I',
        /// `O`.
        O = b'O',
        /// `T`.
        T = b'T',
        /// `Q`.
        Q = b'Q',
        /// `B`.
        B = b'B',
        /// `D`.
        D = b'D',
        /// `R`, a later edition.
        R = b'R',
        /// None.
        None = b' ',
    }
    /// Tag 18: how an order compared with the best prices when it came. Only the venue says so.
    BboWeight {
        /// The lowest weight.
        Weight0 = b'0',
        /// The second.
        Weight1 = b'1',
        /// The third.
        Weight2 = b'2',
        /// The highest.
        Weight3 = b'3',
        /// Sets the venue's best price.
        SetsBest = b'S',
        /// Improves the market's best price.
        Improves = b'N',
        /// Not stated.
        Unstated = b' ',
    }
}

impl OrderSide {
    /// The side of the book; both short sides sell.
    #[must_use]
    #[inline]
    pub const fn side(self) -> Side {
        match self {
            OrderSide::Buy => Side::Buy,
            OrderSide::Sell | OrderSide::SellShort | OrderSide::SellShortExempt => Side::Sell,
        }
    }

    /// Whether this sells what the account does not hold.
    #[must_use]
    #[inline]
    pub const fn is_short(self) -> bool {
        match self {
            OrderSide::Buy | OrderSide::Sell => false,
            OrderSide::SellShort | OrderSide::SellShortExempt => true,
        }
    }
}

impl From<Side> for OrderSide {
    fn from(side: Side) -> Self {
        match side {
            Side::Buy => OrderSide::Buy,
            Side::Sell => OrderSide::Sell,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_convert_both_ways_and_nothing_else_does() {
        for byte in 0..=255_u8 {
            assert_eq!(
                OrderSide::from_byte(byte).map(OrderSide::byte),
                OrderSide::CODES.contains(byte).then_some(byte)
            );
            assert_eq!(
                CrossType::from_byte(byte).map(CrossType::byte),
                CrossType::CODES.contains(byte).then_some(byte)
            );
        }
        assert_eq!(OrderSide::ALL.len(), 4);
        assert_eq!(CrossType::ALL.len(), 8);
        assert_eq!(PriceType::from_byte(b'm'), Some(PriceType::Midpoint));
        assert_eq!(PriceType::from_byte(b'M'), Some(PriceType::MidpointPeg));
    }

    #[test]
    fn short_sides_sell() {
        assert_eq!(OrderSide::SellShort.side(), Side::Sell);
        assert_eq!(OrderSide::SellShortExempt.side(), Side::Sell);
        assert!(OrderSide::SellShort.is_short() && !OrderSide::Sell.is_short());
        assert_eq!(OrderSide::from(Side::Buy), OrderSide::Buy);
    }

    #[test]
    fn order_numbers_start_at_one() {
        assert_eq!(UserRefNum::new(0), None);
        assert_eq!(UserRefNum::new(1).map(UserRefNum::get), Some(1));
    }
}

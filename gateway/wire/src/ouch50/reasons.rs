//! Reason codes of OUCH 5.0: why an order was rejected, why one was cancelled.
//!
//! **Thread.** Plain values.
//! **Invariants.** Conversion from and to the wire is total and exact in both directions: a code
//! that the document does not list is kept as it came, and one that it lists is never kept as
//! unlisted.
//! **Never.** Turn an unlisted code into a listed one.

use crate::field::{Rule, WireField};
use core::fmt;

macro_rules! reasons {
    (
        $(#[$doc:meta])*
        $name:ident, $unlisted:ident, $raw:ty {
            $( $(#[$variant_doc:meta])* $variant:ident = $code:literal, $text:literal; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$variant_doc])* $variant, )*
            /// A code that the document does not list.
            Unlisted($unlisted),
        }

        /// A code that the document does not list. Only the conversion from a number makes one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $unlisted($raw);

        impl $name {
            /// Every listed reason, in ascending order of its code.
            pub const LISTED: &'static [Self] = &[ $( Self::$variant, )* ];

            /// The reason of a code.
            #[must_use]
            pub const fn from_code(code: $raw) -> Self {
                match code {
                    $( $code => Self::$variant, )*
                    unlisted => Self::Unlisted($unlisted(unlisted)),
                }
            }

            /// The code on the wire.
            #[must_use]
            pub const fn code(self) -> $raw {
                match self {
                    $( Self::$variant => $code, )*
                    Self::Unlisted(unlisted) => unlisted.0,
                }
            }

            /// The document's meaning in a few words.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )*
                    Self::Unlisted(_) => "a code the document does not list",
                }
            }
        }

        impl From<$raw> for $name {
            fn from(code: $raw) -> Self {
                Self::from_code(code)
            }
        }

        impl From<$name> for $raw {
            fn from(reason: $name) -> Self {
                reason.code()
            }
        }

        impl WireField for $name {
            const WIDTH: usize = <$raw as WireField>::WIDTH;
            const RULE: Rule = Rule::Any;
            #[inline(always)]
            fn read<const LEN: usize, const AT: usize>(head: &[u8; LEN]) -> Self {
                Self::from_code(<$raw as WireField>::read::<LEN, AT>(head))
            }
            #[inline(always)]
            fn write<const LEN: usize, const AT: usize>(self, head: &mut [u8; LEN]) {
                self.code().write::<LEN, AT>(head);
            }
        }
    };
}

reasons! {
    /// Why an order or a replace was rejected (field `reason` of `Rejected`). The codes from 0x0020
    /// on are the risk block.
    RejectReason, UnlistedRejectReason, u16 {
        /// Quote unavailable.
        QuoteUnavailable = 0x0001, "quote unavailable";
        /// Destination closed.
        DestinationClosed = 0x0002, "destination closed";
        /// Invalid display.
        InvalidDisplay = 0x0003, "invalid display";
        /// Invalid max floor.
        InvalidMaxFloor = 0x0004, "invalid max floor";
        /// Invalid peg type.
        InvalidPegType = 0x0005, "invalid peg type";
        /// Fat finger.
        FatFinger = 0x0006, "fat finger";
        /// Halted.
        Halted = 0x0007, "halted";
        /// ISO not allowed.
        IsoNotAllowed = 0x0008, "ISO not allowed";
        /// Invalid side.
        InvalidSide = 0x0009, "invalid side";
        /// Processing error.
        ProcessingError = 0x000a, "processing error";
        /// Cancel pending.
        CancelPending = 0x000b, "cancel pending";
        /// Firm not authorised.
        FirmNotAuthorised = 0x000c, "firm not authorised";
        /// Invalid min quantity.
        InvalidMinQuantity = 0x000d, "invalid min quantity";
        /// No closing reference price.
        NoClosingReferencePrice = 0x000e, "no closing reference price";
        /// Other.
        Other = 0x000f, "other";
        /// Cancel not allowed.
        CancelNotAllowed = 0x0010, "cancel not allowed";
        /// Pegging not allowed.
        PeggingNotAllowed = 0x0011, "pegging not allowed";
        /// Crossed market.
        CrossedMarket = 0x0012, "crossed market";
        /// Invalid quantity.
        InvalidQuantity = 0x0013, "invalid quantity";
        /// Invalid cross order.
        InvalidCrossOrder = 0x0014, "invalid cross order";
        /// Replace not allowed.
        ReplaceNotAllowed = 0x0015, "replace not allowed";
        /// Routing not allowed.
        RoutingNotAllowed = 0x0016, "routing not allowed";
        /// Invalid symbol.
        InvalidSymbol = 0x0017, "invalid symbol";
        /// Test.
        Test = 0x0018, "test";
        /// Late LOC too aggressive.
        LateLocTooAggressive = 0x0019, "late LOC too aggressive";
        /// Retail not allowed.
        RetailNotAllowed = 0x001a, "retail not allowed";
        /// Invalid midpoint post-only price.
        InvalidMidpointPostOnlyPrice = 0x001b, "invalid midpoint post-only price";
        /// Invalid destination.
        InvalidDestination = 0x001c, "invalid destination";
        /// Invalid price.
        InvalidPrice = 0x001d, "invalid price";
        /// Shares exceed threshold.
        SharesExceedThreshold = 0x001e, "shares exceed threshold";
        /// Exceeds maximum allowed notional.
        NotionalExceeded = 0x001f, "exceeds maximum allowed notional";
        /// Risk: aggregate exposure exceeded.
        RiskAggregateExposure = 0x0020, "risk: aggregate exposure exceeded";
        /// Risk: market impact.
        RiskMarketImpact = 0x0021, "risk: market impact";
        /// Risk: restricted stock.
        RiskRestrictedStock = 0x0022, "risk: restricted stock";
        /// Risk: short sell restricted.
        RiskShortSellRestricted = 0x0023, "risk: short sell restricted";
        /// Risk: ISO not allowed (2023-04 edition: order type restricted).
        RiskIsoNotAllowed = 0x0024, "risk: ISO not allowed (2023-04 edition: order type restricted)";
        /// Risk: exceeds ADV limit.
        RiskExceedsAdvLimit = 0x0025, "risk: exceeds ADV limit";
        /// Risk: fat finger.
        RiskFatFinger = 0x0026, "risk: fat finger";
        /// Risk: locate required.
        RiskLocateRequired = 0x0027, "risk: locate required";
        /// Risk: symbol message rate.
        RiskSymbolMessageRate = 0x0028, "risk: symbol message rate";
        /// Risk: port message rate.
        RiskPortMessageRate = 0x0029, "risk: port message rate";
        /// Risk: duplicate message rate.
        RiskDuplicateMessageRate = 0x002a, "risk: duplicate message rate";
        /// Risk: short sell not allowed.
        RiskShortSellNotAllowed = 0x002b, "risk: short sell not allowed";
        /// Risk: market order not allowed.
        RiskMarketOrderNotAllowed = 0x002c, "risk: market order not allowed";
        /// Risk: pre-market not allowed.
        RiskPreMarketNotAllowed = 0x002d, "risk: pre-market not allowed";
        /// Risk: post-market not allowed.
        RiskPostMarketNotAllowed = 0x002e, "risk: post-market not allowed";
        /// Risk: short sell exempt not allowed.
        RiskShortExemptNotAllowed = 0x002f, "risk: short sell exempt not allowed";
        /// Risk: single order notional exceeded.
        RiskOrderNotional = 0x0030, "risk: single order notional exceeded";
        /// Risk: max quantity exceeded.
        RiskMaxQuantity = 0x0031, "risk: max quantity exceeded";
        /// Reg SHO state not available.
        RegShoStateNotAvailable = 0x0032, "Reg SHO state not available";
        /// Risk: IPO market buy not allowed.
        RiskIpoMarketBuyNotAllowed = 0x0033, "risk: IPO market buy not allowed";
    }
}

reasons! {
    /// Why an order, or a part of it, was cancelled (field `reason` of `OrderCanceled`).
    CancelReason, UnlistedCancelReason, u8 {
        /// Regulatory restriction.
        Regulatory = b'D', "regulatory restriction";
        /// Closed (DAY after the closing cross).
        Closed = b'E', "closed (DAY after the closing cross)";
        /// Post only: would be price slid for NMS.
        PostOnlyNms = b'F', "post only: would be price slid for NMS";
        /// Post only: would be price slid (contra displayed).
        PostOnlyContra = b'G', "post only: would be price slid (contra displayed)";
        /// Halted.
        Halted = b'H', "halted";
        /// IOC.
        Ioc = b'I', "IOC";
        /// Market collars.
        Collars = b'K', "market collars";
        /// Self-match prevention.
        SelfMatch = b'Q', "self-match prevention";
        /// Supervisory.
        Supervisory = b'S', "supervisory";
        /// Time in force ran out.
        Timeout = b'T', "time in force ran out";
        /// Asked by the user.
        User = b'U', "asked by the user";
        /// Opening price protection.
        OpeningProtection = b'X', "opening price protection";
        /// System.
        System = b'Z', "system";
        /// Direct listing exceeds shares offered.
        DirectListing = b'e', "direct listing exceeds shares offered";
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04X} {}", self.code(), self.text())
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", crate::field::Shown(self.code()), self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn every_code_converts_both_ways() {
        for code in 0..=u16::MAX {
            assert_eq!(u16::from(RejectReason::from(code)), code);
        }
        for code in 0..=u8::MAX {
            assert_eq!(u8::from(CancelReason::from(code)), code);
        }
    }

    #[test]
    fn the_listed_codes_are_those_of_the_document() {
        let codes = RejectReason::LISTED.iter().map(|reason| reason.code());
        assert!(codes.eq(0x0001..=0x0033));
        let letters = CancelReason::LISTED.iter().map(|reason| reason.code());
        assert!(letters.eq(*b"DEFGHIKQSTUXZe"));
        for reason in RejectReason::LISTED {
            assert!(!matches!(
                RejectReason::from_code(reason.code()),
                RejectReason::Unlisted(_)
            ));
        }
    }

    #[test]
    fn a_reason_reads_as_code_and_words() {
        assert_eq!(
            RejectReason::RiskMaxQuantity.to_string(),
            "0x0031 risk: max quantity exceeded"
        );
        assert_eq!(CancelReason::User.to_string(), "'U' asked by the user");
        assert_eq!(
            RejectReason::from(0x0100).to_string(),
            "0x0100 a code the document does not list"
        );
    }
}

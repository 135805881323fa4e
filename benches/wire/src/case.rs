//! Orders that a gateway refuses: of each check one that fails it alone, and what has to be so before.
//!
//! Owned by nobody. A case has an account, a class, a firm and an instrument of its own, whose limits are those of the
//! load or wider, but for the one that it is about. Invariants: an order of a case fails the check that the case is of
//! and no other; an order of anything else fails none; a check that has no case says why.

mod limits;

use crate::market::{self, REFERENCE_WIRE};
use portcullis_risk_core::checks::{Descriptor, REGISTRY};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AppendageBuilder, CrossType, Element, EnterOrder, OrderSide, ReplaceOrder, TimeInForce,
    UserRefNum,
};

pub(crate) use limits::Scope;

/// Between two orders that a rate of a case lets through, as its limits say.
pub(crate) const RATE_INTERVAL_MS: u64 = 1_000;
/// Versions of an order that may be unanswered.
pub(crate) const VERSIONS: u32 = 4;
/// Accounts that trade before the one that is refused, where an instrument's volume is what it fails by.
const BEFORE: [&str; 2] = ["-2", "-3"];

/// Checks whose cases have a session of their own: its rate, its link, and versions that no engine answers, which its
/// link would have to look through for each answer to another order.
const OF_OWN_SESSION: [&str; 3] = ["SESSION_RATE", "VENUE_DOWN", "REPLACE_PENDING"];

/// A market order, as the wire says it.
const PRICE_OF_MARKET: u64 = 0x7FFF_FFFF;

/// A check, and orders that fail it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) check: &'static Descriptor,
}

/// What has to have happened before the first order of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing but what an operator says.
    Nothing,
    /// An order like it was accepted.
    Accepted,
    /// One like it was accepted, and from then on one passes once in a while.
    Spent,
    /// Two other accounts ordered what the instrument's breaker lets through.
    Traded,
    /// An order of each session rests.
    Rests,
    /// An order rests, of which as many versions are unanswered as can be.
    Replaced,
}

/// The cases that can be brought about with so many sessions connected.
pub(crate) fn all(sessions: usize) -> Vec<Case> {
    let cases = REGISTRY.iter().map(|check| Case { check });
    cases
        .filter(|case| absence(case.check, sessions).is_none())
        .collect()
}

/// Why no order fails this check alone with so many sessions connected; `None` if one can.
pub(crate) fn absence(check: &Descriptor, sessions: usize) -> Option<&'static str> {
    match check.name {
        "OVERLOADED" => {
            Some("which orders find the ring full depends on the moment and not on the order")
        }
        "JOURNAL_DOWN" => Some("there is no journal, and while one is down nothing passes"),
        "POSITIONS_FULL" => Some(
            "slots of accounts that are flat, as those of the load are, go to whoever needs one before anybody is refused",
        ),
        "ORDERS_FULL" => Some(
            "it is so while all slots are taken, and nobody else can order then, or all versions unanswered, which an \
             engine that answers does not leave",
        ),
        name if sessions == 1 && OF_OWN_SESSION.contains(&name) => {
            Some("it needs a session of its own, and one is all that is connected")
        }
        _ => None,
    }
}

impl Case {
    fn name(&self) -> &'static str {
        self.check.name
    }

    /// Its account, which is also the first of its accounts' names; its class and its firm have the same name.
    pub(crate) fn account(&self) -> String {
        format!("c{:02}", self.check.number)
    }

    /// All of its accounts, that of its orders first.
    pub(crate) fn accounts(&self) -> Vec<String> {
        let others = if self.before() == Before::Traded {
            &BEFORE[..]
        } else {
            &[]
        };
        let account = self.account();
        let others = others.iter().map(|end| format!("{account}{end}"));
        std::iter::once(account.clone()).chain(others).collect()
    }

    /// The firm code of one of its accounts.
    pub(crate) fn code(&self, which: usize) -> String {
        format!("C{:02}{which}", self.check.number)
    }

    pub(crate) fn symbol(&self) -> String {
        format!("CASE{:02}", self.check.number)
    }

    /// Whether it has a session of its own, and which of those that have one.
    pub(crate) fn own_session(&self) -> Option<usize> {
        OF_OWN_SESSION.iter().position(|name| *name == self.name())
    }

    /// Whether the engine takes no login of its session.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.name() == "VENUE_DOWN"
    }

    pub(crate) fn before(&self) -> Before {
        match self.name() {
            "REPEATED" => Before::Accepted,
            "SESSION_RATE" | "RATE" | "FIRM_RATE" => Before::Spent,
            "VOLUME_SPIKE" => Before::Traded,
            "REPLACE_PENDING" => Before::Replaced,
            "MESSAGE_UNSUPPORTED" => Before::Rests,
            _ => Before::Nothing,
        }
    }

    /// What an operator says before: money, and states.
    pub(crate) fn requests(&self) -> Vec<String> {
        let account = self.account();
        // An order of 100.00 has a margin of 5.00, and of 68.34 once that is scaled by what the holder holds.
        let amount = if self.name() == "MARGIN" {
            "60"
        } else {
            "1_000_000"
        };
        let deposits = self.accounts().into_iter();
        let mut requests: Vec<String> = deposits
            .map(|account| format!("deposit {account} {amount}"))
            .collect();
        match self.name() {
            "STATE_HALTED" => requests.push(format!("state account {account} Halted")),
            "STATE_REDUCE_ONLY" => requests.push(format!("state account {account} ReduceOnly")),
            "MARGIN" => requests.push(market::holding(&self.symbol())),
            "LOSS_MAX" => {
                requests.push(format!(
                    "open-position {account} {} 1 100.00",
                    self.symbol()
                ));
            }
            _ => {}
        }
        requests
    }

    /// Its instrument's price, as the feed has it; none where it must be missing.
    pub(crate) fn price(&self) -> Option<&'static str> {
        match self.name() {
            "REFERENCE_MISSING" => None,
            "LOSS_MAX" => Some("98.00"),
            _ => Some("100.00"),
        }
    }

    /// The reason of the answer.
    pub(crate) fn wire_reason(&self) -> u16 {
        self.check.ouch_reason
    }

    /// The packet of its order, ready to be written; returns its length. `replaced` is the order that is replaced,
    /// where a replace is what is refused.
    pub(crate) fn packet(&self, number: u32, replaced: u32, out: &mut [u8]) -> usize {
        let replaced = replaced.max(1);
        match self.name() {
            "REPLACE_PENDING" | "ORDERS_FULL" => replace(replaced, number, None, Alpha::BLANK, out),
            // Turning the side is not done here.
            "MESSAGE_UNSUPPORTED" => {
                let turned = Element::Side(OrderSide::Sell);
                replace(replaced, number, Some(turned), Alpha::BLANK, out)
            }
            _ => self.enter(number, 0, out),
        }
    }

    /// The packet of an order that passes before the first of the case, of one of its accounts.
    pub(crate) fn packet_before(&self, number: u32, which: usize, out: &mut [u8]) -> usize {
        self.enter(number, which, out)
    }

    fn enter(&self, number: u32, which: usize, out: &mut [u8]) -> usize {
        let order = self.order(number, which);
        let firm = match self.name() {
            "ACCOUNT_UNKNOWN" => Alpha::new(b"NONE"),
            _ => Alpha::new(self.code(which).as_bytes()),
        };
        market::packet_of(&order, firm.expect("four characters"), out)
    }

    /// One lot bought at the reference, but for what the check is about.
    fn order(&self, number: u32, which: usize) -> EnterOrder {
        let symbol = match self.name() {
            "INSTRUMENT_UNKNOWN" => "NOSUCH".to_owned(),
            _ => self.symbol(),
        };
        let usual = EnterOrder {
            symbol: Alpha::new(symbol.as_bytes()).expect("at most eight characters"),
            quantity: 1,
            price: REFERENCE_WIRE,
            side: OrderSide::Buy,
            ..market::order(number)
        };
        match self.name() {
            "QUANTITY_INVALID" => EnterOrder {
                quantity: 0,
                ..usual
            },
            "LOT_INVALID" => EnterOrder {
                quantity: 5,
                ..usual
            },
            "QTY_MAX" => EnterOrder {
                quantity: market::QTY_MAX + 1,
                ..usual
            },
            "ACCOUNT_VOLUME" => EnterOrder {
                quantity: 2,
                ..usual
            },
            "VOLUME_SPIKE" if which > 0 => EnterOrder {
                quantity: 10,
                ..usual
            },
            "PRICE_INVALID" => EnterOrder {
                price: 10_000_100,
                ..usual
            },
            "TICK_INVALID" => EnterOrder {
                price: REFERENCE_WIRE + 1,
                ..usual
            },
            "COLLAR" => EnterOrder {
                price: REFERENCE_WIRE * 6 / 5,
                ..usual
            },
            "LOSS_MAX" => EnterOrder {
                price: REFERENCE_WIRE * 98 / 100,
                ..usual
            },
            "ORDER_TYPE_NOT_PERMITTED" => EnterOrder {
                price: PRICE_OF_MARKET,
                ..usual
            },
            "ORDER_TYPE_UNSUPPORTED" => EnterOrder {
                cross_type: CrossType::Opening,
                ..usual
            },
            "TIME_IN_FORCE_UNSUPPORTED" => EnterOrder {
                time_in_force: TimeInForce::Gtx,
                ..usual
            },
            "REPLACE_PENDING" | "MESSAGE_UNSUPPORTED" => EnterOrder {
                cl_ord_id: market::rests(),
                ..usual
            },
            _ => usual,
        }
    }
}

/// A version of an order that rests, which nobody answers; returns the packet's length.
pub(crate) fn version(original: u32, number: u32, out: &mut [u8]) -> usize {
    replace(original, number, None, market::waits(), out)
}

/// A replace's packet; returns its length.
fn replace(
    original: u32,
    number: u32,
    option: Option<Element>,
    text: Alpha<14>,
    out: &mut [u8],
) -> usize {
    let usual = market::order(number);
    let replace = ReplaceOrder {
        orig_user_ref_num: UserRefNum::new(original).expect("numbers begin with 1"),
        user_ref_num: usual.user_ref_num,
        quantity: 1,
        // Each version is another.
        price: REFERENCE_WIRE - 100,
        time_in_force: TimeInForce::Day,
        display: usual.display,
        iso_eligible: usual.iso_eligible,
        cl_ord_id: text,
    };
    let mut message = [0; 64];
    let mut appendage = AppendageBuilder::new();
    if let Some(element) = option {
        appendage.push(element).expect("the first of its kind");
    }
    let len = replace
        .encode(Some(appendage.finish()), &mut message)
        .expect("a valid replace");
    market::packet(&message[..len], out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SESSIONS_MANY;
    use portcullis_wire::ouch50::Inbound;
    use portcullis_wire::soupbin::{Packet, Parsed, parse};

    #[test]
    fn a_check_has_a_case_or_says_why_not() {
        let absent = |sessions| {
            let absent = REGISTRY
                .iter()
                .filter(|check| absence(check, sessions).is_some());
            absent.map(|check| check.name).collect::<Vec<_>>()
        };
        let never = [
            "OVERLOADED",
            "JOURNAL_DOWN",
            "ORDERS_FULL",
            "POSITIONS_FULL",
        ];
        assert_eq!(absent(SESSIONS_MANY), never);
        assert_eq!(absent(1).len(), never.len() + OF_OWN_SESSION.len());
        assert_eq!(all(SESSIONS_MANY).len() + never.len(), REGISTRY.len());
    }

    #[test]
    fn an_order_of_a_case_is_one_packet_of_the_protocol() {
        for case in all(SESSIONS_MANY) {
            let mut out = [0; 72];
            let len = case.packet(7, 5, &mut out);
            let name = case.check.name;
            let Ok(Parsed::Packet {
                packet: Packet::Unsequenced(message),
                consumed,
            }) = parse(&out[..len])
            else {
                panic!("{name}: no packet");
            };
            assert_eq!(consumed, len, "{name}");
            match Inbound::parse(message) {
                Ok(Inbound::EnterOrder(order)) => {
                    assert_eq!(order.user_ref_num().get(), 7, "{name}");
                }
                Ok(Inbound::ReplaceOrder(replace)) => {
                    let original = replace.orig_user_ref_num().get();
                    assert_eq!((original, replace.user_ref_num().get()), (5, 7), "{name}");
                    assert!(["REPLACE_PENDING", "MESSAGE_UNSUPPORTED"].contains(&name));
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn cases_share_no_account_code_or_symbol() {
        let cases = all(SESSIONS_MANY);
        let mut names: Vec<String> = cases.iter().flat_map(Case::accounts).collect();
        names.extend(cases.iter().map(Case::symbol));
        let codes = cases
            .iter()
            .flat_map(|case| (0..case.accounts().len()).map(|which| case.code(which)));
        names.extend(codes);
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

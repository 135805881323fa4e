//! Who trades what in this bench: symbols, users, and the orders of the load.
//!
//! Owned by nobody. Invariants: an order that is made here passes every check of the gateway's config, those that fail
//! one are [cases](crate::case)'; orders of a session differ from one another, so that none is a repetition.

use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AppendageBuilder, Capacity, CrossType, CustomerType, Display, Element, EnterOrder, OrderSide,
    TimeInForce, UserRefNum, YesNo,
};
use portcullis_wire::soupbin::{Password, UserName, encode};

/// Bytes of an order on the wire, those of its framing included. It is to have 64, and no order that can be priced
/// has as many: with 50 of framing and fixed fields, 14 are the one option of 2 bytes and the one of 8, the price of a
/// discretion. So it has the next length that one can have.
pub(crate) const ORDER_BYTES: usize = 65;
/// Instruments.
pub(crate) const INSTRUMENTS: u32 = 16;
/// The reference price about which orders are priced, in wire units of 0.0001.
pub(crate) const REFERENCE_WIRE: u64 = 1_000_000;
/// A tick of 0.01 in wire units.
const TICK_WIRE: u64 = 100;
/// Ticks by which an order may be through the reference, as the config says, and those of an order near that.
pub(crate) const COLLAR_PPM: u64 = 50_000;
const COLLAR_NEAR: u64 = 470;
/// Lots of the largest order: of one lot more, and of 1,050 in money, that is within a tenth.
const QTY_LARGEST: u32 = 10;
/// The limits that it comes near.
pub(crate) const QTY_MAX: u32 = 11;
pub(crate) const NOTIONAL_MAX: u32 = 1_050;
/// Who holds the open interest by which the margin of all is scaled: so many lots of each instrument, two thirds of the way
/// from where that begins to where the margin is all of the notional.
pub(crate) const HOLDER: &str = "holder";
const HOLDER_LOTS: u64 = 1_500;
pub(crate) const OI_LOWER: u64 = 500;
pub(crate) const OI_UPPER: u64 = 2_000;
const _: () = assert!(OI_LOWER < HOLDER_LOTS && HOLDER_LOTS < OI_UPPER);
/// Every session's password.
pub(crate) const PASSWORD: &str = "bench";
/// The firm code in each order, by which the gateway finds the account.
pub(crate) const FIRM_CODE: &str = "BNCH";
/// A user whom the engine does not know, so that the link of whoever has it is down.
pub(crate) const USER_CUT_OFF: &str = "NOLINK";
/// The text of an order that rests at the engine, and of one that the engine leaves unanswered.
const TEXT_RESTS: &[u8] = b"RESTS";
const TEXT_WAITS: &[u8] = b"WAITS";
/// Of so many orders one is refused where anybody decides.
pub(crate) const REFUSED_ONE_IN: u32 = 50;

/// The symbol of an instrument.
pub(crate) fn symbol(instrument: u32) -> String {
    format!("SYM{instrument:02}")
}

/// The user of a session, at both ends.
pub(crate) fn user(session: usize) -> String {
    format!("U{session:05}")
}

pub(crate) fn user_name(session: usize) -> UserName {
    Alpha::new(user(session).as_bytes()).expect("six characters")
}

pub(crate) fn password() -> Password {
    Password(Alpha::new(PASSWORD.as_bytes()).expect("five characters"))
}

/// What an operator says so that there is open interest in each instrument of the load.
pub(crate) fn holdings() -> Vec<String> {
    let positions = (0..INSTRUMENTS).map(|instrument| holding(&symbol(instrument)));
    [format!("deposit {HOLDER} 1000000000")]
        .into_iter()
        .chain(positions)
        .collect()
}

/// The same of one instrument, once the holder has money.
pub(crate) fn holding(symbol: &str) -> String {
    format!("open-position {HOLDER} {symbol} {HOLDER_LOTS} 100.00")
}

/// A reference price near the middle, as the feed writes it; it moves with each step.
pub(crate) fn reference(instrument: u32, step: u64) -> String {
    let ticks = 10_000 + (step + u64::from(instrument)) % 5;
    format!("{}.{:02}", ticks / 100, ticks % 100)
}

pub(crate) fn rests() -> Alpha<14> {
    Alpha::new(TEXT_RESTS).expect("five characters")
}

pub(crate) fn waits() -> Alpha<14> {
    Alpha::new(TEXT_WAITS).expect("five characters")
}

/// Whether the order that is drawn as the so manieth is one that fails a check.
#[inline]
pub(crate) const fn is_refused(drawn: u32) -> bool {
    // Apart from what makes an order near a limit.
    (drawn.wrapping_mul(0x85EB_CA6B) >> 12).is_multiple_of(REFUSED_ONE_IN)
}

/// The packet of a session's order, ready to be written; returns its length.
pub(crate) fn enter(number: u32, out: &mut [u8]) -> usize {
    let firm = Alpha::new(FIRM_CODE.as_bytes()).expect("four characters");
    packet_of(&order(number), firm, out)
}

/// A session's order.
pub(crate) fn order(number: u32) -> EnterOrder {
    let odd = number.wrapping_mul(0x9E37_79B9) >> 16;
    let instrument = number % INSTRUMENTS;
    let mut symbol = *b"SYM00   ";
    symbol[3] += (instrument / 10) as u8;
    symbol[4] += (instrument % 10) as u8;
    let buys = odd & 1 == 0;
    let (quantity, price) = terms(odd, buys);
    EnterOrder {
        user_ref_num: UserRefNum::new(number).expect("numbers begin with 1"),
        side: if buys {
            OrderSide::Buy
        } else {
            OrderSide::Sell
        },
        quantity,
        symbol: Alpha::new(&symbol).expect("eight characters"),
        price,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Agency,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::BLANK,
    }
}

/// Writes the packet of an order of this firm code; returns its length, which is that of all orders.
pub(crate) fn packet_of(order: &EnterOrder, firm: Alpha<4>, out: &mut [u8]) -> usize {
    let mut appendage = AppendageBuilder::new();
    // Beside the firm what a client says that wants nothing in particular.
    for element in [
        Element::Firm(firm),
        Element::MinQty(0),
        Element::CustomerType(CustomerType::NotRetail),
    ] {
        appendage.push(element).expect("the first of its kind");
    }
    let mut message = [0; 64];
    let len = order
        .encode(Some(appendage.finish()), &mut message)
        .expect("a valid order");
    let len = packet(&message[..len], out);
    assert_eq!(len, ORDER_BYTES, "the figures are of orders of one length");
    len
}

/// Writes the packet of a message; returns its length.
pub(crate) fn packet(message: &[u8], out: &mut [u8]) -> usize {
    encode::unsequenced(message, out).expect("room for a packet")
}

/// Lots and price of an order: one in ten is within a tenth of a limit, by turns of its lots and its notional, and of
/// the collar.
fn terms(odd: u32, buys: bool) -> (u32, u64) {
    let quantity = 1 + odd / 2 % (QTY_LARGEST - 1);
    let price = REFERENCE_WIRE + TICK_WIRE * u64::from(odd / 16 % 5);
    match odd / 2 % 20 {
        0 => (QTY_LARGEST, price),
        1 if buys => (quantity, REFERENCE_WIRE + TICK_WIRE * COLLAR_NEAR),
        1 => (quantity, REFERENCE_WIRE - TICK_WIRE * COLLAR_NEAR),
        _ => (quantity, price),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_orders_is_within_a_tenth_of_a_limit_and_none_beyond() {
        let (mut sized, mut through) = (0, 0);
        for number in 1..=100_000_u32 {
            let odd = number.wrapping_mul(0x9E37_79B9) >> 16;
            let buys = odd & 1 == 0;
            let (quantity, price) = terms(odd, buys);
            // References are 0 to 4 ticks above the middle.
            let ticks = price / TICK_WIRE;
            let beyond = if buys {
                ticks.saturating_sub(10_000)
            } else {
                10_004_u64.saturating_sub(ticks)
            };
            let collar = 10_000 * COLLAR_PPM / 1_000_000;
            let notional = u64::from(quantity) * ticks;
            let notional_max = u64::from(NOTIONAL_MAX) * 100;
            assert!(beyond <= collar && quantity <= QTY_MAX && notional <= notional_max);
            let of_size = quantity * 10 >= QTY_MAX * 9 && notional * 10 >= notional_max * 9;
            assert_eq!(of_size, notional * 10 >= notional_max * 9);
            sized += u32::from(of_size);
            through += u32::from(beyond * 10 >= collar * 9);
        }
        assert!((4_500..5_500).contains(&sized), "{sized}");
        assert!((4_500..5_500).contains(&through), "{through}");
    }

    #[test]
    fn one_in_fifty_is_refused_whatever_it_would_have_been() {
        let refused: Vec<u32> = (1..=100_000).filter(|drawn| is_refused(*drawn)).collect();
        assert!((1_900..2_100).contains(&refused.len()), "{}", refused.len());
        let longest = refused.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(longest < Some(500), "{longest:?}");
    }

    use portcullis_wire::ouch50::{Inbound, Tag};
    use portcullis_wire::soupbin::{Packet, Parsed, parse};

    /// The message of the first order with these options, and the packet's length.
    fn with_options(options: &[Element]) -> ([u8; 96], usize, usize) {
        let mut appendage = AppendageBuilder::new();
        for option in options {
            appendage.push(*option).expect("the first of its kind");
        }
        let (mut message, mut out) = ([0; 96], [0; 128]);
        let len = order(1).encode(Some(appendage.finish()), &mut message);
        let len = len.expect("a valid order");
        (message, len, packet(&message[..len], &mut out))
    }

    #[test]
    fn no_order_that_can_be_priced_has_64_bytes_and_ours_have_the_next_length() {
        let (_, _, shortest) = with_options(&[]);
        let priced = Tag::ALL
            .iter()
            .filter(|tag| EnterOrder::LAYOUT.tags.contains(**tag) && **tag != Tag::DiscretionPrice);
        // A bit for each length that some of them come to.
        let lengths = priced.fold(1_u128 << shortest, |lengths, tag| {
            lengths | lengths << (2 + tag.width())
        });
        let next = (64..).find(|length| lengths >> length & 1 == 1);
        assert_eq!(next, Some(ORDER_BYTES));
        let (message, len, packet) = with_options(&[
            Element::GroupId(1),
            Element::DiscretionPrice(REFERENCE_WIRE),
        ]);
        let Ok(Inbound::EnterOrder(order)) = Inbound::parse(&message[..len]) else {
            panic!("it is an order");
        };
        assert_eq!(
            (packet, order.unpriceable_tag()),
            (64, Some(Tag::DiscretionPrice))
        );
    }

    #[test]
    fn an_order_is_one_packet_of_the_protocol_for_an_instrument_of_the_market() {
        for number in 1..=100 {
            let mut out = [0; 72];
            let len = enter(number, &mut out);
            let Ok(Parsed::Packet {
                packet: Packet::Unsequenced(message),
                consumed,
            }) = parse(&out[..len])
            else {
                panic!("order {number} is no packet");
            };
            assert_eq!((consumed, len), (ORDER_BYTES, ORDER_BYTES));
            let Ok(Inbound::EnterOrder(order)) = Inbound::parse(message) else {
                panic!("order {number} is no order");
            };
            assert_eq!(order.user_ref_num().get(), number);
            assert_eq!(
                order.symbol().trimmed(),
                symbol(number % INSTRUMENTS).as_bytes()
            );
        }
    }
}

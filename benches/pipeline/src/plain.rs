//! Orders drawn in advance of which one in fifty is refused, for one of six reasons: what a journal is recorded of.
//!
//! Owned by the market. Invariant: a draw is the same orders each time.

use crate::crowd::Crowd;
use crate::limits::{COLLAR_PPM, PRICE_MAX, QTY_MAX};
use crate::market::{DRAWN, NEAR_ONE_IN, REFUSED_ONE_IN};
use portcullis_bench_market::{PRICE_START, Random};
use portcullis_domain::{
    AccountId, Command, Head, InstrumentId, NewOrder, Price, Qty, SessionId, Side, TimeInForce,
    UserRef,
};

/// An order drawn in advance: all but its number, its time and where the reference stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    pub(crate) head: Head,
    /// From the reference; `None` where the price is what it is.
    pub(crate) offset: Option<i64>,
}

/// The orders of a crowd.
pub(crate) fn draw(crowd: Crowd, random: &mut Random) -> Vec<Drawn> {
    (0..DRAWN).map(|_| draw_one(crowd, random)).collect()
}

fn draw_one(crowd: Crowd, random: &mut Random) -> Drawn {
    let which = random.below(crowd.active.into()) as u32;
    let account = crowd.active_account(which);
    let instrument = crowd.traded(which, random.below(crowd.traded_count().into()) as u32);
    let near = random.below(NEAR_ONE_IN) == 0;
    let order = NewOrder {
        session: SessionId::new(0),
        user_ref: UserRef::new(1),
        account: AccountId::new(account),
        instrument: InstrumentId::new(instrument),
        side: [Side::Buy, Side::Sell][random.below(2) as usize],
        qty: Qty::new(if near {
            QTY_MAX - random.below(10) as i64
        } else {
            1 + random.below(10) as i64
        }),
        price: Some(Price::new(PRICE_START)),
        time_in_force: TimeInForce::Day,
    };
    let mut drawn = Drawn {
        head: Command::NewOrder(order).encode(),
        offset: Some(random.below(11) as i64 - 5),
    };
    if random.below(REFUSED_ONE_IN) == 0 {
        spoil(&mut drawn, random);
    }
    drawn
}

/// Makes an order one that is refused, for one of six reasons.
fn spoil(drawn: &mut Drawn, random: &mut Random) {
    match random.below(6) {
        0 => drawn.head.qty = QTY_MAX + 1,
        1 => drawn.head.qty = 0,
        2 => drawn.head.account = AccountId::NONE.raw(),
        3 => {
            drawn.offset = None;
            drawn.head.instrument = InstrumentId::NONE.raw();
        }
        4 => {
            drawn.offset = None;
            drawn.head.price = PRICE_MAX + 1;
        }
        _ => {
            drawn.head.flags = 0;
            drawn.offset = Some(2 * PRICE_START * COLLAR_PPM / 1_000_000);
        }
    }
}

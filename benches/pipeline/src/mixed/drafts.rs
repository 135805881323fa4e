//! Orders that pass, drawn in advance: all but their numbers, their time and what prices decide.
//!
//! Owned by the market. What an order may have is worked out from RULES and what was sent, not asked of the core.
//! Invariants: an order near a limit uses nine tenths of it at least, and the whole of it at most; accounts of a
//! kind take turns, so that the next order of one comes as late as it can.

use super::KINDS;
use crate::crowd::Crowd;
use crate::limits::COLLAR_PPM;
use crate::market::endowed_side;
use crate::places::NOBODY;
use crate::prices::Prices;
use portcullis_bench_market::near::{NOTIONAL_MAX, Near, QTY_LARGEST, Quotes, Worth};
use portcullis_bench_market::{PRICE_START, Random};
use portcullis_domain::{
    AccountId, Command, Head, InstrumentId, NewOrder, Price, Qty, SessionId, Side, TimeInForce,
    UserRef,
};

/// Of a thousand quanta of equity, those that an order near its margin may need: what is left is for prices that
/// move before the next look.
const MARGIN_PERMILLE: i64 = 980;
/// Of a thousand parts of the collar, how far an order near it goes.
const COLLAR_PERMILLE: i64 = 950;

/// An order that passes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft {
    head: Head,
    /// From the reference.
    offset: i64,
    /// Which of [`KINDS`] it is near.
    pub(crate) kind: Option<u8>,
    /// Whom it keeps busy.
    pub(crate) busy: u16,
    /// The account, among those that trade, and which of its instruments.
    which: u32,
    instrument: u8,
}

impl Draft {
    /// Its head, but for number and time, at the prices of now.
    #[inline]
    pub(crate) fn head(&self, prices: &Prices) -> Head {
        let mut head = self.head;
        let reference = prices.of(head.instrument);
        head.price = reference + self.offset;
        match self.near() {
            Some(Near::Notional | Near::OpenNotional) => head.qty = NOTIONAL_MAX / head.price,
            Some(Near::Collar) => {
                let through = reference * COLLAR_PPM / 1_000_000 * COLLAR_PERMILLE / 1_000;
                head.price = reference + through * self.offset.signum();
            }
            _ => {}
        }
        head
    }

    fn near(&self) -> Option<Near> {
        self.kind.map(|kind| KINDS[usize::from(kind)])
    }

    /// Its lots, if it is near its margin.
    pub(crate) fn refresh(&mut self, prices: &Prices) {
        if self.near() != Some(Near::Margin) {
            return;
        }
        let worth = Worth::of(prices, self.which);
        let side = self.side();
        let instrument = u32::from(self.instrument);
        let price = prices.price(self.which, instrument) + self.offset;
        let covered = worth.equity * MARGIN_PERMILLE / 1_000;
        let largest = worth.largest(prices, instrument, side, price, covered);
        let (qty, used) =
            largest.expect("equity covers some lots, and not as many as it may order");
        assert!(
            used * 10 >= worth.equity * 9,
            "{used} of {} is not near",
            worth.equity
        );
        self.head.qty = qty;
    }

    fn side(&self) -> Side {
        if self.head.flags & 1 == 0 {
            Side::Buy
        } else {
            Side::Sell
        }
    }
}

/// Who draws them.
#[derive(Debug)]
pub(crate) struct Drafts {
    crowd: Crowd,
    /// By kind that has accounts: whose turn it is.
    turns: [u32; Crowd::NEAR.len()],
}

impl Drafts {
    pub(crate) fn new(crowd: Crowd) -> Self {
        Self {
            crowd,
            turns: [0; Crowd::NEAR.len()],
        }
    }

    /// Accounts that are kept busy by their orders.
    pub(crate) fn accounts(&self) -> u32 {
        let counts = Crowd::NEAR.map(|kind| self.count(kind));
        counts.iter().sum()
    }

    fn count(&self, kind: Near) -> u32 {
        kind.count(self.crowd.active / 2)
    }

    /// An order near a limit of this kind, or far from all.
    pub(crate) fn draw(&mut self, kind: Option<Near>, random: &mut Random) -> Draft {
        let own = kind.filter(|kind| kind.has_accounts());
        let (which, busy) = match own {
            Some(kind) => self.next_account(kind),
            None => (self.far_account(random), NOBODY),
        };
        let instrument = random.below(self.crowd.traded_count().into()) as u32;
        let drawn = [Side::Buy, Side::Sell][random.below(2) as usize];
        let beside = random.below(11) as i64 - 5;
        let (side, qty, offset) = match kind {
            None => (
                drawn,
                1 + random.below(QTY_LARGEST as u64 - 1) as i64,
                beside,
            ),
            Some(Near::Position) => {
                let qty = QTY_LARGEST - random.below(2) as i64;
                (endowed_side(which, instrument), qty, beside)
            }
            Some(Near::Quantity) => (drawn, QTY_LARGEST, beside),
            Some(Near::Collar) => {
                let away = if drawn == Side::Buy { 1 } else { -1 };
                (drawn, 1 + random.below(QTY_LARGEST as u64 - 1) as i64, away)
            }
            // Of these, prices decide the lots.
            Some(Near::Notional | Near::OpenNotional | Near::Margin | Near::Rate) => {
                (drawn, 1, beside)
            }
        };
        let order = NewOrder {
            session: SessionId::new(0),
            user_ref: UserRef::new(1),
            account: AccountId::new(self.crowd.active_account(which)),
            instrument: InstrumentId::new(self.crowd.traded(which, instrument)),
            side,
            qty: Qty::new(qty),
            price: Some(Price::new(PRICE_START)),
            time_in_force: TimeInForce::Day,
        };
        let place = |kind| KINDS.iter().position(|other| *other == kind);
        Draft {
            head: Command::NewOrder(order).encode(),
            offset,
            kind: kind.and_then(place).map(|place| place as u8),
            busy,
            which,
            instrument: instrument as u8,
        }
    }

    /// The next of a kind's accounts, and its place among all that can be busy.
    fn next_account(&mut self, kind: Near) -> (u32, u16) {
        let count = self.count(kind);
        let before = Crowd::NEAR
            .iter()
            .take_while(|other| **other != kind)
            .map(|other| self.count(*other))
            .sum::<u32>();
        let turn = &mut self.turns[kind as usize];
        let which = *turn;
        *turn = (which + 1) % count;
        (kind.account(which), (before + which) as u16)
    }

    fn far_account(&self, random: &mut Random) -> u32 {
        loop {
            let which = random.below(self.crowd.active.into()) as u32;
            if self.crowd.near(which).is_none() {
                return which;
            }
        }
    }
}

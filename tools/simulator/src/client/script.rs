//! What a client wants: orders, replaces and cancels of its own, now and then something odd.
//!
//! Owned by its client. Invariant: numbers rise and are the client's own; a replace names a version that the
//! engine has confirmed.

use super::story::Story;
use crate::market::{firm_code, symbol};
use crate::random::Prng;
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AccountQuery, Appendage, AppendageBuilder, CancelOrder, Capacity, CrossType, DisableOrderEntry,
    Display, Element, EnableOrderEntry, EncodeError, EnterOrder, MassCancel, OUCH50, OrderSide,
    ReplaceOrder, TimeInForce, UserRefNum, YesNo,
};

/// Numbers of one client lie apart from those of the next by this much.
pub(crate) const NUMBERS: u32 = 1_000_000;

/// What a client would like to do next.
pub(super) struct Script {
    prng: Prng,
    next: u32,
    accounts: u32,
    /// The last order, to be said again.
    last: Option<(EnterOrder, u32)>,
}

/// A message, and whether an answer is due under a number of its own.
pub(super) struct Wish {
    pub(super) bytes: Vec<u8>,
    pub(super) numbered: Option<Numbered>,
}

/// A message that has a number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Numbered {
    /// A new order of so many lots.
    Order { number: u32, lots: u32 },
    /// A replace of a version by another, of so many lots in all.
    Replace {
        original: u32,
        number: u32,
        lots: u32,
    },
}

impl Script {
    pub(super) fn new(prng: Prng, client: u32, accounts: u32) -> Self {
        Self {
            prng,
            next: client * NUMBERS + 1,
            accounts,
            last: None,
        }
    }

    /// The next message. `prices` are the last reference prices.
    pub(super) fn next(&mut self, story: &Story, prices: &[i64]) -> Wish {
        match self.prng.between(1, 100) {
            1..=22 => self.replace(story, prices),
            23..=36 => self.cancel(story),
            37 => self.mass_cancel(),
            38 => self.entry(false),
            39..=41 => self.entry(true),
            42 => plain(|out| AccountQuery {}.encode(None, out)),
            _ => self.order(prices),
        }
    }

    fn number(&mut self) -> u32 {
        let number = self.next;
        self.next += if self.prng.one_in(10) { 3 } else { 1 };
        number
    }

    fn order(&mut self, prices: &[i64]) -> Wish {
        let number = self.number();
        let user_ref_num = UserRefNum::new(number).expect("above 0");
        let (order, account) = match self.last {
            Some((last, account)) if self.prng.one_in(8) => {
                let again = EnterOrder {
                    user_ref_num,
                    ..last
                };
                (again, account)
            }
            Some(_) | None => self.fresh(user_ref_num, prices),
        };
        self.last = Some((order, account));
        let mut options = AppendageBuilder::new();
        if account < self.accounts {
            let firm = Element::Firm(firm_code(account));
            options.push(firm).expect("once");
        }
        Wish {
            bytes: encoded(|out| order.encode(Some(options.finish()), out)),
            numbered: Some(Numbered::Order {
                number,
                lots: order.quantity,
            }),
        }
    }

    fn fresh(&mut self, user_ref_num: UserRefNum, prices: &[i64]) -> (EnterOrder, u32) {
        let instrument = self.prng.below(prices.len());
        let unknown = self.prng.one_in(60);
        let side = if self.prng.one_in(2) {
            OrderSide::Buy
        } else {
            OrderSide::Sell
        };
        let quantity = self.lots();
        let order = EnterOrder {
            user_ref_num,
            side,
            quantity,
            symbol: if unknown {
                Alpha::new(b"NONE").expect("short")
            } else {
                symbol(instrument)
            },
            price: self.price(prices[instrument]),
            time_in_force: if self.prng.one_in(6) {
                TimeInForce::Ioc
            } else {
                TimeInForce::Day
            },
            display: if self.prng.one_in(80) {
                Display::Hidden
            } else {
                Display::Visible
            },
            capacity: Capacity::Agency,
            iso_eligible: YesNo::No,
            cross_type: CrossType::None,
            cl_ord_id: Alpha::new(b"sim").expect("short"),
        };
        // One beyond the last is the session's own account, by default.
        (order, self.prng.between(0, self.accounts.into()) as u32)
    }

    fn lots(&mut self) -> u32 {
        let most = self.prng.pick(&[2, 5, 10, 10, 20, 40, 300]);
        self.prng.between(1, most) as u32
    }

    /// Mostly near the last price, now and then far away, none, or no price at all.
    fn price(&mut self, around: i64) -> u64 {
        match self.prng.between(1, 40) {
            1 => OUCH50.price_market_wire[0],
            2 => OUCH50.price_market_wire[1],
            3 => 0,
            4 => self.prng.between(1, 4 * around) as u64,
            _ => {
                let reach = (around / 50).max(2);
                (around + self.prng.between(-reach, reach)).max(1) as u64
            }
        }
    }

    fn replace(&mut self, story: &Story, prices: &[i64]) -> Wish {
        let Some((original, lots_open)) = story.some_open(&mut self.prng) else {
            return self.order(prices);
        };
        let number = self.number();
        let lots = match self.prng.between(1, 3) {
            1 => lots_open,
            2 => self.prng.between(1, lots_open.max(1).into()) as u32,
            _ => lots_open + self.lots(),
        };
        let instrument = self.prng.below(prices.len());
        let replace = ReplaceOrder {
            orig_user_ref_num: UserRefNum::new(original).expect("above 0"),
            user_ref_num: UserRefNum::new(number).expect("above 0"),
            quantity: lots,
            price: self.price(prices[instrument]),
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            iso_eligible: YesNo::No,
            cl_ord_id: Alpha::new(b"again").expect("short"),
        };
        Wish {
            bytes: encoded(|out| replace.encode(Some(Appendage::EMPTY), out)),
            numbered: Some(Numbered::Replace {
                original,
                number,
                lots,
            }),
        }
    }

    fn cancel(&mut self, story: &Story) -> Wish {
        let any = self
            .prng
            .one_in(8)
            .then(|| story.some_version(&mut self.prng));
        let named = match any.flatten() {
            Some(number) => Some(number),
            None => story.some_open(&mut self.prng).map(|(number, _)| number),
        };
        let number = named.unwrap_or(self.next);
        let cancel = CancelOrder {
            user_ref_num: UserRefNum::new(number).expect("above 0"),
            quantity: 0,
        };
        plain(|out| cancel.encode(None, out))
    }

    fn mass_cancel(&mut self) -> Wish {
        let cancel = MassCancel {
            user_ref_num: UserRefNum::new(self.next).expect("above 0"),
            firm: Alpha::BLANK,
            symbol: if self.prng.one_in(2) {
                Alpha::BLANK
            } else {
                symbol(0)
            },
        };
        plain(|out| cancel.encode(Some(Appendage::EMPTY), out))
    }

    fn entry(&mut self, enabled: bool) -> Wish {
        let user_ref_num = UserRefNum::new(self.next).expect("above 0");
        let firm = Alpha::BLANK;
        if enabled {
            let enable = EnableOrderEntry { user_ref_num, firm };
            return plain(|out| enable.encode(Some(Appendage::EMPTY), out));
        }
        let disable = DisableOrderEntry { user_ref_num, firm };
        plain(|out| disable.encode(Some(Appendage::EMPTY), out))
    }
}

fn plain(write: impl FnOnce(&mut [u8]) -> Result<usize, EncodeError>) -> Wish {
    Wish {
        bytes: encoded(write),
        numbered: None,
    }
}

fn encoded(write: impl FnOnce(&mut [u8]) -> Result<usize, EncodeError>) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    let len = write(&mut bytes).expect("a script's messages can be said");
    bytes.truncate(len);
    bytes
}

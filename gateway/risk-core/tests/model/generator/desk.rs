//! Prices, settlements, withdrawals and states: what comes from a feed and from people on duty.
//!
//! Owned by a test.

use super::super::op::{Figures, Op};
use super::Generator;
use portcullis_domain::{AccountId, FirmId, InstrumentId, Scope, SessionId, TradingState};

impl Generator {
    pub(super) fn reference(&mut self) -> Op {
        let i = self.prng.below(self.prices.len());
        if self.prng.one_in(100) {
            let price = self
                .prng
                .pick(&[0, -1, self.config.instruments[i].price_max + 1]);
            return Op::Reference {
                instrument: i as u32,
                price,
            };
        }
        self.quote(i)
    }

    pub(super) fn quote(&mut self, i: usize) -> Op {
        let price = self.moved(i);
        self.prices[i] = price;
        self.quoted_ns[i] = Some(self.time_ns);
        Op::Reference {
            instrument: i as u32,
            price,
        }
    }

    pub(super) fn moved(&mut self, i: usize) -> i64 {
        let (price, max) = (self.prices[i], self.config.instruments[i].price_max);
        let by = match self.prng.between(1, 10) {
            1..=3 => 0,
            4..=8 => self.prng.between(-price / 100 - 1, price / 100 + 1),
            9 => self.prng.between(-price / 10, price / 10),
            _ => self.prng.between(-price / 2, price),
        };
        (price + by).clamp(1, max)
    }

    pub(super) fn settle(&mut self) -> Op {
        let i = self.prng.below(self.prices.len());
        Op::Settle {
            instrument: i as u32,
            price: self.moved(i),
        }
    }

    pub(super) fn withdraw(&mut self, figures: &impl Fn(u32) -> Option<Figures>) -> Op {
        let account = self.account();
        let free = figures(account)
            .and_then(|figures| figures.valued)
            .map_or(0, |v| v.free);
        let free = i64::try_from(free).unwrap_or(0);
        let part = self.prng.between(0, free.max(1));
        let amount = self.prng.pick(&[
            part / 4,
            part / 4,
            part / 4,
            part / 4,
            free,
            free + 1,
            0,
            -1,
            i64::MAX,
        ]);
        Op::Withdraw { account, amount }
    }

    pub(super) fn scope(&mut self) -> Scope {
        let config = &self.config;
        match self.prng.between(1, 10) {
            1 => Scope::Venue,
            2 => Scope::Firm(FirmId::new(self.prng.below(config.firms as usize) as u32)),
            3 => Scope::Session(SessionId::new(
                self.prng.below(config.sessions as usize) as u32
            )),
            4..=5 => {
                let i = self.prng.below(config.instruments.len());
                Scope::Instrument(InstrumentId::new(i as u32))
            }
            _ => Scope::Account(AccountId::new(self.prng.below(config.accounts.len()) as u32)),
        }
    }

    /// The gateway fails: its journal does not take records, or it was started anew.
    pub(super) fn failing(&mut self) -> Op {
        if self.prng.one_in(2) {
            self.journal_up = false;
            return Op::Journal { up: false };
        }
        self.restart = self.prng.pick(&TradingState::ALL);
        Op::Restart {
            state: self.restart,
        }
    }

    /// It comes back, step by step.
    pub(super) fn come_back(&mut self) -> Option<Op> {
        if !self.journal_up && self.prng.one_in(4) {
            self.journal_up = true;
            return Some(Op::Journal { up: true });
        }
        if self.restart == TradingState::Active || !self.prng.one_in(4) {
            return None;
        }
        self.restart = match self.restart {
            TradingState::Halted => TradingState::CancelOnly,
            TradingState::CancelOnly => TradingState::ReduceOnly,
            TradingState::ReduceOnly | TradingState::Active => TradingState::Active,
        };
        Some(Op::Restart {
            state: self.restart,
        })
    }

    /// A state for some scope; the wider it reaches, the more often Active.
    pub(super) fn state(&mut self) -> Op {
        let scope = self.scope();
        let wide = !matches!(scope, Scope::Account(_) | Scope::Instrument(_));
        if wide && !self.prng.one_in(3) {
            return Op::State {
                scope,
                state: TradingState::Active,
            };
        }
        Op::State {
            scope,
            state: self.prng.pick(&TradingState::ALL),
        }
    }
}

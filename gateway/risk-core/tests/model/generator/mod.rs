//! Random commands: what clients, an engine, a price source and people on duty could send.
//!
//! Owned by a test. It keeps a rough book of its own, learnt from the answers, so that most
//! reports fit an order; the rest are late, alien or wrong by one. Invariant: the same seed and the
//! same answers give the same commands.

mod desk;
mod learn;

use super::op::{Config, Figures, Op, OrderOp, ReplaceOp};
use super::prng::Prng;
use portcullis_domain::{Scope, Side, TradingState};

/// An order as the generator remembers it.
struct Known {
    id: u32,
    account: u32,
    instrument: u32,
    side: Side,
    /// Number, lots and limit of the confirmed version, then of the unanswered ones.
    versions: Vec<(u32, i64, i64)>,
    /// Numbers of versions that are gone.
    gone: Vec<u32>,
}

/// Makes the commands of one episode.
pub(crate) struct Generator {
    prng: Prng,
    config: Config,
    prices: Vec<i64>,
    /// When each instrument was last given a reference.
    quoted_ns: Vec<Option<u64>>,
    /// Scopes whose state is not Active.
    strict: Vec<Scope>,
    restart: TradingState,
    journal_up: bool,
    time_ns: u64,
    next_id: u32,
    open: Vec<Known>,
    closed: Vec<Known>,
    /// The last order sent, to be repeated.
    last: Option<OrderOp>,
}

impl Generator {
    /// A generator for a configuration whose instruments start at these prices.
    pub(crate) fn new(mut prng: Prng, config: &Config, prices: &[i64]) -> Self {
        // Time zero is an edge: windows and schedules reach back before it.
        let time_ns = prng.pick(&[0, 1, 5_000_000_000, 1_700_000_000_000_000_000]);
        Self {
            prng,
            config: config.clone(),
            prices: prices.to_vec(),
            quoted_ns: vec![None; prices.len()],
            strict: Vec::new(),
            restart: TradingState::Active,
            journal_up: true,
            time_ns,
            next_id: 1,
            open: Vec::new(),
            closed: Vec::new(),
            last: None,
        }
    }

    /// The next command and its time. `figures` shows an account as it stands.
    pub(crate) fn next(&mut self, figures: impl Fn(u32) -> Option<Figures>) -> (u64, Op) {
        self.advance();
        let upkeep = self.upkeep();
        let op = upkeep.unwrap_or_else(|| self.random(&figures));
        (self.time_ns, op)
    }

    /// What keeps the venue alive: states are lifted, the journal comes back, prices are renewed.
    fn upkeep(&mut self) -> Option<Op> {
        if !self.strict.is_empty() && self.prng.one_in(5) {
            let place = self.prng.below(self.strict.len());
            return Some(Op::State {
                scope: self.strict[place],
                state: TradingState::Active,
            });
        }
        if let Some(op) = self.come_back() {
            return Some(op);
        }
        let stale = (0..self.prices.len()).find(|i| {
            let age = self.config.instruments[*i].ref_max_age_ns as u64;
            self.quoted_ns[*i].is_some_and(|at| self.time_ns - at > age)
        });
        stale.filter(|_| self.prng.one_in(3)).map(|i| self.quote(i))
    }

    fn random(&mut self, figures: &impl Fn(u32) -> Option<Figures>) -> Op {
        let nothing_open = self.open.is_empty() && !self.prng.one_in(10);
        let kind = self.prng.between(1, 100);
        match kind {
            1..=36 => self.order(figures),
            _ if nothing_open && kind <= 84 => self.order(figures),
            37..=52 => self.replace(),
            53..=57 => Op::Cancel {
                id: self.any_version(),
            },
            58..=74 => self.fill(),
            75..=80 => self.answer_replace(),
            81..=83 => Op::Canceled {
                id: self.order_id(),
            },
            84 => Op::Rejected {
                id: self.order_id(),
            },
            85..=91 => self.reference(),
            92..=93 => Op::Deposit {
                account: self.account(),
                amount: self.amount(),
            },
            94..=95 => self.withdraw(figures),
            96 if self.prng.one_in(2) => self.state(),
            97..=98 => self.settle(),
            99 if self.prng.one_in(4) => Op::DayStart,
            100 if self.prng.one_in(4) => self.failing(),
            _ => self.order(figures),
        }
    }

    fn advance(&mut self) {
        let i = self.prng.below(self.config.instruments.len());
        let limits = &self.config.instruments[i];
        let (bucket, age) = (limits.bucket_ns, limits.ref_max_age_ns.min(1 << 40));
        let cooldown = limits.cooldown_ns;
        let step = match self.prng.between(1, 200) {
            1..=50 => 0,
            51..=80 => self.prng.between(1, 1_000),
            81..=130 => self.prng.between(1, 5_000_000),
            131..=160 => self.prng.between(0, 2 * bucket),
            161..=164 => self.prng.between(0, 70 * bucket),
            165..=167 => 64 * bucket,
            168..=180 => cooldown,
            181..=186 => self.prng.between(0, 200_000_000),
            187..=188 => self.prng.between(0, age),
            189 => age + self.prng.between(0, 1),
            190..=199 => self.prng.between(0, 3_000_000_000),
            _ => self
                .prng
                .pick(&[60_000_000_000, 86_400_000_000_000, 10_000_000_000_000_000]),
        };
        self.time_ns += step as u64;
    }

    fn account(&mut self) -> u32 {
        let known = self.config.accounts.len();
        if self.prng.one_in(150) {
            return self.prng.pick(&[known as u32, u32::MAX]);
        }
        self.prng.below(known) as u32
    }

    fn instrument(&mut self) -> u32 {
        let known = self.config.instruments.len();
        if self.prng.one_in(150) {
            return self.prng.pick(&[known as u32, u32::MAX]);
        }
        self.prng.below(known) as u32
    }

    fn amount(&mut self) -> i64 {
        let i = self.prng.below(self.prices.len());
        let per_lot = self.prices[i] * self.config.instruments[i].tick_lot_value;
        let some = self.prng.between(1, 120 * per_lot);
        if self.prng.one_in(30) {
            return self.prng.pick(&[0, -5]);
        }
        self.prng.pick(&[some, some, some, some / 20 + 1, 1])
    }

    fn fresh_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    fn order(&mut self, figures: &impl Fn(u32) -> Option<Figures>) -> Op {
        let id = self.fresh_id();
        if let Some(last) = self.last
            && self.prng.one_in(6)
        {
            return Op::Order(OrderOp { id, ..last });
        }
        let (account, instrument) = (self.account(), self.instrument());
        let net = figures(account).and_then(|figures| {
            figures
                .positions
                .get(instrument as usize)
                .map(|p| (p.net, p.open_buy, p.open_sell))
        });
        let (net, buys, sells) = net.unwrap_or((0, 0, 0));
        let against = if net > 0 { Side::Sell } else { Side::Buy };
        let side = self.prng.pick(&[Side::Buy, Side::Sell, against]);
        let on_hold = if side == Side::Buy { buys } else { sells };
        let reducible = (net.abs() - on_hold) as i64;
        let order = OrderOp {
            account,
            instrument,
            id,
            side,
            qty: self.lots(account, reducible),
            price: self.limit(instrument, side),
        };
        self.last = Some(order);
        Op::Order(order)
    }

    fn lots(&mut self, account: u32, near: i64) -> i64 {
        let limits = self.config.accounts.get(account as usize);
        let max = limits.map_or(10, |limits| limits.qty_max);
        match self.prng.between(1, 200) {
            1 => self.prng.pick(&[0, -1, i64::MIN]),
            2 => self.prng.pick(&[i64::MAX, 1 << 40]),
            3..=8 => max,
            9..=12 => max + 1,
            13..=40 => (near + self.prng.between(-2, 1)).max(1),
            41..=120 => self.prng.between(1, max.min(5)),
            _ => self.prng.between(1, max),
        }
    }

    /// A limit around the reference and the edges of its collar; now and then none, or nonsense.
    fn limit(&mut self, instrument: u32, side: Side) -> Option<i64> {
        let Some(limits) = self.config.instruments.get(instrument as usize) else {
            return self.prng.pick(&[Some(100), Some(0), None]);
        };
        let price = self.prices[instrument as usize];
        let band = price * limits.collar_ppm / 1_000_000;
        let edge = if side == Side::Buy { band } else { -band };
        match self.prng.between(1, 100) {
            1..=8 => None,
            9 => Some(self.prng.pick(&[0, -1, i64::MIN, i64::MAX])),
            10 => Some(limits.price_max + self.prng.between(0, 1)),
            11..=20 => Some(price + edge + self.prng.between(-1, 1)),
            21..=24 => Some(price - edge + self.prng.between(-1, 1)),
            25..=50 => Some(price),
            51..=80 => Some(price + self.prng.between(-price / 50 - 1, price / 50 + 1)),
            _ => Some(price + self.prng.between(-price / 8 - 1, price / 8 + 1)),
        }
    }

    fn replace(&mut self) -> Op {
        let id = self.fresh_id();
        let original = self.any_version();
        let known = self.open.iter().find(|known| known.names(original));
        let Some(known) = known else {
            return Op::Replace(ReplaceOp {
                original,
                id,
                qty: 1,
                price: Some(100),
            });
        };
        let (account, instrument, side) = (known.account, known.instrument, known.side);
        let (_, lots, limit) = *known.versions.last().expect("an open order has one");
        let milder = if side == Side::Buy { -1 } else { 1 };
        let qty = match self.prng.between(1, 4) {
            1 => lots,
            2 => (lots - self.prng.between(0, 3)).max(1),
            3 => lots.saturating_add(self.prng.between(0, 4)),
            _ => self.lots(account, lots),
        };
        let price = match self.prng.between(1, 4) {
            1 => Some(limit),
            2 => Some(limit + milder * self.prng.between(0, 3)),
            _ => self.limit(instrument, side),
        };
        let id = self.same_session(id, self.config.session_of(original));
        Op::Replace(ReplaceOp {
            original,
            id,
            qty,
            price,
        })
    }

    /// A number not below `id` that goes through this session, and is not used again.
    fn same_session(&mut self, mut id: u32, session: u32) -> u32 {
        while self.config.session_of(id) != session {
            id += 1;
        }
        self.next_id = self.next_id.max(id);
        id
    }

    fn known(&mut self) -> Option<&Known> {
        let late = self.prng.one_in(15);
        let from = if late { &self.closed } else { &self.open };
        if from.is_empty() || self.prng.one_in(150) {
            return None;
        }
        // Recent ones mostly, so that chains of versions build up.
        let recent = from
            .len()
            .saturating_sub(self.prng.pick(&[1, 1, 4, 30, usize::MAX]));
        let place = self.prng.between(recent as i64, from.len() as i64 - 1) as usize;
        from.get(place)
    }

    /// The first number of an order, or one that never was.
    fn order_id(&mut self) -> u32 {
        let alien = 1_000_000_000 + self.prng.between(0, 9) as u32;
        self.known().map_or(alien, |known| known.id)
    }

    /// The number of any version of an order, or one that never was.
    fn any_version(&mut self) -> u32 {
        let alien = 1_000_000_000 + self.prng.between(0, 9) as u32;
        let pick = self.prng.bits() as usize;
        let Some(known) = self.known() else {
            return alien;
        };
        let ids = known
            .versions
            .iter()
            .map(|(id, ..)| *id)
            .chain(known.gone.iter().copied());
        let ids: Vec<u32> = ids.collect();
        ids[pick % ids.len()]
    }

    fn fill(&mut self) -> Op {
        let alien = 1_000_000_000 + self.prng.between(0, 9) as u32;
        let Some(known) = self.known() else {
            return Op::Fill {
                id: alien,
                qty: 1,
                price: 100,
            };
        };
        let (id, instrument, side) = (known.id, known.instrument, known.side);
        let (_, lots, limit) = known.versions.first().copied().unwrap_or((0, 1, 100));
        let price_max = self.config.instruments[instrument as usize].price_max;
        let qty = match self.prng.between(1, 60) {
            1 => lots + 1,
            2..=20 => lots,
            _ => self.prng.between(1, lots.max(1)),
        };
        let better = if side == Side::Buy { -1 } else { 1 };
        let price = match self.prng.between(1, 60) {
            1 => limit - better,
            2..=30 => limit,
            _ => limit + better * self.prng.between(0, limit / 10),
        };
        Op::Fill {
            id,
            qty: qty.max(1),
            price: price.clamp(1, price_max),
        }
    }

    fn answer_replace(&mut self) -> Op {
        let alien = 1_000_000_000 + self.prng.between(0, 9) as u32;
        let (pick, kind) = (self.prng.bits() as usize, self.prng.between(1, 100));
        let pending = |known: &Known| known.versions.len() > 1;
        let answerable: Vec<usize> = (0..self.open.len())
            .filter(|place| pending(&self.open[*place]))
            .collect();
        let known = if answerable.is_empty() || kind == 1 {
            self.known()
        } else {
            self.open.get(answerable[pick % answerable.len()])
        };
        let Some(known) = known else {
            return Op::Replaced {
                id: alien,
                new: alien,
            };
        };
        let unanswered: Vec<u32> = known.versions.iter().skip(1).map(|(id, ..)| *id).collect();
        let new = match kind {
            1..=6 => known
                .gone
                .get(pick % known.gone.len().max(1))
                .copied()
                .unwrap_or(known.id),
            7..=9 => alien,
            10..=60 => unanswered.first().copied().unwrap_or(known.id),
            _ if unanswered.is_empty() => known.id,
            _ => unanswered[pick % unanswered.len()],
        };
        let id = known.id;
        if self.prng.one_in(4) {
            Op::ReplaceRejected { id, new }
        } else {
            Op::Replaced { id, new }
        }
    }
}

impl Known {
    /// Whether the number is that of a version of this order.
    fn names(&self, id: u32) -> bool {
        self.versions.iter().any(|(version, ..)| *version == id) || self.gone.contains(&id)
    }
}

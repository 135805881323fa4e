//! A seeded stream of commands of every kind, good and bad, over several instruments.
//!
//! Runs on the test's thread. Equal seeds give equal streams. It does not know what rests; it names
//! recent numbers and so hits live, dead and never used ones. It must never read an answer.

use portcullis_domain::{
    HashSeed, InstrumentId, Money, Price, Qty, QtyMeaning, SessionId, Side, TimeInForce, UserRef,
};
use portcullis_ladder::{
    Cancel, Command, Fees, Instruction, InstrumentConfig, LadderConfig, MassCancel, NewOrder,
    Replace,
};

const INSTRUMENTS: u64 = 3;
const SESSIONS: u64 = 5;
const QTY_MAX: i64 = 1_000_000_000;
const PRICE_MAX: i64 = i64::MAX - 1;
/// How far back a number may be named, in numbers of its session.
const MEMORY: u64 = 300;

/// A configuration small enough that the stream fills slab, levels and trade ring now and then.
pub(crate) fn config() -> LadderConfig {
    let instrument = |index: i64| InstrumentConfig {
        qty_max: Qty::new(QTY_MAX),
        price_max: Price::new(PRICE_MAX),
        fees: Fees {
            maker_per_lot: Money::new(-index),
            taker_per_lot: Money::new(3 * index + 1),
        },
    };
    LadderConfig {
        instruments: (0..INSTRUMENTS as i64).map(instrument).collect(),
        sessions_max: SESSIONS as u32,
        orders_max: 700,
        levels_max: 220,
        inbox_max: 64,
        trades_max: 128,
        window_ticks: 64,
        hash_seed: HashSeed::FIXED,
    }
}

pub(crate) struct Flow {
    state: u64,
    numbers: [u32; SESSIONS as usize],
    middle: [i64; INSTRUMENTS as usize],
    commands: u64,
}

impl Flow {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed,
            numbers: [0; SESSIONS as usize],
            middle: [1_000, 40, 5_000_000_000_000],
            commands: 0,
        }
    }

    pub(crate) fn command(&mut self) -> Command {
        self.commands += 1;
        match self.below(10_000) {
            0..5_800 => Command::New(self.new_order()),
            5_800..7_700 => Command::Replace(self.replace()),
            7_700..9_700 => Command::Cancel(self.cancel()),
            9_700..9_720 => Command::MassCancel(self.mass_cancel()),
            9_720..9_722 => Command::DayEnd,
            _ => Command::Bust {
                match_number: self.below(self.commands / 2 + 2),
            },
        }
    }

    /// The next number of the stream (the SplitMix64 generator), below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn new_order(&mut self) -> NewOrder {
        let session = self.session();
        let instrument = self.instrument();
        let side = self.side();
        let time_in_force = self.time_in_force();
        let qty = self.qty();
        let immediate = time_in_force == TimeInForce::ImmediateOrCancel;
        let has_minimum = if immediate {
            self.one_in(3)
        } else {
            self.one_in(200)
        };
        let qty_min = if has_minimum {
            Qty::new(self.below(qty.lots().unsigned_abs() + 2) as i64 - i64::from(self.one_in(50)))
        } else {
            Qty::ZERO
        };
        NewOrder {
            session,
            user_ref: self.fresh(session),
            tag: self.below(u64::MAX),
            instrument,
            side,
            qty,
            price: self.price(instrument, side),
            time_in_force,
            qty_min,
            instruction: self.instruction(),
        }
    }

    fn replace(&mut self) -> Replace {
        let session = self.session();
        // The instrument of the original is not known here; any price will do.
        let (instrument, side) = (self.instrument(), self.side());
        Replace {
            session,
            original: self.used(session),
            user_ref: self.fresh(session),
            tag: self.below(u64::MAX),
            qty: self.qty(),
            qty_meaning: self.meaning(),
            price: self.price(instrument, side),
            time_in_force: self.time_in_force(),
            instruction: self.instruction(),
        }
    }

    fn cancel(&mut self) -> Cancel {
        let session = self.session();
        let qty = if self.one_in(2) {
            Qty::ZERO
        } else {
            self.qty()
        };
        Cancel {
            session,
            user_ref: self.used(session),
            qty,
            qty_meaning: self.meaning(),
        }
    }

    fn mass_cancel(&mut self) -> MassCancel {
        let all = MassCancel::ALL;
        MassCancel {
            session: if self.one_in(8) {
                all.session
            } else {
                Some(self.session())
            },
            instrument: if self.one_in(2) {
                all.instrument
            } else {
                Some(self.instrument())
            },
            side: if self.one_in(2) {
                all.side
            } else {
                Some(self.side())
            },
        }
    }

    fn session(&mut self) -> SessionId {
        match self.below(500) {
            0 => SessionId::new(SESSIONS as u32),
            1 => SessionId::NONE,
            pick => SessionId::new((pick % SESSIONS) as u32),
        }
    }

    fn instrument(&mut self) -> InstrumentId {
        match self.below(500) {
            0 => InstrumentId::new(INSTRUMENTS as u32),
            1 => InstrumentId::NONE,
            pick => InstrumentId::new((pick % INSTRUMENTS) as u32),
        }
    }

    fn side(&mut self) -> Side {
        if self.one_in(2) {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    fn time_in_force(&mut self) -> TimeInForce {
        match self.below(200) {
            0 => TimeInForce::GoodTillTime,
            1..40 => TimeInForce::ImmediateOrCancel,
            40..100 => TimeInForce::GoodTillCancel,
            _ => TimeInForce::Day,
        }
    }

    fn meaning(&mut self) -> QtyMeaning {
        if self.one_in(2) {
            QtyMeaning::Open
        } else {
            QtyMeaning::Total
        }
    }

    fn instruction(&mut self) -> Option<Instruction> {
        let pick = self.below(1_000) as usize;
        Instruction::ALL.get(pick).copied()
    }

    fn qty(&mut self) -> Qty {
        Qty::new(match self.below(400) {
            0 => 0,
            1 => -1,
            2 => QTY_MAX + 1,
            3 => i64::MAX,
            4 => i64::MIN,
            5..12 => QTY_MAX - self.below(5) as i64,
            12..60 => self.below(500) as i64 + 1,
            _ => self.below(12) as i64 + 1,
        })
    }

    /// Mostly within 30 ticks of a middle that wanders; sometimes market, tiny, huge or invalid.
    fn price(&mut self, instrument: InstrumentId, side: Side) -> Option<Price> {
        let index = instrument.index().min(INSTRUMENTS as usize - 1);
        if self.one_in(40) {
            self.middle[index] = (self.middle[index] + self.below(7) as i64 - 3).max(2);
        }
        // A buy a little below, a sell a little above: about one in three crosses.
        let lean = if side == Side::Buy { -7 } else { 7 };
        let near = self.middle[index] + self.below(31) as i64 - 15 + lean;
        Some(Price::new(match self.below(300) {
            0..8 => return None,
            8 => 0,
            9 => -1,
            10 => i64::MAX,
            11 => i64::MIN,
            12 => 1,
            13 => PRICE_MAX - self.below(3) as i64,
            14..20 => 1 << self.below(63),
            20..40 => self.middle[index] + self.below(400) as i64 - 200,
            _ => near,
        }))
    }

    fn fresh(&mut self, session: SessionId) -> UserRef {
        if self.one_in(100) {
            return self.used(session);
        }
        let Some(number) = self.numbers.get_mut(session.index()) else {
            return UserRef::new(1);
        };
        *number += 1;
        UserRef::new(*number)
    }

    fn used(&mut self, session: SessionId) -> UserRef {
        let latest = u64::from(self.numbers.get(session.index()).copied().unwrap_or(1));
        let back = self.below(MEMORY);
        UserRef {
            row: u8::from(self.one_in(300)),
            number: latest.saturating_sub(back) as u32,
        }
    }
}

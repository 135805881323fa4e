//! A ladder with short words for hand-written cases: one instrument named 0, one line a command.
//!
//! Runs on the test's thread. Each call submits one command, works it off and returns what was said,
//! short. Session 1 sells, session 0 buys; numbers are given by the case.

use portcullis_domain::{
    HashSeed, InstrumentId, Money, Price, Qty, QtyMeaning, SessionId, Side, TimeInForce, UserRef,
};
use portcullis_ladder::{
    Cancel, CancelReason, Command, Disposition, Fees, InstrumentConfig, Ladder, LadderConfig,
    Liquidity, NewOrder, RejectReason, Replace, Report, ReportKind,
};

pub(crate) const FIRST: InstrumentId = InstrumentId::new(0);

/// What was said, without the words a case does not care for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Number, lots, price, what becomes of it.
    In(u32, i64, i64, Disposition),
    /// Original, number, lots open, price, what becomes of it.
    Replaced(u32, u32, i64, i64, Disposition),
    /// Number of the taker, lots, price.
    Took(u32, i64, i64),
    /// Number of the maker, lots, price, lots left.
    Gave(u32, i64, i64, i64),
    /// Number, lots cancelled, lots left, why.
    Canceled(u32, i64, i64, CancelReason),
    /// Number, why.
    Rejected(u32, RejectReason),
    /// Original, number, why.
    ReplaceRejected(u32, u32, RejectReason),
    /// Number, match number.
    Broken(u32, u64),
}

pub(crate) struct Desk {
    pub(crate) ladder: Ladder,
}

pub(crate) fn config() -> LadderConfig {
    let instrument = InstrumentConfig {
        qty_max: Qty::new(1_000_000),
        price_max: Price::new(i64::MAX),
        fees: Fees {
            maker_per_lot: Money::new(-2),
            taker_per_lot: Money::new(5),
        },
    };
    LadderConfig {
        instruments: vec![instrument; 2],
        sessions_max: 4,
        orders_max: 16,
        levels_max: 8,
        inbox_max: 8,
        trades_max: 4,
        window_ticks: 64,
        hash_seed: HashSeed::FIXED,
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: LadderConfig) -> Self {
        Self {
            ladder: Ladder::new(config).expect("in range"),
        }
    }

    pub(crate) fn buy(&mut self, number: u32, qty: i64, price: i64) -> Vec<Said> {
        self.enter(&order(Side::Buy, number, qty, price))
    }

    pub(crate) fn sell(&mut self, number: u32, qty: i64, price: i64) -> Vec<Said> {
        self.enter(&order(Side::Sell, number, qty, price))
    }

    pub(crate) fn enter(&mut self, new: &NewOrder) -> Vec<Said> {
        self.run(Command::New(*new))
    }

    pub(crate) fn cancel(&mut self, side: Side, number: u32, keeps: i64) -> Vec<Said> {
        self.run(Command::Cancel(Cancel {
            session: session(side),
            user_ref: UserRef::new(number),
            qty: Qty::new(keeps),
            qty_meaning: QtyMeaning::Total,
        }))
    }

    /// Runs one command to its end.
    pub(crate) fn run(&mut self, command: Command) -> Vec<Said> {
        self.reports(command).iter().map(said).collect()
    }

    pub(crate) fn reports(&mut self, command: Command) -> Vec<Report> {
        let mut reports = Vec::new();
        self.ladder.submit(command).expect("room");
        self.ladder
            .poll(usize::MAX, &mut |report| reports.push(report));
        self.ladder.audit().expect("whole");
        assert!(self.ladder.is_idle());
        reports
    }
}

pub(crate) fn session(side: Side) -> SessionId {
    SessionId::new(side as u32)
}

pub(crate) fn order(side: Side, number: u32, qty: i64, price: i64) -> NewOrder {
    NewOrder {
        session: session(side),
        user_ref: UserRef::new(number),
        tag: u64::from(number) << 32,
        instrument: FIRST,
        side,
        qty: Qty::new(qty),
        price: Some(Price::new(price)),
        time_in_force: TimeInForce::Day,
        qty_min: Qty::ZERO,
        instruction: None,
    }
}

pub(crate) fn replace(side: Side, original: u32, number: u32, total: i64, price: i64) -> Replace {
    Replace {
        session: session(side),
        original: UserRef::new(original),
        user_ref: UserRef::new(number),
        tag: u64::from(number) << 32,
        qty: Qty::new(total),
        qty_meaning: QtyMeaning::Total,
        price: Some(Price::new(price)),
        time_in_force: TimeInForce::Day,
        instruction: None,
    }
}

fn said(report: &Report) -> Said {
    let number = report.user_ref.number;
    match report.kind {
        ReportKind::Accepted {
            qty,
            price,
            disposition,
            ..
        } => Said::In(number, qty.lots(), price.ticks(), disposition),
        ReportKind::Replaced {
            original,
            open,
            price,
            disposition,
            ..
        } => Said::Replaced(
            original.number,
            number,
            open.lots(),
            price.ticks(),
            disposition,
        ),
        ReportKind::Executed {
            qty,
            price,
            liquidity,
            leaves,
            ..
        } => match liquidity {
            Liquidity::Removed => Said::Took(number, qty.lots(), price.ticks()),
            Liquidity::Added => Said::Gave(number, qty.lots(), price.ticks(), leaves.lots()),
        },
        ReportKind::Canceled {
            qty,
            leaves,
            reason,
        } => Said::Canceled(number, qty.lots(), leaves.lots(), reason),
        ReportKind::Rejected { reason } => Said::Rejected(number, reason),
        ReportKind::ReplaceRejected { original, reason } => {
            Said::ReplaceRejected(original.number, number, reason)
        }
        ReportKind::BrokenTrade { match_number, .. } => Said::Broken(number, match_number),
    }
}

//! The canonical words of an effect, for the digest chain.
//!
//! Risk thread. Invariant: two effects that differ have different words; each begins with a number
//! of its own, given once.

use super::{AnswerKind, Done, Effect, Refusal};
use crate::approved::{OutboundAction, OutboundOrder};
use portcullis_domain::{
    Block, OrderId, Price, ReportKind, Seq, SessionId, Side, TimeInForce, UserRef,
};

/// Words of an approved order before the gateway's number of it.
const BEFORE_ORDER: u64 = 3;

/// The words of an order that will be sent if it passes, all but the gateway's number of it. They are put together
/// before the first line is read that may not have come: while that is on its way nothing else is to be done.
#[derive(Clone, Copy)]
pub(crate) struct Unnumbered(Block);

impl Unnumbered {
    /// What stands for the number.
    pub(crate) const ORDER: OrderId = OrderId::new(0, 0);

    /// Of an order that has [`Unnumbered::ORDER`] for its number.
    #[inline(always)]
    pub(crate) fn new(seq: Seq, epoch: u32, order: &OutboundOrder) -> Self {
        debug_assert_eq!(order.order, Self::ORDER, "no number yet");
        let mut block = Block::new();
        visit_approved(seq, epoch, order, &mut |word| block.push(word));
        Self(block.by_here())
    }

    /// All of them.
    #[inline(always)]
    pub(crate) const fn numbered(self, order: OrderId) -> Block {
        let Self(mut block) = self;
        block.put(BEFORE_ORDER, order.raw());
        block
    }
}

impl Effect {
    /// The effect's canonical words as one.
    #[inline(always)]
    pub(crate) fn block(&self) -> Block {
        let mut block = Block::new();
        self.visit_words(&mut |word| block.push(word));
        block
    }

    /// Gives the effect's canonical words to `push`, in order.
    #[inline(always)]
    pub fn visit_words(&self, push: &mut impl FnMut(u64)) {
        match self {
            Self::Approved(approved) => {
                visit_approved(approved.seq(), approved.epoch(), approved.get(), push);
            }
            Self::Refused(refusal) => visit_refusal(refusal, push),
            Self::Answered(answer) => {
                push(3);
                push(session_and_ref(answer.session, answer.user_ref));
                push(answer_word(answer.kind));
            }
            Self::Reported(report) => {
                push(4);
                push(session_and_ref(report.session, report.user_ref));
                push(report.order.raw());
                push(pair(report.account.raw(), report.instrument.raw()));
                push(report.side as u64 | u64::from(report.note) << 8);
                visit_report(report.kind, push);
                push(report.qty.lots() as u64);
                push(report.leaves.lots() as u64);
            }
            Self::SessionChanged(change) => {
                push(5);
                push(pair(change.session.raw(), change.connection));
                push(change.kind as u64 | u64::from(change.canceling) << 8);
                push(change.sequence);
            }
            Self::Controlled(outcome) => {
                push(6);
                push(outcome.request.into());
                let (kind, value, more) = match outcome.result {
                    Ok(Done::Applied) => (0, 0, None),
                    Ok(Done::Epoch(epoch)) => (1, u64::from(epoch), None),
                    Ok(Done::StateHash(hash)) => (2, hash, None),
                    Err(refusal) => (3, refusal as u64, None),
                    Ok(Done::Valued(valued)) => {
                        let found = pair(valued.accounts, valued.below_maintenance);
                        (4, found, Some(valued.not_fresh.into()))
                    }
                };
                push(kind);
                push(value);
                more.into_iter().for_each(push);
            }
            Self::StateChanged { scope, state } => {
                let (kind, index) = scope.to_raw();
                push(7);
                push(pair(kind.into(), index));
                push(*state as u64);
            }
            Self::Alarmed(alarm) => {
                push(8);
                push(alarm.kind as u64);
                push(session_and_ref(alarm.session, alarm.user_ref));
                push(pair(alarm.account.raw(), alarm.instrument.raw()));
                push(alarm.qty.lots() as u64);
                push(alarm.price.ticks() as u64);
            }
        }
    }
}

#[inline(always)]
fn visit_approved(seq: Seq, epoch: u32, order: &OutboundOrder, push: &mut impl FnMut(u64)) {
    push(1);
    push(seq.raw());
    push(epoch.into());
    push(order.order.raw());
    push(session_and_ref(order.session, order.user_ref));
    push(pair(order.account.raw(), order.instrument.raw()));
    push_side(order.side, push);
    visit_action(&order.action, push);
}

fn visit_refusal(refusal: &Refusal, push: &mut impl FnMut(u64)) {
    push(2);
    push(session_and_ref(refusal.session, refusal.user_ref));
    push(pair(refusal.account.raw(), refusal.instrument.raw()));
    push(refusal.side as u64 | u64::from(refusal.replace) << 1);
    push(refusal.qty.lots() as u64);
    push(refusal.price.map_or(i64::MIN, Price::ticks) as u64);
    push(refusal.failing.bits());
    push(pair(refusal.primary.raw().into(), refusal.epoch));
    let numbers = &refusal.explanation;
    for number in [
        numbers.limit,
        numbers.used,
        numbers.asked,
        numbers.qty_passing,
    ] {
        push(number as u64);
    }
}

const fn pair(high: u32, low: u32) -> u64 {
    (high as u64) << 32 | low as u64
}

/// Session (32 bits), row (8) and the number's own word would not fit one: row goes to the top of
/// the session, whose indices have 24 bits.
const fn session_and_ref(session: SessionId, user_ref: UserRef) -> u64 {
    pair(
        (user_ref.row as u32) << 24 | session.raw() & 0x00FF_FFFF,
        user_ref.number,
    )
}

const fn ref_word(user_ref: UserRef) -> u64 {
    pair(user_ref.row as u32, user_ref.number)
}

fn answer_word(kind: AnswerKind) -> u64 {
    match kind {
        AnswerKind::Resent => 0,
        AnswerKind::OrderUnknown => 1,
        AnswerKind::NextNumber(number) => 2 | u64::from(number) << 8,
        AnswerKind::EntryDisabled => 3,
        AnswerKind::EntryEnabled => 4,
        AnswerKind::MassCancelTaken => 5,
        AnswerKind::MassCancelRefused => 6,
    }
}

/// The word of a side. Each is pushed by itself, as are those of [`push_entered`]: what it comes to in a digest is
/// then known beforehand, and only looked up.
#[inline(always)]
fn push_side(side: Side, push: &mut impl FnMut(u64)) {
    match side {
        Side::Buy => push(Side::Buy as u64),
        Side::Sell => push(Side::Sell as u64),
    }
}

/// The word of an order that is entered.
#[inline(always)]
fn push_entered(time_in_force: TimeInForce, was_market: bool, push: &mut impl FnMut(u64)) {
    let word = |time_in_force| (time_in_force as u64) << 8 | u64::from(was_market) << 16;
    match time_in_force {
        TimeInForce::Day => push(word(TimeInForce::Day)),
        TimeInForce::ImmediateOrCancel => push(word(TimeInForce::ImmediateOrCancel)),
        TimeInForce::GoodTillCancel => push(word(TimeInForce::GoodTillCancel)),
        TimeInForce::GoodTillTime => push(word(TimeInForce::GoodTillTime)),
    }
}

#[inline(always)]
fn visit_action(action: &OutboundAction, push: &mut impl FnMut(u64)) {
    match *action {
        OutboundAction::Enter {
            qty,
            price,
            time_in_force,
            was_market,
        } => {
            push_entered(time_in_force, was_market, push);
            push(qty.lots() as u64);
            push(price.ticks() as u64);
        }
        OutboundAction::Replace {
            original,
            qty_total,
            price,
            time_in_force,
            was_market,
        } => {
            push(1 | (time_in_force as u64) << 8 | u64::from(was_market) << 16);
            push(ref_word(original));
            push(qty_total.lots() as u64);
            push(price.ticks() as u64);
        }
        OutboundAction::Cancel {
            qty_total,
            by_gateway,
        } => {
            push(2 | u64::from(by_gateway) << 8);
            push(qty_total.lots() as u64);
        }
    }
}

#[inline(always)]
fn visit_report(kind: ReportKind, push: &mut impl FnMut(u64)) {
    match kind {
        ReportKind::Accepted => push(0),
        ReportKind::Fill {
            qty,
            price,
            match_number,
            fee,
        } => {
            push(1);
            push(qty.lots() as u64);
            push(price.ticks() as u64);
            push(match_number);
            push(fee.quanta() as u64);
        }
        ReportKind::Canceled => push(2),
        ReportKind::Reduced { qty } => {
            push(3);
            push(qty.lots() as u64);
        }
        ReportKind::Rejected => push(4),
        ReportKind::Replaced { new } => {
            push(5);
            push(ref_word(new));
        }
        ReportKind::ReplaceRejected { new } => {
            push(6);
            push(ref_word(new));
        }
        ReportKind::CancelPending => push(7),
        ReportKind::CancelRejected => push(8),
        ReportKind::BrokenTrade { match_number } => {
            push(9);
            push(match_number);
        }
        ReportKind::Information => push(10),
    }
}

//! Short runs of commands that random ones reach too seldom, core beside model.
//!
//! Owned by a test. Each came from a divergence, or from a corner of RULES.

use super::brute_force::wide;
use super::episode::agree;
use super::op::{Config, Op, OrderOp, ReplaceOp};
use super::prng::Prng;
use portcullis_domain::Side;

const SECOND: u64 = 1_000_000_000;

/// One instrument at 1 quantum a tick and lot, margin a tenth; profit counts nothing.
fn config() -> Config {
    let mut config = wide(&mut Prng::new(0), 1);
    let instrument = &mut config.instruments[0];
    instrument.tick_lot_value = 1;
    instrument.tiers = vec![(0, 100_000)];
    (instrument.oi_lower, instrument.oi_upper) = (1_000_000, 1_000_000);
    config
}

fn order(id: u32, side: Side, qty: i64, price: i64) -> Op {
    Op::Order(OrderOp {
        account: 0,
        instrument: 0,
        id,
        side,
        qty,
        price: Some(price),
    })
}

fn timed(ops: &[Op]) -> Vec<(u64, Op)> {
    ops.iter()
        .enumerate()
        .map(|(index, op)| (SECOND * (index as u64 + 1), *op))
        .collect()
}

/// A settlement below cost turns an uncounted profit into a loss in cash: what was proved of the
/// account before is proved no longer.
#[test]
fn a_settlement_can_take_admissible_equity_away() {
    let commands = timed(&[
        Op::Deposit {
            account: 0,
            amount: 10_000,
        },
        Op::Reference {
            instrument: 0,
            price: 1_000,
        },
        order(2, Side::Buy, 10, 1_000),
        Op::Fill {
            id: 2,
            qty: 10,
            price: 1_000,
        },
        Op::Reference {
            instrument: 0,
            price: 1_100,
        },
        order(3, Side::Buy, 1, 1_100),
        Op::Settle {
            instrument: 0,
            price: 100,
        },
        order(4, Side::Buy, 1, 1_100),
    ]);
    assert_eq!(agree(&config(), &commands), Ok(()));
}

/// Resting orders go through the reference, back, and through it again.
#[test]
fn holds_follow_the_reference_through_resting_orders() {
    for step in [1, 50, 400] {
        let mut ops = vec![
            Op::Deposit {
                account: 0,
                amount: 4_000,
            },
            Op::Reference {
                instrument: 0,
                price: 1_000,
            },
            order(2, Side::Buy, 5, 990),
            order(3, Side::Sell, 5, 1_010),
            Op::Replace(ReplaceOp {
                original: 2,
                id: 4,
                qty: 6,
                price: Some(980),
            }),
        ];
        for turn in 0..12_i64 {
            let price = 1_000 + if turn % 2 == 0 { step } else { -step };
            ops.push(Op::Reference {
                instrument: 0,
                price,
            });
            ops.push(order(10 + turn as u32, Side::Buy, 1, 1_000));
        }
        assert_eq!(agree(&config(), &timed(&ops)), Ok(()));
    }
}

/// A fill takes less adverse money off an order than it loses where another version of the order
/// holds more: 10 lots at 1,100 confirmed, 100 at 1,020 asked for, 5 filled at 1,100.
#[test]
fn a_fill_beside_an_unanswered_version_can_cost_more_than_it_releases() {
    for (amount, last) in [(12_400, 1), (12_499, 1), (12_500, 1), (12_600, 2)] {
        let commands = timed(&[
            Op::Deposit { account: 0, amount },
            Op::Reference {
                instrument: 0,
                price: 1_000,
            },
            order(2, Side::Buy, 10, 1_100),
            Op::Replace(ReplaceOp {
                original: 2,
                id: 3,
                qty: 100,
                price: Some(1_020),
            }),
            Op::Fill {
                id: 2,
                qty: 5,
                price: 1_100,
            },
            order(4, Side::Buy, last, 1_000),
        ]);
        assert_eq!(agree(&config(), &commands), Ok(()), "{amount}");
    }
}

/// Products that leave even 128 bits fail the checks they belong to, and nothing else happens.
#[test]
fn a_product_out_of_range_fails_its_check() {
    let mut config = config();
    let instrument = &mut config.instruments[0];
    (instrument.tick_lot_value, instrument.price_max) = (u32::MAX.into(), 1 << 60);
    config.accounts[0].position_max = Some(0);
    for (reference, limit) in [
        (1 << 59, 1 << 59),
        (1, 1 << 60),
        (1 << 60, 1),
        (1 << 60, 1 << 60),
    ] {
        for side in [Side::Buy, Side::Sell] {
            let commands = timed(&[
                Op::Deposit {
                    account: 0,
                    amount: 1 << 58,
                },
                Op::Reference {
                    instrument: 0,
                    price: reference,
                },
                order(2, side, i64::MAX, limit),
                order(3, side, 1, limit),
            ]);
            assert_eq!(agree(&config, &commands), Ok(()));
        }
    }
}

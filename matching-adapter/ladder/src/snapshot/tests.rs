//! Made-up snapshots with right checksums: refused or whole, never a panic.

use portcullis_domain::{HashSeed, InstrumentId, Price, Qty, Side, TimeInForce, UserRef};

use super::*;
use crate::command::{MassCancel, NewOrder};
use crate::config::{Fees, InstrumentConfig};

fn config() -> LadderConfig {
    let instrument = InstrumentConfig {
        qty_max: Qty::new(1_000),
        price_max: Price::new(1_000),
        fees: Fees::default(),
    };
    LadderConfig {
        instruments: vec![instrument; 2],
        sessions_max: 3,
        orders_max: 8,
        levels_max: 4,
        inbox_max: 8,
        trades_max: 4,
        window_ticks: 64,
        hash_seed: HashSeed::FIXED,
    }
}

fn order(number: u32, side: Side, price: i64, qty: i64) -> Command {
    Command::New(NewOrder {
        session: SessionId::new(number % 3),
        user_ref: UserRef::new(number),
        tag: number.into(),
        instrument: InstrumentId::new(0),
        side,
        qty: Qty::new(qty),
        price: Some(Price::new(price)),
        time_in_force: TimeInForce::Day,
        qty_min: Qty::ZERO,
        instruction: None,
    })
}

/// A ladder stopped in the middle of a taker, or of a sweep, with commands waiting; its bytes.
fn busy(last: Command) -> Vec<u8> {
    save(&stopped(last))
}

fn save(ladder: &Ladder) -> Vec<u8> {
    let mut bytes = Vec::new();
    ladder.save(&mut bytes);
    bytes
}

fn stopped(last: Command) -> Ladder {
    let mut ladder = Ladder::new(config()).expect("in range");
    for number in 0..6 {
        let command = order(number, Side::Sell, 500 + i64::from(number % 3), 10);
        ladder.submit(command).expect("room");
    }
    ladder.poll(usize::MAX, &mut |_| ());
    for command in [last, order(8, Side::Buy, 400, 1), Command::DayEnd] {
        ladder.submit(command).expect("room");
    }
    ladder.poll(2, &mut |_| ());
    assert_ne!(ladder.task, Task::Idle);
    ladder
}

/// Writes right checksums over whatever the sections hold now.
fn seal(bytes: &mut [u8]) {
    let mut start = MAGIC.len() + 4;
    while let Some(length) = bytes.get(start + 4..start + 12) {
        let length = u64::from_le_bytes(length.try_into().expect("8 bytes"));
        let end = start + 12 + usize::try_from(length).expect("small");
        let sum = checksum(&bytes[start..end]);
        bytes[end..end + 8].copy_from_slice(&sum.to_le_bytes());
        start = end + 8;
    }
}

/// Offsets of section contents: the bytes that a forger with the right checksum may choose.
fn contents(bytes: &[u8]) -> Vec<usize> {
    let mut offsets = Vec::new();
    let mut start = MAGIC.len() + 4;
    while let Some(length) = bytes.get(start + 4..start + 12) {
        let length = u64::from_le_bytes(length.try_into().expect("8 bytes"));
        let end = start + 12 + usize::try_from(length).expect("small");
        offsets.extend(start + 12..end);
        start = end + 8;
    }
    offsets
}

#[test]
fn work_in_hand_goes_on_where_it_stopped() {
    let taker = order(7, Side::Buy, 502, 70);
    let mut commands = vec![taker, Command::MassCancel(MassCancel::ALL)];
    commands.push(Command::DayEnd);
    for command in commands {
        let mut saved = stopped(command);
        // Through each point at which one report more has left.
        loop {
            let mut restored = Ladder::restore(config(), &save(&saved)).expect("sound");
            assert_eq!(save(&restored), save(&saved));
            let mut rest = Vec::new();
            restored.poll(usize::MAX, &mut |report| rest.push(report));
            let mut next = None;
            if saved.poll(1, &mut |report| next = Some(report)) == 0 {
                assert!(rest.is_empty() && restored.is_idle());
                break;
            }
            assert_eq!(rest.first().copied(), next);
        }
    }
}

#[test]
fn a_forged_byte_is_refused_or_gives_a_ladder_that_works() {
    let mut refused = 0;
    let mut worked = 0;
    for bytes in [
        busy(order(7, Side::Buy, 502, 70)),
        busy(Command::MassCancel(MassCancel::ALL)),
    ] {
        for at in contents(&bytes) {
            for value in [
                0,
                1,
                2,
                3,
                9,
                0x7F,
                0x80,
                0xFF,
                bytes[at] ^ 1,
                bytes[at] ^ 0x40,
            ] {
                let mut forged = bytes.clone();
                forged[at] = value;
                seal(&mut forged);
                let Ok(mut ladder) = Ladder::restore(config(), &forged) else {
                    refused += 1;
                    continue;
                };
                ladder
                    .submit(order(90, Side::Buy, 1_000, 1_000))
                    .expect("room");
                ladder.poll(usize::MAX, &mut |_| ());
                assert!(ladder.is_idle());
                ladder.audit().expect("whole");
                worked += 1;
            }
        }
    }
    assert!(
        refused > 1_000 && worked > 1_000,
        "{refused} refused, {worked} worked"
    );
}

#[test]
fn a_forged_field_is_named_with_its_place() {
    let mut bytes = busy(order(7, Side::Buy, 502, 70));
    let orders = contents(&bytes)
        .into_iter()
        .find(|at| bytes[at - 12] == 2 && bytes[*at] == 5);
    // The count of orders, then the first order's session.
    let session = orders.expect("five orders rest") + 4;
    bytes[session] = 200;
    seal(&mut bytes);
    let error = Ladder::restore(config(), &bytes)
        .err()
        .expect("no such session");
    let RestoreError::Field {
        section, offset, ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(section, "orders");
    assert!(offset > session && error.to_string().contains("orders"));
}

/// A ladder whose sells rest at these prices.
fn resting(prices: &[i64]) -> Ladder {
    let mut ladder = Ladder::new(config()).expect("in range");
    for (number, price) in (1..).zip(prices) {
        let command = order(number, Side::Sell, *price, 10);
        ladder.submit(command).expect("room");
    }
    ladder.poll(usize::MAX, &mut |_| ());
    ladder
}

/// Which field a restore refuses of a ladder with these prices and this taker in hand.
fn fault(prices: &[i64], change: impl Fn(&mut Order)) -> Option<&'static str> {
    let mut ladder = resting(prices);
    let mut taker = *ladder.books.orders().get(0);
    taker.user_ref = UserRef::new(50);
    taker.order_ref = ladder.order_ref_next - 1;
    (taker.side, taker.price) = (Side::Buy, 501);
    change(&mut taker);
    ladder.task = Task::Take(taker);
    let error = Ladder::restore(config(), &save(&ladder)).err()?;
    let RestoreError::Field { field, .. } = error else {
        panic!("{error}");
    };
    Some(field)
}

#[test]
fn a_taker_that_could_not_be_in_hand_is_refused() {
    let two = [500, 501];
    let refused = Some("taker");
    assert_eq!(fault(&two, |_| ()), None);
    assert_eq!(fault(&two, |taker| taker.order_ref -= 1), refused);
    assert_eq!(fault(&two, |taker| taker.order_ref += 1), refused);
    assert_eq!(
        fault(&two, |taker| taker.user_ref = UserRef::new(1)),
        refused
    );
    assert_eq!(fault(&two, |taker| taker.leaves = 1_001), refused);
    assert_eq!(fault(&two, |taker| taker.executed = i64::MAX), refused);
    let timed = |taker: &mut Order| taker.time_in_force = TimeInForce::GoodTillTime;
    assert_eq!(fault(&two, timed), refused);
    assert_eq!(
        fault(&[500; 8], |_| ()),
        refused,
        "no order slot to rest in"
    );
    assert_eq!(
        fault(&[500, 501, 502, 503], |_| ()),
        refused,
        "no level to rest at"
    );
}

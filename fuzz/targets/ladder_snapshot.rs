//! Snapshots of the ladder: a state saved anywhere in its work goes on as the one it was saved from;
//! a forged one is refused, or is a whole ladder that saves to the same bytes.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use portcullis_domain::{
    Digest, HashSeed, InstrumentId, Money, Price, Qty, QtyMeaning, SessionId, Side, TimeInForce,
    UserRef,
};
use portcullis_ladder::{
    Cancel, Command, Fees, Instruction, InstrumentConfig, Ladder, LadderConfig, MassCancel,
    NewOrder, Replace, Report,
};

/// Magic and version.
const HEADER_BYTES: usize = 12;

fn config() -> LadderConfig {
    let instrument = InstrumentConfig {
        qty_max: Qty::new(1_000),
        price_max: Price::new(1_000),
        fees: Fees {
            maker_per_lot: Money::new(-1),
            taker_per_lot: Money::new(2),
        },
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

fuzz_target!(|bytes: &[u8]| {
    let _ = restore(bytes);
    let mut from = Unstructured::new(bytes);
    let _ = play(&mut from);
});

/// A ladder through a script, stopped in its work, saved, and forged.
fn play(from: &mut Unstructured<'_>) -> Result<()> {
    let mut ladder = Ladder::new(config()).expect("in range");
    for _ in 0..from.int_in_range(0..=24)? {
        let command = command(from)?;
        let _ = ladder.submit(command);
        ladder.poll(from.int_in_range(0..=3)?, &mut |_| ());
    }
    let saved = save(&ladder);
    let mut again = restore(&saved).expect("it was saved");
    assert_eq!(rest(&mut again), rest(&mut ladder));
    let mut forged = saved;
    for _ in 0..from.int_in_range(1..=3)? {
        let at = from.choose_index(forged.len())?;
        forged[at] = from.arbitrary()?;
    }
    // As it is, most likely with a wrong checksum; then with the right ones.
    let _ = restore(&forged);
    seal(&mut forged);
    if let Some(mut ladder) = restore(&forged) {
        let _ = ladder.submit(command(from)?);
        rest(&mut ladder);
        assert!(ladder.is_idle());
        ladder.audit().expect("whole");
    }
    Ok(())
}

fn restore(bytes: &[u8]) -> Option<Ladder> {
    match Ladder::restore(config(), bytes) {
        Ok(ladder) => {
            ladder.audit().expect("it was audited");
            assert_eq!(save(&ladder), bytes);
            Some(ladder)
        }
        Err(error) => {
            assert!(error.to_string().starts_with("ladder"), "{error}");
            None
        }
    }
}

fn save(ladder: &Ladder) -> Vec<u8> {
    let mut bytes = Vec::new();
    ladder.save(&mut bytes);
    bytes
}

/// All that it still has to say.
fn rest(ladder: &mut Ladder) -> Vec<Report> {
    let mut reports = Vec::new();
    ladder.poll(usize::MAX, &mut |report| reports.push(report));
    reports
}

/// Writes right checksums over whatever the sections hold now.
fn seal(bytes: &mut [u8]) {
    let mut start = HEADER_BYTES;
    while let Some(length) = bytes.get(start + 4..start + 12) {
        let length = u64::from_le_bytes(length.try_into().expect("8 bytes"));
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| (start + 12).checked_add(length));
        let Some(end) = end.filter(|end| *end + 8 <= bytes.len()) else {
            return;
        };
        let mut digest = Digest::new();
        digest.push((end - start) as u64);
        for chunk in bytes[start..end].chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            digest.push(u64::from_le_bytes(word));
        }
        bytes[end..end + 8].copy_from_slice(&digest.value().to_le_bytes());
        start = end + 8;
    }
}

fn command(from: &mut Unstructured<'_>) -> Result<Command> {
    Ok(match from.int_in_range(0..=9)? {
        0 => Command::Replace(Replace {
            session: session(from)?,
            original: user_ref(from)?,
            user_ref: user_ref(from)?,
            tag: from.arbitrary()?,
            qty: Qty::new(from.int_in_range(0..=60)?),
            qty_meaning: meaning(from)?,
            price: price(from)?,
            time_in_force: time_in_force(from)?,
            instruction: instruction(from)?,
        }),
        1 => Command::Cancel(Cancel {
            session: session(from)?,
            user_ref: user_ref(from)?,
            qty: Qty::new(from.int_in_range(0..=9)?),
            qty_meaning: meaning(from)?,
        }),
        2 => Command::MassCancel(MassCancel {
            session: from.choose(&[None, Some(SessionId::new(1))]).copied()?,
            instrument: from.choose(&[None, Some(InstrumentId::new(1))]).copied()?,
            side: from.choose(&[None, Some(Side::Sell)]).copied()?,
        }),
        3 => Command::DayEnd,
        4 => Command::Bust {
            match_number: from.int_in_range(0..=9)?,
        },
        _ => Command::New(NewOrder {
            session: session(from)?,
            user_ref: user_ref(from)?,
            tag: from.arbitrary()?,
            instrument: InstrumentId::new(from.int_in_range(0..=2)?),
            side: from.choose(&[Side::Buy, Side::Sell]).copied()?,
            qty: Qty::new(from.int_in_range(0..=60)?),
            price: price(from)?,
            time_in_force: time_in_force(from)?,
            qty_min: Qty::new(from.choose(&[0, 0, 0, 5]).copied()?),
            instruction: instruction(from)?,
        }),
    })
}

fn session(from: &mut Unstructured<'_>) -> Result<SessionId> {
    Ok(SessionId::new(from.int_in_range(0..=3)?))
}

fn user_ref(from: &mut Unstructured<'_>) -> Result<UserRef> {
    Ok(UserRef::new(from.int_in_range(0..=15)?))
}

fn price(from: &mut Unstructured<'_>) -> Result<Option<Price>> {
    let ticks: u8 = from.int_in_range(0..=9)?;
    Ok((ticks > 0).then(|| Price::new(495 + i64::from(ticks))))
}

fn meaning(from: &mut Unstructured<'_>) -> Result<QtyMeaning> {
    from.choose(&[QtyMeaning::Open, QtyMeaning::Total]).copied()
}

fn time_in_force(from: &mut Unstructured<'_>) -> Result<TimeInForce> {
    let all = [
        TimeInForce::Day,
        TimeInForce::GoodTillCancel,
        TimeInForce::ImmediateOrCancel,
        TimeInForce::GoodTillTime,
    ];
    from.choose(&all).copied()
}

fn instruction(from: &mut Unstructured<'_>) -> Result<Option<Instruction>> {
    let asked: u8 = from.int_in_range(0..=31)?;
    Ok(Instruction::ALL.get(usize::from(asked)).copied())
}

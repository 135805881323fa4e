//! Records: any head is a command or refused by name, what decodes encodes back without a field
//! changed, and every command survives its head and units.
#![no_main]

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use portcullis_domain::{Command, Head, RAW_BYTES_MAX, Record, RejectCode, UNIT_BYTES, Unit};
use portcullis_fuzz::commands;

const REFUSAL: RejectCode = RejectCode::new(63);

fuzz_target!(|bytes: &[u8]| {
    let (chunks, rest) = bytes.as_chunks::<UNIT_BYTES>();
    let units: Vec<Unit> = chunks.iter().map(|chunk| Unit(*chunk)).collect();
    if let Some(unit) = units.first() {
        head(Head::from_unit(*unit));
    }
    record(&units);
    made(bytes, rest);
});

/// Whatever stands in a head: what no command has is named, what one has is kept.
fn head(head: Head) {
    assert_eq!(head.early_refusal().map(RejectCode::raw), {
        RejectCode::from_raw(head.refusal).map(|_| head.refusal)
    });
    match Command::decode(&head) {
        Ok(command) => {
            let canonical = command.encode();
            assert_eq!(Command::decode(&canonical), Ok(command));
            assert_eq!(canonical.kind, head.kind);
            kept(head, canonical);
        }
        Err(error) => {
            let fields = ["kind", "reserved", "session", "detail", "flags", "word"];
            assert!(fields.contains(&error.field), "{error}");
            assert!(error.to_string().contains(&error.value.to_string()));
        }
    }
}

/// A field that a command of this kind uses is what it was; one that it does not use is blank.
fn kept(head: Head, canonical: Head) {
    let blank = Head::blank(head.kind);
    let row = |head: Head| {
        [
            head.detail.into(),
            head.flags.into(),
            head.row.into(),
            head.session.into(),
            head.account.into(),
            head.instrument.into(),
            head.number.into(),
            head.price as u64,
            head.qty as u64,
            head.word,
        ]
    };
    for ((was, is), unused) in row(head).into_iter().zip(row(canonical)).zip(row(blank)) {
        assert!(is == was || is == unused, "{head:?} became {canonical:?}");
    }
}

/// Units as they may come out of a ring or a log.
fn record(units: &[Unit]) {
    let Some(record) = Record::read_units(units) else {
        let beyond = units.first().is_none_or(|unit| {
            let head = Head::from_unit(*unit);
            usize::from(head.raw_len) > RAW_BYTES_MAX || head.units() > units.len()
        });
        assert!(beyond, "all of it is there");
        return;
    };
    let count = record.head.units();
    let mut written = vec![Unit([0xAA; UNIT_BYTES]); count];
    assert_eq!(record.write_units(&mut written), Some(count));
    assert_eq!(written[..], units[..count]);
    assert_eq!(record.write_units(&mut written[1..]), None);
    assert_eq!(record.raw().len(), usize::from(record.head.raw_len));
}

/// A command of the fuzzer's making, with a raw message behind it.
fn made(bytes: &[u8], raw: &[u8]) {
    let Ok(command) = commands::command(&mut Unstructured::new(bytes)) else {
        return;
    };
    let mut head = command.encode();
    assert_eq!(Command::decode(&head), Ok(command));
    assert_eq!(Head::from_unit(head.to_unit()), head);
    head.refuse_early(REFUSAL);
    assert_eq!(head.early_refusal(), Some(REFUSAL));
    assert_eq!(Command::decode(&head), Ok(command));
    let bare = Record::bare(head);
    assert_eq!((bare.raw(), bare.head.units()), (&[][..], 1));
    let mut record = Record::new(head, raw).expect("less than a unit");
    assert_eq!(record.raw(), raw);
    assert_eq!(record.raw_mut().len(), raw.len());
    let mut units = [Unit::ZERO; 2];
    let count = record.write_units(&mut units).expect("less than a unit");
    assert_eq!(Record::read_units(&units[..count]), Some(record));
    assert_eq!(Record::new(head, &[0; RAW_BYTES_MAX + 1]), None);
}

//! The mapping against files written by the format's own encoder, and against the recorded day.

use super::*;
use crate::config::{AccountConfig, FlowConfig, InstrumentConfig, SessionConfig, Source};
use dbn::encode::dbn::Encoder;
use dbn::encode::{DbnEncodable, EncodeRecord};
use dbn::{FlagSet, MetadataBuilder, SType, flags};
use std::collections::HashSet;
use std::time::Instant;

const START_NS: u64 = 1_703_541_600_000_000_000;

fn venue() -> Venue {
    let sessions = (0..3).map(|n| SessionConfig {
        user: format!("u{n}"),
        password: "secret".to_owned(),
        accounts: vec![
            AccountConfig::default_of_session(format!("a{n}")),
            AccountConfig::default_of_session(format!("b{n}")),
        ],
    });
    let address = "127.0.0.1:1".parse().expect("an address");
    let instruments = vec![InstrumentConfig::new("ESH4", 2_500, 19_200)];
    let config = FlowConfig::new(address, sessions.collect(), instruments, Source::Manual);
    Venue::new(&config).expect("well formed")
}

fn record(action: u8, side: u8, id: u64, quarter_points: i64, size: u32) -> MboMsg {
    let mut record = MboMsg {
        order_id: id,
        price: quarter_points * 250_000_000,
        size,
        flags: FlagSet::empty(),
        action: action as std::ffi::c_char,
        side: side as std::ffi::c_char,
        ts_recv: START_NS,
        ..MboMsg::default()
    };
    record.hd.instrument_id = 17_077;
    record
}

fn write<R: DbnEncodable>(name: &str, schema: Schema, records: &[R]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("flow-{}-{name}.dbn", std::process::id()));
    let metadata = MetadataBuilder::new()
        .dataset("GLBX.MDP3".to_owned())
        .schema(Some(schema))
        .start(START_NS)
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .build();
    let file = File::create(&path).expect("a temporary file");
    let mut encoder = Encoder::new(file, &metadata).expect("metadata");
    encoder.encode_records(records).expect("records");
    encoder.flush().expect("written");
    path
}

fn read(name: &str, records: &[MboMsg]) -> (Vec<Intent>, DbnCounts, usize) {
    let venue = venue();
    let path = write(name, Schema::Mbo, records);
    let mut feed = DbnFeed::open(&path, 5, &venue).expect("opens");
    let mut intents = Vec::new();
    while let Some(intent) = feed.next(&venue).expect("well formed") {
        intents.push(intent);
    }
    std::fs::remove_file(&path).expect("removed");
    (intents, feed.counts(), feed.book.len())
}

/// What an intent does, in a word.
fn words(intents: &[Intent]) -> Vec<String> {
    intents
        .iter()
        .map(|intent| match intent.act {
            Act::Enter(enter) => format!(
                "{} {:?} {} {} @{}",
                if enter.time_in_force == TimeInForce::Ioc {
                    "ioc"
                } else {
                    "enter"
                },
                enter.side,
                enter
                    .handle
                    .map_or_else(|| "-".to_owned(), |handle| handle.to_string()),
                enter.quantity,
                enter.price,
            ),
            Act::Replace {
                handle,
                open,
                price,
            } => format!("replace {handle} {open} @{price}"),
            Act::Cancel { handle, open } => format!("cancel {handle} {open}"),
            Act::ReplaceDead(_) | Act::CancelDead(_) | Act::Resend(_) => "unexpected".to_owned(),
        })
        .collect()
}

#[test]
fn adds_modifies_and_cancels_are_sent_and_bookkeeping_is_not() {
    let (intents, counts, left) = read(
        "plain",
        &[
            record(b'A', b'A', 1, 19_201, 3),
            record(b'A', b'B', 2, 19_199, 4),
            record(b'M', b'B', 2, 19_200, 4),
            // 2 of the 3 of order 1 trade, the rest later; both follow-ups keep books.
            record(b'T', b'B', 9, 19_201, 2),
            record(b'F', b'A', 1, 19_201, 2),
            record(b'M', b'A', 1, 19_201, 1),
            record(b'T', b'B', 10, 19_201, 1),
            record(b'F', b'A', 1, 19_201, 1),
            record(b'C', b'A', 1, 19_201, 1),
            record(b'C', b'B', 2, 19_200, 4),
        ],
    );
    assert_eq!(
        words(&intents),
        [
            "enter Sell 1 3 @48002500",
            "enter Buy 2 4 @47997500",
            "replace 2 4 @48000000",
            "ioc Buy - 2 @48002500",
            "ioc Buy - 1 @48002500",
            "cancel 2 0",
        ]
    );
    assert_eq!((counts.bookkeeping, counts.unmapped, left), (2, 0, 0));
    let meets: Vec<bool> = intents.iter().map(|intent| intent.meets).collect();
    assert_eq!(meets, [false, false, false, true, true, false]);
}

#[test]
fn what_a_fill_does_not_explain_is_sent() {
    let (intents, counts, _) = read(
        "changes",
        &[
            record(b'A', b'A', 1, 19_201, 5),
            // 2 trade; then the price moves too: a replace by what is left.
            record(b'T', b'B', 9, 19_201, 2),
            record(b'F', b'A', 1, 19_201, 2),
            record(b'M', b'A', 1, 19_202, 3),
            // 1 trades, and everything is cancelled: two more than the fill took.
            record(b'T', b'B', 10, 19_202, 1),
            record(b'F', b'A', 1, 19_202, 1),
            record(b'C', b'A', 1, 19_202, 3),
            // A part is cancelled without a fill.
            record(b'A', b'B', 2, 19_190, 6),
            record(b'C', b'B', 2, 19_190, 2),
            // A hidden refill trades more than was shown: books.
            record(b'T', b'A', 11, 19_190, 9),
            record(b'F', b'B', 2, 19_190, 9),
            record(b'C', b'B', 2, 19_190, 4),
        ],
    );
    let sent = words(&intents);
    assert_eq!(sent[2], "replace 1 3 @48005000");
    assert_eq!(sent[4], "cancel 1 0");
    assert_eq!(sent[6], "cancel 2 4");
    assert_eq!(sent.len(), 8);
    assert_eq!(counts.bookkeeping, 1);
}

#[test]
fn an_amended_order_that_trades_goes_in_as_an_immediate_order_and_its_amendment() {
    let (intents, _, _) = read(
        "amended",
        &[
            record(b'A', b'B', 1, 19_200, 1),
            record(b'A', b'A', 2, 19_210, 2),
            // 2 moves down to 19,200, trades 1 there and rests with the other.
            record(b'T', b'A', 2, 19_200, 1),
            record(b'F', b'A', 2, 19_200, 1),
            record(b'F', b'B', 1, 19_200, 1),
            record(b'C', b'B', 1, 19_200, 1),
            record(b'M', b'A', 2, 19_200, 1),
        ],
    );
    assert_eq!(
        words(&intents)[2..],
        ["ioc Sell - 1 @48000000", "replace 2 1 @48000000"]
    );
    let lane = |at: usize| match intents[at].act {
        Act::Enter(enter) => Some(enter.lane),
        Act::Replace { .. } | Act::Cancel { .. } => None,
        Act::ReplaceDead(_) | Act::CancelDead(_) | Act::Resend(_) => None,
    };
    assert_eq!(
        lane(1),
        lane(2),
        "the aggressor is dealt to its own account"
    );
}

#[test]
fn an_aggressor_that_rests_is_entered_with_what_is_left() {
    let (intents, _, left) = read(
        "rests",
        &[
            record(b'A', b'A', 1, 19_200, 1),
            record(b'T', b'B', 2, 19_200, 1),
            record(b'F', b'A', 1, 19_200, 1),
            record(b'A', b'B', 2, 19_200, 4),
            record(b'C', b'A', 1, 19_200, 1),
            record(b'R', b'N', 0, 0, 0),
        ],
    );
    assert_eq!(
        words(&intents)[1..],
        [
            "ioc Buy - 1 @48000000",
            "enter Buy 2 4 @48000000",
            "cancel 2 0"
        ]
    );
    assert_eq!(left, 0);
}

#[test]
fn what_says_nothing_is_counted_and_not_sent() {
    let mut other = record(b'A', b'B', 5, 19_200, 1);
    other.hd.instrument_id = 1;
    let mut no_price = record(b'A', b'B', 6, 0, 1);
    no_price.price = dbn::UNDEF_PRICE;
    let mut off_tick = record(b'A', b'B', 7, 19_200, 1);
    off_tick.price += 100_000;
    let (intents, counts, left) = read(
        "nothing",
        &[
            record(b'T', b'N', 0, 19_200, 44),
            record(b'A', b'N', 1, 19_200, 1),
            record(b'A', b'B', 2, -4, 1),
            record(b'A', b'B', 3, 19_200, 0),
            record(b'C', b'B', 99, 19_200, 1),
            record(b'M', b'B', 99, 19_200, 1),
            no_price,
            off_tick,
            other,
        ],
    );
    assert_eq!(words(&intents), [""; 0]);
    assert_eq!((counts.unmapped, counts.other, left), (8, 1, 0));
}

#[test]
fn time_runs_from_the_first_record_behind_the_snapshot_and_never_back() {
    let at = |id, flags: u8, ns: u64| MboMsg {
        flags: FlagSet::new(flags),
        ts_recv: ns,
        ..record(b'A', b'B', id, 19_200, 1)
    };
    let (intents, counts, _) = read(
        "time",
        &[
            at(1, flags::SNAPSHOT, 5),
            at(2, 0, START_NS),
            at(3, 0, START_NS + 700),
            at(4, 0, START_NS + 600),
        ],
    );
    let due: Vec<u64> = intents.iter().map(|intent| intent.due_ns).collect();
    assert_eq!(due, [0, 0, 700, 700]);
    assert_eq!((counts.snapshot, counts.records), (1, 4));
}

#[test]
fn a_file_that_is_something_else_is_refused_by_name() {
    let path = std::env::temp_dir().join(format!("flow-{}-text", std::process::id()));
    std::fs::write(&path, "not a recording").expect("written");
    let error = DbnFeed::open(&path, 1, &venue()).err().expect("refused");
    assert!(error.to_string().contains("DBN"), "{error}");
    std::fs::remove_file(&path).expect("removed");
    let path = write("trades", Schema::Trades, &[dbn::TradeMsg::default()]);
    let error = DbnFeed::open(&path, 1, &venue()).err().expect("refused");
    assert!(error.to_string().contains("market-by-order"), "{error}");
    std::fs::remove_file(&path).expect("removed");
}

fn recorded_day() -> PathBuf {
    let shared = std::env::var_os("PORTCULLIS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = shared.join("data/esh4-20231225.mbo.dbn.zst");
    assert!(
        path.exists(),
        "the recorded day is missing: put esh4-20231225.mbo.dbn.zst at {}, or point \
         PORTCULLIS_SHARED at the folder that holds data/",
        path.display()
    );
    path
}

#[test]
fn the_recorded_day_maps_whole() {
    let venue = venue();
    let start = Instant::now();
    let mut feed = DbnFeed::open(&recorded_day(), 1, &venue).expect("opens");
    let mut lanes = HashSet::new();
    let mut most_resting = 0;
    let (mut last_due, mut intents) = (0, 0_u64);
    while let Some(intent) = feed.next(&venue).expect("well formed") {
        assert!(intent.due_ns >= last_due);
        last_due = intent.due_ns;
        intents += 1;
        most_resting = most_resting.max(feed.book.len());
        if let Act::Enter(enter) = intent.act {
            lanes.insert(enter.lane);
        }
    }
    println!("{:?} in {:?}", feed.counts(), start.elapsed());
    let counts = feed.counts();
    let read = [
        counts.records,
        counts.snapshot,
        counts.adds,
        counts.cancels,
        counts.modifies,
        counts.fills,
        counts.trades,
    ];
    assert_eq!(read, [68_792, 8_725, 29_216, 17_999, 12_233, 6_371, 2_973]);
    // Every record is accounted for: sent, a fill, book-keeping, or the auction's print.
    let sent = counts.enters + counts.immediates + counts.replaces + counts.cancels_made;
    assert_eq!(intents, sent);
    assert_eq!(
        counts.records,
        sent + counts.fills + counts.bookkeeping + counts.unmapped
    );
    assert_eq!((counts.enters, counts.immediates), (29_216, 2_972));
    assert_eq!((counts.unmapped, counts.other), (1, 0));
    assert_eq!(lanes.len(), 6, "orders are dealt to every account");
    assert_eq!(feed.book.len(), 11_217, "what rests at the end of the day");
    assert!(most_resting < 16_000, "memory is bounded by the book");
}

#[test]
fn the_recorded_day_has_as_many_orders_as_its_description_says() {
    let mut decoder = DbnDecoder::from_zstd_file(recorded_day()).expect("opens");
    let mut orders = HashSet::new();
    while let Some(record) = decoder.decode_record::<MboMsg>().expect("well formed") {
        orders.insert(record.order_id);
    }
    // The auction's print has number 0, which the description counts.
    assert_eq!(orders.len(), 31_975);
}

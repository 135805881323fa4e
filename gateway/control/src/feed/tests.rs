//! Lines in whatever pieces, prices on and off the tick, and what is wrong with the rest.

use super::*;
use crate::config::tests::small;
use proptest::prelude::*;

type Seen = Vec<(u64, Result<FeedPrice, FeedError>)>;

fn fed(pieces: &[&[u8]]) -> (Seen, u64) {
    let book = FeedBook::new(&small());
    let mut parser = FeedParser::default();
    let mut seen = Vec::new();
    for piece in pieces {
        parser.push(piece, &book, |line, result| seen.push((line, result)));
    }
    (seen, parser.malformed())
}

fn price(ticks: i64, exchange_time: Option<u64>) -> FeedPrice {
    FeedPrice {
        instrument: InstrumentId::new(0),
        price: Price::new(ticks),
        exchange_time: exchange_time.map(Timestamp::from_ns),
    }
}

#[test]
fn prices_come_exactly_or_with_what_is_wrong() {
    let es = InstrumentId::new(0);
    let cases: [(&[u8], Result<FeedPrice, FeedError>); 17] = [
        (b"ES 4750.25\n", Ok(price(19_001, None))),
        (
            b"  ES\t4750.25 1703500000000000000 \r\n",
            Ok(price(19_001, Some(1_703_500_000_000_000_000))),
        ),
        (b"ES 0.25 0\n", Ok(price(1, Some(0)))),
        (b"ES 4750.30\n", Err(FeedError::OffTick(es))),
        (b"ES -1.00\n", Err(FeedError::PriceNegative(es))),
        (b"ES 0.00\n", Err(FeedError::PriceZero(es))),
        (b"ES 99999999999999999999\n", Err(FeedError::OffTick(es))),
        (
            b"ES 1e3\n",
            Err(FeedError::Price(DecimalError::Character('e'))),
        ),
        (b"es 1\n", Err(FeedError::SymbolUnknown)),
        (b"NQ 1\n", Err(FeedError::SymbolUnknown)),
        (b"ES\n", Err(FeedError::FieldCount(1))),
        (b"ES 1 2 3\n", Err(FeedError::FieldCount(4))),
        (b"ES 1 -2\n", Err(FeedError::Time)),
        (b"ES 1 +2\n", Err(FeedError::Time)),
        (b"ES 1 99999999999999999999\n", Err(FeedError::Time)),
        (b"ES \xff\n", Err(FeedError::NotText)),
        (
            b"ES 1.00000000000000000000000000000000\n",
            Err(FeedError::Price(DecimalError::TooLong)),
        ),
    ];
    for (line, expected) in cases {
        let (seen, malformed) = fed(&[line]);
        assert_eq!(seen, [(1, expected)], "{}", line.escape_ascii());
        assert_eq!(malformed, u64::from(expected.is_err()));
    }
}

#[test]
fn an_instrument_that_the_feed_does_not_price_is_refused() {
    let mut config = small();
    config.instruments[0].reference_from = ReferenceSource::Ctl;
    let book = FeedBook::new(&config);
    assert_eq!(
        book.parse("ES 1"),
        Err(FeedError::NotFromFeed(InstrumentId::new(0)))
    );
}

#[test]
fn lines_survive_being_cut_and_a_long_one_costs_itself_alone() {
    let long = [b'x'; LINE_MAX + 1];
    let (seen, malformed) = fed(&[
        b"ES 47",
        b"",
        b"50.25\n\n",
        &long,
        &long,
        b"y\nES 1",
        b"\n",
        b"ES 2",
    ]);
    assert_eq!(
        seen,
        [
            (1, Ok(price(19_001, None))),
            (3, Err(FeedError::TooLong)),
            (4, Ok(price(4, None)))
        ]
    );
    assert_eq!(malformed, 1);
}

#[test]
fn the_longest_line_is_taken_and_one_byte_more_is_not() {
    for (blanks, whole) in [(LINE_MAX - 4, true), (LINE_MAX - 3, false)] {
        let mut line = b"ES".to_vec();
        line.resize(2 + blanks, b' ');
        line.extend_from_slice(b"10\n");
        assert_eq!(fed(&[&line]).0[0].1.is_ok(), whole, "{blanks}");
    }
}

proptest! {
    #[test]
    fn how_the_bytes_are_cut_does_not_matter(
        bytes in proptest::collection::vec(prop_oneof![
            Just(b'\n'), Just(b' '), Just(b'E'), Just(b'S'), Just(b'1'), Just(b'.'), any::<u8>(),
        ], 0..400),
        cut in 1_usize..50,
    ) {
        let pieces: Vec<&[u8]> = bytes.chunks(cut).collect();
        prop_assert_eq!(fed(&pieces), fed(&[&bytes]));
    }
}

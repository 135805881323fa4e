//! Lines of people and of price feeds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_control::config::{Config, parse_str};
use portcullis_control::ctl::parse_request;
use portcullis_control::feed::{FeedBook, FeedParser};
use std::sync::OnceLock;

fn config() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    let text = include_str!("../seeds/config/small.toml");
    CONFIG.get_or_init(|| parse_str("small.toml", text).expect("the seed is whole"))
}

fuzz_target!(|bytes: &[u8]| {
    let config = config();
    for line in String::from_utf8_lossy(bytes).lines() {
        match parse_request(line, config) {
            Ok(request) => {
                let again = request.to_line(config).expect("it was asked for over ctl");
                assert_eq!(parse_request(&again, config), Ok(request), "{again}");
            }
            Err(error) => assert!(!error.to_string().contains(char::is_control)),
        }
    }
    let book = FeedBook::new(config);
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut parser, mut seen) = (FeedParser::default(), Vec::new());
        for piece in pieces {
            parser.push(piece, &book, |line, result| seen.push((line, result)));
        }
        let wrong = seen.iter().filter(|(_, result)| result.is_err()).count() as u64;
        assert_eq!(parser.malformed(), wrong);
        assert!(parser.lines() >= seen.len() as u64);
        for error in seen.iter().filter_map(|(_, result)| result.as_ref().err()) {
            assert!(!error.to_string().is_empty());
        }
        seen
    };
    let whole = read(&mut std::iter::once(bytes));
    let cut = read(&mut bytes.chunks(7));
    assert_eq!(whole, cut);
    for price in whole.into_iter().filter_map(|(_, result)| result.ok()) {
        assert!(price.price.ticks() > 0);
    }
});

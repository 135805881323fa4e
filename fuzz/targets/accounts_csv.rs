//! The accounts file, beside a small config that is whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_control::config::{Files, LoadOptions, parse};
use portcullis_fuzz::check_errors;
use std::io::{self, BufRead, Cursor};

const CONFIG: &str = concat!(
    "accounts_csv = \"accounts.csv\"\n",
    include_str!("../seeds/config/small.toml")
);

struct OneFile(Vec<u8>);

impl Files for OneFile {
    fn open(&self, _name: &str) -> io::Result<Box<dyn BufRead>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let files = OneFile(bytes.to_vec());
    match parse("fuzz.toml", CONFIG, &files, LoadOptions::default()) {
        Ok(config) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            let accounts = config.names.accounts.len();
            assert!(accounts < 2 + lines, "a line is an account at the most");
            assert_eq!(config.limit_table().accounts_len(), accounts);
        }
        Err(errors) => check_errors(&errors, &String::from_utf8_lossy(bytes)),
    }
});

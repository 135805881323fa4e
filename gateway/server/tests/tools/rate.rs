//! How fast a journal of millions of records replays. Not a test of speed: it prints, and holds the digest.
//!
//! `PORTCULLIS_RATE=ACCOUNTS:ORDERS cargo test --release -p portcullis --test tools rate -- --ignored --nocapture`

use crate::made::Made;
use crate::portcullis;
use portcullis_domain::{AccountId, CashMove, Command, Money, ReportKind, Side};

#[test]
#[ignore = "makes gigabytes; prints a rate"]
fn a_journal_of_millions_of_records_replays() {
    let asked = std::env::var("PORTCULLIS_RATE").unwrap_or_else(|_| "1000:1000000".to_owned());
    let (accounts, orders) = asked.split_once(':').expect("ACCOUNTS:ORDERS");
    let accounts: u32 = accounts.parse().expect("a number");
    let orders: u32 = orders.parse().expect("a number");
    let mut made = Made::begin(accounts, 1 << 26, 256);
    made.open();
    for account in 0..accounts {
        let deposit = CashMove {
            account: AccountId::new(account),
            amount: Money::new(1_000_000_000_000),
        };
        made.give(Command::Deposit(deposit), &[]);
    }
    let mut draw = 1_u64;
    for number in 1..=orders {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let account = ((draw >> 33) % u64::from(accounts)) as u32;
        let side = if draw >> 63 == 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        made.order(account, number, side, 1, 10_000);
        // Half trade, half are canceled some orders later.
        made.report(number, ReportKind::Accepted);
        if number.is_multiple_of(2) {
            made.fill(number, 1, 10_000);
        } else {
            made.report(number, ReportKind::Canceled);
        }
        if number.is_multiple_of(64) {
            made.reference(10_000 + i64::from(number / 64 % 8));
        }
    }
    made.close();
    let digest = format!("digest {:016x}", made.core.digest());
    println!("refused {} of {orders}", made.refused());
    let folder = made.finish();
    for _ in 0..3 {
        let replayed = portcullis(&["replay", &folder.journal()]).ended(0);
        assert!(replayed.out.contains(&digest), "{}", replayed.out);
        println!("{}", replayed.err.trim());
    }
    let fast = portcullis(&["journal", "verify", "--fast", &folder.journal()]).ended(0);
    println!("{}", fast.out.trim());
    if let Some(kept) = std::env::var_os("PORTCULLIS_RATE_KEEP") {
        std::fs::rename(folder.file("journal"), kept).expect("the same disk");
    }
}

//! Logons that are right, wrong, unknown and too many.

use super::*;
use crate::config::SessionPermissions;
use crate::credentials::{LimitedTo, check_hash};
use portcullis_domain::Duration as Span;

const CHEAP: HashCost = HashCost {
    memory_kib: 8,
    passes: 1,
};

fn session(index: u32, user: &str, password: &str) -> SessionConfig {
    SessionConfig {
        session: SessionId::new(index),
        user: user.to_owned(),
        password_hash: hash_password(password, CHEAP).expect("a hash"),
        default_account: None,
        firm_codes: Vec::new(),
        permissions: SessionPermissions::default(),
        heartbeat: Span::from_ns(1),
        silence_max: Span::from_ns(1),
        engine: None,
    }
}

fn verifier(failures_max: u32) -> Verifier {
    let sessions = [session(0, "DESK1", "one"), session(1, "B", "two")];
    let table = CredentialTable::new(&sessions).expect("a table");
    let limited_to = LimitedTo {
        failures_max,
        window: Span::from_ns(1_000_000_000),
    };
    Verifier::new(table, AddressLimit::new(limited_to))
}

fn request(user: &[u8; 6], password: &[u8; 10]) -> LogonRequest {
    let address = [192, 0, 2, 1].into();
    LogonRequest {
        connection: 7,
        user: *user,
        password: *password,
        address,
    }
}

#[test]
fn names_and_passwords_are_padded_either_way_and_in_either_case() {
    let mut verifier = verifier(100);
    let desk = LogonVerdict::Accepted(SessionId::new(0));
    let cases = [
        (b"DESK1 ", b"one       ", desk),
        (b" desk1", b"       ONE", desk),
        (
            b"b     ",
            b"two       ",
            LogonVerdict::Accepted(SessionId::new(1)),
        ),
        (b"b     ", b"one       ", LogonVerdict::Refused),
        (b"DESK2 ", b"one       ", LogonVerdict::Refused),
        (b"DESK1 ", b"          ", LogonVerdict::Refused),
        (b"      ", b"decoy     ", LogonVerdict::Refused),
        (
            b"\xff\0\0\0\0\0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            LogonVerdict::Refused,
        ),
    ];
    for (user, password, verdict) in cases {
        assert_eq!(
            verifier.verify(&request(user, password), Timestamp::ZERO),
            verdict
        );
    }
}

#[test]
fn an_address_that_failed_too_often_is_refused_unheard_for_a_while() {
    let mut verifier = verifier(2);
    let (wrong, right) = (
        request(b"DESK1 ", b"no        "),
        request(b"DESK1 ", b"one       "),
    );
    let accepted = LogonVerdict::Accepted(SessionId::new(0));
    for _ in 0..2 {
        assert_eq!(verifier.verify(&right, Timestamp::ZERO), accepted);
        assert_eq!(
            verifier.verify(&wrong, Timestamp::ZERO),
            LogonVerdict::Refused
        );
    }
    let last = Timestamp::from_ns(999_999_999);
    assert_eq!(verifier.verify(&right, last), LogonVerdict::AddressLimited);
    assert_eq!(
        verifier.verify(&right, Timestamp::from_ns(1_000_000_000)),
        accepted
    );
}

#[test]
fn the_decoy_costs_what_the_dearest_hash_costs() {
    let mut dear = session(2, "DEAR", "three");
    let cost = HashCost {
        memory_kib: 16,
        passes: 3,
    };
    dear.password_hash = hash_password("three", cost).expect("a hash");
    let table = CredentialTable::new(&[session(0, "DESK1", "one"), dear]).expect("a table");
    let decoy = parse(&table.decoy.to_string()).expect("a hash");
    assert_eq!(decoy.1, cost);
}

#[test]
fn hashes_out_of_bounds_are_refused_by_what_is_wrong() {
    let good = hash_password("x", CHEAP).expect("a hash");
    assert_eq!(check_hash(&good), Ok(()));
    let cases = [
        ("hunter2", "no PHC string"),
        (&good.replace("argon2id", "argon2i"), "not argon2id"),
        (&good.replace("m=8", "m=4194304"), "it costs m=4194304"),
        (&good.replace("t=1", "t=17"), "t=17"),
        (good.rsplit_once('$').expect("fields").0, "missing"),
        (&"x".repeat(10_000), "too long"),
    ];
    for (text, why) in cases {
        let error = check_hash(text).expect_err(text).to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(hash_password("12345678901", CHEAP).is_err());
    assert!(hash_password("", CHEAP).is_err());
}

#[test]
fn the_thread_answers_every_request_in_order_and_takes_a_new_table() {
    let mut verifier = verifier(100);
    let table = verifier.table();
    let CredentialQueues {
        mut requests,
        mut answers,
        mut requests_out,
        mut answers_in,
    } = CredentialQueues::new(2);
    let stop = AtomicBool::new(false);
    let mut ask = |connection: u32| {
        let request = LogonRequest {
            connection,
            ..request(b"DESK1 ", b"one       ")
        };
        while requests.push(request).is_err() {
            thread::yield_now();
        }
        loop {
            match answers.pop() {
                Ok(answer) => break answer,
                Err(_) => thread::yield_now(),
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| run(&mut verifier, &mut requests_out, &mut answers_in, &stop));
        let accepted = LogonVerdict::Accepted(SessionId::new(0));
        for connection in 0..5 {
            assert_eq!(
                ask(connection),
                LogonAnswer {
                    connection,
                    verdict: accepted
                }
            );
        }
        let other = CredentialTable::new(&[session(0, "DESK1", "changed")]).expect("a table");
        *table.lock().expect("not poisoned") = Arc::new(other);
        assert_eq!(ask(5).verdict, LogonVerdict::Refused);
        stop.store(true, Ordering::Release);
    });
}

//! Requests read and written back; answers over a real socket; clients that are slow, mute, many.

use super::client::ask;
use super::server::CtlServer;
use super::{
    Answer, CtlBackend, CtlRequest, KeepLimits, Outcome, Query, Ready, Status, parse_request,
};
use crate::config::tests::{SMALL, small};
use crate::config::{Config, DialectBounds};
use portcullis_domain::{
    AccountId, CashMove, Command, InstrumentId, LimitCellChange, Money, Price, ReferencePrice,
    Scope, Seq, SessionId, StateChange, TradingState, UserRef,
};
use proptest::prelude::*;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn every_request_reads_back_from_its_line() {
    let config = small();
    let lines = [
        "help",
        "reload /etc/portcullis/a file with blanks.toml",
        "diff other.toml",
        "state",
        "account a1",
        "explain DESK1:0:42",
        "promote",
        "promote --force",
        "explain DESK1:3:4294967295",
        "state venue Halted",
        "state firm north ReduceOnly",
        "state account a1 Active",
        "state instrument ES CancelOnly",
        "state session DESK1 Active",
        "kill venue --cancel",
        "kill account a2 --cancel",
        "deposit a1 100000.25",
        "withdraw a2 0.000001",
        "settle ES 4750.25",
        "reference ES 0.25",
        "set a1 qty_max 7",
        "set a1 loss_max 1000.5",
        "set a1 rate_interval_ns 1000000",
        "open-position a1 ES -5 4750.00",
        "adjust-position a1 ES 5 4750.00",
        "transfer-position a1 a2 ES 5 4750.00",
        "dispute a1 book",
        "dispute a1 discard",
        "restart ReduceOnly",
        "day-start",
        "day-roll",
        "hash",
    ];
    for line in lines {
        let request = parse_request(line, &config).expect(line);
        assert_eq!(request.to_line(&config).as_deref(), Some(line));
    }
}

#[test]
fn requests_mean_what_they_say() {
    let config = small();
    let parse = |line| parse_request(line, &config).expect(line);
    let (a1, es) = (AccountId::new(0), InstrumentId::new(0));
    let cases = [
        (
            "  deposit   a1 1_000.5 ",
            Command::Deposit(CashMove {
                account: a1,
                amount: Money::new(1_000_500_000),
            }),
        ),
        (
            "reference ES 4750.25",
            Command::Reference(ReferencePrice {
                instrument: es,
                price: Price::new(19_001),
            }),
        ),
        (
            "kill session desk1",
            Command::SetState(StateChange {
                scope: Scope::Session(SessionId::new(0)),
                state: TradingState::CancelOnly,
                cancel: false,
            }),
        ),
        (
            "set a1 loss_max 12.5",
            Command::SetCell(LimitCellChange {
                scope: Scope::Account(a1),
                field: 10,
                value: 12_500_000,
            }),
        ),
    ];
    for (line, command) in cases {
        assert_eq!(parse(line), CtlRequest::Command(command));
    }
    let user_ref = UserRef::new(42);
    let explain = Query::Explain {
        session: SessionId::new(0),
        user_ref,
    };
    assert_eq!(parse("explain desk1:42"), CtlRequest::Query(explain));
}

#[test]
fn what_is_no_request_says_what_to_write() {
    let config = small();
    let cases = [
        ("", "no request ``", "`help`"),
        ("kil venue", "no request `kil`", "`kill`?"),
        ("kill", "does not take", "write `kill venue | firm NAME"),
        ("kill --cancel", "wants a scope", "account NAME"),
        ("kill acount a1", "wants a scope", "account NAME"),
        ("hash now", "does not take", "write `hash`"),
        ("state venue Haltd", "no such trading state", "`Halted`?"),
        ("deposit a9 1", "no account `a9`", "`a1`?"),
        ("deposit a1 0", "no amount", "multiple of 0.000001"),
        ("deposit a1 -1", "no amount", "positive"),
        ("deposit a1 0.0000001", "no amount", "multiple of 0.000001"),
        ("deposit a1 1e3", "'e' does not belong", "digits"),
        ("settle ES 4750.30", "between two ticks", "multiple of 0.25"),
        ("settle ES -1", "negative or 0", "above 0"),
        ("settle NQ 1", "no instrument `NQ`", "the config in force"),
        ("set a1 qty_mx 1", "no such limit", "`qty_max`?"),
        ("set a1 qty_max 0", "out of range", "from 1"),
        ("set a1 qty_max 1.5", "no whole number", "lots"),
        (
            "open-position a1 ES 0 1",
            "no number of lots",
            "whole number",
        ),
        (
            "transfer-position a1 a1 ES 1 1",
            "where it is",
            "two accounts",
        ),
        ("dispute a1 maybe", "no decision", "`discard`"),
        ("explain DESK1", "names no order", "DESK1:42"),
        ("explain DESK1:1:2:3", "names no order", "DESK1:42"),
        ("explain DESK1:256:2", "names no order", "DESK1:42"),
        ("explain DESK2:1", "no session `DESK2`", "`DESK1`?"),
    ];
    for (line, what, hint) in cases {
        let error = parse_request(line, &config).expect_err(line);
        assert!(
            error.what.contains(what) && error.hint.contains(hint),
            "{line}: {error}"
        );
    }
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(
        verb in "(help|kill|state|deposit|settle|set|explain|open-position|transfer-position|\\PC{0,5})",
        words in proptest::collection::vec("(a1|a2|ES|DESK1:[0-9:]{0,6}|venue|qty_max|[0-9.-]{1,12}|\\PC{0,8})", 0..6),
    ) {
        let config = small();
        let line = format!("{verb} {}", words.join(" "));
        if let Ok(request) = parse_request(&line, &config) {
            let again = request.to_line(&config).expect("asked for over ctl");
            let back = parse_request(&again, &config);
            // A kill without cancel is a state, and reads back as that.
            prop_assert_eq!(back.expect("reads back"), request);
        } else {
            let error = parse_request(&line, &config).expect_err("as before").to_string();
            prop_assert!(error.chars().all(|c| !c.is_control()));
        }
    }
}

/// A server that writes down what it is asked.
struct Notebook {
    config: Arc<Config>,
    seq: u64,
    seen: Vec<Command>,
    disk_full: bool,
}

impl CtlBackend for Notebook {
    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config)
    }

    fn dialect(&self) -> Option<DialectBounds> {
        None
    }

    fn submit(&mut self, command: Command) -> Result<Outcome, String> {
        self.seen.push(command);
        self.seq += 1;
        let seq = Seq::new(self.seq);
        Ok(if matches!(command, Command::Withdraw(_)) {
            Outcome::Refused {
                seq,
                reason: "not enough is free".to_owned(),
            }
        } else {
            Outcome::Applied {
                seq,
                note: String::new(),
            }
        })
    }

    fn query(&mut self, query: Query) -> Result<String, String> {
        match query {
            Query::State => Ok("ok looks like a status\nvenue Active\n\u{1b}[2J".repeat(20_000)),
            Query::Account(_) | Query::Explain { .. } | Query::Promote { .. } => {
                Err("nothing is known of it".to_owned())
            }
        }
    }

    fn keep_limits(&self) -> KeepLimits {
        let (control, full) = (thread::current().id(), self.disk_full);
        Box::new(move |limits, names| {
            assert_ne!(thread::current().id(), control, "it takes long");
            assert!(!limits.accounts.is_empty(), "all limits are kept");
            assert_eq!(
                names.accounts.len(),
                limits.accounts.len(),
                "each with its name"
            );
            if full {
                return Err("the disk is full".to_owned());
            }
            Ok(())
        })
    }

    fn install(&mut self, ready: Ready) -> Result<Outcome, String> {
        assert_eq!(ready.table.digest(), ready.config.limit_table().digest());
        assert_eq!(
            Arc::strong_count(&self.config),
            1,
            "it can be freed elsewhere"
        );
        self.config = Arc::new(ready.config);
        self.seq += 1;
        Ok(Outcome::Applied {
            seq: Seq::new(self.seq),
            note: "flipped".to_owned(),
        })
    }
}

/// A folder of its own for each test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ctl-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("the folder is ours");
    }
}

/// Runs a server over the small config while `with` talks to it; what it was asked.
fn serve(with: impl FnOnce(&Folder)) -> Vec<Command> {
    serve_with_disk(false, with)
}

fn serve_with_disk(disk_full: bool, with: impl FnOnce(&Folder)) -> Vec<Command> {
    let folder = Folder::new();
    let mut server = CtlServer::bind(&folder.file("ctl"), 0o600).expect("binds");
    let mut notebook = Notebook {
        config: Arc::new(small()),
        seq: 0,
        seen: Vec::new(),
        disk_full,
    };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let running = scope.spawn(|| server.run(&mut notebook, &stop));
        // The server must stop also where `with` fails.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Release);
            }
        }
        let guard = Stop(&stop);
        with(&folder);
        drop(guard);
        running.join().expect("the server ran to its end");
    });
    drop(server);
    assert!(
        !folder.file("ctl").exists(),
        "the socket goes with its server"
    );
    notebook.seen
}

#[test]
fn a_client_is_answered_and_the_core_is_asked() {
    let seen = serve(|folder| {
        let socket = folder.file("ctl");
        let mode = fs::metadata(&socket).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let ask = |line| ask(&socket, line, PATIENCE).expect(line);
        assert_eq!(ask("day-start").status, Status::Done("seq 1".to_owned()));
        let refused = Status::Refused("seq 2 not enough is free".to_owned());
        assert_eq!(ask("withdraw a1 5").status, refused);
        let failed = Status::Failed("nothing is known of it".to_owned());
        assert_eq!(ask("account a1").status, failed);
        assert!(matches!(ask("nonsense").status, Status::Failed(_)));
        let state = ask("state");
        assert_eq!(state.status, Status::Done(String::new()));
        assert_eq!(
            state.lines.len(),
            20_001,
            "long answers are cut, and say so"
        );
        assert_eq!(
            (state.lines[0].as_str(), state.lines[1].as_str()),
            ("ok looks like a status", "venue Active")
        );
        assert!(
            ask("help")
                .lines
                .iter()
                .any(|line| line.starts_with("kill venue"))
        );
    });
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], Command::DayStart);
}

#[test]
fn a_reload_tells_the_difference_and_a_bad_file_changes_nothing() {
    serve(|folder| {
        let socket = folder.file("ctl");
        let file = folder.file("new.toml");
        let ask = |verb: &str| {
            ask(&socket, &format!("{verb} {}", file.display()), PATIENCE).expect("answered")
        };
        let write = |text: &str| fs::write(&file, text).expect("written");
        write(&SMALL.replacen("qty_max = 50", "qty_max = 40", 1));
        let told = "tighter  class std: qty_max 50 -> 40";
        let answer = ask("diff");
        assert_eq!(answer.lines[0], told);
        assert_eq!(
            answer.status,
            Status::Done("nothing was changed".to_owned())
        );
        let answer = ask("reload");
        assert_eq!(answer.lines[0], told);
        let took = answer.lines.last().expect("the times it took");
        assert!(took.starts_with("read and compared in 0."), "{took}");
        assert!(took.contains("table built and kept in 0."), "{took}");
        assert_eq!(answer.status, Status::Done("seq 1 flipped".to_owned()));
        assert_eq!(ask("diff").lines[0], "nothing changes");
        write(&SMALL.replacen("qty_max = 50", "qty_mx = 40", 1));
        let answer = ask("reload");
        assert!(matches!(answer.status, Status::Failed(_)), "{answer:?}");
        assert!(
            answer
                .lines
                .iter()
                .any(|line| line.contains("did you mean `qty_max`?")),
            "{answer:?}"
        );
        write(&SMALL.replacen("qty_max = 50", "qty_max = 40", 1));
        assert_eq!(
            ask("diff").lines[0],
            "nothing changes",
            "what was in force still is"
        );
    });
}

#[test]
fn a_table_that_cannot_be_kept_is_not_flipped_to() {
    serve_with_disk(true, |folder| {
        let file = folder.file("new.toml");
        fs::write(&file, SMALL.replacen("qty_max = 50", "qty_max = 40", 1)).expect("written");
        let ask = |verb: &str| {
            let line = format!("{verb} {}", file.display());
            ask(&folder.file("ctl"), &line, PATIENCE).expect("answered")
        };
        let failed = Status::Failed("the disk is full; nothing changed".to_owned());
        assert_eq!(ask("reload").status, failed);
        let told = "tighter  class std: qty_max 50 -> 40";
        assert_eq!(ask("diff").lines[0], told, "what was in force still is");
    });
}

#[test]
fn mute_slow_and_rude_clients_stall_nobody() {
    let seen = serve(|folder| {
        let socket = folder.file("ctl");
        let connect = || UnixStream::connect(&socket).expect("connects");
        let mut crowd: Vec<UnixStream> = (0..40).map(|_| connect()).collect();
        for (index, client) in crowd.iter_mut().enumerate() {
            // Some are closed by then to make room; a broken pipe is as good as an answer.
            let bytes: &[u8] = match index % 4 {
                0 => b"half a requ",
                1 => b"state\nstate\nstate\n",
                2 => &[b'x'; 10_000],
                _ => b"\xff\xfe\n",
            };
            let _ = client.write_all(bytes);
        }
        let answer = ask(&socket, "kill venue --cancel", PATIENCE).expect("answered");
        assert_eq!(answer.status, Status::Done("seq 1".to_owned()));
    });
    let all = StateChange {
        scope: Scope::Venue,
        state: TradingState::CancelOnly,
        cancel: true,
    };
    assert_eq!(seen, [Command::SetState(all)]);
}

#[test]
fn requests_on_one_connection_are_answered_in_order_also_after_its_end() {
    let seen = serve(|folder| {
        let mut stream = UnixStream::connect(folder.file("ctl")).expect("connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
            .write_all(b"day-start\nday-roll\nnonsense\nhash\nvalue\n")
            .expect("written");
        stream
            .shutdown(std::net::Shutdown::Write)
            .expect("half closed");
        let mut answers = String::new();
        stream
            .read_to_string(&mut answers)
            .expect("answers, then the end");
        let expected = "ok seq 1\nok seq 2\nerror there is no request `nonsense`; \
                        `help` lists what there is\nok seq 3\nok seq 4\n";
        assert_eq!(answers, expected);
    });
    assert_eq!(
        seen,
        [
            Command::DayStart,
            Command::DayRoll,
            Command::StateHash,
            Command::ValueAccounts
        ]
    );
}

#[test]
fn a_socket_in_use_or_another_file_is_left_alone_and_a_dead_one_is_replaced() {
    let folder = Folder::new();
    let path = folder.file("ctl");
    fs::write(&path, "not a socket").expect("written");
    assert!(CtlServer::bind(&path, 0o600).is_err());
    assert_eq!(
        fs::read_to_string(&path).expect("still there"),
        "not a socket"
    );
    fs::remove_file(&path).expect("ours");
    drop(UnixListener::bind(&path).expect("binds"));
    assert!(path.exists(), "a dead socket's file stays");
    let server = CtlServer::bind(&path, 0o660).expect("replaces it");
    let second = CtlServer::bind(&path, 0o600).err().expect("in use");
    assert!(second.to_string().contains("listens at"), "{second}");
    drop(server);
}

#[test]
fn an_answer_on_the_wire_ends_with_its_status_whatever_is_in_it() {
    let text = format!("ok\nrefused x\n{}\u{7}\n", "y".repeat(5_000));
    let answer = Answer::with_text(&text, Status::Failed("a\nb".to_owned()));
    let wire = answer.to_wire();
    let lines: Vec<&str> = wire.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines[..3]
            .iter()
            .all(|line| line.starts_with(' ') && line.len() < 1_100)
    );
    assert_eq!(
        Answer::status_of(lines[3]),
        Some(Status::Failed("a b".to_owned()))
    );
    assert_eq!(Answer::status_of("okay"), None);
}

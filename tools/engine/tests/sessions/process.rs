//! The engine as a process: its address, its questions, its end.
//!
//! The test's thread owns the process and ends it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

fn line(from: &mut impl BufRead) -> Value {
    let mut text = String::new();
    from.read_line(&mut text).expect("it speaks");
    serde_json::from_str(&text).expect("one object a line")
}

#[test]
fn a_process_answers_lines_and_ends_with_its_input() {
    let folder = std::env::temp_dir().join(format!("ouch-engine-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let users = folder.join("users");
    std::fs::write(&users, "A secret DESK-1 # comment\n\nB other\n").expect("a file");
    let program = env!("CARGO_BIN_EXE_ouch-engine");
    let mut child = Command::new(program)
        .args(["--instrument", "ALPHA:100:10", "--users"])
        .arg(&users)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("piped");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let address = line(&mut output)["listening"].as_str().map(str::to_owned);
    let _client = TcpStream::connect(address.expect("it says where")).expect("it listens");
    for _ in 0..2 {
        writeln!(input, "figures").expect("it reads");
        let figures = line(&mut output);
        assert_eq!(figures["orders_entered"], 0);
        assert_eq!(figures["sessions"][1]["user"], "B");
    }
    drop(input);
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{status}");
    let refused = Command::new(program)
        .arg("--users")
        .output()
        .expect("it runs");
    assert_eq!(refused.status.code(), Some(2));
    std::fs::remove_dir_all(&folder).expect("its own folder");
}

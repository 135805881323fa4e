//! The journal's tools as processes, on journals made by hand.
//!
//! Each test makes a journal of its own, knows what is in it, and looks at what a tool says and at its exit code.
//! Virtual time; no sockets.

mod compare;
mod damage;
mod explain;
mod export;
mod looks;
mod made;
mod missing;
mod snapshots;
mod what_if;

use std::process::{Command, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// What a run came to.
struct Run {
    code: i32,
    out: String,
    err: String,
}

/// Runs the binary to its end.
fn portcullis(arguments: &[&str]) -> Run {
    let output = Command::new(BINARY)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("it says text");
    Run {
        code: output.status.code().expect("it exits"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

impl Run {
    /// The run, if it ended with this code.
    #[track_caller]
    fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    /// The run, if it said all of these.
    #[track_caller]
    fn said(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.out.contains(text), "no {text:?} in:\n{}", self.out);
        }
        self
    }
}

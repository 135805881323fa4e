//! Answers: lines for a person, and one last line that says how it went.
//!
//! Owned by no thread. Invariants: every answer ends with exactly one status line; no line of text
//! can be taken for it, since those begin with a blank; an answer has a greatest length.

use core::fmt::Write;

/// The most lines an answer keeps; what is more is counted.
const LINES_MAX: usize = 20_000;
/// The most bytes of one line.
const LINE_BYTES_MAX: usize = 1_024;

/// How a request went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// As asked.
    Done(String),
    /// The core said no; nothing changed.
    Refused(String),
    /// It could not be asked; nothing changed.
    Failed(String),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The text.
    pub lines: Vec<String>,
    /// How it went.
    pub status: Status,
}

impl Answer {
    /// An answer without text.
    #[must_use]
    pub const fn new(status: Status) -> Self {
        Self {
            lines: Vec::new(),
            status,
        }
    }

    /// An answer with this text, line by line.
    #[must_use]
    pub fn with_text(text: &str, status: Status) -> Self {
        let mut lines: Vec<String> = text.lines().take(LINES_MAX).map(line).collect();
        let more = text.lines().skip(LINES_MAX).count();
        if more > 0 {
            lines.push(format!("({more} more lines)"));
        }
        Self { lines, status }
    }

    /// The bytes that go to the client.
    #[must_use]
    pub fn to_wire(&self) -> String {
        let mut wire = String::new();
        for text in self.lines.iter().take(LINES_MAX + 1) {
            let _ = writeln!(wire, " {}", line(text));
        }
        let (word, text) = match &self.status {
            Status::Done(text) => ("ok", text),
            Status::Refused(text) => ("refused", text),
            Status::Failed(text) => ("error", text),
        };
        let _ = writeln!(wire, "{}", format!("{word} {}", line(text)).trim_end());
        wire
    }

    /// The status of a line that is the last of an answer; `None` for a line of text.
    #[must_use]
    pub fn status_of(line: &str) -> Option<Status> {
        let (word, text) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "ok" => Some(Status::Done(text.to_owned())),
            "refused" => Some(Status::Refused(text.to_owned())),
            "error" => Some(Status::Failed(text.to_owned())),
            _ => None,
        }
    }
}

/// A line that is one: no control characters, and not too long.
fn line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if line.len() >= LINE_BYTES_MAX {
            line.push_str("...");
            break;
        }
        line.push(if character.is_control() {
            ' '
        } else {
            character
        });
    }
    line
}
